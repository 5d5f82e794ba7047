// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attributes of a device: what may be set to what, and when.
 */
#include <linux/ctype.h>
#include <linux/jiffies.h>
#include <linux/log2.h>
#include <linux/sched.h>
#include <linux/string.h>
#include "attr.h"
#include "device.h"
#include "gate.h"
#include "lu.h"
#include "pi.h"
#include "poll.h"
#include "sbc.h"
#include "target.h"
#include "task.h"
#include "wipe.h"

/* The product shows the backstore's name: 15 characters of it, as it always was. */
static int tcm_set_model_alias(struct tcm_device *dev, u32 value, const char **why)
{
	strscpy(dev->product, value ? dev->name : dev->ops->product ?: "", 16);
	return 0;
}

static int tcm_set_write_cache(struct tcm_device *dev, u32 value, const char **why)
{
	if (value && (dev->ops->flags & TCM_BE_OWN_CACHE))
		return tcm_deny(why, -EINVAL, "the device reports its own cache");
	return 0;
}

/*
 * The limits count in blocks of the medium, the attributes in those of the unit. What is no whole
 * number of them is rounded up; the blocks of the unit then begin nowhere in particular.
 */
static void tcm_attr_scale_unmap(struct tcm_device *dev)
{
	const struct tcm_limits *lim = &dev->limits;
	struct tcm_dev_attr *attr = &dev->attr;
	u32 ratio = attr->block_size / lim->block_size;

	attr->unmap_granularity = DIV_ROUND_UP(lim->unmap_granularity, ratio);
	attr->unmap_granularity_alignment = 0;
	if (!(lim->unmap_granularity % ratio) && !(lim->unmap_alignment % ratio))
		attr->unmap_granularity_alignment = lim->unmap_alignment / ratio;
}

int tcm_attr_fill_unmap(struct tcm_device *dev)
{
	const struct tcm_limits *lim = &dev->limits;
	struct tcm_dev_attr *attr = &dev->attr;

	lockdep_assert_held(&tcm_config_mutex);
	if (!lim->max_unmap_lba)
		return -ENOSYS;
	attr->max_unmap_lba_count = lim->max_unmap_lba;
	attr->max_unmap_block_desc_count = lim->max_unmap_desc ?: 1;
	tcm_attr_scale_unmap(dev);
	attr->unmap_zeroes_data = lim->unmap_zeroes;
	return 0;
}

/* Whatever makes UNMAP visible needs limits to show. */
static int tcm_set_unmap_user(struct tcm_device *dev, u32 value, const char **why)
{
	if (!value || dev->attr.max_unmap_block_desc_count)
		return 0;
	if (!test_bit(TCM_DEV_CONFIGURED, &dev->flags))
		return tcm_deny(why, -ENODEV, "the device is not enabled");
	if (tcm_attr_fill_unmap(dev))
		return tcm_deny(why, -ENOSYS, "the device cannot unmap");
	return 0;
}

/* How long is waited for the last commands of LUNs that are gone: the call takes no second */
#define TCM_ATTR_PATIENCE	(3 * HZ / 4)

/* Try again while commands are out, for a time. */
static bool tcm_attr_retry(int err, unsigned long since)
{
	if (err != -EBUSY || time_after(jiffies, since + TCM_ATTR_PATIENCE))
		return false;
	return !schedule_timeout_killable(HZ / 50 + 1);
}

