/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _TCM_UA_H
#define _TCM_UA_H

#include <tcm/target.h>
#include <tcm/sense.h>

/* Establish a unit attention on one nexus. Any context. */
void tcm_ua_raise(struct tcm_mapping *map, enum tcm_ua ua);

/* Take the one with the highest precedence, or TCM_OK when none is pending. */
enum tcm_sense tcm_ua_take(struct tcm_mapping *map);

/* Forget a condition on every LUN of a session, as if it had been reported. Any context. */
void tcm_ua_clear_session(struct tcm_session *sess, enum tcm_ua ua);

/* The code of one; for tests and traces. */
enum tcm_sense tcm_ua_sense(enum tcm_ua ua);

#endif
