// SPDX-License-Identifier: GPL-2.0-only
/*
 * tpgt_<n>/ with attrib/, param/, auth/; np/<portal>/ (configfs contract, sections 9.2, 9.3).
 */
#include <linux/ctype.h>
#include <linux/kstrtox.h>
#include "iscsi.h"

static struct tcm_isc_tpg *tcm_isc_item_tpg(struct config_item *item)
{
	return tcm_item_tpg(item)->priv;
}

/* ---- attrib/ ---- */

#define TCM_ISC_ATTRIB_SHOW(name)							\
static ssize_t tcm_isc_ta_##name##_show(struct config_item *item, char *page)		\
{											\
	return sysfs_emit(page, "%u\n", tcm_isc_item_tpg(item)->attrib.name);		\
}

#define TCM_ISC_ATTRIB(name, lo, hi)							\
TCM_ISC_ATTRIB_SHOW(name)								\
static ssize_t tcm_isc_ta_##name##_store(struct config_item *item, const char *page, size_t count) \
{											\
	return tcm_isc_store_num(item, #name, page, lo, hi,				\
				 &tcm_isc_item_tpg(item)->attrib.name) ?: count;	\
}											\
CONFIGFS_ATTR(tcm_isc_ta_, name)

TCM_ISC_ATTRIB(login_timeout, 5, 30);
TCM_ISC_ATTRIB(netif_timeout, 2, 15);
TCM_ISC_ATTRIB(default_cmdsn_depth, 1, TCM_ISC_DEPTH_MAX);
TCM_ISC_ATTRIB(demo_mode_write_protect, 0, 1);
TCM_ISC_ATTRIB(demo_mode_discovery, 0, 1);
TCM_ISC_ATTRIB(default_erl, 0, 2);
TCM_ISC_ATTRIB(t10_pi, 0, 1);
TCM_ISC_ATTRIB(tpg_enabled_sendtargets, 0, 1);
TCM_ISC_ATTRIB(login_keys_workaround, 0, 1);

/* What logs in has to prove it, or may leave it: the list of methods says so to initiators. */
TCM_ISC_ATTRIB_SHOW(authentication)
static ssize_t tcm_isc_ta_authentication_store(struct config_item *item, const char *page,
					       size_t count)
{
	struct tcm_isc_tpg *itpg = tcm_isc_item_tpg(item);
	int err = tcm_isc_store_num(item, "authentication", page, 0, 1,
				    &itpg->attrib.authentication);

	if (err)
		return err;
	mutex_lock(&tcm_isc_lock);
	strscpy(itpg->auth_method, itpg->attrib.authentication ? "CHAP" : "CHAP,None",
		sizeof(itpg->auth_method));
	mutex_unlock(&tcm_isc_lock);
	return count;
}
CONFIGFS_ATTR(tcm_isc_ta_, authentication);

TCM_ISC_ATTRIB_SHOW(generate_node_acls)
static ssize_t tcm_isc_ta_generate_node_acls_store(struct config_item *item, const char *page,
						   size_t count)
{
	struct tcm_isc_tpg_attrib *attrib = &tcm_isc_item_tpg(item)->attrib;
	int err = tcm_isc_store_num(item, "generate_node_acls", page, 0, 1,
				    &attrib->generate_node_acls);

	if (!err && attrib->generate_node_acls)
		attrib->cache_dynamic_acls = 1;
	return err ?: count;
}
CONFIGFS_ATTR(tcm_isc_ta_, generate_node_acls);

TCM_ISC_ATTRIB_SHOW(cache_dynamic_acls)
static ssize_t tcm_isc_ta_cache_dynamic_acls_store(struct config_item *item, const char *page,
						   size_t count)
{
	struct tcm_isc_tpg_attrib *attrib = &tcm_isc_item_tpg(item)->attrib;
	u32 val;
	int err = tcm_isc_store_num(item, "cache_dynamic_acls", page, 0, 1, &val);

	/* Cannot be turned off while it is needed; trying is no error. */
	if (!err && (val || !attrib->generate_node_acls))
		attrib->cache_dynamic_acls = val;
	return err ?: count;
}
CONFIGFS_ATTR(tcm_isc_ta_, cache_dynamic_acls);

static ssize_t tcm_isc_ta_fabric_prot_type_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%u\n", tcm_item_tpg(item)->prot_type);
}

static ssize_t tcm_isc_ta_fabric_prot_type_store(struct config_item *item, const char *page,
						 size_t count)
{
	u32 type;

	if (kstrtou32(page, 0, &type) || (type != 0 && type != 1 && type != 3))
		return tcm_cfs_refuse(item, "fabric_prot_type", -EINVAL, "0, 1 or 3");
	WRITE_ONCE(tcm_item_tpg(item)->prot_type, type);
	return count;
}
CONFIGFS_ATTR(tcm_isc_ta_, fabric_prot_type);

