/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * I_T nexuses of a target port that are gone: when one is there again, its units say I_T NEXUS LOSS
 * OCCURRED to it instead of POWER ON OCCURRED, but for those that it has never seen.
 */
#ifndef _TCM_PAST_H
#define _TCM_PAST_H

#include <tcm/target.h>

/* Moments, as numbers that grow: none is given twice. Any context. */
u64 tcm_past_now(void);

/* What is to be kept of @sess, in sess->past: freed with it until its end. -ENOMEM */
int tcm_past_begin(struct tcm_session *sess);
/* When the nexus that @sess is was lost, 0 for one that is new. tpg->lock held. */
u64 tcm_past_lost(const struct tcm_session *sess);
/* @sess is over. tpg->lock held. */
void tcm_past_end(struct tcm_session *sess);
/* Of a portal group that nobody else has */
void tcm_past_free(struct tcm_tpg *tpg);

#endif
