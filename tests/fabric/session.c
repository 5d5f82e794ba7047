// SPDX-License-Identifier: GPL-2.0-only
/*
 * Initiator ports and their commands.
 */
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include "tfab.h"

static unsigned int tcm_test_walk;
module_param_named(walk, tcm_test_walk, uint, 0600);
MODULE_PARM_DESC(walk, "milliseconds from a command of a session to the next when all are looked at");

/* Data phases, late status, and the end of sessions. */
static struct workqueue_struct *tcm_test_wq;
/* Initiator ports that have not been freed; module exit waits for them. */
static atomic_t tcm_test_alive = ATOMIC_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(tcm_test_alive_wait);

int tcm_test_sessions_init(void)
{
	tcm_test_wq = alloc_workqueue("tcm_test", WQ_UNBOUND, 0);
	return tcm_test_wq ? 0 : -ENOMEM;
}

void tcm_test_sessions_exit(void)
{
	while (!wait_event_timeout(tcm_test_alive_wait, !atomic_read(&tcm_test_alive), 10 * HZ))
		pr_warn("tcm_test: unloading waits for commands of %d sessions\n",
			atomic_read(&tcm_test_alive));
	destroy_workqueue(tcm_test_wq);
}

static void tcm_test_tasklet(struct tasklet_struct *t);

static void tcm_test_session_free(struct work_struct *work)
{
	struct tcm_test_session *ts = container_of(work, struct tcm_test_session, free_work);
	unsigned int i;

	tasklet_kill(&ts->tasklet);
	for (i = 0; i < ts->nslots; i++)
		kvfree(ts->slots[i].data);
	kvfree(ts->slots);
	kfree(ts);
	if (atomic_dec_and_test(&tcm_test_alive))
		wake_up_all(&tcm_test_alive_wait);
}

struct tcm_test_session *tcm_test_session_new(void)
{
	struct tcm_test_session *ts = kzalloc(sizeof(*ts), GFP_KERNEL);

	if (!ts)
		return NULL;
	refcount_set(&ts->ref, 1);
	mutex_init(&ts->mutex);
	spin_lock_init(&ts->lock);
	INIT_LIST_HEAD(&ts->free);
	INIT_LIST_HEAD(&ts->pending);
	INIT_LIST_HEAD(&ts->done);
	init_waitqueue_head(&ts->wait);
	tasklet_setup(&ts->tasklet, tcm_test_tasklet);
	INIT_WORK(&ts->free_work, tcm_test_session_free);
	atomic_inc(&tcm_test_alive);
	return ts;
}

void tcm_test_session_put(struct tcm_test_session *ts)
{
	if (refcount_dec_and_test(&ts->ref))
		queue_work(tcm_test_wq, &ts->free_work);
}

/* A data phase that takes time comes in this many parts. */
#define TCM_TEST_PARTS	3

static u8 *tcm_test_part(const struct tcm_test_slot *slot, u32 *len)
{
	u32 left = slot->cmd.xfer_len - slot->moved;
	u32 step = max_t(u32, slot->cmd.xfer_len / TCM_TEST_PARTS, 1);

	*len = min(left, step);
	return slot->data + slot->moved;
}

/* One part of data-out; the last one sets the command going. */
static void tcm_test_data_work(struct tcm_test_slot *slot)
{
	struct tcm_cmd *cmd = &slot->cmd;
	u32 len;
	u8 *from = tcm_test_part(slot, &len);

	if (READ_ONCE(slot->ts->dead)) {
		tcm_cmd_abandon(cmd, TCM_NO_ADDITIONAL_SENSE, TCM_CTX_SLEEPABLE);
		return;
	}
	sg_pcopy_from_buffer(cmd->sg, cmd->sg_nents, from, len, slot->moved);
	slot->moved += len;
	if (slot->moved < cmd->xfer_len)
		queue_work(tcm_test_wq, &slot->work);
	else
		tcm_cmd_execute(cmd, TCM_CTX_SLEEPABLE);
}

/* The command is the initiator's again: from here on the slot may be reaped. */
static void tcm_test_finish(struct tcm_test_slot *slot)
{
	struct tcm_test_session *ts = slot->ts;
	unsigned long flags;

	spin_lock_irqsave(&ts->lock, flags);
	list_add_tail(&slot->node, &ts->done);
	slot->finished = true;
	ts->busy--;
	wake_up_all(&ts->wait);
	spin_unlock_irqrestore(&ts->lock, flags);
	tcm_test_session_put(ts);
}