/* The storage that it needs may take time to come: not under tcm_config_mutex. */
static int tcm_attr_set_pi_type(struct tcm_device *dev, u32 value, const char **why)
{
	unsigned long since = jiffies;
	int err = 0;

	mutex_lock(&dev->pi_lock);
	/* A disk with protection of its own keeps it, whatever is asked for. */
	if (value > TCM_PI_TYPES)
		err = tcm_deny(why, -EINVAL, "not a protection type");
	else if (value == tcm_pi_type(dev) || dev->attr.hw_pi_prot_type)
		;
	else if (!test_bit(TCM_DEV_CONFIGURED, &dev->flags))
		err = tcm_deny(why, -ENODEV, "the device is not enabled");
	else if (!tcm_pi_possible(dev))
		err = tcm_deny(why, -ENOSYS, "the backend keeps no protection information");
	else
		do
			err = tcm_pi_set_type(dev, value, TCM_PI_IDLE);
		while (tcm_attr_retry(err, since));
	/* It takes the place of what FORMAT UNIT made of it, also where that is the same. */
	if (!err)
		tcm_wipe_pi_changed(dev);
	mutex_unlock(&dev->pi_lock);
	if (err && !*why)
		*why = err == -EINVAL ? "a LUN links to the device" :
		       err == -EBUSY ? "commands are out" : "there is no room for it";
	return err;
}

static int tcm_set_pi_verify(struct tcm_device *dev, u32 value, const char **why)
{
	/* Without emulated protection there is nothing to verify: ignored, not refused. */
	return dev->attr.hw_pi_prot_type || !dev->attr.pi_prot_type ? 1 : 0;
}

int tcm_attr_pi_format(struct tcm_device *dev, u32 value, const char **why)
{
	unsigned long since = jiffies;
	int err;

	if (value > 1)
		return tcm_deny(why, -EINVAL, "0 or 1");
	if (!value)
		return 0;
	if (!dev->backend->pi_format)
		return tcm_deny(why, -ENOSYS, "the backend cannot do that");
	mutex_lock(&dev->pi_lock);
	if (!tcm_pi_type(dev))
		err = tcm_deny(why, -ENODEV, "there is no protection type");
	else
		do
			err = tcm_pi_format(dev);
		while (tcm_attr_retry(err, since));
	mutex_unlock(&dev->pi_lock);
	if (err && !*why)
		*why = err == -EINVAL ? "a LUN links to the device" :
		       err == -EBUSY ? "commands are out" : "it cannot be written";
	return err;
}

static int tcm_set_rest_reord(struct tcm_device *dev, u32 value, const char **why)
{
	return value ? tcm_deny(why, -ENOSYS, "restricted reordering is not supported") : 0;
}

static int tcm_set_block_size(struct tcm_device *dev, u32 value, const char **why)
{
	if (!is_power_of_2(value) || value < 512 || value > 4096)
		return tcm_deny(why, -EINVAL, "512, 1024, 2048 or 4096");
	if (value < dev->attr.hw_block_size)
		return tcm_deny(why, -EINVAL, "smaller than a block of the device");
	if (dev->limits.pi_type && value != dev->attr.hw_block_size)
		return tcm_deny(why, -EINVAL, "the disk has protection information for each block");
	/*
	 * What a LUN that is gone has left behind counts in blocks of the old size still. The
	 * directory has one reference; each LUN, until its last command is back, another.
	 */
	if (refcount_read(&dev->ref) > 1)
		return tcm_deny(why, -EBUSY, "commands are out");
	dev->attr.block_size = value;
	if (test_bit(TCM_DEV_CONFIGURED, &dev->flags) && dev->attr.max_unmap_block_desc_count)
		tcm_attr_scale_unmap(dev);
	tcm_device_adopt_block_size(dev);
	return 0;
}

static int tcm_set_phys_block(struct tcm_device *dev, u32 value, const char **why)
{
	if (value && (!is_power_of_2(value) || value < 512))
		return tcm_deny(why, -EINVAL, "0, or a power of 2 from 512 to 65536");
	return 0;
}

static int tcm_set_optimal(struct tcm_device *dev, u32 value, const char **why)
{
	if (value > dev->attr.hw_max_sectors)
		return tcm_deny(why, -EINVAL, "more than hw_max_sectors");
	return 0;
}

static int tcm_set_queue_depth(struct tcm_device *dev, u32 value, const char **why)
{
	if (!value)
		return tcm_deny(why, -EINVAL, "must not be 0");
	if (value > dev->attr.queue_depth && value > dev->attr.hw_queue_depth)
		return tcm_deny(why, -EINVAL, "more than hw_queue_depth");
	return 0;
}

