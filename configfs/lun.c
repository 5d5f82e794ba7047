// SPDX-License-Identifier: GPL-2.0-only
/*
 * tpgt_<n>/lun/lun_<m>/: the directory, its link to a device, and where the LUN
 * stands in the device's target port groups (configfs contract, section 8.3).
 */
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "../core/alua.h"
#include "../core/alua_state.h"
#include "../core/dbroot.h"
#include "../core/device.h"
#include "../core/target.h"
#include "attr.h"
#include "lun.h"

static int tcm_lun_allow_link(struct config_item *src, struct config_item *target)
{
	struct tcm_cfs_lun *clun = tcm_item_lun(src);
	const char *why = NULL;
	struct tcm_device *dev;
	struct tcm_lun *lun;
	int err = 0;

	if (!clun->tpg)
		return -ENOENT;
	/* configfs holds the directory's inode lock: no other link comes or goes here. */
	if (clun->lun)
		return tcm_cfs_refuse(src, "link", -EEXIST, "the LUN has a link already");
	dev = tcm_cfs_link_device(target);
	if (IS_ERR(dev))
		return tcm_cfs_refuse(src, "link", PTR_ERR(dev),
				      PTR_ERR(dev) == -ENODEV ? "the device is gone" :
				      "not to a device directory");
	lun = tcm_lun_link(clun->tpg, clun->number, dev, &why);
	if (IS_ERR(lun)) {
		err = tcm_cfs_refuse(src, "link", PTR_ERR(lun), why);
	} else {
		mutex_lock(&clun->lock);
		clun->lun = lun;
		mutex_unlock(&clun->lock);
	}
	tcm_device_put(dev);
	return err;
}

static void tcm_lun_drop_link(struct config_item *src, struct config_item *target)
{
	struct tcm_cfs_lun *clun = tcm_item_lun(src);
	struct tcm_lun *lun;

	mutex_lock(&clun->lock);
	lun = clun->lun;
	clun->lun = NULL;
	mutex_unlock(&clun->lock);
	tcm_lun_unlink(lun);
}

static struct configfs_item_operations tcm_lun_item_ops = {
	.allow_link	= tcm_lun_allow_link,
	.drop_link	= tcm_lun_drop_link,
	.release	= tcm_cfs_release,
};

struct tcm_lun *tcm_lun_hold(struct tcm_cfs_lun *clun)
{
	mutex_lock(&clun->lock);
	if (!clun->lun)
		mutex_unlock(&clun->lock);
	return clun->lun;
}

void tcm_lun_unhold(struct tcm_cfs_lun *clun)
{
	mutex_unlock(&clun->lock);
}

static const char *tcm_alua_state_text(u8 state)
{
	switch (state) {
	case TCM_ALUA_OPTIMIZED:
		return "Active/Optimized";
	case TCM_ALUA_NONOPTIMIZED:
		return "Active/NonOptimized";
	case TCM_ALUA_LBA_DEPENDENT:
		return "LBA Dependent";
	case TCM_ALUA_STANDBY_STATE:
		return "Standby";
	case TCM_ALUA_UNAVAILABLE_STATE:
		return "Unavailable";
	case TCM_ALUA_OFFLINE_STATE:
		return "Offline";
	case TCM_ALUA_TRANSITIONING:
		return "Transitioning";
	}
	return "Unknown";
}

static const char *tcm_alua_status_text(u32 status)
{
	static const char *const words[] = {
		"None", "Altered by Explicit STPG", "Altered by Implicit ALUA"
	};

	return status < ARRAY_SIZE(words) ? words[status] : "Unknown";
}

