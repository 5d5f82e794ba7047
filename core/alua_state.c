// SPDX-License-Identifier: GPL-2.0-only
/*
 * Access states at work (SPC-4 5.15.2): which command is let through, how states change, who is
 * told.
 *
 * A nexus has TCM_GATE_ALUA while its port is anything but active/optimized. States change under
 * dev->lun_lock, under which the gates are set with them.
 *
 * A change with a delay is two changes, to TRANSITIONING and on; in between the device makes no
 * other one. Devices of one LU group change together: their port groups of one number. Nothing
 * sleeps on the I/O path: commands that are slowed down (active/non-optimized) wait on a list that
 * a tick looks through, where those that are aborted are let go at once.
 */
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "alua.h"
#include "alua_state.h"
#include "cmd.h"
#include "dbroot.h"
#include "device.h"
#include "gate.h"
#include "hop.h"
#include "opcode.h"
#include "sbc.h"
#include "target.h"
#include "ua.h"

/* How often is looked at those that are slowed down: an abort waits no longer than that */
#define TCM_ALUA_TICK		max(HZ / 50, 1)
/* How soon those that had passed the gate are looked at again: at first, and at most */
#define TCM_ALUA_WAIT_SOON	(HZ / 100 ?: 1)
#define TCM_ALUA_WAIT_LATE	(HZ / 4)

static struct workqueue_struct *tcm_alua_wq;

/* ---- the gate ---- */

static bool tcm_alua_away(const struct tcm_lun *lun)
{
	const struct tcm_tg_pt_gp *gp = lun->tg_pt_gp;

	lockdep_assert_held(&lun->dev->lun_lock);
	return gp && (lun->alua_offline || gp->state != TCM_ALUA_OPTIMIZED);
}

static void tcm_alua_gate(struct tcm_lun *lun)
{
	bool away = tcm_alua_away(lun);
	struct tcm_mapping *map;

	list_for_each_entry(map, &lun->maps, lun_node) {
		if (away)
			set_bit(TCM_GATE_ALUA, &map->gate);
		else
			clear_bit(TCM_GATE_ALUA, &map->gate);
	}
}

void tcm_alua_map_added(struct tcm_mapping *map)
{
	if (tcm_alua_away(map->lun))
		set_bit(TCM_GATE_ALUA, &map->gate);
}

void tcm_alua_lun_changed(struct tcm_lun *lun)
{
	lockdep_assert_held(&lun->dev->lun_lock);
	tcm_alua_gate(lun);
}

/*
 * SPC-4 5.15.2.4: what each state supports stands in the rows. @op: the row of @cmd, or the one
 * that it would have if it were not passed through
 */
static enum tcm_sense tcm_alua_judge(u8 state, const struct tcm_cmd *cmd,
				     const struct tcm_opcode *op)
{
	bool unavail = op && (op->flags & TCM_OP_UNAVAIL ||
			      (op->unavail_allowed && op->unavail_allowed(cmd)));

	switch (state) {
	case TCM_ALUA_STANDBY_STATE:
		return op && op->flags & TCM_OP_STANDBY ? TCM_OK : TCM_ALUA_STANDBY;
	case TCM_ALUA_UNAVAILABLE_STATE:
		return unavail ? TCM_OK : TCM_ALUA_UNAVAILABLE;
	case TCM_ALUA_OFFLINE_STATE:
		return unavail ? TCM_OK : TCM_ALUA_OFFLINE;
	case TCM_ALUA_TRANSITIONING:
		return unavail ? TCM_OK : TCM_ALUA_TRANSITION;
	default:
		return TCM_OK;
	}
}

/* The state of @group at @lba; *@end: the last block for which that holds. */
static u8 tcm_alua_state_at(const struct tcm_alua *alua, u16 group, u64 lba, u64 *end)
{
	const struct tcm_lba_range *range;
	unsigned int i;

	lockdep_assert_held(&alua->dev->lun_lock);
	/* Nobody saves a map: a restored state says nothing of any block until there is one. */
	if (list_empty(&alua->map)) {
		*end = U64_MAX;
		return TCM_ALUA_OPTIMIZED;
	}
	range = tcm_lba_range_at(alua, lba);
	if (!range) {
		*end = lba;
		return TCM_ALUA_UNAVAILABLE_STATE;
	}
	*end = lba + (tcm_lba_range_last(alua, range) - tcm_lba_in_map(alua, lba));
	for (i = 0; i < range->count; i++)
		if (range->members[i].group == group)
			return range->members[i].state;
	return TCM_ALUA_UNAVAILABLE_STATE;
}

