// SPDX-License-Identifier: GPL-2.0-only
/*
 * What became of third-party copies: RECEIVE COPY STATUS(LID1) and (LID4), RECEIVE ROD TOKEN
 * INFORMATION, and COPY OPERATION ABORT (SPC-4 5.17.4, 6.3, 6.24 ff).
 */
#include <linux/slab.h>
#include <linux/unaligned.h>
#include "cmd.h"
#include "copy.h"
#include "opcode.h"

/* COPY OPERATION STATUS */
enum tcm_copy_outcome {
	TCM_COPY_DONE		= 0x01,
	TCM_COPY_FAILED		= 0x02,
	TCM_COPY_PART		= 0x03,	/* the token did not have all that was asked for */
	TCM_COPY_FOREGROUND	= 0x11,
	TCM_COPY_BACKGROUND	= 0x12,
	TCM_COPY_TERMINATED	= 0x60,
};

struct tcm_copy_record {
	u32		session, device;	/* their indices; session 0: free */
	u32		list_id;
	bool		runs;
	u8		sa;			/* of 83h */
	u8		shift;			/* of the device's logical blocks */
	u8		outcome;		/* enum tcm_copy_outcome */
	u8		status;			/* SAM status */
	u8		sense_len;
	unsigned int	segments;
	u64		bytes;
	struct tcm_copy	*copy;			/* while it runs */
	struct tcm_cmd	*aborter;		/* COPY OPERATION ABORT that waits for its end */
	u8		*token;
	u8		sense[TCM_SENSE_MAX];
};

static DEFINE_SPINLOCK(tcm_copy_records_lock);	/* protects the two below */
static struct tcm_copy_record tcm_copy_records[TCM_COPY_RECORDS];
static unsigned int tcm_copy_oldest;

static struct tcm_copy_record *tcm_copy_record(const struct tcm_cmd *cmd, u32 list_id)
{
	struct tcm_copy_record *r;

	lockdep_assert_held(&tcm_copy_records_lock);
	for (r = tcm_copy_records; r < tcm_copy_records + TCM_COPY_RECORDS; r++)
		if (r->session == cmd->sess->index && r->device == cmd->dev->index &&
		    r->list_id == list_id)
			return r;
	return NULL;
}

static struct tcm_copy_record *tcm_copy_record_free(void)
{
	struct tcm_copy_record *r;
	unsigned int i;

	for (i = 0; i < TCM_COPY_RECORDS; i++) {
		r = &tcm_copy_records[tcm_copy_oldest++ % TCM_COPY_RECORDS];
		if (!r->runs)
			return r;
	}
	return NULL;
}

enum tcm_sense tcm_copy_record_begin(const struct tcm_cmd *cmd, u32 list_id, bool background,
				     struct tcm_copy *copy, struct tcm_copy_record **record)
{
	enum tcm_sense sense = TCM_OK;
	struct tcm_copy_record *r;
	u8 *token = NULL;

	spin_lock_irq(&tcm_copy_records_lock);
	r = tcm_copy_record(cmd, list_id) ?: tcm_copy_record_free();
	if (!r) {
		sense = TCM_BUSY;
	} else if (r->runs) {
		sense = TCM_OPERATION_IN_PROGRESS;
	} else {
		token = r->token;
		*r = (struct tcm_copy_record) {
			.session = cmd->sess->index,
			.device = cmd->dev->index,
			.list_id = list_id,
			.runs = true,
			.sa = cmd->cdb[1] & 0x1f,
			.shift = cmd->dev->block_shift,
			.outcome = background ? TCM_COPY_BACKGROUND : TCM_COPY_FOREGROUND,
			.copy = copy,
		};
		*record = r;
	}
	spin_unlock_irq(&tcm_copy_records_lock);
	kfree(token);
	return sense;
}

void tcm_copy_record_end(struct tcm_copy_record *r, enum tcm_sense sense,
			 const struct tcm_sense_extra *x, u64 bytes, const u8 *token)
{
	u8 *kept = token ? kmemdup(token, TCM_ROD_TOKEN_LEN, GFP_NOIO) : NULL;
	struct tcm_cmd *aborter;

	spin_lock_irq(&tcm_copy_records_lock);
	r->runs = false;
	r->bytes = bytes;
	r->status = tcm_sense_status(sense);
	r->token = kept;
	r->outcome = sense ? TCM_COPY_FAILED : TCM_COPY_DONE;
	if (r->copy) {
		tcm_copy_progress(r->copy, &r->segments);
		if (sense && READ_ONCE(r->copy->stop))
			r->outcome = TCM_COPY_TERMINATED;
		else if (!sense && r->copy->part)
			r->outcome = TCM_COPY_PART;
	}
	if (r->status == SAM_STAT_CHECK_CONDITION)
		r->sense_len = tcm_sense_build(sense, x, false, r->sense);
	r->copy = NULL;
	aborter = r->aborter;
	r->aborter = NULL;
	spin_unlock_irq(&tcm_copy_records_lock);
	if (aborter)
		tcm_cmd_complete(aborter, TCM_OK);
}

