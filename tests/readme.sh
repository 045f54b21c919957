#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# The program that the README shows is examples/minimal.c, which other tests build and run.
set -u

: "${top_srcdir:=.}"
name="the README shows examples/minimal.c"
# But for its first lines, the license and what the README says in its own words.
awk '/^```c$/ { on = 1; next } /^```$/ { on = 0 } on' "$top_srcdir/README.md" >readme.$$
tail -n "+3" "$top_srcdir/examples/minimal.c" | diff readme.$$ - >&2
same=$?
rm -f readme.$$
if [ $same -ne 0 ]; then
	echo "not ok $name"
	exit 1
fi
echo "ok $name"
