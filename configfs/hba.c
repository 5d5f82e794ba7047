// SPDX-License-Identifier: GPL-2.0-only
/*
 * core/<plugin>_<n>/
 */
#include <linux/kmod.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/string.h>
#include "../core/device.h"
#include "../core/registry.h"
#include "attr.h"

/*
 * What may be asked for on behalf of a mkdir. Only what we ship: another plugin's
 * module links to the stock core, which cannot be loaded beside this one.
 */
static const struct {
	const char *plugin, *module;
} tcm_backend_modules[] = {
	{ "iblock",	"target_core_iblock" },
	{ "fileio",	"target_core_file" },
	{ "pscsi",	"target_core_pscsi" },
	{ "rd_mcp",	"target_core_rd" },
};

static struct tcm_hba *tcm_hba_of(struct config_item *item)
{
	return tcm_cfs_node(item)->obj;
}

TCM_SHOW(hba, hba_info, struct tcm_hba *hba = tcm_hba_of(item),
	 "HBA Index: %u plugin: %s version: v5.0\n", hba->index, hba->ops->name);

static ssize_t tcm_hba_hba_mode_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%d\n", READ_ONCE(tcm_hba_of(item)->physical));
}

static ssize_t tcm_hba_hba_mode_store(struct config_item *item, const char *page, size_t count)
{
	const char *why = NULL;
	u64 mode;
	int err;

	err = tcm_text_uint(page, count, ULONG_MAX, &mode);
	if (!err)
		err = tcm_hba_set_mode(tcm_hba_of(item), mode, &why);
	return tcm_stored(item, "hba_mode", count, err, why);
}
CONFIGFS_ATTR(tcm_hba_, hba_mode);

static struct configfs_attribute *tcm_hba_attrs[] = {
	TCM_ROW(hba, hba_info),
	TCM_ROW(hba, hba_mode),
	NULL
};

static const struct tcm_cfs_sub tcm_device_subs[] = {
	{ "action", &tcm_cfs_empty_type },
	{ "attrib", &tcm_dev_attrib_type },
	{ "pr", &tcm_dev_pr_type },
	{ "wwn", &tcm_dev_wwn_type },
	{ "statistics", &tcm_cfs_stats_type, tcm_dev_stat_subs },
	{ }
};

static const struct tcm_cfs_sub tcm_device_pass_subs[] = {
	{ "action", &tcm_cfs_empty_type },
	{ "attrib", &tcm_dev_attrib_pass_type },
	{ "pr", &tcm_dev_pr_type },
	{ "wwn", &tcm_dev_wwn_type },
	{ "statistics", &tcm_cfs_stats_type, tcm_dev_stat_subs },
	{ }
};

static int tcm_device_add_groups(struct tcm_cfs_node *node, struct tcm_device *dev)
{
	bool pass = dev->ops->flags & TCM_BE_PASSTHROUGH;
	struct tcm_cfs_node *alua;
	int err;

	err = tcm_cfs_add_subs(node, pass ? tcm_device_pass_subs : tcm_device_subs);
	if (err)
		return err;
	alua = tcm_cfs_add(node, "alua", &tcm_dev_alua_type);
	if (!alua || !tcm_cfs_add_default_tg_pt_gp(alua, dev))
		return -ENOMEM;
	return 0;
}

static struct config_group *tcm_hba_make_device(struct config_group *group, const char *name)
{
	struct tcm_hba *hba = tcm_group_node(group)->obj;
	struct tcm_cfs_node *node;
	struct tcm_device *dev;
	int err;

	err = tcm_cfs_check_name(name);
	if (err)
		goto refuse;
	dev = tcm_device_create(hba, name);
	if (IS_ERR(dev)) {
		err = PTR_ERR(dev);
		goto refuse;
	}
	node = tcm_cfs_alloc(sizeof(*node), name, &tcm_device_type, TCM_CFS_DEVICE, dev, NULL);
	err = node ? tcm_device_add_groups(node, dev) : -ENOMEM;
	if (err)
		goto destroy;
	return &node->group;

destroy:
	if (node)
		tcm_cfs_discard(node);
	tcm_device_destroy(dev);
refuse:
	return ERR_PTR(tcm_cfs_refuse(&group->cg_item, name, err, NULL));
}

static struct configfs_group_operations tcm_hba_group_ops = {
	.make_group	= tcm_hba_make_device,
	.drop_item	= tcm_hba_drop_device,
};

static const struct config_item_type tcm_hba_type = {
	.ct_item_ops	= &tcm_item_ops,
	.ct_group_ops	= &tcm_hba_group_ops,
	.ct_attrs	= tcm_hba_attrs,
	.ct_owner	= THIS_MODULE,
};

/* <plugin>_<n>: the split is at the second underscore if there is one (rd_mcp_0). */
static int tcm_hba_parse_name(const char *name, char *plugin, size_t size, u32 *n)
{
	const char *split = strchr(name, '_'), *second;

	if (strlen(name) >= size)
		return -ENAMETOOLONG;
	if (!split)
		return -EINVAL;
	second = strchr(split + 1, '_');
	if (second)
		split = second;
	memcpy(plugin, name, split - name);
	plugin[split - name] = '\0';
	return kstrtou32(split + 1, 0, n);
}

static struct tcm_hba *tcm_hba_find_or_load(const char *plugin, u32 number)
{
	struct tcm_hba *hba = tcm_hba_create(plugin, number);
	int i;

	if (hba != ERR_PTR(-EINVAL))
		return hba;
	for (i = 0; i < ARRAY_SIZE(tcm_backend_modules); i++) {
		if (strcmp(tcm_backend_modules[i].plugin, plugin))
			continue;
		request_module("%s", tcm_backend_modules[i].module);
		return tcm_hba_create(plugin, number);
	}
	return hba;
}

static struct config_group *tcm_core_make_hba(struct config_group *group, const char *name)
{
	const char *why = "not <plugin>_<n>";
	struct tcm_cfs_node *node;
	struct tcm_hba *hba;
	char plugin[64];
	u32 number;
	int err;

	err = tcm_hba_parse_name(name, plugin, sizeof(plugin), &number);
	if (!err)
		err = tcm_cfs_check_name(name);
	if (err)
		goto refuse;
	hba = tcm_hba_find_or_load(plugin, number);
	if (IS_ERR(hba)) {
		why = PTR_ERR(hba) == -ENOMEM ? NULL : "no such plugin";
		err = PTR_ERR(hba);
		goto refuse;
	}
	node = tcm_cfs_alloc(sizeof(*node), name, &tcm_hba_type, TCM_CFS_HBA, hba, NULL);
	if (!node) {
		tcm_hba_destroy(hba);
		return ERR_PTR(-ENOMEM);
	}
	return &node->group;

refuse:
	return ERR_PTR(tcm_cfs_refuse(&group->cg_item, name, err, why));
}

static void tcm_core_drop_hba(struct config_group *group, struct config_item *item)
{
	tcm_hba_destroy(tcm_hba_of(item));
	tcm_cfs_bury(item);
}

struct configfs_group_operations tcm_core_group_ops = {
	.make_group	= tcm_core_make_hba,
	.drop_item	= tcm_core_drop_hba,
};
