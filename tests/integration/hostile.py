#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""hostile.py SG DISK HBA TPG COUNT [SEED]: random CDBs, random configuration, and I/O, together.

One thread sends COUNT CDBs to SG: half of them random bytes, half what the device says it supports,
with bits turned; every one of them is answered, and the device still does what it should at the end. Two
threads make, write and remove what is below HBA and TPG as it comes; every errno is fine, no hang
is. One thread reads and writes DISK. The same SEED makes the same choices.
"""
import os
import random
import struct
import sys
import threading
import time
import traceback

sys.path.insert(0, '/tcm/tests/conformance')
from sgio import Device  # noqa: E402

STATUSES = {0x00, 0x02, 0x08, 0x18, 0x28, 0x30, 0x40}
TEXTS = ('0', '1', '2', '4096', '-1', '4294967295', '99999999999999999999', '', '\n', 'x' * 300, '\xc3',
         'a=b,c', 'rd_pages=1', 'NULL', '0x7fffffff', '1 1\n0 1 1:O\n')


def supported(dev):
    """(service action or None, CDB usage data) of each row of REPORT SUPPORTED OPERATION CODES"""
    def ask(option, opcode=0, action=0, size=16384):
        return dev.cmd(struct.pack('>BBBBHIBB', 0xa3, 0x0c, option, opcode, action, size, 0, 0), data_in=size).data
    data, rows = ask(0), []
    for at in range(4, 4 + struct.unpack('>I', data[:4])[0], 8):
        opcode, action, flags = struct.unpack('>BxHxB', data[at:at + 6])
        one = ask(1 + (flags & 1), opcode, action, 64)
        rows.append((action if flags & 1 else None, one[4:4 + one[3]]))
    return rows


def cdb_length(opcode):
    return 32 if opcode == 0x7f else (6, 10, 10, 16, 16, 12, 12, 16)[opcode >> 5]


class Storm:
    def __init__(self, count, seed):
        self.count, self.seed = count, seed
        self.over = threading.Event()
        self.done = {'cdbs': 0, 'good': 0, 'refused': 0, 'changes': 0, 'errnos': 0, 'io': 0}
        self.failed = []

    def rng(self, name):
        return random.Random('%s %s' % (self.seed, name))

    def one_cdb(self, rng, rows):
        if rng.random() < .2:
            opcode = rng.randrange(256)
            return bytes([opcode]) + rng.randbytes(cdb_length(opcode) - 1)
        # what the device looks at, mostly zeros, and now and then a bit that it should not be given
        action, usage = rng.choice(rows)
        cdb = bytearray(rng.randrange(256) & used if rng.random() < .3 else 0 for used in usage)
        cdb[0] = usage[0]
        if usage[0] == 0x7f:
            struct.pack_into('>BH', cdb, 7, 24, action)
        elif action is not None:
            cdb[1] = cdb[1] & 0xe0 | action
        if rng.random() < .2:
            cdb[rng.randrange(1, len(cdb))] ^= 1 << rng.randrange(8)
        return bytes(cdb)

    def cdbs(self, path):
        rng = self.rng('cdbs')
        with Device(path) as dev:
            rows = supported(dev)
            assert len(rows) > 60, rows
            for _ in range(self.count):
                if self.over.is_set():
                    break
                cdb = self.one_cdb(rng, rows)
                size = rng.choice((0, 8, 96, 512, 4096))
                if rng.random() < .5:
                    r = dev.cmd(cdb, data_in=size)
                else:
                    r = dev.cmd(cdb, data_out=rng.randbytes(size))
                self.done['cdbs'] += 1
                self.done['good' if not r.status else 'refused'] += 1
                if r.status not in STATUSES or r.host:
                    self.failed.append('%s: %s' % (cdb.hex(), r))
        self.over.set()

    def change(self, rng, hba, tpg):
        name = '%s/s%d' % (hba, rng.randrange(3))
        lun = '%s/lun/lun_%d' % (tpg, rng.choice((5, 300)))
        what = rng.randrange(8)
        if what == 0:
            os.mkdir(name)
            with open(name + '/control', 'w') as f:
                f.write('rd_pages=16')
            with open(name + '/enable', 'w') as f:
                f.write('1')
        elif what == 1:
            os.rmdir(name)
        elif what == 2:
            os.mkdir(lun)
        elif what == 3:
            os.symlink(name, lun + '/link')
        elif what == 4:
            os.unlink(lun + '/link')
        elif what == 5:
            os.rmdir(lun)
        else:
            folder = '%s/%s' % (rng.choice((name, hba + '/disk')),
                                rng.choice(('attrib', 'wwn', 'pr', '.', 'alua/default_tg_pt_gp')))
            files = [f for f in sorted(os.listdir(folder)) if os.path.isfile(folder + '/' + f)]
            if not files:
                return          # it went meanwhile
            path = folder + '/' + rng.choice(files)
            if rng.random() < .5 or path.endswith('/enable'):
                with open(path, 'rb') as f:
                    f.read()
            else:
                with open(path, 'wb') as f:
                    f.write(rng.choice(TEXTS).encode('latin-1'))

    def changes(self, index, hba, tpg):
        rng = self.rng('changes %d' % index)
        while not self.over.is_set():
            try:
                self.change(rng, hba, tpg)
            except OSError:
                self.done['errnos'] += 1
            self.done['changes'] += 1

    def io(self, path):
        rng = self.rng('io')
        fd = os.open(path, os.O_RDWR)
        while not self.over.is_set():
            at = rng.randrange(64) << 12
            try:
                if rng.random() < .5:
                    os.pwrite(fd, rng.randbytes(4096), at)
                    os.fsync(fd)
                else:
                    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
                    os.pread(fd, 4096, at)
            except OSError:
                pass            # the disk may be stopped or shrunk by now
            self.done['io'] += 1
        os.close(fd)

    def tidy(self, hba, tpg):
        for lun in (5, 300):
            path = '%s/lun/lun_%d' % (tpg, lun)
            for entry, do in ((path + '/link', os.unlink), (path, os.rmdir)):
                if os.path.lexists(entry):
                    do(entry)
        for i in range(3):
            if os.path.isdir('%s/s%d' % (hba, i)):
                os.rmdir('%s/s%d' % (hba, i))
        group = hba + '/disk/alua/default_tg_pt_gp/'
        for name, value in (('alua_access_type', '3'), ('trans_delay_msecs', '0'), ('nonop_delay_msecs', '0'),
                            ('alua_support_active_optimized', '1'), ('alua_access_state', '0')):
            with open(group + name, 'w') as f:
                f.write(value)

    def guarded(self, do, *args):
        """What ends one of the threads ends them all, and is a failure."""
        try:
            do(*args)
        except Exception:
            self.failed.append(traceback.format_exc())
            self.over.set()


def main():
    sg, disk, hba, tpg = sys.argv[1:5]
    storm = Storm(int(sys.argv[5]), sys.argv[6] if len(sys.argv) > 6 else '1')
    threads = [threading.Thread(target=storm.guarded, args=args)
               for args in ((storm.cdbs, sg), (storm.changes, 1, hba, tpg), (storm.changes, 2, hba, tpg),
                            (storm.io, disk))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    storm.tidy(hba, tpg)
    with Device(sg) as dev:
        dev.cmd([0x1b, 0, 0, 0, 1, 0])
        dev.clear_ua()
        r = dev.cmd([0x00] * 6)
        end = time.monotonic() + 60
        while r.status and r.code[:2] == (2, 4) and time.monotonic() < end:
            time.sleep(.05)     # it formats or sanitizes
            r = dev.cmd([0x00] * 6)
        if r.status:
            storm.failed.append('not ready at the end: %s' % r)
    print('hostile: seed %s: %s' % (storm.seed, ', '.join('%s %d' % i for i in storm.done.items())))
    for text in storm.failed[:20]:
        print('FAIL: ' + text)
    sys.exit(1 if storm.failed or storm.done['cdbs'] != storm.count else 0)


if __name__ == '__main__':
    main()