static void tcm_test_status(struct tcm_test_slot *slot)
{
	struct tcm_test_reap *res = &slot->result;
	struct tcm_cmd *cmd = &slot->cmd;
	bool overflow;

	res->outcome = cmd->flags & TCM_CMD_NO_RESPONSE ? TCM_TEST_NO_RESPONSE : TCM_TEST_RESPONSE;
	if (res->outcome == TCM_TEST_RESPONSE) {
		res->status = cmd->status;
		res->sense_len = tcm_cmd_sense(cmd, res->sense);
		res->resid = tcm_cmd_residual(cmd, &overflow);
		res->overflow = overflow;
		res->xfer_len = cmd->xfer_len;
		if (slot->din_len && cmd->xfer_len)
			sg_copy_to_buffer(cmd->sg, cmd->sg_nents, slot->data, cmd->xfer_len);
	}
	tcm_cmd_put(cmd);
	tcm_test_finish(slot);
}

static void tcm_test_slot_work(struct work_struct *work)
{
	struct tcm_test_slot *slot = container_of(work, struct tcm_test_slot, work);

	switch (slot->phase) {
	case TCM_TEST_PHASE_DATA:
		tcm_test_data_work(slot);
		break;
	case TCM_TEST_PHASE_LOST:
		tcm_cmd_abandon(&slot->cmd, TCM_NO_ADDITIONAL_SENSE, TCM_CTX_SLEEPABLE);
		break;
	case TCM_TEST_PHASE_STATUS:
		tcm_test_status(slot);
		break;
	}
}

static void tcm_test_queue(struct tcm_test_slot *slot, enum tcm_test_phase phase)
{
	slot->phase = phase;
	queue_work(tcm_test_wq, &slot->work);
}

int tcm_test_alloc_slots(struct tcm_test_session *ts, unsigned int n)
{
	unsigned int i;

	ts->slots = kvcalloc(n, sizeof(*ts->slots), GFP_KERNEL);
	if (!ts->slots)
		return -ENOMEM;
	ts->nslots = n;
	for (i = 0; i < n; i++) {
		struct tcm_test_slot *slot = &ts->slots[i];

		slot->ts = ts;
		INIT_WORK(&slot->work, tcm_test_slot_work);
		list_add_tail(&slot->node, &ts->free);
	}
	return 0;
}

void tcm_test_free_slots(struct tcm_test_session *ts)
{
	INIT_LIST_HEAD(&ts->free);
	kvfree(ts->slots);
	ts->slots = NULL;
	ts->nslots = 0;
}

struct tcm_test_slot *tcm_test_slot_get(struct tcm_test_session *ts)
{
	struct tcm_test_slot *slot = NULL;

	spin_lock_irq(&ts->lock);
	if (!ts->dead)
		slot = list_first_entry_or_null(&ts->free, struct tcm_test_slot, node);
	if (slot) {
		list_del(&slot->node);
		slot->in_use = true;
		slot->finished = false;
		refcount_inc(&ts->ref);
		ts->busy++;
	}
	spin_unlock_irq(&ts->lock);
	if (!slot)
		return ERR_PTR(READ_ONCE(ts->dead) ? -ESHUTDOWN : -EAGAIN);
	memset(&slot->result, 0, sizeof(slot->result));
	slot->moved = 0;
	slot->held = false;
	return slot;
}

void tcm_test_slot_free(struct tcm_test_slot *slot)
{
	struct tcm_test_session *ts = slot->ts;
	bool was_busy = false;

	kvfree(slot->data);
	slot->data = NULL;
	spin_lock_irq(&ts->lock);
	slot->in_use = false;
	if (!slot->finished) {
		ts->busy--;
		was_busy = true;
	}
	list_add(&slot->node, &ts->free);
	spin_unlock_irq(&ts->lock);
	if (was_busy)
		tcm_test_session_put(ts);
}

/* As long as it takes to receive immediate data. */
#define TCM_TEST_LINGER_USEC	100

static int tcm_test_start(struct tcm_test_slot *slot, enum tcm_ctx ctx)
{
	struct tcm_cmd *cmd = &slot->cmd;
	struct tcm_session *sess;
	int err = -ESHUTDOWN;

	rcu_read_lock();
	sess = rcu_dereference(slot->ts->sess);
	if (sess)
		err = tcm_cmd_init(cmd, sess, &slot->lun, slot->cdb, slot->cdb_len);
	rcu_read_unlock();
	if (err)
		return err;
	if (slot->flags & TCM_TEST_LINGER)
		udelay(TCM_TEST_LINGER_USEC);
	cmd->tag = slot->tag;
	tcm_cmd_set_attr(cmd, slot->attr);
	cmd->prio = slot->prio;
	cmd->exp_len = slot->dout_len ?: slot->din_len;
	if (slot->dout_len)
		cmd->exp_dir = DMA_TO_DEVICE;
	else if (slot->din_len)
		cmd->exp_dir = DMA_FROM_DEVICE;
	tcm_cmd_submit(cmd, ctx);
	return 0;
}