static ssize_t tcm_isc_ta_prod_mode_write_protect_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%u\n", tcm_item_tpg(item)->acl_read_only);
}

static ssize_t tcm_isc_ta_prod_mode_write_protect_store(struct config_item *item, const char *page,
							size_t count)
{
	return tcm_isc_store_num(item, "prod_mode_write_protect", page, 0, 1,
				 &tcm_item_tpg(item)->acl_read_only) ?: count;
}
CONFIGFS_ATTR(tcm_isc_ta_, prod_mode_write_protect);

struct configfs_attribute *tcm_isc_tpg_attrib_attrs[] = {
	&tcm_isc_ta_attr_authentication,
	&tcm_isc_ta_attr_login_timeout,
	&tcm_isc_ta_attr_netif_timeout,
	&tcm_isc_ta_attr_generate_node_acls,
	&tcm_isc_ta_attr_default_cmdsn_depth,
	&tcm_isc_ta_attr_cache_dynamic_acls,
	&tcm_isc_ta_attr_demo_mode_write_protect,
	&tcm_isc_ta_attr_prod_mode_write_protect,
	&tcm_isc_ta_attr_demo_mode_discovery,
	&tcm_isc_ta_attr_default_erl,
	&tcm_isc_ta_attr_t10_pi,
	&tcm_isc_ta_attr_fabric_prot_type,
	&tcm_isc_ta_attr_tpg_enabled_sendtargets,
	&tcm_isc_ta_attr_login_keys_workaround,
	NULL
};

/* ---- param/ ---- */

/* The value without the white space at its end; what no initiator may be shown is refused. */
static int tcm_isc_param_text(const char *page, size_t count, char *to, size_t size)
{
	size_t i;

	while (count && isspace(page[count - 1]))
		count--;
	if (count >= size)
		return -EINVAL;
	for (i = 0; i < count; i++)
		if (!isascii(page[i]) || !isprint(page[i]))
			return -EINVAL;
	memcpy(to, page, count);
	to[count] = '\0';
	return 0;
}

static ssize_t tcm_isc_param_num_store(struct config_item *item, enum tcm_isc_key key,
				       const char *page,
				       size_t count)
{
	struct tcm_isc_tpg *itpg = tcm_isc_item_tpg(item);
	char value[64];
	int err = tcm_isc_param_text(page, count, value, sizeof(value));

	mutex_lock(&tcm_isc_lock);
	if (!err)
		err = tcm_isc_offer_set(&itpg->offer, key, value);
	mutex_unlock(&tcm_isc_lock);
	if (err)
		return tcm_cfs_refuse(item, tcm_isc_key_name(key), err, "not a value of this key");
	return count;
}

#define TCM_ISC_PARAM(name, key, format, value)						\
static ssize_t tcm_isc_tp_##name##_show(struct config_item *item, char *page)		\
{											\
	u32 val = tcm_isc_item_tpg(item)->offer.val[key];				\
											\
	return sysfs_emit(page, format "\n", value);					\
}											\
static ssize_t tcm_isc_tp_##name##_store(struct config_item *item, const char *page, size_t count) \
{											\
	return tcm_isc_param_num_store(item, key, page, count);				\
}											\
CONFIGFS_ATTR(tcm_isc_tp_, name)

#define TCM_ISC_PARAM_NUM(name, key)	TCM_ISC_PARAM(name, key, "%u", val)
#define TCM_ISC_PARAM_BOOL(name, key)	TCM_ISC_PARAM(name, key, "%s", val ? "Yes" : "No")

TCM_ISC_PARAM_NUM(MaxConnections, TCM_ISC_K_MAX_CONNECTIONS);
TCM_ISC_PARAM_BOOL(InitialR2T, TCM_ISC_K_INITIAL_R2T);
TCM_ISC_PARAM_BOOL(ImmediateData, TCM_ISC_K_IMMEDIATE_DATA);
TCM_ISC_PARAM_NUM(MaxBurstLength, TCM_ISC_K_MAX_BURST);
TCM_ISC_PARAM_NUM(FirstBurstLength, TCM_ISC_K_FIRST_BURST);
TCM_ISC_PARAM_NUM(DefaultTime2Wait, TCM_ISC_K_TIME2WAIT);
TCM_ISC_PARAM_NUM(DefaultTime2Retain, TCM_ISC_K_TIME2RETAIN);
TCM_ISC_PARAM_NUM(MaxOutstandingR2T, TCM_ISC_K_MAX_R2T);
TCM_ISC_PARAM_BOOL(DataPDUInOrder, TCM_ISC_K_PDU_IN_ORDER);
TCM_ISC_PARAM_BOOL(DataSequenceInOrder, TCM_ISC_K_SEQ_IN_ORDER);
TCM_ISC_PARAM_NUM(ErrorRecoveryLevel, TCM_ISC_K_ERL);
TCM_ISC_PARAM_BOOL(IFMarker, TCM_ISC_K_IFMARKER);
TCM_ISC_PARAM_BOOL(OFMarker, TCM_ISC_K_OFMARKER);

