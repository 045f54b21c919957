# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# What the nested machine boots: a stock kernel and two initramfs archives, one with the system
# and one with the programs of this build. The one who sources it has read the architecture's .conf,
# store.sh, debian.sh and cross.sh; and set $programs:
# all, examples (axrun and the guests among them), or none.
: "${top:?} ${arch:?} ${store:?} ${work:?} ${nested:?} ${sysroot:?} ${debian_suite:?}"
: "${programs:?} ${debian_arch:?} ${kernel_package:?} ${kernel_modules:?}"

# A kernel and busybox, as Debian has them.
: "${system_suite:=$debian_suite}"
system=$store/debian
[ "$system_suite" = "$debian_suite" ] || system=$store/debian-$system_suite

# archive ROOT FILE: an initramfs.
archive() {
	(cd "$1" && find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0) >"$2.new" &&
		mv "$2.new" "$2"
}

# --- the system -----------------------------------------------------------------------------------

# add_module TREE NAME OUT: puts a kernel module into OUT, those that it depends on first.
add_module() {
	# In file names "-" and "_" are the same.
	_pattern=$(echo "$2" | sed 's/[-_]/[-_]/g')
	_file=$(find "$1" -name "$_pattern.ko*" | head -n 1)
	if [ -z "$_file" ]; then
		# No word if it is built in.
		grep -qsE "/$_pattern\\.ko\$" "$1"/modules.builtin || echo "there is no kernel module $2"
		return
	fi
	_name=${_file##*/}
	_name=${_name%.xz}
	[ ! -e "$3/$_name" ] || return 0
	case $_file in
	*.xz) xz -dc "$_file" >"$3/$_name" ;;
	*) cp "$_file" "$3/$_name" ;;
	esac || return
	for _needed in $(LC_ALL=C tr '\0' '\n' <"$3/$_name" |
		LC_ALL=C sed -n 's/^depends=//p' | head -n 1 | tr ',' ' '); do
		# In a subshell: the names are all one.
		(add_module "$1" "$_needed" "$3") || return
	done
	echo "$_name" >>"$3/order"
}

# make_system TREE OUT: from unpacked packages to a root.
make_system() {
	_modules=$(find "$1/usr/lib/modules" -mindepth 1 -maxdepth 1 | head -n 1)
	mkdir -p "$2/bin" "$2/dev" "$2/proc" "$2/sys" "$2/tmp" "$2/root" "$2/etc" "$2/modules" \
		"$2/run" "$2/var" || return
	: >"$2/modules/order"
	for _module in $kernel_modules; do
		add_module "$_modules" "$_module" "$2/modules" || return
	done
	cp "$1/usr/bin/busybox" "$2/bin/busybox" && ln -s busybox "$2/bin/sh" &&
		cp "$nested/init" "$2/init" && chmod 755 "$2/init" || return
	printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' \
		>"$2/etc/passwd"
	printf 'root:x:0:\nnogroup:x:65534:\n' >"$2/etc/group"
	printf 'root:*:::::::\n' >"$2/etc/shadow" && chmod 600 "$2/etc/shadow"
}

# The kernel's real package, and busybox, to $system; in an if, where set -e is off.
fetch_system() {
	# shellcheck disable=SC2086 # a list
	debian_update "$debian_arch" "$system_suite" && _kernel=$(debian_kernel "$kernel_package") &&
		_parts=$(debian_kernel_parts "$_kernel") &&
		debian_fetch "$system" $_parts busybox-static
}

# system_kernel: the kernel's file in $system.
system_kernel() {
	find "$system/boot" "$system/usr/lib/modules" '(' -name 'vmlinu[xz]-*' -o -name vmlinuz ')' \
		-type f 2>/dev/null | head -n 1
}

# The kernel and busybox in $system.
prepare_kernel() {
	stored "$system" "$kernel_package and busybox-static for $arch" fetch_system
}

# These, and $work/system.cpio.
prepare_system() {
	prepare_kernel
	rm -rf "$work/system.root"
	if ! logged "$work/system.log" make_system "$system" "$work/system.root" ||
		! archive "$work/system.root" "$work/system.cpio"; then
		die "the system for $arch could not be made"
	fi
	echo "nested $arch: $(sed -n 's/^linux-image-\([^_]*\)_.*/Linux \1/p' "$system/packages")," \
		"modules: $(tr '\n' ' ' <"$work/system.root/modules/order")"
}

# --- the programs ---------------------------------------------------------------------------------

# needs PROGRAM...: the shared libraries they name, and the program that loads these.
needs() {
	readelf -d -l "$@" 2>/dev/null | sed -nE \
		-e 's/.*\(NEEDED\).*\[(.*)\]/\1/p' -e 's/.*program interpreter: (.*)\]/\1/p' | sort -u
}

