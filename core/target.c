// SPDX-License-Identifier: GPL-2.0-only
/*
 * Target ports, LUNs behind them, ACLs and mapped LUNs: creation, and removal in
 * bounded time. What is removed is unpublished at once and freed when the last
 * command has let go of it.
 */
#include <linux/export.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include "alua.h"
#include "device.h"
#include "lu.h"
#include "past.h"
#include "pr.h"
#include "rod.h"
#include "session.h"
#include "target.h"

/* protects the tree as configuration changes it: see core/target.h */
DEFINE_MUTEX(tcm_config_mutex);

/* protects tcm_all_luns; a leaf lock */
static DEFINE_SPINLOCK(tcm_all_lock);
static LIST_HEAD(tcm_all_luns);
static DECLARE_WAIT_QUEUE_HEAD(tcm_target_wait);
static struct workqueue_struct *tcm_target_wq;

/* Relative port identifiers in use by enabled portal groups; tcm_config_mutex */
static DEFINE_XARRAY_ALLOC1(tcm_rtpis);
static atomic_t tcm_lun_index = ATOMIC_INIT(0), tcm_acl_index = ATOMIC_INIT(0);
static atomic_t tcm_wwn_inst = ATOMIC_INIT(0);

int tcm_target_init(void)
{
	tcm_target_wq = alloc_workqueue("tcm_target", WQ_UNBOUND, 0);
	return tcm_target_wq ? 0 : -ENOMEM;
}

void tcm_target_exit(void)
{
	destroy_workqueue(tcm_target_wq);
	xa_destroy(&tcm_rtpis);
}

/*
 * @ops is const to everybody else; its counter is the core's. The module is in use as long: who
 * waited in its exit function for what may never end could not be killed.
 */
void tcm_target_began(const struct tcm_fabric_ops *ops)
{
	__module_get(ops->owner);
	atomic_inc(&((struct tcm_fabric_ops *)ops)->live);
}

void tcm_target_ended(const struct tcm_fabric_ops *ops)
{
	/* Under the wait queue's lock: the waiter is a module about to go away. */
	spin_lock(&tcm_all_lock);
	module_put(ops->owner);
	if (atomic_dec_and_test(&((struct tcm_fabric_ops *)ops)->live))
		wake_up_all(&tcm_target_wait);
	spin_unlock(&tcm_all_lock);
}

static void tcm_target_warn(const struct tcm_fabric_ops *ops)
{
	struct tcm_lun *lun;
	char name[64] = "(none)";

	spin_lock(&tcm_all_lock);
	list_for_each_entry(lun, &tcm_all_luns, all_node)
		if (lun->tpg->ops == ops) {
			strscpy(name, lun->dev->name, sizeof(name));
			break;
		}
	spin_unlock(&tcm_all_lock);
	pr_warn("tcm: unloading %s waits for I/O of device %s\n", ops->name, name);
}

void tcm_target_drain(const struct tcm_fabric_ops *ops)
{
	/* Ends when backends give their last I/O back; only the module's unload waits. */
	while (!wait_event_timeout(tcm_target_wait, !atomic_read(&ops->live), 10 * HZ))
		tcm_target_warn(ops);
	flush_workqueue(tcm_target_wq);
}

/* Some RCU periods and work items. No call into configfs takes a second, whatever backends do. */
#define TCM_TARGET_PATIENCE	(3 * HZ / 4)

void tcm_target_settle(const struct tcm_fabric_ops *ops)
{
	wait_event_killable_timeout(tcm_target_wait, !atomic_read(&ops->live),
				    TCM_TARGET_PATIENCE);
}

void tcm_target_queue(struct work_struct *work)
{
	queue_work(tcm_target_wq, work);
}

struct tcm_wwn *tcm_wwn_create(const struct tcm_fabric_ops *ops, const char *name)
{
	struct tcm_wwn *wwn;
	int err;