/*
 * @lba is the first block that the port does not reach. With descriptor sense data an initiator is
 * told by which port groups it is reached, if it is by any (SBC-4 4.28.3).
 */
static enum tcm_sense tcm_alua_refer(struct tcm_cmd *cmd, u64 lba, enum tcm_sense sense)
{
	unsigned int len;
	u8 *referral;

	if (!test_bit(TCM_DEV_D_SENSE, &cmd->dev->flags))
		return sense;
	referral = tcm_sbc_referral(cmd->dev->alua, lba, &len);
	if (!referral)
		return sense;
	kfree(cmd->raw_sense);
	cmd->raw_sense = referral;
	cmd->raw_sense_len = len;
	return TCM_INSPECT_REFERRALS;
}

/*
 * Each of the blocks by itself, segment by segment. Nobody has compared them with the capacity yet,
 * and there may be billions: where segments repeat, those of one period are all that there are.
 */
static enum tcm_sense tcm_alua_judge_blocks(struct tcm_cmd *cmd, u16 group, u64 lba,
					    u64 nblocks)
{
	const struct tcm_alua *alua = cmd->dev->alua;
	u64 period = (u64)alua->seg_size * alua->seg_mult, left, end;
	enum tcm_sense sense;

	if (!nblocks)
		return TCM_OK;
	/* Counted down: the last block's number, and that of a segment's, may not fit 64 bits. */
	left = period ? min(nblocks, period) : nblocks;
	for (;;) {
		sense = tcm_alua_judge(tcm_alua_state_at(alua, group, lba, &end), cmd, cmd->op);
		if (sense)
			return tcm_alua_refer(cmd, lba, sense);
		if (end - lba >= left - 1)
			return TCM_OK;
		left -= end - lba + 1;
		lba = end + 1;
	}
}

static enum tcm_sense tcm_alua_judge_lba(struct tcm_cmd *cmd, u16 group)
{
	if (cmd->op->flags & TCM_OP_WHOLE)
		return tcm_alua_judge_blocks(cmd, group, 0, READ_ONCE(cmd->dev->nblocks));
	if (!(cmd->op->flags & TCM_OP_MEDIUM) || !cmd->op->lba_at)
		return TCM_OK;
	return tcm_alua_judge_blocks(cmd, group, cmd->lba, cmd->nblocks);
}

enum tcm_sense tcm_alua_check_blocks(struct tcm_cmd *cmd, u64 lba, u64 nblocks)
{
	struct tcm_device *dev = cmd->dev;
	enum tcm_sense sense = TCM_OK;
	const struct tcm_tg_pt_gp *gp;
	unsigned long flags;

	if (!test_bit(TCM_GATE_ALUA, &cmd->map->gate))
		return TCM_OK;
	spin_lock_irqsave(&dev->lun_lock, flags);
	gp = cmd->lun->tg_pt_gp;
	if (gp && gp->state == TCM_ALUA_LBA_DEPENDENT)
		sense = tcm_alua_judge_blocks(cmd, gp->id, lba, nblocks);
	spin_unlock_irqrestore(&dev->lun_lock, flags);
	return sense;
}

/* ---- slowed down ---- */

static bool tcm_alua_over(const struct tcm_cmd *cmd)
{
	return time_after_eq(jiffies, cmd->alua_wait.until) || tcm_cmd_is_unwanted(cmd);
}

static void tcm_alua_tick(struct work_struct *work)
{
	struct tcm_alua *alua = container_of(to_delayed_work(work), struct tcm_alua, tick);
	struct tcm_cmd *cmd, *next;
	LIST_HEAD(over);
	bool more;

	spin_lock_irq(&alua->wait_lock);
	list_for_each_entry_safe(cmd, next, &alua->waiting, alua_wait.node)
		if (tcm_alua_over(cmd))
			list_move_tail(&cmd->alua_wait.node, &over);
	more = !list_empty(&alua->waiting);
	spin_unlock_irq(&alua->wait_lock);
	if (more)
		queue_delayed_work(tcm_alua_wq, &alua->tick, TCM_ALUA_TICK);
	list_for_each_entry_safe(cmd, next, &over, alua_wait.node)
		tcm_hop_queue(cmd, tcm_cmd_rerun);
}

