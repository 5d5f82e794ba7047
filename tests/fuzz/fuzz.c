// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the fuzz targets share, and those parts of the core that the parsers only point to.
 */
#include "../../core/alua.h"
#include "../../core/alua_id.h"
#include "../../core/alua_state.h"
#include "../../core/cmd.h"
#include "../../core/device.h"
#include "../../core/hop.h"
#include "../../core/lu.h"
#include "../../core/opcode.h"
#include "../../core/orphan.h"
#include "../../core/pr.h"
#include "../../core/range.h"
#include "../../core/rod.h"
#include "../../core/sbc.h"
#include "../../core/session.h"
#include "../../core/target.h"
#include "../../core/tmf.h"
#include "../../core/ua.h"
#include "../../core/wipe.h"
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

/* ---- work items ---------------------------------------------------------------------------- */

static struct work_struct *fuzz_first, **fuzz_last = &fuzz_first;

bool fuzz_queue(struct work_struct *work)
{
	if (work->queued)
		return false;
	work->queued = true;
	work->next = NULL;
	*fuzz_last = work;
	fuzz_last = &work->next;
	return true;
}

void fuzz_work(unsigned int max)
{
	struct work_struct *work;

	while ((work = fuzz_first) && max--) {
		fuzz_first = work->next;
		if (!fuzz_first)
			fuzz_last = &fuzz_first;
		work->queued = false;
		work->fn(work);
	}
}

bool fuzz_by_hand;

void fuzz_copy(struct tcm_io *io)
{
	u64 from = io->src->nblocks << io->src->block_shift;

	fuzz_check(io->src_pos <= from && io->len <= from - io->src_pos);
	if (fuzz_by_hand)
		tcm_io_done(io, TCM_INVALID_OPCODE);
	else
		io->dev->ops->submit(io);
}

enum tcm_sense fuzz_run(struct fuzz_lun *l, const u8 *cdb, u8 *data, u32 len, unsigned int steps)
{
	struct tcm_cmd *cmd = calloc(1, sizeof(*cmd));
	enum tcm_sense sense;
	bool known;

	memcpy(cmd->cdb_buf, cdb, 16);
	cmd->cdb = cmd->cdb_buf;
	cmd->cdb_len = 16;
	cmd->dev = &l->dev;
	cmd->lun = &l->lun;
	cmd->map = &l->map;
	cmd->sess = &l->sess;
	cmd->op = tcm_opcode_find(cmd->cdb, 16, &known);
	sense = tcm_opcode_parse(cmd);
	cmd->exp_len = len;
	cmd->xfer_len = min(len, cmd->data_len);
	cmd->sg = (struct scatterlist *)data;
	fuzz_completed = 0;
	if (!sense)
		sense = cmd->op->exec(cmd);
	if (sense == TCM_PENDING) {
		fuzz_work(steps);
		cmd->state.counter |= TCM_ST_ABORTED;
		fuzz_work(UINT_MAX);
		fuzz_check(fuzz_completed == 1 && !cmd->work);
		sense = cmd->sense;
	} else {
		/* Refused, told, or done in the background */
		fuzz_work(UINT_MAX);
		fuzz_check(!fuzz_completed);
	}
	if (sense && !(sense & (1 << 24))) {
		/* The list is as long as the CDB says; what did not come is zero. */
		fuzz_sense(sense, &cmd->extra, max(max(len, cmd->data_len), 16U));
	}
	free(cmd);
	return sense;
}

enum tcm_sense fuzz_run_map(struct tcm_mapping *map, const u8 *cdb, unsigned int cdb_len, u8 *data,
			    unsigned int len, struct tcm_cmd *cmd)
{
	enum tcm_sense sense;
	bool known;

	memset(cmd, 0, sizeof(*cmd));
	memcpy(cmd->cdb_buf, cdb, cdb_len);
	cmd->cdb = cmd->cdb_buf;
	cmd->cdb_len = cdb_len;
	cmd->dev = map->lun->dev;
	cmd->lun = map->lun;
	cmd->map = map;
	cmd->sess = map->sess;
	cmd->op = tcm_opcode_find(cmd->cdb, cdb_len, &known);
	fuzz_check(cmd->op);
	sense = tcm_opcode_parse(cmd);
	if (sense)
		return sense;
	cmd->exp_len = len;
	cmd->xfer_len = min(len, cmd->data_len);
	cmd->sg = (struct scatterlist *)data;
	cmd->sg_nents = len;
	fuzz_completed = 0;
	sense = cmd->op->exec(cmd);
	fuzz_work(UINT_MAX);
	fuzz_check(fuzz_completed == (sense == TCM_PENDING));
	return sense == TCM_PENDING ? cmd->sense : sense;
}

