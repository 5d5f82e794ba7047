// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/tcm_test
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "tfab.h"

static int tcm_test_open(struct inode *inode, struct file *file)
{
	file->private_data = tcm_test_session_new();
	return file->private_data ? 0 : -ENOMEM;
}

static int tcm_test_file_release(struct inode *inode, struct file *file)
{
	struct tcm_test_session *ts = file->private_data;

	tcm_test_session_close(ts);
	tcm_test_session_put(ts);
	return 0;
}

static long tcm_test_ioctl_login(struct tcm_test_session *ts, void __user *arg)
{
	struct tcm_test_login *login = memdup_user(arg, sizeof(*login));
	int err = -EINVAL;

	if (IS_ERR(login))
		return PTR_ERR(login);
	if (strnlen(login->wwn, TCM_TEST_NAME_MAX) == TCM_TEST_NAME_MAX ||
	    strnlen(login->name, TCM_TEST_NAME_MAX) == TCM_TEST_NAME_MAX ||
	    login->slots > TCM_TEST_SLOTS_MAX)
		goto free;
	mutex_lock(&ts->mutex);
	err = ts->logged_in ? -EISCONN : tcm_test_connect(ts, login);
	mutex_unlock(&ts->mutex);
free:
	kfree(login);
	return err;
}

static int tcm_test_fill_slot(struct tcm_test_slot *slot, const struct tcm_test_submit *req)
{
	u32 len = req->dout_len ?: req->din_len;

	if (req->cdb_len > TCM_TEST_CDB_MAX || len > TCM_TEST_DATA_MAX ||
	    (req->dout_len && req->din_len) || (req->flags & ~TCM_TEST_SUBMIT_FLAGS))
		return -EINVAL;
	if (copy_from_user(slot->cdb, u64_to_user_ptr(req->cdb), req->cdb_len))
		return -EFAULT;
	slot->data = len ? kvmalloc(len, GFP_KERNEL) : NULL;
	if (len && !slot->data)
		return -ENOMEM;
	if (req->dout_len && copy_from_user(slot->data, u64_to_user_ptr(req->dout), len))
		return -EFAULT;
	memcpy(&slot->lun, req->lun, sizeof(slot->lun));
	slot->tag = req->tag;
	slot->flags = req->flags;
	slot->attr = req->attr;
	slot->prio = req->prio;
	slot->cdb_len = req->cdb_len;
	slot->dout_len = req->dout_len;
	slot->din_len = req->din_len;
	return 0;
}

static long tcm_test_ioctl_submit(struct tcm_test_session *ts, void __user *arg)
{
	struct tcm_test_submit req;
	struct tcm_test_slot *slot;
	int err;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	slot = tcm_test_slot_get(ts);
	if (IS_ERR(slot))
		return PTR_ERR(slot);
	err = tcm_test_fill_slot(slot, &req);
	if (!err)
		err = tcm_test_slot_submit(slot);
	if (err)
		tcm_test_slot_free(slot);
	return err;
}

static long tcm_test_ioctl_reap(struct tcm_test_session *ts, void __user *arg)
{
	struct tcm_test_reap req;
	struct tcm_test_slot *slot;
	long err = 0;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (req.flags & ~TCM_TEST_REAP_FLAGS)
		return -EINVAL;
	slot = tcm_test_reap(ts, &req);
	if (IS_ERR(slot))
		return PTR_ERR(slot);
	slot->result.tag = slot->tag;
	slot->result.din = req.din;
	slot->result.din_room = slot->din_len ? min(req.din_room, slot->result.xfer_len) : 0;
	slot->result.flags = req.flags;
	if (copy_to_user(u64_to_user_ptr(req.din), slot->data, slot->result.din_room))
		err = -EFAULT;
	if (copy_to_user(arg, &slot->result, sizeof(slot->result)))
		err = -EFAULT;
	tcm_test_slot_free(slot);
	return err;
}

static long tcm_test_ioctl_tmf(struct tcm_test_session *ts, void __user *arg)
{
	struct tcm_test_tmf req;
	int err;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	err = tcm_test_manage(ts, &req);
	if (!err && copy_to_user(arg, &req, sizeof(req)))
		err = -EFAULT;
	return err;
}

static long tcm_test_ioctl_info(struct tcm_test_session *ts, void __user *arg)
{
	struct tcm_test_info info = {};
	struct tcm_test_slot *slot;
	unsigned int i;

	spin_lock_irq(&ts->lock);
	info.busy = ts->busy;
	info.alive = ts->logged_in && !ts->dead;
	list_for_each_entry(slot, &ts->done, node)
		info.done++;
	for (i = 0; i < ts->nslots; i++)
		info.held += ts->slots[i].held;
	spin_unlock_irq(&ts->lock);
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

static long tcm_test_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct tcm_test_session *ts = file->private_data;
	void __user *p = (void __user *)arg;
	u64 tag;

	if (cmd == TCM_TEST_LOGIN)
		return tcm_test_ioctl_login(ts, p);
	if (!READ_ONCE(ts->logged_in))
		return -ENOTCONN;
	switch (cmd) {
	case TCM_TEST_SUBMIT:
		return tcm_test_ioctl_submit(ts, p);
	case TCM_TEST_REAP:
		return tcm_test_ioctl_reap(ts, p);
	case TCM_TEST_TMF:
		return tcm_test_ioctl_tmf(ts, p);
	case TCM_TEST_RELEASE:
		if (copy_from_user(&tag, p, sizeof(tag)))
			return -EFAULT;
		return tcm_test_release(ts, tag);
	case TCM_TEST_INFO:
		return tcm_test_ioctl_info(ts, p);
	case TCM_TEST_LOGOUT:
		tcm_test_session_close(ts);
		return 0;
	default:
		return -ENOTTY;
	}
}

static __poll_t tcm_test_poll(struct file *file, struct poll_table_struct *table)
{
	struct tcm_test_session *ts = file->private_data;
	__poll_t events = 0;

	poll_wait(file, &ts->wait, table);
	spin_lock_irq(&ts->lock);
	if (!list_empty(&ts->done))
		events |= EPOLLIN | EPOLLRDNORM;
	if (ts->dead)
		events |= EPOLLHUP;
	spin_unlock_irq(&ts->lock);
	return events;
}

static const struct file_operations tcm_test_fops = {
	.owner		= THIS_MODULE,
	.open		= tcm_test_open,
	.release	= tcm_test_file_release,
	.unlocked_ioctl	= tcm_test_ioctl,
	.poll		= tcm_test_poll,
	.llseek		= noop_llseek,
};

static struct miscdevice tcm_test_misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "tcm_test",
	.mode	= 0600,
	.fops	= &tcm_test_fops,
};

int tcm_test_dev_init(void)
{
	return misc_register(&tcm_test_misc);
}

void tcm_test_dev_exit(void)
{
	misc_deregister(&tcm_test_misc);
}
