// SPDX-License-Identifier: GPL-2.0-only
/*
 * PERSISTENT RESERVE OUT (SPC-4 6.16): read, check, then let the device's worker carry it out.
 *
 * The worker changes a copy, has it written where power loss shall not matter, and only then makes
 * it the state. It ends when the commands that the new state refuses, and that had read their gates
 * before it was there, have come back, or after a second: then nobody has that long been on the way
 * to the medium, but has it. PREEMPT AND ABORT ends when the writes of those it preempted have.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/unaligned.h>
#include <tcm/fabric.h>
#include "cmd.h"
#include "gate.h"
#include "pr.h"
#include "target.h"
#include "tmf.h"
#include "transport_id.h"

/* Parameter list of REGISTER AND MOVE, SPC-4 table 221 */
struct tcm_pr_move_list {
	__be64 key;
	__be64 sa_key;
	u8 reserved;
	u8 flags;
	__be16 rtpi;
	__be32 tid_len;
} __packed;
static_assert(sizeof(struct tcm_pr_move_list) == 24);

#define TCM_PR_UNREG		0x02

#define TCM_PR_LIST_MAX		SZ_64K

/* How soon what is waited for is looked at again: at first, and at most */
#define TCM_PR_WAIT_SOON	(HZ / 100 ?: 1)
#define TCM_PR_WAIT_LATE	(HZ / 4)

struct tcm_pr_job {
	struct list_head	node;		/* in pr->queue */
	struct tcm_cmd		*cmd;
	struct tcm_pr_op	op;
	/* PREEMPT AND ABORT: the state with its marks, until the last write is back; else NULL */
	struct tcm_pr_state	*marked;
	struct delayed_work	wait;		/* for what was sent before the change */
	unsigned long		since, period;
};

static u8 tcm_pr_cdb_sa(const struct tcm_cmd *cmd)
{
	return cmd->cdb[1] & 0x1f;
}

enum tcm_sense tcm_pr_out_parse(struct tcm_cmd *cmd)
{
	u8 sa = tcm_pr_cdb_sa(cmd);

	if (sa == TCM_PR_RESERVE || sa == TCM_PR_RELEASE || sa == TCM_PR_REPLACE_LOST) {
		if (cmd->cdb[2] & 0xf0)
			return tcm_bad_cdb(cmd, 2, 7);
		if (!tcm_pr_type_valid(cmd->cdb[2]))
			return tcm_bad_cdb(cmd, 2, 3);
	}
	if (cmd->data_len < sizeof(struct tcm_pr_list) || cmd->data_len > TCM_PR_LIST_MAX)
		return TCM_PARAM_LIST_LENGTH;
	return TCM_OK;
}

/* A registration of @sess's initiator at the port of @lun */
static void tcm_pr_reg_at(struct tcm_pr_reg *reg, const struct tcm_pr_who *who,
			  const struct tcm_lun *lun, u64 mapped_lun)
{
	struct tcm_pr_nexus *n = &reg->nexus;

	memset(reg, 0, sizeof(*reg));
	n->proto = who->proto;
	n->has_isid = who->has_isid;
	if (n->has_isid)
		memcpy(n->isid, who->isid, TCM_PR_ISID_LEN);
	n->tpgt = lun->tpg->tag;
	strscpy(n->fabric, lun->tpg->ops->name, sizeof(n->fabric));
	strscpy(n->initiator, who->initiator, sizeof(n->initiator));
	strscpy(n->target, lun->tpg->wwn->name, sizeof(n->target));
	n->hash = tcm_pr_hash(n->proto, n->initiator, n->fabric, n->target, n->tpgt);
	reg->mapped_lun = mapped_lun;
	reg->target_lun = lun->lun;
	reg->rtpi = tcm_lun_rtpi(lun);
}

/* Initiator ports named in a parameter list, at most @room; 0 when they cannot be read. */
static unsigned int tcm_pr_read_tids(const u8 *p, unsigned int len, u8 proto,
				     struct tcm_pr_nexus *tids, unsigned int room)
{
	unsigned int n = 0, used;

