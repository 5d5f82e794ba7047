// SPDX-License-Identifier: GPL-2.0-only
/*
 * READ CAPACITY (SBC-4 5.20, 5.21).
 */
#include <linux/unaligned.h>
#include "cmd.h"
#include "device.h"
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

#define TCM_RC16_LBPME	0x8000
#define TCM_RC16_LBPRZ	0x4000

enum tcm_sense tcm_sbc_read_capacity10(struct tcm_cmd *cmd)
{
	u64 last = tcm_device_blocks(cmd->dev) - 1;
	struct tcm_read_capacity10 rc = {
		.last_lba = cpu_to_be32(min_t(u64, last, U32_MAX)),
		.block_len = cpu_to_be32(cmd->dev->attr.block_size),
	};

	cmd->data_len = sizeof(rc);
	tcm_cmd_put_data(cmd, &rc, sizeof(rc));
	return TCM_OK;
}

enum tcm_sense tcm_sbc_read_capacity16(struct tcm_cmd *cmd)
{
	struct tcm_device *dev = cmd->dev;
	struct tcm_read_capacity16 rc = {
		.last_lba = cpu_to_be64(tcm_device_blocks(dev) - 1),
		.block_len = cpu_to_be32(dev->attr.block_size),
	};
	u16 align = 0;

	if (dev->attr.emulate_tpu || dev->attr.emulate_tpws) {
		align |= TCM_RC16_LBPME;
		if (dev->attr.unmap_zeroes_data)
			align |= TCM_RC16_LBPRZ;
	}
	rc.align = cpu_to_be16(align);
	tcm_cmd_put_data(cmd, &rc, sizeof(rc));
	return TCM_OK;
}
