// SPDX-License-Identifier: GPL-2.0-only
/*
 * Headers of iSCSI in full feature phase: a connection's negotiated values, then PDU after PDU of
 * one write, judged as the receiver judges them.
 *
 * A byte before each PDU says which of its numbers are made to be the expected ones, so that a
 * conversation gets somewhere.
 */
#include "../../fabrics/iscsi/judge.h"
#include "fuzz.h"

#define RIGHT_SN	1
#define RIGHT_OFF	2
#define RIGHT_LEN	4

struct write {
	bool			there, unsolicited;
	u32			exp_len, got;
	struct tcm_isc_unsol	unsol;
	struct tcm_isc_r2t	r2t;
};

/* In the ranges of 12.2 */
static void negotiated(struct fuzz_in *in, struct tcm_isc_nego *nego)
{
	static const enum tcm_isc_key sizes[] = {
		TCM_ISC_K_MAX_RECV, TCM_ISC_K_MAX_BURST, TCM_ISC_K_FIRST_BURST,
	};
	u8 bits = fuzz_take(in, 1);
	unsigned int i;

	tcm_isc_offer_init(&nego->offer);
	tcm_isc_nego_init(nego, &nego->offer);
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		nego->val[sizes[i]] = 512 + fuzz_take(in, 3) % (0xffffff - 511);
	nego->offer.val[TCM_ISC_K_MAX_RECV] = nego->val[TCM_ISC_K_MAX_RECV];
	nego->val[TCM_ISC_K_FIRST_BURST] = min(nego->val[TCM_ISC_K_FIRST_BURST],
					       nego->val[TCM_ISC_K_MAX_BURST]);
	nego->val[TCM_ISC_K_INITIAL_R2T] = bits & 1;
	nego->val[TCM_ISC_K_IMMEDIATE_DATA] = bits >> 1 & 1;
	nego->val[TCM_ISC_K_PDU_IN_ORDER] = bits >> 2 & 1;
}

/* What is missing is asked for, burst by burst. */
static void ask(struct write *w, const u32 *val)
{
	w->unsolicited = false;
	w->there = w->got < w->exp_len;
	memset(&w->r2t, 0, sizeof(w->r2t));
	w->r2t.off = w->got;
	w->r2t.len = min(w->exp_len - w->got, val[TCM_ISC_K_MAX_BURST]);
}

static void command(struct write *w, const u32 *val, const struct tcm_isc_command *hdr, u32 dsl)
{
	u8 *buf = malloc(TCM_CDB_MAX);
	unsigned int len = 0;
	const u8 *cdb;

	if (!tcm_isc_command_ok(val, hdr, dsl))
		goto out;
	fuzz_check(!dsl || (dsl <= val[TCM_ISC_K_FIRST_BURST] && dsl <= be32_to_cpu(hdr->edtl)));
	fuzz_check((hdr->flags & TCM_ISC_F) || (hdr->flags & TCM_ISC_W));
	fuzz_check(!tcm_isc_command_bidi(hdr) || hdr->ahs_len >= 2);
	cdb = tcm_isc_command_cdb(hdr, buf, &len);
	if (!cdb)
		goto out;
	fuzz_check(cdb == hdr->cdb ? len == 16 : cdb == buf && len >= 16 && len <= TCM_CDB_MAX);
	fuzz_check(!memcmp(cdb, hdr->cdb, 16));
	if (!(hdr->flags & TCM_ISC_W))
		goto out;
	memset(w, 0, sizeof(*w));
	w->exp_len = be32_to_cpu(hdr->edtl);
	w->got = dsl;
	w->unsol.off = dsl;
	w->there = true;
	w->unsolicited = !(hdr->flags & TCM_ISC_F);
	if (!w->unsolicited)
		ask(w, val);
out:
	free(buf);
}

