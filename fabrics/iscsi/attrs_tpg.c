// SPDX-License-Identifier: GPL-2.0-only
/*
 * tpgt_<n>/ with attrib/, param/, auth/; np/<portal>/ (configfs contract, sections 9.2, 9.3).
 */
#include <linux/ctype.h>
#include <linux/kstrtox.h>
#include "iscsi.h"

static struct isc_tpg *isc_item_tpg(struct config_item *item)
{
	return tcm_item_tpg(item)->priv;
}

/* ---- attrib/ ---- */

#define ISC_ATTRIB_SHOW(name)								\
static ssize_t isc_ta_##name##_show(struct config_item *item, char *page)		\
{											\
	return sysfs_emit(page, "%u\n", isc_item_tpg(item)->attrib.name);		\
}

#define ISC_ATTRIB(name, lo, hi)							\
ISC_ATTRIB_SHOW(name)									\
static ssize_t isc_ta_##name##_store(struct config_item *item, const char *page, size_t count) \
{											\
	return isc_store_num(item, #name, page, lo, hi,					\
			     &isc_item_tpg(item)->attrib.name) ?: count;		\
}											\
CONFIGFS_ATTR(isc_ta_, name)

ISC_ATTRIB(login_timeout, 5, 30);
ISC_ATTRIB(netif_timeout, 2, 15);
ISC_ATTRIB(default_cmdsn_depth, 1, ISC_DEPTH_MAX);
ISC_ATTRIB(demo_mode_write_protect, 0, 1);
ISC_ATTRIB(prod_mode_write_protect, 0, 1);
ISC_ATTRIB(demo_mode_discovery, 0, 1);
ISC_ATTRIB(default_erl, 0, 2);
ISC_ATTRIB(t10_pi, 0, 1);
ISC_ATTRIB(tpg_enabled_sendtargets, 0, 1);
ISC_ATTRIB(login_keys_workaround, 0, 1);

/* What logs in has to prove it, or may leave it: the list of methods says so to initiators. */
ISC_ATTRIB_SHOW(authentication)
static ssize_t isc_ta_authentication_store(struct config_item *item, const char *page, size_t count)
{
	struct isc_tpg *itpg = isc_item_tpg(item);
	int err = isc_store_num(item, "authentication", page, 0, 1, &itpg->attrib.authentication);

	if (err)
		return err;
	mutex_lock(&isc_lock);
	strscpy(itpg->auth_method, itpg->attrib.authentication ? "CHAP" : "CHAP,None",
		sizeof(itpg->auth_method));
	mutex_unlock(&isc_lock);
	return count;
}
CONFIGFS_ATTR(isc_ta_, authentication);

ISC_ATTRIB_SHOW(generate_node_acls)
static ssize_t isc_ta_generate_node_acls_store(struct config_item *item, const char *page,
					       size_t count)
{
	struct isc_tpg_attrib *attrib = &isc_item_tpg(item)->attrib;
	int err = isc_store_num(item, "generate_node_acls", page, 0, 1,
				&attrib->generate_node_acls);

	if (!err && attrib->generate_node_acls)
		attrib->cache_dynamic_acls = 1;
	return err ?: count;
}
CONFIGFS_ATTR(isc_ta_, generate_node_acls);

ISC_ATTRIB_SHOW(cache_dynamic_acls)
static ssize_t isc_ta_cache_dynamic_acls_store(struct config_item *item, const char *page,
					       size_t count)
{
	struct isc_tpg_attrib *attrib = &isc_item_tpg(item)->attrib;
	u32 val;
	int err = isc_store_num(item, "cache_dynamic_acls", page, 0, 1, &val);

	/* Cannot be turned off while it is needed; trying is no error. */
	if (!err && (val || !attrib->generate_node_acls))
		attrib->cache_dynamic_acls = val;
	return err ?: count;
}
CONFIGFS_ATTR(isc_ta_, cache_dynamic_acls);

static ssize_t isc_ta_fabric_prot_type_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%u\n", tcm_item_tpg(item)->prot_type);
}

