// SPDX-License-Identifier: GPL-2.0-only
/*
 * What does one system call answer, made with this memory by a process that calls itself "pair"?
 *
 *	pair.ABI MMAP PRCTL <>FILE
 *
 * FILE begins with a struct request; the pages of its runs come behind, each at
 * the offset that the call MMAP takes, and the call sees them where they say,
 * and may write there. The result is written into the request. MMAP and PRCTL
 * are numbers of calls; the name is that of the process for the one call only.
 */
#include "enter.h"
#include "number.h"

enum { PAGE = 4096, READ_WRITE = 3, SHARED = 1, FIXED = 0x10, SET_NAME = 15 };

struct request {
	unsigned long long call[7]; /* the number, and six registers */
	long long result;
	unsigned long long runs;
	struct {
		unsigned long long at, size, offset;
	} run[];
};

void start(const unsigned long *stack)
{
	const char *const *argv = (const char *const *)(stack + 1);
	const word mmap = BIT | number(argv[1]), prctl = BIT | number(argv[2]);
	const word first[7] = { mmap, 0, PAGE, READ_WRITE, SHARED };
	const word ours[7] = { prctl, SET_NAME, (word)(unsigned long)"pair" };
	const word other[7] = { prctl, SET_NAME, (word)(unsigned long)"done" };
	const word leave[7] = { BIT | NR_EXIT };
	struct request *request = (struct request *)(unsigned long)own_way(first);
	word call[7];

	for (unsigned long long i = 0; i < request->runs; i++) {
		const word map[7] = { mmap, request->run[i].at, request->run[i].size,
				      READ_WRITE, SHARED | FIXED, 0, request->run[i].offset };

		if ((word)own_way(map) != map[1])
			__builtin_trap();
	}
	for (int i = 0; i < 7; i++)
		call[i] = request->call[i];
	call[0] |= BIT;
	own_way(ours);
	request->result = own_way(call);
	own_way(other);
	own_way(leave);
	__builtin_trap();
}
