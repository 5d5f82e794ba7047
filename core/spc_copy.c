// SPDX-License-Identifier: GPL-2.0-only
/*
 * EXTENDED COPY(LID1) (SPC-4 6.4, 6.4.3) and RECEIVE COPY STATUS(LID1), OPERATING PARAMETERS
 * (6.17 ff): the parameter list is taken apart here, core/copy.c moves the data.
 */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/unaligned.h>
#include "cmd.h"
#include "copy.h"
#include "opcode.h"
#include "pr.h"
#include "sbc.h"
#include "session.h"

struct tcm_copy_header {
	u8	list_id;
	u8	bits;		/* STR, LIST ID USAGE, PRIORITY */
	__be16	cscd_len;
	__be32	reserved;
	__be32	segment_len;
	__be32	inline_len;
};

static_assert(sizeof(struct tcm_copy_header) == 16);

#define TCM_LIST_ID_USAGE(bits)	(((bits) >> 3) & 3)
#define TCM_LIST_ID_RESERVED	1
#define TCM_LIST_ID_NONE	3	/* nobody asks for what becomes of it */

/* A CSCD descriptor: the designator begins at byte 4 and looks as in VPD 83h. */
#define TCM_CSCD_LEN		32
#define TCM_CSCD_IDENT		0xe4
#define TCM_CSCD_DESIG_AT	4
#define TCM_CSCD_DESIG_MAX	20
#define TCM_CSCD_BLOCK_LEN_AT	29	/* three bytes */

#define TCM_SEGMENT_BLOCKS	0x02	/* block device to block device */
#define TCM_SEGMENT_OFFSETS	0x0a	/* the same with byte offsets */
#define TCM_SEGMENT_DC		0x02	/* the count is in blocks of the destination */

/* The state of the unit behind @gate as a copy sees it */
#define TCM_COPY_AWAY	(BIT(TCM_GATE_DEAD) | BIT(TCM_GATE_STOPPED) | BIT(TCM_GATE_WIPE))

/* What is to be told of a copy, long after its command */
struct tcm_copy_record {
	u32	session, device;	/* their indices; session 0: free */
	u32	list_id;
	u8	status;
	u16	segments;
	u64	bytes;
};

#define TCM_COPY_RUNS		0	/* COPY MANAGER STATUS */
#define TCM_COPY_GOOD		1
#define TCM_COPY_BAD		2

/* All copies with a list identifier that run, and the last ones that ended */
#define TCM_COPY_RECORDS	64
static DEFINE_SPINLOCK(tcm_copy_lock);	/* protects the two below */
static struct tcm_copy_record tcm_copy_records[TCM_COPY_RECORDS];
static unsigned int tcm_copy_oldest;

static struct tcm_copy_record *tcm_copy_record(const struct tcm_cmd *cmd, u32 list_id)
{
	struct tcm_copy_record *r;

	lockdep_assert_held(&tcm_copy_lock);
	for (r = tcm_copy_records; r < tcm_copy_records + TCM_COPY_RECORDS; r++)
		if (r->session == cmd->sess->index && r->device == cmd->dev->index &&
		    r->list_id == list_id)
			return r;
	return NULL;
}

/* Write down that a copy begins; -EBUSY: this list identifier is in use, -ENOSPC: too many. */
static int tcm_copy_begin(const struct tcm_copy *copy)
{
	const struct tcm_cmd *cmd = copy->cmd;
	struct tcm_copy_record *r;
	unsigned int i;
	int err = 0;

	if (copy->list_usage == TCM_LIST_ID_NONE)
		return 0;
	spin_lock_irq(&tcm_copy_lock);
	r = tcm_copy_record(cmd, copy->list_id);
	if (r && r->status == TCM_COPY_RUNS)
		err = -EBUSY;
	for (i = 0; i < TCM_COPY_RECORDS && !r; i++) {
		r = &tcm_copy_records[tcm_copy_oldest++ % TCM_COPY_RECORDS];
		if (r->session && r->status == TCM_COPY_RUNS)
			r = NULL;
	}
	if (!r)
		err = -ENOSPC;
	if (!err)
		*r = (struct tcm_copy_record) {
			.session = cmd->sess->index,
			.device = cmd->dev->index,
			.list_id = copy->list_id,
		};
	spin_unlock_irq(&tcm_copy_lock);
	return err;
}

