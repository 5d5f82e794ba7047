// SPDX-License-Identifier: GPL-2.0-only
/*
 * Text requests in the full feature phase (RFC 7143 sections 11.10, 11.11): SendTargets and the
 * keys that may be negotiated again. Both directions may take several PDUs.
 */
#include <linux/slab.h>
#include <net/ipv6.h>
#include "iscsi.h"

static bool tcm_isc_wildcard(const struct sockaddr_storage *addr)
{
	if (addr->ss_family == AF_INET)
		return !((const struct sockaddr_in *)addr)->sin_addr.s_addr;
	return ipv6_addr_any(&((const struct sockaddr_in6 *)addr)->sin6_addr);
}

/* Can the initiator that asks on @conn get there? */
static bool tcm_isc_portal_here(const struct tcm_isc_conn *conn, const struct tcm_isc_np *inp)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&conn->local;

	if (!net_eq(inp->listener->net, sock_net(conn->sock->sk)))
		return false;
	/* All of IPv4, and it came by IPv6: nobody listens where it is. */
	return !tcm_isc_wildcard(&inp->listener->addr) ||
	       inp->listener->addr.ss_family != AF_INET || conn->local.ss_family == AF_INET ||
	       ipv6_addr_v4mapped(&in6->sin6_addr);
}

/* A portal that listens everywhere is where the initiator has found it. */
static void tcm_isc_say_portal(struct tcm_isc_conn *conn, const struct tcm_isc_np *inp,
			       struct tcm_isc_text *out)
{
	const struct sockaddr_storage *addr = &inp->listener->addr;
	struct sockaddr_storage here = conn->local;
	char text[64];

	if (tcm_isc_wildcard(addr)) {
		if (here.ss_family == AF_INET)
			((struct sockaddr_in *)&here)->sin_port =
				((const struct sockaddr_in *)addr)->sin_port;
		else
			((struct sockaddr_in6 *)&here)->sin6_port =
				((const struct sockaddr_in6 *)addr)->sin6_port;
		addr = &here;
	}
	tcm_isc_addr_print(addr, true, text, sizeof(text));
	tcm_isc_text_addf(out, "TargetAddress", "%s,%u", text, inp->itpg->tag);
}

static bool tcm_isc_may_see(struct tcm_isc_tpg *itpg, const char *name)
{
	bool may;

	mutex_lock(&itpg->lock);
	may = !itpg->dead && (itpg->enabled || !itpg->attrib.tpg_enabled_sendtargets) &&
		(itpg->attrib.generate_node_acls || itpg->attrib.demo_mode_discovery ||
		 tcm_isc_acl_find(itpg, name));
	mutex_unlock(&itpg->lock);
	return may;
}

static void tcm_isc_say_target(struct tcm_isc_conn *conn, struct tcm_isc_target *target,
			       struct tcm_isc_text *out)
{
	struct tcm_isc_tpg *itpg;
	struct tcm_isc_np *inp;
	bool said = false;

	lockdep_assert_held(&tcm_isc_lock);
	list_for_each_entry(itpg, &target->tpgs, node) {
		if (list_empty(&itpg->nps) || !tcm_isc_may_see(itpg, conn->isess->name))
			continue;
		list_for_each_entry(inp, &itpg->nps, tnode) {
			if (!tcm_isc_portal_here(conn, inp))
				continue;
			if (!said)
				tcm_isc_text_add(out, "TargetName", target->wwn->name);
			said = true;
			tcm_isc_say_portal(conn, inp, out);
		}
	}
}

/* Appendix C: All in discovery sessions, a name, or nothing for the target of this session */
static void tcm_isc_send_targets(struct tcm_isc_conn *conn, const char *which,
				 struct tcm_isc_text *out)
{
	struct tcm_isc_session *isess = conn->isess;
	struct tcm_isc_target *target;
	bool all = !strcmp(which, "All");

	if ((all && isess->itpg) || (!*which && !isess->itpg)) {
		tcm_isc_text_add(out, "SendTargets", "Reject");
		return;
	}
	mutex_lock(&tcm_isc_lock);
	list_for_each_entry(target, &tcm_isc_targets, node) {
		if (isess->itpg && target != isess->itpg->target)
			continue;
		if (!all && *which && strcasecmp(target->wwn->name, which))
			continue;
		tcm_isc_say_target(conn, target, out);
	}
	mutex_unlock(&tcm_isc_lock);
}

static int tcm_isc_text_key(struct tcm_isc_conn *conn, const char *key, const char *value,
			    struct tcm_isc_text *out)
{
	enum tcm_isc_key k = tcm_isc_key_find(key);

	if (k == TCM_ISC_K_SEND_TARGETS) {
		tcm_isc_send_targets(conn, value, out);
	} else if (k < TCM_ISC_K_VALUES) {
		return tcm_isc_nego_key(&conn->nego, k, value, out);
	} else if (k == TCM_ISC_K_INITIATOR_ALIAS) {
		strscpy(conn->isess->alias, value, sizeof(conn->isess->alias));
		tcm_isc_text_tame(conn->isess->alias);
	} else if (k == TCM_ISC_K_UNKNOWN) {
		if (strcmp(value, "NotUnderstood"))
			tcm_isc_text_add(out, key, "NotUnderstood");
	} else {
		tcm_isc_text_add(out, key, "Reject");
	}
	return 0;
}

