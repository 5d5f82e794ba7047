#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""From what the guests of scripts/bench wrote: bench.tsv, bench.md, short.md, bench.svg, profile/.

    report.py FOLDER KERNEL...
"""
import bisect
import collections
import os
import re
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
COLUMNS = ('kernel', 'target', 'path', 'rw', 'bs', 'qd', 'luns', 'sessions', 'instructions', 'own',
           'fill', 'copy', 'switches', 'slab', 'pages', 'hops')
# modules that are the target: what lies under them, and the initiator, is not
OWN = {
    'floor': re.compile(r'null_blk|scsi_debug'),
    'stock': re.compile(r'target_core_\w+|tcm_loop|iscsi_target_mod'),
    'ours': re.compile(r'target_core_\w+|tcm_loop|iscsi_target_mod'),
    'nvmet': re.compile(r'nvmet\w*|nvme_loop'),
}
SLAB = re.compile(r'(kmem_cache_alloc(_lru|_node|_bulk)?|__kmalloc(_node)?(_track_caller)?|'
                  r'kmalloc(_node)?_trace|__kmalloc_cache(_node)?|_*kmalloc_large(_node)?)(_noprof)?$')
PAGES = re.compile(r'(__alloc_pages|__alloc_pages_bulk|alloc_pages_bulk)(_noprof)?$')
FILL = re.compile(r'(__)?(memset|clear_page|clear_user|rep_stos)')
COPY = re.compile(r'(__)?(memcpy|memmove|copy_user|copy_page|rep_movs)')
HOPS = re.compile(r'__queue_work$')
UNDER = {'loop': 'raw:scsi_debug'}
YARDSTICK = {'loop': 'nvme:loop', 'iscsi': 'nvme:tcp'}


class Symbols:
    """What lies where in a guest's kernel."""

    def __init__(self, path):
        found = {}
        with open(path, encoding='ascii') as f:
            for line in f:
                address, kind, name, *module = line.split()
                # where there are several names, the exported one
                if kind in 'tTwW' and (kind in 'TW' or int(address, 16) not in found):
                    found[int(address, 16)] = (name, module[0][1:-1] if module else 'kernel')
        self.addresses = sorted(found)
        self.names = [found[a] for a in self.addresses]

    def find(self, address):
        """Function, module, whether it is the function's beginning"""
        if not address:
            return 'user', 'user', False
        i = bisect.bisect(self.addresses, address) - 1
        if i < 0:
            return '?', 'kernel', False
        return *self.names[i], address == self.addresses[i]


class Profile:
    """Where the instructions of a window went."""

    def __init__(self, path, symbols):
        self.functions = collections.Counter()
        self.calls = collections.Counter()
        self.moved = collections.Counter()
        with open(path, encoding='ascii') as f:
            for line in f:
                address, instructions, runs, repeat = line.split()
                name, module, begins = symbols.find(int(address, 16))
                self.functions[name, module] += int(instructions) * int(runs)
                if repeat == 's' or FILL.match(name):
                    self.moved['fill'] += int(instructions) * int(runs)
                elif repeat == 'm' or COPY.match(name):
                    self.moved['copy'] += int(instructions) * int(runs)
                if begins:
                    self.calls[name, module] += int(runs)

    def modules(self):
        sums = collections.Counter()
        for (_, module), n in self.functions.items():
            sums[module] += n
        return sums

    def own(self, pattern):
        return sum(n for module, n in self.modules().items() if pattern.fullmatch(module))

    def called(self, pattern):
        return sum(n for (name, _), n in self.calls.items() if pattern.match(name))

    def write(self, path, ios):
        with open(path, 'w', encoding='ascii') as f:
            f.write('# instructions per I/O by module, then by function with calls per I/O\n')
            for module, n in self.modules().most_common():
                f.write('%10.1f %s\n' % (n / ios, module))
            f.write('\n')
            for (name, module), n in self.functions.most_common(400):
                f.write('%10.1f %8.2f  %s [%s]\n'
                        % (n / ios, self.calls[name, module] / ios, name, module))


def load(folder, kernel):
    """The rows of a guest's run, as dictionaries of COLUMNS"""
    guest = os.path.join(folder, kernel)
    symbols, rows = {}, []
    os.makedirs(os.path.join(folder, 'profile'), exist_ok=True)
    with open(os.path.join(guest, 'raw.tsv'), encoding='ascii') as f:
        lines = [line.rstrip('\n').split('\t') for line in f]
    windows = os.path.join(guest, 'windows')
    counted = os.path.isdir(windows)
    if counted and len(os.listdir(windows)) != len(lines):
        sys.exit('report: %d windows for %d rows' % (len(os.listdir(windows)), len(lines)))
    for number, line in enumerate(lines):
        row = dict(zip(COLUMNS, [kernel] + line[:7]))
        time, ios, switches, where = map(int, line[7:])
        row['instructions'] = time / ios
        row['switches'] = switches / ios
        if counted:
            target = row['target']
            if where not in symbols:
                symbols[where] = Symbols(os.path.join(guest, 'kallsyms.%d' % where))
            profile = Profile(os.path.join(windows, str(number)), symbols[where])
            row.update(own=profile.own(OWN[target]) / ios, fill=profile.moved['fill'] / ios,
                       copy=profile.moved['copy'] / ios, slab=profile.called(SLAB) / ios,
                       pages=profile.called(PAGES) / ios, hops=profile.called(HOPS) / ios)
            name = '-'.join([kernel, target] + line[1:7]).replace(':', '-')
            profile.write(os.path.join(folder, 'profile', name), ios)
        rows.append(row)
    return rows


