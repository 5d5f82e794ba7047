// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copying between logical units: by the backend where both are its own and it can (ops->copy), else
 * through memory, some chunks at a time. The blocks of the source are locked while they are read,
 * those of the destination while they are written (core/range.c), and nobody who has the ones waits
 * for the others: copies that cross each other cannot wait for each other. The backend reads while
 * it writes: with the destination locked the source is, too, if it can be had at once, else the
 * chunk goes through memory.
 *
 * Chunks are given out in the order of the segments. One that touches what another one under way
 * writes, or writes what that one reads, waits for it: the outcome is that of copying one after the
 * other. Each chunk is judged anew as the nexus's own READ and WRITE would be: a reservation,
 * write protection or a LUN that goes away ends a copy that runs.
 */
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include "alua_state.h"
#include "copy.h"
#include "opcode.h"
#include "orphan.h"
#include "pr.h"
#include "range.h"
#include "rod.h"
#include "sbc.h"
#include "session.h"
#include "task.h"
#include "vpd.h"

#define TCM_COPY_CHUNK		SZ_256K	/* through memory */
#define TCM_COPY_WHOLE		SZ_256M	/* by a member of the backend: nothing stops it */

enum tcm_copy_step {
	TCM_COPY_BEGIN,
	TCM_COPY_READ,		/* the blocks of the source are locked */
	TCM_COPY_HAVE,		/* they have been read */
	TCM_COPY_WRITE,		/* the blocks of the destination are locked */
	TCM_COPY_WROTE,
	TCM_COPY_FLUSH,		/* the write cache it went to was turned off meanwhile */
};

static struct workqueue_struct *tcm_copy_wq;
/*
 * Protects the list of all copies that run and their place in it. Inside of dev->lun_lock, around
 * a copy's own lock.
 */
static DEFINE_SPINLOCK(tcm_copy_list_lock);
static LIST_HEAD(tcm_copy_list);

static void tcm_copy_work(struct work_struct *work);

struct tcm_copy *tcm_copy_alloc(struct tcm_cmd *cmd, unsigned int units, unsigned int segments)
{
	struct tcm_copy *copy = kvzalloc(sizeof(*copy), GFP_NOIO);
	unsigned int i;

	if (!copy)
		return NULL;
	copy->units = kvcalloc(units, sizeof(*copy->units), GFP_NOIO);
	copy->segments = kvcalloc(segments, sizeof(*copy->segments), GFP_NOIO);
	if (!copy->units || !copy->segments) {
		kvfree(copy->units);
		kvfree(copy->segments);
		kvfree(copy);
		return NULL;
	}
	copy->cmd = cmd;
	copy->sess = cmd->sess;
	percpu_ref_get(&copy->sess->ref);
	copy->good = U64_MAX;
	spin_lock_init(&copy->lock);
	INIT_LIST_HEAD(&copy->node);
	for (i = 0; i < TCM_COPY_LANES; i++) {
		copy->lanes[i].copy = copy;
		INIT_WORK(&copy->lanes[i].work, tcm_copy_work);
	}
	return copy;
}

void tcm_copy_free(struct tcm_copy *copy)
{
	unsigned int i;

	for (i = 0; i < copy->nunits; i++) {
		struct tcm_copy_unit *unit = &copy->units[i];

		percpu_ref_put(&unit->lun->ref);
		if (unit->map) {
			/* everything that was done by it comes before: tcm_map_quiet() */
			smp_mb__before_atomic();
			atomic_dec(&unit->map->pinned);
		}
	}
	for (i = 0; i < TCM_COPY_LANES; i++)
		if (copy->lanes[i].sg)
			sgl_free(copy->lanes[i].sg);
	percpu_ref_put(&copy->sess->ref);
	kvfree(copy->units);
	kvfree(copy->segments);
	kvfree(copy);
}

/* The states in which a unit is none to copy from or to */
#define TCM_COPY_AWAY	(BIT(TCM_GATE_DEAD) | BIT(TCM_GATE_STOPPED) | BIT(TCM_GATE_WIPE) | \
			 BIT(TCM_GATE_EJECTED))
#define TCM_COPY_DEV_AWAY	(BIT(TCM_DEV_DEAD) | BIT(TCM_DEV_STOPPED) | BIT(TCM_DEV_EJECTED))

