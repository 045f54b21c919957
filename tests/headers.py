#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""Each installed header compiles alone, in C and in C++, with every warning an error."""

from __future__ import annotations

import subprocess
import sys

sys.dont_write_bytecode = True
from cases import SOURCE, Cases, tool  # noqa: E402

INCLUDE = SOURCE / "include"
# Not part of axvcpu.h, on purpose.
SEPARATE = {"axvcpu.h", "crate.h"}

# The flags that programs with these headers may use.
WARNINGS = "-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wundef -Wformat=2 -Werror".split()
WARNINGS += ["-pedantic-errors", f"-I{INCLUDE}", "-fsyntax-only", "-"]
C = tool("CC", "cc") + "-x c -std=c11 -Wmissing-prototypes -Wstrict-prototypes".split()
CXX = tool("CXX") + "-x c++ -std=c++17".split()

# Every INIT macro and every inline function.
USE = """
#include <axvcpu/axvcpu.h>

int use(struct axvcpu *vcpu);

int use(struct axvcpu *vcpu)
{
	struct axvm_config vm = AXVM_CONFIG_INIT;
	struct axvm_limits limits = AXVM_LIMITS_INIT;
	struct axvm_region region = AXVM_REGION_INIT;
	struct axvcpu_config config = AXVCPU_CONFIG_INIT;
	struct axvcpu_setup_config setup = AXVCPU_SETUP_CONFIG_INIT;
	struct axvcpu_x86_setup x86 = AXVCPU_X86_SETUP_INIT;
	struct axvcpu_hal hal = AXVCPU_HAL_INIT;
	struct axvcpu_privileges privileges = AXVCPU_PRIVILEGES_INIT;
	struct axpercpu percpu = AXPERCPU_INIT;
	int ret = 0;

	ret |= vm.size != sizeof(vm) || vm.arch;
	ret |= limits.size != sizeof(limits) || limits.regions;
	ret |= region.size != sizeof(region) || region.hva;
	ret |= config.size != sizeof(config) || config.flags;
	ret |= setup.size != sizeof(setup) || setup.stack;
	ret |= x86.size != sizeof(x86) || x86.ncpuid;
	ret |= hal.size != sizeof(hal) || hal.log;
	ret |= privileges.size != sizeof(privileges) || privileges.keep;
	ret |= percpu.size != sizeof(percpu) || percpu.initialised;
	ret |= axvcpu_complete_value(vcpu, AXVCPU_REG_GPR(1));
	ret |= axvcpu_complete_pair(vcpu, 1, AXVCPU_REG_PC);
	ret |= axvcpu_complete_bytes(vcpu, "", 1);
	ret |= axvcpu_complete_fault(vcpu);
	return ret;
}
"""

USE_WITH = """
#include <axvcpu/axvcpu.h>

int use(struct axvm *vm);

int use(struct axvm *vm)
{
	const struct axvm_config config = AXVCPU_WITH(axvm_config, .id = 7);

	if (config.size != sizeof(config) || config.id != 7)
		return 1;
	return axvm_map(vm, &AXVCPU_WITH(axvm_region, .gpa = 0x1000, .len = 0x1000));
}
"""


def errors(compiler: list[str], source: str, *flags: str) -> list[str]:
    """The compiler's errors if it refuses the source, else empty."""
    command = [*compiler, *flags, *WARNINGS]
    done = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
    return [f"status {done.returncode}", *done.stderr.splitlines()] if done.returncode else []


def have_cxx() -> bool:
    try:
        return bool(tool("CXX")) and not errors(CXX, "int main() { return 0; }")
    except OSError:
        return False


def main() -> int:
    cases = Cases()
    headers = sorted(path.name for path in (INCLUDE / "axvcpu").glob("*.h"))
    cxx = have_cxx()
    for name in headers:
        # Twice. ISO C wants a declaration, and not every header has one.
        alone = 2 * f"#include <axvcpu/{name}>\n" + "extern int alone;\n"
        cases.none_wrong(f"{name} as C11", errors(C, alone))
        cases.none_wrong(f"{name} as C11 with _GNU_SOURCE", errors(C, alone, "-D_GNU_SOURCE"))
        if cxx:
            # g++ defines _GNU_SOURCE by itself.
            cases.none_wrong(f"{name} as C++17", errors(CXX, alone, "-U_GNU_SOURCE"))
            cases.none_wrong(f"{name} as C++17 with _GNU_SOURCE", errors(CXX, alone))
    cases.none_wrong("the INIT macros and the inline functions as C11", errors(C, USE))
    cases.none_wrong("a config in one expression as C11", errors(C, USE_WITH))
    if cxx:
        cases.none_wrong("the INIT macros and the inline functions as C++17", errors(CXX, USE))
    else:
        cases.skip("headers as C++", "there is no C++ compiler")
    included = (INCLUDE / "axvcpu/axvcpu.h").read_text()
    missing = [it for it in headers if f"#include <axvcpu/{it}>" not in included]
    cases.none_wrong("axvcpu.h includes all others, except crate.h", set(missing) ^ SEPARATE)
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
