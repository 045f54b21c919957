# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0
# Which architectures there are, and where what is fetched for them is kept: below build/, or in a
# directory that several trees share. The one who sources it has set $top, and sourced lib.sh; what
# fetches is in debian.sh, which needs this.
: "${top:?}"

nested=$top/tests/nested
cache=${AXVCPU_CACHE:-$top/build/nested}

architectures() {
	for _conf in "$nested"/*.conf; do
		basename "$_conf" .conf
	done | tr '\n' ' '
}

# host_architecture: that of this machine, as it is called here.
host_architecture() {
	case $(uname -m) in
	aarch64) echo arm64 ;;
	*) uname -m ;;
	esac
}

# use_architecture ARCH: reads its .conf.
# shellcheck disable=SC2034 # for those who source it
use_architecture() {
	case $1 in
	*/* | '') die "there is no architecture '$1'; there is: $(architectures)" ;;
	esac
	[ -e "$nested/$1.conf" ] || die "there is no architecture '$1'; there is: $(architectures)"
	arch=$1
	# shellcheck source=tests/nested/x86_64.conf
	. "$nested/$arch.conf"
	store=$cache/$arch
	work=$top/build/nested/$arch
	mkdir -p "$store" "$work"
}

# known_variants: the other machines of each architecture.
known_variants() {
	for _conf in "$nested"/*.conf; do
		variants=
		# shellcheck source=tests/nested/arm64.conf
		. "$_conf"
		[ -z "$variants" ] || echo "$(basename "$_conf" .conf): $variants"
	done
}

# use_variant NAME: another machine of the architecture, with $variant_tests, the tests about it; its host's
# kernel may come from another Debian suite, $system_suite. $optional is yes if a machine that cannot be had is
# no failure.
# shellcheck disable=SC2034,SC2154 # for those who source it; by the eval
use_variant() {
	case " ${variants-} " in
	*" $1 "*) ;;
	*) die "$arch has no machine '$1'; there is:" "${variants:-none but the usual one}" ;;
	esac
	eval "qemu_machine=\"\$qemu_machine \${$1_machine-}\" variant_tests=\$$1_tests \
		system_suite=\${$1_suite-} optional=\${$1_optional-}"
}

# shellcheck disable=SC2154 # debian.sh's
# fetched TARGET WHAT COMMAND...
fetched() {
	_target=$1
	_what=$2
	shift 2
	if [ -z "${refresh-}" ] && [ -e "$_target/packages" ]; then
		return
	fi
	echo "fetching $_what from Debian"
	"$@" || die "there is no $_what; see above"
	rm -rf "$debian_apt"
}

# stored TARGET WHAT COMMAND...: unless TARGET is there, COMMAND fetches it. With $refresh it is
# fetched in any case.
stored() {
	locked "$cache/lock" fetched "$@"
}
