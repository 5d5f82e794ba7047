/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a fabric (transport) provides and what it may call.
 *
 * A fabric moves CDBs, data and status. It registers one ops table; configfs
 * creates its directory, targets and portal groups through it. Commands enter by
 * <tcm/cmd.h>. Documentation/fabric.md walks through one.
 */
#ifndef _TCM_FABRIC_H
#define _TCM_FABRIC_H

#include <linux/completion.h>
#include <linux/module.h>
#include <tcm/cmd.h>
#include <tcm/target.h>

struct config_item_type;
struct configfs_attribute;
struct tcm_tmf;

/* A group below fabric_statistics/; @type has tcm_item_ops of <tcm/configfs.h> and attributes */
struct tcm_attr_group {
	const char			*name;
	const struct config_item_type	*type;
};

/* struct tcm_fabric_ops.flags */
#define TCM_FAB_BORROWS_MEMORY	0x01	/* pages are the initiator's: not given back early */
#define TCM_FAB_HAS_ENABLE	0x02	/* portal groups have an `enable` file */
#define TCM_FAB_NODE_ACLS	0x04	/* acls/<name> may be created by mkdir and mean something */
#define TCM_FAB_PARTIAL_OUT	0x08	/* a write with less data than it asks for writes that */
#define TCM_FAB_PI		0x10	/* carries protection information */

/* Task management functions, SAM-5 7 */
enum tcm_tmf_func {
	TCM_TMF_ABORT_TASK,
	TCM_TMF_ABORT_TASK_SET,
	TCM_TMF_CLEAR_TASK_SET,
	TCM_TMF_CLEAR_ACA,
	TCM_TMF_LUN_RESET,
	TCM_TMF_NEXUS_RESET,
	TCM_TMF_TARGET_WARM_RESET,
	TCM_TMF_TARGET_COLD_RESET,
	TCM_TMF_QUERY_TASK,
	TCM_TMF_QUERY_TASK_SET,
	TCM_TMF_QUERY_ASYNC_EVENT,
};

/* Service responses, SAM-5 7.1 */
enum tcm_tmf_resp {
	TCM_TMF_COMPLETE,
	TCM_TMF_SUCCEEDED,		/* QUERY: the task or event is there */
	TCM_TMF_REJECTED,
	TCM_TMF_NOT_SUPPORTED,
	TCM_TMF_BAD_LUN,
	TCM_TMF_NO_TASK,
};

/**
 * struct tcm_tmf - a task management request
 * @sess: nexus it came on
 * @func: which function
 * @lun: LUN field, for those that have one
 * @tag: task to manage, for ABORT TASK and QUERY TASK
 * @resp: the answer, valid in tmf_done()
 * @outstanding: commands it aborted, which have not ended yet: valid in tmf_done()
 * @info: ADDITIONAL RESPONSE INFORMATION of QUERY ASYNCHRONOUS EVENT (SAM-5 7.10), valid with
 *	TCM_TMF_SUCCEEDED: UADE DEPTH and SENSE KEY, ASC, ASCQ
 * @priv: the fabric's
 */
struct tcm_tmf {
	struct tcm_session	*sess;
	enum tcm_tmf_func	func;
	struct scsi_lun		lun;
	u64			tag;
	enum tcm_tmf_resp	resp;
	unsigned int		outstanding;
	u8			info[3];
	void			*priv;
};

/**
 * tcm_tmf_submit - carry out a task management function
 * @tmf: request; the fabric keeps it, and a reference to tmf->sess, until this returns and
 *	ops->tmf_done() was called
 *
 * Commands that a LUN has left behind when it was taken away can still be aborted.
 * Bounded: never waits for backend I/O. Context: may sleep. ops->tmf_done() is called,
 * possibly before this returns.
 */
void tcm_tmf_submit(struct tcm_tmf *tmf);

/* What for_each_cmd() does with each command; return true to stop. */
typedef bool (*tcm_cmd_fn)(struct tcm_cmd *cmd, void *arg);

/**
 * tcm_cmds_abort - a nexus goes on without some of its commands
 * @sess: nexus, of a fabric that owns its memory
 * @match: is it one of them? Called for commands that may end, and be others, meanwhile
 * @arg: for @match
 *
 * They end without an answer, those that wait in write_pending() by tcm_cmd_abandon() as ever. A
 * write that the backend has is fenced before this returns: the initiator may send it anew.
 * Context: any, no lock of the core held.
 */
void tcm_cmds_abort(struct tcm_session *sess, tcm_cmd_fn match, void *arg);

