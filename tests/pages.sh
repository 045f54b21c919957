#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# The pages agree with the tree: docs/kvm-map.md has each ioctl and exit reason that backends/ uses; functions
# and files that a page names exist; programs, guests and excerpts that a page shows are those of the tree; the
# pages keep the language rule of CONTRIBUTING.md.
set -u
# shellcheck source=tests/cases.sh
. "${0%/*}/cases.sh"

: "${top_srcdir:=.}" "${CC:=cc}"
cd "$top_srcdir" || exit 99
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
pages="README.md CONTRIBUTING.md SECURITY.md $(echo docs/*.md)"

# --- docs/kvm-map.md ------------------------------------------------------------------------------

# shellcheck disable=SC2086 # CC may be a command with flags
echo '#include <linux/kvm.h>' | $CC -E -dM - | sed -n 's/^#define \(KVM_[A-Z0-9_]*\) _IO[RW]*(.*/\1/p' |
	sort -u >"$work/ioctls"
grep -rhoE 'KVM_[A-Z0-9_]+' backends | sort -u >"$work/used"
grep -oE 'KVM_[A-Z0-9_]+' docs/kvm-map.md | sort -u >"$work/map"

comm -12 "$work/used" "$work/ioctls" >"$work/used-ioctls"
comm -23 "$work/used-ioctls" "$work/map" >"$work/log"
[ "$(wc -l <"$work/used-ioctls")" -ge 40 ] || cat "$work/used-ioctls" >>"$work/log"
none_wrong "docs/kvm-map.md has each ioctl that backends/ uses"

grep '^KVM_EXIT_' "$work/used" | comm -23 - "$work/map" >"$work/log"
none_wrong "docs/kvm-map.md has each exit reason that backends/ uses"

grep 'not used' docs/kvm-map.md | cut -d '|' -f 2 | grep -oE 'KVM_[A-Z0-9_]+' | sort -u |
	comm -12 - "$work/used-ioctls" >"$work/log"
none_wrong "backends/ uses no ioctl that docs/kvm-map.md says is not used"

# --- names ----------------------------------------------------------------------------------------

# Exported functions, and those that are inline.
{
	sed -n 's/^[[:space:]]*\([a-z0-9_]*\);$/\1/p' lib/libaxvcpu.map
	sed -n 's/^static inline [^(]*[ *]\([a-z0-9_]*\)(.*/\1/p' include/axvcpu/*.h
} | sort -u >"$work/functions"
# shellcheck disable=SC2086 # a list
grep -ohE '(axvcpu|axvm|axpercpu)_[a-z0-9_]+\(\)' $pages | tr -d '()' | sort -u |
	comm -23 - "$work/functions" >"$work/log"
none_wrong "each function that a page names exists"

# shellcheck disable=SC2086
grep -ohE '(backends|bench|docs|examples|include|lib|scripts|tests)/[A-Za-z0-9_./-]*[a-z0-9]' $pages | sort -u |
	while IFS= read -r file; do
		case $file in
		*/ARCH* | */NAME* | */mine | tests/test) ;;
		*) [ -e "$file" ] || [ -e "$file.c" ] || grep -q "\<$file\>" ./*/local.mk examples/*/local.mk || echo "$file" ;;
		esac
	done >"$work/log"
none_wrong "each file that a page names exists"

# shellcheck disable=SC2086
for page in $pages; do
	grep -oE '\]\([^)#]+' "$page" | sed 's/^](//' | grep -v '^https:' | while IFS= read -r link; do
		[ -e "${page%/*}/$link" ] || [ -e "$link" ] || echo "$page: $link"
	done
done >"$work/log"
none_wrong "each link between pages leads to a file"

# --- language -------------------------------------------------------------------------------------

# Phrases that CONTRIBUTING.md replaces by plainer ones; that page quotes them.
# shellcheck disable=SC2086,SC2016 # a list; backquotes of the pages
for page in $pages CHANGELOG.md; do
	[ "$page" = CONTRIBUTING.md ] || sed 's/`[^`]*`//g' "$page" |
		grep -nwiE 'but for|for ever|nobody|somebody|sees to|seen to|is told of|told of|takes but|but a moment' |
		sed "s,^,$page:,"
done >"$work/log"
none_wrong "no page has a phrase that the language rule replaces"

# --- programs and guests --------------------------------------------------------------------------

# block PAGE LINE: the fenced block that begins with this line.
block() {
	awk -v line="$2" '/^```/ { on = $0 == line; next } on' "$1"
}

# blocks PAGE KIND: the argument of each fenced block of that kind, as "```KIND ARGUMENT".
blocks() {
	sed -n "s,^\`\`\`$2 \(.*\),\1,p" "$1"
}

# guest NAME MACHINE: its instructions, in columns.
guest() {
	sed -n "/^guest $1\$/,/^end $1\$/p" "examples/tutorial/guests-$2.S" | sed '1d;$d' |
		awk -F '\t' '{ printf "%-4s%-8s%s\n", $1, $2, $3 }'
}

# guest_columns NAME: the same of all machines, side by side, as a page shows them.
guest_columns() {
	for machine in x86_64 aarch64 riscv64; do
		guest "$1" $machine >"$work/$machine"
	done
	printf '%-37s%-35s%s\n\n' x86_64 arm64 riscv64
	paste -d '\t' "$work/x86_64" "$work/aarch64" "$work/riscv64" |
		awk -F '\t' '{ printf "%-37s%-35s%s\n", $1, $2, $3 }' | sed 's/ *$//'
}

blocks docs/testing.md excerpt >"$work/files"
awk -v to="$work/excerpt" '/^```/ { if ($1 == "```excerpt") { n++; on = 1; next } on = 0 } on { print >(to n) }' \
	docs/testing.md
n=0
while IFS= read -r file; do
	n=$((n + 1))
	case $(cat "$file") in
	*"$(cat "$work/excerpt$n")"*) ;;
	*) echo "$file: excerpt $n differs" ;;
	esac
done <"$work/files" >"$work/log"
[ -s "$work/files" ] || echo "no excerpts" >"$work/log"
none_wrong "docs/testing.md shows parts of the tests as they are"

for page in README.md docs/tutorial.md; do
	blocks $page c >"$work/files"
	blocks $page guest >"$work/guests"
	: >"$work/log"
	[ -s "$work/files" ] && [ -s "$work/guests" ] || echo "no blocks" >"$work/log"
	none_wrong "$page has programs and guests"
	while IFS= read -r file; do
		# Except the license, and the comment that names it.
		block $page "\`\`\`c $file" >"$work/shown"
		tail -n +3 "$file" | diff "$work/shown" - >"$work/log" 2>&1
		none_wrong "$page shows $file"
	done <"$work/files"
	while IFS= read -r guest; do
		block $page "\`\`\`guest $guest" >"$work/shown"
		guest_columns "$guest" | diff "$work/shown" - >"$work/log"
		none_wrong "$page shows the guest $guest"
	done <"$work/guests"
done

all_done
