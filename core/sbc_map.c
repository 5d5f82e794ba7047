// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is behind the blocks: GET LBA STATUS(16) and (32) (SBC-4 5.6, 5.7), READ DEFECT DATA(10) and
 * (12) (5.22, 5.23), PRE-FETCH(10) and (16).
 */
#include <linux/slab.h>
#include <linux/unaligned.h>
#include "cmd.h"
#include "hop.h"
#include "opcode.h"
#include "sbc.h"

struct tcm_lba_status_header {
	__be32	len;		/* of what follows this field */
	u8	reserved[3];
	u8	completion;	/* COMPLETION CONDITION, RTP: REPORT TYPE is not looked at */
};

static_assert(sizeof(struct tcm_lba_status_header) == 8);

struct tcm_lba_status_desc {
	__be64	lba;
	__be32	nblocks;
	u8	provisioning;
	u8	reserved[3];
} __packed;
static_assert(sizeof(struct tcm_lba_status_desc) == 16);

/* PROVISIONING STATUS. Zero is "mapped", or that nothing is known. */
#define TCM_PROV_MAPPED		0
#define TCM_PROV_DEALLOCATED	1

/* Bounds what one command costs: a file may be in any number of pieces. */
#define TCM_LBA_STATUS_DESCS	64
#define TCM_LBA_STATUS_STEPS	256

/* cmd->work of a GET LBA STATUS; descriptors in host order until they are sent */
struct tcm_lba_status {
	u64			next;	/* LBA */
	unsigned int		n, room, steps;
	struct tcm_lba_status_header header;
	struct tcm_lba_status_desc desc[];
};

enum tcm_sense tcm_sbc_lba_status_parse(struct tcm_cmd *cmd)
{
	/* The LBA of an extent that begins there: it must exist. */
	cmd->nblocks = 1;
	return cmd->op->cdb_len == TCM_LONG_CDB ? tcm_sbc_long_parse(cmd) : TCM_OK;
}

static void tcm_lba_status_end(struct tcm_cmd *cmd, enum tcm_sense sense)
{
	struct tcm_lba_status *ls = cmd->work;
	unsigned int len = sizeof(ls->header) + ls->n * sizeof(ls->desc[0]);

	if (!sense) {
		ls->header.len = cpu_to_be32(len - sizeof(ls->header.len));
		tcm_cmd_put_data(cmd, &ls->header, len);
	}
	kfree(ls);
	cmd->work = NULL;
	tcm_cmd_complete(cmd, sense);
}

/* Add blocks; what is as the last descriptor says makes that longer. False: no room. */
static bool tcm_lba_status_add(struct tcm_lba_status *ls, u64 nblocks, u8 provisioning)
{
	struct tcm_lba_status_desc *d = &ls->desc[ls->n];

	while (nblocks) {
		u32 have = ls->n ? be32_to_cpu(d[-1].nblocks) : 0, n;
		bool same = ls->n && d[-1].provisioning == provisioning && have < U32_MAX;

		if (!same && ls->n == ls->room)
			return false;
		if (same) {
			n = min_t(u64, nblocks, U32_MAX - have);
			d[-1].nblocks = cpu_to_be32(have + n);
		} else {
			n = min_t(u64, nblocks, U32_MAX);
			d->lba = cpu_to_be64(ls->next);
			d->nblocks = cpu_to_be32(n);
			d->provisioning = provisioning;
			d++;
			ls->n++;
		}
		ls->next += n;
		nblocks -= n;
	}
	return true;
}

static void tcm_lba_status_next(struct tcm_cmd *cmd);

static void tcm_lba_status_got(struct tcm_cmd *cmd)
{
	struct tcm_lba_status *ls = cmd->work;
	struct tcm_device *dev = cmd->dev;
	u8 prov = cmd->io.flags & TCM_IO_UNMAPPED ? TCM_PROV_DEALLOCATED : TCM_PROV_MAPPED;
	u64 n = cmd->io.len >> dev->block_shift;

	if (!tcm_lba_status_add(ls, n, prov) || !n || ++ls->steps == TCM_LBA_STATUS_STEPS ||
	    ls->next >= READ_ONCE(dev->nblocks))
		tcm_lba_status_end(cmd, TCM_OK);
	else if (tcm_cmd_is_unwanted(cmd))
		tcm_lba_status_end(cmd, TCM_TASK_ABORTED);
	else
		tcm_lba_status_next(cmd);
}

