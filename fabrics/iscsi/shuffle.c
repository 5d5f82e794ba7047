// SPDX-License-Identifier: GPL-2.0-only
/*
 * Data in random order, to test initiators by: random_datain_pdu_offsets, random_datain_seq_offsets
 * and random_r2t_offsets of an ACL, in sessions that negotiated such an order (RFC 7143 13.18,
 * 13.19).
 *
 * Elsewhere an offset says how much comes before it on the wire, so it and the number of a PDU
 * belong together also when that is sent again. Here it becomes a place in the command's data. The
 * order is a function of the command and of nothing else: what is sent again is what it was.
 */
#include <linux/jhash.h>
#include "iscsi.h"

#define TCM_ISC_ROUNDS	4

static bool tcm_isc_shuffles_pdus(const struct tcm_isc_session *isess)
{
	return isess->attrib.random_datain_pdu_offsets && !isess->nego.val[TCM_ISC_K_PDU_IN_ORDER];
}

static bool tcm_isc_shuffles_seqs(const struct tcm_isc_session *isess)
{
	return isess->attrib.random_datain_seq_offsets && !isess->nego.val[TCM_ISC_K_SEQ_IN_ORDER];
}

static bool tcm_isc_shuffles_r2ts(const struct tcm_isc_session *isess)
{
	return isess->attrib.random_r2t_offsets && !isess->nego.val[TCM_ISC_K_SEQ_IN_ORDER];
}

bool tcm_isc_shuffles(const struct tcm_isc_session *isess)
{
	return tcm_isc_shuffles_pdus(isess) || tcm_isc_shuffles_seqs(isess) ||
	       tcm_isc_shuffles_r2ts(isess);
}

/*
 * Which of @n is the @k-th in a random order. A Feistel network permutes the numbers below a power
 * of four, less than four times @n; what is not below @n is permuted again, until it is.
 */
static u32 tcm_isc_nth(u32 seed, u32 n, u32 k)
{
	u32 bits = DIV_ROUND_UP(fls(n - 1), 2), mask = BIT(bits) - 1;
	int i;

	do {
		for (i = 0; i < TCM_ISC_ROUNDS; i++) {
			u32 right = k & mask;

			k = right << bits | ((k >> bits ^ jhash_2words(right, i, seed)) & mask);
		}
	} while (k >= n);
	return k;
}

/*
 * @total bytes are cut into pieces of @most bytes. On the wire, where @off counts, the short one is
 * the last; in the data it is anywhere, and those behind it begin so much earlier.
 */
static u32 tcm_isc_scatter(u32 seed, u32 total, u32 most, u32 off)
{
	u32 n = DIV_ROUND_UP(total, most), missing = n * most - total;
	u32 place = tcm_isc_nth(seed, n, off / most);

	if (place > tcm_isc_nth(seed, n, n - 1))
		return place * most - missing + off % most;
	return place * most + off % most;
}

static u32 tcm_isc_seed(const struct tcm_isc_cmd *icmd, u32 part)
{
	return jhash_3words(icmd->held.cmdsn, (u32)icmd->cmd.tag, part, 0);
}

/* Where in the data the Data-In begins that has @off bytes before it */
u32 tcm_isc_data_in_place(const struct tcm_isc_conn *conn, const struct tcm_isc_cmd *icmd, u32 off)
{
	u32 burst = conn->nego.val[TCM_ISC_K_MAX_BURST], in = off % burst, from = off - in;
	u32 total = tcm_isc_data_in_bytes(&icmd->cmd), len = min(burst, total - from);

	if (tcm_isc_shuffles_pdus(conn->isess))
		in = tcm_isc_scatter(tcm_isc_seed(icmd, from), len, icmd->tx_most, in);
	if (tcm_isc_shuffles_seqs(conn->isess))
		from = tcm_isc_scatter(tcm_isc_seed(icmd, U32_MAX), total, burst, from);
	return from + in;
}

/*
 * Data that is not acknowledged is cut as it suits @conn. In another cut the PDUs of a burst that
 * is acknowledged in part are other ones: all of it goes again.
 */
void tcm_isc_data_in_recut(const struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd)
{
	u32 most = tcm_isc_data_in_most(conn);

	if (most != icmd->tx_most && tcm_isc_shuffles_pdus(conn->isess))
		icmd->ack_off -= icmd->ack_off % conn->nego.val[TCM_ISC_K_MAX_BURST];
	icmd->tx_most = most;
}

/* Where in the data the R2T begins before which @off bytes were sent unasked or are asked for */
u32 tcm_isc_r2t_place(const struct tcm_isc_conn *conn, const struct tcm_isc_cmd *icmd, u32 off)
{
	u32 unasked = min(icmd->unsol.off, icmd->rx_len);

	if (!tcm_isc_shuffles_r2ts(conn->isess))
		return off;
	return unasked + tcm_isc_scatter(tcm_isc_seed(icmd, 0), icmd->cmd.xfer_len - unasked,
					 conn->nego.val[TCM_ISC_K_MAX_BURST], off - unasked);
}
