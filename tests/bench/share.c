// SPDX-License-Identifier: GPL-2.0-only
/*
 * QEMU plugin: which cache lines of the guest's kernel two CPUs have in common.
 *
 *	-plugin libshare.so,out=FOLDER
 *
 * Between the two marks of meter.c each access of the kernel to memory is noted: line, instruction,
 * CPU, read or written, and whether the CPU was last seen in a module named by FOLDER/ours (lines
 * "start end" in hexadecimal, read when a window opens), in the code it calls included. A window
 * that closes becomes FOLDER/<number>, lines "line instruction ours CPU reads writes".
 * Two CPUs at most.
 */
#include <unistd.h>

#include "plugin.h"

#define CPUS 2
#define LINE 6			/* 64 bytes */
#define SLOTS (1 << 20)		/* of each CPU's table */
#define MODULES 0xffffffffc0000000ULL
#define MODULES_END 0xffffffffff000000ULL
#define RANGES 16

struct note {
	uint64_t line, pc;	/* line 0: free */
	uint64_t reads, writes;
	bool ours;
};

/* Each CPU writes its own; who closes the window reads both once it is closed. */
static struct note *notes[CPUS];
static bool in_ours[CPUS];
static volatile bool is_open;
static struct { uint64_t start, end; } ranges[RANGES];
static unsigned int n_ranges, windows;
static const char *folder = ".";

static struct note *note_of(unsigned int cpu, uint64_t line, uint64_t pc, bool ours)
{
	uint64_t hash = (line * 31 + pc * 2 + ours) * 0x9e3779b97f4a7c15ULL;

	for (unsigned int i = hash >> 44; ; i = (i + 1) % SLOTS) {
		struct note *n = &notes[cpu][i];

		if (n->line == line && n->pc == pc && n->ours == ours)
			return n;
		if (!n->line) {
			n->line = line;
			n->pc = pc;
			n->ours = ours;
			return n;
		}
	}
}

static void accessed(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t vaddr, void *data)
{
	struct note *n;

	if (!is_open || cpu >= CPUS || !(vaddr >> 63))
		return;
	n = note_of(cpu, vaddr >> LINE, (uintptr_t)data, in_ours[cpu]);
	if (qemu_plugin_mem_is_store(info))
		n->writes++;
	else
		n->reads++;
}

static void in_module(unsigned int cpu, void *data)
{
	uint64_t pc = (uintptr_t)data;
	bool ours = false;

	if (!is_open || cpu >= CPUS)
		return;
	for (unsigned int i = 0; i < n_ranges; i++)
		ours |= pc >= ranges[i].start && pc < ranges[i].end;
	in_ours[cpu] = ours;
}

static void window_open(void)
{
	FILE *f = plugin_file(folder, "ours", "r");
	unsigned long long start, end;

	for (n_ranges = 0; n_ranges < RANGES && fscanf(f, "%llx %llx", &start, &end) == 2; n_ranges++) {
		ranges[n_ranges].start = start;
		ranges[n_ranges].end = end;
	}
	fclose(f);
	for (int cpu = 0; cpu < CPUS; cpu++) {
		memset(notes[cpu], 0, SLOTS * sizeof(struct note));
		in_ours[cpu] = false;
	}
	is_open = true;
}

static void window_close(void)
{
	char name[16];
	FILE *f;

	is_open = false;
	usleep(100000);		/* the other CPU may be at it */
	snprintf(name, sizeof(name), "%u", windows++);
	f = plugin_file(folder, name, "w");
	for (int cpu = 0; cpu < CPUS; cpu++)
		for (int i = 0; i < SLOTS; i++) {
			const struct note *n = &notes[cpu][i];

			if (n->line)
				fprintf(f, "%llx %llx %d %d %llu %llu\n",
					(unsigned long long)n->line << LINE, (unsigned long long)n->pc,
					n->ours, cpu, (unsigned long long)n->reads,
					(unsigned long long)n->writes);
		}
	if (fclose(f))
		abort();
}

static void marked(unsigned int cpu, void *data)
{
	(void)cpu;
	if ((uintptr_t)data == MARK_OPEN)
		window_open();
	else
		window_close();
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	uint64_t address = qemu_plugin_tb_vaddr(tb);

	(void)id;
	if (address >= MODULES && address < MODULES_END)
		qemu_plugin_register_vcpu_tb_exec_cb(tb, in_module, CB_NO_REGS,
						     (void *)(uintptr_t)address);
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

		if (address >> 63)
			qemu_plugin_register_vcpu_mem_cb(insn, accessed, CB_NO_REGS, MEM_RW,
				(void *)(uintptr_t)qemu_plugin_insn_vaddr(insn));
		else
			plugin_mark(insn, marked);
	}
}

__attribute__((visibility("default")))
int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	(void)info;
	folder = plugin_folder(argc, argv);
	for (int cpu = 0; cpu < CPUS; cpu++) {
		notes[cpu] = calloc(SLOTS, sizeof(struct note));
		if (!notes[cpu])
			return 1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
