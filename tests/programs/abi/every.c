// SPDX-License-Identifier: GPL-2.0-only
/*
 * What does each system call answer, made by a process that calls itself "every"?
 *
 *	every.ABI MMAP PRCTL END OTHER <>FILE
 *
 * makes calls 0, 1, 2, … with all arguments -1, and writes what each returned,
 * in eight bytes, into FILE, up to the end of its SLOTS.  Meant for rules that
 * refuse every call of that process.  Of the calls that end a process it leaves
 * OTHER out, and makes END last.  All are numbers; by MMAP and PRCTL it sees the
 * file and takes its name.
 */
#include "enter.h"
#include "number.h"

enum { SLOTS = 1024, READ_WRITE = 3, SHARED = 1, SET_NAME = 15 };

void start(const unsigned long *stack)
{
	const char *const *argv = (const char *const *)(stack + 1);
	const word map[7] = { BIT | number(argv[1]), 0, SLOTS * 8, READ_WRITE, SHARED };
	const word name[7] = { BIT | number(argv[2]), SET_NAME, (word)(unsigned long)"every" };
	const word end = number(argv[3]), other = number(argv[4]);
	const word leave[7] = { BIT | end };
	long long *answers = (long long *)(unsigned long)own_way(map);

	own_way(name);
	for (word i = 0; i < SLOTS; i++) {
		const word call[7] = { BIT | i, -1, -1, -1, -1, -1, -1 };

		if (i != end && i != other)
			answers[i] = own_way(call);
	}
	own_way(leave);
	__builtin_trap();
}