	if (strlen(name) >= TCM_NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	wwn = kzalloc(sizeof(*wwn), GFP_KERNEL);
	if (!wwn)
		return ERR_PTR(-ENOMEM);
	wwn->ops = ops;
	strscpy(wwn->name, name, sizeof(wwn->name));
	wwn->scsi_name = wwn->name;
	wwn->completion_affinity = -1;
	wwn->inst = atomic_inc_return(&tcm_wwn_inst) - 1;
	INIT_LIST_HEAD(&wwn->tpgs);
	refcount_set(&wwn->ref, 1);
	err = ops->add_wwn(wwn);
	if (err) {
		kfree(wwn);
		return ERR_PTR(err);
	}
	return wwn;
}

static void tcm_wwn_put(struct tcm_wwn *wwn)
{
	if (refcount_dec_and_test(&wwn->ref))
		kfree(wwn);
}

void tcm_wwn_destroy(struct tcm_wwn *wwn)
{
	if (wwn->ops->del_wwn)
		wwn->ops->del_wwn(wwn);
	tcm_wwn_put(wwn);
}

static struct tcm_tpg *tcm_tpg_find(struct tcm_wwn *wwn, u16 tag)
{
	struct tcm_tpg *tpg;

	lockdep_assert_held(&tcm_config_mutex);
	list_for_each_entry(tpg, &wwn->tpgs, node)
		if (tpg->tag == tag)
			return tpg;
	return NULL;
}

/* Two names may mean the same tag; only the first of them gets it. */
static int tcm_tpg_claim_tag(struct tcm_tpg *tpg)
{
	int err = 0;

	mutex_lock(&tcm_config_mutex);
	if (tcm_tpg_find(tpg->wwn, tpg->tag))
		err = -EEXIST;
	else
		list_add_tail(&tpg->node, &tpg->wwn->tpgs);
	mutex_unlock(&tcm_config_mutex);
	return err;
}

struct tcm_tpg *tcm_tpg_create(struct tcm_wwn *wwn, u16 tag)
{
	struct tcm_tpg *tpg;
	int err;

