#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""libiscsi's iscsi-test-cu, with a verdict for each test.

    libiscsi.py TARGET... [--family NAME] [--suites NAME,...] [--known SUITE.TEST,...]
                [--skips SUITE.TEST,...]

TARGET is an iSCSI URL or a /dev/sgX, several are paths to one unit; it is overwritten. Tests named by --known may fail and are
named in the output; one of them that passes fails the run: then the list is out of date. A test
that is skipped says why, and is one that --skips names, by patterns of the shell: the unit is made
so that it has to skip it. Another one fails the run, and so does a pattern that no test of the
suites that are run was skipped for.
"""
import argparse
import fnmatch
import re
import subprocess
import sys

SUITES = ('CompareAndWrite,GetLBAStatus,Inquiry,Mandatory,ModeSense6,OrWrite,Prefetch10,Prefetch16,Read10,Read12,'
          'Read16,ReadCapacity10,ReadCapacity16,ReadOnly,ReportSupportedOpcodes,TestUnitReady,Unmap,Verify10,Verify12,'
          'Verify16,Write10,Write12,Write16,WriteAtomic16,WriteSame10,WriteSame16,WriteVerify10,WriteVerify12,'
          'WriteVerify16')


def run_suite(family, suite, targets, limit):
    """Yield (test, verdict, what it printed) for each test of a suite."""
    done = subprocess.run(['iscsi-test-cu', '--dataloss', '--allow-sanitize', '--verbose', '-t', '%s.%s' % (family, suite), *targets],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=limit)
    out = done.stdout.split('CUnit - A unit testing framework', 1)
    if len(out) < 2:
        raise RuntimeError('%s: %s' % (suite, done.stdout))
    body = out[1].split('Run Summary:')[0]
    parts = re.split(r'^  Test: (\S+) \.\.\.', body, flags=re.M)[1:]
    for test, text in zip(parts[::2], parts[1::2]):
        # The last test of a suite is followed by what ends it.
        text = re.sub(r'^(passed|FAILED) {4}Send PRIN/READ_KEYS\s*\Z', r'\1', text, flags=re.M)
        if re.search(r'^FAILED|FAILED\n', text) and not re.search(r'passed\s*$', text):
            verdict = 'FAILED'
        elif 'SKIPPED' in text:
            verdict = 'skipped'
        else:
            verdict = 'passed'
        yield test, verdict, text.strip()


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument('target', nargs='+')
    p.add_argument('--family', choices=('SCSI', 'LINUX', 'iSCSI'), help='default: SCSI or LINUX, as the target is')
    p.add_argument('--suites', default=SUITES)
    p.add_argument('--known', default='')
    p.add_argument('--skips', default='')
    p.add_argument('--name', default='libiscsi')
    p.add_argument('--limit', type=float, default=120, help='seconds for a suite')
    args = p.parse_args()
    family = args.family or ('LINUX' if args.target[0].startswith('/dev/') else 'SCSI')
    known = set(filter(None, args.known.split(',')))
    skips = dict.fromkeys(filter(None, args.skips.split(',')), 0)
    count = {'passed': 0, 'skipped': 0, 'FAILED': 0}
    wrong = 0
    for suite in args.suites.split(','):
        seen = {}
        for test, verdict, text in run_suite(family, suite, args.target, args.limit):
            count[verdict] += 1
            name = '%s.%s' % (suite.split('.')[0], test)
            if verdict == 'skipped':
                meant = [pattern for pattern in skips if fnmatch.fnmatchcase(name, pattern)]
                for pattern in meant:
                    skips[pattern] += 1
                if not meant:
                    wrong += 1
                    print('FAIL: %s was skipped: %s' % (name, text))
                test += ' (%s)' % text.split('[SKIPPED]')[1].strip().split('\n')[0].strip()
            seen.setdefault(verdict, []).append(test)
            if verdict == 'FAILED' and name not in known:
                wrong += 1
                print('FAIL: %s: %s' % (name, text))
            elif verdict == 'passed' and name in known:
                wrong += 1
                print('FAIL: %s passes and is in the list of those that do not' % name)
        print('%s %s: %s' % (args.name, suite, '; '.join('%s %s' % (k, ' '.join(v)) for k, v in seen.items())),
              flush=True)
    for pattern in (pattern for pattern, n in skips.items() if not n):
        wrong += 1
        print('FAIL: no test was skipped that is %s' % pattern)
    print('%s: %d passed, %d failed, %d skipped' % (args.name, count['passed'], count['FAILED'], count['skipped']))
    sys.exit(1 if wrong or not count['passed'] else 0)


main()
