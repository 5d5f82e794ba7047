// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reservations that the medium keeps (pgr_support 0): the backend is asked, by a work item of the
 * command's own, as the disk may take its time. Nothing of it is remembered here, and what cannot
 * be asked for there is not offered: see the rows of core/opcodes_spc.c.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/unaligned.h>
#include "cmd.h"
#include "pr.h"

/* Keys that are asked for: their list has a length of two bytes where the disk is SCSI */
#define TCM_PR_PASS_KEYS_MAX	8000

struct tcm_pr_pass {
	struct delayed_work	work;
	struct tcm_cmd		*cmd;
	enum tcm_sense		(*ask)(struct tcm_pr_pass *job);
	struct tcm_pr_ask	out;
};

static void tcm_pr_pass_work(struct work_struct *work)
{
	struct tcm_pr_pass *job = container_of(work, struct tcm_pr_pass, work.work);
	unsigned int noio = memalloc_noio_save();
	struct tcm_cmd *cmd = job->cmd;
	enum tcm_sense sense = TCM_TASK_ABORTED;

	if (!tcm_cmd_is_unwanted(cmd))
		sense = job->ask(job);
	kfree(job);
	tcm_cmd_complete(cmd, sense);
	memalloc_noio_restore(noio);
}

static enum tcm_sense tcm_pr_pass(struct tcm_cmd *cmd, const struct tcm_pr_ask *out,
				  enum tcm_sense (*ask)(struct tcm_pr_pass *job))
{
	struct tcm_pr_pass *job = kzalloc(sizeof(*job), GFP_NOIO);

	if (!job)
		return TCM_BUSY;
	INIT_DELAYED_WORK(&job->work, tcm_pr_pass_work);
	job->cmd = cmd;
	job->ask = ask;
	if (out)
		job->out = *out;
	tcm_pr_later(&job->work, 0);
	return TCM_PENDING;
}

static enum tcm_sense tcm_pr_ask_keys(struct tcm_pr_pass *job)
{
	struct tcm_cmd *cmd = job->cmd;
	unsigned int room = clamp(cmd->data_len / 8, 1U, TCM_PR_PASS_KEYS_MAX), i;
	struct tcm_pr_told told = { .n = room };
	enum tcm_sense sense = TCM_BUSY;
	u8 *buf;

	told.keys = kvcalloc(room, sizeof(*told.keys), GFP_NOIO);
	buf = kvzalloc(TCM_PRIN_HEADER + 8 * room, GFP_NOIO);
	if (told.keys && buf)
		sense = cmd->dev->backend->pr_keys(cmd->dev, &told);
	if (!sense) {
		room = min(room, told.n);
		/* All there are, also those that are cut off (SPC-4 6.15.2) */
		tcm_prin_header(told.generation, buf, 8 * told.n);
		for (i = 0; i < room; i++)
			put_unaligned_be64(told.keys[i], buf + TCM_PRIN_HEADER + 8 * i);
		tcm_cmd_put_data(cmd, buf, TCM_PRIN_HEADER + 8 * room);
	}
	kvfree(told.keys);
	kvfree(buf);
	return sense;
}

enum tcm_sense tcm_pr_pass_keys(struct tcm_cmd *cmd)
{
	return tcm_pr_pass(cmd, NULL, tcm_pr_ask_keys);
}

static enum tcm_sense tcm_pr_ask_holder(struct tcm_pr_pass *job)
{
	u8 buf[TCM_PRIN_HEADER + TCM_PRIN_RESERVATION] = { };
	struct tcm_cmd *cmd = job->cmd;
	struct tcm_pr_told told = { };
	unsigned int len = 0;
	enum tcm_sense sense;

	sense = cmd->dev->backend->pr_holder(cmd->dev, &told);
	if (sense)
		return sense;
	if (told.type) {
		len = TCM_PRIN_RESERVATION;
		put_unaligned_be64(told.key, buf + 8);
		buf[21] = told.type;
	}
	tcm_prin_header(told.generation, buf, len);
	tcm_cmd_put_data(cmd, buf, TCM_PRIN_HEADER + len);
	return TCM_OK;
}

enum tcm_sense tcm_pr_pass_holder(struct tcm_cmd *cmd)
{
	return tcm_pr_pass(cmd, NULL, tcm_pr_ask_holder);
}

static enum tcm_sense tcm_pr_ask_out(struct tcm_pr_pass *job)
{
	return job->cmd->dev->backend->pr_out(job->cmd->dev, &job->out);
}

enum tcm_sense tcm_pr_pass_out(struct tcm_cmd *cmd)
{
	struct tcm_pr_list list;
	struct tcm_pr_ask out = {
		.sa	= cmd->cdb[1] & 0x1f,
		.type	= cmd->cdb[2] & 0x0f,
	};

	if (cmd->data_len != sizeof(list) ||
	    tcm_cmd_get_data(cmd, (u8 *)&list, sizeof(list)) != sizeof(list))
		return TCM_PARAM_LIST_LENGTH;
	/* The block layer has no words for them. APTPL it asks for always. */
	if (list.flags & TCM_PR_SPEC_I_PT)
		return tcm_bad_param(cmd, 20, 3);
	if (list.flags & TCM_PR_ALL_TG_PT)
		return tcm_bad_param(cmd, 20, 2);
	out.key = be64_to_cpu(list.key);
	out.sa_key = be64_to_cpu(list.sa_key);
	return tcm_pr_pass(cmd, &out, tcm_pr_ask_out);
}
