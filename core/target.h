/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What configuration (configfs/) does to the core's objects. All of these may sleep,
 * take tcm_config_mutex themselves unless they say otherwise, and are bounded in time:
 * removal unpublishes and leaves the rest to the background.
 */
#ifndef _TCM_CORE_TARGET_H
#define _TCM_CORE_TARGET_H

#include <linux/mutex.h>
#include <tcm/fabric.h>
#include <tcm/target.h>

/* Protects the tree: exports, enabled, RTPIs, group membership. Never held across I/O waits. */
extern struct mutex tcm_config_mutex;

/* A refusal: the errno, and in @why the words that the log has for it. */
static inline int tcm_deny(const char **why, int err, const char *reason)
{
	*why = reason;
	return err;
}

int tcm_target_init(void);
void tcm_target_exit(void);

/* Errors: the fabric's, -ENOMEM, -ENAMETOOLONG */
struct tcm_wwn *tcm_wwn_create(const struct tcm_fabric_ops *ops, const char *name);
void tcm_wwn_destroy(struct tcm_wwn *wwn);

/* -EEXIST: @wwn has a group of that tag; else the fabric's */
struct tcm_tpg *tcm_tpg_create(struct tcm_wwn *wwn, u16 tag);
/* LUNs and ACLs are gone; sessions are told to end. */
void tcm_tpg_destroy(struct tcm_tpg *tpg);
/* -EINVAL: the manual RTPI is taken; -EBUSY: no RTPI is free; else the fabric's */
int tcm_tpg_enable(struct tcm_tpg *tpg, bool enable, const char **why);
int tcm_tpg_set_rtpi(struct tcm_tpg *tpg, u16 rtpi, const char **why);
void tcm_tpg_get(struct tcm_tpg *tpg);
void tcm_tpg_put(struct tcm_tpg *tpg);

/*
 * -ENODEV: the device is not enabled or goes away; -EINVAL: no LUN field can say @number;
 * -EEXIST: the number is taken; else the fabric's
 */
struct tcm_lun *tcm_lun_link(struct tcm_tpg *tpg, u64 number, struct tcm_device *dev,
			     const char **why);
/* Mapped LUNs of @lun lose their access; they stay until tcm_mlun_unlink(). */
void tcm_lun_unlink(struct tcm_lun *lun);

/* -EEXIST, or the fabric's veto */
struct tcm_acl *tcm_acl_create(struct tcm_tpg *tpg, const char *name);
void tcm_acl_destroy(struct tcm_acl *acl);

/* -EEXIST: @number is mapped already; -ENODEV: @lun is on its way out */
struct tcm_mapped_lun *tcm_mlun_link(struct tcm_acl *acl, u64 number, struct tcm_lun *lun,
				     bool write_protect);
void tcm_mlun_unlink(struct tcm_mapped_lun *mlun);
void tcm_mlun_set_wp(struct tcm_mapped_lun *mlun, bool wp);
/* What write_protect shows: a LUN of a read only device is protected always. */
bool tcm_mlun_wp(struct tcm_mapped_lun *mlun);

/* Waits until no LUN or session of @ops is ending in the background; names what it waits for. */
void tcm_target_drain(const struct tcm_fabric_ops *ops);

/* The same, but not for long: commands may be out. Killable. */
void tcm_target_settle(const struct tcm_fabric_ops *ops);

/* A session or LUN of the fabric begins, and has ended; its module is in use meanwhile. */
void tcm_target_began(const struct tcm_fabric_ops *ops);
void tcm_target_ended(const struct tcm_fabric_ops *ops);

/* Where LUNs and sessions are freed; tcm_target_drain() waits for it. Any context. */
void tcm_target_queue(struct work_struct *work);

/* The relative target port identifier by which SCSI knows the port of a LUN. */
u16 tcm_lun_rtpi(const struct tcm_lun *lun);

/* Counters since creation, live nexuses included. */
void tcm_lun_sum(struct tcm_lun *lun, struct tcm_map_stats *sum);
void tcm_mlun_sum(struct tcm_mapped_lun *mlun, struct tcm_map_stats *sum);

/* What the statistics say of a mapped LUN beside its counters */
struct tcm_mlun_view {
	u32	lun_index;
	u32	attach_count;
	u32	sess_index;
	bool	has_session;		/* one of the ACL's is there */
	char	isid[2 * 6 + 1];	/* of it, in hexadecimal; may be empty */
};

/* -ENODEV: the LUN was unlinked */
int tcm_mlun_look(struct tcm_mapped_lun *mlun, struct tcm_mlun_view *view);

#endif
