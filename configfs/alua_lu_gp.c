// SPDX-License-Identifier: GPL-2.0-only
/*
 * core/alua/lu_gps/<group>/ (configfs contract, section 6.2).
 */
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "../core/alua.h"
#include "../core/target.h"
#include "attr.h"

static struct tcm_lu_gp *tcm_lu_gp_of(struct config_item *item)
{
	return tcm_cfs_node(item)->obj;
}

static ssize_t tcm_lugp_lu_gp_id_show(struct config_item *item, char *page)
{
	struct tcm_lu_gp *gp = tcm_lu_gp_of(item);

	return READ_ONCE(gp->has_id) ? sysfs_emit(page, "%u\n", gp->id) : 0;
}

static ssize_t tcm_lugp_lu_gp_id_store(struct config_item *item, const char *page, size_t count)
{
	const char *why = NULL;
	u64 id;
	int err;

	err = tcm_text_uint(page, count, ULONG_MAX, &id);
	if (!err && id > U16_MAX)
		err = -EINVAL;
	if (!err)
		err = tcm_lu_gp_set_id(tcm_lu_gp_of(item), id, &why);
	return tcm_stored(item, "lu_gp_id", count, err, why);
}
CONFIGFS_ATTR(tcm_lugp_, lu_gp_id);

static ssize_t tcm_lugp_members_show(struct config_item *item, char *page)
{
	struct tcm_alua *alua;
	ssize_t len = 0;

	mutex_lock(&tcm_config_mutex);
	list_for_each_entry(alua, &tcm_lu_gp_of(item)->members, lu_node) {
		const struct tcm_device *dev = alua->dev;

		len = tcm_text_line(page, len, "%s_%u/%s\n", dev->ops->name, dev->hba->number,
				    dev->name);
	}
	mutex_unlock(&tcm_config_mutex);
	return len;
}
CONFIGFS_ATTR_RO(tcm_lugp_, members);

static struct configfs_attribute *tcm_lugp_attrs[] = {
	TCM_ROW(lugp, lu_gp_id),
	TCM_ROW(lugp, members),
	NULL
};

static const struct config_item_type tcm_lugp_type = {
	.ct_item_ops	= &tcm_item_ops,
	.ct_attrs	= tcm_lugp_attrs,
	.ct_owner	= THIS_MODULE,
};

int tcm_cfs_add_default_lu_gp(struct tcm_cfs_node *lu_gps)
{
	struct tcm_cfs_node *node = tcm_cfs_add(lu_gps, "default_lu_gp", &tcm_lugp_type);

	if (!node)
		return -ENOMEM;
	node->kind = TCM_CFS_LU_GP;
	node->obj = tcm_lu_gp_default;
	return 0;
}

static struct config_group *tcm_lu_gps_make(struct config_group *group, const char *name)
{
	struct tcm_cfs_node *node;
	struct tcm_lu_gp *gp;
	int err;

	err = tcm_cfs_check_name(name);
	if (err)
		goto refuse;
	gp = tcm_lu_gp_create(name);
	if (IS_ERR(gp)) {
		err = PTR_ERR(gp);
		goto refuse;
	}
	node = tcm_cfs_alloc(sizeof(*node), name, &tcm_lugp_type, TCM_CFS_LU_GP, gp, NULL);
	if (!node) {
		tcm_lu_gp_destroy(gp);
		return ERR_PTR(-ENOMEM);
	}
	return &node->group;

refuse:
	return ERR_PTR(tcm_cfs_refuse(&group->cg_item, name, err, NULL));
}

static void tcm_lu_gps_drop(struct config_group *group, struct config_item *item)
{
	tcm_lu_gp_destroy(tcm_lu_gp_of(item));
	tcm_cfs_bury(item);
}

static struct configfs_group_operations tcm_lu_gps_ops = {
	.make_group	= tcm_lu_gps_make,
	.drop_item	= tcm_lu_gps_drop,
};

const struct config_item_type tcm_lu_gps_type = {
	.ct_item_ops	= &tcm_item_ops,
	.ct_group_ops	= &tcm_lu_gps_ops,
	.ct_owner	= THIS_MODULE,
};
