// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SCSI host whose commands are the core's commands: same scatterlist, no copy,
 * completed in place. The block layer owns the memory, so nothing is given
 * back before the backend is done with it.
 */
#include <compat/scsi_host.h>
#include <linux/delay.h>
#include <scsi/scsi.h>
#include <scsi/scsi_cmnd.h>
#include <scsi/scsi_device.h>
#include <scsi/scsi_tcq.h>
#include <tcm/cmd.h>
#include "loop.h"

/* How often error handling looks whether what it aborted is back. */
#define TCM_LOOP_LEFT_MS	20

struct tcm_loop_cmd {
	struct tcm_cmd cmd;
};

static struct scsi_cmnd *tcm_loop_scmd(struct tcm_cmd *cmd)
{
	return (struct scsi_cmnd *)container_of(cmd, struct tcm_loop_cmd, cmd) - 1;
}

static struct tcm_loop *tcm_loop_of(struct Scsi_Host *host)
{
	return *(struct tcm_loop **)shost_priv(host);
}

/* Keeps the SCSI layer from clearing our part for each command. */
static int tcm_loop_init_cmd(struct Scsi_Host *host, struct scsi_cmnd *sc)
{
	memset(scsi_cmd_priv(sc), 0, sizeof(struct tcm_loop_cmd));
	return 0;
}

/*
 * A request with an end of its own is one that request-based device mapper has cloned: it
 * dispatches below RCU, whatever our queue says of itself. (The block layer's flushes have one,
 * too, and lose nothing by it.)
 */
static bool tcm_loop_may_wait(struct request *rq)
{
	return (!rq->end_io || blk_rq_is_passthrough(rq)) && tcm_host_may_leave();
}

/* Called in the block layer's dispatch. */
static void tcm_loop_submit(struct tcm_cmd *cmd, struct request *rq)
	__must_hold(RCU)
{
	if (unlikely(!tcm_loop_may_wait(rq))) {
		tcm_cmd_submit(cmd, TCM_CTX_ATOMIC);
		return;
	}
	tcm_host_leave();
	tcm_cmd_submit(cmd, TCM_CTX_NOWAIT);
	tcm_host_return();
}

static __always_inline int tcm_loop_queue(struct Scsi_Host *host, struct scsi_cmnd *sc, bool pi)
{
	struct tcm_loop *loop = tcm_loop_of(host);
	struct tcm_cmd *cmd = &((struct tcm_loop_cmd *)scsi_cmd_priv(sc))->cmd;
	struct tcm_loop_tpg *ltpg;
	struct tcm_session *sess;
	struct scsi_lun lun;
	int err = -ENOTCONN;

	rcu_read_lock();
	ltpg = rcu_dereference(loop->tpgs[sc->device->id]);
	sess = ltpg ? rcu_dereference(ltpg->sess) : NULL;
	if (likely(sess && !READ_ONCE(ltpg->offline))) {
		int_to_scsilun(sc->device->lun, &lun);
		err = tcm_cmd_init(cmd, sess, &lun, sc->cmnd, sc->cmd_len);
	} else if (sess) {
		err = -ENETDOWN;
	}
	rcu_read_unlock();
	if (unlikely(err)) {
		set_host_byte(sc, err == -ENETDOWN ? DID_TRANSPORT_DISRUPTED : DID_NO_CONNECT);
		scsi_done(sc);
		return 0;
	}
	cmd->sg = scsi_sglist(sc);
	cmd->sg_nents = scsi_sg_count(sc);
	cmd->exp_len = scsi_bufflen(sc);
	cmd->exp_dir = sc->sc_data_direction;
	cmd->tag = blk_mq_unique_tag(scsi_cmd_to_rq(sc));
	/* To insert and to strip is left to the core: it makes or checks, and nothing is moved. */
	if (pi && scsi_get_prot_op(sc) != SCSI_PROT_NORMAL)
		tcm_cmd_pi_aside(cmd, scsi_prot_sg_count(sc) ? scsi_prot_sglist(sc) : NULL);
	tcm_loop_submit(cmd, scsi_cmd_to_rq(sc));
	return 0;
}

static int tcm_loop_queuecommand(struct Scsi_Host *host, struct scsi_cmnd *sc)
{
	return tcm_loop_queue(host, sc, false);
}

