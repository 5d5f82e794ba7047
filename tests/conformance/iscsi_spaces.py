#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""One of several initiators, each with a unit of its own and one that all of them read.

    iscsi_spaces.py HOST NAME NUMBER FILE

Writes and verifies until FILE is there, makes FILE.begun when it has begun; then prints how many blocks, and the longest wait for one.
"""
import os
import random
import struct
import sys
import time

from iscsi_initiator import Connection

BLOCKS, RUN = 4096, 16


def pattern(number, lba, generation):
    """Sixteen blocks that tell whose they are, where they belong and how old they are"""
    return b''.join(struct.pack('>IIQ', number, lba + i, generation) * 32 for i in range(RUN))


def luns(c):
    """Of REPORT LUNS"""
    itt = c.command(struct.pack('>B5xIBB', 0xa0, 64, 0, 0), 64, read=True)
    status, data, _, _ = c.finish(itt)
    assert status == 0
    n = struct.unpack('>I', data[:4])[0] // 8
    return [struct.unpack('>H', data[8 + 8 * i:10 + 8 * i])[0] for i in range(n)]


def main():
    host, name, number, enough = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
    c = Connection(host, timeout=60)
    c.login(name=name, ImmediateData='Yes', InitialR2T='Yes' if number % 2 else 'No')
    assert luns(c) == [0, 1], luns(c)
    for lun in (0, 1):
        while c.finish(c.command(bytes(6), lun=lun))[0]:
            pass
    rng, kept, done, longest = random.Random(number), {}, 0, 0
    while not os.path.exists(enough):
        lba = rng.randrange(BLOCKS // RUN) * RUN
        begin = time.monotonic()
        if lba in kept:
            status, data, _, _ = c.read10(lba, RUN)
            assert status == 0 and data == pattern(number, lba, kept[lba]), 'LBA %d is not what was written' % lba
        data = pattern(number, lba, done)
        assert c.write10(lba, data)[0] == 0, 'write'
        kept[lba] = done
        # the unit of all may be read, not written
        itt = c.command(struct.pack('>BBIBHB', 0x28, 0, 0, 0, 1, 0), 512, read=True, lun=1)
        assert c.finish(itt)[:2] == (0, bytes(512)), 'the unit of all'
        itt = c.command(struct.pack('>BBIBHB', 0x2a, 0, 0, 0, 1, 0), 512, write=True, lun=1)
        status, _, sense, _ = c.finish(itt, bytes(512))
        assert status == 2 and sense[2] & 15 == 7, 'a write to the unit of all: %d' % status
        longest = max(longest, time.monotonic() - begin)
        done += 1
        if done == 6:
            open(enough + '.begun', 'w').close()
    for lba, generation in kept.items():
        status, data, _, _ = c.read10(lba, RUN)
        assert status == 0 and data == pattern(number, lba, generation), 'LBA %d at the end' % lba
    assert c.logout() == 0
    print('%d %.2f' % (done, longest))


main()
