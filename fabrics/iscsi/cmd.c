// SPDX-License-Identifier: GPL-2.0-only
/*
 * SCSI commands: from the header of a SCSI Command PDU to the core, the data of writes (immediate,
 * unsolicited, asked for by R2T), and the way back.
 *
 * The owner submits as from atomic context: a backend that would wait gets a work item of its
 * device, and the connection goes on.
 */
#include <linux/highmem.h>
#include <linux/slab.h>
#include "iscsi.h"

/* ---- pages of a command ---- */

static int tcm_isc_sg_grow(struct tcm_isc_cmd *icmd, unsigned int nents)
{
	struct scatterlist *sg;

	if (nents <= icmd->sg_max)
		return 0;
	sg = kvmalloc_array(nents, sizeof(*sg), GFP_NOIO);
	if (!sg)
		return -ENOMEM;
	if (icmd->sg != icmd->first_sg)
		kvfree(icmd->sg);
	icmd->sg = sg;
	icmd->sg_max = nents;
	return 0;
}

static void tcm_isc_free_pages(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd)
{
	unsigned int i;

	for (i = 0; i < icmd->nents; i++)
		tcm_isc_page_put(conn, sg_page(&icmd->sg[i]));
	icmd->nents = 0;
}

/* Our own pages, used again from command to command */
static int tcm_isc_own_pages(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd, u32 len)
{
	unsigned int nents = DIV_ROUND_UP(len, PAGE_SIZE);
	struct page *page;
	u32 part;

	if (tcm_isc_sg_grow(icmd, nents))
		return -ENOMEM;
	sg_init_table(icmd->sg, nents);
	while (len) {
		page = tcm_isc_page_get(conn);
		if (!page) {
			tcm_isc_free_pages(conn, icmd);
			return -ENOMEM;
		}
		part = min_t(u32, len, PAGE_SIZE);
		sg_set_page(&icmd->sg[icmd->nents++], page, part, 0);
		len -= part;
	}
	icmd->cmd.sg = icmd->sg;
	icmd->cmd.sg_nents = nents;
	return 0;
}

/*
 * What the initiator may send in any order could leave holes that count as received: such memory
 * holds zeros, not what it held before.
 */
static void tcm_isc_zero_pages(struct tcm_isc_cmd *icmd)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sg(icmd->cmd.sg, sg, icmd->cmd.sg_nents, i)
		memset(page_address(sg_page(sg)) + sg->offset, 0, sg->length);
}

/* Memory is taken before a device that CDBs are passed to can say that it is too much. */
static bool tcm_isc_cmd_too_long(const struct tcm_cmd *cmd)
{
	const struct tcm_device *dev = cmd->dev;

	return dev && (dev->ops->flags & TCM_BE_PASSTHROUGH) &&
	       cmd->exp_len > (u64)dev->limits.max_sectors * dev->limits.block_size;
}

static int tcm_isc_cmd_pages(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd)
{
	struct tcm_cmd *cmd = &icmd->cmd;
	u32 len = min(cmd->data_len, cmd->exp_len);
	int err;

	if (cmd->sense || !cmd->exp_len)
		return 0;
	if (tcm_cmd_data_dir(cmd) != DMA_NONE && len) {
		err = tcm_isc_own_pages(conn, icmd, len);
	} else if (unlikely(tcm_isc_cmd_too_long(cmd))) {
		cmd->sense = TCM_INVALID_FIELD_CDB;
		err = 0;
	} else {
		/* Pass-through: as much as the initiator says */
		err = tcm_cmd_alloc(cmd, TCM_CTX_SLEEPABLE);
		len = cmd->sg ? cmd->exp_len : 0;
	}
	if (err || !cmd->sg)
		return err;
	icmd->rx_len = len;
	icmd->cur = cmd->sg;
	icmd->cur_pos = 0;
	if (cmd->exp_dir == DMA_TO_DEVICE && !conn->nego.val[TCM_ISC_K_PDU_IN_ORDER])
		tcm_isc_zero_pages(icmd);
	return 0;
}

/* The element that holds byte @pos; accesses mostly go on where the last one ended */
struct scatterlist *tcm_isc_cmd_seek(struct tcm_isc_cmd *icmd, u32 pos, u32 *off)
{
	struct scatterlist *sg = icmd->cur;
	u32 at = icmd->cur_pos;

