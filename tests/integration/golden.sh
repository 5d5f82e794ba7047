#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Every path of the stock target's tree: there, with the same mode, format and default.
# vm: --timeout 180
# kernels: 6.1 6.12
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

golden=/tcm/tests/golden
tree=$golden/tree-$(cut -d. -f1,2 <<<"$KREL").txt

# have MODULE: ours, not the kernel's
have() { [ -e "/lib/modules/$KREL/updates/$1.ko" ]; }

kinds=(rd)
use_our_target
modprobe iscsi_target_mod
if have target_core_file; then kinds+=(fileio); fi
if have target_core_iblock; then
	modprobe null_blk
	kinds+=(iblock)
fi
if have target_core_pscsi; then
	modprobe -a sd_mod scsi_debug
	kinds+=(pscsi)
fi
note "objects: ${kinds[*]}"
python3 $golden/compare.py build "$tree" "${kinds[@]}"
python3 $golden/compare.py dump >/out/tree
python3 $golden/compare.py check "$tree" /out/tree "${kinds[@]}"
python3 $golden/compare.py stores

python3 $golden/compare.py clear
unload_target

# The comparison can fail: a value, a file and a mode that are not as they should be
sed -e 's|^\(./core/rd_mcp_0/rd/attrib/emulate_tas\) 644 1|\1 644 0|' \
	-e '/^.\/core\/rd_mcp_0\/rd\/alias/d' \
	-e 's|^\(./core/rd_mcp_0/rd/attrib/hw_block_size\) 444|\1 644|' /out/tree >/tmp/wrong
if python3 $golden/compare.py check "$tree" /tmp/wrong "${kinds[@]}" >/tmp/found; then fail "nothing found"; fi
grep -q ', 3 differences' /tmp/found || fail "not three differences: $(cat /tmp/found)"

# ... and in what else an exception's file says; and exceptions that are none
sed 's|^\(./core/rd_mcp_0/rd/info .*\)nullio: 0|\1nullio: 1|' /out/tree >/tmp/wrong
assert_fails python3 $golden/compare.py check "$tree" /tmp/wrong "${kinds[@]}"
cp -r $golden /tmp/golden
echo "extra core/alua/nothing - there is no such file" >>/tmp/golden/exceptions
if python3 /tmp/golden/compare.py check "$tree" /out/tree "${kinds[@]}" >/tmp/found; then
	fail "an exception that applies to nothing"
fi
assert_match 'applies to nothing: extra core/alua/nothing' "$(cat /tmp/found)"
