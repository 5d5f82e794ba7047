// SPDX-License-Identifier: GPL-2.0-only
/*
 * A command on its way through: checked against what the host can carry, turned
 * into a request of the device's own queue, and its outcome turned back.
 *
 * Nothing here sleeps for the device: a command for which the queue has no tag waits
 * in a list, and a work item of the device waits for the tag.
 */
#include <linux/blk-mq.h>
#include <linux/scatterlist.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <linux/unaligned.h>
#include <scsi/scsi_cmnd.h>
#include <scsi/scsi_common.h>
#include <scsi/scsi_eh.h>
#include <scsi/scsi_host.h>
#include "pscsi.h"

#define TCM_PSCSI_VECS	8
/* A device that states no limit is believed up to here: initiators do not send more. */
#define TCM_PSCSI_UNLIMITED (16U << 20)
/* More than an initiator offered is read for it only up to this. */
#define TCM_PSCSI_SLACK	(8U << 20)

/* In tcm_cmd.io.scratch while the command is here. */
struct tcm_pscsi_cmd {
	struct bio		bio;
	struct bio_vec		vecs[TCM_PSCSI_VECS];
	struct bio		*big;		/* when vecs are too few */
	struct scatterlist	*bounce;	/* when the host cannot take cmd->sg */
	unsigned int		bounce_nents, bounce_order;
	u32			len;		/* bytes the device is asked to move */
	u8			cdb_len;
	const struct tcm_pscsi_op *op;
	struct list_head	node;		/* in tcm_pscsi.waiting */
};

static_assert(sizeof(struct tcm_pscsi_cmd) <= TCM_IO_SCRATCH);

static struct tcm_pscsi_cmd *tcm_pscsi_scratch(struct tcm_cmd *cmd)
{
	return (void *)cmd->io.scratch;
}

static struct tcm_cmd *tcm_pscsi_owner(struct tcm_pscsi_cmd *pc)
{
	return container_of((void *)pc, struct tcm_cmd, io.scratch);
}

/* What was borrowed for the data phase goes back. */
static void tcm_pscsi_release(struct tcm_pscsi_cmd *pc)
{
	if (pc->bounce)
		sgl_free_n_order(pc->bounce, pc->bounce_nents, pc->bounce_order);
	if (pc->big) {
		bio_uninit(pc->big);
		kfree(pc->big);
	}
}

/*
 * The length that goes with the opcode: transports pad CDBs to a fixed size, and some
 * hosts refuse the padding (SPC-5 4.2.5.1). Zero: there are not that many bytes.
 */
static unsigned int tcm_pscsi_cdb_len(const struct tcm_cmd *cmd)
{
	unsigned int len;

	switch (cmd->cdb[0] >> 5) {
	case 3:
		if (cmd->cdb[0] != VARIABLE_LENGTH_CMD)
			return cmd->cdb_len;
		len = cmd->cdb_len < 8 ? 8 : 8 + cmd->cdb[7];
		break;
	case 6:
	case 7:
		return min_t(unsigned int, cmd->cdb_len, 16);
	default:
		len = COMMAND_SIZE(cmd->cdb[0]);
		break;
	}
	return len <= cmd->cdb_len ? len : 0;
}

/* Bytes of a command that moves whole blocks; CDBs with protection fields are not judged. */
static u64 tcm_pscsi_blocks(const struct tcm_pscsi *ps, const u8 *cdb)
{
	u32 n;

	switch (cdb[0] >> 5) {
	case 0:
		n = cdb[4] ?: 256;
		break;
	case 1:
		n = get_unaligned_be16(cdb + 7);
		break;
	case 4:
		n = get_unaligned_be32(cdb + 10);
		break;
	default:
		n = get_unaligned_be32(cdb + 6);
		break;
	}
	return (u64)n * READ_ONCE(ps->block_size);
}

/* Settle pc->len for commands whose CDB says how much they move. */
static enum tcm_sense tcm_pscsi_check_blocks(struct tcm_pscsi *ps, struct tcm_cmd *cmd,
					     struct tcm_pscsi_cmd *pc)
{
	bool write = pc->op->flags & TCM_PS_WRITES;
	u64 want;

