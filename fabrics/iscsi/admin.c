// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an administrator sees and does of a portal group's sessions, and where its initiators are
 * sent: files of tpgt_<n>/ that the stock target does not have.
 */
#include <linux/ctype.h>
#include <linux/kstrtox.h>
#include <linux/string.h>
#include "iscsi.h"

/* Seconds for an initiator to log out in when it is asked to */
#define TCM_ISC_ASK_SECONDS	3
/* Room for the line that says that there is more */
#define TCM_ISC_MORE_MAX	32

static struct tcm_isc_tpg *tcm_isc_admin_tpg(struct config_item *item)
{
	return tcm_item_tpg(item)->priv;
}

/* ---- sessions ---- */

static const char *tcm_isc_state_name(const struct tcm_isc_conn *conn)
{
	switch (READ_ONCE(conn->state)) {
	case TCM_ISC_CS_LOGIN:
		return "login";
	case TCM_ISC_CS_FFP:
		return "full-feature";
	case TCM_ISC_CS_LOGOUT:
		return "logout";
	case TCM_ISC_CS_LOST:
		return "lost";
	default:
		return "closing";
	}
}

static const char *tcm_isc_yes(u32 val)
{
	return val ? "Yes" : "No";
}

static int tcm_isc_list_conn(struct tcm_isc_conn *conn, char *buf, size_t size)
{
	const char *hdigest = conn->hdigest ? "CRC32C" : "None";
	const char *ddigest = conn->ddigest ? "CRC32C" : "None";
	char peer[64], local[64];
	int len;

	tcm_isc_addr_print(&conn->peer, true, peer, sizeof(peer));
	tcm_isc_addr_print(&conn->local, true, local, sizeof(local));
	len = scnprintf(buf, size, "  connection %u %s to %s %s", conn->cid, peer, local,
			tcm_isc_state_name(conn));
	len += scnprintf(buf + len, size - len, " MaxRecvDataSegmentLength=%u",
			 conn->nego.val[TCM_ISC_K_MAX_RECV]);
	len += scnprintf(buf + len, size - len, " HeaderDigest=%s DataDigest=%s", hdigest, ddigest);
	len += scnprintf(buf + len, size - len, " rx=%llu tx=%llu digest_errors=%d",
			 conn->rx_octets, conn->tx_octets, atomic_read(&conn->digest_errors));
	len += scnprintf(buf + len, size - len, " latency_us=%lu latency_max_us=%u\n",
			 ewma_tcm_isc_us_read(&conn->latency), READ_ONCE(conn->latency_max));
	return len;
}

static int tcm_isc_list_session(struct tcm_isc_session *isess, char *buf, size_t size)
{
	const u32 *val = isess->nego.val;
	struct tcm_isc_conn *conn;
	int len;

	len = scnprintf(buf, size, "session %u %s ISID=%*phN TSIH=%u %s", isess->sid, isess->name,
			(int)sizeof(isess->isid), isess->isid, isess->tsih,
			isess->dynamic ? "dynamic" : "acl");
	len += scnprintf(buf + len, size - len, " commands=%llu responses=%llu",
			 isess->cmd_pdus, isess->rsp_pdus);
	len += scnprintf(buf + len, size - len, " ErrorRecoveryLevel=%u MaxConnections=%u",
			 val[TCM_ISC_K_ERL], val[TCM_ISC_K_MAX_CONNECTIONS]);
	len += scnprintf(buf + len, size - len, " InitialR2T=%s ImmediateData=%s",
			 tcm_isc_yes(val[TCM_ISC_K_INITIAL_R2T]),
			 tcm_isc_yes(val[TCM_ISC_K_IMMEDIATE_DATA]));
	len += scnprintf(buf + len, size - len, " MaxBurstLength=%u FirstBurstLength=%u",
			 val[TCM_ISC_K_MAX_BURST], val[TCM_ISC_K_FIRST_BURST]);
	len += scnprintf(buf + len, size - len, " MaxOutstandingR2T=%u\n",
			 val[TCM_ISC_K_MAX_R2T]);
	spin_lock(&isess->lock);
	list_for_each_entry(conn, &isess->conns, sess_node)
		len += tcm_isc_list_conn(conn, buf + len, size - len);
	spin_unlock(&isess->lock);
	return len;
}