def figure(value, digits=0):
    return '' if value is None else format(value, ',.%df' % digits).replace(',', ' ')


def write_tsv(path, rows):
    with open(path, 'w', encoding='ascii') as f:
        f.write('\t'.join(COLUMNS) + '\n')
        for row in rows:
            f.write('\t'.join('%.2f' % row[c] if isinstance(row.get(c), float)
                              else str(row.get(c, '')) for c in COLUMNS) + '\n')


def budgets():
    """(kernel, path, rw, bs, qd, luns, sessions) -> instructions"""
    found = {}
    with open(os.path.join(HERE, 'rows'), encoding='ascii') as f:
        for line in f:
            words = line.split()
            if words and not line.startswith('#'):
                for kernel, budget in zip(('6.1', '6.12'), words[6:8]):
                    if budget != '-':
                        found[kernel, *words[:6]] = int(budget)
    return found


def key(row):
    return tuple(row[c] for c in ('kernel', 'path', 'rw', 'bs', 'qd', 'luns', 'sessions'))


class Compared:
    """A row of the report: ours beside what it is held against."""

    def __init__(self, ours, by, limits):
        fabric = ours['path'].split(':')[0]

        def elsewhere(target, path):
            wanted = dict(ours, path=path)
            return by.get((target, *key(wanted)), {}) if path else {}
        self.ours = ours
        self.stock = by.get(('stock', *key(ours)), {})
        self.floor = elsewhere('floor', UNDER.get(ours['path'], UNDER.get(fabric)))
        self.nvmet = elsewhere('nvmet', YARDSTICK.get(fabric))
        self.budget = limits.get(key(ours))
        self.name = '%(path)s %(rw)s %(bs)s QD %(qd)s' % ours
        if ours['luns'] != '1':
            self.name += ', %(luns)s LUNs' % ours
        if ours['sessions'] != '1':
            self.name += ', %(sessions)s sessions' % ours

    def ratio(self):
        stock = self.stock.get('instructions')
        return self.ours['instructions'] / stock if stock else None


def compare(rows, kernel):
    by = {(r['target'], *key(r)): r for r in rows}
    limits = budgets()
    return [Compared(r, by, limits) for r in rows if r['target'] == 'ours' and r['kernel'] == kernel]


def write_md(path, rows, kernels):
    with open(path, 'w', encoding='ascii') as f:
        for kernel in kernels:
            f.write('## %s\n\n' % kernel)
            f.write('| | floor | nvmet | stock | ours | ratio | budget | own: stock | ours | fill | copy '
                    '| switches: stock | ours | slab: stock | ours | pages: stock | ours '
                    '| hops: stock | ours |\n|' + '---|' * 19 + '\n')
            for c in compare(rows, kernel):
                cells = [c.name] + [figure(x.get('instructions'))
                                    for x in (c.floor, c.nvmet, c.stock, c.ours)]
                cells += [figure(c.ratio(), 2), figure(c.budget) + (
                    '' if not c.budget else ' met' if c.ours['instructions'] <= c.budget else ' missed')]
                cells += [figure(c.stock.get('own')), figure(c.ours.get('own')),
                          figure(c.ours.get('fill')), figure(c.ours.get('copy'))]
                for column in ('switches', 'slab', 'pages', 'hops'):
                    cells += [figure(c.stock.get(column), 2), figure(c.ours.get(column), 2)]
                f.write('| ' + ' | '.join(cells) + ' |\n')
            f.write('\n')
            others = [r for r in rows if r['kernel'] == kernel and r['target'] in ('floor', 'nvmet')]
            if others:
                f.write('| floors and nvmet | instructions | own | switches | slab | pages | hops |\n|'
                        + '---|' * 7 + '\n')
            for r in others:
                f.write('| %s %s %s QD %s%s | %s |\n' % (
                    r['path'], r['rw'], r['bs'], r['qd'],
                    '' if r['luns'] == '1' else ', %s LUNs' % r['luns'],
                    ' | '.join([figure(r['instructions']), figure(r.get('own'))] +
                               [figure(r.get(c), 2) for c in ('switches', 'slab', 'pages', 'hops')])))
            f.write('\n')