static void tcm_lba_status_done(struct tcm_io *io, enum tcm_sense sense)
{
	struct tcm_cmd *cmd = tcm_sbc_cmd(io);

	if (sense)
		tcm_lba_status_end(cmd, tcm_sbc_io_sense(cmd, sense));
	else
		tcm_hop_queue(cmd, tcm_lba_status_got);
}

static void tcm_lba_status_next(struct tcm_cmd *cmd)
{
	struct tcm_lba_status *ls = cmd->work;
	struct tcm_device *dev = cmd->dev;
	u64 left = READ_ONCE(dev->nblocks) - ls->next;

	dev->ops->lba_status(tcm_sbc_io(cmd, ls->next << dev->block_shift, left << dev->block_shift,
					NULL, false, 0, tcm_lba_status_done));
}

enum tcm_sense tcm_sbc_lba_status(struct tcm_cmd *cmd)
{
	enum tcm_sense sense = tcm_sbc_range(cmd);
	struct tcm_lba_status *ls;
	unsigned int room;

	if (sense)
		return sense;
	/* As many as are asked for; one at least, which then is cut. */
	room = clamp_t(unsigned int, cmd->data_len / sizeof(ls->desc[0]), 1, TCM_LBA_STATUS_DESCS);
	ls = kzalloc(struct_size(ls, desc, room), GFP_NOIO);
	if (!ls)
		return TCM_BUSY;
	ls->next = cmd->lba;
	ls->room = room;
	cmd->work = ls;
	/* A fully provisioned unit (LBPME zero) has mapped blocks only (SBC-4 4.7.2). */
	if (cmd->dev->ops->lba_status && tcm_dev_lbpme(cmd->dev)) {
		tcm_lba_status_next(cmd);
	} else {
		tcm_lba_status_add(ls, READ_ONCE(cmd->dev->nblocks) - cmd->lba, TCM_PROV_MAPPED);
		tcm_lba_status_end(cmd, TCM_OK);
	}
	return TCM_PENDING;
}

#define TCM_DEFECT_WANTED	0x1f	/* REQ_PLIST, REQ_GLIST, DEFECT LIST FORMAT: told back */
#define TCM_DEFECT_FORMAT	0x07

/* Where the byte with the bits is */
static unsigned int tcm_defect_bits_at(const struct tcm_cmd *cmd)
{
	return cmd->op->cdb_len == 10 ? 2 : 1;
}

enum tcm_sense tcm_sbc_defect_parse(struct tcm_cmd *cmd)
{
	unsigned int at = tcm_defect_bits_at(cmd);

	/* 111b is reserved; in all others an empty list can be written. */
	if ((cmd->cdb[at] & TCM_DEFECT_FORMAT) == TCM_DEFECT_FORMAT)
		return tcm_bad_cdb(cmd, at, 2);
	return TCM_OK;
}

/* There are none: whatever has defects keeps them to itself. */
enum tcm_sense tcm_sbc_defect_data(struct tcm_cmd *cmd)
{
	u8 buf[8] = { 0, cmd->cdb[tcm_defect_bits_at(cmd)] & TCM_DEFECT_WANTED };

	tcm_cmd_put_data(cmd, buf, cmd->op->cdb_len == 10 ? 4 : 8);
	return TCM_OK;
}

/*
 * PRE-FETCH: what will be in the cache by the time it is read is for the backend to know, which is
 * told and not waited for. GOOD, and not CONDITION MET, promises nothing (SBC-4, PRE-FETCH). A
 * length of zero is all that follows.
 */
enum tcm_sense tcm_sbc_prefetch(struct tcm_cmd *cmd)
{
	enum tcm_sense sense = tcm_sbc_range(cmd);
	struct tcm_device *dev = cmd->dev;
	u64 n = cmd->nblocks ?: READ_ONCE(dev->nblocks) - cmd->lba;

	if (sense || !dev->ops->read_ahead || !n)
		return sense;
	dev->ops->read_ahead(tcm_sbc_io(cmd, cmd->lba << dev->block_shift, n << dev->block_shift,
					NULL, false, 0, tcm_sbc_io_done));
	return TCM_PENDING;
}