void tcm_copy_ended(struct tcm_copy *copy, enum tcm_sense sense)
{
	struct tcm_sense_extra x = { };
	struct tcm_cmd *cmd = copy->cmd;
	unsigned int segments;

	/* An error of either unit (SPC-4 6.4.3); what we say ourselves stays. */
	if (tcm_copy_is_units(sense))
		sense = TCM_COPY_DEVICE_FAILURE;
	/* The segments of a copy by a token are not its initiator's. */
	if (copy->ended == tcm_copy_ended && TCM_SENSE_KEY(sense) == COPY_ABORTED)
		x = copy->told;
	if (copy->record)
		tcm_copy_record_end(copy->record, sense, &x, tcm_copy_progress(copy, &segments),
				    NULL);
	if (cmd) {
		cmd->work = NULL;
		cmd->extra = x;
	}
	tcm_copy_free(copy);
	if (cmd)
		tcm_cmd_complete(cmd, sense);
}

enum tcm_sense tcm_copy_run(struct tcm_copy *copy, bool background)
{
	struct tcm_cmd *cmd = copy->cmd;

	if (!copy->ended)
		copy->ended = tcm_copy_ended;
	if (!background)
		cmd->work = copy;
	else
		copy->cmd = NULL;
	tcm_copy_start(copy, cmd);
	return background ? TCM_OK : TCM_PENDING;
}

struct tcm_copy_status {
	__be32	available;
	u8	status;		/* HDD, COPY MANAGER STATUS */
	__be16	segments;
	u8	units;		/* TRANSFER COUNT UNITS */
	__be32	count;
} __packed;
static_assert(sizeof(struct tcm_copy_status) == 12);

/* COPY MANAGER STATUS */
static u8 tcm_copy_status1(const struct tcm_copy_record *r)
{
	if (r->runs)
		return 0;
	return r->status == SAM_STAT_GOOD ? 1 : 2;
}

static u64 tcm_copy_bytes(const struct tcm_copy_record *r, unsigned int *segments)
{
	*segments = r->segments;
	return r->copy ? tcm_copy_progress(r->copy, segments) : r->bytes;
}

enum tcm_sense tcm_spc_copy_status(struct tcm_cmd *cmd)
{
	struct tcm_copy_status cs = { .available = cpu_to_be32(sizeof(cs) - 4) };
	struct tcm_copy_record *r;
	unsigned int segments = 0;
	u64 bytes = 0;
	u8 units = 0;

	spin_lock_irq(&tcm_copy_records_lock);
	r = tcm_copy_record(cmd, cmd->cdb[2]);
	if (r) {
		cs.status = tcm_copy_status1(r);
		bytes = tcm_copy_bytes(r, &segments);
	}
	spin_unlock_irq(&tcm_copy_records_lock);
	if (!r)
		return tcm_bad_cdb(cmd, 2, -1);
	cs.segments = cpu_to_be16(segments);
	/* Bytes, else the smallest multiple of 1024 times as much that 32 bits hold */
	for (; bytes > U32_MAX; bytes >>= 10)
		units++;
	cs.units = units;
	cs.count = cpu_to_be32(bytes);
	tcm_cmd_put_data(cmd, &cs, sizeof(cs));
	return TCM_OK;
}

struct tcm_copy_status4 {
	__be32	available;
	u8	sa;		/* RESPONSE TO SERVICE ACTION */
	u8	outcome;
	__be16	counter;
	__be32	delay;		/* ESTIMATED STATUS UPDATE DELAY, ms */
	u8	status;		/* EXTENDED COPY COMPLETION STATUS */
	u8	sense_room, sense_len;
	u8	units;		/* TRANSFER COUNT UNITS */
	__be64	count;
	__be16	segments;
	u8	reserved[6];
} __packed;
static_assert(sizeof(struct tcm_copy_status4) == 32);