	if (pos < at) {
		sg = icmd->cmd.sg;
		at = 0;
	}
	while (sg && pos - at >= sg->length) {
		at += sg->length;
		sg = sg_next(sg);
	}
	if (sg) {
		icmd->cur = sg;
		icmd->cur_pos = at;
		*off = pos - at;
	}
	return sg;
}

/* ---- commands come ---- */

static enum dma_data_direction tcm_isc_cmd_dir(u8 flags)
{
	if (flags & TCM_ISC_W)
		return DMA_TO_DEVICE;
	return flags & TCM_ISC_R ? DMA_FROM_DEVICE : DMA_NONE;
}

/* 11.3.1.1 */
static u8 tcm_isc_cmd_attr(u8 flags)
{
	switch (flags & TCM_ISC_ATTR) {
	case 2:
		return TCM_ATTR_ORDERED;
	case 3:
		return TCM_ATTR_HEAD_OF_QUEUE;
	case 4:
		return TCM_ATTR_ACA;
	default:
		return TCM_ATTR_SIMPLE;
	}
}

/* Elsewhere these stay as they were when the slot was new. */
static void tcm_isc_cmd_reset_recovery(struct tcm_isc_cmd *icmd)
{
	icmd->next = NULL;
	icmd->tx.again = 0;
	icmd->put = false;
	icmd->delivered = icmd->immediate;
	icmd->early = false;
	icmd->unsol.lost = false;
	icmd->retries = 0;
	icmd->ack_off = 0;
	icmd->ack_datasn = 0;
	icmd->ack_tag = 0;
	icmd->snack_tag = 0;
	icmd->built = false;
	icmd->apart = false;
	/* Pairs with tcm_isc_is_acked(): who finds it finds its present connection. */
	smp_store_release(&icmd->tx.acked, false);
}

static void tcm_isc_cmd_reset(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd)
{
	icmd->conn = conn;
	if (unlikely(conn->isess->reorder))
		tcm_isc_cmd_reset_recovery(icmd);
	icmd->phase = TCM_ISC_PH_NONE;
	icmd->rx_len = 0;
	icmd->rx_got = 0;
	icmd->unsol.off = 0;
	icmd->unsol.datasn = 0;
	icmd->r2t_off = 0;
	icmd->r2tsn = 0;
	icmd->nr_r2t = 0;
	icmd->tx_off = 0;
	icmd->tx_datasn = 0;
	icmd->nents = 0;
	icmd->cur = NULL;
	icmd->cur_pos = 0;
	icmd->since = 0;
	if (unlikely(conn->isess->cmd_pdus % TCM_ISC_SAMPLE == 1))
		icmd->since = ktime_get_ns();
}

static struct tcm_isc_cmd *tcm_isc_cmd_take(struct tcm_isc_conn *conn,
					    const struct tcm_isc_command *hdr)
{
	struct tcm_isc_session *isess = conn->isess;
	struct tcm_isc_cmd *icmd = tcm_isc_slot_get(isess, hdr->opcode & TCM_ISC_IMMEDIATE);
	u8 buf[TCM_CDB_MAX];
	struct tcm_cmd *cmd;
	unsigned int len;
	const u8 *cdb;

	if (!icmd)
		return NULL;
	cdb = tcm_isc_command_cdb(hdr, buf, &len);
	cmd = &icmd->cmd;
	if (!cdb || tcm_cmd_init(cmd, isess->tsess, &hdr->lun, cdb, len)) {
		tcm_isc_slot_put(isess, icmd);
		return NULL;
	}
	tcm_isc_cmd_reset(conn, icmd);
	icmd->held.cmdsn = be32_to_cpu(hdr->cmdsn);
	icmd->bidi = 0;
	if (unlikely((hdr->flags & TCM_ISC_R) && (hdr->flags & TCM_ISC_W)))
		icmd->bidi = tcm_isc_command_bidi(hdr);
	conn->nr_cmds++;
	cmd->tag = (__force u32)hdr->itt;
	tcm_cmd_set_attr(cmd, tcm_isc_cmd_attr(hdr->flags));
	cmd->exp_dir = tcm_isc_cmd_dir(hdr->flags);
	cmd->exp_len = cmd->exp_dir == DMA_NONE ? 0 : be32_to_cpu(hdr->edtl);
	if (tcm_isc_cmd_pages(conn, icmd))
		cmd->sense = TCM_BUSY;
	return icmd;
}