enum tcm_sense tcm_copy_may(const struct tcm_copy_unit *unit, bool write)
{
	unsigned long gate;
	u8 deny;

	/* Only to read, by a token: who made it could read. */
	if (!unit->map)
		return READ_ONCE(unit->lun->dev->flags) & TCM_COPY_DEV_AWAY ?
			TCM_COPY_UNREACHABLE : TCM_OK;
	gate = READ_ONCE(unit->map->gate);
	if (likely(!gate))
		return TCM_OK;
	if (gate & TCM_COPY_AWAY ||
	    (gate & BIT(TCM_GATE_ALUA) && !tcm_alua_reaches(unit->lun)))
		return TCM_COPY_UNREACHABLE;
	deny = gate & BIT(TCM_GATE_RESERVED) ? READ_ONCE(unit->map->pr_deny) : TCM_PR_MAY_ALL;
	if (write ? deny != TCM_PR_MAY_ALL : deny > TCM_PR_DENY_WRITES)
		return TCM_RESERVATION_CONFLICT;
	if (write && gate & BIT(TCM_GATE_WP))
		return TCM_WRITE_PROTECTED;
	if (write && gate & BIT(TCM_GATE_SWP))
		return TCM_SW_WRITE_PROTECTED;
	return TCM_OK;
}

static bool tcm_copy_gone(const struct tcm_copy_unit *unit)
{
	return unit && percpu_ref_is_dying(&unit->lun->ref);
}

/*
 * Has somebody ended it who does not wait for it, be it the loss of its nexus? The session of a
 * fabric that borrows its memory goes without a mark in its commands.
 */
static bool tcm_copy_ended_by(const struct tcm_copy *copy)
{
	unsigned int i;

	if (READ_ONCE(copy->stop) || percpu_ref_is_dying(&copy->sess->ref))
		return true;
	if (copy->cmd)
		return tcm_cmd_is_unwanted(copy->cmd);
	/* Nobody waits for one in the background: a LUN goes without it. */
	for (i = 0; i < copy->nunits; i++)
		if (tcm_copy_gone(&copy->units[i]))
			return true;
	return false;
}

/* Has it to end, whatever its chunks do? */
static bool tcm_copy_stopped(const struct tcm_copy *copy)
{
	return READ_ONCE(copy->sense) || tcm_copy_ended_by(copy);
}

static bool tcm_copy_meets(const struct tcm_copy_unit *a, u64 a_pos, u64 a_len,
			   const struct tcm_copy_unit *b, u64 b_pos, u64 b_len)
{
	return a && b && a->lun->dev == b->lun->dev && a_pos < b_pos + b_len &&
	       b_pos < a_pos + a_len;
}

/* Has the chunk to wait for one that was given out before? */
static bool tcm_copy_depends(const struct tcm_copy *copy, const struct tcm_copy_lane *lane)
{
	const struct tcm_copy_segment *s = &copy->segments[lane->segment], *t;
	const struct tcm_copy_lane *o;

	for (o = copy->lanes; o < copy->lanes + TCM_COPY_LANES; o++) {
		if (!o->busy)
			continue;
		t = &copy->segments[o->segment];
		if (tcm_copy_meets(s->from, lane->from_pos, lane->len, t->to, o->to_pos, o->len) ||
		    tcm_copy_meets(s->to, lane->to_pos, lane->len, t->to, o->to_pos, o->len) ||
		    tcm_copy_meets(s->to, lane->to_pos, lane->len, t->from, o->from_pos, o->len))
			return true;
	}
	return false;
}

/* Can the backend do what is due of this segment by one of its members? */
static bool tcm_copy_whole(const struct tcm_copy *copy, const struct tcm_copy_segment *s)
{
	const struct tcm_backend_ops *ops = s->to->lun->dev->ops;

	if (s->by_hand)
		return false;
	if (!s->from)
		return ops->write_zeroes;
	return s->from->lun->dev->ops == ops && ops->copy;
}

/* Is all of it given out? */
static bool tcm_copy_all(struct tcm_copy *copy)
{
	while (copy->segment < copy->nsegments &&
	       copy->done == copy->segments[copy->segment].len) {
		copy->segment++;
		copy->done = 0;
	}
	return copy->segment == copy->nsegments;
}