static int tcm_loop_queuecommand_pi(struct Scsi_Host *host, struct scsi_cmnd *sc)
{
	return tcm_loop_queue(host, sc, true);
}

void tcm_loop_respond(struct tcm_cmd *cmd)
{
	struct scsi_cmnd *sc = tcm_loop_scmd(cmd);
	bool overflow;
	u32 resid;

	if (unlikely(cmd->flags & TCM_CMD_NO_RESPONSE)) {
		set_host_byte(sc, DID_RESET);
		goto put;
	}
	sc->result = cmd->status;
	if (unlikely(cmd->status == SAM_STAT_CHECK_CONDITION))
		tcm_cmd_sense(cmd, sc->sense_buffer);
	resid = tcm_cmd_residual(cmd, &overflow);
	if (unlikely(resid && !overflow))
		scsi_set_resid(sc, resid);
put:
	tcm_cmd_put(cmd);
	scsi_done(sc);
}

struct tcm_loop_walk {
	struct tcm_session	*sess;
	const struct tcm_lun	*lun;
	tcm_cmd_fn		fn;
	void			*arg;
};

static bool tcm_loop_visit(struct scsi_cmnd *sc, void *data)
{
	struct tcm_loop_walk *walk = data;
	struct tcm_cmd *cmd = &((struct tcm_loop_cmd *)scsi_cmd_priv(sc))->cmd;

	if ((atomic_read_acquire(&cmd->state) & TCM_ST_MASK) == TCM_ST_FREE)
		return true;
	if (cmd->sess != walk->sess || (walk->lun && cmd->lun != walk->lun))
		return true;
	return !walk->fn(cmd, walk->arg);
}

void tcm_loop_visit_cmds(struct tcm_session *sess, const struct tcm_lun *lun,
			 tcm_cmd_fn fn, void *arg)
{
	struct tcm_loop_tpg *ltpg = sess->priv;
	struct tcm_loop_walk walk = { .sess = sess, .lun = lun, .fn = fn, .arg = arg };
	struct tcm_loop *loop = *(struct tcm_loop **)shost_priv(ltpg->host);

	/* tcm_loop_remove_work() sets dying and waits a grace period before tags go away. */
	rcu_read_lock();
	if (!READ_ONCE(loop->dying))
		scsi_host_busy_iter(ltpg->host, tcm_loop_visit, &walk);
	rcu_read_unlock();
}

/* The nexus of a device, held; NULL: there is none, or its transport is down. */
static struct tcm_session *tcm_loop_get_nexus(struct scsi_device *sdev)
{
	struct tcm_loop *loop = tcm_loop_of(sdev->host);
	struct tcm_session *sess = NULL;
	struct tcm_loop_tpg *ltpg;

	rcu_read_lock();
	ltpg = rcu_dereference(loop->tpgs[sdev->id]);
	if (ltpg && !READ_ONCE(ltpg->offline))
		sess = rcu_dereference(ltpg->sess);
	if (sess && !percpu_ref_tryget_live_rcu(&sess->ref))
		sess = NULL;
	rcu_read_unlock();
	return sess;
}

/* What a task management function was about, and has aborted before. */
struct tcm_loop_left {
	const struct tcm_tmf	*tmf;
	u64			lun;	/* TCM_LUN_NONE: all of the nexus */
	bool			found;
};

static bool tcm_loop_visit_left(struct tcm_cmd *cmd, void *arg)
{
	struct tcm_loop_left *left = arg;

	if (!(atomic_read(&cmd->state) & TCM_ST_ABORTED) ||
	    (left->lun != TCM_LUN_NONE && cmd->unpacked_lun != left->lun) ||
	    (left->tmf->func == TCM_TMF_ABORT_TASK && cmd->tag != left->tmf->tag))
		return false;
	left->found = true;
	return true;
}

static bool tcm_loop_has_left(const struct tcm_tmf *tmf, u64 lun)
{
	struct tcm_loop_left left = { .tmf = tmf, .lun = lun };

	tcm_loop_visit_cmds(tmf->sess, NULL, tcm_loop_visit_left, &left);
	return left.found;
}

/*
 * To the SCSI layer SUCCESS means that the commands and their pages are its own again, whatever
 * the task set says. A backend that works gives back what was aborted within moments: it is waited
 * for as long as the layer waits for a command of its own error handling, and no longer. It is
 * the aborted that count, those of former functions too, and not who else uses the device.
 */
