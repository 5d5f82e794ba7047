// SPDX-License-Identifier: GPL-2.0-only
/*
 * Error recovery level 1 (RFC 7143 7.1.4): what was sent is kept until the initiator has
 * acknowledged its StatSN, and sent again when a SNACK asks for it; data that is lost on its way to
 * us is asked for again. What is kept is bounded by the command window, and where the initiator
 * does not say what it has it is asked.
 */
#include <linux/slab.h>
#include "iscsi.h"

/* Messages, beside commands, that an initiator may leave unacknowledged */
#define TCM_ISC_UNACKED_MSGS	256

/* ---- what may be asked for again ---- */

void tcm_isc_release(struct tcm_isc_conn *conn, struct tcm_isc_tx *tx)
{
	if (tx->kind == TCM_ISC_TX_CMD)
		tcm_isc_cmd_put(conn, container_of(tx, struct tcm_isc_cmd, tx));
	else
		tcm_isc_msg_free(container_of(tx, struct tcm_isc_msg, tx));
}

/* R2Ts and pings show one, but do not use it up. */
static bool tcm_isc_has_statsn(const struct tcm_isc_tx *tx)
{
	return tx->kind == TCM_ISC_TX_CMD ||
	       (tx->kind == TCM_ISC_TX_MSG &&
		!container_of(tx, struct tcm_isc_msg, tx)->no_statsn);
}

u32 tcm_isc_tx_statsns(const struct tcm_isc_conn *conn)
{
	const struct tcm_isc_tx *tx;
	u32 n = 0;

	/* What is in @sent has its own. */
	list_for_each_entry(tx, &conn->txq, node)
		n += tcm_isc_has_statsn(tx);
	return n;
}

/* The core's part of a command goes at once: what may be sent again is the connection's alone. */
static void tcm_isc_cmd_keep(struct tcm_isc_cmd *icmd)
{
	/* It may have been sent on a connection before. */
	if (icmd->put)
		return;
	if (icmd->cmd.flags & TCM_CMD_OWN_SG) {
		icmd->core_sg = icmd->cmd.sg;
		icmd->cmd.flags &= ~TCM_CMD_OWN_SG;
	}
	tcm_cmd_put(&icmd->cmd);
	icmd->put = true;
}

/* TCP has all of it. */
void tcm_isc_retain(struct tcm_isc_conn *conn, struct tcm_isc_tx *tx)
{
	struct tcm_isc_session *isess = conn->isess;

	if (tx->kind == TCM_ISC_TX_AGAIN) {
		tcm_isc_again_done(conn, container_of(tx, struct tcm_isc_again, tx));
		return;
	}
	if (tx->kind == TCM_ISC_TX_CMD) {
		tcm_isc_cmd_keep(container_of(tx, struct tcm_isc_cmd, tx));
	} else if (!tcm_isc_has_statsn(tx)) {
		tcm_isc_release(conn, tx);
		return;
	}
	if (tcm_isc_sn_before(tx->statsn, conn->exp_statsn)) {
		if (tx->again)
			tx->acked = true;
		else
			tcm_isc_release(conn, tx);
		return;
	}
	list_add_tail(&tx->node, &conn->unacked);
	conn->nr_unacked++;
	if (conn->nr_unacked > isess->max_slots + TCM_ISC_UNACKED_MSGS)
		tcm_isc_conn_late(conn, "it acknowledges nothing");
	else if (conn->nr_unacked > isess->depth / 2 && !conn->ping_out)
		tcm_isc_ping_now(conn);
}

/* Who waits for the window to open has nothing else coming that says so. */
void tcm_isc_tell_window(struct tcm_isc_conn *conn)
{
	struct tcm_isc_msg *msg = tcm_isc_msg_new(conn, TCM_ISC_NOP_IN, 0);

	if (!msg)
		return;
	msg->bhs.itt = TCM_ISC_NO_TAG;
	msg->bhs.word5 = TCM_ISC_NO_TAG;
	msg->no_statsn = true;
	tcm_isc_msg_send(conn, msg);
}