/* Give the lane what is next; false: nothing, or not now. */
static bool tcm_copy_assign(struct tcm_copy *copy, struct tcm_copy_lane *lane)
{
	struct tcm_copy_segment *s;

	lockdep_assert_held(&copy->lock);
	if (copy->alone || tcm_copy_stopped(copy))
		return false;
	if (tcm_copy_all(copy))
		return false;
	s = &copy->segments[copy->segment];
	lane->whole = tcm_copy_whole(copy, s);
	if (lane->whole && copy->busy)
		return false;
	lane->segment = copy->segment;
	lane->done = copy->done;
	lane->at = copy->at;
	lane->len = min_t(u64, s->len - copy->done, lane->whole ? TCM_COPY_WHOLE : TCM_COPY_CHUNK);
	lane->from_pos = s->from_pos + copy->done;
	lane->to_pos = s->to_pos + copy->done;
	if (tcm_copy_depends(copy, lane))
		return false;
	copy->alone = lane->whole;
	copy->done += lane->len;
	copy->at += lane->len;
	return true;
}

static void tcm_copy_end(struct tcm_copy *copy)
{
	spin_lock_irq(&tcm_copy_list_lock);
	list_del_init(&copy->node);
	spin_unlock_irq(&tcm_copy_list_lock);
	/* Stopped: its end is an error, unless all was done by then. */
	if (!copy->sense && !tcm_copy_all(copy)) {
		copy->sense = TCM_COPY_ABORTED;
		copy->told.flags = TCM_SX_SEGMENT;
		copy->told.segment = copy->segment;
	}
	copy->ended(copy, copy->sense);
}

/* A lane has ended its chunk (NULL: the copy begins): give out as many as can be under way. */
static void tcm_copy_dispatch(struct tcm_copy *copy, struct tcm_copy_lane *ended)
{
	struct tcm_copy_lane *lane;
	bool end;

	spin_lock_irq(&copy->lock);
	if (ended) {
		copy->alone = false;
		ended->busy = false;
		copy->busy--;
	}
	for (lane = copy->lanes; lane < copy->lanes + TCM_COPY_LANES; lane++) {
		if (lane->busy)
			continue;
		if (!tcm_copy_assign(copy, lane))
			break;
		lane->busy = true;
		lane->step = TCM_COPY_BEGIN;
		copy->busy++;
		queue_work(tcm_copy_wq, &lane->work);
	}
	end = !copy->busy && !copy->over;
	if (end)
		copy->over = true;
	/* From here on another lane may end it. */
	spin_unlock_irq(&copy->lock);
	if (end)
		tcm_copy_end(copy);
}

static void tcm_copy_unlock(struct tcm_copy_lane *lane)
{
	if (lane->held)
		tcm_range_drop(lane->copy->segments[lane->segment].from->lun->dev, &lane->source);
	lane->held = false;
	if (lane->ranged)
		tcm_range_drop(lane->ranged_dev, &lane->range);
	lane->ranged = false;
}

static void tcm_copy_granted(struct tcm_range *r)
{
	queue_work(tcm_copy_wq, &container_of(r, struct tcm_copy_lane, range)->work);
}

/* Go on with @step when the blocks are ours. */
static bool tcm_copy_lock(struct tcm_copy_lane *lane, struct tcm_device *dev, u64 pos,
			  enum tcm_copy_step step)
{
	u8 shift = dev->block_shift;

	lane->step = step;
	lane->ranged = true;
	lane->ranged_dev = dev;
	lane->range.cmd = lane->copy->cmd;
	lane->range.run = tcm_copy_granted;
	lane->range.writes = step == TCM_COPY_WRITE;
	return tcm_range_add(dev, &lane->range, pos >> shift,
			     (pos + lane->len - 1) >> shift, false);
}

/* Keep exclusive commands from the source while the backend reads it, unless there is one. */
static bool tcm_copy_hold(struct tcm_copy_lane *lane, struct tcm_device *from)
{
	u8 shift = from->block_shift;

	lane->source.cmd = NULL;
	lane->source.writes = false;
	lane->held = tcm_range_try(from, &lane->source, lane->from_pos >> shift,
				   (lane->from_pos + lane->len - 1) >> shift);
	return lane->held;
}

static void tcm_copy_io_done(struct tcm_io *io, enum tcm_sense sense)
{
	struct tcm_copy_lane *lane = container_of(io, struct tcm_copy_lane, io);

	lane->sense = sense;
	queue_work(tcm_copy_wq, &lane->work);
}

