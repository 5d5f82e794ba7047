/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The objects between a fabric and a device: target port (WWN), target portal
 * group, LUN, ACL, mapped LUN, session and the I_T_L nexus (mapping).
 *
 * Locks: tcm_config_mutex serialises every change of the tree that configfs makes;
 * it is never held while waiting for I/O. tpg->lock protects what sessions and
 * configuration share. See Documentation/locking.md.
 */
#ifndef _TCM_TARGET_H
#define _TCM_TARGET_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/percpu-refcount.h>
#include <linux/rcupdate.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <scsi/scsi.h>
#include <tcm/backend.h>

struct tcm_fabric_ops;
struct tcm_past;
struct tcm_session;
struct tcm_tg_pt_gp;
struct tcm_tpg;

#define TCM_NAME_MAX	256
/* The largest LUN that the extended flat space method can say (SAM-5 4.7.7.5). */
#define TCM_LUN_MAX	0xffffff

/* PROTOCOL IDENTIFIER, SPC-4 7.6.1 table 476 */
enum tcm_protocol {
	TCM_PROTO_FCP	= 0,
	TCM_PROTO_SBP	= 3,
	TCM_PROTO_SRP	= 4,
	TCM_PROTO_ISCSI	= 5,
	TCM_PROTO_SAS	= 6,
	TCM_PROTO_UAS	= 9,
};

/* A target device's name on a fabric: <fabric>/<wwn>/ */
struct tcm_wwn {
	const struct tcm_fabric_ops *ops;
	char			name[TCM_NAME_MAX];
	const char		*scsi_name;	/* for SCSI: @name, or what add_wwn() sets */
	void			*priv;		/* fabric's */
	u8			proto;		/* enum tcm_protocol; set by add_wwn() */
	u32			inst;		/* statistics index */
	int			completion_affinity;	/* cmd_completion_affinity */
	struct list_head	tpgs;		/* tcm_config_mutex */
	refcount_t		ref;		/* the directory and each portal group */
	void			*cfg;		/* configfs's */
};

/* A target portal group: <wwn>/tpgt_<tag>/ ; to SCSI, a target port */
struct tcm_tpg {
	struct tcm_wwn		*wwn;
	const struct tcm_fabric_ops *ops;
	void			*priv;		/* fabric's */
	u16			tag;
	u16			rtpi;		/* relative target port identifier, 0: unset */
	bool			rtpi_manual;
	bool			enabled;	/* tcm_config_mutex */
	u32			prot_type;	/* fabric_prot_type: of nexuses to come */
	u32			acl_read_only;	/* what ACLs map from now on is write protected */

	/*
	 * @lock protects @sessions, @past, @acls, @luns and what sessions see of them. An error
	 * handler's resets take it: nobody who holds it waits for I/O, for memory least of all.
	 */
	struct mutex		lock;
	struct list_head	sessions;
	struct list_head	past;		/* nexuses that are gone: core/past.c */
	unsigned int		n_past;
	struct list_head	acls;
	struct xarray		luns;		/* LUN number -> struct tcm_lun */

	struct list_head	node;		/* in wwn->tpgs */
	refcount_t		ref;		/* the directory, sessions, LUNs */
	bool			dead;		/* rmdir was done; @lock */
	void			*cfg;		/* configfs's */
};

/* A logical unit behind a target port: the symlink in lun/lun_<n>/ */
struct tcm_lun {
	struct percpu_ref	ref;		/* the link, and each command */
	struct tcm_tpg		*tpg;
	struct tcm_device	*dev;
	u64			lun;
	u16			rtpi;		/* as VPD 83h and statistics show it */
	u16			link_rtpi;	/* of this link (6.1: one a link) */
	bool			read_only;	/* of the device */
	void			*priv;		/* fabric's */
	u32			index;		/* statistics */
	u64			came;		/* tcm_past_now() when it was linked; tpg->lock */
	struct list_head	maps;		/* I_T_L nexuses; dev->lun_lock */
	struct list_head	dev_node;	/* in dev->luns; dev->lun_lock */
	struct list_head	mapped;		/* struct tcm_mapped_lun; tpg->lock */
	struct tcm_tg_pt_gp	*tg_pt_gp;	/* ALUA group; tcm_config_mutex; readers: RCU */
	u32			alua_offline, alua_status, alua_write_md; /* tcm_config_mutex */

