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
 */
#include "plugin.h"

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
	char name[16];
	FILE *f;

	snprintf(name, sizeof(name), "%u", windows++);
	f = plugin_file(folder, name, "w");
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
	uint64_t address = qemu_plugin_tb_vaddr(tb);
	size_t n = qemu_plugin_tb_n_insns(tb);
	struct block *b;

	(void)id;
	if (!(address >> 63)) {
		address = 0;
		for (size_t i = 0; i < n; i++)
			plugin_mark(qemu_plugin_tb_get_insn(tb, i), marked);
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
	folder = plugin_folder(argc, argv);
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
