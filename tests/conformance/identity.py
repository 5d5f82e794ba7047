#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What a host knows a disk and its paths by, as two targets give it for one configuration.

    identity.py create SAVED BLOCKDEVICE    make a configuration with rtslib, save it, clear it
    identity.py collect SAVED OUT           restore it and more, ask every LUN, clear it
    identity.py compare STOCK OURS LIST KERNEL

LIST holds the differences that are meant, one a line, with the reason (see its head). Every
other difference is a failure, and so is a line of the list that no longer applies.
"""
import fnmatch
import glob
import json
import os
import struct
import sys

from sgio import GOOD, Device, Table
from target import CFS, Target, Tpg, read, write

EVERY = ('generated', 'write_back', 'thin', 'disk', 'none')    # devices that are asked everything
LOOP = 'naa.5001405000000001'
LONG = ('0123456789abcdefG' * 20)[:252]     # the longest serial that is taken
ALL_PAGES, ALL_SUBPAGES = 0x3f, 0xff
MODE_PAGES = (0x01, 0x08, 0x0a, 0x1c, ALL_PAGES)
DISK_PAGES = (0x00, 0x80, 0x83, 0x86, 0xb0, 0xb1, 0xb2)
VPD_PAGES = (0x00, 0x80, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x8f, 0xb0, 0xb1, 0xb2, 0xb3, 0xb4)


# ---- the configuration -----------------------------------------------------

def create(saved, disk):
    """The part that rtslib can make, save and restore."""
    import rtslib_fb as rt

    def serial(n):
        return '1d3c5e7a-9b0f-4c2d-8e6a-0123456789%02x' % n

    devs = [
        rt.RDMCPStorageObject('generated', size=4 << 20),
        rt.RDMCPStorageObject('given', size=4 << 20, wwn=serial(1)),
        rt.RDMCPStorageObject('null', size=4 << 20, wwn=serial(2), nullio=True),
        rt.FileIOStorageObject('write_back', dev='/tmp/wb', size=8 << 20, write_back=True),
        rt.FileIOStorageObject('write_through', dev='/tmp/wt', size=8 << 20, wwn=serial(3)),
        rt.FileIOStorageObject('thin', dev='/tmp/thin', size=8 << 20, wwn=serial(4)),
        rt.FileIOStorageObject('blocks4k', dev='/tmp/4k', size=8 << 20, wwn=serial(5)),
        rt.BlockStorageObject('disk', dev=disk),
    ]
    devs[5].set_attribute('emulate_tpu', 1)
    devs[5].set_attribute('emulate_tpws', 1)
    devs[6].set_attribute('block_size', 4096)
    devs[7].set_attribute('is_nonrot', 0)
    rt.ALUATargetPortGroup(devs[1], 'group', 5)
    for fabric in rt.RTSRoot().fabric_modules:
        if fabric.name == 'loopback':
            break
    one = rt.TPG(rt.Target(fabric, LOOP), 1)
    two = rt.TPG(rt.Target(fabric, 'naa.5001405000000002'), 3)
    # in another order than that of their numbers
    for number, dev in zip((3, 0, 1, 2, 4, 200, 5, 6), devs):
        rt.LUN(one, number, dev)
    for number, dev in ((0, devs[7]), (9, devs[1])):
        rt.LUN(two, number, dev).alua_tg_pt_gp_name = 'group' if dev == devs[1] else 'default_tg_pt_gp'
    root = rt.RTSRoot()
    root.save_to_file(saved)
    root.clear_existing(confirm=True)


def more(target):
    """What rtslib does not save, through configfs: names, odd serials, groups, ports."""
    def rd(name, serial, wwn=None, **attrib):
        return target.device('rd_mcp', name, 'rd_pages=256', serial=serial, wwn=wwn, **attrib)

    def hexa(n):
        return '5a5a5a5a-0000-0000-0000-0000000000%02x' % n

    devs = [
        rd('short', 'abc'),
        rd('odd', 'xyz-GHI_12!f zz'),
        rd('spaces', '  ab  c '),
        rd('long', LONG[:234]),     # the designator with vendor and product is full
        rd('none', None),
        rd('all_names', hexa(1), dict(vendor_id='12345678', product_id='1234567890abcdef', revision='9876')),
        rd('short_names', hexa(2), dict(vendor_id='V1', product_id='a b', revision='1', company_id='0xabcdef')),
        rd('no_names', hexa(3), dict(vendor_id='\n', product_id='\n', company_id='0x0')),
        rd('an_alias_of_more_than_16', hexa(4), emulate_model_alias=1),
        rd('alias', hexa(5), emulate_model_alias=1),
        rd('bare', hexa(6), emulate_3pc=0, emulate_caw=0, emulate_fua_write=0, emulate_pr=0),
        rd('other', hexa(7), emulate_write_cache=1, emulate_tas=0, is_nonrot=0, optimal_sectors=1024),
    ]
    grouped = rd('grouped', hexa(9))
    target.mkdir(grouped + '/alua/g')
    write(grouped + '/alua/g/tg_pt_gp_id', '0x1234')
    target.mkdir('core/alua/lu_gps/l')
    write('core/alua/lu_gps/l/lu_gp_id', '0x4321')
    write(grouped + '/alua_lu_gp', 'l')
    for access in range(3):
        dev = rd('access_type_%d' % access, hexa(0x10 + access))
        write(dev + '/alua/default_tg_pt_gp/alua_access_type', access)
        devs.append(dev)
    tpg = Tpg(target, LOOP, 7)
    if os.path.exists(CFS + tpg.path + '/rtpi'):
        write(tpg.path + '/rtpi', 0x1234)
    for number, dev in enumerate(devs):
        tpg.link(number, dev)
    tpg.link(20, rd('longest', LONG))
    tpg.link(300, devs[0])      # flat space numbers
    tpg.link(16383, grouped)
    write(tpg.path + '/lun/lun_16383/alua_tg_pt_gp', 'g')
    # relative port identifiers grow with each link of a device on 6.1, also after one went
    tpg.unlink(1)
    tpg.link(1, devs[1])
    for wwn, tag, number in (('fc.50:01:40:50:00:00:00:02', 0, 3), ('fc.5001405000000003', 2, 0),
                             ('iqn.2003-01.org.linux-iscsi.host:sn.abcdef', 2, 1),
                             ('iqn.2003-01.org.x:' + 'y' * 200, 4, 0),
                             ('naa.600140512345678900000000', 31, 0)):
        port = Tpg(target, wwn, tag)
        port.link(number, grouped)
        port.link(number + 1, devs[3])
    # put back, or neither the group of ports nor that of units can go
    return grouped


# ---- asking ----------------------------------------------------------------

def be32(n):
    return list(struct.pack('>I', n))


def questions(every):
    """(name, CDB, bytes of room): what identifies a LUN, or everything"""
    yield 'std', [0x12, 0, 0, 1, 0, 0], 256
    for page in VPD_PAGES if every else DISK_PAGES:
        yield 'vpd%02x' % page, [0x12, 1, page, 4, 0, 0], 1024
    yield 'ms6-3f-0', [0x1a, 0, ALL_PAGES, 0, 255, 0], 255
    yield 'rc10', [0x25] + [0] * 9, 8
    yield 'rc16', [0x9e, 0x10] + [0] * 8 + be32(32) + [0, 0], 32
    for select in (0x00, 0x01, 0x02, 0x10, 0x11, 0x12) if every else (0,):
        yield 'luns%02x' % select, [0xa0, 0, select, 0, 0, 0] + be32(4096) + [0, 0], 4096
    if not every:
        return
    yield 'std36', [0x12, 0, 0, 0, 36, 0], 36
    yield 'vpd83short', [0x12, 1, 0x83, 0, 24, 0], 24
    for page in range(0x40):
        for pc in range(4) if page in MODE_PAGES else (0,):
            yield 'ms6-dbd-%02x-%d' % (page, pc), [0x1a, 8, page | pc << 6, 0, 255, 0], 255
    for pc in range(4):
        yield 'ms10-3f-%d' % pc, [0x5a, 0, ALL_PAGES | pc << 6, 0, 0, 0, 0, 4, 0, 0], 1024
    yield 'ms10-dbd-0aff', [0x5a, 8, 0x0a, ALL_SUBPAGES, 0, 0, 0, 4, 0, 0], 1024
    yield 'ms10-dbd-3fff', [0x5a, 8, ALL_PAGES, ALL_SUBPAGES, 0, 0, 0, 4, 0, 0], 1024
    yield 'ms10-dbd-0a01', [0x5a, 8, 0x0a, 1, 0, 0, 0, 4, 0, 0], 1024
    yield 'ms10-llbaa', [0x5a, 0x10, ALL_PAGES, 0, 0, 0, 0, 4, 0, 0], 1024


def ask(node, said, every):
    """The answer to each question: data in hex, or key/ASC/ASCQ."""
    with Device(node) as dev:
        dev.clear_ua()
        for name, cdb, room in questions(every):
            r = dev.cmd(cdb, data_in=room)
            if r.host:
                raise RuntimeError('%s: %s: %s' % (node, name, r))
            said[name] = r.data.hex() if r.status == GOOD else '%x/%02x/%02x' % r.code
            if name.startswith('luns') and r.status == GOOD:
                # which they are, and in what order
                luns = [r.data[i:i + 8].hex() for i in range(8, len(r.data), 8)]
                said[name] = r.data[:8].hex() + ''.join(sorted(luns))
                if luns != sorted(luns):
                    said[name + '.order'] = ''.join(luns)


def port_files(path):
    """What configfs says of the port's numbers"""
    for name in ('rtpi', 'lun/*/statistics/scsi_port/indx', 'lun/*/statistics/scsi_tgt_port/indx',
                 'lun/*/statistics/scsi_tgt_port/name', 'lun/*/statistics/scsi_tgt_port/port_index',
                 'lun/*/alua_tg_pt_gp'):
        for found in sorted(glob.glob(os.path.join(CFS + path, name))):
            with open(found) as f:
                yield found[len(CFS + path) + 1:], f.read().encode().hex()


