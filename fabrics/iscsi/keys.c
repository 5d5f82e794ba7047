// SPDX-License-Identifier: GPL-2.0-only
/*
 * Text keys and their negotiation: one table, and a function for each way to agree.
 */
#include <linux/ctype.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/string.h>
#include "keys.h"

enum tcm_isc_how {
	HOW_OTHER,	/* the caller's */
	HOW_LIST,	/* the first of the initiator's list that we accept */
	HOW_AND,	/* Yes if both say so */
	HOW_OR,		/* Yes if one says so */
	HOW_MIN,
	HOW_MAX,
	HOW_DECLARE,	/* each says its own */
	HOW_NO,		/* always No */
};

#define K_SESSION	0x01	/* not in discovery sessions: Irrelevant there */
#define K_FFP		0x02	/* may be sent again in the full feature phase */
#define K_CONN		0x04	/* each connection has its own */

struct tcm_isc_key_row {
	const char	*name;
	enum tcm_isc_how	how;
	u8		flags;
	u32		dflt;		/* RFC 7143: when neither says anything */
	u32		lo, hi;
};

#define LEN_MAX	16777215

static const struct tcm_isc_key_row tcm_isc_keys[TCM_ISC_K_COUNT] = {
	[TCM_ISC_K_HEADER_DIGEST]	= { "HeaderDigest", HOW_LIST, K_CONN, 0, 0, 1 },
	[TCM_ISC_K_DATA_DIGEST]	= { "DataDigest", HOW_LIST, K_CONN, 0, 0, 1 },
	[TCM_ISC_K_MAX_CONNECTIONS]	= { "MaxConnections", HOW_MIN, K_SESSION, 1, 1, 65535 },
	[TCM_ISC_K_INITIAL_R2T]	= { "InitialR2T", HOW_OR, K_SESSION, 1, 0, 1 },
	[TCM_ISC_K_IMMEDIATE_DATA]	= { "ImmediateData", HOW_AND, K_SESSION, 1, 0, 1 },
	[TCM_ISC_K_MAX_RECV]	= { "MaxRecvDataSegmentLength", HOW_DECLARE, K_FFP | K_CONN,
				    8192, 512, LEN_MAX },
	[TCM_ISC_K_MAX_BURST]	= { "MaxBurstLength", HOW_MIN, K_SESSION, 262144, 512, LEN_MAX },
	[TCM_ISC_K_FIRST_BURST]	= { "FirstBurstLength", HOW_MIN, K_SESSION, 65536, 512, LEN_MAX },
	[TCM_ISC_K_TIME2WAIT]	= { "DefaultTime2Wait", HOW_MAX, 0, 2, 0, 3600 },
	[TCM_ISC_K_TIME2RETAIN]	= { "DefaultTime2Retain", HOW_MIN, 0, 20, 0, 3600 },
	[TCM_ISC_K_MAX_R2T]		= { "MaxOutstandingR2T", HOW_MIN, K_SESSION, 1, 1, 65535 },
	[TCM_ISC_K_PDU_IN_ORDER]	= { "DataPDUInOrder", HOW_OR, K_SESSION, 1, 0, 1 },
	[TCM_ISC_K_SEQ_IN_ORDER]	= { "DataSequenceInOrder", HOW_OR, K_SESSION, 1, 0, 1 },
	[TCM_ISC_K_ERL]		= { "ErrorRecoveryLevel", HOW_MIN, 0, 0, 0, 2 },
	[TCM_ISC_K_IFMARKER]	= { "IFMarker", HOW_NO, 0, 0, 0, 1 },
	[TCM_ISC_K_OFMARKER]	= { "OFMarker", HOW_NO, 0, 0, 0, 1 },
	[TCM_ISC_K_PROTOCOL_LEVEL]	= { "iSCSIProtocolLevel", HOW_MIN, K_SESSION, 1, 0, 31 },
	[TCM_ISC_K_TASK_REPORTING]	= { "TaskReporting", HOW_LIST, K_SESSION, 0, 0, 0 },
	[TCM_ISC_K_AUTH_METHOD]	= { "AuthMethod" },
	[TCM_ISC_K_INITIATOR_NAME]	= { "InitiatorName" },
	[TCM_ISC_K_INITIATOR_ALIAS]	= { "InitiatorAlias", HOW_OTHER, K_FFP },
	[TCM_ISC_K_TARGET_NAME]	= { "TargetName" },
	[TCM_ISC_K_TARGET_ALIAS]	= { "TargetAlias", HOW_OTHER, K_FFP },
	[TCM_ISC_K_TARGET_ADDRESS]	= { "TargetAddress", HOW_OTHER, K_FFP },
	[TCM_ISC_K_PORTAL_GROUP_TAG] = { "TargetPortalGroupTag" },
	[TCM_ISC_K_SESSION_TYPE]	= { "SessionType" },
	[TCM_ISC_K_SEND_TARGETS]	= { "SendTargets", HOW_OTHER, K_FFP },
	[TCM_ISC_K_CHAP_A]		= { "CHAP_A" },
	[TCM_ISC_K_CHAP_I]		= { "CHAP_I" },
	[TCM_ISC_K_CHAP_C]		= { "CHAP_C" },
	[TCM_ISC_K_CHAP_N]		= { "CHAP_N" },
	[TCM_ISC_K_CHAP_R]		= { "CHAP_R" },
	[TCM_ISC_K_IFMARKINT]	= { "IFMarkInt" },
	[TCM_ISC_K_OFMARKINT]	= { "OFMarkInt" },
};

