# SPDX-License-Identifier: GPL-2.0-only
"""PERSISTENT RESERVE IN and OUT, and RESERVE, as CDBs and bytes."""
import struct

(REGISTER, RESERVE, RELEASE, CLEAR, PREEMPT, PREEMPT_ABORT, REGISTER_IGNORE, REGISTER_MOVE,
 REPLACE_LOST) = range(9)
WE, EA, WERO, EARO, WEAR, EAAR = TYPES = 1, 3, 5, 6, 7, 8

RESERVE_6, RELEASE_6 = [0x16, 0, 0, 0, 0, 0], [0x17, 0, 0, 0, 0, 0]
RESERVE_10, RELEASE_10 = [0x56] + [0] * 9, [0x57] + [0] * 9


def prin(sa, alloc=8192):
    return [0x5e, sa, 0, 0, 0, 0, 0, alloc >> 8, alloc & 0xff, 0]


def prout(sa, pr_type=0, scope=0, length=24):
    return [0x5f, sa, scope << 4 | pr_type, 0, 0] + list(struct.pack('>I', length)) + [0]


def plist(key=0, sa_key=0, flags=0, tail=b''):
    """The parameter list of all but REGISTER AND MOVE."""
    return struct.pack('>QQ4xB3x', key, sa_key, flags) + tail


def move_list(key, sa_key, rtpi, tid, flags=0):
    return struct.pack('>QQxBHI', key, sa_key, flags, rtpi, len(tid)) + tid


def sas_tid(address):
    return bytes([6, 0, 0, 0]) + struct.pack('>Q', address) + bytes(12)


def fcp_tid(address):
    return bytes(8) + struct.pack('>Q', address) + bytes(8)


def srp_tid(ident):
    return bytes([4]) + bytes(7) + ident.to_bytes(16, 'big')


def sbp_tid(eui):
    return bytes([3]) + bytes(7) + struct.pack('>Q', eui) + bytes(8)


def iscsi_tid(name, isid=None):
    text = (name + (',i,0x%012x' % isid if isid is not None else '')).encode()
    text = text.ljust(max(20, (len(text) + 4) // 4 * 4), b'\0')
    return bytes([0x45 if isid is not None else 5, 0]) + struct.pack('>H', len(text)) + text


class Pr:
    """One I_T nexus: its device, and the key it uses."""

    def __init__(self, dev, key):
        self.dev, self.key = dev, key

    def out(self, sa, pr_type=0, key=None, sa_key=0, flags=0, tail=b'', scope=0):
        data = plist(self.key if key is None else key, sa_key, flags, tail)
        return self.dev.cmd(prout(sa, pr_type, scope, len(data)), data_out=data)

    def register(self, flags=0):
        return self.out(REGISTER_IGNORE, key=0, sa_key=self.key, flags=flags)

    def move(self, sa_key, rtpi, tid, flags=0, key=None):
        data = move_list(self.key if key is None else key, sa_key, rtpi, tid, flags)
        return self.dev.cmd(prout(REGISTER_MOVE, length=len(data)), data_out=data)

    def read(self, sa, alloc=8192):
        return self.dev.cmd(prin(sa, alloc), data_in=alloc)

    def keys(self):
        """(generation, keys)"""
        data = self.read(0).data
        generation, length = struct.unpack('>II', data[:8])
        return generation, list(struct.unpack('>%dQ' % (length // 8), data[8:8 + length]))

    def generation(self):
        return struct.unpack('>I', self.read(0).data[:4])[0]

    def reservation(self):
        """(key, type), or None"""
        data = self.read(1).data
        length = struct.unpack('>I', data[4:8])[0]
        if not length:
            return None
        return struct.unpack('>Q', data[8:16])[0], data[21]

    def full(self):
        """[(key, all_tg_pt, holder, type, rtpi, TransportID)]"""
        data = self.read(3).data
        end, at, found = 8 + struct.unpack('>I', data[4:8])[0], 8, []
        while at < end:
            size = struct.unpack('>I', data[at + 20:at + 24])[0]
            found.append((struct.unpack('>Q', data[at:at + 8])[0], bool(data[at + 12] & 2),
                          bool(data[at + 12] & 1), data[at + 13],
                          struct.unpack('>H', data[at + 18:at + 20])[0],
                          data[at + 24:at + 24 + size]))
            at += 24 + size
        return found

    def reset(self):
        """Nothing is registered or reserved, no unit attention waits (here)."""
        self.register()
        self.out(CLEAR)
