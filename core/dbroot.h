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
 * directory. Makes pr/ and alua/ below it, for which it does not wait long.
 */
int tcm_dbroot_set(const char *path, const char **why);
/* Return: length of what was copied to @buf. */
ssize_t tcm_dbroot_get(char *buf, size_t size);

/*
 * For core/dbroot_*.c, which sleep in the file system for as long as that takes: a folder below it
 * and those above, which may be there; the kernel's credentials; a file as tcm_save_start() has it.
 */
int tcm_dbroot_mkdir(const char *sub);
const struct cred *tcm_dbroot_override(void);
int tcm_dbroot_write(const char *sub, const char *name, const void *buf, size_t len);

int tcm_save_init(void);
void tcm_save_exit(void);

/* What a command waits for a file, and what a person does */
#define TCM_SAVE_PATIENCE	(10 * HZ)
#define TCM_SAVE_SOON		(HZ / 3)

struct tcm_save;

/*
 * Have the file @sub/@name below it replaced as a whole, in the background: whoever reads it, also
 * after the power was cut, finds the old text or the new one. @name may hold any characters; @sub
 * is made if it is not there, and nothing else without @text. If that fails or comes when nobody
 * waits any more, @back, if any, is written instead. NULL: no memory; else both texts are taken
 * over, to be kvfree'd. May sleep, but not in the file system.
 */
struct tcm_save *tcm_save_start(const char *sub, const char *name, char *text, char *back);
/* 0: it is on the disk. -ETIMEDOUT: not within @patience; it is gone on with. @save may be NULL. */
int tcm_save_wait(struct tcm_save *save, unsigned long patience);
bool tcm_save_busy(struct tcm_save *save);
void tcm_save_put(struct tcm_save *save);

/* A copy of the file with a zero behind it, to be kfree'd; -ENOENT, -EFBIG beyond @max bytes. */
char *tcm_dbroot_read(const char *sub, const char *name, size_t max);

#endif