/* ---- a device ------------------------------------------------------------------------------ */

/* An access is on the medium, and ends well. */
static void fuzz_submit(struct tcm_io *io)
{
	u64 size = io->dev->nblocks << io->dev->block_shift;

	fuzz_check(io->pos <= size && io->len <= size - io->pos);
	tcm_io_done(io, TCM_OK);
}

/* No command is out. */
static void fuzz_for_each_cmd(struct tcm_session *sess, const struct tcm_lun *lun, tcm_cmd_fn fn,
			      void *arg)
{
}

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
	l->backend.pi_io = fuzz_submit;
	dev->ops = &l->backend;
	dev->backend = &l->backend;
	dev->block_shift = 9 + (bits >> 3 & 3);
	dev->limits.block_size = 512 << (bits >> 5 & 3);
	dev->limits.write_cache = bits & 0x80;
	dev->limits.counts_space = bits & 0x80;
	dev->attr.block_size = 1 << dev->block_shift;
	dev->attr.emulate_tpu = bits >> 8 & 1;
	dev->attr.emulate_tpws = bits >> 9 & 1;
	dev->attr.emulate_caw = bits >> 10 & 1;
	dev->attr.emulate_atomic_write = bits >> 10 & 1;
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
	dev->attr.emulate_aca = bits >> 24 & 1;
	dev->type = bits & 1 << 24 ? TYPE_TAPE : TYPE_DISK;
	if (bits & 1 << 25)
		set_bit(TCM_DEV_D_SENSE, &dev->flags);
	/* No capacity() says more than that. */
	dev->nblocks = fuzz_take(in, 8) & (S64_MAX >> dev->block_shift);
	dev->max_blocks = min_t(u32, fuzz_take(in, 4), U32_MAX >> dev->block_shift);
	dev->attr.max_write_same_len = dev->max_blocks;
	dev->attr.max_unmap_lba_count = U32_MAX;
	dev->attr.max_unmap_block_desc_count = 256;
	INIT_LIST_HEAD(&dev->luns);
	INIT_LIST_HEAD(&l->lun.maps);
	list_add_tail(&l->lun.dev_node, &dev->luns);
	list_add_tail(&l->map.lun_node, &l->lun.maps);
	dev->index = 1;
	dev->lu = &l->lu;
	dev->tasks = &l->tasks;
	dev->alua = &l->alua;
	l->alua.dev = l->group.dev = dev;
	l->alua.def = l->lun.tg_pt_gp = &l->group;
	l->group.has_id = true;
	INIT_LIST_HEAD(&l->alua.groups);
	list_add_tail(&l->group.node, &l->alua.groups);
	l->lu.dev = dev;
	l->lu.mode.wce = dev->attr.emulate_write_cache;
	l->lu.mode.tas = dev->attr.emulate_tas;
	dev->attr.pgr_support = 1;
	dev->attr.enforce_pr_isids = bits >> 30 & 1;
	tcm_pr_create(dev);
	l->fabric.name = "fuzz";
	l->fabric.for_each_cmd = fuzz_for_each_cmd;
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
	l->sess.prot_type = bits >> 31;
	l->sess.index = 1;
	l->sess.low[0] = &l->map;
	return l;
}