static void tcm_alua_park(struct tcm_cmd *cmd, u32 msecs)
{
	struct tcm_alua *alua = cmd->dev->alua;
	unsigned long flags;

	WRITE_ONCE(cmd->flags, cmd->flags | TCM_CMD_SLOWED | TCM_CMD_PARKED);
	cmd->alua_wait.until = jiffies + msecs_to_jiffies(msecs);
	spin_lock_irqsave(&alua->wait_lock, flags);
	list_add_tail(&cmd->alua_wait.node, &alua->waiting);
	queue_delayed_work(tcm_alua_wq, &alua->tick, TCM_ALUA_TICK);
	spin_unlock_irqrestore(&alua->wait_lock, flags);
}

enum tcm_sense tcm_alua_slow(struct tcm_cmd *cmd)
{
	struct tcm_device *dev = cmd->dev;
	struct tcm_tg_pt_gp *gp;
	unsigned long flags;
	u32 msecs = 0;

	if (!(cmd->op->flags & TCM_OP_MEDIUM) || (cmd->flags & TCM_CMD_SLOWED))
		return TCM_OK;
	spin_lock_irqsave(&dev->lun_lock, flags);
	gp = cmd->lun->tg_pt_gp;
	if (gp && gp->state == TCM_ALUA_NONOPTIMIZED)
		msecs = gp->field[TCM_ALUA_nonop_delay_msecs];
	spin_unlock_irqrestore(&dev->lun_lock, flags);
	if (!msecs)
		return TCM_OK;
	tcm_alua_park(cmd, msecs);
	return TCM_PENDING;
}

enum tcm_sense tcm_alua_check(struct tcm_cmd *cmd)
{
	const struct tcm_opcode *op = cmd->op;
	struct tcm_device *dev = cmd->dev;
	enum tcm_sense sense = TCM_OK;
	struct tcm_tg_pt_gp *gp;
	unsigned long flags;
	bool known;

	/* What is passed through is judged by the row that it would have had. */
	if (op->flags & TCM_OP_PASSTHRU)
		op = tcm_opcode_find(cmd->cdb, cmd->cdb_len, &known);
	spin_lock_irqsave(&dev->lun_lock, flags);
	gp = cmd->lun->tg_pt_gp;
	if (!gp)
		goto unlock;
	if (cmd->lun->alua_offline)
		sense = tcm_alua_judge(TCM_ALUA_OFFLINE_STATE, cmd, op);
	else if (gp->state == TCM_ALUA_LBA_DEPENDENT)
		sense = tcm_alua_judge_lba(cmd, gp->id);
	else
		sense = tcm_alua_judge(gp->state, cmd, op);
unlock:
	spin_unlock_irqrestore(&dev->lun_lock, flags);
	return sense;
}

bool tcm_alua_reaches(struct tcm_lun *lun)
{
	struct tcm_tg_pt_gp *gp;
	unsigned long flags;
	bool reaches;

	spin_lock_irqsave(&lun->dev->lun_lock, flags);
	gp = lun->tg_pt_gp;
	/* Of a map of blocks no finer look is taken. */
	reaches = !gp || (!lun->alua_offline && (gp->state == TCM_ALUA_OPTIMIZED ||
						 gp->state == TCM_ALUA_NONOPTIMIZED));
	spin_unlock_irqrestore(&lun->dev->lun_lock, flags);
	return reaches;
}

/* ---- changes ---- */

static struct tcm_tg_pt_gp *tcm_alua_find(struct tcm_alua *alua, u16 id)
{
	struct tcm_tg_pt_gp *gp;

	lockdep_assert_held(&alua->dev->lun_lock);
	list_for_each_entry(gp, &alua->groups, node)
		if (gp->has_id && gp->id == id)
			return gp;
	return NULL;
}

/* Everybody but @but, who asked for the change, is told (SPC-4 5.15.2.5, 5.15.2.6). */
static void tcm_alua_tell(struct tcm_device *dev, const struct tcm_session *but)
{
	struct tcm_mapping *map = NULL;

	lockdep_assert_held(&dev->lun_lock);
	while ((map = tcm_nexus_next(dev, map)))
		if (map->sess != but)
			tcm_ua_raise(map, TCM_UA_ALUA_CHANGED);
}

