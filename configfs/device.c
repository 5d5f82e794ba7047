// SPDX-License-Identifier: GPL-2.0-only
/*
 * core/<plugin>_<n>/<device>/: the files of the directory itself (configfs contract, section 3).
 */
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "../core/alua.h"
#include "../core/attr.h"
#include "../core/device.h"
#include "../core/target.h"
#include "attr.h"

/*
 * protects tcm_cfs_node.obj of device directories against who comes by a symlink that is
 * being made; a leaf lock
 */
static DEFINE_SPINLOCK(tcm_device_link_lock);

static ssize_t tcm_device_info_show(struct config_item *item, char *page)
{
	struct tcm_device *dev = tcm_item_dev(item);
	ssize_t len;

	len = sysfs_emit(page, "Status: %s  Max Queue Depth: %u  SectorSize: %u  HwMaxSectors: %u\n"
			 "        ", READ_ONCE(dev->exports) ? "ACTIVATED" : "DEACTIVATED",
			 dev->attr.queue_depth, dev->attr.block_size, dev->attr.hw_max_sectors);
	/* Not between two states of the backend: open() runs without the mutex. */
	mutex_lock(&tcm_config_mutex);
	if (!test_bit(TCM_DEV_OPENING, &dev->flags))
		len += dev->ops->info(dev, page + len, PAGE_SIZE - len);
	mutex_unlock(&tcm_config_mutex);
	return tcm_text_clean(page, len);
}
CONFIGFS_ATTR_RO(tcm_device_, info);

static ssize_t tcm_device_control_store(struct config_item *item, const char *page, size_t count)
{
	char *text;
	int err;

	if (memchr(page, 0, count) || !tcm_text_is_utf8(page, count))
		return tcm_cfs_refuse(item, "control", -EINVAL, "not text in UTF-8");
	text = kmemdup_nul(page, count, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	err = tcm_device_control(tcm_item_dev(item), text);
	kfree(text);
	return err ?: count;
}
CONFIGFS_ATTR_WO(tcm_device_, control);

/* alias and udev_path: text that is kept for who reads it; empty reads as nothing at all */
static ssize_t tcm_device_note_show(struct config_item *item, char *page,
				    enum tcm_device_text which)
{
	char text[TCM_ALIAS_MAX];

	tcm_device_get_text(tcm_item_dev(item), which, text, sizeof(text));
	return *text ? sysfs_emit(page, "%s\n", text) : 0;
}

static ssize_t tcm_device_note_store(struct config_item *item, const char *page, size_t count,
				     enum tcm_device_text which, const char *name)
{
	const char *why = "not text in UTF-8";
	char text[TCM_ALIAS_MAX];
	size_t len = count;
	int err = -EINVAL;

	if (page[len - 1] == '\n')
		len--;
	if (!len || len >= sizeof(text)) {
		why = "must have 1 to 511 bytes";
	} else if (!memchr(page, 0, len) && tcm_text_is_utf8(page, len)) {
		memcpy(text, page, len);
		text[len] = '\0';
		err = tcm_device_set_text(tcm_item_dev(item), which, text, &why);
	}
	return tcm_stored(item, name, count, err, why);
}

#define TCM_NOTE(name, which)									\
static ssize_t tcm_device_##name##_show(struct config_item *item, char *page)			\
{												\
	return tcm_device_note_show(item, page, which);						\
}												\
static ssize_t tcm_device_##name##_store(struct config_item *item, const char *page, size_t count) \
{												\
	return tcm_device_note_store(item, page, count, which, #name);				\
}												\
CONFIGFS_ATTR(tcm_device_, name)

TCM_NOTE(alias, TCM_TEXT_ALIAS);
TCM_NOTE(udev_path, TCM_TEXT_UDEV_PATH);

static ssize_t tcm_device_enable_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%d\n", test_bit(TCM_DEV_CONFIGURED, &tcm_item_dev(item)->flags));
}

static ssize_t tcm_device_enable_store(struct config_item *item, const char *page, size_t count)
{
	const char *why = "a device is enabled by 1 and disabled by rmdir";
	int err = -EINVAL;

	if (strchr(page, '1'))
		err = tcm_device_enable(tcm_item_dev(item), &why);
	return tcm_stored(item, "enable", count, err, why);
}
CONFIGFS_ATTR(tcm_device_, enable);

static ssize_t tcm_device_alua_lu_gp_show(struct config_item *item, char *page)
{
	struct tcm_device *dev = tcm_item_dev(item);
	struct tcm_lu_gp *gp;
	ssize_t len = 0;

	mutex_lock(&tcm_config_mutex);
	gp = dev->alua->lu_gp;
	if (gp)
		len = sysfs_emit(page, "LU Group Alias: %s\nLU Group ID: %u\n", gp->name, gp->id);
	mutex_unlock(&tcm_config_mutex);
	return len;
}

static ssize_t tcm_device_alua_lu_gp_store(struct config_item *item, const char *page,
					   size_t count)
{
	char name[TCM_GROUP_NAME_MAX];
	const char *why = NULL;
	int err;

	err = tcm_text_take(page, count, name, sizeof(name));
	if (err)
		err = -EINVAL;
	else
		err = tcm_lu_gp_join(tcm_item_dev(item), strcmp(name, "NULL") ? name : NULL, &why);
	return tcm_stored(item, "alua_lu_gp", count, err, why);
}
CONFIGFS_ATTR(tcm_device_, alua_lu_gp);

static struct configfs_attribute *tcm_device_attrs[] = {
	TCM_ROW(device, info),
	TCM_ROW(device, control),
	TCM_ROW(device, alias),
	TCM_ROW(device, udev_path),
	TCM_ROW(device, enable),
	TCM_ROW(device, alua_lu_gp),
	TCM_ROW(device, lba_map),
	NULL
};

const struct config_item_type tcm_device_type = {
	.ct_item_ops	= &tcm_item_ops,
	.ct_attrs	= tcm_device_attrs,
	.ct_owner	= THIS_MODULE,
};

struct tcm_device *tcm_cfs_link_device(struct config_item *item)
{
	struct tcm_device *dev;

	/* In this order: a device's directory may go at any time, and does not come back. */
	if (item->ci_type != &tcm_device_type)
		return ERR_PTR(tcm_cfs_is_buried(item) ? -ENODEV : -EFAULT);
	spin_lock(&tcm_device_link_lock);
	dev = tcm_item_dev(item);
	if (dev)
		tcm_device_get(dev);
	spin_unlock(&tcm_device_link_lock);
	return dev ?: ERR_PTR(-ENODEV);
}

void tcm_hba_drop_device(struct config_group *group, struct config_item *item)
{
	struct tcm_device *dev = tcm_item_dev(item);
	u32 index;

	spin_lock(&tcm_device_link_lock);
	tcm_cfs_node(item)->obj = NULL;
	spin_unlock(&tcm_device_link_lock);
	index = dev->index;
	tcm_device_destroy(dev);
	/*
	 * A disk that nobody uses any more is free when rmdir returns, for who sets up the same
	 * again at once. This waits under the subsystem's mutex, but not long.
	 */
	tcm_device_settle(index);
	tcm_cfs_bury(item);
}
