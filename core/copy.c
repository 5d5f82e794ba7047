// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copying between logical units: by the backend where both are its own and it can (ops->copy), else
 * through memory, a chunk at a time. The blocks of the source are locked while they are read, those
 * of the destination while they are written (core/range.c), never both: so copies that cross
 * each other cannot wait for each other.
 */
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include "alua_state.h"
#include "copy.h"
#include "opcode.h"
#include "pr.h"
#include "range.h"
#include "sbc.h"
#include "session.h"
#include "vpd.h"

#define TCM_COPY_CHUNK		SZ_1M

enum tcm_copy_step {
	TCM_COPY_NEXT,		/* find out what is due */
	TCM_COPY_READ,		/* the blocks of the source are locked */
	TCM_COPY_HAVE,		/* they have been read */
	TCM_COPY_WRITE,		/* the blocks of the destination are locked */
	TCM_COPY_WROTE,
	TCM_COPY_OFFLOAD,	/* the blocks of the destination are locked */
};

static struct workqueue_struct *tcm_copy_wq;

static void tcm_copy_work(struct work_struct *work);

struct tcm_copy *tcm_copy_alloc(struct tcm_cmd *cmd)
{
	struct tcm_copy *copy = kvzalloc(sizeof(*copy), GFP_NOIO);

	if (!copy)
		return NULL;
	copy->cmd = cmd;
	INIT_WORK(&copy->work, tcm_copy_work);
	return copy;
}

void tcm_copy_free(struct tcm_copy *copy)
{
	unsigned int i;

	for (i = 0; i < copy->nunits; i++)
		if (copy->units[i].lun)
			percpu_ref_put(&copy->units[i].lun->ref);
	if (copy->sg)
		sgl_free(copy->sg);
	kvfree(copy);
}

static void tcm_copy_unlock(struct tcm_copy *copy)
{
	if (copy->ranged)
		tcm_range_drop(copy->ranged_dev, &copy->range);
	copy->ranged = false;
}

static void tcm_copy_granted(struct tcm_range *r)
{
	queue_work(tcm_copy_wq, &container_of(r, struct tcm_copy, range)->work);
}

/* Go on with @step when the blocks are ours. */
static bool tcm_copy_lock(struct tcm_copy *copy, struct tcm_device *dev, u64 pos,
			  enum tcm_copy_step step)
{
	u8 shift = dev->block_shift;

	copy->step = step;
	copy->ranged = true;
	copy->ranged_dev = dev;
	copy->range.cmd = copy->cmd;
	copy->range.run = tcm_copy_granted;
	return tcm_range_add(dev, &copy->range, pos >> shift,
			     (pos + copy->chunk - 1) >> shift, false);
}

static void tcm_copy_io_done(struct tcm_io *io, enum tcm_sense sense)
{
	struct tcm_copy *copy = container_of(io, struct tcm_copy, io);

	copy->sense = sense;
	queue_work(tcm_copy_wq, &copy->work);
}

static void tcm_copy_io(struct tcm_copy *copy, struct tcm_device *dev, u64 pos, bool write)
{
	copy->io = (struct tcm_io) {
		.dev = dev,
		.pos = pos,
		.len = copy->chunk,
		.sg = copy->sg,
		.write = write,
		.flags = write ? tcm_sbc_write_through(dev) : 0,
		.bad_pos = U64_MAX,
		.done = tcm_copy_io_done,
	};
}

static struct tcm_copy_segment *tcm_copy_current(struct tcm_copy *copy)
{
	return &copy->segments[copy->segment];
}

static void tcm_copy_end(struct tcm_copy *copy, enum tcm_sense sense)
{
	tcm_copy_unlock(copy);
	copy->ended(copy, sense);
}

/* The next chunk, or the end. Returns true when the step that was set can be taken at once. */
static bool tcm_copy_next(struct tcm_copy *copy)
{
	struct tcm_copy_segment *seg = tcm_copy_current(copy);
	struct tcm_device *from, *to;
	u64 left;

	while (copy->segment < copy->nsegments && copy->done == seg->len) {
		copy->segment++;
		copy->done = 0;
		copy->by_hand = false;
		seg++;
	}
	if (copy->segment == copy->nsegments) {
		tcm_copy_end(copy, TCM_OK);
		return false;
	}
	from = seg->from->lun->dev;
	to = seg->to->lun->dev;
	left = seg->len - copy->done;
	if (from->ops == to->ops && to->ops->copy && !copy->by_hand) {
		copy->chunk = left;
		return tcm_copy_lock(copy, to, seg->to_pos + copy->done, TCM_COPY_OFFLOAD);
	}
	if (!copy->sg)
		copy->sg = sgl_alloc(TCM_COPY_CHUNK, GFP_NOIO, NULL);
	if (!copy->sg) {
		tcm_copy_end(copy, TCM_BUSY);
		return false;
	}
	copy->chunk = min_t(u64, left, TCM_COPY_CHUNK);
	return tcm_copy_lock(copy, from, seg->from_pos + copy->done, TCM_COPY_READ);
}

static void tcm_copy_wrote(struct tcm_copy *copy)
{
	copy->done += copy->chunk;
	copy->total += copy->chunk;
	copy->step = TCM_COPY_NEXT;
	tcm_copy_unlock(copy);
}

