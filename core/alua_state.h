/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Access states at work: core/alua_state.c has the rules.
 */
#ifndef _TCM_ALUA_STATE_H
#define _TCM_ALUA_STATE_H

#include <tcm/cmd.h>
#include "alua.h"

/* alua_access_status, STATUS CODE (SPC-4 table 248) */
#define TCM_ALUA_BY_COMMAND	1	/* SET TARGET PORT GROUPS */
#define TCM_ALUA_BY_ITSELF	2	/* an administrator, here */

/* One state to be entered */
struct tcm_alua_step {
	u16	id;		/* TARGET PORT GROUP, or RELATIVE TARGET PORT IDENTIFIER of @port */
	u8	state;		/* enum tcm_alua_state */
	bool	port;		/* the secondary state, offline, of one port */
};

/* A change of several at once, on the device that was asked for it and those of its LU group */
struct tcm_alua_change {
	struct delayed_work	work, wait;
	struct tcm_device	**devs;	/* tcm_lu_gp_devices() */
	unsigned int		n_devs;
	struct tcm_cmd		*cmd;	/* SET TARGET PORT GROUPS; NULL: from configfs */
	struct tcm_session	*sess;	/* who is not told */
	unsigned long		since;	/* jiffies when the states were entered */
	unsigned long		period;	/* after which @wait looks again, in jiffies */
	u32			status;
	unsigned int		n;
	struct tcm_alua_step	step[];
};

int tcm_alua_state_init(void);
void tcm_alua_state_exit(void);
void tcm_alua_state_create(struct tcm_alua *alua);
void tcm_alua_state_destroy(struct tcm_alua *alua);

/* A nexus comes to a LUN; the LUN's group is another one: gates follow. dev->lun_lock held. */
void tcm_alua_map_added(struct tcm_mapping *map);
void tcm_alua_lun_changed(struct tcm_lun *lun);

/* For the gate: does the access state refuse the command? Any context. */
enum tcm_sense tcm_alua_check(struct tcm_cmd *cmd);
/*
 * One that it does not refuse: TCM_PENDING when it is slowed down and comes back by
 * tcm_cmd_rerun(), before it has blocks.
 */
enum tcm_sense tcm_alua_slow(struct tcm_cmd *cmd);

/*
 * With states that depend on the block: may a command that names its blocks in a parameter list
 * access these? Any context.
 */
enum tcm_sense tcm_alua_check_blocks(struct tcm_cmd *cmd, u64 lba, u64 nblocks);

/* May the medium be accessed by way of @lun? Any context. */
bool tcm_alua_reaches(struct tcm_lun *lun);

/* The field that says whether a group may be in @state; -EINVAL for what is no state. */
int tcm_alua_support_field(u32 state);
/* A change of @n steps to be filled in, of @dev and who changes with it; NULL: no memory */
struct tcm_alua_change *tcm_alua_change_new(struct tcm_device *dev, unsigned int n);
void tcm_alua_change_free(struct tcm_alua_change *change);
/* Is @step possible on the device, and on the others where they have the group? */
bool tcm_alua_may(const struct tcm_alua_change *change, const struct tcm_alua_step *step);

/*
 * Carry out @change, every step of which was found possible, and complete @cmd. Takes @change over
 * when it returns TCM_PENDING. Otherwise: the sense of a device, of any of them, in transition.
 */
enum tcm_sense tcm_alua_explicit(struct tcm_cmd *cmd, struct tcm_alua_change *change);
/* The same for configfs: returns when it is done. -EAGAIN: the device is in transition. */
int tcm_alua_implicit(struct tcm_device *dev, u16 id, u8 state, const char **why);
/* A port's secondary state. What is returned, if any, is waited for without locks, then put. */
struct tcm_save *tcm_alua_lun_set_offline(struct tcm_lun *lun, bool offline);

/* core/alua_keep.c: what a file is to say. Zeroed, then one of these under dev->lun_lock. */
struct tcm_alua_note {
	bool	due;
	char	*folder, *name, *text;	/* with @due; NULL: no memory */
};

void tcm_alua_note_group(struct tcm_alua_note *note, const struct tcm_tg_pt_gp *gp);
void tcm_alua_note_port(struct tcm_alua_note *note, const struct tcm_lun *lun);
/* Begin to write it, which uses it up; NULL: nothing is written. May sleep. */
struct tcm_save *tcm_alua_note_save(struct tcm_alua_note *note);

/* core/spc_alua.c */
bool tcm_alua_offered(const struct tcm_device *dev);
enum tcm_sense tcm_rtpg_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_rtpg(struct tcm_cmd *cmd);
enum tcm_sense tcm_stpg_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_stpg(struct tcm_cmd *cmd);

#endif
