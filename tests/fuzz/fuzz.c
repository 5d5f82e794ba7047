// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the fuzz targets share, and those parts of the core that the parsers only point to.
 */
#include "../../core/alua.h"
#include "../../core/alua_id.h"
#include "../../core/cmd.h"
#include "../../core/opcode.h"
#include "../../core/target.h"
#include "../../core/tmf.h"
#include "fuzz.h"

u64 fuzz_take(struct fuzz_in *in, unsigned int bytes)
{
	u64 v = 0;

	for (; bytes; bytes--) {
		v = v << 8 | (in->left ? *in->p : 0);
		if (in->left) {
			in->p++;
			in->left--;
		}
	}
	return v;
}

u8 *fuzz_rest(struct fuzz_in *in)
{
	u8 *copy = malloc(in->left ?: 1);

	memcpy(copy, in->p, in->left);
	return copy;
}

void fuzz_string(struct fuzz_in *in, char *to, size_t max)
{
	size_t n = 0;
	char c;

	while (n < max - 1 && in->left && (c = fuzz_take(in, 1)))
		to[n++] = c;
	to[n] = '\0';
}

static void fuzz_submit(struct tcm_io *io) { }

struct fuzz_lun *fuzz_lun_new(struct fuzz_in *in)
{
	struct fuzz_lun *l = calloc(1, sizeof(*l));
	u32 bits = fuzz_take(in, 4);
	struct tcm_device *dev = &l->dev;

	l->backend.submit = fuzz_submit;
	l->backend.flush = fuzz_submit;
	l->backend.unmap = bits & 1 ? fuzz_submit : NULL;
	l->backend.flags = bits & 2 ? TCM_BE_OWN_CACHE : 0;
	l->fabric.max_data_sg = bits & 4 ? 2048 : 0;
	dev->ops = &l->backend;
	dev->block_shift = 9 + (bits >> 3 & 3);
	dev->limits.block_size = 512 << (bits >> 5 & 3);
	dev->limits.write_cache = bits & 0x80;
	dev->attr.block_size = 1 << dev->block_shift;
	dev->attr.emulate_tpu = bits >> 8 & 1;
	dev->attr.emulate_tpws = bits >> 9 & 1;
	dev->attr.emulate_caw = bits >> 10 & 1;
	dev->attr.emulate_3pc = bits >> 11 & 1;
	dev->attr.emulate_pr = bits >> 12 & 1;
	dev->attr.emulate_rsoc = bits >> 13 & 1;
	dev->attr.emulate_write_cache = bits >> 14 & 1;
	dev->attr.emulate_fua_write = bits >> 15 & 1;
	dev->attr.emulate_ua_intlck_ctrl = (bits >> 16 & 3) % 3;
	dev->attr.emulate_tas = bits >> 18 & 1;
	dev->attr.pi_prot_type = bits >> 19 & 3;
	dev->attr.is_nonrot = bits >> 21 & 1;
	dev->attr.unmap_zeroes_data = bits >> 22 & 1;
	dev->attr.alua_support = bits >> 23 & 1;
	dev->type = bits & 1 << 24 ? TYPE_TAPE : TYPE_DISK;
	if (bits & 1 << 25)
		set_bit(TCM_DEV_D_SENSE, &dev->flags);
	dev->nblocks = fuzz_take(in, 8);
	dev->max_blocks = min_t(u32, fuzz_take(in, 4), U32_MAX >> dev->block_shift);
	dev->attr.max_write_same_len = dev->max_blocks;
	dev->attr.max_unmap_lba_count = U32_MAX;
	dev->attr.max_unmap_block_desc_count = 256;
	l->wwn.ops = &l->fabric;
	l->wwn.scsi_name = l->wwn.name;
	l->wwn.proto = bits >> 26 & 15;
	l->tpg.wwn = &l->wwn;
	l->tpg.ops = &l->fabric;
	l->lun.tpg = &l->tpg;
	l->lun.dev = dev;
	l->map.lun = &l->lun;
	l->map.sess = &l->sess;
	l->sess.ops = &l->fabric;
	l->sess.tpg = &l->tpg;
	l->sess.low[0] = &l->map;
	return l;
}

void fuzz_lun_free(struct fuzz_lun *l)
{
	free(l);
}

/* A second, dull reader of sense data: what was put in comes out. */
void fuzz_sense(enum tcm_sense sense, const struct tcm_sense_extra *x, unsigned int list_len)
{
	u8 *buf = malloc(TCM_SENSE_MAX);
	unsigned int len, at;
	int desc;

	for (desc = 0; desc < 2; desc++) {
		memset(buf, 0xee, TCM_SENSE_MAX);
		len = tcm_sense_build(sense, x, desc, buf);
		fuzz_check(len >= 8 && len <= TCM_SENSE_MAX);
		fuzz_check(len == 8u + buf[7]);
		fuzz_check(buf[0] % 0x80 == (desc ? 0x72 : 0x70));
		fuzz_check(buf[desc ? 1 : 2] == TCM_SENSE_KEY(sense));
		fuzz_check(buf[desc ? 2 : 12] == TCM_SENSE_ASC(sense));
		fuzz_check(buf[desc ? 3 : 13] == TCM_SENSE_ASCQ(sense));
		for (at = 8; desc && at < len; at += 2 + buf[at + 1])
			fuzz_check(at + 2 <= len && at + 2 + buf[at + 1] <= len);
		fuzz_check(!desc || at == len);
	}
	if (x && (x->flags & TCM_SX_FIELD))
		fuzz_check(x->field <= list_len);
	free(buf);
}

/* ---- the core around the parsers -------------------------------------------------------- */

/* Into memory of exactly the size that the initiator offered; cmd->sg stands for it. */
void tcm_cmd_put_data(struct tcm_cmd *cmd, const void *buf, unsigned int len)
{
	len = min(len, cmd->data_len);
	cmd->data_len = len;
	cmd->xfer_len = min(len, cmd->exp_len);
	if (cmd->xfer_len)
		memcpy(cmd->sg, buf, cmd->xfer_len);
}

unsigned int tcm_cmd_get_data(struct tcm_cmd *cmd, void *buf, unsigned int len)
{
	len = min(len, cmd->xfer_len);
	if (len)
		memcpy(buf, cmd->sg, len);
	return len;
}

void tcm_alua_id(const struct tcm_lun *lun, struct tcm_alua_id *id)
{
	*id = (struct tcm_alua_id) {
		.has_port_group = lun->dev->attr.alua_support,
		.has_lu_group = lun->dev->attr.alua_support,
		.tpgs = lun->dev->attr.alua_support ? 3 : 0,
	};
}

u16 tcm_lun_rtpi(const struct tcm_lun *lun) { return lun->rtpi; }
u64 tcm_device_blocks(struct tcm_device *dev) { return dev->nblocks; }
bool tcm_tmf_supported(enum tcm_tmf_func func) { return func % 3; }
enum tcm_sense tcm_ua_take(struct tcm_mapping *map) { return TCM_OK; }
void tcm_ua_clear_session(struct tcm_session *sess, enum tcm_ua ua) { }
void tcm_ua_raise_device(struct tcm_device *dev, enum tcm_ua ua, const struct tcm_session *sess) { }

struct tcm_lba_range *tcm_lba_range_alloc(unsigned int members)
{
	struct tcm_lba_range *range = calloc(1, struct_size(range, members, members));

	range->count = members;
	return range;
}
