// SPDX-License-Identifier: GPL-2.0-only
/*
 * FORMAT UNIT (SBC-4 5.4) and SANITIZE (5.30): the commands. The work is in core/wipe.c.
 */
#include <linux/bitops.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/unaligned.h>
#include "cmd.h"
#include "lu.h"
#include "opcode.h"
#include "sbc.h"
#include "wipe.h"

/* FORMAT UNIT, byte 1 */
#define TCM_FORMAT_FMTPINFO_SHIFT	6
#define TCM_FORMAT_LONGLIST	0x20
#define TCM_FORMAT_FMTDATA	0x10

struct tcm_format_short {
	u8	protection;	/* PROTECTION FIELD USAGE */
	u8	bits;
	__be16	defects;	/* DEFECT LIST LENGTH */
};

static_assert(sizeof(struct tcm_format_short) == 4);

struct tcm_format_long {
	u8	protection;
	u8	bits;
	u8	reserved;
	u8	interval;	/* P_I_INFORMATION, PROTECTION INTERVAL EXPONENT */
	__be32	defects;
};

static_assert(sizeof(struct tcm_format_long) == 8);

#define TCM_FORMAT_PROTECTION	0x07	/* PROTECTION FIELD USAGE */
#define TCM_FORMAT_FOV		0x80	/* the bits below are meant */
#define TCM_FORMAT_OPTIONS	0x78	/* DPRY, DCRT, STPF, IP */
#define TCM_FORMAT_IP		0x08	/* an initialization pattern */
#define TCM_FORMAT_IMMED	0x02

enum tcm_sense tcm_sbc_format_parse(struct tcm_cmd *cmd)
{
	/* Only the header: no defect is taken, and no pattern but zeros. */
	if (cmd->cdb[1] & TCM_FORMAT_FMTDATA)
		cmd->data_len = cmd->cdb[1] & TCM_FORMAT_LONGLIST ? sizeof(struct tcm_format_long) :
								    sizeof(struct tcm_format_short);
	return TCM_OK;
}

/* The protection type that FMTPINFO and PROTECTION FIELD USAGE ask for (SBC-4 table 38) */
static enum tcm_sense tcm_format_type(struct tcm_cmd *cmd, u8 usage, u8 *type)
{
	u8 fmtpinfo = cmd->cdb[1] >> TCM_FORMAT_FMTPINFO_SHIFT;

	if (usage & ~TCM_FORMAT_PROTECTION)
		return tcm_bad_param(cmd, 0, fls(usage) - 1);
	if (fmtpinfo == 1)
		return tcm_bad_cdb(cmd, 1, 7);
	/* 00b: none; 10b: type 1; 11b: type 2 and, with usage 001b, 3 */
	if (usage > fmtpinfo / 3)
		return tcm_bad_param(cmd, 0, fls(usage) - 1);
	*type = fmtpinfo ? fmtpinfo - 1 + usage : 0;
	return TCM_OK;
}

static enum tcm_sense tcm_format_list(struct tcm_cmd *cmd, bool *immed, u8 *usage)
{
	struct tcm_format_long list = {};
	bool is_long = cmd->cdb[1] & TCM_FORMAT_LONGLIST;
	unsigned int len = tcm_cmd_get_data(cmd, &list, sizeof(list));

	*immed = list.bits & TCM_FORMAT_IMMED;
	*usage = list.protection;
	if (!(list.bits & TCM_FORMAT_FOV) && (list.bits & TCM_FORMAT_OPTIONS))
		return tcm_bad_param(cmd, 1, fls(list.bits & TCM_FORMAT_OPTIONS) - 1);
	if (list.bits & TCM_FORMAT_IP)
		return tcm_bad_param(cmd, 1, 3);
	if (list.bits & ~(TCM_FORMAT_FOV | TCM_FORMAT_OPTIONS | TCM_FORMAT_IMMED))
		return tcm_bad_param(cmd, 1, list.bits & 0x04 ? 2 : 0);
	if (!is_long)
		return len < 4 || !get_unaligned_be16(&list.reserved) ? TCM_OK :
									tcm_bad_param(cmd, 2, -1);
	if (list.reserved)
		return tcm_bad_param(cmd, 2, fls(list.reserved) - 1);
	if (list.interval)
		return tcm_bad_param(cmd, 3, fls(list.interval) - 1);
	return list.defects ? tcm_bad_param(cmd, 4, -1) : TCM_OK;
}

static enum tcm_sense tcm_sbc_wipe(struct tcm_cmd *cmd, struct tcm_wipe *w, bool immed)
{
	w->immed = immed;
	return tcm_wipe_start(w, cmd);
}

enum tcm_sense tcm_sbc_format(struct tcm_cmd *cmd)
{
	enum tcm_sense sense = TCM_OK;
	bool immed = false;
	struct tcm_wipe *w;
	u8 usage = 0, type;

	if (!READ_ONCE(cmd->dev->nblocks))
		return TCM_MEDIUM_NOT_PRESENT;
	if (cmd->cdb[1] & TCM_FORMAT_FMTDATA)
		sense = tcm_format_list(cmd, &immed, &usage);
	if (!sense)
		sense = tcm_format_type(cmd, usage, &type);
	/* A disk that is a backstore is not formatted anew. */
	if (!sense && cmd->dev->limits.pi_type && type != cmd->dev->limits.pi_type)
		sense = tcm_bad_cdb(cmd, 1, 7);
	if (sense)
		return sense;
	w = tcm_wipe_alloc(cmd->dev, TCM_WIPE_FORMAT);
	if (!w)
		return TCM_BUSY;
	w->pi_type = type;
	return tcm_sbc_wipe(cmd, w, immed);
}

