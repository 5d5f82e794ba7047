// SPDX-License-Identifier: GPL-2.0-only
/*
 * acls/<initiator>/ with attrib/, param/, auth/ (configfs contract, section 9.4).
 */
#include <linux/kstrtox.h>
#include "iscsi.h"

static struct tcm_isc_acl *tcm_isc_item_acl(struct config_item *item)
{
	return tcm_item_acl(item)->priv;
}

/* The session that `info` and the statistics are about: the first of the initiator's */
static struct tcm_isc_session *tcm_isc_acl_session(struct tcm_acl *acl)
{
	struct tcm_isc_tpg *itpg = acl->tpg->priv;
	struct tcm_isc_session *isess;

	lockdep_assert_held(&itpg->lock);
	list_for_each_entry(isess, &itpg->sessions, node)
		if (!strcasecmp(isess->name, acl->name))
			return isess;
	return NULL;
}

static const char *tcm_isc_conn_state(const struct tcm_isc_conn *conn)
{
	switch (conn->state) {
	case TCM_ISC_CS_LOGIN:
		return "IN_LOGIN";
	case TCM_ISC_CS_FFP:
		return "LOGGED_IN";
	case TCM_ISC_CS_LOGOUT:
		return "IN_LOGOUT";
	default:
		return "CLEANUP_WAIT";
	}
}

/* Fields and their order are what targetcli looks for (targetcli contract, section 11). */
static ssize_t tcm_isc_show_session(struct tcm_isc_session *isess, char *page)
{
	struct tcm_isc_conn *conn;
	char addr[64];
	ssize_t len;

	len = sysfs_emit(page, "InitiatorName: %s\nInitiatorAlias: %s\n", isess->name,
			 isess->alias);
	len += sysfs_emit_at(page, len, "LIO Session ID: %u   ISID: 0x%6ph  TSIH: %hu  ",
			     isess->sid, isess->isid, isess->tsih);
	len += sysfs_emit_at(page, len, "SessionType: Normal\n");
	len += sysfs_emit_at(page, len, "Session State: TARG_SESS_STATE_LOGGED_IN\n"
			     "---------------------[iSCSI Session Values]-----------------------\n"
			     "  CmdSN/WR  :  CmdSN/WC  :  ExpCmdSN  :  MaxCmdSN  :     ITT    :     TTT\n");
	len += sysfs_emit_at(page, len, " 0x%08x   0x%08x   0x%08x   0x%08x   0x%08x   0x%08x\n",
			     isess->depth, isess->max_cmdsn + 1 - isess->exp_cmdsn,
			     isess->exp_cmdsn, isess->max_cmdsn, 0, isess->last_ttt);
	len += sysfs_emit_at(page, len,
			     "----------------------[iSCSI Connections]-------------------------\n");
	spin_lock(&isess->lock);
	list_for_each_entry(conn, &isess->conns, sess_node) {
		tcm_isc_addr_print(&conn->peer, false, addr, sizeof(addr));
		len += sysfs_emit_at(page, len, "CID: %hu  Connection State: TARG_CONN_STATE_%s\n",
				     conn->cid, tcm_isc_conn_state(conn));
		len += sysfs_emit_at(page, len, "   Address %s TCP  StatSN: 0x%08x\n", addr,
				     conn->statsn);
	}
	spin_unlock(&isess->lock);
	return len;
}

static ssize_t tcm_isc_acl_info_show(struct config_item *item, char *page)
{
	struct tcm_acl *acl = tcm_item_acl(item);
	struct tcm_isc_tpg *itpg = acl->tpg->priv;
	struct tcm_isc_session *isess;
	ssize_t len;

	mutex_lock(&itpg->lock);
	isess = tcm_isc_acl_session(acl);
	if (isess)
		len = tcm_isc_show_session(isess, page);
	else
		len = sysfs_emit(page, "No active iSCSI Session for Initiator Endpoint: %s\n",
				 acl->name);
	mutex_unlock(&itpg->lock);
	return len;
}
CONFIGFS_ATTR_RO(tcm_isc_acl_, info);

static ssize_t tcm_isc_acl_cmdsn_depth_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%u\n", tcm_item_acl(item)->queue_depth);
}

/* A session has the window it was made with: one with another depth has to log in again. */
static ssize_t tcm_isc_acl_cmdsn_depth_store(struct config_item *item, const char *page,
					     size_t count)
{
	struct tcm_acl *acl = tcm_item_acl(item);
	struct tcm_isc_tpg *itpg = acl->tpg->priv;
	struct tcm_isc_session *isess;
	u32 depth;
	int err = tcm_isc_store_num(item, "cmdsn_depth", page, 0, TCM_ISC_DEPTH_MAX, &depth);

	if (err)
		return err;
	depth = depth ?: 1;
	mutex_lock(&itpg->lock);
	if (depth != acl->queue_depth) {
		acl->queue_depth = depth;
		list_for_each_entry(isess, &itpg->sessions, node)
			if (!strcasecmp(isess->name, acl->name))
				tcm_isc_close_session(isess->tsess);
	}
	mutex_unlock(&itpg->lock);
	return count;
}
CONFIGFS_ATTR(tcm_isc_acl_, cmdsn_depth);