static_assert(TCM_ISC_K_COUNT <= 64);

/* The words of list keys; a value's number is its place. */
static const char * const tcm_isc_digests[] = { "None", "CRC32C" };
static const char * const tcm_isc_reporting[] = { "RFC3720" };

static const char *tcm_isc_list_word(enum tcm_isc_key key, u32 value)
{
	if (key == TCM_ISC_K_TASK_REPORTING)
		return value < ARRAY_SIZE(tcm_isc_reporting) ? tcm_isc_reporting[value] : NULL;
	return value < ARRAY_SIZE(tcm_isc_digests) ? tcm_isc_digests[value] : NULL;
}

const char *tcm_isc_key_name(enum tcm_isc_key key)
{
	return tcm_isc_keys[key].name;
}

/* Keys are case sensitive, 6.1. */
enum tcm_isc_key tcm_isc_key_find(const char *key)
{
	enum tcm_isc_key k;

	for (k = 0; k < TCM_ISC_K_COUNT; k++)
		if (!strcmp(tcm_isc_keys[k].name, key))
			return k;
	return TCM_ISC_K_UNKNOWN;
}

void tcm_isc_text_add(struct tcm_isc_text *text, const char *key, const char *value)
{
	size_t k = strlen(key), v = strlen(value);

	if (k + v + 2 > text->size - text->len) {
		text->overflow = true;
		return;
	}
	memcpy(text->buf + text->len, key, k);
	text->buf[text->len + k] = '=';
	memcpy(text->buf + text->len + k + 1, value, v + 1);
	text->len += k + v + 2;
}

void tcm_isc_text_addf(struct tcm_isc_text *text, const char *key, const char *fmt, ...)
{
	char value[320];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(value, sizeof(value), fmt, args);
	va_end(args);
	if (n >= (int)sizeof(value))
		text->overflow = true;
	else
		tcm_isc_text_add(text, key, value);
}

int tcm_isc_text_next(char **pos, char *end, char **key, char **value)
{
	char *p = *pos, *stop, *eq;

	/* Padding of a sender that counts it into the data segment */
	while (p < end && !*p)
		p++;
	if (p == end)
		return 0;
	stop = memchr(p, '\0', end - p);
	if (!stop)
		return -EINVAL;
	eq = memchr(p, '=', stop - p);
	if (!eq || eq == p || eq - p > TCM_ISC_KEY_LEN_MAX || stop - eq > TCM_ISC_VALUE_LEN_MAX)
		return -EINVAL;
	*eq = '\0';
	*key = p;
	*value = eq + 1;
	*pos = stop + 1;
	return 1;
}

/* What is only shown: in one line */
void tcm_isc_text_tame(char *text)
{
	for (; *text; text++)
		if ((u8)*text < ' ' || *text == '\x7f')
			*text = '?';
}

/* 6.1: a decimal constant, or one with 0x; no octal ones. kstrtou32() takes more than digits. */
int tcm_isc_text_num(const char *text, u32 *num)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *p;

	if (hex)
		text += 2;
	for (p = text; *p; p++)
		if (hex ? !isxdigit(*p) : !isdigit(*p))
			return -EINVAL;
	return kstrtou32(text, hex ? 16 : 10, num);
}

/* RFC 4648 section 4; the kernel's own function has another alphabet. */
static int tcm_isc_base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -EINVAL;
}

static int tcm_isc_base64(const char *text, size_t len, u8 *to)
{
	u32 bits = 0;
	int n = 0, have = 0, digit;

	while (len--) {
		digit = tcm_isc_base64_digit(*text++);
		if (digit < 0)
			return digit;
		bits = bits << 6 | digit;
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		to[n++] = bits >> have;
	}
	return n;
}

