/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The command: three doors (tcm_cmd_init, tcm_cmd_submit, tcm_cmd_complete) and
 * a way out (tcm_cmd_put). Documentation/command-life.md draws it.
 */
#ifndef _TCM_CMD_H
#define _TCM_CMD_H

#include <linux/atomic.h>
#include <linux/dma-direction.h>
#include <linux/llist.h>
#include <tcm/backend.h>
#include <tcm/range.h>
#include <tcm/sense.h>
#include <tcm/target.h>

struct tcm_opcode;

/* Who calls: may the core sleep before it returns? */
enum tcm_ctx {
	TCM_CTX_ATOMIC,
	/* It may, for a lock or for memory, but not for the medium: others wait for the caller */
	TCM_CTX_NOWAIT,
	TCM_CTX_SLEEPABLE,
};

/* Task attributes, SAM-5 8.9 */
enum tcm_task_attr {
	TCM_ATTR_SIMPLE,
	TCM_ATTR_ORDERED,
	TCM_ATTR_HEAD_OF_QUEUE,
	TCM_ATTR_ACA,
};

/*
 * The state word: state in the low bits, TCM_ST_ABORTED beside it, a generation
 * above, so that a slot in its next life is never aborted for its former one.
 * Only tcm_cmd_move() and the aborter's cmpxchg change it.
 */
enum tcm_cmd_state {
	TCM_ST_FREE,		/* the fabric's; nothing below is valid */
	TCM_ST_NEW,		/* initialised, not executing */
	TCM_ST_DATA,		/* waits for data from the initiator */
	TCM_ST_EXEC,		/* the core's or the backend's */
	TCM_ST_DONE,		/* the fabric's, to respond and put */
	TCM_ST_MASK	= 0x0f,
	TCM_ST_ABORTED	= 0x10,	/* a task management function took it off its nexus */
	TCM_ST_TAS	= 0x20,	/* ... and TASK ABORTED status is owed (control mode page TAS) */
	TCM_ST_ORPHAN	= 0x40,	/* nobody waits for it any more, and it has not come back */
	TCM_ST_ATTR	= 0x80,	/* its task attribute is not SIMPLE */
	TCM_ST_TASK	= 0x100, /* is listed in the task set: core/task.c */
	TCM_ST_PASSED	= 0x200, /* who has shut the gate behind it waits for it: core/gate.c */
	TCM_ST_MARKS	= TCM_ST_ABORTED | TCM_ST_TAS | TCM_ST_ORPHAN | TCM_ST_TASK,
	TCM_ST_GEN	= 0x400,
	TCM_ST_GEN_MASK	= ~(TCM_ST_GEN - 1),
};

/* tcm_cmd.flags */
#define TCM_CMD_OWN_SG		0x01	/* the core allocated sg and pages */
#define TCM_CMD_NO_RESPONSE	0x02	/* aborted: send nothing, just put */
#define TCM_CMD_COUNTED		0x04	/* counted in map->stats */
#define TCM_CMD_HOPPED		0x08	/* runs in the device's work item */
#define TCM_CMD_OTHER		0x10	/* is known not to be for the medium: the statistics */
#define TCM_CMD_PINNED		0x20	/* counted in map->pinned: no counters yet */
#define TCM_CMD_SLOWED		0x80	/* has waited for its access state */
#define TCM_CMD_RANGED		0x40	/* its blocks are in dev->ranges */
#define TCM_CMD_PI		0x100	/* protection information comes with it: @pi is valid */
#define TCM_CMD_PI_ASIDE	0x200	/* ... but not within @sg */
#define TCM_CMD_NOWAIT		0x400	/* runs in the call of who must not wait: TCM_CTX_NOWAIT */
#define TCM_CMD_PARKED		0x800	/* waits at the gate, to pass it anew: has no blocks yet */
#define TCM_CMD_GROUP		0x1000	/* its GROUP NUMBER is not zero: core/group.c */

#define TCM_CDB_MAX	32	/* longer CDBs stay in the fabric's memory, see tcm_cmd_init() */

