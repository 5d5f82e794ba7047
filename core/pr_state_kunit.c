// SPDX-License-Identifier: GPL-2.0-only
/*
 * PERSISTENT RESERVE OUT as a change of state (SPC-4 5.13): who is registered, who holds, whom a
 * unit attention tells, and what is left to whom.
 */
#include <kunit/test.h>
#include <linux/slab.h>
#include "pr_state.h"

#define PR_ROOM		4
#define PR_NEXUSES	5

/* Nexuses have letters: all are of one initiator family, each of a name of its own. */
static void pr_reg(struct tcm_pr_reg *reg, char letter)
{
	struct tcm_pr_nexus *n = &reg->nexus;

	memset(reg, 0, sizeof(*reg));
	n->proto = TCM_PROTO_ISCSI;
	n->tpgt = 1;
	strscpy(n->fabric, "iSCSI", sizeof(n->fabric));
	strscpy(n->target, "iqn.2003-01.org.x:t", sizeof(n->target));
	scnprintf(n->initiator, sizeof(n->initiator), "iqn.1993-08.org.x:%c", letter);
	n->hash = tcm_pr_hash(n->proto, n->initiator, n->fabric, n->target, n->tpgt);
}

static char pr_letter(const struct tcm_pr_reg *reg)
{
	return reg->nexus.initiator[strlen(reg->nexus.initiator) - 1];
}

static size_t pr_state_size(void)
{
	return struct_size((struct tcm_pr_state *)NULL, reg, PR_ROOM);
}

static struct tcm_pr_state *pr_state(struct kunit *test)
{
	struct tcm_pr_state *st = kunit_kzalloc(test, pr_state_size(), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, st);
	st->room = PR_ROOM;
	st->holder = -1;
	return st;
}

/* With room for one nexus more */
static struct tcm_pr_op *pr_op(struct kunit *test)
{
	struct tcm_pr_op *op = kunit_kzalloc(test, sizeof(*op), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, op);
	op->others = kunit_kzalloc(test, sizeof(*op->others), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, op->others);
	return op;
}

/*
 * As text: the type, then each registration as letter and key, "*" behind a holder; behind "|" who
 * is told, with the first letter of what: Released, Preempted (reservations), Gone (registrations).
 */
static void pr_say(struct tcm_pr_state *st, char *buf, size_t size)
{
	char told[2 * PR_NEXUSES + 1] = "";
	unsigned int i, n = 0;
	size_t len;

	for (i = 0; i < st->n; i++) {
		if (!st->reg[i].tell)
			continue;
		told[n++] = pr_letter(&st->reg[i]);
		told[n++] = st->reg[i].tell == TCM_UA_RES_RELEASED ? 'R' :
			    st->reg[i].tell == TCM_UA_RES_PREEMPTED ? 'P' :
			    st->reg[i].tell == TCM_UA_REG_PREEMPTED ? 'G' : '?';
	}
	tcm_pr_compact(st);
	len = scnprintf(buf, size, "%u", st->type);
	for (i = 0; i < st->n; i++)
		len += scnprintf(buf + len, size - len, " %c%llx%s", pr_letter(&st->reg[i]),
				 st->reg[i].key, tcm_pr_is_holder(st, &st->reg[i]) ? "*" : "");
	scnprintf(buf + len, size - len, "|%s", told);
}

/* One service action; @state NULL: refused, and nothing is changed. */
struct pr_step {
	char		who;
	u8		sa;
	u64		key, sa_key;
	u8		type;
	char		other;		/* SPEC_I_PT, the destination of a MOVE */
	bool		unreg;
	enum tcm_sense	sense;
	const char	*state;
};

