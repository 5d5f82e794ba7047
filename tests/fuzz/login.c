// SPDX-License-Identifier: GPL-2.0-only
/*
 * Login: what anybody may send before anybody knows who he is. A portal group by the input's first
 * bytes, then request after request, with what fabrics/iscsi/login.c and chap.c make of them.
 *
 * A byte before each request says which of its fields are made to be the right ones, so that a
 * login gets somewhere.
 */
#include "net.h"
#include "../../fabrics/iscsi/iscsi.h"
#include "fuzz.h"

/* Who has proved to be whom: the only way there is past authentication */
static bool proved;
static int fuzz_neq(const void *a, const void *b, size_t n)
{
	if (memcmp(a, b, n))
		return 1;
	proved = true;
	return 0;
}

#undef crypto_memneq
#define crypto_memneq fuzz_neq
#include "../../fabrics/iscsi/chap.c"
#include "../../fabrics/iscsi/login.c"

#define RIGHT_STAGE	1
#define RIGHT_TAG	2
#define RIGHT_ISID	4
#define RIGHT_RESPONSE	8	/* CHAP_R=0 becomes what it has to be */

#define TARGET		"iqn.t"
#define INITIATOR	"iqn.i"
#define THERE		0x77	/* TSIH of a session that is there */
#define NEW		0x78

struct mutex tcm_isc_lock;
struct tcm_isc_auth tcm_isc_discovery_auth;
u32 tcm_isc_enforce_discovery_auth;
const struct tcm_isc_acl_attrib tcm_isc_acl_default = { .authentication = -1 };

/* How it is set up */
static struct {
	bool has_acl, there;
	int start_err, add_err;
	struct tcm_isc_acl iacl;
	struct tcm_acl acl;
} set;

/* What the target has done with one request */
static struct {
	unsigned int sent, quit, started;
	u8 flags;
	bool close, done;
	u16 status, tsih;
	u32 len;
} seen;

/* The text of responses that go together */
static char *said;
static size_t said_len;

/* ---- what login.c has of the others ---- */

void tcm_isc_tpg_put(struct tcm_isc_tpg *itpg)
{
	fuzz_check(itpg->ref.refs > 1);
	itpg->ref.refs--;
}

struct tcm_isc_acl *tcm_isc_acl_find(struct tcm_isc_tpg *itpg, const char *name)
{
	return set.has_acl && !strcasecmp(name, INITIATOR) ? &set.iacl : NULL;
}

void tcm_isc_half_open_end(struct tcm_isc_conn *conn) { }
void tcm_isc_tick_in(struct tcm_isc_conn *conn, unsigned long delay) { }
bool tcm_isc_shuffles(const struct tcm_isc_session *isess) { return false; }
void tcm_isc_conn_quit(struct tcm_isc_conn *conn, const char *why) { seen.quit++; }

struct tcm_isc_msg *tcm_isc_msg_new(struct tcm_isc_conn *conn, u8 opcode, u32 len)
{
	struct tcm_isc_msg *msg = calloc(1, sizeof(*msg));

	fuzz_check(opcode == TCM_ISC_LOGIN_RSP);
	msg->len = len;
	/* Of exactly its size: AddressSanitizer sees the first byte too many. */
	msg->data = len ? malloc(len) : NULL;
	return msg;
}

void tcm_isc_msg_send(struct tcm_isc_conn *conn, struct tcm_isc_msg *msg)
{
	seen.sent++;
	seen.flags = msg->login.flags;
	seen.close = msg->close;
	seen.done = msg->login_done;
	seen.status = msg->login.status_class << 8 | msg->login.status_detail;
	seen.tsih = be16_to_cpu(msg->login.tsih);
	seen.len = msg->len;
	said = realloc(said, said_len + msg->len + 1);
	if (msg->len)
		memcpy(said + said_len, msg->data, msg->len);
	said_len += msg->len;
	free(msg->data);
	free(msg);
}

struct tcm_isc_session *tcm_isc_session_alloc(u32 depth)
{
	struct tcm_isc_session *isess = calloc(1, sizeof(*isess));

	fuzz_check(depth && depth <= TCM_ISC_DEPTH_MAX);
	isess->ref.refs = 1;
	return isess;
}

void tcm_isc_session_put(struct tcm_isc_session *isess)
{
	fuzz_check(isess->ref.refs > 0);
	if (--isess->ref.refs)
		return;
	if (isess->itpg)
		tcm_isc_tpg_put(isess->itpg);
	free(isess);
}

static void may_begin(const struct tcm_isc_login *login, const struct tcm_isc_nego *nego)
{
	fuzz_check(!login->auth_required || proved);
	fuzz_check(!nego->owed);
	fuzz_check(nego->val[TCM_ISC_K_FIRST_BURST] <= nego->val[TCM_ISC_K_MAX_BURST]);
	fuzz_check(nego->val[TCM_ISC_K_MAX_RECV] >= 512);
	seen.started++;
}

