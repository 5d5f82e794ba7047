# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
#
# What the programs of an installation share; installed as /usr/lib/tcm/lib.sh.

# Names of our modules, one a line. That it is there means: TCM is installed.
TCM_LIB=/usr/lib/tcm
TCM_NAMES=$TCM_LIB/modules
# That it is there means: the administrator chose the stock target (see tcm-switch).
TCM_CHOICE=/etc/depmod.d/tcm.conf
TCM_CORE=target_core_mod
PATH=${PATH:-}:/usr/sbin:/usr/bin:/sbin:/bin

say() { printf '%s: %s\n' "${TCM_PROGRAM:-tcm}" "$*"; }
die() {
	printf '%s: %s\n' "${TCM_PROGRAM:-tcm}" "$*" >&2
	exit 1
}

# our_file KERNEL MODULE: path of our file, nothing when there is none
our_file() {
	local f
	for f in "/lib/modules/$1"/updates/{dkms/,}"$2".ko{,.xz,.zst,.gz}; do
		if [ -e "$f" ]; then
			echo "$f"
			return
		fi
	done
}

# stock_file KERNEL MODULE: path of the kernel's own file of that name
stock_file() {
	find "/lib/modules/$1/kernel" -name "$2.ko*" -print -quit 2>/dev/null
}

# taken_file KERNEL MODULE: what modprobe would load
taken_file() {
	modinfo -k "$1" -n "$2" 2>/dev/null || :
}

# loaded_core: ours, stale (ours, another build than the installed one), stock or none.
# A module from outside the kernel's tree carries the taint "O".
loaded_core() {
	local sys=/sys/module/$TCM_CORE have file
	if [ ! -d $sys ]; then
		echo none
		return
	fi
	have=$(cat $sys/srcversion 2>/dev/null || :)
	file=$(our_file "$(uname -r)" $TCM_CORE)
	if [ -n "$have" ] && [ -n "$file" ] && [ "$have" = "$(modinfo -F srcversion "$file")" ]; then
		echo ours
	elif grep -q O $sys/taint; then
		echo stale
	else
		echo stock
	fi
}

# secure_boot: whether this machine takes signed modules only; TCM_SB_STATE=enabled|disabled
# answers in its place
secure_boot() {
	local var
	case ${TCM_SB_STATE:-} in
	enabled) return 0 ;;
	disabled) return 1 ;;
	esac
	for var in /sys/firmware/efi/efivars/SecureBoot-*; do
		# four bytes of attributes, one of value
		[ ! -r "$var" ] || [ "$(od -An -tu1 -j4 -N1 "$var" | tr -d ' ')" != 1 ] || return 0
	done
	! grep -qsE '\[(integrity|confidentiality)\]' /sys/kernel/security/lockdown || return 0
	! grep -qsx Y /sys/module/module/parameters/sig_enforce || return 0
	return 1
}