	if (cmd->exp_len && cmd->exp_dir != (write ? DMA_TO_DEVICE : DMA_FROM_DEVICE))
		return TCM_INVALID_FIELD_CDB;
	if (cmd->cdb[0] >= 0x20 && cmd->cdb[1] >> 5)
		return TCM_OK;
	want = tcm_pscsi_blocks(ps, cmd->cdb);
	if (want <= cmd->exp_len)
		return TCM_OK;
	/* A device that waits for data nobody has would be reset by its host. */
	if (write || want > min(ps->max_bytes, TCM_PSCSI_SLACK))
		return TCM_INVALID_FIELD_CDB;
	pc->len = want;
	return TCM_OK;
}

static enum tcm_sense tcm_pscsi_check(struct tcm_pscsi *ps, struct tcm_cmd *cmd,
				      struct tcm_pscsi_cmd *pc)
{
	const struct tcm_pscsi_op *op = pc->op;

	pc->cdb_len = tcm_pscsi_cdb_len(cmd);
	if (!pc->cdb_len)
		return tcm_bad_cdb(cmd, cmd->cdb_len, -1);
	if (pc->cdb_len > min_t(unsigned int, sizeof_field(struct scsi_cmnd, cmnd),
				ps->sdev->host->max_cmd_len))
		return TCM_INVALID_OPCODE;
	if ((op->flags & TCM_PS_RESERVE) && !cmd->dev->attr.emulate_pr)
		return TCM_INVALID_OPCODE;
	if ((op->flags & TCM_PS_WRITES) && test_bit(TCM_GATE_WP, &cmd->map->gate) &&
	    !((op->flags & TCM_PS_UNLESS_0) && !get_unaligned_be24(cmd->cdb + 2)))
		return TCM_WRITE_PROTECTED;
	if (cmd->exp_dir == DMA_BIDIRECTIONAL)
		return TCM_INVALID_OPCODE;
	pc->len = cmd->exp_dir == DMA_NONE ? 0 : cmd->xfer_len;
	if (pc->len > ps->max_bytes)
		return TCM_INVALID_FIELD_CDB;
	return op->flags & TCM_PS_BLOCKS ? tcm_pscsi_check_blocks(ps, cmd, pc) : TCM_OK;
}

/* May the host do DMA on this memory as it is? */
static bool tcm_pscsi_direct(struct request_queue *q, const struct tcm_cmd *cmd,
			     const struct tcm_pscsi_cmd *pc, unsigned int *pages)
{
	struct scatterlist *sg = cmd->sg;
	u32 left = pc->len;

	*pages = 0;
	if (pc->len > cmd->xfer_len)
		return false;
	for (; left; sg = sg_next(sg)) {
		u32 len = min(left, sg->length);

		if (!blk_rq_aligned(q, sg->offset, len))
			return false;
		*pages += DIV_ROUND_UP(offset_in_page(sg->offset) + len, PAGE_SIZE);
		left -= len;
	}
	return true;
}

/* False: the queue's limits do not allow this layout. */
static bool tcm_pscsi_add_pages(struct request_queue *q, struct bio *bio, struct scatterlist *sg,
				u32 left)
{
	for (; left; sg = sg_next(sg)) {
		struct page *page = sg_page(sg) + (sg->offset >> PAGE_SHIFT);
		unsigned int off = offset_in_page(sg->offset), len = min(left, sg->length);

		left -= len;
		while (len) {
			unsigned int n = min_t(unsigned int, len, PAGE_SIZE - off);

			if (bio_add_pc_page(q, bio, page, n, off) != n)
				return false;
			len -= n;
			off = 0;
			page++;
		}
	}
	return true;
}

static struct bio *tcm_pscsi_bio(struct tcm_pscsi_cmd *pc, unsigned int vecs, blk_opf_t opf)
{
	struct bio *bio = &pc->bio;

	if (vecs <= TCM_PSCSI_VECS) {
		bio_init(bio, NULL, pc->vecs, TCM_PSCSI_VECS, opf);
		return bio;
	}
	if (!pc->big)
		pc->big = bio_kmalloc(vecs, GFP_NOIO);
	if (pc->big)
		bio_init(pc->big, NULL, pc->big->bi_inline_vecs, vecs, opf);
	return pc->big;
}