int tcm_isc_session_start(struct tcm_isc_session *isess, struct tcm_isc_conn *conn,
			  enum tcm_demo demo)
{
	may_begin(conn->login, &isess->nego);
	fuzz_check(tcm_initiator_name_ok(isess->name, strlen(isess->name)));
	/* Without an ACL nobody comes in who is not asked in; to discover, everybody may. */
	fuzz_check(!isess->itpg || conn->login->has_acl || demo != TCM_DEMO_NONE);
	if (set.start_err)
		return set.start_err;
	isess->tsih = NEW;
	isess->ref.refs++;
	conn->isess = isess;
	return 0;
}

int tcm_isc_session_add(struct tcm_isc_session *isess, struct tcm_isc_conn *conn)
{
	may_begin(conn->login, &conn->nego);
	if (set.add_err)
		return set.add_err;
	isess->ref.refs++;
	conn->isess = isess;
	return 0;
}

struct tcm_isc_session *tcm_isc_session_find(struct tcm_isc_tpg *itpg, const char *name,
					     const u8 *isid, u16 tsih)
{
	struct tcm_isc_session *isess;

	if (!set.there || tsih != THERE)
		return NULL;
	isess = tcm_isc_session_alloc(8);
	itpg->ref.refs++;
	isess->itpg = itpg;
	isess->tsih = THERE;
	tcm_isc_nego_init(&isess->nego, &itpg->offer);
	return isess;
}

/* ---- a portal group ---- */

static void secrets(struct tcm_isc_auth *auth, u8 bits)
{
	memset(auth, 0, sizeof(*auth));
	if (bits & 1) {
		strcpy(auth->userid, "u");
		strcpy(auth->password, "p");
	}
	if (bits & 2) {
		strcpy(auth->userid_mutual, "m");
		strcpy(auth->password_mutual, bits & 4 ? "p" : "q");
	}
}

static void set_up(struct tcm_isc_tpg *itpg, struct fuzz_in *in)
{
	static const int errors[] = { 0, 0, 0, -EACCES, -ENOENT, -EUSERS, -ESHUTDOWN, -ENOMEM };
	u8 bits = fuzz_take(in, 1), more = fuzz_take(in, 1), auth = fuzz_take(in, 1);

	set.has_acl = bits & 1;
	set.there = bits & 2;
	set.start_err = errors[more & 7];
	set.add_err = errors[more >> 3 & 7];
	itpg->enabled = !(bits & 4);
	itpg->tag = 1;
	itpg->ref.refs = 1;
	itpg->moved = (bits >> 3 & 3) % 3;
	strcpy(itpg->moved_to, "10.0.0.1:3260,1");
	strcpy(itpg->auth_method, bits & 0x20 ? "CHAP" : "CHAP,None");
	strcpy(itpg->alias, bits & 0x40 ? "alias" : "");
	itpg->attrib.generate_node_acls = bits >> 7;
	itpg->attrib.default_cmdsn_depth = 64;
	itpg->attrib.login_keys_workaround = more >> 6 & 1;
	itpg->max_recv = more & 0x80 ? 65536 : TCM_ISC_MAX_RECV_DEFAULT;
	itpg->max_xmit = 262144;
	tcm_isc_offer_init(&itpg->offer);
	itpg->offer.val[TCM_ISC_K_ERL] = auth >> 6;
	itpg->offer.val[TCM_ISC_K_MAX_CONNECTIONS] = 1 + (auth >> 5 & 1);
	secrets(&itpg->auth, auth);
	secrets(&set.iacl.auth, auth >> 3);
	secrets(&tcm_isc_discovery_auth, auth);
	tcm_isc_enforce_discovery_auth = bits >> 5 & 1;
	set.iacl.acl = &set.acl;
	set.acl.queue_depth = 16;
	set.iacl.attrib.authentication = (auth & 3) - 1 > 1 ? -1 : (auth & 3) - 1;
}

/* ---- a conversation ---- */

/* What goes together is text by the rules; a redirection's is, too. */
static void check_said(void)
{
	char *pos = said, *key, *value;
	int ret;

	while ((ret = tcm_isc_text_next(&pos, said + said_len, &key, &value)) > 0)
		fuzz_check(*value && strlen(key) <= TCM_ISC_KEY_LEN_MAX);
	fuzz_check(!ret);
	said_len = 0;
}