/* A command that nobody waits for any more: core/orphan.c */
struct tcm_orphan {
	struct list_head	node;		/* all of them */
	struct list_head	dev_node;	/* with @writes: those of the device */
	unsigned long		since;		/* jiffies */
	bool			writes;		/* what overlaps it has to wait */
	bool			copies;		/* is no command, but a chunk of a copy */
};

/* Its place in the task set: core/task.c */
struct tcm_task {
	struct list_head	node;
	u8			attr;		/* enum tcm_task_attr, as it is treated */
	bool			enabled;	/* may run */
	bool			parked;		/* waits at the gate */
};

/**
 * struct tcm_cmd - a SCSI command, embedded in the fabric's own
 *
 * Nothing clears it as a whole: tcm_cmd_init() writes what the path reads.
 * The fabric sets the members of the first block between tcm_cmd_init() and
 * tcm_cmd_submit() and reads those of the second in its respond().
 */
struct tcm_cmd {
	/* set by the fabric */
	struct scatterlist	*sg;		/* its own memory, or NULL: the core allocates */
	u32			sg_nents;
	u32			exp_len;	/* bytes the initiator expects to move */
	u64			tag;
	u8			exp_dir;	/* enum dma_data_direction */
	u8			attr;		/* enum tcm_task_attr; by tcm_cmd_set_attr() */
	u8			prio;		/* command priority, 0..15 */

	/* set by the core */
	u8			status;		/* SAM status, valid in respond() */
	u32			xfer_len;	/* bytes that the data phase moves */
	u32			data_len;	/* bytes the CDB asks for */
	u32			flags;
	atomic_t		state;
	enum tcm_sense		sense;		/* outcome */

	const struct tcm_opcode	*op;
	struct tcm_session	*sess;
	struct tcm_mapping	*map;		/* the I_T_L nexus; NULL: no such LUN */
	struct tcm_lun		*lun;		/* holds lun->ref */
	struct tcm_device	*dev;
	u64			lba;
	u32			nblocks;
	u32			fabric_nents;	/* sg_nents as the fabric gave it */
	u64			unpacked_lun;
	u64			start_ns;	/* 0 unless somebody traces */
	struct llist_node	hop;
	void			(*resume)(struct tcm_cmd *cmd);	/* what the hop calls */
	const u8		*cdb;
	u8			cdb_len;

	u8			cdb_buf[TCM_CDB_MAX] __aligned(8);
	struct tcm_sense_extra	extra;		/* valid when @sense is a sense code */
	u8			*raw_sense;	/* see tcm_cmd_sense(); kfree'd by tcm_cmd_put() */
	unsigned int		raw_sense_len;
	void			*work;		/* of slow commands; who sets it frees it */
	struct scatterlist	*fabric_sg;	/* @sg as the fabric gave it while it is bounced */

	struct tcm_io		io;
	union {
		struct tcm_range	range;	/* valid with TCM_CMD_RANGED */
		/* core/alua_state.c, before the blocks are claimed */
		struct {
			struct list_head	node;
			unsigned long		until;	/* jiffies */
		} alua_wait;
	};
	struct tcm_orphan	orphan;		/* valid with TCM_ST_ORPHAN */
	struct tcm_task		task;		/* valid with TCM_ST_TASK */
	struct tcm_pi_req	pi;		/* valid with TCM_CMD_PI */
};

/**
 * tcm_cmd_init - take in a command
 * @cmd: the fabric's memory; zeroed once when it was allocated, then reused as is
 * @sess: nexus; the caller keeps it valid during the call (RCU or a reference)
 * @lun: the LUN field in its eight byte form
 * @cdb: CDB in a buffer of at least 16 bytes; copied when it has at most TCM_CDB_MAX
 *	bytes, else it must stay valid
 * @cdb_len: bytes of @cdb that are there
 *
 * Finds the LUN and the opcode's row, checks length and reserved bits, computes
 * @cmd->data_len and direction; no side effects. An error is kept in the command
 * and reported by tcm_cmd_submit(). Takes references on session and LUN.
 *
 * Context: any; the fabric's ordering of one slot's use. Return: 0, or -ESHUTDOWN when
 * the session is closing: then nothing was taken and nothing must be put.
 */
