// SPDX-License-Identifier: GPL-2.0-only
/*
 * All of the medium made new, in the background: FORMAT UNIT (SBC-4 4.33), SANITIZE (4.11).
 *
 * The gate refuses medium access from the moment that the command is accepted. What is under way
 * then ends first: the wipe takes the lock on all blocks, and needs it no longer once it has it,
 * for who gets blocks after it asks the gate again (tcm_gate_granted()). Copies from and to the
 * unit are ended: what one has read before must not come back.
 * It is the device's: it goes on when its command is aborted, its nexus gone, its unit reset; it
 * ends early when the backstore is removed.
 *
 * What began is saved before the first block is touched, and that it has succeeded before anybody
 * is told (core/lu.c): after a restart in between the unit answers as after a failure.
 *
 * FORMAT UNIT leaves zeros, by whatever means the backend has. SANITIZE is about what was there:
 * every block is written, unless the backend's zeroing overwrites (TCM_BE_ZERO_IN_PLACE); of a thin
 * unit a block erase then deallocates them (SBC-4 4.11).
 */
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include "copy.h"
#include "device.h"
#include "gate.h"
#include "lu.h"
#include "opcode.h"
#include "pi.h"
#include "range.h"
#include "sbc.h"
#include "wipe.h"

static struct workqueue_struct *tcm_wipe_wq;

struct tcm_wipe *tcm_wipe_alloc(struct tcm_device *dev, enum tcm_wipe_kind kind)
{
	unsigned int n = TCM_WIPE_CHUNK >> PAGE_SHIFT, i;
	struct tcm_wipe *w = kzalloc(sizeof(*w), GFP_NOIO);

	if (!w)
		return NULL;
	w->page = alloc_page(GFP_NOIO | __GFP_ZERO);
	w->sg = kmalloc_array(n, sizeof(*w->sg), GFP_NOIO);
	if (!w->page || !w->sg) {
		tcm_wipe_free(w);
		return NULL;
	}
	sg_init_table(w->sg, n);
	for (i = 0; i < n; i++)
		sg_set_page(&w->sg[i], w->page, PAGE_SIZE, 0);
	w->dev = dev;
	w->kind = kind;
	w->frees = dev->ops->write_zeroes && tcm_dev_lbpme(dev);
	w->passes = kind == TCM_WIPE_ERASE && w->frees ? 2 : 1;
	w->total = READ_ONCE(dev->nblocks) << dev->block_shift;
	return w;
}

void tcm_wipe_free(struct tcm_wipe *w)
{
	if (!w)
		return;
	if (w->page)
		__free_page(w->page);
	kfree(w->sg);
	kfree(w);
}

static enum tcm_sense tcm_wipe_code(const struct tcm_wipe *w)
{
	if (w->runs)
		return w->kind == TCM_WIPE_FORMAT ? TCM_NOT_READY_FORMAT : TCM_NOT_READY_SANITIZE;
	return w->kind == TCM_WIPE_FORMAT ? TCM_FORMAT_CORRUPTED : TCM_SANITIZE_FAILED;
}

static u16 tcm_wipe_progress(const struct tcm_wipe *w)
{
	u64 total = max(w->total >> 16, 1ULL), pos = READ_ONCE(w->pos);
	u64 done = READ_ONCE(w->pass) * 65536ULL + min(div64_u64(pos, total), 65535ULL);

	return min(div_u64(done, w->passes), 65535ULL);
}

static enum tcm_sense tcm_wipe_sense_locked(struct tcm_wipe *w, struct tcm_sense_extra *x)
{
	if (!w)
		return TCM_OK;
	if (w->runs) {
		x->flags = TCM_SX_PROGRESS;
		x->field = tcm_wipe_progress(w);
	}
	return tcm_wipe_code(w);
}

enum tcm_sense tcm_wipe_sense(struct tcm_device *dev, struct tcm_sense_extra *x)
{
	enum tcm_sense sense;
	unsigned long flags;

