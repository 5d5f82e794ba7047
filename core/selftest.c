// SPDX-License-Identifier: GPL-2.0-only
/*
 * Self-tests read the medium in chunks, one after the other, without a thread: a work item starts
 * an access, the access's end queues the work item. One that hangs in the backend holds the device,
 * as any access does, and nothing else.
 */
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/slab.h>
#include <linux/unaligned.h>
#include "device.h"
#include "lu.h"
#include "sbc.h"

#define TCM_SELFTEST_CHUNK	SZ_128K
#define TCM_SELFTEST_SHORT_READS	64	/* chunks, spread over the medium */

struct tcm_selftest {
	struct tcm_device	*dev;		/* held */
	struct tcm_cmd		*cmd;		/* of a foreground test */
	u8			code;
	u64			nblocks;	/* of the medium */
	u32			chunk;		/* blocks of an access */
	u64			reads, next;	/* accesses, and which is next */
	struct scatterlist	*sg;
	enum tcm_sense		sense;		/* of the access that failed */
	struct work_struct	work;
	struct tcm_io		io;
};

static bool tcm_selftest_extended(u8 code)
{
	return code == TCM_SELFTEST_EXTENDED || code == TCM_SELFTEST_FG_EXTENDED;
}

/* Where access @i is: one after the other, or from the first block to the last. */
static u64 tcm_selftest_lba(const struct tcm_selftest *st, u64 i)
{
	u64 last = st->nblocks - min_t(u64, st->nblocks, st->chunk);

	if (tcm_selftest_extended(st->code))
		return i * st->chunk;
	return st->reads > 1 ? mul_u64_u64_div_u64(last, i, st->reads - 1) : 0;
}

/* SPC-4 7.3.15; nothing here is for a test that nobody logs. */
static void tcm_selftest_fill(const struct tcm_selftest *st, u8 result, u8 *p)
{
	u64 hours = div_u64(get_jiffies_64() - st->dev->created, 3600 * HZ);

	memset(p, 0, TCM_SELFTEST_LEN);
	p[0] = st->code << 5 | result;
	put_unaligned_be16(min_t(u64, hours, U16_MAX), p + 2);
	put_unaligned_be64(U64_MAX, p + 4);
	if (result != TCM_SELFTEST_FAILED)
		return;
	p[1] = 1;
	put_unaligned_be64(st->io.bad_pos == U64_MAX ? tcm_selftest_lba(st, st->next) :
			   st->io.bad_pos >> st->dev->block_shift, p + 4);
	p[12] = TCM_SENSE_KEY(st->sense);
	p[13] = TCM_SENSE_ASC(st->sense);
	p[14] = TCM_SENSE_ASCQ(st->sense);
}

/* It is over, as far as anybody can see; lu->lock held. */
static void tcm_selftest_record(struct tcm_selftest *st, u8 result)
{
	struct tcm_selftest_state *state = &st->dev->lu->selftest;

	lockdep_assert_held(&st->dev->lu->lock);
	state->running = NULL;
	if (st->code == TCM_SELFTEST_DEFAULT)
		return;
	memmove(state->results[1], state->results[0], sizeof(state->results) - TCM_SELFTEST_LEN);
	tcm_selftest_fill(st, result, state->results[0]);
	state->n = min(state->n + 1, (unsigned int)TCM_SELFTEST_RESULTS);
}

void tcm_selftest_result(const struct tcm_device *dev, unsigned int i, u8 *p)
{
	const struct tcm_selftest_state *state = &dev->lu->selftest;
	const struct tcm_selftest *st = state->running;

	lockdep_assert_held(&dev->lu->lock);
	if (st && st->code != TCM_SELFTEST_DEFAULT) {
		if (!i) {
			tcm_selftest_fill(st, TCM_SELFTEST_RUNS, p);
			return;
		}
		i--;
	}
	if (i < state->n)
		memcpy(p, state->results[i], TCM_SELFTEST_LEN);
}

static void tcm_selftest_free(struct tcm_selftest *st)
{
	sgl_free(st->sg);
	kfree(st);
}

static void tcm_selftest_end(struct tcm_selftest *st, u8 result)
{
	struct tcm_device *dev = st->dev;
	struct tcm_cmd *cmd = st->cmd;
	bool logged = false;

	spin_lock_irq(&dev->lu->lock);
	if (dev->lu->selftest.running == st) {
		logged = st->code != TCM_SELFTEST_DEFAULT;
		tcm_selftest_record(st, result);
	}
	spin_unlock_irq(&dev->lu->lock);
	if (logged && tcm_lu_can_save(dev))
		tcm_lu_save_behind(dev);
	tcm_selftest_free(st);
	if (cmd)
		tcm_cmd_complete(cmd, result ? TCM_SELFTEST_FAILURE : TCM_OK);
	tcm_device_put(dev);
}

static void tcm_selftest_done(struct tcm_io *io, enum tcm_sense sense)
{
	struct tcm_selftest *st = container_of(io, struct tcm_selftest, io);

	st->sense = sense;
	if (!sense)
		st->next++;
	tcm_lu_queue(&st->work);
}