static void tcm_copy_io(struct tcm_copy_lane *lane, struct tcm_device *dev, u64 pos, bool write)
{
	lane->io = (struct tcm_io) {
		.dev = dev,
		.pos = pos,
		.len = lane->len,
		.sg = lane->sg,
		.write = write,
		.flags = write ? tcm_sbc_write_through(dev) : 0,
		.bad_pos = U64_MAX,
		.done = tcm_copy_io_done,
	};
}

static bool tcm_copy_memory(struct tcm_copy_lane *lane, bool zero)
{
	struct scatterlist *sg;

	if (!lane->sg)
		lane->sg = sgl_alloc(TCM_COPY_CHUNK, GFP_NOIO, NULL);
	if (!lane->sg) {
		lane->sense = TCM_BUSY;
		return false;
	}
	if (zero)
		for (sg = lane->sg; sg; sg = sg_next(sg))
			memset(sg_virt(sg), 0, sg->length);
	return true;
}

/* Is an orphan about to write to these blocks? As at the gate (core/orphan.c), nobody passes it. */
static bool tcm_copy_fenced(const struct tcm_copy_unit *unit, u64 pos, u64 len)
{
	struct tcm_device *dev = unit->lun->dev;

	return READ_ONCE(dev->fenced) &&
	       tcm_orphan_meets(dev, pos >> dev->block_shift, (pos + len - 1) >> dev->block_shift);
}

/* The chunk begins: may it? Lock what comes first. */
static bool tcm_copy_begin(struct tcm_copy_lane *lane)
{
	const struct tcm_copy_segment *s = &lane->copy->segments[lane->segment];

	if (s->from)
		lane->sense = tcm_copy_may(s->from, false);
	if (!lane->sense)
		lane->sense = tcm_copy_may(s->to, true);
	if (!lane->sense && ((s->from && tcm_copy_fenced(s->from, lane->from_pos, lane->len)) ||
			     tcm_copy_fenced(s->to, lane->to_pos, lane->len)))
		lane->sense = TCM_BUSY;
	if (lane->sense)
		return true;
	if (!lane->whole && !tcm_copy_memory(lane, !s->from))
		return true;
	if (lane->whole || !s->from)
		return tcm_copy_lock(lane, s->to->lun->dev, lane->to_pos, TCM_COPY_WRITE);
	return tcm_copy_lock(lane, s->from->lun->dev, lane->from_pos, TCM_COPY_READ);
}

/*
 * From here on who ends the copy has to fence the chunk; one that was ended before writes none. The
 * lock makes it one or the other: tcm_copy_orphans().
 */
static bool tcm_copy_may_write(struct tcm_copy_lane *lane)
{
	struct tcm_copy *copy = lane->copy;

	spin_lock_irq(&copy->lock);
	lane->writes = !tcm_copy_ended_by(copy);
	spin_unlock_irq(&copy->lock);
	return lane->writes;
}

/* What it wrote, if it did, can come no later any more. */
static void tcm_copy_written(struct tcm_copy_lane *lane)
{
	struct tcm_copy *copy = lane->copy;
	bool orphaned;

	spin_lock_irq(&copy->lock);
	orphaned = lane->orphaned;
	lane->orphaned = false;
	lane->writes = false;
	spin_unlock_irq(&copy->lock);
	if (orphaned)
		tcm_orphan_chunk_end(&lane->chunk);
}

static void tcm_copy_write(struct tcm_copy_lane *lane)
{
	const struct tcm_copy_segment *s = &lane->copy->segments[lane->segment];
	struct tcm_device *to = s->to->lun->dev;

	lane->step = TCM_COPY_WROTE;
	tcm_copy_io(lane, to, lane->to_pos, true);
	if (!lane->whole) {
		to->ops->submit(&lane->io);
		return;
	}
	lane->io.sg = NULL;
	if (s->from && !tcm_copy_hold(lane, s->from->lun->dev)) {
		tcm_copy_io_done(&lane->io, TCM_INVALID_OPCODE);
	} else if (s->from) {
		lane->io.src = s->from->lun->dev;
		lane->io.src_pos = lane->from_pos;
		to->ops->copy(&lane->io);
	} else {
		if (to->attr.emulate_tpu && to->attr.unmap_zeroes_data)
			lane->io.flags |= TCM_IO_MAY_UNMAP;
		to->ops->write_zeroes(&lane->io);
	}
}

