/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The test fabric: initiators are processes, the transport is an ioctl. Memory is the
 * target's: the core allocates the data, a command outlives its session.
 */
#ifndef _TCM_TFAB_H
#define _TCM_TFAB_H

#include <linux/interrupt.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <tcm/fabric.h>
#include "abi.h"

struct file;

/* auth/ of a portal group or an ACL */
struct tcm_test_auth {
	char	userid[TCM_NAME_MAX], password[TCM_NAME_MAX];
	char	userid_mutual[TCM_NAME_MAX], password_mutual[TCM_NAME_MAX];
};

/* tpgt_<n>/ */
struct tcm_test_tpg {
	struct tcm_tpg		*tpg;
	struct list_head	node;	/* in the list of all; tcm_test_tpgs_lock */
	bool			enabled;
	u32			generate_node_acls, demo_mode_write_protect, default_cmdsn_depth;
	u32			max_outstanding;
	char			alias[TCM_NAME_MAX];
	struct tcm_test_auth	auth;
};

/* acls/<name>/ */
struct tcm_test_acl {
	struct tcm_test_auth	auth;
	u32			nopin_timeout;
};

/* Why a slot's work item runs. */
enum tcm_test_phase {
	TCM_TEST_PHASE_DATA,	/* bring the next part of data-out */
	TCM_TEST_PHASE_LOST,	/* it will not come */
	TCM_TEST_PHASE_STATUS,	/* send status */
};

/* A command of the initiator. In flight it holds ts->ref. */
struct tcm_test_slot {
	struct tcm_cmd		cmd;
	struct tcm_test_session	*ts;
	struct list_head	node;	/* in ts->free, pending or done; ts->lock */
	struct work_struct	work;
	enum tcm_test_phase	phase;
	bool			in_use;	/* ts->lock */
	bool			finished; /* in ts->done; ts->lock */
	bool			held;	/* its data-out waits for TCM_TEST_RELEASE; ts->lock */

	u64			tag;
	struct scsi_lun		lun;
	u32			flags;	/* TCM_TEST_BH and following */
	u8			attr, prio;
	u8			*data;	/* in or out */
	u32			dout_len, din_len, moved;
	u16			cdb_len;
	u8			cdb[TCM_TEST_CDB_MAX];
	struct tcm_test_reap	result;
};

/*
 * An initiator port. It lives until its file is closed, its nexus released and every
 * command finished, in whatever order.
 */
struct tcm_test_session {
	refcount_t		ref;
	/* serialises login and close; protects writers of @sess */
	struct mutex		mutex;
	struct tcm_session __rcu *sess;
	/* protects the lists, the slots' flags, @busy, @dead; taken in any context */
	spinlock_t		lock;
	struct list_head	free, pending, done;
	unsigned int		busy;
	bool			dead;		/* was up and is no more */
	bool			logged_in;	/* @slots are there; set once under @mutex */
	wait_queue_head_t	wait;
	struct tasklet_struct	tasklet;	/* submits @pending */
	struct work_struct	free_work;
	unsigned int		nslots;
	struct tcm_test_slot	*slots;
};

/* fabric.c */
extern struct tcm_fabric_ops tcm_test_ops;
/* Find the portal group and make the session; ts->mutex held. */
int tcm_test_connect(struct tcm_test_session *ts, struct tcm_test_login *login);

/* attrs.c */
extern struct configfs_attribute *tcm_test_root_attrs[], *tcm_test_tpg_attrs[];
extern struct configfs_attribute *tcm_test_attrib_attrs[];
extern struct configfs_attribute *tcm_test_param_attrs[], *tcm_test_auth_attrs[];
extern struct configfs_attribute *tcm_test_acl_attrs[], *tcm_test_acl_attrib_attrs[];
extern struct configfs_attribute *tcm_test_acl_auth_attrs[];

/* session.c */
int tcm_test_sessions_init(void);
void tcm_test_sessions_exit(void);
struct tcm_test_session *tcm_test_session_new(void);
void tcm_test_session_put(struct tcm_test_session *ts);
int tcm_test_alloc_slots(struct tcm_test_session *ts, unsigned int n);
/* None was ever used. */
void tcm_test_free_slots(struct tcm_test_session *ts);
/* End the nexus if there is one: idempotent, does not wait for commands. */
void tcm_test_session_close(struct tcm_test_session *ts);

/* A free slot with ts->ref held for it; -EAGAIN: all are in use, -ESHUTDOWN */
struct tcm_test_slot *tcm_test_slot_get(struct tcm_test_session *ts);
/* Give back a slot that was never submitted, or was reaped. */
void tcm_test_slot_free(struct tcm_test_slot *slot);
/* -ESHUTDOWN: not taken, the slot is the caller's still */
int tcm_test_slot_submit(struct tcm_test_slot *slot);
/*
 * Wait for a result as @req asks. The slot is the caller's, to be given to
 * tcm_test_slot_free(). -EAGAIN, -ENOENT, -ETIMEDOUT, -ESHUTDOWN, -ERESTARTSYS
 */
struct tcm_test_slot *tcm_test_reap(struct tcm_test_session *ts, const struct tcm_test_reap *req);
int tcm_test_release(struct tcm_test_session *ts, u64 tag);
int tcm_test_manage(struct tcm_test_session *ts, struct tcm_test_tmf *req);

int tcm_test_write_pending(struct tcm_cmd *cmd);
void tcm_test_data_aborted(struct tcm_cmd *cmd);
void tcm_test_respond(struct tcm_cmd *cmd);
void tcm_test_for_each_cmd(struct tcm_session *sess, const struct tcm_lun *lun,
			   tcm_cmd_fn fn, void *arg);
void tcm_test_tmf_done(struct tcm_tmf *tmf);
void tcm_test_close_session(struct tcm_session *sess);
void tcm_test_released(struct tcm_session *sess);

/* held.c */
int tcm_test_held_init(void);
void tcm_test_held_exit(void);

/* dev.c */
int tcm_test_dev_init(void);
void tcm_test_dev_exit(void);

#endif
