// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mode pages of direct access block devices.
 */
#include <linux/bitops.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include "gate.h"
#include "group.h"
#include "lu.h"
#include "sbc.h"
#include "task.h"

/* Read-Write Error Recovery, SBC-4 6.5.10: byte 7. Nothing is retried or told but thresholds. */
#define TCM_RECOVERY_LBPERE	0x80

static void tcm_mode_recovery_fixed(const struct tcm_device *dev, u8 *mask)
{
	if (!tcm_thin_offered(dev))
		mask[7] &= ~TCM_RECOVERY_LBPERE;
}

static void tcm_mode_recovery(const struct tcm_device *dev, enum tcm_mode_pc pc, u8 *p)
{
	if (pc == TCM_MODE_CURRENT && READ_ONCE(dev->lu->thin.lbpere) && tcm_thin_offered(dev))
		p[7] |= TCM_RECOVERY_LBPERE;
}

static void tcm_mode_recovery_set(struct tcm_device *dev, const u8 *p)
{
	lockdep_assert_held(&dev->lu->lock);
	WRITE_ONCE(dev->lu->thin.lbpere, !!(p[7] & TCM_RECOVERY_LBPERE));
	tcm_thin_rearm(&dev->lu->thin);
}

/* Logical Block Provisioning, SBC-4 6.5.9: a threshold of either kind, counted in sets */
#define TCM_LBP_SITUA		0x01	/* byte 4 */
#define TCM_LBP_ENABLED		0x80	/* byte 0 of a descriptor */
#define TCM_LBP_INCREASING	0x01
#define TCM_LBP_AVAILABLE	0x01	/* byte 1: THRESHOLD RESOURCE */
#define TCM_LBP_USED		0x02

static void tcm_mode_provisioning(const struct tcm_device *dev, enum tcm_mode_pc pc, u8 *p)
{
	const struct tcm_thin_state *thin = &dev->lu->thin;
	unsigned int i;

	if (pc != TCM_MODE_CURRENT)
		return;
	if (READ_ONCE(thin->situa))
		p[4] |= TCM_LBP_SITUA;
	for (i = 0; i < TCM_THIN_THRESHOLDS; i++) {
		if (READ_ONCE(thin->at[i].enabled))
			p[TCM_THIN_DESC(i)] |= TCM_LBP_ENABLED;
		put_unaligned_be32(READ_ONCE(thin->at[i].count), p + TCM_THIN_DESC(i) + 4);
	}
}

static void tcm_mode_provisioning_set(struct tcm_device *dev, const u8 *p)
{
	struct tcm_thin_state *thin = &dev->lu->thin;
	unsigned int i;

	lockdep_assert_held(&dev->lu->lock);
	WRITE_ONCE(thin->situa, !!(p[4] & TCM_LBP_SITUA));
	for (i = 0; i < TCM_THIN_THRESHOLDS; i++) {
		const u8 *desc = p + TCM_THIN_DESC(i);

		WRITE_ONCE(thin->at[i].enabled, !!(desc[0] & TCM_LBP_ENABLED));
		WRITE_ONCE(thin->at[i].count, get_unaligned_be32(desc + 4));
	}
	tcm_thin_rearm(thin);
}

/* Caching, SBC-4 6.5.6 */
#define TCM_CACHE_WCE		0x04	/* byte 2 */
#define TCM_CACHE_DRA		0x20	/* byte 12: no read-ahead of its own */

/* A backend without a cache, or with one that is its own affair, has none to turn on or off. */
static void tcm_mode_caching_fixed(const struct tcm_device *dev, u8 *mask)
{
	if (!dev->limits.write_cache || (dev->ops->flags & TCM_BE_OWN_CACHE))
		mask[2] &= ~TCM_CACHE_WCE;
}

static void tcm_mode_caching(const struct tcm_device *dev, enum tcm_mode_pc pc, u8 *p)
{
	bool own = dev->ops->flags & TCM_BE_OWN_CACHE;

	if (pc == TCM_MODE_CURRENT || own ? tcm_dev_wce(dev) : dev->lu->mode.wce)
		p[2] |= TCM_CACHE_WCE;
}

static void tcm_mode_caching_set(struct tcm_device *dev, const u8 *p)
{
	if (!(dev->ops->flags & TCM_BE_OWN_CACHE))
		WRITE_ONCE(dev->attr.emulate_write_cache, !!(p[2] & TCM_CACHE_WCE));
}

