/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _TCM_CFS_LBA_MAP_H
#define _TCM_CFS_LBA_MAP_H

#include <linux/list.h>
#include <linux/types.h>

/* By state; the letters are O(ptimized), A(ctive), S(tandby), U(navailable). */
#define TCM_LBA_STATES	"OASU"

/*
 * Take @text apart (it is written to) and add a struct tcm_lba_range to @map for each range; they
 * are there to be freed after an error, too. -EINVAL, -ENOMEM. Pure but for memory.
 */
int tcm_lba_map_parse(char *text, u32 *size, u32 *mult, struct list_head *map);

#endif
