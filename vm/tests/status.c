// SPDX-License-Identifier: GPL-2.0-only
/* Does a kernel run programs of a 32-bit ABI? This one makes the call
 * that EXIT says, and needs no library. */
void _start(void)
{
	asm volatile(EXIT);
	__builtin_unreachable();
}
