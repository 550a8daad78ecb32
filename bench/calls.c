// SPDX-License-Identifier: GPL-2.0-only
/*
 * What does one call cost?
 *
 *   calls getppid | unlinkat PATH
 *
 * Prints the least mean time of a call, in nanoseconds, over ROUNDS rounds of
 * CALLS calls each.  In a guest that counts instructions (vm/run --icount) a
 * nanosecond is an instruction.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 200
#define CALLS 200

static long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC_RAW, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static long long measure(const char *path)
{
	long long start = now();
	int i;

	for (i = 0; i < CALLS; i++) {
		if (path)
			syscall(SYS_unlinkat, AT_FDCWD, path, 0);
		else
			syscall(SYS_getppid);
	}
	return now() - start;
}

int main(int argc, char **argv)
{
	const char *path = argc > 2 && !strcmp(argv[1], "unlinkat") ? argv[2] : NULL;
	long long least = -1, time;
	int i;

	if (argc < 2 || (!path && strcmp(argv[1], "getppid"))) {
		fprintf(stderr, "usage: calls getppid | unlinkat PATH\n");
		return 2;
	}
	for (i = 0; i < ROUNDS; i++) {
		time = measure(path);
		if (least < 0 || time < least)
			least = time;
	}
	printf("%.0f\n", (double)least / CALLS);
	return 0;
}
