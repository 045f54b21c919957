#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
"""Runs each command that docs/tutorial.md shows. Its output must be the one that the page shows. The build
takes both from the page: examples/tutorial/outputs has a line "$ COMMAND" and its output for each.
Needs a usable /dev/kvm, and is skipped without one."""

import os
import re
import sys
from pathlib import Path

from axrun import AXRUN, cases

FOLDER = Path("examples/tutorial")
path = f"{os.path.dirname(os.path.abspath(AXRUN))}:{os.environ['PATH']}"

shown = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", (FOLDER / "outputs").read_text(), re.MULTILINE)
for command, output in shown:
    run = cases.run("sh", "-c", command, cwd=FOLDER, env={**os.environ, "PATH": path})
    if run.status != 0:
        cases.not_ok(command, "it failed", run.evidence)
    else:
        cases.check(command, run.out + run.err == output, "other output than the page's", run.evidence)

if len(shown) < 8:
    cases.not_ok("the page has commands", "fewer than 8")
sys.exit(cases.end())
