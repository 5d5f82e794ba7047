// SPDX-License-Identifier: GPL-2.0-only
/*
 * READ BUFFER(10) and WRITE BUFFER (SPC-4 6.18, 6.49): a data buffer for everybody, and an
 * echo buffer that tells when another nexus has overwritten it.
 */
#include <linux/slab.h>
#include <linux/unaligned.h>
#include "cmd.h"
#include "lu.h"
#include "opcode.h"
#include "spc.h"

/* MODE, SPC-4 tables 198 and 311 */
#define TCM_BUF_DATA		0x02
#define TCM_BUF_DESC		0x03
#define TCM_BUF_ECHO		0x0a
#define TCM_BUF_ECHO_DESC	0x0b
#define TCM_BUF_HISTORY		0x1c

#define TCM_BUF_EBOS		0x01	/* echo buffer descriptor: an overwrite is told */

static u8 tcm_buf_mode(const struct tcm_cmd *cmd)
{
	return cmd->cdb[1] & 0x1f;
}

bool tcm_spc_buffer_echoes(const struct tcm_cmd *cmd)
{
	return tcm_buf_mode(cmd) == TCM_BUF_ECHO || tcm_buf_mode(cmd) == TCM_BUF_ECHO_DESC;
}

static u32 tcm_buf_offset(const struct tcm_cmd *cmd)
{
	return get_unaligned_be24(cmd->cdb + 3);
}

/* BUFFER ID and BUFFER OFFSET of the error history mode, SPC-4 table 231 */
static enum tcm_sense tcm_buf_history_parse(struct tcm_cmd *cmd)
{
	u8 id = cmd->cdb[2];

	if (id >= TCM_HISTORY_CLEAR_NEXUS)
		return TCM_OK;
	if (id <= TCM_HISTORY_LAST_DIRECTORY)
		return tcm_buf_offset(cmd) ? tcm_bad_cdb(cmd, 3, -1) : TCM_OK;
	if (id != TCM_HISTORY_ERRORS)
		return tcm_bad_cdb(cmd, 2, -1);
	return tcm_buf_offset(cmd) > TCM_HISTORY_MAX ? tcm_bad_cdb(cmd, 3, -1) : TCM_OK;
}

enum tcm_sense tcm_spc_read_buffer_parse(struct tcm_cmd *cmd)
{
	switch (tcm_buf_mode(cmd)) {
	case TCM_BUF_DATA:
		if (cmd->cdb[2])
			return tcm_bad_cdb(cmd, 2, -1);
		if (tcm_buf_offset(cmd) > TCM_BUFFER_SIZE)
			return tcm_bad_cdb(cmd, 3, -1);
		return TCM_OK;
	case TCM_BUF_DESC:
		return tcm_buf_offset(cmd) ? tcm_bad_cdb(cmd, 3, -1) : TCM_OK;
	case TCM_BUF_ECHO:
	case TCM_BUF_ECHO_DESC:
		return TCM_OK;
	case TCM_BUF_HISTORY:
		return tcm_buf_history_parse(cmd);
	default:
		return tcm_bad_cdb(cmd, 1, 4);
	}
}

/* Both buffers come with the first command that needs one; units that nobody tests have none. */
static bool tcm_buf_get(struct tcm_lu *lu)
{
	lockdep_assert_held(&lu->buffer_lock);
	if (!lu->buffer)
		lu->buffer = kvzalloc(TCM_BUFFER_SIZE + TCM_ECHO_SIZE, GFP_NOIO);
	lu->echo = lu->buffer + TCM_BUFFER_SIZE;
	return lu->buffer;
}

static enum tcm_sense tcm_buf_read_data(struct tcm_cmd *cmd)
{
	u32 offset = tcm_buf_offset(cmd);
	struct tcm_lu *lu = cmd->dev->lu;
	enum tcm_sense sense = TCM_OK;

	mutex_lock(&lu->buffer_lock);
	if (tcm_buf_get(lu))
		tcm_cmd_put_data(cmd, lu->buffer + offset, TCM_BUFFER_SIZE - offset);
	else
		sense = TCM_BUSY;
	mutex_unlock(&lu->buffer_lock);
	return sense;
}

static enum tcm_sense tcm_buf_read_echo(struct tcm_cmd *cmd)
{
	struct tcm_lu *lu = cmd->dev->lu;
	enum tcm_sense sense = TCM_OK;

	mutex_lock(&lu->buffer_lock);
	if (!cmd->map->echoed)
		sense = TCM_COMMAND_SEQUENCE;
	else if (lu->echo_owner != cmd->sess->index)
		sense = TCM_ECHO_OVERWRITTEN;
	else
		tcm_cmd_put_data(cmd, lu->echo, lu->echo_len);
	mutex_unlock(&lu->buffer_lock);
	return sense;
}

enum tcm_sense tcm_spc_read_buffer(struct tcm_cmd *cmd)
{
	u8 desc[4] = { };

	switch (tcm_buf_mode(cmd)) {
	case TCM_BUF_DATA:
		return tcm_buf_read_data(cmd);
	case TCM_BUF_ECHO:
		return tcm_buf_read_echo(cmd);
	case TCM_BUF_HISTORY:
		return tcm_history_read(cmd);
	case TCM_BUF_DESC:
		/* OFFSET BOUNDARY 0: any byte. A buffer that is not there has no capacity. */
		if (!cmd->cdb[2])
			put_unaligned_be24(TCM_BUFFER_SIZE, desc + 1);
		break;
	default:
		desc[0] = TCM_BUF_EBOS;
		put_unaligned_be16(TCM_ECHO_SIZE, desc + 2);
	}
	tcm_cmd_put_data(cmd, desc, sizeof(desc));
	return TCM_OK;
}

enum tcm_sense tcm_spc_write_buffer_parse(struct tcm_cmd *cmd)
{
	switch (tcm_buf_mode(cmd)) {
	case TCM_BUF_DATA:
		if (cmd->cdb[2])
			return tcm_bad_cdb(cmd, 2, -1);
		if (tcm_buf_offset(cmd) > TCM_BUFFER_SIZE)
			return tcm_bad_cdb(cmd, 3, -1);
		if (cmd->data_len > TCM_BUFFER_SIZE - tcm_buf_offset(cmd))
			return tcm_bad_cdb(cmd, 6, -1);
		return TCM_OK;
	case TCM_BUF_ECHO:
		return cmd->data_len > TCM_ECHO_SIZE ? tcm_bad_cdb(cmd, 6, -1) : TCM_OK;
	default:
		return tcm_bad_cdb(cmd, 1, 4);
	}
}

enum tcm_sense tcm_spc_write_buffer(struct tcm_cmd *cmd)
{
	struct tcm_lu *lu = cmd->dev->lu;
	enum tcm_sense sense = TCM_OK;

	mutex_lock(&lu->buffer_lock);
	if (!tcm_buf_get(lu)) {
		sense = TCM_BUSY;
	} else if (tcm_buf_mode(cmd) == TCM_BUF_DATA) {
		tcm_cmd_get_data(cmd, lu->buffer + tcm_buf_offset(cmd), cmd->data_len);
	} else {
		lu->echo_len = tcm_cmd_get_data(cmd, lu->echo, cmd->data_len);
		lu->echo_owner = cmd->sess->index;
		cmd->map->echoed = true;
	}
	mutex_unlock(&lu->buffer_lock);
	return sense;
}