static int tcm_set_task_set_max(struct tcm_device *dev, u32 value, const char **why)
{
	tcm_task_limit(dev, value, dev->attr.task_nexus_max);
	return 0;
}

static int tcm_set_task_nexus_max(struct tcm_device *dev, u32 value, const char **why)
{
	tcm_task_limit(dev, dev->attr.task_set_max, value);
	return 0;
}

/* A nexus that comes meanwhile has the bit by the value, those there are by this. */
static int tcm_set_submit_type(struct tcm_device *dev, u32 value, const char **why)
{
	spin_lock_irq(&dev->lun_lock);
	WRITE_ONCE(dev->attr.submit_type, value);
	tcm_gate_device(dev, TCM_GATE_QUEUE, value == TCM_SUBMIT_QUEUE);
	spin_unlock_irq(&dev->lun_lock);
	return 0;
}

static int tcm_set_alua_support(struct tcm_device *dev, u32 value, const char **why)
{
	return tcm_deny(why, -ENOSYS, "fixed for this kind of device");
}

static int tcm_set_pgr_support(struct tcm_device *dev, u32 value, const char **why)
{
	if (!dev->backend->pr_out)
		return tcm_deny(why, -ENOSYS, "fixed for this kind of device");
	if (value)
		return 0;
	if (!test_bit(TCM_DEV_CONFIGURED, &dev->flags))
		return tcm_deny(why, -ENODEV, "the device is not enabled");
	if (!(dev->limits.pr_pass & TCM_PR_PASS_OUT))
		return tcm_deny(why, -ENOSYS, "the disk keeps no reservations");
	return 0;
}

#define TCM_ATTR_ROW(name, kind_, flags_, max_, setter)				\
	[TCM_ATTR_##name] = {							\
		.offset	= offsetof(struct tcm_dev_attr, name),			\
		.kind	= TCM_ATTR_##kind_,					\
		.flags	= flags_,						\
		.max	= max_,							\
		.set	= setter,						\
	},

const struct tcm_attr_row tcm_attr_rows[TCM_ATTR_COUNT] = {
	TCM_DEV_ATTRS(TCM_ATTR_ROW)
};

static int tcm_attr_change(struct tcm_device *dev, enum tcm_attr_id id, u32 value,
			   const char **why)
{
	const struct tcm_attr_row *row = &tcm_attr_rows[id];
	u32 *at = tcm_attr_at(dev, id);
	int err;

	lockdep_assert_held(&tcm_config_mutex);
	if (value == *at)
		return 0;
	if (value > row->max)
		return tcm_deny(why, -EINVAL, "out of range");
	if ((row->flags & TCM_ATTR_IDLE) && dev->exports)
		return tcm_deny(why, -EINVAL, "a LUN links to the device");
	if (row->set) {
		err = row->set(dev, value, why);
		if (err)
			return err < 0 ? err : 0;
	}
	if (row->flags & TCM_ATTR_MODE)
		tcm_mode_write_attr(dev, at, value);
	else
		WRITE_ONCE(*at, value);
	if (row->flags & TCM_ATTR_MODE)
		tcm_ua_raise_device(dev, TCM_UA_MODE_CHANGED, NULL);
	if (row->flags & TCM_ATTR_VPD)
		tcm_ua_raise_device(dev, TCM_UA_INQUIRY_CHANGED, NULL);
	return 0;
}

int tcm_attr_set(struct tcm_device *dev, enum tcm_attr_id id, u32 value, const char **why)
{
	unsigned long since = jiffies;
	bool wce;
	int err;

	if (id == TCM_ATTR_pi_prot_type)
		return tcm_attr_set_pi_type(dev, value, why);
	do {
		mutex_lock(&tcm_config_mutex);
		wce = tcm_dev_wce(dev);
		err = tcm_attr_change(dev, id, value, why);
		if (!err && test_bit(TCM_DEV_CONFIGURED, &dev->flags))
			tcm_poll_start(dev);
		wce = wce && !tcm_dev_wce(dev);
		mutex_unlock(&tcm_config_mutex);
		if (wce)
			tcm_sbc_cache_off(dev);
	} while (tcm_attr_retry(err, since));
	return err;
}