#define TCM_COPY_UNITS_BYTES	0x00
#define TCM_COPY_UNITS_BLOCKS	0xf1
#define TCM_COPY_DELAY		100	/* ms */
#define TCM_ROD_DESC_LEN	(2 + TCM_ROD_TOKEN_LEN)
#define TCM_COPY_STATUS_MAX	(sizeof(struct tcm_copy_status4) + TCM_SENSE_MAX + 4 + \
				 TCM_ROD_DESC_LEN)

static bool tcm_copy_by_token(const struct tcm_copy_record *r)
{
	return r->sa == TCM_SA_POPULATE_TOKEN || r->sa == TCM_SA_WRITE_USING_TOKEN;
}

/* Header and sense data; returns their length */
static unsigned int tcm_copy_put_status(const struct tcm_copy_record *r, u8 *buf)
{
	struct tcm_copy_status4 *cs = (struct tcm_copy_status4 *)buf;
	unsigned int segments;
	u64 bytes = tcm_copy_bytes(r, &segments);

	lockdep_assert_held(&tcm_copy_records_lock);
	*cs = (struct tcm_copy_status4) {
		.sa = r->sa,
		.outcome = r->outcome,
		.counter = cpu_to_be16(bytes >> 16),
		.delay = cpu_to_be32(r->runs ? TCM_COPY_DELAY : 0),
		.status = r->status,
		.sense_room = r->sense_len,
		.sense_len = r->sense_len,
		.units = tcm_copy_by_token(r) ? TCM_COPY_UNITS_BLOCKS : TCM_COPY_UNITS_BYTES,
		.count = cpu_to_be64(tcm_copy_by_token(r) ? bytes >> r->shift : bytes),
		.segments = cpu_to_be16(tcm_copy_by_token(r) ? 0 : segments),
	};
	memcpy(buf + sizeof(*cs), r->sense, r->sense_len);
	return sizeof(*cs) + r->sense_len;
}

/* ROD TOKEN DESCRIPTORS LENGTH and the one that there may be */
static unsigned int tcm_copy_put_token(const struct tcm_copy_record *r, u8 *p)
{
	if (!r->token)
		return 4;
	put_unaligned_be32(TCM_ROD_DESC_LEN, p);
	memcpy(p + 6, r->token, TCM_ROD_TOKEN_LEN);
	return 4 + TCM_ROD_DESC_LEN;
}

static enum tcm_sense tcm_copy_tell(struct tcm_cmd *cmd, bool tokens)
{
	u8 *buf = kzalloc(TCM_COPY_STATUS_MAX, GFP_NOIO);
	struct tcm_copy_record *r;
	unsigned int len = 0;

	if (!buf)
		return TCM_BUSY;
	spin_lock_irq(&tcm_copy_records_lock);
	r = tcm_copy_record(cmd, get_unaligned_be32(cmd->cdb + 2));
	if (r)
		len = tcm_copy_put_status(r, buf);
	if (r && tokens)
		len += tcm_copy_put_token(r, buf + len);
	spin_unlock_irq(&tcm_copy_records_lock);
	if (r) {
		put_unaligned_be32(len - 4, buf);
		tcm_cmd_put_data(cmd, buf, len);
	}
	kfree(buf);
	return r ? TCM_OK : tcm_bad_cdb(cmd, 2, -1);
}

enum tcm_sense tcm_spc_copy_status4(struct tcm_cmd *cmd)
{
	return tcm_copy_tell(cmd, false);
}

enum tcm_sense tcm_spc_copy_rod_info(struct tcm_cmd *cmd)
{
	return tcm_copy_tell(cmd, true);
}

enum tcm_sense tcm_spc_copy_abort(struct tcm_cmd *cmd)
{
	enum tcm_sense sense = TCM_PENDING;
	struct tcm_copy_record *r;

	spin_lock_irq(&tcm_copy_records_lock);
	r = tcm_copy_record(cmd, get_unaligned_be32(cmd->cdb + 2));
	if (!r || !r->runs) {
		sense = tcm_bad_cdb(cmd, 2, -1);
	} else if (r->aborter || !r->copy) {
		/* A token is made in an instant. */
		sense = TCM_BUSY;
	} else {
		r->aborter = cmd;
		WRITE_ONCE(r->copy->stop, true);
	}
	spin_unlock_irq(&tcm_copy_records_lock);
	return sense;
}

void tcm_copy_record_exit(void)
{
	struct tcm_copy_record *r;

	for (r = tcm_copy_records; r < tcm_copy_records + TCM_COPY_RECORDS; r++) {
		kfree(r->token);
		r->token = NULL;
	}
}
