# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# For tests that boot kernels, and for bench/boot-runs.

# beyond_guest PID: KiB of axrun that are resident and not guest memory, which is mapped in
# pieces of 16 MiB and more.
beyond_guest() {
	awk '
		/^Size:/ { size = $2 }
		/^Rss:/ && size < 16384 { other += $2 }
		END { print other + 0 }' "/proc/$1/smaps"
}
