// SPDX-License-Identifier: GPL-2.0-only
/*
 * EXTENDED COPY(LID1) and (LID4) (SPC-4 6.4, 6.5) and RECEIVE COPY OPERATING PARAMETERS (6.22): the
 * parameter list is taken apart here, core/copy.c moves the data.
 */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/unaligned.h>
#include "cmd.h"
#include "copy.h"
#include "opcode.h"
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

struct tcm_copy_header4 {
	u8	format;
	u8	bits;
	__be16	header_len;	/* of what looks like a CSCD descriptor to LID1 */
	u8	reserved1[11];
	u8	flags;		/* G_SENSE, IMMED */
	u8	type;
	u8	reserved2[3];
	__be32	list_id;
	u8	reserved3[18];
	__be16	cscd_len, segment_len, inline_len;
};

static_assert(sizeof(struct tcm_copy_header4) == 48);

#define TCM_COPY4_FORMAT	0x01
#define TCM_COPY4_HEADER_LEN	0x20
#define TCM_COPY4_TYPE		0xff
#define TCM_COPY4_G_SENSE	0x02
#define TCM_COPY4_IMMED		0x01

/* What either header says, and where it says so */
struct tcm_copy_lengths {
	u32	list_id, cscd_len, segment_len, inline_len;
	u8	list_usage;
	u8	size;			/* of the header */
	u8	first_id;		/* CSCD DESCRIPTOR ID of the first descriptor */
	u8	id_at, inline_at;
	bool	background;
};

#define TCM_LIST_ID_USAGE(bits)	(((bits) >> 3) & 3)
#define TCM_LIST_ID_RESERVED	1
#define TCM_LIST_ID_NONE	3	/* nobody asks for what becomes of it */

/* A CSCD descriptor: the designator begins at byte 4 and looks as in VPD 83h. */
#define TCM_CSCD_LEN		32
#define TCM_CSCD_DESIG_AT	4
#define TCM_CSCD_DESIG_MAX	20
#define TCM_CSCD_BLOCK_LEN_AT	29	/* three bytes */

#define TCM_SEGMENT_DC		0x02	/* the count is in blocks of the destination */

static enum tcm_sense tcm_copy_field(struct tcm_cmd *cmd, enum tcm_sense sense, u16 at)
{
	tcm_bad_param(cmd, at, -1);
	return sense;
}

/* The same in the segment descriptor that comes next (SPC-4 4.5.2.4.5) */
static enum tcm_sense tcm_copy_in_segment(struct tcm_copy *copy, enum tcm_sense sense, u16 at)
{
	copy->cmd->extra = (struct tcm_sense_extra) {
		.flags = TCM_SX_FIELD | TCM_SX_SEGMENT,
		.field = at,
		.segment = copy->nsegments,
	};
	return sense;
}

/* Bytes of a segment descriptor */
#define TCM_SEGMENT_FROM_AT	4
#define TCM_SEGMENT_TO_AT	6
#define TCM_SEGMENT_BYTES_AT	8	/* of descriptor 0Ah */
#define TCM_SEGMENT_COUNT_AT	10	/* of descriptor 02h */
#define TCM_SEGMENT_FROM_LBA_AT	12
#define TCM_SEGMENT_TO_LBA_AT	20
#define TCM_SEGMENT_FROM_OFF_AT	28
#define TCM_SEGMENT_TO_OFF_AT	30

static enum tcm_sense tcm_copy_cscd(struct tcm_copy *copy, const u8 *p, u16 at)
{
	u32 block;

	if (p[0] != TCM_CSCD_IDENT)
		return tcm_copy_field(copy->cmd, TCM_COPY_BAD_CSCD, at);
	/* NUL; LU ID TYPE is ignored (SPC-4 6.4.5.6) */
	if (p[1] & 0x20)
		return tcm_copy_field(copy->cmd, TCM_COPY_BAD_CSCD, at + 1);
	if (p[1] & 0x1f)
		return tcm_copy_field(copy->cmd, TCM_COPY_WRONG_TYPE, at + 1);
	if (p[TCM_CSCD_DESIG_AT + 3] > TCM_CSCD_DESIG_MAX)
		return tcm_bad_param(copy->cmd, at + TCM_CSCD_DESIG_AT + 3, -1);
	if (!tcm_copy_find(copy, p + TCM_CSCD_DESIG_AT))
		return tcm_copy_field(copy->cmd, TCM_COPY_UNREACHABLE, at);
	block = get_unaligned_be24(p + TCM_CSCD_BLOCK_LEN_AT);
	if (block && block != 1U << copy->units[copy->nunits - 1].lun->dev->block_shift)
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

/* By its CSCD DESCRIPTOR ID; NULL: there is none. */
static struct tcm_copy_unit *tcm_copy_unit_of(struct tcm_copy *copy, const u8 *p,
					      unsigned int first_id)
{
	unsigned int id = get_unaligned_be16(p);

	return id < first_id || id - first_id >= copy->nunits ? NULL : &copy->units[id - first_id];
}

static enum tcm_sense tcm_copy_segment_may(struct tcm_copy *copy, const struct tcm_copy_unit *unit,
					   bool write, u16 at)
{
	enum tcm_sense sense = tcm_copy_may(unit, write);

	return TCM_SENSE_KEY(sense) == COPY_ABORTED ? tcm_copy_in_segment(copy, sense, at) : sense;
}

static enum tcm_sense tcm_copy_segment(struct tcm_copy *copy, const u8 *p, unsigned int first_id)
{
	struct tcm_copy_segment *seg = &copy->segments[copy->nsegments];
	u16 len_at = TCM_SEGMENT_COUNT_AT;
	u32 from_off = 0, to_off = 0, block;
	enum tcm_sense sense;

