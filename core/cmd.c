// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a command: initialise, execute, complete, put.
 *
 * References: a command holds its session and, if the LUN exists, its LUN from
 * tcm_cmd_init() to tcm_cmd_put(). The I_T_L nexus has none; it counts what was
 * started and what is done and outlives the difference.
 */
#include <linux/export.h>
#include <linux/ktime.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <tcm/fabric.h>
#include "aca.h"
#include "cmd.h"
#include "gate.h"
#include "group.h"
#include "history.h"
#include "hop.h"
#include "log.h"
#include "opcode.h"
#include "orphan.h"
#include "range.h"
#include "sbc.h"
#include "session.h"
#include "task.h"
#include "tmf.h"
#include "trace.h"
#include "ua.h"

/* Move the state word; tells what the marks were. */
static int tcm_cmd_move(struct tcm_cmd *cmd, enum tcm_cmd_state from, enum tcm_cmd_state to)
{
	int old = atomic_read(&cmd->state);

	do {
		if (WARN_ON_ONCE((old & TCM_ST_MASK) != from))
			return 0;
	} while (!atomic_try_cmpxchg(&cmd->state, &old, (old & ~TCM_ST_MASK) | to));
	return old & TCM_ST_MARKS;
}

/* A LUN that is not there: only rows that say so answer (SPC-4 6.6, 6.33, 6.39). */
static void tcm_cmd_no_lun(struct tcm_cmd *cmd)
{
	if (!cmd->op || !(cmd->op->flags & TCM_OP_NO_LUN))
		cmd->sense = TCM_LUN_NOT_SUPPORTED;
}

/* Does the core answer this for a device that it otherwise passes everything to? */
static bool tcm_cmd_not_passed(const struct tcm_cmd *cmd)
{
	const struct tcm_opcode *op = cmd->op;

	if (!op || (op->offered && !op->offered(cmd->dev)))
		return false;
	return (op->flags & TCM_OP_PASS) ||
	       ((op->flags & TCM_OP_PASS_UA) && READ_ONCE(cmd->map->ua));
}

static void tcm_cmd_find_row(struct tcm_cmd *cmd)
{
	const struct tcm_device *dev = cmd->dev;
	bool known;

	cmd->op = tcm_opcode_find(cmd->cdb, cmd->cdb_len, &known);
	if (unlikely(dev && (dev->ops->flags & TCM_BE_PASSTHROUGH))) {
		if (!tcm_cmd_not_passed(cmd))
			cmd->op = &tcm_op_passthru;
		return;
	}
	if (unlikely(cmd->op && dev && cmd->op->offered && !cmd->op->offered(dev))) {
		cmd->op = tcm_opcode_twin(cmd->op, dev);
		known = tcm_opcode_any_offered(cmd->cdb[0], dev);
	}
	if (likely(cmd->op))
		return;
	/* A service action that is not there is a bad field of an opcode that is (SPC-4 4.3.1). */
	cmd->sense = known ? tcm_opcode_bad_sa(cmd) : TCM_INVALID_OPCODE;
}

static void tcm_cmd_copy_cdb(struct tcm_cmd *cmd, const u8 *cdb, unsigned int len)
{
	if (likely(len <= 16)) {
		/* What lies behind a shorter CDB is copied, but never looked at. */
		memcpy(cmd->cdb_buf, cdb, 16);
	} else if (len <= TCM_CDB_MAX) {
		memset(cmd->cdb_buf, 0, TCM_CDB_MAX);
		memcpy(cmd->cdb_buf, cdb, len);
	} else {
		cmd->cdb = cdb;
		cmd->cdb_len = min_t(unsigned int, len, U8_MAX);
		return;
	}
	cmd->cdb = cmd->cdb_buf;
	cmd->cdb_len = len;
}

