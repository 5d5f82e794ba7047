// SPDX-License-Identifier: GPL-2.0-only
/*
 * The full feature phase beside commands and their data: task management, pings, logout, rejects.
 */
#include <linux/delay.h>
#include <linux/slab.h>
#include "iscsi.h"

/* jiffies that a function waits for the responses of commands that are over */
#define TCM_ISC_OVER_PATIENCE	(HZ / 4)

/* 11.17: the header of what is refused goes back with it. */
void tcm_isc_reject(struct tcm_isc_conn *conn, u8 reason)
{
	struct tcm_isc_msg *msg = tcm_isc_msg_new(conn, TCM_ISC_REJECT, TCM_ISC_BHS);

	if (!msg)
		return;
	msg->bhs.b2 = reason;
	msg->bhs.itt = TCM_ISC_NO_TAG;
	memcpy(msg->data, conn->rx.hdr, TCM_ISC_BHS);
	tcm_isc_msg_send(conn, msg);
}

/* ---- NOP ---- */

/* 11.18: what comes with an initiator's tag is echoed; with ours it answers our ping. */
static void tcm_isc_nop_out(struct tcm_isc_conn *conn)
{
	const struct tcm_isc_bhs *req = (const struct tcm_isc_bhs *)conn->rx.hdr;
	struct tcm_isc_msg *msg;
	u32 len;

	if (req->word5 != TCM_ISC_NO_TAG) {
		conn->ping_out = false;
		if (unlikely(conn->fenced))
			tcm_isc_fence_look(conn);
	}
	if (req->itt == TCM_ISC_NO_TAG)
		return;
	len = min(conn->rx.dsl, conn->nego.val[TCM_ISC_K_MAX_RECV]);
	msg = tcm_isc_msg_new(conn, TCM_ISC_NOP_IN, len);
	if (!msg)
		return;
	msg->bhs.lun = req->lun;
	msg->bhs.itt = req->itt;
	msg->bhs.word5 = TCM_ISC_NO_TAG;
	if (len)
		memcpy(msg->data, conn->rx.buf, len);
	tcm_isc_msg_send(conn, msg);
}

/* Have the peer say what it has; an answer is owed. */
void tcm_isc_ping_now(struct tcm_isc_conn *conn)
{
	u32 answer = conn->isess->attrib.nopin_response_timeout * HZ;
	struct tcm_isc_msg *msg = tcm_isc_msg_new(conn, TCM_ISC_NOP_IN, 0);

	if (!msg)
		return;
	msg->bhs.itt = TCM_ISC_NO_TAG;
	msg->bhs.word5 = cpu_to_be32(1);
	msg->no_statsn = true;
	conn->ping_out = true;
	conn->ping_due = jiffies + answer;
	tcm_isc_msg_send(conn, msg);
	tcm_isc_tick_in(conn, answer);
}

/* Ask a peer that has been silent, give up one that has not answered. */
static void tcm_isc_ping(struct tcm_isc_conn *conn)
{
	u32 idle = conn->isess->attrib.nopin_timeout * HZ;
	unsigned long quiet = jiffies - conn->last_rx;

	if (!conn->isess->tsess) {
		/* Who only asks for targets owes no answer to a ping (RFC 7143 4.3). */
		if (quiet >= TCM_ISC_DISCOVERY_SECONDS * HZ)
			tcm_isc_conn_quit(conn, "discovery is over");
		else
			tcm_isc_tick_in(conn, TCM_ISC_DISCOVERY_SECONDS * HZ - quiet);
		return;
	}
	if (!idle)
		return;
	if (quiet < idle) {
		conn->ping_out = false;
		tcm_isc_tick_in(conn, idle - quiet);
		return;
	}
	if (conn->ping_out && time_before(jiffies, conn->ping_due)) {
		tcm_isc_tick_in(conn, conn->ping_due - jiffies);
		return;
	}
	if (conn->ping_out) {
		tcm_isc_conn_late(conn, "no answer to a ping");
		return;
	}
	tcm_isc_ping_now(conn);
}

