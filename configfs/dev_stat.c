// SPDX-License-Identifier: GPL-2.0-only
/*
 * statistics/ of a device (configfs contract, section 7; the tables are those of RFC 4455).
 */
#include <linux/jiffies.h>
#include <linux/module.h>
#include "../core/attr.h"
#include "../core/device.h"
#include "attr.h"

#define TCM_DEV_STAT(group, name, fmt, value)						\
	TCM_SHOW(group, name, struct tcm_device *dev = tcm_item_dev(item), fmt, value)

static bool tcm_dev_active(const struct tcm_device *dev)
{
	return READ_ONCE(dev->exports);
}

TCM_DEV_STAT(scsi_dev, inst, "%u\n", dev->inst);
TCM_DEV_STAT(scsi_dev, indx, "%u\n", dev->index);
TCM_SHOW_CONST(scsi_dev, role, "Target");
TCM_DEV_STAT(scsi_dev, ports, "%u\n", READ_ONCE(dev->exports));

static struct configfs_attribute *tcm_scsi_dev_attrs[] = {
	TCM_ROW(scsi_dev, inst),
	TCM_ROW(scsi_dev, indx),
	TCM_ROW(scsi_dev, role),
	TCM_ROW(scsi_dev, ports),
	NULL
};

TCM_DEV_STAT(scsi_tgt_dev, inst, "%u\n", dev->inst);
TCM_DEV_STAT(scsi_tgt_dev, indx, "%u\n", dev->index);
TCM_SHOW_CONST(scsi_tgt_dev, num_lus, "1");
/* Without a newline, as it always was. */
TCM_DEV_STAT(scsi_tgt_dev, status, "%s", tcm_dev_active(dev) ? "activated" : "deactivated");
TCM_DEV_STAT(scsi_tgt_dev, non_access_lus, "%u\n", !tcm_dev_active(dev));
TCM_DEV_STAT(scsi_tgt_dev, resets, "%lu\n", atomic_long_read(&dev->resets));
TCM_DEV_STAT(scsi_tgt_dev, aborts_complete, "%lu\n", atomic_long_read(&dev->aborts_complete));
TCM_DEV_STAT(scsi_tgt_dev, aborts_no_task, "%lu\n", atomic_long_read(&dev->aborts_no_task));

static struct configfs_attribute *tcm_scsi_tgt_dev_attrs[] = {
	TCM_ROW(scsi_tgt_dev, inst),
	TCM_ROW(scsi_tgt_dev, indx),
	TCM_ROW(scsi_tgt_dev, num_lus),
	TCM_ROW(scsi_tgt_dev, status),
	TCM_ROW(scsi_tgt_dev, non_access_lus),
	TCM_ROW(scsi_tgt_dev, resets),
	TCM_ROW(scsi_tgt_dev, aborts_complete),
	TCM_ROW(scsi_tgt_dev, aborts_no_task),
	NULL
};

static struct tcm_map_stats tcm_dev_counts(struct tcm_device *dev)
{
	struct tcm_map_stats sum;

	tcm_device_sum(dev, &sum);
	return sum;
}

/* One of the INQUIRY strings, padded to the width that it has there. */
static ssize_t tcm_scsi_lu_text(struct config_item *item, char *page, enum tcm_device_text which,
				int width)
{
	char text[TCM_SERIAL_MAX];

	tcm_device_get_text(tcm_item_dev(item), which, text, sizeof(text));
	if (which == TCM_TEXT_SERIAL && !*text)
		strscpy(text, "None", sizeof(text));
	return tcm_text_clean(page, sysfs_emit(page, "%-*s\n", width, text));
}

#define TCM_LU_TEXT(name, which, width)							\
static ssize_t tcm_scsi_lu_##name##_show(struct config_item *item, char *page)		\
{											\
	return tcm_scsi_lu_text(item, page, which, width);				\
}											\
CONFIGFS_ATTR_RO(tcm_scsi_lu_, name)

TCM_DEV_STAT(scsi_lu, inst, "%u\n", dev->inst);
TCM_DEV_STAT(scsi_lu, dev, "%u\n", dev->index);
TCM_SHOW_CONST(scsi_lu, indx, "1");
TCM_SHOW_CONST(scsi_lu, lun, "0");
TCM_LU_TEXT(lu_name, TCM_TEXT_SERIAL, 0);
TCM_LU_TEXT(vend, TCM_TEXT_VENDOR, 8);
TCM_LU_TEXT(prod, TCM_TEXT_PRODUCT, 16);
TCM_LU_TEXT(rev, TCM_TEXT_REVISION, 4);
TCM_DEV_STAT(scsi_lu, dev_type, "%u\n", dev->type);
TCM_DEV_STAT(scsi_lu, status, "%s\n", tcm_dev_active(dev) ? "available" : "notavailable");
TCM_SHOW_CONST(scsi_lu, state_bit, "exposed");
TCM_DEV_STAT(scsi_lu, num_cmds, "%llu\n", tcm_dev_counts(dev).started);
TCM_DEV_STAT(scsi_lu, read_mbytes, "%llu\n", tcm_dev_counts(dev).rd_bytes >> 20);
TCM_DEV_STAT(scsi_lu, write_mbytes, "%llu\n", tcm_dev_counts(dev).wr_bytes >> 20);
TCM_DEV_STAT(scsi_lu, resets, "%lu\n", atomic_long_read(&dev->resets));
TCM_SHOW_CONST(scsi_lu, full_stat, "0");
TCM_SHOW_CONST(scsi_lu, hs_num_cmds, "0");
/* Hundredths of a second since boot (SNMP TimeStamp) */
TCM_DEV_STAT(scsi_lu, creation_time, "%u\n", tcm_centisecs(dev->created));

static struct configfs_attribute *tcm_scsi_lu_attrs[] = {
	TCM_ROW(scsi_lu, inst),
	TCM_ROW(scsi_lu, dev),
	TCM_ROW(scsi_lu, indx),
	TCM_ROW(scsi_lu, lun),
	TCM_ROW(scsi_lu, lu_name),
	TCM_ROW(scsi_lu, vend),
	TCM_ROW(scsi_lu, prod),
	TCM_ROW(scsi_lu, rev),
	TCM_ROW(scsi_lu, dev_type),
	TCM_ROW(scsi_lu, status),
	TCM_ROW(scsi_lu, state_bit),
	TCM_ROW(scsi_lu, num_cmds),
	TCM_ROW(scsi_lu, read_mbytes),
	TCM_ROW(scsi_lu, write_mbytes),
	TCM_ROW(scsi_lu, resets),
	TCM_ROW(scsi_lu, full_stat),
	TCM_ROW(scsi_lu, hs_num_cmds),
	TCM_ROW(scsi_lu, creation_time),
	NULL
};

TCM_STAT_TYPE(tcm_scsi_dev);
TCM_STAT_TYPE(tcm_scsi_tgt_dev);
TCM_STAT_TYPE(tcm_scsi_lu);

const struct tcm_cfs_sub tcm_dev_stat_subs[] = {
	{ "scsi_dev", &tcm_scsi_dev_type },
	{ "scsi_tgt_dev", &tcm_scsi_tgt_dev_type },
	{ "scsi_lu", &tcm_scsi_lu_type },
	{ }
};