	tpg = kzalloc(sizeof(*tpg), GFP_KERNEL);
	if (!tpg)
		return ERR_PTR(-ENOMEM);
	tpg->wwn = wwn;
	tpg->ops = wwn->ops;
	tpg->tag = tag;
	mutex_init(&tpg->lock);
	INIT_LIST_HEAD(&tpg->sessions);
	INIT_LIST_HEAD(&tpg->past);
	INIT_LIST_HEAD(&tpg->acls);
	xa_init(&tpg->luns);
	refcount_set(&tpg->ref, 1);
	err = tcm_tpg_claim_tag(tpg);
	if (err)
		goto free_tpg;
	err = tpg->ops->add_tpg(tpg);
	if (err)
		goto unclaim;
	refcount_inc(&wwn->ref);
	return tpg;

unclaim:
	mutex_lock(&tcm_config_mutex);
	list_del(&tpg->node);
	mutex_unlock(&tcm_config_mutex);
free_tpg:
	kfree(tpg);
	return ERR_PTR(err);
}

void tcm_tpg_get(struct tcm_tpg *tpg)
{
	refcount_inc(&tpg->ref);
}

void tcm_tpg_put(struct tcm_tpg *tpg)
{
	if (!refcount_dec_and_test(&tpg->ref))
		return;
	tcm_past_free(tpg);
	xa_destroy(&tpg->luns);
	tcm_wwn_put(tpg->wwn);
	kfree(tpg);
}

void tcm_tpg_destroy(struct tcm_tpg *tpg)
{
	mutex_lock(&tcm_config_mutex);
	list_del(&tpg->node);
	if (tpg->rtpi && xa_load(&tcm_rtpis, tpg->rtpi) == tpg)
		xa_erase(&tcm_rtpis, tpg->rtpi);
	mutex_unlock(&tcm_config_mutex);
	mutex_lock(&tpg->lock);
	tpg->dead = true;
	mutex_unlock(&tpg->lock);
	tcm_session_close_all(tpg, NULL);
	if (tpg->ops->del_tpg)
		tpg->ops->del_tpg(tpg);
	tcm_tpg_put(tpg);
}

/* Reserve the port's identifier; tcm_config_mutex held. */
static int tcm_tpg_take_rtpi(struct tcm_tpg *tpg)
{
	u32 id;
	int err;

	if (tpg->rtpi) {
		err = xa_insert(&tcm_rtpis, tpg->rtpi, tpg, GFP_KERNEL);
		if (!err || tpg->rtpi_manual)
			return err == -EBUSY ? -EINVAL : err;
	}
	err = xa_alloc(&tcm_rtpis, &id, tpg, XA_LIMIT(1, U16_MAX), GFP_KERNEL);
	if (err)
		return err == -ENOMEM ? err : -EBUSY;
	tpg->rtpi = id;
	return 0;
}

int tcm_tpg_enable(struct tcm_tpg *tpg, bool enable, const char **why)
{
	int err = 0;

	mutex_lock(&tcm_config_mutex);
	if (tpg->enabled == enable)
		goto unlock;
	if (enable) {
		err = tcm_tpg_take_rtpi(tpg);
		if (err) {
			*why = "no relative target port identifier is free for it";
			goto unlock;
		}
	}
	err = tpg->ops->enable_tpg(tpg, enable);
	if (err)
		*why = "the fabric refused";
	else
		tpg->enabled = enable;
	if (!tpg->enabled)
		xa_erase(&tcm_rtpis, tpg->rtpi);
unlock:
	mutex_unlock(&tcm_config_mutex);
	/* The fabric makes no more of them: see tcm/fabric.h. */
	if (!enable && !err)
		tcm_session_close_all(tpg, NULL);
	return err;
}

int tcm_tpg_set_rtpi(struct tcm_tpg *tpg, u16 rtpi, const char **why)
{
	int err = 0;

	mutex_lock(&tcm_config_mutex);
	if (rtpi == tpg->rtpi) {
		tpg->rtpi_manual |= rtpi;
	} else if (!rtpi) {
		*why = "1 to 65535";
		err = -EINVAL;
	} else if (tpg->enabled) {
		*why = "the portal group is enabled";
		err = -EINVAL;
	} else {
		tpg->rtpi = rtpi;
		tpg->rtpi_manual = true;
	}
	mutex_unlock(&tcm_config_mutex);
	return err;
}

u16 tcm_lun_rtpi(const struct tcm_lun *lun)
{
	return TCM_RTPI_PER_LINK ? lun->link_rtpi : lun->tpg->rtpi;
}

static void tcm_lun_free_work(struct work_struct *work)
{
	struct tcm_lun *lun = container_of(work, struct tcm_lun, free_work);
	const struct tcm_fabric_ops *ops = lun->tpg->ops;
	struct tcm_device *dev = lun->dev;

	tcm_rod_lun_gone(lun);
	spin_lock(&tcm_all_lock);
	list_del(&lun->all_node);
	spin_unlock(&tcm_all_lock);
	spin_lock_irq(&dev->lun_lock);
	list_del(&lun->dev_node);
	tcm_stats_add(&dev->old, &lun->old);
	spin_unlock_irq(&dev->lun_lock);
	tcm_device_put(dev);
	tcm_tpg_put(lun->tpg);
	percpu_ref_exit(&lun->ref);
	kfree_rcu(lun, rcu);
	tcm_target_ended(ops);
}

static void tcm_lun_release(struct percpu_ref *ref)
{
	struct tcm_lun *lun = container_of(ref, struct tcm_lun, ref);

	INIT_WORK(&lun->free_work, tcm_lun_free_work);
	tcm_target_queue(&lun->free_work);
}

static bool tcm_lun_rtpi_used(struct tcm_device *dev, u16 rtpi)
{
	struct tcm_lun *lun;

	lockdep_assert_held(&dev->lun_lock);
	list_for_each_entry(lun, &dev->luns, dev_node)
		if (lun->link_rtpi == rtpi)
			return true;
	return false;
}

/* One up from link to link; after 65535 of them, one that is free if there is any. */
static u16 tcm_lun_next_rtpi(struct tcm_device *dev)
{
	unsigned int tries = U16_MAX;
	u16 rtpi;

	do {
		rtpi = dev->next_rtpi++;
		if (!dev->next_rtpi)
			dev->next_rtpi = 1;
	} while (tcm_lun_rtpi_used(dev, rtpi) && --tries);
	return rtpi;
}

static struct tcm_lun *tcm_lun_alloc(struct tcm_tpg *tpg, u64 number, struct tcm_device *dev)
{
	struct tcm_lun *lun = kzalloc(sizeof(*lun), GFP_KERNEL);
	int err;