static void tcm_copy_ended(struct tcm_copy *copy, enum tcm_sense sense)
{
	struct tcm_cmd *cmd = copy->cmd;
	struct tcm_copy_record *r;
	unsigned long flags;

	spin_lock_irqsave(&tcm_copy_lock, flags);
	r = copy->list_usage == TCM_LIST_ID_NONE ? NULL : tcm_copy_record(cmd, copy->list_id);
	if (r) {
		r->status = sense ? TCM_COPY_BAD : TCM_COPY_GOOD;
		r->segments = copy->segment;
		r->bytes = copy->total;
	}
	spin_unlock_irqrestore(&tcm_copy_lock, flags);
	/* An error of either unit, where it has sense data (SPC-4 6.4.3.5) */
	if (sense && tcm_sense_status(sense) == SAM_STAT_CHECK_CONDITION &&
	    sense != TCM_SPACE_ALLOC_FAILED)
		sense = TCM_COPY_DEVICE_FAILURE;
	cmd->work = NULL;
	tcm_copy_free(copy);
	tcm_cmd_complete(cmd, sense);
}

static enum tcm_sense tcm_copy_field(struct tcm_cmd *cmd, enum tcm_sense sense, u16 at)
{
	tcm_bad_param(cmd, at, -1);
	return sense;
}

static enum tcm_sense tcm_copy_cscd(struct tcm_copy *copy, const u8 *p, u16 at)
{
	struct tcm_copy_unit *unit = &copy->units[copy->nunits];
	u32 block;

	/* LU ID TYPE other than zero, NUL: none of it is offered */
	if (p[0] != TCM_CSCD_IDENT)
		return tcm_copy_field(copy->cmd, TCM_COPY_BAD_CSCD, at);
	if (p[1] & 0xe0)
		return tcm_copy_field(copy->cmd, TCM_COPY_BAD_CSCD, at + 1);
	if (p[1] & 0x1f)
		return TCM_COPY_WRONG_TYPE;
	if (p[TCM_CSCD_DESIG_AT + 3] > TCM_CSCD_DESIG_MAX)
		return tcm_bad_param(copy->cmd, at + TCM_CSCD_DESIG_AT + 3, -1);
	if (!tcm_copy_find(copy->cmd, p + TCM_CSCD_DESIG_AT, unit))
		return TCM_COPY_UNREACHABLE;
	copy->nunits++;
	block = get_unaligned_be24(p + TCM_CSCD_BLOCK_LEN_AT);
	if (block && block != 1U << unit->lun->dev->block_shift)
		return tcm_bad_param(copy->cmd, at + TCM_CSCD_BLOCK_LEN_AT, -1);
	return TCM_OK;
}

/* [pos, pos + len) of a unit: is it there? */
static bool tcm_copy_fits(const struct tcm_copy_unit *unit, u64 lba, u64 offset, u64 len, u64 *pos)
{
	const struct tcm_device *dev = unit->lun->dev;
	u64 nblocks = READ_ONCE(dev->nblocks), size = nblocks << dev->block_shift;

	if (lba > nblocks)
		return false;
	*pos = (lba << dev->block_shift) + offset;
	return *pos <= size && len <= size - *pos;
}

static enum tcm_sense tcm_copy_check_units(const struct tcm_copy_segment *seg)
{
	if ((seg->from->gate | seg->to->gate) & TCM_COPY_AWAY || seg->from->away || seg->to->away)
		return TCM_COPY_UNREACHABLE;
	/* As READ and WRITE by the same nexus would be judged */
	if (seg->from->deny > TCM_PR_DENY_WRITES || seg->to->deny != TCM_PR_MAY_ALL)
		return TCM_RESERVATION_CONFLICT;
	if (seg->to->gate & BIT(TCM_GATE_WP))
		return TCM_WRITE_PROTECTED;
	return TCM_OK;
}

static enum tcm_sense tcm_copy_segment(struct tcm_copy *copy, const u8 *p)
{
	struct tcm_copy_segment *seg = &copy->segments[copy->nsegments];
	unsigned int from = get_unaligned_be16(p + 4), to = get_unaligned_be16(p + 6);
	u32 from_off = 0, to_off = 0, block;
	enum tcm_sense sense;

