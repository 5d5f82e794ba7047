// SPDX-License-Identifier: GPL-2.0-only
/*
 * Login (RFC 7143 section 6.3): a state machine for each connection, fed by its owner, with a
 * deadline of its own.
 */
#include <linux/slab.h>
#include "iscsi.h"

#define TCM_ISC_STAGE_SECURITY	0
#define TCM_ISC_STAGE_OPERATIONAL	1
#define TCM_ISC_STAGE_FFP		3
#define TCM_ISC_LOGIN_PAIRS		96
#define TCM_ISC_LOGIN_CHUNK		8192	/* 13.12: the initiator's default */
#define TCM_ISC_LOGIN_ROUNDS	64

struct tcm_isc_pair {
	enum tcm_isc_key	key;
	const char	*name, *value;
};

struct tcm_isc_login {
	struct tcm_isc_nego	nego;
	struct tcm_isc_auth	auth;
	struct tcm_isc_acl_attrib acl_attrib;
	struct tcm_isc_tpg	*itpg;
	struct tcm_isc_chap	*chap;
	struct tcm_isc_session *isess;
	struct tcm_isc_text	out;
	u32		out_pos;
	char		*text;
	u32		text_len;
	u8		stage, nsg;
	bool		first, transit, known, op_said, has_acl;
	bool		auth_required, auth_done;
	bool		lenient;	/* login_keys_workaround */
	enum tcm_demo	demo;
	u32		depth, max_xmit, cmdsn;
	u16		cid, tsih;
	u8		isid[6];
	__be32		itt;
	unsigned int	rounds;
	char		name[TCM_NAME_MAX], alias[TCM_ISC_ALIAS_MAX], target[TCM_NAME_MAX];
	struct tcm_isc_pair	pairs[TCM_ISC_LOGIN_PAIRS];
	unsigned int	nr_pairs;
};

int tcm_isc_login_begin(struct tcm_isc_conn *conn)
{
	conn->state = TCM_ISC_CS_LOGIN;
	return 0;
}

static int tcm_isc_login_alloc(struct tcm_isc_conn *conn)
{
	struct tcm_isc_login *login = kvzalloc(sizeof(*login), GFP_KERNEL);

	if (!login)
		return -ENOMEM;
	login->out.buf = kvmalloc(TCM_ISC_LOGIN_TEXT_MAX, GFP_KERNEL);
	login->text = kvmalloc(TCM_ISC_LOGIN_TEXT_MAX, GFP_KERNEL);
	conn->login = login;
	if (!login->out.buf || !login->text)
		return -ENOMEM;
	login->out.size = TCM_ISC_LOGIN_TEXT_MAX;
	login->first = true;
	return 0;
}

void tcm_isc_login_end(struct tcm_isc_conn *conn)
{
	struct tcm_isc_login *login = conn->login;

	if (!login)
		return;
	conn->login = NULL;
	if (login->isess)
		tcm_isc_session_put(login->isess);
	if (login->itpg)
		tcm_isc_tpg_put(login->itpg);
	tcm_isc_chap_free(login->chap);
	kvfree(login->out.buf);
	kvfree(login->text);
	kvfree_sensitive(login, sizeof(*login));
}

/* ---- how it ends ---- */

static void tcm_isc_count_failure(struct tcm_isc_stats *stats, u32 status)
{
	switch (status) {
	case TCM_ISC_LOGIN_AUTH_FAILED:
		atomic_inc(&stats->authenticate_fails);
		break;
	case TCM_ISC_LOGIN_FORBIDDEN:
		atomic_inc(&stats->authorize_fails);
		break;
	case TCM_ISC_LOGIN_INITIATOR:
	case TCM_ISC_LOGIN_MISSING:
		atomic_inc(&stats->negotiate_fails);
		break;
	default:
		atomic_inc(&stats->other_fails);
		break;
	}
	atomic_inc(&stats->login_fails);
}

