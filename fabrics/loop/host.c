// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SCSI host whose commands are the core's commands: same scatterlist, no copy,
 * completed in place. The block layer owns the memory, so nothing is given
 * back before the backend is done with it.
 */
#include <scsi/scsi.h>
#include <scsi/scsi_cmnd.h>
#include <scsi/scsi_device.h>
#include <scsi/scsi_tcq.h>
#include <tcm/cmd.h>
#include "loop.h"

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
	tcm_cmd_submit(cmd, TCM_CTX_NOWAIT);
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

static int tcm_loop_tmf(struct scsi_device *sdev, enum tcm_tmf_func func, u64 tag)
{
	struct tcm_loop *loop = tcm_loop_of(sdev->host);
	struct tcm_tmf tmf = { .func = func, .tag = tag };
	struct tcm_loop_tpg *ltpg;
	int ret = FAILED;

	rcu_read_lock();
	ltpg = rcu_dereference(loop->tpgs[sdev->id]);
	tmf.sess = ltpg ? rcu_dereference(ltpg->sess) : NULL;
	if (tmf.sess && !percpu_ref_tryget_live_rcu(&tmf.sess->ref))
		tmf.sess = NULL;
	rcu_read_unlock();
	if (!tmf.sess)
		return FAILED;
	int_to_scsilun(sdev->lun, &tmf.lun);
	tcm_tmf_submit(&tmf);
	/*
	 * The pages of an aborted command are the block layer's: while the backend
	 * holds them the abort has not succeeded, whatever the task set says.
	 */
	if (tmf.resp == TCM_TMF_COMPLETE && !tmf.outstanding)
		ret = SUCCESS;
	percpu_ref_put(&tmf.sess->ref);
	return ret;
}

static int tcm_loop_eh_abort(struct scsi_cmnd *sc)
{
	return tcm_loop_tmf(sc->device, TCM_TMF_ABORT_TASK,
			    blk_mq_unique_tag(scsi_cmd_to_rq(sc)));
}

static int tcm_loop_eh_device_reset(struct scsi_cmnd *sc)
{
	return tcm_loop_tmf(sc->device, TCM_TMF_LUN_RESET, 0);
}

static int tcm_loop_eh_target_reset(struct scsi_cmnd *sc)
{
	struct tcm_loop *loop = tcm_loop_of(sc->device->host);
	struct tcm_loop_tpg *ltpg;

	rcu_read_lock();
	ltpg = rcu_dereference(loop->tpgs[sc->device->id]);
	if (ltpg)
		WRITE_ONCE(ltpg->offline, false);
	rcu_read_unlock();
	return ltpg ? SUCCESS : FAILED;
}

/*
 * The core holds every command that is out: it ends when the backend ends it, not
 * when a timer does.
 */
static enum scsi_timeout_action tcm_loop_eh_timed_out(struct scsi_cmnd *sc)
{
	return SCSI_EH_RESET_TIMER;
}

struct scsi_host_template tcm_loop_template = {
	.module			= THIS_MODULE,
	.name			= "TCM_Loopback",
	.proc_name		= "tcm_loopback",
	.queuecommand		= tcm_loop_queuecommand,
	.init_cmd_priv		= tcm_loop_init_cmd,
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