	/* totals of nexuses that are gone; dev->lun_lock */
	struct tcm_map_stats	old;		/* of nexuses that are gone; dev->lun_lock */
	struct list_head	all_node;	/* every LUN; for messages */
	struct work_struct	free_work;
	struct rcu_head		rcu;
	void			*cfg;		/* configfs's */
};

/* An initiator that was given access: acls/<name>/ */
struct tcm_acl {
	struct tcm_tpg		*tpg;
	char			name[TCM_NAME_MAX];
	char			tag[64];
	u32			queue_depth;
	u32			index;
	void			*priv;		/* fabric's */
	struct list_head	node;		/* in tpg->acls; tpg->lock */
	struct xarray		mapped;		/* number -> struct tcm_mapped_lun; tpg->lock */
	void			*cfg;		/* configfs's */
};

/* A network portal: np/<name>/ */
struct tcm_np {
	struct tcm_tpg		*tpg;
	char			name[TCM_NAME_MAX];
	void			*priv;		/* fabric's */
};

/* An ACL's view of a LUN: acls/<name>/lun_<n>/ with its symlink */
struct tcm_mapped_lun {
	struct tcm_acl		*acl;
	struct tcm_lun		*lun;		/* NULL once the LUN was unlinked; tpg->lock */
	u64			number;		/* as the initiator sees it */
	bool			write_protect;	/* tpg->lock */
	u32			attach_count;
	u64			created;	/* jiffies64 */
	u64			came;		/* tcm_past_now(); tpg->lock */
	u64			old_cmds, old_rd_bytes, old_wr_bytes;	/* tpg->lock */
	struct list_head	lun_node;	/* tpg->lock */
};

/* Reasons for a command to take the slow path; bits of tcm_mapping.gate. */
enum tcm_gate {
	TCM_GATE_STATS,		/* first command: counters are not there yet */
	TCM_GATE_UA,		/* a unit attention is pending */
	TCM_GATE_WP,		/* write protected */
	TCM_GATE_DEAD,		/* the device is gone */
	TCM_GATE_RESERVED,	/* a reservation concerns this nexus */
	TCM_GATE_ALUA,		/* not active/optimized */
	TCM_GATE_COUNTED,	/* ORDERED, HEAD OF QUEUE or ACA around (core/task.c) */
	TCM_GATE_ORPHAN,	/* orphan writes are outstanding on the device */
	TCM_GATE_STOPPED,	/* by START STOP UNIT */
	TCM_GATE_WIPE,		/* being formatted or sanitized, or that has failed */
	TCM_GATE_RANGE,		/* blocks are locked: commands tell theirs (core/range.c) */
	TCM_GATE_EJECTED,	/* no medium */
	TCM_GATE_RESTING,	/* idle or standby: the next command that needs the unit wakes it */
	TCM_GATE_SWP,		/* write protected by software: Control mode page */
	TCM_GATE_QUEUE,		/* submit_type 2: never in the caller's context */
};

/*
 * Unit attentions, in the order in which they are reported (SAM-5 5.14.2: those
 * of the highest precedence first). A bit each in tcm_mapping.ua: raising one needs no
 * memory and cannot fail.
 */
