// SPDX-License-Identifier: GPL-2.0-only
/*
 * Receiving: everything that has arrived is taken in one pass over the socket's buffers; data goes
 * from there straight into the pages of its command. Commands and their data are dealt with on
 * the way, any other PDU ends the pass and is handled outside of the socket's lock.
 */
#include <linux/crc32c.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <net/tcp.h>
#include "iscsi.h"

/* A pass ends after so many bytes, so that what was asked for is answered meanwhile. */
#define TCM_ISC_RX_BATCH	SZ_512K
/* ... and after so many other PDUs than commands and their data */
#define TCM_ISC_RX_PDUS		64

void tcm_isc_rx_next(struct tcm_isc_conn *conn)
{
	struct tcm_isc_rx *rx = &conn->rx;

	rx->hdr_have = 0;
	rx->hdr_need = TCM_ISC_BHS;
	rx->in_data = false;
	rx->to = TCM_ISC_RX_DROP;
	rx->icmd = NULL;
	rx->lost = false;
	rx->off = 0;
	rx->digest_have = 0;
	rx->crc = ~0;
	/* Pairs with tcm_isc_rx_waits(), which does not look at the rest before. */
	smp_store_release(&rx->ready, false);
}

/* Of a PDU that begins where reading goes on: its length, or 0 when its header is to be seen now */
static u32 tcm_isc_rx_peek(const struct tcm_isc_conn *conn, struct sock *sk)
{
	const struct sk_buff *skb = skb_peek(&sk->sk_receive_queue);
	struct tcm_isc_bhs bhs;
	u32 off, dsl;
	u8 opcode;

	/* A length that has not been checked may be wrong, and nobody would notice. */
	if (!skb || conn->hdigest)
		return 0;
	off = tcp_sk(sk)->copied_seq - TCP_SKB_CB(skb)->seq;
	if (off >= skb->len || skb_copy_bits(skb, off, &bhs, sizeof(bhs)))
		return 0;
	opcode = bhs.opcode & TCM_ISC_OP_MASK;
	dsl = tcm_isc_dsl(&bhs);
	if ((opcode != TCM_ISC_COMMAND && opcode != TCM_ISC_DATA_OUT) || !dsl || bhs.ahs_len ||
	    dsl > tcm_isc_dsl_max(&conn->nego, opcode))
		return 0;
	return TCM_ISC_BHS + dsl + tcm_isc_pad(dsl) + (conn->ddigest ? 4 : 0);
}

/*
 * Initiators send a header and its data by two calls, and the owner would run twice. Part of a PDU
 * is of no use: it waits for the rest, but not for more than the socket can hold.
 */
bool tcm_isc_rx_waits(const struct tcm_isc_conn *conn, struct sock *sk)
{
	const struct tcm_isc_rx *rx = &conn->rx;
	u32 want = 0;

	/* Pairs with tcm_isc_rx_next(), which may run outside of the lock. */
	if (smp_load_acquire(&rx->ready) || rx->fail || READ_ONCE(conn->state) != TCM_ISC_CS_FFP)
		return false;
	if (rx->in_data)
		want = rx->left + rx->pad + (conn->ddigest ? 4 - rx->digest_have : 0);
	else if (!rx->hdr_have)
		want = tcm_isc_rx_peek(conn, sk);
	return want && !tcp_epollin_ready(sk, min_t(u32, want, READ_ONCE(sk->sk_rcvbuf) / 4));
}

/* There are digests in sessions only. */
static void tcm_isc_digest_wrong(struct tcm_isc_conn *conn)
{
	atomic_inc(&conn->digest_errors);
	if (conn->isess->itpg)
		atomic_inc(&conn->isess->itpg->target->stats.digest_errors);
}

static bool tcm_isc_header_digest_ok(struct tcm_isc_conn *conn, u32 len)
{
	const u8 *hdr = conn->rx.hdr;

	if (likely(~crc32c(~0, hdr, len) == get_unaligned_le32(hdr + len)))
		return true;
	tcm_isc_digest_wrong(conn);
	tcm_isc_session_fault(conn->isess, TCM_ISC_FAULT_DIGEST);
	return false;
}

