# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# The guests run on the virtual CPU, not on this system. So they have rules of their own, without
# libtool, and without CFLAGS and LDFLAGS, which may ask for a sanitizer or a profiler.

GUEST_RUNTIME = examples/guests/runtime
GUEST_ARCH = $(GUEST_RUNTIME)/$(AXVCPU_ARCH)
GUEST_COMPILE = $(CC) -std=gnu11 -O2 -ffreestanding -fno-pic -fno-pie -fno-stack-protector \
	-fno-asynchronous-unwind-tables $(GUEST_ARCH_CFLAGS) $(GUEST_COVERAGE) \
	$(WARN_CPPFLAGS) $(WARN_CFLAGS) \
	-I$(top_srcdir)/$(GUEST_ARCH) -I$(top_srcdir)/examples/guests
GUEST_LINK = $(CC) -nostdlib -static -Wl,--build-id=none -Wl,-z,noexecstack \
	-Wl,-z,max-page-size=4096 -Wl,-T,$(top_srcdir)/$(GUEST_ARCH)/guest.lds

COMMON_GUESTS = \
	examples/guests/checkpoint \
	examples/guests/crash \
	examples/guests/echo \
	examples/guests/flood \
	examples/guests/hello \
	examples/guests/hypercall \
	examples/guests/interrupt \
	examples/guests/ipi \
	examples/guests/memory \
	examples/guests/mmio \
	examples/guests/parse \
	examples/guests/smp \
	examples/guests/spin
X86_64_GUESTS = \
	examples/guests/msr \
	examples/guests/pio \
	examples/guests/string
DEVICETREE_GUESTS = \
	examples/guests/power
RISCV64_GUESTS = \
	examples/guests/csr \
	examples/guests/dbcn
# Those with inputs of a fuzzer (runtime/fuzz.h).
FUZZED_GUESTS = \
	examples/guests/parse

guest_objects = \
	$(GUEST_RUNTIME)/args.gobj \
	$(GUEST_RUNTIME)/console.gobj \
	$(GUEST_RUNTIME)/memory.gobj \
	$(GUEST_RUNTIME)/print.gobj \
	$(GUEST_RUNTIME)/smp.gobj \
	$(GUEST_RUNTIME)/start.gobj \
	$(GUEST_ARCH)/crash.gobj \
	$(GUEST_ARCH)/entry.gobj \
	$(GUEST_ARCH)/halt.gobj \
	$(GUEST_ARCH)/smp.gobj
fuzzed_objects = $(GUEST_RUNTIME)/fuzz.gobj
guest_headers = \
	examples/guests/abi.h \
	$(GUEST_RUNTIME)/fuzz.h \
	$(GUEST_RUNTIME)/guest.h \
	$(GUEST_RUNTIME)/interrupt.h \
	$(GUEST_RUNTIME)/smp.h \
	$(GUEST_ARCH)/arch.h

if ARCH_X86_64
guest_programs = $(COMMON_GUESTS) $(X86_64_GUESTS)
guest_objects += \
	$(GUEST_ARCH)/apic.gobj \
	$(GUEST_ARCH)/idt.gobj \
	$(GUEST_ARCH)/trampoline.gobj \
	$(GUEST_ARCH)/vectors.gobj
guest_headers += \
	$(GUEST_ARCH)/apic.h \
	$(GUEST_ARCH)/idt.h
GUEST_ARCH_CFLAGS = -mno-red-zone -mgeneral-regs-only -fcf-protection=none
else
guest_objects += \
	$(GUEST_RUNTIME)/dispatch.gobj
guest_headers += \
	$(GUEST_RUNTIME)/dispatch.h \
	$(GUEST_RUNTIME)/mmio.h \
	$(GUEST_RUNTIME)/power.h
endif
if ARCH_ARM64
guest_programs = $(COMMON_GUESTS) $(DEVICETREE_GUESTS)
guest_objects += \
	$(GUEST_ARCH)/gic.gobj \
	$(GUEST_ARCH)/interrupt.gobj \
	$(GUEST_ARCH)/vectors.gobj
guest_headers += \
	$(GUEST_ARCH)/gic.h \
	$(GUEST_ARCH)/psci.h
GUEST_ARCH_CFLAGS = -mgeneral-regs-only -mstrict-align -mno-outline-atomics
endif
if ARCH_RISCV64
guest_programs = $(COMMON_GUESTS) $(DEVICETREE_GUESTS) $(RISCV64_GUESTS)
guest_objects += \
	$(GUEST_ARCH)/external.gobj \
	$(GUEST_ARCH)/trap.gobj \
	$(GUEST_ARCH)/trapentry.gobj
guest_headers += \
	$(GUEST_ARCH)/external.h \
	$(GUEST_ARCH)/sbi.h \
	$(GUEST_ARCH)/trap.h
GUEST_ARCH_CFLAGS = -march=rv64ima_zicsr -mabi=lp64 -mcmodel=medany -mstrict-align
endif

SUFFIXES = .gobj
.c.gobj:
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(GUEST_COMPILE) -c -o $@ $<
.S.gobj:
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(GUEST_COMPILE) -c -o $@ $<
.gobj:
	$(AM_V_CCLD)$(GUEST_LINK) -o $@ $< $(guest_objects) $(GUEST_EXTRA)

$(guest_objects) $(fuzzed_objects) $(guest_programs:=.gobj): $(guest_headers)
$(guest_programs): $(guest_objects) $(GUEST_ARCH)/guest.lds

# Only the guest itself is compiled with coverage: the runtime counts.
FUZZED_MAIN = $(FUZZED_GUESTS:=.gobj)
$(FUZZED_MAIN): private GUEST_COVERAGE = -fsanitize-coverage=trace-pc,trace-cmp
$(FUZZED_GUESTS): private GUEST_EXTRA = $(fuzzed_objects)
$(FUZZED_GUESTS): $(fuzzed_objects)

# "axrun --list" prints it: the first sentence of the comment at the top of each guest's source.
examples/guests/guests.txt: Makefile $(guest_programs:=.c) examples/guests/list.awk
	$(AM_V_GEN)for guest in $(guest_programs); do \
		awk -f $(top_srcdir)/examples/guests/list.awk $(top_srcdir)/$$guest.c || exit; \
	done | LC_ALL=C sort >$@.new && mv $@.new $@

guestsdir = $(libexecdir)/axvcpu/guests
guests_DATA = $(guest_programs) examples/guests/guests.txt
CLEANFILES += examples/guests/guests.txt $(guest_programs) $(guest_programs:=.gobj) $(guest_objects) \
	$(fuzzed_objects)
# The tarball has the guests of all architectures.
EXTRA_DIST += $(COMMON_GUESTS:=.c) $(X86_64_GUESTS:=.c) $(DEVICETREE_GUESTS:=.c) \
	$(RISCV64_GUESTS:=.c) examples/guests/abi.h examples/guests/list.awk $(GUEST_RUNTIME)
