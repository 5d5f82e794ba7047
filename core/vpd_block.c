// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VPD pages of direct access block devices (SBC-4 6.6). Numbers come from where the
 * commands check them: limits here and refusals there agree.
 */
#include <linux/unaligned.h>
#include "opcode.h"
#include "pi.h"
#include "sbc.h"
#include "thin.h"
#include "vpd.h"

struct tcm_block_limits {
	u8	type, page;
	__be16	len;
	u8	wsnz;
	u8	max_compare_and_write;
	__be16	opt_granularity;
	__be32	max_transfer, opt_transfer, max_prefetch;
	__be32	max_unmap_lba, max_unmap_desc, opt_unmap_granularity, unmap_alignment;
	__be64	max_write_same;
	__be32	max_atomic, atomic_alignment, atomic_granularity;
	__be32	max_atomic_with_boundary, max_atomic_boundary;
} __packed;
static_assert(sizeof(struct tcm_block_limits) == 64);

#define TCM_WSNZ	0x01		/* WRITE SAME of zero blocks does not mean "to the end" */
#define TCM_UGAVALID	0x80000000

/* OPTIMAL TRANSFER LENGTH in logical blocks: what the backend likes, else the attribute */
static u32 tcm_vpd_opt_blocks(const struct tcm_device *dev, u32 max)
{
	u64 opt = dev->limits.io_opt;

	if (!opt)
		opt = (u64)READ_ONCE(dev->attr.optimal_sectors) * dev->limits.block_size;
	return min_t(u64, opt >> dev->block_shift, max);
}

static bool tcm_vpd_offers(const struct tcm_device *dev, u8 opcode)
{
	const struct tcm_opcode_run *run = tcm_opcode_run(opcode);

	return run->n && tcm_opcode_offered(run->rows, dev);
}

unsigned int tcm_vpd_block_limits(const struct tcm_lun *lun, u8 *buf)
{
	struct tcm_block_limits *bl = (struct tcm_block_limits *)buf;
	const struct tcm_device *dev = lun->dev;
	const struct tcm_dev_attr *attr = &dev->attr;
	u32 max = tcm_sbc_max_blocks(dev, lun->tpg->ops);
	/* What is set takes the place of what the medium says of itself. */
	u32 gran = (attr->physical_block_size ?: dev->limits.io_min) >> dev->block_shift;

	bl->wsnz = TCM_WSNZ;
	if (tcm_vpd_offers(dev, COMPARE_AND_WRITE))
		bl->max_compare_and_write = tcm_sbc_caw_max(dev, lun->tpg->ops);
	bl->opt_granularity = cpu_to_be16(clamp(gran, 1U, (u32)U16_MAX));
	bl->max_transfer = cpu_to_be32(max);
	bl->opt_transfer = cpu_to_be32(tcm_vpd_opt_blocks(dev, max));
	bl->max_write_same = cpu_to_be64(attr->max_write_same_len);
	if (tcm_vpd_offers(dev, TCM_WRITE_ATOMIC_16))
		bl->max_atomic = cpu_to_be32(tcm_sbc_atomic_max(dev, lun->tpg->ops));
	if (tcm_dev_lbpme(dev)) {
		bl->max_unmap_lba = cpu_to_be32(attr->max_unmap_lba_count);
		bl->max_unmap_desc = cpu_to_be32(attr->max_unmap_block_desc_count);
		bl->opt_unmap_granularity = cpu_to_be32(attr->unmap_granularity);
		if (attr->unmap_granularity_alignment)
			bl->unmap_alignment = cpu_to_be32(attr->unmap_granularity_alignment |
							  TCM_UGAVALID);
	}
	return sizeof(*bl) - 4;
}

#define TCM_NONROT	1	/* MEDIUM ROTATION RATE: does not rotate */
/* WABEREQ 01b: after a block erase blocks can be read as they are, before anybody writes them */
#define TCM_WABEREQ_NOT	0x40

unsigned int tcm_vpd_block_char(const struct tcm_lun *lun, u8 *buf)
{
	if (lun->dev->attr.is_nonrot)
		put_unaligned_be16(TCM_NONROT, buf + 4);
	if (tcm_vpd_offers(lun->dev, TCM_SANITIZE))
		buf[7] = TCM_WABEREQ_NOT;
	return 0x3c;
}

#define TCM_LBPU	0x80
#define TCM_LBPWS	0x40
#define TCM_LBPWS10	0x20
#define TCM_LBPRZ	0x04
#define TCM_PROV_THIN	2

unsigned int tcm_vpd_provisioning(const struct tcm_lun *lun, u8 *buf)
{
	const struct tcm_dev_attr *attr = &lun->dev->attr;

	if (tcm_sbc_unmap_offered(lun->dev))
		buf[5] |= TCM_LBPU;
	if (attr->emulate_tpws)
		buf[5] |= TCM_LBPWS | TCM_LBPWS10;
	if (tcm_dev_lbpme(lun->dev)) {
		if (attr->unmap_zeroes_data)
			buf[5] |= TCM_LBPRZ;
		buf[6] = TCM_PROV_THIN;
	}
	if (tcm_thin_offered(lun->dev))
		buf[4] = tcm_thin_exponent(lun->dev);
	return 4;
}

/* Supported Block Lengths and Protection Types, SBC-4 6.6.8: what is, and no way to change it */
unsigned int tcm_vpd_block_lengths(const struct tcm_lun *lun, u8 *buf)
{
	put_unaligned_be32(1U << lun->dev->block_shift, buf + 4);
	return 8;
}

void tcm_vpd_block_lengths_nexus(const struct tcm_cmd *cmd, u8 *buf)
{
	/* T0PS, T1PS ff */
	buf[9] = BIT(tcm_pi_seen(cmd->dev, cmd->sess));
}
