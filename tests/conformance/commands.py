# SPDX-License-Identifier: GPL-2.0-only
"""Every command that a device may report, as one that does as little as it can, and what
reservations do to it: written from the standards' tables, for tests to compare with."""
import struct

from pr import prin

# ---- which command under which reservation ---------------------------------
#
# SPC-4 table 67 and SBC-4 table 13. For a nexus that the reservation keeps out:
#   A  allowed under Write Exclusive and Exclusive Access types
#   R  allowed under Write Exclusive types, conflicts under Exclusive Access types
#   C  conflicts under both
# (opcode, service action or None) -> class, CDB, data-in, data-out
def be(n, size):
    return list(n.to_bytes(size, 'big'))


BLOCK = bytes(512)
UNMAP_LIST = struct.pack('>HH4xQI4x', 22, 16, 8, 1)


def long(sa, n=1):
    """A 32 byte CDB"""
    return [0x7f] + [0] * 6 + [0x18, 0, sa] + [0] * 10 + [0] * 8 + be(n, 4)


COMMANDS = {
    (0x00, None): ('A', [0] * 6, 0, None),
    (0x01, None): ('R', [1] + [0] * 5, 0, None),
    (0x03, None): ('A', [3, 0, 0, 0, 18, 0], 18, None),
    (0x08, None): ('R', [8, 0, 0, 0, 1, 0], 512, None),
    (0x0a, None): ('C', [0x0a, 0, 0, 0, 1, 0], 0, BLOCK),
    (0x04, None): ('C', [4] + [0] * 5, 0, None),
    (0x0b, None): ('R', [0x0b] + [0] * 5, 0, None),
    (0x12, None): ('A', [0x12, 0, 0, 0, 36, 0], 36, None),
    (0x15, None): ('C', [0x15, 0x10, 0, 0, 0, 0], 0, None),
    (0x1a, None): ('R', [0x1a, 0, 0x3f, 0, 192, 0], 192, None),
    (0x1b, None): ('A', [0x1b, 0, 0, 0, 1, 0], 0, None),
    (0x1b, 'stop'): ('C', [0x1b, 0, 0, 0, 0, 0], 0, None),
    (0x1b, 'load'): ('A', [0x1b, 0, 0, 0, 3, 0], 0, None),
    (0x1b, 'eject'): ('C', [0x1b, 0, 0, 0, 2, 0], 0, None),
    (0x1e, None): ('A', [0x1e, 0, 0, 0, 0, 0], 0, None),
    (0x1e, 'prevent'): ('C', [0x1e, 0, 0, 0, 1, 0], 0, None),
    (0x1c, None): ('C', [0x1c, 1, 0, 0, 64, 0], 64, None),
    (0x1d, None): ('C', [0x1d, 4, 0, 0, 0, 0], 0, None),
    (0x25, None): ('A', [0x25] + [0] * 9, 8, None),
    (0x28, None): ('R', [0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0], 512, None),
    (0x2a, None): ('C', [0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0], 0, BLOCK),
    (0x2b, None): ('R', [0x2b] + [0] * 9, 0, None),
    (0x2e, None): ('C', [0x2e, 0, 0, 0, 0, 0, 0, 0, 1, 0], 0, BLOCK),
    (0x2f, None): ('R', [0x2f, 0, 0, 0, 0, 0, 0, 0, 1, 0], 0, None),
    (0x34, None): ('R', [0x34, 0, 0, 0, 0, 0, 0, 0, 1, 0], 0, None),
    (0x35, None): ('C', [0x35] + [0] * 9, 0, None),
    (0x37, None): ('R', [0x37, 0, 0x18 | 5, 0, 0, 0, 0, 0, 8, 0], 8, None),
    (0x3b, None): ('C', [0x3b, 0x0a] + [0] * 6 + [4, 0], 0, bytes(4)),
    (0x3c, None): ('C', [0x3c, 0x0b] + [0] * 6 + [4, 0], 4, None),
    (0x41, None): ('C', [0x41, 0, 0, 0, 0, 0, 0, 0, 1, 0], 0, BLOCK),
    (0x42, None): ('C', [0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0], 0, UNMAP_LIST),
    (0x48, 1): ('C', [0x48, 1] + [0] * 6 + [8, 0], 0, bytes([1, 0, 0, 4]) + b'wipe'),
    (0x48, 2): ('C', [0x48, 2] + [0] * 8, 0, None),
    (0x48, 0x1f): ('C', [0x48, 0x1f] + [0] * 8, 0, None),
    (0x4c, None): ('C', [0x4c, 0, 0, 0, 0, 0, 0, 0, 0, 0], 0, None),
    (0x4d, None): ('A', [0x4d, 0, 0x40, 0, 0, 0, 0, 0, 64, 0], 64, None),
    (0x55, None): ('C', [0x55, 0x10] + [0] * 8, 0, None),
    (0x5a, None): ('R', [0x5a, 0, 0x3f, 0, 0, 0, 0, 0, 192, 0], 192, None),
    (0x5e, 0): ('A', prin(0, 64), 64, None),
    (0x5e, 1): ('A', prin(1, 64), 64, None),
    (0x5e, 2): ('A', prin(2, 64), 64, None),
    (0x5e, 3): ('A', prin(3, 64), 64, None),
    (0x7f, 0x09): ('R', long(0x09), 512, None),
    (0x7f, 0x0a): ('R', long(0x0a), 0, None),
    (0x7f, 0x0b): ('C', long(0x0b), 0, BLOCK),
    (0x7f, 0x0c): ('C', long(0x0c), 0, BLOCK),
    (0x7f, 0x0d): ('C', long(0x0d), 0, BLOCK),
    (0x7f, 0x12): ('R', long(0x12, 24), 24, None),
    (0x83, 0): ('C', [0x83] + [0] * 15, 0, None),
    (0x83, 0x01): ('C', [0x83, 0x01] + [0] * 14, 0, None),
    (0x83, 0x10): ('R', [0x83, 0x10] + [0] * 14, 0, None),
    (0x83, 0x11): ('C', [0x83, 0x11] + [0] * 14, 0, None),
    (0x83, 0x1c): ('C', [0x83, 0x1c] + [0xff] * 4 + [0] * 10, 0, None),
    (0x84, 0): ('C', [0x84] + [0] * 12 + [32, 0, 0], 32, None),
    (0x84, 3): ('C', [0x84, 3] + [0] * 11 + [64, 0, 0], 64, None),
    (0x84, 0x05): ('C', [0x84, 0x05] + [0xff] * 4 + [0] * 7 + [64, 0, 0], 64, None),
    (0x84, 0x07): ('C', [0x84, 0x07] + [0xff] * 4 + [0] * 7 + [64, 0, 0], 64, None),
    (0x84, 0x08): ('C', [0x84, 0x08] + [0] * 11 + [64, 0, 0], 64, None),
    (0x88, None): ('R', [0x88] + [0] * 8 + be(1, 5) + [0, 0], 512, None),
    (0x89, None): ('C', [0x89] + [0] * 12 + [1, 0, 0], 0, 2 * BLOCK),
    (0x8a, None): ('C', [0x8a] + [0] * 8 + be(1, 5) + [0, 0], 0, BLOCK),
    (0x8b, None): ('C', [0x8b] + [0] * 8 + be(1, 5) + [0, 0], 0, BLOCK),
    (0x8e, None): ('C', [0x8e] + [0] * 8 + be(1, 5) + [0, 0], 0, BLOCK),
    (0x8f, None): ('R', [0x8f] + [0] * 8 + be(1, 5) + [0, 0], 0, None),
    (0x90, None): ('R', [0x90] + [0] * 8 + be(1, 5) + [0, 0], 0, None),
    (0x91, None): ('C', [0x91] + [0] * 15, 0, None),
    (0x93, None): ('C', [0x93] + [0] * 8 + be(1, 5) + [0, 0], 0, BLOCK),
    (0x9c, None): ('C', [0x9c] + [0] * 11 + [0, 1, 0, 0], 0, BLOCK),
    (0x9e, 0x10): ('A', [0x9e, 0x10] + [0] * 11 + [32, 0, 0], 32, None),
    (0x9e, 0x12): ('R', [0x9e, 0x12] + [0] * 11 + [32, 0, 0], 32, None),
    (0x9e, 0x13): ('A', [0x9e, 0x13] + [0] * 11 + [32, 0, 0], 32, None),
    (0xa0, None): ('A', [0xa0] + [0] * 8 + [64, 0, 0], 64, None),
    (0xa3, 0x05): ('A', [0xa3, 0x05] + [0] * 7 + [64, 0, 0], 64, None),
    (0xa3, 0x0a): ('A', [0xa3, 0x0a] + [0] * 7 + [64, 0, 0], 64, None),
    (0xa3, 0x0c): ('R', [0xa3, 0x0c] + [0] * 7 + [64, 0, 0], 64, None),
    (0xa3, 0x0d): ('R', [0xa3, 0x0d] + [0] * 7 + [16, 0, 0], 16, None),
    (0xa3, 0x0f): ('A', [0xa3, 0x0f] + [0] * 7 + [12, 0, 0], 12, None),
    (0xa4, 0x06): ('C', [0xa4, 0x06] + [0] * 10, 0, None),
    (0xa4, 0x0a): ('C', [0xa4, 0x0a] + [0] * 10, 0, None),
    (0xa4, 0x0f): ('C', [0xa4, 0x0f] + [0] * 10, 0, None),
    (0xa8, None): ('R', [0xa8] + [0] * 8 + [1, 0, 0], 512, None),
    (0xaa, None): ('C', [0xaa] + [0] * 8 + [1, 0, 0], 0, BLOCK),
    (0xae, None): ('C', [0xae] + [0] * 8 + [1, 0, 0], 0, BLOCK),
    (0xb7, None): ('R', [0xb7, 0x18 | 5] + [0] * 7 + [8, 0, 0], 8, None),
    (0xaf, None): ('R', [0xaf] + [0] * 8 + [1, 0, 0], 0, None),
}
COMMANDS = {k: (c, ([0xaa, 0] + be(0, 4) + be(1, 4) + [0, 0]) if k[0] == 0xaa else cdb, i, o)
            for k, (c, cdb, i, o) in COMMANDS.items()}
