// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reservations made effective: which nexus the gate stops, who is told, and SPC-2's RESERVE.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <tcm/fabric.h>
#include "dbroot.h"
#include "gate.h"
#include "opcode.h"
#include "pr.h"
#include "target.h"
#include "ua.h"

static struct workqueue_struct *tcm_pr_wq;

int tcm_pr_init(void)
{
	/* A file system that hangs blocks the work item of its device: let there be many. */
	tcm_pr_wq = alloc_workqueue("tcm_pr", WQ_UNBOUND | WQ_MEM_RECLAIM, WQ_MAX_ACTIVE);
	return tcm_pr_wq ? 0 : -ENOMEM;
}

void tcm_pr_exit(void)
{
	destroy_workqueue(tcm_pr_wq);
}

static struct tcm_pr_state *tcm_pr_state_alloc(unsigned int room)
{
	struct tcm_pr_state *st;

	st = kvmalloc(struct_size(st, reg, room), GFP_KERNEL);
	if (!st)
		return NULL;
	memset(st, 0, sizeof(*st));
	st->room = room;
	st->holder = -1;
	return st;
}

int tcm_pr_create(struct tcm_device *dev)
{
	struct tcm_pr *pr = kzalloc(sizeof(*pr), GFP_KERNEL);

	if (!pr)
		return -ENOMEM;
	pr->dev = dev;
	mutex_init(&pr->change);
	mutex_init(&pr->lock);
	spin_lock_init(&pr->queue_lock);
	INIT_LIST_HEAD(&pr->queue);
	INIT_WORK(&pr->work, tcm_pr_out_work);
	pr->state = tcm_pr_state_alloc(0);
	if (!pr->state) {
		kfree(pr);
		return -ENOMEM;
	}
	dev->pr = pr;
	return 0;
}

void tcm_pr_destroy(struct tcm_device *dev)
{
	if (!dev->pr)
		return;
	/* Nothing is queued: each job is a command. The last may still be on its way out. */
	flush_work(&dev->pr->work);
	tcm_save_put(dev->pr->file);
	kvfree(dev->pr->state);
	kfree(dev->pr);
	dev->pr = NULL;
}

void tcm_pr_queue(struct tcm_device *dev, struct list_head *job)
{
	struct tcm_pr *pr = dev->pr;

	spin_lock(&pr->queue_lock);
	list_add_tail(job, &pr->queue);
	queue_work(tcm_pr_wq, &pr->work);
	spin_unlock(&pr->queue_lock);
}

struct list_head *tcm_pr_next(struct tcm_pr *pr)
{
	struct list_head *job = NULL;

	spin_lock(&pr->queue_lock);
	if (!list_empty(&pr->queue)) {
		job = pr->queue.next;
		list_del(job);
	}
	spin_unlock(&pr->queue_lock);
	return job;
}

void tcm_pr_later(struct delayed_work *work, unsigned long delay)
{
	queue_delayed_work(tcm_pr_wq, work, delay);
}

struct tcm_pr_who tcm_pr_who_of(const struct tcm_device *dev, const struct tcm_session *sess)
{
	const struct tcm_tpg *tpg = sess->tpg;

	return (struct tcm_pr_who){
		.hash		= sess->nexus_hash,
		.tpgt		= tpg->tag,
		.proto		= tpg->wwn->proto,
		.has_isid	= sess->has_isid && READ_ONCE(dev->attr.enforce_pr_isids),
		.isid		= sess->isid,
		.fabric		= tpg->ops->name,
		.initiator	= sess->name,
		.target		= tpg->wwn->name,
	};
}

static struct tcm_pr_reg *tcm_pr_reg_of(struct tcm_pr_state *st, const struct tcm_device *dev,
					const struct tcm_session *sess)
{
	struct tcm_pr_who who = tcm_pr_who_of(dev, sess);

	return tcm_pr_find(st, &who);
}

