// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which function serves a system call on amd64?
 *
 * The kernels that no longer read sys_call_table[] to dispatch still have it
 * (mainline 1e3ad78334a6, 6.9, back-ported): it says, by number, what the
 * switch in x64_sys_call() calls.
 */
#include <linux/build_bug.h>
#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/stddef.h>
#include <linux/uaccess.h>
#include <asm/unistd.h>
#include "../../compat.h"
#include "../hijack.h"
#include "entries.h"

static_assert(offsetof(struct pt_regs, ax) == 80); /* diversion.S */

/* Symbols do not move: looked up once. */
static unsigned long table_address(void)
{
	static unsigned long address;

	if (!address)
		address = sct_symbol_address("sys_call_table");
	return address;
}

static unsigned long absent_address(void)
{
	static unsigned long address;

	if (!address)
		address = sct_symbol_address("__x64_sys_ni_syscall");
	return address;
}

static long find_by_number(unsigned int nr)
{
	unsigned long entry;

	if (!table_address())
		return -EOPNOTSUPP;
	if (nr >= NR_syscalls ||
	    get_kernel_nofault(entry, (unsigned long *)table_address() + nr))
		return -ENOSYS;
	/* A probe's address is that of the instruction behind a landing pad. */
	if (entry == absent_address() || sct_arch_location(entry) == absent_address())
		return -ENOSYS;
	return entry;
}

static long find_by_name(const char *prefix, const struct sct_entry *entry)
{
	char symbol[KSYM_NAME_LEN];
	unsigned long address = 0;

	if (entry->name) {
		snprintf(symbol, sizeof(symbol), "%s%s", prefix, entry->name);
		address = sct_symbol_address(symbol);
	}
	if (!address && entry->older) {
		snprintf(symbol, sizeof(symbol), "%s%s", prefix, entry->older);
		address = sct_symbol_address(symbol);
	}
	return address ? address : -ENOSYS;
}

/**
 * sct_arch_entry() - address of a system call's entry function
 * @abi: SCT_ABI_*
 * @nr: without flag bits
 *
 * x32 shares the 64-bit functions up to 511; the 32-bit ones are known by name
 * only (their table is gone, and with it the one place that had addresses).
 *
 * Context: serialised by the caller; may sleep.
 * Return: the address; -ENXIO for an ABI that this kernel does not have,
 * -EOPNOTSUPP for one that cannot be diverted, -ENOSYS for a call that it does
 * not have.
 */
long sct_arch_entry(unsigned int abi, unsigned int nr)
{
	if (abi == SCT_ABI_X86_64)
		return find_by_number(nr);
	if (abi == SCT_ABI_I386 && IS_ENABLED(CONFIG_IA32_EMULATION))
		return nr < ARRAY_SIZE(i386_entries) ? find_by_name("__ia32_", &i386_entries[nr]) :
						       -ENOSYS;
	if (abi == SCT_ABI_X32 && IS_ENABLED(CONFIG_X86_X32_ABI) && nr < 512)
		return find_by_number(nr);
	if (abi == SCT_ABI_X32 && IS_ENABLED(CONFIG_X86_X32_ABI))
		return nr < ARRAY_SIZE(x32_entries) ? find_by_name("__x64_", &x32_entries[nr]) :
						      -ENOSYS;
	return -ENXIO;
}

/**
 * sct_arch_location() - the instruction of a function that ftrace patches
 * @entry: the function
 *
 * It is the first one, or, where the compiler put a landing pad for indirect
 * branches (CONFIG_X86_KERNEL_IBT), the one behind that.
 */
unsigned long sct_arch_location(unsigned long entry)
{
	u32 first;

	if (get_kernel_nofault(first, (u32 *)entry))
		return entry;
	return is_endbr(first) ? entry + sizeof(first) : entry;
}

/**
 * sct_arch_returns() - does a call return to its caller?
 *
 * exit and exit_group never do; reboot ends its thread when it halts the
 * machine.  Nothing may be left behind on the stack of such a thread.
 */
bool sct_arch_returns(unsigned int abi, unsigned int nr)
{
	/* i386 numbers its calls otherwise; the header has the 64-bit ones. */
	if (abi == SCT_ABI_I386)
		return nr != 1 && nr != 252 && nr != 88;
	return nr != __NR_exit && nr != __NR_exit_group && nr != __NR_reboot;
}
