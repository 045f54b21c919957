# shellcheck shell=sh disable=SC2034
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# Shared by the tests that boot Debian's kernels under axrun, in addition to the environment of
# tests/axrun-lib.sh:
#   BOOT     the folder with Debian's kernels and "initrd"; "scripts/debian -k FOLDER" makes one
# Without kernels all is skipped, and where AXVCPU_TEST_NO_BOOT gives a reason: scripts/check sets it where
# KVM interprets guest code, and a kernel would take minutes, or fail.
if [ -n "${AXVCPU_TEST_NO_BOOT-}" ]; then
	echo "1..0 # SKIP $AXVCPU_TEST_NO_BOOT"
	exit
fi
# shellcheck source=tests/axrun-lib.sh
. "${0%/*}/axrun-lib.sh"

BOOT=${BOOT:-./boot}
# Kernels use the last value of an option.
append="console=ttyS0 quiet panic=-1"

if ! [ -e "$BOOT/initrd" ]; then
	skip_all "there are no kernels in $BOOT; scripts/debian -k $BOOT puts some there"
fi
# The one that boots where any will do: the smallest there is.
if [ -e "$BOOT/debian13-cloud" ]; then
	kernel=debian13-cloud
else
	kernel=debian13
fi

background=
carriage_return=$(printf '\r')

end_of_test() {
	# Nothing that was started stays.
	for _pid in $background; do
		kill -9 "$_pid" 2>/dev/null
	done
	rm -rf "$tmp"
}
trap end_of_test EXIT

# --- boots ----------------------------------------------------------------------------------------

# Puts before each line when it came: seconds on a clock that does not jump.
stamp() {
	while IFS= read -r _line || [ -n "$_line" ]; do
		read -r _now _ </proc/uptime
		printf '%s %s\n' "$_now" "${_line%"$carriage_return"}"
	done
}

# The commands that end a hanging guest, and a hanging axrun; nothing where a case sends it signals.
within="timeout -k 5 $((LIMIT + 20))"

# guest KERNEL WORDS [OPTION]...: becomes axrun; the words are those that tests/boot/init knows. The kernel
# is one of $BOOT, or a file with its path.
guest() {
	case $1 in
	/*) _kernel=$1 ;;
	*) _kernel=$BOOT/$1 ;;
	esac
	_words=$2
	shift 2
	# shellcheck disable=SC2086 # a command of plain words
	exec $within "$AXRUN" --kernel "$_kernel" --initrd "$BOOT/initrd" \
		--append "$append axtest=$_words" ${within:+--timeout "$LIMIT"} "$@"
}

boot_once() {
	{
		(guest "$@") </dev/null 2>"$err"
		echo $? >"$out.status"
	} | stamp >"$out"
	read -r status <"$out.status"
}

# astray OPTION...: whether the guest that had these was lost by an emulated processor. QEMU's, 10.0 and 11.1,
# on a loaded machine now and then ends a run of the guest twice, and the second time stores the host's own
# registers as the guest's: those of the guest are lost. Where its page tables are then tells, for the guest
# has no memory there.
astray() {
	grep -q 'QEMU TCG' /proc/cpuinfo || return
	case $status in
	124 | 126) ;;
	*) return 1 ;;
	esac
	_mib=256
	while [ $# -gt 0 ]; do
		case $1:${2-} in
		--memory:*M) _mib=${2%M} ;;
		# As much as the host has: there it does not tell.
		--memory:*G) return 1 ;;
		esac
		shift
	done
	sed -n 's/.* cr3 *\(0x[0-9a-f]*\).*/\1/p' "$err" | (
		while read -r _tables; do
			[ $((_tables)) -lt $((_mib << 20)) ] || exit 0
		done
		exit 1
	)
}

# boot KERNEL WORDS [OPTION]...: to its end; once more if it went astray. Leaves $status, $err, and $out with
# a time before each line.
boot() {
	boot_once "$@"
	if astray "$@"; then
		echo "an emulated processor lost this guest; once more: $*"
		cat "$err"
		boot_once "$@"
	fi
}

# whole: the output of the last guest is complete up to its power-off: that of its first program and that of
# its kernel.
whole() {
	[ "$status" -eq 0 ] && tail -n 2 "$out" | head -n 1 | grep -q 'boot: end$' &&
		tail -n 1 "$out" | grep -q 'reboot: Power down$'
}

# off NAME: the last guest has turned itself off.
off() {
	if whole; then
		ok "$1"
	else
		not_ok "$1" "expected status 0, and the guest's last words"
	fi
}

# start KERNEL WORDS [OPTION]...: in the background, as $pid; its output is in $out, without times.
start() {
	: >"$out"
	(
		within=
		guest "$@"
	) </dev/null >"$out" 2>"$err" &
	pid=$!
	background="$background $pid"
}

# said TEXT [COUNT]: waits until the guest has said it, so many times.
said() {
	_tries=0
	until [ "$(grep -a -c -e "$1" "$out")" -ge "${2:-1}" ]; do
		_tries=$((_tries + 1))
		if [ $_tries -gt $((LIMIT * 5)) ] || ! kill -0 "$pid" 2>/dev/null; then
			return 1
		fi
		sleep 0.2
	done
}

# ended: the started process has ended; leaves $status.
ended() {
	_tries=0
	while kill -0 "$pid" 2>/dev/null && [ $_tries -lt $((LIMIT * 5)) ]; do
		_tries=$((_tries + 1))
		sleep 0.2
	done
	# If it is still there, its status will show that.
	kill -9 "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	status=$?
}

# --- effects of signals ---------------------------------------------------------------------------

# some: $number is one below 40, another one each time.
seed=
some() {
	if [ -z "$seed" ]; then
		seed=${AXVCPU_TEST_SEED:-$(date +%s)}
		echo "seed: $seed (AXVCPU_TEST_SEED)"
	fi
	seed=$(((seed * 1103515245 + 12345) % 2147483648))
	number=$((seed / 65536 % 40))
}

# left_behind: processes that are axrun's, threads and zombies among them.
left_behind() {
	for task in /proc/[0-9]*/task/*; do
		# "lt-axrun" in a build tree with a shared library, "axrun-guard" beside a terminal.
		case $(cat "$task/comm" 2>/dev/null) in
		axrun* | lt-axrun) echo "$task" ;;
		esac
	done
}

# alone: no axrun of another user runs, which would look like one left behind.
alone() {
	[ -z "$(left_behind)" ] && return
	skip "signals" "there are axruns of somebody else"
	return 1
}

# nothing_left NAME: at once, except a guard, which ends when it has seen that axrun has.
nothing_left() {
	_tries=0
	while grep -qsx axrun-guard /proc/[0-9]*/comm && [ $_tries -lt $((LIMIT * 10)) ]; do
		_tries=$((_tries + 1))
		sleep 0.1
	done
	left=$(left_behind)
	if [ -z "$left" ]; then
		ok "$1: nothing is left"
	else
		not_ok "$1: nothing is left" "$left"
	fi
}