	spin_lock_irqsave(&dev->lun_lock, flags);
	sense = tcm_wipe_sense_locked(dev->wipe, x);
	spin_unlock_irqrestore(&dev->lun_lock, flags);
	return sense;
}

/* Does the command end the state that the failed wipe left behind? */
static bool tcm_wipe_cured_by(const struct tcm_wipe *w, const struct tcm_cmd *cmd)
{
	if (w->runs)
		return false;
	return cmd->cdb[0] == TCM_SANITIZE ||
	       (cmd->cdb[0] == FORMAT_UNIT && w->kind == TCM_WIPE_FORMAT);
}

enum tcm_sense tcm_wipe_check(struct tcm_cmd *cmd)
{
	bool medium = cmd->op->flags & (TCM_OP_READY | TCM_OP_MEDIUM | TCM_OP_WRITES);
	enum tcm_sense sense = TCM_OK;
	struct tcm_device *dev = cmd->dev;
	unsigned long flags;

	/* The medium is not stopped or ejected under a wipe. */
	if (!medium && cmd->cdb[0] != START_STOP)
		return TCM_OK;
	spin_lock_irqsave(&dev->lun_lock, flags);
	if (dev->wipe && (medium || dev->wipe->runs) && !tcm_wipe_cured_by(dev->wipe, cmd))
		sense = tcm_wipe_sense_locked(dev->wipe, &cmd->extra);
	spin_unlock_irqrestore(&dev->lun_lock, flags);
	return sense;
}

bool tcm_wipe_forgive(struct tcm_device *dev, bool *was)
{
	struct tcm_wipe *w;
	bool may;

	/* Both: what another one notes that begins from here on comes after. */
	spin_lock_irq(&dev->lu->lock);
	spin_lock(&dev->lun_lock);
	w = dev->wipe;
	may = !w || (!w->runs && w->ause);
	if (w && may) {
		dev->wipe = NULL;
		dev->lu->left.undone = false;
		tcm_gate_device(dev, TCM_GATE_WIPE, false);
	} else {
		w = NULL;
	}
	spin_unlock(&dev->lun_lock);
	spin_unlock_irq(&dev->lu->lock);
	*was = w;
	tcm_wipe_free(w);
	return may;
}

/* Nobody has had a command of the device yet, and no LUN is published before this is over. */
static void tcm_wipe_pi_power_on(struct tcm_device *dev, u8 type)
{
	int err = 0;

	mutex_lock(&dev->pi_lock);
	if (type != tcm_pi_type(dev))
		err = tcm_pi_set_type(dev, type, TCM_PI_NO_LUN);
	mutex_unlock(&dev->pi_lock);
	if (err)
		pr_warn("tcm: device %s: its medium has protection type %u: (%pe)\n", dev->name,
			type, ERR_PTR(err));
}

void tcm_wipe_pi_changed(struct tcm_device *dev)
{
	struct tcm_lu *lu = dev->lu;
	bool was;

	lockdep_assert_held(&dev->pi_lock);
	spin_lock_irq(&lu->lock);
	was = lu->left.formatted;
	lu->left.formatted = false;
	spin_unlock_irq(&lu->lock);
	if (was && tcm_lu_can_save(dev))
		tcm_lu_save_behind(dev);
}

void tcm_wipe_power_on(struct tcm_device *dev, bool used)
{
	struct tcm_lu *lu = dev->lu;
	struct tcm_wipe_left left;
	struct tcm_wipe *w;

	spin_lock_irq(&lu->lock);
	left = lu->left;
	spin_unlock_irq(&lu->lock);
	if (!used && left.formatted)
		tcm_wipe_pi_power_on(dev, left.pi_type);
	if (!left.undone)
		return;
	/* It says no more than that: a failure to remember would make it good. */
	w = kzalloc(sizeof(*w), GFP_KERNEL | __GFP_NOFAIL);
	w->dev = dev;
	w->kind = left.kind;
	w->ause = left.ause;
	spin_lock_irq(&lu->lock);
	spin_lock(&dev->lun_lock);
	if (lu->left.undone && !dev->wipe) {
		dev->wipe = w;
		w = NULL;
		tcm_gate_device(dev, TCM_GATE_WIPE, true);
	}
	spin_unlock(&dev->lun_lock);
	spin_unlock_irq(&lu->lock);
	if (!w)
		pr_warn("tcm: device %s: %s has not come to its end\n", dev->name,
			left.kind == TCM_WIPE_FORMAT ? "FORMAT UNIT" : "SANITIZE");
	tcm_wipe_free(w);
}