/* What the reservation leaves to one nexus: one bit of its gate, and which kind of stop it is. */
static void tcm_pr_gate(struct tcm_mapping *map)
{
	struct tcm_device *dev = map->lun->dev;
	struct tcm_pr *pr = dev->pr;
	enum tcm_pr_deny deny = TCM_PR_MAY_ALL;

	lockdep_assert_held(&dev->lun_lock);
	if (pr->spc2)
		deny = pr->spc2 == map->sess ? TCM_PR_MAY_ALL : TCM_PR_DENY_SPC2;
	else if (pr->state->type || pr->state->lost)
		deny = tcm_pr_denied(pr->state, tcm_pr_reg_of(pr->state, dev, map->sess));
	WRITE_ONCE(map->pr_deny, deny);
	if (deny)
		set_bit(TCM_GATE_RESERVED, &map->gate);
	else
		clear_bit(TCM_GATE_RESERVED, &map->gate);
}

static void tcm_pr_gates(struct tcm_device *dev)
{
	struct tcm_mapping *map = NULL;

	lockdep_assert_held(&dev->lun_lock);
	while ((map = tcm_nexus_next(dev, map)))
		tcm_pr_gate(map);
}

void tcm_pr_map_added(struct tcm_mapping *map)
{
	tcm_pr_gate(map);
}

/* I_T nexus loss ends a reservation of SPC-2 (SPC-2 5.5.1); persistent ones stay. */
void tcm_pr_map_removed(struct tcm_mapping *map)
{
	struct tcm_device *dev = map->lun->dev;

	lockdep_assert_held(&dev->lun_lock);
	if (dev->pr->spc2 != map->sess)
		return;
	dev->pr->spc2 = NULL;
	tcm_pr_gates(dev);
}

void tcm_pr_reset(struct tcm_device *dev)
{
	unsigned long flags;

	spin_lock_irqsave(&dev->lun_lock, flags);
	if (dev->pr->spc2) {
		dev->pr->spc2 = NULL;
		tcm_pr_gates(dev);
	}
	spin_unlock_irqrestore(&dev->lun_lock, flags);
}

/* What is answered while reservations are lost, SPC-4 5.13.5.2 and 5.13.5.3.2 */
static bool tcm_pr_lost_allows(const struct tcm_cmd *cmd)
{
	u8 sa = cmd->cdb[1] & 0x1f;

	switch (cmd->cdb[0]) {
	case INQUIRY:
	case LOG_SENSE:
	case READ_BUFFER:
	case REPORT_LUNS:
	case REQUEST_SENSE:
	case WRITE_BUFFER:
		return true;
	case MAINTENANCE_IN:
		return sa == MI_REPORT_TARGET_PGS;
	case START_STOP:
		/* START, and no POWER CONDITION */
		return (cmd->cdb[4] & 0xf1) == 0x01;
	case PERSISTENT_RESERVE_OUT:
		return sa == TCM_PR_REPLACE_LOST;
	default:
		return false;
	}
}

/* Rows with any of these flags are let through. */
static u32 tcm_pr_allows(enum tcm_pr_deny deny)
{
	switch (deny) {
	case TCM_PR_DENY_WRITES:
		return TCM_OP_PR_WE | TCM_OP_PR_REG;
	case TCM_PR_DENY_ACCESS:
		return TCM_OP_PR_EA | TCM_OP_PR_REG;
	default:
		return TCM_OP_PR_SPC2;
	}
}

enum tcm_sense tcm_pr_check(const struct tcm_cmd *cmd)
{
	const struct tcm_opcode *op = cmd->op;
	enum tcm_pr_deny deny;
	bool known;

