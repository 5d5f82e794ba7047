/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Vital product data (SPC-4 7.8, SBC-4 6.6): the table of pages and what their
 * builders share.
 */
#ifndef _TCM_VPD_H
#define _TCM_VPD_H

#include <tcm/target.h>

#define TCM_VPD_MAX	1024	/* room for the largest page */

/**
 * struct tcm_vpd_page - one page
 * @code: PAGE CODE
 * @disk: only direct access block devices have it
 * @offered: has @dev it? NULL: yes
 * @room: bytes of the whole page at most, 0: TCM_VPD_MAX
 * @nexus: the part that depends on who asks, afterwards; may be NULL
 * @build: fill @buf, so many zeroed bytes, from byte 4 on; return PAGE LENGTH
 */
struct tcm_vpd_page {
	u8		code;
	bool		disk;
	bool		(*offered)(const struct tcm_device *dev);
	u16		room;
	void		(*nexus)(const struct tcm_cmd *cmd, u8 *buf);
	unsigned int	(*build)(const struct tcm_lun *lun, u8 *buf);
};

/* In the order of page codes, as page 00h lists them. */
extern const struct tcm_vpd_page tcm_vpd_pages[];
extern const unsigned int tcm_vpd_page_count;

/* The page of a code, or NULL when @dev has none. */
const struct tcm_vpd_page *tcm_vpd_find(const struct tcm_device *dev, u8 code);
/* Room for it in bytes */
unsigned int tcm_vpd_room(const struct tcm_vpd_page *page);
/* Build it into so many zeroed bytes; return its length. May take dev->lun_lock. */
unsigned int tcm_vpd_build(const struct tcm_lun *lun, const struct tcm_vpd_page *page, u8 *buf);

unsigned int tcm_vpd_ident(const struct tcm_lun *lun, u8 *buf);		/* 83h */
unsigned int tcm_vpd_ports(const struct tcm_lun *lun, u8 *buf);		/* 88h */
unsigned int tcm_vpd_referrals(const struct tcm_lun *lun, u8 *buf);	/* B3h */
unsigned int tcm_vpd_block_limits(const struct tcm_lun *lun, u8 *buf);	/* B0h */
unsigned int tcm_vpd_block_char(const struct tcm_lun *lun, u8 *buf);	/* B1h */
unsigned int tcm_vpd_provisioning(const struct tcm_lun *lun, u8 *buf);	/* B2h */
unsigned int tcm_vpd_block_lengths(const struct tcm_lun *lun, u8 *buf);	/* B4h */
void tcm_vpd_block_lengths_nexus(const struct tcm_cmd *cmd, u8 *buf);

#define TCM_VPD_PORTS_MAX	0xf000	/* room for Supported SCSI Ports */

#define TCM_NAA_LEN	16

/*
 * The NAA IEEE Registered Extended designator (SPC-4 7.8.6.6.5) of a logical unit: the
 * company identifier and the first 25 hexadecimal digits of the serial number. Pure.
 */
void tcm_naa_id(u32 company_id, const char *serial, u8 id[TCM_NAA_LEN]);

#endif
