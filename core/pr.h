/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Persistent reservations (SPC-4 5.13) as configuration knows them: what a restore
 * said about registrations that outlived a power cycle, kept until the initiator's
 * LUN is mapped.
 */
#ifndef _TCM_CORE_PR_H
#define _TCM_CORE_PR_H

#include <tcm/target.h>

#define TCM_PR_ISID_MAX	16
/* Registrations kept for a device that nobody has claimed yet */
#define TCM_PR_APTPL_MAX	8192

/* One registration from <dbroot>/pr/aptpl_<serial> */
struct tcm_pr_aptpl {
	struct list_head	node;
	char			initiator[TCM_NAME_MAX];
	char			isid[TCM_PR_ISID_MAX];	/* empty: none */
	char			fabric[32];		/* of the initiator port */
	char			target[TCM_NAME_MAX];
	char			target_fabric[32];
	u16			tpgt;
	u64			key;
	u64			mapped_lun;
	u64			target_lun;
	u8			type;			/* of the reservation, when @holder */
	bool			holder;
	bool			all_tg_pt;
};

/* dev->pr */
struct tcm_pr {
	/* @aptpl, @aptpl_count: tcm_config_mutex */
	struct list_head	aptpl;
	unsigned int		aptpl_count;
	u32			generation;	/* PRGENERATION */
	bool			aptpl_active;	/* APTPL was set by the last REGISTER */
};

int tcm_pr_create(struct tcm_device *dev);
void tcm_pr_destroy(struct tcm_device *dev);

/*
 * Keep a copy of @reg; the same nexus again replaces what was kept. Takes tcm_config_mutex.
 * -EINVAL: a LUN links to the device already; -ENOSPC: too many
 */
int tcm_pr_aptpl_add(struct tcm_device *dev, const struct tcm_pr_aptpl *reg, const char **why);

#endif
