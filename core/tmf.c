// SPDX-License-Identifier: GPL-2.0-only
/*
 * Task management (SAM-5 7). Commands are found by asking the fabric to walk its
 * slots; what is found is marked aborted by one compare-and-exchange on its state
 * word. Nothing here waits for a backend.
 */
#include <linux/export.h>
#include <tcm/fabric.h>
#include "aca.h"
#include "cmd.h"
#include "copy.h"
#include "gate.h"
#include "mode.h"
#include "opcode.h"
#include "orphan.h"
#include "pr.h"
#include "lu.h"
#include "sbc.h"
#include "session.h"
#include "target.h"
#include "task.h"
#include "tmf.h"
#include "trace.h"
#include "ua.h"

bool tcm_tmf_supported(const struct tcm_device *dev, enum tcm_tmf_func func)
{
	switch (func) {
	case TCM_TMF_ABORT_TASK:
	case TCM_TMF_ABORT_TASK_SET:
	case TCM_TMF_CLEAR_TASK_SET:
	case TCM_TMF_LUN_RESET:
	case TCM_TMF_QUERY_TASK:
	case TCM_TMF_QUERY_TASK_SET:
	case TCM_TMF_QUERY_ASYNC_EVENT:
	case TCM_TMF_NEXUS_RESET:
	case TCM_TMF_TARGET_WARM_RESET:
	case TCM_TMF_TARGET_COLD_RESET:
		return true;
	case TCM_TMF_CLEAR_ACA:
		return dev->attr.emulate_aca;
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
	bool		aca;		/* of the ACA attribute only */
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
	if (walk->aca && cmd->attr != TCM_ATTR_ACA)
		return false;
	/* The generation in the state word makes sure that it is still the one looked at. */
	st = walk->query ? tcm_tmf_still(cmd, st) :
		tcm_orphan_mark(cmd, st, TCM_ST_ABORTED | (walk->tas ? TCM_ST_TAS : 0));
	if (st == TCM_ST_FREE)
		return false;
	walk->found++;
	if (!walk->query && st == TCM_ST_DATA && ops->data_aborted)
		ops->data_aborted(cmd);
	return walk->by_tag;
}

static void tcm_tmf_session(struct tcm_session *sess, struct tcm_tmf_walk *walk)
{
	bool hold = !walk->query && !walk->by_tag;

	walk->sess = sess;
	if (hold)
		tcm_task_hold_nexus(sess);
	sess->ops->for_each_cmd(sess, NULL, tcm_tmf_visit, walk);
	if (hold)
		tcm_task_release_nexus(sess);
}

/*
 * Every nexus of the device; only the sender's own commands go without TASK ABORTED. Who gets
 * that status knows; who lost commands without it is told by COMMANDS CLEARED (SAM-5 5.6).
 */
static void tcm_tmf_device(const struct tcm_session *sender, struct tcm_device *dev,
			   struct tcm_tmf_walk *walk, enum tcm_ua ua, bool tell_sender)
{
	struct tcm_mapping *map = NULL;
	unsigned long flags;

	walk->dev = dev;
	walk->by_lun = false;
	tcm_task_hold(dev);
	spin_lock_irqsave(&dev->lun_lock, flags);
	while ((map = tcm_nexus_next(dev, map))) {
		unsigned int before = walk->found;

		walk->tas = READ_ONCE(dev->attr.emulate_tas) && map->sess != sender;
		tcm_tmf_session(map->sess, walk);
		if (map->sess == sender ? tell_sender :
		    (ua == TCM_UA_LUN_RESET || (walk->found != before && !walk->tas)))
			tcm_ua_raise(map, ua);
	}
	spin_unlock_irqrestore(&dev->lun_lock, flags);
	tcm_task_release(dev);
}

void tcm_tmf_abort_maps(struct tcm_device *dev, tcm_map_fn match, void *arg)
{
	struct tcm_tmf_walk walk = { .dev = dev, .tas = dev->attr.emulate_tas };
	struct tcm_mapping *map = NULL;
	unsigned long flags;

	tcm_task_hold(dev);
	spin_lock_irqsave(&dev->lun_lock, flags);
	while ((map = tcm_nexus_next(dev, map)))
		if (match(map, arg)) {
			unsigned int before = walk.found;

			tcm_tmf_session(map->sess, &walk);
			if (walk.found != before && !walk.tas)
				tcm_ua_raise(map, TCM_UA_COMMANDS_CLEARED);
			tcm_copy_stop_map(map);
			tcm_aca_clear(map);
			map->prevented = false;
		}
	spin_unlock_irqrestore(&dev->lun_lock, flags);
	tcm_task_release(dev);
	tcm_orphans_fence();
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
	struct tcm_mapping *map = NULL;
	unsigned long flags;

	spin_lock_irqsave(&dev->lun_lock, flags);
	while ((map = tcm_nexus_next(dev, map))) {
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

/* LOGICAL UNIT RESET, SAM-5 6.3.3 */
static void tcm_tmf_reset(const struct tcm_session *sender, struct tcm_device *dev,
			  struct tcm_tmf_walk *walk)
{
	tcm_tmf_device(sender, dev, walk, TCM_UA_LUN_RESET, true);
	/* As after power on, the unit is active (SBC-4 4.20). */
	tcm_sbc_set_stopped(dev, false);
	tcm_sbc_set_power(dev, TCM_POWER_IS_ACTIVE);
	tcm_sbc_allow_removal(dev);
	tcm_mode_reset(dev);
	tcm_history_reset(dev);
	tcm_pr_reset(dev);
	tcm_selftest_stop(dev, TCM_SELFTEST_RESET);
	tcm_copy_stop_device(dev);
	tcm_aca_reset(dev);
	atomic_long_inc(&dev->resets);
}

/* SAM-5 7.10: is a unit attention pending? It stays so. */
static void tcm_tmf_query_event(struct tcm_tmf *tmf, u64 number)
{
	struct tcm_mapping *map;
	enum tcm_sense sense;
	unsigned long ua = 0;

	rcu_read_lock();
	map = tcm_session_map(tmf->sess, number);
	if (map)
		ua = READ_ONCE(map->ua);
	rcu_read_unlock();
	if (!ua)
		return;
	sense = tcm_ua_sense(__ffs(ua));
	tmf->resp = TCM_TMF_SUCCEEDED;
	/* UADE DEPTH: one, or more than one */
	tmf->info[0] = (ua & (ua - 1) ? 2 : 1) << 4 | TCM_SENSE_KEY(sense);
	tmf->info[1] = TCM_SENSE_ASC(sense);
	tmf->info[2] = TCM_SENSE_ASCQ(sense);
}

/* SAM-5 7.4: the condition goes, and what looked at it by the ACA attribute */
static void tcm_tmf_clear_aca(struct tcm_session *sess, struct tcm_tmf_walk *walk)
{
	struct tcm_mapping *map;

	tcm_tmf_session(sess, walk);
	rcu_read_lock();
	map = tcm_session_map(sess, walk->lun);
	if (map)
		tcm_aca_clear(map);
	rcu_read_unlock();
}

static void tcm_tmf_lun(struct tcm_tmf *tmf, struct tcm_device *dev, u64 number)
{
	/* Of one I_T_L nexus: this number also when another one leads to the same device. */
	struct tcm_tmf_walk walk = { .by_lun = true, .lun = number };

	if (!tcm_tmf_supported(dev, tmf->func)) {
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
		/* With TST 001b the task set is the nexus's own. */
		if (READ_ONCE(dev->tasks->per_nexus))
			tcm_tmf_session(tmf->sess, &walk);
		else
			tcm_tmf_device(tmf->sess, dev, &walk, TCM_UA_COMMANDS_CLEARED, false);
		break;
	case TCM_TMF_CLEAR_ACA:
		walk.aca = true;
		tcm_tmf_clear_aca(tmf->sess, &walk);
		break;
	case TCM_TMF_LUN_RESET:
		tcm_tmf_reset(tmf->sess, dev, &walk);
		break;
	case TCM_TMF_QUERY_ASYNC_EVENT:
		walk.query = true;
		tcm_tmf_query_event(tmf, number);
		break;
	default:
		break;
	}
	if (!walk.query)
		tmf->outstanding += walk.found;
}

/* I_T NEXUS RESET, SAM-5 6.3.4 and 7.6: all of the nexus, on every LUN */
static void tcm_tmf_nexus(struct tcm_tmf *tmf)
{
	struct tcm_session *sess = tmf->sess;
	struct tcm_tmf_walk walk = { };
	struct tcm_mapping *map;

	tcm_tmf_session(sess, &walk);
	tmf->outstanding = walk.found;
	mutex_lock(&sess->tpg->lock);
	list_for_each_entry(map, &sess->maps, sess_node) {
		spin_lock_irq(&map->lun->dev->lun_lock);
		tcm_pr_map_removed(map);
		tcm_aca_clear(map);
		map->prevented = false;
		map->historian = false;
		spin_unlock_irq(&map->lun->dev->lun_lock);
		tcm_ua_raise(map, TCM_UA_NEXUS_LOSS);
	}
	mutex_unlock(&sess->tpg->lock);
}

/* The LUN of a session with the lowest number from @number on, held; NULL: there is none. */
static struct tcm_lun *tcm_tmf_next_lun(struct tcm_session *sess, u64 *number)
{
	struct tcm_mapping *map, *next = NULL;

	mutex_lock(&sess->tpg->lock);
	list_for_each_entry(map, &sess->maps, sess_node)
		if (map->number >= *number && (!next || map->number < next->number))
			next = map;
	if (next) {
		*number = next->number;
		percpu_ref_get(&next->lun->ref);
	}
	mutex_unlock(&sess->tpg->lock);
	return next ? next->lun : NULL;
}

/* TARGET RESET: each unit that the nexus reaches, as LOGICAL UNIT RESET */
static void tcm_tmf_target(struct tcm_tmf *tmf)
{
	struct tcm_lun *lun;
	u64 number = 0;

	while ((lun = tcm_tmf_next_lun(tmf->sess, &number))) {
		struct tcm_tmf_walk walk = { };

		tcm_tmf_reset(tmf->sess, lun->dev, &walk);
		tmf->outstanding += walk.found;
		percpu_ref_put(&lun->ref);
		number++;
	}
}

void tcm_tmf_qerr(const struct tcm_cmd *cmd)
{
	struct tcm_tmf_walk walk = { .dev = cmd->dev };

	if (READ_ONCE(cmd->dev->tasks->qerr) == TCM_QERR_NEXUS ||
	    READ_ONCE(cmd->dev->tasks->per_nexus))
		tcm_tmf_session(cmd->sess, &walk);
	else
		tcm_tmf_device(cmd->sess, cmd->dev, &walk, TCM_UA_COMMANDS_CLEARED, false);
	tcm_orphans_fence();
}

static void tcm_tmf_one_lun(struct tcm_tmf *tmf)
{
	struct tcm_session *sess = tmf->sess;
	u64 number = tcm_lun_unpack(&tmf->lun);
	struct tcm_mapping *map;
	struct tcm_lun *lun = NULL;

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
}

void tcm_tmf_submit(struct tcm_tmf *tmf)
{
	tmf->outstanding = 0;
	tmf->resp = TCM_TMF_COMPLETE;
	memset(tmf->info, 0, sizeof(tmf->info));
	switch (tmf->func) {
	case TCM_TMF_NEXUS_RESET:
		tcm_tmf_nexus(tmf);
		break;
	case TCM_TMF_TARGET_WARM_RESET:
	case TCM_TMF_TARGET_COLD_RESET:
		tcm_tmf_target(tmf);
		break;
	default:
		tcm_tmf_one_lun(tmf);
		break;
	}
	/* Before anybody is told that a write is no more. */
	tcm_orphans_fence();
	trace_tcm_tmf(tmf);
	tmf->sess->ops->tmf_done(tmf);
}
EXPORT_SYMBOL_GPL(tcm_tmf_submit);
