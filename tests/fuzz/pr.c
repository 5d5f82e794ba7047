// SPDX-License-Identifier: GPL-2.0-only
/*
 * PERSISTENT RESERVE OUT of three initiators with any parameter lists, TransportIDs included,
 * and what PERSISTENT RESERVE IN says then.
 */
#include "../../core/opcode.h"
#include "../../core/transport_id.h"
#include "pr.h"

#define FUZZ_NEXUSES	3

static const struct {
	u8 proto;
	const char *fabric, *target, *names[FUZZ_NEXUSES];
} fuzz_ports[] = {
	{ TCM_PROTO_ISCSI, "iSCSI", "iqn.2003-01.org.x:t",
	  { "iqn.1993-08.org.x:a", "iqn.1993-08.org.x:B", "eui.0123456789abcdef" } },
	{ TCM_PROTO_SAS, "loopback", "naa.5001405000000001",
	  { "naa.5001405000000002", "naa.5001405000000003", "naa.50014050000000aB" } },
	{ TCM_PROTO_FCP, "qla2xxx", "21:00:00:24:ff:00:00:01",
	  { "21:00:00:24:ff:00:00:02", "21:00:00:24:ff:00:00:03", "210000e08b0000aB" } },
	{ TCM_PROTO_SRP, "srpt", "0xfe80000000000000000000000000000a",
	  { "0x0000000000000000fe80000000000001", "0x00000000000000000000000000000002",
	    "0xfe800000000000000000000000000003" } },
	{ TCM_PROTO_SBP, "sbp", "0011223344556677",
	  { "0011223344556601", "0011223344556602", "00112233445566aB" } },
};

struct fuzz_nexus {
	struct tcm_session sess;
	struct tcm_mapping map;
};

static void nexus_init(struct fuzz_nexus *x, struct fuzz_lun *l, const char *name, bool isid, u8 n)
{
	x->sess.ops = &l->fabric;
	x->sess.tpg = &l->tpg;
	x->sess.has_isid = isid;
	x->sess.isid[0] = 0x80 | n;
	x->sess.index = n + 2;
	strscpy(x->sess.name, name, sizeof(x->sess.name));
	x->sess.nexus_hash = tcm_pr_hash(l->wwn.proto, name, l->fabric.name, l->wwn.name, l->tpg.tag);
	x->map.sess = &x->sess;
	x->map.lun = &l->lun;
	x->map.number = n;
	list_add_tail(&x->map.lun_node, &l->lun.maps);
}

/* READ FULL STATUS: descriptors to the end, and each port can be read. */
static void check_full(struct fuzz_lun *l, const u8 *p, unsigned int len)
{
	struct tcm_pr_state *st = l->dev.pr->state;
	struct tcm_pr_nexus *n = calloc(1, sizeof(*n));
	unsigned int at = 8, i, tid;

	fuzz_check(get_unaligned_be32(p + 4) == len - 8);
	for (i = 0; at < len; i++, at += 24 + tid) {
		fuzz_check(i < st->n && len - at >= 48);
		tid = get_unaligned_be32(p + at + 20);
		fuzz_check(tid <= len - at - 24);
		memset(n, 0, sizeof(*n));
		fuzz_check(tcm_transport_id_get(p + at + 24, tid, n) == tid);
		fuzz_check(n->proto == st->reg[i].nexus.proto);
		fuzz_check(n->has_isid == (st->reg[i].nexus.has_isid && n->proto == TCM_PROTO_ISCSI));
		fuzz_check(tcm_pr_hash(n->proto, n->initiator, l->fabric.name, l->wwn.name, l->tpg.tag) ==
			   st->reg[i].nexus.hash);
	}
	fuzz_check(i == st->n);
	free(n);
}

static void read_all(struct fuzz_lun *l, struct fuzz_nexus *x)
{
	u8 cdb[10] = { PERSISTENT_RESERVE_IN, 0, [7] = 0xff, 0xff };
	struct tcm_cmd *cmd = malloc(sizeof(*cmd));
	u8 *buf = malloc(SZ_64K);

	for (cdb[1] = 0; cdb[1] < 4; cdb[1]++) {
		fuzz_check(fuzz_run_map(&x->map, cdb, 10, buf, 0xffff, cmd) == TCM_OK);
		if (cdb[1] == 3 && cmd->data_len < 0xffff)
			check_full(l, buf, cmd->data_len);
	}
	free(buf);
	free(cmd);
}

