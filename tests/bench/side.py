#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tables of what scripts/bench measures beside instructions per I/O, as they come and as
scale.md, targetctl.md and smp.md.

    side.py scale|targetctl|smp FOLDER KERNEL...
"""
import collections
import os
import sys


def lines(path):
    with open(path, encoding='ascii') as f:
        return [line.rstrip('\n').split('\t') for line in f]


def by_step(folder, kernel, kind):
    """Figures of each step: what -> whose -> [...]"""
    found = collections.defaultdict(dict)
    for whose, what, *figures in lines(os.path.join(folder, '%s-%s' % (kernel, kind), kind + '.tsv')):
        found[what][whose] = figures
    return found


def scale(folder, kernels):
    out = []
    for kernel in kernels:
        found = by_step(folder, kernel, 'scale')
        out += ['## %s' % kernel, '', '| | stock, s | ours, s | bytes each, own: stock | ours '
                '| configfs: stock | ours | other: stock | ours |', '|' + '---|' * 9]
        for what, by in found.items():
            s, o = by.get('stock', ['-'] * 4), by.get('ours', ['-'] * 4)
            out.append('| %s | %s | %s | %s |' % (what, s[0], o[0], ' | '.join(
                '%s | %s' % pair for pair in zip(s[1:], o[1:]))))
        out.append('')
    return out


def targetctl(folder, kernels):
    out = []
    for kernel in kernels:
        out += ['## %s' % kernel, '', '| | stock, s | ours, s |', '|---|---|---|']
        for what, by in by_step(folder, kernel, 'targetctl').items():
            out.append('| %s | %s | %s |' % (what, by.get('stock', '-')[0], by.get('ours', '-')[0]))
        out.append('')
    return out


def smp(folder, kernels):
    out = []
    for kernel in kernels:
        out += ['## %s' % kernel, '', '| CPUs | path | jobs | LUNs | ours/stock | stock: growth '
                '| ours: growth |', '|' + '---|' * 7]
        for cpus in ('2', '4'):
            sums = collections.Counter()
            measured = os.path.join(folder, '%s-smp%s' % (kernel, cpus), 'smp.tsv')
            for target, path, jobs, luns, rate in lines(measured) if os.path.exists(measured) else []:
                sums[target, path, int(jobs), int(luns)] += int(rate)
            for target, path, jobs, luns in sums:
                if target != 'ours':
                    continue
                ours, stock = (sums[t, path, jobs, luns] for t in ('ours', 'stock'))
                out.append('| %s | %s | %d | %d | %.2f | %.2f | %.2f |' % (
                    cpus, path, jobs, luns, ours / stock, stock / sums['stock', path, 1, 1],
                    ours / sums['ours', path, 1, 1]))
        out.append('')
    return out


def main():
    what, folder, kernels = sys.argv[1], sys.argv[2], sys.argv[3:]
    text = '\n'.join({'scale': scale, 'targetctl': targetctl, 'smp': smp}[what](folder, kernels))
    with open(os.path.join(folder, what + '.md'), 'w', encoding='ascii') as f:
        f.write(text + '\n')
    print(text)


main()
