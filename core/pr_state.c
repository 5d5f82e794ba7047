// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a PERSISTENT RESERVE OUT does (SPC-4 5.13). Pure functions over struct tcm_pr_state.
 */
#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include "pr_state.h"

/*
 * Names of iSCSI are text without case. All others are numbers, written with or without a prefix
 * ("naa.", "0x") and colons: the digits count.
 */
static const char *tcm_pr_name_start(u8 proto, const char *name)
{
	const char *dot;

	if (proto == TCM_PROTO_ISCSI)
		return name;
	dot = strrchr(name, '.');
	if (dot)
		return dot + 1;
	return name[0] == '0' && name[1] == 'x' ? name + 2 : name;
}

/* The next character that counts, 0 at the end. */
static char tcm_pr_name_next(u8 proto, const char **p)
{
	while (proto != TCM_PROTO_ISCSI && **p == ':')
		++*p;
	return **p ? tolower(*(*p)++) : 0;
}

static bool tcm_pr_same_name(u8 proto, const char *a, const char *b)
{
	char c;

	a = tcm_pr_name_start(proto, a);
	b = tcm_pr_name_start(proto, b);
	do {
		c = tcm_pr_name_next(proto, &a);
		if (c != tcm_pr_name_next(proto, &b))
			return false;
	} while (c);
	return true;
}

static u32 tcm_pr_hash_add(u32 hash, char c)
{
	return (hash ^ (u8)c) * 16777619;
}

u32 tcm_pr_hash(u8 proto, const char *initiator, const char *fabric, const char *target,
		u16 tpgt)
{
	u32 hash = 2166136261U ^ tpgt;
	char c;

	initiator = tcm_pr_name_start(proto, initiator);
	while ((c = tcm_pr_name_next(proto, &initiator)))
		hash = tcm_pr_hash_add(hash, c);
	while (*fabric)
		hash = tcm_pr_hash_add(hash, *fabric++);
	while (*target)
		hash = tcm_pr_hash_add(hash, tolower(*target++));
	return hash;
}

bool tcm_pr_same(const struct tcm_pr_nexus *nexus, const struct tcm_pr_who *who)
{
	if (nexus->hash != who->hash || nexus->tpgt != who->tpgt)
		return false;
	if (nexus->has_isid && who->has_isid && memcmp(nexus->isid, who->isid, TCM_PR_ISID_LEN))
		return false;
	return !strcmp(nexus->fabric, who->fabric) && !strcasecmp(nexus->target, who->target) &&
	       tcm_pr_same_name(who->proto, nexus->initiator, who->initiator);
}

struct tcm_pr_reg *tcm_pr_find(struct tcm_pr_state *st, const struct tcm_pr_who *who)
{
	unsigned int i;

	for (i = 0; i < st->n; i++)
		if (!st->reg[i].gone && tcm_pr_same(&st->reg[i].nexus, who))
			return &st->reg[i];
	return NULL;
}

static struct tcm_pr_reg *tcm_pr_find_reg(struct tcm_pr_state *st, const struct tcm_pr_reg *like)
{
	struct tcm_pr_who who = tcm_pr_view(&like->nexus);

	return tcm_pr_find(st, &who);
}

bool tcm_pr_is_holder(const struct tcm_pr_state *st, const struct tcm_pr_reg *reg)
{
	if (!st->type)
		return false;
	return tcm_pr_all_registrants(st->type) || st->holder == reg - st->reg;
}

enum tcm_pr_deny tcm_pr_denied(const struct tcm_pr_state *st, const struct tcm_pr_reg *reg)
{
	if (st->lost)
		return TCM_PR_DENY_LOST;
	if (!st->type)
		return TCM_PR_MAY_ALL;
	if (reg && (st->type >= TCM_PR_WRITE_EXCLUSIVE_RO || tcm_pr_is_holder(st, reg)))
		return TCM_PR_MAY_ALL;
	switch (st->type) {
	case TCM_PR_WRITE_EXCLUSIVE:
	case TCM_PR_WRITE_EXCLUSIVE_RO:
	case TCM_PR_WRITE_EXCLUSIVE_AR:
		return TCM_PR_DENY_WRITES;
	default:
		return TCM_PR_DENY_ACCESS;
	}
}

bool tcm_pr_add(struct tcm_pr_state *st, const struct tcm_pr_reg *reg)
{
	struct tcm_pr_reg *new;

	if (st->n == st->room)
		return false;
	new = &st->reg[st->n++];
	*new = *reg;
	new->generation = st->generation;
	new->gone = false;
	new->tell = 0;
	return true;
}

