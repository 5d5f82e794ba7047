// SPDX-License-Identifier: GPL-2.0-only
/*
 * Protection information (SBC-4 4.21), kept by a backend beside the data.
 *
 * A device that has some gets other backend operations in front of its backend's, so whoever writes
 * to it writes protection information, too, whether it knows of that or not, and whoever reads has
 * it checked; and a device that has none pays nothing.
 *
 * Data and protection information are two accesses. Nobody may see or write one without the
 * other: an access has its blocks for itself, or shares them with reads, from its beginning to its
 * end. That lock is the innermost: who holds it waits for the backend only. A disk that keeps
 * protection information by itself (limits.pi_type) takes both as one access, without that lock.
 *
 * The memory of what is written may be the initiator's, which can change it at any time (a page
 * that is written back while a process writes to it). So data go through memory of ours, where the
 * guard that is stored is that of the data that are stored.
 *
 * A power cut between the two accesses leaves blocks whose check fails, as on a disk; deallocated
 * blocks lose their protection information first.
 */
#include <linux/interval_tree_generic.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include "pi.h"
#include "pi_tuple.h"
#include "target.h"

/* Data of one step, and of one that writes nothing but protection information */
#define TCM_PI_CHUNK		SZ_256K
#define TCM_PI_CHUNK_CLEAR	SZ_1M

struct tcm_pi {
	struct tcm_backend_ops	ops;	/* dev->ops while there is a protection type */
	/* @lock protects @tree, @seq, and node, seq, runs of what is in the tree */
	spinlock_t		lock;
	struct rb_root_cached	tree;	/* struct tcm_pi_io */
	u64			seq;
};

enum tcm_pi_phase {
	TCM_PI_DATA,
	TCM_PI_TUPLES,
	TCM_PI_NEXT,
	TCM_PI_OVER,
};

/* One access. What @lock of struct tcm_pi does not protect belongs to who runs it. */
struct tcm_pi_io {
	struct interval_tree_node node;	/* logical blocks, both included */
	u64			seq;
	bool			excl;	/* writes */
	bool			runs;
	bool			locked;	/* is in the tree */
	bool			stored;	/* the device stores PI */
	bool			data;	/* the access to the backend is to the data */
	bool			refused; /* the disk has checked what it was not to */
	bool			zeroes;	/* what is written is zeros, @outer has no data */
	struct work_struct	work;
	struct tcm_io		*outer;
	bool			(*step)(struct tcm_pi_io *s);
	void			(*clear)(struct tcm_io *io);	/* of the backend */
	bool			ones;	/* clear: the tuples become ones */
	u8			phase;	/* enum tcm_pi_phase */
	atomic_t		pending; /* the access to the backend, and who began it */
	enum tcm_sense		sense;
	u64			done;	/* bytes of data */
	u32			chunk, now;
	struct scatterlist	*bounce;
	struct scatterlist	tuple_sg;
	struct t10_pi_tuple	*tuples;
	struct tcm_io		io;
};

static struct workqueue_struct *tcm_pi_wq;

#define tcm_pi_start(n)	((n)->start)
#define tcm_pi_last(n)	((n)->last)

INTERVAL_TREE_DEFINE(struct interval_tree_node, rb, unsigned long, __subtree_last,
		     tcm_pi_start, tcm_pi_last, static inline, tcm_pi_span)

/* Is all that it conflicts with behind it? */
static bool tcm_pi_free(struct tcm_pi *pi, const struct tcm_pi_io *s)
{
	struct interval_tree_node *n;

	lockdep_assert_held(&pi->lock);
	for (n = tcm_pi_span_iter_first(&pi->tree, s->node.start, s->node.last); n;
	     n = tcm_pi_span_iter_next(n, s->node.start, s->node.last)) {
		const struct tcm_pi_io *o = container_of(n, struct tcm_pi_io, node);

		if (o->seq < s->seq && (o->excl || s->excl))
			return false;
	}
	return true;
}