/* 11.13: one answer, and what its bits may be after a request of stage @csg */
static bool check_answer(const struct tcm_isc_conn *conn, const struct tcm_isc_login_hdr *hdr)
{
	u8 csg = TCM_ISC_CSG(seen.flags), nsg = TCM_ISC_NSG(seen.flags);

	if (seen.quit)
		return false;
	fuzz_check(seen.sent == 1 && seen.len <= TCM_ISC_LOGIN_CHUNK);
	fuzz_check(seen.close == !!seen.status && !(seen.close && seen.done));
	fuzz_check(seen.done == !!conn->isess && seen.done == !!seen.tsih);
	if (seen.close) {
		fuzz_check(!(seen.flags & (TCM_ISC_T | TCM_ISC_C)));
		fuzz_check(!seen.len || seen.status >> 8 == 1);
		said_len = 0;
		return false;
	}
	fuzz_check(csg == TCM_ISC_CSG(hdr->flags));
	/* The request has asked for it, and has nothing more to say. */
	if (seen.flags & TCM_ISC_T)
		fuzz_check(!(seen.flags & TCM_ISC_C) && nsg > csg && nsg != 2);
	else
		fuzz_check(!nsg);
	fuzz_check(seen.done == (seen.flags & TCM_ISC_T && nsg == TCM_ISC_STAGE_FFP));
	fuzz_check(!seen.done || seen.started == 1);
	if (!(seen.flags & TCM_ISC_C))
		check_said();
	return !seen.done;
}

/* The response that CHAP has to have, by the hash of net.h, where the input says CHAP_R=0 */
static u32 respond(const struct tcm_isc_chap *chap, char *text, u32 len)
{
	static const char key[] = "CHAP_R=0";
	u8 digest[TCM_ISC_CHAP_DIGEST_MAX];
	char *at = text;
	char hex[2 * sizeof(digest) + 1];
	u32 n;

	while (at + sizeof(key) <= text + len && memcmp(at, key, sizeof(key)))
		at++;
	if (at + sizeof(key) > text + len || !chap || !chap->alg)
		return len;
	n = 1 + 2 * chap->alg->size;
	if (len + n > TCM_ISC_LOGIN_TEXT_MAX)
		return len;
	tcm_isc_chap_hash((struct tcm_isc_chap *)chap, chap->id, chap->auth.password,
			  chap->challenge, chap->alg->size, digest);
	*bin2hex(hex, digest, chap->alg->size) = '\0';
	at += sizeof(key) - 1;
	memmove(at + n, at, text + len - at);
	*at = 'x';
	memcpy(at + 1, hex, n - 1);
	return len + n;
}

/* One request. False: the login is over, in one way or the other. */
static bool request(struct tcm_isc_conn *conn, struct fuzz_in *in)
{
	struct tcm_isc_login_hdr *hdr = (struct tcm_isc_login_hdr *)conn->rx.hdr;
	const struct tcm_isc_login *login = conn->login;
	u8 right = fuzz_take(in, 1), version = fuzz_take(in, 1);
	u32 n = fuzz_take(in, 2);

	memset(hdr, 0, sizeof(*hdr));
	hdr->flags = fuzz_take(in, 1);
	hdr->version_min = version & 1;
	hdr->itt = cpu_to_be32(fuzz_take(in, 1));
	hdr->isid[0] = fuzz_take(in, 1);
	hdr->tsih = cpu_to_be16(fuzz_take(in, 1));
	if (login && right & RIGHT_STAGE)
		hdr->flags = (hdr->flags & ~0x0c) | login->stage << 2;
	if (login && right & RIGHT_TAG)
		hdr->itt = login->itt;
	if (login && right & RIGHT_ISID)
		memcpy(hdr->isid, login->isid, sizeof(hdr->isid));
	n = min_t(size_t, n, in->left);
	conn->rx.buf = malloc(TCM_ISC_LOGIN_TEXT_MAX + 1);
	memcpy(conn->rx.buf, in->p, n);
	in->p += n;
	in->left -= n;
	if (login && right & RIGHT_RESPONSE)
		n = respond(login->chap, conn->rx.buf, n);
	conn->rx.dsl = n;
	conn->rx.buf = realloc(conn->rx.buf, n ?: 1);
	memset(&seen, 0, sizeof(seen));
	tcm_isc_login_pdu(conn);
	free(conn->rx.buf);
	return check_answer(conn, hdr);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct tcm_wwn wwn = { .name = TARGET };
	struct tcm_isc_target target = { .wwn = &wwn };
	struct tcm_isc_listener listener = { };
	struct tcm_isc_tpg itpg = { .target = &target };
	struct tcm_isc_np inp = { .itpg = &itpg };
	struct tcm_isc_conn *conn = calloc(1, sizeof(*conn));
	struct fuzz_in in = { data, size };

	proved = false;
	said_len = 0;
	INIT_LIST_HEAD(&listener.nps);
	list_add_tail(&inp.lnode, &listener.nps);
	conn->listener = &listener;
	set_up(&itpg, &in);
	tcm_isc_login_begin(conn);
	while (in.left && request(conn, &in))
		;
	if (conn->isess)
		tcm_isc_login_sent(conn);
	else if (conn->login)
		tcm_isc_login_late(conn);
	tcm_isc_login_end(conn);
	fuzz_check(!conn->login);
	if (conn->isess)
		tcm_isc_session_put(conn->isess);
	fuzz_check(itpg.ref.refs == 1 && !tcm_isc_lock.locked);
	free(conn);
	free(said);
	said = NULL;
	return 0;
}