/* Every nexus that is registered still, but for @self */
static void tcm_pr_tell(struct tcm_pr_state *st, const struct tcm_pr_reg *self, u8 ua)
{
	unsigned int i;

	for (i = 0; i < st->n; i++)
		if (&st->reg[i] != self && !st->reg[i].gone)
			st->reg[i].tell = ua;
}

static void tcm_pr_unreserve(struct tcm_pr_state *st)
{
	st->type = TCM_PR_NONE;
	st->holder = -1;
}

static bool tcm_pr_empty(const struct tcm_pr_state *st)
{
	unsigned int i;

	for (i = 0; i < st->n; i++)
		if (!st->reg[i].gone)
			return false;
	return true;
}

/* SPC-4 5.13.11.3: a holder's registration takes the reservation with it. */
static void tcm_pr_unregister(struct tcm_pr_state *st, struct tcm_pr_reg *reg)
{
	u8 type = st->type;

	reg->gone = true;
	if (tcm_pr_all_registrants(type)) {
		if (tcm_pr_empty(st))
			tcm_pr_unreserve(st);
		return;
	}
	if (!type || st->holder != reg - st->reg)
		return;
	tcm_pr_unreserve(st);
	if (type >= TCM_PR_WRITE_EXCLUSIVE_RO)
		tcm_pr_tell(st, reg, TCM_UA_RES_RELEASED);
}

/* Make, change or end one registration. */
static enum tcm_sense tcm_pr_register_one(struct tcm_pr_state *st, const struct tcm_pr_reg *like,
					  const struct tcm_pr_op *op)
{
	struct tcm_pr_reg *reg = tcm_pr_find_reg(st, like);

	if (!op->sa_key) {
		if (reg)
			tcm_pr_unregister(st, reg);
		return TCM_OK;
	}
	if (!reg) {
		if (!tcm_pr_add(st, like))
			return TCM_INSUFFICIENT_REG_RESOURCES;
		reg = &st->reg[st->n - 1];
	}
	reg->key = op->sa_key;
	reg->all_tg_pt = op->all_tg_pt;
	return TCM_OK;
}

/* REGISTER and REGISTER AND IGNORE EXISTING KEY, SPC-4 5.13.7 and tables 68, 69 */
static enum tcm_sense tcm_pr_register(struct tcm_pr_state *st, const struct tcm_pr_op *op)
{
	struct tcm_pr_reg *self = tcm_pr_find_reg(st, &op->self);
	u64 old = self ? self->key : 0;
	enum tcm_sense sense;
	unsigned int i;

	if (op->sa == TCM_PR_REGISTER && op->key != old)
		return TCM_RESERVATION_CONFLICT;
	if (op->spec_i_pt && self)
		return TCM_INVALID_FIELD_CDB;
	/* Counts what is asked for (SPC-4 6.15.2). */
	st->generation++;
	/* Not registered and no key: nothing is to be done, what others said of APTPL stays. */
	if (!self && !op->sa_key)
		return TCM_OK;
	st->aptpl = op->aptpl;
	sense = tcm_pr_register_one(st, &op->self, op);
	for (i = 0; !sense && i < op->n_others; i++) {
		struct tcm_pr_reg *other = tcm_pr_find_reg(st, &op->others[i]);

		/* On the other ports only what belongs together changes together. */
		if (other && old && other->key != old)
			continue;
		sense = tcm_pr_register_one(st, &op->others[i], op);
	}
	return sense;
}

/* SPC-4 5.13.9 */
static enum tcm_sense tcm_pr_reserve(struct tcm_pr_state *st, const struct tcm_pr_reg *self,
				     const struct tcm_pr_op *op)
{
	if (st->type)
		return tcm_pr_is_holder(st, self) && st->type == op->type ? TCM_OK :
		       TCM_RESERVATION_CONFLICT;
	st->type = op->type;
	st->holder = tcm_pr_all_registrants(op->type) ? -1 : self - st->reg;
	return TCM_OK;
}

/* SPC-4 5.13.11.2 */
static enum tcm_sense tcm_pr_release(struct tcm_pr_state *st, const struct tcm_pr_reg *self,
				     const struct tcm_pr_op *op)
{
	if (!st->type || !tcm_pr_is_holder(st, self))
		return TCM_OK;
	if (st->type != op->type)
		return TCM_INVALID_RELEASE;
	tcm_pr_unreserve(st);
	if (op->type >= TCM_PR_WRITE_EXCLUSIVE_RO)
		tcm_pr_tell(st, self, TCM_UA_RES_RELEASED);
	return TCM_OK;
}

/* SPC-4 5.13.11.6 */
static enum tcm_sense tcm_pr_clear(struct tcm_pr_state *st, const struct tcm_pr_reg *self)
{
	unsigned int i;

	st->generation++;
	tcm_pr_unreserve(st);
	tcm_pr_tell(st, self, TCM_UA_RES_PREEMPTED);
	for (i = 0; i < st->n; i++)
		st->reg[i].gone = true;
	return TCM_OK;
}