static void tcm_alua_enter(struct tcm_tg_pt_gp *gp, u8 state)
{
	struct tcm_lun *lun;

	lockdep_assert_held(&gp->dev->lun_lock);
	WRITE_ONCE(gp->state, state);
	list_for_each_entry(lun, &gp->dev->luns, dev_node)
		if (lun->tg_pt_gp == gp)
			tcm_alua_gate(lun);
}

/* The LUNs of the port of a change to offline, by RELATIVE TARGET PORT IDENTIFIER */
static struct tcm_lun *tcm_alua_find_port(struct tcm_device *dev, u16 rtpi, struct tcm_lun *after)
{
	struct tcm_lun *lun = list_prepare_entry(after, &dev->luns, dev_node);

	lockdep_assert_held(&dev->lun_lock);
	/* Zero is nobody's number: that of all ports which were given none. */
	if (!rtpi)
		return NULL;
	list_for_each_entry_continue(lun, &dev->luns, dev_node)
		if (tcm_lun_rtpi(lun) == rtpi)
			return lun;
	return NULL;
}

struct tcm_alua_change *tcm_alua_change_new(struct tcm_device *dev, unsigned int n)
{
	struct tcm_alua_change *change = kzalloc(struct_size(change, step, n), GFP_KERNEL);

	if (!change)
		return NULL;
	change->n = n;
	change->devs = tcm_lu_gp_devices(dev, &change->n_devs);
	if (change->devs)
		return change;
	kfree(change);
	return NULL;
}

void tcm_alua_change_free(struct tcm_alua_change *change)
{
	while (change->n_devs)
		tcm_device_put(change->devs[--change->n_devs]);
	kfree(change->devs);
	kfree(change);
}

/* The first of the devices is the one that was asked. */
static bool tcm_alua_may_here(struct tcm_alua *alua, const struct tcm_alua_step *step)
{
	int field = tcm_alua_support_field(step->state);
	const struct tcm_tg_pt_gp *gp;
	const struct tcm_lun *lun;

	lockdep_assert_held(&alua->dev->lun_lock);
	if (field < 0 || step->state == TCM_ALUA_TRANSITIONING)
		return false;
	if (step->port) {
		lun = tcm_alua_find_port(alua->dev, step->id, NULL);
		return lun && lun->tg_pt_gp && lun->tg_pt_gp->field[field];
	}
	gp = tcm_alua_find(alua, step->id);
	return gp && gp->field[field];
}

/* One that changes along needs no such group; a port is the device's own. */
static bool tcm_alua_may_follow(struct tcm_alua *alua, const struct tcm_alua_step *step)
{
	int field = tcm_alua_support_field(step->state);
	const struct tcm_tg_pt_gp *gp;
	bool may;

	if (step->port)
		return true;
	spin_lock_irq(&alua->dev->lun_lock);
	gp = tcm_alua_find(alua, step->id);
	may = !gp || (field >= 0 && gp->field[field]);
	spin_unlock_irq(&alua->dev->lun_lock);
	return may;
}

static bool tcm_alua_all_follow(const struct tcm_alua_change *change,
				const struct tcm_alua_step *step)
{
	unsigned int i;

	for (i = 1; i < change->n_devs; i++)
		if (!tcm_alua_may_follow(change->devs[i]->alua, step))
			return false;
	return true;
}

bool tcm_alua_may(const struct tcm_alua_change *change, const struct tcm_alua_step *step)
{
	struct tcm_device *dev = change->devs[0];
	bool may;

	spin_lock_irq(&dev->lun_lock);
	may = tcm_alua_may_here(dev->alua, step);
	spin_unlock_irq(&dev->lun_lock);
	return may && tcm_alua_all_follow(change, step);
}

/* Of the first @n devices; they may change otherwise again. */
static void tcm_alua_release(const struct tcm_alua_change *change, unsigned int n)
{
	while (n--) {
		spin_lock_irq(&change->devs[n]->lun_lock);
		change->devs[n]->alua->busy = false;
		spin_unlock_irq(&change->devs[n]->lun_lock);
	}
}

