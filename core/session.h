/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sessions' LUN tables: what the config side publishes and the command path reads.
 */
#ifndef _TCM_SESSION_H
#define _TCM_SESSION_H

#include <tcm/target.h>

static inline void tcm_stats_add(struct tcm_map_stats *sum, const struct tcm_map_stats *one)
{
	sum->started += one->started;
	sum->done += one->done;
	sum->rd_bytes += one->rd_bytes;
	sum->wr_bytes += one->wr_bytes;
	sum->rd_cmds += one->rd_cmds;
	sum->wr_cmds += one->wr_cmds;
	sum->rd_other += one->rd_other;
	sum->wr_other += one->wr_other;
}

int tcm_session_init(void);
/* Waits for mappings that are still being given up. */
void tcm_session_exit(void);

/*
 * One RCU load for the first 256 LUNs, an xarray beyond. The caller is in an RCU
 * read side section.
 */
static inline struct tcm_mapping *tcm_session_map(struct tcm_session *sess, u64 lun)
{
	if (likely(lun < TCM_LOW_LUNS))
		return rcu_dereference(sess->low[lun]);
	return xa_load(&sess->high, lun);
}

/* A LUN appeared behind tpg; demo sessions see it. tpg->lock held. */
int tcm_session_lun_added(struct tcm_tpg *tpg, struct tcm_lun *lun);
/* A LUN is to disappear from all sessions. tpg->lock held. */
void tcm_session_lun_removed(struct tcm_tpg *tpg, struct tcm_lun *lun);
/* A mapped LUN appeared in or disappears from an ACL. tpg->lock held. */
int tcm_session_mlun_added(struct tcm_mapped_lun *mlun);
void tcm_session_mlun_removed(struct tcm_mapped_lun *mlun);
void tcm_session_mlun_wp(struct tcm_mapped_lun *mlun);

/* Ask the fabric to end every session of an ACL, or of the whole group when acl is NULL. */
void tcm_session_close_all(struct tcm_tpg *tpg, struct tcm_acl *acl);

/* An ACL by its initiator's name, case ignored; tpg->lock held. */
struct tcm_acl *tcm_acl_find(struct tcm_tpg *tpg, const char *name);

/* Sums of a nexus's per-CPU counters. */
void tcm_map_sum(const struct tcm_mapping *map, struct tcm_map_stats *sum);
/* Give a nexus its counters; slow path of its first command. May sleep. */
int tcm_map_stats_alloc(struct tcm_mapping *map);

#endif