/*
 * Data that writes wait for. Without within-command recovery (7.1.4.1) it cannot be asked for
 * again: the retries are so much time.
 */
static void tcm_isc_watch_data(struct tcm_isc_conn *conn)
{
	const struct tcm_isc_acl_attrib *attrib = &conn->isess->attrib;
	unsigned long most = attrib->dataout_timeout * attrib->dataout_timeout_retries * HZ;
	unsigned long quiet = jiffies - conn->last_data;

	if (list_empty(&conn->waiting))
		return;
	if (conn->erl)
		tcm_isc_recover_data(conn);
	else if (quiet < most)
		tcm_isc_tick_in(conn, most - quiet);
	else
		tcm_isc_conn_late(conn, "no data for a write");
}

/* The timer went off. */
void tcm_isc_watch(struct tcm_isc_conn *conn)
{
	tcm_isc_ping(conn);
	tcm_isc_watch_data(conn);
	if (conn->nr_fences)
		tcm_isc_fence_answer(conn);
	tcm_isc_ask_watch(conn);
	if (conn->isess->reorder)
		tcm_isc_order_watch(conn);
}

/* The owner: @icmd waits for data. */
void tcm_isc_await_data(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd)
{
	bool first = list_empty(&conn->waiting);

	list_add_tail(&icmd->node, &conn->waiting);
	icmd->last_data = jiffies;
	if (first) {
		conn->last_data = jiffies;
		tcm_isc_watch_data(conn);
	}
}

/* ---- logout ---- */

static void tcm_isc_logout(struct tcm_isc_conn *conn)
{
	const struct tcm_isc_bhs *req = (const struct tcm_isc_bhs *)conn->rx.hdr;
	u8 reason = req->flags & 0x7f, response = 0;
	u16 cid = be32_to_cpu(req->word5) >> 16;
	struct tcm_isc_msg *msg = tcm_isc_msg_new(conn, TCM_ISC_LOGOUT_RSP, 0);
	bool other = (reason == 1 || reason == 2) && cid != conn->cid;
	bool recover = reason == 2;

	if (!msg)
		return;
	/* 11.14.1, 11.15.1: close the session, or a connection of it: this one or another */
	if (recover && conn->erl < 2)
		response = 2;
	else if (other)
		response = tcm_isc_session_remove(conn, cid, recover);
	else if (reason > 2)
		response = 3;
	else if (reason)
		conn->alone = true;
	else
		tcm_isc_session_logout(conn);
	msg->bhs.b2 = response;
	msg->bhs.itt = req->itt;
	msg->rsp.offset = cpu_to_be32(conn->nego.val[TCM_ISC_K_TIME2WAIT] << 16 |
				      conn->nego.val[TCM_ISC_K_TIME2RETAIN]);
	if (!response && !other) {
		if (!recover)
			tcm_isc_cmds_give_up(conn->isess, reason ? conn : NULL);
		conn->logged_out = !recover;
		conn->state = TCM_ISC_CS_LOGOUT;
		msg->close = true;
		tcm_isc_tick_in(conn, TCM_ISC_LOGOUT_SECONDS * HZ);
	}
	tcm_isc_msg_send(conn, msg);
}

/* The timer: a peer that does not read the last response has it no longer. */
void tcm_isc_logout_watch(struct tcm_isc_conn *conn)
{
	unsigned long quiet = jiffies - conn->last_rx, most = TCM_ISC_LOGOUT_SECONDS * HZ;

	if (quiet < most)
		tcm_isc_tick_in(conn, most - quiet);
	else
		tcm_isc_conn_quit(conn, "the logout is not read");
}

/* ---- task management ---- */

