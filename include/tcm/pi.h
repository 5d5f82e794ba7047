/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Protection information (SBC-4 4.21): what goes with an access to a device that keeps some.
 */
#ifndef _TCM_PI_H
#define _TCM_PI_H

#include <linux/scatterlist.h>
#include <linux/t10-pi.h>
#include <linux/types.h>

/* Bytes of protection information with each logical block */
#define TCM_PI_LEN	8
static_assert(sizeof(struct t10_pi_tuple) == TCM_PI_LEN);

/* struct tcm_pi_req.checks */
#define TCM_PI_GUARD	0x01
#define TCM_PI_APP	0x02
#define TCM_PI_REF	0x04
/* A write: the data are not those that came with the tuples, so the guards are made */
#define TCM_PI_REGUARD	0x08
/* A read: not handed out, but what is on the medium must be like this; guard, tags */
#define TCM_PI_SAME_GUARD	0x10
#define TCM_PI_SAME_TAGS	0x20
#define TCM_PI_SAME	(TCM_PI_SAME_GUARD | TCM_PI_SAME_TAGS)
/* Every block has, or is to have, what @tuple is for the first one */
#define TCM_PI_REPEAT	0x40
/* The memory of data and PI is ours: nobody changes it meanwhile */
#define TCM_PI_STABLE	0x80

/**
 * struct tcm_pi_req - the protection information of a command
 * @pos: byte offset on the medium of the block to which the first tuple belongs
 * @sg: tuples, one for each block; NULL: none are transferred, so a write makes them
 * @bytes: of @sg
 * @checks: TCM_PI_*
 * @type: protection type: the device's, or what the fabric makes of one without
 * @ref: EXPECTED INITIAL LOGICAL BLOCK REFERENCE TAG, of the block at @pos
 * @app: EXPECTED LOGICAL BLOCK APPLICATION TAG, of which the bits of @app_mask count
 * @app_mask: LOGICAL BLOCK APPLICATION TAG MASK
 * @tuple: with TCM_PI_REPEAT
 *
 * Accesses that make up a command share it: each takes the part that belongs to its blocks.
 */
struct tcm_pi_req {
	u64			pos;
	struct scatterlist	*sg;
	u32			bytes;
	u32			ref;
	u16			app, app_mask;
	u8			checks, type;
	struct t10_pi_tuple	tuple;
};

#endif