static void pr_step(struct kunit *test, struct tcm_pr_state **st, struct tcm_pr_op *op,
		    const struct pr_step *s, const char *name, unsigned int at)
{
	struct tcm_pr_reg *others = op->others;
	struct tcm_pr_state *next = pr_state(test);
	enum tcm_sense sense;
	char text[96];

	memset(op, 0, sizeof(*op));
	op->others = others;
	op->sa = s->sa;
	op->key = s->key;
	op->sa_key = s->sa_key;
	op->type = s->type;
	op->unreg = s->unreg;
	pr_reg(&op->self, s->who);
	if (s->other) {
		op->spec_i_pt = s->sa != TCM_PR_REGISTER_AND_MOVE;
		op->n_others = 1;
		pr_reg(op->others, s->other);
	}
	memcpy(next, *st, pr_state_size());
	sense = tcm_pr_apply(next, op);
	KUNIT_EXPECT_EQ_MSG(test, sense, s->sense, "%s, step %u", name, at);
	if (!s->state)
		return;
	*st = next;
	pr_say(next, text, sizeof(text));
	KUNIT_EXPECT_STREQ_MSG(test, text, s->state, "%s, step %u", name, at);
}

#define PR_CONFLICT	TCM_RESERVATION_CONFLICT

struct pr_script {
	const char *name;
	struct pr_step step[10];
};

