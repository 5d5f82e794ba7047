// SPDX-License-Identifier: GPL-2.0-only
/*
 * The text of lba_map taken apart: a function of a buffer alone.
 */
#include <linux/kstrtox.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "../core/alua.h"
#include "lba_map.h"

/* Port groups of one range: what fits a line */
#define TCM_LBA_MEMBERS	256

/* <group>:<state> */
static int tcm_lba_member_parse(char *word, struct tcm_lba_member *member)
{
	char *state = strchr(word, ':'), *known;

	if (!state || !state[1] || state[2])
		return -EINVAL;
	*state++ = '\0';
	known = strchr(TCM_LBA_STATES, *state);
	if (!known || kstrtou16(word, 0, &member->group))
		return -EINVAL;
	member->state = known - TCM_LBA_STATES;
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

int tcm_lba_map_parse(char *text, u32 *size, u32 *mult, struct list_head *map)
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