	if (!tcm_pr_on(cmd->dev))
		return TCM_OK;
	/* What is passed through is judged by the row that it would have had. */
	if (op->flags & TCM_OP_PASSTHRU)
		op = tcm_opcode_find(cmd->cdb, cmd->cdb_len, &known);
	if (!op)
		return TCM_RESERVATION_CONFLICT;
	deny = READ_ONCE(cmd->map->pr_deny);
	if (deny == TCM_PR_MAY_ALL)
		return TCM_OK;
	if (deny == TCM_PR_DENY_LOST)
		return tcm_pr_lost_allows(cmd) ? TCM_OK : TCM_PR_INFO_LOST;
	if (op->flags & tcm_pr_allows(deny) || (op->pr_allowed && op->pr_allowed(cmd)))
		return TCM_OK;
	return TCM_RESERVATION_CONFLICT;
}

bool tcm_pr_stops(const struct tcm_mapping *map, const struct tcm_opcode *op)
{
	enum tcm_pr_deny deny = READ_ONCE(map->pr_deny);

	if (deny == TCM_PR_MAY_ALL || !op ||
	    !(op->flags & (TCM_OP_MEDIUM | TCM_OP_WRITES | TCM_OP_PASSTHRU)))
		return false;
	return deny == TCM_PR_DENY_LOST || !(op->flags & tcm_pr_allows(deny));
}

u16 tcm_pr_rtpi(struct tcm_device *dev, const struct tcm_pr_reg *reg)
{
	u16 rtpi = reg->rtpi;
	struct tcm_lun *lun;

	spin_lock_irq(&dev->lun_lock);
	list_for_each_entry(lun, &dev->luns, dev_node)
		if (lun->tpg->tag == reg->nexus.tpgt &&
		    !strcmp(lun->tpg->ops->name, reg->nexus.fabric) &&
		    !strcasecmp(lun->tpg->wwn->name, reg->nexus.target)) {
			rtpi = tcm_lun_rtpi(lun);
			break;
		}
	spin_unlock_irq(&dev->lun_lock);
	return rtpi;
}

struct tcm_pr_state *tcm_pr_clone(struct tcm_pr *pr, unsigned int more)
{
	const struct tcm_pr_state *old;
	struct tcm_pr_state *new;

	lockdep_assert_held(&pr->change);
	mutex_lock(&pr->lock);
	old = pr->state;
	new = tcm_pr_state_alloc(min_t(unsigned int, old->n + more, TCM_PR_REGS_MAX));
	if (new) {
		unsigned int room = new->room;

		memcpy(new, old, struct_size(old, reg, old->n));
		new->room = room;
	}
	mutex_unlock(&pr->lock);
	return new;
}

/* dev->lun_lock held */
static void tcm_pr_tell_maps(struct tcm_device *dev, struct tcm_pr_state *st,
			     const struct tcm_session *self)
{
	struct tcm_mapping *map = NULL;
	unsigned int i;

	while ((map = tcm_nexus_next(dev, map))) {
		struct tcm_pr_who who = tcm_pr_who_of(dev, map->sess);

		if (map->sess == self || map->removed)
			continue;
		for (i = 0; i < st->n; i++)
			if (st->reg[i].tell && tcm_pr_same(&st->reg[i].nexus, &who))
				tcm_ua_raise(map, st->reg[i].tell);
	}
}

void tcm_pr_publish(struct tcm_device *dev, struct tcm_pr_state *new,
		    const struct tcm_session *self)
{
	struct tcm_pr *pr = dev->pr;
	struct tcm_pr_state *old;

	lockdep_assert_held(&pr->change);
	mutex_lock(&pr->lock);
	spin_lock_irq(&dev->lun_lock);
	old = pr->state;
	tcm_pr_tell_maps(dev, new, self);
	tcm_pr_compact(new);
	pr->state = new;
	if (old->type || new->type || old->lost || new->lost)
		tcm_pr_gates(dev);
	spin_unlock_irq(&dev->lun_lock);
	mutex_unlock(&pr->lock);
	kvfree(old);
}

