#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# axrun and the example guests from outside: every guest, option, exit status and bad input.
#
# Option lists are split on purpose, and text in single quotes is expanded by the helper that gets it.
# shellcheck disable=SC2086,SC2016
# shellcheck source=tests/guests-lib.sh
. "${0%/*}/guests-lib.sh"

# --- guests ----------------------------------------------------------------------------------------

status=0
: >"$out"
: >"$err"
timeout $LIMIT "$MINIMAL" >"$out" 2>"$err"
status=$?
ends "minimal" 0 'Hi\n'

axrun "$GUESTS/hello"
ends "hello" 0 "Hello from a guest on $arch!\n"
axrun "$GUESTS/hello" --stats "two words" ''
ends "hello: options after the guest are the guest's" 0 \
	"Hello from a guest on $arch!\nArguments: --stats two words \n"

for length in 3900 3000; do
	long=$(printf '%*s' $length '' | tr ' ' x)
	if [ $length -eq 3000 ]; then
		axrun "$GUESTS/hello" "$long"
		ends "hello: long arguments" 0 \
			"Hello from a guest on $arch!\nArguments: $long\n"
	else
		refused "too long arguments" "too long" "$GUESTS/hello" "$long$long"
	fi
done

printf 'one\ntwo\000three' >"$tmp/text"
input=$tmp/text
axrun "$GUESTS/echo"
ends "echo: to the end of stdin" 0 'one\ntwo\000three'
printf 'one%stwo' "$eot" >"$tmp/text"
axrun "$GUESTS/echo"
ends "echo: to ^D" 0 'one'
# More than any buffer on the way holds.
awk 'BEGIN { for (i = 0; i < 1500; i++) print "line", i }' >"$tmp/text"
axrun "$GUESTS/echo"
status_was=$status
if [ "$status_was" -eq 0 ] && cmp -s "$tmp/text" "$out"; then
	ok "echo: 14 kB"
else
	not_ok "echo: 14 kB" "not echoed"
fi
input=
axrun "$GUESTS/echo"
ends "echo: empty stdin" 0 ''
timeout $LIMIT "$AXRUN" "$GUESTS/echo" <&- >"$out" 2>"$err"
status=$?
ends "echo: closed stdin" 0 ''
{ sleep 0.3; printf a; sleep 0.3; printf b; } |
	timeout $LIMIT "$AXRUN" "$GUESTS/echo" >"$out" 2>"$err"
status=$?
ends "echo: slow stdin" 0 'ab'

for guest in $guests; do
	axrun "$GUESTS/$guest"
	ends "$guest" 0
	if grep -q "^$guest: .*: ok$" "$out" && ! grep -v ': ok$' "$out"; then
		ok "$guest: every check"
	else
		not_ok "$guest: every check" "not ok"
	fi
done

if [ $arch = riscv64 ]; then
	axrun "$GUESTS/csr" missing
	# Seen with QEMU 10 and its firmware: a guest's illegal instruction never becomes an exception of
	# the guest, which instead goes on at an address of the host kernel's, where it has nothing.
	if [ "$status" -eq 126 ] && grep -q 'NESTED_PAGE_FAULT at 0xffffffff' "$err"; then
		skip "csr missing" "illegal instructions of guests get lost on this host"
	else
		ends "csr missing" 0 'csr: missing: ok\n'
	fi
fi

if [ $arch = riscv64 ]; then
	axrun "$GUESTS/dbcn"
	if [ "$status" -eq 3 ]; then
		skip dbcn "this KVM cannot forward the debug console"
	else
		dots=$(printf '%2999s' '' | tr ' ' .)
		ends dbcn 0 "written by the firmware\n$dots\n!\ndbcn: write: ok\ndbcn: write, refused: ok\ndbcn: read, refused: ok\ndbcn: nothing: ok\n"
		awk 'BEGIN { for (i = 0; i < 300; i++) print "line", i }' >"$tmp/text"
		input=$tmp/text
		axrun "$GUESTS/dbcn" echo
		input=
		if [ "$status" -eq 0 ] && cmp -s "$tmp/text" "$out"; then
			ok "dbcn echo"
		else
			not_ok "dbcn echo" "not echoed"
		fi
	fi
fi

# The checksum of the first n pages, as the guest defines it; 0x9e3779b97f4a7c15 in decimal.
checksum()
{
	sum=0
	page=0
	while [ $page -lt "$1" ]; do
		page=$((page + 1))
		sum=$((sum * 31 + (ram / 4096 + page) * -7046029254386353131))
	done
	printf '0x%016x' $sum
}
axrun "$GUESTS/memory"
ends "memory: default" 0 "memory: 16777216 bytes, checksum $(checksum 4096)\n"
axrun --memory 2M "$GUESTS/memory"
ends "memory: 2M" 0 "memory: 2097152 bytes, checksum $(checksum 512)\n"

for kind in '' $("$AXRUN" "$GUESTS/crash" list); do
	axrun "$GUESTS/crash" $kind
	ends "crash $kind" 126 ''
	says "crash $kind: report" '^axrun: the guest crashed: '
	if grep -q 'state lost' "$err" || { grep -q "^axrun: .*$pc  *0x" "$err" &&
		grep -q '^axrun: code at 0x[0-9a-f]*: ' "$err"; }; then
		ok "crash $kind: registers and code, or state lost"
	else
		not_ok "crash $kind: registers and code, or state lost" "neither"
	fi
done
if "$AXRUN" "$GUESTS/crash" list | grep jump >/dev/null; then
	axrun "$GUESTS/crash" jump
	says "crash: code outside of memory" 'not guest memory'
fi
if "$AXRUN" "$GUESTS/crash" list | grep emulation >/dev/null; then
	axrun "$GUESTS/crash" emulation
	says "crash: failed emulation" \
		'could not emulate the instruction at 0x[0-9a-f]*, which its .* form: 66 0f fc'
	axrun --json "$GUESTS/crash" emulation
	says "crash: JSON of a failed emulation" '"error": "EMULATION", "instruction": "660ffc'
