# SPDX-License-Identifier: GPL-2.0-only
"""Backstores, LUNs of an iSCSI port and mappings to one of its ACLs by the hundred, each step one
object made or removed by raw configfs calls: for the test that no step grows, and for the benchmark."""
import os

TARGET = '/sys/kernel/config/target'
CORE = TARGET + '/core'
NAME = 'iqn.2026-11.org.lab:many'
TPG = '%s/iscsi/%s/tpgt_1' % (TARGET, NAME)
INITIATOR = 'iqn.2026-11.org.lab:init'
ACL = TPG + '/acls/' + INITIATOR
# what the links are called is the maker's choice; rtslib takes ten hexadecimal digits
LUN_LINK = '%s/lun/lun_%d/%010x'
MAPPED_LINK = '%s/lun_%d/%010x'


def put(path, text):
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text)


def device(i):
    return '%s/rd_mcp_%d/disk%d' % (CORE, i, i)


def make_device(i, control='rd_pages=16,rd_nullio=1'):
    os.mkdir(os.path.dirname(device(i)))
    os.mkdir(device(i))
    put(device(i) + '/control', control)
    put(device(i) + '/enable', '1\n')


def name_device(i):
    """The serial number that a restored unit has again, too"""
    put(device(i) + '/wwn/vpd_unit_serial', '%032x\n' % i)


def make_lun(i):
    os.mkdir('%s/lun/lun_%d' % (TPG, i))
    os.symlink(device(i), LUN_LINK % (TPG, i, i))


def make_mapping(i):
    os.mkdir('%s/lun_%d' % (ACL, i))
    os.symlink('%s/lun/lun_%d' % (TPG, i), MAPPED_LINK % (ACL, i, i))


def remove_mapping(i):
    os.unlink(MAPPED_LINK % (ACL, i, i))
    os.rmdir('%s/lun_%d' % (ACL, i))


def remove_lun(i):
    os.unlink(LUN_LINK % (TPG, i, i))
    os.rmdir('%s/lun/lun_%d' % (TPG, i))


def remove_device(i):
    os.rmdir(device(i))
    os.rmdir(os.path.dirname(device(i)))