static int tcm_loop_tmf(struct scsi_device *sdev, enum tcm_tmf_func func, u64 tag)
{
	unsigned long end = jiffies + sdev->eh_timeout;
	struct tcm_tmf tmf = { .func = func, .tag = tag };
	int ret = FAILED;
	u64 lun;

	tmf.sess = tcm_loop_get_nexus(sdev);
	if (!tmf.sess)
		return FAILED;
	int_to_scsilun(sdev->lun, &tmf.lun);
	tcm_tmf_submit(&tmf);
	lun = func == TCM_TMF_TARGET_WARM_RESET ? TCM_LUN_NONE : tcm_lun_unpack(&tmf.lun);
	if (tmf.resp == TCM_TMF_COMPLETE) {
		while (tcm_loop_has_left(&tmf, lun) && time_before(jiffies, end))
			msleep(TCM_LOOP_LEFT_MS);
		if (!tcm_loop_has_left(&tmf, lun))
			ret = SUCCESS;
	}
	percpu_ref_put(&tmf.sess->ref);
	return ret;
}

/*
 * No command of the block layer is aborted here: tcm_loop_eh_timed_out() keeps their time-outs from
 * error handling. The layer's handling of other errors (a status it does not know, CHECK CONDITION
 * without sense, a stopped unit that it may start) sends commands of its own (scsi_eh_prep_cmnd())
 * with a timer of its own, and aborts these when it runs out.
 */
static int tcm_loop_eh_abort(struct scsi_cmnd *sc)
{
	return tcm_loop_tmf(sc->device, TCM_TMF_ABORT_TASK,
			    blk_mq_unique_tag(scsi_cmd_to_rq(sc)));
}

static int tcm_loop_eh_device_reset(struct scsi_cmnd *sc)
{
	return tcm_loop_tmf(sc->device, TCM_TMF_LUN_RESET, 0);
}

/*
 * There is no handler above this one: it fails when a backend holds commands or there is no nexus,
 * and neither is changed by a reset of the host.
 */
static int tcm_loop_eh_target_reset(struct scsi_cmnd *sc)
{
	return tcm_loop_tmf(sc->device, TCM_TMF_TARGET_WARM_RESET, 0);
}

/*
 * The core holds every command that is out: it ends when the backend ends it, not
 * when a timer does.
 */
static enum scsi_timeout_action tcm_loop_eh_timed_out(struct scsi_cmnd *sc)
{
	return SCSI_EH_RESET_TIMER;
}

/*
 * A flush of ours may end within that of a disk below, which has its queue's flush lock. To lockdep
 * the two are one, unless it is told.
 */
static int tcm_loop_slave_alloc(struct scsi_device *sdev)
{
	static struct lock_class_key key;
	struct blk_mq_hw_ctx *hctx;
	unsigned long i;

	queue_for_each_hw_ctx(sdev->request_queue, hctx, i)
		blk_mq_hctx_set_fq_lock_class(hctx, &key);
	return 0;
}

struct scsi_host_template tcm_loop_template = {
	.module			= THIS_MODULE,
	.name			= "TCM_Loopback",
	.proc_name		= "tcm_loopback",
	.queuecommand		= tcm_loop_queuecommand,
	.init_cmd_priv		= tcm_loop_init_cmd,
	.slave_alloc		= tcm_loop_slave_alloc,
	.change_queue_depth	= scsi_change_queue_depth,
	.eh_abort_handler	= tcm_loop_eh_abort,
	.eh_device_reset_handler = tcm_loop_eh_device_reset,
	.eh_target_reset_handler = tcm_loop_eh_target_reset,
	.eh_timed_out		= tcm_loop_eh_timed_out,
	.this_id		= -1,
	.sg_tablesize		= 256,
	.max_sectors		= 0xffff,
	.dma_boundary		= PAGE_SIZE - 1,
	.cmd_size		= sizeof(struct tcm_loop_cmd),
};

struct scsi_host_template tcm_loop_pi_template;

void tcm_loop_init_templates(void)
{
	tcm_loop_pi_template = tcm_loop_template;
	tcm_loop_pi_template.queuecommand = tcm_loop_queuecommand_pi;
}