static ssize_t isc_ta_fabric_prot_type_store(struct config_item *item, const char *page,
					     size_t count)
{
	u32 type;

	if (kstrtou32(page, 0, &type) || (type != 0 && type != 1 && type != 3))
		return tcm_cfs_refuse(item, "fabric_prot_type", -EINVAL, "0, 1 or 3");
	tcm_item_tpg(item)->prot_type = type;
	return count;
}
CONFIGFS_ATTR(isc_ta_, fabric_prot_type);

struct configfs_attribute *isc_tpg_attrib_attrs[] = {
	&isc_ta_attr_authentication,
	&isc_ta_attr_login_timeout,
	&isc_ta_attr_netif_timeout,
	&isc_ta_attr_generate_node_acls,
	&isc_ta_attr_default_cmdsn_depth,
	&isc_ta_attr_cache_dynamic_acls,
	&isc_ta_attr_demo_mode_write_protect,
	&isc_ta_attr_prod_mode_write_protect,
	&isc_ta_attr_demo_mode_discovery,
	&isc_ta_attr_default_erl,
	&isc_ta_attr_t10_pi,
	&isc_ta_attr_fabric_prot_type,
	&isc_ta_attr_tpg_enabled_sendtargets,
	&isc_ta_attr_login_keys_workaround,
	NULL
};

/* ---- param/ ---- */

/* The value without the white space at its end; what no initiator may be shown is refused. */
static int isc_param_text(const char *page, size_t count, char *to, size_t size)
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

static ssize_t isc_param_num_store(struct config_item *item, enum isc_key key, const char *page,
				   size_t count)
{
	struct isc_tpg *itpg = isc_item_tpg(item);
	char value[64];
	int err = isc_param_text(page, count, value, sizeof(value));

	mutex_lock(&isc_lock);
	if (!err)
		err = isc_offer_set(&itpg->offer, key, value);
	mutex_unlock(&isc_lock);
	if (err)
		return tcm_cfs_refuse(item, isc_key_name(key), err, "not a value of this key");
	return count;
}

#define ISC_PARAM(name, key, format, value)						\
static ssize_t isc_tp_##name##_show(struct config_item *item, char *page)		\
{											\
	u32 val = isc_item_tpg(item)->offer.val[key];					\
											\
	return sysfs_emit(page, format "\n", value);					\
}											\
static ssize_t isc_tp_##name##_store(struct config_item *item, const char *page, size_t count) \
{											\
	return isc_param_num_store(item, key, page, count);				\
}											\
CONFIGFS_ATTR(isc_tp_, name)

#define ISC_PARAM_NUM(name, key)	ISC_PARAM(name, key, "%u", val)
#define ISC_PARAM_BOOL(name, key)	ISC_PARAM(name, key, "%s", val ? "Yes" : "No")

ISC_PARAM_NUM(MaxConnections, ISC_K_MAX_CONNECTIONS);
ISC_PARAM_BOOL(InitialR2T, ISC_K_INITIAL_R2T);
ISC_PARAM_BOOL(ImmediateData, ISC_K_IMMEDIATE_DATA);
ISC_PARAM_NUM(MaxBurstLength, ISC_K_MAX_BURST);
ISC_PARAM_NUM(FirstBurstLength, ISC_K_FIRST_BURST);
ISC_PARAM_NUM(DefaultTime2Wait, ISC_K_TIME2WAIT);
ISC_PARAM_NUM(DefaultTime2Retain, ISC_K_TIME2RETAIN);
ISC_PARAM_NUM(MaxOutstandingR2T, ISC_K_MAX_R2T);
ISC_PARAM_BOOL(DataPDUInOrder, ISC_K_PDU_IN_ORDER);
ISC_PARAM_BOOL(DataSequenceInOrder, ISC_K_SEQ_IN_ORDER);
ISC_PARAM_NUM(ErrorRecoveryLevel, ISC_K_ERL);
ISC_PARAM_BOOL(IFMarker, ISC_K_IFMARKER);
ISC_PARAM_BOOL(OFMarker, ISC_K_OFMARKER);

