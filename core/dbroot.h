/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The folder where reservations (pr/) and access states (alua/) survive a reboot.
 */
#ifndef _TCM_CORE_DBROOT_H
#define _TCM_CORE_DBROOT_H

#include <linux/limits.h>
#include <linux/types.h>

int tcm_dbroot_init(void);
void tcm_dbroot_exit(void);

/*
 * Move it. -EINVAL: a device exists, or the path is too long; else why @path is not a
 * directory. Makes pr/ and alua/ below it. May sleep in the file system.
 */
int tcm_dbroot_set(const char *path, const char **why);
/* Return: length of what was copied to @buf. */
ssize_t tcm_dbroot_get(char *buf, size_t size);

/*
 * Before a file is written below it: make the two folders when they are not there. May
 * sleep in the file system, so hold no lock of the tree.
 */
int tcm_dbroot_prepare(void);

/*
 * Replace the file @leaf of the folder @sub by @len bytes: temporary file, fsync, rename, fsync of
 * the folder. After a power cut there is the old content or the new one. May sleep in
 * the file system for as long as that takes, so hold no lock.
 */
int tcm_dbroot_write(const char *sub, const char *leaf, const void *buf, size_t len);

#endif
