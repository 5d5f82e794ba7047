// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copying by tokens: POPULATE TOKEN and WRITE USING TOKEN (SBC-4 5.12, 5.59), REPORT ALL ROD TOKENS
 * (SPC-4 6.31).
 */
#include <linux/slab.h>
#include <linux/unaligned.h>
#include "cmd.h"
#include "copy.h"
#include "device.h"
#include "opcode.h"
#include "range.h"
#include "rod.h"

/* Block device range descriptor */
struct tcm_token_range {
	__be64	lba;
	__be32	nblocks;
	__be32	reserved;
};

static_assert(sizeof(struct tcm_token_range) == 16);

struct tcm_populate_list {
	__be16	data_len;
	u8	flags;
	u8	reserved1;
	__be32	idle;		/* INACTIVITY TIMEOUT, seconds */
	__be32	type;		/* ROD TYPE, with TCM_TOKEN_RTV */
	u8	reserved2[2];
	__be16	ranges_len;
	struct tcm_token_range ranges[];
};

static_assert(sizeof(struct tcm_populate_list) == 16);

struct tcm_write_list {
	__be16	data_len;
	u8	flags;
	u8	reserved1[5];
	__be64	offset;		/* OFFSET INTO ROD, blocks of the destination */
	u8	token[TCM_ROD_TOKEN_LEN];
	u8	reserved2[6];
	__be16	ranges_len;
	struct tcm_token_range ranges[];
};

static_assert(sizeof(struct tcm_write_list) == 536);

#define TCM_TOKEN_IMMED		0x01
#define TCM_TOKEN_RTV		0x02	/* POPULATE TOKEN: ROD TYPE is valid */
#define TCM_TOKEN_DELETE	0x02	/* WRITE USING TOKEN: DEL_TKN */

/* No list is longer than its length fields can say. */
#define TCM_TOKEN_LIST_MAX	(2 + U16_MAX)

/* Where a list has what both have */
struct tcm_token_at {
	unsigned int	header;
	u16		len_at;		/* BLOCK DEVICE RANGE DESCRIPTOR LENGTH */
};

static const struct tcm_token_at tcm_populate_at = {
	sizeof(struct tcm_populate_list), offsetof(struct tcm_populate_list, ranges_len),
};

static const struct tcm_token_at tcm_write_at = {
	sizeof(struct tcm_write_list), offsetof(struct tcm_write_list, ranges_len),
};

/* The ranges of a list, in bytes; those of no blocks are left out. */
struct tcm_token_ranges {
	unsigned int		n;
	u64			bytes;
	struct tcm_rod_range	r[TCM_ROD_RANGES];
};

enum tcm_sense tcm_sbc_token_parse(struct tcm_cmd *cmd)
{
	return cmd->data_len > TCM_TOKEN_LIST_MAX ? TCM_PARAM_LIST_LENGTH : TCM_OK;
}

static enum tcm_sense tcm_token_add(struct tcm_cmd *cmd, struct tcm_token_ranges *out,
				    const struct tcm_token_range *d, u16 at)
{
	u64 nblocks = READ_ONCE(cmd->dev->nblocks), lba = be64_to_cpu(d->lba);
	u8 shift = cmd->dev->block_shift;
	struct tcm_rod_range *r;
	u32 n = be32_to_cpu(d->nblocks);
	u64 pos, len = (u64)n << shift;

	if (lba > nblocks || n > nblocks - lba)
		return tcm_sense_info(cmd, TCM_LBA_OUT_OF_RANGE, max(lba, nblocks));
	if (!n)
		return TCM_OK;
	pos = lba << shift;
	for (r = out->r; r < out->r + out->n; r++)
		if (pos < r->pos + r->len && r->pos < pos + len)
			return tcm_bad_param(cmd, at, -1);
	out->bytes += len;
	if (out->bytes > TCM_ROD_BYTES_MAX)
		return tcm_bad_param(cmd, at + offsetof(struct tcm_token_range, nblocks), -1);
	out->r[out->n++] = (struct tcm_rod_range) { .pos = pos, .len = len };
	return TCM_OK;
}