/* An access or a lock has come back. True: the next step is due at once. */
static bool tcm_copy_step(struct tcm_copy *copy)
{
	struct tcm_copy_segment *seg = tcm_copy_current(copy);
	struct tcm_device *from, *to;

	if (copy->step == TCM_COPY_NEXT)
		return tcm_copy_next(copy);
	from = seg->from->lun->dev;
	to = seg->to->lun->dev;
	switch (copy->step) {
	case TCM_COPY_READ:
		copy->step = TCM_COPY_HAVE;
		tcm_copy_io(copy, from, seg->from_pos + copy->done, false);
		from->ops->submit(&copy->io);
		return false;
	case TCM_COPY_HAVE:
		tcm_copy_unlock(copy);
		return tcm_copy_lock(copy, to, seg->to_pos + copy->done, TCM_COPY_WRITE);
	case TCM_COPY_WRITE:
		copy->step = TCM_COPY_WROTE;
		tcm_copy_io(copy, to, seg->to_pos + copy->done, true);
		to->ops->submit(&copy->io);
		return false;
	case TCM_COPY_OFFLOAD:
		copy->step = TCM_COPY_WROTE;
		tcm_copy_io(copy, to, seg->to_pos + copy->done, true);
		copy->io.src = from;
		copy->io.src_pos = seg->from_pos + copy->done;
		to->ops->copy(&copy->io);
		return false;
	default:
		tcm_copy_wrote(copy);
		return true;
	}
}

static void tcm_copy_work(struct work_struct *work)
{
	struct tcm_copy *copy = container_of(work, struct tcm_copy, work);

	/* Not an error of the medium: the backend cannot, so we do. */
	if (copy->sense == TCM_INVALID_OPCODE) {
		copy->sense = TCM_OK;
		copy->by_hand = true;
		copy->step = TCM_COPY_NEXT;
		tcm_copy_unlock(copy);
	}
	do {
		if (copy->sense || tcm_cmd_is_aborted(copy->cmd)) {
			tcm_copy_end(copy, copy->sense);
			return;
		}
	} while (tcm_copy_step(copy));
}

void tcm_copy_start(struct tcm_copy *copy)
{
	queue_work(tcm_copy_wq, &copy->work);
}

/* DESIGNATOR TYPEs that name a logical unit, and not its place in something */
#define TCM_COPY_NAMES	(BIT(1) | BIT(2) | BIT(3) | BIT(8))

/* Is the designator one of the logical unit's own? */
static bool tcm_copy_is(const struct tcm_lun *lun, const u8 *desig, u8 *page)
{
	unsigned int at, len;

	if (!(BIT(desig[1] & 0x0f) & TCM_COPY_NAMES))
		return false;
	memset(page, 0, TCM_VPD_MAX);
	len = tcm_vpd_build(lun, tcm_vpd_find(lun->dev, 0x83), page);
	for (at = 4; at + 4 <= len && at + 4 + page[at + 3] <= len; at += 4 + page[at + 3]) {
		/* ASSOCIATION logical unit, the same CODE SET, type, length and bytes */
		if ((page[at + 1] & 0x3f) != (desig[1] & 0x3f) || page[at + 1] & 0x30)
			continue;
		if ((page[at] & 0x0f) == (desig[0] & 0x0f) && page[at + 3] == desig[3] &&
		    !memcmp(page + at + 4, desig + 4, desig[3]))
			return true;
	}
	return false;
}

static bool tcm_copy_take(struct tcm_mapping *map, const u8 *desig, u8 *page,
			  struct tcm_copy_unit *unit)
{
	const struct tcm_device *dev = map->lun->dev;

	if (dev->ops->flags & TCM_BE_PASSTHROUGH || !tcm_copy_is(map->lun, desig, page) ||
	    !percpu_ref_tryget_live_rcu(&map->lun->ref))
		return false;
	unit->lun = map->lun;
	unit->gate = READ_ONCE(map->gate);
	unit->deny = unit->gate & BIT(TCM_GATE_RESERVED) ? READ_ONCE(map->pr_deny) : TCM_PR_MAY_ALL;
	unit->away = unit->gate & BIT(TCM_GATE_ALUA) && !tcm_alua_reaches(map->lun);
	return true;
}

bool tcm_copy_find(struct tcm_cmd *cmd, const u8 *desig, struct tcm_copy_unit *unit)
{
	struct tcm_session *sess = cmd->sess;
	u8 *page = kmalloc(TCM_VPD_MAX, GFP_NOIO);
	struct tcm_mapping *map;
	unsigned long number;
	bool found = false;

	if (!page)
		return false;
	rcu_read_lock();
	for (number = 0; number < TCM_LOW_LUNS && !found; number++) {
		map = rcu_dereference(sess->low[number]);
		found = map && tcm_copy_take(map, desig, page, unit);
	}
	if (!found) {
		xa_for_each(&sess->high, number, map) {
			found = tcm_copy_take(map, desig, page, unit);
			if (found)
				break;
		}
	}
	rcu_read_unlock();
	kfree(page);
	return found;
}

int tcm_copy_init(void)
{
	tcm_copy_wq = alloc_workqueue("tcm_copy", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return tcm_copy_wq ? 0 : -ENOMEM;
}

void tcm_copy_exit(void)
{
	destroy_workqueue(tcm_copy_wq);
}
