#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A ramdisk larger than memory: rd_memory_test.py DEVICE CACHED

DEVICE unmaps; CACHED is a disk to fill the page cache from. Writes succeed while memory can be had by
waiting, then end with SPACE ALLOCATION FAILED, what was written stays, UNMAP makes room.
"""
import os
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from sgio import Device, Table, GOOD, SPACE_ALLOC_FAILED

STEP = 1024     # blocks of a write
MISSES = 20     # writes in a row that must all be refused once memory is used up


def meminfo(name):
    with open('/proc/meminfo') as f:
        return next(int(line.split()[1]) for line in f if line.startswith(name + ':')) * 1024


def pattern(i):
    return struct.pack('>Q', i * 0x9e3779b97f4a7c15 & 2 ** 64 - 1) * (STEP * 512 // 8)


def write(dev, i):
    return dev.cmd(struct.pack('>BBQIBB', 0x8a, 0, i * STEP, STEP, 0, 0), data_out=pattern(i))


def read(dev, i):
    return dev.cmd(struct.pack('>BBQIBB', 0x88, 0, i * STEP, STEP, 0, 0), data_in=STEP * 512)


def main():
    dev = Device(sys.argv[1])
    t = Table('rd memory')
    dev.clear_ua()
    total, before = meminfo('MemTotal'), meminfo('MemAvailable')
    # open to the end: the last to close a disk takes its pages out of the cache
    cached = open(sys.argv[2], 'rb')
    while cached.read(1 << 20):
        pass
    t.ok(meminfo('MemFree') < before / 2, 'the page cache is full')

    n = 0
    while n * STEP * 512 < 2 * total:
        r = write(dev, n)
        if r.status != GOOD:
            break
        n += 1
    t.bad(r, SPACE_ALLOC_FAILED, 'write %d' % n)
    print('%d MiB written, %d MiB were available' % (n * STEP * 512 >> 20, before >> 20))
    t.ok(n * STEP * 512 > before / 2, 'most of what was available was used')
    # Room made by reclaim meanwhile may let a few more through, never all of them.
    refused = sum(write(dev, n + i).code == SPACE_ALLOC_FAILED for i in range(MISSES))
    t.ok(refused > 0, 'refused again')
    t.good(write(dev, 0), 'what has its pages can be written again')
    for i in range(0, n, 7):
        r = read(dev, i)
        t.ok(r.status == GOOD and r.data == pattern(i), 'block %d was kept' % i)

    left = meminfo('MemAvailable')
    for i in range(0, n + MISSES, 1024):
        body = struct.pack('>QII', i * STEP, 1024 * STEP, 0)
        p = struct.pack('>HHI', len(body) + 6, len(body), 0) + body
        t.good(dev.cmd(struct.pack('>BBIBHB', 0x42, 0, 0, 0, len(p), 0), data_out=p), 'UNMAP')
    t.ok(read(dev, 5).data == bytes(STEP * 512), 'unmapped blocks are zeros')
    for i in range(64):
        t.good(write(dev, i), 'write %d after UNMAP' % i)
    t.ok(meminfo('MemAvailable') > left + n * STEP * 512 / 2, 'UNMAP gave memory back')
    cached.close()
    t.end()


main()
