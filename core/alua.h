/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Asymmetric logical unit access (SPC-4 5.15.2) as it is configured: target port groups of a
 * device, logical unit groups of the whole target, who belongs to which, and what
 * each was told. All of it is under tcm_config_mutex, which the functions here take; the list of
 * groups and their states change under dev->lun_lock, too, which is enough for a reader.
 */
#ifndef _TCM_CORE_ALUA_H
#define _TCM_CORE_ALUA_H

#include <tcm/target.h>

/* ASYMMETRIC ACCESS STATE, SPC-4 table 246 */
enum tcm_alua_state {
	TCM_ALUA_OPTIMIZED	= 0,
	TCM_ALUA_NONOPTIMIZED	= 1,
	TCM_ALUA_STANDBY_STATE	= 2,
	TCM_ALUA_UNAVAILABLE_STATE = 3,
	TCM_ALUA_LBA_DEPENDENT	= 4,
	TCM_ALUA_OFFLINE_STATE	= 14,
	TCM_ALUA_TRANSITIONING	= 15,
};

/* alua_access_type: who may change the state */
#define TCM_ALUA_IMPLICIT	0x01
#define TCM_ALUA_EXPLICIT	0x02

#define TCM_GROUP_NAME_MAX	256
#define TCM_GROUPS_MAX		65535	/* target port groups of a device */

/*
 * The numbers of a group that are set independently: X(name, max, needs an id).
 * alua_access_state has rules of its own.
 */
#define TCM_ALUA_FIELDS(X)				\
	X(alua_access_status, 2, true)			\
	X(alua_access_type, 3, false)			\
	X(alua_support_transitioning, 1, true)		\
	X(alua_support_offline, 1, true)		\
	X(alua_support_lba_dependent, 1, true)		\
	X(alua_support_unavailable, 1, true)		\
	X(alua_support_standby, 1, true)		\
	X(alua_support_active_optimized, 1, true)	\
	X(alua_support_active_nonoptimized, 1, true)	\
	X(alua_write_metadata, 1, false)		\
	X(nonop_delay_msecs, 10000, false)		\
	X(trans_delay_msecs, 30000, false)		\
	X(implicit_trans_secs, 255, false)		\
	X(preferred, 1, false)

#define TCM_ALUA_ID(name, max, needs_id) TCM_ALUA_##name,
enum tcm_alua_field {
	TCM_ALUA_FIELDS(TCM_ALUA_ID)
	TCM_ALUA_FIELD_COUNT
};

#undef TCM_ALUA_ID

/* A target port group: alua/<name>/ of a device */
struct tcm_tg_pt_gp {
	struct tcm_device	*dev;
	char			name[TCM_GROUP_NAME_MAX];
	bool			has_id;
	u16			id;		/* TARGET PORT GROUP */
	u8			state;		/* enum tcm_alua_state; dev->lun_lock */
	u32			field[TCM_ALUA_FIELD_COUNT];
	struct list_head	node;		/* in tcm_alua.groups */
	struct rcu_head		rcu;
};

/* A logical unit group: core/alua/lu_gps/<name>/ */
struct tcm_lu_gp {
	char			name[TCM_GROUP_NAME_MAX];
	bool			has_id;
	u16			id;		/* LOGICAL UNIT GROUP of VPD page 83h */
	struct list_head	members;	/* struct tcm_alua; also under tcm_lu_gp_lock */
	struct list_head	node;		/* in the list of all */
	struct rcu_head		rcu;
};

/* A port group's state in one range of a referral map */
struct tcm_lba_member {
	u16			group;
	u8			state;
};

struct tcm_lba_range {
	struct list_head	node;
	u64			first, last;
	unsigned int		count;
	struct tcm_lba_member	members[];
};

