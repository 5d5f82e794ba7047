// SPDX-License-Identifier: GPL-2.0-only
/*
 * QEMU plugin: where the guest's instructions go.
 *
 *	-plugin libcount.so,out=FOLDER
 *
 * Counts how often each translated block of the guest's kernel runs. The guest opens and closes
 * a window by an instruction that does nothing, see meter.c; each window that closes becomes
 * FOLDER/<number>, lines "address instructions runs repeat", repeat being 's' (rep stos), 'm'
 * (rep movs) or '-'. User space is address 0. One vCPU.
 *
 * Debian's QEMU 7.2 has the interface and comes without its header, so what is used is declared.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mark.h"

struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { INLINE_ADD_U64 };
enum { CB_NO_REGS };

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
					   void (*cb)(uint64_t id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int op, void *ptr,
					      uint64_t imm);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    void (*cb)(unsigned int vcpu, void *data),
					    int flags, void *data);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

struct block {
	uint64_t address;
	uint64_t runs;
	uint64_t runs_before;	/* when the window opened */
	uint32_t instructions;
	char repeat;
	struct block *next;
};

#define BUCKETS (1 << 16)
static struct block *buckets[BUCKETS];
static const char *folder = ".";
static unsigned int windows;

static struct block *block_of(uint64_t address, uint32_t instructions)
{
	struct block **at = &buckets[((address ^ address >> 16) + instructions) % BUCKETS];
	struct block *b;

	for (b = *at; b; b = b->next)
		if (b->address == address && b->instructions == instructions)
			return b;
	b = calloc(1, sizeof(*b));
	if (!b)
		abort();
	b->address = address;
	b->instructions = instructions;
	b->repeat = '-';
	b->next = *at;
	*at = b;
	return b;
}

static void window_open(void)
{
	for (int i = 0; i < BUCKETS; i++)
		for (struct block *b = buckets[i]; b; b = b->next)
			b->runs_before = b->runs;
}

static void window_close(void)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%u", folder, windows++);
	f = fopen(path, "w");
	if (!f)
		abort();
	for (int i = 0; i < BUCKETS; i++)
		for (struct block *b = buckets[i]; b; b = b->next)
			if (b->runs != b->runs_before)
				fprintf(f, "%llx %u %llu %c\n", (unsigned long long)b->address,
					b->instructions,
					(unsigned long long)(b->runs - b->runs_before), b->repeat);
	if (fclose(f))
		abort();
}

static void marked(unsigned int vcpu, void *data)
{
	(void)vcpu;
	if ((uintptr_t)data == MARK_OPEN)
		window_open();
	else
		window_close();
}

/* A repeated string instruction is a block of its own from the second turn on. */
static char repeat_of(const uint8_t *code, size_t size)
{
	size_t at = 1;

	if (size < 2 || code[0] != 0xf3)
		return '-';
	if (size > 2 && (code[1] & 0xf0) == 0x40)
		at = 2;
	switch (code[at]) {
	case 0xaa:
	case 0xab:
		return 's';
	case 0xa4:
	case 0xa5:
		return 'm';
	}
	return '-';
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	static const uint8_t nop[] = { MARK_NOP };
	uint64_t address = qemu_plugin_tb_vaddr(tb);
	size_t n = qemu_plugin_tb_n_insns(tb);
	struct block *b;

	(void)id;
	if (!(address >> 63)) {
		address = 0;
		for (size_t i = 0; i < n; i++) {
			struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
			const uint8_t *code = qemu_plugin_insn_data(insn);

			if (qemu_plugin_insn_size(insn) == sizeof(nop) + 4 &&
			    !memcmp(code, nop, sizeof(nop))) {
				uint32_t mark;

				memcpy(&mark, code + sizeof(nop), 4);
				if (mark == MARK_OPEN || mark == MARK_CLOSE)
					qemu_plugin_register_vcpu_insn_exec_cb(insn, marked,
						CB_NO_REGS, (void *)(uintptr_t)mark);
			}
		}
	}
	b = block_of(address, n);
	if (address && n == 1) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, 0);

		b->repeat = repeat_of(qemu_plugin_insn_data(insn), qemu_plugin_insn_size(insn));
	}
	qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD_U64, &b->runs, 1);
}

__attribute__((visibility("default")))
int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++)
		if (!strncmp(argv[i], "out=", 4))
			folder = strdup(argv[i] + 4);
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
