#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --disk 64M --timeout 180
# kernels: 6.1-long 6.12
#
# tcm-switch: the choice, and stock to ours and back with a configuration.
set -euo pipefail
# shellcheck source=tests/vm/guest-lib.sh
. /tcm/tests/vm/guest-lib.sh
# shellcheck source=tests/integration/packaging.inc
. /tcm/tests/integration/packaging.inc

test_nothing_loaded() {
	note "nothing loaded: the choice alone"
	expect_out 'chosen: TCM .*updates.*loaded: no target' $switch status
	expect_out 'no target was loaded' $switch stock
	assert_match /kernel/drivers/target/target_core_mod "$(taken target_core_mod)" "stock is chosen"
	assert_match /kernel/drivers/target/loopback/tcm_loop "$(taken tcm_loop)" "stock is chosen"
	depmod -a
	assert_match /kernel/drivers/target/target_core_mod "$(taken target_core_mod)" "the choice outlives depmod"
	[ ! -d /sys/module/target_core_mod ] || fail "a target was loaded"
}

test_stock_to_ours() {
	note "stock to ours"
	stock_with_configuration
	expect_out 'TCM is loaded, the configuration is as before' $switch ours
	core_is ours
	[ ! -e "$CHOICE" ] || fail "$CHOICE is still there"
	live_json /tmp/ours.json
	same_where_both_have /tmp/first.json /tmp/ours.json
	assert_eq "$(cat /tmp/boot.json)" "$(cat $SAVECONFIG)" "the file of the next boot"
	expect_out 'loaded: TCM 5' $switch status
	expect_out 'is loaded already' $switch ours
}

test_ours_to_stock() {
	note "ours to stock"
	expect_out 'the stock target is loaded, the configuration is as before' $switch stock
	core_is stock
	live_json /tmp/second.json
	diff /tmp/first.json /tmp/second.json || fail "the configuration changed on the way there and back"
}

# same_where_both_have: each value of the one that the other has too is the same
same_where_both_have() {
	local flat='[paths(scalars) as $p | {key: ($p | map(tostring) | join("/")), value: getpath($p)}] | from_entries'
	jq -n --slurpfile a "$1" --slurpfile b "$2" "(\$a[0] | $flat) as \$x | (\$b[0] | $flat) as \$y |
		[\$x | to_entries[] | .key as \$k | select(\$y[\$k] != .value and
			((\$y | has(\$k)) or (\$k | test(\"/(attributes|parameters)/\") | not)))]" >/tmp/differ.json
	assert_eq "[]" "$(jq -c . /tmp/differ.json)" "values that differ"
}

test_empty_configuration() {
	note "an empty configuration"
	targetctl clear
	expect_out 'TCM is loaded' $switch ours
	core_is ours
	assert_eq '[[],[]]' "$(targetctl save /tmp/empty.json && jq -c '[.storage_objects, .targets]' /tmp/empty.json)" "objects"
}

prepare_switch
test_nothing_loaded
test_stock_to_ours
test_ours_to_stock
test_empty_configuration
