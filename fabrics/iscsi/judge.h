/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an initiator's headers may say: a judgement on a header, what was negotiated and how far a
 * command has come. Pure, and inline because each is asked on the fast path in one place; can be
 * fed garbage in user space.
 */
#ifndef _TCM_ISCSI_JUDGE_H
#define _TCM_ISCSI_JUDGE_H

#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include <tcm/cmd.h>
#include "keys.h"
#include "pdu.h"

#define TCM_ISC_LOGIN_TEXT_MAX	16384	/* what an initiator may send in one go */

/* One R2T that is answered by data */
struct tcm_isc_r2t {
	u32	ttt;
	u32	off, len, got;
	u32	datasn;
	u32	sn;		/* R2TSN */
	bool	lost;		/* what comes is let go until the initiator is through */
};

/* What a write has had of unsolicited data */
struct tcm_isc_unsol {
	u32	off;		/* bytes, from the first on */
	u32	datasn;
	bool	lost;		/* some was not there: no more is taken */
};

/* What to do with a Data-Out */
enum tcm_isc_data_verdict {
	TCM_ISC_DATA_TAKE,
	TCM_ISC_DATA_LOST,	/* something before it is missing */
	TCM_ISC_DATA_WRONG,
};

/* The longest data segment: what was declared for data, what a login may send for the rest */
static inline u32 tcm_isc_dsl_max(const struct tcm_isc_nego *nego, u8 opcode)
{
	if (opcode == TCM_ISC_DATA_OUT || opcode == TCM_ISC_COMMAND)
		return nego->offer.val[TCM_ISC_K_MAX_RECV];
	return TCM_ISC_LOGIN_TEXT_MAX;
}

/* What the header says fits what was negotiated (12.10, 12.11, 12.14, 4.2.4.2). */
static inline bool tcm_isc_command_ok(const u32 *val, const struct tcm_isc_command *hdr, u32 dsl)
{
	bool write = hdr->flags & TCM_ISC_W;

	if (!(hdr->flags & TCM_ISC_F) && (!write || val[TCM_ISC_K_INITIAL_R2T]))
		return false;
	if (dsl && (!write || !val[TCM_ISC_K_IMMEDIATE_DATA] || dsl > val[TCM_ISC_K_FIRST_BURST] ||
		    dsl > be32_to_cpu(hdr->edtl)))
		return false;
	return true;
}

/* Additional headers, 11.2.2.1 */
#define TCM_ISC_AHS_CDB		1
#define TCM_ISC_AHS_BIDI	2

/* The first additional header of @type: its AHSLength; 0: there is none, -EINVAL: malformed */
static inline int tcm_isc_command_ahs(const struct tcm_isc_command *hdr, u8 type, const u8 **at)
{
	const u8 *ahs = (const u8 *)hdr + TCM_ISC_BHS;
	u32 left = hdr->ahs_len * 4, n;

	while (left >= 4) {
		n = get_unaligned_be16(ahs);
		if (n < 1 || n + 3 > left)
			return -EINVAL;
		if (ahs[2] == type) {
			*at = ahs;
			return n;
		}
		n = round_up(n + 3, 4);
		ahs += min(n, left);
		left -= min(n, left);
	}
	return 0;
}

/* 11.2.2.4: what the initiator takes of a command that has data in both directions */
static inline u32 tcm_isc_command_bidi(const struct tcm_isc_command *hdr)
{
	const u8 *ahs;

	return tcm_isc_command_ahs(hdr, TCM_ISC_AHS_BIDI, &ahs) == 5 ?
		get_unaligned_be32(ahs + 4) : 0;
}

/*
 * The CDB of a command: in place, or put together in @cdb of TCM_CDB_MAX bytes where the rest of
 * it is in an additional header (11.2.2.3). NULL for lengths that are wrong.
 */
static inline const u8 *tcm_isc_command_cdb(const struct tcm_isc_command *hdr, u8 *cdb,
					    unsigned int *len)
{
	const u8 *ahs;
	int n = tcm_isc_command_ahs(hdr, TCM_ISC_AHS_CDB, &ahs);

	*len = sizeof(hdr->cdb);
	if (likely(!n))
		return hdr->cdb;
	if (n < 0 || n - 1 > (int)(TCM_CDB_MAX - sizeof(hdr->cdb)))
		return NULL;
	memcpy(cdb, hdr->cdb, sizeof(hdr->cdb));
	memcpy(cdb + sizeof(hdr->cdb), ahs + 4, n - 1);
	*len = sizeof(hdr->cdb) + n - 1;
	return cdb;
}

/* 4.2.4.2: not more than FirstBurstLength, and in order. @exp_len: what the initiator has */
static inline enum tcm_isc_data_verdict
tcm_isc_judge_unsolicited(const u32 *val, const struct tcm_isc_unsol *unsol, u32 exp_len,
			  const struct tcm_isc_data_out *hdr, u32 dsl)
{
	u32 most = min(val[TCM_ISC_K_FIRST_BURST], exp_len);
	u32 off = be32_to_cpu(hdr->offset);

	if (dsl > most || off > most - dsl)
		return TCM_ISC_DATA_WRONG;
	if (off != unsol->off || be32_to_cpu(hdr->datasn) != unsol->datasn || unsol->lost)
		return TCM_ISC_DATA_LOST;
	return TCM_ISC_DATA_TAKE;
}

/* 11.8: what was asked for, and within a burst in order where that was agreed on */
static inline enum tcm_isc_data_verdict
tcm_isc_judge_solicited(const u32 *val, const struct tcm_isc_r2t *r2t,
			const struct tcm_isc_data_out *hdr, u32 dsl)
{
	u32 off = be32_to_cpu(hdr->offset);

	if (off < r2t->off || dsl > r2t->len || off - r2t->off > r2t->len - dsl)
		return TCM_ISC_DATA_WRONG;
	if (be32_to_cpu(hdr->datasn) != r2t->datasn || dsl > r2t->len - r2t->got || r2t->lost)
		return TCM_ISC_DATA_LOST;
	if (off != r2t->off + r2t->got && val[TCM_ISC_K_PDU_IN_ORDER])
		return TCM_ISC_DATA_LOST;
	return TCM_ISC_DATA_TAKE;
}

#endif