/* Our own limits; not what is negotiated but what is declared or kept to */
#define TCM_ISC_PARAM_LEN(name, member)							\
static ssize_t tcm_isc_tp_##name##_show(struct config_item *item, char *page)		\
{											\
	return sysfs_emit(page, "%u\n", tcm_isc_item_tpg(item)->member);		\
}											\
static ssize_t tcm_isc_tp_##name##_store(struct config_item *item, const char *page, size_t count) \
{											\
	return tcm_isc_store_num(item, #name, page, 512, 16777215,			\
				 &tcm_isc_item_tpg(item)->member) ?: count;		\
}											\
CONFIGFS_ATTR(tcm_isc_tp_, name)

TCM_ISC_PARAM_LEN(MaxRecvDataSegmentLength, max_recv);
TCM_ISC_PARAM_LEN(MaxXmitDataSegmentLength, max_xmit);

#define TCM_ISC_PARAM_TEXT(name, member, check)						\
static ssize_t tcm_isc_tp_##name##_show(struct config_item *item, char *page)		\
{											\
	ssize_t len;									\
											\
	mutex_lock(&tcm_isc_lock);							\
	len = sysfs_emit(page, "%s\n", tcm_isc_item_tpg(item)->member);			\
	mutex_unlock(&tcm_isc_lock);							\
	return len;									\
}											\
static ssize_t tcm_isc_tp_##name##_store(struct config_item *item, const char *page, size_t count) \
{											\
	struct tcm_isc_tpg *itpg = tcm_isc_item_tpg(item);				\
	char value[sizeof(itpg->member)];						\
	int err = tcm_isc_param_text(page, count, value, sizeof(value));		\
											\
	mutex_lock(&tcm_isc_lock);							\
	if (!err)									\
		err = check(itpg, value);						\
	if (!err)									\
		strscpy(itpg->member, value, sizeof(itpg->member));			\
	mutex_unlock(&tcm_isc_lock);							\
	return err ? tcm_cfs_refuse(item, #name, err, NULL) : count;			\
}											\
CONFIGFS_ATTR(tcm_isc_tp_, name)

static int tcm_isc_any_text(struct tcm_isc_tpg *itpg, const char *value)
{
	return 0;
}

static int tcm_isc_header_digest(struct tcm_isc_tpg *itpg, const char *value)
{
	return tcm_isc_offer_set(&itpg->offer, TCM_ISC_K_HEADER_DIGEST, value);
}

static int tcm_isc_data_digest(struct tcm_isc_tpg *itpg, const char *value)
{
	return tcm_isc_offer_set(&itpg->offer, TCM_ISC_K_DATA_DIGEST, value);
}

/* The methods that RFC 7143 has; only the first two can come out of it. */
static int tcm_isc_auth_methods(struct tcm_isc_tpg *itpg, const char *value)
{
	static const char known[] = "CHAP,None,KRB5,SPKM1,SPKM2,SRP";
	char word[16];

	for (;;) {
		size_t n = strcspn(value, ",");

		if (!n || n >= sizeof(word))
			return -EINVAL;
		memcpy(word, value, n);
		word[n] = '\0';
		if (!tcm_isc_list_has(known, word))
			return -EINVAL;
		if (!value[n])
			return 0;
		value += n + 1;
	}
}

TCM_ISC_PARAM_TEXT(AuthMethod, auth_method, tcm_isc_auth_methods);
TCM_ISC_PARAM_TEXT(HeaderDigest, header_digest, tcm_isc_header_digest);
TCM_ISC_PARAM_TEXT(DataDigest, data_digest, tcm_isc_data_digest);
TCM_ISC_PARAM_TEXT(TargetAlias, alias, tcm_isc_any_text);
TCM_ISC_PARAM_TEXT(IFMarkInt, if_mark_int, tcm_isc_any_text);
TCM_ISC_PARAM_TEXT(OFMarkInt, of_mark_int, tcm_isc_any_text);

struct configfs_attribute *tcm_isc_tpg_param_attrs[] = {
	&tcm_isc_tp_attr_AuthMethod,
	&tcm_isc_tp_attr_HeaderDigest,
	&tcm_isc_tp_attr_DataDigest,
	&tcm_isc_tp_attr_MaxConnections,
	&tcm_isc_tp_attr_TargetAlias,
	&tcm_isc_tp_attr_InitialR2T,
	&tcm_isc_tp_attr_ImmediateData,
	&tcm_isc_tp_attr_MaxRecvDataSegmentLength,
	&tcm_isc_tp_attr_MaxXmitDataSegmentLength,
	&tcm_isc_tp_attr_MaxBurstLength,
	&tcm_isc_tp_attr_FirstBurstLength,
	&tcm_isc_tp_attr_DefaultTime2Wait,
	&tcm_isc_tp_attr_DefaultTime2Retain,
	&tcm_isc_tp_attr_MaxOutstandingR2T,
	&tcm_isc_tp_attr_DataPDUInOrder,
	&tcm_isc_tp_attr_DataSequenceInOrder,
	&tcm_isc_tp_attr_ErrorRecoveryLevel,
	&tcm_isc_tp_attr_IFMarker,
	&tcm_isc_tp_attr_OFMarker,
	&tcm_isc_tp_attr_IFMarkInt,
	&tcm_isc_tp_attr_OFMarkInt,
	NULL
};

/* ---- auth/ ---- */

#define TCM_ISC_TPG_SECRET(name, which)							\
static ssize_t tcm_isc_tauth_##name##_show(struct config_item *item, char *page)	\
{											\
	return tcm_isc_secret_show(&tcm_isc_item_tpg(item)->auth, which, page);		\
}											\
static ssize_t tcm_isc_tauth_##name##_store(struct config_item *item, const char *page,		\
						 size_t count)					\
{											\
	return tcm_isc_secret_store(item, #name, &tcm_isc_item_tpg(item)->auth, which, page,	\
				    count);						\
}											\
CONFIGFS_ATTR(tcm_isc_tauth_, name)