/* A connection that says nothing has no buffer. */
static void tcm_isc_rx_to_buffer(struct tcm_isc_rx *rx)
{
	rx->to = TCM_ISC_RX_BUF;
	if (rx->dsl && !rx->buf)
		rx->buf = kvmalloc(TCM_ISC_LOGIN_TEXT_MAX + 1, GFP_KERNEL);
	if (rx->dsl && !rx->buf)
		rx->fail = true;
}

/* A whole header is there: where does its data segment go? */
static void tcm_isc_rx_header(struct tcm_isc_conn *conn)
{
	struct tcm_isc_rx *rx = &conn->rx;
	const struct tcm_isc_bhs *bhs = (const struct tcm_isc_bhs *)rx->hdr;
	u8 opcode = bhs->opcode & TCM_ISC_OP_MASK;

	rx->dsl = tcm_isc_dsl(bhs);
	rx->left = rx->dsl;
	rx->pad = tcm_isc_pad(rx->dsl);
	rx->in_data = true;
	if (unlikely(conn->state != TCM_ISC_CS_FFP &&
		     (conn->state != TCM_ISC_CS_LOGIN || opcode != TCM_ISC_LOGIN))) {
		rx->fail = true;
		return;
	}
	if (unlikely(rx->dsl > tcm_isc_dsl_max(&conn->nego, opcode))) {
		rx->fail = true;
		return;
	}
	switch (opcode) {
	case TCM_ISC_COMMAND:
		tcm_isc_cmd_header(conn);
		break;
	case TCM_ISC_DATA_OUT:
		tcm_isc_data_out_header(conn);
		break;
	default:
		tcm_isc_rx_to_buffer(rx);
		break;
	}
}

static void tcm_isc_rx_take_header(struct tcm_isc_conn *conn, struct sk_buff *skb, int off, u32 n)
{
	struct tcm_isc_rx *rx = &conn->rx;
	const struct tcm_isc_bhs *bhs = (const struct tcm_isc_bhs *)rx->hdr;
	u32 len;

	if (skb_copy_bits(skb, off, rx->hdr + rx->hdr_have, n)) {
		rx->fail = true;
		return;
	}
	rx->hdr_have += n;
	if (rx->hdr_have < rx->hdr_need)
		return;
	len = TCM_ISC_BHS + bhs->ahs_len * 4;
	rx->hdr_need = len + (conn->hdigest ? 4 : 0);
	if (rx->hdr_have < rx->hdr_need)
		return;
	if (conn->hdigest && !tcm_isc_header_digest_ok(conn, len)) {
		/* 7.8: without recovery within the connection it is lost */
		rx->fail = true;
		return;
	}
	tcm_isc_rx_header(conn);
}

static int tcm_isc_rx_to_pages(struct tcm_isc_conn *conn, struct sk_buff *skb, int off, u32 n)
{
	struct tcm_isc_rx *rx = &conn->rx;

	while (n) {
		u32 sg_off, part;
		struct scatterlist *sg = tcm_isc_cmd_seek(rx->icmd, rx->off, &sg_off);
		struct page *page;
		u8 *to;
		int err;

		if (WARN_ON_ONCE(!sg))
			return -EIO;
		part = min(n, sg->length - sg_off);
		sg_off += sg->offset;
		part = min_t(u32, part, PAGE_SIZE - offset_in_page(sg_off));
		page = nth_page(sg_page(sg), sg_off >> PAGE_SHIFT);
		to = kmap_local_page(page) + offset_in_page(sg_off);
		err = skb_copy_bits(skb, off, to, part);
		if (conn->ddigest)
			rx->crc = crc32c(rx->crc, to, part);
		kunmap_local(to);
		if (err)
			return err;
		off += part;
		rx->off += part;
		n -= part;
	}
	return 0;
}