	for (; len; p += used, len -= used) {
		if (n == room)
			return 0;
		used = tcm_transport_id_get(p, len, &tids[n]);
		if (!used || tids[n++].proto != proto)
			return 0;
	}
	return n;
}

/* Ports of the device on the fabric of @cmd; dev->lun_lock held */
static unsigned int tcm_pr_count_ports(const struct tcm_cmd *cmd)
{
	const struct tcm_lun *lun;
	unsigned int n = 0;

	list_for_each_entry(lun, &cmd->dev->luns, dev_node)
		n += lun->tpg->ops == cmd->sess->ops;
	return n;
}

/*
 * Whom a REGISTER covers beside its sender: the initiator ports of SPEC_I_PT at this port, or with
 * ALL_TG_PT each of them and the sender at every port of the fabric that leads here.
 */
static enum tcm_sense tcm_pr_others(struct tcm_cmd *cmd, struct tcm_pr_op *op,
				    const struct tcm_pr_nexus *tids, unsigned int n_tids)
{
	struct tcm_device *dev = cmd->dev;
	struct tcm_pr_who who = tcm_pr_who_of(dev, cmd->sess);
	unsigned int ports = 1, i, n = 0;
	const struct tcm_lun *lun;
	size_t room;

	if (op->all_tg_pt) {
		spin_lock_irq(&dev->lun_lock);
		ports = tcm_pr_count_ports(cmd);
		spin_unlock_irq(&dev->lun_lock);
	}
	room = (size_t)ports * (n_tids + 1);
	if (room > TCM_PR_REGS_MAX)
		return TCM_INSUFFICIENT_REG_RESOURCES;
	op->others = kvmalloc_array(room, sizeof(*op->others), GFP_NOIO);
	if (!op->others)
		return TCM_BUSY;
	spin_lock_irq(&dev->lun_lock);
	list_for_each_entry(lun, &dev->luns, dev_node) {
		if (lun != cmd->lun && (!op->all_tg_pt || lun->tpg->ops != cmd->sess->ops))
			continue;
		if (lun != cmd->lun && n < room)
			tcm_pr_reg_at(&op->others[n++], &who, lun, lun->lun);
		for (i = 0; i < n_tids && n < room; i++) {
			struct tcm_pr_who tid = tcm_pr_view(&tids[i]);

			tcm_pr_reg_at(&op->others[n++], &tid, lun, lun->lun);
		}
	}
	spin_unlock_irq(&dev->lun_lock);
	op->n_others = n;
	return TCM_OK;
}

static enum tcm_sense tcm_pr_read_spec_i_pt(struct tcm_cmd *cmd, struct tcm_pr_op *op,
					    const u8 *list, unsigned int len)
{
	unsigned int at = sizeof(struct tcm_pr_list) + 4, n;
	struct tcm_pr_nexus *tids;
	enum tcm_sense sense;

	if (len < at || get_unaligned_be32(list + at - 4) != len - at)
		return TCM_PARAM_LIST_LENGTH;
	n = (len - at) / TCM_TRANSPORT_ID_LEN;
	if (!n)
		return len == at ? tcm_pr_others(cmd, op, NULL, 0) : TCM_PARAM_LIST_LENGTH;
	tids = kvcalloc(n, sizeof(*tids), GFP_NOIO);
	if (!tids)
		return TCM_BUSY;
	n = tcm_pr_read_tids(list + at, len - at, cmd->sess->tpg->wwn->proto, tids, n);
	sense = n ? tcm_pr_others(cmd, op, tids, n) : tcm_bad_param(cmd, at, -1);
	kvfree(tids);
	return sense;
}

