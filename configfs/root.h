/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _TCM_CFS_ROOT_H
#define _TCM_CFS_ROOT_H

/* Make /sys/kernel/config/target appear; everything below it works from here on. */
int tcm_cfs_init(void);
void tcm_cfs_exit(void);

#endif
