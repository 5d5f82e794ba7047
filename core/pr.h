/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reservations of a device: the state of core/pr_state.h made effective. One worker of the device
 * changes it, one PERSISTENT RESERVE OUT after the other, and before the first LUN links to the
 * device, a restore; everybody else reads.
 */
#ifndef _TCM_CORE_PR_H
#define _TCM_CORE_PR_H

#include <linux/rcupdate.h>
#include <linux/unaligned.h>
#include <tcm/cmd.h>
#include "pr_state.h"

#define TCM_PR_ISID_MAX	16

struct tcm_pr_job;

/* What a restore says of one registration: a line of <dbroot>/pr/aptpl_<serial> */
struct tcm_pr_aptpl {
	char			initiator[TCM_NAME_MAX];
	char			isid[TCM_PR_ISID_MAX];	/* empty: none */
	char			fabric[TCM_PR_FABRIC_MAX];	/* of the initiator port */
	char			target[TCM_NAME_MAX];
	char			target_fabric[TCM_PR_FABRIC_MAX];
	u16			tpgt;
	u64			key;
	u64			mapped_lun;
	u64			target_lun;
	u8			type;			/* of the reservation, when @holder */
	bool			holder;
	bool			all_tg_pt;
};

/* Parameter list, SPC-4 table 219 */
struct tcm_pr_list {
	__be64 key;
	__be64 sa_key;
	u8 obsolete[4];
	u8 flags;
	u8 reserved;
	u8 obsolete2[2];
} __packed;
static_assert(sizeof(struct tcm_pr_list) == 24);

#define TCM_PR_APTPL		0x01
#define TCM_PR_ALL_TG_PT	0x04
#define TCM_PR_SPEC_I_PT	0x08

struct tcm_save;

/* dev->pr */
struct tcm_pr {
	struct tcm_device	*dev;
	/*
	 * @change is held from the copy of @state that is changed until that takes its place: what
	 * is changed meanwhile would be lost. The worker holds it while the file is written, so
	 * that everybody else only tries: commands of a LUN that is gone may still be out.
	 */
	struct mutex		change;
	/*
	 * @lock protects @state. Who replaces it holds dev->lun_lock, too, so that either lock is
	 * enough for a reader. Never held while a file is written.
	 */
	struct mutex		lock;
	struct tcm_pr_state	*state;
	/*
	 * Who holds a reservation of SPC-2's RESERVE, and whether @work carries out a change that
	 * may bring persistent ones: one excludes the other. Both under dev->lun_lock
	 */
	struct tcm_session	*spc2;
	bool			changing;

	/* @queue_lock protects @queue: PERSISTENT RESERVE OUTs to be carried out by @work */
	spinlock_t		queue_lock;
	struct list_head	queue;
	struct work_struct	work;

	struct tcm_save		*file;		/* the last write of the file; @work's own */
};

int tcm_pr_init(void);
void tcm_pr_exit(void);
int tcm_pr_create(struct tcm_device *dev);
void tcm_pr_destroy(struct tcm_device *dev);

/* Does the device keep reservations, ours, at all? */
static inline bool tcm_pr_on(const struct tcm_device *dev)
{
	return READ_ONCE(dev->attr.emulate_pr) && READ_ONCE(dev->attr.pgr_support);
}

/* Or does the medium keep them, and the commands go there? */
static inline bool tcm_pr_passes(const struct tcm_device *dev)
{
	return READ_ONCE(dev->attr.emulate_pr) && !READ_ONCE(dev->attr.pgr_support) &&
	       (dev->limits.pr_pass & TCM_PR_PASS_OUT);
}

/*
 * Add a registration that outlived a power cycle; the same nexus again replaces what was said.
 * Takes tcm_config_mutex. -EINVAL: a LUN links to the device already; -ENOSPC: too many; -EBUSY: a
 * PERSISTENT RESERVE OUT of a LUN that is gone is still out
 */
int tcm_pr_aptpl_add(struct tcm_device *dev, const struct tcm_pr_aptpl *reg, const char **why);

/* The nexus of @sess as reservations know it; with enforce_pr_isids 0 without its ISID */
struct tcm_pr_who tcm_pr_who_of(const struct tcm_device *dev, const struct tcm_session *sess);

