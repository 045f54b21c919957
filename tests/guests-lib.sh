# shellcheck shell=sh disable=SC2034
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# Shared by the tests that run the example guests under axrun, in addition to the environment of
# tests/axrun-lib.sh:
#   GUESTS   the folder with the guests
#   MINIMAL  the program of examples/minimal.c
# Formats are those of the tests themselves.
# shellcheck disable=SC2059
# shellcheck source=tests/axrun-lib.sh
. "${0%/*}/axrun-lib.sh"

GUESTS=${GUESTS:-./examples/guests}
MINIMAL=${MINIMAL:-./examples/minimal}

# Architecture-specific values: the host's name of the architecture is $(uname -m), the guests' $arch;
# memory begins at $ram; $irqchips are the modes of --irqchip, the default first; $pc is the program counter in a report,
# $tables where the page tables are. The programs, as printf takes them, all of which end by themselves:
# $answer writes 42 to the exit device; $wider writes 0x1ff there, with 32 bits; $unclaimed reads a byte from
# where nothing is, which a debug log calls $unclaimed_is.
case $(uname -m) in
x86_64)
	arch=x86_64
	ram=0
	irqchips="none kernel split"
	pc=rip
	tables=cr3
	# mov al, 42; out 0xf4, al; hlt
	answer='\260\052\346\364\364'
	answer_len=5
	# mov eax, 0x1ff; out 0xf4, eax; hlt
	wider='\270\377\001\000\000\347\364\364'
	wider_len=8
	# in al, 0x70; hlt
	unclaimed='\344\160\364'
	unclaimed_is='port 0x70, 1 bytes'
	little="--memory 64K --load 0x8000"
	flood=port
	;;
aarch64)
	arch=arm64
	ram=2147483648
	irqchips="kernel none"
	pc=pc
	tables=ttbr0_el1
	# mov w0, #42; mov w1, #0x10000000; orr w1, w1, #0x1000; strb w0, [x1]; b .
	answer='\100\005\200\122\001\000\242\122\041\000\024\062\040\000\000\071\000\000\000\024'
	answer_len=20
	# lsr x0, x0, #20; as above: in which MiB the device tree is, modulo 256.
	tree_mib='\000\374\124\323\001\000\242\122\041\000\024\062\040\000\000\071\000\000\000\024'
	# mov w0, #0x1ff; the address as above; str w0, [x1]; b .
	wider='\340\077\200\122\001\000\242\122\041\000\024\062\040\000\000\271\000\000\000\024'
	wider_len=20
	# mov w1, #0x70000000; ldrb w0, [x1]; the address as above; strb wzr, [x1]; b .
	unclaimed='\001\000\256\122\040\000\100\071\001\000\242\122\041\000\024\062\077\000\000\071\000\000\000\024'
	unclaimed_is='address 0x70000000, 1 bytes'
	little="--memory 16K --load 0x80000000"
	flood=mmio
	;;
riscv64)
	arch=riscv64
	ram=2147483648
	irqchips="kernel none"
	pc=pc
	tables=satp
	# li a0, 42; lui a1, 0x10001; sb a0, 0(a1); j .
	answer='\023\005\240\002\267\025\000\020\043\200\245\000\157\000\000\000'
	answer_len=16
	# srli a0, a1, 20; as above: in which MiB the device tree is, modulo 256.
	tree_mib='\023\325\105\001\267\025\000\020\043\200\245\000\157\000\000\000'
	# lui a1, 0x10001; li a0, 0x1ff; sw a0, 0(a1); j .
	wider='\267\025\000\020\023\005\360\037\043\240\245\000\157\000\000\000'
	wider_len=16
	# lui a1, 0x70000; lbu a0, 0(a1); lui a1, 0x10001; sb zero, 0(a1); j .
	unclaimed='\267\005\000\160\003\305\005\000\267\025\000\020\043\200\005\000\157\000\000\000'
	unclaimed_is='address 0x70000000, 1 bytes'
	little="--memory 16K --load 0x80000000"
	flood=mmio
	;;
*)
	skip_all "there are no programs for $(uname -m) here"
	;;
esac

eot=$(printf '\004')

# --- steps of a case -------------------------------------------------------------------------------

# says NAME PATTERN: stderr of the last run has a line like that.
says()
{
	if grep -q -e "$2" "$err"; then
		ok "$1"
	else
		not_ok "$1" "stderr lacks: $2"
	fi
}

# appears TEXT FILE: waits until it is there.
appears()
{
	_tries=0
	until grep -q -e "$1" "$2" || [ $_tries -ge $((LIMIT * 10)) ]; do
		_tries=$((_tries + 1))
		sleep 0.1
	done
}

# times_out NAME TEXT ARG...: axrun ends a guest when the time is up, and what the guest wrote before that is
# on stdout. How long a guest takes to write it depends on the host: there are second tries, with more time.
# Leaves the time as $seconds.
times_out()
{
	name=$1
	text=$2
	shift 2
	for seconds in 2.5 10.5 40.5; do
		axrun --timeout $seconds "$@"
		[ "$(cat "$out")" != "$text" ] || break
	done
	ends "$name" 124 "$text"
}

# terminal STEP... -- ARG...: axrun on a terminal; see pty_run.c, which ends a hanging command.
terminal()
{
	timeout -k 5 $((4 * LIMIT)) "$HELPERS/pty_run" within $LIMIT "$@" >"$out" 2>"$err"
	status=$?
}

# on_terminal NAME STEP... -- ARG...
on_terminal()
{
	name="terminal: $1"
	shift
	terminal "$@"
	ends "$name" 0
}

# checks NAME: the last run ended with 0, and every line of its output that is a check says ok.
checks()
{
	if [ "$status" -ne 0 ]; then
		not_ok "$1" "expected status 0"
	elif ! grep -q ': ok$' "$out" || grep -q 'FAILED' "$out"; then
		not_ok "$1" "not all of its checks say ok"
	else
		ok "$1"
	fi
}

elf()
{
	"$HELPERS/mkelf" "$1" "$tmp/$1" || exit 1
}

# A flat image from octal escapes, as printf takes them.
flat()
{
	printf "$2" >"$tmp/$1"
}

# at OFFSET: an address in memory.
at()
{
	printf '0x%x' $((ram + $1))
}

x86()
{
	[ "$arch" = x86_64 ]
}

# The guests that are one check after the other.
guests="mmio hypercall"
if x86; then
	guests="$guests pio string msr"
elif grep -q '^isa.*_zkr' /proc/cpuinfo; then
	guests="$guests csr"
elif [ "$(uname -m)" = riscv64 ]; then
	skip csr "this host has no Zkr"
fi
# A way of crashing.
crash_kind=$("$AXRUN" "$GUESTS/crash" list | head -n 1)