int tcm_cmd_init(struct tcm_cmd *cmd, struct tcm_session *sess, const struct scsi_lun *lun,
		 const u8 *cdb, unsigned int cdb_len);

/**
 * tcm_cmd_set_attr - the task attribute that the initiator gave the command
 * @cmd: command between tcm_cmd_init(), which makes it SIMPLE, and tcm_cmd_submit()
 * @attr: enum tcm_task_attr
 */
static inline void tcm_cmd_set_attr(struct tcm_cmd *cmd, u8 attr)
{
	cmd->attr = attr;
	if (attr != TCM_ATTR_SIMPLE)
		atomic_or(TCM_ST_ATTR, &cmd->state);
}

/**
 * tcm_cmd_pi_aside - the fabric carries protection information apart from the data
 * @cmd: command between tcm_cmd_init() and tcm_cmd_submit()
 * @sg: a tuple for each block, to be sent or to be filled; NULL: it carries none, the target makes
 *	and checks it on the fabric's behalf
 *
 * Without this call it stands in cmd->sg, behind each block (SBC-4 4.21.3). Does nothing for a
 * command whose PROTECT field asks for none.
 */
static inline void tcm_cmd_pi_aside(struct tcm_cmd *cmd, struct scatterlist *sg)
{
	if (!(cmd->flags & TCM_CMD_PI))
		return;
	cmd->flags |= TCM_CMD_PI_ASIDE;
	cmd->data_len -= cmd->pi.bytes;
	cmd->pi.sg = sg;
}

/**
 * tcm_lun_pack - a LUN as the eight bytes by which REPORT LUNS lists it
 * @number: LUN, less than 2^24
 * @lun: where it goes
 *
 * SAM-5 4.7.7: peripheral method below 16384, with the upper byte where a bus number would
 * be, as initiators that know the kernel's own target expect it; extended flat space above. Any
 * context. tcm_cmd_init() understands flat space addresses, too.
 */
void tcm_lun_pack(u64 number, struct scsi_lun *lun);

#define TCM_LUN_NONE	U64_MAX

/**
 * tcm_lun_unpack - the number of a LUN that came in eight bytes
 * @lun: as it came
 *
 * SAM-5 4.7.7: peripheral, flat space and extended flat space methods, single level. Any context.
 * Return: the number, as in tcm_cmd.unpacked_lun, or TCM_LUN_NONE.
 */
u64 tcm_lun_unpack(const struct scsi_lun *lun);

/**
 * tcm_cmd_data_dir - the way data flows for this command
 * @cmd: initialised command
 */
enum dma_data_direction tcm_cmd_data_dir(const struct tcm_cmd *cmd);

/**
 * tcm_cmd_alloc - get memory for the data phase
 * @cmd: initialised command with exp_len (and exp_dir) set and no sg
 * @ctx: whether the caller may sleep
 *
 * For a fabric that has data to put somewhere before it submits. tcm_cmd_submit()
 * does it where it is still to be done. tcm_cmd_put() frees it.
 *
 * Return: 0 (also when no data moves: sg stays NULL) or -ENOMEM.
 */
int tcm_cmd_alloc(struct tcm_cmd *cmd, enum tcm_ctx ctx);

/**
 * tcm_cmd_submit - execute
 * @cmd: initialised command with the fabric's members set
 * @ctx: whether the caller may sleep
 *
 * Ends with one call of ops->respond(), possibly before this returns. Where data
 * has to come from the initiator first and the fabric has write_pending(), that
 * is called and the fabric goes on with tcm_cmd_execute().
 */
void tcm_cmd_submit(struct tcm_cmd *cmd, enum tcm_ctx ctx);

/**
 * tcm_cmd_execute - the data of a write has arrived
 * @cmd: command that was in write_pending()
 * @ctx: whether the caller may sleep
 */
