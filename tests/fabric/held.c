// SPDX-License-Identifier: GPL-2.0-only
/*
 * core/test_<n>/: a medium that keeps what it is asked until somebody says otherwise, so that
 * a test decides when a backend answers, from which context, and what.
 *
 *	control:	size=BYTES		before enable
 *			hold=1 | hold=0		keep accesses; let go of all and serve at once
 *			release=N		let go of the N oldest
 *			fail=1 | fail=0		what is let go ends with an I/O error
 *			copy=1 | copy=0		copies to this device are one access of its own
 *			hang=1 | hang=0		poll() does not return
 *	/sys/module/tcm_test/parameters/held: accesses that are kept, of all devices. Writing
 *	lets go of all, of a poll(), too: also of those whose directory is gone.
 *	/sys/module/tcm_test/parameters/devices: devices that have not ended
 *	/sys/module/tcm_test/parameters/hanging: those of them that hang in poll()
 */
#include <linux/irq_work.h>
#include <linux/kstrtox.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <tcm/backend.h>
#include "tfab.h"

struct tcm_held {
	struct tcm_device	*dev;
	u8			*mem;
	u64			size;
	bool			hold, fail, hang, copy; /* tcm_held_lock */
	struct list_head	ios;		/* struct tcm_held_io; tcm_held_lock */
	struct list_head	node;		/* tcm_held_devs; tcm_held_lock */
};

/* In tcm_io.scratch */
struct tcm_held_io {
	struct list_head	node;
	struct llist_node	ended;
	struct tcm_io		*io;
	bool			flush, copy;
	enum tcm_sense		sense;
};

static_assert(sizeof(struct tcm_held_io) <= TCM_IO_SCRATCH);

/* protects all of struct tcm_held but @mem, and the list of devices; any context */
static DEFINE_SPINLOCK(tcm_held_lock);
static LIST_HEAD(tcm_held_devs);
static unsigned int tcm_held_count, tcm_held_devices, tcm_held_hanging;
static DECLARE_WAIT_QUEUE_HEAD(tcm_held_hang_wait);

/* What was let go ends in a hard interrupt, as that of a disk would. */
static LLIST_HEAD(tcm_held_ended);

static void tcm_held_interrupt(struct irq_work *work)
{
	struct llist_node *batch = llist_reverse_order(llist_del_all(&tcm_held_ended));
	struct tcm_held_io *hio, *next;

	llist_for_each_entry_safe(hio, next, batch, ended)
		tcm_io_done(hio->io, hio->sense);
}
static DEFINE_IRQ_WORK(tcm_held_irq, tcm_held_interrupt);

static void tcm_held_serve(struct tcm_held *held, struct tcm_held_io *hio)
{
	struct tcm_io *io = hio->io;
	struct tcm_held *src;

	hio->sense = TCM_OK;
	if (held->fail) {
		hio->sense = io->write ? TCM_WRITE_ERROR : TCM_READ_ERROR;
	} else if (hio->copy) {
		src = io->src->priv;
		memmove(held->mem + io->pos, src->mem + io->src_pos, io->len);
	} else if (!hio->flush && io->write) {
		sg_pcopy_to_buffer(io->sg, sg_nents(io->sg), held->mem + io->pos, io->len,
				   io->skip);
	} else if (!hio->flush) {
		sg_pcopy_from_buffer(io->sg, sg_nents(io->sg), held->mem + io->pos, io->len,
				     io->skip);
	}
	llist_add(&hio->ended, &tcm_held_ended);
	irq_work_queue(&tcm_held_irq);
}

static void tcm_held_release(struct tcm_held *held, unsigned int n)
{
	struct tcm_held_io *hio, *next;

	lockdep_assert_held(&tcm_held_lock);
	list_for_each_entry_safe(hio, next, &held->ios, node) {
		if (!n--)
			break;
		list_del(&hio->node);
		tcm_held_count--;
		tcm_held_serve(held, hio);
	}
}

static void tcm_held_take(struct tcm_io *io, bool flush, bool copy)
{
	struct tcm_held *held = io->dev->priv;
	struct tcm_held_io *hio = (struct tcm_held_io *)io->scratch;
	unsigned long flags;

	hio->io = io;
	hio->flush = flush;
	hio->copy = copy;
	spin_lock_irqsave(&tcm_held_lock, flags);
	if (held->hold) {
		list_add_tail(&hio->node, &held->ios);
		tcm_held_count++;
	} else {
		tcm_held_serve(held, hio);
	}
	spin_unlock_irqrestore(&tcm_held_lock, flags);
}

static void tcm_held_submit(struct tcm_io *io)
{
	tcm_held_take(io, false, false);
}

static void tcm_held_flush(struct tcm_io *io)
{
	tcm_held_take(io, true, false);
}

static void tcm_held_copy(struct tcm_io *io)
{
	struct tcm_held *held = io->dev->priv;

	if (READ_ONCE(held->copy))
		tcm_held_take(io, false, true);
	else
		tcm_io_done(io, TCM_INVALID_OPCODE);
}

static int tcm_held_create(struct tcm_device *dev)
{
	struct tcm_held *held = kzalloc(sizeof(*held), GFP_KERNEL);

	if (!held)
		return -ENOMEM;
	held->dev = dev;
	INIT_LIST_HEAD(&held->ios);
	dev->priv = held;
	spin_lock_irq(&tcm_held_lock);
	list_add_tail(&held->node, &tcm_held_devs);
	tcm_held_devices++;
	spin_unlock_irq(&tcm_held_lock);
	return 0;
}

