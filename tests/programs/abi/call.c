// SPDX-License-Identifier: GPL-2.0-only
/*
 * What does one system call answer, made by one way into the kernel?
 *
 *	call.ABI WAY NUMBER ARG...
 *
 * prints what the kernel returned, a negative number being an error.  WAY is
 * int80, syscall, sysenter, vdso, svc, arm or thumb, as far as its ABI has it;
 * NUMBER is that of the ABI that the way leads to, without x32's bit.  ARG is a number of as many bits as a register
 * has; or s:TEXT for a string, whose address fits in 32 bits; or, in 64-bit
 * programs, h:TEXT for a string with something in the upper half of the
 * register that holds its address; or m:HEX for bytes in memory, in which ^ is
 * a pointer of 32 bits, or * one of 64, to the bytes behind a +.
 *
 * Built without a C library, of which there are few for other ABIs.
 */
#include "enter.h"

enum { NO_WAY = 2, ARGS = 6, TEXT = 4096 };

static const struct {
	const char *name;
	long (*enter)(const word *call);
	word bit;
} ways[] = { WAYS };

/* Not zeroes: of a segment that is nothing else older kernels (5.10 is one) do not map the page it begins in. */
static char text[TEXT] = "-";
static unsigned int used;

static void leave(int status)
{
	const word call[7] = { BIT | NR_EXIT, status };

	for (;;)
		own_way(call);
}

static int same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

static word number(const char *from)
{
	int negative = *from == '-', base = 10;
	word value = 0;

	from += negative;
	if (from[0] == '0' && from[1] == 'x') {
		base = 16;
		from += 2;
	}
	for (; *from; from++) {
		int digit = *from >= 'a' ? *from - 'a' + 10 : *from - '0';

		if (digit < 0 || digit >= base)
			leave(NO_WAY);
		value = value * base + digit;
	}
	return negative ? -value : value;
}

static void put(unsigned long value, unsigned int bytes)
{
	for (; bytes; bytes--, value >>= 8) {
		if (used == TEXT - 1)
			leave(NO_WAY);
		text[used++] = value;
	}
}

static word memory(const char *from)
{
	unsigned int begin = used, hole = 0, width = 0, end;

	for (; *from; from += 2) {
		if (*from == '^' || *from == '*') {
			hole = used;
			width = *from == '^' ? 4 : 8;
			put(0, width);
			from--;
		} else if (*from == '+') {
			end = used;
			used = hole;
			put((unsigned long)(text + end), width);
			used = end;
			from--;
		} else {
			const char digits[] = { '0', 'x', from[0], from[1], 0 };

			put(number(digits), 1);
		}
	}
	put(0, 8);
	return (word)(unsigned long)(text + begin);
}

static word argument(const char *from)
{
	word value = (word)(unsigned long)(text + used);

	if (from[0] == 'm' && from[1] == ':')
		return memory(from + 2);
	if ((from[0] != 's' && from[0] != 'h') || from[1] != ':')
		return number(from);
	if (from[0] == 'h')
		value |= (word)0xdeadbeef << (sizeof(word) * 8 - 32);
	for (from += 2; *from; from++) {
		if (used == TEXT - 1)
			leave(NO_WAY);
		text[used++] = *from;
	}
	text[used++] = 0;
	return value;
}

static void print(long value)
{
	static char digits[32];
	unsigned long rest = value < 0 ? -(unsigned long)value : (unsigned long)value;
	char *at = digits + sizeof(digits);

	*--at = '\n';
	do {
		*--at = '0' + rest % 10;
		rest /= 10;
	} while (rest);
	if (value < 0)
		*--at = '-';

	const word call[7] = { BIT | NR_WRITE, 1, (word)(unsigned long)at, digits + sizeof(digits) - at };

	own_way(call);
}

void start(const unsigned long *stack)
{
	unsigned long argc = stack[0];
	const char *const *argv = (const char *const *)(stack + 1);
	const unsigned long *rest = stack + argc + 2;
	word call[1 + ARGS] = { 0 };

	while (*rest)
		rest++; /* the environment; the auxiliary vector follows */
	if (argc < 3 || argc > 3 + ARGS)
		leave(NO_WAY);
	call[0] = number(argv[2]);
	for (unsigned long i = 3; i < argc; i++)
		call[i - 2] = argument(argv[i]);

#ifdef __i386__
	for (rest++; rest[0] && rest[0] != AT_SYSINFO; rest += 2)
		;
	vsyscall = rest[1];
#endif
	for (unsigned int i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (!same(argv[1], ways[i].name))
			continue;
		call[0] |= ways[i].bit;
		print(ways[i].enter(call));
		leave(0);
	}
	leave(NO_WAY);
}