/* What both lists begin and end with */
static enum tcm_sense tcm_token_list(struct tcm_cmd *cmd, const u8 *list, unsigned int len,
				     const struct tcm_token_at *at, struct tcm_token_ranges *out)
{
	unsigned int data_len, ranges_len, i, n;
	enum tcm_sense sense;

	if (len < at->header)
		return TCM_PARAM_LIST_LENGTH;
	data_len = get_unaligned_be16(list);
	ranges_len = get_unaligned_be16(list + at->len_at);
	if (data_len < at->header - 2 + sizeof(struct tcm_token_range) ||
	    data_len != at->header - 2 + ranges_len)
		return tcm_bad_param(cmd, 0, -1);
	/* One that is not complete is passed over, at the end of either length. */
	n = min(ranges_len, len - at->header) / sizeof(struct tcm_token_range);
	if (!n)
		return TCM_PARAM_LIST_LENGTH;
	if (n > TCM_ROD_RANGES)
		return TCM_COPY_MANY_SEGMENTS;
	for (i = 0; i < n; i++) {
		u16 where = at->header + i * sizeof(struct tcm_token_range);

		sense = tcm_token_add(cmd, out, (const void *)(list + where), where);
		if (sense)
			return sense;
	}
	return TCM_OK;
}

/* POPULATE TOKEN that waits for those who write to its blocks; cmd->work */
struct tcm_populate {
	struct tcm_cmd		*cmd;
	struct tcm_rod		*rod;
	struct tcm_copy_record	*record;
	u32			idle;		/* seconds */
	struct tcm_range	range;		/* around all of its blocks */
	struct work_struct	work;
};

static void tcm_populate_end(struct tcm_populate *p, enum tcm_sense sense)
{
	struct tcm_cmd *cmd = p->cmd;
	struct tcm_rod *rod = p->rod;

	tcm_copy_record_end(p->record, sense, NULL, sense ? 0 : rod->bytes,
			    sense ? NULL : rod->token);
	tcm_rod_put(rod);
	cmd->work = NULL;
	kfree(p);
	tcm_cmd_complete(cmd, sense);
}

/* Nobody is on the blocks: from here on who writes to them ends the token. */
static void tcm_populate_work(struct work_struct *work)
{
	struct tcm_populate *p = container_of(work, struct tcm_populate, work);
	struct tcm_device *dev = p->cmd->dev;
	struct tcm_copy_unit own = { .lun = p->cmd->lun, .map = p->cmd->map };
	struct tcm_rod *rod = p->rod;
	enum tcm_sense sense;

	/* Once more: a wipe that has begun meanwhile changes blocks without a look at the watch. */
	sense = tcm_cmd_is_unwanted(p->cmd) ? TCM_COPY_ABORTED : tcm_copy_may(&own, false);
	if (!sense)
		tcm_watch_add(dev, &rod->watch);
	if (rod->n)
		tcm_range_drop(dev, &p->range);
	if (sense) {
		tcm_populate_end(p, sense);
		return;
	}
	refcount_inc(&rod->ref);
	sense = tcm_rod_publish(rod, p->cmd->lun, p->idle);
	if (sense) {
		tcm_watch_del(dev, &rod->watch);
		tcm_rod_put(rod);
	}
	tcm_populate_end(p, sense);
}

static void tcm_populate_alone(struct tcm_range *r)
{
	tcm_copy_queue(&container_of(r, struct tcm_populate, range)->work);
}

static enum tcm_sense tcm_populate_start(struct tcm_populate *p)
{
	struct tcm_device *dev = p->cmd->dev;
	struct tcm_rod *rod = p->rod;
	u64 first = U64_MAX, last = 0;
	unsigned int i;

	for (i = 0; i < rod->watch.n; i++) {
		first = min_t(u64, first, rod->watch.spans[i].node.start);
		last = max_t(u64, last, rod->watch.spans[i].node.last);
	}
	p->range.cmd = p->cmd;
	p->range.run = tcm_populate_alone;
	p->cmd->work = p;
	/* No blocks at all: nobody to wait for. */
	if (!rod->n || tcm_range_add(dev, &p->range, first, last, true))
		tcm_copy_queue(&p->work);
	return TCM_PENDING;
}

