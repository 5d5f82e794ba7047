// SPDX-License-Identifier: GPL-2.0-only
/*
 * tpgt_<n>/np/<portal>/, for fabrics that have network portals.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "../core/target.h"
#include "attr.h"

struct tcm_np *tcm_item_np(struct config_item *item)
{
	return tcm_cfs_node(item)->obj;
}
EXPORT_SYMBOL_GPL(tcm_item_np);

static struct tcm_np *tcm_np_create(struct tcm_tpg *tpg, const char *name)
{
	struct tcm_np *np;
	int err;

	if (strlen(name) >= sizeof(np->name))
		return ERR_PTR(-ENAMETOOLONG);
	np = kzalloc(sizeof(*np), GFP_KERNEL);
	if (!np)
		return ERR_PTR(-ENOMEM);
	np->tpg = tpg;
	strscpy(np->name, name, sizeof(np->name));
	err = tpg->ops->add_np(np);
	if (err) {
		kfree(np);
		return ERR_PTR(err);
	}
	return np;
}

static void tcm_np_destroy(struct tcm_np *np)
{
	if (np->tpg->ops->del_np)
		np->tpg->ops->del_np(np);
	kfree(np);
}

static struct config_group *tcm_nps_make(struct config_group *group, const char *name)
{
	struct tcm_cfs_node *nps = tcm_group_node(group), *node;
	const char *why = NULL;
	struct tcm_np *np;
	int err;

	err = tcm_cfs_check_name(name);
	if (err)
		goto refuse;
	np = tcm_np_create(nps->obj, name);
	if (IS_ERR(np)) {
		err = PTR_ERR(np);
		why = "the fabric refused";
		goto refuse;
	}
	node = tcm_cfs_alloc(sizeof(*node), name, &nps->types->np, TCM_CFS_NP, np, nps->types);
	if (node)
		return &node->group;
	tcm_np_destroy(np);
	return ERR_PTR(-ENOMEM);

refuse:
	/* As with targets and portal groups there is this one errno. */
	tcm_cfs_refuse(&group->cg_item, name, err, why);
	return ERR_PTR(-EINVAL);
}

static void tcm_nps_drop(struct config_group *group, struct config_item *item)
{
	tcm_np_destroy(tcm_item_np(item));
	tcm_cfs_bury(item);
}

static struct configfs_group_operations tcm_nps_ops = {
	.make_group	= tcm_nps_make,
	.drop_item	= tcm_nps_drop,
};

const struct config_item_type tcm_nps_type = {
	.ct_item_ops	= &tcm_item_ops,
	.ct_group_ops	= &tcm_nps_ops,
	.ct_owner	= THIS_MODULE,
};
