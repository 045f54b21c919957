# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# The documentation.

EXTRA_DIST += README.md CONTRIBUTING.md SECURITY.md CHANGELOG.md docs
doc_DATA = \
	docs/architecture.md \
	docs/boot.md \
	docs/demo.md \
	docs/exits.md \
	docs/guests.md \
	docs/info.md \
	docs/kvm-map.md \
	docs/performance.md \
	docs/testing.md \
	docs/threads.md \
	docs/tutorial.md