/* Take LUN and count the command on its nexus; the session is held. */
static void tcm_cmd_find_lun(struct tcm_cmd *cmd, u64 number)
{
	struct tcm_mapping *map;

	cmd->unpacked_lun = number;
	rcu_read_lock();
	map = number == TCM_LUN_NONE ? NULL : tcm_session_map(cmd->sess, number);
	if (likely(map && percpu_ref_tryget_live_rcu(&map->lun->ref))) {
		struct tcm_map_stats __percpu *stats = READ_ONCE(map->stats);

		cmd->map = map;
		cmd->lun = map->lun;
		cmd->dev = map->lun->dev;
		if (likely(stats)) {
			this_cpu_inc(stats->started);
			cmd->flags = TCM_CMD_COUNTED;
		} else {
			atomic_inc(&map->pinned);
			cmd->flags = TCM_CMD_PINNED;
		}
	} else {
		cmd->map = NULL;
		cmd->lun = NULL;
		cmd->dev = NULL;
	}
	rcu_read_unlock();
}

int tcm_cmd_init(struct tcm_cmd *cmd, struct tcm_session *sess, const struct scsi_lun *lun,
		 const u8 *cdb, unsigned int cdb_len)
{
	if (unlikely(!percpu_ref_tryget_live(&sess->ref)))
		return -ESHUTDOWN;

	cmd->sess = sess;
	cmd->flags = 0;
	cmd->sense = TCM_OK;
	cmd->extra.flags = 0;
	cmd->xfer_len = 0;
	cmd->data_len = 0;
	cmd->start_ns = 0;
	cmd->sg = NULL;
	cmd->sg_nents = 0;
	cmd->exp_len = 0;
	cmd->exp_dir = DMA_NONE;
	cmd->attr = TCM_ATTR_SIMPLE;
	cmd->prio = 0;
	cmd->raw_sense = NULL;
	cmd->work = NULL;
	cmd->fabric_sg = NULL;

	tcm_cmd_copy_cdb(cmd, cdb, cdb_len);
	tcm_cmd_find_lun(cmd, tcm_lun_unpack(lun));
	if (likely(cdb_len >= 6)) {
		tcm_cmd_find_row(cmd);
		if (unlikely(!cmd->dev))
			tcm_cmd_no_lun(cmd);
		if (likely(!cmd->sense))
			cmd->sense = tcm_opcode_parse(cmd);
	} else {
		cmd->op = NULL;
		cmd->sense = TCM_INVALID_OPCODE;
	}
	/* Release: task management that sees the new state sees the new command. */
	atomic_set_release(&cmd->state, (atomic_read(&cmd->state) & TCM_ST_GEN_MASK) +
			   TCM_ST_GEN + TCM_ST_NEW);
	return 0;
}
EXPORT_SYMBOL_GPL(tcm_cmd_init);

enum dma_data_direction tcm_cmd_data_dir(const struct tcm_cmd *cmd)
{
	if (!cmd->op)
		return DMA_NONE;
	if (cmd->op == &tcm_op_passthru)
		return cmd->exp_dir;
	return cmd->data_len ? cmd->op->dir : DMA_NONE;
}
EXPORT_SYMBOL_GPL(tcm_cmd_data_dir);

static void tcm_cmd_count(struct tcm_cmd *cmd)
{
	struct tcm_map_stats __percpu *stats = cmd->map->stats;

	/* The nexus may be freed once both counts say so: nothing below touches it again. */
	if (unlikely(cmd->flags & (TCM_CMD_PINNED | TCM_CMD_RANGED | TCM_CMD_GROUP))) {
		if (cmd->flags & TCM_CMD_GROUP)
			tcm_group_count(cmd);
		if (cmd->flags & TCM_CMD_RANGED)
			tcm_range_leave(cmd);
		if (cmd->flags & TCM_CMD_PINNED) {
			/* everything this command did comes before: tcm_session_drain() */
			smp_mb__before_atomic();
			atomic_dec(&cmd->map->pinned);
			return;
		}
	}
	if (cmd->exp_dir == DMA_FROM_DEVICE) {
		this_cpu_add(stats->rd_bytes, cmd->xfer_len);
		this_cpu_inc(stats->rd_cmds);
	} else if (cmd->xfer_len) {
		this_cpu_add(stats->wr_bytes, cmd->xfer_len);
		this_cpu_inc(stats->wr_cmds);
	}
	smp_wmb(); /* pairs with tcm_map_sum() */
	this_cpu_inc(stats->done);
}

/*
 * The fast path counts every command that moves data as one that reads or writes the medium. Those
 * that do not are all slow: they take themselves out of the count.
 */