/* Control, SPC-4 7.5.8 */
#define TCM_CTL_TST_NEXUS	0x20	/* byte 2: TST 001b */
#define TCM_CTL_D_SENSE		0x04
#define TCM_CTL_GLTSD		0x02
#define TCM_CTL_QAM_UNRESTRICTED 0x10	/* byte 3: QUEUE ALGORITHM MODIFIER */
#define TCM_CTL_QERR		0x06
#define TCM_CTL_QERR_SHIFT	1
#define TCM_CTL_UA_INTLCK	0x30	/* byte 4 */
#define TCM_CTL_UA_INTLCK_SHIFT	4
#define TCM_CTL_SWP		0x08
#define TCM_CTL_ATO		0x80	/* byte 5 */
#define TCM_CTL_TAS		0x40

static void tcm_mode_control(const struct tcm_device *dev, enum tcm_mode_pc pc, u8 *p)
{
	const struct tcm_dev_attr *attr = &dev->attr;
	u8 intlck = dev->lu->mode.intlck;
	bool strict = false;

	if (pc == TCM_MODE_CURRENT) {
		intlck = READ_ONCE(attr->emulate_ua_intlck_ctrl);
		strict = READ_ONCE(dev->tasks->strict);
		p[3] |= READ_ONCE(dev->tasks->qerr) << TCM_CTL_QERR_SHIFT;
	}
	if (!strict)
		p[3] |= TCM_CTL_QAM_UNRESTRICTED;
	if (pc == TCM_MODE_CURRENT && READ_ONCE(dev->tasks->per_nexus))
		p[2] |= TCM_CTL_TST_NEXUS;
	if (pc == TCM_MODE_CURRENT && test_bit(TCM_DEV_D_SENSE, &dev->flags))
		p[2] |= TCM_CTL_D_SENSE;
	/* The attribute counts the values that are not reserved. */
	p[4] |= (intlck ? intlck + 1 : 0) << TCM_CTL_UA_INTLCK_SHIFT;
	if (pc == TCM_MODE_CURRENT && test_bit(TCM_DEV_SWP, &dev->flags))
		p[4] |= TCM_CTL_SWP;
	if (attr->pi_prot_type)
		p[5] |= TCM_CTL_ATO;
	if (pc == TCM_MODE_CURRENT ? READ_ONCE(attr->emulate_tas) : dev->lu->mode.tas)
		p[5] |= TCM_CTL_TAS;
}

static bool tcm_mode_control_reserved(const u8 *p, unsigned int *byte, int *bit)
{
	*byte = 3;
	*bit = 2;
	if ((p[3] & TCM_CTL_QERR) >> TCM_CTL_QERR_SHIFT == 2)
		return true;
	*byte = 4;
	*bit = 5;
	return (p[4] & TCM_CTL_UA_INTLCK) >> TCM_CTL_UA_INTLCK_SHIFT == 1;
}

static void tcm_mode_control_set(struct tcm_device *dev, const u8 *p)
{
	u8 intlck = (p[4] & TCM_CTL_UA_INTLCK) >> TCM_CTL_UA_INTLCK_SHIFT;
	bool swp = p[4] & TCM_CTL_SWP;

	lockdep_assert_held(&dev->lu->lock);
	assign_bit(TCM_DEV_D_SENSE, &dev->flags, p[2] & TCM_CTL_D_SENSE);
	WRITE_ONCE(dev->attr.emulate_tas, !!(p[5] & TCM_CTL_TAS));
	WRITE_ONCE(dev->attr.emulate_ua_intlck_ctrl, intlck ? intlck - 1 : 0);
	WRITE_ONCE(dev->tasks->qerr, (p[3] & TCM_CTL_QERR) >> TCM_CTL_QERR_SHIFT);
	tcm_task_set_per_nexus(dev, p[2] & TCM_CTL_TST_NEXUS);
	tcm_task_set_strict(dev, !(p[3] & TCM_CTL_QAM_UNRESTRICTED));
	/* lu->lock keeps interrupts off */
	spin_lock(&dev->lun_lock);
	assign_bit(TCM_DEV_SWP, &dev->flags, swp);
	tcm_gate_device(dev, TCM_GATE_SWP, swp);
	spin_unlock(&dev->lun_lock);
}

