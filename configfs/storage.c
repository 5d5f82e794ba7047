// SPDX-License-Identifier: GPL-2.0-only
/*
 * core/<plugin>_<n>/<device>/
 */
#include <linux/kmod.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "../core/device.h"
#include "cfs.h"

static struct tcm_cfs_device *tcm_cfs_to_device(struct config_item *item)
{
	return container_of(to_config_group(item), struct tcm_cfs_device, group);
}

static ssize_t tcm_device_info_show(struct config_item *item, char *page)
{
	struct tcm_device *dev = tcm_cfs_to_device(item)->dev;
	ssize_t len;

	len = sysfs_emit(page, "Status: %s  Max Queue Depth: %u  SectorSize: %u  HwMaxSectors: %u\n        ",
			 dev->exports ? "ACTIVATED" : "DEACTIVATED", dev->attr.queue_depth,
			 dev->attr.block_size, dev->attr.hw_max_sectors);
	return len + dev->ops->info(dev, page + len, PAGE_SIZE - len);
}
CONFIGFS_ATTR_RO(tcm_device_, info);

static ssize_t tcm_device_control_store(struct config_item *item, const char *page, size_t count)
{
	char *text = kmemdup_nul(page, count, GFP_KERNEL);
	int err;

	if (!text)
		return -ENOMEM;
	err = tcm_device_control(tcm_cfs_to_device(item)->dev, text);
	kfree(text);
	return err ?: count;
}
CONFIGFS_ATTR_WO(tcm_device_, control);

static ssize_t tcm_device_enable_show(struct config_item *item, char *page)
{
	struct tcm_device *dev = tcm_cfs_to_device(item)->dev;

	return sysfs_emit(page, "%d\n", test_bit(TCM_DEV_CONFIGURED, &dev->flags));
}

static ssize_t tcm_device_enable_store(struct config_item *item, const char *page, size_t count)
{
	int err;

	if (!strchr(page, '1'))
		return -EINVAL;
	err = tcm_device_enable(tcm_cfs_to_device(item)->dev);
	return err ?: count;
}
CONFIGFS_ATTR(tcm_device_, enable);

static ssize_t tcm_device_udev_path_show(struct config_item *item, char *page)
{
	struct tcm_device *dev = tcm_cfs_to_device(item)->dev;

	return dev->udev_path[0] ? sysfs_emit(page, "%s\n", dev->udev_path) : 0;
}

static ssize_t tcm_device_udev_path_store(struct config_item *item, const char *page, size_t count)
{
	struct tcm_device *dev = tcm_cfs_to_device(item)->dev;

	if (!count || count >= sizeof(dev->udev_path))
		return -EINVAL;
	memcpy(dev->udev_path, page, count);
	dev->udev_path[count] = '\0';
	strim(dev->udev_path);
	return count;
}
CONFIGFS_ATTR(tcm_device_, udev_path);

static struct configfs_attribute *tcm_device_attrs[] = {
	&tcm_device_attr_udev_path,
	&tcm_device_attr_info,
	&tcm_device_attr_control,
	&tcm_device_attr_enable,
	NULL
};

static void tcm_device_item_release(struct config_item *item)
{
	kfree(tcm_cfs_to_device(item));
}

static struct configfs_item_operations tcm_device_item_ops = {
	.release = tcm_device_item_release,
};

const struct config_item_type tcm_cfs_device_type = {
	.ct_item_ops	= &tcm_device_item_ops,
	.ct_attrs	= tcm_device_attrs,
	.ct_owner	= THIS_MODULE,
};

struct tcm_cfs_device *tcm_cfs_item_device(struct config_item *item)
{
	return item->ci_type == &tcm_cfs_device_type ? tcm_cfs_to_device(item) : NULL;
}

static struct config_group *tcm_hba_make_device(struct config_group *group, const char *name)
{
	struct tcm_cfs_hba *chba = container_of(group, struct tcm_cfs_hba, group);
	struct tcm_cfs_device *cdev = kzalloc(sizeof(*cdev), GFP_KERNEL);

	if (!cdev)
		return ERR_PTR(-ENOMEM);
	cdev->dev = tcm_device_create(chba->hba, name);
	if (IS_ERR(cdev->dev)) {
		int err = PTR_ERR(cdev->dev);

		kfree(cdev);
		return ERR_PTR(err);
	}
	config_group_init_type_name(&cdev->group, name, &tcm_cfs_device_type);
	return &cdev->group;
}

static void tcm_hba_drop_device(struct config_group *group, struct config_item *item)
{
	tcm_device_destroy(tcm_cfs_to_device(item)->dev);
	config_item_put(item);
}

static void tcm_hba_release(struct config_item *item)
{
	kfree(container_of(to_config_group(item), struct tcm_cfs_hba, group));
}

static struct configfs_group_operations tcm_hba_group_ops = {
	.make_group	= tcm_hba_make_device,
	.drop_item	= tcm_hba_drop_device,
};

static struct configfs_item_operations tcm_hba_item_ops = {
	.release = tcm_hba_release,
};

static const struct config_item_type tcm_hba_type = {
	.ct_item_ops	= &tcm_hba_item_ops,
	.ct_group_ops	= &tcm_hba_group_ops,
	.ct_owner	= THIS_MODULE,
};

/* <plugin>_<n>: the split is at the second underscore if there is one (rd_mcp_0). */
static int tcm_hba_parse_name(const char *name, char *plugin, size_t size, unsigned long *n)
{
	const char *split = strchr(name, '_'), *second;

	if (!split)
		return -EINVAL;
	second = strchr(split + 1, '_');
	if (second)
		split = second;
	if (split - name >= size)
		return -EINVAL;
	memcpy(plugin, name, split - name);
	plugin[split - name] = '\0';
	return kstrtoul(split + 1, 0, n);
}

struct config_group *tcm_cfs_make_hba(struct config_group *core, const char *name)
{
	struct tcm_cfs_hba *chba;
	unsigned long n;
	char plugin[64];
	int err;

	if (strlen(name) >= 64)
		return ERR_PTR(-ENAMETOOLONG);
	err = tcm_hba_parse_name(name, plugin, sizeof(plugin), &n);
	if (err)
		return ERR_PTR(err);
	chba = kzalloc(sizeof(*chba), GFP_KERNEL);
	if (!chba)
		return ERR_PTR(-ENOMEM);
	request_module("target_core_%s", !strcmp(plugin, "fileio") ? "file" :
		       !strcmp(plugin, "rd_mcp") ? "rd" : plugin);
	chba->hba = tcm_hba_create(plugin, n);
	if (IS_ERR(chba->hba)) {
		err = PTR_ERR(chba->hba);
		kfree(chba);
		return ERR_PTR(err);
	}
	config_group_init_type_name(&chba->group, name, &tcm_hba_type);
	return &chba->group;
}

void tcm_cfs_drop_hba(struct config_group *core, struct config_item *item)
{
	struct tcm_cfs_hba *chba = container_of(to_config_group(item), struct tcm_cfs_hba, group);

	tcm_hba_destroy(chba->hba);
	config_item_put(item);
}
