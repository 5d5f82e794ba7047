// SPDX-License-Identifier: GPL-2.0-only
/*
 * statistics/ of a mapped LUN (configfs contract, section 8.4). Without a link all read as
 * -ENODEV, and what speaks of a session does so without one, too.
 */
#include <linux/module.h>
#include "../core/target.h"
#include "attr.h"
#include "lun.h"

/* What the expressions of the rows may use */
struct tcm_mlun_seen {
	const struct tcm_acl		*acl;
	const struct tcm_tpg		*tpg;
	u64				created;
	struct tcm_mlun_view		view;
	struct tcm_map_stats		sum;
};

static int tcm_mlun_see(struct config_item *item, struct tcm_mlun_seen *seen)
{
	struct tcm_cfs_mlun *cmlun = tcm_item_mlun(item);
	int err = -ENODEV;

	seen->acl = cmlun->acl;
	seen->tpg = cmlun->acl->tpg;
	mutex_lock(&cmlun->lock);
	if (cmlun->mlun) {
		seen->created = cmlun->mlun->created;
		tcm_mlun_sum(cmlun->mlun, &seen->sum);
		err = tcm_mlun_look(cmlun->mlun, &seen->view);
	}
	mutex_unlock(&cmlun->lock);
	return err;
}

#define TCM_MLUN_SHOW(group, name, needs_session, fmt, ...)				\
static ssize_t tcm_##group##_##name##_show(struct config_item *item, char *page)	\
{											\
	struct tcm_mlun_seen m;								\
	int err = tcm_mlun_see(item, &m);						\
											\
	if (!err && (needs_session) && !m.view.has_session)				\
		err = -ENODEV;								\
	return err ?: sysfs_emit(page, fmt, __VA_ARGS__);				\
}											\
CONFIGFS_ATTR_RO(tcm_##group##_, name)

#define TCM_MLUN_STAT(group, name, fmt, ...) TCM_MLUN_SHOW(group, name, false, fmt, __VA_ARGS__)
#define TCM_SESS_STAT(group, name, fmt, ...) TCM_MLUN_SHOW(group, name, true, fmt, __VA_ARGS__)

TCM_MLUN_STAT(scsi_auth_intr, inst, "%u\n", m.tpg->wwn->inst);
TCM_MLUN_STAT(scsi_auth_intr, dev, "%u\n", m.view.lun_index);
TCM_MLUN_STAT(scsi_auth_intr, port, "%u\n", m.tpg->tag);
TCM_MLUN_STAT(scsi_auth_intr, indx, "%u\n", m.acl->index);
TCM_MLUN_STAT(scsi_auth_intr, dev_or_port, "%u\n", 1);
TCM_MLUN_STAT(scsi_auth_intr, intr_name, "%s\n", m.acl->name);
TCM_MLUN_STAT(scsi_auth_intr, map_indx, "%u\n", 0);
TCM_MLUN_STAT(scsi_auth_intr, att_count, "%u\n", m.view.attach_count);
TCM_MLUN_STAT(scsi_auth_intr, num_cmds, "%llu\n", m.sum.started);
TCM_MLUN_STAT(scsi_auth_intr, read_mbytes, "%llu\n", m.sum.rd_bytes >> 20);
TCM_MLUN_STAT(scsi_auth_intr, write_mbytes, "%llu\n", m.sum.wr_bytes >> 20);
TCM_MLUN_STAT(scsi_auth_intr, hs_num_cmds, "%u\n", 0);
TCM_MLUN_STAT(scsi_auth_intr, creation_time, "%u\n", tcm_centisecs(m.created));
TCM_MLUN_STAT(scsi_auth_intr, row_status, "%s\n", "Ready");

static struct configfs_attribute *tcm_scsi_auth_intr_attrs[] = {
	TCM_ROW(scsi_auth_intr, inst),
	TCM_ROW(scsi_auth_intr, dev),
	TCM_ROW(scsi_auth_intr, port),
	TCM_ROW(scsi_auth_intr, indx),
	TCM_ROW(scsi_auth_intr, dev_or_port),
	TCM_ROW(scsi_auth_intr, intr_name),
	TCM_ROW(scsi_auth_intr, map_indx),
	TCM_ROW(scsi_auth_intr, att_count),
	TCM_ROW(scsi_auth_intr, num_cmds),
	TCM_ROW(scsi_auth_intr, read_mbytes),
	TCM_ROW(scsi_auth_intr, write_mbytes),
	TCM_ROW(scsi_auth_intr, hs_num_cmds),
	TCM_ROW(scsi_auth_intr, creation_time),
	TCM_ROW(scsi_auth_intr, row_status),
	NULL
};

TCM_MLUN_STAT(scsi_att_intr_port, inst, "%u\n", m.tpg->wwn->inst);
TCM_MLUN_STAT(scsi_att_intr_port, dev, "%u\n", m.view.lun_index);
TCM_MLUN_STAT(scsi_att_intr_port, port, "%u\n", m.tpg->tag);
TCM_SESS_STAT(scsi_att_intr_port, indx, "%u\n", m.view.sess_index);
TCM_MLUN_STAT(scsi_att_intr_port, port_auth_indx, "%u\n", m.acl->index);
TCM_SESS_STAT(scsi_att_intr_port, port_ident, "%s+i+%s\n", m.acl->name, m.view.isid);

static struct configfs_attribute *tcm_scsi_att_intr_port_attrs[] = {
	TCM_ROW(scsi_att_intr_port, inst),
	TCM_ROW(scsi_att_intr_port, dev),
	TCM_ROW(scsi_att_intr_port, port),
	TCM_ROW(scsi_att_intr_port, indx),
	TCM_ROW(scsi_att_intr_port, port_auth_indx),
	TCM_ROW(scsi_att_intr_port, port_ident),
	NULL
};

TCM_STAT_TYPE(tcm_scsi_auth_intr);
TCM_STAT_TYPE(tcm_scsi_att_intr_port);

const struct tcm_cfs_sub tcm_mlun_stat_subs[] = {
	{ "scsi_auth_intr", &tcm_scsi_auth_intr_type },
	{ "scsi_att_intr_port", &tcm_scsi_att_intr_port_type },
	{ }
};
