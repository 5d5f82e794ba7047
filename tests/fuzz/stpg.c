// SPDX-License-Identifier: GPL-2.0-only
/*
 * SET TARGET PORT GROUPS with any parameter lists, and REPORT TARGET PORT GROUPS with any
 * allocation length: all of a list is carried out or nothing is, and the answer is what was asked
 * for.
 */
#include "../../core/alua.h"
#include "../../core/alua_state.h"
#include "../../core/cmd.h"
#include "../../core/opcode.h"
#include "fuzz.h"

static u8 *fuzz_list;
static unsigned int fuzz_list_len, fuzz_asked, fuzz_changes;

/* A state that there is, of a group that there is: every third has none. */
static bool fuzz_possible(u8 state, u16 id)
{
	return (state <= TCM_ALUA_UNAVAILABLE_STATE || state == TCM_ALUA_OFFLINE_STATE) && id % 3;
}

static bool fuzz_may(const struct tcm_alua_step *step)
{
	fuzz_asked++;
	fuzz_check(step->port == (step->state == TCM_ALUA_OFFLINE_STATE));
	return fuzz_possible(step->state, step->id);
}

static void fuzz_changed(const struct tcm_alua_change *change)
{
	unsigned int i;

	fuzz_check(change->n && change->n == fuzz_list_len / 4 - 1 && fuzz_asked == change->n);
	for (i = 0; i < change->n; i++) {
		const u8 *p = fuzz_list + 4 + 4 * i;

		fuzz_check(!(p[0] & 0xf0) && !p[1]);
		fuzz_check(change->step[i].state == p[0]);
		fuzz_check(change->step[i].id == get_unaligned_be16(p + 2));
		fuzz_check(fuzz_possible(p[0], get_unaligned_be16(p + 2)));
	}
	fuzz_changes++;
}

static bool fuzz_all_possible(const u8 *list, unsigned int len)
{
	unsigned int at;

	for (at = 4; at < len; at += 4)
		if (list[at] & 0xf0 || list[at + 1] ||
		    !fuzz_possible(list[at], get_unaligned_be16(list + at + 2)))
			return false;
	return true;
}

static void set(struct fuzz_lun *l, struct fuzz_in *in)
{
	u8 cdb[12] = { MAINTENANCE_OUT, MO_SET_TARGET_PGS }, less = fuzz_take(in, 1);
	struct tcm_cmd *cmd = malloc(sizeof(*cmd));
	enum tcm_sense sense;

	put_unaligned_be32(fuzz_take(in, 1) & 1 ? fuzz_take(in, 4) : in->left, cdb + 6);
	fuzz_list_len = in->left;
	fuzz_list = fuzz_rest(in);
	/* The initiator has sent less than it said. */
	if (less & 1)
		fuzz_list_len = fuzz_list_len / 8 * 4;
	fuzz_list_len = min(fuzz_list_len, get_unaligned_be32(cdb + 6));
	fuzz_asked = 0;
	fuzz_changes = 0;
	sense = fuzz_run_map(&l->map, cdb, 12, fuzz_list, fuzz_list_len, cmd);
	if (sense && !(sense & (1 << 24)))
		fuzz_sense(sense, &cmd->extra, max(cmd->data_len, 12U));
	fuzz_check(fuzz_changes <= 1);
	if (fuzz_list_len % 4 == 0 && get_unaligned_be32(cdb + 6) == fuzz_list_len &&
	    fuzz_list_len > 4 && fuzz_list_len <= 4096)
		fuzz_check((sense == TCM_OK) == fuzz_all_possible(fuzz_list, fuzz_list_len));
	if (sense || fuzz_list_len < get_unaligned_be32(cdb + 6))
		fuzz_check(!fuzz_changes);
	free(fuzz_list);
	free(cmd);
}

static void report(struct fuzz_lun *l, struct fuzz_in *in)
{
	u8 cdb[12] = { MAINTENANCE_IN, MI_REPORT_TARGET_PGS | (fuzz_take(in, 1) & 0xe0) }, *buf;
	unsigned int room = fuzz_take(in, 2) % 256, len;
	struct tcm_cmd *cmd = malloc(sizeof(*cmd));

	put_unaligned_be32(room, cdb + 6);
	buf = malloc(room ?: 1);
	if (!fuzz_run_map(&l->map, cdb, 12, buf, room, cmd) && room >= 4) {
		len = get_unaligned_be32(buf) + 4;
		fuzz_check(cmd->data_len == min(len, room));
		/* One group with one port, and that group again when the port is offline */
		fuzz_check(len == (cdb[1] & 0x20 ? 8u : 4u) + 12 * (1 + l->lun.alua_offline));
	}
	free(buf);
	free(cmd);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz_in in = { data, size };
	struct fuzz_lun *l = fuzz_lun_new(&in);
	u8 bits = fuzz_take(&in, 1);

	fuzz_alua_may = fuzz_may;
	fuzz_alua_changed = fuzz_changed;
	l->dev.attr.alua_support = 1;
	l->lun.alua_offline = bits & 1;
	l->group.state = bits >> 1 & 15;
	report(l, &in);
	set(l, &in);
	fuzz_lun_free(l);
	return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	fuzz_check(!tcm_opcode_init());
	return 0;
}