	if (!lun)
		return ERR_PTR(-ENOMEM);
	err = percpu_ref_init(&lun->ref, tcm_lun_release, 0, GFP_KERNEL);
	if (err) {
		kfree(lun);
		return ERR_PTR(err);
	}
	lun->tpg = tpg;
	lun->dev = dev;
	lun->lun = number;
	lun->index = atomic_inc_return(&tcm_lun_index);
	INIT_LIST_HEAD(&lun->maps);
	INIT_LIST_HEAD(&lun->mapped);
	tcm_tpg_get(tpg);
	tcm_device_get(dev);
	tcm_target_began(tpg->ops);
	spin_lock_irq(&dev->lun_lock);
	lun->link_rtpi = tcm_lun_next_rtpi(dev);
	list_add_tail(&lun->dev_node, &dev->luns);
	spin_unlock_irq(&dev->lun_lock);
	spin_lock(&tcm_all_lock);
	list_add_tail(&lun->all_node, &tcm_all_luns);
	spin_unlock(&tcm_all_lock);
	return lun;
}

/* From here on the device counts as exported; it must not be on its way out. */
static int tcm_lun_export(struct tcm_lun *lun)
{
	struct tcm_device *dev = lun->dev;
	int err = 0;

	mutex_lock(&tcm_config_mutex);
	if (!dev->hba || !test_bit(TCM_DEV_CONFIGURED, &dev->flags)) {
		err = -ENODEV;
	} else if (test_bit(TCM_DEV_OPENING, &dev->flags)) {
		/* its protection information is being formatted */
		err = -EBUSY;
	} else {
		dev->exports++;
		lun->read_only = dev->limits.read_only;
		tcm_alua_lun_linked(lun);
	}
	mutex_unlock(&tcm_config_mutex);
	return err;
}

static void tcm_lun_unexport(struct tcm_lun *lun)
{
	mutex_lock(&tcm_config_mutex);
	lun->dev->exports--;
	tcm_alua_lun_unlinked(lun);
	mutex_unlock(&tcm_config_mutex);
}

/* Into the table of the portal group and its demo mode sessions. */
static int tcm_lun_publish(struct tcm_lun *lun)
{
	struct tcm_tpg *tpg = lun->tpg;
	int err;

	mutex_lock(&tpg->lock);
	lun->came = tcm_past_now();
	err = xa_insert(&tpg->luns, lun->lun, lun, GFP_NOIO);
	if (!err) {
		err = tcm_session_lun_added(tpg, lun);
		if (err) {
			xa_erase(&tpg->luns, lun->lun);
			tcm_session_lun_removed(tpg, lun);
		}
	}
	mutex_unlock(&tpg->lock);
	return err == -EBUSY ? -EEXIST : err;
}

static void tcm_lun_unpublish(struct tcm_lun *lun)
{
	struct tcm_tpg *tpg = lun->tpg;
	struct tcm_mapped_lun *mlun, *next;

	mutex_lock(&tpg->lock);
	xa_erase(&tpg->luns, lun->lun);
	tcm_session_lun_removed(tpg, lun);
	list_for_each_entry_safe(mlun, next, &lun->mapped, lun_node) {
		list_del(&mlun->lun_node);
		mlun->lun = NULL;
	}
	mutex_unlock(&tpg->lock);
}

struct tcm_lun *tcm_lun_link(struct tcm_tpg *tpg, u64 number, struct tcm_device *dev,
			     const char **why)
{
	struct tcm_lun *lun;
	int err;

	if (number > TCM_LUN_MAX) {
		*why = "no LUN field can say that number";
		return ERR_PTR(-EINVAL);
	}
	lun = tcm_lun_alloc(tpg, number, dev);
	if (IS_ERR(lun))
		return lun;
	tcm_lu_power_on(dev);
	tcm_pr_power_on(dev);
	err = tcm_lun_export(lun);
	if (err) {
		*why = "the device is not enabled";
		goto kill;
	}
	err = tcm_lun_publish(lun);
	if (err) {
		*why = "the LUN cannot be published";
		goto unexport;
	}
	if (tpg->ops->link_lun) {
		err = tpg->ops->link_lun(lun, true);
		if (err) {
			*why = "the fabric refused";
			goto unpublish;
		}
	}
	return lun;

unpublish:
	tcm_lun_unpublish(lun);
unexport:
	tcm_lun_unexport(lun);
kill:
	percpu_ref_kill(&lun->ref);
	return ERR_PTR(err);
}

void tcm_lun_unlink(struct tcm_lun *lun)
{
	if (lun->tpg->ops->link_lun)
		lun->tpg->ops->link_lun(lun, false);
	tcm_lun_unpublish(lun);
	tcm_lun_unexport(lun);
	percpu_ref_kill(&lun->ref);
}

static int tcm_acl_publish(struct tcm_acl *acl)
{
	struct tcm_tpg *tpg = acl->tpg;
	struct tcm_session *sess;
	int err = 0;

	mutex_lock(&tpg->lock);
	if (tcm_acl_find(tpg, acl->name)) {
		err = -EEXIST;
		goto unlock;
	}
	list_add_tail(&acl->node, &tpg->acls);
	/* A demo mode session of that name becomes one of the ACL and keeps its LUNs. */
	list_for_each_entry(sess, &tpg->sessions, node)
		if (!sess->acl && !sess->closing && !strcasecmp(sess->name, acl->name))
			sess->acl = acl;
unlock:
	mutex_unlock(&tpg->lock);
	return err;
}

static void tcm_acl_free(struct tcm_acl *acl)
{
	if (acl->tpg->ops->del_acl)
		acl->tpg->ops->del_acl(acl);
	tcm_tpg_put(acl->tpg);
	xa_destroy(&acl->mapped);
	kfree(acl);
}

struct tcm_acl *tcm_acl_create(struct tcm_tpg *tpg, const char *name)
{
	struct tcm_acl *acl;
	int err;