static enum tcm_sense tcm_populate_list(struct tcm_cmd *cmd, const u8 *buf, unsigned int len,
					struct tcm_token_ranges *ranges, u32 *idle)
{
	const struct tcm_populate_list *list = (const void *)buf;
	enum tcm_sense sense = tcm_token_list(cmd, buf, len, &tcm_populate_at, ranges);
	u32 type;

	if (sense)
		return sense;
	*idle = be32_to_cpu(list->idle) ?: TCM_ROD_IDLE;
	if (*idle > TCM_ROD_IDLE_MAX)
		return tcm_bad_param(cmd, offsetof(struct tcm_populate_list, idle), -1);
	type = be32_to_cpu(list->type);
	if (list->flags & TCM_TOKEN_RTV && type != TCM_ROD_VULNERABLE && type != TCM_ROD_ANY)
		return tcm_bad_param(cmd, offsetof(struct tcm_populate_list, type), -1);
	return TCM_OK;
}

static struct tcm_rod *tcm_populate_rod(const struct tcm_device *dev,
					const struct tcm_token_ranges *ranges)
{
	struct tcm_rod *rod = tcm_rod_alloc(max(ranges->n, 1U));
	u8 shift = dev->block_shift;
	unsigned int i;

	if (!rod)
		return NULL;
	rod->bytes = ranges->bytes;
	rod->n = ranges->n;
	rod->watch.n = ranges->n;
	for (i = 0; i < ranges->n; i++) {
		const struct tcm_rod_range *r = &ranges->r[i];

		rod->ranges[i] = *r;
		rod->watch.spans[i].node.start = r->pos >> shift;
		rod->watch.spans[i].node.last = (r->pos + r->len - 1) >> shift;
	}
	return rod;
}

/* LIST IDENTIFIER of both commands */
static u32 tcm_token_list_id(const struct tcm_cmd *cmd)
{
	return get_unaligned_be32(cmd->cdb + 6);
}

/* What has been read of a list, and the list: too much for the stack */
struct tcm_token_work {
	struct tcm_token_ranges	ranges;
	unsigned int		len;
	u8			list[] __aligned(8);
};

static struct tcm_token_work *tcm_token_fetch(struct tcm_cmd *cmd)
{
	struct tcm_token_work *w = kvzalloc(struct_size(w, list, cmd->data_len), GFP_NOIO);

	if (!w)
		return NULL;
	w->len = cmd->data_len;
	tcm_cmd_get_data(cmd, w->list, w->len);
	return w;
}

enum tcm_sense tcm_sbc_populate_token(struct tcm_cmd *cmd)
{
	struct tcm_copy_unit own = { .lun = cmd->lun, .map = cmd->map };
	struct tcm_populate *p = NULL;
	struct tcm_token_work *w;
	enum tcm_sense sense;
	u32 idle = 0;

	if (!cmd->data_len)
		return TCM_OK;
	w = tcm_token_fetch(cmd);
	if (!w)
		return TCM_BUSY;
	sense = tcm_populate_list(cmd, w->list, w->len, &w->ranges, &idle);
	sense = sense ?: tcm_copy_may(&own, false);
	if (!sense) {
		p = kzalloc(sizeof(*p), GFP_NOIO);
		if (p)
			p->rod = tcm_populate_rod(cmd->dev, &w->ranges);
		sense = p && p->rod ? TCM_OK : TCM_BUSY;
	}
	if (!sense)
		sense = tcm_copy_record_begin(cmd, tcm_token_list_id(cmd), false, NULL,
					      &p->record);
	kvfree(w);
	if (sense) {
		if (p && p->rod)
			tcm_rod_put(p->rod);
		kfree(p);
		return sense;
	}
	p->cmd = cmd;
	p->idle = idle;
	INIT_WORK(&p->work, tcm_populate_work);
	/* It takes no time: with IMMED, too, status comes when it is done. */
	return tcm_populate_start(p);
}

/* copy->priv of WRITE USING TOKEN */
struct tcm_token_use {
	struct tcm_rod	*rod;		/* NULL: the zero token */
	struct tcm_lun	*lun;		/* of @rod, until the copy has it */
	bool		delete;
};