/* A buffer of ours, in pieces large enough for the host's number of segments. */
static enum tcm_sense tcm_pscsi_bounce(struct request_queue *q, struct tcm_cmd *cmd,
				       struct tcm_pscsi_cmd *pc, unsigned int max_vecs)
{
	unsigned int order = get_order(DIV_ROUND_UP(pc->len, max_vecs));

	pc->bounce = sgl_alloc_order(pc->len, order, false,
				     GFP_NOIO | __GFP_ZERO | __GFP_NOWARN, &pc->bounce_nents);
	if (!pc->bounce)
		return TCM_BUSY;
	pc->bounce_order = order;
	if (cmd->exp_dir == DMA_TO_DEVICE) {
		struct sg_mapping_iter it;
		u32 done = 0;

		sg_miter_start(&it, pc->bounce, pc->bounce_nents, SG_MITER_TO_SG);
		while (sg_miter_next(&it)) {
			sg_pcopy_to_buffer(cmd->sg, SG_MAX_SEGMENTS, it.addr, it.length, done);
			done += it.length;
		}
		sg_miter_stop(&it);
	}
	return TCM_OK;
}

static void tcm_pscsi_unbounce(struct tcm_cmd *cmd, struct tcm_pscsi_cmd *pc)
{
	struct sg_mapping_iter it;
	u32 done = 0;

	sg_miter_start(&it, pc->bounce, pc->bounce_nents, SG_MITER_FROM_SG | SG_MITER_ATOMIC);
	while (done < cmd->xfer_len && sg_miter_next(&it)) {
		u32 n = min_t(u32, it.length, cmd->xfer_len - done);

		sg_pcopy_from_buffer(cmd->sg, SG_MAX_SEGMENTS, it.addr, n, done);
		done += n;
	}
	sg_miter_stop(&it);
}

/* Give the data phase the form of a bio: of the initiator's pages, or of ours. */
static enum tcm_sense tcm_pscsi_map(struct tcm_pscsi *ps, struct tcm_cmd *cmd,
				    struct tcm_pscsi_cmd *pc, struct bio **bio)
{
	struct request_queue *q = ps->sdev->request_queue;
	blk_opf_t opf = cmd->exp_dir == DMA_TO_DEVICE ? REQ_OP_DRV_OUT : REQ_OP_DRV_IN;
	unsigned int max_vecs = min_t(unsigned int, queue_max_segments(q), UIO_MAXIOV), vecs;
	enum tcm_sense sense;

	*bio = NULL;
	if (!pc->len)
		return TCM_OK;
	/* What the device leaves out must not be what was in our memory before. */
	if ((cmd->flags & TCM_CMD_OWN_SG) && cmd->exp_dir == DMA_FROM_DEVICE &&
	    !(pc->op->flags & TCM_PS_BLOCKS))
		sg_zero_buffer(cmd->sg, cmd->sg_nents, cmd->xfer_len, 0);
	if (tcm_pscsi_direct(q, cmd, pc, &vecs)) {
		*bio = tcm_pscsi_bio(pc, min(vecs, max_vecs), opf);
		if (!*bio)
			return TCM_BUSY;
		if (tcm_pscsi_add_pages(q, *bio, cmd->sg, pc->len))
			return TCM_OK;
		tcm_pscsi_release(pc);
		pc->big = NULL;
	}
	sense = tcm_pscsi_bounce(q, cmd, pc, max_vecs);
	if (sense)
		return sense;
	vecs = min_t(unsigned int, max_vecs, DIV_ROUND_UP(pc->len, PAGE_SIZE));
	*bio = tcm_pscsi_bio(pc, vecs, opf);
	if (!*bio)
		return TCM_BUSY;
	return tcm_pscsi_add_pages(q, *bio, pc->bounce, pc->len) ? TCM_OK : TCM_INVALID_FIELD_CDB;
}

/* The nexus may not write: the device shall look write protected (SPC-5 7.5.6, byte 2/3). */
static void tcm_pscsi_fix_mode(struct tcm_cmd *cmd, unsigned int at)
{
	u8 byte;

	switch (cmd->dev->type) {
	case TYPE_DISK:
	case TYPE_ZBC:
	case TYPE_TAPE:
	case TYPE_WORM:
	case TYPE_MOD:
	case TYPE_RBC:
		break;
	default:
		return;
	}
	if (!test_bit(TCM_GATE_WP, &cmd->map->gate) || cmd->xfer_len <= at)
		return;
	sg_pcopy_to_buffer(cmd->sg, cmd->sg_nents, &byte, 1, at);
	byte |= 0x80;
	sg_pcopy_from_buffer(cmd->sg, cmd->sg_nents, &byte, 1, at);
}