	if (strlen(name) >= TCM_NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	acl = kzalloc(sizeof(*acl), GFP_KERNEL);
	if (!acl)
		return ERR_PTR(-ENOMEM);
	acl->tpg = tpg;
	strscpy(acl->name, name, sizeof(acl->name));
	acl->queue_depth = 1;
	acl->index = atomic_inc_return(&tcm_acl_index);
	xa_init(&acl->mapped);
	err = tpg->ops->add_acl ? tpg->ops->add_acl(acl) : 0;
	if (err) {
		kfree(acl);
		return ERR_PTR(err);
	}
	tcm_tpg_get(tpg);
	err = tcm_acl_publish(acl);
	if (err) {
		tcm_acl_free(acl);
		return ERR_PTR(err);
	}
	return acl;
}

void tcm_acl_destroy(struct tcm_acl *acl)
{
	struct tcm_tpg *tpg = acl->tpg;

	/* No session finds it from here on; those that have it are told to end. */
	mutex_lock(&tpg->lock);
	list_del(&acl->node);
	mutex_unlock(&tpg->lock);
	tcm_session_close_all(tpg, acl);
	tcm_acl_free(acl);
}

/* tpg->lock held */
static int tcm_mlun_publish(struct tcm_mapped_lun *mlun, struct tcm_lun *lun)
{
	struct tcm_acl *acl = mlun->acl;
	int err;

	lockdep_assert_held(&acl->tpg->lock);
	if (xa_load(&acl->tpg->luns, lun->lun) != lun)
		return -ENODEV;
	err = xa_insert(&acl->mapped, mlun->number, mlun, GFP_NOIO);
	if (err)
		return err == -EBUSY ? -EEXIST : err;
	mlun->lun = lun;
	list_add_tail(&mlun->lun_node, &lun->mapped);
	err = tcm_session_mlun_added(mlun);
	if (err) {
		tcm_session_mlun_removed(mlun);
		list_del(&mlun->lun_node);
		xa_erase(&acl->mapped, mlun->number);
	}
	return err;
}

struct tcm_mapped_lun *tcm_mlun_link(struct tcm_acl *acl, u64 number, struct tcm_lun *lun,
				     bool write_protect)
{
	struct tcm_mapped_lun *mlun;
	int err;

	if (number > TCM_LUN_MAX)
		return ERR_PTR(-EINVAL);
	mlun = kzalloc(sizeof(*mlun), GFP_KERNEL);
	if (!mlun)
		return ERR_PTR(-ENOMEM);
	mlun->acl = acl;
	mlun->number = number;
	mlun->write_protect = write_protect || READ_ONCE(acl->tpg->acl_read_only);
	mlun->created = get_jiffies_64();
	mutex_lock(&acl->tpg->lock);
	mlun->came = tcm_past_now();
	err = tcm_mlun_publish(mlun, lun);
	mutex_unlock(&acl->tpg->lock);
	if (err) {
		kfree(mlun);
		return ERR_PTR(err);
	}
	return mlun;
}

void tcm_mlun_unlink(struct tcm_mapped_lun *mlun)
{
	struct tcm_acl *acl = mlun->acl;

	mutex_lock(&acl->tpg->lock);
	tcm_session_mlun_removed(mlun);
	if (mlun->lun)
		list_del(&mlun->lun_node);
	xa_erase(&acl->mapped, mlun->number);
	mutex_unlock(&acl->tpg->lock);
	kfree(mlun);
}

void tcm_mlun_set_wp(struct tcm_mapped_lun *mlun, bool wp)
{
	mutex_lock(&mlun->acl->tpg->lock);
	mlun->write_protect = wp;
	tcm_session_mlun_wp(mlun);
	mutex_unlock(&mlun->acl->tpg->lock);
}

bool tcm_mlun_wp(struct tcm_mapped_lun *mlun)
{
	bool wp;

	mutex_lock(&mlun->acl->tpg->lock);
	wp = mlun->write_protect || (mlun->lun && mlun->lun->read_only);
	mutex_unlock(&mlun->acl->tpg->lock);
	return wp;
}

static void tcm_mlun_sum_live(struct tcm_mapped_lun *mlun, struct tcm_map_stats *sum)
{
	struct tcm_device *dev = mlun->lun->dev;
	struct tcm_mapping *map;
	struct tcm_map_stats one;

	spin_lock_irq(&dev->lun_lock);
	list_for_each_entry(map, &mlun->lun->maps, lun_node) {
		if (map->mlun != mlun)
			continue;
		tcm_map_sum(map, &one);
		sum->started += one.started;
		sum->rd_bytes += one.rd_bytes;
		sum->wr_bytes += one.wr_bytes;
	}
	spin_unlock_irq(&dev->lun_lock);
}

void tcm_mlun_sum(struct tcm_mapped_lun *mlun, struct tcm_map_stats *sum)
{
	memset(sum, 0, sizeof(*sum));
	mutex_lock(&mlun->acl->tpg->lock);
	sum->started = mlun->old_cmds;
	sum->rd_bytes = mlun->old_rd_bytes;
	sum->wr_bytes = mlun->old_wr_bytes;
	if (mlun->lun)
		tcm_mlun_sum_live(mlun, sum);
	mutex_unlock(&mlun->acl->tpg->lock);
}

int tcm_mlun_look(struct tcm_mapped_lun *mlun, struct tcm_mlun_view *view)
{
	struct tcm_acl *acl = mlun->acl;
	struct tcm_session *sess;
	int err = -ENODEV;

	memset(view, 0, sizeof(*view));
	mutex_lock(&acl->tpg->lock);
	if (!mlun->lun)
		goto unlock;
	err = 0;
	view->lun_index = mlun->lun->index;
	view->attach_count = mlun->attach_count;
	list_for_each_entry(sess, &acl->tpg->sessions, node) {
		if (sess->acl != acl)
			continue;
		view->has_session = true;
		view->sess_index = sess->index;
		if (sess->has_isid)
			bin2hex(view->isid, sess->isid, sizeof(sess->isid));
		break;
	}
unlock:
	mutex_unlock(&acl->tpg->lock);
	return err;
}
