// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sending: headers, data and status of many commands and messages are one array of pages and one
 * call. TCP keeps references to the pages until the peer has acknowledged them, so nothing here
 * is written to again before its reference count says that they are ours alone.
 */
#include <linux/crc32c.h>
#include <linux/highmem.h>
#include <linux/slab.h>
#include <compat/sock.h>
#include "iscsi.h"

/* Bytes of header page that one PDU may take: header, sense data, padding, digests, rounded up */
#define TCM_ISC_CARVE_MAX	256
/* A batch that has so many pieces is sent: of large ones there is one in a turn, see conn.c. */
#define TCM_ISC_BATCH		64

/* ---- messages ---- */

struct tcm_isc_msg *tcm_isc_msg_new(struct tcm_isc_conn *conn, u8 opcode, u32 len)
{
	struct tcm_isc_msg *msg = kzalloc(sizeof(*msg), GFP_NOIO);

	if (!msg)
		goto quit;
	if (len) {
		gfp_t gfp = GFP_NOIO | __GFP_COMP | __GFP_NOWARN | __GFP_ZERO;

		msg->order = get_order(len);
		msg->data = (void *)__get_free_pages(gfp, msg->order);
		if (!msg->data)
			goto free;
	}
	msg->len = len;
	msg->bhs.opcode = opcode;
	msg->bhs.flags = TCM_ISC_F;
	return msg;

free:
	kfree(msg);
quit:
	/* An answer that is owed and cannot be given */
	tcm_isc_conn_quit(conn, "no memory");
	return NULL;
}

void tcm_isc_msg_free(struct tcm_isc_msg *msg)
{
	if (msg->data)
		free_pages((unsigned long)msg->data, msg->order);
	kfree(msg);
}

/*
 * What a message counts towards the limit, by the pages it has. The first R2T for some data is
 * bounded by the command window, and a peer may send what was asked for before it reads on; how
 * often it has us ask again is its own affair.
 */
static unsigned int tcm_isc_msg_weight(const struct tcm_isc_msg *msg)
{
	if (msg->bhs.opcode == TCM_ISC_R2T && !msg->again)
		return 0;
	return 1 + DIV_ROUND_UP(msg->len, PAGE_SIZE);
}

void tcm_isc_msg_send(struct tcm_isc_conn *conn, struct tcm_isc_msg *msg)
{
	conn->owed += tcm_isc_msg_weight(msg);
	if (unlikely(conn->owed >= TCM_ISC_OWED_MAX))
		conn->rx.full = true;
	list_add_tail(&msg->tx.node, &conn->txq);
}

/* ---- pieces of a batch ---- */

static void tcm_isc_bvec_add(struct tcm_isc_conn *conn, struct page *page, u32 off, u32 len)
{
	struct bio_vec *last = conn->nr_bvec ? &conn->bvec[conn->nr_bvec - 1] : NULL;

	if (last && last->bv_page == page && last->bv_offset + last->bv_len == off) {
		last->bv_len += len;
		return;
	}
	bvec_set_page(&conn->bvec[conn->nr_bvec++], page, len, off);
}

/*
 * Room in the page of headers. A page that is full goes back to the ring with the batch that
 * used it; a second one that is full ends the batch.
 */
static bool tcm_isc_carve_ready(struct tcm_isc_conn *conn)
{
	if (conn->hdr_page && conn->hdr_used + TCM_ISC_CARVE_MAX <= PAGE_SIZE)
		return true;
	if (conn->hdr_old)
		return false;
	conn->hdr_old = conn->hdr_page;
	conn->hdr_page = tcm_isc_page_get(conn);
	conn->hdr_used = 0;
	if (conn->hdr_page)
		return true;
	tcm_isc_conn_quit(conn, "no memory");
	return false;
}

static u8 *tcm_isc_carve(struct tcm_isc_conn *conn, u32 len)
{
	u8 *at = page_address(conn->hdr_page) + conn->hdr_used;

	tcm_isc_bvec_add(conn, conn->hdr_page, conn->hdr_used, len);
	conn->hdr_used += len;
	return at;
}

static void tcm_isc_put_window(struct tcm_isc_conn *conn, u8 *hdr)
{
	struct tcm_isc_rsp *rsp = (struct tcm_isc_rsp *)hdr;

	if (conn->isess) {
		tcm_isc_slots_lock(conn->isess);
		rsp->max_cmdsn = cpu_to_be32(tcm_isc_max_cmdsn(conn->isess));
		rsp->exp_cmdsn = cpu_to_be32(conn->isess->exp_cmdsn);
		conn->isess->rsp_pdus++;
		tcm_isc_slots_unlock(conn->isess);
	}
}

