// SPDX-License-Identifier: GPL-2.0-only
/*
 * Text requests in the full feature phase (RFC 7143 sections 11.10, 11.11): SendTargets and the
 * keys that may be negotiated again. Both directions may take several PDUs.
 */
#include <linux/slab.h>
#include <net/ipv6.h>
#include "iscsi.h"

static bool isc_wildcard(const struct sockaddr_storage *addr)
{
	if (addr->ss_family == AF_INET)
		return !((const struct sockaddr_in *)addr)->sin_addr.s_addr;
	return ipv6_addr_any(&((const struct sockaddr_in6 *)addr)->sin6_addr);
}

/* A portal that listens everywhere is where the initiator has found it. */
static void isc_say_portal(struct isc_conn *conn, const struct isc_np *inp, struct isc_text *out)
{
	const struct sockaddr_storage *addr = &inp->listener->addr;
	struct sockaddr_storage here = conn->local;
	char text[64];

	if (isc_wildcard(addr)) {
		if (here.ss_family == AF_INET)
			((struct sockaddr_in *)&here)->sin_port =
				((const struct sockaddr_in *)addr)->sin_port;
		else
			((struct sockaddr_in6 *)&here)->sin6_port =
				((const struct sockaddr_in6 *)addr)->sin6_port;
		addr = &here;
	}
	isc_addr_print(addr, true, text, sizeof(text));
	isc_text_addf(out, "TargetAddress", "%s,%u", text, inp->itpg->tpg->tag);
}

static bool isc_may_see(struct isc_tpg *itpg, const char *name)
{
	bool may;

	mutex_lock(&itpg->lock);
	may = !itpg->dead && (itpg->enabled || !itpg->attrib.tpg_enabled_sendtargets) &&
		(itpg->attrib.generate_node_acls || itpg->attrib.demo_mode_discovery ||
		 isc_acl_find(itpg, name));
	mutex_unlock(&itpg->lock);
	return may;
}

static void isc_say_target(struct isc_conn *conn, struct isc_target *target, struct isc_text *out)
{
	struct isc_tpg *itpg;
	struct isc_np *inp;
	bool said = false;

	lockdep_assert_held(&isc_lock);
	list_for_each_entry(itpg, &target->tpgs, node) {
		if (list_empty(&itpg->nps) || !isc_may_see(itpg, conn->isess->name))
			continue;
		if (!said)
			isc_text_add(out, "TargetName", target->wwn->name);
		said = true;
		list_for_each_entry(inp, &itpg->nps, tnode)
			isc_say_portal(conn, inp, out);
	}
}

/* Appendix C: All in discovery sessions, a name, or nothing for the target of this session */
static void isc_send_targets(struct isc_conn *conn, const char *which, struct isc_text *out)
{
	struct isc_session *isess = conn->isess;
	struct isc_target *target;
	bool all = !strcmp(which, "All");

	if ((all && isess->itpg) || (!*which && !isess->itpg)) {
		isc_text_add(out, "SendTargets", "Reject");
		return;
	}
	mutex_lock(&isc_lock);
	list_for_each_entry(target, &isc_targets, node) {
		if (isess->itpg && target != isess->itpg->target)
			continue;
		if (!all && *which && strcasecmp(target->wwn->name, which))
			continue;
		isc_say_target(conn, target, out);
	}
	mutex_unlock(&isc_lock);
}

static int isc_text_key(struct isc_conn *conn, const char *key, const char *value,
			struct isc_text *out)
{
	enum isc_key k = isc_key_find(key);

	if (k == ISC_K_SEND_TARGETS) {
		isc_send_targets(conn, value, out);
	} else if (k < ISC_K_VALUES) {
		return isc_nego_key(&conn->isess->nego, k, value, out);
	} else if (k == ISC_K_INITIATOR_ALIAS) {
		strscpy(conn->isess->alias, value, sizeof(conn->isess->alias));
	} else if (k == ISC_K_UNKNOWN) {
		if (strcmp(value, "NotUnderstood"))
			isc_text_add(out, key, "NotUnderstood");
	} else {
		isc_text_add(out, key, "Reject");
	}
	return 0;
}

