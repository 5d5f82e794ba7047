#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""hostile.py SG DISK HBA TPG COUNT [SEED]: random CDBs, random configuration, and I/O, together.

One thread sends COUNT CDBs to SG: half of them random bytes, half rows of the table with bits
turned; every one of them is answered, and the device still does what it should at the end. Two
threads make, write and remove what is below HBA and TPG as it comes; every errno is fine, no hang
is. One thread reads and writes DISK. The same SEED makes the same choices.
"""
import os
import random
import sys
import threading
import traceback

sys.path.insert(0, '/tcm/tests/conformance')
from sgio import Device  # noqa: E402

OPCODES = (0x00, 0x03, 0x08, 0x0a, 0x12, 0x15, 0x1a, 0x1b, 0x25, 0x28, 0x2a, 0x2e, 0x2f, 0x35, 0x41,
           0x42, 0x55, 0x5a, 0x88, 0x89, 0x8a, 0x8e, 0x8f, 0x91, 0x93, 0x9e, 0xa0, 0xa3, 0xa8, 0xaa)
STATUSES = {0x00, 0x02, 0x08, 0x18, 0x28, 0x30, 0x40}
TEXTS = ('0', '1', '2', '4096', '-1', '4294967295', '99999999999999999999', '', '\n', 'x' * 300, '\xc3',
         'a=b,c', 'rd_pages=1', 'NULL', '0x7fffffff', '1 1\n0 1 1:O\n')


def cdb_length(opcode):
    return (6, 10, 10, 16, 16, 12, 12, 16)[opcode >> 5]


class Storm:
    def __init__(self, count, seed):
        self.count, self.seed = count, seed
        self.over = threading.Event()
        self.done = {'cdbs': 0, 'good': 0, 'refused': 0, 'changes': 0, 'errnos': 0, 'io': 0}
        self.failed = []

    def rng(self, name):
        return random.Random('%s %s' % (self.seed, name))

    def one_cdb(self, rng):
        opcode = rng.choice(OPCODES) if rng.random() < .8 else rng.randrange(256)
        cdb = bytearray(16)
        cdb[0] = opcode
        if rng.random() < .5:
            cdb[1:] = rng.randbytes(15)
        else:
            for _ in range(rng.randrange(4)):
                cdb[rng.randrange(1, 16)] |= 1 << rng.randrange(8)
        return bytes(cdb[:cdb_length(opcode)])

    def cdbs(self, path):
        rng = self.rng('cdbs')
        with Device(path) as dev:
            for _ in range(self.count):
                if self.over.is_set():
                    break
                cdb = self.one_cdb(rng)
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
        if r.status:
            storm.failed.append('not ready at the end: %s' % r)
    print('hostile: seed %s: %s' % (storm.seed, ', '.join('%s %d' % i for i in storm.done.items())))
    for text in storm.failed[:20]:
        print('FAIL: ' + text)
    sys.exit(1 if storm.failed or storm.done['cdbs'] != storm.count else 0)


if __name__ == '__main__':
    main()