# add_libraries ROOT CC: all shared libraries that its programs need, found as the compiler finds
# them.
add_libraries() {
	_todo=$(find "$1" -type f -perm -100)
	# No program names this one: the C library opens it when a thread is cancelled or exits.
	_more=
	[ "$programs" != all ] || _more=libgcc_s.so.1
	while [ -n "$_todo" ]; do
		_next=
		# shellcheck disable=SC2086 # lists of plain names
		for _library in $_more $(needs $_todo); do
			case $_library in
			/*) _copy=$1$_library ;;
			*) _copy=$1/lib/$_library ;;
			esac
			[ ! -e "$_copy" ] || continue
			# The loader has a place of its own, and may be asked for by its name as well.
			_file=$("$2" -print-file-name="${_library##*/}")
			if [ ! -e "$_file" ]; then
				echo "the programs need $_library, and $2 does not find it" >&2
				return 1
			fi
			mkdir -p "${_copy%/*}"
			cp -L "$_file" "$_copy" || return
			_next="$_next $_copy"
		done
		_todo=$_next
	done
}

# configure_programs: anew if it is to be done in another way than the last time.
configure_programs() {
	_is=$(cat "$work/build/options" 2>/dev/null) || _is=
	# Without a shared library axrun and the examples are programs, not libtool's scripts.
	_options="--enable-werror --disable-shared --enable-silent-rules $(cross_options) --enable-tests"
	[ "$_is" != "$_options" ] || return 0
	if [ "$programs" = examples ]; then
		_options="${_options% *} --disable-tests"
		[ "$_is" != "$_options" ] || return 0
	fi
	rm -rf "$work/build"
	mkdir -p "$work/build"
	(cd "$work/build" && eval "\"\$top/configure\" $_options") &&
		echo "$_options" >"$work/build/options"
}

# build_programs: and lists the tests and what these use in $work/tests and $work/helpers.
build_programs() {
	configure_programs && make -C "$work/build" -j "$(nproc)" all || return
	[ "$programs" = all ] || return 0
	# Builds what the tests consist of, and runs none.
	# That takes a third of the time of -O2, and it is the library that is tested.
	make -C "$work/build" -j "$(nproc)" check TESTS= "CFLAGS=-g -O0" || return
	for _list in tests helpers; do
		make -s -C "$work/build" --no-print-directory "list-$_list" >"$work/$_list" || return
	done
}

# install_programs ROOT: where the build tree has them.
install_programs() {
	mkdir -p "$1/examples/axrun" "$1/examples/axvcpu-info" "$1/examples/guests" \
		"$1/examples/tutorial" "$1/tests"
	for _file in "$work"/build/examples/* "$work"/build/examples/axrun/axrun \
		"$work"/build/examples/axvcpu-info/axvcpu-info "$work"/build/examples/guests/* \
		"$work"/build/examples/tutorial/*; do
		if [ -f "$_file" ] && [ -x "$_file" ]; then
			cp "$_file" "$1/${_file#"$work"/build/}" || return
		fi
	done
	cp "$work/build/examples/guests/guests.txt" "$1/examples/guests/" || return
	[ "$programs" = all ] || return 0
	sort -u "$work/tests" "$work/helpers" >"$work/install"
	while read -r _file; do
		mkdir -p "$1/${_file%/*}" || return
		case $_file in
		*.sh) cp "$top/$_file" "$1/$_file" ;;
		*) cp "$work/build/$_file" "$1/$_file" ;;
		esac || return
	done <"$work/install"
}

# install_files ROOT FILE...: those that the user wants there.
install_files() {
	_root=$1
	shift
	for _file in "$@"; do
		case ${_file##*/} in
		lib*.so*) cp -L "$_file" "$_root/lib/" ;;
		*) cp "$_file" "$_root/bin/" ;;
		esac || return
	done
}

# install_all ROOT FILE...: the programs, the files, and the libraries of both.
install_all() {
	rm -rf "$1"
	mkdir -p "$1/bin" "$1/lib" "$1/examples/guests"
	[ "$programs" = none ] || install_programs "$1" || return
	install_files "$@" && add_libraries "$1" "$(cross_compiler)"
}

# prepare_programs FILE...: the programs, these files, and the libraries of all to
# $work/programs.root.
prepare_programs() {
	prepare_cross
	if [ "$programs" != none ]; then
		echo "nested $arch: building in ${work#"$top"/}/build"
		logged "$work/bootstrap.log" bootstrap_tree || die "bootstrap failed"
		logged "$work/build.log" build_programs || die "it does not build"
	fi
	logged "$work/install.log" install_all "$work/programs.root" "$@" ||
		die "the programs could not be put together"
}