/* A frame has arrived in a soft interrupt, as a network card's or an HBA's would. */
static void tcm_test_tasklet(struct tasklet_struct *t)
{
	struct tcm_test_session *ts = from_tasklet(ts, t, tasklet);
	struct tcm_test_slot *slot;

	for (;;) {
		spin_lock_irq(&ts->lock);
		slot = list_first_entry_or_null(&ts->pending, struct tcm_test_slot, node);
		if (slot)
			list_del(&slot->node);
		spin_unlock_irq(&ts->lock);
		if (!slot)
			break;
		if (tcm_test_start(slot, TCM_CTX_ATOMIC)) {
			slot->result.outcome = TCM_TEST_NOT_TAKEN;
			tcm_test_finish(slot);
		}
	}
}

int tcm_test_slot_submit(struct tcm_test_slot *slot)
{
	struct tcm_test_session *ts = slot->ts;

	if (!(slot->flags & TCM_TEST_BH))
		return tcm_test_start(slot, TCM_CTX_SLEEPABLE);
	spin_lock_irq(&ts->lock);
	list_add_tail(&slot->node, &ts->pending);
	spin_unlock_irq(&ts->lock);
	tasklet_schedule(&ts->tasklet);
	return 0;
}

static struct tcm_test_slot *tcm_test_slot_of(struct tcm_cmd *cmd)
{
	return container_of(cmd, struct tcm_test_slot, cmd);
}

int tcm_test_write_pending(struct tcm_cmd *cmd)
{
	struct tcm_test_slot *slot = tcm_test_slot_of(cmd);
	struct tcm_test_session *ts = slot->ts;
	unsigned long flags;
	bool dead;

	if (slot->flags & TCM_TEST_DATA_HELD) {
		spin_lock_irqsave(&ts->lock, flags);
		dead = ts->dead;
		slot->held = !dead;
		spin_unlock_irqrestore(&ts->lock, flags);
		return dead ? -ENOTCONN : 0;
	}
	if (slot->flags & TCM_TEST_DATA_LATER) {
		tcm_test_queue(slot, TCM_TEST_PHASE_DATA);
		return 0;
	}
	sg_copy_from_buffer(cmd->sg, cmd->sg_nents, slot->data, cmd->xfer_len);
	tcm_cmd_execute(cmd, slot->flags & TCM_TEST_BH ? TCM_CTX_ATOMIC : TCM_CTX_SLEEPABLE);
	return 0;
}

/* Stop waiting for data: true for the one who may go on with the command. */
static bool tcm_test_unhold(struct tcm_test_slot *slot)
{
	unsigned long flags;
	bool held;

	spin_lock_irqsave(&slot->ts->lock, flags);
	held = slot->held;
	slot->held = false;
	spin_unlock_irqrestore(&slot->ts->lock, flags);
	return held;
}

void tcm_test_data_aborted(struct tcm_cmd *cmd)
{
	struct tcm_test_slot *slot = tcm_test_slot_of(cmd);
	unsigned long flags;
	bool held;

	spin_lock_irqsave(&slot->ts->lock, flags);
	held = slot->held && tcm_cmd_is_aborted(cmd);
	if (held)
		slot->held = false;
	spin_unlock_irqrestore(&slot->ts->lock, flags);
	if (held)
		tcm_test_queue(slot, TCM_TEST_PHASE_LOST);
}

int tcm_test_release(struct tcm_test_session *ts, u64 tag)
{
	unsigned int i;

	for (i = 0; i < ts->nslots; i++) {
		struct tcm_test_slot *slot = &ts->slots[i];

		if (slot->tag == tag && tcm_test_unhold(slot)) {
			tcm_test_queue(slot, TCM_TEST_PHASE_DATA);
			return 0;
		}
	}
	return -ENOENT;
}

void tcm_test_respond(struct tcm_cmd *cmd)
{
	struct tcm_test_slot *slot = tcm_test_slot_of(cmd);

	if (slot->flags & TCM_TEST_STATUS_LATE)
		tcm_test_queue(slot, TCM_TEST_PHASE_STATUS);
	else
		tcm_test_status(slot);
}

void tcm_test_for_each_cmd(struct tcm_session *sess, const struct tcm_lun *lun,
			   tcm_cmd_fn fn, void *arg)
{
	struct tcm_test_session *ts = sess->priv;
	unsigned int i;

	for (i = 0; i < ts->nslots; i++) {
		struct tcm_cmd *cmd = &ts->slots[i].cmd;

		if ((atomic_read_acquire(&cmd->state) & TCM_ST_MASK) == TCM_ST_FREE)
			continue;
		if (lun && cmd->lun != lun)
			continue;
		if (fn(cmd, arg))
			break;
		mdelay(READ_ONCE(tcm_test_walk));
	}
}