/* 4.2.2.1, 4.2.2.2: every PDU of ours tells StatSN and the command window. */
static void tcm_isc_put_sns(struct tcm_isc_conn *conn, u8 *hdr, bool use_statsn)
{
	struct tcm_isc_rsp *rsp = (struct tcm_isc_rsp *)hdr;

	rsp->statsn = cpu_to_be32(conn->statsn);
	if (use_statsn)
		conn->statsn++;
	tcm_isc_put_window(conn, hdr);
}

/* The same for what may be sent again: 11.16 has it keep its StatSN. */
static void tcm_isc_put_statsn(struct tcm_isc_conn *conn, u8 *hdr, struct tcm_isc_tx *tx,
			       bool again)
{
	struct tcm_isc_rsp *rsp = (struct tcm_isc_rsp *)hdr;

	if (!again)
		tx->statsn = conn->statsn++;
	rsp->statsn = cpu_to_be32(tx->statsn);
	tcm_isc_put_window(conn, hdr);
}

static u32 tcm_isc_put_header(struct tcm_isc_conn *conn, u8 *to, const void *hdr)
{
	memcpy(to, hdr, TCM_ISC_BHS);
	if (!conn->hdigest)
		return TCM_ISC_BHS;
	put_unaligned_le32(~crc32c(~0, to, TCM_ISC_BHS), to + TCM_ISC_BHS);
	return TCM_ISC_BHS + 4;
}

static u32 tcm_isc_header_len(const struct tcm_isc_conn *conn)
{
	return conn->hdigest ? TCM_ISC_BHS + 4 : TCM_ISC_BHS;
}

/* Padding and digest after data whose checksum so far is @crc */
static void tcm_isc_put_tail(struct tcm_isc_conn *conn, u32 len, u32 crc)
{
	u32 pad = tcm_isc_pad(len), n = pad + (conn->ddigest ? 4 : 0);
	u8 *tail;

	if (!n)
		return;
	tail = tcm_isc_carve(conn, n);
	memset(tail, 0, pad);
	if (conn->ddigest)
		put_unaligned_le32(~crc32c(crc, tail, pad), tail + pad);
}

/* ---- PDUs ---- */

static bool tcm_isc_tx_msg(struct tcm_isc_conn *conn, struct tcm_isc_msg *msg, bool again)
{
	u32 crc = ~0;

	if (conn->nr_bvec + 3 + DIV_ROUND_UP(msg->len, PAGE_SIZE) > TCM_ISC_BVECS ||
	    !tcm_isc_carve_ready(conn))
		return false;
	put_unaligned_be24(msg->len, msg->bhs.dsl);
	if (msg->no_statsn)
		tcm_isc_put_sns(conn, msg->hdr, false);
	else
		tcm_isc_put_statsn(conn, msg->hdr, &msg->tx, again);
	tcm_isc_put_header(conn, tcm_isc_carve(conn, tcm_isc_header_len(conn)), msg->hdr);
	if (msg->len) {
		tcm_isc_bvec_add(conn, virt_to_page(msg->data), 0, msg->len);
		if (conn->ddigest)
			crc = crc32c(crc, msg->data, msg->len);
		tcm_isc_put_tail(conn, msg->len, crc);
	}
	if (msg->close)
		conn->closing_tx = true;
	if (!again)
		list_move_tail(&msg->tx.node, &conn->sent);
	return true;
}

static void tcm_isc_put_residual(struct tcm_isc_rsp *rsp, const struct tcm_cmd *cmd)
{
	bool overflow;
	u32 resid = tcm_cmd_residual(cmd, &overflow);

	if (!resid)
		return;
	rsp->flags |= overflow ? TCM_ISC_D_O : TCM_ISC_D_U;
	rsp->residual = cpu_to_be32(resid);
}

u32 tcm_isc_data_in_bytes(const struct tcm_cmd *cmd)
{
	return cmd->exp_dir == DMA_FROM_DEVICE ? cmd->xfer_len : 0;
}

/* Sense data as it goes out; kept where it may be asked for again. */
static u32 tcm_isc_put_sense(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd, u8 *to)
{
	u32 len;

	if (icmd->put) {
		if (icmd->sense)
			memcpy(to, icmd->sense, icmd->sense_len);
		return icmd->sense ? icmd->sense_len : 0;
	}
	len = tcm_cmd_sense(&icmd->cmd, to + 2);
	if (!len)
		return 0;
	put_unaligned_be16(len, to);
	len += 2;
	if (conn->erl && !icmd->sense) {
		icmd->sense = kmemdup(to, len, GFP_NOIO);
		icmd->sense_len = len;
	}
	return len;
}