static void tcm_cmd_count_other(struct tcm_cmd *cmd)
{
	struct tcm_map_stats __percpu *stats;

	if ((cmd->flags & (TCM_CMD_OTHER | TCM_CMD_COUNTED)) != TCM_CMD_COUNTED ||
	    (cmd->op && (cmd->op->flags & TCM_OP_MEDIUM)))
		return;
	stats = cmd->map->stats;
	cmd->flags |= TCM_CMD_OTHER;
	if (cmd->exp_dir == DMA_FROM_DEVICE) {
		this_cpu_add(stats->rd_other, cmd->xfer_len);
		this_cpu_dec(stats->rd_cmds);
	} else if (cmd->xfer_len) {
		this_cpu_add(stats->wr_other, cmd->xfer_len);
		this_cpu_dec(stats->wr_cmds);
	}
}

static void tcm_cmd_failed(struct tcm_cmd *cmd, enum tcm_sense sense)
{
	cmd->status = tcm_sense_status(sense);
	if (tcm_cmd_data_dir(cmd) == DMA_FROM_DEVICE && sense != TCM_RAW_SENSE)
		cmd->xfer_len = 0;
	tcm_cmd_count_other(cmd);
	tcm_log_error(cmd, sense);
	tcm_history_add(cmd, sense);
	trace_tcm_sense(cmd, sense);
	if (!cmd->map)
		return;
	tcm_ua_interlock(cmd->map, sense);
	if (cmd->status != SAM_STAT_CHECK_CONDITION)
		return;
	tcm_aca_failed(cmd);
	if (READ_ONCE(cmd->dev->tasks->qerr))
		tcm_tmf_qerr(cmd);
}

static void tcm_cmd_aborted(struct tcm_cmd *cmd, int abort)
{
	if (cmd->map && TCM_SENSE_KEY(cmd->sense) == UNIT_ATTENTION)
		tcm_ua_untold(cmd->map, cmd->sense, &cmd->extra);
	cmd->xfer_len = 0;
	cmd->sense = TCM_TASK_ABORTED;
	cmd->status = SAM_STAT_TASK_ABORTED;
	if (!(abort & TCM_ST_TAS))
		cmd->flags |= TCM_CMD_NO_RESPONSE;
}

static void tcm_cmd_marked(struct tcm_cmd *cmd, enum tcm_sense sense, int marks)
{
	if (marks & TCM_ST_ORPHAN)
		tcm_orphan_end(cmd);
	if (marks & TCM_ST_ABORTED)
		tcm_cmd_aborted(cmd, marks);
	else if (sense)
		tcm_cmd_failed(cmd, sense);
	else
		cmd->status = SAM_STAT_GOOD;
	/* Last: what a failure aborts does not begin. */
	if (marks & TCM_ST_TASK)
		tcm_task_leave(cmd);
}

void tcm_cmd_complete(struct tcm_cmd *cmd, enum tcm_sense sense)
{
	int marks;

	if (unlikely(cmd->fabric_sg))
		tcm_sbc_unbounce(cmd, sense == TCM_OK);
	cmd->sense = sense;
	marks = tcm_cmd_move(cmd, TCM_ST_EXEC, TCM_ST_DONE);
	if (unlikely(marks))
		tcm_cmd_marked(cmd, sense, marks);
	else if (unlikely(sense))
		tcm_cmd_failed(cmd, sense);
	else
		cmd->status = SAM_STAT_GOOD;

	if (likely(cmd->flags & (TCM_CMD_COUNTED | TCM_CMD_PINNED)))
		tcm_cmd_count(cmd);
	if (trace_tcm_complete_enabled())
		trace_tcm_complete(cmd, cmd->start_ns ? ktime_get_ns() - cmd->start_ns : 0);
	cmd->sess->ops->respond(cmd);
}
EXPORT_SYMBOL_GPL(tcm_cmd_complete);

/* The gate has let it pass. */
static __always_inline void tcm_cmd_exec(struct tcm_cmd *cmd, enum tcm_sense sense)
{
	if (unlikely(!sense && cmd->xfer_len != cmd->data_len &&
		     (cmd->op->flags & TCM_OP_MEDIUM)))
		sense = tcm_sbc_bounce(cmd);
	if (likely(!sense))
		sense = cmd->op->exec(cmd);
	if (sense != TCM_PENDING)
		tcm_cmd_complete(cmd, sense);
}

