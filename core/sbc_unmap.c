// SPDX-License-Identifier: GPL-2.0-only
/*
 * UNMAP (SBC-4 5.35).
 */
#include <linux/mm.h>
#include "alua_state.h"
#include "cmd.h"
#include "hop.h"
#include "opcode.h"
#include "range.h"
#include "sbc.h"
#include "sbc_unmap.h"

/* Where NUMBER OF LOGICAL BLOCKS of a descriptor is in the list */
#define TCM_UNMAP_NBLOCKS_AT(i)	(sizeof(struct tcm_unmap_header) +		\
				 (i) * sizeof(union tcm_unmap_extent) + 8)

static enum tcm_sense tcm_unmap_bad_field(struct tcm_sense_extra *x, u16 field)
{
	x->flags = TCM_SX_FIELD | TCM_SX_PARAM;
	x->field = field;
	return TCM_INVALID_FIELD_PARAM;
}

static enum tcm_sense tcm_unmap_parse_one(union tcm_unmap_extent *ext, u64 nblocks,
					  struct tcm_sense_extra *x)
{
	u64 lba = be64_to_cpu(ext->wire.lba);
	u32 n = be32_to_cpu(ext->wire.nblocks);

	if (lba > nblocks || n > nblocks - lba) {
		x->flags = TCM_SX_INFO;
		x->info = max(lba, nblocks);
		return TCM_LBA_OUT_OF_RANGE;
	}
	ext->host.lba = lba;
	ext->host.nblocks = n;
	return TCM_OK;
}

enum tcm_sense tcm_unmap_parse(struct tcm_unmap *u, unsigned int len,
			       const struct tcm_unmap_limits *lim, struct tcm_sense_extra *x)
{
	unsigned int desc_len, i;
	enum tcm_sense sense;
	u64 sum = 0;

	u->n = 0;
	u->next = 0;
	if (len < sizeof(u->header))
		return TCM_PARAM_LIST_LENGTH;
	desc_len = be16_to_cpu(u->header.desc_len);
	/* The list announces more than was sent, or than itself. */
	if (desc_len > len - sizeof(u->header))
		return TCM_PARAM_LIST_LENGTH;
	if (desc_len + sizeof(u->header) > be16_to_cpu(u->header.data_len) + 2U)
		return tcm_unmap_bad_field(x, offsetof(struct tcm_unmap_header, data_len));
	/* A last descriptor that is not complete is passed over. */
	u->n = desc_len / sizeof(u->ext[0]);
	if (u->n > lim->max_desc)
		return tcm_unmap_bad_field(x, offsetof(struct tcm_unmap_header, desc_len));
	for (i = 0; i < u->n; i++) {
		sum += be32_to_cpu(u->ext[i].wire.nblocks);
		if (sum > lim->max_lba)
			return tcm_unmap_bad_field(x, TCM_UNMAP_NBLOCKS_AT(i));
	}
	/* All are checked before the first block goes. */
	for (i = 0; i < u->n; i++) {
		sense = tcm_unmap_parse_one(&u->ext[i], lim->nblocks, x);
		if (sense)
			return sense;
	}
	return TCM_OK;
}

static void tcm_unmap_free(struct tcm_cmd *cmd)
{
	kvfree(cmd->work);
	cmd->work = NULL;
}

static void tcm_unmap_end(struct tcm_cmd *cmd, enum tcm_sense sense)
{
	tcm_unmap_free(cmd);
	tcm_cmd_complete(cmd, sense);
}

static void tcm_unmap_done(struct tcm_io *io, enum tcm_sense sense);

/* Is there one that is not empty? It is the next then. */
static bool tcm_unmap_more(struct tcm_unmap *u)
{
	while (u->next < u->n && !u->ext[u->next].host.nblocks)
		u->next++;
	return u->next < u->n;
}

/* Deallocate the next extent, or end. */
static void tcm_unmap_next(struct tcm_cmd *cmd)
{
	u8 shift = cmd->dev->block_shift;
	struct tcm_unmap *u = cmd->work;
	union tcm_unmap_extent *ext;

	if (!tcm_unmap_more(u)) {
		tcm_unmap_end(cmd, TCM_OK);
		return;
	}
	if (tcm_cmd_is_unwanted(cmd)) {
		tcm_unmap_end(cmd, TCM_TASK_ABORTED);
		return;
	}
	ext = &u->ext[u->next++];
	/* Who watches blocks has us tracked. */
	if (cmd->flags & TCM_CMD_RANGED)
		tcm_watch_hit(cmd->dev, ext->host.lba, ext->host.lba + ext->host.nblocks - 1);
	cmd->dev->ops->unmap(tcm_sbc_io(cmd, ext->host.lba << shift, ext->host.nblocks << shift,
					NULL, true, u->flags, tcm_unmap_done));
}

static void tcm_unmap_done(struct tcm_io *io, enum tcm_sense sense)
{
	struct tcm_cmd *cmd = tcm_sbc_cmd(io);
	struct tcm_unmap *u = cmd->work;

	if (!sense && tcm_unmap_more(u)) {
		tcm_hop_queue(cmd, tcm_unmap_next);
		return;
	}
	tcm_unmap_free(cmd);
	tcm_sbc_wrote(cmd, sense);
}

/* All are judged before the first block goes. */
static enum tcm_sense tcm_unmap_judge(struct tcm_cmd *cmd, const struct tcm_unmap *u)
{
	enum tcm_sense sense = TCM_OK;
	unsigned int i;

	for (i = 0; i < u->n && !sense; i++)
		sense = tcm_alua_check_blocks(cmd, u->ext[i].host.lba, u->ext[i].host.nblocks);
	return sense;
}

enum tcm_sense tcm_sbc_unmap(struct tcm_cmd *cmd)
{
	const struct tcm_device *dev = cmd->dev;
	const struct tcm_unmap_limits lim = {
		.nblocks = READ_ONCE(dev->nblocks),
		.max_desc = READ_ONCE(dev->attr.max_unmap_block_desc_count),
		.max_lba = READ_ONCE(dev->attr.max_unmap_lba_count),
	};
	unsigned int len = cmd->data_len;
	struct tcm_unmap *u;
	enum tcm_sense sense;

	/* No list is no error (SBC-4 5.35.1). */
	if (!len)
		return TCM_OK;
	u = kvmalloc(offsetof(struct tcm_unmap, header) + max_t(size_t, len, sizeof(u->header)),
		     GFP_NOIO);
	if (!u)
		return TCM_BUSY;
	tcm_cmd_get_data(cmd, &u->header, len);
	sense = tcm_unmap_parse(u, len, &lim, &cmd->extra) ?: tcm_unmap_judge(cmd, u);
	if (sense) {
		kvfree(u);
		return sense;
	}
	u->flags = tcm_sbc_write_through(dev);
	cmd->work = u;
	tcm_unmap_next(cmd);
	return TCM_PENDING;
}

bool tcm_sbc_unmap_offered(const struct tcm_device *dev)
{
	return dev->attr.emulate_tpu && dev->ops->unmap;
}