/* 11.4: status that no Data-In carries */
static void tcm_isc_tx_status(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd, bool again)
{
	struct tcm_cmd *cmd = &icmd->cmd;
	struct tcm_isc_rsp rsp = {
		.opcode = TCM_ISC_RESPONSE,
		.flags = TCM_ISC_F,
		.status = cmd->status,
		.itt = (__force __be32)(u32)cmd->tag,
		.ttt = cpu_to_be32(icmd->snack_tag),
		/* 11.4.8: of Data-In, or of R2Ts */
		.datasn = cpu_to_be32(cmd->exp_dir == DMA_TO_DEVICE ? icmd->r2tsn :
				      icmd->tx_datasn),
	};
	u8 sense[2 + TCM_SENSE_MAX];
	u32 len = tcm_isc_put_sense(conn, icmd, sense), hlen = tcm_isc_header_len(conn);
	u8 *to;

	tcm_isc_put_residual(&rsp, cmd);
	/* 11.4.5: no command here has data in both directions */
	if (unlikely(icmd->bidi)) {
		rsp.flags |= TCM_ISC_D_BU;
		rsp.offset = cpu_to_be32(icmd->bidi);
	}
	put_unaligned_be24(len, rsp.dsl);
	tcm_isc_put_statsn(conn, (u8 *)&rsp, &icmd->tx, again);
	to = tcm_isc_carve(conn, hlen + len);
	tcm_isc_put_header(conn, to, &rsp);
	if (len) {
		memcpy(to + hlen, sense, len);
		tcm_isc_put_tail(conn, len, conn->ddigest ? crc32c(~0, sense, len) : 0);
	}
}

static void tcm_isc_put_data(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd, u32 pos, u32 len)
{
	u32 end = pos + len, crc = ~0;

	while (pos < end) {
		u32 off, part;
		struct scatterlist *sg = tcm_isc_cmd_seek(icmd, pos, &off);

		if (WARN_ON_ONCE(!sg))
			return;
		part = min(end - pos, sg->length - off);
		tcm_isc_bvec_add(conn, sg_page(sg), sg->offset + off, part);
		if (conn->ddigest)
			crc = crc32c(crc, page_address(sg_page(sg)) + sg->offset + off, part);
		pos += part;
	}
	tcm_isc_put_tail(conn, len, crc);
}

/* What one Data-In may carry now */
u32 tcm_isc_data_in_most(const struct tcm_isc_conn *conn)
{
	return min(conn->nego.val[TCM_ISC_K_MAX_RECV], conn->isess->max_xmit);
}

/* How much of the data goes into the PDU that begins at @off */
u32 tcm_isc_data_in_len(const struct tcm_isc_conn *conn, const struct tcm_isc_cmd *icmd, u32 off)
{
	u32 burst = conn->nego.val[TCM_ISC_K_MAX_BURST];

	return min3(tcm_isc_data_in_bytes(&icmd->cmd) - off, icmd->tx_most, burst - off % burst);
}

/* 11.7.2: once in a burst the initiator is asked to say what it has. */
static void tcm_isc_ask_ack(struct tcm_isc_cmd *icmd, struct tcm_isc_rsp *rsp)
{
	if (!icmd->ack_tag)
		icmd->ack_tag = tcm_isc_tag_new(icmd);
	rsp->flags |= TCM_ISC_D_A;
	rsp->ttt = cpu_to_be32(icmd->ack_tag);
	tcm_lun_pack(icmd->cmd.unpacked_lun, &rsp->lun);
}

