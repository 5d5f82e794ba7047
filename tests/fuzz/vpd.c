// SPDX-License-Identifier: GPL-2.0-only
/*
 * VPD pages and REPORT SUPPORTED OPERATION CODES of devices with any names.
 */
#include "../../core/opcode.h"
#include "../../core/vpd.h"
#include "fuzz.h"

/* Designators (SPC-4 7.8.6.1) fill the page to its end. */
static void check_ident(const u8 *buf, unsigned int len)
{
	unsigned int at;

	for (at = 4; at < len; at += 4 + buf[at + 3])
		fuzz_check(at + 4 <= len && at + 4 + buf[at + 3] <= len && buf[at + 3]);
	fuzz_check(at == len);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz_in in = { data, size };
	struct fuzz_lun *l = fuzz_lun_new(&in);
	const struct tcm_vpd_page *page;
	unsigned int code, len;
	u8 *buf;

	l->tpg.tag = fuzz_take(&in, 2);
	l->lun.rtpi = fuzz_take(&in, 2);
	l->dev.company_id = fuzz_take(&in, 3);
	l->dev.limits.io_min = fuzz_take(&in, 4);
	l->dev.limits.io_opt = fuzz_take(&in, 4);
	l->dev.attr.optimal_sectors = fuzz_take(&in, 4);
	fuzz_string(&in, l->dev.serial, sizeof(l->dev.serial));
	fuzz_string(&in, l->dev.vendor, sizeof(l->dev.vendor));
	fuzz_string(&in, l->dev.product, sizeof(l->dev.product));
	fuzz_string(&in, l->wwn.name, sizeof(l->wwn.name));
	for (code = 0; code < 256; code++) {
		page = tcm_vpd_find(&l->dev, code);
		if (!page)
			continue;
		buf = calloc(1, tcm_vpd_room(page));
		len = tcm_vpd_build(&l->lun, page, buf);
		fuzz_check(len <= tcm_vpd_room(page));
		fuzz_check(buf[1] == code && get_unaligned_be16(buf + 2) + 4u == len);
		if (code == 0x83)
			check_ident(buf, len);
		free(buf);
	}
	fuzz_lun_free(l);
	return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	fuzz_check(!tcm_opcode_init());
	return 0;
}