/* No other change of any of the devices until the release; false: one is under way. */
static bool tcm_alua_claim(const struct tcm_alua_change *change)
{
	unsigned int i;
	bool busy;

	for (i = 0; i < change->n_devs; i++) {
		spin_lock_irq(&change->devs[i]->lun_lock);
		busy = change->devs[i]->alua->busy;
		change->devs[i]->alua->busy = true;
		spin_unlock_irq(&change->devs[i]->lun_lock);
		if (busy) {
			tcm_alua_release(change, i);
			return false;
		}
	}
	return true;
}

/* Who asked is not told of the unit that it asked (SPC-4 5.15.2.6), but of the others. */
static const struct tcm_session *tcm_alua_but(const struct tcm_alua_change *change,
					      const struct tcm_alua *alua)
{
	return alua->dev == change->devs[0] ? change->sess : NULL;
}

static bool tcm_alua_concerns(const struct tcm_alua_change *change, const struct tcm_alua *alua,
			      const struct tcm_alua_step *step)
{
	return !step->port || alua->dev == change->devs[0];
}

/* Leave the old states; how long until the new ones are entered, in milliseconds */
static u32 tcm_alua_begin(struct tcm_alua *alua, const struct tcm_alua_change *change)
{
	struct tcm_tg_pt_gp *gp;
	unsigned int i;
	u32 msecs = 0;

	spin_lock_irq(&alua->dev->lun_lock);
	for (i = 0; i < change->n; i++) {
		gp = change->step[i].port ? NULL : tcm_alua_find(alua, change->step[i].id);
		if (!gp || gp->state == change->step[i].state ||
		    !gp->field[TCM_ALUA_trans_delay_msecs] ||
		    !gp->field[TCM_ALUA_alua_support_transitioning])
			continue;
		tcm_alua_enter(gp, TCM_ALUA_TRANSITIONING);
		msecs = max(msecs, gp->field[TCM_ALUA_trans_delay_msecs]);
	}
	if (msecs)
		tcm_alua_tell(alua->dev, tcm_alua_but(change, alua));
	spin_unlock_irq(&alua->dev->lun_lock);
	return msecs;
}

/* All of the devices; they wait for the slowest. */
static u32 tcm_alua_begin_all(const struct tcm_alua_change *change)
{
	unsigned int i;
	u32 msecs = 0;

	for (i = 0; i < change->n_devs; i++)
		msecs = max(msecs, tcm_alua_begin(change->devs[i]->alua, change));
	return msecs;
}

/* False: there is nothing of that sort, or not any more. */
static bool tcm_alua_step(struct tcm_alua *alua, const struct tcm_alua_step *step, u32 status)
{
	struct tcm_tg_pt_gp *gp;
	struct tcm_lun *lun = NULL;

	if (step->port) {
		while ((lun = tcm_alua_find_port(alua->dev, step->id, lun))) {
			WRITE_ONCE(lun->alua_offline, 1);
			WRITE_ONCE(lun->alua_status, status);
			tcm_alua_gate(lun);
		}
		return true;
	}
	gp = tcm_alua_find(alua, step->id);
	if (!gp)
		return false;
	WRITE_ONCE(gp->field[TCM_ALUA_alua_access_status], status);
	tcm_alua_enter(gp, step->state);
	return true;
}

/* What is left of it until @end */
static unsigned long tcm_alua_patience(unsigned long end)
{
	return time_before(jiffies, end) ? end - jiffies : 0;
}

/* What is to be kept of the group of @step, or of the @nth LUN of its port; false: there is none */
static bool tcm_alua_note(struct tcm_alua *alua, const struct tcm_alua_step *step,
			  unsigned int nth, struct tcm_alua_note *note)
{
	const struct tcm_tg_pt_gp *gp;
	struct tcm_lun *lun = NULL;

	lockdep_assert_held(&alua->dev->lun_lock);
	if (step->port) {
		do
			lun = tcm_alua_find_port(alua->dev, step->id, lun);
		while (lun && nth--);
		if (lun)
			tcm_alua_note_port(note, lun);
		return lun;
	}
	gp = tcm_alua_find(alua, step->id);
	if (nth || !gp)
		return false;
	tcm_alua_note_group(note, gp);
	return true;
}