	seg->from = tcm_copy_unit_of(copy, p + TCM_SEGMENT_FROM_AT, first_id);
	if (!seg->from)
		return tcm_copy_in_segment(copy, TCM_COPY_ABORTED, TCM_SEGMENT_FROM_AT);
	seg->to = tcm_copy_unit_of(copy, p + TCM_SEGMENT_TO_AT, first_id);
	if (!seg->to)
		return tcm_copy_in_segment(copy, TCM_COPY_ABORTED, TCM_SEGMENT_TO_AT);
	sense = tcm_copy_segment_may(copy, seg->from, false, TCM_SEGMENT_FROM_AT) ?:
		tcm_copy_segment_may(copy, seg->to, true, TCM_SEGMENT_TO_AT);
	if (sense)
		return sense;
	if (p[0] == TCM_SEGMENT_OFFSETS) {
		len_at = TCM_SEGMENT_BYTES_AT;
		seg->len = get_unaligned_be32(p + len_at);
		from_off = get_unaligned_be16(p + TCM_SEGMENT_FROM_OFF_AT);
		to_off = get_unaligned_be16(p + TCM_SEGMENT_TO_OFF_AT);
	} else {
		seg->len = (u64)get_unaligned_be16(p + len_at) <<
			   (p[1] & TCM_SEGMENT_DC ? seg->to : seg->from)->lun->dev->block_shift;
	}
	if (seg->len > TCM_COPY_SEGMENT_MAX)
		return tcm_copy_in_segment(copy, TCM_COPY_ABORTED, len_at);
	if (!tcm_copy_fits(seg->from, get_unaligned_be64(p + TCM_SEGMENT_FROM_LBA_AT), from_off,
			   seg->len, &seg->from_pos))
		return tcm_copy_in_segment(copy, TCM_COPY_ABORTED, TCM_SEGMENT_FROM_LBA_AT);
	if (!tcm_copy_fits(seg->to, get_unaligned_be64(p + TCM_SEGMENT_TO_LBA_AT), to_off,
			   seg->len, &seg->to_pos))
		return tcm_copy_in_segment(copy, TCM_COPY_ABORTED, TCM_SEGMENT_TO_LBA_AT);
	/* Blocks are copied whole. */
	block = 1U << max(seg->from->lun->dev->block_shift, seg->to->lun->dev->block_shift);
	if (seg->len & (block - 1))
		return tcm_copy_in_segment(copy, TCM_COPY_INEXACT, len_at);
	if (from_off & (block - 1))
		return tcm_copy_in_segment(copy, TCM_COPY_INEXACT, TCM_SEGMENT_FROM_OFF_AT);
	if (to_off & (block - 1))
		return tcm_copy_in_segment(copy, TCM_COPY_INEXACT, TCM_SEGMENT_TO_OFF_AT);
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

static enum tcm_sense tcm_copy_segments(struct tcm_copy *copy, const u8 *list, u32 at,
					const struct tcm_copy_lengths *l)
{
	u32 end = at + l->segment_len, size;
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
		sense = tcm_copy_segment(copy, list + at, l->first_id);
		if (sense)
			return sense;
	}
	return TCM_OK;
}

static enum tcm_sense tcm_copy_header1(const u8 *list, struct tcm_copy_lengths *l)
{
	const struct tcm_copy_header *h = (const struct tcm_copy_header *)list;

	*l = (struct tcm_copy_lengths) {
		.list_id = h->list_id,
		.list_usage = TCM_LIST_ID_USAGE(h->bits),
		.cscd_len = be16_to_cpu(h->cscd_len),
		.segment_len = be32_to_cpu(h->segment_len),
		.inline_len = be32_to_cpu(h->inline_len),
		.size = sizeof(*h),
		.inline_at = 12,
	};
	return TCM_OK;
}

static enum tcm_sense tcm_copy_header4(struct tcm_cmd *cmd, const u8 *list,
				       struct tcm_copy_lengths *l)
{
	const struct tcm_copy_header4 *h = (const struct tcm_copy_header4 *)list;

