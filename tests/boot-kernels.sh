#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# Debian's kernels boot under axrun, with one CPU and several, and find the machine as it should be:
# see tests/boot/init for the checks. With arguments, those of "looks", it is that boot alone.
# shellcheck source=tests/boot-lib.sh
. "${0%/*}/boot-lib.sh"

# clock_runs: the guest's clock is as fast as the host's; else $why has the reason. The times are those of five
# lines of the guest's, and of another five two seconds later. A line may come late, but not early: of each
# five the one counts that was the least late.
clock_runs() {
	why=$(awk '
		/boot: the clock says [0-9.]+$/ { late[++n] = $1 - $NF }
		function least(from, i, min) {
			min = late[from]
			for (i = from + 1; i < from + 5; i++)
				if (late[i] < min)
					min = late[i]
			return min
		}
		END {
			if (n != 10) {
				print "the clock was read " 0 + n " times, not ten times"
				exit
			}
			gained = least(1) - least(6)
			if (gained > 0.4 || gained < -0.4)
				print "it has gained " gained " s on the host"
		}' "$out")
	[ -z "$why" ]
}

# looks KERNEL CPUS MIB [OPTION]...: a boot with so many CPUs and so much memory, and all that it
# finds.
looks() {
	booted=$1
	words="checks,cpus=$2,memory=$3"
	numbers="--cpus $2 --memory $3M"
	shift 3
	name="${booted##*/}, $numbers${*:+ $*}"
	# shellcheck disable=SC2086 # plain words
	boot "$booted" "$words" $numbers "$@"
	off "$name: boots and turns itself off"
	for check in cpus topology memory timer clocksource clock uart messages; do
		if grep -q "boot: $check: ok\$" "$out"; then
			ok "$name: $check"
		else
			not_ok "$name: $check" "$(grep "boot: $check:" "$out" || echo "no word of it")"
		fi
	done
	# On a busy host all five may be late; a clock that is wrong is so again.
	if ! clock_runs; then
		echo "$name: $why; once more"
		# shellcheck disable=SC2086
		boot "$booted" "$words" $numbers "$@"
		clock_runs
	fi
	if [ -z "$why" ]; then
		ok "$name: the clock is as fast as the host's"
	else
		not_ok "$name: the clock is as fast as the host's" "$why"
	fi
}

if [ $# -gt 0 ]; then
	looks "$@"
	all_done
fi

hugepages=/proc/sys/vm/nr_hugepages

# meminfo NAME: that number of the host's.
meminfo() {
	awk -v name="$1:" '$1 == name { print $2 }' /proc/meminfo
}

# pool MIB: makes that much of the host's pool of huge pages free; $pool is the size to restore.
pool=
pool() {
	size=$(meminfo Hugepagesize)
	free=$(meminfo HugePages_Free)
	missing=$(($1 * 1024 / ${size:-1024} - ${free:-0}))
	[ $missing -gt 0 ] || return 0
	read -r pool <"$hugepages"
	{ echo $((pool + missing)) >"$hugepages"; } 2>/dev/null &&
		[ "$(meminfo HugePages_Free)" -ge $((free + missing)) ]
}

# Each kernel once, and each number of CPUs. CPU 0 is there on every host; several on one would wait for
# each other most of the time.
if pool 256; then
	looks $kernel 1 256 --cpu-list 0 --huge-pages
else
	skip "--huge-pages" "the host has no room for a pool of 256 MiB, or this is not root"
	looks $kernel 1 256 --cpu-list 0
fi
[ -z "$pool" ] || { echo "$pool" >"$hugepages"; } 2>/dev/null
case $kernel in
debian13-cloud)
	looks debian13 2 256
	looks debian13-cloud 4 512
	looks debian12 2 256
	;;
*)
	looks $kernel 2 256
	looks $kernel 4 512
	;;
esac
if [ -n "${AXVCPU_TEST_LONG-}" ]; then
	for image in "$BOOT"/debian*; do
		looks "${image##*/}" 8 512
	done
fi
# On x86_64 that is memory on both sides of the hole below 4 GiB.
if [ -n "${AXVCPU_TEST_LONG-}" ] || [ "$(uname -m)" = x86_64 ]; then
	looks $kernel 2 5120
fi

