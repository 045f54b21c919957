# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# The library. backends/local.mk adds the sources of the backends.

axvcpuincludedir = $(includedir)/axvcpu
axvcpuinclude_HEADERS = \
	include/axvcpu/arch.h \
	include/axvcpu/arm64.h \
	include/axvcpu/axvcpu.h \
	include/axvcpu/checkpoint.h \
	include/axvcpu/crate.h \
	include/axvcpu/deadline.h \
	include/axvcpu/debug.h \
	include/axvcpu/device.h \
	include/axvcpu/dirty.h \
	include/axvcpu/error.h \
	include/axvcpu/exit.h \
	include/axvcpu/hal.h \
	include/axvcpu/init.h \
	include/axvcpu/interrupt.h \
	include/axvcpu/life.h \
	include/axvcpu/memory.h \
	include/axvcpu/percpu.h \
	include/axvcpu/power.h \
	include/axvcpu/privileges.h \
	include/axvcpu/regs.h \
	include/axvcpu/request.h \
	include/axvcpu/riscv64.h \
	include/axvcpu/runner.h \
	include/axvcpu/vcpu.h \
	include/axvcpu/vcpu_state.h \
	include/axvcpu/vm.h \
	include/axvcpu/vm_state.h \
	include/axvcpu/x86_64.h

# All objects except the fast path.
noinst_LTLIBRARIES = libaxvcpu-base.la
libaxvcpu_base_la_SOURCES = \
	lib/base/cancel.h \
	lib/base/compiler.h \
	lib/base/crc32c.c lib/base/crc32c.h \
	lib/base/signals.h \
	lib/base/sized.c lib/base/sized.h \
	lib/base/wait.c lib/base/wait.h \
	lib/host/affinity.c lib/host/affinity.h \
	lib/host/hal.c lib/host/hal.h \
	lib/host/percpu.c \
	lib/host/privileges.c \
	lib/host/thread_status.c \
	lib/host/thread_status.h \
	lib/host/sys.c lib/host/sys.h \
	lib/host/transfer.c lib/host/transfer.h \
	lib/machine/checkpoint.c lib/machine/checkpoint.h \
	lib/machine/checkpoint_clone.c \
	lib/machine/checkpoint_describe.c \
	lib/machine/checkpoint_devices.c \
	lib/machine/checkpoint_file.h \
	lib/machine/checkpoint_read.c \
	lib/machine/checkpoint_restore.c \
	lib/machine/checkpoint_shape.c \
	lib/machine/checkpoint_write.c \
	lib/machine/clock.c \
	lib/machine/describe.c \
	lib/machine/coalesced.c \
	lib/machine/device.c \
	lib/machine/device_slots.c \
	lib/machine/device_state.c \
	lib/machine/device_table.c \
	lib/machine/devices.h \
	lib/machine/dispatch.c \
	lib/machine/irq.c \
	lib/machine/irq_end.c lib/machine/irq_end.h \
	lib/machine/life.c lib/machine/life.h \
	lib/machine/object.c lib/machine/object.h \
	lib/machine/process.c lib/machine/process.h \
	lib/machine/reset.c \
	lib/machine/routes.c lib/machine/routes.h \
	lib/machine/runner.c \
	lib/machine/vcpus.c lib/machine/vcpus.h \
	lib/machine/vm.c \
	lib/machine/vm_state.c \
	lib/memory/access.c \
	lib/memory/address.c \
	lib/memory/clear.c \
	lib/memory/dirty.c lib/memory/dirty.h \
	lib/memory/frames.c lib/memory/frames.h \
	lib/memory/image.c lib/memory/image.h \
	lib/memory/image_file.c \
	lib/memory/memory.c lib/memory/memory.h \
	lib/memory/readonly.c \
	lib/memory/srcu.c lib/memory/srcu.h \
	lib/memory/table.c \
	lib/text/describe.c \
	lib/text/error.c lib/text/error.h \
	lib/text/names.c \
	lib/text/text.c lib/text/text.h \
	lib/vcpu/block.c \
	lib/vcpu/complete.c \
	lib/vcpu/crate.c \
	lib/vcpu/debug.c \
	lib/vcpu/kick.c lib/vcpu/kick.h \
	lib/vcpu/power.c lib/vcpu/power.h \
	lib/vcpu/regs.c \
	lib/vcpu/request.c lib/vcpu/request.h \
	lib/vcpu/run.c lib/vcpu/run.h \
	lib/vcpu/run_until.c \
	lib/vcpu/state.c \
	lib/vcpu/thread.c lib/vcpu/thread.h \
	lib/vcpu/timer.c lib/vcpu/timer.h \
	lib/vcpu/saved.c lib/vcpu/saved.h \
	lib/vcpu/vcpu.c lib/vcpu/vcpu.h \
	lib/vcpu/vcpu_state.c