static ssize_t tcm_isc_acl_tag_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%s", tcm_item_acl(item)->tag);
}

static ssize_t tcm_isc_acl_tag_store(struct config_item *item, const char *page, size_t count)
{
	struct tcm_acl *acl = tcm_item_acl(item);
	size_t len = count;

	if (len && page[len - 1] == '\n')
		len--;
	if (len >= sizeof(acl->tag) || memchr(page, '\0', len) || !tcm_text_is_utf8(page, len))
		return tcm_cfs_refuse(item, "tag", -EINVAL, "at most 63 bytes of UTF-8");
	mutex_lock(&tcm_isc_lock);
	memset(acl->tag, 0, sizeof(acl->tag));
	if (strncmp(page, "NULL", 4))
		memcpy(acl->tag, page, len);
	mutex_unlock(&tcm_isc_lock);
	return count;
}
CONFIGFS_ATTR(tcm_isc_acl_, tag);

struct configfs_attribute *tcm_isc_acl_attrs[] = {
	&tcm_isc_acl_attr_info,
	&tcm_isc_acl_attr_cmdsn_depth,
	&tcm_isc_acl_attr_tag,
	NULL
};

/* ---- attrib/ ---- */

#define TCM_ISC_ACL_ATTRIB(name, lo, hi, off)						\
static ssize_t tcm_isc_aa_##name##_show(struct config_item *item, char *page)		\
{											\
	return sysfs_emit(page, "%u\n", tcm_isc_item_acl(item)->attrib.name);		\
}											\
static ssize_t tcm_isc_aa_##name##_store(struct config_item *item, const char *page, size_t count) \
{											\
	u32 *to = &tcm_isc_item_acl(item)->attrib.name, val;				\
											\
	/* A value below the range turns it off, where that can be said. */		\
	if ((off) && !kstrtou32(page, 0, &val) && !val) {				\
		*to = 0;								\
		return count;								\
	}										\
	return tcm_isc_store_num(item, #name, page, lo, hi, to) ?: count;		\
}											\
CONFIGFS_ATTR(tcm_isc_aa_, name)

TCM_ISC_ACL_ATTRIB(dataout_timeout, 2, 60, false);
TCM_ISC_ACL_ATTRIB(dataout_timeout_retries, 1, 15, false);
TCM_ISC_ACL_ATTRIB(default_erl, 0, 2, false);
TCM_ISC_ACL_ATTRIB(nopin_timeout, 3, 60, true);
TCM_ISC_ACL_ATTRIB(nopin_response_timeout, 3, 60, false);
TCM_ISC_ACL_ATTRIB(random_datain_pdu_offsets, 0, 1, false);
TCM_ISC_ACL_ATTRIB(random_datain_seq_offsets, 0, 1, false);
TCM_ISC_ACL_ATTRIB(random_r2t_offsets, 0, 1, false);

static ssize_t tcm_isc_aa_authentication_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%d\n", tcm_isc_item_acl(item)->attrib.authentication);
}

static ssize_t tcm_isc_aa_authentication_store(struct config_item *item, const char *page,
					       size_t count)
{
	s32 val;

	if (kstrtos32(page, 0, &val) || val < -1 || val > 1)
		return tcm_cfs_refuse(item, "authentication", -EINVAL, "-1, 0 or 1");
	tcm_isc_item_acl(item)->attrib.authentication = val;
	return count;
}
CONFIGFS_ATTR(tcm_isc_aa_, authentication);

struct configfs_attribute *tcm_isc_acl_attrib_attrs[] = {
	&tcm_isc_aa_attr_dataout_timeout,
	&tcm_isc_aa_attr_dataout_timeout_retries,
	&tcm_isc_aa_attr_default_erl,
	&tcm_isc_aa_attr_nopin_timeout,
	&tcm_isc_aa_attr_nopin_response_timeout,
	&tcm_isc_aa_attr_random_datain_pdu_offsets,
	&tcm_isc_aa_attr_random_datain_seq_offsets,
	&tcm_isc_aa_attr_random_r2t_offsets,
	&tcm_isc_aa_attr_authentication,
	NULL
};

/* ---- auth/ ---- */

