#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Data that outlive a power cycle: what was told to be on the medium is, and nothing that was never written.

    lasting.py storm FOLDER LOG     write until the power goes, and log it
    lasting.py verify FOLDER LOG    what is found is what was acknowledged last, or what was tried since

The files of the units are in FOLDER: of one without a write cache, and of one with it, which is told by FUA or
SYNCHRONIZE CACHE what has to last. A slot is a few blocks that say in each which write they are of; after UNMAP they
are zeros, which are write 0. LOG is on something that power cuts spare.
"""
import itertools
import os
import random
import struct
import sys
from collections import defaultdict

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from copy_test import Unit, blocks, cscd, plist
from odx_test import Info, populate, populate_list, ranges, told, write_list, write_using
from sgio import GOOD, Table
from target import NoDiskDriver, Target

BLOCK, PER_SLOT, SLOTS = 512, 8, 200
UNITS = 'through', 'cached'
FUA = 8


def content(value):
    return struct.pack('>Q', value) * (BLOCK // 8)


def units(tgt, root):
    """Both, with LBPRZ, so that UNMAP and what it leaves can be told"""
    for i, name in enumerate(UNITS):
        dev = tgt.device('fileio', name, 'fd_dev_name=%s/%s,fd_dev_size=8388608' % (root, name),
                         serial='6a1b6a1b-0000-4000-8000-0000000000d%d' % i, emulate_tpu=1, emulate_tpws=1,
                         emulate_write_cache=i)
        yield Unit(tgt.loop('naa.500140500000001%d' % i).lun(0, dev, 'scsi_generic'))


class Log:
    """try: this may be found from now on; ack: only this may"""

    def __init__(self, path):
        self.may = defaultdict(lambda: {0})
        self.last = 0
        if os.path.exists(path):
            with open(path, encoding='ascii') as f:
                for line in f:
                    self._take(*line.split())
        self.file = open(path, 'a', buffering=1, encoding='ascii')

    def _take(self, word, unit, slot, value):
        may = self.may[unit, int(slot)]
        if word == 'ack':
            may.clear()
        may.add(int(value))
        self.last = max(self.last, int(value))

    def say(self, word, unit, slot, value):
        self.file.write('%s %s %d %d\n' % (word, unit, slot, value))
        self._take(word, unit, slot, value)

    def known(self, unit, slot):
        """What the slot is sure to have, None if that may be more than one"""
        may = self.may[unit, slot]
        return next(iter(may)) if len(may) == 1 else None

    def settle(self, path):
        """Write anew, without what is over."""
        with open(path + '.new', 'w', encoding='ascii') as f:
            for (unit, slot), may in self.may.items():
                for word, value in zip(itertools.chain(['ack'], itertools.repeat('try')), sorted(may)):
                    f.write('%s %s %d %d\n' % (word, unit, slot, value))
        os.rename(path + '.new', path)


def lba_of(slot):
    return slot * PER_SLOT


def write10(u, slot, value, flags):
    return u.dev.cmd(struct.pack('>BBIBHB', 0x2a, flags, lba_of(slot), 0, PER_SLOT, 0), data_out=content(value) * PER_SLOT)


def write16(u, slot, value, flags):
    return u.dev.cmd(struct.pack('>BBQIBB', 0x8a, flags, lba_of(slot), PER_SLOT, 0, 0), data_out=content(value) * PER_SLOT)


def write_atomic(u, slot, value, flags):
    return u.dev.cmd(struct.pack('>BBQHHBB', 0x9c, flags, lba_of(slot), 0, PER_SLOT, 0, 0),
                     data_out=content(value) * PER_SLOT)


def write_and_verify(u, slot, value, _):
    return u.dev.cmd(struct.pack('>BBIBHB', 0x2e, 0, lba_of(slot), 0, PER_SLOT, 0), data_out=content(value) * PER_SLOT)


def write_same(u, slot, value, _):
    return u.dev.cmd(struct.pack('>BBQIBB', 0x93, 0, lba_of(slot), PER_SLOT, 0, 0), data_out=content(value))


def write_same_unmap(u, slot, _value, _):
    return u.dev.cmd(struct.pack('>BBQIBB', 0x93, 8, lba_of(slot), PER_SLOT, 0, 0), data_out=bytes(BLOCK))


def unmap(u, slot, _value, _):
    return u.dev.cmd(struct.pack('>BB5xHB', 0x42, 0, 24, 0),
                     data_out=struct.pack('>HH4xQI4x', 22, 16, lba_of(slot), PER_SLOT))


# name: (does it leave zeros?, how)
PLAIN = {'WRITE(10)': (False, write10), 'WRITE(16)': (False, write16), 'WRITE SAME': (False, write_same),
         'WRITE SAME, UNMAP': (True, write_same_unmap), 'UNMAP': (True, unmap), 'WRITE ATOMIC': (False, write_atomic)}
FORCED = {'WRITE(10)': (False, write10), 'WRITE(16)': (False, write16), 'WRITE ATOMIC': (False, write_atomic),
          'WRITE AND VERIFY': (False, write_and_verify)}


class Storm:
    def __init__(self, log, unit, name, rnd):
        self.log, self.unit, self.name, self.rnd = log, unit, name, rnd
        self.n = log.last

    def _good(self, r, what):
        if r.status != GOOD:
            sys.exit('FAIL: %s of %s: %s' % (what, self.name, r))

    def _one(self, what, zeros, how, flags, slot):
        self.n += 1
        value = 0 if zeros else self.n
        self.log.say('try', self.name, slot, value)
        self._good(how(self.unit, slot, value, flags), what)
        return value

    def _ack(self, slot, value):
        self.log.say('ack', self.name, slot, value)

    def alone(self, ways, flags):
        """One write that lasts by itself"""
        what = self.rnd.choice(sorted(ways))
        slot = self.rnd.randrange(SLOTS)
        self._ack(slot, self._one(what, *ways[what], flags, slot))

    def compare(self, flags):
        """COMPARE AND WRITE"""
        slot = self.rnd.randrange(SLOTS)
        old = self.log.known(self.name, slot)
        if old is None:
            return
        self.n += 1
        self.log.say('try', self.name, slot, self.n)
        cdb = struct.pack('>BBQ3xBBB', 0x89, flags, lba_of(slot), PER_SLOT, 0, 0)
        self._good(self.unit.dev.cmd(cdb, data_out=content(old) * PER_SLOT + content(self.n) * PER_SLOT),
                   'COMPARE AND WRITE')
        self._ack(slot, self.n)

    def copy(self, last):
        """EXTENDED COPY or WRITE USING TOKEN of one slot to another; last() makes it last."""
        source, slot = self.rnd.sample(range(SLOTS), 2)
        value = self.log.known(self.name, source)
        if value is None:
            return
        self.log.say('try', self.name, slot, value)
        if self.rnd.randrange(2):
            same = [cscd(self.unit.naa, BLOCK)] * 2
            self._good(self.unit.copy(plist(same, [blocks(PER_SLOT, lba_of(source), lba_of(slot))])), 'EXTENDED COPY')
        else:
            self._good(populate(self.unit, 1, populate_list(ranges((lba_of(source), PER_SLOT)))), 'POPULATE TOKEN')
            token = Info(told(self.unit, 1).data).token
            self._good(write_using(self.unit, 2, write_list(token, ranges((lba_of(slot), PER_SLOT)))), 'WRITE USING TOKEN')
        last()
        self._ack(slot, value)

    def sync(self):
        """SYNCHRONIZE CACHE of all"""
        self._good(self.unit.dev.cmd(struct.pack('>BBIBHB', 0x35, 0, 0, 0, 0, 0)), 'SYNCHRONIZE CACHE(10)')

    def together(self):
        """Some writes that one SYNCHRONIZE CACHE makes last, of all or of just these"""
        slots = self.rnd.sample(range(SLOTS), self.rnd.randrange(1, 9))
        done = []
        for slot in slots:
            what = self.rnd.choice(sorted(PLAIN))
            done.append((slot, self._one(what, *PLAIN[what], 0, slot)))
        first, last = lba_of(min(slots)), lba_of(max(slots) + 1)
        if self.rnd.randrange(2):
            self.sync()
        else:
            self._good(self.unit.dev.cmd(struct.pack('>BBQIBB', 0x91, 0, first, last - first, 0, 0)),
                       'SYNCHRONIZE CACHE(16)')
        for slot, value in done:
            self._ack(slot, value)

    def through(self):
        """What a unit without a write cache does"""
        self.rnd.choice([lambda: self.alone(PLAIN, 0), lambda: self.alone(FORCED, 0), lambda: self.compare(0),
                         lambda: self.copy(lambda: None)])()

    def cached(self):
        """What a unit with a write cache is asked for"""
        self.rnd.choice([self.together, lambda: self.alone(FORCED, FUA), lambda: self.compare(FUA),
                         lambda: self.copy(self.sync)])()


def storm(root, path):
    log = Log(path)
    with NoDiskDriver(), Target() as tgt:
        rnd = random.Random()
        storms = [Storm(log, u, name, rnd) for name, u in zip(UNITS, units(tgt, root))]
        while True:
            storms[0].through()
            storms[1].n = storms[0].n
            storms[1].cached()
            storms[0].n = storms[1].n


def found(t, unit, name, slot, may):
    """Which writes the blocks of the slot are of"""
    data = unit.read(lba_of(slot), PER_SLOT)
    values = set()
    for at in range(0, len(data), BLOCK):
        value = int.from_bytes(data[at:at + 8], 'big')
        values.add(value)
        t.eq(data[at:at + BLOCK], content(value), 'a block of slot %d of %s' % (slot, name))
    t.ok(values <= may, 'slot %d of %s: %r of %r' % (slot, name, sorted(values), sorted(may)))
    return values


def verify(root, path):
    t = Table('lasting')
    log = Log(path)
    with NoDiskDriver(), Target() as tgt:
        for name, unit in zip(UNITS, units(tgt, root)):
            for slot in range(SLOTS):
                log.may[name, slot] = found(t, unit, name, slot, log.may[name, slot])
            unit.dev.close()
    log.settle(path)
    t.end()


def main():
    what, root, path = sys.argv[1:]
    (storm if what == 'storm' else verify)(root, path)


main()