enum tcm_ua {
	TCM_UA_POWER_ON,		/* 29/01 */
	TCM_UA_BUS_RESET,		/* 29/02 */
	TCM_UA_LUN_RESET,		/* 29/03 */
	TCM_UA_INTERNAL_RESET,		/* 29/04 */
	TCM_UA_NEXUS_LOSS,		/* 29/07 */
	TCM_UA_MICROCODE,		/* 3F/01 */
	TCM_UA_MEDIUM_CHANGED,		/* 28/00 */
	TCM_UA_COMMANDS_CLEARED,	/* 2F/00 */
	TCM_UA_CLEARED_BY_SERVER,	/* 2F/02 */
	TCM_UA_RES_PREEMPTED,		/* 2A/03 */
	TCM_UA_RES_RELEASED,		/* 2A/04 */
	TCM_UA_REG_PREEMPTED,		/* 2A/05 */
	TCM_UA_ALUA_CHANGED,		/* 2A/06 */
	TCM_UA_ALUA_FAILED,		/* 2A/07 */
	TCM_UA_CAPACITY_CHANGED,	/* 2A/09 */
	TCM_UA_MODE_CHANGED,		/* 2A/01 */
	TCM_UA_LOG_CHANGED,		/* 2A/02 */
	TCM_UA_HISTORY_CLEARED,		/* 2A/0A */
	TCM_UA_TIMESTAMP_CHANGED,	/* 2A/10 */
	TCM_UA_PREV_CONFLICT,		/* 2C/09 */
	TCM_UA_BUSY_BEFORE,		/* 2C/0A */
	TCM_UA_TASK_SET_FULL_BEFORE,	/* 2C/0B */
	TCM_UA_INQUIRY_CHANGED,		/* 3F/03 */
	TCM_UA_IDENTIFIER_CHANGED,	/* 3F/05 */
	TCM_UA_LUNS_CHANGED,		/* 3F/0E */
	TCM_UA_THIN_AVAILABLE,		/* 38/07, of the first threshold descriptor */
	TCM_UA_THIN_USED,		/* 38/07, of the second */
	TCM_UA_COUNT
};

/* What one look over a task set has come across: core/task.c; the task set's lock */
struct tcm_task_seen {
	u32	round;			/* of which look the rest is */
	bool	older;			/* a command that has not ended */
	bool	block;			/* ... and that others wait for */
};

/**
 * struct tcm_mapping - an I_T_L nexus
 *
 * Published in its session's LUN table by RCU; commands hold session and LUN, not this.
 * Removal unpublishes it and frees it when, a grace period later, its counters
 * say that nothing is in flight.
 */
struct tcm_mapping {
	unsigned long		gate;		/* enum tcm_gate; zero lets a command pass */
	struct tcm_lun		*lun;		/* holds lun->ref */
	struct tcm_map_stats __percpu *stats;	/* NULL until the first command */
	struct tcm_session	*sess;		/* holds sess->ref */
	unsigned long		ua;		/* enum tcm_ua; atomic bit operations */
	struct tcm_mapped_lun	*mlun;		/* NULL in demo mode; tpg->lock */
	u64			number;
	struct list_head	lun_node;	/* in lun->maps; dev->lun_lock */
	struct list_head	sess_node;	/* in sess->maps, then the reaper's; tpg->lock */
	struct llist_node	reap;		/* grace period over */
	atomic_t		pinned;		/* commands that found no counters yet */
	bool			removed;	/* unpublished; tpg->lock */
	u8			pr_deny;	/* core's: how far TCM_GATE_RESERVED goes */
	bool			prevented;	/* medium removal; dev->lun_lock */
	bool			historian;	/* reads the error history; dev->lun_lock */
	bool			echoed;		/* has written the echo buffer; lu->buffer_lock */
	u8			aca;		/* TCM_ACA_*; the task set's lock */
	struct tcm_task_seen	seen;
	u32			tasks;		/* listed in the task set; its lock */
	errseq_t		flush_seq;	/* what it was told of dev->flush_seq */
	struct rcu_head		rcu;
};

static_assert(sizeof(struct tcm_mapping) <= 256);

#define TCM_LOW_LUNS	256

/**
 * struct tcm_session - an I_T nexus
 *
 * Made by tcm_session_create(), ended by tcm_session_close().
 */
