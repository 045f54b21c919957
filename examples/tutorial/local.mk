# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# The programs of docs/tutorial.md, one for each step, and a guest for axrun. The sources are installed
# with the page.

tutorial_programs = \
	examples/tutorial/console \
	examples/tutorial/cpus \
	examples/tutorial/error \
	examples/tutorial/interrupt \
	examples/tutorial/pause \
	examples/tutorial/read \
	examples/tutorial/six
noinst_PROGRAMS += $(tutorial_programs)
$(tutorial_programs): private LINK = $(DIRECT_LINK)
$(tutorial_programs): private LDADD = examples/tutorial/libguests.a -laxvcpu $(LIB_LIBS)
$(tutorial_programs): examples/tutorial/libguests.a libaxvcpu.la

noinst_LIBRARIES += examples/tutorial/libguests.a
examples_tutorial_libguests_a_SOURCES =
if ARCH_X86_64
examples_tutorial_libguests_a_SOURCES += examples/tutorial/guests-x86_64.S
endif
if ARCH_ARM64
examples_tutorial_libguests_a_SOURCES += examples/tutorial/guests-aarch64.S
endif
if ARCH_RISCV64
examples_tutorial_libguests_a_SOURCES += examples/tutorial/guests-riscv64.S
endif

tutorial_guest = examples/tutorial/lines
$(tutorial_guest).gobj: $(guest_headers)
$(tutorial_guest): $(guest_objects) $(GUEST_ARCH)/guest.lds

# The commands of the tutorial and what they print, for tests/tutorial.py.
tutorial_outputs = examples/tutorial/outputs
$(tutorial_outputs): docs/tutorial.md
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
		sed -n '/^```console$$/,/^```$$/{ /^```/!p; }' $(top_srcdir)/docs/tutorial.md >$@.new && \
		mv $@.new $@

noinst_DATA = $(tutorial_guest) $(tutorial_outputs)
CLEANFILES += $(noinst_DATA) $(tutorial_guest).gobj

tutorialdir = $(docdir)/tutorial
dist_tutorial_DATA = \
	examples/tutorial/console.c \
	examples/tutorial/cpus.c \
	examples/tutorial/error.c \
	examples/tutorial/guests-aarch64.S \
	examples/tutorial/guests-riscv64.S \
	examples/tutorial/guests-x86_64.S \
	examples/tutorial/guests.h \
	examples/tutorial/interrupt.c \
	examples/tutorial/lines.c \
	examples/tutorial/pause.c \
	examples/tutorial/read.c \
	examples/tutorial/six.c \
	examples/tutorial/start.h
