// SPDX-License-Identifier: GPL-2.0-only
/*
 * <fabric>/<wwn>/tpgt_<n>/lun/lun_<m>/
 */
#include <linux/kmod.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <tcm/configfs.h>
#include "../core/registry.h"
#include "../core/target.h"
#include "cfs.h"

static struct tcm_cfs_tpg *tcm_cfs_to_tpg(struct config_item *item)
{
	return container_of(to_config_group(item), struct tcm_cfs_tpg, group);
}

struct tcm_tpg *tcm_item_tpg(struct config_item *item)
{
	/* In attrib/, param/ and auth/ the portal group is the parent. */
	if (!strstarts(config_item_name(item), "tpgt_"))
		item = item->ci_parent;
	return tcm_cfs_to_tpg(item)->tpg;
}
EXPORT_SYMBOL_GPL(tcm_item_tpg);

static struct tcm_cfs_lun *tcm_cfs_to_lun(struct config_item *item)
{
	return container_of(to_config_group(item), struct tcm_cfs_lun, group);
}

static int tcm_lun_allow_link(struct config_item *src, struct config_item *target)
{
	struct tcm_cfs_lun *clun = tcm_cfs_to_lun(src);
	struct tcm_cfs_device *cdev = tcm_cfs_item_device(target);
	struct tcm_lun *lun;

	if (!cdev)
		return -EFAULT;
	if (clun->lun)
		return -EEXIST;
	lun = tcm_lun_link(clun->tpg->tpg, clun->number, cdev->dev);
	if (IS_ERR(lun))
		return PTR_ERR(lun);
	clun->lun = lun;
	return 0;
}

static void tcm_lun_drop_link(struct config_item *src, struct config_item *target)
{
	struct tcm_cfs_lun *clun = tcm_cfs_to_lun(src);

	tcm_lun_unlink(clun->lun);
	clun->lun = NULL;
}

static void tcm_lun_item_release(struct config_item *item)
{
	kfree(tcm_cfs_to_lun(item));
}

static struct configfs_item_operations tcm_lun_item_ops = {
	.allow_link	= tcm_lun_allow_link,
	.drop_link	= tcm_lun_drop_link,
	.release	= tcm_lun_item_release,
};

static const struct config_item_type tcm_lun_type = {
	.ct_item_ops	= &tcm_lun_item_ops,
	.ct_owner	= THIS_MODULE,
};

static struct config_group *tcm_luns_make(struct config_group *group, const char *name)
{
	struct tcm_cfs_tpg *ctpg = container_of(group, struct tcm_cfs_tpg, luns);
	struct tcm_cfs_lun *clun;
	u64 number;
	int err;

	if (!strstarts(name, "lun_"))
		return ERR_PTR(-EINVAL);
	err = kstrtou64(name + 4, 0, &number);
	if (err)
		return ERR_PTR(err);
	clun = kzalloc(sizeof(*clun), GFP_KERNEL);
	if (!clun)
		return ERR_PTR(-ENOMEM);
	clun->tpg = ctpg;
	clun->number = number;
	config_group_init_type_name(&clun->group, name, &tcm_lun_type);
	return &clun->group;
}

static struct configfs_group_operations tcm_luns_ops = {
	.make_group = tcm_luns_make,
};

static const struct config_item_type tcm_luns_type = {
	.ct_group_ops	= &tcm_luns_ops,
	.ct_owner	= THIS_MODULE,
};

static const struct config_item_type tcm_empty_type = {
	.ct_owner	= THIS_MODULE,
};

static void tcm_tpg_item_release(struct config_item *item)
{
	kfree(tcm_cfs_to_tpg(item));
}

static struct configfs_item_operations tcm_tpg_item_ops = {
	.release = tcm_tpg_item_release,
};

static struct config_group *tcm_wwn_make_tpg(struct config_group *group, const char *name)
{
	struct tcm_cfs_wwn *cwwn = container_of(group, struct tcm_cfs_wwn, group);
	struct tcm_cfs_fabric *fab = cwwn->fabric;
	struct tcm_cfs_tpg *ctpg;
	u16 tag;

	if (!strstarts(name, "tpgt_") || kstrtou16(name + 5, 10, &tag))
		return ERR_PTR(-EINVAL);
	ctpg = kzalloc(sizeof(*ctpg), GFP_KERNEL);
	if (!ctpg)
		return ERR_PTR(-ENOMEM);
	ctpg->tpg = tcm_tpg_create(cwwn->wwn, tag);
	if (IS_ERR(ctpg->tpg)) {
		kfree(ctpg);
		return ERR_PTR(-EINVAL);
	}
	ctpg->tpg->cfg = ctpg;
	config_group_init_type_name(&ctpg->group, name, &fab->tpg_type);
	config_group_init_type_name(&ctpg->luns, "lun", &tcm_luns_type);
	config_group_init_type_name(&ctpg->nps, "np", &tcm_empty_type);
	config_group_init_type_name(&ctpg->acls, "acls", &tcm_empty_type);
	config_group_init_type_name(&ctpg->attrib, "attrib", &fab->attrib_type);
	config_group_init_type_name(&ctpg->auth, "auth", &fab->auth_type);
	config_group_init_type_name(&ctpg->param, "param", &fab->param_type);
	configfs_add_default_group(&ctpg->luns, &ctpg->group);
	configfs_add_default_group(&ctpg->nps, &ctpg->group);
	configfs_add_default_group(&ctpg->acls, &ctpg->group);
	configfs_add_default_group(&ctpg->attrib, &ctpg->group);
	configfs_add_default_group(&ctpg->auth, &ctpg->group);
	configfs_add_default_group(&ctpg->param, &ctpg->group);
	return &ctpg->group;
}

