// SPDX-License-Identifier: GPL-2.0-only
/*
 * Turns by CmdSN (RFC 7143 4.2.2.1) in sessions that may have several connections, or where a PDU
 * that was lost is sent again: what comes before its turn is held. Each command is carried out by
 * the owner of its connection: who has had its turn wakes the one who is next.
 */
#include <linux/slab.h>
#include "iscsi.h"

/* How long commands wait for one that does not come */
#define TCM_ISC_HOLE_SECONDS	30

/* Another PDU than a command */
struct tcm_isc_held_pdu {
	struct tcm_isc_held	held;
	u32			dsl;
	u8			hdr[TCM_ISC_BHS];
	char			data[];
};

/* Within the window, and neither carried out nor held */
static bool tcm_isc_order_new(struct tcm_isc_session *isess, u32 cmdsn)
{
	struct tcm_isc_held *held;

	lockdep_assert_held(&isess->order);
	if (tcm_isc_sn_before(cmdsn, isess->exp_cmdsn) ||
	    tcm_isc_sn_before(READ_ONCE(isess->max_cmdsn), cmdsn))
		return false;
	list_for_each_entry_reverse(held, &isess->held, node) {
		if (held->cmdsn == cmdsn && !held->immediate)
			return false;
		if (tcm_isc_sn_before(held->cmdsn, cmdsn))
			break;
	}
	return true;
}

/* A header came: is it worth receiving the rest? */
bool tcm_isc_order_wanted(struct tcm_isc_session *isess, u32 cmdsn)
{
	bool wanted;

	mutex_lock(&isess->order);
	wanted = tcm_isc_order_new(isess, cmdsn);
	mutex_unlock(&isess->order);
	return wanted;
}

static void tcm_isc_order_hold(struct tcm_isc_conn *conn, struct tcm_isc_held *held)
{
	struct tcm_isc_session *isess = conn->isess;
	struct tcm_isc_held *before;

	lockdep_assert_held(&isess->order);
	held->conn = conn;
	if (list_empty(&isess->held))
		isess->hole_since = jiffies;
	list_for_each_entry_reverse(before, &isess->held, node)
		if (tcm_isc_sn_before(before->cmdsn, held->cmdsn) ||
		    (before->cmdsn == held->cmdsn && before->immediate))
			break;
	list_add(&held->node, &before->node);
	tcm_isc_tick_in(conn, TCM_ISC_HOLE_SECONDS * HZ);
}

/* The turn of @cmdsn has come. */
static void tcm_isc_order_turn(struct tcm_isc_session *isess)
{
	lockdep_assert_held(&isess->order);
	spin_lock(&isess->slot_lock);
	isess->exp_cmdsn++;
	spin_unlock(&isess->slot_lock);
	isess->hole_since = jiffies;
}

static struct tcm_isc_held *tcm_isc_order_first(struct tcm_isc_session *isess)
{
	struct tcm_isc_held *held = list_first_entry_or_null(&isess->held, struct tcm_isc_held,
							     node);

	lockdep_assert_held(&isess->order);
	return held && held->cmdsn == isess->exp_cmdsn ? held : NULL;
}

/* Who is next is told, and carries it out when no socket is locked. */
static void tcm_isc_order_wake(struct tcm_isc_session *isess)
{
	struct tcm_isc_held *next = tcm_isc_order_first(isess);

	if (!next)
		return;
	set_bit(TCM_ISC_CF_TURN, &next->conn->flags);
	tcm_isc_conn_queue(next->conn);
}

/* A whole command: header and immediate data */
void tcm_isc_order_cmd(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd)
{
	struct tcm_isc_session *isess = conn->isess;

	mutex_lock(&isess->order);
	icmd->held.is_cmd = true;
	if (icmd->held.cmdsn == isess->exp_cmdsn && !tcm_isc_order_first(isess)) {
		tcm_isc_order_turn(isess);
		tcm_isc_cmd_begin(conn, icmd);
		tcm_isc_order_wake(isess);
	} else if (tcm_isc_order_new(isess, icmd->held.cmdsn)) {
		tcm_isc_order_hold(conn, &icmd->held);
	} else {
		/* It came on another connection meanwhile. */
		if (icmd->phase != TCM_ISC_PH_NONE)
			list_del(&icmd->node);
		tcm_isc_cmd_discard(icmd);
	}
	mutex_unlock(&isess->order);
}