static const struct pr_script pr_scripts[] = {
	{ "registering", {
		{ 'A', TCM_PR_REGISTER, 1, 1, .sense = PR_CONFLICT },
		{ 'A', TCM_PR_REGISTER, 0, 0, .state = "0|" },
		{ 'A', TCM_PR_REGISTER, 0, 1, .state = "0 A1|" },
		{ 'A', TCM_PR_REGISTER, 0, 2, .sense = PR_CONFLICT },
		{ 'A', TCM_PR_REGISTER, 1, 2, .state = "0 A2|" },
		{ 'A', TCM_PR_REGISTER_AND_IGNORE, 7, 3, .state = "0 A3|" },
		{ 'B', TCM_PR_REGISTER_AND_IGNORE, 7, 3, .state = "0 A3 B3|" },
		{ 'A', TCM_PR_REGISTER, 3, 0, .state = "0 B3|" },
		{ 'B', TCM_PR_REGISTER_AND_IGNORE, 0, 0, .state = "0|" },
	} },
	{ "others named by the parameter list", {
		{ 'A', TCM_PR_REGISTER, 0, 1, .other = 'B', .state = "0 A1 B1|" },
		{ 'A', TCM_PR_REGISTER, 1, 2, .other = 'C', .sense = TCM_INVALID_FIELD_CDB },
		{ 'C', TCM_PR_REGISTER, 0, 3, .other = 'D', .state = "0 A1 B1 C3 D3|" },
		{ 'E', TCM_PR_REGISTER, 0, 5, .sense = TCM_INSUFFICIENT_REG_RESOURCES },
		{ 'E', TCM_PR_REGISTER_AND_IGNORE, 0, 5, .sense = TCM_INSUFFICIENT_REG_RESOURCES },
	} },
	{ "strangers", {
		{ 'A', TCM_PR_RESERVE, 0, 0, 1, .sense = PR_CONFLICT },
		{ 'A', TCM_PR_RELEASE, 0, 0, 1, .sense = PR_CONFLICT },
		{ 'A', TCM_PR_CLEAR, 0, 0, .sense = PR_CONFLICT },
		{ 'A', TCM_PR_PREEMPT, 0, 1, 1, .sense = PR_CONFLICT },
		{ 'A', TCM_PR_PREEMPT_AND_ABORT, 0, 1, 1, .sense = PR_CONFLICT },
		{ 'A', TCM_PR_REGISTER_AND_MOVE, 0, 1, .other = 'B', .sense = PR_CONFLICT },
	} },
	{ "reserving", {
		{ 'A', TCM_PR_REGISTER, 0, 1, .state = "0 A1|" },
		{ 'B', TCM_PR_REGISTER, 0, 2, .state = "0 A1 B2|" },
		{ 'A', TCM_PR_RESERVE, 2, 0, 1, .sense = PR_CONFLICT },
		{ 'A', TCM_PR_RESERVE, 1, 0, 1, .state = "1 A1* B2|" },
		{ 'A', TCM_PR_RESERVE, 1, 0, 1, .state = "1 A1* B2|" },
		{ 'A', TCM_PR_RESERVE, 1, 0, 3, .sense = PR_CONFLICT },
		{ 'B', TCM_PR_RESERVE, 2, 0, 1, .sense = PR_CONFLICT },
		{ 'B', TCM_PR_RELEASE, 2, 0, 1, .state = "1 A1* B2|" },
		{ 'A', TCM_PR_RELEASE, 1, 0, 3, .sense = TCM_INVALID_RELEASE },
		{ 'A', TCM_PR_RELEASE, 1, 0, 1, .state = "0 A1 B2|" },
	} },
	{ "registrants only: release and unregistering tell", {
		{ 'A', TCM_PR_REGISTER, 0, 1, .state = "0 A1|" },
		{ 'B', TCM_PR_REGISTER, 0, 2, .state = "0 A1 B2|" },
		{ 'A', TCM_PR_RESERVE, 1, 0, 5, .state = "5 A1* B2|" },
		{ 'A', TCM_PR_RELEASE, 1, 0, 5, .state = "0 A1 B2|BR" },
		{ 'B', TCM_PR_RESERVE, 2, 0, 6, .state = "6 A1 B2*|" },
		{ 'B', TCM_PR_REGISTER, 2, 0, .state = "0 A1|AR" },
		{ 'A', TCM_PR_RESERVE, 1, 0, 3, .state = "3 A1*|" },
		{ 'B', TCM_PR_REGISTER, 0, 2, .state = "3 A1* B2|" },
		{ 'A', TCM_PR_REGISTER, 1, 0, .state = "0 B2|" },
	} },
	{ "all registrants hold, to the last", {
		{ 'A', TCM_PR_REGISTER, 0, 1, .state = "0 A1|" },
		{ 'B', TCM_PR_REGISTER, 0, 2, .state = "0 A1 B2|" },
		{ 'A', TCM_PR_RESERVE, 1, 0, 7, .state = "7 A1* B2*|" },
		{ 'B', TCM_PR_RESERVE, 2, 0, 7, .state = "7 A1* B2*|" },
		{ 'B', TCM_PR_RESERVE, 2, 0, 8, .sense = PR_CONFLICT },
		{ 'A', TCM_PR_REGISTER_AND_MOVE, 1, 9, .other = 'C', .sense = PR_CONFLICT },
		{ 'A', TCM_PR_REGISTER, 1, 0, .state = "7 B2*|" },
		{ 'B', TCM_PR_REGISTER, 2, 0, .state = "0|" },
	} },
	{ "all registrants: any may release", {
		{ 'A', TCM_PR_REGISTER, 0, 1, .other = 'B', .state = "0 A1 B1|" },
		{ 'A', TCM_PR_RESERVE, 1, 0, 8, .state = "8 A1* B1*|" },
		{ 'B', TCM_PR_RELEASE, 1, 0, 8, .state = "0 A1 B1|AR" },
	} },
	{ "clearing", {
		{ 'A', TCM_PR_REGISTER, 0, 1, .state = "0 A1|" },
		{ 'B', TCM_PR_REGISTER, 0, 2, .other = 'C', .state = "0 A1 B2 C2|" },
		{ 'A', TCM_PR_RESERVE, 1, 0, 3, .state = "3 A1* B2 C2|" },
		{ 'B', TCM_PR_CLEAR, 1, 0, .sense = PR_CONFLICT },
		{ 'B', TCM_PR_CLEAR, 2, 0, .state = "0|APCP" },
	} },
	{ "preempting the holder", {
		{ 'A', TCM_PR_REGISTER, 0, 1, .other = 'C', .state = "0 A1 C1|" },
		{ 'B', TCM_PR_REGISTER, 0, 2, .other = 'D', .state = "0 A1 C1 B2 D2|" },
		{ 'A', TCM_PR_RESERVE, 1, 0, 1, .state = "1 A1* C1 B2 D2|" },
		{ 'B', TCM_PR_PREEMPT, 2, 1, 2, .sense = TCM_INVALID_FIELD_CDB },
		{ 'B', TCM_PR_PREEMPT, 2, 1, 3, .state = "3 B2* D2|AGCGDR" },
		{ 'D', TCM_PR_PREEMPT_AND_ABORT, 2, 2, 3, .state = "3 D2*|BG" },
	} },
	{ "preempting oneself changes the type", {
		{ 'A', TCM_PR_REGISTER, 0, 1, .state = "0 A1|" },
		{ 'B', TCM_PR_REGISTER, 0, 2, .state = "0 A1 B2|" },
		{ 'A', TCM_PR_RESERVE, 1, 0, 1, .state = "1 A1* B2|" },
		{ 'A', TCM_PR_PREEMPT, 1, 1, 1, .state = "1 A1* B2|" },
		{ 'A', TCM_PR_PREEMPT, 1, 1, 6, .state = "6 A1* B2|BR" },
	} },
	{ "preempting registrations", {
		{ 'A', TCM_PR_REGISTER, 0, 1, .state = "0 A1|" },
		{ 'B', TCM_PR_REGISTER, 0, 2, .other = 'C', .state = "0 A1 B2 C2|" },
		{ 'A', TCM_PR_PREEMPT, 1, 9, 1, .sense = PR_CONFLICT },
		{ 'A', TCM_PR_PREEMPT, 1, 0, 1, .sense = TCM_INVALID_FIELD_PARAM },
		{ 'A', TCM_PR_RESERVE, 1, 0, 5, .state = "5 A1* B2 C2|" },
		{ 'C', TCM_PR_PREEMPT, 2, 2, 5, .state = "5 A1*|BG" },
	} },
	{ "preempting all registrants", {
		{ 'A', TCM_PR_REGISTER, 0, 1, .state = "0 A1|" },
		{ 'B', TCM_PR_REGISTER, 0, 2, .other = 'C', .state = "0 A1 B2 C2|" },
		{ 'A', TCM_PR_RESERVE, 1, 0, 8, .state = "8 A1* B2* C2*|" },
		{ 'A', TCM_PR_PREEMPT, 1, 2, 3, .state = "8 A1*|BGCG" },
		{ 'B', TCM_PR_REGISTER, 0, 2, .state = "8 A1* B2*|" },
		{ 'B', TCM_PR_PREEMPT, 2, 0, 3, .state = "3 B2*|AG" },
	} },
	{ "moving", {
		{ 'A', TCM_PR_REGISTER, 0, 1, .state = "0 A1|" },
		{ 'A', TCM_PR_REGISTER_AND_MOVE, 1, 2, .other = 'B',
		  .sense = TCM_INVALID_FIELD_CDB },
		{ 'A', TCM_PR_RESERVE, 1, 0, 3, .state = "3 A1*|" },
		{ 'A', TCM_PR_REGISTER_AND_MOVE, 1, 0, .other = 'B',
		  .sense = TCM_INVALID_FIELD_PARAM },
		{ 'A', TCM_PR_REGISTER_AND_MOVE, 1, 2, .other = 'A',
		  .sense = TCM_INVALID_FIELD_PARAM },
		{ 'A', TCM_PR_REGISTER_AND_MOVE, 1, 2, .other = 'B', .state = "3 A1 B2*|" },
		{ 'A', TCM_PR_REGISTER_AND_MOVE, 1, 2, .other = 'B', .sense = PR_CONFLICT },
		{ 'B', TCM_PR_REGISTER_AND_MOVE, 2, 4, .other = 'A', .unreg = true,
		  .state = "3 A4*|" },
	} },
	{ "replacing what is not lost", {
		{ 'A', TCM_PR_REPLACE_LOST, 0, 1, 3, .sense = TCM_INVALID_RELEASE },
	} },
};

