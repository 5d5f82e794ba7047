#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Read KTAP (the kernel's Documentation/dev-tools/ktap.rst) and count.

ktap.py FILE [SUITE...]: a line for each failed case with what it said, one for each suite, and
the closing line. A suite that was named and is not there, or does not keep its plan, has failed.
"""
import re
import sys

RESULT = re.compile(r'( *)(ok|not ok) (\d+)(?: -)? ?([^#]*?)(?: # (SKIP.*|.*))?$')


def read(lines):
    """{suite: [(case, 'ok' | 'not ok' | 'skip', what was said)]}, {suite: cases planned}"""
    suites, planned = {}, {}
    suite, said = None, []
    for line in lines:
        line = line.rstrip('\n')
        text = line.strip()
        if text.startswith('# Subtest: '):
            suite = text[len('# Subtest: '):]
            suites.setdefault(suite, [])
            said = []
        elif re.fullmatch(r'1\.\.\d+', text) and suite and suite not in planned:
            planned[suite] = int(text[3:])
        elif suite and RESULT.match(line):
            indent, word, _, name, more = RESULT.match(line).groups()
            if name == suite and not indent or name == suite and len(indent) < 4:
                suite = None
                continue
            if more and more.startswith('SKIP'):
                word = 'skip'
            suites[suite].append((name, word, said))
            said = []
        elif suite and not text.startswith('KTAP version'):
            said.append(text.lstrip('# '))
    return suites, planned


def main():
    with open(sys.argv[1], errors='replace') as f:
        suites, planned = read(f)
    total = {'ok': 0, 'not ok': 0, 'skip': 0}
    for wanted in sys.argv[2:]:
        if wanted not in suites:
            print('kunit: %s: no such suite ran' % wanted)
            total['not ok'] += 1
    for suite, cases in sorted(suites.items()):
        count = dict.fromkeys(total, 0)
        for name, word, said in cases:
            count[word] += 1
            if word == 'not ok':
                print('not ok %s.%s' % (suite, name))
                print(''.join('    | %s\n' % s for s in said[:20]), end='')
        if planned.get(suite) != len(cases):
            print('kunit: %s: %d cases of %s' % (suite, len(cases), planned.get(suite, 'no plan')))
            count['not ok'] += 1
        print('kunit: %-12s %3d passed, %d failed, %d skipped'
              % (suite, count['ok'], count['not ok'], count['skip']))
        for word in total:
            total[word] += count[word]
    print('%d passed, %d failed, %d skipped' % (total['ok'], total['not ok'], total['skip']))
    sys.exit(1 if total['not ok'] or not total['ok'] else 0)


if __name__ == '__main__':
    main()
