// SPDX-License-Identifier: GPL-2.0-only
/*
 * What do the calls of amd64's vsyscall page answer?
 *
 *	vsyscall
 *
 * prints the results of gettimeofday, time and getcpu, one a line.
 */
#include <stdio.h>
#include <sys/time.h>

#define PAGE 0xffffffffff600000UL

int main(void)
{
	int (*get_time_of_day)(struct timeval *, void *) = (void *)PAGE;
	long (*get_time)(long *) = (void *)(PAGE + 0x400);
	int (*get_cpu)(unsigned int *, unsigned int *, void *) = (void *)(PAGE + 0x800);
	struct timeval now;
	unsigned int cpu;

	printf("%d\n", get_time_of_day(&now, NULL));
	printf("%ld\n", get_time(NULL));
	printf("%d\n", get_cpu(&cpu, NULL, NULL));
	return 0;
}
