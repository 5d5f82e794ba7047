// SPDX-License-Identifier: GPL-2.0-only
/*
 * REPORT and SET IDENTIFYING INFORMATION, REPORT and SET TIMESTAMP (SPC-4).
 */
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include "cmd.h"
#include "lu.h"
#include "opcode.h"
#include "spc.h"

/* IDENTIFYING INFORMATION TYPE, as byte 10 has it */
#define TCM_ITYPE_DEVICE	(0x00 << 1)
#define TCM_ITYPE_TEXT		(0x02 << 1)
#define TCM_ITYPE_SUPPORTED	(0x7f << 1)

/* The names of the two in the file of struct tcm_lu */
static const char *const tcm_ident_names[] = { "ident", "text" };

static const unsigned int tcm_ident_max[TCM_IDENTS] = { TCM_IDENT_MAX, TCM_IDENT_TEXT_MAX };

static struct tcm_ident_info *tcm_ident_of(struct tcm_cmd *cmd, unsigned int *max)
{
	unsigned int i = cmd->cdb[10] == TCM_ITYPE_TEXT;

	*max = tcm_ident_max[i];
	return &cmd->dev->lu->ident[i];
}

enum tcm_sense tcm_spc_report_ident_parse(struct tcm_cmd *cmd)
{
	switch (cmd->cdb[10]) {
	case TCM_ITYPE_DEVICE:
	case TCM_ITYPE_TEXT:
	case TCM_ITYPE_SUPPORTED:
		return TCM_OK;
	default:
		return tcm_bad_cdb(cmd, 10, 7);
	}
}

enum tcm_sense tcm_spc_report_ident(struct tcm_cmd *cmd)
{
	u8 buf[4 + TCM_IDENT_TEXT_MAX] = { };
	struct tcm_ident_info *info;
	unsigned int max, len;

	if (cmd->cdb[10] == TCM_ITYPE_SUPPORTED) {
		buf[4] = TCM_ITYPE_DEVICE;
		put_unaligned_be16(TCM_IDENT_MAX, buf + 6);
		buf[8] = TCM_ITYPE_TEXT;
		put_unaligned_be16(TCM_IDENT_TEXT_MAX, buf + 10);
		len = 8;
	} else {
		info = tcm_ident_of(cmd, &max);
		spin_lock_irq(&cmd->dev->lu->lock);
		len = info->len;
		memcpy(buf + 4, info->data, len);
		spin_unlock_irq(&cmd->dev->lu->lock);
	}
	put_unaligned_be16(len, buf + 2);
	tcm_cmd_put_data(cmd, buf, 4 + len);
	return TCM_OK;
}

enum tcm_sense tcm_spc_set_ident_parse(struct tcm_cmd *cmd)
{
	if (cmd->cdb[10] != TCM_ITYPE_DEVICE && cmd->cdb[10] != TCM_ITYPE_TEXT)
		return tcm_bad_cdb(cmd, 10, 7);
	if (cmd->data_len > tcm_ident_max[cmd->cdb[10] == TCM_ITYPE_TEXT])
		return tcm_bad_cdb(cmd, 6, -1);
	return TCM_OK;
}

enum tcm_sense tcm_spc_set_ident(struct tcm_cmd *cmd)
{
	struct tcm_device *dev = cmd->dev;
	unsigned int max, len, text;
	struct tcm_ident_info *info;
	u8 buf[TCM_IDENT_TEXT_MAX];

