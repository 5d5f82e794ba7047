// SPDX-License-Identifier: GPL-2.0-only
/*
 * meter MILLISECONDS|xCOUNT DISK...: waits until the disks are busy, then prints for a window of that
 * time, or until each disk has done so many I/Os, "nanoseconds I/Os context-switches" and marks
 * the window for the plugin (count.c, share.c).
 * Static, for the guest. Under -icount a nanosecond is an instruction.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mark.h"

#define MARK(which) \
	__asm__ volatile("nopl " STRING(which) "(%%rax,%%rax,1)" ::: "memory")
#define STRING(x) STRING_(x)
#define STRING_(x) #x

#define MAX_DISKS 64
#define BUSY 64			/* I/Os after which they are */
#define PATIENCE 20000		/* turns of 5 ms */

static void read_text(const char *path, char *text, size_t size)
{
	FILE *f = fopen(path, "r");
	size_t n;

	if (!f) {
		perror(path);
		exit(1);
	}
	n = fread(text, 1, size - 1, f);
	text[n] = 0;
	fclose(f);
}

static unsigned long long ios(int disks, char **disk)
{
	unsigned long long sum = 0;

	for (int i = 0; i < disks; i++) {
		char path[128], text[512];
		unsigned long long reads, writes;

		snprintf(path, sizeof(path), "/sys/block/%s/stat", disk[i]);
		read_text(path, text, sizeof(text));
		if (sscanf(text, "%llu %*u %*u %*u %llu", &reads, &writes) != 2)
			exit(1);
		sum += reads + writes;
	}
	return sum;
}

static unsigned long long switches(void)
{
	static char text[1 << 17];
	const char *at;

	read_text("/proc/stat", text, sizeof(text));
	at = strstr(text, "\nctxt ");
	return at ? strtoull(at + 6, NULL, 10) : 0;
}

static unsigned long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static void rest(long ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

/* Until each of them has done @count more */
static int wait_each(unsigned long long count, int disks, char **disk)
{
	unsigned long long before[MAX_DISKS];

	for (int i = 0; i < disks; i++)
		before[i] = ios(1, disk + i);
	for (int i = 0, turn = 0; i < disks; turn++) {
		if (ios(1, disk + i) >= before[i] + count)
			i++;
		else if (turn == PATIENCE)
			return -1;
		else
			rest(5);
	}
	return 0;
}

int main(int argc, char **argv)
{
	unsigned long long io, last, ctx, time;
	struct sched_param first = { .sched_priority = 1 };
	int turn;

	if (argc < 3 || argc > 2 + MAX_DISKS)
		return 2;
	/* not to be interrupted between two readings */
	if (sched_setscheduler(0, SCHED_FIFO, &first))
		return 1;
	io = ios(argc - 2, argv + 2);
	for (turn = 0; ios(argc - 2, argv + 2) < io + BUSY; turn++) {
		if (turn == PATIENCE) {
			fprintf(stderr, "meter: no I/O\n");
			return 1;
		}
		rest(5);
	}
	ctx = switches();
	io = ios(argc - 2, argv + 2);
	MARK(MARK_OPEN);
	time = now();
	if (argv[1][0] != 'x')
		rest(strtol(argv[1], NULL, 10));
	else if (wait_each(strtoul(argv[1] + 1, NULL, 10), argc - 2, argv + 2))
		return 1;
	time = now() - time;
	MARK(MARK_CLOSE);
	last = ios(argc - 2, argv + 2);
	ctx = switches() - ctx;
	rest(20);
	if (ios(argc - 2, argv + 2) == last) {
		fprintf(stderr, "meter: the I/O ended within the window\n");
		return 1;
	}
	io = last - io;
	printf("%llu %llu %llu\n", time, io, ctx);
	return 0;
}
