# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# The tests: programs written with Check, and scripts. All of them print TAP. CONTRIBUTING.md says how
# to run them.

TEST_EXTENSIONS = .py

if ENABLE_TESTS

# Headers and guest programs of one architecture have the same names in each folder.
AM_CPPFLAGS += -I$(top_srcdir)/tests/$(AXVCPU_ARCH)

check_LIBRARIES = tests/libsuite.a tests/libforge.a tests/libinjector.a
tests_libsuite_a_SOURCES = \
	tests/child.c tests/child.h \
	tests/device.h \
	tests/event.c tests/event.h \
	tests/guest.c tests/guest.h \
	tests/guest_map.h \
	tests/mock.c tests/mock.h \
	tests/program.inc \
	tests/resources.c tests/resources.h \
	tests/suite.c tests/suite.h
# They replace the library's system calls: see tests/forge.h and tests/injector.h.
tests_libforge_a_SOURCES = tests/forge.c tests/forge.h
tests_libforge_a_CPPFLAGS = $(LIB_CPPFLAGS)
tests_libinjector_a_SOURCES = tests/injector.c tests/injector.h tests/sweep.c tests/sweep.h
tests_libinjector_a_CPPFLAGS = $(LIB_CPPFLAGS)

# --- the programs ---------------------------------------------------------------------------------
# One suite per subject, in four lists by what it is linked with. The source of NAME is NAME.c.

# With the library as it is installed.
API_TESTS = \
	tests/test_affinity \
	tests/test_backing \
	tests/test_block \
	tests/test_cancel \
	tests/test_config \
	tests/test_deadline_kvm \
	tests/test_device_exits \
	tests/test_devices \
	tests/test_checkpoint \
	tests/test_checkpoint_file \
	tests/test_checkpoint_kvm \
	tests/test_checkpoint_moments \
	tests/test_clone \
	tests/test_clone_kvm \
	tests/test_dirty \
	tests/test_dirty_kvm \
	tests/test_cpu_mode \
	tests/test_errors \
	tests/test_fork \
	tests/test_fp_registers \
	tests/test_hal \
	tests/test_hal_kvm \
	tests/test_irq \
	tests/test_irq_end \
	tests/test_irq_set \
	tests/test_kick \
	tests/test_kvm_config \
	tests/test_life \
	tests/test_memory \
	tests/test_memory_model \
	tests/test_mmio \
	tests/test_power \
	tests/test_regs \
	tests/test_request \
	tests/test_reset \
	tests/test_route_table \
	tests/test_routes \
	tests/test_runner \
	tests/test_saved \
	tests/test_smp \
	tests/test_state \
	tests/test_stress \
	tests/test_truncated \
	tests/test_userfault \
	tests/test_vcpu_state \
	tests/test_vm_state \
	tests/test_vm_state_kvm
# With an injector for its system calls, which can make each of them fail.
INJECTED_TESTS = \
	tests/test_deadline \
	tests/test_faults \
	tests/test_fault_sweep \
	tests/test_kvm_answers \
	tests/test_percpu_kvm \
	tests/test_privileges \
	tests/test_request_queue \
	tests/test_signals \
	tests/test_syscalls \
	tests/test_checkpoint_faults \
	tests/test_vcpu_state_faults \
	tests/test_vm_state_faults \
	tests/test_waits
# With forged exits: the test writes them in place of KVM.
FORGED_TESTS = \
	tests/test_kvm_exits
# With internal functions, or with calls that the test itself replaces.
INTERNAL_TESTS = \
	tests/test_adopt \
	tests/test_fork_locks \
	tests/test_percpu

if ARCH_X86_64
tests_libsuite_a_SOURCES += \
	tests/x86_64/arch.c \
	tests/x86_64/guest_arch.h \
	tests/x86_64/ioctls.inc \
	tests/x86_64/programs.S \
	tests/x86_guest.c tests/x86_guest.h
API_TESTS += \
	tests/test_x86_debug \
	tests/test_x86_exits \
	tests/test_x86_fpu \
	tests/test_x86_hypercall \
	tests/test_x86_inject \
	tests/test_x86_ipi \
	tests/test_x86_irq \
	tests/test_x86_own_tables \
	tests/test_x86_reset \
	tests/test_x86_segments \
	tests/test_x86_setup \
	tests/test_x86_string_io \
	tests/test_x86_sysregs \
	tests/test_x86_system \
	tests/test_x86_tables \
	tests/test_x86_timers \
	tests/test_x86_translate \
	tests/test_x86_vcpu_state \
	tests/test_x86_vm_state