static char *tcm_device_text_at(struct tcm_device *dev, enum tcm_device_text which, size_t *size)
{
	switch (which) {
	case TCM_TEXT_ALIAS:
		*size = sizeof(dev->alias);
		return dev->alias;
	case TCM_TEXT_UDEV_PATH:
		*size = sizeof(dev->udev_path);
		return dev->udev_path;
	case TCM_TEXT_VENDOR:
		*size = sizeof(dev->vendor);
		return dev->vendor;
	case TCM_TEXT_PRODUCT:
		*size = sizeof(dev->product);
		return dev->product;
	case TCM_TEXT_REVISION:
		*size = sizeof(dev->revision);
		return dev->revision;
	case TCM_TEXT_SERIAL:
		break;
	}
	*size = sizeof(dev->serial);
	return dev->serial;
}

static int tcm_text_check(struct tcm_device *dev, enum tcm_device_text which, const char *text,
			  size_t size, const char **why)
{
	bool inquiry = which == TCM_TEXT_VENDOR || which == TCM_TEXT_PRODUCT ||
		       which == TCM_TEXT_REVISION;
	bool identity = inquiry || which == TCM_TEXT_SERIAL;
	const char *c;

	if (strlen(text) >= size)
		return tcm_deny(why, identity ? -EOVERFLOW : -EINVAL, "too long");
	for (c = text; inquiry && *c; c++)
		if (!isascii(*c) || !isprint(*c))
			return tcm_deny(why, -EINVAL, "not printable ASCII");
	/* Backends look at it while they open. */
	if (which == TCM_TEXT_UDEV_PATH && test_bit(TCM_DEV_OPENING, &dev->flags))
		return tcm_deny(why, -EBUSY, "the device is being enabled");
	if (which == TCM_TEXT_SERIAL && test_bit(TCM_DEV_SERIAL_FIXED, &dev->flags))
		return tcm_deny(why, -EOPNOTSUPP, "the device has a serial number of its own");
	if (identity && dev->exports)
		return tcm_deny(why, -EINVAL, "a LUN links to the device");
	return 0;
}

/* Devices that are passed through pad what they say; who writes it back leaves that out. */
static bool tcm_text_same(const char *a, const char *b)
{
	size_t len = strlen(b);

	return !strncmp(a, b, len) && !*skip_spaces(a + len);
}

int tcm_device_set_text(struct tcm_device *dev, enum tcm_device_text which, const char *text,
			const char **why)
{
	size_t size;
	char *at;
	int err = 0;

	mutex_lock(&tcm_config_mutex);
	at = tcm_device_text_at(dev, which, &size);
	if (!tcm_text_same(at, text)) {
		err = tcm_text_check(dev, which, text, size, why);
		if (!err)
			strscpy(at, text, size);
		if (!err && which == TCM_TEXT_SERIAL)
			tcm_lu_renamed(dev);
	}
	mutex_unlock(&tcm_config_mutex);
	return err;
}

void tcm_device_get_text(struct tcm_device *dev, enum tcm_device_text which, char *buf,
			 size_t size)
{
	size_t room;

	mutex_lock(&tcm_config_mutex);
	strscpy(buf, tcm_device_text_at(dev, which, &room), size);
	mutex_unlock(&tcm_config_mutex);
}

int tcm_device_set_company(struct tcm_device *dev, u32 id, const char **why)
{
	int err = 0;

	if (id >= 0x1000000)
		return tcm_deny(why, -EOVERFLOW, "more than 24 bits");
	mutex_lock(&tcm_config_mutex);
	if (id != dev->company_id && dev->exports)
		err = tcm_deny(why, -EINVAL, "a LUN links to the device");
	else
		dev->company_id = id;
	mutex_unlock(&tcm_config_mutex);
	return err;
}