/* The requester takes the reservation over (SPC-4 5.13.11.4.3). */
static enum tcm_sense tcm_pr_take_over(struct tcm_pr_state *st, struct tcm_pr_reg *self,
				       const struct tcm_pr_op *op)
{
	u8 old = st->type;
	unsigned int i;

	if (!tcm_pr_type_valid(op->type) || op->scope)
		return TCM_INVALID_FIELD_CDB;
	for (i = 0; i < st->n; i++) {
		struct tcm_pr_reg *reg = &st->reg[i];

		if (reg == self || (op->sa_key && reg->key != op->sa_key))
			continue;
		reg->gone = true;
		reg->tell = TCM_UA_REG_PREEMPTED;
	}
	st->type = op->type;
	st->holder = tcm_pr_all_registrants(op->type) ? -1 : self - st->reg;
	if (old != op->type)
		tcm_pr_tell(st, self, TCM_UA_RES_RELEASED);
	return TCM_OK;
}

/* PREEMPT and PREEMPT AND ABORT, SPC-4 5.13.11.4 and 5.13.11.5 */
static enum tcm_sense tcm_pr_preempt(struct tcm_pr_state *st, struct tcm_pr_reg *self,
				     const struct tcm_pr_op *op)
{
	bool found = false;
	unsigned int i;

	st->generation++;
	if (tcm_pr_all_registrants(st->type) ? !op->sa_key :
	    st->type && st->reg[st->holder].key == op->sa_key)
		return tcm_pr_take_over(st, self, op);
	if (!op->sa_key)
		return TCM_INVALID_FIELD_PARAM;
	for (i = 0; i < st->n; i++) {
		struct tcm_pr_reg *reg = &st->reg[i];

		if (reg->key != op->sa_key)
			continue;
		found = true;
		tcm_pr_unregister(st, reg);
		if (reg != self)
			reg->tell = TCM_UA_REG_PREEMPTED;
	}
	return found ? TCM_OK : TCM_RESERVATION_CONFLICT;
}

/* SPC-4 5.13.8 */
static enum tcm_sense tcm_pr_move(struct tcm_pr_state *st, struct tcm_pr_reg *self,
				  const struct tcm_pr_op *op)
{
	struct tcm_pr_reg *dest;

	if (!st->type)
		return TCM_INVALID_FIELD_CDB;
	if (tcm_pr_all_registrants(st->type) || !tcm_pr_is_holder(st, self))
		return TCM_RESERVATION_CONFLICT;
	dest = tcm_pr_find_reg(st, op->others);
	if (!op->sa_key || dest == self)
		return TCM_INVALID_FIELD_PARAM;
	if (!dest) {
		if (!tcm_pr_add(st, op->others))
			return TCM_INSUFFICIENT_REG_RESOURCES;
		dest = &st->reg[st->n - 1];
	}
	st->generation++;
	st->aptpl = op->aptpl;
	dest->key = op->sa_key;
	st->holder = dest - st->reg;
	self->gone = op->unreg;
	return TCM_OK;
}

/* REPLACE LOST RESERVATION, SPC-4 5.13.11.3: nobody is told, and PRGENERATION begins anew. */
static enum tcm_sense tcm_pr_replace(struct tcm_pr_state *st, const struct tcm_pr_op *op)
{
	unsigned int i;

	if (!st->lost)
		return TCM_INVALID_RELEASE;
	/* Never RESERVATION CONFLICT while it is lost (SPC-4 5.13.5.3.2) */
	if (op->key || !op->sa_key)
		return TCM_INVALID_FIELD_PARAM;
	for (i = 0; i < st->n; i++)
		st->reg[i].gone = true;
	st->generation = 0;
	if (!tcm_pr_add(st, &op->self))
		return TCM_INSUFFICIENT_REG_RESOURCES;
	st->reg[st->n - 1].key = op->sa_key;
	st->type = op->type;
	st->holder = tcm_pr_all_registrants(op->type) ? -1 : st->n - 1;
	st->aptpl = op->aptpl;
	st->lost = false;
	return TCM_OK;
}

enum tcm_sense tcm_pr_apply(struct tcm_pr_state *st, const struct tcm_pr_op *op)
{
	struct tcm_pr_reg *self;

	if (op->sa == TCM_PR_REGISTER || op->sa == TCM_PR_REGISTER_AND_IGNORE)
		return tcm_pr_register(st, op);
	if (op->sa == TCM_PR_REPLACE_LOST)
		return tcm_pr_replace(st, op);

