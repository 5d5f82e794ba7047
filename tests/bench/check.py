#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The figures of scripts/bench against tests/bench/baseline.

    check.py --check|--update FOLDER KERNEL...

Instructions per I/O, whole and of our modules, may differ by 2 %, what is counted by the I/O
by 0.05. Over TCP who wakes whom first decides on acknowledgements and wake-ups, and that shifts with the
length of the window: there the whole may differ by 5 %, counts by 10 %, or 30 % of large ones,
what our modules execute by 2 % all the same. Both ways: a baseline that is beaten hides the next
loss. A row that is out of line is measured once more, and fails if it is slow then, or faster than
the baseline both times.
"""
import os
import sys

import report

BASELINE = os.path.join(report.HERE, 'baseline')
TOLERANCE = 0.02
JOURNAL = {'instructions': 0.05, 'switches': 0.1}   # how much of the file system's falls into the window
TCP = {'instructions': 0.05, 'switches': 0.1, 'slab': 0.1, 'pages': 0.1, 'hops': 0.1}
LARGE = dict.fromkeys(('switches', 'slab', 'pages', 'hops'), 0.3)     # of large ones the window has a few hundred
ROUGH = 0.05        # of the counts
FIGURES = ('instructions', 'own')
COUNTS = ('switches', 'slab', 'pages', 'hops')
ROW = report.COLUMNS[2:8]
UPDATE = 'make bench-baseline'


def release(folder, kernel):
    with open(os.path.join(folder, kernel, 'job'), encoding='utf-8') as f:
        for line in f:
            if line.startswith('export VM_MODULES_KREL='):
                return line.strip().split('=')[1].strip("'")
    sys.exit('check: no release of ' + kernel)


def read_baseline():
    """(release, path, ...) -> figures"""
    found = {}
    if os.path.exists(BASELINE):
        with open(BASELINE, encoding='ascii') as f:
            for line in f:
                words = line.split()
                if words and words[0] != '#':
                    found[tuple(words[:7])] = dict(zip(FIGURES + COUNTS, map(float, words[7:])))
    return found


def write_baseline(found):
    with open(BASELINE, 'w', encoding='ascii') as f:
        f.write('# What `make bench-check` holds ours to; made by `%s`.\n' % UPDATE)
        f.write('# release %s %s\n' % (' '.join(ROW), ' '.join(FIGURES + COUNTS)))
        for name in sorted(found):
            f.write('%s %s\n' % (' '.join(name), ' '.join(
                ('%.0f' if c in FIGURES else '%.2f') % found[name][c] for c in FIGURES + COUNTS)))


def wanted():
    """(path, ...) -> (column `check`, budget by kernel)"""
    found = {}
    with open(os.path.join(report.HERE, 'rows'), encoding='ascii') as f:
        for line in f:
            words = line.split()
            if words and not line.startswith('#'):
                found[tuple(words[:6])] = words[8], dict(zip(('6.1', '6.12'), words[6:8]))
    return found


def against_baseline(row, base, same_kernel):
    """What is wrong, and what is better than it was"""
    worse, better = [], []
    wider = TCP if row['path'].startswith('iscsi:') else {}
    if row['bs'] == '128k':
        wider = {**wider, **LARGE}
    if row['path'] == 'loop:ext4' and 'write' in row['rw']:
        wider = JOURNAL
    for c in FIGURES:
        if c == 'instructions' and not same_kernel:
            continue
        change = row[c] / base[c] - 1
        if abs(change) > wider.get(c, TOLERANCE):
            (worse if change > 0 else better).append(
                '%s %.0f, baseline %.0f (%+.1f %%)' % (c, row[c], base[c], change * 100))
    for c in COUNTS:
        if abs(row[c] - base[c]) > max(ROUGH, wider.get(c, TOLERANCE) * base[c]):
            (worse if row[c] > base[c] else better).append(
                '%s %.2f, baseline %.2f' % (c, row[c], base[c]))
    return worse, better


def against_rules(compared, rule, budget):
    wrong = []
    count = compared.ours['instructions']
    stock = compared.stock['instructions'] * (1 + float(rule.partition('+')[2] or 0) / 100)
    if count > stock:
        wrong.append('instructions %.0f, more than the stock target\'s %.0f' % (count, stock))
    if rule == 'budget':
        if count > float(budget):
            wrong.append('instructions %.0f, over the budget of %s' % (count, budget))
        # the fast path; what is allocated is the initiator's bio. What TCP does is its own.
        for c, limit in (('hops', 0), ('slab', 1), ('pages', 0)):
            if compared.ours['path'].startswith('loop:') and compared.ours[c] > limit + ROUGH:
                wrong.append('%s %.2f, wanted %d' % (c, compared.ours[c], limit))
    return wrong


def read_first(folder):
    with open(os.path.join(folder, 'passed'), encoding='ascii') as f:
        passed = int(f.read())
    with open(os.path.join(folder, 'again'), encoding='ascii') as f:
        return passed, {line[:-len(' fast\n')] for line in f if line.endswith(' fast\n')}


class Check:
    def __init__(self, update):
        self.update = update
        first = os.environ.get('BENCH_AGAIN')
        # rows to be measured once more by scripts/bench; None: this is that
        self.again = None if first else []
        # of the first time: how many passed, and the rows that were only faster than the baseline
        self.passed, self.fast = read_first(first) if first else (0, set())
        self.failed = 0
        self.base, self.rules = read_baseline(), wanted()
        self.new = dict(self.base)
        self.beaten = False

    def row(self, compared, krel):
        row = compared.ours
        name = tuple(row[c] for c in ROW)
        rule, budgets = self.rules[name]
        base = {} if self.update else self.base.get((krel, *name))
        same = base is not None
        if not same:
            # another kernel of the series: what is ours must be as it was
            series = krel.split('.')[:2]
            base = next((b for n, b in self.base.items()
                         if n[1:] == name and n[0].split('.')[:2] == series), None)
        wrong, better = against_rules(compared, rule, budgets[row['kernel']]), []
        if base:
            worse, better = against_baseline(row, base, same)
            wrong += worse
        elif not self.update:
            wrong.append('not in the baseline: ' + UPDATE)
        line = '%s %s' % (row['kernel'], ' '.join(name))
        if self.again is None and line not in self.fast:
            better = []
        words = ['better: ' + b for b in better] + wrong
        self.beaten |= bool(better)
        if words and self.again is not None:
            self.again.append('%s %s' % (line, 'slow' if wrong else 'fast'))
        else:
            self.passed, self.failed = self.passed + (not words), self.failed + bool(words)
        print('%-4s %-5s %-32s stock %8s  ours %8s  own %6s%s%s' % (
            'ok' if not words else 'FAIL' if self.again is None else 'odd', row['kernel'], compared.name,
            report.figure(compared.stock['instructions']), report.figure(row['instructions']),
            report.figure(row['own']), '' if same or not base else '  (the baseline is of another kernel)',
            ''.join('\n     ' + w for w in words)))
        for n in [n for n in self.new if n[1:] == name and n[0].split('.')[:2] == krel.split('.')[:2]]:
            del self.new[n]
        self.new[krel, *name] = row


def main():
    mode, folder, kernels = sys.argv[1], sys.argv[2], sys.argv[3:]
    check = Check(mode == '--update')
    for kernel in kernels:
        rows = report.load(folder, kernel)
        for compared in report.compare(rows, kernel):
            check.row(compared, release(folder, kernel))
    if mode == '--update':
        write_baseline(check.new)
        print('the baseline is what was measured now: look at its difference, commit it')
    elif check.beaten:
        print('Faster than the baseline: `%s` records it, commit it with the change.' % UPDATE)
    print('what each function costs: %s/profile' % folder)
    with open(os.path.join(folder, 'again'), 'w', encoding='ascii') as f:
        f.writelines(line + '\n' for line in check.again or [])
    with open(os.path.join(folder, 'passed'), 'w', encoding='ascii') as f:
        f.write('%d\n' % check.passed)
    print('%d passed, %d failed, 0 skipped' % (check.passed, check.failed))
    sys.exit(1 if check.failed or check.again else 0)


if __name__ == '__main__':
    main()
