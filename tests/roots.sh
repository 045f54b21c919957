#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# Runs the lines of the README's install section, as they are written there, in clean Debian systems, as an
# ordinary user who has sudo and this tree's sources. There is no /dev/kvm in these systems: a program that
# needs it must say so.
#
#     tests/roots.sh [SUITE]...      # bookworm and trixie
#
# mmdebstrap makes a system once; it is kept where the emulated machines are kept. For each run it is
# unpacked anew and entered in namespaces of its own: that takes root, or user namespaces and subuids.
set -u

top=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=scripts/lib.sh
. "$top/scripts/lib.sh"
# shellcheck source=tests/cases.sh
. "$top/tests/cases.sh"

systems=$cache/roots
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
build=$top/build/roots

# --- a clean system -------------------------------------------------------------------------------

# make_system SUITE: unless it is there; from the first mirror that has it.
make_system() {
	[ ! -e "$systems/$1/packages" ] || return 0
	echo "fetching a clean $1 from Debian"
	rm -rf "${systems:?}/$1"
	mkdir -p "$systems/$1" || return
	for _mirror in $("$top/scripts/nested" --mirrors); do
		case $_mirror in
		https:*) _include=sudo,ca-certificates ;;
		*) _include=sudo ;;
		esac
		if logged "$build/$1-mmdebstrap.log" mmdebstrap --variant=minbase \
			--include="$_include" "$1" "$systems/$1/root.tar" \
			"deb [signed-by=$keyring] $_mirror $1 main"; then
			echo "$_mirror" >"$systems/$1/packages"
			return 0
		fi
	done
	return 1
}

# The tree as it is, committed or not, without build products.
sources() {
	if [ -e "$top/.git" ]; then
		git -C "$top" -c safe.directory='*' ls-files -z --cached --others --exclude-standard |
			tar -c -C "$top" --null --ignore-failed-read -T -
	else
		tar -c -C "$top" --exclude=./build .
	fi
}

