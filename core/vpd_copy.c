// SPDX-License-Identifier: GPL-2.0-only
/*
 * Third-party Copy VPD page (8Fh): SPC-4 7.8.17, SBC-4 6.6.9. The commands are those that the table
 * has rows of; the limits are those that core/spc_copy.c and core/sbc_token.c keep to.
 */
#include <linux/log2.h>
#include <linux/unaligned.h>
#include "copy.h"
#include "opcode.h"
#include "rod.h"
#include "vpd.h"

/* Third-party copy descriptor types */
#define TCM_3PC_ROD_LIMITS	0x0000
#define TCM_3PC_COMMANDS	0x0001
#define TCM_3PC_PARAMETERS	0x0004
#define TCM_3PC_DESCRIPTORS	0x0008
#define TCM_3PC_ROD_FEATURES	0x0106
#define TCM_3PC_ROD_TYPES	0x0108
#define TCM_3PC_GENERAL		0x8001

/* Type and length of the descriptor at @p, whose bytes are there; a multiple of four. Its end */
static u8 *tcm_3pc_end(u8 *p, u16 type, unsigned int len)
{
	len = ALIGN(len, 4);
	put_unaligned_be16(type, p);
	put_unaligned_be16(len - 4, p + 2);
	return p + len;
}

/* SBC-4 6.6.9.3 */
static u8 *tcm_3pc_rod_limits(const struct tcm_device *dev, u8 *p)
{
	put_unaligned_be16(TCM_ROD_RANGES, p + 10);
	put_unaligned_be32(TCM_ROD_IDLE_MAX, p + 12);
	put_unaligned_be32(TCM_ROD_IDLE, p + 16);
	put_unaligned_be64(TCM_ROD_BYTES_MAX >> dev->block_shift, p + 20);
	put_unaligned_be64(TCM_ROD_BYTES_OPT >> dev->block_shift, p + 28);
	return tcm_3pc_end(p, TCM_3PC_ROD_LIMITS, 36);
}

/* Command support descriptors: opcode, how many service actions, which */
static u8 *tcm_3pc_commands(u8 *p)
{
	static const u8 opcodes[] = { EXTENDED_COPY, RECEIVE_COPY_RESULTS };
	u8 *at = p + 5, *count;
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(opcodes); i++) {
		const struct tcm_opcode_run *run = tcm_opcode_run(opcodes[i]);

		*at++ = opcodes[i];
		count = at++;
		*count = run->n;
		for (j = 0; j < run->n; j++)
			*at++ = run->rows[j].sa;
	}
	p[4] = at - (p + 5);
	return tcm_3pc_end(p, TCM_3PC_COMMANDS, at - p);
}

static u8 *tcm_3pc_parameters(u8 *p)
{
	put_unaligned_be16(TCM_COPY_CSCDS, p + 8);
	put_unaligned_be16(TCM_COPY_SEGMENTS, p + 10);
	put_unaligned_be32(TCM_COPY_LIST_MAX, p + 12);
	return tcm_3pc_end(p, TCM_3PC_PARAMETERS, 32);
}

static u8 *tcm_3pc_descriptors(u8 *p)
{
	static const u8 types[] = { TCM_SEGMENT_BLOCKS, TCM_SEGMENT_OFFSETS, TCM_CSCD_IDENT };

	p[4] = sizeof(types);
	memcpy(p + 5, types, sizeof(types));
	return tcm_3pc_end(p, TCM_3PC_DESCRIPTORS, 5 + sizeof(types));
}

#define TCM_3PC_BLOCK_ROD_LEN	48

static u8 *tcm_3pc_rod_features(const struct tcm_device *dev, u8 *p)
{
	u8 *block = p + 48;

	/* REMOTE TOKENS 0: those of another target are not understood. */
	put_unaligned_be32(TCM_ROD_LIFE, p + 16);
	put_unaligned_be32(TCM_ROD_LIFE, p + 20);
	put_unaligned_be32(TCM_ROD_IDLE_MAX, p + 24);
	put_unaligned_be16(TCM_3PC_BLOCK_ROD_LEN, p + 46);
	/* Block ROD device type specific features */
	block[0] = dev->type;
	put_unaligned_be16(TCM_3PC_BLOCK_ROD_LEN - 4, block + 2);
	put_unaligned_be64(TCM_ROD_BYTES_MAX, block + 8);
	put_unaligned_be64(TCM_ROD_BYTES_OPT, block + 16);
	put_unaligned_be64(TCM_ROD_BYTES_OPT, block + 24);
	put_unaligned_be64(TCM_ROD_BYTES_OPT, block + 32);
	return tcm_3pc_end(p, TCM_3PC_ROD_FEATURES, 48 + TCM_3PC_BLOCK_ROD_LEN);
}

#define TCM_3PC_ROD_TYPE_LEN	64
#define TCM_3PC_TOKEN_IN	0x02
#define TCM_3PC_TOKEN_OUT	0x01

static u8 *tcm_3pc_rod_types(u8 *p)
{
	u8 *type = p + 8;

	put_unaligned_be16(2 * TCM_3PC_ROD_TYPE_LEN, p + 6);
	put_unaligned_be32(TCM_ROD_VULNERABLE, type);
	type[4] = TCM_3PC_TOKEN_IN | TCM_3PC_TOKEN_OUT;
	put_unaligned_be16(1, type + 6);	/* PREFERENCE INDICATOR */
	type += TCM_3PC_ROD_TYPE_LEN;
	put_unaligned_be32(TCM_ROD_ZERO, type);
	type[4] = TCM_3PC_TOKEN_IN;
	return tcm_3pc_end(p, TCM_3PC_ROD_TYPES, 8 + 2 * TCM_3PC_ROD_TYPE_LEN);
}

static u8 *tcm_3pc_general(const struct tcm_device *dev, u8 *p)
{
	put_unaligned_be32(TCM_COPY_RECORDS, p + 4);	/* TOTAL CONCURRENT COPIES */
	put_unaligned_be32(TCM_COPY_RECORDS, p + 8);	/* MAXIMUM IDENTIFIED CONCURRENT COPIES */
	put_unaligned_be32(TCM_COPY_SEGMENT_MAX, p + 12);
	p[16] = dev->block_shift;			/* DATA SEGMENT GRANULARITY */
	return tcm_3pc_end(p, TCM_3PC_GENERAL, 36);
}

unsigned int tcm_vpd_copy(const struct tcm_lun *lun, u8 *buf)
{
	const struct tcm_device *dev = lun->dev;
	u8 *p = buf + 4;

	p = tcm_3pc_rod_limits(dev, p);
	p = tcm_3pc_commands(p);
	p = tcm_3pc_parameters(p);
	p = tcm_3pc_descriptors(p);
	p = tcm_3pc_rod_features(dev, p);
	p = tcm_3pc_rod_types(p);
	p = tcm_3pc_general(dev, p);
	return p - (buf + 4);
}
