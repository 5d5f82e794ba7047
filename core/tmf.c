// SPDX-License-Identifier: GPL-2.0-only
/*
 * Task management (SAM-5 7). Commands are found by asking the fabric to walk its
 * slots; what is found is marked aborted by one compare-and-exchange on its state
 * word. Nothing here waits for a backend.
 */
#include <linux/export.h>
#include <tcm/fabric.h>
#include "cmd.h"
#include "copy.h"
#include "mode.h"
#include "opcode.h"
#include "pr.h"
#include "lu.h"
#include "sbc.h"
#include "session.h"
#include "target.h"
#include "tmf.h"
#include "trace.h"
#include "ua.h"

bool tcm_tmf_supported(enum tcm_tmf_func func)
{
	switch (func) {
	case TCM_TMF_ABORT_TASK:
	case TCM_TMF_ABORT_TASK_SET:
	case TCM_TMF_CLEAR_TASK_SET:
	case TCM_TMF_LUN_RESET:
	case TCM_TMF_QUERY_TASK:
	case TCM_TMF_QUERY_TASK_SET:
		return true;
	default:
		return false;
	}
}

/* What one walk over a session's slots looks for and found. */
struct tcm_tmf_walk {
	const struct tcm_device	*dev;	/* NULL: any */
	const struct tcm_session *sess;	/* the nexus whose walk this is */
	bool		by_tag;
	bool		query;		/* only look */
	bool		tas;		/* these commands are owed TASK ABORTED */
	bool		by_lun;		/* that has this number */
	u64		tag;
	u64		lun;
	unsigned int	found;
};

/* The state of a command that was looked at without being changed, FREE when it is another now. */
static int tcm_tmf_still(const struct tcm_cmd *cmd, int seen)
{
	int now;

	smp_rmb(); /* what was compared was read before this */
	now = atomic_read(&cmd->state);
	if (!tcm_cmd_in_task_set(now) || (now ^ seen) & TCM_ST_GEN_MASK)
		return TCM_ST_FREE;
	return now & TCM_ST_MASK;
}

static bool tcm_tmf_visit(struct tcm_cmd *cmd, void *arg)
{
	struct tcm_tmf_walk *walk = arg;
	const struct tcm_fabric_ops *ops = walk->sess->ops;
	int st = atomic_read_acquire(&cmd->state);

	if (!tcm_cmd_in_task_set(st))
		return false;
	if (cmd->sess != walk->sess || (walk->dev && cmd->dev != walk->dev))
		return false;
	if (walk->by_tag && cmd->tag != walk->tag)
		return false;
	if (walk->by_lun && cmd->unpacked_lun != walk->lun)
		return false;
	/* The generation in the state word makes sure that it is still the one looked at. */
	st = walk->query ? tcm_tmf_still(cmd, st) : tcm_cmd_abort(cmd, st, walk->tas);
	if (st == TCM_ST_FREE)
		return false;
	walk->found++;
	if (!walk->query && st == TCM_ST_DATA && ops->data_aborted)
		ops->data_aborted(cmd);
	return walk->by_tag;
}

static void tcm_tmf_session(struct tcm_session *sess, struct tcm_tmf_walk *walk)
{
	walk->sess = sess;
	sess->ops->for_each_cmd(sess, NULL, tcm_tmf_visit, walk);
}

/*
 * Every nexus of the device; only the sender's own commands go without TASK ABORTED. Who gets
 * that status knows; who lost commands without it is told by COMMANDS CLEARED (SAM-5 5.6).
 */
static void tcm_tmf_device(struct tcm_tmf *tmf, struct tcm_device *dev, struct tcm_tmf_walk *walk,
			   enum tcm_ua ua, bool tell_sender)
{
	struct tcm_mapping *map;
	struct tcm_lun *lun;
	unsigned long flags;

	walk->dev = dev;
	walk->by_lun = false;
	spin_lock_irqsave(&dev->lun_lock, flags);
	list_for_each_entry(lun, &dev->luns, dev_node)
		list_for_each_entry(map, &lun->maps, lun_node) {
			unsigned int before = walk->found;

			walk->tas = dev->attr.emulate_tas && map->sess != tmf->sess;
			tcm_tmf_session(map->sess, walk);
			if (map->sess == tmf->sess ? tell_sender :
			    (ua == TCM_UA_LUN_RESET || (walk->found != before && !walk->tas)))
				tcm_ua_raise(map, ua);
		}
	spin_unlock_irqrestore(&dev->lun_lock, flags);
}

void tcm_tmf_abort_maps(struct tcm_device *dev, tcm_map_fn match, void *arg)
{
	struct tcm_tmf_walk walk = { .dev = dev, .tas = dev->attr.emulate_tas };
	struct tcm_mapping *map;
	struct tcm_lun *lun;
	unsigned long flags;

	spin_lock_irqsave(&dev->lun_lock, flags);
	list_for_each_entry(lun, &dev->luns, dev_node)
		list_for_each_entry(map, &lun->maps, lun_node)
			if (match(map, arg)) {
				tcm_tmf_session(map->sess, &walk);
				tcm_copy_stop_map(map);
			}
	spin_unlock_irqrestore(&dev->lun_lock, flags);
}