/* 6.1: 0x and hexadecimal digits, or 0b and base 64 */
int tcm_isc_text_binary(const char *text, u8 *to, size_t size)
{
	size_t len = strlen(text);
	int n;

	if (len < 4 || text[0] != '0')
		return -EINVAL;
	text += 2;
	len -= 2;
	if (text[-1] == 'x' || text[-1] == 'X') {
		if (len % 2 || len / 2 > size || hex2bin(to, text, len / 2))
			return -EINVAL;
		return len / 2;
	}
	if (text[-1] != 'b' && text[-1] != 'B')
		return -EINVAL;
	/* Two at most; who leaves it out is understood, too. One digit is no byte. */
	for (n = 0; n < 2 && text[len - 1] == '='; n++)
		len--;
	if (len % 4 == 1 || len * 3 / 4 > size)
		return -EINVAL;
	return tcm_isc_base64(text, len, to);
}

bool tcm_isc_list_has(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (;;) {
		size_t n = strcspn(list, ",");

		if (n == len && !memcmp(list, word, n))
			return true;
		if (!list[n])
			return false;
		list += n + 1;
	}
}

static int tcm_isc_text_bool(const char *text, u32 *val)
{
	if (strcmp(text, "Yes") && strcmp(text, "No"))
		return -EINVAL;
	*val = *text == 'Y';
	return 0;
}

void tcm_isc_offer_init(struct tcm_isc_offer *offer)
{
	enum tcm_isc_key k;

	for (k = 0; k < TCM_ISC_K_VALUES; k++)
		offer->val[k] = tcm_isc_keys[k].dflt;
	offer->val[TCM_ISC_K_HEADER_DIGEST] = BIT(TCM_ISC_DIGEST_NONE) | BIT(TCM_ISC_DIGEST_CRC32C);
	offer->val[TCM_ISC_K_DATA_DIGEST] = BIT(TCM_ISC_DIGEST_NONE) | BIT(TCM_ISC_DIGEST_CRC32C);
	offer->val[TCM_ISC_K_TASK_REPORTING] = BIT(0);
	offer->val[TCM_ISC_K_PROTOCOL_LEVEL] = 2;
}

static int tcm_isc_offer_list(struct tcm_isc_offer *offer, enum tcm_isc_key key, const char *value)
{
	u32 bits = 0, v;

	for (;;) {
		size_t n = strcspn(value, ",");

		for (v = 0; tcm_isc_list_word(key, v); v++)
			if (strlen(tcm_isc_list_word(key, v)) == n &&
			    !strncmp(tcm_isc_list_word(key, v), value, n))
				break;
		if (!tcm_isc_list_word(key, v))
			return -EINVAL;
		bits |= BIT(v);
		if (!value[n])
			break;
		value += n + 1;
	}
	offer->val[key] = bits;
	return 0;
}

int tcm_isc_offer_set(struct tcm_isc_offer *offer, enum tcm_isc_key key, const char *value)
{
	const struct tcm_isc_key_row *row = &tcm_isc_keys[key];
	u32 val;
	int err;

	switch (row->how) {
	case HOW_LIST:
		return tcm_isc_offer_list(offer, key, value);
	case HOW_AND:
	case HOW_OR:
	case HOW_NO:
		err = tcm_isc_text_bool(value, &val);
		break;
	default:
		err = tcm_isc_text_num(value, &val);
		break;
	}
	if (err || val < row->lo || val > row->hi)
		return -EINVAL;
	offer->val[key] = val;
	return 0;
}

void tcm_isc_nego_init(struct tcm_isc_nego *nego, const struct tcm_isc_offer *offer)
{
	enum tcm_isc_key k;

	memset(nego, 0, sizeof(*nego));
	nego->offer = *offer;
	for (k = 0; k < TCM_ISC_K_VALUES; k++)
		nego->val[k] = tcm_isc_keys[k].dflt;
}

static void tcm_isc_nego_list(struct tcm_isc_nego *nego, enum tcm_isc_key key, const char *value,
			      struct tcm_isc_text *out)
{
	for (;;) {
		size_t n = strcspn(value, ",");
		u32 v;

		for (v = 0; tcm_isc_list_word(key, v); v++) {
			const char *word = tcm_isc_list_word(key, v);

			if (!(nego->offer.val[key] & BIT(v)) || strlen(word) != n ||
			    strncmp(word, value, n))
				continue;
			nego->val[key] = v;
			tcm_isc_text_add(out, tcm_isc_keys[key].name, word);
			return;
		}
		if (!value[n])
			break;
		value += n + 1;
	}
	tcm_isc_text_add(out, tcm_isc_keys[key].name, "Reject");
}

static u32 tcm_isc_agree(enum tcm_isc_how how, u32 ours, u32 theirs)
{
	switch (how) {
	case HOW_AND:
	case HOW_MIN:
		return min(ours, theirs);
	case HOW_OR:
	case HOW_MAX:
		return max(ours, theirs);
	default:
		return 0;
	}
}

static bool tcm_isc_how_bool(enum tcm_isc_how how)
{
	return how == HOW_AND || how == HOW_OR || how == HOW_NO;
}