static void pr_changes(struct kunit *test)
{
	struct tcm_pr_op *op = pr_op(test);
	struct tcm_pr_state *st;
	unsigned int i, s;

	for (i = 0; i < ARRAY_SIZE(pr_scripts); i++) {
		const struct pr_script *script = &pr_scripts[i];

		st = pr_state(test);
		for (s = 0; s < ARRAY_SIZE(script->step) && script->step[s].who; s++)
			pr_step(test, &st, op, &script->step[s], script->name, s);
	}
}

/* PRGENERATION (SPC-4 6.15.2): which service actions count */
static void pr_generation(struct kunit *test)
{
	static const struct {
		struct pr_step step;
		u32 more;
	} cases[] = {
		{ { 'A', TCM_PR_REGISTER, 1, 2 }, 1 },
		{ { 'A', TCM_PR_REGISTER_AND_IGNORE, 0, 2 }, 1 },
		{ { 'A', TCM_PR_RESERVE, 1, 0, 1 }, 0 },
		{ { 'A', TCM_PR_RELEASE, 1, 0, 1 }, 0 },
		{ { 'A', TCM_PR_CLEAR, 1 }, 1 },
		{ { 'A', TCM_PR_PREEMPT, 1, 1, 1 }, 1 },
		{ { 'A', TCM_PR_PREEMPT_AND_ABORT, 1, 1, 1 }, 1 },
		{ { 'A', TCM_PR_REGISTER_AND_MOVE, 1, 2, .other = 'B' }, 1 },
	};
	struct tcm_pr_op *op = pr_op(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tcm_pr_state *st = pr_state(test);

		pr_reg(&st->reg[0], 'A');
		st->reg[0].key = 1;
		st->n = 1;
		st->type = TCM_PR_WRITE_EXCLUSIVE;
		st->holder = 0;
		st->generation = U32_MAX;
		pr_reg(&op->self, 'A');
		pr_reg(op->others, 'B');
		op->sa = cases[i].step.sa;
		op->key = cases[i].step.key;
		op->sa_key = cases[i].step.sa_key;
		op->type = cases[i].step.type;
		KUNIT_EXPECT_EQ_MSG(test, tcm_pr_apply(st, op), TCM_OK, "%u", i);
		KUNIT_EXPECT_EQ_MSG(test, st->generation, U32_MAX + cases[i].more, "%u", i);
	}
}