static bool tcm_selftest_stopped(struct tcm_selftest *st)
{
	if (st->cmd)
		return tcm_cmd_is_unwanted(st->cmd);
	return READ_ONCE(st->dev->lu->selftest.running) != st;
}

static void tcm_selftest_work(struct work_struct *work)
{
	struct tcm_selftest *st = container_of(work, struct tcm_selftest, work);
	struct tcm_device *dev = st->dev;
	u64 lba = tcm_selftest_lba(st, st->next);
	struct tcm_io *io = &st->io;

	if (tcm_selftest_stopped(st))
		return tcm_selftest_end(st, TCM_SELFTEST_RESET);
	if (st->sense)
		return tcm_selftest_end(st, TCM_SELFTEST_FAILED);
	if (st->next == st->reads)
		return tcm_selftest_end(st, TCM_SELFTEST_PASSED);
	io->dev = dev;
	io->pos = lba << dev->block_shift;
	io->len = min_t(u64, st->chunk, st->nblocks - lba) << dev->block_shift;
	io->sg = st->sg;
	io->bad_pos = U64_MAX;
	io->done = tcm_selftest_done;
	dev->ops->submit(io);
}

static struct tcm_selftest *tcm_selftest_alloc(struct tcm_device *dev, u8 code)
{
	struct tcm_selftest *st = kzalloc(sizeof(*st), GFP_NOIO);

	if (!st)
		return NULL;
	st->sg = sgl_alloc(TCM_SELFTEST_CHUNK, GFP_NOIO, NULL);
	if (!st->sg) {
		kfree(st);
		return NULL;
	}
	st->dev = dev;
	st->code = code;
	st->nblocks = READ_ONCE(dev->nblocks);
	st->chunk = min_t(u32, TCM_SELFTEST_CHUNK >> dev->block_shift, READ_ONCE(dev->max_blocks));
	st->chunk = max(st->chunk, 1U);
	st->reads = DIV_ROUND_UP_ULL(st->nblocks, st->chunk);
	if (!tcm_selftest_extended(code))
		st->reads = min_t(u64, st->reads, TCM_SELFTEST_SHORT_READS);
	INIT_WORK(&st->work, tcm_selftest_work);
	return st;
}

enum tcm_sense tcm_selftest_start(struct tcm_cmd *cmd, enum tcm_selftest_code code)
{
	bool background = code == TCM_SELFTEST_SHORT || code == TCM_SELFTEST_EXTENDED, busy;
	struct tcm_device *dev = cmd->dev;
	struct tcm_selftest *st;

	st = tcm_selftest_alloc(dev, code);
	if (!st)
		return TCM_BUSY;
	if (!background)
		st->cmd = cmd;
	spin_lock_irq(&dev->lu->lock);
	busy = dev->lu->selftest.running;
	if (!busy)
		dev->lu->selftest.running = st;
	spin_unlock_irq(&dev->lu->lock);
	if (busy) {
		tcm_selftest_free(st);
		if (tcm_selftest_runs(dev, &cmd->extra.field))
			cmd->extra.flags = TCM_SX_PROGRESS;
		return TCM_NOT_READY_SELFTEST;
	}
	tcm_device_get(dev);
	tcm_lu_queue(&st->work);
	return background ? TCM_OK : TCM_PENDING;
}

bool tcm_selftest_stop(struct tcm_device *dev, enum tcm_selftest_result result)
{
	struct tcm_selftest *st;
	unsigned long flags;
	bool found;

	spin_lock_irqsave(&dev->lu->lock, flags);
	st = dev->lu->selftest.running;
	found = st && !st->cmd;
	if (found)
		tcm_selftest_record(st, result);
	spin_unlock_irqrestore(&dev->lu->lock, flags);
	if (found && tcm_lu_can_save(dev))
		tcm_lu_save_behind(dev);
	return found;
}

bool tcm_selftest_runs(struct tcm_device *dev, u16 *progress)
{
	struct tcm_selftest *st;
	unsigned long flags;
	bool found;

	spin_lock_irqsave(&dev->lu->lock, flags);
	st = dev->lu->selftest.running;
	found = st && !st->cmd;
	if (found)
		*progress = st->reads ? mul_u64_u64_div_u64(st->next, U16_MAX, st->reads) : 0;
	spin_unlock_irqrestore(&dev->lu->lock, flags);
	return found;
}

size_t tcm_selftest_save(const struct tcm_selftest_state *state, char *buf, size_t size)
{
	size_t len = 0;
	unsigned int i;

	for (i = 0; i < state->n; i++)
		len += scnprintf(buf + len, size - len, "test %*phN\n", TCM_SELFTEST_LEN,
				 state->results[i]);
	return len;
}

void tcm_selftest_restore(struct tcm_selftest_state *state, const char *line)
{
	if (state->n < TCM_SELFTEST_RESULTS && strlen(line) == 2 * TCM_SELFTEST_LEN &&
	    !hex2bin(state->results[state->n], line, TCM_SELFTEST_LEN))
		state->n++;
}
