/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TransportIDs (SPC-4 7.6.4): initiator ports as bytes. Pure functions.
 */
#ifndef _TCM_CORE_TRANSPORT_ID_H
#define _TCM_CORE_TRANSPORT_ID_H

#include "pr_state.h"

/* The longest: iSCSI's, with a name of TCM_NAME_MAX and an ISID */
#define TCM_TRANSPORT_ID_MAX	(4 + TCM_NAME_MAX + 24)
#define TCM_TRANSPORT_ID_LEN	24	/* of all but iSCSI */

/* Write the initiator port of @nexus; return the length. */
unsigned int tcm_transport_id_put(const struct tcm_pr_nexus *nexus, u8 *buf);

/*
 * Read one at @buf with @len bytes to go. Sets proto, initiator and ISID of @nexus and returns
 * the bytes it takes, or 0 when it is none.
 */
unsigned int tcm_transport_id_get(const u8 *buf, unsigned int len, struct tcm_pr_nexus *nexus);

#endif
