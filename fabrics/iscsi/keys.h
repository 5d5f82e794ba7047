/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text keys and their negotiation (RFC 7143 sections 6 and 13). Pure: text in, text and values
 * out; knows nothing of sockets or sessions and can be fed garbage in user space.
 */
#ifndef _TCM_ISCSI_KEYS_H
#define _TCM_ISCSI_KEYS_H

#include <linux/bits.h>
#include <linux/types.h>

/* In the order of isc_keys[] */
enum isc_key {
	/* operational, with a numeric value */
	ISC_K_HEADER_DIGEST,
	ISC_K_DATA_DIGEST,
	ISC_K_MAX_CONNECTIONS,
	ISC_K_INITIAL_R2T,
	ISC_K_IMMEDIATE_DATA,
	ISC_K_MAX_RECV,			/* what the initiator declared */
	ISC_K_MAX_BURST,
	ISC_K_FIRST_BURST,
	ISC_K_TIME2WAIT,
	ISC_K_TIME2RETAIN,
	ISC_K_MAX_R2T,
	ISC_K_PDU_IN_ORDER,
	ISC_K_SEQ_IN_ORDER,
	ISC_K_ERL,
	ISC_K_IFMARKER,
	ISC_K_OFMARKER,
	ISC_K_PROTOCOL_LEVEL,		/* RFC 7144 */
	ISC_K_TASK_REPORTING,
	ISC_K_VALUES,

	/* others, left to the caller */
	ISC_K_AUTH_METHOD = ISC_K_VALUES,
	ISC_K_INITIATOR_NAME,
	ISC_K_INITIATOR_ALIAS,
	ISC_K_TARGET_NAME,
	ISC_K_TARGET_ALIAS,
	ISC_K_TARGET_ADDRESS,
	ISC_K_PORTAL_GROUP_TAG,
	ISC_K_SESSION_TYPE,
	ISC_K_SEND_TARGETS,
	ISC_K_CHAP_A,
	ISC_K_CHAP_I,
	ISC_K_CHAP_C,
	ISC_K_CHAP_N,
	ISC_K_CHAP_R,
	ISC_K_IFMARKINT,
	ISC_K_OFMARKINT,
	ISC_K_COUNT,
	ISC_K_UNKNOWN = ISC_K_COUNT,
};

/* Digests as values of their keys, and as bits of what a side accepts */
#define ISC_DIGEST_NONE		0
#define ISC_DIGEST_CRC32C	1

/* What a portal group offers: limits, and for lists a bit for each value it accepts */
struct isc_offer {
	u32	val[ISC_K_VALUES];
};

/* One side's view of one negotiation */
struct isc_nego {
	struct isc_offer offer;
	u32	val[ISC_K_VALUES];	/* results */
	u64	seen;			/* keys the initiator has sent: a second time is an error */
	u64	asked;			/* keys we offered and that are not answered yet */
	bool	ffp;			/* full feature phase: few keys may change */
	bool	discovery;
};

/* Where answers go */
struct isc_text {
	char	*buf;
	u32	size, len;
	bool	overflow;
};

#define ISC_KEY_LEN_MAX		63
#define ISC_VALUE_LEN_MAX	8192

void isc_text_add(struct isc_text *text, const char *key, const char *value);
__printf(3, 4) void isc_text_addf(struct isc_text *text, const char *key, const char *fmt, ...);

/* The next key=value pair of *@pos, cut in place; 1: there is one, 0: the end, or -EINVAL */
int isc_text_next(char **pos, char *end, char **key, char **value);

enum isc_key isc_key_find(const char *key);
const char *isc_key_name(enum isc_key key);
int isc_text_num(const char *text, u32 *num);
bool isc_list_has(const char *list, const char *word);

void isc_nego_init(struct isc_nego *nego, const struct isc_offer *offer);
/* A key of the first group; 0, or -EINVAL for an initiator that breaks the rules */
int isc_nego_key(struct isc_nego *nego, enum isc_key key, const char *value, struct isc_text *out);
/* All of the initiator's are in: offer what it left out and must not stay at its default */
void isc_nego_ask(struct isc_nego *nego, struct isc_text *out);
/* What a key in param/ accepts: -EINVAL for what it does not */
int isc_offer_set(struct isc_offer *offer, enum isc_key key, const char *value);
void isc_offer_init(struct isc_offer *offer);

#endif