void fuzz_lun_free(struct fuzz_lun *l)
{
	tcm_selftest_stop(&l->dev, TCM_SELFTEST_RESET);
	fuzz_work(UINT_MAX);
	tcm_rod_lun_gone(&l->lun);
	fuzz_check(!l->lun.ref.refs && !l->dev.ref.refs && !l->sess.ref.refs);
	fuzz_check(!atomic_read(&l->map.pinned));
	tcm_pr_destroy(&l->dev);
	free(l->lu.log.app);
	free(l->lu.buffer);
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

/* One port, in a group that has a state and no map of blocks */
bool tcm_alua_reaches(struct tcm_lun *lun) { return lun->rtpi & 1; }
bool tcm_alua_emulated(const struct tcm_device *dev) { return dev->attr.alua_support; }

/* SET TARGET PORT GROUPS: who may change to what is for tests/fuzz/stpg.c to say. */
struct tcm_alua_change *tcm_alua_change_new(struct tcm_device *dev, unsigned int n)
{
	struct tcm_alua_change *change = calloc(1, struct_size(change, step, n));

	change->n = n;
	return change;
}

void tcm_alua_change_free(struct tcm_alua_change *change) { free(change); }
bool (*fuzz_alua_may)(const struct tcm_alua_step *step);
void (*fuzz_alua_changed)(const struct tcm_alua_change *change);

bool tcm_alua_may(const struct tcm_alua_change *change, const struct tcm_alua_step *step)
{
	return fuzz_alua_may && fuzz_alua_may(step);
}

enum tcm_sense tcm_alua_explicit(struct tcm_cmd *cmd, struct tcm_alua_change *change)
{
	if (fuzz_alua_changed)
		fuzz_alua_changed(change);
	tcm_alua_change_free(change);
	tcm_cmd_complete(cmd, TCM_OK);
	return TCM_PENDING;
}
bool tcm_sbc_referrals_offered(const struct tcm_device *dev) { return false; }

unsigned int fuzz_completed;
struct mutex tcm_config_mutex;
bool fuzz_on_disk = true;

void tcm_cmd_complete(struct tcm_cmd *cmd, enum tcm_sense sense)
{
	fuzz_check(sense != TCM_PENDING);
	cmd->sense = sense;
	fuzz_completed++;
}

void tcm_device_get(struct tcm_device *dev) { dev->ref.refs++; }
void tcm_device_put(struct tcm_device *dev) { fuzz_check(dev->ref.refs-- > 0); }

void tcm_device_sum(struct tcm_device *dev, struct tcm_map_stats *sum)
{
	*sum = (struct tcm_map_stats){ .rd_cmds = 1, .wr_cmds = 2, .rd_bytes = 3, .wr_bytes = 4 };
}

void tcm_lu_queue(struct work_struct *work) { fuzz_queue(work); }
void tcm_lu_save_behind(struct tcm_device *dev) { }

enum tcm_sense tcm_lu_save(struct tcm_cmd *cmd)
{
	tcm_cmd_complete(cmd, TCM_OK);
	return TCM_PENDING;
}

bool tcm_pr_file_possible(const struct tcm_device *dev) { return dev->serial[0]; }
void tcm_save_put(struct tcm_save *save) { }

int tcm_pr_persist(struct tcm_device *dev, const struct tcm_pr_state *st)
{
	size_t size = tcm_pr_text_size(st), len;
	char *text = malloc(size);

	len = tcm_pr_text(st, text, size);
	/* Nothing was cut. */
	fuzz_check(len < size - 1 && text[len - 1] == '\n');
	free(text);
	return fuzz_on_disk ? 0 : -EIO;
}

void tcm_tmf_abort_maps(struct tcm_device *dev, tcm_map_fn match, void *arg)
{
	tcm_tmf_writes_left(dev, match, arg);
}

unsigned int tcm_tmf_writes_left(struct tcm_device *dev, tcm_map_fn match, void *arg)
{
	struct tcm_mapping *map;
	struct tcm_lun *lun;

	list_for_each_entry(lun, &dev->luns, dev_node)
		list_for_each_entry(map, &lun->maps, lun_node)
			match(map, arg);
	return 0;
}

void tcm_ua_raise(struct tcm_mapping *map, enum tcm_ua ua)
{
	fuzz_check(ua < TCM_UA_COUNT);
	set_bit(ua, &map->ua);
}

/* The blocks are free, always. */
bool tcm_range_add(struct tcm_device *dev, struct tcm_range *r, u64 first, u64 last, bool excl)
{
	fuzz_check(!r->runs && first <= last && last < dev->nblocks);
	r->runs = true;
	return true;
}

void tcm_range_drop(struct tcm_device *dev, struct tcm_range *r)
{
	fuzz_check(r->runs);
	r->runs = false;
}

bool tcm_range_try(struct tcm_device *dev, struct tcm_range *r, u64 first, u64 last)
{
	return tcm_range_add(dev, r, first, last, false);
}

/* Nobody writes but those that the target sends. */
void tcm_watch_add(struct tcm_device *dev, struct tcm_watch *w)
{
	unsigned int i;

	for (i = 0; i < w->n; i++)
		fuzz_check(w->spans[i].node.start <= w->spans[i].node.last &&
			   w->spans[i].node.last < dev->nblocks);
	w->on = true;
}

void tcm_watch_del(struct tcm_device *dev, struct tcm_watch *w) { w->on = false; }

void tcm_watch_hit(struct tcm_device *dev, u64 first, u64 last)
{
	fuzz_check(first <= last && last < dev->nblocks);
}

bool tcm_sbc_flush_behind(struct tcm_device *dev, u64 pos, u64 len) { return pos == len; }

/* Nobody changes what the cache is meanwhile. */
void tcm_sbc_wrote(struct tcm_cmd *cmd, enum tcm_sense sense)
{
	fuzz_check(cmd->io.write && !cmd->work);
	tcm_cmd_complete(cmd, tcm_sbc_io_sense(cmd, sense));
}

struct tcm_wipe *tcm_wipe_alloc(struct tcm_device *dev, enum tcm_wipe_kind kind)
{
	struct tcm_wipe *w = calloc(1, sizeof(*w));

	w->dev = dev;
	w->page = alloc_page(GFP_KERNEL);
	return w;
}

void tcm_wipe_free(struct tcm_wipe *w)
{
	__free_page(w->page);
	free(w);
}

enum tcm_sense tcm_wipe_start(struct tcm_wipe *w, struct tcm_cmd *cmd)
{
	fuzz_check(w->passes < 32);
	tcm_wipe_free(w);
	tcm_cmd_complete(cmd, TCM_OK);
	return TCM_PENDING;
}

enum tcm_sense tcm_wipe_sense(struct tcm_device *dev, struct tcm_sense_extra *x) { return TCM_OK; }
bool tcm_wipe_forgive(struct tcm_device *dev, bool *was)
{
	*was = dev->attr.is_nonrot;
	return dev->attr.is_nonrot;
}

/* What was written in configfs and is refused: its line in the log says why. */
int tcm_cfs_refuse(struct config_item *item, const char *attr, int err, const char *why)
{
	fuzz_check(err < 0 && why);
	return err;
}

u16 tcm_lun_rtpi(const struct tcm_lun *lun) { return lun->rtpi; }
u64 tcm_device_blocks(struct tcm_device *dev) { return dev->nblocks; }
bool tcm_tmf_supported(const struct tcm_device *dev, enum tcm_tmf_func func) { return func % 3; }
enum tcm_sense tcm_ua_take(struct tcm_mapping *map, struct tcm_sense_extra *x) { return TCM_OK; }
enum tcm_sense tcm_ua_report(struct tcm_mapping *map, struct tcm_sense_extra *x) { return TCM_OK; }
void tcm_ua_drop(struct tcm_mapping *map, enum tcm_ua ua) { }
enum tcm_sense tcm_history_read(struct tcm_cmd *cmd) { return TCM_OK; }
enum tcm_sense tcm_task_gate(struct tcm_cmd *cmd) { return TCM_OK; }
void tcm_task_set_strict(struct tcm_device *dev, bool strict) { dev->tasks->strict = strict; }
void tcm_task_set_per_nexus(struct tcm_device *dev, bool per_nexus) { dev->tasks->per_nexus = per_nexus; }
enum tcm_sense tcm_orphan_check(const struct tcm_cmd *cmd) { return TCM_OK; }
void tcm_orphan_chunk_add(struct tcm_orphan_chunk *chunk) { }
void tcm_orphan_chunk_end(struct tcm_orphan_chunk *chunk) { }
bool tcm_orphan_meets(const struct tcm_device *dev, u64 first, u64 last) { return false; }
void tcm_ua_clear_session(struct tcm_session *sess, enum tcm_ua ua) { }
void tcm_sbc_cache_off(struct tcm_device *dev) { }
enum tcm_sense tcm_sbc_flush_sense(struct tcm_cmd *cmd, enum tcm_sense sense) { return sense; }
void tcm_ua_raise_device(struct tcm_device *dev, enum tcm_ua ua, const struct tcm_session *sess) { }

struct tcm_lba_range *tcm_lba_range_alloc(unsigned int members)
{
	struct tcm_lba_range *range = calloc(1, struct_size(range, members, members));

	range->count = members;
	return range;
}
