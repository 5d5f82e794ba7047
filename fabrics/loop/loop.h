/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _TCM_LOOP_H
#define _TCM_LOOP_H

#include <linux/device.h>
#include <linux/workqueue.h>
#include <scsi/scsi_host.h>
#include <tcm/fabric.h>

#define TCM_LOOP_TPGS	32	/* portal groups of a target are SCSI target ids 0..31 */

/* A target: one SCSI host */
struct tcm_loop {
	struct device		dev;
	struct Scsi_Host	*host;
	struct tcm_wwn		*wwn;
	/* adds and removes SCSI devices, in the order in which LUNs come and go */
	struct workqueue_struct	*scan_wq;
	struct tcm_loop_tpg __rcu *tpgs[TCM_LOOP_TPGS];
	struct work_struct	remove_work;
	bool			dying;		/* the host's tags are about to go */
};

/* A portal group: one SCSI target */
struct tcm_loop_tpg {
	struct tcm_loop		*loop;
	struct tcm_tpg		*tpg;
	struct tcm_session __rcu *sess;		/* the nexus; @lock */
	bool			offline;	/* transport_status */
	/* protects @sess against other writers; readers use RCU */
	struct mutex		lock;
	struct Scsi_Host	*host;		/* a reference of its own */
	struct kref		ref;		/* the directory and the nexus */
	struct rcu_head		rcu;
};

extern struct scsi_host_template tcm_loop_template;
extern struct configfs_attribute *tcm_loop_root_attrs[];
extern struct configfs_attribute *tcm_loop_tpg_attrs[];
extern struct configfs_attribute *tcm_loop_attrib_attrs[];

/* host.c */
void tcm_loop_respond(struct tcm_cmd *cmd);
void tcm_loop_for_each_cmd(struct tcm_session *sess, const struct tcm_lun *lun,
			   tcm_cmd_fn fn, void *arg);

/* loop.c */
int tcm_loop_nexus_add(struct tcm_loop_tpg *ltpg, const char *name);
/* -ENODEV: there is none; -EPERM: LUNs are linked and @force is false */
int tcm_loop_nexus_del(struct tcm_loop_tpg *ltpg, bool force);

#endif