/* Return: it may run; else its work item is queued when it may. */
static bool tcm_pi_lock(struct tcm_pi_io *s)
{
	struct tcm_device *dev = s->outer->dev;
	struct tcm_pi *pi = dev->pi;
	unsigned long flags;
	bool runs;

	s->node.start = s->outer->pos >> dev->block_shift;
	s->node.last = (s->outer->pos + s->outer->len - 1) >> dev->block_shift;
	s->locked = true;
	spin_lock_irqsave(&pi->lock, flags);
	s->seq = pi->seq++;
	tcm_pi_span_insert(&s->node, &pi->tree);
	s->runs = tcm_pi_free(pi, s);
	runs = s->runs;
	spin_unlock_irqrestore(&pi->lock, flags);
	return runs;
}

static void tcm_pi_unlock(struct tcm_pi_io *s)
{
	struct tcm_pi *pi = s->outer->dev->pi;
	struct interval_tree_node *n;
	unsigned long flags;

	spin_lock_irqsave(&pi->lock, flags);
	tcm_pi_span_remove(&s->node, &pi->tree);
	for (n = tcm_pi_span_iter_first(&pi->tree, s->node.start, s->node.last); n;
	     n = tcm_pi_span_iter_next(n, s->node.start, s->node.last)) {
		struct tcm_pi_io *o = container_of(n, struct tcm_pi_io, node);

		if (o->runs || !tcm_pi_free(pi, o))
			continue;
		o->runs = true;
		queue_work(tcm_pi_wq, &o->work);
	}
	spin_unlock_irqrestore(&pi->lock, flags);
}

static void tcm_pi_blame(struct tcm_pi_io *s);

static void tcm_pi_end(struct tcm_pi_io *s)
{
	struct tcm_io *outer = s->outer;
	enum tcm_sense sense;

	if (unlikely(s->refused && s->outer->write))
		tcm_pi_blame(s);
	sense = s->sense;
	if (s->locked)
		tcm_pi_unlock(s);
	if (s->bounce)
		sgl_free(s->bounce);
	kfree(s->tuples);
	kfree(s);
	tcm_io_done(outer, sense);
}

static void tcm_pi_run(struct tcm_pi_io *s)
{
	while (!s->sense && s->phase != TCM_PI_OVER)
		if (!s->step(s))
			return;
	tcm_pi_end(s);
}

static void tcm_pi_work(struct work_struct *work)
{
	tcm_pi_run(container_of(work, struct tcm_pi_io, work));
}

static void tcm_pi_access_done(struct tcm_io *io, enum tcm_sense sense)
{
	struct tcm_pi_io *s = container_of(io, struct tcm_pi_io, io);

	s->sense = sense;
	if (unlikely(sense) && s->data) {
		s->outer->bad_pos = io->bad_pos;
		s->refused = sense == TCM_GUARD_CHECK && io->flags & TCM_IO_UNCHECKED;
	}
	if (atomic_dec_and_test(&s->pending))
		queue_work(tcm_pi_wq, &s->work);
}

/* Return: the access has ended already; else the work item goes on. */
static bool tcm_pi_access(struct tcm_pi_io *s, void (*fn)(struct tcm_io *io))
{
	s->io.dev = s->outer->dev;
	s->io.bad_pos = U64_MAX;
	s->io.done = tcm_pi_access_done;
	atomic_set(&s->pending, 2);
	fn(&s->io);
	return atomic_dec_and_test(&s->pending);
}

/* Was all that the disk would check checked here, by the same rules? */
static bool tcm_pi_all_checked(const struct tcm_io *io, u8 type)
{
	u8 all = TCM_PI_GUARD | (type == 1 ? TCM_PI_REF : 0);

	if (!io->write || io->flags & TCM_IO_NO_PI)
		return false;
	return !(io->flags & TCM_IO_PI) ||
	       (!(io->pi->checks & TCM_PI_REPEAT) && (io->pi->checks & all) == all);
}

