# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# The kernels that guests boot: Debian's own, of which nothing but the kernel itself is kept. The
# one who sources it has read the architecture's .conf, store.sh, debian.sh and image.sh.
: "${arch:?} ${store:?} ${system:?} ${debian_arch:?} ${debian_suite:?} ${kernel_package:?}"
: "${guest_kernels:?}"

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
}