static void take_unsolicited(struct write *w, const u32 *val, const struct tcm_isc_data_out *hdr,
			     u32 dsl)
{
	u32 off = be32_to_cpu(hdr->offset);

	switch (tcm_isc_judge_unsolicited(val, &w->unsol, w->exp_len, hdr, dsl)) {
	case TCM_ISC_DATA_WRONG:
		w->there = false;
		return;
	case TCM_ISC_DATA_LOST:
		w->unsol.lost = true;
		break;
	case TCM_ISC_DATA_TAKE:
		fuzz_check(off == w->got && (u64)off + dsl <= w->exp_len);
		fuzz_check(off + dsl <= val[TCM_ISC_K_FIRST_BURST]);
		w->unsol.off += dsl;
		w->unsol.datasn++;
		w->got += dsl;
		break;
	}
	if (hdr->flags & TCM_ISC_F)
		ask(w, val);
}

static void take_solicited(struct write *w, const u32 *val, const struct tcm_isc_data_out *hdr,
			   u32 dsl)
{
	u32 off = be32_to_cpu(hdr->offset);

	switch (tcm_isc_judge_solicited(val, &w->r2t, hdr, dsl)) {
	case TCM_ISC_DATA_WRONG:
		w->there = false;
		return;
	case TCM_ISC_DATA_LOST:
		w->r2t.lost = !(hdr->flags & TCM_ISC_F);
		return;
	case TCM_ISC_DATA_TAKE:
		fuzz_check(off >= w->r2t.off && (u64)off + dsl <= (u64)w->r2t.off + w->r2t.len);
		fuzz_check((u64)off + dsl <= w->exp_len);
		if (val[TCM_ISC_K_PDU_IN_ORDER])
			fuzz_check(off == w->got);
		w->r2t.datasn++;
		w->r2t.got += dsl;
		w->got += dsl;
		fuzz_check(w->r2t.got <= w->r2t.len);
		break;
	}
	if (w->r2t.got == w->r2t.len)
		ask(w, val);
}

static void data_out(struct write *w, const u32 *val, struct tcm_isc_data_out *hdr, u32 dsl, u8 right)
{
	if (!w->there)
		return;
	if (right & RIGHT_SN)
		hdr->datasn = cpu_to_be32(w->unsolicited ? w->unsol.datasn : w->r2t.datasn);
	if (right & RIGHT_OFF)
		hdr->offset = cpu_to_be32(w->unsolicited ? w->unsol.off : w->r2t.off + w->r2t.got);
	if (right & RIGHT_LEN)
		dsl = min(dsl, w->unsolicited ? w->exp_len - w->unsol.off : w->r2t.len - w->r2t.got);
	if (w->unsolicited)
		take_unsolicited(w, val, hdr, dsl);
	else
		take_solicited(w, val, hdr, dsl);
	fuzz_check(w->got <= w->exp_len);
}

/* A header and its additional ones, in memory of exactly their size; NULL: no more */
static u8 *header(struct fuzz_in *in)
{
	u32 len;
	u8 *hdr;

	if (in->left < TCM_ISC_BHS)
		return NULL;
	len = TCM_ISC_BHS + in->p[4] * 4;
	if (in->left < len)
		return NULL;
	hdr = malloc(len);
	memcpy(hdr, in->p, len);
	in->p += len;
	in->left -= len;
	return hdr;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz_in in = { data, size };
	struct write w = { };
	struct tcm_isc_nego nego;
	u8 *hdr, opcode, right;
	u32 dsl;

	negotiated(&in, &nego);
	for (;;) {
		right = fuzz_take(&in, 1);
		hdr = header(&in);
		if (!hdr)
			break;
		opcode = hdr[0] & TCM_ISC_OP_MASK;
		dsl = tcm_isc_dsl((const struct tcm_isc_bhs *)hdr);
		fuzz_check(tcm_isc_pad(dsl) < 4 && !((dsl + tcm_isc_pad(dsl)) & 3));
		if (dsl > tcm_isc_dsl_max(&nego, opcode))
			dsl = 0;
		if (opcode == TCM_ISC_COMMAND)
			command(&w, nego.val, (const struct tcm_isc_command *)hdr, dsl);
		else if (opcode == TCM_ISC_DATA_OUT)
			data_out(&w, nego.val, (struct tcm_isc_data_out *)hdr, dsl, right);
		free(hdr);
	}
	return 0;
}
