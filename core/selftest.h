/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Self-tests (SPC-4 5.15): the medium is read, some of it or all of it.
 */
#ifndef _TCM_SELFTEST_H
#define _TCM_SELFTEST_H

#include <tcm/cmd.h>

/* SELF-TEST CODE of SEND DIAGNOSTIC; 0 is the default self-test, which is in no log */
enum tcm_selftest_code {
	TCM_SELFTEST_DEFAULT	= 0,
	TCM_SELFTEST_SHORT	= 1,
	TCM_SELFTEST_EXTENDED	= 2,
	TCM_SELFTEST_ABORT	= 4,
	TCM_SELFTEST_FG_SHORT	= 5,
	TCM_SELFTEST_FG_EXTENDED = 6,
};

/* SELF-TEST RESULTS of log page 10h */
enum tcm_selftest_result {
	TCM_SELFTEST_PASSED	= 0x0,
	TCM_SELFTEST_ABORTED	= 0x1,	/* by SEND DIAGNOSTIC */
	TCM_SELFTEST_RESET	= 0x2,	/* by something else */
	TCM_SELFTEST_FAILED	= 0x5,	/* in its first segment; there is one */
	TCM_SELFTEST_RUNS	= 0xf,
};

#define TCM_SELFTEST_RESULTS	20
#define TCM_SELFTEST_LEN	16	/* a parameter of the log page, without its header */

struct tcm_selftest;

/* Members of struct tcm_lu, under its lock */
struct tcm_selftest_state {
	struct tcm_selftest	*running;
	unsigned int		n;
	u8			results[TCM_SELFTEST_RESULTS][TCM_SELFTEST_LEN]; /* newest first */
};

/*
 * Start one; in the background unless @code is the default or a foreground one, whose command
 * ends with the test. TCM_PENDING then, or a sense code: NOT READY while another runs. It
 * allocates.
 */
enum tcm_sense tcm_selftest_start(struct tcm_cmd *cmd, enum tcm_selftest_code code);

/*
 * End the one in the background, with this result. False: there is none. It is over with the
 * return of this; what it has in the backend returns when it does. Any context.
 */
bool tcm_selftest_stop(struct tcm_device *dev, enum tcm_selftest_result result);

/* Runs one in the background? PROGRESS INDICATION in *@progress. Any context. */
bool tcm_selftest_runs(struct tcm_device *dev, u16 *progress);

/* Parameter @i of log page 10h, from 0; zeros where there is no result. lu->lock held. */
void tcm_selftest_result(const struct tcm_device *dev, unsigned int i, u8 *p);

#endif