void tcm_cmd_execute(struct tcm_cmd *cmd, enum tcm_ctx ctx);

/**
 * tcm_cmd_abandon - the data of a write will not arrive
 * @cmd: command that was in write_pending()
 * @sense: why: the connection is lost, a digest is wrong
 * @ctx: whether the caller may sleep
 *
 * Instead of tcm_cmd_execute(): the command ends with @sense and the medium is untouched.
 */
void tcm_cmd_abandon(struct tcm_cmd *cmd, enum tcm_sense sense, enum tcm_ctx ctx);

/**
 * tcm_cmd_complete - a command that was pending has ended
 * @cmd: command whose row returned TCM_PENDING
 * @sense: outcome
 *
 * Context: any.
 */
void tcm_cmd_complete(struct tcm_cmd *cmd, enum tcm_sense sense);

/**
 * tcm_cmd_is_aborted - has a task management function aborted the command?
 * @cmd: command between tcm_cmd_submit() and respond()
 *
 * It saves the fabric a data phase; nothing has to ask. Context: any.
 */
static inline bool tcm_cmd_is_aborted(const struct tcm_cmd *cmd)
{
	return atomic_read(&cmd->state) & TCM_ST_ABORTED;
}

/**
 * tcm_cmd_is_unwanted - does nobody wait for the command any more?
 * @cmd: command between tcm_cmd_submit() and respond()
 *
 * It was aborted, or its nexus is gone (SAM-5 6.3.2, 6.3.4): what has not begun need not begin, and
 * what is done in several accesses has had its last one. Who looks ends it with TCM_TASK_ABORTED.
 * Context: any.
 */
static inline bool tcm_cmd_is_unwanted(const struct tcm_cmd *cmd)
{
	return atomic_read(&cmd->state) & (TCM_ST_ABORTED | TCM_ST_ORPHAN);
}

/**
 * tcm_cmd_put - the fabric is done with the command
 * @cmd: command after respond(); the slot is free afterwards
 *
 * Context: any.
 */
void tcm_cmd_put(struct tcm_cmd *cmd);

/**
 * tcm_cmd_sense - write the sense data of a CHECK CONDITION
 * @cmd: command in respond()
 * @buf: at least TCM_SENSE_MAX bytes
 *
 * Return: length in bytes, 0 when there is none.
 */
unsigned int tcm_cmd_sense(const struct tcm_cmd *cmd, u8 *buf);

/**
 * tcm_cmd_residual - what the initiator expected and did not get
 * @cmd: command in respond()
 * @overflow: set when the command wanted more than the initiator offered
 *
 * Return: bytes (SAM-5 5.1, the same for every transport).
 */
u32 tcm_cmd_residual(const struct tcm_cmd *cmd, bool *overflow);

/* Sense with a field pointer into the CDB; for rows. */
static inline enum tcm_sense tcm_bad_cdb(struct tcm_cmd *cmd, u16 byte, s8 bit)
{
	cmd->extra.flags = TCM_SX_FIELD | (bit >= 0 ? TCM_SX_BIT : 0);
	cmd->extra.field = byte;
	cmd->extra.bit = bit >= 0 ? bit : 0;
	return TCM_INVALID_FIELD_CDB;
}

/* Sense with a field pointer into the parameter list; for rows. */
static inline enum tcm_sense tcm_bad_param(struct tcm_cmd *cmd, u16 byte, s8 bit)
{
	cmd->extra.flags = TCM_SX_FIELD | TCM_SX_PARAM | (bit >= 0 ? TCM_SX_BIT : 0);
	cmd->extra.field = byte;
	cmd->extra.bit = bit >= 0 ? bit : 0;
	return TCM_INVALID_FIELD_PARAM;
}

/* Sense with an LBA or offset in INFORMATION; for rows. */
static inline enum tcm_sense tcm_sense_info(struct tcm_cmd *cmd, enum tcm_sense sense, u64 info)
{
	cmd->extra.flags = TCM_SX_INFO;
	cmd->extra.info = info;
	return sense;
}

#endif