static void tcm_held_destroy(struct tcm_device *dev)
{
	struct tcm_held *held = dev->priv;

	spin_lock_irq(&tcm_held_lock);
	list_del(&held->node);
	tcm_held_devices--;
	WARN_ON(!list_empty(&held->ios));
	spin_unlock_irq(&tcm_held_lock);
	kfree(held);
}

static int tcm_held_parse(struct tcm_device *dev, const char *key, char *value)
{
	struct tcm_held *held = dev->priv;
	unsigned int n;
	int err = kstrtouint(value, 0, &n);

	if (strcmp(key, "size") && strcmp(key, "hold") && strcmp(key, "fail") &&
	    strcmp(key, "release") && strcmp(key, "hang") && strcmp(key, "copy"))
		return -ENOENT;
	if (err)
		return err;
	if (!strcmp(key, "size")) {
		if (held->mem || n > 64 << 20)
			return -EINVAL;
		held->size = n;
		return 0;
	}
	spin_lock_irq(&tcm_held_lock);
	if (!strcmp(key, "hold"))
		held->hold = n;
	else if (!strcmp(key, "fail"))
		held->fail = n;
	else if (!strcmp(key, "copy"))
		WRITE_ONCE(held->copy, n);
	else if (!strcmp(key, "hang"))
		WRITE_ONCE(held->hang, n);
	else
		tcm_held_release(held, n);
	if (!held->hold)
		tcm_held_release(held, UINT_MAX);
	spin_unlock_irq(&tcm_held_lock);
	wake_up_all(&tcm_held_hang_wait);
	return 0;
}

/* As of a file whose server is away. */
static void tcm_held_poll(struct tcm_device *dev)
{
	struct tcm_held *held = dev->priv;

	if (!READ_ONCE(held->hang))
		return;
	spin_lock_irq(&tcm_held_lock);
	tcm_held_hanging++;
	spin_unlock_irq(&tcm_held_lock);
	wait_event_idle(tcm_held_hang_wait, !READ_ONCE(held->hang));
	spin_lock_irq(&tcm_held_lock);
	tcm_held_hanging--;
	spin_unlock_irq(&tcm_held_lock);
}

static int tcm_held_open(struct tcm_device *dev)
{
	struct tcm_held *held = dev->priv;

	if (!held->size)
		return -EINVAL;
	held->mem = kvzalloc(held->size, GFP_KERNEL);
	if (!held->mem)
		return -ENOMEM;
	dev->limits = (struct tcm_limits) {
		.block_size	= 512,
		.max_sectors	= 8192,
		.queue_depth	= 128,
		.write_cache	= true,
	};
	return 0;
}

static void tcm_held_close(struct tcm_device *dev)
{
	struct tcm_held *held = dev->priv;

	kvfree(held->mem);
	held->mem = NULL;
}

static ssize_t tcm_held_info(struct tcm_device *dev, char *buf, size_t size)
{
	struct tcm_held *held = dev->priv;
	struct tcm_held_io *hio;
	unsigned int n = 0;

	spin_lock_irq(&tcm_held_lock);
	list_for_each_entry(hio, &held->ios, node)
		n++;
	spin_unlock_irq(&tcm_held_lock);
	return scnprintf(buf, size, "TCM test  size: %llu  hold: %d  held: %u\n", held->size,
			 held->hold, n);
}

static u64 tcm_held_capacity(struct tcm_device *dev)
{
	struct tcm_held *held = dev->priv;

	return held->size;
}

static struct tcm_backend_ops tcm_held_ops = {
	.name		= "test",
	.product	= "TEST",
	.owner		= THIS_MODULE,
	.flags		= TCM_BE_ATOMIC,
	.create		= tcm_held_create,
	.destroy	= tcm_held_destroy,
	.parse		= tcm_held_parse,
	.open		= tcm_held_open,
	.close		= tcm_held_close,
	.info		= tcm_held_info,
	.capacity	= tcm_held_capacity,
	.poll		= tcm_held_poll,
	.submit		= tcm_held_submit,
	.flush		= tcm_held_flush,
	.copy		= tcm_held_copy,
};

static int tcm_held_param_set(const char *val, const struct kernel_param *kp)
{
	struct tcm_held *held;

	spin_lock_irq(&tcm_held_lock);
	list_for_each_entry(held, &tcm_held_devs, node) {
		held->hold = false;
		WRITE_ONCE(held->hang, false);
		tcm_held_release(held, UINT_MAX);
	}
	spin_unlock_irq(&tcm_held_lock);
	wake_up_all(&tcm_held_hang_wait);
	return 0;
}

static int tcm_held_param_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(tcm_held_count));
}

static const struct kernel_param_ops tcm_held_param_ops = {
	.set = tcm_held_param_set,
	.get = tcm_held_param_get,
};
module_param_cb(held, &tcm_held_param_ops, NULL, 0600);
MODULE_PARM_DESC(held, "accesses that test devices keep; write to let go of all");

module_param_named(devices, tcm_held_devices, uint, 0400);
MODULE_PARM_DESC(devices, "test devices that have not ended");
module_param_named(hanging, tcm_held_hanging, uint, 0400);
MODULE_PARM_DESC(hanging, "test devices that hang in poll()");

int tcm_test_held_init(void)
{
	return tcm_backend_register(&tcm_held_ops);
}

void tcm_test_held_exit(void)
{
	tcm_backend_unregister(&tcm_held_ops);
	irq_work_sync(&tcm_held_irq);
}