/* It had to wait at the gate. */
static void tcm_cmd_resume(struct tcm_cmd *cmd)
{
	tcm_cmd_exec(cmd, tcm_gate_granted(cmd));
}

static void tcm_cmd_run(struct tcm_cmd *cmd)
{
	enum tcm_sense sense = cmd->sense;

	/* Nobody waits for it: it need not begin. */
	if (unlikely(tcm_cmd_is_unwanted(cmd)))
		sense = TCM_TASK_ABORTED;
	if (likely(cmd->map) && likely(!sense)) {
		/* The LUN reference was taken before this load: see tcm/target.h. */
		unsigned long gate = READ_ONCE(cmd->map->gate);

		if (unlikely(gate))
			sense = tcm_gate_check(cmd, gate, tcm_cmd_resume);
	} else if (cmd->map && READ_ONCE(cmd->map->gate) & BIT(TCM_GATE_COUNTED)) {
		sense = tcm_task_refuse(cmd, sense);
	}
	tcm_cmd_exec(cmd, sense);
}

void tcm_cmd_rerun(struct tcm_cmd *cmd)
{
	WRITE_ONCE(cmd->flags, cmd->flags & ~TCM_CMD_PARKED);
	/* Before the gate is read: a survey of ranges that has still seen the flag has set it. */
	smp_mb();
	tcm_cmd_run(cmd);
}

/* May this command run to its end in the call? */
static bool tcm_cmd_inline_ok(struct tcm_cmd *cmd, enum tcm_ctx ctx)
{
	const struct tcm_device *dev = cmd->dev;

	if (cmd->sense)
		return true;
	if (unlikely(cmd->map && READ_ONCE(cmd->map->gate))) {
		/* The order is that in which they come, not that in which they hop. */
		if (READ_ONCE(cmd->map->gate) & BIT(TCM_GATE_COUNTED))
			tcm_task_arrive(cmd);
		return false;
	}
	if (!(cmd->op->flags & TCM_OP_INLINE))
		return false;
	if (unlikely(cmd->xfer_len != cmd->data_len))
		return false;
	if (!(cmd->op->flags & TCM_OP_MEDIUM) || (dev->ops->flags & TCM_BE_ATOMIC))
		return true;
	if (ctx != TCM_CTX_NOWAIT || !(dev->ops->flags & TCM_BE_NOWAIT) ||
	    (dev->limits.waits & BIT(cmd->op->dir)))
		return false;
	cmd->flags |= TCM_CMD_NOWAIT;
	return true;
}

/* It has a task attribute of its own: it takes its place before anything that comes later. */
static void tcm_cmd_execute_task(struct tcm_cmd *cmd, enum tcm_cmd_state st, enum tcm_ctx ctx)
{
	tcm_cmd_move(cmd, st, TCM_ST_EXEC);
	if (cmd->attr == TCM_ATTR_ACA && !cmd->sense && !cmd->map)
		cmd->sense = TCM_INVALID_MESSAGE;
	if (!cmd->sense)
		tcm_task_arrive(cmd);
	if (ctx == TCM_CTX_SLEEPABLE)
		tcm_cmd_run(cmd);
	else
		tcm_hop_queue(cmd, tcm_cmd_run);
}

void tcm_cmd_execute(struct tcm_cmd *cmd, enum tcm_ctx ctx)
{
	int st = atomic_read(&cmd->state) & (TCM_ST_MASK | TCM_ST_ATTR);

	if (unlikely(st != TCM_ST_NEW && st != TCM_ST_DATA)) {
		/* Read once more: the fast path keeps no copy for this. */
		st = atomic_read(&cmd->state) & TCM_ST_MASK;
		/* A second time would write to the medium for a command that has been answered. */
		if (!WARN_ON_ONCE(st != TCM_ST_NEW && st != TCM_ST_DATA))
			tcm_cmd_execute_task(cmd, st, ctx);
		return;
	}
	tcm_cmd_move(cmd, st, TCM_ST_EXEC);
	if (ctx != TCM_CTX_SLEEPABLE && !tcm_cmd_inline_ok(cmd, ctx))
		tcm_hop_queue(cmd, tcm_cmd_run);
	else if (cmd->flags & TCM_CMD_NOWAIT)
		tcm_hop_not(cmd, tcm_cmd_run);
	else
		tcm_cmd_run(cmd);
}
EXPORT_SYMBOL_GPL(tcm_cmd_execute);

