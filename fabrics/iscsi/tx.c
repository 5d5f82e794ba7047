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

void tcm_isc_msg_send(struct tcm_isc_conn *conn, struct tcm_isc_msg *msg)
{
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

/* 4.2.2.1, 4.2.2.2: every PDU of ours tells StatSN and the command window. */
static void tcm_isc_put_sns(struct tcm_isc_conn *conn, u8 *hdr, bool use_statsn)
{
	struct tcm_isc_rsp *rsp = (struct tcm_isc_rsp *)hdr;

	rsp->statsn = cpu_to_be32(conn->statsn);
	if (use_statsn)
		conn->statsn++;
	if (conn->isess) {
		rsp->max_cmdsn = cpu_to_be32(tcm_isc_max_cmdsn(conn->isess));
		rsp->exp_cmdsn = cpu_to_be32(conn->isess->exp_cmdsn);
		conn->isess->rsp_pdus++;
	}
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

static bool tcm_isc_tx_msg(struct tcm_isc_conn *conn, struct tcm_isc_msg *msg)
{
	u32 crc = ~0;

	if (conn->nr_bvec + 3 + DIV_ROUND_UP(msg->len, PAGE_SIZE) > TCM_ISC_BVECS ||
	    !tcm_isc_carve_ready(conn))
		return false;
	put_unaligned_be24(msg->len, msg->bhs.dsl);
	tcm_isc_put_sns(conn, msg->hdr, !msg->no_statsn);
	tcm_isc_put_header(conn, tcm_isc_carve(conn, tcm_isc_header_len(conn)), msg->hdr);
	if (msg->len) {
		tcm_isc_bvec_add(conn, virt_to_page(msg->data), 0, msg->len);
		if (conn->ddigest)
			crc = crc32c(crc, msg->data, msg->len);
		tcm_isc_put_tail(conn, msg->len, crc);
	}
	if (msg->close)
		conn->closing_tx = true;
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

static u32 tcm_isc_data_in_bytes(const struct tcm_cmd *cmd)
{
	return cmd->exp_dir == DMA_FROM_DEVICE ? cmd->xfer_len : 0;
}

/* 11.4: status that no Data-In carries */
static bool tcm_isc_tx_status(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd)
{
	struct tcm_cmd *cmd = &icmd->cmd;
	struct tcm_isc_rsp rsp = {
		.opcode = TCM_ISC_RESPONSE,
		.flags = TCM_ISC_F,
		.status = cmd->status,
		.itt = (__force __be32)(u32)cmd->tag,
		.datasn = cpu_to_be32(icmd->tx_datasn),
	};
	u8 sense[2 + TCM_SENSE_MAX];
	u32 len = tcm_cmd_sense(cmd, sense + 2), hlen = tcm_isc_header_len(conn);
	u8 *to;

	if (len) {
		put_unaligned_be16(len, sense);
		len += 2;
	}
	tcm_isc_put_residual(&rsp, cmd);
	put_unaligned_be24(len, rsp.dsl);
	tcm_isc_put_sns(conn, (u8 *)&rsp, true);
	to = tcm_isc_carve(conn, hlen + len);
	tcm_isc_put_header(conn, to, &rsp);
	if (len) {
		memcpy(to + hlen, sense, len);
		tcm_isc_put_tail(conn, len, conn->ddigest ? crc32c(~0, sense, len) : 0);
	}
	list_move_tail(&icmd->tx.node, &conn->sent);
	return true;
}

static void tcm_isc_put_data(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd, u32 len)
{
	u32 pos = icmd->tx_off, end = pos + len, crc = ~0;

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

/* 11.7: a part of the data; with the last one GOOD status when there is nothing to add to it */
static bool tcm_isc_tx_data(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd)
{
	const struct tcm_isc_nego *nego = &conn->isess->nego;
	struct tcm_cmd *cmd = &icmd->cmd;
	u32 total = tcm_isc_data_in_bytes(cmd), burst = nego->val[TCM_ISC_K_MAX_BURST];
	u32 room = burst - icmd->tx_off % burst;
	u32 most = min(nego->val[TCM_ISC_K_MAX_RECV], conn->isess->max_xmit);
	u32 n = min3(total - icmd->tx_off, most, room);
	bool last = icmd->tx_off + n == total;
	struct tcm_isc_rsp rsp = {
		.opcode = TCM_ISC_DATA_IN,
		.itt = (__force __be32)(u32)cmd->tag,
		.ttt = TCM_ISC_NO_TAG,
		.datasn = cpu_to_be32(icmd->tx_datasn++),
		.offset = cpu_to_be32(icmd->tx_off),
	};
	bool status = last && cmd->status == SAM_STAT_GOOD;

	if (last || n == room)
		rsp.flags = TCM_ISC_F;
	put_unaligned_be24(n, rsp.dsl);
	tcm_isc_put_sns(conn, (u8 *)&rsp, status);
	if (status) {
		rsp.flags |= TCM_ISC_D_S;
		tcm_isc_put_residual(&rsp, cmd);
	} else {
		rsp.statsn = 0;
	}
	tcm_isc_put_header(conn, tcm_isc_carve(conn, tcm_isc_header_len(conn)), &rsp);
	tcm_isc_put_data(conn, icmd, n);
	icmd->tx_off += n;
	if (status)
		list_move_tail(&icmd->tx.node, &conn->sent);
	return true;
}

static bool tcm_isc_tx_cmd(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd)
{
	if (conn->nr_bvec + 6 + TCM_ISC_XMIT_MAX / PAGE_SIZE > TCM_ISC_BVECS ||
	    !tcm_isc_carve_ready(conn))
		return false;
	if (icmd->tx_off < tcm_isc_data_in_bytes(&icmd->cmd))
		return tcm_isc_tx_data(conn, icmd);
	return tcm_isc_tx_status(conn, icmd);
}

/* ---- batches ---- */

static void tcm_isc_tx_build(struct tcm_isc_conn *conn)
{
	while (!list_empty(&conn->txq) && !conn->closing_tx) {
		struct tcm_isc_tx *tx = list_first_entry(&conn->txq, struct tcm_isc_tx, node);
		bool built;

		if (tx->is_cmd)
			built = tcm_isc_tx_cmd(conn, container_of(tx, struct tcm_isc_cmd, tx));
		else
			built = tcm_isc_tx_msg(conn, container_of(tx, struct tcm_isc_msg, tx));
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
		if (tx->is_cmd) {
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

void tcm_isc_tx_run(struct tcm_isc_conn *conn)
{
	while (!conn->no_room && !test_bit(TCM_ISC_CF_CLOSE, &conn->flags)) {
		if (!conn->nr_bvec)
			tcm_isc_tx_build(conn);
		if (!conn->nr_bvec || !tcm_isc_tx_flush(conn))
			return;
		tcm_isc_tx_sent(conn);
	}
}

/* The connection is at its end: nothing of this is sent any more. */
void tcm_isc_tx_drop(struct tcm_isc_conn *conn)
{
	struct tcm_isc_tx *tx, *next;

	list_splice_init(&conn->sent, &conn->txq);
	list_for_each_entry_safe(tx, next, &conn->txq, node) {
		list_del(&tx->node);
		if (tx->is_cmd)
			tcm_isc_cmd_put(conn, container_of(tx, struct tcm_isc_cmd, tx));
		else
			tcm_isc_msg_free(container_of(tx, struct tcm_isc_msg, tx));
	}
	conn->nr_bvec = 0;
	if (conn->hdr_old)
		put_page(conn->hdr_old);
	conn->hdr_old = NULL;
}
