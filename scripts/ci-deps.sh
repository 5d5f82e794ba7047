#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Install by apt what a fresh Debian 12 machine lacks to build and test TCM.
# With everything there already it only looks and says so.
#
#   ci-deps.sh            install what is missing
#   ci-deps.sh --check    only say what is missing; fails when something is
#   ci-deps.sh --upgrade  take the archive's newest kernel headers as well
set -euo pipefail

packages=(
	# building the modules for both kernels, and a kernel for debugging
	linux-headers-amd64 linux-headers-6.12-amd64
	gcc make libc6-dev binutils bc bison flex libelf-dev libssl-dev openssl perl rsync xz-utils
	# checking them
	sparse shellcheck git clang libclang-rt-dev
	# guests: kernels, root file systems, emulation
	qemu-system-x86 mmdebstrap squashfs-tools busybox-static cpio kmod zstd lz4
	debian-archive-keyring python3 util-linux
)

say() { printf '%s\n' "ci-deps: $*"; }

mode=${1:-}
missing=()
installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${packages[@]}" 2>/dev/null || true)
for p in "${packages[@]}"; do
	grep -qxF "installed $p" <<<"$installed" || missing+=("$p")
done

case $mode in
--check)
	say "${#missing[@]} of ${#packages[@]} packages missing: ${missing[*]:-none}"
	[ ${#missing[@]} = 0 ]
	exit
	;;
--upgrade) missing+=(linux-headers-amd64 linux-headers-6.12-amd64) ;;
'') ;;
*)
	say "usage: ci-deps.sh [--check | --upgrade]"
	exit 2
	;;
esac

if [ ${#missing[@]} = 0 ]; then
	say "all ${#packages[@]} packages are there"
	exit 0
fi

as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo)
export DEBIAN_FRONTEND=noninteractive
begin=$SECONDS
say "installing ${missing[*]}"
# A third party's broken archive is no reason to stop: the install decides.
"${as_root[@]}" apt-get -q update >/dev/null || say "apt-get update complained, going on"
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
	apt-get -q -y --no-install-recommends install "${missing[@]}" >/dev/null
say "done in $((SECONDS - begin)) s"
