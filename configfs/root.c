// SPDX-License-Identifier: GPL-2.0-only
/*
 * The root of the tree: version, dbroot, core/, and fabrics by mkdir.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/utsname.h>
#include "../core/dbroot.h"
#include "attr.h"
#include "root.h"

static ssize_t tcm_root_version_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "Target Engine Core ConfigFS Infrastructure v5.0 on %s/%s on %s\n",
			  utsname()->sysname, utsname()->machine, utsname()->release);
}
CONFIGFS_ATTR_RO(tcm_root_, version);

static ssize_t tcm_root_dbroot_show(struct config_item *item, char *page)
{
	ssize_t len = tcm_dbroot_get(page, PAGE_SIZE - 1);

	if (len < 0)
		return len;
	page[len++] = '\n';
	return len;
}

static ssize_t tcm_root_dbroot_store(struct config_item *item, const char *page, size_t count)
{
	const char *why = NULL;
	char *path;
	int err;

	path = kmemdup_nul(page, count, GFP_KERNEL);
	if (!path)
		return -ENOMEM;
	if (path[count - 1] == '\n')
		path[count - 1] = '\0';
	err = tcm_cfs_check_name(path);
	if (err)
		why = "not a path in UTF-8";
	else
		err = tcm_dbroot_set(path, &why);
	kfree(path);
	return tcm_stored(item, "dbroot", count, err, why);
}
CONFIGFS_ATTR(tcm_root_, dbroot);

static struct configfs_attribute *tcm_root_attrs[] = {
	TCM_ROW(root, version),
	TCM_ROW(root, dbroot),
	NULL
};

static const struct config_item_type tcm_root_type = {
	.ct_attrs	= tcm_root_attrs,
	.ct_group_ops	= &tcm_root_group_ops,
	.ct_owner	= THIS_MODULE,
};

static const struct config_item_type tcm_core_type = {
	.ct_item_ops	= &tcm_item_ops,
	.ct_group_ops	= &tcm_core_group_ops,
	.ct_owner	= THIS_MODULE,
};

static struct configfs_subsystem tcm_subsystem = {
	.su_group = {
		.cg_item = {
			.ci_namebuf	= "target",
			.ci_type	= &tcm_root_type,
		},
	},
};

/* core/ and core/alua/lu_gps/default_lu_gp/ */
static int tcm_cfs_add_core(struct config_group *root)
{
	struct tcm_cfs_node *core, *alua, *lu_gps;

	core = tcm_cfs_alloc(sizeof(*core), "core", &tcm_core_type, TCM_CFS_NONE, NULL, NULL);
	if (!core)
		return -ENOMEM;
	configfs_add_default_group(&core->group, root);
	alua = tcm_cfs_add(core, "alua", &tcm_cfs_empty_type);
	lu_gps = alua ? tcm_cfs_add(alua, "lu_gps", &tcm_lu_gps_type) : NULL;
	return lu_gps ? tcm_cfs_add_default_lu_gp(lu_gps) : -ENOMEM;
}

int tcm_cfs_init(void)
{
	struct config_group *root = &tcm_subsystem.su_group;
	int err;

	config_group_init(root);
	mutex_init(&tcm_subsystem.su_mutex);
	err = tcm_cfs_add_core(root);
	if (!err)
		err = configfs_register_subsystem(&tcm_subsystem);
	if (err)
		configfs_remove_default_groups(root);
	return err;
}

void tcm_cfs_exit(void)
{
	configfs_unregister_subsystem(&tcm_subsystem);
	configfs_remove_default_groups(&tcm_subsystem.su_group);
	tcm_cfs_empty_graves();
}
