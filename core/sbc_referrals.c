// SPDX-License-Identifier: GPL-2.0-only
/*
 * Referrals (SBC-4 4.28): which port groups lead to which blocks in what state, as the device's
 * lba_map says; REPORT REFERRALS and VPD page B3h (6.6.7).
 */
#include <linux/slab.h>
#include <linux/unaligned.h>
#include "alua.h"
#include "cmd.h"
#include "opcode.h"
#include "sbc.h"
#include "target.h"
#include "vpd.h"

#define TCM_REFERRALS_LBA_AT	2
#define TCM_REFERRALS_BITS_AT	14
#define TCM_REFERRALS_ONE_SEG	0x01
#define TCM_REFERRALS_HEADER	4
#define TCM_REFERRALS_SEGMENT	20	/* without its groups */
#define TCM_REFERRALS_GROUP	4

/* In sense data, SBC-4 4.18.4: one segment, and as many groups as there is room for */
#define TCM_REFERRAL_TYPE	0x0b
#define TCM_REFERRAL_NOT_ALL	0x01
#define TCM_REFERRAL_HEADER	4
#define TCM_REFERRAL_MAX	(TCM_SENSE_MAX - 8)
#define TCM_REFERRAL_GROUPS	((TCM_REFERRAL_MAX - TCM_REFERRAL_HEADER - \
				  TCM_REFERRALS_SEGMENT) / TCM_REFERRALS_GROUP)

bool tcm_sbc_referrals_offered(const struct tcm_device *dev)
{
	/* A hint: who needs to be sure looks under dev->lun_lock. */
	return !list_empty_careful(&dev->alua->map);
}

unsigned int tcm_vpd_referrals(const struct tcm_lun *lun, u8 *buf)
{
	struct tcm_device *dev = lun->dev;
	unsigned long flags;

	spin_lock_irqsave(&dev->lun_lock, flags);
	put_unaligned_be32(dev->alua->seg_size, buf + 8);
	put_unaligned_be32(dev->alua->seg_mult, buf + 12);
	spin_unlock_irqrestore(&dev->lun_lock, flags);
	return 12;
}

/* A segment's descriptor at @p; nothing is written of one that would end beyond @end. */
static unsigned int tcm_referrals_segment(const struct tcm_lba_range *range, u8 *p, const u8 *end)
{
	unsigned int len = TCM_REFERRALS_SEGMENT + range->count * TCM_REFERRALS_GROUP, i;

	if (p + len > end)
		return len;
	p[3] = range->count;
	put_unaligned_be64(range->first, p + 4);
	put_unaligned_be64(range->last, p + 12);
	for (i = 0, p += TCM_REFERRALS_SEGMENT; i < range->count; i++, p += TCM_REFERRALS_GROUP) {
		p[0] = range->members[i].state;
		put_unaligned_be16(range->members[i].group, p + 2);
	}
	return len;
}

/* Does a port group in this state lead to the blocks, now or soon? */
static bool tcm_referral_leads(u8 state)
{
	return state == TCM_ALUA_OPTIMIZED || state == TCM_ALUA_NONOPTIMIZED ||
	       state == TCM_ALUA_TRANSITIONING;
}

/* The groups that lead to @range at @p, @room of them at most; how many they are */
static unsigned int tcm_referral_groups(const struct tcm_lba_range *range, u8 *p,
					unsigned int room)
{
	unsigned int i, n = 0;

	for (i = 0; i < range->count && n < room; i++) {
		if (!tcm_referral_leads(range->members[i].state))
			continue;
		p[n * TCM_REFERRALS_GROUP] = range->members[i].state;
		put_unaligned_be16(range->members[i].group, p + n * TCM_REFERRALS_GROUP + 2);
		n++;
	}
	return n;
}

u8 *tcm_sbc_referral(const struct tcm_alua *alua, u64 lba, unsigned int *len)
{
	const struct tcm_lba_range *range = tcm_lba_range_at(alua, lba);
	unsigned int n;
	u8 *p;

	if (!range)
		return NULL;
	p = kzalloc(TCM_REFERRAL_MAX, GFP_ATOMIC | __GFP_NOWARN);
	if (!p)
		return NULL;
	n = tcm_referral_groups(range, p + TCM_REFERRAL_HEADER + TCM_REFERRALS_SEGMENT,
				TCM_REFERRAL_GROUPS);
	if (!n) {
		kfree(p);
		return NULL;
	}
	*len = TCM_REFERRAL_HEADER + TCM_REFERRALS_SEGMENT + n * TCM_REFERRALS_GROUP;
	p[0] = TCM_REFERRAL_TYPE;
	p[1] = *len - 2;
	p[2] = list_is_singular(&alua->map) ? 0 : TCM_REFERRAL_NOT_ALL;
	p[TCM_REFERRAL_HEADER + 3] = n;
	put_unaligned_be64(range->first, p + TCM_REFERRAL_HEADER + 4);
	put_unaligned_be64(range->last, p + TCM_REFERRAL_HEADER + 12);
	return p;
}

/* From the segment of the LBA on. @buf has @size zeroed bytes; how long the answer is altogether */
static unsigned int tcm_referrals_build(const struct tcm_cmd *cmd, u8 *buf, unsigned int size)
{
	bool one = cmd->cdb[TCM_REFERRALS_BITS_AT] & TCM_REFERRALS_ONE_SEG, found = false;
	const struct tcm_alua *alua = cmd->dev->alua;
	const struct tcm_lba_range *range;
	unsigned int len = TCM_REFERRALS_HEADER;
	u64 last;

	spin_lock_irq(&cmd->dev->lun_lock);
	list_for_each_entry(range, &alua->map, node) {
		last = tcm_lba_range_last(alua, range);
		found |= tcm_lba_in_map(alua, cmd->lba) <= last;
		if (!found)
			continue;
		len += tcm_referrals_segment(range, buf + min(len, size), buf + size);
		if (one)
			break;
	}
	spin_unlock_irq(&cmd->dev->lun_lock);
	put_unaligned_be16(len - TCM_REFERRALS_HEADER, buf + 2);
	return len;
}

enum tcm_sense tcm_sbc_referrals_parse(struct tcm_cmd *cmd)
{
	return cmd->lba < READ_ONCE(cmd->dev->nblocks) ? TCM_OK : TCM_LBA_OUT_OF_RANGE;
}

enum tcm_sense tcm_sbc_referrals(struct tcm_cmd *cmd)
{
	/* Whole descriptors are written, and cut when they are copied. */
	unsigned int size = cmd->data_len + TCM_REFERRALS_HEADER + TCM_REFERRALS_SEGMENT +
			    TCM_REFERRALS_GROUP * U8_MAX;
	u8 *buf = kvzalloc(size, GFP_KERNEL);

	if (!buf)
		return TCM_BUSY;
	tcm_cmd_put_data(cmd, buf, min(tcm_referrals_build(cmd, buf, size), size));
	kvfree(buf);
	return TCM_OK;
}