# unpack_system SUITE: with this machine's way to the mirror, a user, and the packages of the last run.
unpack_system() {
	rm -rf --one-file-system "${root:?}"
	mkdir -p "$root" && tar -x -p -f "$systems/$1/root.tar" -C "$root" || return
	cp -L /etc/resolv.conf "$root/etc/resolv.conf"
	echo "127.0.0.1 localhost $(uname -n)" >"$root/etc/hosts"
	echo "deb $(cat "$systems/$1/packages") $1 main" >"$root/etc/apt/sources.list"
	apt-config dump | grep -E '^Acquire::https?::.*Proxy' >"$root/etc/apt/apt.conf.d/proxy"
	echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/unsafe-io"
	if [ -e "$systems/$1/lists" ]; then
		cp -a "$systems/$1/lists" "$root/var/lib/apt/" &&
			cp "$systems/$1/archives"/*.deb "$root/var/cache/apt/archives/" || return
	fi
	chroot "$root" useradd -m -s /bin/sh user || return
	echo 'user ALL=(ALL) NOPASSWD: ALL' >"$root/etc/sudoers.d/user"
	mkdir "$root/home/user/libaxvcpu" || return
	sources | tar -x -C "$root/home/user/libaxvcpu" --no-same-owner || return
	chroot "$root" chown -R user: /home/user
}

# mount_system: the mounts of a running system, except /dev/kvm.
mount_system() {
	mount -t proc proc "$root/proc" && mount -t tmpfs -o mode=755 dev "$root/dev" || return
	for _device in null zero full random urandom tty; do
		: >"$root/dev/$_device"
		mount --bind "/dev/$_device" "$root/dev/$_device" || return
	done
	ln -s /proc/self/fd "$root/dev/fd"
	mkdir "$root/dev/pts" && mount -t devpts -o newinstance,ptmxmode=666 pts "$root/dev/pts" &&
		ln -s pts/ptmx "$root/dev/ptmx"
}

# keep_packages SUITE: and apt's lists, for the next run, which then needs no network.
keep_packages() {
	chroot "$root" apt-get autoclean >/dev/null
	rm -rf "$systems/$1/archives" "$systems/$1/lists"
	mkdir "$systems/$1/archives" &&
		cp "$root/var/cache/apt/archives"/*.deb "$systems/$1/archives/" &&
		cp -a "$root/var/lib/apt/lists" "$systems/$1/"
}

# --- as its user ----------------------------------------------------------------------------------

install_lines() {
	awk '/^## / { on = $0 == "## Install and link" } on && sub(/^    /, "")' "$top/README.md"
}

# typed LINE: as the user types it, in the folder of the sources.
typed() {
	chroot "$root" setpriv --reuid user --regid user --init-groups env -i HOME=/home/user \
		PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 "MAKEFLAGS=-j$(nproc)" \
		sh -c "cd ~/libaxvcpu && { $1
		}" >"$work/log" 2>&1 </dev/null
}

# works LINE: or its last word is that there is no /dev/kvm.
works() {
	typed "$1"
	_status=$?
	_name="$suite: ${1%%  *#*}"
	if [ $_status -eq 0 ]; then
		ok "$_name"
	elif tail -n 1 "$work/log" | grep -q /dev/kvm; then
		ok "$_name: says that there is no /dev/kvm"
	else
		not_ok "$_name" "status $_status"
	fi
	cat "$work/log" >>"$work/all.log"
}

# try SUITE: all lines, or those up to one that fails.
try() {
	suite=$1
	work=$build/$suite
	root=$work/root
	mkdir -p "$work"
	: >"$work/all.log"
	unpack_system "$suite" >"$work/log" 2>&1 && mount_system >>"$work/log" 2>&1
	result "$suite: a clean system" $?
	install_lines >"$work/lines"
	[ "$(wc -l <"$work/lines")" -ge 3 ] || not_ok "$suite: the README has lines" "there are none"
	while IFS= read -r _line && [ "$failed" -eq 0 ]; do
		works "$_line"
	done <"$work/lines"
	if [ "$failed" -eq 0 ]; then
		works examples/minimal
		works "axrun --version"
		works "axrun /usr/local/libexec/axvcpu/guests/hello"
		grep -n 'warning:' "$work/all.log" >"$work/log"
		none_wrong "$suite: nothing warns"
		typed "apt-get -s install $("$top/scripts/install-deps" -n all)"
		result "$suite: Debian has all that scripts/install-deps installs" $?
		locked "$cache/lock" keep_packages "$suite"
	fi
	umount -R "$root/dev" "$root/proc"
	rm -rf --one-file-system "$root"
	all_done
}

# --- all of it ------------------------------------------------------------------------------------

# In the namespaces: all at the same time, as each often waits.
if [ "${1-}" = --inside ]; then
	shift
	for suite in "$@"; do
		(try "$suite") >"$build/$suite.out" 2>&1 &
	done
	wait
	# One report of all: each file has a plan as its last line, if it came to its end.
	awk '
		/^1\.\.[0-9]+$/ { plans++; next }
		sub(/^ok [0-9]+/, "ok " n + 1) || sub(/^not ok [0-9]+/, "not ok " n + 1) { n++ }
		{ print }
		END { if (plans == ARGC - 1) print "1.." n }' "$build"/*.out
	! grep -q '^not ok' "$build"/*.out
	exit
fi

[ $# -ne 0 ] || set -- bookworm trixie
mkdir -p "$build"
rm -f "$build"/*.out
command -v mmdebstrap >/dev/null || skip_all "there is no mmdebstrap (scripts/install-deps test)"
enter="unshare --mount --pid --fork --kill-child"
[ "$(id -u)" = 0 ] || enter="$enter --user --map-root-user --map-auto"
# shellcheck disable=SC2086 # words, on purpose
$enter mount -t tmpfs none "$build" 2>"$build/log" ||
	skip_all "no namespaces for this user: $(tail -n 1 "$build/log")"
for suite in "$@"; do
	mkdir -p "$systems"
	locked "$cache/lock" make_system "$suite" || die "there is no clean $suite; see above"
done
# shellcheck disable=SC2086
$enter sh "$0" --inside "$@"