static void check_gates(struct fuzz_lun *l, struct fuzz_nexus *x)
{
	struct tcm_pr_state *st = l->dev.pr->state;
	unsigned int i;

	for (i = 0; i < FUZZ_NEXUSES; i++) {
		struct tcm_pr_who who = tcm_pr_who_of(&l->dev, &x[i].sess);
		enum tcm_pr_deny deny = tcm_pr_denied(st, tcm_pr_find(st, &who));

		fuzz_check(test_bit(TCM_GATE_RESERVED, &x[i].map.gate) == (deny != TCM_PR_MAY_ALL));
	}
}

/* SERVICE ACTION and who sends; SCOPE, TYPE; parameter list length and list */
static void step(struct fuzz_lun *l, struct fuzz_nexus *x, struct fuzz_in *in)
{
	struct tcm_cmd *cmd = malloc(sizeof(*cmd));
	u8 cdb[10] = { PERSISTENT_RESERVE_OUT }, *list, who = fuzz_take(in, 1);
	u32 generation = l->dev.pr->state->generation;
	enum tcm_sense sense;
	unsigned int len;

	cdb[1] = who & 7;
	cdb[2] = fuzz_take(in, 1);
	/* No scope has this bit. */
	if (cdb[1] == TCM_PR_REGISTER_AND_MOVE && cdb[2] & 0x80) {
		cdb[1] = TCM_PR_REPLACE_LOST;
		cdb[2] &= 0x7f;
	}
	len = fuzz_take(in, 2) % 1024;
	put_unaligned_be32(len, cdb + 5);
	/* The initiator has sent less than it said. */
	if (who & 0x80)
		len /= 2;
	list = calloc(1, len ?: 1);
	memcpy(list, in->p, min(in->left, (size_t)len));
	fuzz_take(in, len);
	sense = fuzz_run_map(&x[(who >> 3) % FUZZ_NEXUSES].map, cdb, 10, list, len, cmd);
	if (sense && !(sense & (1 << 24)))
		fuzz_sense(sense, &cmd->extra, max(len, 10U));
	if (sense)
		fuzz_check(l->dev.pr->state->generation == generation);
	free(list);
	free(cmd);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz_nexus *x = calloc(FUZZ_NEXUSES, sizeof(*x));
	struct fuzz_in in = { data, size };
	struct fuzz_lun *l = fuzz_lun_new(&in);
	u8 bits = fuzz_take(&in, 1), i, n;

	i = (bits & 7) % ARRAY_SIZE(fuzz_ports);
	l->wwn.proto = fuzz_ports[i].proto;
	l->fabric.name = fuzz_ports[i].fabric;
	strscpy(l->wwn.name, fuzz_ports[i].target, sizeof(l->wwn.name));
	l->dev.serial[0] = bits & 8 ? 's' : 0;
	l->dev.attr.emulate_pr = 1;
	l->dev.attr.force_pr_aptpl = bits & 0x40;
	list_del(&l->map.lun_node);
	for (n = 0; n < FUZZ_NEXUSES; n++)
		nexus_init(&x[n], l, fuzz_ports[i].names[n], bits & 0x10, n);
	fuzz_on_disk = !(bits & 0x20);
	l->dev.pr->state->lost = bits & 0x80;
	for (n = 0; n < FUZZ_NEXUSES; n++)
		tcm_pr_map_added(&x[n].map);
	for (n = 0; n < 32 && in.left; n++) {
		step(l, x, &in);
		fuzz_pr_check(&l->dev);
		check_gates(l, x);
	}
	read_all(l, x);
	fuzz_pr_power_cycle(&l->dev);
	fuzz_on_disk = true;
	fuzz_lun_free(l);
	free(x);
	return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	fuzz_check(!tcm_opcode_init() && !tcm_pr_init());
	return 0;
}
