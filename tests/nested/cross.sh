# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# Builds for an architecture that this machine does not have: the distribution's cross compiler, with
# headers and libraries from Debian's packages, which are unpacked and not installed. The one who
# sources it has read the architecture's .conf, store.sh and debian.sh.
: "${top:?} ${arch:?} ${store:?} ${triplet:?} ${debian_arch:?} ${debian_suite:?}"

# What the library, axrun and the tests are built with; what that needs comes by itself.
sysroot_packages="libc6-dev libgcc-s1 libcap-ng-dev libfdt-dev zlib1g-dev libzstd-dev liblzma-dev
	check"
sysroot=$store/sysroot
# A compiler and a pkg-config that know the sysroot.
tools=$store/tools

# Whether this machine is of that architecture.
native() {
	[ "$(host_architecture)" = "$arch" ]
}

# relative_links ROOT: an absolute link in it leads to what is in it.
relative_links() {
	find "$1" -type l -lname '/*' | while IFS= read -r _link; do
		ln -s -n -f -r "$1$(readlink "$_link")" "$_link" || return
	done
}

fetch_sysroot() {
	# shellcheck disable=SC2086 # a list
	debian_update "$debian_arch" "$debian_suite" &&
		debian_fetch_all "$sysroot" $sysroot_packages || return
	# Debian's own are from a package that is not among these; linker scripts name files by them.
	for _link in bin lib lib64; do
		if [ -e "$sysroot/usr/$_link" ] && [ ! -e "$sysroot/$_link" ]; then
			ln -s "usr/$_link" "$sysroot/$_link" || return
		fi
	done
	relative_links "$sysroot"
}

# tool NAME: makes that program from what comes in. Another tree may be running it.
tool() {
	{
		printf '#!/bin/sh\n'
		cat
	} >"$tools/$1.new" && chmod 755 "$tools/$1.new" && mv "$tools/$1.new" "$tools/$1"
}

# Debian's cross compilers look at the headers and libraries of their own release first, where these
# are installed, and others do not know Debian's places: so all of them are told.
make_tools() {
	_lib=$sysroot/usr/lib/$triplet
	_own=$("$triplet-gcc" -print-file-name=include) || return
	mkdir -p "$tools" || return
	tool "$triplet-gcc" <<-END || return
		exec $(quoted "$triplet-gcc" "--sysroot=$sysroot" -nostdinc -isystem "$_own" \
		-isystem "$sysroot/usr/include/$triplet" -isystem "$sysroot/usr/include" \
		"-B$_lib" "-L$_lib") "\$@"
	END
	tool "$triplet-pkg-config" <<-END
		unset PKG_CONFIG_PATH
		PKG_CONFIG_SYSROOT_DIR=$(quoted "$sysroot")
		PKG_CONFIG_LIBDIR=$(quoted "$_lib/pkgconfig:$sysroot/usr/share/pkgconfig")
		export PKG_CONFIG_SYSROOT_DIR PKG_CONFIG_LIBDIR
		exec pkg-config "\$@"
	END
}

# Whether it has all that the list names: another version of this file may have made it.
sysroot_is_whole() {
	for _package in $sysroot_packages; do
		grep -qs "^${_package}_" "$sysroot/packages" || return
	done
}

# Headers, libraries and tools, if it takes them.
prepare_cross() {
	! native || return 0
	if ! command -v "$triplet-gcc" >/dev/null; then
		die "there is no $triplet-gcc, which builds for $arch; scripts/install-deps cross"
	fi
	sysroot_is_whole || rm -f "$sysroot/packages"
	stored "$sysroot" "the libraries for $arch" fetch_sysroot
	make_tools || die "no tools to build for $arch"
}

# What configure is told, as shell source: nothing where it builds for this machine.
cross_options() {
	native || quoted "--host=$triplet" "CC=$tools/$triplet-gcc" \
		"PKG_CONFIG=$tools/$triplet-pkg-config"
}

# The compiler for it.
cross_compiler() {
	if native; then
		echo "${CC:-cc}"
	else
		echo "$tools/$triplet-gcc"
	fi
}
