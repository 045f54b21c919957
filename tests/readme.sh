#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# The commands that the pages show: those of the README's and docs/demo.md's transcripts are run by
# scripts/demo, and each other command line is run by a test, or tests/commands says why not.
set -u
# shellcheck source=tests/cases.sh
. "${0%/*}/cases.sh"

: "${top_srcdir:=.}"
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

# --- the transcripts ------------------------------------------------------------------------------

# The commands that the scripts of the demo show when the programs do nothing.
mkdir "$work/bin"
# shellcheck disable=SC2016 # of the program that is made here
printf '#!/bin/sh\ncase $* in *crash) exit 126 ;; esac\n' >"$work/bin/axrun"
chmod +x "$work/bin/axrun"
for program in axvcpu-info custom_backend minimal; do
	cp "$work/bin/axrun" "$work/bin/$program"
done
scripts=$(cd "$top_srcdir/scripts" && pwd)
guests=$(cd "$top_srcdir/examples/guests" && pwd)
mkdir "$work/guests"
for guest in "$guests"/*.c; do
	guest=${guest##*/}
	: >"$work/guests/${guest%.c}"
done
(
	PATH=$work/bin:$PATH
	cd "$work/guests" && "$scripts/show" && "$scripts/boot-debian" /boot checks,then=poweroff
) >"$work/demo" 2>&1 || cat "$work/demo"
sed -n 's/^ *\$ //p' "$work/demo" | sort -u >"$work/shown"
for page in README.md docs/demo.md; do
	sed -n 's/^\(    \)\{0,1\}\$ //p' "$top_srcdir/$page" | sort -u >"$work/transcript"

	: >"$work/log"
	[ "$(wc -l <"$work/transcript")" -ge 3 ] || echo "only these: $(cat "$work/transcript")" >"$work/log"
	none_wrong "$page has a transcript"

	comm -13 "$work/shown" "$work/transcript" >"$work/log"
	none_wrong "scripts/demo runs each command of the transcript in $page"
done

comm -23 "$work/shown" "$work/transcript" >"$work/log"
none_wrong "docs/demo.md has each command that scripts/demo runs"

# --- all other commands ---------------------------------------------------------------------------

# commands FILE: its command lines, without comments. A line of an indented block is one if it begins with a
# program of this tree, or with a command that the pages use. The README's transcript and install section,
# which tests/roots.sh types, are left out.
commands() {
	awk -v readme="$([ "$1" != README.md ] || echo yes)" '
		/^## / { section = $0 }
		!sub(/^    /, "") || readme && (/^\$ / || section == "## Install and link") { next }
		{
			sub(/^\$ /, "")
			sub(/  +#.*/, "")
			sub(/^ +/, "")
			line = line $0
			if (sub(/\\$/, "", line))
				next
			print line
			line = ""
		}' "$top_srcdir/$1" |
		while IFS= read -r line; do
			word=${line%% *}
			program=$top_srcdir/$(echo "$word" | sed 's,^\(\.\.*/\)*,,')
			case $word in
			configure | */configure | axrun | axvcpu-* | cc | make | mkdir | cd | sudo | git | [A-Z]*=*)
				echo "$line"
				;;
			*) [ ! -f "$program" ] || [ ! -x "$program" ] || echo "$line" ;;
			esac
		done
}

(cd "$top_srcdir" && ls README.md CONTRIBUTING.md SECURITY.md docs/*.md) | while IFS= read -r page; do
	commands "$page"
done | sort -u >"$work/commands"
grep -v '^#' "$top_srcdir/tests/commands" >"$work/table"
sed 's/ => .*//' "$work/table" | sort >"$work/listed"

: >"$work/log"
[ "$(wc -l <"$work/commands")" -ge 15 ] || echo "only these: $(cat "$work/commands")" >"$work/log"
none_wrong "the pages have commands"

comm -23 "$work/commands" "$work/listed" >"$work/log"
none_wrong "each command of the pages is in tests/commands"

comm -13 "$work/commands" "$work/listed" >"$work/log"
none_wrong "each command in tests/commands is in a page, once"

sed -n 's/.* => by \([^ ]*\)$/\1/p' "$work/table" | sort -u | while IFS= read -r file; do
	[ -f "$top_srcdir/$file" ] || echo "there is no $file"
done >"$work/log"
grep -vE ' => (by [^ ]+|not: .+)$' "$work/table" >>"$work/log"
none_wrong "tests/commands names files that are there, or a reason"

all_done