/* The header of a command is there; immediate data may follow. */
void tcm_isc_cmd_header(struct tcm_isc_conn *conn)
{
	const struct tcm_isc_command *hdr = (const struct tcm_isc_command *)conn->rx.hdr;
	struct tcm_isc_rx *rx = &conn->rx;
	struct tcm_isc_session *isess = conn->isess;
	struct tcm_isc_cmd *icmd;

	if (!isess->tsess || !tcm_isc_command_ok(conn->nego.val, hdr, rx->dsl)) {
		rx->fail = true;
		return;
	}
	tcm_isc_ack(conn, hdr->exp_statsn);
	if (unlikely(isess->reorder)) {
		if (!(hdr->opcode & TCM_ISC_IMMEDIATE) &&
		    !tcm_isc_order_wanted(isess, be32_to_cpu(hdr->cmdsn)))
			return;
	} else if (!tcm_isc_cmdsn_take(isess, (const struct tcm_isc_bhs *)hdr)) {
		return;
	}
	isess->cmd_pdus++;
	icmd = tcm_isc_cmd_take(conn, hdr);
	if (unlikely(!icmd)) {
		/* 11.17: its CmdSN is not taken for received. Where turns are taken it had none. */
		if (!isess->reorder && !(hdr->opcode & TCM_ISC_IMMEDIATE))
			isess->exp_cmdsn--;
		tcm_isc_reject(conn, hdr->opcode & TCM_ISC_IMMEDIATE ? TCM_ISC_REJ_TOO_MANY :
			       TCM_ISC_REJ_PROTOCOL);
		return;
	}
	rx->icmd = icmd;
	rx->to = TCM_ISC_RX_CMD;
	rx->off = 0;
	if (!(hdr->flags & TCM_ISC_F))
		icmd->phase = TCM_ISC_PH_UNSOLICITED;
}

/* Its turn by CmdSN has come. Data that it waits for comes to it wherever it is. */
void tcm_isc_cmd_begin(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd)
{
	icmd->delivered = true;
	if (icmd->phase != TCM_ISC_PH_UNSOLICITED)
		tcm_cmd_submit(&icmd->cmd, TCM_CTX_NOWAIT);
}

/* Header and immediate data are there. */
void tcm_isc_cmd_received(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd)
{
	icmd->unsol.off = conn->rx.dsl;
	icmd->rx_got = min(conn->rx.dsl, icmd->rx_len);
	if (icmd->phase == TCM_ISC_PH_UNSOLICITED)
		tcm_isc_await_data(conn, icmd);
	if (likely(icmd->delivered))
		tcm_isc_cmd_begin(conn, icmd);
	else
		tcm_isc_order_cmd(conn, icmd);
}

/* It was never there: its immediate data is wrong, or its connection has gone before its turn. */
void tcm_isc_cmd_discard(struct tcm_isc_cmd *icmd)
{
	icmd->phase = TCM_ISC_PH_NONE;
	icmd->cmd.flags |= TCM_CMD_NO_RESPONSE;
	tcm_cmd_abandon(&icmd->cmd, TCM_TASK_ABORTED, TCM_CTX_ATOMIC);
}

/* ---- data of writes ---- */

/* A tag leads to its slot; the rest tells one use from the next. */
u32 tcm_isc_tag_new(struct tcm_isc_cmd *icmd)
{
	icmd->tag_use += TCM_ISC_TAGS;
	if (icmd->tag_use + icmd->slot == U32_MAX || !icmd->tag_use)
		icmd->tag_use = TCM_ISC_TAGS;
	return icmd->tag_use + icmd->slot;
}

