#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Every command against the types of reservation, as holder, registrant and stranger, where nexuses of one initiator
differ by their ISID: the holder and the registrant are two sessions of one name.

    pr_fabrics.py iscsi     LUN 0 of iqn.2026-11.org.lab:t1 on 127.0.0.1:3260, in demo mode
    pr_fabrics.py test      the test fabric (tests/fabric), over a target of its own

Two types; all of them at full counts.
"""
import os
import struct
import sys

import pr_test
import tfab
from iscsi_initiator import Connection
from pr import EARO, TYPES, WE, Pr
from sgio import Device, Result, Sense

NAMES = (('one', 1), ('one', 2), ('other', 1))


class Nexus:
    """What a test of sgio.Device does with one"""
    clear_ua = Device.clear_ua

    def __init__(self, name, isid):
        self.path = '%s,%d' % (name, isid)


class Iscsi(Nexus):
    """A session of our own initiator"""

    def __init__(self, name, isid):
        super().__init__(name, isid)
        self.c = Connection()
        self.c.isid = struct.pack('>I', 0x80123456) + struct.pack('>H', isid)
        self.c.login(name='iqn.2026-11.org.lab:' + name)

    def cmd(self, cdb, data_in=0, data_out=None):
        cdb, out, more = bytes(cdb), bytes(data_out or b''), {}
        if len(cdb) > 16:
            # RFC 7143 11.2.2.3
            more = {'ahs': struct.pack('>HBB', len(cdb) - 15, 1, 0) + cdb[16:]}
            cdb = cdb[:16]
        size = len(out) or data_in
        itt = self.c.command(cdb, size, read=bool(size and not out), write=bool(out), **more)
        status, data, sense, pdu = self.c.finish(itt, out)
        return Result(status, 0, 0, Sense(sense) if sense else None, 0, data)

    def close(self):
        self.c.logout()
        self.c.close()


class Tfab(Nexus):
    """A session of the test fabric"""

    def __init__(self, name, isid):
        super().__init__(name, isid)
        self.s = tfab.Session('t1', 1, name, isid=struct.pack('>IH', 0x80123456, isid))

    def cmd(self, cdb, data_in=0, data_out=None):
        return self.s.cmd(cdb, din=0 if data_out else data_in, dout=data_out or b'')

    def close(self):
        self.s.close()


def run(kind):
    nexuses = [Pr(kind(*who), 0xabc0 + n) for n, who in enumerate(NAMES)]
    for who in nexuses:
        who.dev.clear_ua()
    a, b, c = nexuses
    for who in (a, b):
        pr_test.t.good(who.register(), 'REGISTER of two sessions of one name')
    # each is one by itself: neither takes the place of the other
    pr_test.t.eq(sorted(a.keys()[1]), [a.key, b.key], 'keys')
    pr_test.conflicts(a, b, c, types=TYPES if pr_test.LONG else (WE, EARO))
    for who in nexuses:
        who.dev.close()


def main():
    if sys.argv[1] == 'iscsi':
        run(Iscsi)
    else:
        dev = tfab.make_rd('pr', pages=256, emulate_tpu=1)
        tfab.write('core/%s/wwn/vpd_unit_serial' % dev, pr_test.SERIAL)
        tpg = tfab.Tpg(demo='rw').enable()
        tpg.lun(0, dev)
        run(Tfab)
        tpg.destroy()
        tfab.del_dev(dev)
        os.rmdir(os.path.join(tfab.ROOT, 'test'))
    pr_test.t.end()


main()
