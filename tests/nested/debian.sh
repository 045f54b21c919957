# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# Fetches Debian packages of any architecture, from the mirror that this machine uses, with an apt
# of its own below one directory: the machine's sources, lists and packages are not touched. Needs
# no root.

debian_suite=trixie
debian_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# The mirrors in this machine's apt sources, whatever their format: apt itself names the files
# that it would update from. Or the one that the environment asks for.
debian_mirrors() {
	if [ -n "${AXVCPU_DEBIAN_MIRROR-}" ]; then
		echo "$AXVCPU_DEBIAN_MIRROR"
		return
	fi
	apt-get --print-uris update | sed -nE \
		"s,^'(.*)/dists/(bullseye|bookworm|trixie|forky|sid|(old)*stable|testing|unstable)/.*,\1,p" |
		awk '!seen[$0]++'
}

# debian_configure DIR ARCH MIRROR: an apt configuration, that of the machine but for these.
debian_configure() {
	mkdir -p "$1/lists/partial" "$1/cache/archives/partial" "$1/empty"
	: >"$1/status"
	printf 'deb [arch=%s signed-by=%s] %s %s main\n' \
		"$2" "$debian_keyring" "$3" "$debian_suite" >"$1/sources.list"
	cat >"$1/apt.conf" <<-END
		#clear APT::Update;
		#clear APT::Architectures;
		APT::Architecture "$2";
		APT::Architectures { "$2"; };
		APT::Sandbox::User "root";
		Acquire::Languages "none";
		Dir::Etc::sourcelist "$1/sources.list";
		Dir::Etc::sourceparts "$1/empty";
		Dir::Etc::preferences "$1/none";
		Dir::Etc::preferencesparts "$1/empty";
		Dir::State "$1";
		Dir::State::lists "$1/lists";
		Dir::State::status "$1/status";
		Dir::Cache "$1/cache";
	END
}

# debian_update DIR ARCH: makes an apt there that knows Debian's packages.
debian_update() {
	if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
		die "Debian's kernel is fetched by apt-get and dpkg-deb, and they are not here"
	fi
	[ -r "$debian_keyring" ] || die "$debian_keyring is missing; Debian: debian-archive-keyring"
	_mirrors=$(debian_mirrors)
	if [ -z "$_mirrors" ]; then
		echo "No Debian mirror in this machine's apt sources: name one in AXVCPU_DEBIAN_MIRROR." >&2
		return 1
	fi
	for _mirror in $_mirrors; do
		rm -rf "$1"
		debian_configure "$1" "$2" "$_mirror"
		if logged "$1.log" apt-get -c "$1/apt.conf" -o APT::Update::Error-Mode=any update; then
			return 0
		fi
		echo "No $debian_suite for $2 from $_mirror." >&2
	done
	return 1
}

# debian_depends DIR PACKAGE PATTERN: the first package it depends on whose name fits.
debian_depends() {
	apt-cache -c "$1/apt.conf" depends "$2" | sed -nE "s/^ *Depends: ($3)\$/\1/p" | head -n 1
}

# The rest unpacks files, and runs nothing of them. Both note the packages in TARGET/packages.

# debian_unpack TARGET FILE...
debian_unpack() {
	_target=$1
	shift
	mkdir -p "$_target"
	for _package in "$@"; do
		dpkg-deb -x "$_package" "$_target" || return
		basename "$_package" .deb >>"$_target/packages.new"
	done
	rm -rf "$_target/usr/share/doc" "$_target/usr/share/man" "$_target/usr/share/locale"
	mv "$_target/packages.new" "$_target/packages"
}

# debian_fetch DIR TARGET PACKAGE...: these and no others.
debian_fetch() {
	_apt=$1
	_target=$2
	shift 2
	rm -rf "$_apt/packages" "$_target"
	mkdir -p "$_apt/packages"
	(cd "$_apt/packages" && logged "$_apt.log" apt-get -c "$_apt/apt.conf" download "$@") &&
		debian_unpack "$_target" "$_apt/packages"/*.deb
}

# debian_fetch_all DIR TARGET PACKAGE...: with all that they depend on.
debian_fetch_all() {
	_apt=$1
	_target=$2
	shift 2
	rm -rf "$_apt/cache/archives" "$_target"
	mkdir -p "$_apt/cache/archives/partial"
	logged "$_apt.log" apt-get -c "$_apt/apt.conf" -y --no-install-recommends --download-only \
		install "$@" && debian_unpack "$_target" "$_apt/cache/archives"/*.deb
}
