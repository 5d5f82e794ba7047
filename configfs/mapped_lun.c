// SPDX-License-Identifier: GPL-2.0-only
/*
 * acls/<initiator>/lun_<m>/: an initiator's view of a LUN (configfs contract, section 8.4).
 */
#include <linux/module.h>
#include "../core/target.h"
#include "attr.h"
#include "lun.h"

static int tcm_mlun_allow_link(struct config_item *src, struct config_item *target)
{
	struct tcm_cfs_mlun *cmlun = tcm_item_mlun(src);
	struct tcm_mapped_lun *mlun;
	struct tcm_cfs_lun *clun;
	struct tcm_lun *lun;

	if (!cmlun->acl)
		return -ENOENT;
	/* In this order: a LUN's directory may go at any time, and does not come back. */
	if (target->ci_type != &tcm_lun_type)
		return tcm_cfs_is_buried(target) ?
			tcm_cfs_refuse(src, "link", -ENODEV, "the LUN's directory is gone") :
			tcm_cfs_refuse(src, "link", -EFAULT, "not to a LUN directory");
	clun = tcm_item_lun(target);
	if (READ_ONCE(clun->tpg) != cmlun->acl->tpg)
		return tcm_cfs_refuse(src, "link", -EINVAL, "to another portal group's LUN");
	/* configfs holds the directory's inode lock: no other link comes or goes here. */
	if (cmlun->mlun)
		return tcm_cfs_refuse(src, "link", -EINVAL, "a LUN is mapped already");
	lun = tcm_lun_hold(clun);
	if (!lun)
		return tcm_cfs_refuse(src, "link", -ENODEV, "the LUN has no device");
	mutex_lock(&cmlun->lock);
	mlun = tcm_mlun_link(cmlun->acl, cmlun->number, lun, cmlun->write_protect);
	if (!IS_ERR(mlun))
		cmlun->mlun = mlun;
	mutex_unlock(&cmlun->lock);
	tcm_lun_unhold(clun);
	return IS_ERR(mlun) ? tcm_cfs_refuse(src, "link", PTR_ERR(mlun), NULL) : 0;
}

static void tcm_mlun_drop_link(struct config_item *src, struct config_item *target)
{
	struct tcm_cfs_mlun *cmlun = tcm_item_mlun(src);

	mutex_lock(&cmlun->lock);
	tcm_mlun_unlink(cmlun->mlun);
	cmlun->mlun = NULL;
	mutex_unlock(&cmlun->lock);
}

static struct configfs_item_operations tcm_mlun_item_ops = {
	.allow_link	= tcm_mlun_allow_link,
	.drop_link	= tcm_mlun_drop_link,
	.release	= tcm_cfs_release,
};

static ssize_t tcm_mlun_write_protect_show(struct config_item *item, char *page)
{
	struct tcm_cfs_mlun *cmlun = tcm_item_mlun(item);
	ssize_t len = 0;

	mutex_lock(&cmlun->lock);
	if (cmlun->mlun)
		len = sysfs_emit(page, "%d\n", tcm_mlun_wp(cmlun->mlun));
	mutex_unlock(&cmlun->lock);
	return len;
}

/* Before there is a link the value is kept for it. */
static ssize_t tcm_mlun_write_protect_store(struct config_item *item, const char *page,
					    size_t count)
{
	struct tcm_cfs_mlun *cmlun = tcm_item_mlun(item);
	u64 wp;

	if (tcm_text_uint(page, count, 1, &wp))
		return tcm_cfs_refuse(item, "write_protect", -EINVAL, "0 or 1");
	mutex_lock(&cmlun->lock);
	cmlun->write_protect = wp;
	if (cmlun->mlun)
		tcm_mlun_set_wp(cmlun->mlun, wp);
	mutex_unlock(&cmlun->lock);
	return count;
}
CONFIGFS_ATTR(tcm_mlun_, write_protect);

static struct configfs_attribute *tcm_mlun_attrs[] = {
	TCM_ROW(mlun, write_protect),
	NULL
};

static const struct config_item_type tcm_mlun_type = {
	.ct_item_ops	= &tcm_mlun_item_ops,
	.ct_attrs	= tcm_mlun_attrs,
	.ct_owner	= THIS_MODULE,
};

static const struct tcm_cfs_sub tcm_mlun_subs[] = {
	{ "statistics", &tcm_cfs_stats_type, tcm_mlun_stat_subs },
	{ }
};

static struct config_group *tcm_acl_make_mlun(struct config_group *group, const char *name)
{
	struct tcm_cfs_numbers *dir = tcm_group_numbers(group);
	struct tcm_cfs_mlun *cmlun;
	u64 number;
	int err;

	err = tcm_cfs_lun_number(name, &number);
	if (err)
		goto refuse;
	cmlun = tcm_cfs_alloc(sizeof(*cmlun), name, &tcm_mlun_type, TCM_CFS_MLUN, NULL,
			      dir->node.types);
	if (!cmlun)
		return ERR_PTR(-ENOMEM);
	cmlun->node.obj = cmlun;
	cmlun->acl = dir->node.obj;
	cmlun->number = number;
	mutex_init(&cmlun->lock);
	err = tcm_cfs_add_subs(&cmlun->node, tcm_mlun_subs);
	if (!err)
		err = tcm_cfs_claim(dir, number, cmlun);
	if (!err)
		return &cmlun->node.group;
	tcm_cfs_discard(&cmlun->node);
refuse:
	return ERR_PTR(tcm_cfs_refuse(&group->cg_item, name, err, NULL));
}

static void tcm_acl_drop_mlun(struct config_group *group, struct config_item *item)
{
	struct tcm_cfs_mlun *cmlun = tcm_item_mlun(item);

	tcm_cfs_unclaim(tcm_group_numbers(group), cmlun->number);
	cmlun->acl = NULL;
	tcm_cfs_bury(item);
}

struct configfs_group_operations tcm_acl_group_ops = {
	.make_group	= tcm_acl_make_mlun,
	.drop_item	= tcm_acl_drop_mlun,
};