static ssize_t tcm_lun_gp_emit(char *page, const struct tcm_lun *lun)
{
	const struct tcm_tg_pt_gp *gp;
	ssize_t len = 0;

	mutex_lock(&tcm_config_mutex);
	gp = lun->tg_pt_gp;
	if (gp)
		len = sysfs_emit(page, "TG Port Alias: %s\nTG Port Group ID: %u\n"
				 "TG Port Primary Access State: %s\n"
				 "TG Port Primary Access Status: %s\n"
				 "TG Port Secondary Access State: %s\n"
				 "TG Port Secondary Access Status: %s\n",
				 gp->name, gp->id, tcm_alua_state_text(gp->state),
				 tcm_alua_status_text(gp->field[TCM_ALUA_alua_access_status]),
				 lun->alua_offline ? "Offline" : "None",
				 tcm_alua_status_text(lun->alua_status));
	mutex_unlock(&tcm_config_mutex);
	return len;
}

static ssize_t tcm_lun_alua_tg_pt_gp_show(struct config_item *item, char *page)
{
	struct tcm_cfs_lun *clun = tcm_item_lun(item);
	struct tcm_lun *lun = tcm_lun_hold(clun);
	ssize_t len;

	if (!lun)
		return -ENODEV;
	len = tcm_lun_gp_emit(page, lun);
	tcm_lun_unhold(clun);
	return len;
}

static ssize_t tcm_lun_alua_tg_pt_gp_store(struct config_item *item, const char *page,
					   size_t count)
{
	struct tcm_cfs_lun *clun = tcm_item_lun(item);
	char name[TCM_GROUP_NAME_MAX];
	const char *why = NULL;
	struct tcm_lun *lun;
	int err;

	err = tcm_text_take(page, count, name, sizeof(name));
	if (err)
		return tcm_cfs_refuse(item, "alua_tg_pt_gp", -EINVAL, "not a group's name");
	lun = tcm_lun_hold(clun);
	if (!lun)
		return tcm_cfs_refuse(item, "alua_tg_pt_gp", -ENODEV, "the LUN has no link");
	err = tcm_alua_lun_set_group(lun, strcmp(name, "NULL") ? name : NULL, &why);
	tcm_lun_unhold(clun);
	return tcm_stored(item, "alua_tg_pt_gp", count, err, why);
}
CONFIGFS_ATTR(tcm_lun_, alua_tg_pt_gp);

/* The numbers that a LUN keeps of its own in its group */
static ssize_t tcm_lun_number_show(struct config_item *item, char *page, size_t offset)
{
	struct tcm_cfs_lun *clun = tcm_item_lun(item);
	struct tcm_lun *lun = tcm_lun_hold(clun);
	ssize_t len;

	if (!lun)
		return -ENODEV;
	len = sysfs_emit(page, "%u\n", READ_ONCE(*(u32 *)((u8 *)lun + offset)));
	tcm_lun_unhold(clun);
	return len;
}

static ssize_t tcm_lun_number_store(struct config_item *item, const char *page, size_t count,
				    size_t offset, u32 max, const char *name)
{
	struct tcm_cfs_lun *clun = tcm_item_lun(item);
	struct tcm_lun *lun;
	u64 value;

	if (tcm_text_uint(page, count, max, &value))
		return tcm_cfs_refuse(item, name, -EINVAL, NULL);
	lun = tcm_lun_hold(clun);
	if (!lun)
		return tcm_cfs_refuse(item, name, -ENODEV, "the LUN has no link");
	mutex_lock(&tcm_config_mutex);
	WRITE_ONCE(*(u32 *)((u8 *)lun + offset), value);
	mutex_unlock(&tcm_config_mutex);
	tcm_lun_unhold(clun);
	return count;
}