/* The data of a chunk, and its tuples where they are one access */
static bool tcm_pi_data(struct tcm_pi_io *s, struct scatterlist *sg, u64 skip)
{
	struct tcm_io *outer = s->outer;

	s->data = true;
	s->io.pos = outer->pos + s->done;
	s->io.len = s->now;
	s->io.sg = sg;
	s->io.skip = skip;
	s->io.write = outer->write;
	s->io.flags = outer->flags & (TCM_IO_FUA | TCM_IO_DPO);
	if (!s->stored || !outer->dev->limits.pi_type)
		return tcm_pi_access(s, outer->dev->backend->submit);
	s->io.tuples = s->tuples;
	/* What is wrong on the medium is found here, where it is known what and where. */
	if (!tcm_pi_all_checked(outer, outer->dev->limits.pi_type))
		s->io.flags |= TCM_IO_UNCHECKED;
	return tcm_pi_access(s, outer->dev->backend->pi_submit);
}

static unsigned int tcm_pi_count(const struct tcm_pi_io *s)
{
	return s->now >> s->outer->dev->block_shift;
}

/* The tuples of a chunk */
static bool tcm_pi_tuples(struct tcm_pi_io *s, bool write)
{
	struct tcm_io *outer = s->outer;
	u32 len = tcm_pi_count(s) * TCM_PI_LEN;

	if (!s->stored || outer->dev->limits.pi_type)
		return true;
	sg_init_one(&s->tuple_sg, s->tuples, len);
	s->data = false;
	s->io.pos = ((outer->pos + s->done) >> outer->dev->block_shift) * TCM_PI_LEN;
	s->io.len = len;
	s->io.sg = &s->tuple_sg;
	s->io.skip = 0;
	s->io.write = write;
	s->io.flags = write ? outer->flags & TCM_IO_FUA : 0;
	return tcm_pi_access(s, outer->dev->backend->pi_io);
}

/* Blocks between the beginning of the command and the chunk */
static u64 tcm_pi_at(const struct tcm_pi_io *s)
{
	const struct tcm_io *outer = s->outer;

	return (outer->pos + s->done - outer->pi->pos) >> outer->dev->block_shift;
}

static void tcm_pi_rule(const struct tcm_pi_io *s, struct tcm_pi_rule *rule)
{
	const struct tcm_io *outer = s->outer;
	const struct tcm_device *dev = outer->dev;
	const struct tcm_pi_req *req = outer->pi;

	*rule = (struct tcm_pi_rule) {
		.type = tcm_pi_type(dev),
		.medium = !outer->write,
		.shift = dev->block_shift,
		.ref = tcm_pi_lba_ref((outer->pos + s->done) >> dev->block_shift),
	};
	if (outer->flags & TCM_IO_PI) {
		rule->type = req->type;
		rule->checks = req->checks & (TCM_PI_GUARD | TCM_PI_APP | TCM_PI_REF);
		rule->ref = req->ref + tcm_pi_at(s);
		rule->tags = true;
		rule->app = req->app;
		rule->app_mask = req->app_mask;
	} else {
		/* The reference tags of type 2 are the initiator's. */
		rule->checks = TCM_PI_GUARD | (rule->type == 1 ? TCM_PI_REF : 0);
	}
	if (!outer->write && s->stored && !READ_ONCE(dev->attr.pi_prot_verify))
		rule->checks = 0;
}

static void tcm_pi_failed(struct tcm_pi_io *s, enum tcm_sense sense, unsigned int good)
{
	s->sense = sense;
	if (sense)
		s->outer->bad_pos = s->outer->pos + s->done +
				    ((u64)good << s->outer->dev->block_shift);
}

/* The tuples of the command that belong to a chunk */
static void tcm_pi_copy(struct tcm_pi_io *s, struct t10_pi_tuple *t, bool in)
{
	const struct tcm_pi_req *req = s->outer->pi;
	u64 off = tcm_pi_at(s) * TCM_PI_LEN;
	u32 len = tcm_pi_count(s) * TCM_PI_LEN;

	if (in)
		sg_pcopy_to_buffer(req->sg, sg_nents(req->sg), t, len, off);
	else
		sg_pcopy_from_buffer(req->sg, sg_nents(req->sg), t, len, off);
}