void tcm_isc_login_failed(struct tcm_isc_tpg *itpg, struct tcm_isc_conn *conn, u32 status,
			  const char *name)
{
	struct tcm_isc_stats *stats;

	if (!itpg)
		return;
	stats = &itpg->target->stats;
	if (status == TCM_ISC_LOGIN_MOVED_TEMP || status == TCM_ISC_LOGIN_MOVED_PERM) {
		atomic_inc(&stats->redirects);
		return;
	}
	tcm_isc_count_failure(stats, status);
	mutex_lock(&tcm_isc_lock);
	stats->last_fail_time = get_jiffies_64();
	stats->last_fail_type = status;
	strscpy(stats->fail_name, name, sizeof(stats->fail_name));
	stats->fail_addr = conn->peer;
	mutex_unlock(&tcm_isc_lock);
}

static struct tcm_isc_msg *tcm_isc_login_msg(struct tcm_isc_conn *conn, u32 len)
{
	struct tcm_isc_login *login = conn->login;
	struct tcm_isc_msg *msg = tcm_isc_msg_new(conn, TCM_ISC_LOGIN_RSP, len);

	if (!msg)
		return NULL;
	msg->login.flags = 0;
	memcpy(msg->login.isid, login->isid, sizeof(login->isid));
	msg->login.itt = login->itt;
	msg->login.exp_sn = cpu_to_be32(login->cmdsn);
	msg->login.max_cmdsn = cpu_to_be32(login->cmdsn);
	/* Of a session that is there already it is not for the new connection to say. */
	if (login->tsih && login->isess) {
		msg->login.exp_sn = cpu_to_be32(READ_ONCE(login->isess->exp_cmdsn));
		msg->login.max_cmdsn = cpu_to_be32(READ_ONCE(login->isess->max_cmdsn));
	}
	return msg;
}

static void tcm_isc_login_refuse(struct tcm_isc_conn *conn, u32 status)
{
	struct tcm_isc_login *login = conn->login;
	bool moved = status >> 8 == TCM_ISC_LOGIN_MOVED_TEMP >> 8;
	/* Where to is all that such a response says. */
	u32 len = moved ? login->out.len : 0;
	struct tcm_isc_msg *msg = tcm_isc_login_msg(conn, len);

	tcm_isc_login_failed(login->itpg, conn, status, login->name);
	if (msg && len)
		memcpy(msg->data, login->out.buf, len);
	if (!moved)
		pr_info_ratelimited("tcm: iSCSI login of %*pE from %pISpc to %*pE refused, status %04x\n",
				    (int)strlen(login->name), login->name, &conn->peer,
				    (int)strlen(login->target), login->target, status);
	if (!msg)
		return;
	msg->login.flags = login->stage << 2;
	msg->login.status_class = status >> 8;
	msg->login.status_detail = status & 0xff;
	/* 11.13.5: no sequence numbers then, but StatSN */
	msg->close = true;
	tcm_isc_msg_send(conn, msg);
}

/* The timer: a login that is not done by now never was meant. */
void tcm_isc_login_late(struct tcm_isc_conn *conn)
{
	struct tcm_isc_login *login = conn->login;

	if (login && login->itpg)
		tcm_isc_login_failed(login->itpg, conn, TCM_ISC_LOGIN_TARGET, login->name);
	tcm_isc_conn_quit(conn, "login took too long");
}

/* The last response is sent: the session begins. */
void tcm_isc_login_sent(struct tcm_isc_conn *conn)
{
	struct tcm_isc_session *isess = conn->isess;
	u32 secs = isess->tsess ? isess->attrib.nopin_timeout : TCM_ISC_DISCOVERY_SECONDS;

	conn->hdigest = conn->nego.val[TCM_ISC_K_HEADER_DIGEST] == TCM_ISC_DIGEST_CRC32C;
	conn->ddigest = conn->nego.val[TCM_ISC_K_DATA_DIGEST] == TCM_ISC_DIGEST_CRC32C;
	conn->erl = conn->nego.val[TCM_ISC_K_ERL];
	conn->special = conn->erl || tcm_isc_shuffles(isess);
	conn->alone = false;
	conn->state = TCM_ISC_CS_FFP;
	/* Discovery sessions stay among those that may have to go for others. */
	if (isess->tsess)
		tcm_isc_half_open_end(conn);
	tcm_isc_login_end(conn);
	cancel_delayed_work(&conn->tick);
	conn->tick_on = false;
	clear_bit(TCM_ISC_CF_TICK, &conn->flags);
	if (secs)
		tcm_isc_tick_in(conn, secs * HZ);
}

