/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _TCM_UA_H
#define _TCM_UA_H

#include <tcm/target.h>
#include <tcm/sense.h>

/* Establish a unit attention on one nexus. Any context. */
void tcm_ua_raise(struct tcm_mapping *map, enum tcm_ua ua);

/*
 * The one with the highest precedence, or TCM_OK when none is pending: look at it, or take it. What
 * is told beside the code is added to @x.
 */
enum tcm_sense tcm_ua_peek(const struct tcm_mapping *map, struct tcm_sense_extra *x);
enum tcm_sense tcm_ua_take(struct tcm_mapping *map, struct tcm_sense_extra *x);
/* Forget one on a nexus. Any context. */
void tcm_ua_drop(struct tcm_mapping *map, enum tcm_ua ua);

/* emulate_ua_intlck_ctrl: UA_INTLCK_CTRL 00b, 10b, 11b of the Control mode page (SPC-4 7.5.8) */
#define TCM_UA_INTLCK_CLEAR	0	/* what is reported is no longer pending */
#define TCM_UA_INTLCK_KEEP	1	/* until REQUEST SENSE takes it */
#define TCM_UA_INTLCK_ESTABLISH	2	/* and BUSY and the like establish one */

/* The one to refuse a command with: taken or not, as UA_INTLCK_CTRL says. */
enum tcm_sense tcm_ua_report(struct tcm_mapping *map, struct tcm_sense_extra *x);
/* A command that was refused with @sense and @x was aborted: the condition is still to be told. */
void tcm_ua_untold(struct tcm_mapping *map, enum tcm_sense sense, const struct tcm_sense_extra *x);
/* A command ends with @sense: UA_INTLCK_CTRL may make a unit attention of it. Any context. */
void tcm_ua_interlock(struct tcm_mapping *map, enum tcm_sense sense);

/* Forget a condition on every LUN of a session, as if it had been reported. Any context. */
void tcm_ua_clear_session(struct tcm_session *sess, enum tcm_ua ua);

/* The code of one; for tests and traces. */
enum tcm_sense tcm_ua_sense(enum tcm_ua ua);

#endif
