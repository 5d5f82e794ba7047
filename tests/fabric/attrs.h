/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rows of attributes.
 */
#ifndef _TCM_TFAB_ATTRS_H
#define _TCM_TFAB_ATTRS_H

#include <tcm/configfs.h>
#include "tfab.h"

ssize_t tcm_test_store_uint(u32 *field, const char *page, size_t count, u32 min, u32 max);
ssize_t tcm_test_store_text(char *field, const char *page, size_t count);

/* A number in attrib/ or param/ of @obj, which tcm_test_<obj>_of() finds */
#define TCM_TEST_UINT(_prefix, _obj, _name, _min, _max)					\
static ssize_t _prefix##_name##_show(struct config_item *item, char *page)		\
{											\
	return sysfs_emit(page, "%u\n", READ_ONCE(tcm_test_##_obj##_of(item)->_name));	\
}											\
static ssize_t _prefix##_name##_store(struct config_item *item, const char *page,	\
				      size_t count)					\
{											\
	return tcm_test_store_uint(&tcm_test_##_obj##_of(item)->_name, page, count,	\
				   _min, _max);						\
}											\
CONFIGFS_ATTR(_prefix, _name)

/* A text; serialised by configfs against itself, good enough for what nobody uses */
#define TCM_TEST_TEXT(_prefix, _obj, _name, _field)					\
static ssize_t _prefix##_name##_show(struct config_item *item, char *page)		\
{											\
	return sysfs_emit(page, "%s\n", tcm_test_##_obj##_of(item)->_field);		\
}											\
static ssize_t _prefix##_name##_store(struct config_item *item, const char *page,	\
				      size_t count)					\
{											\
	return tcm_test_store_text(tcm_test_##_obj##_of(item)->_field, page, count) ?:	\
	       count;									\
}											\
CONFIGFS_ATTR(_prefix, _name)

#endif