/* dev->alua */
struct tcm_alua {
	struct tcm_device	*dev;
	struct list_head	groups;
	struct xarray		ids;		/* id -> group */
	struct tcm_tg_pt_gp	*def;		/* default_tg_pt_gp, id 0 */
	unsigned int		count;
	struct tcm_lu_gp	*lu_gp;		/* NULL: in none; readers: RCU */
	struct list_head	lu_node;	/* in lu_gp->members; also under tcm_lu_gp_lock */
	struct list_head	map;		/* lba_map: struct tcm_lba_range */
	u32			seg_size, seg_mult;	/* as @map, also under dev->lun_lock */
	bool			busy;		/* a change of states is under way; dev->lun_lock */

	/* protects @waiting: commands that are slowed down, for @tick to let go */
	spinlock_t		wait_lock;
	struct list_head	waiting;
	struct delayed_work	tick;
};

int tcm_alua_init(void);
void tcm_alua_exit(void);
int tcm_alua_create(struct tcm_device *dev);
/* The last reference to @dev is gone. */
void tcm_alua_destroy(struct tcm_device *dev);
/* Passed-through devices do their own; tcm_config_mutex held by the caller for these three. */
bool tcm_alua_emulated(const struct tcm_device *dev);
void tcm_alua_enabled(struct tcm_device *dev);
void tcm_alua_removed(struct tcm_device *dev);

/* A LUN link starts in the default group and leaves its group when it ends. */
void tcm_alua_lun_linked(struct tcm_lun *lun);
void tcm_alua_lun_unlinked(struct tcm_lun *lun);
/* @group NULL: back to the default. -ENODEV: no such group, or not a device with ALUA */
int tcm_alua_lun_set_group(struct tcm_lun *lun, const char *group, const char **why);

/* -ENOSPC: too many */
struct tcm_tg_pt_gp *tcm_tg_pt_gp_create(struct tcm_device *dev, const char *name);
/* Members fall back to the default group. */
void tcm_tg_pt_gp_destroy(struct tcm_tg_pt_gp *gp);
int tcm_tg_pt_gp_set_id(struct tcm_tg_pt_gp *gp, u32 id, const char **why);
int tcm_tg_pt_gp_set(struct tcm_tg_pt_gp *gp, enum tcm_alua_field field, u32 value,
		     const char **why);
/* Is no port in the group? dev->lun_lock held. */
bool tcm_tg_pt_gp_empty(const struct tcm_tg_pt_gp *gp);
int tcm_tg_pt_gp_set_state(struct tcm_tg_pt_gp *gp, u32 state, const char **why);

extern struct tcm_lu_gp *tcm_lu_gp_default;
/*
 * The devices whose port groups change together, @n of them, each with a reference: @dev, and those
 * of its LU group unless that is the default one. NULL: no memory. Takes no mutex.
 */
struct tcm_device **tcm_lu_gp_devices(struct tcm_device *dev, unsigned int *n);
/* -ENAMETOOLONG */
struct tcm_lu_gp *tcm_lu_gp_create(const char *name);
void tcm_lu_gp_destroy(struct tcm_lu_gp *gp);
int tcm_lu_gp_set_id(struct tcm_lu_gp *gp, u32 id, const char **why);
/*
 * @name NULL: leave the group. -ENODEV: no such group. Accepted without effect by devices
 * without ALUA.
 */
int tcm_lu_gp_join(struct tcm_device *dev, const char *name, const char **why);

/*
 * With a multiplier segments repeat: @lba as the map counts, and the last block of a segment.
 * dev->lun_lock held.
 */
u64 tcm_lba_in_map(const struct tcm_alua *alua, u64 lba);
u64 tcm_lba_range_last(const struct tcm_alua *alua, const struct tcm_lba_range *range);
/* The segment with the block, NULL in a hole of the map. dev->lun_lock held. */
const struct tcm_lba_range *tcm_lba_range_at(const struct tcm_alua *alua, u64 lba);
struct tcm_lba_range *tcm_lba_range_alloc(unsigned int members);
void tcm_lba_map_free(struct list_head *map);
/* Takes over what is on @map. An empty one ends the LBA dependent state. */
void tcm_lba_map_set(struct tcm_device *dev, u32 seg_size, u32 seg_mult, struct list_head *map);

#endif