/* 11.7: a part of the data; with the last one GOOD status when there is nothing to add to it */
static bool tcm_isc_put_data_in(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd, u32 *off,
				u32 *datasn, bool again)
{
	struct tcm_cmd *cmd = &icmd->cmd;
	u32 n = tcm_isc_data_in_len(conn, icmd, *off), end = *off + n, pos = *off;
	bool last = end == tcm_isc_data_in_bytes(cmd);
	struct tcm_isc_rsp rsp = {
		.opcode = TCM_ISC_DATA_IN,
		.itt = (__force __be32)(u32)cmd->tag,
		.ttt = TCM_ISC_NO_TAG,
		.datasn = cpu_to_be32((*datasn)++),
		.offset = cpu_to_be32(*off),
	};
	bool status = last && cmd->status == SAM_STAT_GOOD && !icmd->apart;

	if (last || !(end % conn->nego.val[TCM_ISC_K_MAX_BURST]))
		rsp.flags = TCM_ISC_F;
	if (unlikely(conn->special)) {
		if (conn->erl && rsp.flags && !last)
			tcm_isc_ask_ack(icmd, &rsp);
		pos = tcm_isc_data_in_place(conn, icmd, pos);
		rsp.offset = cpu_to_be32(pos);
	}
	put_unaligned_be24(n, rsp.dsl);
	if (status) {
		rsp.flags |= TCM_ISC_D_S;
		tcm_isc_put_residual(&rsp, cmd);
		tcm_isc_put_statsn(conn, (u8 *)&rsp, &icmd->tx, again);
	} else {
		tcm_isc_put_window(conn, (u8 *)&rsp);
	}
	tcm_isc_put_header(conn, tcm_isc_carve(conn, tcm_isc_header_len(conn)), &rsp);
	tcm_isc_put_data(conn, icmd, pos, n);
	*off = end;
	return status;
}

static bool tcm_isc_tx_room(struct tcm_isc_conn *conn)
{
	return conn->nr_bvec + 6 + TCM_ISC_XMIT_MAX / PAGE_SIZE <= TCM_ISC_BVECS &&
	       tcm_isc_carve_ready(conn);
}

/* From its header to its answer, the initiator's data in between included */
static void tcm_isc_tx_sample(struct tcm_isc_conn *conn, const struct tcm_isc_cmd *icmd)
{
	u32 us = min_t(u64, (ktime_get_ns() - icmd->since) / NSEC_PER_USEC, U32_MAX);

	ewma_tcm_isc_us_add(&conn->latency, us);
	WRITE_ONCE(conn->latency_max, max(conn->latency_max, us));
}

static bool tcm_isc_tx_cmd(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd)
{
	bool done = true;

	if (!tcm_isc_tx_room(conn))
		return false;
	if (icmd->tx_off < tcm_isc_data_in_bytes(&icmd->cmd)) {
		if (!icmd->tx_datasn)
			icmd->tx_most = tcm_isc_data_in_most(conn);
		done = tcm_isc_put_data_in(conn, icmd, &icmd->tx_off, &icmd->tx_datasn, false);
	} else {
		tcm_isc_tx_status(conn, icmd, false);
	}
	if (done) {
		if (unlikely(icmd->since))
			tcm_isc_tx_sample(conn, icmd);
		if (unlikely(conn->erl))
			icmd->built = true;
		list_move_tail(&icmd->tx.node, &conn->sent);
	}
	return true;
}

/* 11.16: exact replicas, but for the command window */
static bool tcm_isc_tx_again(struct tcm_isc_conn *conn, struct tcm_isc_again *again)
{
	struct tcm_isc_cmd *icmd = container_of(again->of, struct tcm_isc_cmd, tx);

	if (!tcm_isc_tx_room(conn))
		return false;
	if (again->of->kind == TCM_ISC_TX_MSG) {
		if (!tcm_isc_tx_msg(conn, container_of(again->of, struct tcm_isc_msg, tx), true))
			return false;
	} else if (again->datasn != again->end) {
		tcm_isc_put_data_in(conn, icmd, &again->off, &again->datasn, true);
		if (again->datasn != again->end || again->status)
			return true;
	} else {
		tcm_isc_tx_status(conn, icmd, true);
	}
	list_move_tail(&again->tx.node, &conn->sent);
	return true;
}

/* ---- batches ---- */

static void tcm_isc_tx_build(struct tcm_isc_conn *conn)
{
	while (!list_empty(&conn->txq) && !conn->closing_tx &&
	       conn->nr_bvec < TCM_ISC_BATCH) {
		struct tcm_isc_tx *tx = list_first_entry(&conn->txq, struct tcm_isc_tx, node);
		bool built;

		if (likely(tx->kind == TCM_ISC_TX_CMD))
			built = tcm_isc_tx_cmd(conn, container_of(tx, struct tcm_isc_cmd, tx));
		else if (tx->kind == TCM_ISC_TX_MSG)
			built = tcm_isc_tx_msg(conn, container_of(tx, struct tcm_isc_msg, tx),
					       false);
		else
			built = tcm_isc_tx_again(conn, container_of(tx, struct tcm_isc_again, tx));
		if (!built)
			return;
	}
}