static int tcm_isc_tmf_func(u8 function)
{
	switch (function) {
	case TCM_ISC_TMF_ABORT_TASK:
		return TCM_TMF_ABORT_TASK;
	case TCM_ISC_TMF_ABORT_TASK_SET:
		return TCM_TMF_ABORT_TASK_SET;
	case TCM_ISC_TMF_CLEAR_ACA:
		return TCM_TMF_CLEAR_ACA;
	case TCM_ISC_TMF_CLEAR_TASK_SET:
		return TCM_TMF_CLEAR_TASK_SET;
	case TCM_ISC_TMF_LUN_RESET:
		return TCM_TMF_LUN_RESET;
	case TCM_ISC_TMF_WARM_RESET:
		return TCM_TMF_TARGET_WARM_RESET;
	case TCM_ISC_TMF_COLD_RESET:
		return TCM_TMF_TARGET_COLD_RESET;
	case TCM_ISC_TMF_QUERY_TASK:
		return TCM_TMF_QUERY_TASK;
	case TCM_ISC_TMF_QUERY_TASK_SET:
		return TCM_TMF_QUERY_TASK_SET;
	case TCM_ISC_TMF_NEXUS_RESET:
		return TCM_TMF_NEXUS_RESET;
	case TCM_ISC_TMF_QUERY_ASYNC:
		return TCM_TMF_QUERY_ASYNC_EVENT;
	default:
		return -EINVAL;
	}
}

static u8 tcm_isc_tmf_answer(enum tcm_tmf_resp resp)
{
	switch (resp) {
	case TCM_TMF_COMPLETE:
		return TCM_ISC_TMF_RSP_COMPLETE;
	case TCM_TMF_SUCCEEDED:
		return TCM_ISC_TMF_RSP_SUCCEEDED;
	case TCM_TMF_NOT_SUPPORTED:
		return TCM_ISC_TMF_RSP_UNSUPPORTED;
	case TCM_TMF_BAD_LUN:
		return TCM_ISC_TMF_RSP_NO_LUN;
	case TCM_TMF_NO_TASK:
		return TCM_ISC_TMF_RSP_NO_TASK;
	default:
		return TCM_ISC_TMF_RSP_REJECTED;
	}
}

/* tcm_tmf_submit() has left the answer in the request: tcm_isc_task() goes on with it. */
void tcm_isc_tmf_done(struct tcm_tmf *tmf)
{
}

/* A task that is not there: 11.6.1 has it depend on whether its number may still come. */
static u8 tcm_isc_no_task(struct tcm_isc_conn *conn, const struct tcm_isc_tmf *req)
{
	struct tcm_isc_session *isess = conn->isess;
	u32 ref = be32_to_cpu(req->ref_cmdsn);

	if (tcm_isc_sn_before(ref, isess->exp_cmdsn) || tcm_isc_sn_before(isess->max_cmdsn, ref))
		return TCM_ISC_TMF_RSP_NO_TASK;
	if (isess->reorder && tcm_isc_sn_before(ref, be32_to_cpu(req->cmdsn)))
		tcm_isc_order_plug(conn, ref);
	return TCM_ISC_TMF_RSP_COMPLETE;
}

struct tcm_isc_find {
	u64	tag;
	bool	found;
	bool	aborted;	/* before */
};

static bool tcm_isc_find_tag(struct tcm_cmd *cmd, void *arg)
{
	struct tcm_isc_find *find = arg;

	find->found = cmd->tag == find->tag;
	find->aborted = find->found && tcm_cmd_is_aborted(cmd);
	return find->found;
}

struct tcm_isc_over {
	const struct tcm_isc_conn	*conn;
	unsigned int			n;
};

static bool tcm_isc_is_over(const struct tcm_isc_cmd *icmd)
{
	return (atomic_read(&icmd->cmd.state) & TCM_ST_MASK) == TCM_ST_DONE;
}

static bool tcm_isc_count_over(struct tcm_cmd *cmd, void *arg)
{
	const struct tcm_isc_cmd *icmd = container_of(cmd, struct tcm_isc_cmd, cmd);
	struct tcm_isc_over *over = arg;

	if (READ_ONCE(icmd->conn) == over->conn && tcm_isc_is_over(icmd))
		over->n++;
	return false;
}

