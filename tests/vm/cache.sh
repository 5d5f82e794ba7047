# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the harness's programs share: where the cache is, how a cache entry is
# made. An entry is built under a temporary name with the entry's lock held and
# renamed when it is whole, so two builders never see half an entry and never
# build the same one twice.

TCM_CACHE=${TCM_CACHE:-$HOME/.cache/tcm}
VM_CACHE=$TCM_CACHE/vm
# shellcheck disable=SC2034 # for those that source this
VM_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PATH=$PATH:/usr/sbin:/sbin

say() { printf '%s\n' "vm: $*" >&2; }
die() { say "$*"; exit 2; }

# cache_key WORD...: names an entry by everything that went into it
cache_key() { printf '%s\0' "$@" | sha256sum | cut -c1-16; }

# Each change of an input leaves an entry behind; drop what nobody used lately.
# Images of our modules change with every build of them.
cache_prune() {
	find "$VM_CACHE" -mindepth 1 -maxdepth 1 \( \
		\( \( -name 'kernel-*' -o -name 'rootfs-*' -o -name 'initrd-*' -o -name 'tmp.*' -o \
		-name 'lock-*' \) -mmin +4320 \) -o \( -name 'updates-*' -mmin +360 \) \) \
		-exec rm -rf {} +
	# debug kernels: a quarter of an hour each
	[ ! -d "$TCM_CACHE/kernels" ] ||
		find "$TCM_CACHE/kernels" -mindepth 1 -maxdepth 1 -mmin +10080 -exec rm -rf {} +
}

# cache_entry PATH COMMAND...: makes PATH once; COMMAND is called with the
# name to build under as its last argument
cache_entry() {
	local path=$1 tmp begin=$SECONDS
	shift
	if [ -e "$path" ]; then
		touch -c "$path"
		return 0
	fi
	mkdir -p "$(dirname "$path")"
	(
		flock 9
		[ ! -e "$path" ] || exit 0
		tmp=$(mktemp -d "$VM_CACHE/tmp.XXXXXX")
		trap 'rm -rf "$tmp"' EXIT
		chmod 755 "$tmp"
		"$@" "$tmp/entry"
		mv "$tmp/entry" "$path"
		say "made $(basename "$path") in $((SECONDS - begin)) s"
		cache_prune
	) 9>"$VM_CACHE/lock-$(basename "$path")"
}