if [ -e "$BOOT/$kernel.gz" ]; then
	boot "$kernel.gz" then=poweroff
	ends "a compressed kernel" 0
fi

# loader NAME TYPE: the boot loader that the kernel detected, which shows the entry it was started by.
loader() {
	if grep -q "boot: loader: $2\$" "$out"; then
		ok "$1"
	else
		not_ok "$1" "$(grep "boot: loader:" "$out" || echo "no word of it")"
	fi
}

# An ELF kernel by both of its entries: by that for PVH, where Linux itself sets the type of loader; and
# by the one of the ELF header, if there are no notes, with the type that axrun's zero page has.
elf_kernel() {
	if ! [ -e "$BOOT/$1" ]; then
		skip "an ELF kernel" "there is no $BOOT/$1"
		return
	fi
	looks "$1" 2 256
	loader "$name: it was started by PVH" 176
	# Words from the first program header on, 14 each; a type of 4 is that of notes.
	_at=$(od -An -v -tu4 -j 64 -N 1120 "$BOOT/$1" | awk '{
		for (i = 1; i <= NF; i++)
			if (n++ % 14 == 0 && $i == 4) {
				print 60 + 4 * n
				exit
			}
	}')
	if [ -z "$_at" ]; then
		not_ok "$1 without notes" "it has none"
		return
	fi
	cp "$BOOT/$1" "$tmp/$1-without-notes"
	printf '\000' | dd of="$tmp/$1-without-notes" bs=1 seek="$_at" conv=notrunc 2>/dev/null
	looks "$tmp/$1-without-notes" 1 256
	loader "$name: it was started with a zero page" 255
	rm "$tmp/$1-without-notes"
}

# bytes FILE [COUNT]: their sum.
bytes() {
	od -An -v -tu1 ${2:+-N "$2"} "$1" |
		awk '{ for (i = 1; i <= NF; i++) sum += $i } END { print sum + 0 }'
}

# acpi_table FILE SIGNATURE OFFSET: a table that has its signature, its length there, and a good checksum.
acpi_table() {
	_file=$tmp/acpi/$1
	if ! [ -s "$_file" ]; then
		not_ok "--dump-acpi: $1" "it is not there"
	elif [ "$(head -c ${#2} "$_file")" != "$2" ]; then
		not_ok "--dump-acpi: $1" "it does not begin with '$2'"
	elif [ "$(od -An -tu4 -j "$3" -N 4 "$_file" | tr -d ' ')" != "$(wc -c <"$_file")" ]; then
		not_ok "--dump-acpi: $1" "its length is another"
	elif [ $(($(bytes "$_file") % 256)) -ne 0 ]; then
		not_ok "--dump-acpi: $1" "its bytes add up to $(bytes "$_file")"
	else
		ok "--dump-acpi: $1"
	fi
}

acpi_tables() {
	# They are there before the kernel runs; it has nothing to boot to.
	axrun --kernel "$BOOT/$kernel" --cpus 2 --dump-acpi "$tmp/acpi" --timeout 1
	ends "--dump-acpi: the kernel runs" 124
	acpi_table rsdp.dat "RSD PTR " 20
	acpi_table xsdt.dat XSDT 4
	acpi_table facp.dat FACP 4
	acpi_table apic.dat APIC 4
	acpi_table dsdt.dat DSDT 4
	# The first version of the root pointer ended after 20 bytes, and has a checksum of its own.
	if [ $(($(bytes "$tmp/acpi/rsdp.dat" 20) % 256)) -eq 0 ]; then
		ok "--dump-acpi: the first checksum of rsdp.dat"
	else
		not_ok "--dump-acpi: the first checksum of rsdp.dat" "it is wrong"
	fi
}

if [ "$(uname -m)" = x86_64 ]; then
	elf_kernel $kernel.vmlinux
	acpi_tables
fi

# The checks do find something: two CPUs, said to be three, half of the memory, and a message.
boot $kernel checks,fault,cpus=3,memory=512 --cpus 2 --memory 256M
for check in cpus topology memory messages; do
	if grep -q "boot: $check: FAILED" "$out"; then
		ok "what is not as it should be is found: $check"
	else
		not_ok "what is not as it should be is found: $check" "it is not"
	fi
done

all_done