static void tcm_wipe_note(const struct tcm_wipe *w, bool undone)
{
	struct tcm_lu *lu = w->dev->lu;

	spin_lock_irq(&lu->lock);
	lu->left.undone = undone;
	lu->left.kind = w->kind;
	lu->left.ause = w->ause;
	/* A disk that keeps protection information knows its type by itself. */
	if (w->kind == TCM_WIPE_FORMAT && tcm_pi_possible(w->dev) && !w->dev->limits.pi_type) {
		lu->left.formatted = true;
		lu->left.pi_type = w->pi_type;
	}
	spin_unlock_irq(&lu->lock);
	tcm_lu_save_now(w->dev);
}

/* Its command is answered; without one nobody is. */
static void tcm_wipe_answer(struct tcm_wipe *w, enum tcm_sense sense)
{
	struct tcm_cmd *cmd = w->cmd;

	w->cmd = NULL;
	if (cmd)
		tcm_cmd_complete(cmd, sense);
}

static void tcm_wipe_end(struct tcm_wipe *w, enum tcm_sense sense)
{
	struct tcm_device *dev = w->dev;
	struct tcm_cmd *cmd = w->cmd;

	if (sense)
		pr_warn_ratelimited("tcm: device %s: %s failed\n", dev->name,
				    w->kind == TCM_WIPE_FORMAT ? "FORMAT UNIT" : "SANITIZE");
	spin_lock_irq(&dev->lun_lock);
	w->runs = false;
	w->cmd = NULL;
	if (sense) {
		/* From the unlock on the next FORMAT UNIT or SANITIZE may free it. */
		sense = w->kind == TCM_WIPE_FORMAT ? TCM_FORMAT_FAILED : TCM_SANITIZE_FAILED;
		w = NULL;
	} else {
		dev->wipe = NULL;
		tcm_gate_device(dev, TCM_GATE_WIPE, false);
	}
	spin_unlock_irq(&dev->lun_lock);
	tcm_wipe_free(w);
	if (cmd)
		tcm_cmd_complete(cmd, sense);
	tcm_device_put(dev);
}

static void tcm_wipe_done(struct tcm_io *io, enum tcm_sense sense)
{
	struct tcm_wipe *w = container_of(io, struct tcm_wipe, io);

	w->sense = sense;
	if (!sense)
		WRITE_ONCE(w->pos, w->pos + io->len);
	queue_work(tcm_wipe_wq, &w->work);
}

/* May it be lost how the blocks were: FORMAT UNIT, or a block erase that has written all of them */
static bool tcm_wipe_is_over_all(const struct tcm_wipe *w)
{
	return w->kind == TCM_WIPE_FORMAT || (w->kind == TCM_WIPE_ERASE && w->pass);
}

/* Zeros that need not be written one by one */
static bool tcm_wipe_by_zeroes(const struct tcm_wipe *w)
{
	const struct tcm_backend_ops *ops = w->dev->ops;

	if (!ops->write_zeroes || w->kind == TCM_WIPE_OVERWRITE)
		return false;
	return tcm_wipe_is_over_all(w) || (ops->flags & TCM_BE_ZERO_IN_PLACE);
}

/* Where nothing is stored there is nothing to erase, and to write there might be no room. */
static bool tcm_wipe_skips(const struct tcm_wipe *w)
{
	return w->kind == TCM_WIPE_ERASE && w->frees && !w->pass && w->dev->ops->lba_status;
}