/* ---- who logs in where ---- */

static struct tcm_isc_tpg *tcm_isc_find_tpg(struct tcm_isc_conn *conn, const char *target,
					    bool *known)
{
	struct tcm_isc_tpg *found = NULL;
	struct tcm_isc_np *inp;

	mutex_lock(&tcm_isc_lock);
	list_for_each_entry(inp, &conn->listener->nps, lnode) {
		if (strcasecmp(inp->itpg->target->wwn->name, target))
			continue;
		*known = true;
		if (!READ_ONCE(inp->itpg->enabled))
			continue;
		found = inp->itpg;
		kref_get(&found->ref);
		break;
	}
	mutex_unlock(&tcm_isc_lock);
	return found;
}

static void tcm_isc_login_demo(struct tcm_isc_login *login, const struct tcm_isc_tpg_attrib *attrib)
{
	login->depth = attrib->default_cmdsn_depth;
	login->acl_attrib = tcm_isc_acl_default;
	login->acl_attrib.default_erl = attrib->default_erl;
	login->auth = login->itpg->auth;
	if (!attrib->generate_node_acls)
		login->demo = TCM_DEMO_NONE;
	else
		login->demo = attrib->demo_mode_write_protect ? TCM_DEMO_READ_ONLY :
			TCM_DEMO_READ_WRITE;
}

/*
 * The parameter is 8192 unless somebody has set it, which would cut every write into pieces of that
 * size. Data goes straight to its place, so that as much is taken as is sent.
 */
static u32 tcm_isc_tpg_max_recv(const struct tcm_isc_tpg *itpg)
{
	if (itpg->max_recv == TCM_ISC_MAX_RECV_DEFAULT)
		return max(itpg->max_recv, itpg->max_xmit);
	return itpg->max_recv;
}

/* Access, secrets and limits, as they are at this moment */
static u32 tcm_isc_login_rights(struct tcm_isc_login *login)
{
	struct tcm_isc_tpg *itpg = login->itpg;
	struct tcm_isc_acl *iacl;

	mutex_lock(&tcm_isc_lock);
	mutex_lock(&itpg->lock);
	iacl = tcm_isc_acl_find(itpg, login->name);
	login->has_acl = iacl;
	if (iacl) {
		login->demo = TCM_DEMO_NONE;
		login->depth = iacl->acl->queue_depth;
		login->acl_attrib = iacl->attrib;
		login->auth = iacl->auth;
	} else {
		tcm_isc_login_demo(login, &itpg->attrib);
	}
	mutex_unlock(&itpg->lock);
	tcm_isc_nego_init(&login->nego, &itpg->offer);
	login->nego.offer.val[TCM_ISC_K_MAX_RECV] = tcm_isc_tpg_max_recv(itpg);
	/* The level is said in two places: the higher one is meant, as far as it is there. */
	login->nego.offer.val[TCM_ISC_K_ERL] =
		clamp(login->nego.offer.val[TCM_ISC_K_ERL], login->acl_attrib.default_erl,
		      (u32)TCM_ISC_ERL_MAX);
	login->nego.offer.val[TCM_ISC_K_MAX_CONNECTIONS] =
		min_t(u32, login->nego.offer.val[TCM_ISC_K_MAX_CONNECTIONS], TCM_ISC_CONNS_MAX);
	login->max_xmit = min_t(u32, itpg->max_xmit, TCM_ISC_XMIT_MAX);
	login->lenient = itpg->attrib.login_keys_workaround;
	login->auth_required = login->acl_attrib.authentication >= 0 ?
		login->acl_attrib.authentication : !tcm_isc_list_has(itpg->auth_method, "None");
	mutex_unlock(&tcm_isc_lock);
	return iacl || login->demo != TCM_DEMO_NONE ? TCM_ISC_LOGIN_OK : TCM_ISC_LOGIN_FORBIDDEN;
}

