// SPDX-License-Identifier: GPL-2.0-only
/*
 * SCSI devices and hosts that come and go.
 *
 * The SCSI and block layers wait for commands in flight when a disk is removed, and
 * hold a lock of the host meanwhile: one disk whose backend hangs would keep every other of the
 * target from coming or going. So what is removed is first left alone until the commands that it
 * had are back; those that come later are answered at once, as its LUN is gone.
 */
#include <linux/slab.h>
#include <scsi/scsi_cmnd.h>
#include <scsi/scsi_device.h>
#include <tcm/cmd.h>
#include "loop.h"

/* How long a link or unlink waits for the SCSI layer before it leaves it to the background. */
#define TCM_LOOP_PATIENCE	(HZ / 2)
/* ... and when commands are out, which the backend may never give back */
#define TCM_LOOP_PATIENCE_BUSY	(HZ / 10)
/* How often what waits for commands, or for another of the same LUN, looks again. */
#define TCM_LOOP_POLL		max(HZ / 50, 1)

static struct workqueue_struct *tcm_loop_wq;
/* Hosts that are not removed yet; module exit waits for them. */
static atomic_t tcm_loop_hosts = ATOMIC_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(tcm_loop_hosts_wait);

/* A LUN that came or goes. */
struct tcm_loop_scan {
	struct delayed_work	work;
	struct list_head	node;	/* in loop->scans, oldest first; loop->scan_lock */
	struct tcm_loop		*loop;
	u64			lun;
	unsigned int		id;
	bool			add;
	unsigned long		since;	/* jiffies */
	struct completion	done;
	refcount_t		ref;	/* the work and who waits for it */
};

static void tcm_loop_scan_put(struct tcm_loop_scan *scan)
{
	if (refcount_dec_and_test(&scan->ref))
		kfree(scan);
}

/* Commands of a device, or of the whole host, that were there at some time */
struct tcm_loop_old {
	const struct scsi_device *sdev;
	unsigned long		since;
	bool			found;
};

static bool tcm_loop_visit_old(struct scsi_cmnd *sc, void *data)
{
	struct tcm_loop_old *old = data;
	struct tcm_cmd *cmd = scsi_cmd_priv(sc);

	if ((old->sdev && sc->device != old->sdev) ||
	    time_after(sc->jiffies_at_alloc, old->since) ||
	    (atomic_read(&cmd->state) & TCM_ST_MASK) == TCM_ST_FREE)
		return true;
	old->found = true;
	return false;
}

static bool tcm_loop_has_old(struct tcm_loop *loop, const struct scsi_device *sdev,
			     unsigned long since)
{
	struct tcm_loop_old old = { .sdev = sdev, .since = since };

	scsi_host_busy_iter(loop->host, tcm_loop_visit_old, &old);
	return old.found;
}

/* What happens to one LUN happens in order. */
static bool tcm_loop_is_first(const struct tcm_loop_scan *scan)
{
	struct tcm_loop_scan *other;
	bool first = false;

	spin_lock(&scan->loop->scan_lock);
	list_for_each_entry(other, &scan->loop->scans, node)
		if (other->id == scan->id && other->lun == scan->lun) {
			first = other == scan;
			break;
		}
	spin_unlock(&scan->loop->scan_lock);
	return first;
}

/*
 * When the last queue of a host but one goes, the block layer waits for the commands of the one
 * that stays (blk_mq_del_queue_tag_set()), while it holds the host's lock.
 */
static bool tcm_loop_would_wait(const struct tcm_loop_scan *scan)
{
	struct scsi_device *sdev;
	unsigned int n = 0;

	shost_for_each_device(sdev, scan->loop->host)
		n++;
	return n == 2 && tcm_loop_has_old(scan->loop, NULL, scan->since);
}

/* False: later, commands are out. */
static bool tcm_loop_remove_device(struct tcm_loop_scan *scan)
{
	struct scsi_device *sdev;
	bool old;

	sdev = scsi_device_lookup(scan->loop->host, 0, scan->id, scan->lun);
	if (!sdev)
		return true;
	old = tcm_loop_has_old(scan->loop, sdev, scan->since) || tcm_loop_would_wait(scan);
	if (!old)
		scsi_remove_device(sdev);
	scsi_device_put(sdev);
	return !old;
}