	if (from >= copy->nunits || to >= copy->nunits)
		return TCM_COPY_ABORTED;
	seg->from = &copy->units[from];
	seg->to = &copy->units[to];
	sense = tcm_copy_check_units(seg);
	if (sense)
		return sense;
	if (p[0] == TCM_SEGMENT_OFFSETS) {
		seg->len = get_unaligned_be32(p + 8);
		from_off = get_unaligned_be16(p + 28);
		to_off = get_unaligned_be16(p + 30);
	} else {
		seg->len = (u64)get_unaligned_be16(p + 10) <<
			   (p[1] & TCM_SEGMENT_DC ? seg->to : seg->from)->lun->dev->block_shift;
	}
	if (seg->len > TCM_COPY_SEGMENT_MAX)
		return TCM_COPY_ABORTED;
	if (!tcm_copy_fits(seg->from, get_unaligned_be64(p + 12), from_off, seg->len,
			   &seg->from_pos) ||
	    !tcm_copy_fits(seg->to, get_unaligned_be64(p + 20), to_off, seg->len, &seg->to_pos))
		return TCM_COPY_ABORTED;
	/* Blocks are copied whole. */
	block = 1U << max(seg->from->lun->dev->block_shift, seg->to->lun->dev->block_shift);
	if ((seg->len | from_off | to_off) & (block - 1))
		return TCM_COPY_INEXACT;
	copy->nsegments++;
	return TCM_OK;
}

/* The length of a segment descriptor by its type, 0: not a type of ours */
static unsigned int tcm_segment_len(u8 type)
{
	switch (type) {
	case TCM_SEGMENT_BLOCKS:
		return 28;
	case TCM_SEGMENT_OFFSETS:
		return 32;
	default:
		return 0;
	}
}

static enum tcm_sense tcm_copy_segments(struct tcm_copy *copy, const u8 *list, u32 at, u32 len)
{
	u32 end = at + len, size;
	enum tcm_sense sense;

	for (; at < end; at += size) {
		size = tcm_segment_len(list[at]);
		if (copy->nsegments == TCM_COPY_SEGMENTS)
			return TCM_COPY_MANY_SEGMENTS;
		if (!size)
			return tcm_copy_field(copy->cmd, TCM_COPY_BAD_SEGMENT, at);
		if (size > end - at)
			return TCM_PARAM_LIST_LENGTH;
		if (get_unaligned_be16(list + at + 2) != size - 4)
			return tcm_bad_param(copy->cmd, at + 2, -1);
		sense = tcm_copy_segment(copy, list + at);
		if (sense)
			return sense;
	}
	return TCM_OK;
}

static enum tcm_sense tcm_copy_list(struct tcm_copy *copy, const u8 *list, unsigned int len)
{
	const struct tcm_copy_header *h = (const struct tcm_copy_header *)list;
	u32 cscd_len, segment_len, at;
	enum tcm_sense sense;

	if (len < sizeof(*h))
		return TCM_PARAM_LIST_LENGTH;
	cscd_len = be16_to_cpu(h->cscd_len);
	segment_len = be32_to_cpu(h->segment_len);
	copy->list_id = h->list_id;
	copy->list_usage = TCM_LIST_ID_USAGE(h->bits);
	if (copy->list_usage == TCM_LIST_ID_RESERVED)
		return tcm_bad_param(copy->cmd, 1, 4);
	if (copy->list_usage == TCM_LIST_ID_NONE && h->list_id)
		return tcm_bad_param(copy->cmd, 0, -1);
	if (h->inline_len)
		return tcm_copy_field(copy->cmd, TCM_COPY_INLINE, 12);
	if (cscd_len % TCM_CSCD_LEN || cscd_len > len - sizeof(*h) ||
	    segment_len > len - sizeof(*h) - cscd_len)
		return TCM_PARAM_LIST_LENGTH;
	if (cscd_len / TCM_CSCD_LEN > TCM_COPY_CSCDS)
		return TCM_COPY_MANY_CSCDS;
	for (at = sizeof(*h); at < sizeof(*h) + cscd_len; at += TCM_CSCD_LEN) {
		sense = tcm_copy_cscd(copy, list + at, at);
		if (sense)
			return sense;
	}
	return tcm_copy_segments(copy, list, at, segment_len);
}