/* dev->lun_lock held: a nexus came, or goes. */
void tcm_pr_map_added(struct tcm_mapping *map);
void tcm_pr_map_removed(struct tcm_mapping *map);
/* A reset releases what RESERVE of SPC-2 reserved. */
void tcm_pr_reset(struct tcm_device *dev);

/*
 * RESERVATION CONFLICT when somebody's reservation keeps the command out, or what is answered while
 * nobody knows who has reserved. Gate's slow path; any context.
 */
enum tcm_sense tcm_pr_check(const struct tcm_cmd *cmd);
/*
 * The same of a command that is under way, by its row alone: does it access the medium, and is that
 * not allowed to the nexus?
 */
bool tcm_pr_stops(const struct tcm_mapping *map, const struct tcm_opcode *op);

/* The relative target port identifier of the port of a registration now. Takes dev->lun_lock. */
u16 tcm_pr_rtpi(struct tcm_device *dev, const struct tcm_pr_reg *reg);
/* A copy of the state with room for @more; the caller frees it with kvfree(). */
struct tcm_pr_state *tcm_pr_clone(struct tcm_pr *pr, unsigned int more);
/* Make @new, whose changes are marked, the state; raise what it tells. Frees the old one. */
void tcm_pr_publish(struct tcm_device *dev, struct tcm_pr_state *new,
		    const struct tcm_session *self);
/*
 * Write @st; 0, or an errno when it is not known to be on the disk: then it will not be, as soon as
 * the file system lets us, but what is the state still. Bounded. pr->change held.
 */
int tcm_pr_persist(struct tcm_device *dev, const struct tcm_pr_state *st);
/*
 * The first LUN is about to link to the device: is there a file of registrations that nobody can
 * read any more? Then they are lost (SPC-4 5.13.5.3.2). May sleep in the file system.
 */
void tcm_pr_power_on(struct tcm_device *dev);
/* Is there a name for the file? */
bool tcm_pr_file_possible(const struct tcm_device *dev);

/* The worker's queue */
void tcm_pr_queue(struct tcm_device *dev, struct list_head *job);
struct list_head *tcm_pr_next(struct tcm_pr *pr);
void tcm_pr_out_work(struct work_struct *work);
void tcm_pr_later(struct delayed_work *work, unsigned long delay);

/* pr_pass.c: commands that the medium answers, and whether it can */
enum tcm_sense tcm_pr_pass_keys(struct tcm_cmd *cmd);
enum tcm_sense tcm_pr_pass_holder(struct tcm_cmd *cmd);
enum tcm_sense tcm_pr_pass_out(struct tcm_cmd *cmd);

/* The beginning of what PERSISTENT RESERVE IN answers: PRGENERATION, ADDITIONAL LENGTH */
#define TCM_PRIN_HEADER		8
#define TCM_PRIN_RESERVATION	16	/* the descriptor of READ RESERVATION */

static inline void tcm_prin_header(u32 generation, u8 *buf, unsigned int len)
{
	put_unaligned_be32(generation, buf);
	put_unaligned_be32(len, buf + 4);
}

/* What rows execute; the first is for those that are not passed on */
bool tcm_pr_offered(const struct tcm_device *dev);
bool tcm_pr_either_offered(const struct tcm_device *dev);
bool tcm_pr_keys_offered(const struct tcm_device *dev);
bool tcm_pr_holder_offered(const struct tcm_device *dev);
enum tcm_sense tcm_pr_read_keys(struct tcm_cmd *cmd);
enum tcm_sense tcm_pr_read_reservation(struct tcm_cmd *cmd);
enum tcm_sense tcm_pr_report_capabilities(struct tcm_cmd *cmd);
enum tcm_sense tcm_pr_read_full_status(struct tcm_cmd *cmd);
enum tcm_sense tcm_pr_out_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_pr_out(struct tcm_cmd *cmd);

/*
 * What carries out a command that reserves; NULL: no memory. tcm_pr_settle() ends @job and its
 * command, at once or within a second, when those have come back that the reservation refuses and
 * that had read their gates before it was there. Before, kfree() does. May sleep.
 */
struct tcm_pr_job *tcm_pr_job_new(struct tcm_cmd *cmd);
void tcm_pr_settle(struct tcm_pr_job *job);
enum tcm_sense tcm_pr_spc2_reserve(struct tcm_cmd *cmd);
enum tcm_sense tcm_pr_spc2_release(struct tcm_cmd *cmd);

#endif
