#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Which functions make the difference between two profiles of `make bench`.

    diff.py PROFILE PROFILE [LINES]

Instructions per I/O that the second has more, function by function; then what the first has.
"""
import sys


def read(path):
    """function [module] -> instructions, calls"""
    found = {}
    with open(path, encoding='ascii') as f:
        for line in f:
            words = line.split()
            if len(words) == 4 and words[3].startswith('['):
                found[words[2] + ' ' + words[3]] = float(words[0]), float(words[1])
    return found


def main():
    before, after = read(sys.argv[1]), read(sys.argv[2])
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 40
    none = 0.0, 0.0
    rows = sorted(((after.get(n, none)[0] - before.get(n, none)[0], n)
                   for n in before.keys() | after.keys()), reverse=True)
    print('%10.1f in all' % sum(more for more, _ in rows))
    for more, name in rows[:count] + [r for r in rows[-count // 4:] if r[0] < 0]:
        print('%10.1f %s: %.2f -> %.2f calls' % (
            more, name, before.get(name, none)[1], after.get(name, none)[1]))


main()