/* What was read is to be the same as the command's. */
static void tcm_pi_same(struct tcm_pi_io *s)
{
	struct t10_pi_tuple *want = kmalloc(tcm_pi_count(s) * TCM_PI_LEN, GFP_NOIO);
	const struct tcm_pi_req *req = s->outer->pi;
	unsigned int n;

	if (!want) {
		s->sense = TCM_BUSY;
		return;
	}
	if (req->checks & TCM_PI_REPEAT)
		tcm_pi_repeat(want, tcm_pi_count(s), req->type, &req->tuple, tcm_pi_at(s));
	else
		tcm_pi_copy(s, want, true);
	/* Nothing but the guard can be known of tags that are not kept. */
	n = tcm_pi_compare(s->tuples, want, tcm_pi_count(s),
			   req->checks & (s->stored ? TCM_PI_SAME : TCM_PI_SAME_GUARD));
	if (n != tcm_pi_count(s))
		tcm_pi_failed(s, TCM_MISCOMPARE, n);
	kfree(want);
}

/* Data and tuples of a chunk have been read: check them, and hand the tuples out. */
static void tcm_pi_have(struct tcm_pi_io *s)
{
	struct tcm_io *outer = s->outer;
	unsigned int n = tcm_pi_count(s), good;
	struct tcm_pi_rule rule;
	enum tcm_sense sense;

	tcm_pi_rule(s, &rule);
	if (s->stored) {
		good = tcm_pi_verify(s->tuples, n, outer->sg, outer->skip + s->done, &rule, &sense);
		tcm_pi_failed(s, sense, good);
	} else {
		tcm_pi_generate(s->tuples, n, outer->sg, outer->skip + s->done, &rule);
	}
	if (s->sense || !(outer->flags & TCM_IO_PI) || !outer->pi->sg)
		return;
	if (outer->pi->checks & TCM_PI_SAME)
		tcm_pi_same(s);
	else
		tcm_pi_copy(s, s->tuples, false);
}

/* The chunk is through. */
static void tcm_pi_advance(struct tcm_pi_io *s)
{
	s->done += s->now;
	s->now = min_t(u64, s->chunk, s->outer->len - s->done);
	s->phase = s->now ? TCM_PI_DATA : TCM_PI_OVER;
}

/* A step does one access. Return: go on at once. */
static bool tcm_pi_read(struct tcm_pi_io *s)
{
	switch (s->phase) {
	case TCM_PI_DATA:
		s->phase = TCM_PI_TUPLES;
		return tcm_pi_data(s, s->outer->sg, s->outer->skip + s->done);
	case TCM_PI_TUPLES:
		s->phase = TCM_PI_NEXT;
		return tcm_pi_tuples(s, false);
	default:
		tcm_pi_have(s);
		tcm_pi_advance(s);
		return true;
	}
}

/* The tuples that belong to the data of @sg from its byte @skip on */
static void tcm_pi_make(struct tcm_pi_io *s, struct scatterlist *sg, u64 skip)
{
	struct tcm_io *outer = s->outer;
	const struct tcm_pi_req *req = outer->pi;
	unsigned int n = tcm_pi_count(s), good;
	struct tcm_pi_rule rule;
	enum tcm_sense sense;

	tcm_pi_rule(s, &rule);
	if (outer->flags & TCM_IO_NO_PI) {
		memset(s->tuples, 0xff, n * TCM_PI_LEN);
	} else if (!(outer->flags & TCM_IO_PI) || (!req->sg && !(req->checks & TCM_PI_REPEAT))) {
		tcm_pi_generate(s->tuples, n, sg, skip, &rule);
	} else if (req->checks & TCM_PI_REPEAT) {
		tcm_pi_repeat(s->tuples, n, req->type, &req->tuple, tcm_pi_at(s));
	} else {
		tcm_pi_copy(s, s->tuples, true);
		if (req->checks & TCM_PI_REGUARD) {
			tcm_pi_reguard(s->tuples, n, sg, skip, rule.shift);
			return;
		}
		good = tcm_pi_verify(s->tuples, n, sg, skip, &rule, &sense);
		tcm_pi_failed(s, sense, good);
	}
}

static bool tcm_pi_is_stable(const struct tcm_io *io)
{
	return (io->flags & TCM_IO_PI) && (io->pi->checks & TCM_PI_STABLE);
}

/*
 * The disk has refused tuples that it was not to check, and the block layer does not tell why: what
 * would it find?
 */
