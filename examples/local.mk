# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# The example programs. axrun and axvcpu-info are archives, except their main():
# the tests link what they need of it.

noinst_PROGRAMS = examples/minimal examples/custom_backend
examples_minimal_LDADD = examples/tutorial/libguests.a libaxvcpu.la
examples_custom_backend_LDADD = libaxvcpu.la

bin_PROGRAMS = examples/axrun/axrun examples/axvcpu-info/axvcpu-info
noinst_LIBRARIES = examples/axrun/libaxrun.a examples/axvcpu-info/libinfo.a

UNPACK_LIBS = $(ZLIB_LIBS) $(ZSTD_LIBS) $(LZMA_LIBS)
examples_axrun_axrun_SOURCES = examples/axrun/main.c
examples_axrun_axrun_LDADD = examples/axrun/libaxrun.a libaxvcpu.la $(FDT_LIBS) $(UNPACK_LIBS) -lpthread
examples_axrun_libaxrun_a_CPPFLAGS = $(AM_CPPFLAGS) -DAXRUN_GUESTSDIR='"$(guestsdir)"'
examples_axrun_libaxrun_a_SOURCES = \
	examples/axrun/acpi.c examples/axrun/acpi.h \
	examples/axrun/aml.c examples/axrun/aml.h \
	examples/axrun/bytes.h \
	examples/axrun/bzimage.c examples/axrun/bzimage.h \
	examples/axrun/checkpoint.c examples/axrun/checkpoint.h \
	examples/axrun/clones.c examples/axrun/clones.h \
	examples/axrun/console.c examples/axrun/console.h \
	examples/axrun/cpus.c examples/axrun/cpus.h \
	examples/axrun/crash.c examples/axrun/crash.h \
	examples/axrun/device.c examples/axrun/device.h \
	examples/axrun/dbcn.c examples/axrun/dbcn.h \
	examples/axrun/devicetree.c examples/axrun/devicetree.h \
	examples/axrun/e820.c examples/axrun/e820.h \
	examples/axrun/elf_image.c examples/axrun/elf_image.h \
	examples/axrun/exitdev.c examples/axrun/exitdev.h \
	examples/axrun/exits.c examples/axrun/exits.h \
	examples/axrun/file.c examples/axrun/file.h \
	examples/axrun/foreign.c examples/axrun/foreign.h \
	examples/axrun/generation.c examples/axrun/generation.h \
	examples/axrun/guard.c examples/axrun/guard.h \
	examples/axrun/guests.c examples/axrun/guests.h \
	examples/axrun/image.c examples/axrun/image.h \
	examples/axrun/input.c examples/axrun/input.h \
	examples/axrun/ipi.c examples/axrun/ipi.h \
	examples/axrun/json.c examples/axrun/json.h \
	examples/axrun/kernel.c examples/axrun/kernel.h \
	examples/axrun/layout.c examples/axrun/layout.h \
	examples/axrun/linux_image.c examples/axrun/linux_image.h \
	examples/axrun/machine.c examples/axrun/machine.h \
	examples/axrun/memory.c examples/axrun/memory.h \
	examples/axrun/message.c examples/axrun/message.h \
	examples/axrun/options.c examples/axrun/options.h \
	examples/axrun/outcome.c examples/axrun/outcome.h \
	examples/axrun/parse.c examples/axrun/parse.h \
	examples/axrun/pc.c examples/axrun/pc.h \
	examples/axrun/platform.c examples/axrun/platform.h \
	examples/axrun/power.c examples/axrun/power.h \
	examples/axrun/privileges.c examples/axrun/privileges.h \
	examples/axrun/pvh.c examples/axrun/pvh.h \
	examples/axrun/queuedev.c examples/axrun/queuedev.h \
	examples/axrun/report.c examples/axrun/report.h \
	examples/axrun/restore.c examples/axrun/restore.h \
	examples/axrun/run.c examples/axrun/run.h \
	examples/axrun/saved.c examples/axrun/saved.h \
	examples/axrun/services.c examples/axrun/services.h \
	examples/axrun/signals.c examples/axrun/signals.h \
	examples/axrun/state.c examples/axrun/state.h \
	examples/axrun/stats.c examples/axrun/stats.h \
	examples/axrun/suggest.c examples/axrun/suggest.h \
	examples/axrun/terminal.c examples/axrun/terminal.h \
	examples/axrun/testdev.c examples/axrun/testdev.h \
	examples/axrun/timer.c examples/axrun/timer.h \
	examples/axrun/tree.c examples/axrun/tree.h \
	examples/axrun/uart.c examples/axrun/uart.h \
	examples/axrun/unpack.c examples/axrun/unpack.h \
	examples/axrun/unpack_gzip.c \
	examples/axrun/unpack_xz.c \
	examples/axrun/unpack_zstd.c \
	examples/axrun/vmlinux.c examples/axrun/vmlinux.h \
	examples/axrun/where.c examples/axrun/where.h \
	examples/axrun/zeropage.c examples/axrun/zeropage.h

examples_axvcpu_info_axvcpu_info_SOURCES = examples/axvcpu-info/main.c
examples_axvcpu_info_axvcpu_info_LDADD = examples/axvcpu-info/libinfo.a examples/axrun/libaxrun.a \
	libaxvcpu.la -lpthread
examples_axvcpu_info_libinfo_a_SOURCES = \
	examples/axvcpu-info/features.c examples/axvcpu-info/features.h \
	examples/axvcpu-info/guest.c examples/axvcpu-info/guest.h \
	examples/axvcpu-info/host.c examples/axvcpu-info/host.h \
	examples/axvcpu-info/info.c examples/axvcpu-info/info.h \
	examples/axvcpu-info/obstacle.c examples/axvcpu-info/obstacle.h \
	examples/axvcpu-info/report.c examples/axvcpu-info/report.h

include examples/fuzz/local.mk
include examples/guests/local.mk
include examples/tutorial/local.mk