/* The destination of a MOVE: an initiator port, and the target port of a relative identifier */
static enum tcm_sense tcm_pr_read_move(struct tcm_cmd *cmd, struct tcm_pr_op *op, const u8 *list,
				       unsigned int len)
{
	const struct tcm_pr_move_list *move = (const void *)list;
	unsigned int at = sizeof(*move), tid_len = be32_to_cpu(move->tid_len);
	struct tcm_device *dev = cmd->dev;
	struct tcm_pr_nexus *tid;
	const struct tcm_lun *lun;
	struct tcm_pr_who who;

	op->aptpl = move->flags & TCM_PR_APTPL;
	op->unreg = move->flags & TCM_PR_UNREG;
	if (tid_len != len - at)
		return TCM_PARAM_LIST_LENGTH;
	if (tid_len < TCM_TRANSPORT_ID_LEN)
		return tcm_bad_param(cmd, 20, -1);
	op->others = kvzalloc(sizeof(*op->others), GFP_NOIO);
	tid = kzalloc(sizeof(*tid), GFP_NOIO);
	if (!op->others || !tid) {
		kfree(tid);
		return TCM_BUSY;
	}
	if (tcm_transport_id_get(list + at, tid_len, tid) != tid_len ||
	    /* An iSCSI name alone is not one port (SPC-4 5.13.8). */
	    (tid->proto == TCM_PROTO_ISCSI && !tid->has_isid && cmd->sess->has_isid)) {
		kfree(tid);
		return tcm_bad_param(cmd, at, -1);
	}
	who = tcm_pr_view(tid);
	spin_lock_irq(&dev->lun_lock);
	list_for_each_entry(lun, &dev->luns, dev_node)
		if (tcm_lun_rtpi(lun) == be16_to_cpu(move->rtpi) &&
		    lun->tpg->wwn->proto == tid->proto && !op->n_others) {
			tcm_pr_reg_at(op->others, &who, lun, lun->lun);
			op->n_others = 1;
		}
	spin_unlock_irq(&dev->lun_lock);
	kfree(tid);
	return op->n_others ? TCM_OK : tcm_bad_param(cmd, 18, -1);
}

static enum tcm_sense tcm_pr_read_list(struct tcm_cmd *cmd, struct tcm_pr_op *op, const u8 *buf,
				       unsigned int len)
{
	const struct tcm_pr_list *list = (const void *)buf;
	bool registers = op->sa == TCM_PR_REGISTER || op->sa == TCM_PR_REGISTER_AND_IGNORE;
	bool replaces = op->sa == TCM_PR_REPLACE_LOST;

	op->key = be64_to_cpu(list->key);
	op->sa_key = be64_to_cpu(list->sa_key);
	if (op->sa == TCM_PR_REGISTER_AND_MOVE)
		return tcm_pr_read_move(cmd, op, buf, len);
	if (list->flags & TCM_PR_SPEC_I_PT && op->sa != TCM_PR_REGISTER)
		return tcm_bad_param(cmd, 20, 3);
	op->spec_i_pt = list->flags & TCM_PR_SPEC_I_PT;
	if (!op->spec_i_pt && len != sizeof(*list))
		return TCM_PARAM_LIST_LENGTH;
	if (!registers && !replaces)
		return TCM_OK;
	op->aptpl = list->flags & TCM_PR_APTPL;
	op->all_tg_pt = registers && list->flags & TCM_PR_ALL_TG_PT;
	if (op->aptpl && !tcm_pr_file_possible(cmd->dev))
		return tcm_bad_param(cmd, 20, 0);
	if (op->spec_i_pt)
		return tcm_pr_read_spec_i_pt(cmd, op, buf, len);
	return op->all_tg_pt ? tcm_pr_others(cmd, op, NULL, 0) : TCM_OK;
}

/*
 * Could the APTPL file name who would be registered, and say nothing else by that? In demo mode
 * names are the initiator's choice. Without APTPL, too: a later REGISTER, of anybody, may set it.
 */
static bool tcm_pr_can_name(const struct tcm_pr_op *op)
{
	const char *name = op->self.nexus.initiator;

	if (op->sa != TCM_PR_REGISTER && op->sa != TCM_PR_REGISTER_AND_IGNORE &&
	    op->sa != TCM_PR_REPLACE_LOST)
		return true;
	return !op->sa_key || tcm_initiator_name_ok(name, strlen(name));
}