static void tcm_pi_blame(struct tcm_pi_io *s)
{
	bool ours = !tcm_pi_is_stable(s->outer);
	struct scatterlist *sg = ours ? s->bounce : s->outer->sg;
	u64 skip = ours ? 0 : s->outer->skip + s->done;
	struct tcm_pi_rule rule;
	enum tcm_sense sense;
	unsigned int good;

	/* On their way the reference tags became those of the disk. */
	tcm_pi_make(s, sg, skip);
	tcm_pi_rule(s, &rule);
	rule.checks = TCM_PI_GUARD | TCM_PI_REF;
	rule.ref = tcm_pi_lba_ref((s->outer->pos + s->done) >> s->outer->dev->block_shift);
	good = tcm_pi_verify(s->tuples, tcm_pi_count(s), sg, skip, &rule, &sense);
	if (sense)
		tcm_pi_failed(s, sense, good);
	else
		s->sense = TCM_GUARD_CHECK;
}

/* Copy what is written to memory that nobody changes. */
static bool tcm_pi_bounce(struct tcm_pi_io *s)
{
	struct tcm_io *outer = s->outer;
	u64 skip = outer->skip + s->done;
	struct sg_mapping_iter to;

	if (!s->bounce)
		s->bounce = sgl_alloc(s->now, GFP_NOIO | (s->zeroes ? __GFP_ZERO : 0), NULL);
	if (!s->bounce) {
		s->sense = TCM_BUSY;
		return false;
	}
	if (s->zeroes)
		return true;
	sg_miter_start(&to, s->bounce, sg_nents(s->bounce), SG_MITER_TO_SG);
	while (skip < outer->skip + s->done + s->now && sg_miter_next(&to)) {
		to.consumed = min_t(u64, to.length, outer->skip + s->done + s->now - skip);
		sg_pcopy_to_buffer(outer->sg, sg_nents(outer->sg), to.addr, to.consumed, skip);
		skip += to.consumed;
	}
	sg_miter_stop(&to);
	return true;
}

static bool tcm_pi_write(struct tcm_pi_io *s)
{
	struct scatterlist *sg = s->outer->sg;
	u64 skip = s->outer->skip + s->done;

	switch (s->phase) {
	case TCM_PI_DATA:
		s->phase = TCM_PI_TUPLES;
		if (!tcm_pi_is_stable(s->outer)) {
			if (!tcm_pi_bounce(s))
				return true;
			sg = s->bounce;
			skip = 0;
		}
		tcm_pi_make(s, sg, skip);
		return s->sense || tcm_pi_data(s, sg, skip);
	case TCM_PI_TUPLES:
		s->phase = TCM_PI_NEXT;
		return tcm_pi_tuples(s, true);
	default:
		tcm_pi_advance(s);
		return true;
	}
}

/* All the data by one member of the backend */
static bool tcm_pi_clear_data(struct tcm_pi_io *s)
{
	struct tcm_io *outer = s->outer;

	s->data = true;
	s->io.pos = outer->pos;
	s->io.len = outer->len;
	s->io.sg = outer->sg;
	s->io.skip = outer->skip;
	s->io.write = true;
	s->io.flags = outer->flags & ~(TCM_IO_PI | TCM_IO_NO_PI);
	return tcm_pi_access(s, s->clear);
}

static bool tcm_pi_clear(struct tcm_pi_io *s)
{
	switch (s->phase) {
	case TCM_PI_DATA:
		s->phase = s->ones ? TCM_PI_OVER : TCM_PI_TUPLES;
		return tcm_pi_clear_data(s);
	case TCM_PI_TUPLES:
		s->phase = TCM_PI_NEXT;
		if (s->ones)
			memset(s->tuples, 0xff, tcm_pi_count(s) * TCM_PI_LEN);
		else
			tcm_pi_make(s, NULL, 0);
		return tcm_pi_tuples(s, true);
	default:
		tcm_pi_advance(s);
		if (s->phase == TCM_PI_DATA)
			s->phase = TCM_PI_TUPLES;
		else if (s->ones)
			s->phase = TCM_PI_DATA;
		return true;
	}
}

static struct tcm_pi_io *tcm_pi_alloc(struct tcm_io *io, u32 chunk)
{
	struct tcm_pi_io *s = kzalloc(sizeof(*s), GFP_NOIO);