INJECTED_TESTS += \
	tests/test_x86_faults \
	tests/test_x86_kvm_answers
FORGED_TESTS += \
	tests/test_x86_kvm_exits
INTERNAL_TESTS += \
	tests/test_x86_cpuid \
	tests/test_x86_width
endif

if ARCH_ARM64
tests_libsuite_a_SOURCES += \
	tests/arm64/arch.c \
	tests/arm64/guest_arch.h \
	tests/arm64/ioctls.inc \
	tests/arm64/programs.S \
	tests/arm64/suites.S \
	tests/arm64_guest.c tests/arm64_guest.h \
	tests/arm64_guest_map.h
API_TESTS += \
	tests/test_arm64_debug \
	tests/test_arm64_exits \
	tests/test_arm64_gic \
	tests/test_arm64_hypercall \
	tests/test_arm64_irq \
	tests/test_arm64_psci \
	tests/test_arm64_regs \
	tests/test_arm64_reset \
	tests/test_arm64_setup \
	tests/test_arm64_translate \
	tests/test_arm64_vm_state
INJECTED_TESTS += \
	tests/test_arm64_faults \
	tests/test_arm64_vm_state_faults
FORGED_TESTS += \
	tests/test_arm64_kvm_exits
endif

if ARCH_RISCV64
tests_libsuite_a_SOURCES += \
	tests/riscv64/arch.c \
	tests/riscv64/guest_arch.h \
	tests/riscv64/ioctls.inc \
	tests/riscv64/programs.S \
	tests/riscv64_guest.c tests/riscv64_guest.h \
	tests/riscv64_map.h \
	tests/riscv64_programs.S
API_TESTS += \
	tests/test_riscv64_aia \
	tests/test_riscv64_csr \
	tests/test_riscv64_debug \
	tests/test_riscv64_inject \
	tests/test_riscv64_page_faults \
	tests/test_riscv64_regs \
	tests/test_riscv64_reset \
	tests/test_riscv64_sbi \
	tests/test_riscv64_setup \
	tests/test_riscv64_timer \
	tests/test_riscv64_translate \
	tests/test_riscv64_vm_state
INJECTED_TESTS += \
	tests/test_riscv64_faults \
	tests/test_riscv64_vm_state_faults
FORGED_TESTS += \
	tests/test_riscv64_kvm_answers
endif

# A sanitizer makes system calls of its own.
if !SANITIZED
API_TESTS += tests/test_sandbox
endif

if ENABLE_EXAMPLES
# With axrun and axvcpu-info.
EXAMPLE_TESTS = \
	tests/test_axrun \
	tests/test_console \
	tests/test_info \
	tests/test_kernels \
	tests/test_pc \
	tests/test_uart
tests_test_kernels_SOURCES = \
	tests/kernels.c tests/kernels.h \
	tests/kernels_image.c \
	tests/kernels_x86.c \
	tests/test_kernels.c
EXAMPLE_HELPERS = tests/mkelf
EXAMPLE_FILES = $(fuzzer) $(tutorial_programs) $(tutorial_guest) $(tutorial_outputs)
endif
if ARCH_X86_64
NESTED_HELPERS = tests/nested/keep_kvm
endif

CORE_TESTS = $(INJECTED_TESTS) $(FORGED_TESTS) $(INTERNAL_TESTS)
SUITES = $(API_TESTS) $(CORE_TESTS) $(EXAMPLE_TESTS)
HELPERS = $(EXAMPLE_HELPERS) $(NESTED_HELPERS) tests/suite_example
check_PROGRAMS = $(SUITES) $(HELPERS)

# --- how they are linked --------------------------------------------------------------------------
# The variables of a target that is named before the colon; private: not those of its prerequisites.

$(SUITES) $(HELPERS): private LINK = $(DIRECT_LINK)

TEST_LIBS = tests/libsuite.a -laxvcpu $(CHECK_LIBS) $(LIB_LIBS)
CORE_LIBS = tests/libsuite.a -laxvcpu-core $(CHECK_LIBS) $(LIB_LIBS)
tests_suite_example_LDADD = $(TEST_LIBS)
$(API_TESTS): private LDADD = $(TEST_LIBS)
$(INJECTED_TESTS): private LDADD = tests/libinjector.a $(CORE_LIBS)
$(FORGED_TESTS): private LDADD = tests/libforge.a $(CORE_LIBS)
$(INTERNAL_TESTS): private LDADD = $(CORE_LIBS)
CORE_TEST_OBJECTS = $(CORE_TESTS:=.$(OBJEXT))
$(CORE_TEST_OBJECTS): private AM_CPPFLAGS += $(LIB_INCLUDES)