for op in (0xa8, 0xae, 0xaf):
    c, _, i, o = COMMANDS[op, None]
    COMMANDS[op, None] = (c, [op, 0] + be(0, 4) + be(1, 4) + [0, 0], i, o)
for op in (0x88, 0x8a, 0x8b, 0x8e, 0x8f, 0x90, 0x93):
    c, _, i, o = COMMANDS[op, None]
    COMMANDS[op, None] = (c, [op, 0] + be(0, 8) + be(1, 4) + [0, 0], i, o)

# What they name is not there: carried out as far as that
UNKNOWN = {(0x83, 0x1c), (0x84, 0), (0x84, 0x05), (0x84, 0x07)}

# Rows that decide by themselves: tested on their own below
OWN = {(0x5f, sa) for sa in range(9)} | {(o, None) for o in (0x16, 0x17, 0x56, 0x57)}
# SPC-2 table 10: allowed while somebody else has sent RESERVE
SPC2_ALLOWED = {(0x03, None), (0x12, None), (0xa0, None), (0x25, None), (0x9e, 0x10), (0x4d, None),
                (0x1b, None)}

# Of a unit whose medium can be taken out, and of one with a map of blocks (lba_map)
REMOVABLE = {(0x1b, 'load'), (0x1b, 'eject'), (0x1e, None), (0x1e, 'prevent')}
REFERRALS = {(0x9e, 0x13)}
# What undoes it, for the next command
UNDO = {(0x1b, 'stop'): (0x1b, None), (0x1b, 'eject'): (0x1b, 'load'), (0x1e, 'prevent'): (0x1e, None)}


def rows(t, dev, own=OWN, removable=False, referrals=False):
    """The table as far as it is of this device, which reports just that"""
    mine = set(COMMANDS) | own
    mine -= (set() if removable else REMOVABLE) | (set() if referrals else REFERRALS)
    known = set(supported(dev))
    plain = {row for row in mine if not isinstance(row[1], str)}
    t.eq(sorted(known - plain, key=str), [], 'commands reported that the table does not have')
    t.eq(sorted(plain - known, key=str), [], 'commands of the table that are not reported')
    return [(row, COMMANDS[row]) for row in sorted(mine & set(COMMANDS), key=str)]


def send(dev, row):
    """One of them"""
    return dev.cmd(row[1][1], data_in=row[1][2], data_out=row[1][3])


def supported(dev):
    """(opcode, service action) of every command of the device, by REPORT SUPPORTED OPERATION CODES"""
    r = dev.cmd([0xa3, 0x0c, 0, 0, 0, 0] + be(8192, 4) + [0, 0], data_in=8192)
    data = r.data
    for at in range(4, 4 + struct.unpack('>I', data[:4])[0], 8):
        has_sa = data[at + 5] & 1
        yield data[at], struct.unpack('>H', data[at + 2:at + 4])[0] if has_sa else None