/* A connection to a session that is there (6.3.1): what that has agreed on stands. */
static u32 tcm_isc_login_later(struct tcm_isc_login *login)
{
	struct tcm_isc_offer offer = login->nego.offer;

	login->isess = tcm_isc_session_find(login->itpg, login->name, login->isid, login->tsih);
	if (!login->isess)
		return TCM_ISC_LOGIN_NO_SESSION;
	login->nego = login->isess->nego;
	login->nego.offer = offer;
	login->nego.ffp = false;
	login->nego.later = true;
	login->nego.val[TCM_ISC_K_HEADER_DIGEST] = TCM_ISC_DIGEST_NONE;
	login->nego.val[TCM_ISC_K_DATA_DIGEST] = TCM_ISC_DIGEST_NONE;
	login->nego.val[TCM_ISC_K_MAX_RECV] = TCM_ISC_LOGIN_CHUNK;
	return TCM_ISC_LOGIN_OK;
}

static void tcm_isc_login_discovery(struct tcm_isc_login *login)
{
	struct tcm_isc_offer offer;

	tcm_isc_offer_init(&offer);
	tcm_isc_nego_init(&login->nego, &offer);
	login->nego.discovery = true;
	mutex_lock(&tcm_isc_lock);
	login->auth_required = tcm_isc_enforce_discovery_auth;
	login->auth = tcm_isc_discovery_auth;
	mutex_unlock(&tcm_isc_lock);
	login->depth = 8;
	login->max_xmit = TCM_ISC_LOGIN_CHUNK;
}

/* 11.13.5: the portal group's initiators are sent elsewhere. */
static u32 tcm_isc_login_moved(struct tcm_isc_login *login)
{
	struct tcm_isc_tpg *itpg = login->itpg;
	u32 status = TCM_ISC_LOGIN_OK;

	mutex_lock(&tcm_isc_lock);
	if (itpg->moved) {
		login->out.len = 0;
		tcm_isc_text_add(&login->out, "TargetAddress", itpg->moved_to);
		status = itpg->moved == 1 ? TCM_ISC_LOGIN_MOVED_TEMP : TCM_ISC_LOGIN_MOVED_PERM;
	}
	mutex_unlock(&tcm_isc_lock);
	return status;
}

/* The portal group is known, and with it how long a login may take. */
static void tcm_isc_login_limit(struct tcm_isc_conn *conn, u32 secs)
{
	unsigned long took = jiffies - conn->began;

	conn->tick_on = false;
	tcm_isc_tick_in(conn, took < secs * HZ ? secs * HZ - took : 0);
}

/* The first request must say who comes, and where to (6.3.1, 13.4 to 13.6, 13.21). */
static u32 tcm_isc_login_who(struct tcm_isc_conn *conn)
{
	struct tcm_isc_login *login = conn->login;
	const char *type = "Normal";
	bool known = false;
	unsigned int i;
	u32 status;

	for (i = 0; i < login->nr_pairs; i++) {
		const struct tcm_isc_pair *pair = &login->pairs[i];

		if (pair->key == TCM_ISC_K_INITIATOR_NAME)
			strscpy(login->name, pair->value, 224);
		else if (pair->key == TCM_ISC_K_INITIATOR_ALIAS)
			strscpy(login->alias, pair->value, sizeof(login->alias));
		else if (pair->key == TCM_ISC_K_TARGET_NAME)
			strscpy(login->target, pair->value, 224);
		else if (pair->key == TCM_ISC_K_SESSION_TYPE)
			type = pair->value;
	}
	if (!*login->name)
		return TCM_ISC_LOGIN_MISSING;
	if (!tcm_initiator_name_ok(login->name, strlen(login->name)) ||
	    !tcm_initiator_name_ok(login->target, strlen(login->target)))
		return TCM_ISC_LOGIN_INITIATOR;
	tcm_isc_text_tame(login->alias);
	login->known = true;
	if (!strcmp(type, "Discovery")) {
		if (login->tsih)
			return TCM_ISC_LOGIN_NO_SESSION;
		tcm_isc_login_discovery(login);
		return TCM_ISC_LOGIN_OK;
	}
	if (strcmp(type, "Normal"))
		return TCM_ISC_LOGIN_SESSION_TYPE;
	if (!*login->target)
		return TCM_ISC_LOGIN_MISSING;
	login->itpg = tcm_isc_find_tpg(conn, login->target, &known);
	if (!login->itpg)
		return known ? TCM_ISC_LOGIN_UNAVAILABLE : TCM_ISC_LOGIN_NOT_FOUND;
	tcm_isc_login_limit(conn, READ_ONCE(login->itpg->attrib.login_timeout));
	status = tcm_isc_login_moved(login);
	if (!status)
		status = tcm_isc_login_rights(login);
	if (!status && login->tsih)
		status = tcm_isc_login_later(login);
	return status;
}