fi
axrun "$GUESTS/crash" nonsense
ends "crash: unknown kind" 2

if x86; then
	for bad in x 4001; do
		axrun "$GUESTS/string" $bad
		ends "string $bad" 2
	done
	axrun --stats "$GUESTS/string" 4000
	checks "string 4000"
	axrun --stats "$GUESTS/msr"
	says "msr: statistics" '^axrun: *4 SYSREG_WRITE$'
fi
axrun --stats "$GUESTS/hypercall" 100
checks "hypercall 100"
says "hypercall: statistics" '^axrun: *111 HYPERCALL$'

axrun --stats "$GUESTS/flood"
ends "flood" 0 "flood: 1000 $flood writes\nflood: all seen: ok\n"
axrun --stats "$GUESTS/flood" mmio 321
ends "flood mmio 321" 0 'flood: 321 mmio writes\nflood: all seen: ok\n'
# Elsewhere the console is in memory, too.
if x86; then
	says "flood: statistics" '^axrun: *321 MMIO_WRITE$'
else
	says "flood: statistics" '^axrun: *3[2-9][0-9] MMIO_WRITE$'
fi
axrun "$GUESTS/flood" 0
ends "flood 0" 0 "flood: 0 $flood writes\nflood: all seen: ok\n"
for bad in x 1x 18446744073709551616 "$flood y"; do
	axrun "$GUESTS/flood" $bad
	ends "flood $bad" 2
done

# --- words and powers ------------------------------------------------------------------------------

for bad in x 1x; do
	for guest in smp ipi interrupt hypercall; do
		axrun "$GUESTS/$guest" $bad
		ends "$guest $bad" 2
	done
done

if ! x86; then
	axrun --json "$GUESTS/power" off
	ends "power off" 0 ''
	says "power off: result" '"result": "power-off", "status": 0'
	axrun --json "$GUESTS/power" reset
	ends "power reset" 123 ''
	says "power reset: result" '"result": "reset", "status": 123'
	axrun "$GUESTS/power" nonsense
	ends "power nonsense" 2

	refused "--dump-dtb into a folder that is not there" "dump-dtb" --dump-dtb /nowhere/file \
		"$GUESTS/hello"
	refused "--dump-dtb without a name" "empty" --dump-dtb '' "$GUESTS/hello"
	for mode in 32 16 raw; do
		refused "--mode $mode" "supports only mode 64" --mode $mode "$GUESTS/hello"
	done
else
	refused "--dump-dtb" "no device tree" --dump-dtb "$tmp/dtb" "$GUESTS/hello"
fi

refused "--dump-acpi for a guest program" "only a Linux kernel" --dump-acpi "$tmp/acpi" "$GUESTS/hello"
refused "--dump-acpi without a name" "empty" --dump-acpi '' "$GUESTS/hello"

# --- reset, and starting again --------------------------------------------------------------------

# "r" resets the machine, anything else ends it with a status of its own.
if x86; then
	# mov edx, 0x3fd; in al, dx; test al, 1; jz -5; mov edx, 0x3f8; in al, dx; cmp al, 'r'; jne 12;
	# INIT to the first CPU; hlt; out 0xf4, al; hlt
	flat typed '\272\375\003\000\000\354\250\001\164\373\272\370\003\000\000\354\074\162\165\014\277\000\003\340\376\307\007\000\105\000\000\364\346\364\364'
	typed=$tmp/typed
	typed_end=120
else
	typed="$GUESTS/power typed"
	typed_end=0