static void tcm_copy_check(struct tcm_copy_lane *lane)
{
	struct tcm_copy *copy = lane->copy;

	if (copy->check && !lane->sense)
		lane->sense = copy->check(copy);
}

/* A lock or an access has come back. True: go on at once. */
static bool tcm_copy_step(struct tcm_copy_lane *lane)
{
	const struct tcm_copy_segment *s = &lane->copy->segments[lane->segment];

	switch (lane->step) {
	case TCM_COPY_BEGIN:
		return tcm_copy_begin(lane);
	case TCM_COPY_READ:
		lane->step = TCM_COPY_HAVE;
		tcm_copy_io(lane, s->from->lun->dev, lane->from_pos, false);
		s->from->lun->dev->ops->submit(&lane->io);
		return false;
	case TCM_COPY_HAVE:
		tcm_copy_unlock(lane);
		tcm_copy_check(lane);
		if (lane->sense)
			return true;
		return tcm_copy_lock(lane, s->to->lun->dev, lane->to_pos, TCM_COPY_WRITE);
	case TCM_COPY_FLUSH:
		lane->step = TCM_COPY_WROTE;
		/* with what is right by now in its flags, so that it is not asked about again */
		tcm_copy_io(lane, s->to->lun->dev, lane->to_pos, true);
		s->to->lun->dev->ops->flush(&lane->io);
		return false;
	default:
		if (!tcm_copy_may_write(lane))
			return true;
		tcm_copy_write(lane);
		return false;
	}
}

/* The backend cannot do this segment: give the chunk back, it is the only one under way. */
static void tcm_copy_by_hand(struct tcm_copy_lane *lane)
{
	struct tcm_copy *copy = lane->copy;

	spin_lock_irq(&copy->lock);
	copy->segment = lane->segment;
	copy->done = lane->done;
	copy->at = lane->at;
	copy->segments[lane->segment].by_hand = true;
	spin_unlock_irq(&copy->lock);
	lane->sense = TCM_OK;
}

bool tcm_copy_is_units(enum tcm_sense sense)
{
	if (tcm_sense_status(sense) != SAM_STAT_CHECK_CONDITION)
		return false;
	switch (TCM_SENSE_KEY(sense)) {
	case ILLEGAL_REQUEST:
	case DATA_PROTECT:
	case COPY_ABORTED:
		return false;
	default:
		return true;
	}
}

/* What the lane failed with, and whose error it is: its last step was an access to one unit. */
static void tcm_copy_tell_failure(struct tcm_copy *copy, const struct tcm_copy_lane *lane)
{
	const struct tcm_copy_segment *s = &copy->segments[lane->segment];
	const struct tcm_copy_unit *unit = lane->step == TCM_COPY_HAVE ? s->from : s->to;
	struct tcm_sense_extra *x = &copy->told;

	lockdep_assert_held(&copy->lock);
	*x = (struct tcm_sense_extra) { .flags = TCM_SX_SEGMENT, .segment = lane->segment };
	if (!tcm_copy_is_units(lane->sense))
		return;
	x->flags |= lane->step == TCM_COPY_HAVE ? TCM_SX_SOURCE : TCM_SX_DEST;
	x->unit_key = TCM_SENSE_KEY(lane->sense);
	x->unit_code = TCM_SENSE_ASC(lane->sense) << 8 | TCM_SENSE_ASCQ(lane->sense);
	if (lane->io.bad_pos != U64_MAX) {
		x->flags |= TCM_SX_INFO;
		x->info = lane->io.bad_pos >> unit->lun->dev->block_shift;
	}
}

/* The chunk has not been copied. What was before it has, once all have come back. */
static void tcm_copy_failed(struct tcm_copy_lane *lane)
{
	struct tcm_copy *copy = lane->copy;

	spin_lock_irq(&copy->lock);
	if (lane->at < copy->good) {
		copy->good = lane->at;
		/* One that is only stopped has nothing to add to what stopped it. */
		if (lane->sense || !copy->sense)
			tcm_copy_tell_failure(copy, lane);
		WRITE_ONCE(copy->sense, lane->sense ?: copy->sense ?: TCM_COPY_ABORTED);
	}
	spin_unlock_irq(&copy->lock);
	lane->sense = TCM_OK;
}