/* Not registered and no key: nothing is done (SPC-4 5.13.7), so APTPL is as it was, too. */
static void pr_nothing(struct kunit *test)
{
	static const u8 sas[] = { TCM_PR_REGISTER, TCM_PR_REGISTER_AND_IGNORE };
	struct tcm_pr_state *st = pr_state(test);
	struct tcm_pr_op *op = pr_op(test);
	unsigned int i, aptpl;

	pr_reg(&st->reg[0], 'A');
	st->reg[0].key = 1;
	st->n = 1;
	pr_reg(&op->self, 'B');
	for (i = 0; i < ARRAY_SIZE(sas); i++)
		for (aptpl = 0; aptpl < 2; aptpl++) {
			st->aptpl = aptpl;
			op->sa = sas[i];
			op->aptpl = !aptpl;
			KUNIT_EXPECT_EQ(test, tcm_pr_apply(st, op), TCM_OK);
			KUNIT_EXPECT_EQ_MSG(test, st->aptpl, !!aptpl, "service action %u", sas[i]);
			KUNIT_EXPECT_EQ(test, st->n, 1U);
		}
	/* Who is registered is heard when he goes. */
	op->self = st->reg[0];
	st->aptpl = true;
	op->aptpl = false;
	KUNIT_EXPECT_EQ(test, tcm_pr_apply(st, op), TCM_OK);
	KUNIT_EXPECT_FALSE(test, st->aptpl);
}