#define TCM_ISC_ACL_SECRET(name, which)							\
static ssize_t tcm_isc_aauth_##name##_show(struct config_item *item, char *page)	\
{											\
	return tcm_isc_secret_show(&tcm_isc_item_acl(item)->auth, which, page);		\
}											\
static ssize_t tcm_isc_aauth_##name##_store(struct config_item *item, const char *page,		\
						 size_t count)					\
{											\
	return tcm_isc_secret_store(item, #name, &tcm_isc_item_acl(item)->auth, which, page,	\
				    count);						\
}											\
CONFIGFS_ATTR(tcm_isc_aauth_, name)

TCM_ISC_ACL_SECRET(userid, TCM_ISC_SEC_USERID);
TCM_ISC_ACL_SECRET(password, TCM_ISC_SEC_PASSWORD);
TCM_ISC_ACL_SECRET(userid_mutual, TCM_ISC_SEC_USERID_MUTUAL);
TCM_ISC_ACL_SECRET(password_mutual, TCM_ISC_SEC_PASSWORD_MUTUAL);

static ssize_t tcm_isc_aauth_authenticate_target_show(struct config_item *item, char *page)
{
	return tcm_isc_mutual_show(&tcm_isc_item_acl(item)->auth, page);
}
CONFIGFS_ATTR_RO(tcm_isc_aauth_, authenticate_target);

struct configfs_attribute *tcm_isc_acl_auth_attrs[] = {
	&tcm_isc_aauth_attr_userid,
	&tcm_isc_aauth_attr_password,
	&tcm_isc_aauth_attr_userid_mutual,
	&tcm_isc_aauth_attr_password_mutual,
	&tcm_isc_aauth_attr_authenticate_target,
	NULL
};

/* ---- param/: what was negotiated ---- */

static ssize_t tcm_isc_show_param(struct config_item *item, enum tcm_isc_key key, char *page)
{
	struct tcm_acl *acl = tcm_item_acl(item);
	struct tcm_isc_tpg *itpg = acl->tpg->priv;
	struct tcm_isc_session *isess;
	ssize_t len;

	mutex_lock(&itpg->lock);
	isess = tcm_isc_acl_session(acl);
	if (isess)
		len = sysfs_emit(page, "%u\n", isess->nego.val[key]);
	else
		len = sysfs_emit(page, "No Active iSCSI Session\n");
	mutex_unlock(&itpg->lock);
	return len;
}

#define TCM_ISC_ACL_PARAM(name, key)							\
static ssize_t tcm_isc_ap_##name##_show(struct config_item *item, char *page)		\
{											\
	return tcm_isc_show_param(item, key, page);					\
}											\
CONFIGFS_ATTR_RO(tcm_isc_ap_, name)

TCM_ISC_ACL_PARAM(MaxConnections, TCM_ISC_K_MAX_CONNECTIONS);
TCM_ISC_ACL_PARAM(InitialR2T, TCM_ISC_K_INITIAL_R2T);
TCM_ISC_ACL_PARAM(ImmediateData, TCM_ISC_K_IMMEDIATE_DATA);
TCM_ISC_ACL_PARAM(MaxBurstLength, TCM_ISC_K_MAX_BURST);
TCM_ISC_ACL_PARAM(FirstBurstLength, TCM_ISC_K_FIRST_BURST);
TCM_ISC_ACL_PARAM(DefaultTime2Wait, TCM_ISC_K_TIME2WAIT);
TCM_ISC_ACL_PARAM(DefaultTime2Retain, TCM_ISC_K_TIME2RETAIN);
TCM_ISC_ACL_PARAM(MaxOutstandingR2T, TCM_ISC_K_MAX_R2T);
TCM_ISC_ACL_PARAM(DataPDUInOrder, TCM_ISC_K_PDU_IN_ORDER);
TCM_ISC_ACL_PARAM(DataSequenceInOrder, TCM_ISC_K_SEQ_IN_ORDER);
TCM_ISC_ACL_PARAM(ErrorRecoveryLevel, TCM_ISC_K_ERL);

struct configfs_attribute *tcm_isc_acl_param_attrs[] = {
	&tcm_isc_ap_attr_MaxConnections,
	&tcm_isc_ap_attr_InitialR2T,
	&tcm_isc_ap_attr_ImmediateData,
	&tcm_isc_ap_attr_MaxBurstLength,
	&tcm_isc_ap_attr_FirstBurstLength,
	&tcm_isc_ap_attr_DefaultTime2Wait,
	&tcm_isc_ap_attr_DefaultTime2Retain,
	&tcm_isc_ap_attr_MaxOutstandingR2T,
	&tcm_isc_ap_attr_DataPDUInOrder,
	&tcm_isc_ap_attr_DataSequenceInOrder,
	&tcm_isc_ap_attr_ErrorRecoveryLevel,
	NULL
};