# Automake sees no dependency in these.
$(SUITES): tests/libsuite.a
$(API_TESTS): libaxvcpu.la
$(CORE_TESTS): libaxvcpu-core.la
$(INJECTED_TESTS): tests/libinjector.a
$(FORGED_TESTS): tests/libforge.a

if ENABLE_EXAMPLES
EXAMPLE_LIBS = examples/axvcpu-info/libinfo.a examples/axrun/libaxrun.a
$(EXAMPLE_TESTS): private LDADD = $(EXAMPLE_LIBS) $(TEST_LIBS) $(FDT_LIBS) $(UNPACK_LIBS)
$(EXAMPLE_TESTS): libaxvcpu.la $(EXAMPLE_LIBS)
endif

# --- the fuzzers ----------------------------------------------------------------------------------
# scripts/fuzz configures for them, with clang, and builds them. The source of NAME is NAME.c; they are
# linked with the library's objects.

FUZZERS = \
	tests/fuzz/checkpoint \
	tests/fuzz/exits \
	tests/fuzz/saved
tests_fuzz_checkpoint_SOURCES = tests/fuzz/checkpoint.c tests/mock.c tests/mock.h
if ENABLE_EXAMPLES
FUZZERS += \
	tests/fuzz/images
tests_fuzz_images_SOURCES = \
	tests/fuzz/images.c \
	tests/kernels.c tests/kernels.h \
	tests/kernels_image.c \
	tests/kernels_x86.c
endif
EXTRA_PROGRAMS += $(FUZZERS)
CLEANFILES += $(FUZZERS)
EXTRA_LIBRARIES += tests/fuzz/libfuzz.a
tests_fuzz_libfuzz_a_SOURCES = tests/fuzz/fuzz.c tests/fuzz/fuzz.h
FUZZ_LIBS = tests/fuzz/libfuzz.a -laxvcpu-core $(LIB_LIBS)
$(FUZZERS): private LINK = $(DIRECT_LINK) -fsanitize=fuzzer
$(FUZZERS): private LDADD = $(EXAMPLE_LIBS) $(FUZZ_LIBS) $(FDT_LIBS) $(UNPACK_LIBS)
$(FUZZERS): libaxvcpu-core.la tests/fuzz/libfuzz.a $(EXAMPLE_LIBS)
FUZZ_OBJECTS = $(FUZZERS:=.$(OBJEXT))
$(FUZZ_OBJECTS): private AM_CPPFLAGS += $(LIB_INCLUDES)
tests_fuzz_exits_LINK = $(DIRECT_LINK) -fsanitize=fuzzer -Wl,--wrap=axv_sys_ioctl \
	-Wl,--wrap=axv_sys_mmap,--wrap=axv_sys_munmap

# The calls that a test replaces: the injector's are functions of lib/host/sys.h.
INJECTED_CALLS = \
	open close dup read write pread pwrite lseek eventfd epoll_create epoll_add ioctl mmap munmap madvise \
	memfd_create ftruncate fstat get_seals add_seals copy getaffinity setaffinity sigaction \
	sigmask sigtake timer_create timer_set timer_delete tkill futex_wait \
	futex_wake calloc thread_create yield setspecific getdents prctl setgroups \
	setgid setuid
$(INJECTED_TESTS): private WRAP = $(INJECTED_CALLS:%=-Wl,--wrap=axv_sys_%)
$(FORGED_TESTS): private WRAP = -Wl,--wrap=axv_sys_ioctl,--wrap=axv_sys_mmap
tests_test_adopt_LINK = $(DIRECT_LINK) -Wl,--wrap=gettid
tests_test_axrun_LINK = $(DIRECT_LINK) -Wl,--wrap=axvcpu_stop
tests_test_fork_locks_LINK = $(DIRECT_LINK) -Wl,--wrap=pthread_mutex_lock,--wrap=axv_sys_madvise \
	-Wl,--wrap=pthread_rwlock_rdlock,--wrap=pthread_rwlock_wrlock
