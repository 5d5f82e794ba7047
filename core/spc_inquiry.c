// SPDX-License-Identifier: GPL-2.0-only
/*
 * INQUIRY (SPC-4 6.6).
 */
#include <linux/unaligned.h>
#include "cmd.h"
#include "spc.h"

enum tcm_sense tcm_spc_inquiry(struct tcm_cmd *cmd)
{
	const struct tcm_device *dev = cmd->dev;
	u8 buf[96] = { };

	if (cmd->cdb[1] & 1)
		return tcm_bad_cdb(cmd, 1, 0);
	if (cmd->cdb[2])
		return tcm_bad_cdb(cmd, 2, -1);
	if (!dev) {
		buf[0] = 0x7f;
		buf[4] = 31;
		tcm_cmd_put_data(cmd, buf, 36);
		return TCM_OK;
	}
	buf[2] = 6;
	buf[3] = 2;
	buf[4] = 91;
	buf[7] = 2;
	memcpy_and_pad(buf + 8, 8, dev->vendor, strlen(dev->vendor), ' ');
	memcpy_and_pad(buf + 16, 16, dev->product, strlen(dev->product), ' ');
	memcpy_and_pad(buf + 32, 4, dev->revision, strlen(dev->revision), ' ');
	tcm_cmd_put_data(cmd, buf, sizeof(buf));
	return TCM_OK;
}