/* ---- fabric_statistics/iscsi_sess_stats/: nothing at all without a session ---- */

enum tcm_isc_sess_stat {
	TCM_ISC_SS_NODE,
	TCM_ISC_SS_INDX,
	TCM_ISC_SS_CMD_PDUS,
	TCM_ISC_SS_RSP_PDUS,
	TCM_ISC_SS_TX,
	TCM_ISC_SS_RX,
	TCM_ISC_SS_DIGEST,
	TCM_ISC_SS_TIMEOUT,
};

static u64 tcm_isc_sess_stat(struct tcm_isc_session *isess, enum tcm_isc_sess_stat which)
{
	struct tcm_isc_conn *conn;
	u64 sum = 0;

	lockdep_assert_held(&isess->lock);
	switch (which) {
	case TCM_ISC_SS_NODE:
	case TCM_ISC_SS_INDX:
		return which == TCM_ISC_SS_NODE ? 0 : isess->tsess->index;
	case TCM_ISC_SS_CMD_PDUS:
		return isess->cmd_pdus;
	case TCM_ISC_SS_RSP_PDUS:
		return isess->rsp_pdus;
	case TCM_ISC_SS_TIMEOUT:
		return atomic_read(&isess->timeouts);
	default:
		break;
	}
	list_for_each_entry(conn, &isess->conns, sess_node) {
		if (which == TCM_ISC_SS_TX)
			sum += conn->tx_octets;
		else if (which == TCM_ISC_SS_RX)
			sum += conn->rx_octets;
		else if (which == TCM_ISC_SS_DIGEST)
			sum += atomic_read(&conn->digest_errors);
	}
	return sum;
}

static ssize_t tcm_isc_show_sess_stat(struct config_item *item, enum tcm_isc_sess_stat which,
				      char *page)
{
	struct tcm_acl *acl = tcm_item_acl(item);
	struct tcm_isc_tpg *itpg = acl->tpg->priv;
	struct tcm_isc_session *isess;
	ssize_t len = 0;

	mutex_lock(&itpg->lock);
	isess = tcm_isc_acl_session(acl);
	if (isess) {
		spin_lock(&isess->lock);
		len = sysfs_emit(page, "%llu\n", tcm_isc_sess_stat(isess, which));
		spin_unlock(&isess->lock);
	}
	mutex_unlock(&itpg->lock);
	return len;
}

#define TCM_ISC_SESS_STAT(name, which)							\
static ssize_t tcm_isc_ss_##name##_show(struct config_item *item, char *page)		\
{											\
	return tcm_isc_show_sess_stat(item, which, page);				\
}											\
CONFIGFS_ATTR_RO(tcm_isc_ss_, name)

static ssize_t tcm_isc_ss_inst_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%u\n", tcm_item_acl(item)->tpg->wwn->inst);
}
CONFIGFS_ATTR_RO(tcm_isc_ss_, inst);

TCM_ISC_SESS_STAT(node, TCM_ISC_SS_NODE);
TCM_ISC_SESS_STAT(indx, TCM_ISC_SS_INDX);
TCM_ISC_SESS_STAT(cmd_pdus, TCM_ISC_SS_CMD_PDUS);
TCM_ISC_SESS_STAT(rsp_pdus, TCM_ISC_SS_RSP_PDUS);
TCM_ISC_SESS_STAT(txdata_octs, TCM_ISC_SS_TX);
TCM_ISC_SESS_STAT(rxdata_octs, TCM_ISC_SS_RX);
TCM_ISC_SESS_STAT(conn_digest_errors, TCM_ISC_SS_DIGEST);
TCM_ISC_SESS_STAT(conn_timeout_errors, TCM_ISC_SS_TIMEOUT);

static struct configfs_attribute *tcm_isc_sess_stat_attrs[] = {
	&tcm_isc_ss_attr_inst,
	&tcm_isc_ss_attr_node,
	&tcm_isc_ss_attr_indx,
	&tcm_isc_ss_attr_cmd_pdus,
	&tcm_isc_ss_attr_rsp_pdus,
	&tcm_isc_ss_attr_txdata_octs,
	&tcm_isc_ss_attr_rxdata_octs,
	&tcm_isc_ss_attr_conn_digest_errors,
	&tcm_isc_ss_attr_conn_timeout_errors,
	NULL
};

static const struct config_item_type tcm_isc_sess_stat_type = {
	.ct_item_ops	= &tcm_item_ops,
	.ct_attrs	= tcm_isc_sess_stat_attrs,
	.ct_owner	= THIS_MODULE,
};

const struct tcm_attr_group tcm_isc_acl_stats[] = {
	{ "iscsi_sess_stats", &tcm_isc_sess_stat_type },
	{ }
};