/* Have the files of @step written; the later ones do not wait for one that hangs. */
static void tcm_alua_keep(struct tcm_alua *alua, const struct tcm_alua_step *step,
			  unsigned long end)
{
	struct tcm_save *save;
	unsigned int nth = 0;
	bool more;

	do {
		struct tcm_alua_note note = { };

		spin_lock_irq(&alua->dev->lun_lock);
		more = tcm_alua_note(alua, step, nth++, &note);
		spin_unlock_irq(&alua->dev->lun_lock);
		save = tcm_alua_note_save(&note);
		if (save)
			tcm_save_wait(save, tcm_alua_patience(end));
		tcm_save_put(save);
	} while (more);
}

/* Enter the new states and tell. */
static void tcm_alua_arrive(struct tcm_alua *alua, const struct tcm_alua_change *change)
{
	const struct tcm_alua_step *step = change->step;
	bool any = false;

	spin_lock_irq(&alua->dev->lun_lock);
	for (; step < change->step + change->n; step++)
		if (tcm_alua_concerns(change, alua, step))
			any |= tcm_alua_step(alua, step, change->status);
	if (any)
		tcm_alua_tell(alua->dev, tcm_alua_but(change, alua));
	spin_unlock_irq(&alua->dev->lun_lock);
}

/*
 * The new states, on all devices, and their files. A file system that hangs is not waited for
 * beyond @patience: the states are what they are, and files follow.
 */
static void tcm_alua_finish(const struct tcm_alua_change *change, unsigned long patience)
{
	unsigned long end = jiffies + patience;
	unsigned int i, j;

	for (i = 0; i < change->n_devs; i++)
		tcm_alua_arrive(change->devs[i]->alua, change);
	for (i = 0; i < change->n_devs; i++)
		for (j = 0; j < change->n; j++)
			if (tcm_alua_concerns(change, change->devs[i]->alua, &change->step[j]))
				tcm_alua_keep(change->devs[i]->alua, &change->step[j], end);
	tcm_alua_release(change, change->n_devs);
}

/* What the primary states that refuse accesses let through is not for the medium. */
static bool tcm_alua_stops(const struct tcm_mapping *map, const struct tcm_opcode *op)
{
	const struct tcm_lun *lun = map->lun;

	lockdep_assert_held(&lun->dev->lun_lock);
	if (!lun->tg_pt_gp || !op ||
	    !(op->flags & (TCM_OP_MEDIUM | TCM_OP_WRITES | TCM_OP_PASSTHRU)))
		return false;
	switch (lun->alua_offline ? TCM_ALUA_OFFLINE_STATE : lun->tg_pt_gp->state) {
	case TCM_ALUA_STANDBY_STATE:
		return !(op->flags & TCM_OP_STANDBY);
	case TCM_ALUA_UNAVAILABLE_STATE:
	case TCM_ALUA_OFFLINE_STATE:
	case TCM_ALUA_TRANSITIONING:
		return !(op->flags & TCM_OP_UNAVAIL);
	default:
		return false;
	}
}

static bool tcm_alua_passed_left(const struct tcm_alua_change *change)
{
	unsigned int i;

	for (i = 0; i < change->n_devs; i++)
		if (tcm_gate_passed_left(change->devs[i]))
			return true;
	return false;
}

/*
 * After GOOD the medium is not accessed any more by way of a port that is in standby: who asked may
 * let others use it then.
 */
static void tcm_alua_wait_work(struct work_struct *work)
{
	struct tcm_alua_change *change = container_of(to_delayed_work(work),
						      struct tcm_alua_change, wait);

	if (!time_after(jiffies, change->since + TCM_GATE_PASSED_WAIT) &&
	    tcm_alua_passed_left(change)) {
		change->period = min_t(unsigned long, 2 * change->period, TCM_ALUA_WAIT_LATE);
		queue_delayed_work(tcm_alua_wq, &change->wait, change->period);
		return;
	}
	tcm_cmd_complete(change->cmd, TCM_OK);
	tcm_alua_change_free(change);
}

static void tcm_alua_change_work(struct work_struct *work)
{
	struct tcm_alua_change *change = container_of(to_delayed_work(work),
						      struct tcm_alua_change, work);
	unsigned int i;

	tcm_alua_finish(change, TCM_SAVE_PATIENCE);
	for (i = 0; i < change->n_devs; i++)
		tcm_gate_mark_passed(change->devs[i], change->cmd, tcm_alua_stops);
	change->since = jiffies;
	change->period = TCM_ALUA_WAIT_SOON;
	INIT_DELAYED_WORK(&change->wait, tcm_alua_wait_work);
	tcm_alua_wait_work(&change->wait.work);
}