/* A target driver's protocol, as far as names tell; sessions of it will tell better. */
static u8 tcm_pr_guess_proto(const char *fabric, const char *initiator)
{
	if (!strcasecmp(fabric, "iSCSI") || !strncasecmp(initiator, "iqn.", 4))
		return TCM_PROTO_ISCSI;
	if (!strcasecmp(fabric, "SRP") || !strcasecmp(fabric, "srpt"))
		return TCM_PROTO_SRP;
	if (!strcasecmp(fabric, "sbp"))
		return TCM_PROTO_SBP;
	if (!strcasecmp(fabric, "fc") || !strncasecmp(fabric, "qla2xxx", 7) ||
	    !strncasecmp(initiator, "fc.", 3))
		return TCM_PROTO_FCP;
	return TCM_PROTO_SAS;
}

static int tcm_pr_aptpl_reg(const struct tcm_pr_aptpl *from, struct tcm_pr_reg *reg)
{
	struct tcm_pr_nexus *n = &reg->nexus;
	const char *isid = from->isid;

	n->tpgt = from->tpgt;
	n->proto = tcm_pr_guess_proto(from->target_fabric, from->initiator);
	strscpy(n->fabric, from->target_fabric, sizeof(n->fabric));
	strscpy(n->initiator, from->initiator, sizeof(n->initiator));
	strscpy(n->target, from->target, sizeof(n->target));
	n->hash = tcm_pr_hash(n->proto, n->initiator, n->fabric, n->target, n->tpgt);
	if (!strncasecmp(isid, "0x", 2))
		isid += 2;
	/* An ISID that is none was never written by us: the initiator is meant. */
	n->has_isid = strlen(isid) == 2 * TCM_PR_ISID_LEN &&
		      !hex2bin(n->isid, isid, TCM_PR_ISID_LEN);
	reg->key = from->key;
	reg->mapped_lun = from->mapped_lun;
	reg->target_lun = from->target_lun;
	reg->all_tg_pt = from->all_tg_pt;
	return from->holder && !tcm_pr_type_valid(from->type) ? -EINVAL : 0;
}

static int tcm_pr_aptpl_merge(struct tcm_pr_state *st, const struct tcm_pr_aptpl *from,
			      const struct tcm_pr_reg *reg, const char **why)
{
	struct tcm_pr_who who = tcm_pr_view(&reg->nexus);
	struct tcm_pr_reg *old;

	/* One without an ISID stands for every session of its initiator: there may be several. */
	while ((old = tcm_pr_find(st, &who))) {
		if (st->holder == old - st->reg) {
			st->holder = -1;
			st->type = TCM_PR_NONE;
		}
		old->gone = true;
	}
	tcm_pr_compact(st);
	if (!tcm_pr_add(st, reg))
		return tcm_deny(why, -ENOSPC, "too many registrations");
	st->aptpl = true;
	st->lost = false;
	if (!from->holder)
		return 0;
	if (st->type && (st->type != from->type || !tcm_pr_all_registrants(st->type)))
		return tcm_deny(why, -EINVAL, "there is a reservation already");
	st->type = from->type;
	st->holder = tcm_pr_all_registrants(st->type) ? -1 : st->n - 1;
	return 0;
}

int tcm_pr_aptpl_add(struct tcm_device *dev, const struct tcm_pr_aptpl *from, const char **why)
{
	struct tcm_pr_reg *reg = kzalloc(sizeof(*reg), GFP_KERNEL);
	struct tcm_pr_state *st = NULL;
	int err = -ENOMEM;

	if (!reg)
		return -ENOMEM;
	mutex_lock(&tcm_config_mutex);
	if (dev->exports) {
		err = tcm_deny(why, -EINVAL, "a LUN links to the device");
		goto unlock_config;
	}
	if (!mutex_trylock(&dev->pr->change)) {
		err = tcm_deny(why, -EBUSY, "a PERSISTENT RESERVE OUT is out");
		goto unlock_config;
	}
	err = tcm_pr_aptpl_reg(from, reg);
	if (err) {
		*why = "not a type of reservation";
		goto unlock;
	}
	st = tcm_pr_clone(dev->pr, 1);
	err = st ? tcm_pr_aptpl_merge(st, from, reg, why) : -ENOMEM;
	if (!err) {
		tcm_pr_publish(dev, st, NULL);
		st = NULL;
	}
unlock:
	mutex_unlock(&dev->pr->change);
unlock_config:
	mutex_unlock(&tcm_config_mutex);
	kvfree(st);
	kfree(reg);
	return err;
}