	if (!s)
		return NULL;
	s->outer = io;
	s->chunk = min_t(u64, chunk, io->len);
	s->now = s->chunk;
	s->excl = io->write;
	INIT_WORK(&s->work, tcm_pi_work);
	s->tuples = kmalloc(tcm_pi_count(s) * TCM_PI_LEN, GFP_NOIO);
	if (!s->tuples) {
		kfree(s);
		return NULL;
	}
	return s;
}

void tcm_pi_submit(struct tcm_io *io)
{
	struct tcm_pi_io *s = tcm_pi_alloc(io, TCM_PI_CHUNK);

	if (!s) {
		tcm_io_done(io, TCM_BUSY);
		return;
	}
	s->step = io->write ? tcm_pi_write : tcm_pi_read;
	s->stored = tcm_pi_type(io->dev);
	if (!s->stored || io->dev->limits.pi_type || tcm_pi_lock(s))
		tcm_pi_run(s);
}

static void tcm_pi_clear_begin(struct tcm_io *io, void (*clear)(struct tcm_io *io), bool ones)
{
	struct tcm_pi_io *s = tcm_pi_alloc(io, TCM_PI_CHUNK_CLEAR);

	if (!s) {
		tcm_io_done(io, TCM_BUSY);
		return;
	}
	s->step = tcm_pi_clear;
	s->clear = clear;
	s->ones = ones;
	s->stored = true;
	s->phase = ones ? TCM_PI_TUPLES : TCM_PI_DATA;
	if (tcm_pi_lock(s))
		tcm_pi_run(s);
}

/* SBC-4 4.7.4.4: what is deallocated has protection information of all ones. */
static void tcm_pi_unmap(struct tcm_io *io)
{
	tcm_pi_clear_begin(io, io->dev->backend->unmap, true);
}

static void tcm_pi_write_zeroes(struct tcm_io *io)
{
	tcm_pi_clear_begin(io, io->dev->backend->write_zeroes,
			   io->flags & (TCM_IO_MAY_UNMAP | TCM_IO_NO_PI));
}

/*
 * The disk keeps tuples only with data: zeros are written, unless it may deallocate, which makes
 * them ones by itself.
 */
static void tcm_pi_fixed_write_zeroes(struct tcm_io *io)
{
	struct tcm_pi_io *s;

	if (io->flags & TCM_IO_MAY_UNMAP && io->dev->limits.unmap_zeroes) {
		io->dev->backend->write_zeroes(io);
		return;
	}
	s = tcm_pi_alloc(io, TCM_PI_CHUNK);
	if (!s) {
		tcm_io_done(io, TCM_BUSY);
		return;
	}
	s->step = tcm_pi_write;
	s->stored = true;
	s->zeroes = true;
	tcm_pi_run(s);
}

struct tcm_pi_flush {
	struct tcm_io	io;
	struct tcm_io	*outer;
};

static void tcm_pi_flushed(struct tcm_io *io, enum tcm_sense sense)
{
	struct tcm_pi_flush *f = container_of(io, struct tcm_pi_flush, io);
	struct tcm_io *outer = f->outer;

	kfree(f);
	if (sense)
		tcm_io_done(outer, sense);
	else
		outer->dev->backend->flush(outer);
}

/* The protection information first, then the data, whose flush needs no memory of ours. */
static void tcm_pi_flush(struct tcm_io *io)
{
	struct tcm_pi_flush *f = kzalloc(sizeof(*f), GFP_NOIO);

	if (!f) {
		tcm_io_done(io, TCM_BUSY);
		return;
	}
	f->outer = io;
	f->io.dev = io->dev;
	f->io.write = true;
	f->io.bad_pos = U64_MAX;
	f->io.done = tcm_pi_flushed;
	io->dev->backend->pi_flush(&f->io);
}

static struct tcm_pi *tcm_pi_create(const struct tcm_backend_ops *base, bool fixed)
{
	struct tcm_pi *pi = kzalloc(sizeof(*pi), GFP_KERNEL);