/* As it was, when it is asked for again: only StatSN is the present one (11.16). */
static void tcm_isc_r2t_put(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd,
			    const struct tcm_isc_r2t *r2t, bool again)
{
	struct tcm_isc_msg *msg = tcm_isc_msg_new(conn, TCM_ISC_R2T, 0);

	if (!msg)
		return;
	tcm_lun_pack(icmd->cmd.unpacked_lun, &msg->rsp.lun);
	msg->rsp.itt = (__force __be32)(u32)icmd->cmd.tag;
	msg->rsp.ttt = cpu_to_be32(r2t->ttt);
	msg->rsp.datasn = cpu_to_be32(r2t->sn);
	msg->rsp.offset = cpu_to_be32(r2t->off);
	msg->rsp.residual = cpu_to_be32(r2t->len);
	msg->no_statsn = true;
	msg->again = again;
	tcm_isc_msg_send(conn, msg);
}

void tcm_isc_r2t_repeat(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd,
			const struct tcm_isc_r2t *r2t)
{
	tcm_isc_r2t_put(conn, icmd, r2t, true);
}

/* Ask for @r2t->len bytes at @r2t->off. */
static void tcm_isc_r2t_ask(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd,
			    struct tcm_isc_r2t *r2t, bool again)
{
	r2t->got = 0;
	r2t->datasn = 0;
	r2t->lost = false;
	r2t->sn = icmd->r2tsn++;
	r2t->ttt = tcm_isc_tag_new(icmd);
	WRITE_ONCE(conn->isess->last_ttt, r2t->ttt);
	tcm_isc_r2t_put(conn, icmd, r2t, again);
}

static void tcm_isc_r2t_send(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd)
{
	struct tcm_isc_r2t *r2t = &icmd->r2t[icmd->nr_r2t++];

	r2t->off = icmd->r2t_off;
	r2t->len = min(icmd->cmd.xfer_len - icmd->r2t_off, conn->nego.val[TCM_ISC_K_MAX_BURST]);
	if (unlikely(conn->special))
		r2t->off = tcm_isc_r2t_place(conn, icmd, icmd->r2t_off);
	icmd->r2t_off += r2t->len;
	tcm_isc_r2t_ask(conn, icmd, r2t, false);
}

/*
 * Recovery within the command (7.1.4.1): what has not come of a burst is asked for by another R2T,
 * all of it where its parts may come in any order.
 */
static void tcm_isc_r2t_recover(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd,
				struct tcm_isc_r2t *r2t)
{
	if (conn->nego.val[TCM_ISC_K_PDU_IN_ORDER]) {
		r2t->off += r2t->got;
		r2t->len -= r2t->got;
	} else {
		icmd->rx_got -= r2t->got;
	}
	tcm_isc_r2t_ask(conn, icmd, r2t, true);
}

static void tcm_isc_r2t_more(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd)
{
	u32 max = min_t(u32, conn->nego.val[TCM_ISC_K_MAX_R2T], TCM_ISC_R2T_MAX);

	while (icmd->nr_r2t < max && icmd->r2t_off < icmd->cmd.xfer_len)
		tcm_isc_r2t_send(conn, icmd);
}

/* Called by tcm_cmd_submit() and so by the owner. */
int tcm_isc_write_pending(struct tcm_cmd *cmd)
{
	struct tcm_isc_cmd *icmd = container_of(cmd, struct tcm_isc_cmd, cmd);
	struct tcm_isc_conn *conn = icmd->conn;

	if (icmd->rx_got >= cmd->xfer_len) {
		tcm_cmd_execute(cmd, TCM_CTX_NOWAIT);
		return 0;
	}
	icmd->phase = TCM_ISC_PH_R2T;
	icmd->r2t_off = icmd->rx_got;
	tcm_isc_await_data(conn, icmd);
	tcm_isc_r2t_more(conn, icmd);
	/* An abort that came before the list knew of it */
	if (unlikely(tcm_cmd_is_aborted(cmd)))
		set_bit(TCM_ISC_CF_ABORTED, &conn->flags);
	return 0;
}

static struct tcm_isc_cmd *tcm_isc_find_unsolicited(struct tcm_isc_conn *conn, __be32 itt)
{
	struct tcm_isc_cmd *icmd;

	list_for_each_entry(icmd, &conn->waiting, node)
		if (icmd->phase == TCM_ISC_PH_UNSOLICITED && icmd->cmd.tag == (__force u32)itt)
			return icmd;
	return NULL;
}

