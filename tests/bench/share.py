#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Cache lines that two CPUs have in common while each works on a LUN, or a session, of its own:
those that are written, and that both touch in the target's modules or what these call.

    share.py FOLDER KERNEL...
"""
import bisect
import collections
import os
import sys


class Symbols:
    def __init__(self, path):
        pairs = []
        with open(path, encoding='ascii') as f:
            for line in f:
                address, kind, name, *module = line.split()
                if kind in 'tTwW':
                    pairs.append((int(address, 16), name + (' ' + module[0] if module else '')))
        pairs.sort()
        self.addresses, self.names = [p[0] for p in pairs], [p[1] for p in pairs]

    def name(self, address):
        return self.names[bisect.bisect(self.addresses, address) - 1]


def window(path):
    """Of each line: by whom it is touched, and how often by each CPU"""
    found = collections.defaultdict(lambda: {'by': collections.Counter(), 'ours': [0, 0],
                                             'writes': 0})
    with open(path, encoding='ascii') as f:
        for text in f:
            line, pc, ours, cpu, reads, writes = text.split()
            one = found[int(line, 16)]
            one['by'][int(pc, 16), int(ours)] += int(reads) + int(writes)
            one['ours'][int(cpu)] += (int(reads) + int(writes)) * int(ours)
            one['writes'] += int(writes)
    return found


def shared(found, often):
    for line, one in sorted(found.items()):
        if one['writes'] >= often and min(one['ours']) >= often:
            yield line, one


def main():
    folder = sys.argv[1]
    for kernel in sys.argv[2:]:
        where = os.path.join(folder, kernel + '-share')
        with open(os.path.join(where, 'share.tsv'), encoding='ascii') as f:
            rows = [line.split() for line in f]
        for n, (target, path, luns, sessions, ios, names) in enumerate(rows):
            symbols = Symbols(os.path.join(where, 'kallsyms.' + names))
            found = window(os.path.join(where, 'windows', str(n)))
            # in every fourth I/O of a CPU: less is the clock's interrupt
            often = int(ios) // 8
            lines = list(shared(found, often))
            print('%s %s %s, %s LUNs, %s sessions, %s I/Os: %d lines shared of %d and %d touched' % (
                kernel, target, path, luns, sessions, ios, len(lines),
                *(sum(one['ours'][cpu] >= often for one in found.values()) for cpu in (0, 1))))
            for line, one in lines:
                who = collections.Counter()
                for (pc, ours), count in one['by'].items():
                    who[symbols.name(pc) + ('' if ours else ' (others)')] += count
                print('    %x: %.2f and %.2f accesses, %.2f writes an I/O: %s' % (
                    line, *(2 * n / int(ios) for n in one['ours']), one['writes'] / int(ios),
                    ', '.join(name for name, _ in who.most_common(6))))


main()
