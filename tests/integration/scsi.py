#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""scsi.py DEVICE OP...: commands by SG_IO, a line of outcome for each

    tur                 TEST UNIT READY
    cap                 READ CAPACITY(16)           good BLOCKS LENGTH
    read:LBA:N          READ(16)                    good HEX if all bytes are the same, else good mixed
    write:LBA:N:BYTE    WRITE(16) of that byte; writefua: with FUA
    fill:LBA:N:BYTE     writes of N blocks from LBA on until one fails: LBA OUTCOME
    zero:LBA:N          WRITE SAME(16) of a zero block; free: with UNMAP
    same:LBA:N:BYTE     WRITE SAME(16) of a block of that byte
    unmap:LBA:N         UNMAP
    status:LBA          GET LBA STATUS(16)          good, and LBA+N=PROVISIONING of each extent
    fetch:LBA:N         PRE-FETCH(16)
    sync                SYNCHRONIZE CACHE(16)
    raw:CDB             any other command without data, in hexadecimal

A failure is KEY/ASC/ASCQ, with "info HEX" when INFORMATION is valid, or "status HEX".
"""
import os
import struct
import sys

sys.path.insert(0, '/tcm/tests/conformance')
from sgio import Device  # noqa: E402

READ, WRITE, SAME, SYNC, FETCH = 0x88, 0x8a, 0x93, 0x91, 0x90


def cdb16(op, flags, lba, blocks):
    return struct.pack('>BBQIBB', op, flags, lba, blocks, 0, 0)


def outcome(r):
    if r.sense:
        return str(r.sense)
    return 'status %#04x host %#x' % (r.status, r.host) if r.status or r.host else 'good'


def run(dev, block, op):
    name, *args = op.split(':')
    if name == 'raw':
        return outcome(dev.cmd(bytes.fromhex(args[0]), timeout=120))
    n = [int(a, 0) for a in args]
    if name == 'tur':
        return outcome(dev.cmd([0] * 6))
    if name == 'cap':
        r = dev.cmd(bytes([0x9e, 0x10]) + struct.pack('>QIBB', 0, 32, 0, 0), data_in=32)
        if r.sense or r.status:
            return outcome(r)
        last, length = struct.unpack('>QI', r.data[:12])
        return 'good %d %d' % (last + 1, length)
    if name == 'read':
        r = dev.cmd(cdb16(READ, 0, n[0], n[1]), data_in=n[1] * block)
        if r.sense or r.status:
            return outcome(r)
        return 'good %s' % ('%02x' % r.data[0] if r.data == r.data[:1] * len(r.data) else 'mixed')
    if name in ('write', 'writefua'):
        return outcome(dev.cmd(cdb16(WRITE, 8 if name == 'writefua' else 0, n[0], n[1]),
                               data_out=bytes([n[2]]) * (n[1] * block)))
    if name == 'fill':
        got = 'good'
        while got == 'good':
            got = run(dev, block, 'write:%d:%d:%d' % tuple(n))
            n[0] += n[1]
        return '%d %s' % (n[0] - n[1], got)
    if name in ('zero', 'free', 'same'):
        return outcome(dev.cmd(cdb16(SAME, 8 if name == 'free' else 0, n[0], n[1]),
                               data_out=bytes([n[2] if name == 'same' else 0]) * block))
    if name == 'unmap':
        param = struct.pack('>HHIQII', 22, 16, 0, n[0], n[1], 0)
        return outcome(dev.cmd(struct.pack('>BBIBHB', 0x42, 0, 0, 0, len(param), 0), data_out=param))
    if name == 'status':
        r = dev.cmd(bytes([0x9e, 0x12]) + struct.pack('>QIBB', n[0], 264, 0, 0), data_in=264)
        if r.sense or r.status:
            return outcome(r)
        extents = struct.iter_unpack('>QIB3x', r.data[8:4 + struct.unpack('>I', r.data[:4])[0]])
        return ' '.join(['good'] + ['%d+%d=%d' % extent for extent in extents])
    if name == 'fetch':
        return outcome(dev.cmd(cdb16(FETCH, 0, n[0], n[1])))
    if name == 'sync':
        return outcome(dev.cmd(cdb16(SYNC, 0, 0, 0)))
    raise SystemExit('no such command: ' + name)


def main():
    disk = '/sys/class/block/' + os.path.basename(sys.argv[1])
    # not the disk itself: to open it is to make the sd driver send commands
    dev = Device('/dev/' + os.listdir(disk + '/device/scsi_generic')[0])
    with open(disk + '/queue/logical_block_size') as f:
        block = int(f.read())
    for op in sys.argv[2:]:
        print(run(dev, block, op), flush=True)


main()
