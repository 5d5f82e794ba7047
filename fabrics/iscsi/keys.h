/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text keys and their negotiation (RFC 7143 sections 6 and 13). Pure: text in, text and values
 * out; knows nothing of sockets or sessions and can be fed garbage in user space.
 */
#ifndef _TCM_ISCSI_KEYS_H
#define _TCM_ISCSI_KEYS_H

#include <linux/bits.h>
#include <linux/types.h>

/* In the order of tcm_isc_keys[] */
enum tcm_isc_key {
	/* operational, with a numeric value */
	TCM_ISC_K_HEADER_DIGEST,
	TCM_ISC_K_DATA_DIGEST,
	TCM_ISC_K_MAX_CONNECTIONS,
	TCM_ISC_K_INITIAL_R2T,
	TCM_ISC_K_IMMEDIATE_DATA,
	TCM_ISC_K_MAX_RECV,			/* what the initiator declared */
	TCM_ISC_K_MAX_BURST,
	TCM_ISC_K_FIRST_BURST,
	TCM_ISC_K_TIME2WAIT,
	TCM_ISC_K_TIME2RETAIN,
	TCM_ISC_K_MAX_R2T,
	TCM_ISC_K_PDU_IN_ORDER,
	TCM_ISC_K_SEQ_IN_ORDER,
	TCM_ISC_K_ERL,
	TCM_ISC_K_IFMARKER,
	TCM_ISC_K_OFMARKER,
	TCM_ISC_K_PROTOCOL_LEVEL,		/* RFC 7144 */
	TCM_ISC_K_TASK_REPORTING,
	TCM_ISC_K_VALUES,

	/* others, left to the caller */
	TCM_ISC_K_AUTH_METHOD = TCM_ISC_K_VALUES,
	TCM_ISC_K_INITIATOR_NAME,
	TCM_ISC_K_INITIATOR_ALIAS,
	TCM_ISC_K_TARGET_NAME,
	TCM_ISC_K_TARGET_ALIAS,
	TCM_ISC_K_TARGET_ADDRESS,
	TCM_ISC_K_PORTAL_GROUP_TAG,
	TCM_ISC_K_SESSION_TYPE,
	TCM_ISC_K_SEND_TARGETS,
	TCM_ISC_K_CHAP_A,
	TCM_ISC_K_CHAP_I,
	TCM_ISC_K_CHAP_C,
	TCM_ISC_K_CHAP_N,
	TCM_ISC_K_CHAP_R,
	TCM_ISC_K_IFMARKINT,
	TCM_ISC_K_OFMARKINT,
	TCM_ISC_K_COUNT,
	TCM_ISC_K_UNKNOWN = TCM_ISC_K_COUNT,
};

/* Digests as values of their keys, and as bits of what a side accepts */
#define TCM_ISC_DIGEST_NONE		0
#define TCM_ISC_DIGEST_CRC32C	1

/* What a portal group offers: limits, and for lists a bit for each value it accepts */
struct tcm_isc_offer {
	u32	val[TCM_ISC_K_VALUES];
};

/* One side's view of one negotiation */
struct tcm_isc_nego {
	struct tcm_isc_offer offer;
	u32	val[TCM_ISC_K_VALUES];	/* results */
	u64	seen;			/* keys the initiator has sent: a second time is an error */
	u64	asked;			/* keys we offered and that are not answered yet */
	u64	owed;			/* those of them that have to be */
	bool	ffp;			/* full feature phase: few keys may change */
	bool	later;			/* not the first connection: the session's keys stand */
	bool	discovery;
};

/* Where answers go */
struct tcm_isc_text {
	char	*buf;
	u32	size, len;
	bool	overflow;
};

#define TCM_ISC_KEY_LEN_MAX		63
#define TCM_ISC_VALUE_LEN_MAX	8192

void tcm_isc_text_add(struct tcm_isc_text *text, const char *key, const char *value);
__printf(3, 4) void tcm_isc_text_addf(struct tcm_isc_text *text, const char *key, const char *fmt,
				      ...);

void tcm_isc_text_tame(char *text);
/* The next key=value pair of *@pos, cut in place; 1: there is one, 0: the end, or -EINVAL */
int tcm_isc_text_next(char **pos, char *end, char **key, char **value);

enum tcm_isc_key tcm_isc_key_find(const char *key);
const char *tcm_isc_key_name(enum tcm_isc_key key);
int tcm_isc_text_num(const char *text, u32 *num);
/* A binary value; its length, or -EINVAL: not one, or longer than @size */
int tcm_isc_text_binary(const char *text, u8 *to, size_t size);
bool tcm_isc_list_has(const char *list, const char *word);

void tcm_isc_nego_init(struct tcm_isc_nego *nego, const struct tcm_isc_offer *offer);
/* A key of the first group; 0, or -EINVAL for an initiator that breaks the rules */
int tcm_isc_nego_key(struct tcm_isc_nego *nego, enum tcm_isc_key key, const char *value,
		     struct tcm_isc_text *out);
/* All of the initiator's are in: offer what it left out and must not stay at its default */
void tcm_isc_nego_ask(struct tcm_isc_nego *nego, struct tcm_isc_text *out);
/* What was offered and not answered is as it was offered. */
void tcm_isc_nego_settle(struct tcm_isc_nego *nego);
/* What a key in param/ accepts: -EINVAL for what it does not */
int tcm_isc_offer_set(struct tcm_isc_offer *offer, enum tcm_isc_key key, const char *value);
void tcm_isc_offer_init(struct tcm_isc_offer *offer);

#endif