	info = tcm_ident_of(cmd, &max);
	len = tcm_cmd_get_data(cmd, buf, min(cmd->data_len, max));
	if (len != cmd->data_len)
		return TCM_PARAM_LIST_LENGTH;
	/* Text ends with a zero, and has none before (SPC-4 4.3.2) */
	text = strnlen(buf, len);
	if (len && cmd->cdb[10] == TCM_ITYPE_TEXT && text != len - 1)
		return tcm_bad_param(cmd, min(text, len - 1), -1);
	spin_lock_irq(&dev->lu->lock);
	memcpy(info->data, buf, len);
	info->len = len;
	spin_unlock_irq(&dev->lu->lock);
	tcm_ua_raise_device(dev, TCM_UA_IDENTIFIER_CHANGED, cmd->sess);
	return tcm_lu_can_save(dev) ? tcm_lu_save(cmd) : TCM_OK;
}

size_t tcm_ident_save(const struct tcm_ident_info *info, char *buf, size_t size)
{
	size_t len = 0;
	unsigned int i;

	for (i = 0; i < TCM_IDENTS; i++) {
		if (!info[i].len || len + 8 + 2 * info[i].len >= size)
			continue;
		len += scnprintf(buf + len, size - len, "%s ", tcm_ident_names[i]);
		len = bin2hex(buf + len, info[i].data, info[i].len) - buf;
		buf[len++] = '\n';
		buf[len] = '\0';
	}
	return len;
}

bool tcm_ident_restore(struct tcm_ident_info *info, const char *what, const char *line)
{
	int i = match_string(tcm_ident_names, TCM_IDENTS, what);
	size_t len = strlen(line) / 2;

	if (i < 0)
		return false;
	if (len <= tcm_ident_max[i] && !hex2bin(info[i].data, line, len))
		info[i].len = len;
	return true;
}

/* TIMESTAMP ORIGIN, SPC-4 table 46 */
#define TCM_ORIGIN_SET		2	/* by SET TIMESTAMP */
#define TCM_ORIGIN_OTHER	3	/* by other means: it is the clock of this machine */

#define TCM_TIMESTAMP_LEN	12

enum tcm_sense tcm_spc_report_timestamp(struct tcm_cmd *cmd)
{
	struct tcm_lu *lu = cmd->dev->lu;
	u8 buf[TCM_TIMESTAMP_LEN] = { };
	u64 now;

	put_unaligned_be16(sizeof(buf) - 2, buf);
	spin_lock_irq(&lu->lock);
	buf[2] = lu->time_set ? TCM_ORIGIN_SET : TCM_ORIGIN_OTHER;
	if (lu->time_set)
		now = lu->time_ms + ktime_to_ms(ktime_get_boottime()) - lu->time_at;
	else
		now = ktime_to_ms(ktime_get_real());
	spin_unlock_irq(&lu->lock);
	put_unaligned_be48(now, buf + 4);
	tcm_cmd_put_data(cmd, buf, sizeof(buf));
	return TCM_OK;
}

enum tcm_sense tcm_spc_set_timestamp_parse(struct tcm_cmd *cmd)
{
	return cmd->data_len && cmd->data_len != TCM_TIMESTAMP_LEN ? TCM_PARAM_LIST_LENGTH : TCM_OK;
}

enum tcm_sense tcm_spc_set_timestamp(struct tcm_cmd *cmd)
{
	struct tcm_lu *lu = cmd->dev->lu;
	u8 buf[TCM_TIMESTAMP_LEN];
	unsigned int i;

	if (!cmd->data_len)
		return TCM_OK;
	if (tcm_cmd_get_data(cmd, buf, sizeof(buf)) != sizeof(buf))
		return TCM_PARAM_LIST_LENGTH;
	for (i = 0; i < sizeof(buf); i++)
		if (buf[i] && (i < 4 || i >= 10))
			return tcm_bad_param(cmd, i, -1);
	spin_lock_irq(&lu->lock);
	lu->time_set = true;
	lu->time_ms = get_unaligned_be48(buf + 4);
	lu->time_at = ktime_to_ms(ktime_get_boottime());
	spin_unlock_irq(&lu->lock);
	tcm_ua_raise_device(cmd->dev, TCM_UA_TIMESTAMP_CHANGED, cmd->sess);
	return TCM_OK;
}
