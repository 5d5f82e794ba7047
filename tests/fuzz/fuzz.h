/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the fuzz targets share: taking the input apart, and a device behind a LUN.
 */
#ifndef _TCM_FUZZ_H
#define _TCM_FUZZ_H

#include <tcm/fabric.h>
#include "../../core/alua.h"
#include "../../core/alua_state.h"
#include "../../core/lu.h"
#include "../../core/task.h"

/* The input, eaten from the front; what is not there is zero. */
struct fuzz_in {
	const u8 *p;
	size_t left;
};

u64 fuzz_take(struct fuzz_in *in, unsigned int bytes);
/* The rest, in memory of exactly its size: AddressSanitizer sees the first byte too many. */
u8 *fuzz_rest(struct fuzz_in *in);
/* Up to @max - 1 bytes, ended by a zero byte in the input */
void fuzz_string(struct fuzz_in *in, char *to, size_t max);

/* The find: a line, and the end */
#define fuzz_check(cond) do {								\
	if (!(cond)) {									\
		fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #cond);	\
		abort();								\
	}										\
} while (0)

/* A disk with one LUN on one nexus; everything the builders read is there. */
struct fuzz_lun {
	struct tcm_fabric_ops	fabric;
	struct tcm_backend_ops	backend;
	struct tcm_wwn		wwn;
	struct tcm_tpg		tpg;
	struct tcm_lun		lun;
	struct tcm_device	dev;
	struct tcm_session	sess;
	struct tcm_mapping	map;
	struct tcm_lu		lu;
	struct tcm_task_set	tasks;
	struct tcm_alua		alua;
	struct tcm_tg_pt_gp	group;
};

/* A device as configuration could have made it, its attributes by @in */
struct fuzz_lun *fuzz_lun_new(struct fuzz_in *in);
void fuzz_lun_free(struct fuzz_lun *l);

/* Run the work items that are queued, and those that these queue, at most @max. */
void fuzz_work(unsigned int max);

/* tcm_cmd_complete() was called for a command */
extern unsigned int fuzz_completed;
/* A backend's copy member: both ends are on the medium; with @fuzz_by_hand it cannot do it. */
void fuzz_copy(struct tcm_io *io);
extern bool fuzz_by_hand;
/*
 * Carry out a 16 byte CDB; @data: parameter list, or where the answer goes. It is aborted after
 * @steps work items, and ends. Returns the sense code.
 */
enum tcm_sense fuzz_run(struct fuzz_lun *l, const u8 *cdb, u8 *data, u32 len, unsigned int steps);
/*
 * Carry out a CDB of @cdb_len bytes of the nexus that @map is of, with a list or room of @len bytes,
 * and all the work that it queues. Returns the sense code; @cmd is what became of it.
 */
enum tcm_sense fuzz_run_map(struct tcm_mapping *map, const u8 *cdb, unsigned int cdb_len, u8 *data,
			    unsigned int len, struct tcm_cmd *cmd);
/* A change of access states that SET TARGET PORT GROUPS asks for: is a step possible; carried out */
struct tcm_alua_step;
struct tcm_alua_change;
extern bool (*fuzz_alua_may)(const struct tcm_alua_step *step);
extern void (*fuzz_alua_changed)(const struct tcm_alua_change *change);
/* What is to survive a power cycle can be written. */
extern bool fuzz_on_disk;

/* Build sense data and read it back; @list_len bounds a field pointer. */
void fuzz_sense(enum tcm_sense sense, const struct tcm_sense_extra *x, unsigned int list_len);

#endif