static struct tcm_isc_r2t *tcm_isc_find_r2t(struct tcm_isc_conn *conn, u32 ttt,
					    struct tcm_isc_cmd **found)
{
	struct tcm_isc_session *isess = conn->isess;
	u32 slot = ttt % TCM_ISC_TAGS;
	struct tcm_isc_cmd *icmd;
	int i;

	if (slot >= smp_load_acquire(&isess->nr_slots)) /* pairs with tcm_isc_slot_new() */
		return NULL;
	icmd = isess->slots[slot];
	if (icmd->conn != conn || icmd->phase != TCM_ISC_PH_R2T)
		return NULL;
	for (i = 0; i < icmd->nr_r2t; i++)
		if (icmd->r2t[i].ttt == ttt) {
			*found = icmd;
			return &icmd->r2t[i];
		}
	return NULL;
}

/* What is just arriving for it goes nowhere. */
static void tcm_isc_rx_let_go(struct tcm_isc_conn *conn, const struct tcm_isc_cmd *icmd)
{
	if (icmd != conn->rx.icmd)
		return;
	conn->rx.icmd = NULL;
	conn->rx.to = TCM_ISC_RX_DROP;
}

/*
 * A command of the list of those that wait will not get its data. isess->order is held where there
 * may be other connections: they look for such commands.
 */
static void tcm_isc_cmd_abandon(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd,
				enum tcm_sense sense)
{
	/* A PDU that was held has its turn in the middle of another one. */
	tcm_isc_rx_let_go(conn, icmd);
	icmd->phase = TCM_ISC_PH_NONE;
	list_del(&icmd->node);
	if (unlikely(icmd->early))
		icmd->cmd.flags |= TCM_CMD_NO_RESPONSE;
	if (likely(icmd->delivered))
		tcm_cmd_abandon(&icmd->cmd, sense, TCM_CTX_ATOMIC);
	else
		/* others wait for its turn by CmdSN: it ends then */
		icmd->cmd.sense = sense;
}

static void tcm_isc_data_wrong(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd)
{
	tcm_isc_order_lock(conn->isess);
	tcm_isc_cmd_abandon(conn, icmd, TCM_NOT_ENOUGH_UNSOLICITED_DATA);
	tcm_isc_order_unlock(conn->isess);
}

/* The header of a Data-Out is there. */
void tcm_isc_data_out_header(struct tcm_isc_conn *conn)
{
	const struct tcm_isc_data_out *hdr = (const struct tcm_isc_data_out *)conn->rx.hdr;
	struct tcm_isc_rx *rx = &conn->rx;
	enum tcm_isc_data_verdict verdict = TCM_ISC_DATA_WRONG;
	const u32 *val = conn->nego.val;
	struct tcm_isc_cmd *icmd = NULL;
	struct tcm_isc_r2t *r2t;

	if (!conn->isess->tsess || hdr->ahs_len) {
		rx->fail = true;
		return;
	}
	tcm_isc_ack(conn, hdr->exp_statsn);
	if (hdr->ttt == TCM_ISC_NO_TAG) {
		icmd = tcm_isc_find_unsolicited(conn, hdr->itt);
		if (icmd)
			verdict = tcm_isc_judge_unsolicited(val, &icmd->unsol, icmd->cmd.exp_len,
							    hdr, rx->dsl);
	} else {
		r2t = tcm_isc_find_r2t(conn, be32_to_cpu(hdr->ttt), &icmd);
		if (r2t && icmd->cmd.tag == (__force u32)hdr->itt)
			verdict = tcm_isc_judge_solicited(val, r2t, hdr, rx->dsl);
	}
	/* What an aborted command still sends is let go. */
	if (!icmd)
		return;
	/*
	 * 7.9: a gap that nobody fills without recovery; the medium stays as it is, and so does
	 * the connection.
	 */
	if (verdict == TCM_ISC_DATA_WRONG || (verdict == TCM_ISC_DATA_LOST && !conn->erl)) {
		tcm_isc_data_wrong(conn, icmd);
		return;
	}
	rx->icmd = icmd;
	if (unlikely(verdict == TCM_ISC_DATA_LOST)) {
		rx->lost = true;
		return;
	}
	conn->last_data = jiffies;
	icmd->last_data = jiffies;
	rx->to = TCM_ISC_RX_CMD;
	rx->off = be32_to_cpu(hdr->offset);
}