/* SPC-4 table 67: to the holder, to who is registered, to who is not */
static void pr_denials(struct kunit *test)
{
	static const struct {
		u8 type, holder, registered, stranger;
	} cases[] = {
		{ TCM_PR_NONE, TCM_PR_MAY_ALL, TCM_PR_MAY_ALL, TCM_PR_MAY_ALL },
		{ TCM_PR_WRITE_EXCLUSIVE, TCM_PR_MAY_ALL, TCM_PR_DENY_WRITES, TCM_PR_DENY_WRITES },
		{ TCM_PR_EXCLUSIVE_ACCESS, TCM_PR_MAY_ALL, TCM_PR_DENY_ACCESS, TCM_PR_DENY_ACCESS },
		{ TCM_PR_WRITE_EXCLUSIVE_RO, TCM_PR_MAY_ALL, TCM_PR_MAY_ALL, TCM_PR_DENY_WRITES },
		{ TCM_PR_EXCLUSIVE_ACCESS_RO, TCM_PR_MAY_ALL, TCM_PR_MAY_ALL, TCM_PR_DENY_ACCESS },
		{ TCM_PR_WRITE_EXCLUSIVE_AR, TCM_PR_MAY_ALL, TCM_PR_MAY_ALL, TCM_PR_DENY_WRITES },
		{ TCM_PR_EXCLUSIVE_ACCESS_AR, TCM_PR_MAY_ALL, TCM_PR_MAY_ALL, TCM_PR_DENY_ACCESS },
	};
	struct tcm_pr_state *st = pr_state(test);
	unsigned int i;

	pr_reg(&st->reg[0], 'A');
	pr_reg(&st->reg[1], 'B');
	st->n = 2;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		st->type = cases[i].type;
		st->holder = st->type && !tcm_pr_all_registrants(st->type) ? 0 : -1;
		KUNIT_EXPECT_EQ(test, tcm_pr_denied(st, &st->reg[0]), cases[i].holder);
		KUNIT_EXPECT_EQ(test, tcm_pr_denied(st, &st->reg[1]), cases[i].registered);
		KUNIT_EXPECT_EQ(test, tcm_pr_denied(st, NULL), cases[i].stranger);
	}
	st->lost = true;
	KUNIT_EXPECT_EQ(test, tcm_pr_denied(st, &st->reg[0]), TCM_PR_DENY_LOST);
	KUNIT_EXPECT_EQ(test, tcm_pr_denied(st, NULL), TCM_PR_DENY_LOST);
}

/* SPC-4 5.13.5.3.2: what is lost is replaced by whoever comes, registered or not. */
static void pr_lost(struct kunit *test)
{
	struct tcm_pr_state *st = pr_state(test);
	struct tcm_pr_op *op = pr_op(test);
	char text[96];

	pr_reg(&st->reg[0], 'A');
	st->reg[0].key = 1;
	st->n = 1;
	st->lost = true;
	st->generation = 7;
	op->sa = TCM_PR_REPLACE_LOST;
	op->type = TCM_PR_EXCLUSIVE_ACCESS_RO;
	op->key = 1;
	op->sa_key = 2;
	pr_reg(&op->self, 'B');
	KUNIT_EXPECT_EQ(test, tcm_pr_apply(st, op), TCM_INVALID_FIELD_PARAM);
	op->key = 0;
	KUNIT_EXPECT_EQ(test, tcm_pr_apply(st, op), TCM_OK);
	KUNIT_EXPECT_FALSE(test, st->lost);
	KUNIT_EXPECT_EQ(test, st->generation, 0U);
	pr_say(st, text, sizeof(text));
	KUNIT_EXPECT_STREQ(test, text, "6 B2*|");
}

/* Which spellings are one initiator port */
static void pr_names(struct kunit *test)
{
	static const struct {
		u8 proto;
		const char *a, *b;
		bool same;
	} cases[] = {
		{ TCM_PROTO_ISCSI, "iqn.1993-08.org.x:a", "IQN.1993-08.org.X:A", true },
		{ TCM_PROTO_ISCSI, "iqn.1993-08.org.x:a", "iqn.1993-08.org.xa", false },
		{ TCM_PROTO_ISCSI, "iqn.1993-08.org.x:a", "iqn.1993-08.org.x:a0", false },
		{ TCM_PROTO_SAS, "naa.5001405000000001", "5001405000000001", true },
		{ TCM_PROTO_SAS, "naa.500140500000000a", "0x500140500000000A", true },
		{ TCM_PROTO_FCP, "21:00:00:24:ff:00:00:01", "21000024ff000001", true },
		{ TCM_PROTO_FCP, "21:00:00:24:ff:00:00:01", "21:00:00:24:ff:00:00:02", false },
		{ TCM_PROTO_SRP, "0xfe80000000000000000000000000000a",
		  "fe80000000000000000000000000000A", true },
	};
	struct tcm_pr_reg *a = kunit_kzalloc(test, sizeof(*a), GFP_KERNEL);
	struct tcm_pr_who who;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, a);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		pr_reg(a, 'A');
		a->nexus.proto = cases[i].proto;
		strscpy(a->nexus.initiator, cases[i].a, sizeof(a->nexus.initiator));
		a->nexus.hash = tcm_pr_hash(cases[i].proto, cases[i].a, a->nexus.fabric,
					    a->nexus.target, 1);
		who = tcm_pr_view(&a->nexus);
		who.initiator = cases[i].b;
		who.hash = tcm_pr_hash(cases[i].proto, cases[i].b, who.fabric, who.target, 1);
		KUNIT_EXPECT_EQ_MSG(test, tcm_pr_same(&a->nexus, &who), cases[i].same, "%s, %s",
				    cases[i].a, cases[i].b);
		who.tpgt = 2;
		KUNIT_EXPECT_FALSE(test, tcm_pr_same(&a->nexus, &who));
	}
}

