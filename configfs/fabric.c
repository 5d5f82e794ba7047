// SPDX-License-Identifier: GPL-2.0-only
/*
 * <fabric>/, and the types that carry a fabric's own attributes.
 */
#include <linux/kmod.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "../core/registry.h"
#include "../core/target.h"
#include "attr.h"

/*
 * Fabrics that a mkdir may load. Their module's init runs under the subsystem's
 * mutex: it registers an ops table and no configfs group.
 */
static const struct {
	const char *prefix, *module;
} tcm_fabric_modules[] = {
	{ "iscsi",	"iscsi_target_mod" },
	{ "loopback",	"tcm_loop" },
};

static size_t tcm_count_attrs(struct configfs_attribute **attrs)
{
	size_t n = 0;

	while (attrs && attrs[n])
		n++;
	return n;
}

/* The fabric's own attributes of tpgt_<n>/ and those that all fabrics have */
static int tcm_types_tpg_attrs(struct tcm_cfs_types *types)
{
	struct tcm_fabric_ops *ops = types->ops;
	size_t own = tcm_count_attrs(ops->tpg_attrs);
	size_t generic = tcm_count_attrs(tcm_tpg_generic_attrs), n = 0;

	types->tpg_attrs = kcalloc(own + generic + 2, sizeof(*types->tpg_attrs), GFP_KERNEL);
	if (!types->tpg_attrs)
		return -ENOMEM;
	if (own)
		memcpy(types->tpg_attrs, ops->tpg_attrs, own * sizeof(*types->tpg_attrs));
	n = own;
	if (ops->flags & TCM_FAB_HAS_ENABLE)
		types->tpg_attrs[n++] = &tcm_tpg_attr_enable;
	memcpy(types->tpg_attrs + n, tcm_tpg_generic_attrs, generic * sizeof(*types->tpg_attrs));
	return 0;
}

static void tcm_types_set(struct tcm_cfs_types *types, struct config_item_type *type,
			  struct configfs_attribute **attrs,
			  struct configfs_group_operations *group_ops)
{
	type->ct_owner = types->ops->owner;
	type->ct_item_ops = &tcm_item_ops;
	type->ct_group_ops = group_ops;
	type->ct_attrs = attrs;
}

/* Takes over the reference to @ops. */
static struct tcm_cfs_types *tcm_types_make(struct tcm_fabric_ops *ops)
{
	struct tcm_cfs_types *types = kzalloc(sizeof(*types), GFP_KERNEL);

	if (!types) {
		tcm_fabric_put(ops);
		return NULL;
	}
	kref_init(&types->ref);
	types->ops = ops;
	if (tcm_types_tpg_attrs(types)) {
		tcm_cfs_types_put(types);
		return NULL;
	}
	tcm_types_set(types, &types->root, ops->root_attrs, &tcm_fabric_group_ops);
	tcm_types_set(types, &types->discovery, ops->discovery_attrs, NULL);
	tcm_types_set(types, &types->wwn, ops->wwn_attrs, &tcm_wwn_group_ops);
	tcm_types_set(types, &types->tpg, types->tpg_attrs, NULL);
	tcm_types_set(types, &types->attrib, ops->tpg_attrib_attrs, NULL);
	tcm_types_set(types, &types->param, ops->tpg_param_attrs, NULL);
	tcm_types_set(types, &types->auth, ops->tpg_auth_attrs, NULL);
	tcm_types_set(types, &types->np, ops->np_attrs, NULL);
	tcm_types_set(types, &types->acl, ops->acl_attrs, &tcm_acl_group_ops);
	tcm_types_set(types, &types->acl_attrib, ops->acl_attrib_attrs, NULL);
	tcm_types_set(types, &types->acl_param, ops->acl_param_attrs, NULL);
	tcm_types_set(types, &types->acl_auth, ops->acl_auth_attrs, NULL);
	return types;
}

static struct config_group *tcm_fabric_make_wwn(struct config_group *group, const char *name)
{
	struct tcm_cfs_node *fab = tcm_group_node(group);
	const char *why = NULL;
	struct config_group *made;
	struct tcm_wwn *wwn;
	int err;

	err = tcm_cfs_check_name(name);
	if (err)
		goto refuse;
	wwn = tcm_wwn_create(fab->types->ops, name);
	if (IS_ERR(wwn)) {
		err = PTR_ERR(wwn);
		why = "the fabric refused";
		goto refuse;
	}
	made = tcm_cfs_make_wwn(fab->types, wwn, name);
	if (!IS_ERR(made))
		return made;
	tcm_wwn_destroy(wwn);
	err = PTR_ERR(made);
refuse:
	/* Who makes targets knows this one errno, whatever the reason is. */
	tcm_cfs_refuse(&group->cg_item, name, err, why);
	return ERR_PTR(-EINVAL);
}

static void tcm_fabric_drop_wwn(struct config_group *group, struct config_item *item)
{
	tcm_wwn_destroy(tcm_item_wwn(item));
	tcm_cfs_bury(item);
}

struct configfs_group_operations tcm_fabric_group_ops = {
	.make_group	= tcm_fabric_make_wwn,
	.drop_item	= tcm_fabric_drop_wwn,
};

static struct tcm_fabric_ops *tcm_fabric_find_or_load(const char *name)
{
	struct tcm_fabric_ops *ops = tcm_fabric_get(name);
	int i;

	for (i = 0; !ops && i < ARRAY_SIZE(tcm_fabric_modules); i++) {
		if (!strstarts(name, tcm_fabric_modules[i].prefix))
			continue;
		request_module("%s", tcm_fabric_modules[i].module);
		ops = tcm_fabric_get(name);
	}
	return ops;
}

static struct config_group *tcm_root_make_fabric(struct config_group *root, const char *name)
{
	struct tcm_cfs_types *types;
	struct tcm_fabric_ops *ops;
	struct tcm_cfs_node *node;

	ops = tcm_fabric_find_or_load(name);
	if (!ops)
		return ERR_PTR(tcm_cfs_refuse(&root->cg_item, name, -EINVAL,
					      "no such fabric is loaded"));
	types = tcm_types_make(ops);
	if (!types)
		return ERR_PTR(-ENOMEM);
	node = tcm_cfs_alloc(sizeof(*node), name, &types->root, TCM_CFS_FABRIC, ops, types);
	if (node && !tcm_cfs_add(node, "discovery_auth", &types->discovery)) {
		tcm_cfs_discard(node);
		node = NULL;
	}
	tcm_cfs_types_put(types);
	return node ? &node->group : ERR_PTR(-ENOMEM);
}

static void tcm_root_drop_fabric(struct config_group *root, struct config_item *item)
{
	tcm_cfs_bury(item);
}

struct configfs_group_operations tcm_root_group_ops = {
	.make_group	= tcm_root_make_fabric,
	.drop_item	= tcm_root_drop_fabric,
};