/*
 * Block Limits says what the device takes; between it and us is a host that may take
 * less (SBC-4 6.6.4, MAXIMUM TRANSFER LENGTH).
 */
static void tcm_pscsi_fix_limits(struct tcm_pscsi *ps, struct tcm_cmd *cmd)
{
	u32 max = ps->max_bytes / READ_ONCE(ps->block_size), now;
	__be32 field;

	if (!(cmd->cdb[1] & 1) || cmd->cdb[2] != 0xb0 || cmd->xfer_len < 12 ||
	    (cmd->dev->type != TYPE_DISK && cmd->dev->type != TYPE_ZBC))
		return;
	sg_pcopy_to_buffer(cmd->sg, cmd->sg_nents, &field, sizeof(field), 8);
	now = be32_to_cpu(field);
	if (now ? now <= max : ps->max_bytes >= TCM_PSCSI_UNLIMITED)
		return;
	field = cpu_to_be32(max);
	sg_pcopy_from_buffer(cmd->sg, cmd->sg_nents, &field, sizeof(field), 8);
}

/* The block size may change below us with the medium or a FORMAT UNIT. */
static void tcm_pscsi_learn(struct tcm_pscsi *ps, struct tcm_cmd *cmd, unsigned int at)
{
	__be32 field;
	u32 size;

	if (cmd->xfer_len < at + sizeof(field))
		return;
	sg_pcopy_to_buffer(cmd->sg, cmd->sg_nents, &field, sizeof(field), at);
	size = be32_to_cpu(field);
	if (size >= 256 && size <= 65536)
		WRITE_ONCE(ps->block_size, size);
}

static void tcm_pscsi_fix(struct tcm_pscsi *ps, struct tcm_cmd *cmd, const struct tcm_pscsi_op *op)
{
	switch (op->fix) {
	case TCM_PS_MODE_SENSE6:
		tcm_pscsi_fix_mode(cmd, 2);
		break;
	case TCM_PS_MODE_SENSE10:
		tcm_pscsi_fix_mode(cmd, 3);
		break;
	case TCM_PS_CAPACITY10:
		tcm_pscsi_learn(ps, cmd, 4);
		break;
	case TCM_PS_CAPACITY16:
		if ((cmd->cdb[1] & 0x1f) == SAI_READ_CAPACITY_16)
			tcm_pscsi_learn(ps, cmd, 8);
		break;
	case TCM_PS_INQUIRY:
		tcm_pscsi_fix_limits(ps, cmd);
		break;
	}
}

static enum tcm_sense tcm_pscsi_gone(struct tcm_pscsi *ps)
{
	enum scsi_device_state state = READ_ONCE(ps->sdev->sdev_state);

	if ((state == SDEV_DEL || state == SDEV_CANCEL) && !test_bit(TCM_DEV_DEAD, &ps->dev->flags))
		tcm_device_event(ps->dev, TCM_DEV_GONE);
	return TCM_LUN_NOT_RESPONDING;
}

/* The device's own sense data; without memory for it at least what it says. */
static enum tcm_sense tcm_pscsi_sense(struct tcm_cmd *cmd, const struct scsi_cmnd *scmd)
{
	struct scsi_sense_hdr hdr;
	unsigned int len = min_t(unsigned int, scmd->sense_len, TCM_SENSE_MAX);

	if (!len || !scsi_normalize_sense(scmd->sense_buffer, len, &hdr))
		return TCM_LUN_COMM_FAILURE;
	cmd->raw_sense = kmemdup(scmd->sense_buffer, len, GFP_ATOMIC | __GFP_NOWARN);
	cmd->raw_sense_len = len;
	return cmd->raw_sense ? TCM_RAW_SENSE : TCM_SENSE(hdr.sense_key, hdr.asc, hdr.ascq);
}