#define TCM_LUN_NUMBER(name, member, max)							\
static ssize_t tcm_lun_##name##_show(struct config_item *item, char *page)			\
{												\
	return tcm_lun_number_show(item, page, offsetof(struct tcm_lun, member));		\
}												\
static ssize_t tcm_lun_##name##_store(struct config_item *item, const char *page, size_t count)	\
{												\
	return tcm_lun_number_store(item, page, count, offsetof(struct tcm_lun, member), max,	\
				    #name);							\
}												\
CONFIGFS_ATTR(tcm_lun_, name)

static ssize_t tcm_lun_alua_tg_pt_offline_show(struct config_item *item, char *page)
{
	return tcm_lun_number_show(item, page, offsetof(struct tcm_lun, alua_offline));
}

static ssize_t tcm_lun_alua_tg_pt_offline_store(struct config_item *item, const char *page,
						size_t count)
{
	struct tcm_cfs_lun *clun = tcm_item_lun(item);
	struct tcm_save *save;
	struct tcm_lun *lun;
	u64 value;

	if (tcm_text_uint(page, count, 1, &value))
		return tcm_cfs_refuse(item, "alua_tg_pt_offline", -EINVAL, NULL);
	lun = tcm_lun_hold(clun);
	if (!lun)
		return tcm_cfs_refuse(item, "alua_tg_pt_offline", -ENODEV, "the LUN has no link");
	save = tcm_alua_lun_set_offline(lun, value);
	tcm_lun_unhold(clun);
	/* Whatever the file system does, the LUN can be looked at and taken away. */
	if (save)
		tcm_save_wait(save, TCM_SAVE_SOON);
	tcm_save_put(save);
	return count;
}
CONFIGFS_ATTR(tcm_lun_, alua_tg_pt_offline);

TCM_LUN_NUMBER(alua_tg_pt_status, alua_status, 2);
TCM_LUN_NUMBER(alua_tg_pt_write_md, alua_write_md, 1);

static struct configfs_attribute *tcm_lun_attrs[] = {
	TCM_ROW(lun, alua_tg_pt_gp),
	TCM_ROW(lun, alua_tg_pt_offline),
	TCM_ROW(lun, alua_tg_pt_status),
	TCM_ROW(lun, alua_tg_pt_write_md),
	NULL
};

const struct config_item_type tcm_lun_type = {
	.ct_item_ops	= &tcm_lun_item_ops,
	.ct_attrs	= tcm_lun_attrs,
	.ct_owner	= THIS_MODULE,
};

int tcm_cfs_claim(struct tcm_cfs_numbers *dir, u64 number, void *owner)
{
	int err;

	err = xa_insert(&dir->luns, number, owner, GFP_KERNEL);
	return err == -EBUSY ? -EEXIST : err;
}

void tcm_cfs_unclaim(struct tcm_cfs_numbers *dir, u64 number)
{
	xa_erase(&dir->luns, number);
}

static const struct tcm_cfs_sub tcm_lun_subs[] = {
	{ "statistics", &tcm_cfs_stats_type, tcm_lun_stat_subs },
	{ }
};

static struct config_group *tcm_luns_make(struct config_group *group, const char *name)
{
	struct tcm_cfs_numbers *luns = tcm_group_numbers(group);
	struct tcm_cfs_lun *clun;
	u64 number;
	int err;

	err = tcm_cfs_lun_number(name, &number);
	if (err)
		goto refuse;
	clun = tcm_cfs_alloc(sizeof(*clun), name, &tcm_lun_type, TCM_CFS_LUN, NULL,
			     luns->node.types);
	if (!clun)
		return ERR_PTR(-ENOMEM);
	clun->node.obj = clun;
	clun->tpg = luns->node.obj;
	clun->number = number;
	mutex_init(&clun->lock);
	err = tcm_cfs_add_subs(&clun->node, tcm_lun_subs);
	if (!err)
		err = tcm_cfs_claim(luns, number, clun);
	if (!err)
		return &clun->node.group;
	tcm_cfs_discard(&clun->node);
refuse:
	return ERR_PTR(tcm_cfs_refuse(&group->cg_item, name, err, NULL));
}

static void tcm_luns_drop(struct config_group *group, struct config_item *item)
{
	struct tcm_cfs_lun *clun = tcm_item_lun(item);

	tcm_cfs_unclaim(tcm_group_numbers(group), clun->number);
	WRITE_ONCE(clun->tpg, NULL);
	tcm_cfs_bury(item);
}

static struct configfs_group_operations tcm_luns_ops = {
	.make_group	= tcm_luns_make,
	.drop_item	= tcm_luns_drop,
};

const struct config_item_type tcm_luns_type = {
	.ct_item_ops	= &tcm_item_ops,
	.ct_group_ops	= &tcm_luns_ops,
	.ct_owner	= THIS_MODULE,
};