/**
 * struct tcm_fabric_ops - a transport
 * @name: name in messages, VPD, reservations ("iSCSI")
 * @dir: directory below target/, NULL: the same as @name
 * @owner: module
 * @flags: TCM_FAB_*
 * @max_data_sg: scatterlist entries of one command, 0: no limit. Bounds MAXIMUM TRANSFER LENGTH.
 * @submit_type: value of default_submit_type
 * @direct_submit: value of direct_submit_supported
 *
 * @add_wwn: mkdir <fabric>/<wwn>: check the name, set wwn->proto and wwn->priv. May sleep.
 * @del_wwn: rmdir. No portal group is left.
 * @tpg_tag: turn a directory's name into a tag; an errno refuses it. Default: tpgt_<n> with
 *	n decimal, 0 to 65535.
 * @add_tpg: mkdir <tpg>: check tpg->tag, set tpg->priv. May sleep.
 * @del_tpg: rmdir. No LUN or ACL is left; sessions may be: close them, without waiting.
 * @enable_tpg: only with TCM_FAB_HAS_ENABLE. Bounded in time. Once it has returned from disabling,
 *	the fabric makes no session of @tpg any more; the core closes those there are.
 * @link_lun: a LUN was linked (true) or is about to be unlinked (false; the return value is
 *	ignored then). Bounded in time. Default: nothing to do.
 * @add_acl: mkdir acls/<name>: check acl->name (an errno refuses it), set acl->priv. May sleep.
 *	Default: any name.
 * @del_acl: rmdir: free acl->priv. The sessions of the ACL have been told to end and no
 *	longer point to it. Default: nothing to do.
 * @add_np: mkdir np/<name>: parse np->name, listen, set np->priv. May sleep. Default: there are
 *	no network portals.
 * @del_np: rmdir. Bounded in time.
 * @write_pending: get cmd->xfer_len bytes into cmd->sg, then call tcm_cmd_execute(). Return 0,
 *	or an errno that fails the command. Default: the data is there at submission.
 * @data_aborted: a command that waits in write_pending() was aborted: the initiator may not
 *	send the rest of its data. Stop waiting and call tcm_cmd_abandon() or tcm_cmd_execute(),
 *	not from here. The data may be arriving at this moment, and the slot may even be in its
 *	next life: decide under the lock that the data phase takes, and look at
 *	tcm_cmd_is_aborted() there; that lock is taken below the core's and so never held
 *	around a call into it. Called with interrupts off. Default: data always arrives or is
 *	abandoned in the end.
 * @respond: send data-in and status (or nothing, see TCM_CMD_NO_RESPONSE), then
 *	tcm_cmd_put(). Any context. Mandatory.
 * @tmf_done: answer a task management request. Mandatory.
 * @for_each_cmd: call @fn for each command slot of @sess that is not free (for LUN
 *	@lun, or all when NULL) until it returns true; slots that come or go meanwhile may
 *	be missed or seen. May not sleep. Mandatory.
 * @close_session: an administrator took the nexus away: end in tcm_session_close().
 *	May not wait. May be called more than once, and before tcm_session_create() has
 *	returned: what stores its result and what closes take one lock.
 *
 * @root_attrs, @wwn_attrs, @tpg_attrs, @tpg_attrib_attrs, @tpg_param_attrs, @tpg_auth_attrs,
 * @acl_attrs, @acl_attrib_attrs, @acl_param_attrs, @acl_auth_attrs, @discovery_attrs,
 * @np_attrs: NULL-terminated configfs attributes of the respective directory, made with
 *	<tcm/configfs.h>. May be NULL.
 * @wwn_stats, @acl_stats: groups below fabric_statistics/ of a target or an ACL; the last one
 *	has no name. May be NULL.
 */
struct tcm_fabric_ops {
	const char	*name;
	const char	*dir;
	struct module	*owner;
	u32		flags;
	u32		max_data_sg;
	u8		submit_type;
	u8		direct_submit;

	int	(*add_wwn)(struct tcm_wwn *wwn);
	void	(*del_wwn)(struct tcm_wwn *wwn);
	int	(*tpg_tag)(const char *name, u16 *tag);
	int	(*add_tpg)(struct tcm_tpg *tpg);
	void	(*del_tpg)(struct tcm_tpg *tpg);
	int	(*enable_tpg)(struct tcm_tpg *tpg, bool enable);
	int	(*link_lun)(struct tcm_lun *lun, bool link);
	int	(*add_acl)(struct tcm_acl *acl);
	void	(*del_acl)(struct tcm_acl *acl);
	int	(*add_np)(struct tcm_np *np);
	void	(*del_np)(struct tcm_np *np);
	int	(*write_pending)(struct tcm_cmd *cmd);
	void	(*data_aborted)(struct tcm_cmd *cmd);
	void	(*respond)(struct tcm_cmd *cmd);
	void	(*tmf_done)(struct tcm_tmf *tmf);
	void	(*for_each_cmd)(struct tcm_session *sess, const struct tcm_lun *lun,
				tcm_cmd_fn fn, void *arg);
	void	(*close_session)(struct tcm_session *sess);

	struct configfs_attribute **root_attrs, **wwn_attrs, **discovery_attrs;
	struct configfs_attribute **tpg_attrs, **tpg_attrib_attrs, **tpg_param_attrs;
	struct configfs_attribute **tpg_auth_attrs, **np_attrs;
	struct configfs_attribute **acl_attrs, **acl_attrib_attrs, **acl_param_attrs;
	struct configfs_attribute **acl_auth_attrs;
	const struct tcm_attr_group *wwn_stats, *acl_stats;

	/* core's list of fabrics; under the registry mutex */
	struct list_head node;
	atomic_t	live;		/* sessions and LUNs that have not ended */
	void		*cfg;		/* configfs's */
};

/**
 * tcm_fabric_register - make a transport known
 * @ops: static table
 *
 * Registers no configfs group, so it may run in a module init that a mkdir
 * requested. Context: may sleep. Return: 0, -EINVAL for an incomplete table, -EEXIST.
 */
int tcm_fabric_register(struct tcm_fabric_ops *ops);

/**
 * tcm_fabric_unregister - undo tcm_fabric_register()
 * @ops: the table; no directory of it exists (each holds a module reference)
 *
 * Waits for sessions and LUNs that are still ending in the background, and names
 * what it waits for. Context: may sleep; module exit.
 */
void tcm_fabric_unregister(struct tcm_fabric_ops *ops);

#endif
