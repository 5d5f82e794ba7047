// SPDX-License-Identifier: GPL-2.0-only
/*
 * READ CAPACITY (SBC-4 5.20, 5.21).
 */
#include <linux/log2.h>
#include "cmd.h"
#include "device.h"
#include "pi.h"
#include "sbc.h"

struct tcm_read_capacity10 {
	__be32 last_lba;
	__be32 block_len;
} __packed;
static_assert(sizeof(struct tcm_read_capacity10) == 8);

struct tcm_read_capacity16 {
	__be64 last_lba;
	__be32 block_len;
	u8 prot;		/* P_TYPE, PROT_EN */
	u8 exponents;		/* P_I_EXPONENT, LOGICAL BLOCKS PER PHYSICAL BLOCK EXPONENT */
	__be16 align;		/* LBPME, LBPRZ, LOWEST ALIGNED LOGICAL BLOCK ADDRESS */
	u8 reserved[16];
} __packed;
static_assert(sizeof(struct tcm_read_capacity16) == 32);

#define TCM_RC16_PROT_EN	0x01
#define TCM_RC16_P_TYPE_SHIFT	1
#define TCM_RC16_LBPME	0x8000
#define TCM_RC16_LBPRZ	0x4000
#define TCM_RC16_ALIGN_MASK	0x3fff

/* The answer has a fixed length: there is no ALLOCATION LENGTH. */
enum tcm_sense tcm_sbc_capacity10_parse(struct tcm_cmd *cmd)
{
	cmd->data_len = sizeof(struct tcm_read_capacity10);
	return TCM_OK;
}

enum tcm_sense tcm_sbc_read_capacity10(struct tcm_cmd *cmd)
{
	u64 nblocks = tcm_device_blocks(cmd->dev);
	struct tcm_read_capacity10 rc = {
		.last_lba = cpu_to_be32(min_t(u64, nblocks - 1, U32_MAX)),
		.block_len = cpu_to_be32(1U << cmd->dev->block_shift),
	};

	/* "No blocks" cannot be said. */
	if (!nblocks || test_bit(TCM_DEV_EJECTED, &cmd->dev->flags))
		return TCM_MEDIUM_NOT_PRESENT;
	tcm_cmd_put_data(cmd, &rc, sizeof(rc));
	return TCM_OK;
}

/* LOGICAL BLOCKS PER PHYSICAL BLOCK EXPONENT; neither size need be what the medium has. */
static u8 tcm_sbc_phys_exp(const struct tcm_device *dev)
{
	u32 size = dev->attr.physical_block_size ?:
		   dev->limits.block_size << dev->limits.phys_block_exp;

	return clamp(ilog2(size) - (int)dev->block_shift, 0, 15);
}

/* LOWEST ALIGNED LOGICAL BLOCK ADDRESS. align_offset is in blocks of limits.block_size. */
static u16 tcm_sbc_lowest_aligned(const struct tcm_device *dev)
{
	u64 bytes = (u64)dev->limits.align_offset * dev->limits.block_size;

	/* Where no logical block begins on a physical one, none is better than another. */
	if (bytes & ((1U << dev->block_shift) - 1))
		return 0;
	return (bytes >> dev->block_shift) & ((1U << tcm_sbc_phys_exp(dev)) - 1) &
	       TCM_RC16_ALIGN_MASK;
}

enum tcm_sense tcm_sbc_read_capacity16(struct tcm_cmd *cmd)
{
	struct tcm_device *dev = cmd->dev;
	u64 nblocks = tcm_device_blocks(dev);
	struct tcm_read_capacity16 rc = {
		.last_lba = cpu_to_be64(nblocks - 1),
		.block_len = cpu_to_be32(1U << dev->block_shift),
		.exponents = tcm_sbc_phys_exp(dev),
	};
	u16 align = tcm_sbc_lowest_aligned(dev);
	u8 type = tcm_pi_seen(dev, cmd->sess);

	if (!nblocks || test_bit(TCM_DEV_EJECTED, &cmd->dev->flags))
		return TCM_MEDIUM_NOT_PRESENT;
	if (tcm_dev_lbpme(dev)) {
		align |= TCM_RC16_LBPME;
		if (dev->attr.unmap_zeroes_data)
			align |= TCM_RC16_LBPRZ;
	}
	/* P_I_EXPONENT is zero: one tuple a block */
	if (type)
		rc.prot = (type - 1) << TCM_RC16_P_TYPE_SHIFT | TCM_RC16_PROT_EN;
	rc.align = cpu_to_be16(align);
	tcm_cmd_put_data(cmd, &rc, sizeof(rc));
	return TCM_OK;
}