static void tcm_wipe_told(struct tcm_io *io, enum tcm_sense sense)
{
	struct tcm_wipe *w = container_of(io, struct tcm_wipe, io);
	u64 end = w->pos + min(io->len, w->total - w->pos);

	if (!sense && io->flags & TCM_IO_UNMAPPED)
		WRITE_ONCE(w->pos, end);
	else
		w->mapped = sense ? w->total : end;
	queue_work(tcm_wipe_wq, &w->work);
}

static void tcm_wipe_ask(struct tcm_wipe *w)
{
	w->io = (struct tcm_io) {
		.dev = w->dev,
		.pos = w->pos,
		.len = w->total - w->pos,
		.bad_pos = U64_MAX,
		.done = tcm_wipe_told,
	};
	w->dev->ops->lba_status(&w->io);
}

static void tcm_wipe_step(struct tcm_wipe *w)
{
	struct tcm_device *dev = w->dev;
	bool zeroes = tcm_wipe_by_zeroes(w), skips = tcm_wipe_skips(w);
	u32 chunk = zeroes ? TCM_WIPE_CHUNK_ZEROES : TCM_WIPE_CHUNK;
	u64 end = skips ? w->mapped : w->total;

	if (skips && w->pos >= w->mapped) {
		tcm_wipe_ask(w);
		return;
	}
	w->io = (struct tcm_io) {
		.dev = dev,
		.pos = w->pos,
		.len = min_t(u64, end - w->pos, chunk),
		.sg = w->sg,
		.write = true,
		.flags = TCM_IO_NO_PI |
			 (w->frees && tcm_wipe_is_over_all(w) ? TCM_IO_MAY_UNMAP : 0),
		.bad_pos = U64_MAX,
		.done = tcm_wipe_done,
	};
	if (zeroes)
		dev->ops->write_zeroes(&w->io);
	else
		dev->ops->submit(&w->io);
}

static void tcm_wipe_flush(struct tcm_wipe *w)
{
	w->flushed = true;
	w->io = (struct tcm_io) {
		.dev = w->dev,
		.write = true,
		.bad_pos = U64_MAX,
		.done = tcm_wipe_done,
	};
	w->dev->ops->flush(&w->io);
}

static void tcm_wipe_next_pass(struct tcm_wipe *w)
{
	u8 *mem = page_address(w->page);
	unsigned int i;

	WRITE_ONCE(w->pass, w->pass + 1);
	WRITE_ONCE(w->pos, 0);
	w->flushed = false;
	for (i = 0; w->invert && i < PAGE_SIZE; i++)
		mem[i] = ~mem[i];
}

static void tcm_wipe_succeeded(struct work_struct *work)
{
	struct tcm_wipe *w = container_of(work, struct tcm_wipe, work);

	tcm_wipe_note(w, false);
	tcm_wipe_end(w, TCM_OK);
}

/* One step, in the order in which they end. */
static void tcm_wipe_work(struct work_struct *work)
{
	struct tcm_wipe *w = container_of(work, struct tcm_wipe, work);
	struct tcm_device *dev = w->dev;

	if (w->cmd && tcm_cmd_is_unwanted(w->cmd))
		tcm_wipe_answer(w, TCM_OK);
	/* The backstore is removed: its directory has gone. */
	if (!READ_ONCE(dev->hba) || test_bit(TCM_DEV_DEAD, &dev->flags))
		w->sense = TCM_LUN_NOT_RESPONDING;
	if (!w->sense && w->pos == w->total && dev->ops->flush && !w->flushed) {
		tcm_wipe_flush(w);
		return;
	}
	if (w->sense) {
		tcm_wipe_end(w, w->sense);
		return;
	}
	if (w->pos == w->total && w->pass + 1 == w->passes) {
		INIT_WORK(&w->work, tcm_wipe_succeeded);
		tcm_lu_queue(&w->work);
		return;
	}
	if (w->pos == w->total)
		tcm_wipe_next_pass(w);
	tcm_wipe_step(w);
}