static int tcm_isc_rx_to_buf(struct tcm_isc_conn *conn, struct sk_buff *skb, int off, u32 n)
{
	struct tcm_isc_rx *rx = &conn->rx;
	int err = skb_copy_bits(skb, off, rx->buf + rx->off, n);

	if (conn->ddigest)
		rx->crc = crc32c(rx->crc, rx->buf + rx->off, n);
	rx->off += n;
	return err;
}

static int tcm_isc_rx_drop(struct tcm_isc_conn *conn, struct sk_buff *skb, int off, u32 n)
{
	u8 some[256];

	while (n && conn->ddigest) {
		u32 part = min_t(u32, n, sizeof(some));
		int err = skb_copy_bits(skb, off, some, part);

		if (err)
			return err;
		conn->rx.crc = crc32c(conn->rx.crc, some, part);
		off += part;
		n -= part;
	}
	return 0;
}

static void tcm_isc_rx_take_data(struct tcm_isc_conn *conn, struct sk_buff *skb, int off, u32 n)
{
	struct tcm_isc_rx *rx = &conn->rx;
	u32 room = n;
	int err = 0;

	switch (rx->to) {
	case TCM_ISC_RX_CMD:
		/* More than the CDB asks for has no place. */
		room = rx->off < rx->icmd->rx_len ? min(n, rx->icmd->rx_len - rx->off) : 0;
		if (room)
			err = tcm_isc_rx_to_pages(conn, skb, off, room);
		if (!err && room < n) {
			err = tcm_isc_rx_drop(conn, skb, off + room, n - room);
			rx->off += n - room;
		}
		break;
	case TCM_ISC_RX_BUF:
		err = tcm_isc_rx_to_buf(conn, skb, off, n);
		break;
	default:
		err = tcm_isc_rx_drop(conn, skb, off, n);
		break;
	}
	if (err)
		rx->fail = true;
	rx->left -= n;
}

static void tcm_isc_rx_take_pad(struct tcm_isc_conn *conn, struct sk_buff *skb, int off, u32 n)
{
	u8 pad[4];

	if (skb_copy_bits(skb, off, pad, n))
		conn->rx.fail = true;
	if (conn->ddigest)
		conn->rx.crc = crc32c(conn->rx.crc, pad, n);
	conn->rx.pad -= n;
}

bool tcm_isc_rx_command(const struct tcm_isc_conn *conn)
{
	return (conn->rx.hdr[0] & TCM_ISC_OP_MASK) == TCM_ISC_COMMAND;
}

/* Header, data, padding and digest are there. */
static void tcm_isc_rx_done(struct tcm_isc_conn *conn)
{
	struct tcm_isc_rx *rx = &conn->rx;
	const struct tcm_isc_bhs *bhs = (const struct tcm_isc_bhs *)rx->hdr;
	struct tcm_isc_cmd *icmd = rx->icmd;

	if (unlikely(conn->ddigest && rx->dsl && ~rx->crc != get_unaligned_le32(rx->digest))) {
		tcm_isc_digest_wrong(conn);
		if (!conn->erl) {
			tcm_isc_session_fault(conn->isess, TCM_ISC_FAULT_DIGEST);
			rx->fail = true;
			return;
		}
		tcm_isc_digest_lost(conn);
		tcm_isc_rx_next(conn);
		return;
	}
	switch (bhs->opcode & TCM_ISC_OP_MASK) {
	case TCM_ISC_COMMAND:
		if (likely(icmd)) {
			rx->icmd = NULL;
			tcm_isc_cmd_received(conn, icmd);
		}
		break;
	case TCM_ISC_DATA_OUT:
		if (icmd) {
			rx->icmd = NULL;
			if (likely(!rx->lost))
				tcm_isc_data_out_received(conn, icmd);
			else
				tcm_isc_data_out_lost(conn, icmd);
		}
		break;
	default:
		rx->ready = true;
		return;
	}
	tcm_isc_rx_next(conn);
}