static enum tcm_sense tcm_pr_read_op(struct tcm_cmd *cmd, struct tcm_pr_op *op)
{
	struct tcm_pr_who who = tcm_pr_who_of(cmd->dev, cmd->sess);
	unsigned int len = cmd->data_len;
	enum tcm_sense sense;
	u8 *buf;

	op->sa = tcm_pr_cdb_sa(cmd);
	op->type = cmd->cdb[2] & 0x0f;
	op->scope = cmd->cdb[2] >> 4;
	tcm_pr_reg_at(&op->self, &who, cmd->lun, cmd->map->number);
	buf = kvmalloc(len, GFP_NOIO);
	if (!buf)
		return TCM_BUSY;
	if (tcm_cmd_get_data(cmd, buf, len) == len)
		sense = tcm_pr_read_list(cmd, op, buf, len);
	else
		sense = TCM_PARAM_LIST_LENGTH;
	kvfree(buf);
	if (!sense && !tcm_pr_can_name(op))
		sense = TCM_INSUFFICIENT_REG_RESOURCES;
	if (cmd->dev->attr.force_pr_aptpl && tcm_pr_file_possible(cmd->dev))
		op->aptpl = true;
	return sense;
}

struct tcm_pr_job *tcm_pr_job_new(struct tcm_cmd *cmd)
{
	struct tcm_pr_job *job = kzalloc(sizeof(*job), GFP_NOIO);

	if (job)
		job->cmd = cmd;
	return job;
}

static void tcm_pr_job_end(struct tcm_pr_job *job, enum tcm_sense sense)
{
	struct tcm_cmd *cmd = job->cmd;

	kvfree(job->marked);
	kvfree(job->op.others);
	kfree(job);
	tcm_cmd_complete(cmd, sense);
}

enum tcm_sense tcm_pr_out(struct tcm_cmd *cmd)
{
	struct tcm_pr_job *job;
	enum tcm_sense sense;

	if (tcm_pr_passes(cmd->dev))
		return tcm_pr_pass_out(cmd);
	job = tcm_pr_job_new(cmd);
	if (!job)
		return TCM_BUSY;
	sense = tcm_pr_read_op(cmd, &job->op);
	if (sense) {
		kvfree(job->op.others);
		kfree(job);
		return sense;
	}
	tcm_pr_queue(cmd->dev, &job->node);
	return TCM_PENDING;
}

/* Does @map belong to a nexus that the marked state preempted? */
static bool tcm_pr_preempted(const struct tcm_mapping *map, void *arg)
{
	struct tcm_pr_job *job = arg;
	struct tcm_pr_who who = tcm_pr_who_of(map->lun->dev, map->sess);
	struct tcm_pr_state *st = job->marked;
	unsigned int i;

	if (map->sess == job->cmd->sess)
		return false;
	for (i = 0; i < st->n; i++)
		if (st->reg[i].gone && tcm_pr_same(&st->reg[i].nexus, &who))
			return true;
	return false;
}

/* Is there nothing left to wait for? Then what the command ends with. */
static bool tcm_pr_settled(struct tcm_pr_job *job, enum tcm_sense *sense)
{
	struct tcm_device *dev = job->cmd->dev;
	unsigned long limit = READ_ONCE(dev->attr.pr_abort_secs) * HZ;

	*sense = TCM_OK;
	if (job->marked && tcm_tmf_writes_left(dev, tcm_pr_preempted, job)) {
		if (!time_after(jiffies, job->since + limit))
			return false;
		/* Fenced from now on, but what was sent before may still come to the medium. */
		pr_warn_ratelimited("tcm: device %s: PREEMPT AND ABORT: the medium has not given back preempted writes\n",
				    dev->name);
		*sense = TCM_COMMAND_TIMEOUT;
		return true;
	}
	return time_after(jiffies, job->since + TCM_GATE_PASSED_WAIT) ||
	       !tcm_gate_passed_left(dev);
}

static void tcm_pr_wait_work(struct work_struct *work)
{
	struct tcm_pr_job *job = container_of(work, struct tcm_pr_job, wait.work);
	enum tcm_sense sense;

	if (tcm_pr_settled(job, &sense)) {
		tcm_pr_job_end(job, sense);
		return;
	}
	job->period = min_t(unsigned long, 2 * job->period, TCM_PR_WAIT_LATE);
	tcm_pr_later(&job->wait, job->period);
}