def write_short(path, rows, kernels):
    """What Documentation/performance.md has of it: the kernels side by side"""
    sides = [{c.name: c for c in compare(rows, kernel)} for kernel in kernels]
    counts = ('switches', 'slab', 'hops')
    with open(path, 'w', encoding='ascii') as f:
        f.write('|' + ''.join(' | %s: stock | ours | own | budget | %s' % (k, ' | '.join(counts)) for k in kernels)
                + ' |\n|' + '---|' * (1 + 7 * len(kernels)) + '\n')
        for name in dict.fromkeys(name for side in sides for name in side):
            cells = [name]
            for c in (side.get(name) for side in sides):
                if not c:
                    cells += [''] * 7
                    continue
                met = c.budget and ('met' if c.ours['instructions'] <= c.budget else '**missed**')
                cells += [figure(c.stock.get('instructions')), figure(c.ours['instructions']), figure(c.ours.get('own')),
                          '%s %s' % (figure(c.budget), met) if c.budget else '']
                cells += [figure(c.ours.get(n), 2) for n in counts]
            f.write('| ' + ' | '.join(cells) + ' |\n')
        others = {}
        for r in rows:
            if r['target'] in ('floor', 'nvmet'):
                name = '%(path)s %(rw)s %(bs)s QD %(qd)s' % r + ('' if r['luns'] == '1' else ', %(luns)s LUNs' % r)
                others.setdefault(name, {})[r['kernel']] = figure(r['instructions'])
        f.write('\n| floors and nvmet | %s |\n|%s\n' % (' | '.join(kernels), '---|' * (1 + len(kernels))))
        for name, by in others.items():
            f.write('| %s | %s |\n' % (name, ' | '.join(by.get(k, '') for k in kernels)))


BARS = (('floor', '#c0c0c0'), ('nvmet', '#7fb069'), ('stock', '#d98c5f'), ('ours', '#3a6ea5'))


def write_svg(path, rows, kernels):
    """A panel for each kernel, bars of instructions per I/O relative to the stock target's"""
    left, scale, line = 250, 260, 9
    panels = [compare(rows, k) for k in kernels]
    width = left + len(kernels) * (scale + 130)
    out, top = [], 40
    names = list(dict.fromkeys(c.name for panel in panels for c in panel))
    for name in names:
        out.append('<text x="%d" y="%d" text-anchor="end">%s</text>' % (left - 8, top + 20, name))
        for i, panel in enumerate(panels):
            x = left + i * (scale + 130)
            for c in (c for c in panel if c.name == name):
                whole = (c.stock or c.ours)['instructions']
                for j, (who, colour) in enumerate(BARS):
                    n = getattr(c, who).get('instructions')
                    if not n:
                        continue
                    long = min(n / whole, 1.25) * scale
                    out.append('<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>'
                               '<text x="%.1f" y="%d" font-size="8">%s</text>' % (
                                   x, top + j * line, long, line - 1, colour, x + long + 3,
                                   top + j * line + 7, figure(n)))
                if c.budget:
                    at = x + min(c.budget / whole, 1.3) * scale
                    out.append('<path d="M%.1f %d v%d" stroke="#c00000" stroke-dasharray="3 2"/>'
                               % (at, top - 1, 4 * line + 2))
        top += 4 * line + 8
    head = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" '
            'font-size="11">' % (width, top + 10),
            '<rect width="100%" height="100%" fill="white"/>']
    for i, kernel in enumerate(kernels):
        head.append('<text x="%d" y="14" font-weight="bold">Linux %s: instructions per I/O, '
                    'the stock target\'s = full length</text>' % (left + i * (scale + 130), kernel))
    for j, (who, colour) in enumerate(BARS):
        head.append('<rect x="%d" y="20" width="10" height="10" fill="%s"/><text x="%d" y="29">%s</text>'
                    % (left + j * 60, colour, left + j * 60 + 14, who))
    head.append('<text x="%d" y="29" fill="#c00000">budget</text>' % (left + 250))
    with open(path, 'w', encoding='ascii') as f:
        f.write('\n'.join(head + out + ['</svg>', '']))


def main():
    folder, kernels = sys.argv[1], sys.argv[2:]
    rows = [row for kernel in kernels for row in load(folder, kernel)]
    write_tsv(os.path.join(folder, 'bench.tsv'), rows)
    write_md(os.path.join(folder, 'bench.md'), rows, kernels)
    write_short(os.path.join(folder, 'short.md'), rows, kernels)
    write_svg(os.path.join(folder, 'bench.svg'), rows, kernels)
    for c in (c for kernel in kernels for c in compare(rows, kernel)):
        print('%-5s %-45s stock %8s  ours %8s  %5s  budget %8s' % (
            c.ours['kernel'], c.name, figure(c.stock.get('instructions')),
            figure(c.ours['instructions']), figure(c.ratio(), 2), figure(c.budget) or '-'))
    print('in %s: bench.md, short.md, bench.svg, bench.tsv, profile/' % folder)


if __name__ == '__main__':
    main()
