// SPDX-License-Identifier: GPL-2.0-only
/*
 * The text of a `control` file taken apart.
 */
#include <linux/string.h>
#include "device.h"

bool tcm_control_next(char **text, char **key, char **value)
{
	char *token, *at;

	while ((token = strsep(text, ",\n"))) {
		at = strchr(token, '=');
		if (!at)
			continue;
		*at = '\0';
		*key = token;
		*value = at + 1;
		return true;
	}
	return false;
}