fi
printf 'rrx' >"$tmp/text"
input=$tmp/text
axrun --json $typed
ends "a reset ends the run" 123 ''
says "a reset ends the run: result" '"result": "reset", "status": 123'
axrun --reboot --json --stats $typed
ends "--reboot" $typed_end ''
says "--reboot: result" '"status": '$typed_end', "restarts": 2, '
# No typed character is lost, and every CPU changes its state.
axrun --reboot --cpus 2 $typed
ends "--reboot --cpus 2" $typed_end ''
input=
# The time is that of all starts together.
mkfifo "$tmp/resets"
exec 3<>"$tmp/resets"
printf 'rr' >&3
timeout $LIMIT "$AXRUN" --reboot --json --timeout 3 $typed <&3 >"$out" 2>"$err"
status=$?
exec 3<&-
ends "--reboot and --timeout" 124 ''
says "--reboot and --timeout: result" '"result": "timeout", "status": 124, "restarts": [0-9]'
# That the image is gone by then ends it, and is not tried again and again.
image=${typed%% *}
cp "$image" "$tmp/gone"
exec 3<>"$tmp/resets"
timeout -k 5 $LIMIT "$AXRUN" --reboot --trace "$tmp/gone" ${typed#"$image"} <&3 >"$out" 2>"$err" &
pid=$!
appears 'trace:' "$err"
rm "$tmp/gone"
printf r >&3
wait $pid
status=$?
exec 3<&-
ends "--reboot without its image" 125 ''
says "--reboot without its image: reason" '^axrun: .*gone: No such file'

axrun --stats --cpus 2 "$GUESTS/smp"
if x86; then
	says "--cpus: statistics of HALT" '^axrun: vCPU 1: [0-9]* exits, [0-9]* NOTHING, 1 HALT$'
	says "--cpus: statistics of CPU_UP" '^axrun: *2 CPU_UP$'
fi
says "--cpus: statistics" '^axrun: vCPU 1: [0-9]* exits'
axrun --json --cpus 2 "$GUESTS/smp"
says "--cpus: JSON" '"by_vcpu": {"0": {"exits": [0-9]*, "by_kind": {.*}}, "1": {.*}}}}$'
axrun --json --cpus 2 "$GUESTS/crash" "$crash_kind" 1
says "--cpus: JSON of a crash" '"crash": {"kind": ".*", "vcpu": 1, '
axrun --trace --cpus 2 "$GUESTS/smp"
says "--cpus: --trace" '^axrun: trace: [0-9.]* vCPU 0 [A-Z]*_WRITE'

if x86; then
	# The first CPU starts the second at the image's begin, where that halts or spins, and halts itself.
	hlt='\364'
	spin='\353\376'
	# mov edi, 0xfee00300
	icr='\277\000\003\340\376'
	# mov edi, 0xfee00310; mov dword [rdi], 1 << 24; and the above
	to_second='\277\020\003\340\376\307\007\000\000\000\001\277\000\003\340\376'
	# mov dword [rdi], 0x4610; mov dword [rdi], 0x4500
	startup='\307\007\020\106\000\000'
	init='\307\007\000\105\000\000'
	flat both-halt "$hlt$hlt$to_second$startup$hlt"
	axrun --cpus 2 --entry 0x10002 --json "$tmp/both-halt"
	ends "all CPUs halt" 0 ''
	says "all CPUs halt: result" '"result": "halt"'
	says "all CPUs halt: both did" '"0": {.*"HALT": 1.*"1": {.*"HALT": 1'
	flat one-halts "$spin$to_second$startup$hlt"
	axrun --cpus 2 --entry 0x10002 --timeout 0.5 "$tmp/one-halts"
	ends "one CPU halts, and another goes on" 124 ''
	axrun --cpus 1 --entry 0x10002 --json "$tmp/one-halts"
	ends "a CPU that is not there is not started" 0 ''
	flat stopped "$spin$to_second$startup$init$hlt"
	axrun --cpus 2 --entry 0x10002 --json "$tmp/stopped"
	ends "INIT stops a CPU" 0 ''
	says "INIT stops a CPU: result" '"result": "halt"'
	flat restarted "$spin$to_second$startup$init$startup$hlt"
	axrun --cpus 2 --entry 0x10002 --timeout 0.5 "$tmp/restarted"
	ends "a startup starts a CPU again" 124 ''
	flat reset "$icr$init$hlt"
	axrun --cpus 2 --json "$tmp/reset"
	ends "INIT of the first CPU is a reset" 123 ''
	says "INIT of the first CPU: result" '"result": "reset"'

	# A timer wakes who lets it. mov edx, 0x604; mov eax, 1000000; out dx, eax; (sti;) hlt
	flat deaf '\272\004\006\000\000\270\100\102\017\000\357\364'
	axrun --json "$tmp/deaf"
	ends "a timer does not wake who has interrupts off" 0 ''
	says "a timer does not wake: result" '"result": "halt"'
	flat armed '\272\004\006\000\000\270\100\102\017\000\357\373\364'
	axrun --timeout 0.5 "$tmp/armed"
	ends "who waits for a timer has not ended" 124 ''
	# sti; hlt
	flat nothing '\373\364'
	axrun --json "$tmp/nothing"
	ends "who waits for nothing has" 0 ''
	says "who waits for nothing has: result" '"result": "halt"'
fi

# --- images and modes ------------------------------------------------------------------------------

flat answer "$answer"
axrun "$tmp/answer"
ends "flat image, mode auto" 42 ''
axrun --mode 64 "$tmp/answer"
ends "flat image, mode 64" 42 ''
axrun --load "$(at 0)" --memory 64K "$tmp/answer"
ends "flat image at the begin of memory" 42 ''
axrun --memory 64K --load "$(at $((65536 - answer_len)))" "$tmp/answer"
ends "flat image at the end of memory" 42 ''
refused "flat image beyond the end of memory" "does not fit" --memory 64K \
	--load "$(at $((65536 - answer_len + 4)))" "$tmp/answer"

if ! x86; then
	# Behind the file there is no end of it: the device tree is far away from that, but not too far.
	flat tree "$tree_mib"
	axrun "$tmp/tree"
	ends "flat image: the device tree is at the end of memory" 15 ''
	axrun --memory 1G "$tmp/tree"
	ends "flat image: and in the first 512 MiB of it" 255 ''
fi

# Two programs, one behind the other.
flat two "$wider$answer"
axrun "$tmp/two"
ends "flat image: entry where it is loaded" 255 ''
axrun --entry "$(at $((65536 + wider_len)))" "$tmp/two"
ends "--entry" 42 ''
axrun --load "$(at 131072)" --entry "$(at $((131072 + wider_len)))" "$tmp/two"
ends "--load and --entry" 42 ''
flat wider "$wider"
axrun "$tmp/wider"
ends "exit device: 32 bits, modulo 256" 255 ''

for kind in good64 empty-segment other-segments high-half low-memory; do
	elf $kind
	axrun "$tmp/$kind"
	ends "ELF: $kind" 42 ''
done
axrun --memory 4G "$tmp/good64"
ends "memory of 4 GiB" 42 ''

elf good32
if x86; then
	axrun "$tmp/good32"
	ends "ELF: good32" 42 ''
	axrun --mode 32 "$tmp/good64"
	ends "ELF64 image in mode 32" 42 ''

	for mode in 32 16; do
		axrun --mode $mode "$tmp/answer"
		ends "flat image, mode $mode" 42 ''
	done
	axrun --mode 16 --load 0x1000 "$tmp/answer"
	ends "flat image in the way of the boot page" 42 ''

	# Where a reset begins, 16 bytes before the end: mov al, 44; out 0xf4, al; hlt
	flat firmware '\260\054\346\364\364\364\364\364\364\364\364\364\364\364\364\364'
	axrun --mode raw "$tmp/firmware"
	ends "firmware in mode raw" 44 ''

	# mov ax, 0x1234; out 0xf4, ax
	flat wide '\270\064\022\347\364\364'
	axrun --mode 16 "$tmp/wide"
	ends "exit device: 16 bits, modulo 256" 52 ''

	flat halt '\364'
	axrun --json "$tmp/halt"
	ends "halt" 0 ''
	says "halt: result" '"result": "halt", "status": 0'
else
	refused "ELF: good32" "another machine" "$tmp/good32"
fi

# --- options ---------------------------------------------------------------------------------------

axrun --help
ends "--help" 0
for option in list memory mode load entry cpus irqchip dump-dtb dump-acpi cpu-list drop-privileges reboot raw-keys \
	timeout stats trace json log-level help version; do
	if grep -q -e "--$option" "$out"; then
		ok "--help: --$option"
	else
		not_ok "--help: --$option" "missing"
	fi
done
axrun --version
ends "--version" 0
grep -q '^axrun [0-9.]* (libaxvcpu [0-9.]*)$' "$out" || not_ok "--version: text" "other text"

axrun --stats "$GUESTS/hello"
ends "--stats" 0
says "--stats: rate" '^axrun: [0-9]* exits in [0-9.]* s, [0-9]* exits/s$'
says "--stats: kinds" '^axrun: *[0-9]* [A-Z]*_WRITE$'

axrun --trace "$tmp/answer"
ends "--trace" 42
says "--trace: exit" '^axrun: trace: [0-9.]* [A-Z]*_WRITE .* width 1 .*data 0x2a'

axrun --log-level debug "$tmp/answer"
ends "--log-level debug" 42
flat unclaimed "$unclaimed"
axrun --log-level debug "$tmp/unclaimed"
says "--log-level debug: unclaimed access" "^axrun: debug: no device at $unclaimed_is$"
axrun --log-level info "$tmp/unclaimed"
if [ "$status" -eq 0 ] && ! [ -s "$err" ]; then
	ok "--log-level info is less"
else
	not_ok "--log-level info is less" "something on stderr"
fi

cpu=$(awk '/^Cpus_allowed_list/ { split($2, a, "[-,]"); print a[1] }' /proc/self/status)
axrun --cpu-list "$cpu" "$tmp/answer"
ends "--cpu-list $cpu" 42 ''
axrun --cpu-list "$cpu,$((cpu + 1))-$((cpu + 3))" "$tmp/answer"
ends "--cpu-list with a range" 42 ''
refused "CPUs that are not there" "cpu" --cpu-list 60000 "$tmp/answer"
axrun --cpus 3 --cpu-list "$cpu,60000" "$GUESTS/smp"
checks "--cpu-list and --cpus"

# --- guests by their names -------------------------------------------------------------------------

# here FOLDER VALUE [ARG]...: axrun in a folder, with that in AXRUN_GUESTS.
axrun_path=$(command -v "$AXRUN")
guests_path=$(cd "$GUESTS" && pwd)
here()
{
	(
		cd "$1" && shift && AXRUN_GUESTS=$1 && export AXRUN_GUESTS && shift &&
			exec timeout -k 5 "$LIMIT" "$axrun_path" "$@"
	) </dev/null >"$out" 2>"$err"
	status=$?
}
case $axrun_path in
/*) ;;
*) axrun_path=$PWD/$axrun_path ;;
esac
mkdir "$tmp/empty-folder" "$tmp/folder"
here "$tmp/empty-folder" "$guests_path" hello there
ends "a guest by its name" 0 "Hello from a guest on $arch!\nArguments: there\n"
here "$tmp/empty-folder" "$guests_path" --json hello
says "a guest by its name: JSON" '"guest": "hello", '
cp "$tmp/answer" "$tmp/folder/hello"
here "$tmp/folder" "$guests_path" hello
ends "a file that is here comes first" 42 ''
here "$tmp/empty-folder" "$guests_path" ./hello
ends "what has a slash is a path" 125 ''
here "$tmp/empty-folder" "$guests_path" --kernel hello
ends "a kernel is a path" 125 ''
here "$tmp/empty-folder" "$tmp/folder" nothing
ends "neither a file nor a guest" 125 ''
says "neither a file nor a guest: reason" "^axrun: nothing: .*no such guest in $tmp/folder; .*--list\$"
here "$tmp/empty-folder" "$guests_path" --list
ends "--list" 0
listed=0
while read -r guest _; do
	guest=${guest%:}
	listed=$((listed + 1))
	[ -x "$GUESTS/$guest" ] || not_ok "--list: $guest" "there is no such guest"
done <"$out"
there=$(find "$GUESTS"/* -prune -type f -perm -100 | wc -l)
if [ "$listed" -eq "$there" ] && [ "$(grep -c '^[a-z]*\( .*\)\{0,1\}: ..*' "$out")" -eq "$listed" ] &&
	grep -q '^hello \[ARG...\]: prints a greeting' "$out"; then
	ok "--list: a line for each guest"
else
	not_ok "--list: a line for each guest" "$listed lines for $there guests"
fi
here "$tmp/empty-folder" "$tmp/folder" --list
ends "--list without a list" 125 ''
says "--list without a list: reason" "^axrun: $tmp/folder/guests.txt: No such file"

# --- the result, in JSON ---------------------------------------------------------------------------

# The document is the last line on stderr, or a file.
axrun --json --trace "$tmp/answer"
ends "--json" 42
tail -n 1 "$err" >"$tmp/json"
axrun --json="$tmp/json2" "$tmp/answer"
ends "--json=FILE" 42
if [ -s "$err" ]; then
	not_ok "--json=FILE: nothing on stderr" "but there is"
fi
if grep -q '^{.*"result": "exit", "status": 42, "stats": {.*}}$' "$tmp/json" &&
	grep -q '^{.*"result": "exit", "status": 42, "stats": {.*}}$' "$tmp/json2"; then
	ok "--json: document"
else
	not_ok "--json: document" "$(cat "$tmp/json" "$tmp/json2")"
fi
axrun --json "$GUESTS/crash"
ends "--json: crash" 126
says "--json: crash report" '"result": "crash", "status": 126, "crash": {"kind": "[A-Z_]*"'
if [ "$(wc -l <"$err")" -ne 1 ]; then
	not_ok "--json: one line" "more"
fi
name=$(printf 'a"b\\c\nd\351e\303\251')
cp "$tmp/answer" "$tmp/$name"
axrun --json "$tmp/$name"
says "--json: escapes" 'a\\"b\\\\c\\u000ad\\ufffde\\u00e9"'
axrun --json "$tmp/none"
ends "--json: error" 125 ''
says "--json: error as JSON" '^{.*"result": "error", "status": 125, "message": ".*none'
refused "--json into a folder that is not there" "json" --json=/nowhere/file "$tmp/answer"

# --- privileges -----------------------------------------------------------------------------------

refused "--drop-privileges=" "empty" --drop-privileges= "$tmp/answer"
refused "a user that there is not" "no-such-user" --drop-privileges=no-such-user "$tmp/answer"
refused "root as the user" "root" --drop-privileges=root "$tmp/answer"
axrun --drop-privileges "$GUESTS/hello"
if [ "$status" -eq 125 ] && grep -q 'libcap-ng' "$err"; then
	skip "--drop-privileges" "$(cat "$err")"
else
	ends "--drop-privileges" 0
	for irqchip in $irqchips; do
		axrun --drop-privileges --irqchip $irqchip --cpus 2 --stats "$GUESTS/smp"
		checks "--drop-privileges --irqchip $irqchip: smp"
		axrun --drop-privileges --irqchip $irqchip "$GUESTS/interrupt"
		checks "--drop-privileges --irqchip $irqchip: interrupt"
	done
	axrun --drop-privileges --cpu-list "$cpu" --timeout $LIMIT --json="$tmp/json" "$GUESTS/crash"
	ends "--drop-privileges: crash" 126
	if ! grep -q '"registers": {"' "$tmp/json" && ! grep -q '"state_lost": true' "$tmp/json"; then
		not_ok "--drop-privileges: crash report" "no registers"
	fi
	: >"$out"
	"$AXRUN" --drop-privileges --cpus 2 --timeout $LIMIT "$GUESTS/spin" running >"$out" 2>"$err" &
	pid=$!
	appears running "$out"
	cat /proc/$pid/task/*/status >"$tmp/status-of-all"
	status=0
	if [ "$(grep -c '^NoNewPrivs:.1$' "$tmp/status-of-all")" -ge 4 ] &&
		! grep -q '^NoNewPrivs:.0$' "$tmp/status-of-all" &&
		! grep '^Cap\(Eff\|Prm\|Amb\|Inh\):' "$tmp/status-of-all" | grep -qv ':.0*$' &&
		! grep -q '^[UG]id:.*\<0\>' "$tmp/status-of-all"; then
		ok "--drop-privileges: every thread is down"
	else
		not_ok "--drop-privileges: every thread is down" "$(cat "$tmp/status-of-all")"
	fi
	kill $pid
	wait $pid 2>/dev/null
	status=$?
	ends "--drop-privileges: dies of a signal" 143 'running'
fi

# --- time ------------------------------------------------------------------------------------------

times_out "--timeout" partial "$GUESTS/spin" partial
says "--timeout: message" "did not end within $seconds s"
says "--timeout: where" "^axrun: vCPU 0 was at $pc 0x[0-9a-f]*, $tables 0x[0-9a-f]*\$"
axrun --timeout 0.000001 "$GUESTS/spin" partial
ends "--timeout 0.000001" 124
axrun --timeout $LIMIT "$tmp/answer"
ends "--timeout that is not reached" 42 ''
axrun --json --timeout 0.2 "$GUESTS/spin"
says "--timeout: JSON" '"result": "timeout", "status": 124'
says "--timeout: JSON: where" "\"vcpus\": {\"0\": {\"$pc\": \"0x[0-9a-f]*\", \"$tables\": \"0x[0-9a-f]*\"}}"
# Waiting for input that does not come.
mkfifo "$tmp/silent"
timeout $LIMIT "$AXRUN" --timeout 0.5 "$GUESTS/echo" <>"$tmp/silent" >"$out" 2>"$err"
status=$?
ends "--timeout while waiting for input" 124 ''

# Output of the guest must appear while it runs.
timeout $LIMIT "$AXRUN" "$GUESTS/spin" at once >"$out" 2>"$err" &
pid=$!
appears 'at once' "$out"
status=0
ends "output without a newline comes out" 0 'at once'

# --- signals ---------------------------------------------------------------------------------------

kill $pid
wait $pid 2>/dev/null
# A shell lets commands in the background ignore some; env does not, except that of busybox.
default="env --default-signal=INT,QUIT"
$default true 2>/dev/null || default=
for signal in 15 2 1 3 10 14; do
	if [ -z "$default" ] && { [ $signal -eq 2 ] || [ $signal -eq 3 ]; }; then
		skip "dies of signal $signal" "this env cannot undo what the shell ignores"
		continue
	fi
	: >"$out"
	$default "$AXRUN" "$GUESTS/spin" running >"$out" 2>"$err" &
	pid=$!
	appears running "$out"
	kill -$signal $pid
	wait $pid 2>/dev/null
	status=$?
	ends "dies of signal $signal" $((128 + signal)) 'running'
done
nohup_out()
{
	trap '' HUP
	exec "$AXRUN" --timeout $LIMIT "$GUESTS/spin" running
}
: >"$out"
(nohup_out) >"$out" 2>"$err" &
pid=$!
appears running "$out"
# Of two signals that are pending, the one with the lower number is taken first.
kill -HUP $pid
kill -TERM $pid
wait $pid 2>/dev/null
status=$?
ends "a signal that was ignored stays so" 143 'running'

# --- the terminal ----------------------------------------------------------------------------------

on_terminal "echo and ^D" raw send 'hello' expect hello send "$eot" exit 0 -- \
	"$AXRUN" "$GUESTS/echo"
on_terminal "Enter is a newline" raw send "$(printf 'a\rb')" expect 'a' expect 'b' send "$eot" \
	exit 0 -- "$AXRUN" "$GUESTS/echo"
on_terminal "crash" expect crashed exit 126 cooked -- "$AXRUN" "$GUESTS/crash"
for seconds in 2.5 10.5 40.5; do
	terminal expect abc exit 124 -- "$AXRUN" --timeout $seconds "$GUESTS/spin" abc
	[ "$status" -ne 0 ] || break
done
ends "terminal: timeout" 0
on_terminal "bad image" exit 125 -- "$AXRUN" /dev/null
on_terminal "^C" expect abc raw send "$(printf '\003')" killed 2 -- "$AXRUN" "$GUESTS/spin" abc
for signal in 1 2 3 6 10 11 14 15 24; do
	on_terminal "signal $signal" expect abc raw signal $signal killed $signal cooked -- \
		env ASAN_OPTIONS=handle_segv=0:handle_abort=0 TSAN_OPTIONS=handle_segv=0:handle_abort=0 \
		"$AXRUN" "$GUESTS/spin" abc
done
on_terminal "signal 9" expect abc raw signal 9 killed 9 cooked -- "$AXRUN" "$GUESTS/spin" abc
on_terminal "signal 9, when stopped" raw signal 20 stopped cooked signal 9 killed 9 cooked -- \
	"$AXRUN" "$GUESTS/echo"
on_terminal "stop and continue" raw send x expect x signal 20 stopped cooked continue raw \
	send y expect y send "$eot" exit 0 -- "$AXRUN" "$GUESTS/echo"
on_terminal "^Z" raw send "$(printf '\032')" stopped cooked continue raw send "$eot" exit 0 -- \
	"$AXRUN" "$GUESTS/echo"
on_terminal "stop, then a signal" raw signal 20 stopped cooked signal 15 continue killed 15 -- \
	"$AXRUN" "$GUESTS/echo"
on_terminal "paste" raw paste 12000 send "$eot" exit 0 -- "$AXRUN" "$GUESTS/echo"
on_terminal "paste, and an interrupt for it" raw paste 6000 send "$eot" exit 0 -- \
	"$AXRUN" --irqchip kernel "$GUESTS/echo" asleep

# All keys go to the guest, except the escape; whatever the guest does, and though stdin is full.
escape=$(printf '\001')
on_terminal "--raw-keys" all-keys send "$(printf 'a\003\032\034\rb')" \
	expect "$(printf 'a\003\032\034\rb')" send "$eot" exit 0 -- "$AXRUN" --raw-keys "$GUESTS/echo"
# The rest of the line that says how to leave.
hint=$(printf 'helps\r\n.')
on_terminal "--raw-keys: paste" all-keys expect "${hint%.}" paste 6000 send "$eot" exit 0 -- \
	"$AXRUN" --raw-keys "$GUESTS/echo"
on_terminal "Ctrl-A x" expect abc all-keys send "${escape}x" exit 122 cooked -- \
	"$AXRUN" --raw-keys "$GUESTS/spin" abc
on_terminal "Ctrl-A x, asleep" all-keys send x expect x send "${escape}x" exit 122 cooked -- \
	"$AXRUN" --raw-keys --irqchip kernel "$GUESTS/echo" asleep
on_terminal "Ctrl-A x: result" expect abc send "${escape}x" \
	expect '"result": "quit", "status": 122' exit 122 cooked -- \
	"$AXRUN" --raw-keys --json "$GUESTS/spin" abc
on_terminal "how to leave" expect 'Ctrl-A h helps' all-keys send "$eot" exit 0 cooked -- \
	"$AXRUN" --raw-keys "$GUESTS/echo"
on_terminal "Ctrl-A h" all-keys send "${escape}h" expect 'prints this text' send x expect x \
	send "$eot" exit 0 -- "$AXRUN" --raw-keys "$GUESTS/echo"
on_terminal "Ctrl-A twice" all-keys send "$escape${escape}x" expect "${escape}x" send "$eot" \
	exit 0 -- "$AXRUN" --raw-keys "$GUESTS/echo"
on_terminal "Ctrl-A is a key otherwise" raw send "${escape}x" expect "${escape}x" send "$eot" \
	exit 0 -- "$AXRUN" "$GUESTS/echo"
on_terminal "--raw-keys: stop and continue" all-keys signal 20 stopped cooked continue all-keys \
	send y expect y send "$eot" exit 0 -- "$AXRUN" --raw-keys "$GUESTS/echo"
on_terminal "--raw-keys: signal" expect abc all-keys signal 15 killed 15 cooked -- \
	"$AXRUN" --raw-keys "$GUESTS/spin" abc

# Whoever closes the window leaves nothing behind. The end of stdin may be faster than the signal.
on_terminal "hang-up" expect abc raw hangup killed 1 -- "$AXRUN" "$GUESTS/spin" abc
on_terminal "hang-up, --raw-keys" expect abc all-keys hangup killed 1 -- \
	"$AXRUN" --raw-keys --irqchip kernel --cpus 2 "$GUESTS/spin" abc
on_terminal "hang-up of one that exits" all-keys hangup killed 1 -- \
	"$AXRUN" --raw-keys "$GUESTS/flood" 1000000000
on_terminal "hang-up of one that reads" raw hangup ended -- "$AXRUN" "$GUESTS/echo"
on_terminal "hang-up of one that sleeps" raw hangup ended -- \
	"$AXRUN" --irqchip kernel "$GUESTS/echo" asleep
# To who ignores the signal it is the end of stdin.
on_terminal "hang-up, ignored" raw hangup exit 0 -- \
	sh -c 'trap "" HUP; exec "$0" "$@"' "$AXRUN" "$GUESTS/echo"
on_terminal "hang-up, ignored: asleep" raw hangup exit 0 -- \
	sh -c 'trap "" HUP; exec "$0" "$@"' "$AXRUN" --irqchip kernel "$GUESTS/echo" asleep
on_terminal "stdin is no terminal" expect Hello exit 0 cooked -- \
	sh -c '"$0" "$1" </dev/null' "$AXRUN" "$GUESTS/hello"

# --- output that goes nowhere ----------------------------------------------------------------------

# The shell's own status of a pipeline is that of the last command.
{ timeout $LIMIT "$AXRUN" "$GUESTS/flood" 20000 2>"$err"; echo $? >"$tmp/status"; } | :
status=$(cat "$tmp/status")
: >"$out"
ends "broken pipe" 125
says "broken pipe: message" '^axrun: cannot write .*Broken pipe$'
if [ -w /dev/full ]; then
	timeout $LIMIT "$AXRUN" "$GUESTS/hello" >/dev/full 2>"$err"
	status=$?
	ends "full device" 125
	says "full device: message" '^axrun: cannot write .*No space left on device$'
	timeout $LIMIT "$AXRUN" "$GUESTS/crash" list >/dev/full 2>"$err"
	status=$?
	ends "full device outranks the guest's status" 125
	timeout $LIMIT "$AXRUN" --help >/dev/full 2>"$err"
	status=$?
	ends "full device: --help" 125
	refused "JSON to a full device" "json" --json=/dev/full "$tmp/answer"
	for guest in "$tmp/answer" "$GUESTS/crash"; do
		timeout $LIMIT "$AXRUN" --json "$guest" >"$out" 2>/dev/full
		status=$?
		ends "JSON to a full stderr: ${guest##*/}" 125
	done
fi
timeout $LIMIT "$AXRUN" --json "$tmp/answer" >"$out" 2>&-
status=$?
ends "JSON to a closed stderr" 125 ''
timeout $LIMIT "$AXRUN" "$GUESTS/hello" >&- 2>"$err"
status=$?
ends "closed stdout" 125
timeout $LIMIT "$AXRUN" "$tmp/answer" >&- 2>"$err"
status=$?
ends "closed stdout, and nothing to write" 42
timeout $LIMIT "$AXRUN" "$GUESTS/crash" 2>&- >"$out"
status=$?
ends "closed stderr" 126
# A reader that does not read, and a guest that writes more than a pipe holds.
rm "$tmp/status"
awk 'BEGIN { for (i = 0; i < 12000; i++) print "0123456" }' >"$tmp/text"
{
	timeout -k 5 $LIMIT "$AXRUN" --timeout 5 "$GUESTS/echo" <"$tmp/text" 2>"$err"
	echo $? >"$tmp/status"
} | { until [ -s "$tmp/status" ]; do sleep 0.2; done; }
status=$(cat "$tmp/status")
ends "--timeout while nobody reads" 124

# --- bad input -------------------------------------------------------------------------------------

refused "no guest" "no guest"
refused "unknown option" "no such option" --nonsense "$tmp/answer"
refused "unknown short option" "no such option" -x "$tmp/answer"
refused "option without its argument" "needs an argument" --memory
refused "option with an argument too many" "--stats=1" --stats=1 "$tmp/answer"
refused "option that is two" "^axrun: --cpu: ambiguous: --cpu-list or --cpus;" --cpu 1 "$tmp/answer"
refused "option that is two, with =" "^axrun: --cpu=1: ambiguous: --cpu-list or --cpus;" --cpu=1 "$tmp/answer"
refused "option that is mistyped" "^axrun: --memroy=1M: no such option; is it --memory?" --memroy=1M \
	"$tmp/answer"
refused "option that is none" "^axrun: --nonsense: no such option; see" --nonsense "$tmp/answer"
long=$(printf '%5000s' '' | tr ' ' x)
refused "long option" "no such option" "--$long" "$tmp/answer"
for size in 1GiB 0.5G 16.5M 32Mi 0x1000K; do
	axrun --memory $size "$tmp/answer"
	ends "--memory $size" 42 ''
done
for size in '' 0 -1 x 16X 1MB 1.5 1.M 0.000001K 5000 ' 1M' '1 ' 99999999999999999999 18446744073709551615 \
	17592186044416M; do
	refused "--memory '$size'" "memory" --memory "$size" "$tmp/answer"
done
refused "more memory than there are addresses" "exceed the physical address space" --memory 16777215T "$tmp/answer"
for mode in '' 65 real; do
	refused "--mode '$mode'" "expected" --mode "$mode" "$tmp/answer"
done
for gpa in '' x -1 0x 0xg 0x10000000000000000 1M; do
	refused "--load '$gpa'" "expected" --load "$gpa" "$tmp/answer"
	refused "--entry '$gpa'" "expected" --entry "$gpa" "$tmp/answer"
done
refused "--load that wraps around" "wrap" --load 0xfffffffffffffffe "$tmp/answer"
refused "--load of an ELF image" "flat" --load 0x1000 "$tmp/good64"
refused "--entry outside of memory" "entry" --entry "$(at 16777216)" "$tmp/answer"
if x86; then
	refused "entry beyond real mode" "1 MiB" --mode 16 --load 0x200000 "$tmp/answer"
fi
for seconds in '' 0 0.0 -1 1e3 inf nan 1. .5 0x1 1s 99999999999999999999; do
	refused "--timeout '$seconds'" "expected" --timeout "$seconds" "$tmp/answer"
done
for list in '' ',' '1,' ',1' 1- -1 3-1 a 0x1 1-2-3 99999999999 65536; do
	refused "--cpu-list '$list'" "expected" --cpu-list "$list" "$tmp/answer"
done
for cpus in '' 0 65 -1 x 1x 4294967297; do
	refused "--cpus '$cpus'" "expected" --cpus "$cpus" "$tmp/answer"
done
for irqchip in '' on 1; do
	refused "--irqchip '$irqchip'" "expected" --irqchip "$irqchip" "$tmp/answer"
done
refused "--log-level" "expected" --log-level loud "$tmp/answer"
refused "--json=" "empty" --json= "$tmp/answer"

refused "missing image" "No such file" "$tmp/none"
for option in --initrd=$tmp/answer --append=x; do
	refused "missing image, ${option%%=*}" "none: No such file" "$option" "$tmp/none"
	refused "missing kernel, ${option%%=*}" "none: No such file" "$option" --kernel "$tmp/none"
	refused "no kernel, ${option%%=*}" "not a Linux kernel, which" "$option" "$tmp/answer"
done
name=$(printf '%1000s' '' | sed 's: :./:g')none
refused "missing image with a long name" "^axrun: \./.*\.\.\..*none: No such file or directory$" "$name"
refused "missing image with a name that is too long" "x: File name too long$" "$long"
refused "missing image with a long name, by name" "File name too long$" --kernel "$long$long$long"
refused "image that is shorter than it says" "became shorter" /sys/kernel/uevent_seqnum
printf 'neither machine code nor a kernel' | gzip >"$tmp/packed.gz"
refused "compressed nonsense" "not a Linux kernel" "$tmp/packed.gz"
printf '\002\041\114\030' >"$tmp/foreign"
refused "lz4" "lz4 is neither a guest" "$tmp/foreign"
refused "lz4 for a kernel" "lz4 is neither a guest" --kernel "$tmp/foreign"
refused "empty file name" "empty" ''
: >"$tmp/empty"
refused "empty image" "empty" "$tmp/empty"
refused "folder" "directory" "$tmp"
mkfifo "$tmp/fifo"
refused "pipe" "pipe" "$tmp/fifo"
refused "device" "device" /dev/zero
truncate -s 2G "$tmp/large"
refused "oversized image" "too large" "$tmp/large"
truncate -s 20M "$tmp/large"
refused "image larger than memory" "does not fit: .* end 4160 KiB beyond guest memory" "$tmp/large"
truncate -s 300K "$tmp/large"
if x86; then
	refused "oversized firmware" "too large" --mode raw "$tmp/large"
fi
refused "too little memory" "not enough low memory" $little "$tmp/answer"
for kind in cut-ident cut-header cut-phdrs cut-segment; do
	elf $kind
	refused "ELF: $kind" "truncated" "$tmp/$kind"
done
elf all-memory
refused "ELF: all-memory" "not enough low memory" "$tmp/all-memory"
# How the address lies to memory differs, and so do the words.
outside='not guest memory'
if x86; then
	outside='beyond guest memory'
fi
while read -r kind pattern; do
	elf "$kind"
	refused "ELF: $kind" "$pattern" "$tmp/$kind"
done <<END
bad-class	class
big-endian	little-endian
bad-version	version
bad-machine	another machine
mixed-machine	another machine
dynamic-type	position-independent
relocatable	object file
core	core dump
bad-type	type
interpreter	dynamically linked
dynamic	dynamically linked
no-phdrs	no program headers
many-phdrs	beyond the end
bad-phentsize	program headers of
far-phdrs	beyond the end
no-load	no loadable segment
far-segment	beyond the end
more-in-file	more bytes in the file
wrapping	wraps around
overlapping	overlaps
outside	$outside
too-large	beyond guest memory
entry-outside	entry
END

if [ "$(id -u)" -eq 0 ] && command -v setpriv unshare >/dev/null; then
	cp "$tmp/answer" "$tmp/unreadable"
	chmod 0 "$tmp/unreadable"
	chmod 755 "$tmp"
	nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
	if $nobody "$AXRUN" --version >/dev/null 2>&1; then
		real=$AXRUN
		cat >"$tmp/as-nobody" <<END
#!/bin/sh
exec $nobody "$real" "\$@"
END
		chmod 755 "$tmp/as-nobody"
		AXRUN=$tmp/as-nobody
		refused "unreadable image" "Permission denied" "$tmp/unreadable"
		if ! $nobody sh -c '[ -r /dev/kvm ] && [ -w /dev/kvm ]'; then
			refused "no permission for /dev/kvm" "permission" "$tmp/answer"
		fi
		AXRUN=$real
	fi
	if unshare -m true 2>/dev/null; then
		real=$AXRUN
		cat >"$tmp/without-kvm" <<END
#!/bin/sh
exec unshare -m sh -c 'mount --bind "\$0" /dev/kvm && exec "\$@"' \
	"\$FAKE_KVM" "$real" "\$@"
END
		chmod 755 "$tmp/without-kvm"
		AXRUN=$tmp/without-kvm
		FAKE_KVM=/dev/null
		export FAKE_KVM
		refused "/dev/kvm is not KVM" "not KVM" "$tmp/answer"
		# Nothing but that in /dev, which closed files must not need.
		: >"$tmp/kvm"
		cat >"$tmp/only-kvm" <<END
#!/bin/sh
exec unshare -m sh -c 'mount --bind /dev/kvm "$tmp/kvm" && mount -t tmpfs none /dev &&
	: >/dev/kvm && mount --bind "$tmp/kvm" /dev/kvm && exec "\$@" <&- 2>&-' sh "$real" "\$@"
END
		chmod 755 "$tmp/only-kvm"
		AXRUN=$tmp/only-kvm
		axrun "$GUESTS/hello"
		ends "only kvm in /dev" 0 "Hello from a guest on $arch!\n"
		AXRUN=$real
	fi
fi

all_done
