# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# Prints the first sentence of the first comment behind the license, in one line.
NR > 1 {
	last = /\*\//
	sub(/^\/\*/, "")
	sub(/^ \*\/?/, "")
	sub(/ *\*\/.*/, "")
	sub(/^ */, "")
	if ($0 != "")
		text = text (text == "" ? "" : " ") $0
	if (last) {
		sub(/\. .*/, ".", text)
		sub(/\.$/, "", text)
		print text
		exit
	}
}
