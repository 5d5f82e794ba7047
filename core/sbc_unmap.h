/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _TCM_SBC_UNMAP_H
#define _TCM_SBC_UNMAP_H

#include <tcm/sense.h>

/* An UNMAP block descriptor as it came and, once checked, in host order: the same size. */
union tcm_unmap_extent {
	struct {
		__be64	lba;
		__be32	nblocks;
		__be32	reserved;
	} wire;
	struct {
		u64	lba;
		u64	nblocks;
	} host;
};

static_assert(sizeof(union tcm_unmap_extent) == 16);

struct tcm_unmap_header {
	__be16	data_len;	/* what follows this field */
	__be16	desc_len;	/* of the descriptors */
	__be32	reserved;
};

static_assert(sizeof(struct tcm_unmap_header) == 8);

/* cmd->work of an UNMAP, the parameter list in place */
struct tcm_unmap {
	unsigned int		n, next;	/* descriptors, and which one is due */
	u64			flags;		/* TCM_IO_* */
	struct tcm_unmap_header	header;
	union tcm_unmap_extent	ext[];
};

/* No gap in the list */
static_assert(offsetof(struct tcm_unmap, ext) ==
	      offsetof(struct tcm_unmap, header) + sizeof(struct tcm_unmap_header));

struct tcm_unmap_limits {
	u64	nblocks;	/* of the medium */
	u32	max_desc;
	u32	max_lba;	/* in all descriptors together */
};

/*
 * Check a parameter list of @len bytes (SBC-4 5.35.2), turn its descriptors to host
 * order and count them. Nothing but @u and @x is touched; @u is fit for use only when
 * TCM_OK is returned.
 */
enum tcm_sense tcm_unmap_parse(struct tcm_unmap *u, unsigned int len,
			       const struct tcm_unmap_limits *lim, struct tcm_sense_extra *x);

#endif