/* ---- security stage ---- */

static u32 tcm_isc_login_method(struct tcm_isc_login *login, const char *list)
{
	bool none = tcm_isc_list_has(list, "None"), chap = tcm_isc_list_has(list, "CHAP");

	if (login->chap || login->auth_done)
		return TCM_ISC_LOGIN_INITIATOR;
	if (none && !login->auth_required) {
		tcm_isc_text_add(&login->out, "AuthMethod", "None");
		login->auth_done = true;
		return TCM_ISC_LOGIN_OK;
	}
	if (!chap || !tcm_isc_chap_able(&login->auth)) {
		tcm_isc_text_add(&login->out, "AuthMethod", "Reject");
		return TCM_ISC_LOGIN_AUTH_FAILED;
	}
	login->chap = tcm_isc_chap_new(&login->auth);
	if (!login->chap)
		return TCM_ISC_LOGIN_RESOURCES;
	tcm_isc_text_add(&login->out, "AuthMethod", "CHAP");
	return TCM_ISC_LOGIN_OK;
}

static u32 tcm_isc_login_security(struct tcm_isc_login *login)
{
	struct tcm_isc_chap_in in = { };
	const char *method = NULL;
	unsigned int i;
	u32 status;
	int ret;

	for (i = 0; i < login->nr_pairs; i++) {
		const struct tcm_isc_pair *pair = &login->pairs[i];

		switch (pair->key) {
		case TCM_ISC_K_AUTH_METHOD:
			method = pair->value;
			break;
		case TCM_ISC_K_CHAP_A:
			in.a = pair->value;
			break;
		case TCM_ISC_K_CHAP_N:
			in.n = pair->value;
			break;
		case TCM_ISC_K_CHAP_R:
			in.r = pair->value;
			break;
		case TCM_ISC_K_CHAP_I:
			in.i = pair->value;
			break;
		case TCM_ISC_K_CHAP_C:
			in.c = pair->value;
			break;
		default:
			break;
		}
	}
	if (method) {
		status = tcm_isc_login_method(login, method);
		if (status)
			return status;
	}
	if (in.a || in.n || in.r || in.i || in.c) {
		if (!login->chap || login->auth_done)
			return TCM_ISC_LOGIN_INITIATOR;
		ret = tcm_isc_chap_step(login->chap, &in, &login->out);
		if (ret < 0)
			return ret == -ENOMEM ? TCM_ISC_LOGIN_RESOURCES : TCM_ISC_LOGIN_AUTH_FAILED;
		login->auth_done = ret;
	}
	return TCM_ISC_LOGIN_OK;
}

/* ---- operational stage ---- */

static u32 tcm_isc_login_keys(struct tcm_isc_login *login)
{
	unsigned int i;

	for (i = 0; i < login->nr_pairs; i++) {
		const struct tcm_isc_pair *pair = &login->pairs[i];

		if (pair->key < TCM_ISC_K_VALUES) {
			if (tcm_isc_nego_key(&login->nego, pair->key, pair->value, &login->out))
				return TCM_ISC_LOGIN_INITIATOR;
		} else if (pair->key == TCM_ISC_K_UNKNOWN) {
			if (strcmp(pair->value, "NotUnderstood"))
				tcm_isc_text_add(&login->out, pair->name, "NotUnderstood");
		} else if (pair->key == TCM_ISC_K_IFMARKINT || pair->key == TCM_ISC_K_OFMARKINT) {
			tcm_isc_text_add(&login->out, pair->name, "Irrelevant");
		}
	}
	return TCM_ISC_LOGIN_OK;
}

