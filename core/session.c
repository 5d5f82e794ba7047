// SPDX-License-Identifier: GPL-2.0-only
/*
 * I_T nexuses (sessions) and I_T_L nexuses (mappings).
 *
 * A mapping is published in its session's table and on its LUN's list. Taking it
 * away is: unpublish, an RCU period (no look-up is under way), then wait in the
 * background until its counters say that every command that found it is done.
 */
#include <linux/export.h>
#include <linux/slab.h>
#include <tcm/fabric.h>
#include "aca.h"
#include "alua_state.h"
#include "orphan.h"
#include "past.h"
#include "pr.h"
#include "session.h"
#include "target.h"
#include "task.h"
#include "trace.h"
#include "ua.h"

/* How soon mappings with commands in flight are looked at again: at first, and at most. */
#define TCM_REAP_SOON	(HZ / 50)
#define TCM_REAP_LATE	(HZ / 4)

/* Mappings whose grace period is over; many producers, the work item drains it. */
static LLIST_HEAD(tcm_reap_new);
/* Those that had commands in flight at the last look, and when the next is; the work item's own. */
static LIST_HEAD(tcm_reap_busy);
static unsigned int tcm_reap_period;
static struct workqueue_struct *tcm_reap_wq;
static void tcm_reap_work(struct work_struct *work);
static DECLARE_DELAYED_WORK(tcm_reap, tcm_reap_work);
static atomic_t tcm_session_index = ATOMIC_INIT(0);