void tcm_cmd_abandon(struct tcm_cmd *cmd, enum tcm_sense sense, enum tcm_ctx ctx)
{
	cmd->sense = sense;
	tcm_cmd_execute(cmd, ctx);
}
EXPORT_SYMBOL_GPL(tcm_cmd_abandon);

int tcm_cmd_alloc(struct tcm_cmd *cmd, enum tcm_ctx ctx)
{
	u32 len = min(cmd->op == &tcm_op_passthru ? cmd->exp_len : cmd->data_len, cmd->exp_len);

	if (!len || cmd->sense)
		return 0;
	cmd->sg = sgl_alloc(len, ctx == TCM_CTX_SLEEPABLE ? GFP_NOIO : GFP_ATOMIC, &cmd->sg_nents);
	if (!cmd->sg)
		return -ENOMEM;
	cmd->flags |= TCM_CMD_OWN_SG;
	return 0;
}
EXPORT_SYMBOL_GPL(tcm_cmd_alloc);

/* A write of which a part is there, or a read with no room at all: move what can be moved. */
static bool tcm_cmd_fit_part(struct tcm_cmd *cmd)
{
	if (cmd->exp_dir != DMA_TO_DEVICE)
		return false;
	if (cmd->op->flags & TCM_OP_PARTIAL)
		return true;
	if (cmd->op->dir != DMA_FROM_DEVICE || !(cmd->op->flags & TCM_OP_MEDIUM) ||
	    cmd->data_len != (u64)cmd->nblocks << cmd->dev->block_shift)
		return false;
	cmd->xfer_len = 0;
	return true;
}

/*
 * The initiator's buffer against what the CDB asks for. Data-in is cut to what it has room
 * for. Data-out that is not all there, or a buffer for the other direction, is
 * refused before anything moves: of the ways that FCP-4 allows it is the one that never writes a
 * part of what was meant. RFC 7143 11.4.5.1 has the part written that is there.
 */
static void tcm_cmd_fit(struct tcm_cmd *cmd)
{
	cmd->xfer_len = min(cmd->data_len, cmd->exp_len);
	if (likely(cmd->xfer_len == cmd->data_len &&
		   (!cmd->data_len || cmd->exp_dir == cmd->op->dir)))
		return;
	if (cmd->op == &tcm_op_passthru)
		return;
	if (cmd->sense) {
		/* Nobody has memory for what the initiator expects the wrong way. */
		if (cmd->exp_dir != tcm_cmd_data_dir(cmd))
			cmd->xfer_len = 0;
		return;
	}
	if (cmd->sess->ops->flags & TCM_FAB_PARTIAL_OUT && tcm_cmd_fit_part(cmd))
		return;
	if (cmd->op->dir == DMA_TO_DEVICE || (cmd->xfer_len && cmd->exp_dir != cmd->op->dir)) {
		cmd->sense = TCM_INVALID_FIELD_IU;
		cmd->xfer_len = 0;
	}
}

void tcm_cmd_submit(struct tcm_cmd *cmd, enum tcm_ctx ctx)
{
	const struct tcm_fabric_ops *ops = cmd->sess->ops;

	if (trace_tcm_submit_enabled() || trace_tcm_complete_enabled())
		cmd->start_ns = ktime_get_ns();
	trace_tcm_submit(cmd);

	if (unlikely(cmd->op == &tcm_op_passthru))
		cmd->data_len = cmd->exp_len;
	tcm_cmd_fit(cmd);

	if (unlikely(!cmd->sg && cmd->xfer_len && !cmd->sense))
		cmd->sense = tcm_cmd_alloc(cmd, ctx) ? TCM_BUSY : TCM_OK;
	if (ops->write_pending && !cmd->sense && cmd->xfer_len &&
	    tcm_cmd_data_dir(cmd) == DMA_TO_DEVICE) {
		tcm_cmd_move(cmd, TCM_ST_NEW, TCM_ST_DATA);
		if (unlikely(cmd->attr || READ_ONCE(cmd->map->gate) & BIT(TCM_GATE_COUNTED)))
			tcm_task_arrive(cmd);
		/* The data of one that was refused are not asked for. */
		if (likely(!cmd->sense)) {
			if (!ops->write_pending(cmd))
				return;
			cmd->sense = TCM_INTERNAL_TARGET_FAILURE;
		}
	}
	tcm_cmd_execute(cmd, ctx);
}
EXPORT_SYMBOL_GPL(tcm_cmd_submit);

