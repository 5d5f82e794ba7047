// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reservations that the disk keeps (pgr_support 0): the block layer's pr_ops. To the disk this
 * machine is one initiator, whoever asks.
 *
 * What the members of pr_ops return is an errno, 0, or the driver's own kind of failure.
 */
#include <linux/mm.h>
#include <linux/pr.h>
#include <linux/slab.h>
#include "iblock.h"

/* Unit attentions that may be waiting, of a preemption that this answers maybe */
#define TCM_IBLOCK_PR_TRIES	4

/* As the block layer numbers them */
static const u8 tcm_iblock_pr_types[] = {
	[PR_WRITE_EXCLUSIVE]		= TCM_PR_WRITE_EXCLUSIVE,
	[PR_EXCLUSIVE_ACCESS]		= TCM_PR_EXCLUSIVE_ACCESS,
	[PR_WRITE_EXCLUSIVE_REG_ONLY]	= TCM_PR_WRITE_EXCLUSIVE_RO,
	[PR_EXCLUSIVE_ACCESS_REG_ONLY]	= TCM_PR_EXCLUSIVE_ACCESS_RO,
	[PR_WRITE_EXCLUSIVE_ALL_REGS]	= TCM_PR_WRITE_EXCLUSIVE_AR,
	[PR_EXCLUSIVE_ACCESS_ALL_REGS]	= TCM_PR_EXCLUSIVE_ACCESS_AR,
};

/* 0 is none: PREEMPT that removes registrations alone comes with any (SPC-4 5.13.11.1). */
static enum pr_type tcm_iblock_pr_type(u8 type)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tcm_iblock_pr_types); i++)
		if (type && tcm_iblock_pr_types[i] == type)
			return i;
	return 0;
}

static const struct pr_ops *tcm_iblock_pr_ops(struct block_device *bdev)
{
	return bdev->bd_disk->fops->pr_ops;
}

u8 tcm_iblock_pr_pass(struct block_device *bdev)
{
	const struct pr_ops *ops = tcm_iblock_pr_ops(bdev);

	/* They are of the whole disk: other partitions are not ours. */
	if (!ops || bdev_is_partition(bdev) || !ops->pr_register || !ops->pr_reserve ||
	    !ops->pr_release || !ops->pr_preempt || !ops->pr_clear)
		return 0;
	return TCM_PR_PASS_OUT |
	       (tcm_bdev_pr_reads(ops) ? TCM_PR_PASS_KEYS | TCM_PR_PASS_HOLDER : 0);
}

static enum tcm_sense tcm_iblock_pr_sense(struct tcm_iblock *ib, int ret)
{
	if (!ret)
		return TCM_OK;
	if (tcm_bdev_pr_conflict(ret))
		return TCM_RESERVATION_CONFLICT;
	tcm_iblock_check(ib);
	if (test_bit(TCM_IBLOCK_GONE, &ib->flags))
		return TCM_LUN_FAILURE;
	switch (ret) {
	case -EOPNOTSUPP:
	case -ENOTTY:
		return TCM_INVALID_OPCODE;
	case -ENOMEM:
	case -EAGAIN:
		return TCM_BUSY;
	default:
		/* Of what went wrong below no more is known. */
		return TCM_INTERNAL_TARGET_FAILURE;
	}
}

static int tcm_iblock_pr_do(struct block_device *bdev, const struct tcm_pr_ask *ask)
{
	const struct pr_ops *ops = tcm_iblock_pr_ops(bdev);
	enum pr_type type = tcm_iblock_pr_type(ask->type);

	switch (ask->sa) {
	case TCM_PR_REGISTER:
		return ops->pr_register(bdev, ask->key, ask->sa_key, 0);
	case TCM_PR_REGISTER_AND_IGNORE:
		return ops->pr_register(bdev, 0, ask->sa_key, PR_FL_IGNORE_KEY);
	case TCM_PR_RESERVE:
		return ops->pr_reserve(bdev, ask->key, type, 0);
	case TCM_PR_RELEASE:
		return ops->pr_release(bdev, ask->key, type);
	case TCM_PR_CLEAR:
		return ops->pr_clear(bdev, ask->key);
	case TCM_PR_PREEMPT:
	case TCM_PR_PREEMPT_AND_ABORT:
		return ops->pr_preempt(bdev, ask->key, ask->sa_key, type,
				       ask->sa == TCM_PR_PREEMPT_AND_ABORT);
	default:
		return -EOPNOTSUPP;
	}
}

enum tcm_sense tcm_iblock_pr_out(struct tcm_device *dev, const struct tcm_pr_ask *ask)
{
	struct tcm_iblock *ib = dev->priv;
	unsigned int tries = TCM_IBLOCK_PR_TRIES;
	int ret;

	do
		ret = tcm_iblock_pr_do(ib->bd.bdev, ask);
	while (tcm_bdev_pr_again(ret) && --tries);
	return tcm_iblock_pr_sense(ib, ret);
}

enum tcm_sense tcm_iblock_pr_keys(struct tcm_device *dev, struct tcm_pr_told *told)
{
	struct tcm_iblock *ib = dev->priv;
	struct pr_keys *keys;
	int ret;

	keys = kvzalloc(struct_size(keys, keys, told->n), GFP_NOIO);
	if (!keys)
		return TCM_BUSY;
	keys->num_keys = told->n;
	ret = tcm_bdev_pr_keys(tcm_iblock_pr_ops(ib->bd.bdev), ib->bd.bdev, keys);
	if (!ret) {
		memcpy(told->keys, keys->keys,
		       min(told->n, keys->num_keys) * sizeof(*told->keys));
		told->generation = keys->generation;
		told->n = keys->num_keys;
	}
	kvfree(keys);
	return tcm_iblock_pr_sense(ib, ret);
}

enum tcm_sense tcm_iblock_pr_holder(struct tcm_device *dev, struct tcm_pr_told *told)
{
	struct tcm_iblock *ib = dev->priv;
	struct pr_held_reservation held = { };
	struct pr_keys keys = { };
	int ret;

	ret = tcm_bdev_pr_holder(tcm_iblock_pr_ops(ib->bd.bdev), ib->bd.bdev, &held);
	/* Without a holder the driver does not tell the generation. */
	if (!ret && !held.type)
		ret = tcm_bdev_pr_keys(tcm_iblock_pr_ops(ib->bd.bdev), ib->bd.bdev, &keys);
	told->generation = held.type ? held.generation : keys.generation;
	told->key = held.key;
	told->type = held.type < ARRAY_SIZE(tcm_iblock_pr_types) ?
		     tcm_iblock_pr_types[held.type] : TCM_PR_NONE;
	return tcm_iblock_pr_sense(ib, ret);
}
