/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The folder where reservations (pr/), access states (alua/) and what initiators save in a
 * logical unit (lu/) survive a reboot.
 */
#ifndef _TCM_CORE_DBROOT_H
#define _TCM_CORE_DBROOT_H

#include <linux/cred.h>
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

/* For dbroot_file.c: a folder below it, which may be there; and the kernel's credentials. */
int tcm_dbroot_mkdir(const char *sub);
const struct cred *tcm_dbroot_override(void);

/*
 * The file @sub/@name below it, whole: whoever reads it, also after the power was cut, finds
 * the old text or the new one. @name may hold any characters. May sleep in the file system for
 * as long as that takes, so not from a command's own context. @sub is made if it is not there.
 */
int tcm_dbroot_write(const char *sub, const char *name, const void *buf, size_t len);
/* A copy of the file with a zero behind it, to be kfree'd; -ENOENT, -EFBIG beyond @max bytes. */
char *tcm_dbroot_read(const char *sub, const char *name, size_t max);

#endif