/* TCP has all of the batch: what it was made of is free. */
static void tcm_isc_tx_sent(struct tcm_isc_conn *conn)
{
	struct tcm_isc_tx *tx, *next;
	bool login_done = false;

	conn->nr_bvec = 0;
	conn->first_bvec = 0;
	if (conn->hdr_old) {
		tcm_isc_page_put(conn, conn->hdr_old);
		conn->hdr_old = NULL;
	}
	list_for_each_entry_safe(tx, next, &conn->sent, node) {
		list_del(&tx->node);
		if (unlikely(tx->kind == TCM_ISC_TX_MSG))
			conn->owed -= tcm_isc_msg_weight(container_of(tx, struct tcm_isc_msg, tx));
		if (unlikely(conn->erl)) {
			tcm_isc_retain(conn, tx);
		} else if (likely(tx->kind == TCM_ISC_TX_CMD)) {
			tcm_isc_cmd_put(conn, container_of(tx, struct tcm_isc_cmd, tx));
		} else {
			struct tcm_isc_msg *msg = container_of(tx, struct tcm_isc_msg, tx);

			login_done |= msg->login_done;
			tcm_isc_msg_free(msg);
		}
	}
	if (login_done)
		tcm_isc_login_sent(conn);
	if (conn->closing_tx)
		tcm_isc_conn_quit(conn, "the last message is sent");
}

/* True when all of the batch was taken. */
static bool tcm_isc_tx_flush(struct tcm_isc_conn *conn)
{
	struct bio_vec *bv = conn->bvec;
	size_t len = 0;
	unsigned int i;
	int n;

	for (i = conn->first_bvec; i < conn->nr_bvec; i++)
		len += bv[i].bv_len;
	while (len) {
		WRITE_ONCE(conn->no_room, true);
		n = tcm_sock_send_bvecs(conn->sock, bv + conn->first_bvec,
					conn->nr_bvec - conn->first_bvec, len);
		if (n == -EAGAIN)
			return false;
		if (n <= 0) {
			tcm_isc_conn_quit(conn, "sending failed");
			return false;
		}
		conn->tx_octets += n;
		len -= n;
		for (i = conn->first_bvec; n && n >= bv[i].bv_len; i++)
			n -= bv[i].bv_len;
		conn->first_bvec = i;
		if (n) {
			bv[i].bv_offset += n;
			bv[i].bv_len -= n;
		}
	}
	WRITE_ONCE(conn->no_room, false);
	return true;
}

bool tcm_isc_tx_run(struct tcm_isc_conn *conn)
{
	while (!conn->no_room && !test_bit(TCM_ISC_CF_CLOSE, &conn->flags)) {
		if (!conn->nr_bvec)
			tcm_isc_tx_build(conn);
		if (!conn->nr_bvec || !tcm_isc_tx_flush(conn))
			return false;
		tcm_isc_tx_sent(conn);
		if (tcm_isc_turn_over(conn))
			return !list_empty(&conn->txq);
	}
	return false;
}

/*
 * @msg goes before all that is queued, and no more than this one time is tried to send it: the
 * connection is about to end. In the middle of another PDU there is no place for it.
 */
void tcm_isc_tx_last(struct tcm_isc_conn *conn, struct tcm_isc_msg *msg)
{
	if (conn->nr_bvec) {
		tcm_isc_msg_free(msg);
		return;
	}
	conn->owed += tcm_isc_msg_weight(msg);
	list_add(&msg->tx.node, &conn->txq);
	if (tcm_isc_tx_msg(conn, msg, false) && tcm_isc_tx_flush(conn))
		tcm_isc_tx_sent(conn);
}

/* The connection is at its end: nothing of this is sent any more. */
void tcm_isc_tx_drop(struct tcm_isc_conn *conn)
{
	struct tcm_isc_tx *tx, *next;
	LIST_HEAD(gone);

	list_splice_init(&conn->sent, &conn->txq);
	/* Retransmissions first: what they are of is not freed before them. */
	list_for_each_entry_safe(tx, next, &conn->txq, node) {
		if (tx->kind != TCM_ISC_TX_AGAIN)
			continue;
		list_del(&tx->node);
		tcm_isc_again_done(conn, container_of(tx, struct tcm_isc_again, tx));
	}
	list_splice_init(&conn->unacked, &gone);
	list_splice_init(&conn->txq, &gone);
	list_for_each_entry_safe(tx, next, &gone, node) {
		list_del(&tx->node);
		tcm_isc_release(conn, tx);
	}
	tcm_isc_tx_reset(conn);
}

/* Nothing is under way. */
void tcm_isc_tx_reset(struct tcm_isc_conn *conn)
{
	conn->nr_unacked = 0;
	conn->owed = 0;
	conn->nr_bvec = 0;
	if (conn->hdr_old)
		put_page(conn->hdr_old);
	conn->hdr_old = NULL;
}
