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

/* Port groups of one range: what fits a line */
#define TCM_LBA_MEMBERS	256

/* By state; the letters are O(ptimized), A(ctive), S(tandby), U(navailable). */
static const char tcm_lba_states[] = "OASU";

static ssize_t tcm_lba_range_show(char *page, ssize_t len, const struct tcm_lba_range *range)
{
	ssize_t start = len;
	unsigned int i;

	len += sysfs_emit_at(page, len, "%llu %llu", range->first, range->last);
	for (i = 0; i < range->count; i++)
		len += sysfs_emit_at(page, len, " %u:%c", range->members[i].group,
				     tcm_lba_states[range->members[i].state]);
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

/* <group>:<state> */
static int tcm_lba_member_parse(char *word, struct tcm_lba_member *member)
{
	char *state = strchr(word, ':'), *known;

	if (!state || !state[1] || state[2])
		return -EINVAL;
	*state++ = '\0';
	known = strchr(tcm_lba_states, *state);
	if (!known || kstrtou16(word, 0, &member->group))
		return -EINVAL;
	member->state = known - tcm_lba_states;
	return 0;
}

static int tcm_lba_members_parse(char *line, struct tcm_lba_range *range)
{
	unsigned int i, j;
	char *word;

	for (i = 0; i < range->count; i++) {
		word = strsep(&line, " ");
		if (!word || tcm_lba_member_parse(word, &range->members[i]))
			return -EINVAL;
		for (j = 0; j < i; j++)
			if (range->members[j].group == range->members[i].group)
				return -EINVAL;
	}
	return line ? -EINVAL : 0;
}

static unsigned int tcm_lba_words(const char *line)
{
	unsigned int n = 1;

	for (; *line; line++)
		n += *line == ' ';
	return n;
}

static int tcm_lba_range_parse(char *line, struct list_head *map)
{
	struct tcm_lba_range *range, *other;
	unsigned int words = tcm_lba_words(line);
	char *first, *last;
	int err = -EINVAL;

	if (words < 3 || words > TCM_LBA_MEMBERS + 2)
		return -EINVAL;
	range = tcm_lba_range_alloc(words - 2);
	if (!range)
		return -ENOMEM;
	first = strsep(&line, " ");
	last = strsep(&line, " ");
	if (kstrtou64(first, 0, &range->first) || kstrtou64(last, 0, &range->last) ||
	    range->last < range->first || tcm_lba_members_parse(line, range))
		goto free_range;
	other = list_first_entry_or_null(map, struct tcm_lba_range, node);
	if (other && other->count != range->count)
		goto free_range;
	list_add_tail(&range->node, map);
	return 0;

free_range:
	kfree(range);
	return err;
}

static int tcm_lba_map_parse(char *text, u32 *size, u32 *mult, struct list_head *map)
{
	char *line, *word;
	int err = 0;

	line = strsep(&text, "\n");
	word = strsep(&line, " ");
	if (!line || kstrtou32(word, 0, size) || kstrtou32(line, 0, mult))
		return -EINVAL;
	while (!err && (line = strsep(&text, "\n")))
		if (*line)
			err = tcm_lba_range_parse(line, map);
	return err;
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