/* A registration without an ISID is for every port of the initiator. */
static void pr_isids(struct kunit *test)
{
	static const u8 one[TCM_PR_ISID_LEN] = { 0x80, 1 }, two[TCM_PR_ISID_LEN] = { 0x80, 2 };
	struct tcm_pr_reg *reg = kunit_kzalloc(test, sizeof(*reg), GFP_KERNEL);
	struct tcm_pr_who who;

	KUNIT_ASSERT_NOT_NULL(test, reg);
	pr_reg(reg, 'A');
	who = tcm_pr_view(&reg->nexus);
	who.has_isid = true;
	who.isid = one;
	KUNIT_EXPECT_TRUE(test, tcm_pr_same(&reg->nexus, &who));
	reg->nexus.has_isid = true;
	memcpy(reg->nexus.isid, one, sizeof(one));
	KUNIT_EXPECT_TRUE(test, tcm_pr_same(&reg->nexus, &who));
	who.isid = two;
	KUNIT_EXPECT_FALSE(test, tcm_pr_same(&reg->nexus, &who));
}

/* The file for APTPL: written only when it was asked for, and cut anywhere it is not whole. */
static void pr_texts(struct kunit *test)
{
	struct tcm_pr_state *st = pr_state(test);
	size_t size, len, first, i;
	char *text;

	KUNIT_EXPECT_FALSE(test, tcm_pr_text_whole(""));
	KUNIT_EXPECT_FALSE(test, tcm_pr_text_whole("PR_REG_START: 0\nPR_REG_END: 0\n"));
	pr_reg(&st->reg[0], 'A');
	pr_reg(&st->reg[1], 'B');
	st->reg[0].key = 0x1234;
	st->reg[1].key = 2;
	st->reg[1].nexus.has_isid = true;
	st->n = 2;
	st->type = TCM_PR_EXCLUSIVE_ACCESS;
	st->holder = 0;
	size = tcm_pr_text_size(st);
	text = kunit_kzalloc(test, size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, text);
	tcm_pr_text(st, text, size);
	KUNIT_EXPECT_STREQ(test, text, "No Registrations or Reservations\n");
	KUNIT_EXPECT_TRUE(test, tcm_pr_text_whole(text));
	st->aptpl = true;
	len = tcm_pr_text(st, text, size);
	KUNIT_ASSERT_EQ(test, len, strlen(text));
	KUNIT_EXPECT_TRUE(test, tcm_pr_text_whole(text));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "sa_res_key=4660\nres_holder=1\nres_type=03\n"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "initiator_sid=000000000000\nsa_res_key=2\n"
					   "res_holder=0\nres_all_tg_pt=0\n"));
	/* Where the first registration ends, a file of one would. */
	first = strstr(text, "PR_REG_END: 0\n") + strlen("PR_REG_END: 0\n") - text;
	for (i = len - 1; i; i--) {
		text[i] = '\0';
		KUNIT_EXPECT_EQ_MSG(test, tcm_pr_text_whole(text), i == first, "%zu of %zu", i,
				    len);
	}
}

static struct kunit_case pr_tests[] = {
	KUNIT_CASE(pr_changes),
	KUNIT_CASE(pr_generation),
	KUNIT_CASE(pr_nothing),
	KUNIT_CASE(pr_denials),
	KUNIT_CASE(pr_lost),
	KUNIT_CASE(pr_names),
	KUNIT_CASE(pr_isids),
	KUNIT_CASE(pr_texts),
	{ }
};

static struct kunit_suite pr_suite = {
	.name = "tcm_pr_state",
	.test_cases = pr_tests,
};

kunit_test_suites(&pr_suite);
