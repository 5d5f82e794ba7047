// SPDX-License-Identifier: GPL-2.0-only
/*
 * Text of iSCSI: what a portal group is set to, then what an initiator sends, key by key.
 */
#include "../../fabrics/iscsi/keys.h"
#include "fuzz.h"

/* A number is digits, and nothing else. */
static void check_num(const char *text)
{
	u32 n;

	if (tcm_isc_text_num(text, &n))
		return;
	if (text[0] == '0' && (text[1] | 0x20) == 'x')
		fuzz_check(text[2] && strspn(text + 2, "0123456789abcdefABCDEF") == strlen(text + 2));
	else
		fuzz_check(strspn(text, "0123456789") == strlen(text));
}

static void check_binary(const char *text, size_t size)
{
	u8 *bin = malloc(size ?: 1);
	int n = tcm_isc_text_binary(text, bin, size);

	fuzz_check(n < 0 || (size_t)n <= size);
	free(bin);
}

/* What was agreed on could have been set, too: it is in the key's range. */
static void check_values(const struct tcm_isc_nego *nego)
{
	struct tcm_isc_offer offer;
	enum tcm_isc_key k;
	char number[16];

	for (k = 0; k < TCM_ISC_K_VALUES; k++) {
		if (k == TCM_ISC_K_HEADER_DIGEST || k == TCM_ISC_K_DATA_DIGEST ||
		    k == TCM_ISC_K_TASK_REPORTING) {
			fuzz_check(nego->val[k] <= TCM_ISC_DIGEST_CRC32C);
			continue;
		}
		snprintf(number, sizeof(number), "%u", nego->val[k]);
		if (tcm_isc_offer_set(&offer, k, number))
			fuzz_check(!tcm_isc_offer_set(&offer, k, nego->val[k] ? "Yes" : "No") &&
				   nego->val[k] <= 1);
	}
}

/* Our answers are text by the same rules. */
static void check_answer(struct tcm_isc_text *out)
{
	char *pos = out->buf, *key, *value;
	int ret;

	fuzz_check(out->len <= out->size);
	while ((ret = tcm_isc_text_next(&pos, out->buf + out->len, &key, &value)) > 0)
		fuzz_check(*value && strlen(key) <= TCM_ISC_KEY_LEN_MAX);
	fuzz_check(!ret);
}

static int negotiate(struct tcm_isc_nego *nego, char *text, size_t len, struct tcm_isc_text *out)
{
	char *pos = text, *key, *value;
	enum tcm_isc_key k;
	int ret;

	while ((ret = tcm_isc_text_next(&pos, text + len, &key, &value)) > 0) {
		fuzz_check(key >= text && value > key && value + strlen(value) < text + len);
		check_num(value);
		check_binary(value, len % 64);
		tcm_isc_list_has(value, "CHAP");
		k = tcm_isc_key_find(key);
		if (k < TCM_ISC_K_VALUES)
			ret = tcm_isc_nego_key(nego, k, value, out);
		else if (k == TCM_ISC_K_UNKNOWN)
			tcm_isc_text_add(out, key, "NotUnderstood");
		else
			fuzz_check(!strcmp(tcm_isc_key_name(k), key));
		if (ret < 0)
			break;
	}
	check_values(nego);
	return ret;
}

/* What was said once is not said again, answered or not; settled, it is not waited for. */
static void check_asked(struct tcm_isc_nego *nego, struct tcm_isc_text *out)
{
	u32 len;

	tcm_isc_nego_ask(nego, out);
	fuzz_check(!(nego->owed & ~nego->asked));
	tcm_isc_nego_settle(nego);
	fuzz_check(!nego->owed);
	check_values(nego);
	len = out->len;
	tcm_isc_nego_ask(nego, out);
	fuzz_check(nego->later || out->len == len);
}

/* Lines until an empty one: what the administrator sets */
static void settings(struct fuzz_in *in, struct tcm_isc_offer *offer)
{
	char line[128], *value;
	enum tcm_isc_key k;

	for (;;) {
		fuzz_string(in, line, sizeof(line));
		value = strchr(line, '=');
		if (!value)
			return;
		*value++ = '\0';
		k = tcm_isc_key_find(line);
		if (k < TCM_ISC_K_VALUES)
			tcm_isc_offer_set(offer, k, value);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz_in in = { data, size };
	u8 bits = fuzz_take(&in, 1);
	struct tcm_isc_text out = { .size = fuzz_take(&in, 1) * 16 + 1 };
	struct tcm_isc_offer offer;
	struct tcm_isc_nego nego;
	char *text;

	out.buf = malloc(out.size);
	tcm_isc_offer_init(&offer);
	settings(&in, &offer);
	tcm_isc_nego_init(&nego, &offer);
	nego.discovery = bits & 1;
	nego.ffp = bits & 2;
	/* What we ask first is answered by the input. */
	if (bits & 4)
		tcm_isc_nego_ask(&nego, &out);
	text = (char *)fuzz_rest(&in);
	if (!negotiate(&nego, text, in.left, &out))
		check_asked(&nego, &out);
	if (!out.overflow)
		check_answer(&out);
	free(text);
	free(out.buf);
	return 0;
}