int tcm_session_init(void)
{
	tcm_reap_wq = alloc_workqueue("tcm_reap", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return tcm_reap_wq ? 0 : -ENOMEM;
}

void tcm_session_exit(void)
{
	rcu_barrier();
	cancel_delayed_work_sync(&tcm_reap);
	destroy_workqueue(tcm_reap_wq);
}

void tcm_map_sum(const struct tcm_mapping *map, struct tcm_map_stats *sum)
{
	struct tcm_map_stats __percpu *stats = READ_ONCE(map->stats);
	int cpu;

	memset(sum, 0, sizeof(*sum));
	if (!stats)
		return;
	/* Done first: what starts meanwhile must not look finished. */
	for_each_possible_cpu(cpu)
		sum->done += READ_ONCE(per_cpu_ptr(stats, cpu)->done);
	smp_rmb(); /* pairs with the order in which a command counts itself */
	for_each_possible_cpu(cpu) {
		const struct tcm_map_stats *s = per_cpu_ptr(stats, cpu);

		sum->started += READ_ONCE(s->started);
		sum->rd_bytes += READ_ONCE(s->rd_bytes);
		sum->wr_bytes += READ_ONCE(s->wr_bytes);
		sum->rd_cmds += READ_ONCE(s->rd_cmds);
		sum->wr_cmds += READ_ONCE(s->wr_cmds);
		sum->rd_other += READ_ONCE(s->rd_other);
		sum->wr_other += READ_ONCE(s->wr_other);
	}
}

int tcm_map_stats_alloc(struct tcm_mapping *map)
{
	struct tcm_map_stats __percpu *stats;

	if (!READ_ONCE(map->stats)) {
		stats = alloc_percpu_gfp(struct tcm_map_stats, GFP_NOIO);
		if (!stats)
			return -ENOMEM;
		if (cmpxchg(&map->stats, NULL, stats))
			free_percpu(stats);
	}
	clear_bit(TCM_GATE_STATS, &map->gate);
	return 0;
}

static bool tcm_map_quiet(const struct tcm_mapping *map)
{
	struct tcm_map_stats sum;

	if (atomic_read_acquire(&map->pinned))
		return false;
	tcm_map_sum(map, &sum);
	return sum.done == sum.started;
}

/* Hand the counts to what stays, then let go. */
static void tcm_map_free(struct tcm_mapping *map)
{
	struct tcm_lun *lun = map->lun;
	struct tcm_map_stats sum;

	tcm_map_sum(map, &sum);
	spin_lock_irq(&lun->dev->lun_lock);
	list_del(&map->lun_node);
	tcm_stats_add(&lun->old, &sum);
	spin_unlock_irq(&lun->dev->lun_lock);
	free_percpu(map->stats);
	percpu_ref_put(&map->sess->ref);
	percpu_ref_put(&lun->ref);
	kfree(map);
}

static void tcm_reap_work(struct work_struct *work)
{
	struct llist_node *batch = llist_del_all(&tcm_reap_new);
	struct tcm_mapping *map, *next;
	bool changed = batch;

	llist_for_each_entry_safe(map, next, batch, reap)
		list_add_tail(&map->sess_node, &tcm_reap_busy);
	list_for_each_entry_safe(map, next, &tcm_reap_busy, sess_node) {
		if (!tcm_map_quiet(map))
			continue;
		list_del(&map->sess_node);
		tcm_map_free(map);
		changed = true;
	}
	if (list_empty(&tcm_reap_busy))
		return;
	/* What a backend holds for hours is not looked at fifty times a second. */
	tcm_reap_period = changed ? TCM_REAP_SOON : min(2 * tcm_reap_period, TCM_REAP_LATE);
	queue_delayed_work(tcm_reap_wq, &tcm_reap, tcm_reap_period);
}

static void tcm_map_rcu(struct rcu_head *rcu)
{
	struct tcm_mapping *map = container_of(rcu, struct tcm_mapping, rcu);

	/* Who finds the list empty wakes the worker, which takes all of it. */
	if (llist_add(&map->reap, &tcm_reap_new))
		mod_delayed_work(tcm_reap_wq, &tcm_reap, 0);
}

/* The mapped LUN may go before the last command does: it gets what was counted until now. */
static void tcm_map_leave_mlun(struct tcm_mapping *map)
{
	struct tcm_mapped_lun *mlun = map->mlun;
	struct tcm_map_stats sum;

	if (!mlun)
		return;
	tcm_map_sum(map, &sum);
	mlun->old_cmds += sum.started;
	mlun->old_rd_bytes += sum.rd_bytes;
	mlun->old_wr_bytes += sum.wr_bytes;
	map->mlun = NULL;
}

/* Nothing finds it any more but who has it already, under RCU. */
static void tcm_map_withdraw(struct tcm_mapping *map)
{
	struct tcm_session *sess = map->sess;

	lockdep_assert_held(&sess->tpg->lock);
	map->removed = true;
	tcm_map_leave_mlun(map);
	if (map->number < TCM_LOW_LUNS)
		RCU_INIT_POINTER(sess->low[map->number], NULL);
	else
		xa_erase(&sess->high, map->number);
	list_del(&map->sess_node);
	spin_lock_irq(&map->lun->dev->lun_lock);
	tcm_pr_map_removed(map);
	tcm_aca_map_removed(map);
	spin_unlock_irq(&map->lun->dev->lun_lock);
}

static void tcm_map_remove(struct tcm_mapping *map)
{
	tcm_map_withdraw(map);
	/* Not call_rcu(), which may take seconds to save power: the medium waits for this. */
	call_rcu_hurry(&map->rcu, tcm_map_rcu);
}

static struct tcm_mapping *tcm_map_find(struct tcm_session *sess, u64 number)
{
	lockdep_assert_held(&sess->tpg->lock);
	if (number < TCM_LOW_LUNS)
		return rcu_dereference_protected(sess->low[number],
						 lockdep_is_held(&sess->tpg->lock));
	return xa_load(&sess->high, number);
}

static int tcm_map_publish(struct tcm_mapping *map)
{
	struct tcm_session *sess = map->sess;

	if (map->number >= TCM_LOW_LUNS)
		return xa_err(xa_store(&sess->high, map->number, map, GFP_NOIO));
	rcu_assign_pointer(sess->low[map->number], map);
	return 0;
}

/* Has the nexus had this unit before, and lost it? Else the unit has come up for it just now. */
static enum tcm_ua tcm_map_first_ua(const struct tcm_mapping *map)
{
	u64 lost = map->sess->lost;

	lockdep_assert_held(&map->sess->tpg->lock);
	if (lost > map->lun->came && (!map->mlun || lost > map->mlun->came))
		return TCM_UA_NEXUS_LOSS;
	return TCM_UA_POWER_ON;
}

static int tcm_map_add(struct tcm_session *sess, u64 number, struct tcm_lun *lun,
		       struct tcm_mapped_lun *mlun)
{
	struct tcm_device *dev = lun->dev;
	struct tcm_mapping *map;
	int err;

	lockdep_assert_held(&sess->tpg->lock);
	/* Below tpg->lock: see tcm/target.h. */
	map = kzalloc(sizeof(*map), GFP_NOIO);
	if (!map)
		return -ENOMEM;
	map->lun = lun;
	map->sess = sess;
	map->mlun = mlun;
	map->number = number;
	map->flush_seq = errseq_sample(&dev->flush_seq);
	__set_bit(TCM_GATE_STATS, &map->gate);
	__set_bit(tcm_map_first_ua(map), &map->ua);
	__set_bit(TCM_GATE_UA, &map->gate);
	if (lun->read_only || (mlun ? mlun->write_protect : sess->read_only))
		__set_bit(TCM_GATE_WP, &map->gate);

	percpu_ref_get(&lun->ref);
	percpu_ref_get(&sess->ref);
	spin_lock_irq(&dev->lun_lock);
	list_add_tail(&map->lun_node, &lun->maps);
	if (test_bit(TCM_DEV_DEAD, &dev->flags))
		__set_bit(TCM_GATE_DEAD, &map->gate);
	if (test_bit(TCM_DEV_STOPPED, &dev->flags))
		__set_bit(TCM_GATE_STOPPED, &map->gate);
	if (dev->wipe)
		__set_bit(TCM_GATE_WIPE, &map->gate);
	if (dev->ranges.gated)
		__set_bit(TCM_GATE_RANGE, &map->gate);
	if (dev->tasks->gated)
		__set_bit(TCM_GATE_COUNTED, &map->gate);
	if (dev->fenced)
		__set_bit(TCM_GATE_ORPHAN, &map->gate);
	tcm_pr_map_added(map);
	tcm_alua_map_added(map);
	if (test_bit(TCM_DEV_EJECTED, &dev->flags))
		__set_bit(TCM_GATE_EJECTED, &map->gate);
	if (test_bit(TCM_DEV_RESTING, &dev->flags))
		__set_bit(TCM_GATE_RESTING, &map->gate);
	if (test_bit(TCM_DEV_SWP, &dev->flags))
		__set_bit(TCM_GATE_SWP, &map->gate);
	if (dev->attr.submit_type == TCM_SUBMIT_QUEUE)
		__set_bit(TCM_GATE_QUEUE, &map->gate);
	spin_unlock_irq(&dev->lun_lock);

	err = tcm_map_publish(map);
	if (err) {
		tcm_map_free(map);
		return err;
	}
	list_add_tail(&map->sess_node, &sess->maps);
	if (mlun)
		mlun->attach_count++;
	return 0;
}

/*
 * A LUN comes to a session that others are told of. They are told after it is there: a REPORT
 * LUNS that does not see it yet does not take their unit attention. Its own is POWER ON.
 */
static int tcm_map_came(struct tcm_session *sess, u64 number, struct tcm_lun *lun,
			struct tcm_mapped_lun *mlun)
{
	struct tcm_mapping *map;
	int err = tcm_map_add(sess, number, lun, mlun);

	/* Pairs with the one in tcm_ua_clear(). */
	smp_mb();
	list_for_each_entry(map, &sess->maps, sess_node)
		if (err || !list_is_last(&map->sess_node, &sess->maps))
			tcm_ua_raise(map, TCM_UA_LUNS_CHANGED);
	return err;
}

int tcm_session_lun_added(struct tcm_tpg *tpg, struct tcm_lun *lun)
{
	struct tcm_session *sess;
	int err;

	lockdep_assert_held(&tpg->lock);
	list_for_each_entry(sess, &tpg->sessions, node) {
		if (sess->acl || sess->closing)
			continue;
		err = tcm_map_came(sess, lun->lun, lun, NULL);
		if (err)
			return err;
	}
	return 0;
}

void tcm_session_lun_removed(struct tcm_tpg *tpg, struct tcm_lun *lun)
{
	struct tcm_mapping *map, *next;
	LIST_HEAD(gone);

	lockdep_assert_held(&tpg->lock);
	/* Only those that were removed before can leave lun->maps meanwhile. */
	spin_lock_irq(&lun->dev->lun_lock);
	list_for_each_entry(map, &lun->maps, lun_node)
		if (!map->removed)
			list_move_tail(&map->sess_node, &gone);
	spin_unlock_irq(&lun->dev->lun_lock);
	list_for_each_entry_safe(map, next, &gone, sess_node) {
		struct tcm_session *sess = map->sess;

		tcm_map_remove(map);
		tcm_ua_raise_session(sess, TCM_UA_LUNS_CHANGED);
	}
}

int tcm_session_mlun_added(struct tcm_mapped_lun *mlun)
{
	struct tcm_tpg *tpg = mlun->acl->tpg;
	struct tcm_session *sess;
	struct tcm_mapping *map;
	int err;

	lockdep_assert_held(&tpg->lock);
	list_for_each_entry(sess, &tpg->sessions, node) {
		if (sess->acl != mlun->acl || sess->closing)
			continue;
		/* A session from demo mode whose ACL was made later keeps its own until now. */
		map = tcm_map_find(sess, mlun->number);
		if (map)
			tcm_map_remove(map);
		err = tcm_map_came(sess, mlun->number, mlun->lun, mlun);
		if (err)
			return err;
	}
	return 0;
}

void tcm_session_mlun_removed(struct tcm_mapped_lun *mlun)
{
	struct tcm_tpg *tpg = mlun->acl->tpg;
	struct tcm_session *sess;
	struct tcm_mapping *map;

	lockdep_assert_held(&tpg->lock);
	list_for_each_entry(sess, &tpg->sessions, node) {
		map = tcm_map_find(sess, mlun->number);
		if (!map || map->mlun != mlun)
			continue;
		tcm_map_remove(map);
		tcm_ua_raise_session(sess, TCM_UA_LUNS_CHANGED);
	}
}

void tcm_session_mlun_wp(struct tcm_mapped_lun *mlun)
{
	struct tcm_tpg *tpg = mlun->acl->tpg;
	struct tcm_session *sess;
	struct tcm_mapping *map;

	lockdep_assert_held(&tpg->lock);
	list_for_each_entry(sess, &tpg->sessions, node) {
		map = tcm_map_find(sess, mlun->number);
		if (!map || map->mlun != mlun)
			continue;
		if (mlun->write_protect || map->lun->read_only)
			set_bit(TCM_GATE_WP, &map->gate);
		else
			clear_bit(TCM_GATE_WP, &map->gate);
	}
}

struct tcm_acl *tcm_acl_find(struct tcm_tpg *tpg, const char *name)
{
	struct tcm_acl *acl;

	lockdep_assert_held(&tpg->lock);
	list_for_each_entry(acl, &tpg->acls, node)
		if (!strcasecmp(acl->name, name))
			return acl;
	return NULL;
}

static int tcm_session_map_all(struct tcm_session *sess)
{
	struct tcm_mapped_lun *mlun;
	struct tcm_lun *lun;
	unsigned long number;
	int err;

	if (!sess->acl) {
		xa_for_each(&sess->tpg->luns, number, lun) {
			err = tcm_map_add(sess, number, lun, NULL);
			if (err)
				return err;
		}
		return 0;
	}
	xa_for_each(&sess->acl->mapped, number, mlun) {
		if (!mlun->lun)
			continue;
		err = tcm_map_add(sess, mlun->number, mlun->lun, mlun);
		if (err)
			return err;
	}
	return 0;
}

/* May it be there? Then it has its LUNs. */
static int tcm_session_admit(struct tcm_session *sess, enum tcm_demo demo)
{
	lockdep_assert_held(&sess->tpg->lock);
	if (sess->tpg->dead)
		return -ESHUTDOWN;
	if (!sess->acl && demo == TCM_DEMO_NONE)
		return -EACCES;
	return tcm_session_map_all(sess);
}

static void tcm_session_free_work(struct work_struct *work)
{
	struct tcm_session *sess = container_of(work, struct tcm_session, free_work);
	const struct tcm_fabric_ops *ops = sess->ops;

	if (sess->released)
		sess->released(sess);
	tcm_tpg_put(sess->tpg);
	xa_destroy(&sess->high);
	percpu_ref_exit(&sess->ref);
	kfree(sess->past);
	kfree_rcu(sess, rcu);
	tcm_target_ended(ops);
}

static void tcm_session_release(struct percpu_ref *ref)
{
	struct tcm_session *sess = container_of(ref, struct tcm_session, ref);

	INIT_WORK(&sess->free_work, tcm_session_free_work);
	tcm_target_queue(&sess->free_work);
}

static void tcm_session_unpublish(struct tcm_session *sess)
{
	struct tcm_mapping *map, *next;

	lockdep_assert_held(&sess->tpg->lock);
	sess->closing = true;
	list_for_each_entry_safe(map, next, &sess->maps, sess_node)
		tcm_map_remove(map);
}

/*
 * It has not come to be, and had no command. Its fabric is about to free what @sess->priv is: from
 * here on nobody who looks at the nexuses of a device may find it.
 */
static void tcm_session_undo(struct tcm_session *sess)
{
	struct tcm_mapping *map, *next;

	lockdep_assert_held(&sess->tpg->lock);
	sess->closing = true;
	list_for_each_entry_safe(map, next, &sess->maps, sess_node) {
		tcm_map_withdraw(map);
		tcm_map_free(map);
	}
}

struct tcm_session *tcm_session_create(struct tcm_tpg *tpg, const char *name, const u8 *isid,
				       enum tcm_demo demo, void *priv)
{
	struct tcm_session *sess;
	int err;

	sess = kzalloc(sizeof(*sess), GFP_KERNEL);
	if (!sess)
		return ERR_PTR(-ENOMEM);
	err = percpu_ref_init(&sess->ref, tcm_session_release, 0, GFP_KERNEL);
	if (err) {
		kfree(sess);
		return ERR_PTR(err);
	}
	sess->ops = tpg->ops;
	sess->tpg = tpg;
	sess->priv = priv;
	sess->read_only = demo == TCM_DEMO_READ_ONLY;
	sess->prot_type = READ_ONCE(tpg->prot_type);
	strscpy(sess->name, name, sizeof(sess->name));
	if (isid) {
		memcpy(sess->isid, isid, sizeof(sess->isid));
		sess->has_isid = true;
	}
	sess->nexus_hash = tcm_pr_hash(tpg->wwn->proto, sess->name, tpg->ops->name,
				       tpg->wwn->name, tpg->tag);
	sess->created = get_jiffies_64();
	sess->index = atomic_inc_return(&tcm_session_index);
	INIT_LIST_HEAD(&sess->maps);
	INIT_LIST_HEAD(&sess->node);
	xa_init(&sess->high);
	tcm_tpg_get(tpg);
	tcm_target_began(tpg->ops);

	err = tcm_past_begin(sess);
	mutex_lock(&tpg->lock);
	sess->acl = tcm_acl_find(tpg, name);
	sess->lost = tcm_past_lost(sess);
	if (!err)
		err = tcm_session_admit(sess, demo);
	if (err)
		tcm_session_undo(sess);
	else
		list_add_tail(&sess->node, &tpg->sessions);
	mutex_unlock(&tpg->lock);
	if (err) {
		percpu_ref_kill(&sess->ref);
		return ERR_PTR(err);
	}
	trace_tcm_session(sess, true);
	return sess;
}
EXPORT_SYMBOL_GPL(tcm_session_create);

void tcm_session_close(struct tcm_session *sess, void (*released)(struct tcm_session *sess))
{
	struct tcm_tpg *tpg = sess->tpg;

	trace_tcm_session(sess, false);
	mutex_lock(&tpg->lock);
	sess->released = released;
	list_del_init(&sess->node);
	tcm_session_unpublish(sess);
	tcm_past_end(sess);
	mutex_unlock(&tpg->lock);
	tcm_orphans_session(sess);
	percpu_ref_kill(&sess->ref);
	/* It has ended its copies in the background, too: @sess may be gone. */
	tcm_orphans_fence();
}
EXPORT_SYMBOL_GPL(tcm_session_close);

void tcm_session_close_all(struct tcm_tpg *tpg, struct tcm_acl *acl)
{
	struct tcm_session *sess;

	/*
	 * close_session() may end in tcm_session_close(), which takes tpg->lock: pin
	 * one session at a time and start over; closing ones are passed by.
	 */
	for (;;) {
		struct tcm_session *found = NULL;

		mutex_lock(&tpg->lock);
		list_for_each_entry(sess, &tpg->sessions, node) {
			if (acl && sess->acl != acl)
				continue;
			/* The ACL is about to go, also for those that are closing by themselves. */
			if (acl)
				sess->acl = NULL;
			if (sess->closing)
				continue;
			sess->closing = true;
			percpu_ref_get(&sess->ref);
			found = sess;
			break;
		}
		mutex_unlock(&tpg->lock);
		if (!found)
			return;
		tpg->ops->close_session(found);
		percpu_ref_put(&found->ref);
	}
}