static int isc_text_work(struct isc_conn *conn, struct isc_text *out)
{
	char *pos = conn->text_in, *key, *value;
	int ret;

	while ((ret = isc_text_next(&pos, conn->text_in + conn->text_in_len, &key, &value)) > 0) {
		if (isc_text_key(conn, key, value, out))
			return -EINVAL;
	}
	return ret;
}

static void isc_text_reset(struct isc_conn *conn)
{
	conn->text_in_len = 0;
	conn->text_out_len = 0;
	conn->text_out_pos = 0;
	conn->text_ttt = U32_MAX;
	kvfree(conn->text_out);
	conn->text_out = NULL;
}

/* All targets of a large machine: the buffer grows until the answer fits. */
static int isc_text_answer(struct isc_conn *conn)
{
	struct isc_text out = { .size = ISC_LOGIN_TEXT_MAX };
	char *copy;
	int err;

	copy = kvmalloc(ISC_LOGIN_TEXT_MAX, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, conn->text_in, conn->text_in_len);
	for (;;) {
		out.len = 0;
		out.overflow = false;
		out.buf = kvmalloc(out.size, GFP_KERNEL);
		err = out.buf ? isc_text_work(conn, &out) : -ENOMEM;
		if (err || !out.overflow || out.size >= ISC_TEXT_RSP_MAX)
			break;
		kvfree(out.buf);
		out.size *= 4;
		memcpy(conn->text_in, copy, conn->text_in_len);
		conn->isess->nego.seen = 0;
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

static void isc_text_respond(struct isc_conn *conn, const struct isc_bhs *req, bool ack)
{
	u32 left = conn->text_out_len - conn->text_out_pos;
	u32 n = ack ? 0 : min3(left, conn->isess->nego.val[ISC_K_MAX_RECV], 16384U);
	struct isc_msg *msg = isc_msg_new(conn, ISC_TEXT_RSP, n);
	bool last = !ack && n == left;

	if (!msg)
		return;
	msg->bhs.lun = req->lun;
	msg->bhs.itt = req->itt;
	if (n)
		memcpy(msg->data, conn->text_out + conn->text_out_pos, n);
	conn->text_out_pos += n;
	if (last) {
		msg->bhs.word5 = ISC_NO_TAG;
		isc_text_reset(conn);
	} else {
		/* 11.11.1, 11.11.2: more to come, by this tag */
		msg->bhs.flags = ack ? 0 : ISC_C;
		conn->text_ttt = conn->text_ttt == U32_MAX ? 1 : conn->text_ttt;
		msg->bhs.word5 = cpu_to_be32(conn->text_ttt);
	}
	isc_msg_send(conn, msg);
}

static int isc_text_collect(struct isc_conn *conn)
{
	u32 dsl = conn->rx.dsl;

	if (!conn->text_in)
		conn->text_in = kvmalloc(ISC_LOGIN_TEXT_MAX, GFP_KERNEL);
	if (!conn->text_in)
		return -ENOMEM;
	if (dsl > ISC_LOGIN_TEXT_MAX - conn->text_in_len)
		return -E2BIG;
	if (dsl)
		memcpy(conn->text_in + conn->text_in_len, conn->rx.buf, dsl);
	conn->text_in_len += dsl;
	return 0;
}

void isc_text_pdu(struct isc_conn *conn)
{
	const struct isc_bhs *req = (const struct isc_bhs *)conn->rx.hdr;
	bool more = req->flags & ISC_C;

	/* 11.10.4: without a tag the initiator begins anew. */
	if (req->word5 == ISC_NO_TAG) {
		if (!conn->text_in_len || conn->text_out)
			isc_text_reset(conn);
	} else if (be32_to_cpu(req->word5) != conn->text_ttt) {
		isc_reject(conn, ISC_REJ_PROTOCOL);
		return;
	}
	if (((req->flags & ISC_F) && more) || isc_text_collect(conn)) {
		isc_text_reset(conn);
		isc_reject(conn, ISC_REJ_PROTOCOL);
		return;
	}
	if (more) {
		isc_text_respond(conn, req, true);
		return;
	}
	if (!conn->text_out && isc_text_answer(conn)) {
		isc_text_reset(conn);
		isc_reject(conn, ISC_REJ_PROTOCOL);
		return;
	}
	isc_text_respond(conn, req, false);
}