struct tcm_session {
	struct percpu_ref	ref;		/* the fabric, and each command */
	const struct tcm_fabric_ops *ops;
	struct tcm_tpg		*tpg;		/* holds tpg->ref */
	struct tcm_acl		*acl;		/* NULL in demo mode; tpg->lock */
	void			*priv;		/* fabric's */
	struct tcm_mapping __rcu *low[TCM_LOW_LUNS];
	struct xarray		high;		/* LUNs from TCM_LOW_LUNS on */
	struct list_head	maps;		/* tpg->lock */
	char			name[TCM_NAME_MAX];	/* initiator port name */
	u8			isid[6];	/* iSCSI; else zero */
	bool			has_isid;
	u8			prot_type;	/* seen of devices without protection information */
	bool			read_only;	/* in demo mode */
	bool			closing;	/* tpg->lock */
	u32			index;
	u32			nexus_hash;	/* of the names that reservations know it by */
	u64			lost;		/* when it was last there: core/past.h; 0: never */
	struct tcm_past		*past;		/* what is kept of it */
	u64			created;	/* jiffies64 */
	atomic_t		aborting;	/* walks that end its commands: core/task.c */
	struct list_head	node;		/* in tpg->sessions; tpg->lock */
	void			(*released)(struct tcm_session *sess);
	struct work_struct	free_work;
	struct rcu_head		rcu;
};

/* What an initiator without an ACL gets: demo mode maps every LUN of the group one to one. */
enum tcm_demo {
	TCM_DEMO_NONE,		/* no access */
	TCM_DEMO_READ_ONLY,	/* demo_mode_write_protect */
	TCM_DEMO_READ_WRITE,
};

/**
 * tcm_initiator_name_ok - may an initiator port have this name?
 * @name: as it came from the wire
 * @len: its bytes
 *
 * For fabrics whose initiators name themselves. It has to be UTF-8 (RFC 7143 4.2.7) without what
 * means something where names stand in lines and lists: control characters, spaces, commas, "="
 * (configfs files, and those of reservations that are kept).
 *
 * Context: any.
 */
bool tcm_initiator_name_ok(const char *name, size_t len);

/**
 * tcm_session_create - a nexus comes up
 * @tpg: target port
 * @name: initiator port name, at most TCM_NAME_MAX - 1 bytes: tcm_initiator_name_ok()
 * @isid: six bytes, or NULL
 * @demo: what it may do when there is no ACL for it
 * @priv: the fabric's, in sess->priv; for_each_cmd() may be asked until @released of
 *	tcm_session_close() is called, so it stays valid until then
 *
 * Context: may sleep, takes tpg->lock. Return: the session or an ERR_PTR: -EACCES when
 * there is no ACL and @demo is TCM_DEMO_NONE, -ENOMEM, -ESHUTDOWN when @tpg is going away.
 */
struct tcm_session *tcm_session_create(struct tcm_tpg *tpg, const char *name, const u8 *isid,
				       enum tcm_demo demo, void *priv);

/**
 * tcm_session_close - a nexus goes down
 * @sess: session; commands may be in flight, none is submitted from here on
 * @released: called from a work item when the last command is back; frees the
 *	fabric's part. @sess is freed after it returns.
 *
 * Never waits for I/O. Context: may sleep, takes tpg->lock.
 */
void tcm_session_close(struct tcm_session *sess, void (*released)(struct tcm_session *sess));

/**
 * tcm_ua_raise_device - establish a unit attention on every nexus of a device
 * @dev: device
 * @ua: which
 * @except: a session that is not told (the one that caused it), or NULL
 *
 * Context: any; takes dev->lun_lock.
 */
void tcm_ua_raise_device(struct tcm_device *dev, enum tcm_ua ua, const struct tcm_session *except);

/**
 * tcm_ua_raise_session - establish a unit attention on every LUN of a session
 * @sess: session; the caller holds tpg->lock
 * @ua: which
 */
void tcm_ua_raise_session(struct tcm_session *sess, enum tcm_ua ua);

#endif