/* The protection type changes where nobody accesses the medium, and before it is formatted. */
static void tcm_wipe_protect(struct tcm_wipe *w)
{
	struct tcm_device *dev = w->dev;

	mutex_lock(&dev->pi_lock);
	if (tcm_pi_set_type(dev, w->pi_type, TCM_PI_GATED))
		w->sense = TCM_FORMAT_FAILED;
	mutex_unlock(&dev->pi_lock);
	if (!w->sense)
		tcm_ua_raise_device(dev, TCM_UA_CAPACITY_CHANGED, w->cmd ? w->cmd->sess : NULL);
}

/* What was under way has ended, and nothing has begun since. */
static void tcm_wipe_alone(struct work_struct *work)
{
	struct tcm_wipe *w = container_of(work, struct tcm_wipe, work);

	if (w->kind == TCM_WIPE_FORMAT && w->pi_type != tcm_pi_type(w->dev))
		tcm_wipe_protect(w);
	tcm_range_drop(w->dev, &w->range);
	INIT_WORK(&w->work, tcm_wipe_work);
	tcm_wipe_work(&w->work);
}

static void tcm_wipe_run(struct tcm_range *r)
{
	queue_work(tcm_wipe_wq, &container_of(r, struct tcm_wipe, range)->work);
}

/* Nobody accesses the medium from here on but what is under way: wait for that. */
static void tcm_wipe_begin(struct work_struct *work)
{
	struct tcm_wipe *w = container_of(work, struct tcm_wipe, work);

	tcm_wipe_note(w, true);
	if (w->immed)
		tcm_wipe_answer(w, TCM_OK);
	INIT_WORK(&w->work, tcm_wipe_alone);
	if (tcm_range_add(w->dev, &w->range, 0, U64_MAX, true))
		queue_work(tcm_wipe_wq, &w->work);
}

/* A failure that was not to be left is not left by way of one that may be (SBC-4 4.11.1). */
static bool tcm_wipe_is_restricted(const struct tcm_wipe *failed, const struct tcm_wipe *w)
{
	return failed && failed->kind != TCM_WIPE_FORMAT && !failed->ause && w->ause;
}

enum tcm_sense tcm_wipe_start(struct tcm_wipe *w, struct tcm_cmd *cmd)
{
	struct tcm_device *dev = w->dev;
	struct tcm_sense_extra x = {};
	struct tcm_wipe *failed;

	w->cmd = cmd;
	w->runs = true;
	INIT_WORK(&w->work, tcm_wipe_begin);
	w->range.cmd = NULL;
	w->range.run = tcm_wipe_run;
	w->range.writes = true;
	spin_lock_irq(&dev->lun_lock);
	failed = dev->wipe;
	if (failed && failed->runs) {
		enum tcm_sense sense = tcm_wipe_sense_locked(failed, &x);

		spin_unlock_irq(&dev->lun_lock);
		tcm_wipe_free(w);
		return sense;
	}
	if (tcm_wipe_is_restricted(failed, w)) {
		spin_unlock_irq(&dev->lun_lock);
		tcm_wipe_free(w);
		return tcm_bad_cdb(cmd, 1, 5);
	}
	dev->wipe = w;
	tcm_gate_device(dev, TCM_GATE_WIPE, true);
	spin_unlock_irq(&dev->lun_lock);
	tcm_wipe_free(failed);
	tcm_device_get(dev);
	/* One that begins from here on finds the gate. */
	tcm_copy_stop_device(dev);
	tcm_lu_queue(&w->work);
	return TCM_PENDING;
}

int tcm_wipe_init(void)
{
	tcm_wipe_wq = alloc_workqueue("tcm_wipe", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return tcm_wipe_wq ? 0 : -ENOMEM;
}

void tcm_wipe_exit(void)
{
	destroy_workqueue(tcm_wipe_wq);
}
