// SPDX-License-Identifier: GPL-2.0-only
/*
 * The grouping function: an initiator marks the commands of an application, or of whatever it
 * likes, with a GROUP NUMBER, and the Group Statistics and Performance log pages tell what each
 * group has come to. The IO Advice Hints Grouping mode page turns the counting on and off.
 *
 * Nobody pays for it whose commands are of no group: GROUP NUMBER is not among the bits that a row
 * lets pass at once (core/opcode.c).
 */
#include <linux/unaligned.h>
#include "copy.h"
#include "group.h"
#include "log.h"
#include "lu.h"
#include "opcode.h"

/* SPC-5 table 375: what counts as a read or a write; the others that have the field are neither. */
enum tcm_group_kind {
	TCM_GROUP_NEITHER,
	TCM_GROUP_READ,
	TCM_GROUP_WRITE,
};

static enum tcm_group_kind tcm_group_kind_long(u16 sa)
{
	switch (sa) {
	case TCM_SA_READ_32:
		return TCM_GROUP_READ;
	case TCM_SA_WRITE_32:
	case TCM_SA_WRITE_VERIFY_32:
		return TCM_GROUP_WRITE;
	default:
		return TCM_GROUP_NEITHER;
	}
}

static enum tcm_group_kind tcm_group_kind(const struct tcm_opcode *op)
{
	switch (op->opcode) {
	case READ_10:
	case READ_12:
	case READ_16:
		return TCM_GROUP_READ;
	case WRITE_10:
	case WRITE_12:
	case WRITE_16:
	case WRITE_VERIFY:
	case WRITE_VERIFY_12:
	case WRITE_VERIFY_16:
	case UNMAP:
		return TCM_GROUP_WRITE;
	case EXTENDED_COPY:
		return op->sa == TCM_SA_POPULATE_TOKEN ? TCM_GROUP_READ : TCM_GROUP_WRITE;
	case VARIABLE_LENGTH_CMD:
		return tcm_group_kind_long(op->sa);
	default:
		return TCM_GROUP_NEITHER;
	}
}

/* Logical blocks of user data that went to or came from the initiator */
static u32 tcm_group_blocks(const struct tcm_cmd *cmd)
{
	if (cmd->op->xfer != TCM_XFER_BLOCKS)
		return 0;
	return min(cmd->nblocks, cmd->xfer_len >> cmd->dev->block_shift);
}

#define TCM_GROUP_FUA	0x08	/* reserved in rows that do without */

static bool tcm_group_fua(const struct tcm_cmd *cmd)
{
	return cmd->cdb[tcm_sbc_bits_at(cmd)] & TCM_GROUP_FUA;
}

void tcm_group_count(const struct tcm_cmd *cmd)
{
	unsigned int n = tcm_cdb_group(cmd->op, cmd->cdb);
	struct tcm_groups *groups = &cmd->dev->lu->groups;
	struct tcm_group *group;

	if (!n || !(READ_ONCE(groups->collect) & BIT(n)))
		return;
	group = &groups->of[n - 1];
	switch (tcm_group_kind(cmd->op)) {
	case TCM_GROUP_READ:
		atomic64_inc(&group->reads);
		atomic64_add(tcm_group_blocks(cmd), &group->read_blocks);
		if (tcm_group_fua(cmd))
			atomic64_inc(&group->fua_reads);
		break;
	case TCM_GROUP_WRITE:
		atomic64_inc(&group->writes);
		atomic64_add(tcm_group_blocks(cmd), &group->written_blocks);
		if (tcm_group_fua(cmd))
			atomic64_inc(&group->fua_writes);
		break;
	default:
		break;
	}
}

/* SPC-5 7.3.7. Times are not measured, and FUA_NV is obsolete: their counts stay 0. */
#define TCM_LOG_GROUP		0x0001
#define TCM_LOG_GROUP_LEN	0x30
#define TCM_LOG_GROUP_FUA	0x0004
#define TCM_LOG_GROUP_FUA_LEN	0x40

void tcm_group_log(struct tcm_log_buf *b, struct tcm_device *dev)
{
	const struct tcm_group *group = &dev->lu->groups.of[b->subpage - 1];
	bool counted = b->pc != TCM_LOG_DEFAULT;
	u8 *p;

	p = tcm_log_param(b, TCM_LOG_GROUP, TCM_LOG_COUNTER, TCM_LOG_GROUP_LEN);
	if (p && counted) {
		put_unaligned_be64(atomic64_read(&group->reads), p);
		put_unaligned_be64(atomic64_read(&group->writes), p + 8);
		put_unaligned_be64(atomic64_read(&group->written_blocks), p + 16);
		put_unaligned_be64(atomic64_read(&group->read_blocks), p + 24);
	}
	p = tcm_log_param(b, TCM_LOG_GROUP_FUA, TCM_LOG_COUNTER, TCM_LOG_GROUP_FUA_LEN);
	if (p && counted) {
		put_unaligned_be64(atomic64_read(&group->fua_reads), p);
		put_unaligned_be64(atomic64_read(&group->fua_writes), p + 8);
	}
}

static void tcm_group_reset(struct tcm_group *group)
{
	atomic64_set(&group->reads, 0);
	atomic64_set(&group->writes, 0);
	atomic64_set(&group->read_blocks, 0);
	atomic64_set(&group->written_blocks, 0);
	atomic64_set(&group->fua_reads, 0);
	atomic64_set(&group->fua_writes, 0);
}

/* Of one group, or of all where the page that is named is not that of a group */
void tcm_group_log_reset(struct tcm_device *dev, const struct tcm_map_stats *now, u8 subpage)
{
	struct tcm_groups *groups = &dev->lu->groups;
	unsigned int i;

	for (i = 0; i < TCM_GROUPS; i++)
		if (!subpage || subpage > TCM_GROUPS || subpage == i + 1)
			tcm_group_reset(&groups->of[i]);
}