/* The initiator has what comes before @exp_statsn (4.2.2.2). */
void tcm_isc_acked(struct tcm_isc_conn *conn, u32 exp_statsn)
{
	struct tcm_isc_session *isess = conn->isess;
	struct tcm_isc_tx *tx, *next;

	if (tcm_isc_sn_before(exp_statsn, conn->exp_statsn) ||
	    tcm_isc_sn_before(conn->statsn, exp_statsn) || exp_statsn == conn->exp_statsn)
		return;
	conn->exp_statsn = exp_statsn;
	if (unlikely(tcm_isc_window_closed(isess)))
		tcm_isc_tell_window(conn);
	list_for_each_entry_safe(tx, next, &conn->unacked, node) {
		if (!tcm_isc_sn_before(tx->statsn, exp_statsn))
			break;
		list_del_init(&tx->node);
		conn->nr_unacked--;
		if (tx->again)
			tx->acked = true;
		else
			tcm_isc_release(conn, tx);
	}
}

/* ---- retransmission ---- */

static struct tcm_isc_again *tcm_isc_again_new(struct tcm_isc_conn *conn, struct tcm_isc_tx *of)
{
	struct tcm_isc_again *again;

	if (conn->nr_again == TCM_ISC_AGAIN_MAX || of->again == U8_MAX)
		return NULL;
	again = kzalloc(sizeof(*again), GFP_NOIO);
	if (!again)
		return NULL;
	again->tx.kind = TCM_ISC_TX_AGAIN;
	again->of = of;
	of->again++;
	conn->nr_again++;
	list_add_tail(&again->tx.node, &conn->txq);
	return again;
}

/* Sent, or given up. */
void tcm_isc_again_done(struct tcm_isc_conn *conn, struct tcm_isc_again *again)
{
	struct tcm_isc_tx *of = again->of;

	conn->nr_again--;
	of->again--;
	if (of->acked && !of->again)
		tcm_isc_release(conn, of);
	kfree(again);
}

static struct tcm_isc_cmd *tcm_isc_find_task(struct tcm_isc_conn *conn, __be32 itt)
{
	struct tcm_isc_session *isess = conn->isess;
	unsigned int i, nr = smp_load_acquire(&isess->nr_slots); /* as in tcm_isc_walk_cmds() */

	for (i = 0; i < nr; i++) {
		struct tcm_isc_cmd *icmd = isess->slots[i];

		if (READ_ONCE(icmd->busy) && !tcm_isc_is_acked(icmd) && icmd->conn == conn &&
		    icmd->cmd.tag == (__force u32)itt)
			return icmd;
	}
	return NULL;
}

/* Where the Data-In with @datasn begins: all but the last of a burst are of the same size. */
u32 tcm_isc_data_in_at(const struct tcm_isc_conn *conn, const struct tcm_isc_cmd *icmd,
		       u32 datasn)
{
	u32 sn = icmd->ack_datasn, off = icmd->ack_off;

	for (; sn != datasn; sn++)
		off += tcm_isc_data_in_len(conn, icmd, off);
	return off;
}

/* ---- SNACK, 11.16 ---- */

static u8 tcm_isc_snack_data_in(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd, u32 beg,
				u32 run)
{
	struct tcm_isc_again *again;
	u32 end;

	if (!beg && !run)
		beg = icmd->ack_datasn;
	end = run ? beg + run : icmd->tx_datasn;
	/* What was not sent, or is acknowledged, or has to be cut anew (11.16.3) */
	if (end < beg || beg < icmd->ack_datasn || end > icmd->tx_datasn ||
	    tcm_isc_data_in_most(conn) < icmd->tx_most)
		return TCM_ISC_REJ_PROTOCOL;
	if (beg == end)
		return 0;
	again = tcm_isc_again_new(conn, &icmd->tx);
	if (!again)
		return TCM_ISC_REJ_SNACK;
	again->off = tcm_isc_data_in_at(conn, icmd, beg);
	again->datasn = beg;
	again->end = end;
	return 0;
}

