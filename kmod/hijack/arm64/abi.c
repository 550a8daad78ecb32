// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which function serves a system call on arm64?
 *
 * Its dispatcher reads a table for each ABI.  Where their addresses are not
 * among the kernel's symbols (those of data are there only with KALLSYMS_ALL),
 * they stand in the code that hands them to the dispatcher, and what they
 * hold tells that they are it.
 */
#include <linux/bitops.h>
#include <linux/kernel.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>
#include <asm/unistd.h>
#include "../../compat.h"
#include "../hijack.h"

/* Numbers of aarch32 calls: asm/unistd.h has those of the 64-bit ones. */
enum { A32_EXIT = 1, A32_READ = 3, A32_REBOOT = 88, A32_GET_PRIORITY_MAX = 159, A32_EXIT_GROUP = 248 };

static struct table {
	const char *name;
	const char *user; /* the function whose code has its address */
	unsigned int size;
	unsigned int read, get_priority_max; /* calls by which it is recognised */
	unsigned long address;
} tables[SCT_ABIS] = {
	[SCT_ABI_AARCH64] = {
		"sys_call_table", "do_el0_svc", __NR_syscalls,
		__NR_read, __NR_sched_get_priority_max,
	},
	[SCT_ABI_AARCH32] = {
		"compat_sys_call_table", "do_el0_svc_compat", SCT_COMPAT_SYSCALLS,
		A32_READ, A32_GET_PRIORITY_MAX,
	},
};

static bool holds(unsigned long table, unsigned int nr, const char *function)
{
	unsigned long entry;

	return !get_kernel_nofault(entry, (unsigned long *)table + nr) &&
	       entry == sct_symbol_address(function);
}

static bool is_table(const struct table *table, unsigned long address)
{
	return !(address % sizeof(long)) && holds(address, table->read, "__arm64_sys_read") &&
	       holds(address, table->get_priority_max, "__arm64_sys_sched_get_priority_max");
}

/* ADRP: the page of an address, relative to that of the instruction. */
static unsigned long decode_adrp(u32 insn, unsigned long pc)
{
	long pages = sign_extend64((insn >> 5 & 0x7ffff) << 2 | (insn >> 29 & 3), 20);

	return (pc & ~(SZ_4K - 1)) + (pages << 12);
}

/* The table whose address a function's code computes: ADRP, then ADD to the same register. */
static unsigned long decode_table(const struct table *table)
{
	unsigned long pc = sct_symbol_address(table->user), end = pc + 256, address;
	unsigned long pages[32] = { };
	u32 insn;

	for (; pc && pc < end && !get_kernel_nofault(insn, (u32 *)pc); pc += sizeof(insn)) {
		if ((insn & 0x9f000000) == 0x90000000)
			pages[insn & 31] = decode_adrp(insn, pc);
		if ((insn & 0xffc00000) != 0x91000000 || !pages[insn >> 5 & 31])
			continue;
		address = pages[insn >> 5 & 31] + (insn >> 10 & 0xfff);
		if (is_table(table, address))
			return address;
	}
	return 0;
}

/* Symbols do not move: looked up once. */
static struct table *table_of(unsigned int abi)
{
	struct table *table = &tables[abi];

	if (!table->size)
		return NULL;
	if (!table->address)
		table->address = sct_symbol_address(table->name);
	if (!table->address)
		table->address = decode_table(table);
	if (!table->address)
		table->size = 0;
	return table->address ? table : NULL;
}

/**
 * sct_arch_table_slot() - where the table that dispatches an ABI has a call
 *
 * Context: serialised by the caller; may sleep.
 * Return: the slot; NULL if there is no such table, or none for the number.
 */
unsigned long *sct_arch_table_slot(unsigned int abi, unsigned int nr)
{
	struct table *table = table_of(abi);

	return table && nr < table->size ? (unsigned long *)table->address + nr : NULL;
}

/**
 * sct_arch_entry() - address of a system call's entry function
 * @abi: SCT_ABI_*
 * @nr: of the call
 *
 * Context: serialised by the caller; may sleep.
 * Return: the address; -ENXIO for an ABI that this kernel does not have,
 * -EOPNOTSUPP for one whose table was not found, -ENOSYS for a call that it
 * does not have.
 */
long sct_arch_entry(unsigned int abi, unsigned int nr)
{
	static unsigned long absent;
	const unsigned long *slot;
	unsigned long entry;

	if (abi != SCT_ABI_AARCH64 && !(abi == SCT_ABI_AARCH32 && IS_ENABLED(CONFIG_COMPAT)))
		return -ENXIO;
	if (!table_of(abi))
		return -EOPNOTSUPP;
	if (!absent)
		absent = sct_symbol_address("__arm64_sys_ni_syscall");
	slot = sct_arch_table_slot(abi, nr);
	if (!slot || get_kernel_nofault(entry, slot) || entry == absent)
		return -ENOSYS;
	return entry;
}

/** sct_arch_is_entry() - what stands in the slot does not matter: the slot is what is changed */
bool sct_arch_is_entry(unsigned int abi, unsigned int nr, unsigned long address)
{
	return true;
}

/* exit and exit_group never return; reboot ends its thread when it halts the machine. */
enum sct_ending sct_arch_ending(unsigned int abi, unsigned int nr)
{
	bool a32 = abi == SCT_ABI_AARCH32;

	if (nr == (a32 ? A32_EXIT : __NR_exit) || nr == (a32 ? A32_EXIT_GROUP : __NR_exit_group))
		return SCT_ENDING_NEVER;
	return nr == (a32 ? A32_REBOOT : __NR_reboot) ? SCT_ENDING_PERHAPS : SCT_ENDING_RETURNS;
}

/* The tables are read on all kernels: nothing else is needed. */
const struct sct_mechanism *const sct_mechanisms[SCT_MECHANISMS] = {
	[SCT_MECHANISM_TABLE] = &sct_table,
};