/*
 * No more unsolicited data: what is missing is asked for. isess->order is held: a task management
 * function of another connection finds the command here, or in the core.
 */
static void tcm_isc_unsolicited_over(struct tcm_isc_cmd *icmd)
{
	icmd->phase = TCM_ISC_PH_NONE;
	list_del(&icmd->node);
	if (unlikely(icmd->early)) {
		icmd->cmd.flags |= TCM_CMD_NO_RESPONSE;
		icmd->cmd.sense = TCM_TASK_ABORTED;
	}
	if (likely(icmd->delivered))
		tcm_cmd_submit(&icmd->cmd, TCM_CTX_NOWAIT);
}

static void tcm_isc_unsolicited_ended(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd)
{
	tcm_isc_order_lock(conn->isess);
	tcm_isc_unsolicited_over(icmd);
	tcm_isc_order_unlock(conn->isess);
}

static void tcm_isc_unsolicited_received(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd,
					 bool final)
{
	icmd->unsol.datasn++;
	icmd->unsol.off += conn->rx.dsl;
	icmd->rx_got = min(icmd->unsol.off, icmd->rx_len);
	if (final)
		tcm_isc_unsolicited_ended(conn, icmd);
}

static void tcm_isc_r2t_ended(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd,
			      struct tcm_isc_r2t *r2t)
{
	*r2t = icmd->r2t[--icmd->nr_r2t];
	if (icmd->rx_got < icmd->cmd.xfer_len) {
		tcm_isc_r2t_more(conn, icmd);
		return;
	}
	icmd->phase = TCM_ISC_PH_NONE;
	list_del(&icmd->node);
	tcm_cmd_execute(&icmd->cmd, TCM_CTX_NOWAIT);
}

void tcm_isc_data_out_received(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd)
{
	const struct tcm_isc_data_out *hdr = (const struct tcm_isc_data_out *)conn->rx.hdr;
	struct tcm_isc_cmd *same;
	struct tcm_isc_r2t *r2t;

	if (hdr->ttt == TCM_ISC_NO_TAG) {
		tcm_isc_unsolicited_received(conn, icmd, hdr->flags & TCM_ISC_F);
		return;
	}
	r2t = tcm_isc_find_r2t(conn, be32_to_cpu(hdr->ttt), &same);
	if (!r2t)
		return;
	r2t->datasn++;
	r2t->got += conn->rx.dsl;
	icmd->rx_got += conn->rx.dsl;
	if (r2t->got == r2t->len)
		tcm_isc_r2t_ended(conn, icmd, r2t);
	else if (!(hdr->flags & TCM_ISC_F))
		return;
	else if (conn->erl)
		tcm_isc_r2t_recover(conn, icmd, r2t);
	else
		/* Less than was asked for, and no more to come */
		tcm_isc_data_wrong(conn, icmd);
}

/*
 * The data that just came is wrong, or not the next: from there on it is let go, and asked for when
 * the initiator has sent the last of it.
 */
void tcm_isc_data_out_lost(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd)
{
	const struct tcm_isc_data_out *hdr = (const struct tcm_isc_data_out *)conn->rx.hdr;
	bool final = hdr->flags & TCM_ISC_F;
	struct tcm_isc_cmd *same;
	struct tcm_isc_r2t *r2t;

	if (hdr->ttt == TCM_ISC_NO_TAG) {
		icmd->unsol.lost = true;
		if (final)
			tcm_isc_unsolicited_ended(conn, icmd);
		return;
	}
	r2t = tcm_isc_find_r2t(conn, be32_to_cpu(hdr->ttt), &same);
	if (!r2t)
		return;
	r2t->lost = true;
	if (final)
		tcm_isc_r2t_recover(conn, icmd, r2t);
}

/* Nothing has come for too long: ask for what is missing. */
void tcm_isc_data_again(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd)
{
	int i;

	icmd->last_data = jiffies;
	if (icmd->phase == TCM_ISC_PH_UNSOLICITED) {
		/* The rest of a PDU that has begun is among what is asked for. */
		tcm_isc_rx_let_go(conn, icmd);
		tcm_isc_unsolicited_over(icmd);
		return;
	}
	for (i = 0; i < icmd->nr_r2t; i++)
		tcm_isc_r2t_recover(conn, icmd, &icmd->r2t[i]);
}

