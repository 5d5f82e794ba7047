/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the plugins of this folder use of QEMU, and how they find the meter's marks.
 *
 * Debian's QEMU 7.2 has the interface and comes without its header, so what is used is declared.
 */
#ifndef PLUGIN_H
#define PLUGIN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mark.h"

struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef uint32_t qemu_plugin_meminfo_t;
enum { INLINE_ADD_U64 };
enum { CB_NO_REGS };
enum { MEM_RW = 3 };

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
bool qemu_plugin_mem_is_store(qemu_plugin_meminfo_t info);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
					   void (*cb)(uint64_t id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int op, void *ptr,
					      uint64_t imm);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
					  void (*cb)(unsigned int vcpu, void *data),
					  int flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    void (*cb)(unsigned int vcpu, void *data),
					    int flags, void *data);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn,
				      void (*cb)(unsigned int vcpu, qemu_plugin_meminfo_t info,
						 uint64_t vaddr, void *data),
				      int flags, int rw, void *data);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

/* The argument "out=FOLDER" */
static inline const char *plugin_folder(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (!strncmp(argv[i], "out=", 4))
			return strdup(argv[i] + 4);
	return ".";
}

static inline FILE *plugin_file(const char *folder, const char *name, const char *mode)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, mode);
	if (!f)
		abort();
	return f;
}

/* Have @marked called with MARK_OPEN or MARK_CLOSE when @insn, of user space, is such a mark. */
static inline void plugin_mark(struct qemu_plugin_insn *insn,
			       void (*marked)(unsigned int vcpu, void *data))
{
	static const uint8_t nop[] = { MARK_NOP };
	const uint8_t *code = qemu_plugin_insn_data(insn);
	uint32_t mark;

	if (qemu_plugin_insn_size(insn) != sizeof(nop) + 4 || memcmp(code, nop, sizeof(nop)))
		return;
	memcpy(&mark, code + sizeof(nop), 4);
	if (mark == MARK_OPEN || mark == MARK_CLOSE)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, marked, CB_NO_REGS,
						       (void *)(uintptr_t)mark);
}

#endif