void tcm_cmd_put(struct tcm_cmd *cmd)
{
	struct tcm_session *sess = cmd->sess;
	struct tcm_lun *lun = cmd->lun;

	if (unlikely(cmd->flags & TCM_CMD_OWN_SG))
		sgl_free(cmd->sg);
	if (unlikely(cmd->raw_sense))
		kfree(cmd->raw_sense);
	/* Release: an aborter that sees the slot free sees nothing of its former life. */
	atomic_set_release(&cmd->state, atomic_read(&cmd->state) & TCM_ST_GEN_MASK);
	if (likely(lun))
		percpu_ref_put(&lun->ref);
	percpu_ref_put(&sess->ref);
}
EXPORT_SYMBOL_GPL(tcm_cmd_put);

/* Add to sense data in @buf, if they have descriptors, the one that is kept; their length then */
static unsigned int tcm_cmd_sense_more(const struct tcm_cmd *cmd, u8 *buf, unsigned int len)
{
	if (buf[0] != 0x72 || len + cmd->raw_sense_len > TCM_SENSE_MAX)
		return len;
	memcpy(buf + len, cmd->raw_sense, cmd->raw_sense_len);
	buf[7] += cmd->raw_sense_len;
	return len + cmd->raw_sense_len;
}

/* What a device said that is passed through, or what we say and maybe one more descriptor */
unsigned int tcm_cmd_sense(const struct tcm_cmd *cmd, u8 *buf)
{
	unsigned int len;

	if (cmd->status != SAM_STAT_CHECK_CONDITION)
		return 0;
	if (cmd->sense == TCM_RAW_SENSE) {
		len = min_t(unsigned int, cmd->raw_sense_len, TCM_SENSE_MAX);
		if (len)
			memcpy(buf, cmd->raw_sense, len);
		return len;
	}
	len = tcm_sense_build(cmd->sense, &cmd->extra,
			      cmd->dev && test_bit(TCM_DEV_D_SENSE, &cmd->dev->flags), buf);
	return cmd->sense == TCM_INSPECT_REFERRALS ? tcm_cmd_sense_more(cmd, buf, len) : len;
}
EXPORT_SYMBOL_GPL(tcm_cmd_sense);

u32 tcm_cmd_residual(const struct tcm_cmd *cmd, bool *overflow)
{
	*overflow = cmd->data_len > cmd->exp_len &&
		    (!cmd->sense || cmd->sense == TCM_INVALID_FIELD_IU);
	if (*overflow)
		return cmd->data_len - cmd->exp_len;
	return cmd->exp_len - cmd->xfer_len;
}
EXPORT_SYMBOL_GPL(tcm_cmd_residual);

void tcm_cmd_put_data(struct tcm_cmd *cmd, const void *buf, unsigned int len)
{
	/* Truncation by the allocation length is not an error (SPC-4 4.3.5.6). */
	len = min(len, cmd->data_len);
	cmd->data_len = len;
	cmd->xfer_len = min(len, cmd->exp_len);
	tcm_cmd_count_other(cmd);
	if (cmd->xfer_len)
		sg_copy_from_buffer(cmd->sg, cmd->sg_nents, buf, cmd->xfer_len);
}

unsigned int tcm_cmd_get_data(struct tcm_cmd *cmd, void *buf, unsigned int len)
{
	len = min(len, cmd->xfer_len);
	tcm_cmd_count_other(cmd);
	return len ? sg_copy_to_buffer(cmd->sg, cmd->sg_nents, buf, len) : 0;
}
