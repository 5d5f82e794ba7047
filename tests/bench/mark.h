/* SPDX-License-Identifier: GPL-2.0-only */
/* What opens and closes a window: a long nop whose displacement is one of two numbers. */
#ifndef MARK_H
#define MARK_H

#define MARK_NOP 0x0f, 0x1f, 0x84, 0x00	/* nopl disp32(%rax,%rax,1) */
#define MARK_OPEN 0x54434d01
#define MARK_CLOSE 0x54434d02

#endif
