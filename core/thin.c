// SPDX-License-Identifier: GPL-2.0-only
/*
 * Logical block provisioning thresholds (SBC-4 4.7.3.7). The backend is asked once a second, with
 * its poll(): no command pays for it, and a threshold is told a second late at most.
 */
#include <linux/limits.h>
#include <linux/minmax.h>
#include <tcm/cmd.h>
#include "lu.h"
#include "ua.h"

bool tcm_thin_offered(const struct tcm_device *dev)
{
	const struct tcm_dev_attr *attr = &dev->attr;

	return dev->limits.counts_space &&
	       (READ_ONCE(attr->emulate_tpu) || READ_ONCE(attr->emulate_tpws));
}

void tcm_thin_rearm(struct tcm_thin_state *thin)
{
	unsigned int i;

	for (i = 0; i < TCM_THIN_THRESHOLDS; i++) {
		thin->at[i].told = false;
		thin->at[i].only = NULL;
	}
}

/*
 * One threshold, SBC-4 4.7.3.7.4 and 4.7.3.7.5: beyond the far end of its range it is told, once,
 * until the value has been back behind the near end. True: tell it now.
 */
static bool tcm_thin_crossed(struct tcm_thin_state *thin, enum tcm_thin_threshold which)
{
	s64 centre = (s64)thin->at[which].count << TCM_THIN_SET_SHIFT;
	s64 half = 1LL << (TCM_THIN_SET_SHIFT - 1);
	s64 value, over;

	value = min_t(u64, S64_MAX, which == TCM_THIN_USED ? thin->now.used : thin->now.available);
	over = which == TCM_THIN_USED ? value - centre : centre - value;
	if (over < -half)
		thin->at[which].told = false;
	if (over <= half || thin->at[which].told || !thin->at[which].enabled)
		return false;
	thin->at[which].told = true;
	thin->at[which].only = NULL;
	return true;
}

void tcm_thin_sample(struct tcm_device *dev)
{
	struct tcm_thin_state *thin = &dev->lu->thin;
	bool tell[TCM_THIN_THRESHOLDS] = { };
	struct tcm_space now = { };
	unsigned int i;
	bool known;
	u64 size;

	if (!tcm_thin_offered(dev))
		return;
	known = !dev->ops->space(dev, &now);
	/* What the unit can still map is no more than what of it is not mapped. */
	size = READ_ONCE(dev->nblocks) << dev->block_shift;
	now.available = min(now.available, size - min(size, now.used));
	spin_lock_irq(&dev->lu->lock);
	thin->known = known;
	thin->now = now;
	for (i = 0; i < TCM_THIN_THRESHOLDS && known && thin->lbpere; i++)
		tell[i] = tcm_thin_crossed(thin, i);
	spin_unlock_irq(&dev->lu->lock);
	for (i = 0; i < TCM_THIN_THRESHOLDS; i++)
		if (tell[i])
			tcm_ua_raise_device(dev, TCM_UA_THIN_AVAILABLE + i, NULL);
}

void tcm_thin_arrive(struct tcm_mapping *map)
{
	struct tcm_lu *lu = map->lun->dev->lu;
	unsigned long flags;
	unsigned int i;
	bool mine;

	for (i = 0; i < TCM_THIN_THRESHOLDS; i++) {
		if (!test_bit(TCM_UA_THIN_AVAILABLE + i, &map->ua))
			continue;
		spin_lock_irqsave(&lu->lock, flags);
		if (lu->thin.situa && !lu->thin.at[i].only)
			lu->thin.at[i].only = map;
		mine = !lu->thin.situa || lu->thin.at[i].only == map;
		spin_unlock_irqrestore(&lu->lock, flags);
		if (!mine)
			tcm_ua_drop(map, TCM_UA_THIN_AVAILABLE + i);
	}
}