	if (h->format != TCM_COPY4_FORMAT)
		return tcm_bad_param(cmd, 0, -1);
	if (be16_to_cpu(h->header_len) != TCM_COPY4_HEADER_LEN)
		return tcm_bad_param(cmd, 2, -1);
	/* GOOD with sense data is nothing that a command of ours can end with. */
	if (h->flags & TCM_COPY4_G_SENSE)
		return tcm_bad_param(cmd, 15, 1);
	if (h->type != TCM_COPY4_TYPE)
		return tcm_bad_param(cmd, 16, -1);
	*l = (struct tcm_copy_lengths) {
		.list_id = be32_to_cpu(h->list_id),
		.list_usage = TCM_LIST_ID_USAGE(h->bits),
		.cscd_len = be16_to_cpu(h->cscd_len),
		.segment_len = be16_to_cpu(h->segment_len),
		.inline_len = be16_to_cpu(h->inline_len),
		.size = sizeof(*h),
		.first_id = 1,		/* 0 is what stands in the header */
		.id_at = 20,
		.inline_at = 46,
		.background = h->flags & TCM_COPY4_IMMED,
	};
	return TCM_OK;
}

static bool tcm_copy_is_lid4(const struct tcm_cmd *cmd)
{
	return (cmd->cdb[1] & 0x1f) == TCM_SA_COPY_LID4;
}

static size_t tcm_copy_header_size(const struct tcm_cmd *cmd)
{
	return tcm_copy_is_lid4(cmd) ? sizeof(struct tcm_copy_header4) :
				       sizeof(struct tcm_copy_header);
}

static enum tcm_sense tcm_copy_list(struct tcm_copy *copy, const u8 *list, unsigned int len,
				    struct tcm_copy_lengths *l)
{
	struct tcm_cmd *cmd = copy->cmd;
	enum tcm_sense sense;
	u32 at;

	if (len < tcm_copy_header_size(cmd))
		return TCM_PARAM_LIST_LENGTH;
	sense = tcm_copy_is_lid4(cmd) ? tcm_copy_header4(cmd, list, l) : tcm_copy_header1(list, l);
	if (sense)
		return sense;
	if (l->list_usage == TCM_LIST_ID_RESERVED)
		return tcm_bad_param(cmd, 1, 4);
	if (l->list_usage == TCM_LIST_ID_NONE && l->list_id)
		return tcm_bad_param(cmd, l->id_at, -1);
	if (l->inline_len)
		return tcm_copy_field(cmd, TCM_COPY_INLINE, l->inline_at);
	if (l->cscd_len % TCM_CSCD_LEN || l->cscd_len > len - l->size ||
	    l->segment_len > len - l->size - l->cscd_len)
		return TCM_PARAM_LIST_LENGTH;
	if (l->cscd_len / TCM_CSCD_LEN > TCM_COPY_CSCDS)
		return TCM_COPY_MANY_CSCDS;
	for (at = l->size; at < l->size + l->cscd_len; at += TCM_CSCD_LEN) {
		sense = tcm_copy_cscd(copy, list + at, at);
		if (sense)
			return sense;
	}
	return tcm_copy_segments(copy, list, at, l);
}

enum tcm_sense tcm_spc_copy_parse(struct tcm_cmd *cmd)
{
	/* Header and all descriptors; there are no inline data. */
	if (cmd->data_len > tcm_copy_header_size(cmd) + TCM_COPY_LIST_MAX)
		return TCM_PARAM_LIST_LENGTH;
	return TCM_OK;
}

enum tcm_sense tcm_spc_copy(struct tcm_cmd *cmd)
{
	unsigned int len = cmd->data_len;
	struct tcm_copy_lengths l = {};
	struct tcm_copy *copy;
	enum tcm_sense sense;
	u8 *list;

	if (!len)
		return TCM_OK;
	list = kzalloc(len, GFP_NOIO);
	if (!list)
		return TCM_BUSY;
	copy = tcm_copy_alloc(cmd, TCM_COPY_CSCDS, TCM_COPY_SEGMENTS);
	if (!copy) {
		kfree(list);
		return TCM_BUSY;
	}
	tcm_cmd_get_data(cmd, list, len);
	sense = tcm_copy_list(copy, list, len, &l);
	kfree(list);
	if (!sense && l.list_usage != TCM_LIST_ID_NONE)
		sense = tcm_copy_record_begin(cmd, l.list_id, l.background, copy, &copy->record);
	if (sense) {
		tcm_copy_free(copy);
		return sense;
	}
	return tcm_copy_run(copy, l.background);
}

bool tcm_spc_copy_offered(const struct tcm_device *dev)
{
	return READ_ONCE(dev->attr.emulate_3pc);
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
		.concurrent = min(TCM_COPY_RECORDS, 255),
		.granularity = cmd->dev->block_shift,
		.ntypes = sizeof(p.types),
		.types = { TCM_SEGMENT_BLOCKS, TCM_SEGMENT_OFFSETS, TCM_CSCD_IDENT },
	};

	tcm_cmd_put_data(cmd, &p, sizeof(p));
	return TCM_OK;
}
