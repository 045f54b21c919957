#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# Files that axrun refuses to boot: one line with the reason, and status 125, whether the fault is the
# kernel's, the initramfs's, the command line's or the machine's. With "no-controller": on a host where KVM
# has no interrupt controller, that alone.
# shellcheck source=tests/boot-lib.sh
. "${0%/*}/boot-lib.sh"

image=$BOOT/$kernel
size=$(wc -c <"$image")

if [ "${1-}" = no-controller ]; then
	refused "a host without an interrupt controller for guests" "AIA" \
		--kernel "$image" --initrd "$BOOT/initrd"
	all_done
fi

# Nothing is written there, so it takes no room.
truncate -s 300M "$tmp/large"
refused "an initrd that is larger than the memory" "initrd\|large" \
	--kernel "$image" --initrd "$tmp/large" --memory 256M
truncate -s 250M "$tmp/large"
refused "an initrd that does not fit beside the kernel" "initrd\|large" \
	--kernel "$image" --initrd "$tmp/large" --memory 256M
rm "$tmp/large"
refused "an initrd that is not there" "nowhere" --kernel "$image" --initrd "$tmp/nowhere"
refused "an initrd that is a folder" "boot\|$BOOT\|directory" --kernel "$image" --initrd "$BOOT"

# The limit of Linux is lower, and differs: 256 bytes on no architecture, 64 KiB on all.
long=$(printf '%70000s' '' | tr ' ' x)
refused "a command line that is too long" "command line\|append\|too long" \
	--kernel "$image" --initrd "$BOOT/initrd" --append "$long"

for memory in 64K 1M 8M; do
	refused "too little memory: $memory" "memory\|fit" \
		--kernel "$image" --initrd "$BOOT/initrd" --memory $memory
done

for length in 0 1 63 64 512 1023 4096 65536 $((size / 2)) $((size - size / 16)); do
	head -c "$length" "$image" >"$tmp/kernel"
	refused "a kernel of which only $length bytes are there" "kernel" \
		--kernel "$tmp/kernel" --initrd "$BOOT/initrd"
done
refused "a kernel that is not there" "nowhere" --kernel "$tmp/nowhere"
refused "a kernel that is an initramfs" "kernel\|kind\|format" --kernel "$BOOT/initrd"

if [ "$(uname -m)" = x86_64 ]; then
	refused "--dump-acpi into a folder that is not there" "dump-acpi.*No such file" \
		--kernel "$image" --dump-acpi /nowhere/folder
	refused "--dump-acpi to what is no folder" "dump-acpi.*Not a directory" \
		--kernel "$image" --dump-acpi "$tmp/kernel"
else
	refused "--dump-acpi" "only a Linux kernel on x86_64" --kernel "$image" --dump-acpi "$tmp/acpi"
fi

# little VALUE BYTES: as printf takes it, the lowest byte first.
little() {
	_value=$1
	_bytes=$2
	while [ "$_bytes" -gt 0 ]; do
		printf '\\%03o' $((_value % 256))
		_value=$((_value / 256))
		_bytes=$((_bytes - 1))
	done
}

# patch OFFSET BYTES: in $tmp/kernel; the bytes as printf takes them.
patch() {
	# shellcheck disable=SC2059 # it is a format
	printf "$2" | dd of="$tmp/kernel" bs=1 seek="$1" conv=notrunc 2>/dev/null
}

# header: a file that has all of the kernel's size and of its contents zeros.
header() {
	rm -f "$tmp/kernel"
	truncate -s 1M "$tmp/kernel"
}

# Of the other architectures the first bytes, with the magic numbers that a loader looks for.
header
case $(uname -m) in
x86_64 | riscv64)
	patch 56 'ARMd'
	patch 16 "$(little 1048576 8)"
	patch 24 "$(little 10 8)"
	refused "a kernel for arm64" "arm64\|aarch64\|architecture\|kernel" --kernel "$tmp/kernel"
	;;
esac
header
case $(uname -m) in
x86_64 | aarch64)
	patch 48 'RISCV\000\000\000RSC\005'
	patch 16 "$(little 1048576 8)"
	refused "a kernel for riscv64" "riscv64\|architecture\|kernel" --kernel "$tmp/kernel"
	;;
esac
header
case $(uname -m) in
aarch64 | riscv64)
	patch 497 '\047'
	patch 510 '\125\252'
	patch 514 'HdrS\017\002'
	refused "a kernel for x86_64" "x86\|architecture\|kernel" --kernel "$tmp/kernel"
	;;
esac

all_done
