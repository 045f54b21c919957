# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# The documentation.

EXTRA_DIST += README.md CONTRIBUTING.md SECURITY.md CHANGELOG.md docs
doc_DATA = \
	docs/architecture.md \
	docs/boot.md \
	docs/checkpoints.md \
	docs/demo.md \
	docs/exits.md \
	docs/fuzzing.md \
	docs/guests.md \
	docs/info.md \
	docs/kvm-map.md \
	docs/performance.md \
	docs/porting.md \
	docs/testing.md \
	docs/threads.md \
	docs/tutorial.md

# Made from the headers' comments. A tarball has the pages, so that it needs no Python.
MANUAL_INPUT = $(axvcpuinclude_HEADERS) \
	docs/man/axrun.1 \
	docs/man/axvcpu-info.1 \
	docs/man/axvcpu.7 \
	docs/man/build.py \
	docs/man/groups \
	docs/man/headers.py \
	docs/man/roff.py \
	docs/man/webpage.py
manualhtmldir = $(docdir)/html
if ENABLE_EXAMPLES
MANUAL_COMMANDS = man1
endif

if BUILD_MANUAL
MANUAL = docs/man/pages
all-local: docs/man/pages/stamp
docs/man/pages/stamp: $(MANUAL_INPUT)
	$(AM_V_GEN)$(MKDIR_P) docs/man && $(PYTHON) $(srcdir)/docs/man/build.py $(srcdir) $(MANUAL) && \
		echo >$@
dist-manual: docs/man/pages/stamp
	rm -rf $(distdir)/docs/man/pages
	cp -R docs/man/pages $(distdir)/docs/man
	rm $(distdir)/docs/man/pages/stamp
else
if SHIPPED_MANUAL
MANUAL = $(srcdir)/docs/man/pages
dist-manual:
else
dist-manual:
	@echo "make dist: the manual pages need Python 3, which is missing" >&2; exit 1
endif
endif

install-data-local:
	@test -n "$(MANUAL)" || exit 0; \
	for dir in $(MANUAL_COMMANDS) man3 man7; do \
		$(MKDIR_P) "$(DESTDIR)$(mandir)/$$dir" && \
			$(INSTALL_DATA) $(MANUAL)/$$dir/* "$(DESTDIR)$(mandir)/$$dir" || exit; \
	done; \
	$(MKDIR_P) "$(DESTDIR)$(manualhtmldir)" && \
		$(INSTALL_DATA) $(MANUAL)/html/* "$(DESTDIR)$(manualhtmldir)"

uninstall-local:
	@test -n "$(MANUAL)" || exit 0; \
	for dir in $(MANUAL_COMMANDS) man3 man7; do \
		pages=`cd $(MANUAL)/$$dir && echo *`; \
		! cd "$(DESTDIR)$(mandir)/$$dir" 2>/dev/null || rm -f $$pages; \
		cd "$(abs_builddir)" || exit; \
	done; \
	pages=`cd $(MANUAL)/html && echo *`; \
	! cd "$(DESTDIR)$(manualhtmldir)" 2>/dev/null || rm -f $$pages

# In the source directory of a tarball the pages stay: they belong to the tarball.
distclean-local:
	test "$(srcdir)" = . || rm -rf docs/man/pages
maintainer-clean-local:
	rm -rf docs/man/pages
