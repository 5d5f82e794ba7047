// SPDX-License-Identifier: GPL-2.0-only
/*
 * tpgt_<n>/acls/<initiator>/ (configfs contract, section 8.4).
 */
#include <linux/module.h>
#include "../core/target.h"
#include "attr.h"
#include "lun.h"

struct tcm_acl *tcm_item_acl(struct config_item *item)
{
	return tcm_cfs_node(item)->obj;
}
EXPORT_SYMBOL_GPL(tcm_item_acl);

static int tcm_acl_add_groups(struct tcm_cfs_node *acl)
{
	struct tcm_cfs_types *types = acl->types;
	const struct tcm_cfs_sub subs[] = {
		{ "attrib", &types->acl_attrib },
		{ "auth", &types->acl_auth },
		{ "param", &types->acl_param },
		{ }
	};
	int err;

	err = tcm_cfs_add_subs(acl, subs);
	return err ?: tcm_cfs_add_fabric_stats(acl, types->ops->acl_stats);
}

static struct config_group *tcm_acls_make(struct config_group *group, const char *name)
{
	struct tcm_cfs_node *acls = tcm_group_node(group);
	struct tcm_cfs_numbers *dir;
	struct tcm_acl *acl;
	int err;

	err = tcm_cfs_check_name(name);
	if (err)
		goto refuse;
	acl = tcm_acl_create(acls->obj, name);
	if (IS_ERR(acl)) {
		err = PTR_ERR(acl);
		goto refuse;
	}
	dir = tcm_cfs_alloc(sizeof(*dir), name, &acls->types->acl, TCM_CFS_ACL, acl, acls->types);
	if (!dir) {
		tcm_acl_destroy(acl);
		return ERR_PTR(-ENOMEM);
	}
	xa_init(&dir->luns);
	if (!tcm_acl_add_groups(&dir->node))
		return &dir->node.group;
	tcm_cfs_discard(&dir->node);
	tcm_acl_destroy(acl);
	return ERR_PTR(-ENOMEM);

refuse:
	return ERR_PTR(tcm_cfs_refuse(&group->cg_item, name, err, NULL));
}

static void tcm_acls_drop(struct config_group *group, struct config_item *item)
{
	tcm_acl_destroy(tcm_item_acl(item));
	tcm_cfs_bury(item);
}

static struct configfs_group_operations tcm_acls_ops = {
	.make_group	= tcm_acls_make,
	.drop_item	= tcm_acls_drop,
};

const struct config_item_type tcm_acls_type = {
	.ct_item_ops	= &tcm_item_ops,
	.ct_group_ops	= &tcm_acls_ops,
	.ct_owner	= THIS_MODULE,
};