/* What became of it before it reached a status: the host's view. */
static enum tcm_sense tcm_pscsi_host_error(struct tcm_pscsi *ps, int host)
{
	switch (host) {
	case DID_NO_CONNECT:
	case DID_BAD_TARGET:
		return tcm_pscsi_gone(ps);
	case DID_TIME_OUT:
		return TCM_COMMAND_TIMEOUT;
	case DID_BUS_BUSY:
	case DID_REQUEUE:
	case DID_IMM_RETRY:
	case DID_SOFT_ERROR:
	case DID_TRANSPORT_DISRUPTED:
		return TCM_BUSY;
	case DID_TRANSPORT_FAILFAST:
	case DID_TRANSPORT_MARGINAL:
		return TCM_LUN_COMM_FAILURE;
	case DID_ABORT:
	case DID_RESET:
		return TCM_NO_ADDITIONAL_SENSE;
	case DID_PARITY:
		return TCM_CRC_ERROR;
	default:
		return TCM_INTERNAL_TARGET_FAILURE;
	}
}

static enum tcm_sense tcm_pscsi_outcome(struct tcm_pscsi *ps, struct tcm_cmd *cmd,
					const struct scsi_cmnd *scmd, blk_status_t error)
{
	int host = host_byte(scmd->result);
	u8 status = scmd->result & 0xff;

	if (status == SAM_STAT_CHECK_CONDITION)
		return tcm_pscsi_sense(cmd, scmd);
	if (host)
		return tcm_pscsi_host_error(ps, host);
	if (status)
		return TCM_STATUS(status);
	if (error)
		return error == BLK_STS_TIMEOUT ? TCM_COMMAND_TIMEOUT : tcm_pscsi_gone(ps);
	return TCM_OK;
}

static enum rq_end_io_ret tcm_pscsi_end_io(struct request *rq, blk_status_t error)
{
	struct tcm_cmd *cmd = rq->end_io_data;
	struct scsi_cmnd *scmd = blk_mq_rq_to_pdu(rq);
	struct tcm_pscsi_cmd *pc = tcm_pscsi_scratch(cmd);
	struct tcm_pscsi *ps = cmd->dev->priv;
	enum tcm_sense sense = tcm_pscsi_outcome(ps, cmd, scmd, error);
	u32 moved = pc->len - min(pc->len, scmd->resid_len);

	/* The tag is free before the initiator can send the next command. */
	blk_mq_free_request(rq);
	if (pc->len > cmd->exp_len)
		cmd->data_len = moved;
	cmd->xfer_len = min(cmd->exp_len, moved);
	if (pc->bounce && cmd->exp_dir == DMA_FROM_DEVICE)
		tcm_pscsi_unbounce(cmd, pc);
	if (!sense && pc->op->fix)
		tcm_pscsi_fix(ps, cmd, pc->op);
	tcm_pscsi_release(pc);
	tcm_cmd_complete(cmd, sense);
	return RQ_END_IO_NONE;
}

/* It never got to the device. */
static void tcm_pscsi_fail(struct tcm_cmd *cmd, enum tcm_sense sense)
{
	cmd->xfer_len = 0;
	tcm_cmd_complete(cmd, sense);
}

static void tcm_pscsi_start(struct tcm_pscsi *ps, struct tcm_cmd *cmd, struct request *rq)
{
	struct tcm_pscsi_cmd *pc = tcm_pscsi_scratch(cmd);
	struct scsi_cmnd *scmd = blk_mq_rq_to_pdu(rq);
	enum tcm_sense sense;
	struct bio *bio;

	sense = tcm_pscsi_map(ps, cmd, pc, &bio);
	if (!sense && bio && blk_rq_append_bio(rq, bio))
		sense = TCM_INVALID_FIELD_CDB;
	if (sense) {
		blk_mq_free_request(rq);
		tcm_pscsi_release(pc);
		tcm_pscsi_fail(cmd, sense);
		return;
	}
	memcpy(scmd->cmnd, cmd->cdb, pc->cdb_len);
	scmd->cmd_len = pc->cdb_len;
	scmd->allowed = ps->retries;
	/* The last user's, should the queue end the request before the SCSI layer saw it. */
	scmd->result = 0;
	scmd->resid_len = 0;
	rq->timeout = pc->op->timeout * HZ;
	rq->rq_flags |= RQF_QUIET;
	rq->end_io = tcm_pscsi_end_io;
	rq->end_io_data = cmd;
	blk_execute_rq_nowait(rq, cmd->attr == TCM_ATTR_HEAD_OF_QUEUE);
}