/*
 * A line for each session and, indented, each of its connections. What does not fit a page is left
 * out as whole sessions, and a last line says which number to go on from.
 */
static ssize_t tcm_isc_admin_sessions_show(struct config_item *item, char *page)
{
	struct tcm_isc_tpg *itpg = tcm_isc_admin_tpg(item);
	const int room = PAGE_SIZE - TCM_ISC_MORE_MAX;
	struct tcm_isc_session *isess;
	int len = 0, n;

	mutex_lock(&itpg->lock);
	list_for_each_entry(isess, &itpg->sessions, node) {
		if ((s32)(isess->sid - itpg->list_from) < 0)
			continue;
		n = tcm_isc_list_session(isess, page + len, room - len);
		/* Cut off; one alone that is larger than all is shown as far as it goes. */
		if (n >= room - len - 1 && len) {
			len += scnprintf(page + len, TCM_ISC_MORE_MAX, "more %u\n", isess->sid);
			break;
		}
		len += n;
	}
	mutex_unlock(&itpg->lock);
	return len;
}

/* Which number the list begins with */
static ssize_t tcm_isc_admin_sessions_store(struct config_item *item, const char *page,
					    size_t count)
{
	struct tcm_isc_tpg *itpg = tcm_isc_admin_tpg(item);
	u32 from;

	if (kstrtou32(page, 0, &from))
		return tcm_cfs_refuse(item, "sessions", -EINVAL, "the number of a session");
	mutex_lock(&itpg->lock);
	itpg->list_from = from;
	mutex_unlock(&itpg->lock);
	return count;
}
CONFIGFS_ATTR(tcm_isc_admin_, sessions);

/* ---- logout ---- */

static void tcm_isc_ask_session(struct tcm_isc_session *isess)
{
	struct tcm_isc_conn *conn;

	spin_lock(&isess->lock);
	list_for_each_entry(conn, &isess->conns, sess_node) {
		set_bit(TCM_ISC_CF_ASK, &conn->flags);
		tcm_isc_conn_queue(conn);
	}
	spin_unlock(&isess->lock);
}

/* 11.9.1: the initiator is asked to log out; one that does not is cut off. */
void tcm_isc_ask_logout(struct tcm_isc_conn *conn)
{
	struct tcm_isc_msg *msg;

	if (conn->state != TCM_ISC_CS_FFP || conn->asked)
		return;
	msg = tcm_isc_msg_new(conn, TCM_ISC_ASYNC, 0);
	if (!msg)
		return;
	msg->bhs.itt = TCM_ISC_NO_TAG;
	msg->rsp.datasn = cpu_to_be32(TCM_ISC_ASYNC_LOGOUT << 24);
	msg->rsp.offset = cpu_to_be32(TCM_ISC_ASK_SECONDS);
	tcm_isc_msg_send(conn, msg);
	conn->asked = true;
	conn->ask_due = jiffies + TCM_ISC_ASK_SECONDS * HZ;
	tcm_isc_tick_in(conn, TCM_ISC_ASK_SECONDS * HZ);
}

void tcm_isc_ask_watch(struct tcm_isc_conn *conn)
{
	if (!conn->asked)
		return;
	if (time_before(jiffies, conn->ask_due))
		tcm_isc_tick_in(conn, conn->ask_due - jiffies);
	else
		tcm_isc_conn_quit(conn, "it was asked to log out");
}

/*
 * 11.9.1: what the target ends by itself it says, and how long anything of it is kept. It does not
 * wait: who reads nothing has no right to keep a session that an administrator takes away.
 */
