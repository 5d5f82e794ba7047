# SPDX-License-Identifier: GPL-2.0-only
"""What the kernel uses, for tests that are to leave nothing behind."""
import os
import time

PAGE = os.sysconf('SC_PAGE_SIZE') >> 10


def used():
    """KiB of the kernel's own, without what can be given back: what is freed by and by is waited for"""
    least = None
    for _ in range(5):
        with open('/proc/sys/vm/drop_caches', 'w', encoding='ascii') as f:
            f.write('3')
        time.sleep(0.5)
        with open('/proc/meminfo', encoding='ascii') as f:
            info = {line.split(':')[0]: int(line.split()[1]) for line in f}
        # free all the same, but kept by the processors for themselves
        with open('/proc/zoneinfo', encoding='ascii') as f:
            kept = sum(int(line.split()[1]) for line in f if line.split()[0] == 'count:') * PAGE
        kernel = info['MemTotal'] - info['MemFree'] - kept - sum(
            info[k] for k in ('Cached', 'Buffers', 'AnonPages', 'SReclaimable'))
        least = min(kernel, least or kernel)
    return least
