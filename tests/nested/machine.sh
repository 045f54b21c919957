# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# The nested machine: its emulator fetched; started, watched, and always ended. The one who sources
# it has read the architecture's .conf, store.sh and debian.sh, and set $machine, its name, $run, the
# folder with what it boots and says, the limits $silence and $total in seconds, and $deadline, the time
# when the latter is up; and defines pump(), which is called whenever the machine has said something,
# and once after that.
: "${top:?} ${arch:?} ${machine:?} ${run:?} ${cache:?} ${silence:?} ${total:?} ${debian_suite:?}"
: "${qemu:?} ${qemu_package:?} ${qemu_machine:?} ${qemu_serial:?} ${kernel_options:?}"

# --- the emulator ---------------------------------------------------------------------------------

# QEMU comes from the Debian release that the kernel comes from, with its libraries, and is not
# installed. So it is the same on every machine, and no old one: QEMU 7.2 runs stale code now and
# then when one CPU patches what another runs, as a kernel does whenever KVM's first VM starts or
# its last ends, and that ends in a panic.
emulator=$cache/emulator
# All of them, for most of what they consist of is the same.
emulator_packages="qemu-system-x86 qemu-system-arm qemu-system-riscv"

fetch_emulator() {
	# shellcheck disable=SC2086 # a list
	debian_update "$(dpkg --print-architecture)" "$debian_suite" &&
		debian_fetch_all "$emulator" $emulator_packages
}

prepare_emulator() {
	[ -z "${AXVCPU_QEMU-}" ] || return 0
	stored "$emulator" "QEMU" fetch_emulator
	echo "nested $arch: $(sed -n "s/^${qemu_package}_\(.*\)_.*/QEMU \1/p" "$emulator/packages" | sed 's/%3a/:/')"
}

# emulate OPTION...: becomes QEMU: the fetched one with its own loader and libraries, or the one that
# the environment asks for.
emulate() {
	if [ -n "${AXVCPU_QEMU-}" ]; then
		machine_tied "$AXVCPU_QEMU" "$@"
	fi
	_loader=$(readelf -l "$emulator/usr/bin/$qemu" | sed -n 's/.*program interpreter: \(.*\)]/\1/p')
	_libraries=$(dirname "$(find "$emulator/usr/lib" -name 'libglib-2.0.so.0')")
	QEMU_MODULE_DIR=$_libraries/qemu
	export QEMU_MODULE_DIR
	machine_tied "$emulator/usr$_loader" --inhibit-cache --library-path "$_libraries" \
		"$emulator/usr/bin/$qemu" -L "$emulator/usr/share/qemu" \
		-L "$emulator/usr/share/seabios" "$@"
}

# --- the machine ----------------------------------------------------------------------------------

machine_pid=

# The kernel's console, and QEMU's own messages.
machine_tail() {
	printf -- '--- the end of %s\n' "${run#"$top"/}/console.log" >&2
	tail -n 40 "$run/console.log" | tr -d '\r' >&2
	if [ -s "$run/qemu.log" ]; then
		printf -- '--- QEMU said\n' >&2
		tail -n 10 "$run/qemu.log" >&2
	fi
	printf -- '---\n' >&2
}

# Ends QEMU if it still runs.
machine_kill() {
	[ -n "$machine_pid" ] || return 0
	kill "$machine_pid" 2>/dev/null || :
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		kill -0 "$machine_pid" 2>/dev/null || break
		sleep 0.2
	done
	kill -9 "$machine_pid" 2>/dev/null || :
	wait "$machine_pid" 2>/dev/null || :
	machine_pid=
}

# So that QEMU ends even if this shell is killed.
machine_tied() {
	if setpriv --pdeathsig KILL true 2>/dev/null; then
		exec setpriv --pdeathsig KILL "$@"
	fi
	exec "$@"
}

# machine_port NAME: QEMU's options for one of init's ports: what comes out is in that file.
machine_port() {
	echo "-chardev file,id=$1,path=$1 -device virtserialport,chardev=$1,name=$1"
}

# In $run, where there are kernel and initramfs. Relative names: nothing to quote.
machine_start() {
	rm -f "$run/status" "$run/log" "$run/out" "$run/err"
	touch "$run/status" "$run/log" "$run/out" "$run/err"
	: >"$run/console.log"
	# shellcheck disable=SC2046,SC2086 # lists of options
	(
		cd "$run" || exit
		emulate $qemu_machine -accel tcg,thread=multi -smp 2 -m 2048 -nic none \
			-no-reboot -nodefaults -no-user-config -display none -monitor none \
			-serial file:console.log \
			-device "$qemu_serial" $(machine_port status) $(machine_port log) \
			$(machine_port out) $(machine_port err) \
			-kernel kernel -initrd initrd \
			-append "$kernel_options panic=-1 oops=panic" ${AXVCPU_QEMU_OPTIONS-} \
			</dev/null >qemu.log 2>&1
	) &
	machine_pid=$!
}

# Anything that the machine says makes this change.
machine_voice() {
	wc -c "$run/console.log" "$run/status" "$run/log" "$run/out" \
		"$run/err"
}

# Boots and watches. Returns 0 if the machine turned itself off, and else says why not.
machine_run() {
	machine_start
	_heard=$(date +%s)
	_voice=
	while kill -0 "$machine_pid" 2>/dev/null; do
		_now=$(date +%s)
		_was=$_voice
		_voice=$(machine_voice)
		if [ "$_voice" != "$_was" ]; then
			_heard=$_now
			pump
		fi
		if [ $((_now - _heard)) -ge "$silence" ]; then
			echo "nested $machine: it hangs: not a word for $silence s" >&2
			machine_kill
			pump
			return 1
		fi
		# shellcheck disable=SC2154 # the caller's
		if [ "$_now" -ge "$deadline" ]; then
			echo "nested $machine: not done after $total s" >&2
			machine_kill
			pump
			return 1
		fi
		sleep 0.5
	done
	_qemu=0
	wait "$machine_pid" || _qemu=$?
	machine_pid=
	pump
	if grep -qa 'Kernel panic' "$run/console.log"; then
		echo "nested $machine: its kernel panicked" >&2
		return 1
	fi
	if [ "$_qemu" -ne 0 ]; then
		echo "nested $machine: QEMU ended with status $_qemu" >&2
		return 1
	fi
}