/* SANITIZE, byte 1 */
#define TCM_SANITIZE_IMMED	0x80
#define TCM_SANITIZE_AUSE	0x20
#define TCM_SANITIZE_LEN_AT	7

struct tcm_overwrite {
	u8	bits;		/* INVERT, TEST, OVERWRITE COUNT */
	u8	reserved;
	__be16	len;		/* INITIALIZATION PATTERN LENGTH */
	u8	pattern[];
};

static_assert(sizeof(struct tcm_overwrite) == 4);

#define TCM_OVERWRITE_INVERT	0x80
#define TCM_OVERWRITE_TEST	0x60
#define TCM_OVERWRITE_COUNT	0x1f

enum tcm_sense tcm_sbc_overwrite_parse(struct tcm_cmd *cmd)
{
	u32 least = sizeof(struct tcm_overwrite) + 1;

	if (cmd->data_len < least || cmd->data_len >= least + (1U << cmd->dev->block_shift))
		return tcm_bad_cdb(cmd, TCM_SANITIZE_LEN_AT, -1);
	return TCM_OK;
}

/* PARAMETER LIST LENGTH shall be zero. */
enum tcm_sense tcm_sbc_sanitize_parse(struct tcm_cmd *cmd)
{
	if (get_unaligned_be16(cmd->cdb + TCM_SANITIZE_LEN_AT))
		return tcm_bad_cdb(cmd, TCM_SANITIZE_LEN_AT, -1);
	return TCM_OK;
}

/*
 * The pattern from the beginning of each block on, as often as it fits. With INVERT the passes take
 * turns, and an even number of them begins with the inverse (SBC-4 table 96): the last is the
 * pattern.
 */
static void tcm_overwrite_fill(struct tcm_wipe *w, const u8 *pattern, unsigned int len)
{
	unsigned int block = 1U << w->dev->block_shift, at;
	u8 first = w->invert && !(w->passes & 1) ? 0xff : 0;
	u8 *mem = page_address(w->page);

	for (at = 0; at < PAGE_SIZE; at++)
		mem[at] = pattern[(at & (block - 1)) % len] ^ first;
}

static enum tcm_sense tcm_overwrite_list(struct tcm_cmd *cmd, struct tcm_wipe *w)
{
	u8 buf[sizeof(struct tcm_overwrite)];
	const struct tcm_overwrite *ow = (const struct tcm_overwrite *)buf;
	u8 *mem = page_address(w->page);
	unsigned int len;

	tcm_cmd_get_data(cmd, buf, sizeof(buf));
	len = get_unaligned_be16(&ow->len);
	if (ow->bits & TCM_OVERWRITE_TEST)
		return tcm_bad_param(cmd, 0, fls(ow->bits & TCM_OVERWRITE_TEST) - 1);
	if (!(ow->bits & TCM_OVERWRITE_COUNT))
		return tcm_bad_param(cmd, 0, 4);
	if (ow->reserved)
		return tcm_bad_param(cmd, 1, fls(ow->reserved) - 1);
	if (!len || len != cmd->data_len - sizeof(*ow))
		return tcm_bad_param(cmd, offsetof(struct tcm_overwrite, len), -1);
	w->passes = ow->bits & TCM_OVERWRITE_COUNT;
	w->invert = ow->bits & TCM_OVERWRITE_INVERT;
	if (sg_pcopy_to_buffer(cmd->sg, cmd->sg_nents, mem, len, sizeof(*ow)) != len)
		return TCM_PARAM_LIST_LENGTH;
	return TCM_OK;
}

static enum tcm_sense tcm_overwrite_pattern(struct tcm_cmd *cmd, struct tcm_wipe *w)
{
	unsigned int len = cmd->data_len - sizeof(struct tcm_overwrite);
	enum tcm_sense sense = tcm_overwrite_list(cmd, w);
	u8 *copy;

	if (sense)
		return sense;
	copy = kmemdup(page_address(w->page), len, GFP_NOIO);
	if (!copy)
		return TCM_BUSY;
	tcm_overwrite_fill(w, copy, len);
	kfree(copy);
	return TCM_OK;
}

static enum tcm_sense tcm_sbc_sanitize(struct tcm_cmd *cmd, enum tcm_wipe_kind kind)
{
	enum tcm_sense sense = TCM_OK;
	struct tcm_wipe *w;

	if (!READ_ONCE(cmd->dev->nblocks))
		return TCM_MEDIUM_NOT_PRESENT;
	w = tcm_wipe_alloc(cmd->dev, kind);
	if (!w)
		return TCM_BUSY;
	w->ause = cmd->cdb[1] & TCM_SANITIZE_AUSE;
	if (kind == TCM_WIPE_OVERWRITE)
		sense = tcm_overwrite_pattern(cmd, w);
	if (sense) {
		tcm_wipe_free(w);
		return sense;
	}
	return tcm_sbc_wipe(cmd, w, cmd->cdb[1] & TCM_SANITIZE_IMMED);
}

enum tcm_sense tcm_sbc_overwrite(struct tcm_cmd *cmd)
{
	return tcm_sbc_sanitize(cmd, TCM_WIPE_OVERWRITE);
}

enum tcm_sense tcm_sbc_block_erase(struct tcm_cmd *cmd)
{
	return tcm_sbc_sanitize(cmd, TCM_WIPE_ERASE);
}

enum tcm_sense tcm_sbc_exit_failure(struct tcm_cmd *cmd)
{
	bool was;

	if (!tcm_wipe_forgive(cmd->dev, &was))
		return tcm_bad_cdb(cmd, 1, 4);
	return was && tcm_lu_can_save(cmd->dev) ? tcm_lu_save(cmd) : TCM_OK;
}