/* Our own limits; not what is negotiated but what is declared or kept to */
#define ISC_PARAM_LEN(name, member)							\
static ssize_t isc_tp_##name##_show(struct config_item *item, char *page)		\
{											\
	return sysfs_emit(page, "%u\n", isc_item_tpg(item)->member);			\
}											\
static ssize_t isc_tp_##name##_store(struct config_item *item, const char *page, size_t count) \
{											\
	return isc_store_num(item, #name, page, 512, 16777215,				\
			     &isc_item_tpg(item)->member) ?: count;			\
}											\
CONFIGFS_ATTR(isc_tp_, name)

ISC_PARAM_LEN(MaxRecvDataSegmentLength, max_recv);
ISC_PARAM_LEN(MaxXmitDataSegmentLength, max_xmit);

#define ISC_PARAM_TEXT(name, member, check)						\
static ssize_t isc_tp_##name##_show(struct config_item *item, char *page)		\
{											\
	ssize_t len;									\
											\
	mutex_lock(&isc_lock);								\
	len = sysfs_emit(page, "%s\n", isc_item_tpg(item)->member);			\
	mutex_unlock(&isc_lock);							\
	return len;									\
}											\
static ssize_t isc_tp_##name##_store(struct config_item *item, const char *page, size_t count) \
{											\
	struct isc_tpg *itpg = isc_item_tpg(item);					\
	char value[sizeof(itpg->member)];						\
	int err = isc_param_text(page, count, value, sizeof(value));			\
											\
	mutex_lock(&isc_lock);								\
	if (!err)									\
		err = check(itpg, value);						\
	if (!err)									\
		strscpy(itpg->member, value, sizeof(itpg->member));			\
	mutex_unlock(&isc_lock);							\
	return err ? tcm_cfs_refuse(item, #name, err, NULL) : count;			\
}											\
CONFIGFS_ATTR(isc_tp_, name)

static int isc_any_text(struct isc_tpg *itpg, const char *value)
{
	return 0;
}

static int isc_header_digest(struct isc_tpg *itpg, const char *value)
{
	return isc_offer_set(&itpg->offer, ISC_K_HEADER_DIGEST, value);
}

static int isc_data_digest(struct isc_tpg *itpg, const char *value)
{
	return isc_offer_set(&itpg->offer, ISC_K_DATA_DIGEST, value);
}

/* The methods that RFC 7143 has; only the first two can come out of it. */
static int isc_auth_methods(struct isc_tpg *itpg, const char *value)
{
	static const char known[] = "CHAP,None,KRB5,SPKM1,SPKM2,SRP";
	char word[16];

	for (;;) {
		size_t n = strcspn(value, ",");

		if (!n || n >= sizeof(word))
			return -EINVAL;
		memcpy(word, value, n);
		word[n] = '\0';
		if (!isc_list_has(known, word))
			return -EINVAL;
		if (!value[n])
			return 0;
		value += n + 1;
	}
}

ISC_PARAM_TEXT(AuthMethod, auth_method, isc_auth_methods);
ISC_PARAM_TEXT(HeaderDigest, header_digest, isc_header_digest);
ISC_PARAM_TEXT(DataDigest, data_digest, isc_data_digest);
ISC_PARAM_TEXT(TargetAlias, alias, isc_any_text);
ISC_PARAM_TEXT(IFMarkInt, if_mark_int, isc_any_text);
ISC_PARAM_TEXT(OFMarkInt, of_mark_int, isc_any_text);

struct configfs_attribute *isc_tpg_param_attrs[] = {
	&isc_tp_attr_AuthMethod,
	&isc_tp_attr_HeaderDigest,
	&isc_tp_attr_DataDigest,
	&isc_tp_attr_MaxConnections,
	&isc_tp_attr_TargetAlias,
	&isc_tp_attr_InitialR2T,
	&isc_tp_attr_ImmediateData,
	&isc_tp_attr_MaxRecvDataSegmentLength,
	&isc_tp_attr_MaxXmitDataSegmentLength,
	&isc_tp_attr_MaxBurstLength,
	&isc_tp_attr_FirstBurstLength,
	&isc_tp_attr_DefaultTime2Wait,
	&isc_tp_attr_DefaultTime2Retain,
	&isc_tp_attr_MaxOutstandingR2T,
	&isc_tp_attr_DataPDUInOrder,
	&isc_tp_attr_DataSequenceInOrder,
	&isc_tp_attr_ErrorRecoveryLevel,
	&isc_tp_attr_IFMarker,
	&isc_tp_attr_OFMarker,
	&isc_tp_attr_IFMarkInt,
	&isc_tp_attr_OFMarkInt,
	NULL
};

/* ---- auth/ ---- */

#define ISC_TPG_SECRET(name, which)							\
static ssize_t isc_tauth_##name##_show(struct config_item *item, char *page)		\
{											\
	return isc_secret_show(&isc_item_tpg(item)->auth, which, page);			\
}											\
static ssize_t isc_tauth_##name##_store(struct config_item *item, const char *page, size_t count) \
{											\
	return isc_secret_store(item, #name, &isc_item_tpg(item)->auth, which, page, count); \
}											\
CONFIGFS_ATTR(isc_tauth_, name)

ISC_TPG_SECRET(userid, ISC_SEC_USERID);
ISC_TPG_SECRET(password, ISC_SEC_PASSWORD);
ISC_TPG_SECRET(userid_mutual, ISC_SEC_USERID_MUTUAL);
ISC_TPG_SECRET(password_mutual, ISC_SEC_PASSWORD_MUTUAL);

static ssize_t isc_tauth_authenticate_target_show(struct config_item *item, char *page)
{
	return isc_mutual_show(&isc_item_tpg(item)->auth, page);
}
CONFIGFS_ATTR_RO(isc_tauth_, authenticate_target);

struct configfs_attribute *isc_tpg_auth_attrs[] = {
	&isc_tauth_attr_userid,
	&isc_tauth_attr_password,
	&isc_tauth_attr_userid_mutual,
	&isc_tauth_attr_password_mutual,
	&isc_tauth_attr_authenticate_target,
	NULL
};

/* ---- tpgt_<n>/ ---- */

/* Initiators without an ACL; what does not fit a page is left out. */
static ssize_t isc_tpg_dynamic_sessions_show(struct config_item *item, char *page)
{
	struct isc_tpg *itpg = isc_item_tpg(item);
	struct isc_session *isess;
	ssize_t len = 0;

	mutex_lock(&itpg->lock);
	list_for_each_entry(isess, &itpg->sessions, node)
		if (isess->dynamic)
			len += sysfs_emit_at(page, len, "%s\n", isess->name);
	mutex_unlock(&itpg->lock);
	return len;
}
CONFIGFS_ATTR_RO(isc_tpg_, dynamic_sessions);

struct configfs_attribute *isc_tpg_attrs[] = {
	&isc_tpg_attr_dynamic_sessions,
	NULL
};

/* ---- np/<portal>/ ---- */

/* Portals of other transports: there is none, and taking away what is not there succeeds. */
#define ISC_NP_TRANSPORT(name)								\
static ssize_t isc_np_##name##_show(struct config_item *item, char *page)		\
{											\
	return sysfs_emit(page, "0\n");							\
}											\
static ssize_t isc_np_##name##_store(struct config_item *item, const char *page, size_t count) \
{											\
	u32 on;										\
											\
	if (kstrtou32(page, 0, &on) || on > 1)						\
		return tcm_cfs_refuse(item, #name, -EINVAL, "0 or 1");			\
	return on ? tcm_cfs_refuse(item, #name, -EOPNOTSUPP, "no such transport") : count; \
}											\
CONFIGFS_ATTR(isc_np_, name)

ISC_NP_TRANSPORT(iser);
ISC_NP_TRANSPORT(cxgbit);

struct configfs_attribute *isc_np_attrs[] = {
	&isc_np_attr_iser,
	&isc_np_attr_cxgbit,
	NULL
};
