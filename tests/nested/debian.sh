# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# Fetches Debian packages of any architecture, from the mirror that this machine uses, with an apt
# of its own below one directory: the machine's sources, lists and packages are not touched. Needs
# no root. The one who sources it has set $cache, where that directory is.
: "${cache:?}"

# What the nested machine and the libraries come from; for those who source this.
# shellcheck disable=SC2034
debian_suite=trixie
debian_apt=$cache/apt
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

# debian_configure ARCH SUITE MIRROR: an apt configuration, that of the machine but for these.
debian_configure() {
	mkdir -p "$debian_apt/lists/partial" "$debian_apt/cache/archives/partial" "$debian_apt/empty"
	: >"$debian_apt/status"
	printf 'deb [arch=%s signed-by=%s] %s %s main\n' \
		"$1" "$debian_keyring" "$3" "$2" >"$debian_apt/sources.list"
	cat >"$debian_apt/apt.conf" <<-END
		#clear APT::Update;
		#clear APT::Architectures;
		APT::Architecture "$1";
		APT::Architectures { "$1"; };
		APT::Sandbox::User "root";
		Acquire::Languages "none";
		Dir::Etc::sourcelist "$debian_apt/sources.list";
		Dir::Etc::sourceparts "$debian_apt/empty";
		Dir::Etc::preferences "$debian_apt/none";
		Dir::Etc::preferencesparts "$debian_apt/empty";
		Dir::State "$debian_apt";
		Dir::State::lists "$debian_apt/lists";
		Dir::State::status "$debian_apt/status";
		Dir::Cache "$debian_apt/cache";
	END
}

# with_apt COMMAND OPTION...: apt-get or apt-cache, as configured.
with_apt() {
	_command=$1
	shift
	"$_command" -c "$debian_apt/apt.conf" "$@"
}

# debian_update ARCH SUITE: makes an apt that knows Debian's packages.
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
		rm -rf "$debian_apt"
		debian_configure "$1" "$2" "$_mirror"
		if logged "$debian_apt.log" with_apt apt-get -o APT::Update::Error-Mode=any update; then
			return 0
		fi
		echo "No $2 for $1 from $_mirror." >&2
	done
	return 1
}

# debian_depends PACKAGE PATTERN: the first package it depends on whose name fits.
debian_depends() {
	with_apt apt-cache depends "$1" | sed -nE "s/^ *Depends: ($2)\$/\1/p" | head -n 1
}

# debian_kernel PACKAGE: the package with the kernel that this one stands for.
debian_kernel() {
	_kernel=$(debian_depends "$1" 'linux-image-[0-9].*')
	if [ -z "$_kernel" ]; then
		echo "Debian has no $1 for this architecture" >&2
		return 1
	fi
	echo "$_kernel"
}

# debian_kernel_parts PACKAGE: the kernel's package, and the packages that its file and modules are in where
# they are not in the first (from Debian 14 on).
debian_kernel_parts() {
	_version=${1#linux-image-}
	echo "$1"
	for _part in "linux-binary-$_version" "linux-modules-$_version"; do
		[ -z "$(debian_depends "$1" "$(echo "$_part" | sed 's/[.+]/\\&/g')")" ] || echo "$_part"
	done
}

# debian_download PACKAGE...: to $debian_apt/packages.
debian_download() {
	rm -rf "$debian_apt/packages"
	mkdir -p "$debian_apt/packages"
	(cd "$debian_apt/packages" && logged "$debian_apt.log" with_apt apt-get download "$@")
}

# The rest unpacks files, and runs nothing of them. All note the packages in TARGET/packages.

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

# debian_fetch TARGET PACKAGE...: these and no others.
debian_fetch() {
	_target=$1
	shift
	rm -rf "$_target"
	debian_download "$@" && debian_unpack "$_target" "$debian_apt/packages"/*.deb
}

# debian_fetch_files TARGET PATTERN PACKAGE: of this one the files that fit, without their folders.
debian_fetch_files() {
	rm -rf "$1"
	mkdir -p "$1"
	debian_download "$3" || return
	for _package in "$debian_apt/packages"/*.deb; do
		dpkg-deb --fsys-tarfile "$_package" |
			tar -x -C "$1" --wildcards --transform='s,.*/,,' "$2" || return
		basename "$_package" .deb >>"$1/packages.new"
	done
	mv "$1/packages.new" "$1/packages"
}

# debian_fetch_all TARGET PACKAGE...: with all that they depend on.
debian_fetch_all() {
	_target=$1
	shift
	rm -rf "$debian_apt/cache/archives" "$_target"
	mkdir -p "$debian_apt/cache/archives/partial"
	logged "$debian_apt.log" with_apt apt-get -y --no-install-recommends --download-only \
		install "$@" && debian_unpack "$_target" "$debian_apt/cache/archives"/*.deb
}