static unsigned int tcm_isc_over_in(const struct list_head *list)
{
	const struct tcm_isc_tx *tx;
	unsigned int n = 0;

	list_for_each_entry(tx, list, node)
		if (tx->kind == TCM_ISC_TX_CMD &&
		    tcm_isc_is_over(container_of(tx, struct tcm_isc_cmd, tx)))
			n++;
	return n;
}

/*
 * Is a command of the connection over, and its response not among those that are to be sent? It is
 * on its way to conn->done then, in another context.
 */
static bool tcm_isc_has_straggler(struct tcm_isc_conn *conn)
{
	struct tcm_isc_over over = { .conn = conn };

	tcm_isc_walk_cmds(conn->isess->tsess, NULL, tcm_isc_count_over, &over);
	return over.n > tcm_isc_over_in(&conn->txq) + tcm_isc_over_in(&conn->sent) +
			tcm_isc_over_in(&conn->unacked);
}

/*
 * The responses of commands that were over before a function go first: after its answer the
 * initiator knows their tags no more (11.6.1). It is an instant until the last of them is there,
 * unless who brings it has lost the CPU.
 */
void tcm_isc_take_over(struct tcm_isc_conn *conn)
{
	unsigned long end = jiffies + TCM_ISC_OVER_PATIENCE;

	for (;;) {
		tcm_isc_take_done(conn);
		if (likely(!tcm_isc_has_straggler(conn)) || time_after(jiffies, end))
			return;
		usleep_range(10, 50);
	}
}

/* @info: what is told besides (RFC 7144 5.2) */
static u8 tcm_isc_tmf_run(struct tcm_isc_conn *conn, const struct tcm_isc_tmf *req, u8 *info)
{
	struct tcm_isc_session *isess = conn->isess;
	struct tcm_tmf tmf = { .sess = isess->tsess, .lun = req->lun };
	struct tcm_isc_find find = { .tag = (__force u32)req->ref_itt };
	u8 function = req->flags & 0x7f;
	bool later = conn->nego.val[TCM_ISC_K_PROTOCOL_LEVEL] >= 2;
	int func = tcm_isc_tmf_func(function);

	/* RFC 7144 adds functions for those who have agreed on it. */
	if (func < 0 || (function >= TCM_ISC_TMF_QUERY_TASK && !later))
		return TCM_ISC_TMF_RSP_REJECTED;
	if ((function == TCM_ISC_TMF_QUERY_TASK || function == TCM_ISC_TMF_QUERY_TASK_SET) &&
	    tcm_isc_cmds_wait(conn, req))
		return TCM_ISC_TMF_RSP_SUCCEEDED;
	if (function == TCM_ISC_TMF_ABORT_TASK) {
		/* What was aborted before and has ended since is no task any more. */
		tcm_isc_take_done(conn);
		tcm_isc_walk_cmds(isess->tsess, NULL, tcm_isc_find_tag, &find);
		if (!find.found)
			return tcm_isc_no_task(conn, req);
	}
	if (tcm_isc_cmds_early(conn, req) && function == TCM_ISC_TMF_ABORT_TASK)
		return TCM_ISC_TMF_RSP_COMPLETE;
	tmf.func = func;
	tmf.tag = find.tag;
	tcm_tmf_submit(&tmf);
	tcm_isc_take_over(conn);
	/* Its immediate data may be arriving on another connection: then it has not come, yet. */
	if (function == TCM_ISC_TMF_ABORT_TASK && !tmf.outstanding && !find.aborted)
		return tcm_isc_no_task(conn, req);
	memcpy(info, tmf.info, sizeof(tmf.info));
	return tcm_isc_tmf_answer(tmf.resp);
}

