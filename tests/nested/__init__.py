# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""The emulated machines of scripts/nested and the cross builds of scripts/cross.

scripts/nested boots a machine that QEMU emulates, with KVM inside, and runs the tests or one
command in it. Read the package in this order:

    run           the steps from the command line to the exit status
    session       boots the machine, again if it dies, and derives the exit status
    machine       one boot: the QEMU process, its files, its limits of time
    suites        which tests run; the conversation with init inside the machine; results
    emulator      QEMU itself and its command line
    image         the initramfs of the machine: busybox, modules, init
    programs      the build, and its programs in the initramfs
    interpreter   Python in the machine
    kernels       the kernels that tests boot as guests
    cross         the sysroot, compiler and pkg-config of another architecture
    debian        Debian packages, by a private apt
    store         locks, and downloads that several trees share
    architecture  ARCH.toml: the properties of an architecture and its machines
    tree          the directories; the functions of scripts/lib.sh
    process       programs with a time limit; cleanup when a signal ends this one

The first program in the machine is the shell script "init". An error that a user can act on is
raised as process.Failure: its message is printed and the status is 1.
"""

import sys

if sys.version_info < (3, 11):
    sys.exit("scripts/nested and scripts/cross need Python 3.11 or newer")
