/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * LUN directories and mapped LUN directories: from an item to what the link leads to.
 */
#ifndef _TCM_CFS_LUN_H
#define _TCM_CFS_LUN_H

#include "cfs.h"

static inline struct tcm_cfs_lun *tcm_item_lun(struct config_item *item)
{
	return tcm_cfs_node(item)->obj;
}

static inline struct tcm_cfs_mlun *tcm_item_mlun(struct config_item *item)
{
	return tcm_cfs_node(item)->obj;
}

static inline struct tcm_cfs_numbers *tcm_group_numbers(struct config_group *group)
{
	return container_of(group, struct tcm_cfs_numbers, node.group);
}

/* The LUN behind the link, with clun->lock held until tcm_lun_unhold(); NULL: no link, no lock. */
struct tcm_lun *tcm_lun_hold(struct tcm_cfs_lun *clun);
void tcm_lun_unhold(struct tcm_cfs_lun *clun);

/* A number gets one directory, however it is spelt. -EEXIST; the subsystem's mutex is held. */
int tcm_cfs_claim(struct tcm_cfs_numbers *dir, u64 number, void *owner);
void tcm_cfs_unclaim(struct tcm_cfs_numbers *dir, u64 number);

#endif