static void tcm_isc_say(const struct tcm_isc_key_row *row, u32 val, struct tcm_isc_text *out)
{
	if (tcm_isc_how_bool(row->how))
		tcm_isc_text_add(out, row->name, val ? "Yes" : "No");
	else
		tcm_isc_text_addf(out, row->name, "%u", val);
}

/* The answer to what we offered ends it. */
static int tcm_isc_nego_answer(struct tcm_isc_nego *nego, enum tcm_isc_key key, const char *value)
{
	const struct tcm_isc_key_row *row = &tcm_isc_keys[key];
	u32 val;
	int err;

	nego->asked &= ~BIT_ULL(key);
	nego->owed &= ~BIT_ULL(key);
	nego->seen |= BIT_ULL(key);
	if (!strcmp(value, "Irrelevant") || !strcmp(value, "NotUnderstood") ||
	    !strcmp(value, "Reject"))
		return 0;
	err = tcm_isc_how_bool(row->how) ? tcm_isc_text_bool(value, &val) : tcm_isc_text_num(value,
											     &val);
	if (err || val < row->lo || val > row->hi)
		return -EINVAL;
	/* What the rule of the key does not allow as an answer is no agreement. */
	if (tcm_isc_agree(row->how, nego->offer.val[key], val) != val)
		return -EINVAL;
	nego->val[key] = val;
	return 0;
}

int tcm_isc_nego_key(struct tcm_isc_nego *nego, enum tcm_isc_key key, const char *value,
		     struct tcm_isc_text *out)
{
	const struct tcm_isc_key_row *row = &tcm_isc_keys[key];
	u32 val;
	int err;

	if (nego->asked & BIT_ULL(key))
		return tcm_isc_nego_answer(nego, key, value);
	if (nego->ffp && !(row->flags & K_FFP)) {
		tcm_isc_text_add(out, row->name, "Reject");
		return 0;
	}
	if (!nego->ffp && nego->seen & BIT_ULL(key))
		return -EINVAL;
	nego->seen |= BIT_ULL(key);
	if (nego->discovery && (row->flags & K_SESSION)) {
		tcm_isc_text_add(out, row->name, "Irrelevant");
		return 0;
	}
	/* 13: leading only; what was agreed is said again. */
	if (nego->later && !(row->flags & K_CONN)) {
		if (row->how == HOW_LIST)
			tcm_isc_text_add(out, row->name, tcm_isc_list_word(key, nego->val[key]));
		else
			tcm_isc_say(row, nego->val[key], out);
		return 0;
	}
	if (row->how == HOW_LIST) {
		tcm_isc_nego_list(nego, key, value, out);
		return 0;
	}
	err = tcm_isc_how_bool(row->how) ? tcm_isc_text_bool(value, &val) : tcm_isc_text_num(value,
											     &val);
	if (err || val < row->lo || val > row->hi) {
		if (row->how == HOW_DECLARE)
			return -EINVAL;
		tcm_isc_text_add(out, row->name, "Reject");
		return 0;
	}
	if (row->how == HOW_DECLARE) {
		nego->val[key] = val;
		return 0;
	}
	nego->val[key] = tcm_isc_agree(row->how, nego->offer.val[key], val);
	tcm_isc_say(row, nego->val[key], out);
	return 0;
}

void tcm_isc_nego_ask(struct tcm_isc_nego *nego, struct tcm_isc_text *out)
{
	enum tcm_isc_key k;

	for (k = 0; k < TCM_ISC_K_VALUES && !nego->later; k++) {
		const struct tcm_isc_key_row *row = &tcm_isc_keys[k];

		if (nego->seen & BIT_ULL(k) || nego->asked & BIT_ULL(k) ||
		    (nego->discovery && (row->flags & K_SESSION)))
			continue;
		/* Only where the default would be more than we can do. */
		if ((row->how != HOW_MIN && row->how != HOW_MAX && row->how != HOW_AND &&
		     row->how != HOW_OR) || k == TCM_ISC_K_PROTOCOL_LEVEL ||
		    tcm_isc_agree(row->how, nego->offer.val[k], row->dflt) == row->dflt)
			continue;
		nego->asked |= BIT_ULL(k);
		tcm_isc_say(row, nego->offer.val[k], out);
		/* 6.2.2: what can have one outcome only need not be answered. */
		if (row->how == HOW_AND || row->how == HOW_OR)
			nego->val[k] = nego->offer.val[k];
		else
			nego->owed |= BIT_ULL(k);
	}
}

void tcm_isc_nego_settle(struct tcm_isc_nego *nego)
{
	enum tcm_isc_key k;

	for (k = 0; k < TCM_ISC_K_VALUES; k++)
		if (nego->owed & BIT_ULL(k))
			nego->val[k] = nego->offer.val[k];
	nego->asked &= ~nego->owed;
	nego->seen |= nego->owed;
	nego->owed = 0;
}
