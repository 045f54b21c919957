# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# What guests boot: Debian's kernels, of which nothing but the kernel itself is kept, and an initramfs
# that looks at the machine from inside. The one who sources it has read the architecture's .conf,
# store.sh, debian.sh and image.sh.
: "${top:?} ${arch:?} ${store:?} ${work:?} ${system:?} ${debian_arch:?} ${debian_suite:?}"
: "${kernel_package:?} ${guest_kernels:?}"

# The folder with the kernel of the usual nested machine.
usual_kernel=$store/debian/boot

# guest_kernel_place NAME SUITE PACKAGE: the folder it is kept in. The kernel of the usual nested machine is
# fetched once.
guest_kernel_place() {
	if [ "$2 $3" = "$debian_suite $kernel_package" ] && [ -e "$usual_kernel" ]; then
		echo "$usual_kernel"
	else
		echo "$store/kernels/$1"
	fi
}

# fetch_guest_kernel PLACE SUITE PACKAGE
fetch_guest_kernel() {
	debian_update "$debian_arch" "$2" && _kernel=$(debian_kernel "$3") &&
		debian_fetch_files "$1" './boot/vmlinu[xz]-*' "$_kernel"
}

# number FILE OFFSET BYTES: what is there.
number() {
	od -An "-tu$3" -j "$2" -N "$3" "$1" | tr -d ' '
}

# unpack_vmlinux BZIMAGE OUT: the ELF kernel that it has packed. Where that is, its setup header says
# (Documentation/arch/x86/boot.rst); the last four bytes are its size, unpacked.
unpack_vmlinux() {
	_at=$((($(number "$1" 497 1) + 1) * 512 + $(number "$1" 584 4)))
	_packed=$(number "$1" 588 4)
	_size=$(number "$1" $((_at + _packed - 4)) 4)
	# gzip's own format ends by the size; with the others it is behind the end.
	case $(od -An -tx1 -j $_at -N 4 "$1") in
	" 1f 8b"*) _unpack=gzip ;;
	" 28 b5 2f fd") _unpack=zstd _packed=$((_packed - 4)) ;;
	" fd 37 7a 58") _unpack=xz _packed=$((_packed - 4)) ;;
	*)
		echo "$1: packed in a way that is not known here" >&2
		return 1
		;;
	esac
	tail -c "+$((_at + 1))" "$1" | head -c "$_packed" | $_unpack -dc >"$2" || return
	if [ "$(wc -c <"$2")" -ne "$_size" ]; then
		echo "$1: unpacked it is not of the size that it says" >&2
		return 1
	fi
}

# prepare_guest_kernels OUT: all of them, by their names, to that folder.
prepare_guest_kernels() {
	mkdir -p "$1"
	while read -r _name _suite _package; do
		[ -n "$_name" ] || continue
		_place=$(guest_kernel_place "$_name" "$_suite" "$_package")
		[ "$_place" = "$usual_kernel" ] ||
			stored "$_place" "$_package of $_suite for $arch" \
				fetch_guest_kernel "$_place" "$_suite" "$_package" </dev/null
		cp "$_place"/vmlinu[xz]-* "$1/$_name" || return
	done <<-END
		$guest_kernels
	END
	for _name in ${guest_compressed-}; do
		gzip -1 -c "$1/$_name" >"$1/$_name.gz" || return
	done
	for _name in ${guest_vmlinux-}; do
		unpack_vmlinux "$1/$_name" "$1/$_name.vmlinux" || return
	done
}

# What the guests' first program calls.
guest_tools="sh awk cat dmesg echo grep ls mount ps reboot poweroff sed setsid sleep stty tr uname
	wc"

# make_guest_root OUT: the root of an initramfs for guests.
make_guest_root() {
	rm -rf "$1"
	mkdir -p "$1/bin" "$1/dev" "$1/proc" "$1/sys" || return
	cp "$system/usr/bin/busybox" "$1/bin/busybox" && cp "$top/tests/boot/init" "$1/init" &&
		chmod 755 "$1/init" || return
	for _tool in $guest_tools; do
		ln -s busybox "$1/bin/$_tool" || return
	done
	sed '/^#/d' "$top/tests/boot/allowed" >"$1/allowed"
}

# prepare_guests OUT: kernels, and the initramfs "initrd", to that folder.
prepare_guests() {
	rm -rf "$1"
	if ! prepare_guest_kernels "$1" || ! make_guest_root "$work/guest.root" ||
		! archive "$work/guest.root" "$1/initrd"; then
		die "the kernels for guests could not be put together"
	fi
}

# prepare_guests_archive: $work/guests.cpio, which has them in /boot.
prepare_guests_archive() {
	prepare_guests "$work/guests.root/boot"
	archive "$work/guests.root" "$work/guests.cpio" || die "no archive of the guests' kernels"
}