enum tcm_sense tcm_spc_copy_parse(struct tcm_cmd *cmd)
{
	/* Header and all descriptors; there are no inline data. */
	if (cmd->data_len > sizeof(struct tcm_copy_header) + TCM_COPY_LIST_MAX)
		return TCM_PARAM_LIST_LENGTH;
	return TCM_OK;
}

enum tcm_sense tcm_spc_copy(struct tcm_cmd *cmd)
{
	unsigned int len = cmd->data_len;
	struct tcm_copy *copy;
	enum tcm_sense sense;
	u8 *list;

	if (!len)
		return TCM_OK;
	list = kzalloc(len, GFP_NOIO);
	copy = tcm_copy_alloc(cmd);
	if (!list || !copy) {
		kfree(list);
		kvfree(copy);
		return TCM_BUSY;
	}
	tcm_cmd_get_data(cmd, list, len);
	sense = tcm_copy_list(copy, list, len);
	kfree(list);
	if (!sense) {
		int err = tcm_copy_begin(copy);

		sense = err == -EBUSY ? TCM_OPERATION_IN_PROGRESS : err ? TCM_BUSY : TCM_OK;
	}
	if (sense) {
		tcm_copy_free(copy);
		return sense;
	}
	cmd->work = copy;
	copy->ended = tcm_copy_ended;
	tcm_copy_start(copy);
	return TCM_PENDING;
}

bool tcm_spc_copy_offered(const struct tcm_device *dev)
{
	return READ_ONCE(dev->attr.emulate_3pc);
}

struct tcm_copy_status {
	__be32	available;
	u8	status;		/* HDD, COPY MANAGER STATUS */
	__be16	segments;
	u8	units;		/* TRANSFER COUNT UNITS */
	__be32	count;
} __packed;
static_assert(sizeof(struct tcm_copy_status) == 12);

enum tcm_sense tcm_spc_copy_status(struct tcm_cmd *cmd)
{
	struct tcm_copy_status cs = { .available = cpu_to_be32(sizeof(cs) - 4) };
	struct tcm_copy_record *r;
	u64 bytes = 0;
	u8 units = 0;

	spin_lock_irq(&tcm_copy_lock);
	r = tcm_copy_record(cmd, cmd->cdb[2]);
	if (r) {
		cs.status = r->status;
		cs.segments = cpu_to_be16(r->segments);
		bytes = r->bytes;
	}
	spin_unlock_irq(&tcm_copy_lock);
	if (!r)
		return tcm_bad_cdb(cmd, 2, -1);
	/* Bytes, else the smallest multiple of 1024 times as much that 32 bits hold */
	for (; bytes > U32_MAX; bytes >>= 10)
		units++;
	cs.units = units;
	cs.count = cpu_to_be32(bytes);
	tcm_cmd_put_data(cmd, &cs, sizeof(cs));
	return TCM_OK;
}

struct tcm_copy_params {
	__be32	available;
	u8	snlid;			/* LIST ID USAGE 11b is understood */
	u8	reserved1[3];
	__be16	cscds, segments;
	__be32	list_len, segment_len, inline_len, held_limit, stream_max;
	__be16	reserved2, concurrent_all;
	u8	concurrent;
	u8	granularity, inline_granularity, held_granularity;	/* powers of two */
	u8	reserved3[3];
	u8	ntypes;
	u8	types[3];
} __packed;
static_assert(sizeof(struct tcm_copy_params) == 47);

enum tcm_sense tcm_spc_copy_params(struct tcm_cmd *cmd)
{
	struct tcm_copy_params p = {
		.available = cpu_to_be32(sizeof(p) - 4),
		.snlid = 1,
		.cscds = cpu_to_be16(TCM_COPY_CSCDS),
		.segments = cpu_to_be16(TCM_COPY_SEGMENTS),
		.list_len = cpu_to_be32(TCM_COPY_LIST_MAX),
		.segment_len = cpu_to_be32(TCM_COPY_SEGMENT_MAX),
		.concurrent_all = cpu_to_be16(TCM_COPY_RECORDS),
		.concurrent = TCM_COPY_RECORDS,
		.granularity = cmd->dev->block_shift,
		.ntypes = sizeof(p.types),
		.types = { TCM_SEGMENT_BLOCKS, TCM_SEGMENT_OFFSETS, TCM_CSCD_IDENT },
	};

	tcm_cmd_put_data(cmd, &p, sizeof(p));
	return TCM_OK;
}