/* Without memory it is as if it had been lost. */
static void tcm_isc_order_keep(struct tcm_isc_conn *conn, u32 cmdsn, bool immediate)
{
	u32 dsl = conn->rx.dsl;
	struct tcm_isc_held_pdu *pdu = kvmalloc(struct_size(pdu, data, dsl), GFP_KERNEL);

	if (!pdu)
		return;
	pdu->held.cmdsn = cmdsn;
	pdu->held.is_cmd = false;
	pdu->held.immediate = immediate;
	conn->isess->nr_held_immediate += immediate;
	pdu->dsl = dsl;
	memcpy(pdu->hdr, conn->rx.hdr, TCM_ISC_BHS);
	if (dsl)
		memcpy(pdu->data, conn->rx.buf, dsl);
	tcm_isc_order_hold(conn, &pdu->held);
}

/*
 * Another PDU with a CmdSN, which the owner has received and holds no lock for. One that may wait
 * for others' connections is carried out after its turn.
 */
void tcm_isc_order_pdu(struct tcm_isc_conn *conn)
{
	const struct tcm_isc_bhs *bhs = (const struct tcm_isc_bhs *)conn->rx.hdr;
	struct tcm_isc_session *isess = conn->isess;
	u32 cmdsn = be32_to_cpu(bhs->cmdsn);
	bool turn;

	mutex_lock(&isess->order);
	/* One that is held has the turn, and this is it again. */
	turn = cmdsn == isess->exp_cmdsn && !tcm_isc_order_first(isess);
	if (turn) {
		tcm_isc_order_turn(isess);
		tcm_isc_order_wake(isess);
	} else if (tcm_isc_order_new(isess, cmdsn)) {
		tcm_isc_order_keep(conn, cmdsn, false);
	}
	mutex_unlock(&isess->order);
	if (turn)
		tcm_isc_pdu_run(conn);
}

/*
 * A function for many tasks is about all that was sent before it (4.2.3.3), by whichever
 * connection: those that are under way there still come first.
 */
void tcm_isc_order_function(struct tcm_isc_conn *conn)
{
	const struct tcm_isc_bhs *bhs = (const struct tcm_isc_bhs *)conn->rx.hdr;
	struct tcm_isc_session *isess = conn->isess;
	u32 cmdsn = be32_to_cpu(bhs->cmdsn);
	bool waits, room;

	mutex_lock(&isess->order);
	waits = tcm_isc_sn_before(isess->exp_cmdsn, cmdsn) &&
		!tcm_isc_sn_before(READ_ONCE(isess->max_cmdsn) + 1, cmdsn);
	room = isess->nr_held_immediate < TCM_ISC_IMMEDIATE_SLOTS;
	if (waits && room)
		tcm_isc_order_keep(conn, cmdsn, true);
	mutex_unlock(&isess->order);
	if (!waits)
		tcm_isc_pdu_run(conn);
	else if (!room)
		tcm_isc_reject(conn, TCM_ISC_REJ_TOO_MANY);
}

/*
 * 11.6.1: a command that is aborted before it has come counts as received. A ping that wants no
 * answer has its turn.
 */
void tcm_isc_order_plug(struct tcm_isc_conn *conn, u32 cmdsn)
{
	struct tcm_isc_held_pdu *pdu = kzalloc(sizeof(*pdu), GFP_KERNEL);
	struct tcm_isc_session *isess = conn->isess;
	struct tcm_isc_bhs *bhs;

	/* The gap stays, as it was. */
	if (!pdu)
		return;
	bhs = (struct tcm_isc_bhs *)pdu->hdr;
	bhs->opcode = TCM_ISC_NOP_OUT;
	bhs->itt = TCM_ISC_NO_TAG;
	bhs->word5 = TCM_ISC_NO_TAG;
	pdu->held.cmdsn = cmdsn;
	mutex_lock(&isess->order);
	if (tcm_isc_order_new(isess, cmdsn)) {
		tcm_isc_order_hold(conn, &pdu->held);
		pdu = NULL;
	}
	tcm_isc_order_wake(isess);
	mutex_unlock(&isess->order);
	kfree(pdu);
}

/* The PDU that is being received stands back for one that was held. */
static void tcm_isc_order_run_pdu(struct tcm_isc_conn *conn, struct tcm_isc_held_pdu *pdu)
{
	struct tcm_isc_rx *rx = &conn->rx;
	u8 hdr[TCM_ISC_BHS];
	char *buf = rx->buf;
	u32 dsl = rx->dsl;

	memcpy(hdr, rx->hdr, sizeof(hdr));
	memcpy(rx->hdr, pdu->hdr, sizeof(hdr));
	rx->buf = pdu->data;
	rx->dsl = pdu->dsl;
	tcm_isc_pdu_run(conn);
	memcpy(rx->hdr, hdr, sizeof(hdr));
	rx->buf = buf;
	rx->dsl = dsl;
	kvfree(pdu);
}