/* Has the lane's chunk come to its end? */
static bool tcm_copy_is_over(struct tcm_copy_lane *lane)
{
	bool wrote = lane->step == TCM_COPY_WROTE;

	if (wrote && !lane->sense && tcm_sbc_left_behind(&lane->io) && lane->io.dev->ops->flush) {
		lane->step = TCM_COPY_FLUSH;
		return false;
	}
	if (wrote && lane->whole && lane->sense == TCM_INVALID_OPCODE)
		tcm_copy_by_hand(lane);
	else if (wrote && lane->whole)
		tcm_copy_check(lane);
	if (!lane->sense && (wrote || !tcm_copy_stopped(lane->copy)))
		return wrote;
	tcm_copy_failed(lane);
	return true;
}

static void tcm_copy_work(struct work_struct *work)
{
	struct tcm_copy_lane *lane = container_of(work, struct tcm_copy_lane, work);

	while (!tcm_copy_is_over(lane))
		if (!tcm_copy_step(lane))
			return;
	tcm_copy_unlock(lane);
	tcm_copy_written(lane);
	tcm_copy_dispatch(lane->copy, lane);
}

void tcm_copy_start(struct tcm_copy *copy, const struct tcm_cmd *cmd)
{
	spin_lock_irq(&tcm_copy_list_lock);
	list_add_tail(&copy->node, &tcm_copy_list);
	spin_unlock_irq(&tcm_copy_list_lock);
	/* Who ended the command before found no copy, and one in the background has no command. */
	if (tcm_cmd_is_unwanted(cmd))
		WRITE_ONCE(copy->stop, true);
	tcm_copy_dispatch(copy, NULL);
}

u64 tcm_copy_progress(struct tcm_copy *copy, unsigned int *segments)
{
	const struct tcm_copy_lane *lane;
	unsigned long flags;
	u64 good, sum = 0;
	unsigned int i;

	spin_lock_irqsave(&copy->lock, flags);
	good = min(copy->at, copy->good);
	for (lane = copy->lanes; lane < copy->lanes + TCM_COPY_LANES; lane++)
		if (lane->busy)
			good = min(good, lane->at);
	spin_unlock_irqrestore(&copy->lock, flags);
	for (i = 0; i < copy->nsegments; i++) {
		sum += copy->segments[i].len;
		if (sum > good)
			break;
	}
	*segments = i;
	return good;
}

static bool tcm_copy_has(const struct tcm_copy *copy, const struct tcm_mapping *map)
{
	unsigned int i;

	for (i = 0; i < copy->nunits; i++)
		if (copy->units[i].map == map)
			return true;
	return false;
}

void tcm_copy_stop_map(const struct tcm_mapping *map)
{
	struct tcm_copy *copy;
	unsigned long flags;

	spin_lock_irqsave(&tcm_copy_list_lock, flags);
	list_for_each_entry(copy, &tcm_copy_list, node)
		if (tcm_copy_has(copy, map))
			WRITE_ONCE(copy->stop, true);
	spin_unlock_irqrestore(&tcm_copy_list_lock, flags);
}

unsigned int tcm_copy_count_map(const struct tcm_mapping *map)
{
	struct tcm_copy *copy;
	unsigned long flags;
	unsigned int n = 0;

	spin_lock_irqsave(&tcm_copy_list_lock, flags);
	list_for_each_entry(copy, &tcm_copy_list, node)
		n += tcm_copy_has(copy, map);
	spin_unlock_irqrestore(&tcm_copy_list_lock, flags);
	return n;
}

static void tcm_copy_orphan(struct tcm_copy_lane *lane)
{
	const struct tcm_copy *copy = lane->copy;
	struct tcm_device *to = copy->segments[lane->segment].to->lun->dev;

	lockdep_assert_held(&copy->lock);
	if (!lane->writes || lane->orphaned)
		return;
	lane->orphaned = true;
	lane->chunk.dev = to;
	lane->chunk.first = lane->to_pos >> to->block_shift;
	lane->chunk.last = (lane->to_pos + lane->len - 1) >> to->block_shift;
	tcm_orphan_chunk_add(&lane->chunk);
}