/*
 * SPC-4 5.13.3, for an initiator that still sends RESERVE and RELEASE: who a persistent
 * reservation lets in is told GOOD, and nothing changes; TCM_PENDING: SPC-2's own rules apply.
 */
static enum tcm_sense tcm_pr_compatible(struct tcm_cmd *cmd)
{
	struct tcm_pr_state *st = cmd->dev->pr->state;
	struct tcm_pr_reg *self = tcm_pr_reg_of(st, cmd->dev, cmd->sess);

	if (!st->n)
		return TCM_PENDING;
	if (self && st->type && tcm_pr_denied(st, self) == TCM_PR_MAY_ALL)
		return TCM_OK;
	return TCM_RESERVATION_CONFLICT;
}

/* TCM_PENDING: it is reserved for @cmd's nexus. */
static enum tcm_sense tcm_pr_spc2_take(struct tcm_cmd *cmd)
{
	struct tcm_pr *pr = cmd->dev->pr;
	enum tcm_sense sense = tcm_pr_compatible(cmd);

	if (sense != TCM_PENDING)
		return sense;
	if (pr->spc2 && pr->spc2 != cmd->sess)
		return TCM_RESERVATION_CONFLICT;
	/* What comes of it decides (SPC-4 5.13.3), and nobody knows yet. */
	if (pr->changing)
		return TCM_BUSY;
	if (!pr->spc2 && !cmd->map->removed) {
		pr->spc2 = cmd->sess;
		tcm_pr_gates(cmd->dev);
	}
	return TCM_PENDING;
}

enum tcm_sense tcm_pr_spc2_reserve(struct tcm_cmd *cmd)
{
	struct tcm_pr_job *job = tcm_pr_job_new(cmd);
	enum tcm_sense sense;

	if (!job)
		return TCM_BUSY;
	spin_lock_irq(&cmd->dev->lun_lock);
	sense = tcm_pr_spc2_take(cmd);
	spin_unlock_irq(&cmd->dev->lun_lock);
	if (sense == TCM_PENDING)
		tcm_pr_settle(job);
	else
		kfree(job);
	return sense;
}

enum tcm_sense tcm_pr_spc2_release(struct tcm_cmd *cmd)
{
	struct tcm_device *dev = cmd->dev;
	struct tcm_pr *pr = dev->pr;
	enum tcm_sense sense;

	spin_lock_irq(&dev->lun_lock);
	sense = tcm_pr_compatible(cmd);
	if (sense == TCM_PENDING) {
		/* Who does not hold it releases nothing, and that is no error (SPC-2 7.17.2). */
		sense = TCM_OK;
		if (pr->spc2 == cmd->sess) {
			pr->spc2 = NULL;
			tcm_pr_gates(dev);
		}
	}
	spin_unlock_irq(&dev->lun_lock);
	return sense;
}

bool tcm_pr_offered(const struct tcm_device *dev)
{
	return tcm_pr_on(dev);
}

bool tcm_pr_either_offered(const struct tcm_device *dev)
{
	return tcm_pr_on(dev) || tcm_pr_passes(dev);
}

bool tcm_pr_keys_offered(const struct tcm_device *dev)
{
	return tcm_pr_on(dev) ||
	       (tcm_pr_passes(dev) && (dev->limits.pr_pass & TCM_PR_PASS_KEYS));
}

bool tcm_pr_holder_offered(const struct tcm_device *dev)
{
	return tcm_pr_on(dev) ||
	       (tcm_pr_passes(dev) && (dev->limits.pr_pass & TCM_PR_PASS_HOLDER));
}