static void tcm_loop_scan_work(struct work_struct *work)
{
	struct delayed_work *dwork = to_delayed_work(work);
	struct tcm_loop_scan *scan = container_of(dwork, struct tcm_loop_scan, work);
	struct tcm_loop *loop = scan->loop;

	if (!tcm_loop_is_first(scan) || (!scan->add && !tcm_loop_remove_device(scan))) {
		if (time_after(jiffies, scan->since + TCM_LOOP_PATIENCE_BUSY))
			complete_all(&scan->done);
		queue_delayed_work(tcm_loop_wq, &scan->work, TCM_LOOP_POLL);
		return;
	}
	if (scan->add)
		scsi_add_device(loop->host, 0, scan->id, scan->lun);
	complete_all(&scan->done);
	spin_lock(&loop->scan_lock);
	list_del(&scan->node);
	spin_unlock(&loop->scan_lock);
	tcm_loop_scan_put(scan);
}

int tcm_loop_scan(struct tcm_loop_tpg *ltpg, u64 number, bool add)
{
	struct tcm_loop_scan *scan = kzalloc(sizeof(*scan), GFP_KERNEL);
	struct tcm_loop *loop = ltpg->loop;
	struct scsi_lun lun;

	if (!scan)
		return -ENOMEM;
	/* The SCSI layer's LUN is the packed one as a number; only small ones are the same. */
	tcm_lun_pack(number, &lun);
	INIT_DELAYED_WORK(&scan->work, tcm_loop_scan_work);
	scan->loop = loop;
	scan->id = ltpg->tpg->tag;
	scan->lun = scsilun_to_int(&lun);
	scan->add = add;
	scan->since = jiffies;
	init_completion(&scan->done);
	refcount_set(&scan->ref, 2);
	spin_lock(&loop->scan_lock);
	list_add_tail(&scan->node, &loop->scans);
	spin_unlock(&loop->scan_lock);
	queue_delayed_work(tcm_loop_wq, &scan->work, 0);
	wait_for_completion_killable_timeout(&scan->done, TCM_LOOP_PATIENCE);
	tcm_loop_scan_put(scan);
	return 0;
}

static bool tcm_loop_scanning(struct tcm_loop *loop)
{
	bool scanning;

	spin_lock(&loop->scan_lock);
	scanning = !list_empty(&loop->scans);
	spin_unlock(&loop->scan_lock);
	return scanning;
}

static void tcm_loop_remove_work(struct work_struct *work)
{
	struct tcm_loop *loop = container_of(to_delayed_work(work), struct tcm_loop, remove_work);

	if (tcm_loop_scanning(loop) || tcm_loop_has_old(loop, NULL, loop->removed_at)) {
		queue_delayed_work(tcm_loop_wq, &loop->remove_work, TCM_LOOP_POLL);
		return;
	}
	WRITE_ONCE(loop->dying, true);
	synchronize_rcu();
	scsi_remove_host(loop->host);
	scsi_host_put(loop->host);
	device_unregister(&loop->dev);
	if (atomic_dec_and_test(&tcm_loop_hosts))
		wake_up_all(&tcm_loop_hosts_wait);
}

void tcm_loop_host_added(struct tcm_loop *loop)
{
	atomic_inc(&tcm_loop_hosts);
	INIT_DELAYED_WORK(&loop->remove_work, tcm_loop_remove_work);
}

void tcm_loop_remove_host(struct tcm_loop *loop)
{
	loop->removed_at = jiffies;
	queue_delayed_work(tcm_loop_wq, &loop->remove_work, 0);
}

int tcm_loop_scan_init(void)
{
	tcm_loop_wq = alloc_workqueue("tcm_loop", WQ_UNBOUND, 0);
	return tcm_loop_wq ? 0 : -ENOMEM;
}

void tcm_loop_scan_exit(void)
{
	/* Ends when the backends give the last commands back; only the module's unload waits. */
	while (!wait_event_timeout(tcm_loop_hosts_wait, !atomic_read(&tcm_loop_hosts), 10 * HZ))
		pr_warn("tcm_loop: unloading waits for %d SCSI hosts with commands out\n",
			atomic_read(&tcm_loop_hosts));
	destroy_workqueue(tcm_loop_wq);
}
