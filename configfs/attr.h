/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attributes as rows. A directory's file makes its rows with these, and lists them with
 * TCM_ROW().
 */
#ifndef _TCM_CFS_ATTR_H
#define _TCM_CFS_ATTR_H

#include <linux/jiffies.h>
#include <linux/math64.h>
#include <linux/sysfs.h>
#include "cfs.h"

/* In an array of attributes: the row @name of the directory @dir */
#define TCM_ROW(dir, name)	(&tcm_##dir##_attr_##name)

/* A file that is read only and prints one value; @obj_ is declared for the expressions. */
#define TCM_SHOW(dir, name, obj_decl, fmt, ...)						\
static ssize_t tcm_##dir##_##name##_show(struct config_item *item, char *page)		\
{											\
	obj_decl;									\
											\
	return sysfs_emit(page, fmt, __VA_ARGS__);					\
}											\
CONFIGFS_ATTR_RO(tcm_##dir##_, name)

/* A file that always says the same */
#define TCM_SHOW_CONST(dir, name, text)							\
static ssize_t tcm_##dir##_##name##_show(struct config_item *item, char *page)		\
{											\
	return sysfs_emit(page, text "\n");						\
}											\
CONFIGFS_ATTR_RO(tcm_##dir##_, name)

/* The type of a group below statistics/, with the attributes <name>_attrs[] */
#define TCM_STAT_TYPE(name)								\
static const struct config_item_type name##_type = {					\
	.ct_item_ops	= &tcm_item_ops,						\
	.ct_group_ops	= &tcm_stats_group_ops,						\
	.ct_attrs	= name##_attrs,							\
	.ct_owner	= THIS_MODULE,							\
}

/* Hundredths of a second since boot */
static inline u32 tcm_centisecs(u64 jiffies_then)
{
	return div_u64((jiffies_then - INITIAL_JIFFIES) * 100, HZ);
}

/* The outcome of a store: @count, or the errno with its line in the log. */
static inline ssize_t tcm_stored(struct config_item *item, const char *name, size_t count,
				 int err, const char *why)
{
	return err ? tcm_cfs_refuse(item, name, err, why) : (ssize_t)count;
}

#endif
