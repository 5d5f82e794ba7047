// SPDX-License-Identifier: GPL-2.0-only
/*
 * lba_map of a device: which target port group has which ranges (referrals, SBC-4 4.28).
 * First line: segment size and multiplier; then a line for each range: first LBA, last
 * LBA, and <group>:<state> for each port group.
 */
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "../core/alua.h"
#include "../core/target.h"
#include "attr.h"
#include "lba_map.h"

static ssize_t tcm_lba_range_show(char *page, ssize_t len, const struct tcm_lba_range *range)
{
	ssize_t start = len;
	unsigned int i;

	len += sysfs_emit_at(page, len, "%llu %llu", range->first, range->last);
	for (i = 0; i < range->count; i++)
		len += sysfs_emit_at(page, len, " %u:%c", range->members[i].group,
				     TCM_LBA_STATES[range->members[i].state]);
	return len + sysfs_emit_at(page, len, "\n") - start;
}

static ssize_t tcm_device_lba_map_show(struct config_item *item, char *page)
{
	struct tcm_alua *alua = tcm_item_dev(item)->alua;
	struct tcm_lba_range *range;
	ssize_t len = 0;

	mutex_lock(&tcm_config_mutex);
	if (!list_empty(&alua->map))
		len += sysfs_emit_at(page, len, "%u %u\n", alua->seg_size, alua->seg_mult);
	list_for_each_entry(range, &alua->map, node)
		len += tcm_lba_range_show(page, len, range);
	mutex_unlock(&tcm_config_mutex);
	return len;
}

static ssize_t tcm_device_lba_map_store(struct config_item *item, const char *page, size_t count)
{
	LIST_HEAD(map);
	u32 size, mult;
	char *text;
	int err;

	if (memchr(page, 0, count))
		return tcm_cfs_refuse(item, "lba_map", -EINVAL, NULL);
	text = kmemdup_nul(page, count, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	err = tcm_lba_map_parse(text, &size, &mult, &map);
	kfree(text);
	if (err)
		tcm_lba_map_free(&map);
	else
		tcm_lba_map_set(tcm_item_dev(item), size, mult, &map);
	return tcm_stored(item, "lba_map", count, err, "not a map");
}

struct configfs_attribute tcm_device_attr_lba_map = {
	.ca_name	= "lba_map",
	.ca_mode	= 0644,
	.ca_owner	= THIS_MODULE,
	.show		= tcm_device_lba_map_show,
	.store		= tcm_device_lba_map_store,
};
