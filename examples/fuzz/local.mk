# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# The fuzzer of docs/fuzzing.md. With libFuzzer as the engine it is another program, which is only built
# on request: "make examples/fuzz/libfuzzer" needs clang.

fuzzer = examples/fuzz/fuzz
fuzzer_headers = \
	examples/fuzz/afl.h \
	examples/fuzz/mutate.h \
	examples/fuzz/target.h
noinst_PROGRAMS += $(fuzzer)
examples_fuzz_fuzz_SOURCES = \
	examples/fuzz/afl.c \
	examples/fuzz/fuzz.c \
	examples/fuzz/mutate.c \
	examples/fuzz/target.c \
	$(fuzzer_headers)
EXTRA_PROGRAMS += examples/fuzz/libfuzzer
examples_fuzz_libfuzzer_SOURCES = examples/fuzz/libfuzzer.c examples/fuzz/target.c
CLEANFILES += examples/fuzz/libfuzzer

fuzzer_binaries = $(fuzzer) examples/fuzz/libfuzzer
$(fuzzer_binaries): private LDADD = -laxvcpu $(LIB_LIBS)
$(fuzzer_binaries): libaxvcpu.la
# afl-fuzz runs programs, not the scripts of libtool.
$(fuzzer): private LINK = $(DIRECT_LINK)
# The guest has the coverage: only the link needs clang.
FUZZER_CC = clang
examples_fuzz_libfuzzer_LINK = $(FUZZER_CC) -fsanitize=fuzzer $(SAN_CFLAGS) -L.libs \
	-Wl,--disable-new-dtags,-rpath,$(abs_builddir)/.libs $(LDFLAGS) -o $@