void tcm_pr_settle(struct tcm_pr_job *job)
{
	struct tcm_device *dev = job->cmd->dev;

	if (job->marked)
		tcm_tmf_abort_maps(dev, tcm_pr_preempted, job);
	tcm_gate_mark_passed(dev, job->cmd, tcm_pr_stops);
	job->since = jiffies;
	job->period = TCM_PR_WAIT_SOON;
	INIT_DELAYED_WORK(&job->wait, tcm_pr_wait_work);
	tcm_pr_wait_work(&job->wait.work);
}

/* Make the change last, then make it seen. @was: the file says something of the old state. */
static enum tcm_sense tcm_pr_commit(struct tcm_pr_job *job, struct tcm_pr_state *new, bool was)
{
	struct tcm_device *dev = job->cmd->dev;

	/* Before the file: what it says then does not fail any more. */
	if (job->op.sa == TCM_PR_PREEMPT_AND_ABORT) {
		job->marked = kvmalloc(struct_size(new, reg, new->n), GFP_KERNEL);
		if (!job->marked)
			return TCM_BUSY;
		memcpy(job->marked, new, struct_size(new, reg, new->n));
	}
	/* Not BUSY, also when an earlier write hangs: initiators would try again for ever. */
	if ((new->aptpl || was) && tcm_pr_persist(dev, new))
		return TCM_INTERNAL_TARGET_FAILURE;
	tcm_pr_publish(dev, new, job->cmd->sess);
	return TCM_OK;
}

static enum tcm_sense tcm_pr_change(struct tcm_pr_job *job)
{
	struct tcm_pr *pr = job->cmd->dev->pr;
	struct tcm_pr_state *new;
	enum tcm_sense sense;
	bool was;

	mutex_lock(&pr->change);
	new = tcm_pr_clone(pr, job->op.n_others + 1);
	if (new) {
		/* A file that nobody can read is in the way at the next power on. */
		was = new->aptpl || new->lost;
		sense = tcm_pr_apply(new, &job->op);
		sense = sense ?: tcm_pr_commit(job, new, was);
	} else {
		sense = TCM_BUSY;
	}
	mutex_unlock(&pr->change);
	if (sense)
		kvfree(new);
	return sense;
}

/*
 * Keep RESERVE of SPC-2 out while reservations change, their file's being written included; false:
 * it was there first (SPC-4 5.13.3).
 */
static bool tcm_pr_begin(struct tcm_device *dev)
{
	bool free;

	spin_lock_irq(&dev->lun_lock);
	free = !dev->pr->spc2;
	dev->pr->changing = free;
	spin_unlock_irq(&dev->lun_lock);
	return free;
}

static void tcm_pr_end(struct tcm_device *dev)
{
	spin_lock_irq(&dev->lun_lock);
	dev->pr->changing = false;
	spin_unlock_irq(&dev->lun_lock);
}

static void tcm_pr_run(struct tcm_pr_job *job)
{
	struct tcm_device *dev = job->cmd->dev;
	enum tcm_sense sense;

	if (tcm_cmd_is_unwanted(job->cmd)) {
		tcm_pr_job_end(job, TCM_TASK_ABORTED);
		return;
	}
	if (!tcm_pr_begin(dev)) {
		tcm_pr_job_end(job, TCM_RESERVATION_CONFLICT);
		return;
	}
	sense = tcm_pr_change(job);
	tcm_pr_end(dev);
	if (sense)
		tcm_pr_job_end(job, sense);
	else
		tcm_pr_settle(job);
}

void tcm_pr_out_work(struct work_struct *work)
{
	struct tcm_pr *pr = container_of(work, struct tcm_pr, work);
	unsigned int noio = memalloc_noio_save();
	struct list_head *job;

	while ((job = tcm_pr_next(pr)))
		tcm_pr_run(list_entry(job, struct tcm_pr_job, node));
	memalloc_noio_restore(noio);
}