TCM_ISC_TPG_SECRET(userid, TCM_ISC_SEC_USERID);
TCM_ISC_TPG_SECRET(password, TCM_ISC_SEC_PASSWORD);
TCM_ISC_TPG_SECRET(userid_mutual, TCM_ISC_SEC_USERID_MUTUAL);
TCM_ISC_TPG_SECRET(password_mutual, TCM_ISC_SEC_PASSWORD_MUTUAL);

static ssize_t tcm_isc_tauth_authenticate_target_show(struct config_item *item, char *page)
{
	return tcm_isc_mutual_show(&tcm_isc_item_tpg(item)->auth, page);
}
CONFIGFS_ATTR_RO(tcm_isc_tauth_, authenticate_target);

struct configfs_attribute *tcm_isc_tpg_auth_attrs[] = {
	&tcm_isc_tauth_attr_userid,
	&tcm_isc_tauth_attr_password,
	&tcm_isc_tauth_attr_userid_mutual,
	&tcm_isc_tauth_attr_password_mutual,
	&tcm_isc_tauth_attr_authenticate_target,
	NULL
};

/* ---- tpgt_<n>/ ---- */

/* Initiators without an ACL; what does not fit a page is left out. */
static ssize_t tcm_isc_tpg_dynamic_sessions_show(struct config_item *item, char *page)
{
	struct tcm_isc_tpg *itpg = tcm_isc_item_tpg(item);
	struct tcm_isc_session *isess;
	ssize_t len = 0;

	mutex_lock(&itpg->lock);
	list_for_each_entry(isess, &itpg->sessions, node)
		if (isess->dynamic)
			len += sysfs_emit_at(page, len, "%s\n", isess->name);
	mutex_unlock(&itpg->lock);
	return len;
}

struct configfs_attribute tcm_isc_tpg_attr_dynamic_sessions = {
	.ca_name	= "dynamic_sessions",
	.ca_mode	= 0444,
	.ca_owner	= THIS_MODULE,
	.show		= tcm_isc_tpg_dynamic_sessions_show,
};

/* ---- np/<portal>/ ---- */

/* Portals of other transports: there is none, and taking away what is not there succeeds. */
#define TCM_ISC_NP_TRANSPORT(name)							\
static ssize_t tcm_isc_np_##name##_show(struct config_item *item, char *page)		\
{											\
	return sysfs_emit(page, "0\n");							\
}											\
static ssize_t tcm_isc_np_##name##_store(struct config_item *item, const char *page, size_t count) \
{											\
	u32 on;										\
											\
	if (kstrtou32(page, 0, &on) || on > 1)						\
		return tcm_cfs_refuse(item, #name, -EINVAL, "0 or 1");			\
	return on ? tcm_cfs_refuse(item, #name, -EOPNOTSUPP, "no such transport") : count; \
}											\
CONFIGFS_ATTR(tcm_isc_np_, name)

TCM_ISC_NP_TRANSPORT(iser);
TCM_ISC_NP_TRANSPORT(cxgbit);

struct configfs_attribute *tcm_isc_np_attrs[] = {
	&tcm_isc_np_attr_iser,
	&tcm_isc_np_attr_cxgbit,
	NULL
};