void tcm_copy_orphans(void)
{
	struct tcm_copy_lane *lane;
	struct tcm_copy *copy;
	unsigned long flags;

	spin_lock_irqsave(&tcm_copy_list_lock, flags);
	list_for_each_entry(copy, &tcm_copy_list, node) {
		if (!tcm_copy_ended_by(copy))
			continue;
		spin_lock(&copy->lock);
		for (lane = copy->lanes; lane < copy->lanes + TCM_COPY_LANES; lane++)
			tcm_copy_orphan(lane);
		spin_unlock(&copy->lock);
	}
	spin_unlock_irqrestore(&tcm_copy_list_lock, flags);
}

void tcm_copy_stop_device(const struct tcm_device *dev)
{
	struct tcm_copy *copy;
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&tcm_copy_list_lock, flags);
	list_for_each_entry(copy, &tcm_copy_list, node)
		for (i = 0; i < copy->nunits; i++)
			if (copy->units[i].lun->dev == dev)
				WRITE_ONCE(copy->stop, true);
	spin_unlock_irqrestore(&tcm_copy_list_lock, flags);
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

/* What a mapping is looked for by: a designator (and a page to build), or its device */
struct tcm_copy_key {
	const u8		*desig;
	u8			*page;
	const struct tcm_device	*dev;
};

/* Under RCU: take the unit if it is the one. */
static bool tcm_copy_take(struct tcm_copy *copy, struct tcm_mapping *map,
			  const struct tcm_copy_key *key)
{
	const struct tcm_device *dev = map->lun->dev;

	if (key->dev && dev != key->dev)
		return false;
	if (!key->dev && (dev->ops->flags & TCM_BE_PASSTHROUGH ||
			  !tcm_copy_is(map->lun, key->desig, key->page)))
		return false;
	if (!percpu_ref_tryget_live_rcu(&map->lun->ref))
		return false;
	atomic_inc(&map->pinned);
	copy->units[copy->nunits++] = (struct tcm_copy_unit) { .lun = map->lun, .map = map };
	return true;
}

static bool tcm_copy_search(struct tcm_copy *copy, const struct tcm_copy_key *key)
{
	struct tcm_session *sess = copy->sess;
	struct tcm_mapping *map;
	unsigned long number;
	bool found = false;

	rcu_read_lock();
	for (number = 0; number < TCM_LOW_LUNS && !found; number++) {
		map = rcu_dereference(sess->low[number]);
		found = map && tcm_copy_take(copy, map, key);
	}
	if (!found) {
		xa_for_each(&sess->high, number, map) {
			found = tcm_copy_take(copy, map, key);
			if (found)
				break;
		}
	}
	rcu_read_unlock();
	return found;
}

bool tcm_copy_find(struct tcm_copy *copy, const u8 *desig)
{
	struct tcm_copy_key key = { .desig = desig, .page = kmalloc(TCM_VPD_MAX, GFP_NOIO) };
	bool found;

	if (!key.page)
		return false;
	/* Units without serial numbers have the same names: then it is the one that was asked. */
	rcu_read_lock();
	found = tcm_copy_take(copy, copy->cmd->map, &key);
	rcu_read_unlock();
	if (!found)
		found = tcm_copy_search(copy, &key);
	kfree(key.page);
	return found;
}

void tcm_copy_add_own(struct tcm_copy *copy, struct tcm_cmd *cmd)
{
	percpu_ref_get(&cmd->lun->ref);
	atomic_inc(&cmd->map->pinned);
	copy->units[copy->nunits++] = (struct tcm_copy_unit) { .lun = cmd->lun, .map = cmd->map };
}

void tcm_copy_add_lun(struct tcm_copy *copy, struct tcm_lun *lun)
{
	struct tcm_copy_key key = { .dev = lun->dev };

	if (tcm_copy_search(copy, &key))
		percpu_ref_put(&lun->ref);
	else
		copy->units[copy->nunits++] = (struct tcm_copy_unit) { .lun = lun };
}

void tcm_copy_queue(struct work_struct *work)
{
	queue_work(tcm_copy_wq, work);
}

int tcm_copy_init(void)
{
	tcm_copy_wq = alloc_workqueue("tcm_copy", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return tcm_copy_wq ? 0 : -ENOMEM;
}

void tcm_copy_exit(void)
{
	destroy_workqueue(tcm_copy_wq);
	tcm_copy_record_exit();
	tcm_rod_exit();
}
