#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# The program that the README shows is examples/minimal.c, which other tests build and run.
set -u

name="the README shows examples/minimal.c"
readme=$top_srcdir/README.md
# Without the license and what the README says in its own words.
if sed -n '/^```c$/,/^```$/p' "$readme" | sed '1d;$d' | diff - "$top_srcdir/examples/minimal.c" |
	grep -v '^> /\*' | grep -q '^[<>]'; then
	echo "not ok $name"
	exit 1
fi
echo "ok $name"
