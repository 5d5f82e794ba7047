#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Bad input, everywhere in the configfs tree.

    badconf.py TREE-OF-THE-STOCK-TARGET [KIND...]
    badconf.py junk TREE-OF-THE-STOCK-TARGET [KIND...]     every writable file alone: any fabrics

Tables say which errno a given mistake has; then every writable file is fed what no file
wants. Nothing may crash, every answer is an errno that a person can make sense of and has one
line in the kernel log, all text stays UTF-8, and what was read can be written back. TCM_SEED
sets the seed of the random bytes.
"""
import errno
import importlib.util
import os
import random
import re
import sys
import threading
import time

HERE = os.path.dirname(os.path.realpath(__file__))
spec = importlib.util.spec_from_file_location('compare', HERE + '/../golden/compare.py')
compare = importlib.util.module_from_spec(spec)
spec.loader.exec_module(compare)

TARGET = compare.TARGET
RD = 'core/rd_mcp_0/rd'
IDLE = 'core/rd_mcp_50/idle'        # enabled, no LUN
RAW = 'core/rd_mcp_50/raw'          # not enabled
LOOP = compare.LOOP
ISCSI = compare.ISCSI
ACL = ISCSI + '/acls/' + compare.INITIATOR
GROUP = IDLE + '/alua/g'
LUGP = 'core/alua/lu_gps/g1'

failures = []


def fail(text):
    failures.append(text)
    print('FAIL: ' + text)


def name_of(err):
    return errno.errorcode.get(err, str(err)) if err else 'OK'


def attempt(what, *args):
    """The errno of a system call, 0 when it went well."""
    try:
        what(*args)
        return 0
    except OSError as e:
        return e.errno


class Log:
    """The kernel log as it grows."""

    def __init__(self):
        self.fd = os.open('/dev/kmsg', os.O_RDONLY | os.O_NONBLOCK)
        os.lseek(self.fd, 0, os.SEEK_END)

    def refusals(self, wanted=0):
        """
        Lines about refusals since the last call. One that is wanted may come a moment late: nobody sees
        it before another CPU has written what it has begun to write.
        """
        lines, end = [], time.monotonic() + 5
        while True:
            try:
                record = os.read(self.fd, 8192).decode(errors='replace')
            except BlockingIOError:
                if len(lines) >= wanted or time.monotonic() > end:
                    return lines
                time.sleep(0.01)
                continue
            except BrokenPipeError:
                # older ones are gone: threads that were refused wrote faster than this reads
                continue
            line = record.partition(';')[2].split('\n')[0]
            if 'refused' in line:
                lines.append(line)


def expect(text, want, got):
    want = want if isinstance(want, tuple) else (want,)
    if got not in want:
        fail('%s: %s, not %s' % (text, name_of(got), '/'.join(name_of(w) for w in want)))


def refused(text, log, got):
    """A refusal of ours has exactly one line; one of configfs or VFS may have none."""
    least = 1 if got in OURS else 0
    lines = log.refusals(least)
    if not least <= len(lines) <= (1 if got else 0):
        fail('%s: %s, and the log says %s' % (text, name_of(got), lines))
    return lines


def full(path):
    if isinstance(path, bytes):
        return os.fsencode(TARGET) + b'/' + path
    return os.path.join(TARGET, path)


def write(path, data):
    fd = os.open(full(path), os.O_WRONLY)
    try:
        os.write(fd, data if isinstance(data, bytes) else data.encode())
    finally:
        os.close(fd)


def read(path):
    with open(full(path), 'rb') as f:
        return f.read()


# ---- one attribute, one value, one errno ----

OK = 0
EINVAL, ERANGE, ENODEV, ENOSYS = errno.EINVAL, errno.ERANGE, errno.ENODEV, errno.ENOSYS
EOVERFLOW, EEXIST, EBUSY, EFAULT = errno.EOVERFLOW, errno.EEXIST, errno.EBUSY, errno.EFAULT
EPERM, ENOTEMPTY, ENAMETOOLONG = errno.EPERM, errno.ENOTEMPTY, errno.ENAMETOOLONG
ENOENT, ENOTDIR, EACCES = errno.ENOENT, errno.ENOTDIR, errno.EACCES

# What neither configfs nor VFS says of its own here
OURS = {EINVAL, ERANGE, ENODEV, ENOSYS, EOVERFLOW, EFAULT}

BOOLS = ['emulate_fua_write', 'emulate_caw', 'emulate_atomic_write', 'emulate_3pc', 'emulate_pr', 'emulate_rsoc',
         'enforce_pr_isids', 'is_nonrot', 'pi_prot_verify']
STORES = (
    [(IDLE + '/attrib/' + b, '2', EINVAL) for b in BOOLS] +
    [(IDLE + '/attrib/' + b, 'yes', OK) for b in BOOLS] +
    [(IDLE + '/attrib/' + b, 'off', OK) for b in BOOLS] +
    [(IDLE + '/attrib/' + b, '1\n', OK) for b in BOOLS]
) + [
    # (file, text, errno)
    (IDLE + '/attrib/emulate_dpo', 'whatever', OK),
    (IDLE + '/attrib/emulate_fua_read', '-5', OK),
    (IDLE + '/attrib/emulate_ua_intlck_ctrl', '3', EINVAL),
    (IDLE + '/attrib/emulate_ua_intlck_ctrl', '2', OK),
    (IDLE + '/attrib/emulate_ua_intlck_ctrl', '0', OK),
    (RD + '/attrib/emulate_ua_intlck_ctrl', '1', EINVAL),
    (RD + '/attrib/emulate_ua_intlck_ctrl', '0', OK),
    (RD + '/attrib/emulate_tas', '0', EINVAL),
    (RD + '/attrib/emulate_tas', '1', OK),
    (RD + '/attrib/emulate_model_alias', '0', EINVAL),
    (RD + '/attrib/block_size', '4096', EINVAL),
    (RD + '/attrib/block_size', '512', OK),
    (IDLE + '/attrib/block_size', '1000', EINVAL),
    (IDLE + '/attrib/block_size', '8192', EINVAL),
    (IDLE + '/attrib/block_size', '4096', OK),
    (IDLE + '/attrib/block_size', '0x200', OK),
    (IDLE + '/attrib/emulate_rest_reord', '1', ENOSYS),
    (IDLE + '/attrib/emulate_rest_reord', '2', EINVAL),
    (IDLE + '/attrib/pi_prot_type', '2', OK),
    (IDLE + '/attrib/pi_prot_verify', '0', OK),
    (RD + '/attrib/pi_prot_type', '1', EINVAL),
    (RAW + '/attrib/pi_prot_type', '1', ENODEV),
    (IDLE + '/attrib/pi_prot_type', '4', EINVAL),
    (IDLE + '/attrib/pi_prot_type', '0', OK),
    (IDLE + '/attrib/pi_prot_format', '0', OK),
    (IDLE + '/attrib/pi_prot_format', '1', ENOSYS),
    (IDLE + '/attrib/pi_prot_format', '2', EINVAL),
    (IDLE + '/attrib/queue_depth', '0', EINVAL),
    (IDLE + '/attrib/queue_depth', '129', EINVAL),
    (IDLE + '/attrib/queue_depth', '1', OK),
    (IDLE + '/attrib/queue_depth', '128', OK),
    (IDLE + '/attrib/optimal_sectors', '4294967295', EINVAL),
    (IDLE + '/attrib/optimal_sectors', '4294967296', ERANGE),
    (IDLE + '/attrib/optimal_sectors', '1024', OK),
    (IDLE + '/attrib/alua_support', '1', OK),
    (IDLE + '/attrib/alua_support', '0', ENOSYS),
    (IDLE + '/attrib/pgr_support', '0', ENOSYS),
    (IDLE + '/attrib/submit_type', '3', EINVAL),
    (IDLE + '/attrib/submit_type', '2', OK),
    (IDLE + '/attrib/submit_type', '0', OK),
    (IDLE + '/attrib/max_unmap_lba_count', '12x', EINVAL),
    (IDLE + '/attrib/max_unmap_lba_count', '-1', EINVAL),
    (IDLE + '/attrib/max_unmap_lba_count', '010', OK),
    (IDLE + '/attrib/max_unmap_lba_count', '0', OK),
    (RAW + '/attrib/emulate_tpu', '1', ENODEV),
    (IDLE + '/attrib/hw_block_size', '512', EACCES),
    (RAW + '/enable', '0', EINVAL),
    (RAW + '/enable', '1', EINVAL),
    (IDLE + '/enable', '1', EEXIST),
    (IDLE + '/control', 'no_such_key=1,,\nnoise', OK),
    (IDLE + '/control', 'rd_pages=x', EINVAL),
    (IDLE + '/control', 'rd_pages=99999999999', ERANGE),
    (IDLE + '/control', b'rd_pages=\xff', EINVAL),
    (IDLE + '/alias', '\n', EINVAL),
    (IDLE + '/alias', 'x' * 512, EINVAL),
    (IDLE + '/alias', 'x' * 511, OK),
    (IDLE + '/udev_path', b'/dev/\xe9', EINVAL),
    (IDLE + '/alua_lu_gp', 'nobody', ENODEV),
    (IDLE + '/alua_lu_gp', 'NULL', OK),
    (IDLE + '/alua_lu_gp', 'NULL', OK),
    (IDLE + '/alua_lu_gp', 'default_lu_gp', OK),
    (IDLE + '/alua_lu_gp', 'x' * 300, EINVAL),
    (IDLE + '/lba_map', '64\n', EINVAL),
    (IDLE + '/lba_map', '64 1\n0 9 1:O 1:A\n', EINVAL),
    (IDLE + '/lba_map', '64 1\n0 9 1:O 2:A\n10 19 1:A\n', EINVAL),
    (IDLE + '/lba_map', '64 1\n0 9 1:X\n', EINVAL),
    (IDLE + '/lba_map', '64 1\n0 9\n', EINVAL),
    (IDLE + '/lba_map', '64 1\n0 9 1:O 2:A\n10 19 1:A 2:U\n', OK),
    (IDLE + '/lba_map', '0 0\n', OK),
    (IDLE + '/wwn/vendor_id', 'ninechars', EOVERFLOW),
    (IDLE + '/wwn/vendor_id', 'a\tb', EINVAL),
    (IDLE + '/wwn/vendor_id', ' ACME \n', OK),
    (RD + '/wwn/vendor_id', 'ACME', EINVAL),
    (RD + '/wwn/vendor_id', 'LIO-ORG', OK),
    (IDLE + '/wwn/product_id', 'x' * 17, EOVERFLOW),
    (IDLE + '/wwn/product_id', b'\xc3\xa9', EINVAL),
    (IDLE + '/wwn/revision', '12345', EOVERFLOW),
    (IDLE + '/wwn/company_id', '0x1000000', EOVERFLOW),
    (IDLE + '/wwn/company_id', '0x001405', OK),
    (IDLE + '/wwn/vpd_unit_serial', 's' * 254, EOVERFLOW),
    (IDLE + '/wwn/vpd_unit_serial', 's' * 253, OK),
    (RD + '/wwn/vpd_unit_serial', 'other', EINVAL),
    (RD + '/pr/res_aptpl_metadata', 'initiator_node=a,target_node=b,sa_res_key=1', EINVAL),
    (IDLE + '/pr/res_aptpl_metadata', '0,initiator_fabric=iSCSI,initiator_node=a,'
     'initiator_sid=1,sa_res_key=0x1,res_holder=0,res_type=00,res_scope=00,res_all_tg_pt=0,'
     'mapped_lun=0,target_fabric=iSCSI,target_node=b,tpgt=1,port_rtpi=1,target_lun=0,0', OK),
    (IDLE + '/pr/res_aptpl_metadata', 'initiator_node=a,target_node=b', EINVAL),
    (IDLE + '/pr/res_aptpl_metadata', 'initiator_node=a,sa_res_key=1', EINVAL),
    (IDLE + '/pr/res_aptpl_metadata', 'initiator_node=' + 'a' * 256 + ',target_node=b,sa_res_key=1',
     EINVAL),
    (IDLE + '/pr/res_aptpl_metadata', 'initiator_node=a,target_node=b,sa_res_key=1,res_holder=1',
     EINVAL),
    (IDLE + '/pr/res_aptpl_metadata', 'initiator_node=a,target_node=b,sa_res_key=1,tpgt=x', EINVAL),
    (GROUP + '/alua_access_state', '0', EINVAL),            # no id yet
    (GROUP + '/alua_support_standby', '0', EINVAL),
    (GROUP + '/tg_pt_gp_id', '65536', EINVAL),
    (GROUP + '/tg_pt_gp_id', '7', OK),
    (GROUP + '/tg_pt_gp_id', '7', OK),
    (GROUP + '/tg_pt_gp_id', '8', EINVAL),
    (GROUP + '/alua_access_state', '5', EINVAL),
    (GROUP + '/alua_access_state', '4', OK),                # as a restore does, before any LUN is in it
    (GROUP + '/alua_access_state', '14', OK),
    (GROUP + '/alua_access_state', '15', OK),
    (GROUP + '/alua_support_standby', '0', OK),
    (GROUP + '/alua_access_state', '2', EINVAL),
    (GROUP + '/alua_access_type', '2', OK),
    (GROUP + '/alua_access_state', '1', EINVAL),
    (GROUP + '/alua_access_type', '4', EINVAL),
    (GROUP + '/alua_access_type', '3', OK),
    (GROUP + '/alua_access_state', '0', OK),
    (GROUP + '/alua_access_status', '3', EINVAL),
    (GROUP + '/alua_access_status', '2', OK),
    (GROUP + '/nonop_delay_msecs', '10001', EINVAL),
    (GROUP + '/trans_delay_msecs', '30001', EINVAL),
    (GROUP + '/implicit_trans_secs', '256', EINVAL),
    (GROUP + '/preferred', '2', EINVAL),
    (RAW + '/alua/default_tg_pt_gp/alua_access_state', '1', ENODEV),
    (LUGP + '/lu_gp_id', '70000', EINVAL),
    (LUGP + '/lu_gp_id', '0', OK),
    ('core/alua/lu_gps/default_lu_gp/lu_gp_id', '3', EINVAL),
    ('core/rd_mcp_0/hba_mode', '1', EINVAL),
    ('dbroot', '/etc', EINVAL),                              # devices exist
    ('dbroot', '/etc/rtslib-fb-target', OK),
    (os.path.dirname(LOOP) + '/param/cmd_completion_affinity', '-3', EINVAL),
    (os.path.dirname(LOOP) + '/param/cmd_completion_affinity', '4096', EINVAL),
    (os.path.dirname(LOOP) + '/param/cmd_completion_affinity', 'x', EINVAL),
    (os.path.dirname(LOOP) + '/param/cmd_completion_affinity', '0', OK),
    (os.path.dirname(LOOP) + '/param/cmd_completion_affinity', '-1', OK),
    (LOOP + '/rtpi', '0', OK),                               # as it is
    (LOOP + '/rtpi', '65536', ERANGE),
    (LOOP + '/rtpi', '77', OK),
    (LOOP + '/rtpi', '0', EINVAL),
    (ISCSI + '/rtpi', '9', EINVAL),                          # enabled
    (ISCSI + '/rtpi', '1', OK),
    (ISCSI + '/enable', '2', EINVAL),
    (ISCSI + '/enable', '1', OK),
    (ISCSI + '/lun/lun_0/alua_tg_pt_gp', 'nobody', ENODEV),
    (ISCSI + '/lun/lun_0/alua_tg_pt_gp', 'x' * 300, EINVAL),
    (ISCSI + '/lun/lun_0/alua_tg_pt_gp', 'NULL', OK),
    (ISCSI + '/lun/lun_0/alua_tg_pt_offline', '2', EINVAL),
    (ISCSI + '/lun/lun_0/alua_tg_pt_status', '3', EINVAL),
    (ISCSI + '/lun/lun_0/alua_tg_pt_write_md', '2', EINVAL),
    (ISCSI + '/lun/lun_5/alua_tg_pt_gp', 'NULL', ENODEV),    # no link
    (ACL + '/lun_0/write_protect', '2', EINVAL),
    (ACL + '/lun_0/write_protect', '1', OK),
    (ACL + '/lun_0/write_protect', '0', OK),
    (LOOP + '/nexus', 'naa.5001405000000009', EEXIST),
    (LOOP + '/nexus', 'iqn.2020-01.x:y', EINVAL),
    (LOOP + '/transport_status', 'sideways', EINVAL),
    (LOOP + '/attrib/fabric_prot_type', '2', EINVAL),
]

READS = [
    (ISCSI + '/lun/lun_5/alua_tg_pt_gp', ENODEV),
    (ISCSI + '/lun/lun_5/statistics/scsi_port/inst', ENODEV),
    (ISCSI + '/lun/lun_5/statistics/scsi_tgt_port/in_cmds', ENODEV),
    (ACL + '/lun_6/statistics/scsi_auth_intr/inst', ENODEV),
    (ACL + '/lun_0/statistics/scsi_att_intr_port/indx', ENODEV),
    (IDLE + '/control', EACCES),
]

MKDIRS = [
    ('core/nothing', EINVAL),
    ('core/foo_0', EINVAL),
    ('core/user_0', EINVAL),
    ('core/rd_mcp_x', EINVAL),
    ('core/rd_mcp_99999999999999999999', ERANGE),
    ('core/' + 'a' * 62 + '_0', ENAMETOOLONG),
    ('core/rd_mcp_0', EEXIST),
    ('core/..', EEXIST),
    ('core/rd_mcp_0/.', EEXIST),
    ('core/', EEXIST),
    ('core/_', EINVAL),
    ('core/rd_mcp_', EINVAL),
    ('core/rd_mcp_-1', EINVAL),
    ('core/rd_mcp_0/' + 'x' * 256, ENAMETOOLONG),
    (b'core/rd_mcp_0/\xff\xfe', EINVAL),
    ('core/rd_mcp_0/two\nlines', EINVAL),
    ('core/rd_mcp_0/rd', EEXIST),
    ('core/alua/x', EPERM),
    (b'core/alua/lu_gps/\x80', EINVAL),
    ('core/alua/lu_gps/g1', EEXIST),
    (RD + '/attrib/x', EPERM),
    (RD + '/statistics/x', ENOSYS),
    (RD + '/statistics/scsi_dev/x', ENOSYS),
    (b'core/rd_mcp_0/rd/alua/\xc3', EINVAL),
    ('nofabric', EINVAL),
    ('loopbacks', EINVAL),
    (b'\xff', EINVAL),
    ('loopback/nobody', EINVAL),
    ('loopback/naa.' + 'f' * 252, ENAMETOOLONG),
    (b'loopback/naa.\xff', EINVAL),
    (os.path.dirname(LOOP) + '/tpgt_x', EINVAL),
    (os.path.dirname(LOOP) + '/tpgt_-1', EINVAL),
    (os.path.dirname(LOOP) + '/tpgt_32', EINVAL),
    (os.path.dirname(LOOP) + '/tpgt_70000', EINVAL),
    (os.path.dirname(LOOP) + '/tpgt_01', EINVAL),            # the tag of tpgt_1
    (os.path.dirname(LOOP) + '/other', EINVAL),
    (LOOP + '/np/1.2.3.4:5', ENOSYS),
    (ISCSI + '/np/nowhere', EINVAL),
    (ISCSI + '/lun/lun', EINVAL),
    (ISCSI + '/lun/lun_', EINVAL),
    (ISCSI + '/lun/lun_-1', EINVAL),
    (ISCSI + '/lun/lun_16777216', EINVAL),
    (ISCSI + '/lun/lun_99999999999999999999', ERANGE),
    (ISCSI + '/lun/lun_0', EEXIST),
    (ISCSI + '/lun/lun_0x0', EEXIST),
    (ISCSI + '/lun/lun_00', EEXIST),
    (ISCSI + '/lun/lun_0/statistics/x', ENOSYS),
    (ISCSI + '/lun/lun_0/x', EPERM),
    (ISCSI + '/acls/veto', EPERM),
    (ISCSI + '/acls/' + compare.INITIATOR.upper(), EEXIST),
    (ISCSI + '/acls/' + 'a' * 256, ENAMETOOLONG),
    (ACL + '/lun_0x0', EEXIST),
    (ACL + '/lun_x', EINVAL),
    (ACL + '/lun_0/x', EPERM),
    (ACL + '/lun_0/statistics/x', ENOSYS),
]

# (link, target, errno)
LINKS = [
    (ISCSI + '/lun/lun_0/second', RD, EEXIST),
    (ISCSI + '/lun/lun_5/x', 'core', EFAULT),
    (ISCSI + '/lun/lun_5/x', 'core/rd_mcp_0', EFAULT),
    (ISCSI + '/lun/lun_5/x', RD + '/attrib', EFAULT),
    (ISCSI + '/lun/lun_5/x', ISCSI + '/lun/lun_0', EFAULT),
    (ISCSI + '/lun/lun_5/x', RAW, ENODEV),
    (ISCSI + '/lun/lun_5/x', RD + '/enable', ENOTDIR),
    (ISCSI + '/lun/lun_5/x', '/tmp', EPERM),
    (ISCSI + '/lun/lun_5/x', 'nowhere', ENOENT),
    (ISCSI + '/lun/x', RD, EPERM),
    ('core/rd_mcp_0/x', RD, EPERM),
    (ACL + '/lun_6/x', RD, EFAULT),
    (ACL + '/lun_6/x', ISCSI + '/lun', EFAULT),
    (ACL + '/lun_6/x', LOOP + '/lun/lun_9', EINVAL),         # another portal group
    (ACL + '/lun_6/x', ISCSI + '/lun/lun_5', ENODEV),        # no device behind it
    (ACL + '/lun_0/second', ISCSI + '/lun/lun_0', EINVAL),
    (ACL + '/x', ISCSI + '/lun/lun_0', EPERM),
]

RMDIRS = [
    ('core', (EPERM, EBUSY)),
    ('core/alua', EPERM),
    ('core/alua/lu_gps/default_lu_gp', EPERM),
    ('core/rd_mcp_0', ENOTEMPTY),
    (RD, EBUSY),                                             # a LUN links to it
    (RD + '/attrib', EPERM),
    (RD + '/alua/default_tg_pt_gp', EPERM),
    ('iscsi', ENOTEMPTY),
    (os.path.dirname(ISCSI), ENOTEMPTY),
    (ISCSI, ENOTEMPTY),
    (ISCSI + '/lun', EPERM),
    (ISCSI + '/lun/lun_0', (EBUSY, ENOTEMPTY)),
    (ACL, ENOTEMPTY),
    (ACL + '/lun_0', ENOTEMPTY),
]


def build(tree, kinds):
    compare.build(tree, kinds)
    for path in ('core/rd_mcp_50', IDLE, RAW, GROUP, ISCSI + '/lun/lun_5', ACL + '/lun_6',
                 LOOP + '/lun/lun_9', ISCSI + '/np/127.0.0.1:3261'):
        os.mkdir(full(path))
    write(IDLE + '/control', 'rd_pages=1024')
    write(IDLE + '/enable', '1')


# Odd names that are fine: directory, names
NAMES = ['two words', ' ', '-rf', '%s%n', 'ger\u00e4t', '\u65e5\u672c', 'x' * 255, 'a' * 200 + '\u00e4']
NAME_DIRS = ['core/rd_mcp_50', IDLE + '/alua', 'core/alua/lu_gps', ISCSI + '/acls']


def check_tables(log):
    def one(text, want, what, *args):
        got = attempt(what, *args)
        expect(text, want, got)
        refused(text, log, got)

    for path, text, want in STORES:
        one('write %.40r to %s' % (text, path), want, write, path, text)
    for path, want in READS:
        expect('read %s' % path, want, attempt(read, path))
    log.refusals()
    for path, want in MKDIRS:
        one('mkdir %.80s' % path, want, os.mkdir, full(path))
    for path, to, want in LINKS:
        to = to if to.startswith('/') else full(to)
        one('link %s to %s' % (path, to), want, os.symlink, to, full(path))
    for path, want in RMDIRS:
        one('rmdir %s' % path, want, os.rmdir, full(path))


def check_names(log):
    """Names that are unusual and all right: made once, listed as they are, and removed."""
    for directory in NAME_DIRS:
        for name in NAMES:
            path = full(directory + '/' + name)
            text = 'mkdir %.80r' % path
            expect(text, OK, attempt(os.mkdir, path))
            expect(text, EEXIST, attempt(os.mkdir, path))
            if name not in os.listdir(full(directory)):
                fail('%s: not listed as it is' % text)
            compare.live_tree()     # every file below reads as UTF-8
            expect('rmdir of the same', OK, attempt(os.rmdir, path))
    if log.refusals():
        fail('good names were refused')


def check_values():
    """What was accepted is what reads back."""
    for path, want in ((IDLE + '/wwn/vendor_id', 'ACME\n'), (GROUP + '/tg_pt_gp_id', '7\n'),
                       (IDLE + '/alias', 'x' * 511 + '\n'), (LOOP + '/rtpi', '0x4d\n'),
                       (GROUP + '/alua_access_status', 'Altered by Implicit ALUA\n'),
                       (IDLE + '/lba_map', '')):
        got = read(path).decode()
        if got != want:
            fail('%s reads %.60r, not %.60r' % (path, got, want))
    write(IDLE + '/lba_map', '64 1\n0 9 1:O 2:A\n')
    if read(IDLE + '/lba_map') != b'64 1\n0 9 1:O 2:A\n':
        fail('lba_map reads %r' % read(IDLE + '/lba_map'))
    write(IDLE + '/lba_map', '0 0\n')


# ---- every writable file, whatever it is ----

SANE = {EINVAL, ERANGE, ENODEV, ENOSYS, EOVERFLOW, EEXIST, EBUSY, EPERM, ENOENT, ENOTDIR,
        ENAMETOOLONG, errno.EOPNOTSUPP, errno.ENOSPC}

# What a file shows in words it takes as numbers
WORDS = {'alua_access_status': {'None': '0', 'Altered by Explicit STPG': '1',
                                'Altered by Implicit ALUA': '2'},
         'alua_access_type': {'None': '0', 'Implicit': '1', 'Explicit': '2',
                              'Implicit and Explicit': '3'}}


def junk(rng):
    yield b'\n'
    yield b' '
    yield b'\0'
    yield b'-1'
    yield b'-9223372036854775809\n'
    yield b'18446744073709551615'
    yield b'18446744073709551616'
    yield b'4294967296'
    yield b'65536'
    yield b'256'
    yield b'1.5'
    yield b'1e3'
    yield b' 1'
    yield b'0x'
    yield b'1' * 4096
    yield b'A' * 4095
    yield b'A' * 8192
    yield b'\xff\xfe\x80'
    yield b'\xed\xa0\x80'
    yield b'%s%n%p'
    yield b'=,=,\n=='
    yield b'../../../../etc/passwd'
    for _ in range(3):
        yield rng.randbytes(rng.choice((1, 7, 64, 511, 4000)))


def writable():
    for path, entry in sorted(compare.live_tree().items()):
        if entry.mode.isdigit() and int(entry.mode, 8) & 0o200:
            yield path


def write_back(path, old):
    """Writing what was read succeeds, and then the same reads again."""
    name = os.path.basename(path)
    text = old.decode().rstrip('\n')
    if not text or name in ('enable', 'res_aptpl_metadata') or (name, text) == ('rtpi', '0x0'):
        return
    if name == 'alua_tg_pt_gp' or name == 'alua_lu_gp' or name == 'vpd_unit_serial':
        text = text.split('\n')[0].partition(':')[2].strip() or '\n'
    text = WORDS.get(name, {}).get(text, text)
    got = attempt(write, path, text)
    if got:
        return fail('%s: writing back %.60r: %s' % (path, text, name_of(got)))
    # a device that is passed through pads its strings
    if name not in ('emulate_dpo', 'emulate_fua_read') and read(path).rstrip() != old.rstrip():
        fail('%s: reads %.60r after writing back %.60r' % (path, read(path), old))


def feed(path, rng, log):
    old = b''
    try:
        old = read(path)
    except OSError:
        pass
    for data in junk(rng):
        got = attempt(write, path, data)
        if got and got not in SANE:
            fail('%s: %.40r gives %s' % (path, data, name_of(got)))
        if len(log.refusals(bool(got))) != bool(got):
            fail('%s: %.40r gives %s, which is not one line in the log' % (path, data, name_of(got)))
        try:
            read(path).decode('utf-8')
        except OSError:
            pass
        except UnicodeDecodeError:
            fail('%s: is not UTF-8 after %.40r' % (path, data))
    write_back(path, old)


# Text that was set and cannot be unset, numbers that are given once, what emulate_tpu fills in
STAYS = ('max_unmap_block_desc_count', 'max_unmap_lba_count', 'unmap_granularity',
         'unmap_granularity_alignment', 'unmap_zeroes_data', 'rtpi', 'indx', 'name', 'info', 'alias',
         'udev_path', 'tg_pt_gp_id', 'lu_gp_id', 'members', 'alua_lu_gp', 'vpd_unit_serial',
         'lu_name', 'dev_name', 'revision', 'product_id', 'vendor_id', 'prod', 'rev', 'vend',
         'userid', 'password', 'userid_mutual', 'password_mutual', 'tag', 'authenticate_target')


def check_junk(log, moves=''):
    seed = int(os.environ.get('TCM_SEED') or 1)
    rng = random.Random(seed)
    before = compare.live_tree()
    files = list(writable())
    for path in files:
        feed(path, rng, log)
    print('%d writable files fed, seed %d' % (len(files), seed))
    after = compare.live_tree()
    for path in sorted(set(before) ^ set(after)):
        fail('%s: came or went' % path)
    for path in sorted(set(before) & set(after)):
        old, new = before[path], after[path]
        if old.mode != new.mode:
            fail('%s: mode %s, was %s' % (path, new.mode, old.mode))
        if re.fullmatch(moves, path):
            continue
        if old.value is not None and os.path.basename(path) not in STAYS and \
           not compare.same_value(path, old.value, new.value):
            fail('%s: reads %.60r, was %.60r' % (path, new.value, old.value))
    if len(files) < 150:
        fail('only %d writable files found' % len(files))


# ---- files that stay open ----

def check_open_files():
    """A file that was opened before its directory went: ENOENT, and nothing else happens."""
    held = []
    os.mkdir(full('core/rd_mcp_60'))
    os.mkdir(full('core/rd_mcp_60/gone'))
    os.mkdir(full('core/rd_mcp_60/gone/alua/g'))
    os.mkdir(full(ISCSI + '/acls/iqn.gone'))
    os.mkdir(full(ISCSI + '/acls/iqn.gone/lun_3'))
    os.mkdir(full('loopback/naa.500140500000000a'))
    os.mkdir(full('loopback/naa.500140500000000a/tpgt_1'))
    os.mkdir(full('loopback/naa.500140500000000a/tpgt_1/lun/lun_0'))
    victims = ['core/rd_mcp_60/gone/alua/g', 'core/rd_mcp_60/gone', 'core/rd_mcp_60',
               ISCSI + '/acls/iqn.gone/lun_3', ISCSI + '/acls/iqn.gone',
               'loopback/naa.500140500000000a/tpgt_1/lun/lun_0',
               'loopback/naa.500140500000000a/tpgt_1', 'loopback/naa.500140500000000a']
    for path, entry in compare.live_tree().items():
        if not any((path + '/').startswith(v + '/') for v in victims) or entry.mode == 'l':
            continue
        if entry.value is None:
            held.append((path, os.open(full(path), os.O_RDONLY | os.O_DIRECTORY)))
        else:
            held.append((path, os.open(full(path), os.O_WRONLY if entry.mode == '200' else
                                       os.O_RDWR if entry.mode == '644' else os.O_RDONLY)))
    for path in victims:
        expect('rmdir %s' % path, OK, attempt(os.rmdir, full(path)))
    for path, fd in held:
        if not os.get_inheritable(fd) and os.path.isdir('/proc/self/fd/%d' % fd):
            continue
        got = attempt(os.pread, fd, 4096, 0)
        if got not in (ENOENT, errno.EBADF):
            fail('%s: reading it after rmdir: %s' % (path, name_of(got)))
        got = attempt(os.write, fd, b'1')
        if got not in (ENOENT, errno.EBADF):
            fail('%s: writing it after rmdir: %s' % (path, name_of(got)))
    for _, fd in held:
        os.close(fd)
    print('%d files held over rmdir' % len(held))


# ---- links that come and go under readers ----

def check_races(rounds):
    """Readers of LUNs and mapped LUNs while the links come and go."""
    stop = threading.Event()
    lun, mapped = ISCSI + '/lun/lun_5', ACL + '/lun_6'
    files = [p for p, e in compare.live_tree().items()
             if e.value is not None and (p.startswith(lun + '/') or p.startswith(mapped + '/'))]
    seen = set()

    def reader():
        while not stop.is_set():
            for path in files:
                seen.add(attempt(read, path))

    threads = [threading.Thread(target=reader) for _ in range(2)]
    for t in threads:
        t.start()
    for i in range(rounds):
        expect('link', OK, attempt(os.symlink, full(IDLE), full(lun + '/x')))
        expect('map', OK, attempt(os.symlink, full(lun), full(mapped + '/y')))
        if i % 2:       # the LUN may go first: the mapped one is left without access
            os.unlink(full(lun + '/x'))
            expect('write_protect', OK, attempt(write, mapped + '/write_protect', '1'))
            expect('stat', ENODEV, attempt(read, mapped + '/statistics/scsi_auth_intr/dev'))
            os.unlink(full(mapped + '/y'))
        else:
            os.unlink(full(mapped + '/y'))
            os.unlink(full(lun + '/x'))
    stop.set()
    for t in threads:
        t.join()
    if seen - {0, ENODEV, ENOENT}:
        fail('readers saw %s' % seen)


# ---- links and files against rmdir ----

def compete(name, rounds, sane, *loops):
    """Each loop in a thread of its own; what a step may answer is in @sane."""
    seen = set()

    def run(step):
        for i in range(rounds):
            got = step()
            if set(got) - sane:
                print('%s: round %d: %s' % (name, i, ' '.join(name_of(e) for e in got)), flush=True)
            seen.update(got)

    threads = [threading.Thread(target=run, args=(step,)) for step in loops]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    print('%s: %s' % (name, ' '.join(sorted(name_of(e) for e in seen))))
    if seen - sane:
        fail('%s: %s' % (name, ' '.join(name_of(e) for e in seen - sane)))


def check_rmdir_races(rounds):
    """A link is made in, or to, a directory that goes; a file of it is written."""
    sane = {OK, ENOENT, ENODEV, EBUSY, ENOTEMPTY, EEXIST, EINVAL, errno.EAGAIN}
    lun, mapped, dev = ISCSI + '/lun/lun_7', ACL + '/lun_8', 'core/rd_mcp_70/d'
    os.mkdir(full('core/rd_mcp_70'))

    def come_and_go(directory):
        return lambda: [attempt(os.mkdir, full(directory)), attempt(os.rmdir, full(directory))]

    def link_in(directory, to):
        def step():
            got = attempt(os.symlink, full(to), full(directory + '/z'))
            return [got, attempt(os.unlink, full(directory + '/z'))]
        return step

    def device():
        return [attempt(os.mkdir, full(dev)), attempt(write, dev + '/control', 'rd_pages=4'),
                attempt(write, dev + '/enable', '1'), attempt(os.rmdir, full(dev))]

    def writer():
        return [attempt(write, dev + '/' + f, v) for f, v in
                (('alias', 'x'), ('attrib/queue_depth', '64'), ('wwn/vpd_unit_serial', 's'),
                 ('alua/default_tg_pt_gp/nonop_delay_msecs', '1'), ('alua_lu_gp', 'NULL'))]

    compete('LUN', rounds, sane, come_and_go(lun), link_in(lun, IDLE))
    compete('mapped LUN', rounds, sane, come_and_go(mapped), link_in(mapped, ISCSI + '/lun/lun_0'))
    os.mkdir(full(ACL + '/lun_9'))
    compete('LUN mapped', rounds, sane, come_and_go(lun), link_in(ACL + '/lun_9', lun))
    os.rmdir(full(ACL + '/lun_9'))
    os.mkdir(full(lun))
    compete('device', rounds, sane, device, link_in(lun, dev))
    compete('files', rounds, sane, device, writer)
    for path in (lun, dev):
        attempt(os.rmdir, full(path))


# ---- what the log says ----

def check_log(log):
    for args, words in (
            ((write, IDLE + '/attrib/queue_depth', '0'), ('rd_mcp_50/idle/attrib/queue_depth', 'must not be 0')),
            ((write, RD + '/attrib/block_size', '4096'), ('rd_mcp_0/rd/attrib/block_size', 'LUN links')),
            ((write, RAW + '/enable', '1'), ('rd_mcp_50/raw/enable',)),
            ((write, IDLE + '/control', 'rd_pages=x'), ('idle', 'rd_pages=x')),
            ((os.mkdir, full('core/foo_0')), ('core/foo_0', 'no such plugin')),
            ((os.mkdir, full('loopback/nobody')), ('loopback/nobody', 'EINVAL')),
            ((os.mkdir, full(ISCSI + '/lun/lun_x')), ('lun/lun_x',)),
            ((os.symlink, full(RAW), full(ISCSI + '/lun/lun_5/x')), ('lun_5', 'not enabled'))):
        log.refusals()
        attempt(*args)
        # kernels without CONFIG_SYMBOLIC_ERRNAME have the number
        lines = [line.replace('(-22)', '(-EINVAL)') for line in log.refusals()]
        if len(lines) != 1 or not all(w in lines[0] for w in words):
            fail('%s: the log says %s' % (words[0], lines))


# ---- and away with it ----

def tear_down():
    for path in compare.clear():
        fail('%s cannot be removed' % path)


def main(argv):
    junk_alone = argv[0] == 'junk'
    argv = argv[junk_alone:]
    tree = compare.read_tree(argv[0])[0]
    build(tree, argv[1:])
    rounds = 20 if os.environ.get('TCM_LONG') != '1' else 2000
    log = Log()
    if junk_alone:
        write(GROUP + '/tg_pt_gp_id', '7')
        # There is an initiator, which reads; and a word of one letter may enable or disable.
        check_junk(log, r'.*/statistics/.*|.*/enable')
        tear_down()
        print('%d failures' % len(failures))
        return 1 if failures else 0
    check_log(log)
    check_tables(log)
    check_names(log)
    check_values()
    check_open_files()
    check_races(rounds)
    check_rmdir_races(rounds * 10)
    log.refusals()
    check_junk(log)
    expect('info after all that', OK, attempt(read, RD + '/info'))
    tear_down()
    print('%d failures' % len(failures))
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
