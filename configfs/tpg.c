// SPDX-License-Identifier: GPL-2.0-only
/*
 * <fabric>/<wwn>/tpgt_<n>/ (configfs contract, section 8.2).
 */
#include <linux/module.h>
#include "../core/target.h"
#include "attr.h"

struct tcm_tpg *tcm_item_tpg(struct config_item *item)
{
	return tcm_cfs_node(item)->obj;
}
EXPORT_SYMBOL_GPL(tcm_item_tpg);

static ssize_t tcm_tpg_enable_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%d\n", READ_ONCE(tcm_item_tpg(item)->enabled));
}

static ssize_t tcm_tpg_enable_store(struct config_item *item, const char *page, size_t count)
{
	const char *why = NULL;
	u64 enable;
	int err;

	err = tcm_text_bool(page, count, &enable);
	if (!err)
		err = tcm_tpg_enable(tcm_item_tpg(item), enable, &why);
	return tcm_stored(item, "enable", count, err, why);
}

struct configfs_attribute tcm_tpg_attr_enable = {
	.ca_name	= "enable",
	.ca_mode	= 0644,
	.ca_owner	= THIS_MODULE,
	.show		= tcm_tpg_enable_show,
	.store		= tcm_tpg_enable_store,
};

static ssize_t tcm_tpg_rtpi_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%#x\n", READ_ONCE(tcm_item_tpg(item)->rtpi));
}

static ssize_t tcm_tpg_rtpi_store(struct config_item *item, const char *page, size_t count)
{
	const char *why = NULL;
	u64 rtpi;
	int err;

	err = tcm_text_uint(page, count, U16_MAX, &rtpi);
	if (!err)
		err = tcm_tpg_set_rtpi(tcm_item_tpg(item), rtpi, &why);
	return tcm_stored(item, "rtpi", count, err, why);
}
CONFIGFS_ATTR(tcm_tpg_, rtpi);

struct configfs_attribute *tcm_tpg_generic_attrs[] = {
	TCM_ROW(tpg, rtpi),
	NULL
};

static int tcm_tpg_add_groups(struct tcm_cfs_node *tpg, struct tcm_cfs_types *types)
{
	const struct tcm_cfs_sub subs[] = {
		{ "np", types->ops->add_np ? &tcm_nps_type : &tcm_no_nps_type },
		{ "acls", &tcm_acls_type },
		{ "attrib", &types->attrib },
		{ "auth", &types->auth },
		{ "param", &types->param },
		{ }
	};
	struct tcm_cfs_numbers *luns;

	luns = tcm_cfs_alloc(sizeof(*luns), "lun", &tcm_luns_type, TCM_CFS_TPG, tpg->obj, types);
	if (!luns)
		return -ENOMEM;
	xa_init(&luns->luns);
	configfs_add_default_group(&luns->node.group, &tpg->group);
	return tcm_cfs_add_subs(tpg, subs);
}

struct config_group *tcm_cfs_make_tpg(struct tcm_cfs_types *types, struct tcm_tpg *tpg,
				      const char *name)
{
	struct tcm_cfs_node *node;

	node = tcm_cfs_alloc(sizeof(*node), name, &types->tpg, TCM_CFS_TPG, tpg, types);
	if (!node)
		return ERR_PTR(-ENOMEM);
	if (tcm_tpg_add_groups(node, types)) {
		tcm_cfs_discard(node);
		return ERR_PTR(-ENOMEM);
	}
	return &node->group;
}
