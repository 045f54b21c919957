# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# What guests boot: Debian's kernels, of which nothing but the kernel itself is kept, and an initramfs
# that looks at the machine from inside. The one who sources it has read the architecture's .conf,
# store.sh, debian.sh and image.sh.
: "${top:?} ${arch:?} ${store:?} ${work:?} ${system:?} ${debian_arch:?} ${debian_suite:?}"
: "${kernel_package:?} ${guest_kernels:?}"

# guest_kernel_place NAME SUITE PACKAGE: the folder it is kept in. The one that the nested machine
# boots is there already.
guest_kernel_place() {
	if [ "$2 $3" = "$debian_suite $kernel_package" ]; then
		echo "$system/boot"
	else
		echo "$store/kernels/$1"
	fi
}

# fetch_guest_kernel PLACE SUITE PACKAGE
fetch_guest_kernel() {
	debian_update "$debian_arch" "$2" && _kernel=$(debian_kernel "$3") &&
		debian_fetch_files "$1" './boot/vmlinu[xz]-*' "$_kernel"
}

# prepare_guest_kernels OUT: all of them, by their names, to that folder.
prepare_guest_kernels() {
	mkdir -p "$1"
	while read -r _name _suite _package; do
		[ -n "$_name" ] || continue
		_place=$(guest_kernel_place "$_name" "$_suite" "$_package")
		[ "$_place" = "$system/boot" ] ||
			stored "$_place" "$_package of $_suite for $arch" \
				fetch_guest_kernel "$_place" "$_suite" "$_package" </dev/null
		cp "$_place"/vmlinu[xz]-* "$1/$_name" || return
	done <<-END
		$guest_kernels
	END
	for _name in ${guest_compressed-}; do
		gzip -1 -c "$1/$_name" >"$1/$_name.gz" || return
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