/* ---- aborts, and the end of the connection ---- */

/* Interrupts may be off and the core's locks held: leave it to the owner. */
void tcm_isc_data_aborted(struct tcm_cmd *cmd)
{
	struct tcm_isc_cmd *icmd = container_of(cmd, struct tcm_isc_cmd, cmd);
	struct tcm_isc_conn *conn = READ_ONCE(icmd->conn);

	set_bit(TCM_ISC_CF_ABORTED, &conn->flags);
	tcm_isc_conn_queue(conn);
}

void tcm_isc_cmds_aborted(struct tcm_isc_conn *conn)
{
	struct tcm_isc_cmd *icmd, *next;

	list_for_each_entry_safe(icmd, next, &conn->waiting, node) {
		if (!tcm_cmd_is_aborted(&icmd->cmd))
			continue;
		tcm_isc_cmd_abandon(conn, icmd, TCM_TASK_ABORTED);
	}
}

/* By CmdSN: an immediate command has that of the next one that is not (4.2.2.1). */
static bool tcm_isc_sent_before(const struct tcm_isc_cmd *icmd, const struct tcm_isc_tmf *req)
{
	u32 cmdsn = be32_to_cpu(req->cmdsn);

	return icmd->immediate ? !tcm_isc_sn_before(cmdsn, icmd->held.cmdsn) :
		tcm_isc_sn_before(icmd->held.cmdsn, cmdsn);
}

/* Is @icmd, which the core has not been given, one of those that @req is about? */
bool tcm_isc_tmf_meets(const struct tcm_isc_tmf *req, const struct tcm_isc_cmd *icmd)
{
	if (!tcm_isc_sent_before(icmd, req))
		return false;
	switch (req->flags & 0x7f) {
	case TCM_ISC_TMF_ABORT_TASK:
		return icmd->cmd.tag == (__force u32)req->ref_itt;
	case TCM_ISC_TMF_QUERY_TASK:
		return icmd->cmd.tag == (__force u32)req->ref_itt &&
		       icmd->cmd.unpacked_lun == tcm_lun_unpack(&req->lun);
	case TCM_ISC_TMF_ABORT_TASK_SET:
	case TCM_ISC_TMF_CLEAR_TASK_SET:
	case TCM_ISC_TMF_LUN_RESET:
	case TCM_ISC_TMF_QUERY_TASK_SET:
		return icmd->cmd.unpacked_lun == tcm_lun_unpack(&req->lun);
	case TCM_ISC_TMF_WARM_RESET:
	case TCM_ISC_TMF_COLD_RESET:
	case TCM_ISC_TMF_NEXUS_RESET:
		return true;
	default:
		return false;
	}
}

/* Is there one whose unsolicited data is still to come that @req asks for? */
bool tcm_isc_cmds_wait(struct tcm_isc_conn *conn, const struct tcm_isc_tmf *req)
{
	struct tcm_isc_cmd *icmd;

	list_for_each_entry(icmd, &conn->waiting, node)
		if (icmd->phase == TCM_ISC_PH_UNSOLICITED && tcm_isc_tmf_meets(req, icmd))
			return true;
	return false;
}

/* It ends, once others do not wait for its turn by CmdSN, and nobody is told. */
bool tcm_isc_cmd_early(const struct tcm_isc_tmf *req, struct tcm_isc_cmd *icmd)
{
	if (!tcm_isc_tmf_meets(req, icmd))
		return false;
	icmd->cmd.flags |= TCM_CMD_NO_RESPONSE;
	return true;
}

/*
 * Task management is about what was sent before it (11.5), and that includes commands that the
 * core has not been given: their unsolicited data is still to come, or their turn by CmdSN.
 * Returns how many there were.
 */