static void tcm_wwn_drop_tpg(struct config_group *group, struct config_item *item)
{
	configfs_remove_default_groups(to_config_group(item));
	tcm_tpg_destroy(tcm_cfs_to_tpg(item)->tpg);
	config_item_put(item);
}

static struct configfs_group_operations tcm_wwn_group_ops = {
	.make_group	= tcm_wwn_make_tpg,
	.drop_item	= tcm_wwn_drop_tpg,
};

static void tcm_wwn_item_release(struct config_item *item)
{
	kfree(container_of(to_config_group(item), struct tcm_cfs_wwn, group));
}

static struct configfs_item_operations tcm_wwn_item_ops = {
	.release = tcm_wwn_item_release,
};

static struct config_group *tcm_fabric_make_wwn(struct config_group *group, const char *name)
{
	struct tcm_cfs_fabric *fab = container_of(group, struct tcm_cfs_fabric, group);
	struct tcm_cfs_wwn *cwwn = kzalloc(sizeof(*cwwn), GFP_KERNEL);

	if (!cwwn)
		return ERR_PTR(-ENOMEM);
	cwwn->fabric = fab;
	cwwn->wwn = tcm_wwn_create(fab->ops, name);
	if (IS_ERR(cwwn->wwn)) {
		kfree(cwwn);
		return ERR_PTR(-EINVAL);
	}
	config_group_init_type_name(&cwwn->group, name, &fab->wwn_type);
	return &cwwn->group;
}

static void tcm_fabric_drop_wwn(struct config_group *group, struct config_item *item)
{
	struct tcm_cfs_wwn *cwwn = container_of(to_config_group(item), struct tcm_cfs_wwn, group);

	tcm_wwn_destroy(cwwn->wwn);
	config_item_put(item);
}

static struct configfs_group_operations tcm_fabric_group_ops = {
	.make_group	= tcm_fabric_make_wwn,
	.drop_item	= tcm_fabric_drop_wwn,
};

static void tcm_fabric_item_release(struct config_item *item)
{
	struct tcm_cfs_fabric *fab = container_of(to_config_group(item), struct tcm_cfs_fabric,
						  group);

	tcm_fabric_put(fab->ops);
	kfree(fab);
}

static struct configfs_item_operations tcm_fabric_item_ops = {
	.release = tcm_fabric_item_release,
};

static void tcm_fabric_types(struct tcm_cfs_fabric *fab)
{
	struct tcm_fabric_ops *ops = fab->ops;

	fab->root_type.ct_owner = ops->owner;
	fab->root_type.ct_attrs = ops->root_attrs;
	fab->root_type.ct_group_ops = &tcm_fabric_group_ops;
	fab->root_type.ct_item_ops = &tcm_fabric_item_ops;
	fab->discovery_type.ct_owner = ops->owner;
	fab->discovery_type.ct_attrs = ops->discovery_attrs;
	fab->wwn_type.ct_owner = ops->owner;
	fab->wwn_type.ct_attrs = ops->wwn_attrs;
	fab->wwn_type.ct_group_ops = &tcm_wwn_group_ops;
	fab->wwn_type.ct_item_ops = &tcm_wwn_item_ops;
	fab->tpg_type.ct_owner = ops->owner;
	fab->tpg_type.ct_attrs = ops->tpg_attrs;
	fab->tpg_type.ct_item_ops = &tcm_tpg_item_ops;
	fab->attrib_type.ct_owner = ops->owner;
	fab->attrib_type.ct_attrs = ops->tpg_attrib_attrs;
	fab->param_type.ct_owner = ops->owner;
	fab->param_type.ct_attrs = ops->tpg_param_attrs;
	fab->auth_type.ct_owner = ops->owner;
	fab->auth_type.ct_attrs = ops->tpg_auth_attrs;
}

struct config_group *tcm_cfs_make_fabric(struct config_group *root, const char *name)
{
	struct tcm_cfs_fabric *fab;
	struct tcm_fabric_ops *ops;

	ops = tcm_fabric_get(name);
	if (!ops && strstarts(name, "loopback")) {
		request_module("tcm_loop");
		ops = tcm_fabric_get(name);
	}
	if (!ops)
		return ERR_PTR(-EINVAL);
	fab = kzalloc(sizeof(*fab), GFP_KERNEL);
	if (!fab) {
		tcm_fabric_put(ops);
		return ERR_PTR(-ENOMEM);
	}
	fab->ops = ops;
	tcm_fabric_types(fab);
	config_group_init_type_name(&fab->group, name, &fab->root_type);
	config_group_init_type_name(&fab->discovery, "discovery_auth", &fab->discovery_type);
	configfs_add_default_group(&fab->discovery, &fab->group);
	return &fab->group;
}