/* One step; returns the bytes it took. */
static u32 tcm_isc_rx_step(struct tcm_isc_conn *conn, struct sk_buff *skb, int off, u32 len)
{
	struct tcm_isc_rx *rx = &conn->rx;
	u32 n;

	if (!rx->in_data) {
		n = min(len, rx->hdr_need - rx->hdr_have);
		tcm_isc_rx_take_header(conn, skb, off, n);
	} else if (rx->left) {
		n = min(len, rx->left);
		tcm_isc_rx_take_data(conn, skb, off, n);
	} else if (rx->pad) {
		n = min(len, rx->pad);
		tcm_isc_rx_take_pad(conn, skb, off, n);
	} else {
		n = min_t(u32, len, 4 - rx->digest_have);
		if (skb_copy_bits(skb, off, rx->digest + rx->digest_have, n))
			rx->fail = true;
		rx->digest_have += n;
	}
	if (rx->in_data && !rx->left && !rx->pad && !rx->fail &&
	    (!conn->ddigest || !rx->dsl || rx->digest_have == 4))
		tcm_isc_rx_done(conn);
	return n;
}

static int tcm_isc_rx_actor(read_descriptor_t *desc, struct sk_buff *skb, unsigned int off,
			    size_t len)
{
	struct tcm_isc_conn *conn = desc->arg.data;
	struct tcm_isc_rx *rx = &conn->rx;
	size_t done = 0;

	/* What is killed takes no more: who took its place may be at work already. */
	if (unlikely(test_bit(TCM_ISC_CF_CLOSE, &conn->flags)))
		rx->full = true;
	while (done < len && !rx->ready && !rx->fail && !rx->full)
		done += tcm_isc_rx_step(conn, skb, off + done, len - done);
	conn->rx_octets += done;
	if (rx->ready || rx->fail || rx->full || done >= desc->count)
		desc->count = 0;
	else
		desc->count -= done;
	return done;
}

/* What came cannot be gone on with; a digest that was wrong has been counted. */
static void tcm_isc_rx_failed(struct tcm_isc_conn *conn)
{
	struct tcm_isc_session *isess = conn->isess;

	if (!isess || !isess->itpg || READ_ONCE(isess->fault) == TCM_ISC_FAULT_DIGEST)
		return;
	atomic_inc(&isess->itpg->target->stats.format_errors);
	tcm_isc_session_fault(isess, TCM_ISC_FAULT_FORMAT);
}

void tcm_isc_rx_run(struct tcm_isc_conn *conn)
{
	struct sock *sk = conn->sock->sk;
	read_descriptor_t desc = { .arg.data = conn };
	int n, pdus = 0;

	conn->rx_held = false;
	/* A command that was refused memory may end here and there; the pass goes on. */
	do {
		if (conn->state == TCM_ISC_CS_LOGOUT || conn->closing_tx)
			return;
		if (pdus == TCM_ISC_RX_PDUS || tcm_isc_tx_owes(conn)) {
			conn->rx_held = true;
			return;
		}
		conn->rx.full = false;
		desc.count = TCM_ISC_RX_BATCH;
		lock_sock(sk);
		n = tcp_read_sock(sk, &desc, tcm_isc_rx_actor);
		release_sock(sk);
		if (n > 0)
			conn->last_rx = jiffies;
		if (unlikely(conn->rx.fail)) {
			tcm_isc_rx_failed(conn);
			tcm_isc_conn_quit(conn, "it broke the protocol");
			return;
		}
		if (!conn->rx.ready && tcm_isc_tx_owes(conn))
			continue;
		if (!conn->rx.ready)
			return;
		pdus++;
		if (conn->state == TCM_ISC_CS_LOGIN)
			tcm_isc_login_pdu(conn);
		else
			tcm_isc_pdu_handle(conn);
		tcm_isc_rx_next(conn);
	} while (!test_bit(TCM_ISC_CF_CLOSE, &conn->flags));
}
