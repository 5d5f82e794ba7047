#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --timeout 240
# kernels: 6.1-long 6.12 debug-long
#
# CHAP with open-iscsi: one way and mutual, each hash, a wrong secret, a wrong name, the target's own
# secret wrong, discovery. Before that with an initiator of our own, right and wrong in each part.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/iscsi.inc

use_our_target
iscsi_initiator
rd_device r0
iscsi_target_raw $IQN core/rd_mcp_0/r0
python3 /tcm/tests/conformance/iscsi_chap.py "$@"
acl=iscsi/$IQN/tpgt_1/acls/$INITIATOR
mkdir "$CFS/$acl"
cfs_write "iscsi/$IQN/tpgt_1/enable" 0
cfs_write "iscsi/$IQN/tpgt_1/attrib/authentication" 1
cfs_write "iscsi/$IQN/tpgt_1/enable" 1
assert_eq CHAP "$(cfs_read "iscsi/$IQN/tpgt_1/param/AuthMethod")" "AuthMethod"
cfs_write "$acl/auth/userid" user
cfs_write "$acl/auth/password" secretsecret12

auth=node.session.auth
iscsiadm -m node -T $IQN -p $PORTAL -o new >/dev/null

set_auth() { # METHOD USER PASSWORD USER-IN PASSWORD-IN
	local n=0 key value
	for key in authmethod username password username_in password_in; do
		n=$((n + 1))
		value=${!n:-}
		iscsiadm -m node -T $IQN -p $PORTAL -o update -n $auth.$key -v "$value"
	done
}

works() {
	iscsiadm -m node -T $IQN -p $PORTAL --login >/tmp/out 2>&1 || fail "$1: $(cat /tmp/out)"
	iscsiadm -m node -T $IQN -p $PORTAL --logout >/dev/null
}
refused() {
	if iscsiadm -m node -T $IQN -p $PORTAL --login >/tmp/out 2>&1; then fail "$1: logged in"; fi
	grep -q 'authorization failure\|authentication' /tmp/out || fail "$1: $(cat /tmp/out)"
}

fails=iscsi/$IQN/fabric_statistics/iscsi_login_stats/authenticate_fails
before=$(cfs_read $fails)
refused "without CHAP"
set_auth CHAP user secretsecret12
works "one way"
set_auth CHAP user secretsecret13
refused "a wrong secret"
set_auth CHAP usee secretsecret12
refused "a wrong name"
assert_eq $((before + 3)) "$(cfs_read $fails)" "authenticate_fails"

note "the hashes"
set_auth CHAP user secretsecret12
for alg in MD5 SHA1 SHA256 SHA3-256; do
	iscsiadm -m node -T $IQN -p $PORTAL -o update -n $auth.chap_algs -v $alg
	works $alg
done

note "mutual"
cfs_write "$acl/auth/userid_mutual" target
cfs_write "$acl/auth/password_mutual" othersecret12
assert_eq 1 "$(cfs_read "$acl/auth/authenticate_target")" "authenticate_target"
set_auth CHAP user secretsecret12 target othersecret12
works "mutual"
set_auth CHAP user secretsecret12 target othersecret13
assert_fails iscsiadm -m node -T $IQN -p $PORTAL --login
cfs_write "$acl/auth/password_mutual" secretsecret12
set_auth CHAP user secretsecret12 target secretsecret12
assert_fails iscsiadm -m node -T $IQN -p $PORTAL --login

note "discovery"
cfs_write iscsi/discovery_auth/userid duser
cfs_write iscsi/discovery_auth/password dsecretsecret
cfs_write iscsi/discovery_auth/enforce_discovery_auth 1
assert_fails iscsi_discover
sed -i '/discovery.sendtargets.auth/d' /etc/iscsi/iscsid.conf
printf '%s\n' 'discovery.sendtargets.auth.authmethod = CHAP' \
	'discovery.sendtargets.auth.username = duser' \
	'discovery.sendtargets.auth.password = dsecretsecret' >>/etc/iscsi/iscsid.conf
assert_eq "$PORTAL,1 $IQN" "$(iscsi_discover)" "discovery with CHAP"
cfs_write iscsi/discovery_auth/enforce_discovery_auth 0
cfs_write iscsi/discovery_auth/userid NULL

rmdir "$CFS/$acl"
iscsi_target_del $IQN
rd_device_del r0
unload_target