static enum tcm_sense tcm_token_check(struct tcm_copy *copy)
{
	const struct tcm_token_use *use = copy->priv;

	return !use->rod || tcm_rod_intact(use->rod) ? TCM_OK : TCM_TOKEN_CANCELLED;
}

static void tcm_token_unuse(struct tcm_token_use *use, bool delete)
{
	if (use->rod)
		tcm_rod_release(use->rod, delete);
	kfree(use);
}

static void tcm_token_ended(struct tcm_copy *copy, enum tcm_sense sense)
{
	struct tcm_token_use *use = copy->priv;

	tcm_token_unuse(use, use->delete);
	tcm_copy_ended(copy, sense);
}

/* Segments from what @rod has at byte @off on to the ranges; zeros where there is none */
static enum tcm_sense tcm_token_segments(struct tcm_copy *copy, const struct tcm_rod *rod, u64 off,
					 const struct tcm_token_ranges *to, u64 bytes)
{
	struct tcm_copy_unit *from = rod ? &copy->units[1] : NULL;
	u8 shift = max(copy->units[0].lun->dev->block_shift,
		       from ? from->lun->dev->block_shift : 0);
	unsigned int s = 0, d = 0;
	u64 to_off = 0, n;

	/* The range that @off is in */
	while (rod && off >= rod->ranges[s].len)
		off -= rod->ranges[s++].len;
	for (; bytes; bytes -= n) {
		struct tcm_copy_segment *seg = &copy->segments[copy->nsegments++];

		n = min(bytes, to->r[d].len - to_off);
		if (rod)
			n = min(n, rod->ranges[s].len - off);
		*seg = (struct tcm_copy_segment) {
			.from = from,
			.to = &copy->units[0],
			.from_pos = rod ? rod->ranges[s].pos + off : 0,
			.to_pos = to->r[d].pos + to_off,
			.len = n,
		};
		/* Blocks are copied whole: none is put together of two. */
		if ((seg->from_pos | seg->to_pos | n) & ((1U << shift) - 1))
			return tcm_bad_param(copy->cmd, offsetof(struct tcm_write_list, offset),
					     -1);
		to_off += n;
		if (to_off == to->r[d].len) {
			to_off = 0;
			d++;
		}
		off += n;
		if (rod && off == rod->ranges[s].len) {
			off = 0;
			s++;
		}
	}
	return TCM_OK;
}

/* To write over what the token stands for would end it half way. */
static bool tcm_token_overlaps(const struct tcm_rod *rod, const struct tcm_token_ranges *to)
{
	unsigned int i, j;

	for (i = 0; i < rod->n; i++)
		for (j = 0; j < to->n; j++)
			if (rod->ranges[i].pos < to->r[j].pos + to->r[j].len &&
			    to->r[j].pos < rod->ranges[i].pos + rod->ranges[i].len)
				return true;
	return false;
}

static bool tcm_token_is_there(const struct tcm_rod *rod, const struct tcm_device *dev)
{
	u64 size = READ_ONCE(dev->nblocks) << dev->block_shift;
	unsigned int i;

	for (i = 0; i < rod->n; i++)
		if (rod->ranges[i].pos + rod->ranges[i].len > size)
			return false;
	return true;
}

/* A token that is good: what of it goes where */
static enum tcm_sense tcm_token_plan(struct tcm_copy *copy, const struct tcm_rod *rod,
				     const struct tcm_token_work *w)
{
	const struct tcm_write_list *list = (const void *)w->list;
	u8 shift = copy->units[0].lun->dev->block_shift;
	u64 offset = be64_to_cpu(list->offset), bytes = w->ranges.bytes;
	enum tcm_sense sense;

	sense = tcm_copy_may(&copy->units[0], true);
	if (sense || !rod)
		return sense ?: tcm_token_segments(copy, NULL, 0, &w->ranges, bytes);
	sense = tcm_copy_may(&copy->units[1], false);
	if (sense)
		return sense;
	if (!tcm_token_is_there(rod, copy->units[1].lun->dev))
		return TCM_TOKEN_CANCELLED;
	if (offset > rod->bytes >> shift || offset << shift >= rod->bytes)
		return tcm_bad_param(copy->cmd, offsetof(struct tcm_write_list, offset), -1);
	if (copy->units[0].lun->dev == copy->units[1].lun->dev &&
	    tcm_token_overlaps(rod, &w->ranges))
		return tcm_bad_param(copy->cmd, sizeof(*list), -1);
	offset <<= shift;
	if (bytes > rod->bytes - offset) {
		bytes = round_down(rod->bytes - offset, 1U << shift);
		copy->part = true;
	}
	return tcm_token_segments(copy, rod, offset, &w->ranges, bytes);
}

