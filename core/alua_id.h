/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How INQUIRY names the groups that a LUN belongs to (SPC-4 5.15.1, 7.8.6.7, 7.8.6.8).
 */
#ifndef _TCM_ALUA_ID_H
#define _TCM_ALUA_ID_H

#include <tcm/target.h>

/* TPGS of standard INQUIRY data, SPC-4 table 144 */
#define TCM_TPGS_IMPLICIT	1
#define TCM_TPGS_EXPLICIT	2

struct tcm_alua_id {
	bool	has_port_group, has_lu_group;
	u16	port_group, lu_group;
	u8	tpgs;		/* TCM_TPGS_*; 0: no asymmetric access */
};

/* What @lun is a member of now. Any context. */
static inline void tcm_alua_id(const struct tcm_lun *lun, struct tcm_alua_id *id)
{
	bool alua = READ_ONCE(lun->dev->attr.alua_support);

	*id = (struct tcm_alua_id) {
		.has_port_group	= alua,
		.has_lu_group	= alua,
		.tpgs		= alua ? TCM_TPGS_IMPLICIT | TCM_TPGS_EXPLICIT : 0,
	};
}

#endif