void tcm_isc_say_drop(struct tcm_isc_conn *conn)
{
	bool all = READ_ONCE(conn->isess->drop);
	struct tcm_isc_msg *msg;

	if (!all && (!conn->asked || time_before(jiffies, conn->ask_due)))
		return;
	msg = tcm_isc_msg_new(conn, TCM_ISC_ASYNC, 0);
	if (!msg)
		return;
	msg->bhs.itt = TCM_ISC_NO_TAG;
	msg->rsp.datasn = cpu_to_be32(all ? TCM_ISC_ASYNC_DROP_ALL << 24 :
				      TCM_ISC_ASYNC_DROP_CONN << 24 | conn->cid);
	msg->rsp.offset = cpu_to_be32(conn->nego.val[TCM_ISC_K_TIME2WAIT] << 16 |
				      (all ? 0 : tcm_isc_retain_seconds(conn)));
	tcm_isc_tx_last(conn, msg);
}

/* The number of a session, or an initiator's name for all it has */
static ssize_t tcm_isc_admin_logout_store(struct config_item *item, const char *page, size_t count)
{
	struct tcm_isc_tpg *itpg = tcm_isc_admin_tpg(item);
	struct tcm_isc_session *isess;
	char name[TCM_NAME_MAX];
	bool found = false;
	u32 sid = 0;

	if (strscpy(name, page, sizeof(name)) < 0)
		return tcm_cfs_refuse(item, "logout", -EINVAL, "too long for a name");
	strim(name);
	if (kstrtou32(name, 0, &sid))
		sid = 0;
	mutex_lock(&itpg->lock);
	list_for_each_entry(isess, &itpg->sessions, node)
		if (sid ? isess->sid == sid : !strcasecmp(isess->name, name)) {
			tcm_isc_ask_session(isess);
			found = true;
		}
	mutex_unlock(&itpg->lock);
	return found ? count : tcm_cfs_refuse(item, "logout", -ENOENT, "no such session");
}
CONFIGFS_ATTR_WO(tcm_isc_admin_, logout);

/* ---- redirect ---- */

static const char * const tcm_isc_moved[] = { "none", "temporary", "permanent" };

static ssize_t tcm_isc_admin_redirect_show(struct config_item *item, char *page)
{
	struct tcm_isc_tpg *itpg = tcm_isc_admin_tpg(item);
	ssize_t len;

	mutex_lock(&tcm_isc_lock);
	len = itpg->moved ? sysfs_emit(page, "%s %s\n", tcm_isc_moved[itpg->moved],
				       itpg->moved_to) : sysfs_emit(page, "none\n");
	mutex_unlock(&tcm_isc_lock);
	return len;
}

/* 13.8: a name or an address, an IPv6 one in brackets, with a port or without */
static bool tcm_isc_moved_ok(const char *to)
{
	if (!*to)
		return false;
	for (; *to; to++)
		if (!isascii(*to) || !isgraph(*to) || *to == ',')
			return false;
	return true;
}

static ssize_t tcm_isc_admin_redirect_store(struct config_item *item, const char *page,
					    size_t count)
{
	struct tcm_isc_tpg *itpg = tcm_isc_admin_tpg(item);
	char text[TCM_ISC_MOVED_MAX + 16], *to = text, *word;
	int moved;

	if (strscpy(text, page, sizeof(text)) < 0)
		return tcm_cfs_refuse(item, "redirect", -EINVAL, "too long");
	strim(text);
	word = strsep(&to, " ");
	moved = match_string(tcm_isc_moved, ARRAY_SIZE(tcm_isc_moved), word);
	if (moved < 0 || !moved != !to ||
	    (to && (!tcm_isc_moved_ok(to) || strlen(to) >= TCM_ISC_MOVED_MAX)))
		return tcm_cfs_refuse(item, "redirect", -EINVAL,
				      "none, or temporary or permanent and <address>[:<port>]");
	mutex_lock(&tcm_isc_lock);
	itpg->moved = moved;
	strscpy(itpg->moved_to, to ?: "", sizeof(itpg->moved_to));
	mutex_unlock(&tcm_isc_lock);
	return count;
}
CONFIGFS_ATTR(tcm_isc_admin_, redirect);

struct configfs_attribute *tcm_isc_tpg_attrs[] = {
	&tcm_isc_tpg_attr_dynamic_sessions,
	&tcm_isc_admin_attr_sessions,
	&tcm_isc_admin_attr_logout,
	&tcm_isc_admin_attr_redirect,
	NULL
};