/*
 * 6.2: an offer of ours has to be answered, and who wants to leave the stage has nothing more to
 * say. Initiators of boot ROMs do not know that.
 */
static u32 tcm_isc_login_negotiate(struct tcm_isc_login *login, u8 flags)
{
	u64 owed = login->nego.owed;
	u32 status = tcm_isc_login_keys(login);

	if (status || !(flags & TCM_ISC_T) || !(login->nego.owed & owed))
		return status;
	if (!login->lenient)
		return TCM_ISC_LOGIN_INITIATOR;
	tcm_isc_nego_settle(&login->nego);
	return TCM_ISC_LOGIN_OK;
}

/* What we have to say for ourselves, once */
static void tcm_isc_login_declare(struct tcm_isc_login *login)
{
	struct tcm_isc_text *out = &login->out;

	if (login->itpg && !login->op_said) {
		mutex_lock(&tcm_isc_lock);
		if (*login->itpg->alias)
			tcm_isc_text_add(out, "TargetAlias", login->itpg->alias);
		mutex_unlock(&tcm_isc_lock);
	}
	if (!login->op_said)
		tcm_isc_text_addf(out, "MaxRecvDataSegmentLength", "%u",
				  login->nego.offer.val[TCM_ISC_K_MAX_RECV]);
	login->op_said = true;
	tcm_isc_nego_ask(&login->nego, out);
}

/* ---- requests and responses ---- */

static u32 tcm_isc_login_status(int err)
{
	switch (err) {
	case -EACCES:
		return TCM_ISC_LOGIN_FORBIDDEN;
	case -ENOENT:
		return TCM_ISC_LOGIN_NO_SESSION;
	case -EUSERS:
		return TCM_ISC_LOGIN_TOO_MANY;
	case -ESHUTDOWN:
		return TCM_ISC_LOGIN_UNAVAILABLE;
	default:
		return TCM_ISC_LOGIN_RESOURCES;
	}
}

/* All that is negotiated is: the connection becomes one of its session. */
static u32 tcm_isc_login_add(struct tcm_isc_conn *conn)
{
	struct tcm_isc_session *isess = conn->login->isess;
	int err;

	conn->nego.ffp = true;
	conn->nego.later = false;
	conn->nego.seen = 0;
	err = tcm_isc_session_add(isess, conn);
	if (err)
		return tcm_isc_login_status(err);
	atomic_inc(&isess->itpg->target->stats.accepts);
	return TCM_ISC_LOGIN_OK;
}

static u32 tcm_isc_login_session(struct tcm_isc_conn *conn)
{
	struct tcm_isc_login *login = conn->login;
	u32 *val = login->nego.val;
	struct tcm_isc_session *isess;
	int err;

	val[TCM_ISC_K_FIRST_BURST] = min(val[TCM_ISC_K_FIRST_BURST], val[TCM_ISC_K_MAX_BURST]);
	conn->nego = login->nego;
	conn->cid = login->cid;
	if (login->tsih)
		return tcm_isc_login_add(conn);
	isess = tcm_isc_session_alloc(login->depth);
	if (!isess)
		return TCM_ISC_LOGIN_RESOURCES;
	login->isess = isess;
	isess->itpg = login->itpg;
	login->itpg = NULL;
	isess->nego = login->nego;
	isess->nego.ffp = true;
	isess->nego.seen = 0;
	isess->nego.asked = 0;
	conn->nego = isess->nego;
	isess->reorder = isess->itpg && (val[TCM_ISC_K_ERL] || val[TCM_ISC_K_MAX_CONNECTIONS] > 1);
	isess->attrib = login->acl_attrib;
	isess->dynamic = !login->has_acl;
	isess->max_xmit = login->max_xmit;
	isess->exp_cmdsn = login->cmdsn;
	isess->max_cmdsn = login->cmdsn - 1;
	strscpy(isess->name, login->name, sizeof(isess->name));
	strscpy(isess->alias, login->alias, sizeof(isess->alias));
	memcpy(isess->isid, login->isid, sizeof(isess->isid));
	err = tcm_isc_session_start(isess, conn, login->demo);
	if (!err) {
		if (isess->itpg)
			atomic_inc(&isess->itpg->target->stats.accepts);
		return TCM_ISC_LOGIN_OK;
	}
	login->itpg = isess->itpg;
	isess->itpg = NULL;
	login->isess = NULL;
	tcm_isc_session_put(isess);
	return tcm_isc_login_status(err);
}

