// SPDX-License-Identifier: GPL-2.0-only
/*
 * statistics/ of a LUN (configfs contract, section 8.3). Without a link all read as -ENODEV.
 */
#include <linux/module.h>
#include "../core/target.h"
#include "attr.h"
#include "lun.h"

#define TCM_LUN_STAT(group, name, fmt, ...)						\
static ssize_t tcm_##group##_##name##_show(struct config_item *item, char *page)	\
{											\
	struct tcm_cfs_lun *clun = tcm_item_lun(item);					\
	struct tcm_lun *lun = tcm_lun_hold(clun);					\
	ssize_t len;									\
											\
	if (!lun)									\
		return -ENODEV;								\
	len = sysfs_emit(page, fmt, __VA_ARGS__);					\
	tcm_lun_unhold(clun);								\
	return len;									\
}											\
CONFIGFS_ATTR_RO(tcm_##group##_, name)

static struct tcm_map_stats tcm_lun_counts(struct tcm_lun *lun)
{
	struct tcm_map_stats sum;

	tcm_lun_sum(lun, &sum);
	return sum;
}

TCM_LUN_STAT(scsi_port, inst, "%u\n", lun->dev->inst);
TCM_LUN_STAT(scsi_port, dev, "%u\n", lun->dev->index);
TCM_LUN_STAT(scsi_port, indx, "%u\n", tcm_lun_rtpi(lun));
TCM_LUN_STAT(scsi_port, role, "Device%u\n", lun->dev->index);
TCM_LUN_STAT(scsi_port, busy_count, "%u\n", 0);

static struct configfs_attribute *tcm_scsi_port_attrs[] = {
	TCM_ROW(scsi_port, inst),
	TCM_ROW(scsi_port, dev),
	TCM_ROW(scsi_port, indx),
	TCM_ROW(scsi_port, role),
	TCM_ROW(scsi_port, busy_count),
	NULL
};

TCM_LUN_STAT(scsi_tgt_port, inst, "%u\n", lun->dev->inst);
TCM_LUN_STAT(scsi_tgt_port, dev, "%u\n", lun->dev->index);
TCM_LUN_STAT(scsi_tgt_port, indx, "%u\n", tcm_lun_rtpi(lun));
TCM_LUN_STAT(scsi_tgt_port, name, "%sPort#%u\n", lun->tpg->ops->name, tcm_lun_rtpi(lun));
TCM_LUN_STAT(scsi_tgt_port, port_index, "%s+t+%u\n", lun->tpg->wwn->scsi_name,
	     lun->tpg->tag);
TCM_LUN_STAT(scsi_tgt_port, in_cmds, "%llu\n", tcm_lun_counts(lun).started);
TCM_LUN_STAT(scsi_tgt_port, write_mbytes, "%llu\n", tcm_lun_counts(lun).wr_bytes >> 20);
TCM_LUN_STAT(scsi_tgt_port, read_mbytes, "%llu\n", tcm_lun_counts(lun).rd_bytes >> 20);
TCM_LUN_STAT(scsi_tgt_port, hs_in_cmds, "%u\n", 0);

static struct configfs_attribute *tcm_scsi_tgt_port_attrs[] = {
	TCM_ROW(scsi_tgt_port, inst),
	TCM_ROW(scsi_tgt_port, dev),
	TCM_ROW(scsi_tgt_port, indx),
	TCM_ROW(scsi_tgt_port, name),
	TCM_ROW(scsi_tgt_port, port_index),
	TCM_ROW(scsi_tgt_port, in_cmds),
	TCM_ROW(scsi_tgt_port, write_mbytes),
	TCM_ROW(scsi_tgt_port, read_mbytes),
	TCM_ROW(scsi_tgt_port, hs_in_cmds),
	NULL
};

TCM_LUN_STAT(scsi_transport, inst, "%u\n", lun->dev->inst);
TCM_LUN_STAT(scsi_transport, device, "scsiTransport%s\n", lun->tpg->ops->name);
TCM_LUN_STAT(scsi_transport, indx, "%u\n", lun->tpg->tag);
/* The unit serial cannot change while a LUN links to the device. */
TCM_LUN_STAT(scsi_transport, dev_name, "%s+%s\n", lun->tpg->wwn->name,
	     *lun->dev->serial ? lun->dev->serial : lun->dev->vendor);
TCM_LUN_STAT(scsi_transport, proto_id, "%u\n", lun->tpg->wwn->proto);

static struct configfs_attribute *tcm_scsi_transport_attrs[] = {
	TCM_ROW(scsi_transport, inst),
	TCM_ROW(scsi_transport, device),
	TCM_ROW(scsi_transport, indx),
	TCM_ROW(scsi_transport, dev_name),
	TCM_ROW(scsi_transport, proto_id),
	NULL
};

TCM_STAT_TYPE(tcm_scsi_port);
TCM_STAT_TYPE(tcm_scsi_tgt_port);
TCM_STAT_TYPE(tcm_scsi_transport);

const struct tcm_cfs_sub tcm_lun_stat_subs[] = {
	{ "scsi_port", &tcm_scsi_port_type },
	{ "scsi_tgt_port", &tcm_scsi_tgt_port_type },
	{ "scsi_transport", &tcm_scsi_transport_type },
	{ }
};
