/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The configfs side: groups that wrap the core's objects. Nothing in core/ knows of them.
 */
#ifndef _TCM_CFS_H
#define _TCM_CFS_H

#include <linux/configfs.h>
#include <tcm/fabric.h>

/* core/<plugin>_<n>/ */
struct tcm_cfs_hba {
	struct config_group	group;
	struct tcm_hba		*hba;
};

/* core/<plugin>_<n>/<name>/ */
struct tcm_cfs_device {
	struct config_group	group;
	struct config_group	attrib, wwn;
	struct tcm_device	*dev;
};

/* <fabric>/ */
struct tcm_cfs_fabric {
	struct config_group	group;
	struct config_group	discovery;
	struct tcm_fabric_ops	*ops;
	/* The types carry the fabric's own attributes, so each fabric has a set. */
	struct config_item_type	root_type, discovery_type, wwn_type, tpg_type, attrib_type;
	struct config_item_type	param_type, auth_type;
};

/* <fabric>/<wwn>/ */
struct tcm_cfs_wwn {
	struct config_group	group;
	struct tcm_cfs_fabric	*fabric;
	struct tcm_wwn		*wwn;
};

/* <fabric>/<wwn>/tpgt_<n>/ and its default groups */
struct tcm_cfs_tpg {
	struct config_group	group;
	struct config_group	luns, nps, acls, attrib, auth, param;
	struct tcm_tpg		*tpg;
};

/* tpgt_<n>/lun/lun_<m>/ */
struct tcm_cfs_lun {
	struct config_group	group;
	struct tcm_cfs_tpg	*tpg;
	u64			number;
	struct tcm_lun		*lun;	/* NULL without a link */
};

struct config_item_type;
extern const struct config_item_type tcm_cfs_device_type;

/* The device directory behind an item, or NULL when it is something else. */
struct tcm_cfs_device *tcm_cfs_item_device(struct config_item *item);

struct config_group *tcm_cfs_make_fabric(struct config_group *root, const char *name);
struct config_group *tcm_cfs_make_hba(struct config_group *core, const char *name);
void tcm_cfs_drop_hba(struct config_group *core, struct config_item *item);

#endif