/* What a waiter gets: a slot off the done list, or an errno; -EINPROGRESS: wait. */
static struct tcm_test_slot *tcm_test_take(struct tcm_test_session *ts,
					   const struct tcm_test_reap *req)
{
	bool by_tag = req->flags & TCM_TEST_BY_TAG, found = false;
	struct tcm_test_slot *slot;
	unsigned int i;
	int err = -EINPROGRESS;

	spin_lock_irq(&ts->lock);
	/* Whose nexus is gone gets nothing any more; only a test may look at what became of it. */
	if (ts->dead && !(req->flags & TCM_TEST_ORPHANS)) {
		slot = ERR_PTR(-ESHUTDOWN);
		goto unlock;
	}
	list_for_each_entry(slot, &ts->done, node) {
		if (by_tag && slot->tag != req->tag)
			continue;
		list_del(&slot->node);
		goto unlock;
	}
	for (i = 0; by_tag && i < ts->nslots; i++)
		found |= ts->slots[i].in_use && !ts->slots[i].finished &&
			 ts->slots[i].tag == req->tag;
	if (by_tag ? !found : ts->dead && !ts->busy)
		err = -ENOENT;
	else if (req->flags & TCM_TEST_NONBLOCK)
		err = -EAGAIN;
	slot = ERR_PTR(err);
unlock:
	spin_unlock_irq(&ts->lock);
	return slot;
}

struct tcm_test_slot *tcm_test_reap(struct tcm_test_session *ts, const struct tcm_test_reap *req)
{
	long left = req->timeout_ms ? msecs_to_jiffies(req->timeout_ms) : MAX_SCHEDULE_TIMEOUT;
	struct tcm_test_slot *slot;
	DEFINE_WAIT(wait);

	for (;;) {
		prepare_to_wait(&ts->wait, &wait, TASK_KILLABLE);
		slot = tcm_test_take(ts, req);
		if (slot != ERR_PTR(-EINPROGRESS))
			break;
		if (!left)
			slot = ERR_PTR(-ETIMEDOUT);
		else if (fatal_signal_pending(current))
			slot = ERR_PTR(-ERESTARTSYS);
		else
			left = schedule_timeout(left);
		if (slot != ERR_PTR(-EINPROGRESS))
			break;
	}
	finish_wait(&ts->wait, &wait);
	return slot;
}

void tcm_test_released(struct tcm_session *sess)
{
	tcm_test_session_put(sess->priv);
}

void tcm_test_session_close(struct tcm_test_session *ts)
{
	struct tcm_session *sess;
	unsigned int i;

	mutex_lock(&ts->mutex);
	sess = rcu_dereference_protected(ts->sess, lockdep_is_held(&ts->mutex));
	RCU_INIT_POINTER(ts->sess, NULL);
	if (sess) {
		spin_lock_irq(&ts->lock);
		ts->dead = true;
		wake_up_all(&ts->wait);
		spin_unlock_irq(&ts->lock);
	}
	mutex_unlock(&ts->mutex);
	if (!sess)
		return;
	/* The connection is cut: what waits for data does not get it. */
	for (i = 0; i < ts->nslots; i++)
		if (tcm_test_unhold(&ts->slots[i]))
			tcm_test_queue(&ts->slots[i], TCM_TEST_PHASE_LOST);
	tcm_session_close(sess, tcm_test_released);
}

void tcm_test_close_session(struct tcm_session *sess)
{
	tcm_test_session_close(sess->priv);
}

struct tcm_test_manage {
	struct tcm_tmf		tmf;
	struct completion	done;
};

void tcm_test_tmf_done(struct tcm_tmf *tmf)
{
	struct tcm_test_manage *m = container_of(tmf, struct tcm_test_manage, tmf);

	complete(&m->done);
}

int tcm_test_manage(struct tcm_test_session *ts, struct tcm_test_tmf *req)
{
	struct tcm_test_manage m = { .tmf = { .func = req->func, .tag = req->tag } };
	struct tcm_session *sess;

	memcpy(&m.tmf.lun, req->lun, sizeof(m.tmf.lun));
	init_completion(&m.done);
	rcu_read_lock();
	sess = rcu_dereference(ts->sess);
	if (sess && !percpu_ref_tryget_live_rcu(&sess->ref))
		sess = NULL;
	rcu_read_unlock();
	if (!sess)
		return -ESHUTDOWN;
	m.tmf.sess = sess;
	tcm_tmf_submit(&m.tmf);
	/* The core promises an answer in bounded time: a test that hangs here has found a bug. */
	wait_for_completion(&m.done);
	req->resp = m.tmf.resp;
	req->outstanding = m.tmf.outstanding;
	memcpy(req->info, m.tmf.info, sizeof(m.tmf.info));
	percpu_ref_put(&sess->ref);
	return 0;
}