	if (!pi)
		return NULL;
	spin_lock_init(&pi->lock);
	pi->tree = RB_ROOT_CACHED;
	pi->ops = *base;
	/* It allocates and takes steps in work items. */
	pi->ops.flags &= ~(TCM_BE_ATOMIC | TCM_BE_NOWAIT);
	pi->ops.submit = tcm_pi_submit;
	if (base->unmap && !fixed)
		pi->ops.unmap = tcm_pi_unmap;
	if (base->write_zeroes)
		pi->ops.write_zeroes = fixed ? tcm_pi_fixed_write_zeroes : tcm_pi_write_zeroes;
	if (base->flush && base->pi_flush)
		pi->ops.flush = tcm_pi_flush;
	/* Done by the core with reads and writes */
	pi->ops.write_same = NULL;
	pi->ops.copy = NULL;
	return pi;
}

/* What commands see of the type changes at once. */
static int tcm_pi_switch(struct tcm_device *dev, u8 type, enum tcm_pi_when when)
{
	lockdep_assert_held(&tcm_config_mutex);
	if (when != TCM_PI_GATED && dev->exports)
		return -EINVAL;
	/* The directory has one; each LUN, until its last command is back, another. */
	if (when == TCM_PI_IDLE && refcount_read(&dev->ref) > 1)
		return -EBUSY;
	WRITE_ONCE(dev->attr.pi_prot_type, type);
	WRITE_ONCE(dev->attr.pi_prot_verify, !!type);
	WRITE_ONCE(dev->ops, type ? &dev->pi->ops : dev->backend);
	return 0;
}

int tcm_pi_set_type(struct tcm_device *dev, u8 type, enum tcm_pi_when when)
{
	u8 old = tcm_pi_type(dev);
	int err;

	lockdep_assert_held(&dev->pi_lock);
	if (dev->limits.pi_type || (type && !tcm_pi_possible(dev)))
		return -ENOSYS;
	if (type && !dev->pi) {
		dev->pi = tcm_pi_create(dev->backend, false);
		if (!dev->pi)
			return -ENOMEM;
	}
	if (type && !old) {
		err = dev->backend->pi_open(dev);
		if (err)
			return err;
	}
	mutex_lock(&tcm_config_mutex);
	err = tcm_pi_switch(dev, type, when);
	mutex_unlock(&tcm_config_mutex);
	/* What is open and not used */
	if (err ? type && !old : old && !type)
		dev->backend->pi_close(dev);
	return err;
}

int tcm_pi_adopt(struct tcm_device *dev)
{
	u8 type = dev->limits.pi_type;

	lockdep_assert_held(&tcm_config_mutex);
	if (!type)
		return 0;
	dev->pi = tcm_pi_create(dev->backend, true);
	if (!dev->pi)
		return -ENOMEM;
	dev->attr.hw_pi_prot_type = type;
	dev->attr.pi_prot_type = type;
	dev->attr.pi_prot_verify = 1;
	dev->ops = &dev->pi->ops;
	return 0;
}

int tcm_pi_format(struct tcm_device *dev)
{
	int err = 0;

	lockdep_assert_held(&dev->pi_lock);
	mutex_lock(&tcm_config_mutex);
	if (dev->exports)
		err = -EINVAL;
	else if (refcount_read(&dev->ref) > 1 || test_and_set_bit(TCM_DEV_OPENING, &dev->flags))
		err = -EBUSY;
	mutex_unlock(&tcm_config_mutex);
	if (err)
		return err;
	err = dev->backend->pi_format(dev);
	clear_bit(TCM_DEV_OPENING, &dev->flags);
	return err;
}

void tcm_pi_device_exit(struct tcm_device *dev)
{
	if (tcm_pi_type(dev) && !dev->limits.pi_type)
		dev->backend->pi_close(dev);
	/* The backend is closed and destroyed by its own operations. */
	dev->ops = dev->backend;
	kfree(dev->pi);
	dev->pi = NULL;
}

int tcm_pi_init(void)
{
	tcm_pi_wq = alloc_workqueue("tcm_pi", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return tcm_pi_wq ? 0 : -ENOMEM;
}

void tcm_pi_exit(void)
{
	destroy_workqueue(tcm_pi_wq);
}