tests_test_percpu_LINK = $(DIRECT_LINK) -Wl,--wrap=axv_sys_open
tests_test_x86_width_LINK = $(DIRECT_LINK) -Wl,--wrap=axv_sys_ioctl

# --- the scripts ----------------------------------------------------------------------------------

# Functions that the scripts share.
SCRIPT_FUNCTIONS = tests/axrun.py tests/boot-memory.sh tests/boots.py tests/cases.py tests/cases.sh
EXAMPLE_SCRIPT_TESTS = tests/axrun-checkpoint.py tests/axrun-guests.py tests/axrun-irqchip.py \
	tests/axrun-options.py tests/axrun-refused.py tests/axrun-terminal.py tests/custom-backend.sh \
	tests/fuzz-example.py tests/info.py tests/tutorial.py
# These boot Debian's kernels.
BOOT_TESTS = tests/boot-checkpoint.py tests/boot-console.py tests/boot-kernels.py tests/boot-power.py \
	tests/boot-refused.py
# These check the documentation and scripts/.
TREE_TESTS = tests/demo.py tests/docs.py tests/exits.py tests/nested/test_units.py tests/pages.py \
	tests/scripts.sh tests/slow-kvm.sh tests/tap_test.py
# These check installed files, which no sanitizer changes.
UNSANITIZED_TESTS = tests/flags.py tests/headers.py tests/install.sh tests/layers.py tests/man.py tests/symbols.py
EXTRA_DIST += $(SCRIPT_FUNCTIONS) $(EXAMPLE_SCRIPT_TESTS) $(BOOT_TESTS) $(TREE_TESTS) \
	$(UNSANITIZED_TESTS) tests/abi tests/boot tests/builds.sh tests/checkpoints tests/commands \
	tests/exits.map tests/fuzz tests/nested tests/roots.sh tests/tap.py \
	tests/arm64/image_arch.h tests/riscv64/image_arch.h tests/x86_64/image_arch.h

# These run in an emulated machine, too.
MACHINE_TESTS = $(SUITES)
if ENABLE_EXAMPLES
MACHINE_TESTS += $(EXAMPLE_SCRIPT_TESTS) $(BOOT_TESTS)
endif
TESTS = $(MACHINE_TESTS) $(TREE_TESTS)
if !SANITIZED
TESTS += $(UNSANITIZED_TESTS)
endif

LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
AM_LOG_DRIVER_FLAGS = --merge
PY_LOG_DRIVER = $(LOG_DRIVER)
AM_PY_LOG_DRIVER_FLAGS = $(AM_LOG_DRIVER_FLAGS)
if ENABLE_EXAMPLES
INSTALLS_EXAMPLES = yes
else
INSTALLS_EXAMPLES = no
endif
AM_TESTS_ENVIRONMENT = \
	top_srcdir='$(top_srcdir)'; top_builddir='$(top_builddir)'; \
	CC='$(CC)'; CXX='$(CXX)'; NM='$(NM)'; PKG_CONFIG='$(PKG_CONFIG)'; MAKE='$(MAKE)'; \
	VERSION='$(PACKAGE_VERSION)'; EXAMPLES='$(INSTALLS_EXAMPLES)'; \
	WARN_FLAGS='$(WARN_CPPFLAGS) $(WARN_CFLAGS)'; HARDEN='$(HARDEN_CPPFLAGS) $(HARDEN_CFLAGS) $(HARDEN_LDFLAGS)'; \
	USER_FLAGS='$(CPPFLAGS) $(CFLAGS) $(LDFLAGS)'; \
	export top_srcdir top_builddir CC CXX NM PKG_CONFIG MAKE VERSION EXAMPLES \
		WARN_FLAGS HARDEN USER_FLAGS;

# --- lists ----------------------------------------------------------------------------------------

# For scripts/nested: the tests that run in the machine, and the files that these use.
list-tests:
	@printf '%s\n' $(MACHINE_TESTS)
list-helpers:
	@printf '%s\n' $(HELPERS) $(EXAMPLE_FILES) $(SCRIPT_FUNCTIONS)
# For scripts/check: its build with sanitizers runs all others.
list-unsanitized:
	@printf '%s\n' $(UNSANITIZED_TESTS)

check-nested:
	@test -n "$(ARCH)" || { echo "usage: make check-nested ARCH=x86_64" >&2; exit 2; }
	$(top_srcdir)/scripts/nested $(ARCH)

else

check-local:
	@echo "No tests were built: Check was missing, or configure was told --disable-tests."

endif