/* The owner, no lock held: what it has that is next. */
void tcm_isc_order_mine(struct tcm_isc_conn *conn)
{
	struct tcm_isc_session *isess = conn->isess;
	struct tcm_isc_held *held;

	do {
		mutex_lock(&isess->order);
		held = tcm_isc_order_first(isess);
		if (held && held->conn == conn) {
			list_del(&held->node);
			if (held->immediate)
				isess->nr_held_immediate--;
			else
				tcm_isc_order_turn(isess);
			if (held->is_cmd)
				tcm_isc_cmd_begin(conn, container_of(held, struct tcm_isc_cmd,
								     held));
		}
		tcm_isc_order_wake(isess);
		mutex_unlock(&isess->order);
		if (!held || held->conn != conn)
			return;
		if (!held->is_cmd)
			tcm_isc_order_run_pdu(conn, container_of(held, struct tcm_isc_held_pdu,
								 held));
	} while (!test_bit(TCM_ISC_CF_CLOSE, &conn->flags));
}

/* The timer went off: a gap that the initiator leaves open ends the session. */
void tcm_isc_order_watch(struct tcm_isc_conn *conn)
{
	struct tcm_isc_session *isess = conn->isess;
	unsigned long most = TCM_ISC_HOLE_SECONDS * HZ, quiet;

	mutex_lock(&isess->order);
	quiet = jiffies - isess->hole_since;
	if (!list_empty(&isess->held) && quiet < most)
		tcm_isc_tick_in(conn, most - quiet);
	else if (!list_empty(&isess->held))
		tcm_isc_session_kill(isess);
	mutex_unlock(&isess->order);
}

/* Those of other connections that wait for unsolicited data: their owners end them. */
static unsigned int tcm_isc_order_abort_others(struct tcm_isc_conn *conn,
					       const struct tcm_isc_tmf *req)
{
	struct tcm_isc_session *isess = conn->isess;
	unsigned int i, nr, n = 0;

	lockdep_assert_held(&isess->order);
	nr = smp_load_acquire(&isess->nr_slots); /* as in tcm_isc_walk_cmds() */
	for (i = 0; i < nr; i++) {
		struct tcm_isc_cmd *icmd = isess->slots[i];

		if (!READ_ONCE(icmd->busy) || icmd->conn == conn || !icmd->delivered ||
		    icmd->phase != TCM_ISC_PH_UNSOLICITED || !tcm_isc_tmf_meets(req, icmd))
			continue;
		icmd->early = true;
		n++;
	}
	return n;
}

/* Of the commands that wait for their turn, those sent before @req and that it is about */
unsigned int tcm_isc_order_abort(struct tcm_isc_conn *conn, const struct tcm_isc_tmf *req)
{
	struct tcm_isc_session *isess = conn->isess;
	struct tcm_isc_held *held;
	unsigned int n = 0;

	lockdep_assert_held(&isess->order);
	list_for_each_entry(held, &isess->held, node) {
		struct tcm_isc_cmd *icmd = container_of(held, struct tcm_isc_cmd, held);

		if (!held->is_cmd || icmd->cmd.flags & TCM_CMD_NO_RESPONSE ||
		    !tcm_isc_cmd_early(req, icmd))
			continue;
		icmd->cmd.sense = TCM_TASK_ABORTED;
		n++;
	}
	return n + tcm_isc_order_abort_others(conn, req);
}

/* The connection ends: what it holds was never acknowledged, and may come on another one. */
void tcm_isc_order_drop(struct tcm_isc_conn *conn)
{
	struct tcm_isc_session *isess = conn->isess;
	struct tcm_isc_held *held, *next;

	lockdep_assert_held(&isess->order);
	list_for_each_entry_safe(held, next, &isess->held, node) {
		struct tcm_isc_cmd *icmd = container_of(held, struct tcm_isc_cmd, held);

		if (held->conn != conn)
			continue;
		list_del(&held->node);
		if (!held->is_cmd) {
			isess->nr_held_immediate -= held->immediate;
			kvfree(container_of(held, struct tcm_isc_held_pdu, held));
			continue;
		}
		icmd->delivered = true;
		/* One that waits for data is on the list of those. */
		if (icmd->phase != TCM_ISC_PH_NONE)
			list_del(&icmd->node);
		tcm_isc_cmd_discard(icmd);
	}
}
