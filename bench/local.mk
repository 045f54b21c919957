# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# Benchmarks: see docs/performance.md. They measure the library that users get: the shared one, as
# CFLAGS has it built.

EXTRA_LIBRARIES += bench/libbench.a
bench_libbench_a_SOURCES = bench/bench.c bench/bench.h bench/mock.c bench/mock.h
BENCHMARKS = bench/heap bench/translate
if ARCH_X86_64
bench_libbench_a_SOURCES += bench/guest.c bench/guest.h bench/raw.c bench/raw.h \
	bench/raw_reset.c bench/raw_reset.h
BENCHMARKS += bench/deadline bench/exits bench/kick bench/reset bench/startup
endif
EXTRA_PROGRAMS += $(BENCHMARKS)
bench_exits_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
$(BENCHMARKS): private LINK = $(DIRECT_LINK)
$(BENCHMARKS): private LDADD = bench/libbench.a -laxvcpu $(LIB_LIBS)
$(BENCHMARKS): bench/libbench.a libaxvcpu.la

CLEANFILES += $(BENCHMARKS)
EXTRA_DIST += bench/boot bench/boot-runs bench/exit-cost bench/nested

# All figures.
bench: $(BENCHMARKS)
if ARCH_X86_64
	@$(top_srcdir)/bench/exit-cost bench/exits bench/reset && echo
	@bench/startup && echo
	@bench/reset && echo
	@bench/kick && echo
	@bench/deadline && echo
endif
	@bench/translate && echo
	@bench/heap

# The figures that are deterministic and have a budget: instructions and system calls of an exit, system
# calls of a reset.
bench-check: $(BENCHMARKS)
if SANITIZED
	@echo "1..0 # SKIP bench-check: a sanitizer's instructions are not the library's"
else
if ARCH_X86_64
	@$(top_srcdir)/bench/exit-cost --check bench/exits bench/reset
else
	@echo "1..0 # SKIP bench-check: instructions are counted on x86_64; tests/test_syscalls counts system calls"
endif
endif