/* Aborted, and with the backend: what it was to write may come to the medium yet. */
static bool tcm_tmf_count_write(struct tcm_cmd *cmd, void *arg)
{
	struct tcm_tmf_walk *walk = arg;
	int st = atomic_read_acquire(&cmd->state);
	const struct tcm_opcode *op = cmd->op;

	if ((st & TCM_ST_MASK) != TCM_ST_EXEC || !(st & TCM_ST_ABORTED))
		return false;
	if (cmd->sess != walk->sess || cmd->dev != walk->dev)
		return false;
	if (op && (op->flags & (TCM_OP_WRITES | TCM_OP_PASSTHRU)))
		walk->found++;
	return false;
}

unsigned int tcm_tmf_writes_left(struct tcm_device *dev, tcm_map_fn match, void *arg)
{
	struct tcm_tmf_walk walk = { .dev = dev };
	struct tcm_mapping *map;
	struct tcm_lun *lun;
	unsigned long flags;

	spin_lock_irqsave(&dev->lun_lock, flags);
	list_for_each_entry(lun, &dev->luns, dev_node)
		list_for_each_entry(map, &lun->maps, lun_node) {
			if (!match(map, arg))
				continue;
			walk.sess = map->sess;
			map->sess->ops->for_each_cmd(map->sess, NULL, tcm_tmf_count_write, &walk);
			/* Those that were asked of another logical unit, and in the background */
			walk.found += tcm_copy_count_map(map);
		}
	spin_unlock_irqrestore(&dev->lun_lock, flags);
	return walk.found;
}

/*
 * No such LUN, or not any more: one that was taken away may have left commands in a backend,
 * and who waits for them may abort them as before.
 */
static void tcm_tmf_no_lun(struct tcm_tmf *tmf, u64 number)
{
	struct tcm_tmf_walk walk = {
		.by_lun = true,
		.lun = number,
		.by_tag = tmf->func == TCM_TMF_ABORT_TASK,
		.tag = tmf->tag,
	};

	tmf->resp = TCM_TMF_BAD_LUN;
	if (tmf->func != TCM_TMF_ABORT_TASK && tmf->func != TCM_TMF_ABORT_TASK_SET &&
	    tmf->func != TCM_TMF_LUN_RESET)
		return;
	tcm_tmf_session(tmf->sess, &walk);
	tmf->outstanding = walk.found;
	if (walk.found)
		tmf->resp = TCM_TMF_COMPLETE;
}

static void tcm_tmf_lun(struct tcm_tmf *tmf, struct tcm_device *dev, u64 number)
{
	/* Of one I_T_L nexus: this number also when another one leads to the same device. */
	struct tcm_tmf_walk walk = { .by_lun = true, .lun = number };

	if (!tcm_tmf_supported(tmf->func)) {
		tmf->resp = TCM_TMF_NOT_SUPPORTED;
		return;
	}
	tmf->resp = TCM_TMF_COMPLETE;
	switch (tmf->func) {
	case TCM_TMF_ABORT_TASK:
	case TCM_TMF_QUERY_TASK:
		walk.by_tag = true;
		walk.tag = tmf->tag;
		walk.query = tmf->func == TCM_TMF_QUERY_TASK;
		tcm_tmf_session(tmf->sess, &walk);
		if (walk.query)
			tmf->resp = walk.found ? TCM_TMF_SUCCEEDED : TCM_TMF_COMPLETE;
		else if (walk.found)
			atomic_long_inc(&dev->aborts_complete);
		else
			atomic_long_inc(&dev->aborts_no_task);
		break;
	case TCM_TMF_QUERY_TASK_SET:
		walk.query = true;
		tcm_tmf_session(tmf->sess, &walk);
		tmf->resp = walk.found ? TCM_TMF_SUCCEEDED : TCM_TMF_COMPLETE;
		break;
	case TCM_TMF_ABORT_TASK_SET:
		tcm_tmf_session(tmf->sess, &walk);
		break;
	case TCM_TMF_CLEAR_TASK_SET:
		tcm_tmf_device(tmf, dev, &walk, TCM_UA_COMMANDS_CLEARED, false);
		break;
	case TCM_TMF_LUN_RESET:
		tcm_tmf_device(tmf, dev, &walk, TCM_UA_LUN_RESET, true);
		/* As after power on, the unit is active (SBC-4 4.20). */
		tcm_sbc_set_stopped(dev, false);
		tcm_sbc_set_power(dev, TCM_POWER_IS_ACTIVE);
		tcm_sbc_allow_removal(dev);
		tcm_mode_reset(dev);
		tcm_pr_reset(dev);
		tcm_selftest_stop(dev, TCM_SELFTEST_RESET);
		tcm_copy_stop_device(dev);
		atomic_long_inc(&dev->resets);
		break;
	default:
		break;
	}
	if (!walk.query)
		tmf->outstanding = walk.found;
}

void tcm_tmf_submit(struct tcm_tmf *tmf)
{
	struct tcm_session *sess = tmf->sess;
	u64 number = tcm_lun_unpack(&tmf->lun);
	struct tcm_mapping *map;
	struct tcm_lun *lun = NULL;

	tmf->outstanding = 0;
	rcu_read_lock();
	map = number == TCM_LUN_NONE ? NULL : tcm_session_map(sess, number);
	if (map && percpu_ref_tryget_live_rcu(&map->lun->ref))
		lun = map->lun;
	rcu_read_unlock();

	if (lun) {
		tcm_tmf_lun(tmf, lun->dev, number);
		percpu_ref_put(&lun->ref);
	} else {
		tcm_tmf_no_lun(tmf, number);
	}
	trace_tcm_tmf(tmf);
	sess->ops->tmf_done(tmf);
}
EXPORT_SYMBOL_GPL(tcm_tmf_submit);