enum tcm_sense tcm_alua_explicit(struct tcm_cmd *cmd, struct tcm_alua_change *change)
{
	change->cmd = cmd;
	change->sess = cmd->sess;
	change->status = TCM_ALUA_BY_COMMAND;
	if (!tcm_alua_claim(change))
		return TCM_ALUA_TRANSITION;
	INIT_DELAYED_WORK(&change->work, tcm_alua_change_work);
	queue_delayed_work(tcm_alua_wq, &change->work,
			   msecs_to_jiffies(tcm_alua_begin_all(change)));
	return TCM_PENDING;
}

/*
 * The state of a group that no port is in, and that changes alone, is nobody's: it is entered at
 * once, whatever else changes on the device. False: it is another group, or on its way to a state.
 */
static bool tcm_alua_enter_empty(const struct tcm_alua_change *change)
{
	struct tcm_alua *alua = change->devs[0]->alua;
	const struct tcm_tg_pt_gp *gp;
	bool may;

	spin_lock_irq(&alua->dev->lun_lock);
	gp = tcm_alua_find(alua, change->step[0].id);
	may = change->n_devs == 1 && gp && tcm_tg_pt_gp_empty(gp) &&
	      !(alua->busy && gp->state == TCM_ALUA_TRANSITIONING);
	spin_unlock_irq(&alua->dev->lun_lock);
	if (!may)
		return false;
	tcm_alua_arrive(alua, change);
	tcm_alua_keep(alua, &change->step[0], jiffies + TCM_SAVE_SOON);
	return true;
}

int tcm_alua_implicit(struct tcm_device *dev, u16 id, u8 state, const char **why)
{
	struct tcm_alua_change *change = tcm_alua_change_new(dev, 1);
	int err = 0;

	if (!change)
		return -ENOMEM;
	change->step[0] = (struct tcm_alua_step) { .id = id, .state = state };
	change->status = TCM_ALUA_BY_ITSELF;
	if (!tcm_alua_all_follow(change, &change->step[0])) {
		err = tcm_deny(why, -EINVAL, "one of its LU group does not support that state");
	} else if (tcm_alua_enter_empty(change)) {
		/* That was all. */
	} else if (!tcm_alua_claim(change)) {
		err = tcm_deny(why, -EAGAIN, "the device is in transition");
	} else {
		/* A signal cuts the delay short, not the change. */
		schedule_timeout_killable(msecs_to_jiffies(tcm_alua_begin_all(change)));
		tcm_alua_finish(change, TCM_SAVE_SOON);
	}
	tcm_alua_change_free(change);
	return err;
}

struct tcm_save *tcm_alua_lun_set_offline(struct tcm_lun *lun, bool offline)
{
	struct tcm_device *dev = lun->dev;
	struct tcm_alua_note note = { };

	spin_lock_irq(&dev->lun_lock);
	if (lun->alua_offline != offline) {
		WRITE_ONCE(lun->alua_offline, offline);
		WRITE_ONCE(lun->alua_status, TCM_ALUA_BY_ITSELF);
		tcm_alua_gate(lun);
		tcm_alua_tell(dev, NULL);
		tcm_alua_note_port(&note, lun);
	}
	spin_unlock_irq(&dev->lun_lock);
	return tcm_alua_note_save(&note);
}

/* ---- life ---- */

void tcm_alua_state_create(struct tcm_alua *alua)
{
	spin_lock_init(&alua->wait_lock);
	INIT_LIST_HEAD(&alua->waiting);
	INIT_DELAYED_WORK(&alua->tick, tcm_alua_tick);
}

void tcm_alua_state_destroy(struct tcm_alua *alua)
{
	cancel_delayed_work_sync(&alua->tick);
}

int tcm_alua_state_init(void)
{
	tcm_alua_wq = alloc_workqueue("tcm_alua", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return tcm_alua_wq ? 0 : -ENOMEM;
}

void tcm_alua_state_exit(void)
{
	destroy_workqueue(tcm_alua_wq);
}