def collect(saved, out):
    """Restore, ask, clear."""
    import rtslib_fb as rt

    root = rt.RTSRoot()
    answers = {'restore': {}}
    for refused in root.restore_from_file(saved):
        print('restore: ' + refused)
        answers['restore'][refused] = ''
    with Target() as target:
        target.hbas = 100       # numbers that the restored part does not use
        grouped = more(target)
        for path in sorted(glob.glob(CFS + 'loopback/*/tpgt_*')):
            path = path[len(CFS):]
            where = Tpg.__new__(Tpg)
            where.address = tuple(int(n) for n in read(path + '/address').strip().split(':'))
            answers[path] = dict(port_files(path))
            for lun in sorted(os.listdir(CFS + path + '/lun')):
                dev, = glob.glob('%s%s/lun/%s/*/udev_path' % (CFS, path, lun))
                name = os.path.basename(os.path.realpath(os.path.dirname(dev)))
                key = '%s/%s/%s' % (path.removeprefix('loopback/'), lun, name)
                ask(where.node(int(lun[4:]), 'scsi_generic'), answers.setdefault(key, {}), name in EVERY)
        write(grouped + '/alua_lu_gp', 'NULL')
    root.clear_existing(confirm=True)
    with open(out, 'w') as f:
        json.dump(answers, f, indent=1)
    print('%s: %d LUNs and ports, %d answers' % (out, len(answers), sum(map(len, answers.values()))))