/* Control Extension, SPC-4 7.5.9, byte 4 */
#define TCM_CTL_EXT_TCMOS	0x04	/* the timestamp is the clock's until SET TIMESTAMP */
#define TCM_CTL_EXT_SCSIP	0x02	/* SET TIMESTAMP prevails */
#define TCM_CTL_EXT_IALUAE	0x01

static void tcm_mode_control_ext(const struct tcm_device *dev, enum tcm_mode_pc pc, u8 *p)
{
	p[4] |= TCM_CTL_EXT_TCMOS | TCM_CTL_EXT_SCSIP;
	if (dev->attr.alua_support)
		p[4] |= TCM_CTL_EXT_IALUAE;
}

/*
 * IO Advice Hints Grouping, SBC-4 6.5.7: a descriptor for each group. No hints are heeded, so none
 * are taken; what can be changed is whether commands of a group are counted. Folded, the page has a
 * bit for each group behind its header, that of group 0 being the last.
 */
#define TCM_HINTS_AT		4
#define TCM_HINTS_DESC(n)	(16 + 16 * (n))
#define TCM_HINTS_GROUPS	64
#define TCM_HINTS_NONE		0x40	/* IO ADVICE HINTS MODE 01b */
#define TCM_HINTS_COLLECT	0x01	/* IC_ENABLE */

static void tcm_mode_hints(const struct tcm_device *dev, enum tcm_mode_pc pc, u8 *p)
{
	put_unaligned_be32(pc == TCM_MODE_CURRENT ? READ_ONCE(dev->lu->groups.collect) :
			   TCM_GROUPS_ALL, p + TCM_HINTS_AT);
}

static void tcm_mode_hints_set(struct tcm_device *dev, const u8 *p)
{
	WRITE_ONCE(dev->lu->groups.collect, get_unaligned_be32(p + TCM_HINTS_AT));
}

static void tcm_mode_hints_unfold(const u8 *p, enum tcm_mode_pc pc, u8 *sent)
{
	u32 collect = get_unaligned_be32(p + TCM_HINTS_AT);
	unsigned int n;

	for (n = 0; n < TCM_HINTS_GROUPS; n++) {
		if (pc != TCM_MODE_CHANGEABLE)
			sent[TCM_HINTS_DESC(n)] = TCM_HINTS_NONE;
		if (n <= TCM_GROUPS && collect & BIT(n))
			sent[TCM_HINTS_DESC(n)] |= TCM_HINTS_COLLECT;
	}
}

static bool tcm_mode_hints_fold(const u8 *sent, u8 *p, unsigned int *byte, int *bit)
{
	u32 collect = 0;
	unsigned int i;

	for (i = TCM_HINTS_AT; i < TCM_HINTS_DESC(TCM_HINTS_GROUPS); i++) {
		bool first = i >= TCM_HINTS_DESC(0) && !(i % 16);
		unsigned int n = i / 16 - 1;
		u8 bad = sent[i] ^ (first ? TCM_HINTS_NONE : 0);

		if (first && bad & TCM_HINTS_COLLECT && n && n <= TCM_GROUPS) {
			collect |= BIT(n);
			bad &= ~TCM_HINTS_COLLECT;
		}
		if (bad) {
			*byte = i;
			*bit = fls(bad) - 1;
			return false;
		}
	}
	memcpy(p, sent, TCM_HINTS_AT);
	put_unaligned_be32(collect, p + TCM_HINTS_AT);
	return true;
}