/* Send what is in @out, or the next part of it. */
static void tcm_isc_login_respond(struct tcm_isc_conn *conn)
{
	struct tcm_isc_login *login = conn->login;
	u32 left = login->out.len - login->out_pos, n = min_t(u32, left, TCM_ISC_LOGIN_CHUNK);
	bool last = n == left;
	struct tcm_isc_msg *msg;
	u32 status;

	if (last && login->transit && login->nsg == TCM_ISC_STAGE_FFP) {
		status = tcm_isc_login_session(conn);
		if (status) {
			tcm_isc_login_refuse(conn, status);
			return;
		}
	}
	msg = tcm_isc_login_msg(conn, n);
	if (!msg)
		return;
	msg->login.flags = login->stage << 2;
	if (!last)
		msg->login.flags |= TCM_ISC_C;
	if (last && login->transit) {
		msg->login.flags |= TCM_ISC_T | login->nsg;
		login->stage = login->nsg;
	}
	if (conn->isess) {
		msg->login.tsih = cpu_to_be16(conn->isess->tsih);
		msg->login_done = true;
	}
	if (n)
		memcpy(msg->data, login->out.buf + login->out_pos, n);
	login->out_pos += n;
	if (last) {
		login->out.len = 0;
		login->out_pos = 0;
		login->transit = false;
	}
	tcm_isc_msg_send(conn, msg);
}

static u32 tcm_isc_login_split(struct tcm_isc_login *login)
{
	char *pos = login->text, *key, *value;
	int ret;

	login->nr_pairs = 0;
	while ((ret = tcm_isc_text_next(&pos, login->text + login->text_len, &key, &value)) > 0) {
		struct tcm_isc_pair *pair;

		if (login->nr_pairs == TCM_ISC_LOGIN_PAIRS)
			return TCM_ISC_LOGIN_INITIATOR;
		pair = &login->pairs[login->nr_pairs++];
		pair->key = tcm_isc_key_find(key);
		pair->name = key;
		pair->value = value;
	}
	return ret ? TCM_ISC_LOGIN_INITIATOR : TCM_ISC_LOGIN_OK;
}

/* A whole set of keys is there: work on it. */
static u32 tcm_isc_login_round(struct tcm_isc_conn *conn, u8 flags)
{
	struct tcm_isc_login *login = conn->login;
	bool first = !login->known;
	u32 status;

	status = tcm_isc_login_split(login);
	if (!status && first)
		status = tcm_isc_login_who(conn);
	if (!status && login->stage == TCM_ISC_STAGE_SECURITY)
		status = tcm_isc_login_security(login);
	if (status)
		return status;
	if (login->stage == TCM_ISC_STAGE_OPERATIONAL && login->auth_required && !login->auth_done)
		return TCM_ISC_LOGIN_AUTH_FAILED;
	/* 13.9: with the first response, so that the initiator knows which group it talks to */
	if (first && login->itpg)
		tcm_isc_text_addf(&login->out, "TargetPortalGroupTag", "%u", login->itpg->tag);
	status = tcm_isc_login_negotiate(login, flags);
	if (status)
		return status;
	if (login->stage == TCM_ISC_STAGE_OPERATIONAL)
		tcm_isc_login_declare(login);
	login->nsg = TCM_ISC_NSG(flags);
	login->transit = flags & TCM_ISC_T;
	if (login->stage == TCM_ISC_STAGE_SECURITY &&
	    ((login->auth_required || login->chap) && !login->auth_done))
		login->transit = false;
	if (login->nego.owed)
		login->transit = false;
	return login->out.overflow ? TCM_ISC_LOGIN_INITIATOR : TCM_ISC_LOGIN_OK;
}