unsigned int tcm_isc_cmds_early(struct tcm_isc_conn *conn, const struct tcm_isc_tmf *req)
{
	struct tcm_isc_cmd *icmd, *next;
	u8 function = req->flags & 0x7f;
	unsigned int n = 0;

	if (function == TCM_ISC_TMF_QUERY_TASK || function == TCM_ISC_TMF_QUERY_TASK_SET)
		return 0;
	tcm_isc_order_lock(conn->isess);
	list_for_each_entry_safe(icmd, next, &conn->waiting, node)
		if (icmd->phase == TCM_ISC_PH_UNSOLICITED && tcm_isc_cmd_early(req, icmd)) {
			tcm_isc_cmd_abandon(conn, icmd, TCM_TASK_ABORTED);
			n++;
		}
	if (conn->isess->reorder)
		n += tcm_isc_order_abort(conn, req);
	tcm_isc_order_unlock(conn->isess);
	return n;
}

void tcm_isc_cmds_abandon(struct tcm_isc_conn *conn)
{
	struct tcm_isc_cmd *icmd, *next;

	tcm_isc_order_lock(conn->isess);
	if (conn->isess->reorder)
		tcm_isc_order_drop(conn);
	/* A command whose immediate data is on its way is not on the list yet. */
	icmd = conn->rx.icmd;
	conn->rx.icmd = NULL;
	if (icmd && tcm_isc_rx_command(conn)) {
		icmd->phase = TCM_ISC_PH_NONE;
		tcm_cmd_abandon(&icmd->cmd, TCM_TASK_ABORTED, TCM_CTX_ATOMIC);
	}
	list_for_each_entry_safe(icmd, next, &conn->waiting, node)
		tcm_isc_cmd_abandon(conn, icmd, TCM_TASK_ABORTED);
	tcm_isc_order_unlock(conn->isess);
}

static bool tcm_isc_is_of(struct tcm_cmd *cmd, void *conn)
{
	return !conn || READ_ONCE(container_of(cmd, struct tcm_isc_cmd, cmd)->conn) == conn;
}

/*
 * 11.14, 11.15: what is under way on the connection (NULL: on all of them) is terminated. The
 * initiator may send it anew as soon as it knows: a write that a backend still has is fenced.
 */
void tcm_isc_cmds_give_up(struct tcm_isc_session *isess, struct tcm_isc_conn *conn)
{
	if (isess->tsess)
		tcm_cmds_abort(isess->tsess, tcm_isc_is_of, conn);
}

/* ---- and back ---- */

/* Any context. */
void tcm_isc_respond(struct tcm_cmd *cmd)
{
	struct tcm_isc_cmd *icmd = container_of(cmd, struct tcm_isc_cmd, cmd);
	struct tcm_isc_conn *conn = icmd->conn;
	bool first;

	if (in_task() && READ_ONCE(conn->owner) == current) {
		/* The owner looks at the list before it leaves. */
		llist_add(&icmd->done, &conn->done);
		return;
	}
	/* From the moment it is on the list the connection may be gone. */
	rcu_read_lock();
	first = llist_add(&icmd->done, &conn->done);
	if (first)
		tcm_isc_conn_queue(conn);
	rcu_read_unlock();
}

/* The owner is done with the command. */
void tcm_isc_cmd_put(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd)
{
	tcm_isc_free_pages(conn, icmd);
	if (unlikely(icmd->sense || icmd->core_sg)) {
		kfree(icmd->sense);
		icmd->sense = NULL;
		if (icmd->core_sg)
			sgl_free(icmd->core_sg);
		icmd->core_sg = NULL;
	}
	if (likely(!icmd->put))
		tcm_cmd_put(&icmd->cmd);
	conn->nr_cmds--;
	tcm_isc_slot_put(conn->isess, icmd);
}

void tcm_isc_walk_cmds(struct tcm_session *sess, const struct tcm_lun *lun, tcm_cmd_fn fn,
		       void *arg)
{
	struct tcm_isc_session *isess = sess->priv;
	unsigned int i, nr;

	/* Pairs with tcm_isc_slot_new(). */
	nr = smp_load_acquire(&isess->nr_slots);
	/* fn() may end in tcm_isc_data_aborted(): connections live until a grace period is over. */
	rcu_read_lock();
	for (i = 0; i < nr; i++) {
		struct tcm_cmd *cmd = &isess->slots[i]->cmd;

		if ((atomic_read_acquire(&cmd->state) & TCM_ST_MASK) == TCM_ST_FREE ||
		    (lun && cmd->lun != lun))
			continue;
		if (fn(cmd, arg))
			break;
	}
	rcu_read_unlock();
}