	self = tcm_pr_find_reg(st, &op->self);
	if (!self || self->key != op->key)
		return TCM_RESERVATION_CONFLICT;
	switch (op->sa) {
	case TCM_PR_RESERVE:
		return tcm_pr_reserve(st, self, op);
	case TCM_PR_RELEASE:
		return tcm_pr_release(st, self, op);
	case TCM_PR_CLEAR:
		return tcm_pr_clear(st, self);
	case TCM_PR_PREEMPT:
	case TCM_PR_PREEMPT_AND_ABORT:
		return tcm_pr_preempt(st, self, op);
	case TCM_PR_REGISTER_AND_MOVE:
		return tcm_pr_move(st, self, op);
	default:
		return TCM_INVALID_FIELD_CDB;
	}
}

void tcm_pr_compact(struct tcm_pr_state *st)
{
	unsigned int from, to = 0;
	int holder = -1;

	for (from = 0; from < st->n; from++) {
		if (st->reg[from].gone)
			continue;
		if (st->holder == from)
			holder = to;
		if (from != to)
			st->reg[to] = st->reg[from];
		st->reg[to++].tell = 0;
	}
	st->n = to;
	st->holder = holder;
}

/* One registration is its names and less than 300 bytes around them. */
#define TCM_PR_TEXT_REG		(2 * TCM_NAME_MAX + 2 * TCM_PR_FABRIC_MAX + 384)

size_t tcm_pr_text_size(const struct tcm_pr_state *st)
{
	return (size_t)st->n * TCM_PR_TEXT_REG + 64;
}

static size_t tcm_pr_text_reg(const struct tcm_pr_state *st, const struct tcm_pr_reg *reg,
			      unsigned int number, char *buf, size_t size)
{
	const struct tcm_pr_nexus *n = &reg->nexus;
	bool holder = tcm_pr_is_holder(st, reg);
	size_t len;

	len = scnprintf(buf, size, "PR_REG_START: %u\ninitiator_fabric=%s\ninitiator_node=%s\n",
			number, n->fabric, n->initiator);
	if (n->has_isid)
		len += scnprintf(buf + len, size - len, "initiator_sid=%*phN\n", TCM_PR_ISID_LEN,
				 n->isid);
	len += scnprintf(buf + len, size - len, "sa_res_key=%llu\nres_holder=%d\n", reg->key,
			 holder);
	if (holder)
		len += scnprintf(buf + len, size - len, "res_type=%02x\nres_scope=00\n", st->type);
	len += scnprintf(buf + len, size - len,
			 "res_all_tg_pt=%d\nmapped_lun=%llu\ntarget_fabric=%s\ntarget_node=%s\n"
			 "tpgt=%u\nport_rtpi=%u\ntarget_lun=%llu\nPR_REG_END: %u\n",
			 reg->all_tg_pt, reg->mapped_lun, n->fabric, n->target, n->tpgt,
			 reg->rtpi, reg->target_lun, number);
	return len;
}

#define TCM_PR_TEXT_NONE	"No Registrations or Reservations\n"
/* What tcm_pr_text_whole() finds damaged, and who restores finds none in */
#define TCM_PR_TEXT_LOST	"PR_REG_START: 0\n"

size_t tcm_pr_text(const struct tcm_pr_state *st, char *buf, size_t size)
{
	unsigned int i, number = 0;
	size_t len = 0;

	for (i = 0; st->aptpl && i < st->n; i++)
		if (!st->reg[i].gone)
			len += tcm_pr_text_reg(st, &st->reg[i], number++, buf + len, size - len);
	if (!len)
		len = scnprintf(buf, size, st->lost ? TCM_PR_TEXT_LOST : TCM_PR_TEXT_NONE);
	return len;
}

/* One registration, and what follows it; NULL: it is none. */
static const char *tcm_pr_text_skip(const char *p)
{
	static const char *const parts[] = {
		"PR_REG_START: ", "\ninitiator_node=", "\nsa_res_key=", "\ntarget_node=", "\ntpgt=",
		"\nPR_REG_END: ",
	};
	const char *end = strstr(p, parts[ARRAY_SIZE(parts) - 1]), *at;
	unsigned int i;

	if (!end || strncmp(p, parts[0], strlen(parts[0])))
		return NULL;
	for (i = 1; i < ARRAY_SIZE(parts); i++) {
		at = strstr(p, parts[i]);
		if (!at || at > end)
			return NULL;
	}
	end = strchr(end + 1, '\n');
	return end ? end + 1 : NULL;
}

bool tcm_pr_text_whole(const char *text)
{
	/* The stock target may have written it, with another end. */
	if (!strncmp(text, TCM_PR_TEXT_NONE, strlen(TCM_PR_TEXT_NONE) - 1))
		return true;
	if (!*text)
		return false;
	while (text && *text)
		text = tcm_pr_text_skip(text);
	return text;
}