# ---- comparing -------------------------------------------------------------

class Meant:
    """A line of the list."""

    def __init__(self, line, number):
        fields, _, self.reason = line.partition('#')
        self.kernels, self.lun, self.item, self.where, self.stock, self.ours = fields.split()
        self.number, self.used = number, 0
        if not self.reason.strip():
            raise ValueError('line %d has no reason' % number)

    def covers(self, lun, item, where, stock, ours):
        """Is this difference the one that is meant?"""
        if not (fnmatch.fnmatch(lun, self.lun) and fnmatch.fnmatch(item, self.item)):
            return False
        if '-' in self.where:
            first, last = (int(n, 0) for n in self.where.split('-'))
            there = isinstance(where, int) and first <= where <= last
        else:
            there = where == (int(self.where, 0) if self.where[0].isdigit() else self.where)
        return there and fnmatch.fnmatch(stock, self.stock) and fnmatch.fnmatch(ours, self.ours)


def differences(stock, ours):
    """(where, stock, ours): a byte offset and the bytes ('--' beyond the end), or 'answer'"""
    if '/' in stock or '/' in ours:
        if stock != ours:
            yield ('answer', stock if '/' in stock else 'data', ours if '/' in ours else 'data')
        return
    a, b = bytes.fromhex(stock), bytes.fromhex(ours)
    for i in range(max(len(a), len(b))):
        x, y = a[i:i + 1].hex() or '--', b[i:i + 1].hex() or '--'
        if x != y:
            yield i, x, y


def compare(stock_file, ours_file, list_file, kernel):
    """Every answer of the one is the other's, but for what the list says."""
    t = Table('identity')
    with open(stock_file) as f:
        stock = json.load(f)
    with open(ours_file) as f:
        ours = json.load(f)
    with open(list_file) as f:
        meant = [Meant(line, n) for n, line in enumerate(f, 1) if line.strip() and line[0] != '#']
    meant = [m for m in meant if m.kernels in ('all', kernel)]
    # what a restore could not do under the stock target ours may do
    for refused in ours.pop('restore'):
        t.ok(refused in stock['restore'], 'restore: ' + refused)
    stock.pop('restore')
    t.eq(sorted(ours), sorted(stock), 'LUNs and ports')
    for lun in sorted(set(stock) & set(ours)):
        for item in stock[lun] | ours[lun]:
            bad = []
            for where, a, b in differences(stock[lun].get(item, 'none/'), ours[lun].get(item, 'none/')):
                by = [m for m in meant if m.covers(lun, item, where, a, b)]
                for m in by:
                    m.used += 1
                if not by:
                    bad.append('%s: %s, not %s' % (where if isinstance(where, str) else 'byte %#x' % where, b, a))
            t.ok(not bad, '%s %s: %s' % (lun, item, '; '.join(bad[:8])))
    for m in meant:
        t.ok(m.used, 'line %d of the list applies to nothing: %s %s' % (m.number, m.item, m.where))
        print('meant, %4d times: %-12s %s:%s' % (m.used, m.item, m.where, m.reason.rstrip()))
    t.end()


if __name__ == '__main__':
    {'create': create, 'collect': collect, 'compare': compare}[sys.argv[1]](*sys.argv[2:])