static struct request *tcm_pscsi_request(struct tcm_pscsi *ps, struct tcm_cmd *cmd,
					 blk_mq_req_flags_t flags)
{
	return scsi_alloc_request(ps->sdev->request_queue,
				  cmd->exp_dir == DMA_TO_DEVICE ? REQ_OP_DRV_OUT : REQ_OP_DRV_IN,
				  flags);
}

/* The next that waits; NULL: none, and newcomers need not wait any more. */
static struct tcm_pscsi_cmd *tcm_pscsi_next(struct tcm_pscsi *ps)
{
	struct tcm_pscsi_cmd *pc;

	spin_lock_irq(&ps->lock);
	pc = list_first_entry_or_null(&ps->waiting, struct tcm_pscsi_cmd, node);
	if (pc)
		list_del(&pc->node);
	else
		ps->draining = false;
	spin_unlock_irq(&ps->lock);
	return pc;
}

/* A command has waited for a tag, and has one now, or the queue has none to give any more. */
static void tcm_pscsi_resume(struct tcm_pscsi *ps, struct tcm_cmd *cmd, struct request *rq)
{
	if (IS_ERR(rq)) {
		tcm_pscsi_fail(cmd, tcm_pscsi_gone(ps));
	} else if (tcm_cmd_is_unwanted(cmd)) {
		/* The initiator may have sent it again: a tape would have it twice. */
		blk_mq_free_request(rq);
		tcm_pscsi_fail(cmd, TCM_TASK_ABORTED);
	} else {
		tcm_pscsi_start(ps, cmd, rq);
	}
}

/* Newcomers queue up behind those that wait, so that the order of a tape's blocks is kept. */
void tcm_pscsi_work(struct work_struct *work)
{
	struct tcm_pscsi *ps = container_of(work, struct tcm_pscsi, work);
	unsigned int noio = memalloc_noio_save();
	struct tcm_pscsi_cmd *pc;

	while ((pc = tcm_pscsi_next(ps))) {
		struct tcm_cmd *cmd = tcm_pscsi_owner(pc);

		tcm_pscsi_resume(ps, cmd, tcm_pscsi_request(ps, cmd, 0));
	}
	memalloc_noio_restore(noio);
}

/* True: it waits. @wait: let it wait in any case. */
static bool tcm_pscsi_queue(struct tcm_pscsi *ps, struct tcm_pscsi_cmd *pc, bool wait)
{
	unsigned long flags;
	bool kick = false;

	if (!wait && !READ_ONCE(ps->draining))
		return false;
	spin_lock_irqsave(&ps->lock, flags);
	wait |= ps->draining;
	if (wait) {
		list_add_tail(&pc->node, &ps->waiting);
		kick = !ps->draining;
		ps->draining = true;
	}
	spin_unlock_irqrestore(&ps->lock, flags);
	if (kick)
		queue_work(tcm_pscsi_wq, &ps->work);
	return wait;
}

void tcm_pscsi_pass(struct tcm_cmd *cmd)
{
	struct tcm_pscsi *ps = cmd->dev->priv;
	struct tcm_pscsi_cmd *pc = tcm_pscsi_scratch(cmd);
	enum tcm_sense sense;
	struct request *rq;

	pc->big = NULL;
	pc->bounce = NULL;
	pc->op = tcm_pscsi_op(cmd->dev->type, cmd->cdb);
	sense = tcm_pscsi_check(ps, cmd, pc);
	if (sense) {
		tcm_pscsi_fail(cmd, sense);
		return;
	}
	if (tcm_pscsi_queue(ps, pc, false))
		return;
	rq = tcm_pscsi_request(ps, cmd, BLK_MQ_REQ_NOWAIT);
	if (!IS_ERR(rq))
		tcm_pscsi_start(ps, cmd, rq);
	else if (PTR_ERR(rq) == -EAGAIN)
		tcm_pscsi_queue(ps, pc, true);
	else
		tcm_pscsi_fail(cmd, tcm_pscsi_gone(ps));
}