static int tcm_isc_text_work(struct tcm_isc_conn *conn, struct tcm_isc_text *out)
{
	char *pos = conn->text_in, *key, *value;
	bool listed = false;
	int ret;

	while ((ret = tcm_isc_text_next(&pos, conn->text_in + conn->text_in_len, &key,
					&value)) > 0) {
		/* 6.2: a key once. Of this one each would cost a list of all there is. */
		if (tcm_isc_key_find(key) == TCM_ISC_K_SEND_TARGETS) {
			if (listed)
				return -EINVAL;
			listed = true;
		}
		if (tcm_isc_text_key(conn, key, value, out))
			return -EINVAL;
	}
	return ret;
}

/* What was to be answered has been; the negotiation may go on. */
static void tcm_isc_text_said(struct tcm_isc_conn *conn)
{
	conn->text_in_len = 0;
	conn->text_out_len = 0;
	conn->text_out_pos = 0;
	kvfree(conn->text_out);
	conn->text_out = NULL;
}

static void tcm_isc_text_reset(struct tcm_isc_conn *conn)
{
	tcm_isc_text_said(conn);
	conn->text_ttt = U32_MAX;
}

/* All targets of a large machine: the buffer grows until the answer fits. */
static int tcm_isc_text_answer(struct tcm_isc_conn *conn)
{
	struct tcm_isc_text out = { .size = TCM_ISC_LOGIN_TEXT_MAX };
	char *copy;
	int err;

	copy = kvmalloc(TCM_ISC_LOGIN_TEXT_MAX, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, conn->text_in, conn->text_in_len);
	for (;;) {
		out.len = 0;
		out.overflow = false;
		out.buf = kvmalloc(out.size, GFP_KERNEL);
		err = out.buf ? tcm_isc_text_work(conn, &out) : -ENOMEM;
		/* A list that ends before its end would pass for all there is. */
		if (!err && out.overflow && out.size >= TCM_ISC_TEXT_RSP_MAX)
			err = -E2BIG;
		if (err || !out.overflow)
			break;
		kvfree(out.buf);
		out.size *= 4;
		memcpy(conn->text_in, copy, conn->text_in_len);
		conn->nego.seen = 0;
	}
	kvfree(copy);
	if (err) {
		kvfree(out.buf);
		return err;
	}
	conn->text_out = out.buf;
	conn->text_out_len = out.len;
	conn->text_out_pos = 0;
	conn->text_in_len = 0;
	return 0;
}

static void tcm_isc_text_respond(struct tcm_isc_conn *conn, const struct tcm_isc_bhs *req, bool ack)
{
	u32 left = conn->text_out_len - conn->text_out_pos;
	u32 n = ack ? 0 : min3(left, conn->nego.val[TCM_ISC_K_MAX_RECV], 16384U);
	struct tcm_isc_msg *msg = tcm_isc_msg_new(conn, TCM_ISC_TEXT_RSP, n);
	bool all = !ack && n == left;

	if (!msg)
		return;
	msg->bhs.lun = req->lun;
	msg->bhs.itt = req->itt;
	if (n)
		memcpy(msg->data, conn->text_out + conn->text_out_pos, n);
	conn->text_out_pos += n;
	if (all && (req->flags & TCM_ISC_F)) {
		msg->bhs.word5 = TCM_ISC_NO_TAG;
		tcm_isc_text_reset(conn);
	} else {
		/* 11.11.1, 11.11.2: more to come, from here or from there, by this tag */
		msg->bhs.flags = ack || all ? 0 : TCM_ISC_C;
		conn->text_ttt = conn->text_ttt == U32_MAX ? 1 : conn->text_ttt;
		msg->bhs.word5 = cpu_to_be32(conn->text_ttt);
		if (all)
			tcm_isc_text_said(conn);
	}
	tcm_isc_msg_send(conn, msg);
}

static int tcm_isc_text_collect(struct tcm_isc_conn *conn)
{
	u32 dsl = conn->rx.dsl;

	if (!conn->text_in)
		conn->text_in = kvmalloc(TCM_ISC_LOGIN_TEXT_MAX, GFP_KERNEL);
	if (!conn->text_in)
		return -ENOMEM;
	if (dsl > TCM_ISC_LOGIN_TEXT_MAX - conn->text_in_len)
		return -E2BIG;
	if (dsl)
		memcpy(conn->text_in + conn->text_in_len, conn->rx.buf, dsl);
	conn->text_in_len += dsl;
	return 0;
}

void tcm_isc_text_pdu(struct tcm_isc_conn *conn)
{
	const struct tcm_isc_bhs *req = (const struct tcm_isc_bhs *)conn->rx.hdr;
	bool more = req->flags & TCM_ISC_C;

	/* 11.10.4: without a tag the initiator begins anew. */
	if (req->word5 == TCM_ISC_NO_TAG) {
		if (!conn->text_in_len || conn->text_out)
			tcm_isc_text_reset(conn);
	} else if (be32_to_cpu(req->word5) != conn->text_ttt) {
		tcm_isc_reject(conn, TCM_ISC_REJ_PROTOCOL);
		return;
	}
	if (((req->flags & TCM_ISC_F) && more) || tcm_isc_text_collect(conn)) {
		tcm_isc_text_reset(conn);
		tcm_isc_reject(conn, TCM_ISC_REJ_PROTOCOL);
		return;
	}
	if (more) {
		tcm_isc_text_respond(conn, req, true);
		return;
	}
	if (!conn->text_out && tcm_isc_text_answer(conn)) {
		tcm_isc_text_reset(conn);
		tcm_isc_reject(conn, TCM_ISC_REJ_PROTOCOL);
		return;
	}
	tcm_isc_text_respond(conn, req, false);
}
