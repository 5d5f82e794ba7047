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
	/* protects @scans */
	spinlock_t		scan_lock;
	struct list_head	scans;		/* LUNs that come or go: scan.c */
	struct tcm_loop_tpg __rcu *tpgs[TCM_LOOP_TPGS];
	struct delayed_work	remove_work;
	unsigned long		removed_at;	/* jiffies */
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
/* The same for a host that carries protection information */
extern struct scsi_host_template tcm_loop_pi_template;
extern struct configfs_attribute *tcm_loop_root_attrs[];
extern struct configfs_attribute *tcm_loop_tpg_attrs[];
extern struct configfs_attribute *tcm_loop_attrib_attrs[];

/* host.c */
void tcm_loop_init_templates(void);
void tcm_loop_respond(struct tcm_cmd *cmd);
void tcm_loop_visit_cmds(struct tcm_session *sess, const struct tcm_lun *lun,
			 tcm_cmd_fn fn, void *arg);

/* scan.c */
int tcm_loop_scan_init(void);
/* Waits until every host is gone. */
void tcm_loop_scan_exit(void);
/* A LUN appeared or is to go: waits for the SCSI device, but not for long. -ENOMEM */
int tcm_loop_scan(struct tcm_loop_tpg *ltpg, u64 number, bool add);
void tcm_loop_host_added(struct tcm_loop *loop);
/* Remove and free @loop in the background, when its commands are back. */
void tcm_loop_remove_host(struct tcm_loop *loop);

/* loop.c */
int tcm_loop_nexus_add(struct tcm_loop_tpg *ltpg, const char *name);
/* -ENODEV: there is none; -EPERM: LUNs are linked and @force is false */
int tcm_loop_nexus_del(struct tcm_loop_tpg *ltpg, bool force);

#endif