LIB_INCLUDES = -I$(top_srcdir) -I$(top_srcdir)/backends/$(AXVCPU_ARCH) -I$(top_srcdir)/backends/kvm
LIB_CPPFLAGS = $(AM_CPPFLAGS) $(LIB_INCLUDES)
# Initial-exec: each run uses the thread-local storage, which is a few hundred bytes.
LIB_CFLAGS = $(AM_CFLAGS) $(CAP_NG_CFLAGS) -ftls-model=initial-exec
LIB_LIBS = $(CAP_NG_LIBS) -lpthread
libaxvcpu_base_la_CPPFLAGS = $(LIB_CPPFLAGS)
libaxvcpu_base_la_CFLAGS = $(LIB_CFLAGS)
libaxvcpu_base_la_LIBADD = $(LIB_LIBS)

# The fast path is compiled twice: with KVM_RUN inlined for the installed library, and with every
# system call behind a function for the tests, which replace these functions when they are linked.
FAST_PATH = backends/kvm/fast_run.c

lib_LTLIBRARIES = libaxvcpu.la
libaxvcpu_la_SOURCES = $(FAST_PATH)
libaxvcpu_la_CPPFLAGS = $(LIB_CPPFLAGS) -DAXVCPU_SYS_INLINE
libaxvcpu_la_CFLAGS = $(LIB_CFLAGS)
libaxvcpu_la_LIBADD = libaxvcpu-base.la
# nodelete: a late kick signal may run the handler after the last dlclose().
libaxvcpu_la_LDFLAGS = $(AM_LDFLAGS) -version-info $(AXVCPU_LT_VERSION) -no-undefined \
	-Wl,--version-script=$(top_srcdir)/lib/libaxvcpu.map -Wl,-z,nodelete -Wl,-z,defs
libaxvcpu_la_DEPENDENCIES = libaxvcpu-base.la lib/libaxvcpu.map lib/link-library
# link-library runs libtool, and then makes the static library one object without internal names.
libaxvcpu_la_LINK = CC='$(CC)' CFLAGS='$(CFLAGS)' LDFLAGS='$(LDFLAGS)' OBJCOPY='$(OBJCOPY)' \
	NM='$(NM)' AR='$(AR)' RANLIB='$(RANLIB)' $(top_srcdir)/lib/link-library $@ \
	$(LIBTOOL) $(AM_V_lt) --tag=CC $(AM_LIBTOOLFLAGS) $(LIBTOOLFLAGS) --mode=link \
	$(CCLD) $(libaxvcpu_la_CFLAGS) $(CFLAGS) $(libaxvcpu_la_LDFLAGS) $(LDFLAGS) -o $@
EXTRA_DIST += lib/libaxvcpu.map lib/link-library lib/fortify.h

# For the tests: all internal names are global in it.
check_LTLIBRARIES = libaxvcpu-core.la
libaxvcpu_core_la_SOURCES = $(FAST_PATH)
libaxvcpu_core_la_CPPFLAGS = $(LIB_CPPFLAGS)
libaxvcpu_core_la_CFLAGS = $(LIB_CFLAGS)
libaxvcpu_core_la_LIBADD = libaxvcpu-base.la

pkgconfig_DATA = lib/axvcpu.pc

# Programs find the library at once. With a DESTDIR this is left to the package's installation.
install-exec-hook:
	@if test -z "$(DESTDIR)" && test "`id -u`" = 0; then \
		PATH="$$PATH:/usr/sbin:/sbin"; \
		! command -v ldconfig >/dev/null || ldconfig || \
			echo "warning: ldconfig failed: programs may not find the library" >&2; \
	fi