/* 11.12: what the bits of a request may say at this point */
static u32 tcm_isc_login_check(const struct tcm_isc_login *login,
			       const struct tcm_isc_login_hdr *hdr)
{
	u8 csg = TCM_ISC_CSG(hdr->flags), nsg = TCM_ISC_NSG(hdr->flags);

	if (hdr->version_min > 0)
		return TCM_ISC_LOGIN_VERSION;
	if (csg > TCM_ISC_STAGE_OPERATIONAL ||
	    ((hdr->flags & TCM_ISC_T) && (hdr->flags & TCM_ISC_C)))
		return TCM_ISC_LOGIN_INVALID;
	if ((hdr->flags & TCM_ISC_T) && (nsg <= csg || nsg == 2))
		return TCM_ISC_LOGIN_INVALID;
	if (login->first)
		return TCM_ISC_LOGIN_OK;
	if (csg != login->stage || hdr->itt != login->itt ||
	    memcmp(hdr->isid, login->isid, sizeof(login->isid)))
		return TCM_ISC_LOGIN_INVALID;
	return TCM_ISC_LOGIN_OK;
}

static void tcm_isc_login_open(struct tcm_isc_conn *conn, const struct tcm_isc_login_hdr *hdr)
{
	struct tcm_isc_login *login = conn->login;

	login->stage = min_t(u8, TCM_ISC_CSG(hdr->flags), TCM_ISC_STAGE_OPERATIONAL);
	login->itt = hdr->itt;
	login->cid = be16_to_cpu(hdr->cid);
	login->tsih = be16_to_cpu(hdr->tsih);
	login->cmdsn = be32_to_cpu(hdr->sn);
	memcpy(login->isid, hdr->isid, sizeof(login->isid));
	conn->statsn = be32_to_cpu(hdr->exp_sn);
	conn->exp_statsn = conn->statsn;
}

/* More of a text that comes in parts: the part is acknowledged by an empty response. */
static u32 tcm_isc_login_collect(struct tcm_isc_conn *conn)
{
	struct tcm_isc_login *login = conn->login;
	u32 dsl = conn->rx.dsl;

	if (dsl > TCM_ISC_LOGIN_TEXT_MAX - login->text_len)
		return TCM_ISC_LOGIN_RESOURCES;
	if (dsl)
		memcpy(login->text + login->text_len, conn->rx.buf, dsl);
	login->text_len += dsl;
	return TCM_ISC_LOGIN_OK;
}

void tcm_isc_login_pdu(struct tcm_isc_conn *conn)
{
	const struct tcm_isc_login_hdr *hdr = (const struct tcm_isc_login_hdr *)conn->rx.hdr;
	struct tcm_isc_login *login = conn->login;
	u32 status;

	if (!login) {
		if (tcm_isc_login_alloc(conn)) {
			tcm_isc_conn_quit(conn, "no memory");
			return;
		}
		login = conn->login;
		tcm_isc_login_open(conn, hdr);
	}
	status = tcm_isc_login_check(login, hdr);
	if (++login->rounds > TCM_ISC_LOGIN_ROUNDS)
		status = TCM_ISC_LOGIN_INITIATOR;
	login->first = false;
	if (!status)
		status = tcm_isc_login_collect(conn);
	/* The initiator asks for the rest of what we have to say, or is not at its own end. */
	if (!status && !login->out.len && !(hdr->flags & TCM_ISC_C)) {
		status = tcm_isc_login_round(conn, hdr->flags);
		login->text_len = 0;
	}
	if (status)
		tcm_isc_login_refuse(conn, status);
	else
		tcm_isc_login_respond(conn);
}