const struct tcm_mode_page tcm_mode_pages[] = {
	{
		.page = 0x01, .len = 12,
		.base = { 0x01, 10 },
		.changeable = { [7] = TCM_RECOVERY_LBPERE },
		.fixed = tcm_mode_recovery_fixed, .fill = tcm_mode_recovery,
		.set = tcm_mode_recovery_set,
	}, {
		/* Disconnect-Reconnect, SPC-4 7.5.11: nothing is limited */
		.page = 0x02, .len = 16,
		.base = { 0x02, 14 },
	}, {
		.page = 0x08, .len = 20,
		.base = { 0x08, 18, [12] = TCM_CACHE_DRA },
		.changeable = { [2] = TCM_CACHE_WCE },
		.fixed = tcm_mode_caching_fixed, .fill = tcm_mode_caching,
		.set = tcm_mode_caching_set,
	}, {
		/* BUSY TIMEOUT PERIOD is not limited, the extended self-test takes 30 s */
		.page = 0x0a, .len = 12,
		.base = { 0x0a, 10, TCM_CTL_GLTSD, [8] = 0xff, [9] = 0xff, [11] = 30 },
		.changeable = {
			[2] = TCM_CTL_TST_NEXUS | TCM_CTL_D_SENSE,
			[3] = TCM_CTL_QAM_UNRESTRICTED | TCM_CTL_QERR,
			[4] = TCM_CTL_UA_INTLCK | TCM_CTL_SWP,
			[5] = TCM_CTL_TAS,
		},
		.fill = tcm_mode_control, .reserved = tcm_mode_control_reserved,
		.set = tcm_mode_control_set,
	}, {
		.page = 0x0a, .subpage = 0x01, .len = 32,
		.base = { 0x4a, 0x01, 0, 28 },
		.fill = tcm_mode_control_ext,
	}, {
		.page = 0x0a, .subpage = 0x05, .len = TCM_HINTS_AT + 4,
		.sent = TCM_HINTS_DESC(TCM_HINTS_GROUPS),
		.base = { 0x4a, 0x05, 0x04, 0x0c },
		.changeable = { [TCM_HINTS_AT] = 0xff, 0xff, 0xff, 0xfe },
		.fill = tcm_mode_hints, .set = tcm_mode_hints_set,
		.unfold = tcm_mode_hints_unfold, .fold = tcm_mode_hints_fold,
	}, {
		/* Power Condition, SPC-4 7.5.13: there are no timers, nothing rests */
		.page = 0x1a, .len = 40,
		.base = { 0x1a, 38 },
	}, {
		/* Informational Exceptions Control, SBC-4 6.5.8: none are reported */
		.page = 0x1c, .len = 12,
		.base = { 0x1c, 10 },
	}, {
		.page = 0x1c, .subpage = 0x02, .len = 32,
		.base = {
			0x5c, 0x02, 0, 28,
			[17] = TCM_LBP_AVAILABLE, [24] = TCM_LBP_INCREASING, [25] = TCM_LBP_USED,
		},
		.changeable = {
			[4] = TCM_LBP_SITUA,
			[16] = TCM_LBP_ENABLED, [20] = 0xff, 0xff, 0xff, 0xff,
			[24] = TCM_LBP_ENABLED, [28] = 0xff, 0xff, 0xff, 0xff,
		},
		.offered = tcm_thin_offered, .fill = tcm_mode_provisioning,
		.set = tcm_mode_provisioning_set,
	},
};

const unsigned int tcm_mode_page_count = ARRAY_SIZE(tcm_mode_pages);
static_assert(ARRAY_SIZE(tcm_mode_pages) <= TCM_MODE_PAGES);
static_assert(TCM_HINTS_DESC(TCM_HINTS_GROUPS) - 4 == 0x40c);

static void tcm_mode_page_mask(const struct tcm_mode_page *page, const struct tcm_device *dev,
			       u8 *p)
{
	memcpy(p, page->changeable, page->len);
	if (page->fixed)
		page->fixed(dev, p);
}

/* The saved values of what can be changed, where there are some, over the default ones. */
static void tcm_mode_page_saved(const struct tcm_mode_page *page, const struct tcm_device *dev,
				u8 *p)
{
	unsigned int n = page - tcm_mode_pages, i;
	u8 mask[TCM_MODE_PAGE_MAX];

	if (!(dev->lu->mode.have & BIT(n)))
		return;
	tcm_mode_page_mask(page, dev, mask);
	for (i = tcm_mode_page_head(page); i < page->len; i++)
		p[i] = (p[i] & ~mask[i]) | (dev->lu->mode.saved[n][i] & mask[i]);
}

void tcm_mode_page_build(const struct tcm_mode_page *page, const struct tcm_device *dev,
			 enum tcm_mode_pc pc, u8 *p)
{
	if (pc == TCM_MODE_CHANGEABLE) {
		tcm_mode_page_mask(page, dev, p);
		memcpy(p, page->base, tcm_mode_page_head(page));
	} else {
		memcpy(p, page->base, page->len);
		if (page->fill)
			page->fill(dev, pc == TCM_MODE_CURRENT ? pc : TCM_MODE_DEFAULT, p);
		if (pc == TCM_MODE_SAVED)
			tcm_mode_page_saved(page, dev, p);
	}
}
