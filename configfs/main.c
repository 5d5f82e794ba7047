// SPDX-License-Identifier: GPL-2.0-only
/*
 * The root of the tree, and the module: initialisation in order, exit in reverse.
 */
#include <linux/configfs.h>
#include <linux/module.h>
#include <linux/utsname.h>
#include "../core/device.h"
#include "../core/hop.h"
#include "../core/opcode.h"
#include "../core/session.h"
#include "../core/target.h"
#include "cfs.h"

static ssize_t tcm_root_version_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "Target Engine Core ConfigFS Infrastructure v5.0 on %s/%s on %s\n",
			  utsname()->sysname, utsname()->machine, utsname()->release);
}
CONFIGFS_ATTR_RO(tcm_root_, version);

static struct configfs_attribute *tcm_root_attrs[] = {
	&tcm_root_attr_version,
	NULL
};

static struct configfs_group_operations tcm_root_ops = {
	.make_group = tcm_cfs_make_fabric,
};

static const struct config_item_type tcm_root_type = {
	.ct_attrs	= tcm_root_attrs,
	.ct_group_ops	= &tcm_root_ops,
	.ct_owner	= THIS_MODULE,
};

static struct configfs_group_operations tcm_core_ops = {
	.make_group	= tcm_cfs_make_hba,
	.drop_item	= tcm_cfs_drop_hba,
};

static const struct config_item_type tcm_core_type = {
	.ct_group_ops	= &tcm_core_ops,
	.ct_owner	= THIS_MODULE,
};

static struct config_group tcm_core_group;
static struct configfs_subsystem tcm_subsystem = {
	.su_group = {
		.cg_item = {
			.ci_namebuf	= "target",
			.ci_type	= &tcm_root_type,
		},
	},
};

static int __init tcm_init(void)
{
	int err;

	err = tcm_opcode_init();
	if (err)
		return err;
	err = tcm_hop_init();
	if (err)
		return err;
	err = tcm_session_init();
	if (err)
		goto exit_hop;
	err = tcm_target_init();
	if (err)
		goto exit_session;
	err = tcm_device_init();
	if (err)
		goto exit_target;

	config_group_init(&tcm_subsystem.su_group);
	mutex_init(&tcm_subsystem.su_mutex);
	config_group_init_type_name(&tcm_core_group, "core", &tcm_core_type);
	configfs_add_default_group(&tcm_core_group, &tcm_subsystem.su_group);
	err = configfs_register_subsystem(&tcm_subsystem);
	if (err)
		goto exit_device;
	return 0;

exit_device:
	tcm_device_exit();
exit_target:
	tcm_target_exit();
exit_session:
	tcm_session_exit();
exit_hop:
	tcm_hop_exit();
	return err;
}

static void __exit tcm_exit(void)
{
	configfs_unregister_subsystem(&tcm_subsystem);
	tcm_session_exit();
	tcm_device_exit();
	tcm_target_exit();
	tcm_hop_exit();
}

module_init(tcm_init);
module_exit(tcm_exit);
MODULE_DESCRIPTION("TCM SCSI target engine");
MODULE_LICENSE("GPL");
MODULE_VERSION("5.0.0");