static u8 tcm_isc_snack_r2t(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd, u32 beg, u32 run)
{
	u32 end = run ? beg + run : icmd->r2tsn;
	bool found = false;
	int i;

	if (end < beg || end > icmd->r2tsn)
		return TCM_ISC_REJ_PROTOCOL;
	if (icmd->phase != TCM_ISC_PH_R2T)
		return run ? TCM_ISC_REJ_PROTOCOL : 0;
	for (i = 0; i < icmd->nr_r2t; i++) {
		if (icmd->r2t[i].sn < beg || icmd->r2t[i].sn >= end)
			continue;
		tcm_isc_r2t_repeat(conn, icmd, &icmd->r2t[i]);
		found = true;
	}
	/* One whose data is there has been acknowledged by that. */
	return found || !run ? 0 : TCM_ISC_REJ_PROTOCOL;
}

static u8 tcm_isc_snack_data(struct tcm_isc_conn *conn, const struct tcm_isc_snack *req)
{
	struct tcm_isc_cmd *icmd = tcm_isc_find_task(conn, req->itt);
	u32 beg = be32_to_cpu(req->beg_run), run = be32_to_cpu(req->run_len);

	if (!icmd)
		return TCM_ISC_REJ_PROTOCOL;
	if (icmd->cmd.exp_dir == DMA_TO_DEVICE)
		return tcm_isc_snack_r2t(conn, icmd, beg, run);
	return tcm_isc_snack_data_in(conn, icmd, beg, run);
}

/* A response, or the Data-In that carried it */
static u8 tcm_isc_status_again(struct tcm_isc_conn *conn, struct tcm_isc_tx *tx)
{
	struct tcm_isc_again *again = tcm_isc_again_new(conn, tx);
	struct tcm_isc_cmd *icmd = container_of(tx, struct tcm_isc_cmd, tx);

	if (!again)
		return TCM_ISC_REJ_SNACK;
	/* Data that is acknowledged is not there any more: the status goes by itself. */
	if (tx->kind == TCM_ISC_TX_CMD && icmd->tx_datasn > icmd->ack_datasn && !icmd->apart &&
	    icmd->cmd.status == SAM_STAT_GOOD) {
		again->end = icmd->tx_datasn;
		again->datasn = again->end - 1;
		again->off = tcm_isc_data_in_at(conn, icmd, again->datasn);
	}
	return 0;
}

static u8 tcm_isc_snack_status(struct tcm_isc_conn *conn, const struct tcm_isc_snack *req)
{
	struct list_head *lists[] = { &conn->unacked, &conn->sent };
	u32 beg = be32_to_cpu(req->beg_run), run = be32_to_cpu(req->run_len), end;
	struct tcm_isc_tx *tx, *next;
	unsigned int i;
	u8 reason = 0;

	if (!beg && !run)
		beg = conn->exp_statsn;
	end = run ? beg + run : conn->statsn;
	if (tcm_isc_sn_before(end, beg) || tcm_isc_sn_before(conn->statsn, end) ||
	    tcm_isc_sn_before(beg, conn->exp_statsn))
		return TCM_ISC_REJ_PROTOCOL;
	for (i = 0; i < ARRAY_SIZE(lists); i++)
		list_for_each_entry_safe(tx, next, lists[i], node) {
			if (!tcm_isc_has_statsn(tx))
				continue;
			if (!reason && !tcm_isc_sn_before(tx->statsn, beg) &&
			    tcm_isc_sn_before(tx->statsn, end))
				reason = tcm_isc_status_again(conn, tx);
		}
	return reason;
}

static u8 tcm_isc_snack_ack(struct tcm_isc_conn *conn, const struct tcm_isc_snack *req)
{
	u32 tag = be32_to_cpu(req->tag), slot = tag % TCM_ISC_TAGS;
	u32 beg = be32_to_cpu(req->beg_run);
	struct tcm_isc_cmd *icmd;

	if (slot >= smp_load_acquire(&conn->isess->nr_slots)) /* pairs with tcm_isc_slot_new() */
		return TCM_ISC_REJ_PROTOCOL;
	icmd = conn->isess->slots[slot];
	if (!tag || !READ_ONCE(icmd->busy) || tcm_isc_is_acked(icmd) || icmd->conn != conn ||
	    icmd->ack_tag != tag || beg < icmd->ack_datasn || beg > icmd->tx_datasn)
		return TCM_ISC_REJ_PROTOCOL;
	icmd->ack_off = tcm_isc_data_in_at(conn, icmd, beg);
	icmd->ack_datasn = beg;
	return 0;
}

