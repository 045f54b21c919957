# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# The documentation.

EXTRA_DIST += README.md CONTRIBUTING.md CHANGELOG.md docs