/* 11.5.1: the target ends all the sessions that all initiators have with it. */
static void tcm_isc_cold_reset(struct tcm_isc_conn *conn)
{
	struct tcm_isc_target *target = conn->isess->itpg->target;
	struct tcm_isc_session *isess;
	struct tcm_isc_tpg *itpg;

	mutex_lock(&tcm_isc_lock);
	list_for_each_entry(itpg, &target->tpgs, node) {
		mutex_lock(&itpg->lock);
		list_for_each_entry(isess, &itpg->sessions, node)
			tcm_isc_session_drop(isess, conn);
		mutex_unlock(&itpg->lock);
	}
	mutex_unlock(&tcm_isc_lock);
}

/* Task management of more than one task */
static bool tcm_isc_is_for_many(const struct tcm_isc_bhs *bhs)
{
	if ((bhs->opcode & TCM_ISC_OP_MASK) != TCM_ISC_TMF)
		return false;
	switch (bhs->flags & 0x7f) {
	case TCM_ISC_TMF_ABORT_TASK_SET:
	case TCM_ISC_TMF_CLEAR_TASK_SET:
	case TCM_ISC_TMF_LUN_RESET:
	case TCM_ISC_TMF_WARM_RESET:
	case TCM_ISC_TMF_NEXUS_RESET:
		return true;
	default:
		return false;
	}
}

static void tcm_isc_task(struct tcm_isc_conn *conn)
{
	const struct tcm_isc_tmf *req = (const struct tcm_isc_tmf *)conn->rx.hdr;
	struct tcm_isc_msg *msg = tcm_isc_msg_new(conn, TCM_ISC_TMF_RSP, 0);

	if (!msg)
		return;
	if ((req->flags & 0x7f) == TCM_ISC_TMF_REASSIGN) {
		tcm_isc_reassign(conn, req, msg);
		return;
	}
	msg->tmf.response = tcm_isc_tmf_run(conn, req, msg->tmf.info);
	msg->bhs.itt = req->itt;
	if (tcm_isc_is_for_many((const struct tcm_isc_bhs *)conn->rx.hdr) &&
	    tcm_isc_fence_begin(conn, msg))
		return;
	tcm_isc_msg_send(conn, msg);
	if ((req->flags & 0x7f) == TCM_ISC_TMF_COLD_RESET) {
		msg->close = true;
		tcm_isc_cold_reset(conn);
	}
}

/* Its turn by CmdSN has come, or it has none. */
void tcm_isc_pdu_run(struct tcm_isc_conn *conn)
{
	u8 opcode = conn->rx.hdr[0] & TCM_ISC_OP_MASK;

	switch (opcode) {
	case TCM_ISC_NOP_OUT:
		tcm_isc_nop_out(conn);
		break;
	case TCM_ISC_TEXT:
		tcm_isc_text_pdu(conn);
		break;
	case TCM_ISC_LOGOUT:
		tcm_isc_logout(conn);
		break;
	case TCM_ISC_TMF:
		if (conn->isess->tsess) {
			tcm_isc_task(conn);
			break;
		}
		fallthrough;
	default:
		tcm_isc_reject(conn, TCM_ISC_REJ_UNSUPPORTED);
		break;
	}
}

void tcm_isc_pdu_handle(struct tcm_isc_conn *conn)
{
	const struct tcm_isc_bhs *bhs = (const struct tcm_isc_bhs *)conn->rx.hdr;

	tcm_isc_ack(conn, bhs->exp_statsn);
	if ((bhs->opcode & TCM_ISC_OP_MASK) == TCM_ISC_SNACK)
		tcm_isc_snack(conn);
	else if (conn->isess->reorder && !(bhs->opcode & TCM_ISC_IMMEDIATE))
		tcm_isc_order_pdu(conn);
	else if (conn->isess->reorder && tcm_isc_is_for_many(bhs))
		tcm_isc_order_function(conn);
	else if (tcm_isc_cmdsn_take(conn->isess, bhs))
		tcm_isc_pdu_run(conn);
}