/* The ROD of the list's token; NULL for the zero token */
static enum tcm_sense tcm_token_find(const u8 *token, struct tcm_token_use *use)
{
	if (get_unaligned_be32(token) != TCM_ROD_ZERO)
		return tcm_rod_find(token, &use->rod, &use->lun);
	if (get_unaligned_be16(token + 6) != TCM_ROD_TOKEN_LENGTH)
		return TCM_TOKEN_LENGTH;
	if (memchr_inv(token + 4, 0, 2) || memchr_inv(token + 8, 0, TCM_ROD_TOKEN_LEN - 8))
		return TCM_TOKEN_CORRUPT;
	return TCM_OK;
}

/* The copy, with the token in use; @use is its own from here on. */
static enum tcm_sense tcm_token_copy(struct tcm_cmd *cmd, struct tcm_token_use *use,
				     const struct tcm_token_work *w, struct tcm_copy **out)
{
	const struct tcm_write_list *list = (const void *)w->list;
	struct tcm_copy *copy;
	enum tcm_sense sense;

	sense = tcm_token_find(list->token, use);
	if (sense)
		return sense;
	copy = tcm_copy_alloc(cmd, 2, w->ranges.n + (use->rod ? use->rod->n : 0));
	if (!copy) {
		if (use->rod)
			percpu_ref_put(&use->lun->ref);
		return TCM_BUSY;
	}
	*out = copy;
	copy->priv = use;
	copy->check = tcm_token_check;
	copy->ended = tcm_token_ended;
	tcm_copy_add_own(copy, cmd);
	if (use->rod)
		tcm_copy_add_lun(copy, use->lun);
	return tcm_token_plan(copy, use->rod, w);
}

enum tcm_sense tcm_sbc_write_using_token(struct tcm_cmd *cmd)
{
	const struct tcm_write_list *list;
	struct tcm_token_use *use;
	struct tcm_copy *copy = NULL;
	struct tcm_token_work *w;
	enum tcm_sense sense;
	bool background;

	if (!cmd->data_len)
		return TCM_OK;
	w = tcm_token_fetch(cmd);
	use = kzalloc(sizeof(*use), GFP_NOIO);
	if (!w || !use) {
		kvfree(w);
		kfree(use);
		return TCM_BUSY;
	}
	list = (const void *)w->list;
	sense = tcm_token_list(cmd, w->list, w->len, &tcm_write_at, &w->ranges);
	background = !sense && list->flags & TCM_TOKEN_IMMED;
	use->delete = !sense && list->flags & TCM_TOKEN_DELETE;
	sense = sense ?: tcm_token_copy(cmd, use, w, &copy);
	kvfree(w);
	if (!sense)
		sense = tcm_copy_record_begin(cmd, tcm_token_list_id(cmd), background, copy,
					      &copy->record);
	if (!sense)
		return tcm_copy_run(copy, background);
	if (copy)
		tcm_copy_free(copy);
	tcm_token_unuse(use, false);
	return sense;
}

enum tcm_sense tcm_sbc_report_tokens(struct tcm_cmd *cmd)
{
	u8 *buf = kvzalloc(8 + TCM_RODS * TCM_ROD_MANAGEMENT_LEN, GFP_NOIO);
	unsigned int len;

	if (!buf)
		return TCM_BUSY;
	len = 8 + tcm_rod_report(cmd->dev, buf + 8) * TCM_ROD_MANAGEMENT_LEN;
	put_unaligned_be32(len - 4, buf);
	tcm_cmd_put_data(cmd, buf, len);
	kvfree(buf);
	return TCM_OK;
}