/* 11.16.3: all that is not acknowledged, cut anew, and a response that says so */
static u8 tcm_isc_snack_cut(struct tcm_isc_conn *conn, const struct tcm_isc_snack *req)
{
	struct tcm_isc_cmd *icmd = tcm_isc_find_task(conn, req->itt);
	struct tcm_isc_again *again;
	u32 total, off;

	if (!icmd || req->beg_run || req->run_len || !icmd->tx_datasn ||
	    icmd->cmd.exp_dir != DMA_FROM_DEVICE)
		return TCM_ISC_REJ_PROTOCOL;
	if (icmd->tx.again)
		return TCM_ISC_REJ_SNACK;
	again = NULL;
	if (icmd->built) {
		again = tcm_isc_again_new(conn, &icmd->tx);
		if (!again)
			return TCM_ISC_REJ_SNACK;
	}
	tcm_isc_data_in_recut(conn, icmd);
	total = tcm_isc_data_in_bytes(&icmd->cmd);
	off = icmd->ack_off;
	/* It may still be being sent: go back. */
	if (!again)
		icmd->tx_off = off;
	icmd->snack_tag = be32_to_cpu(req->tag);
	icmd->apart = true;
	icmd->tx_datasn = icmd->ack_datasn;
	if (!again)
		return 0;
	again->off = off;
	again->datasn = icmd->ack_datasn;
	for (; off < total; off += tcm_isc_data_in_len(conn, icmd, off))
		icmd->tx_datasn++;
	again->end = icmd->tx_datasn;
	again->status = true;
	return 0;
}

void tcm_isc_snack(struct tcm_isc_conn *conn)
{
	const struct tcm_isc_snack *req = (const struct tcm_isc_snack *)conn->rx.hdr;
	u8 reason = TCM_ISC_REJ_SNACK;

	if (!conn->erl || !conn->isess->tsess) {
		tcm_isc_reject(conn, reason);
		return;
	}
	switch (req->flags & 0x0f) {
	case TCM_ISC_SNACK_DATA_R2T:
		reason = tcm_isc_snack_data(conn, req);
		break;
	case TCM_ISC_SNACK_STATUS:
		reason = tcm_isc_snack_status(conn, req);
		break;
	case TCM_ISC_SNACK_DATA_ACK:
		reason = tcm_isc_snack_ack(conn, req);
		break;
	case TCM_ISC_SNACK_R_DATA:
		reason = tcm_isc_snack_cut(conn, req);
		break;
	}
	if (reason)
		tcm_isc_reject(conn, reason);
}

/* ---- what is lost on its way to us ---- */

/* 7.8: a data segment with a wrong digest is let go, and its sender told. */
void tcm_isc_digest_lost(struct tcm_isc_conn *conn)
{
	struct tcm_isc_rx *rx = &conn->rx;
	struct tcm_isc_cmd *icmd = rx->icmd;

	tcm_isc_reject(conn, TCM_ISC_REJ_DATA_DIGEST);
	rx->icmd = NULL;
	if (!icmd)
		return;
	if (tcm_isc_rx_command(conn))
		tcm_isc_cmd_discard(icmd);
	else
		tcm_isc_data_out_lost(conn, icmd);
}

/* The timer went off: data that is owed for too long is asked for again. */
void tcm_isc_recover_data(struct tcm_isc_conn *conn)
{
	const struct tcm_isc_acl_attrib *attrib = &conn->isess->attrib;
	unsigned long most = attrib->dataout_timeout * HZ, next = most;
	struct tcm_isc_cmd *icmd, *safe;

	list_for_each_entry_safe(icmd, safe, &conn->waiting, node) {
		unsigned long quiet = jiffies - icmd->last_data;

		if (quiet < most) {
			next = min(next, most - quiet);
			continue;
		}
		if (icmd->retries++ == attrib->dataout_timeout_retries) {
			tcm_isc_conn_late(conn, "no data for a write");
			return;
		}
		/* Who calls with the lock held has added what is not late. */
		tcm_isc_order_lock(conn->isess);
		tcm_isc_data_again(conn, icmd);
		tcm_isc_order_unlock(conn->isess);
	}
	if (!list_empty(&conn->waiting))
		tcm_isc_tick_in(conn, next);
}
