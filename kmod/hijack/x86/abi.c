// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which function serves a system call on amd64?
 *
 * The kernels that no longer read sys_call_table[] to dispatch still have it
 * (mainline 1e3ad78334a6, 6.9, back-ported): it says, by number, what the
 * switch in x64_sys_call() calls, as long as no other module writes to it.
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

/* A table that dispatches an ABI's calls, by the name that it has where there is one. */
static struct table {
	const char *name;
	unsigned int size;
	const char *absent; /* the function of calls that the kernel does not have */
	unsigned long address, absent_address;
} tables[SCT_ABIS] = {
	[SCT_ABI_X86_64] = { "sys_call_table", NR_syscalls, "__x64_sys_ni_syscall" },
	[SCT_ABI_I386] = { "ia32_sys_call_table", IA32_NR_syscalls, "__ia32_sys_ni_syscall" },
	[SCT_ABI_X32] = { "x32_sys_call_table", X32_NR_syscalls, "__x64_sys_ni_syscall" },
};

/* The table of an ABI, or NULL.  Symbols do not move: looked up once. */
static struct table *table_of(unsigned int abi)
{
	struct table *table = &tables[abi];

	if (!table->name)
		return NULL;
	if (!table->address) {
		table->address = sct_symbol_address(table->name);
		table->absent_address = sct_symbol_address(table->absent);
		if (!table->address)
			table->name = NULL;
	}
	return table->address ? table : NULL;
}

/**
 * sct_arch_table_slot() - where the table that dispatches an ABI has a call
 *
 * Context: serialised by the caller; may sleep.
 * Return: the slot; NULL if there is no such table, or none for the number.
 * Whether it is read is not known: see proof.c.
 */
unsigned long *sct_arch_table_slot(unsigned int abi, unsigned int nr)
{
	struct table *table = table_of(abi);

	return table && nr < table->size ? (unsigned long *)table->address + nr : NULL;
}

/*
 * The instruction that ftrace patches is the first one, or, where the compiler
 * put a landing pad for indirect branches (CONFIG_X86_KERNEL_IBT), the one
 * behind that.
 */
static unsigned long location_of(unsigned long entry)
{
	u32 first;

	if (get_kernel_nofault(first, (u32 *)entry))
		return entry;
	return sct_is_landing_pad(first) ? entry + sizeof(first) : entry;
}

/* What the functions that serve an ABI's calls are named. */
static const struct names {
	const char *prefix;
	const struct sct_entry *entries;
	unsigned int count;
} names[SCT_ABIS] = {
	[SCT_ABI_X86_64] = { "__x64_", x86_64_entries, ARRAY_SIZE(x86_64_entries) },
	[SCT_ABI_I386] = { "__ia32_", i386_entries, ARRAY_SIZE(i386_entries) },
	[SCT_ABI_X32] = { "__x64_", x32_entries, ARRAY_SIZE(x32_entries) },
};

static unsigned long address_of(const char *prefix, const char *name)
{
	char symbol[KSYM_NAME_LEN];

	if (!name)
		return 0;
	snprintf(symbol, sizeof(symbol), "%s%s", prefix, name);
	return sct_symbol_address(symbol);
}

/*
 * Where a kernel has both functions the older one serves the call: it is a
 * compat function, while SYSCALL_DEFINE makes the other one in any case.
 */
static long find_by_name(unsigned int abi, unsigned int nr)
{
	const struct names *of = &names[abi];
	unsigned long address;

	if (nr >= of->count)
		return -ENOSYS;
	address = address_of(of->prefix, of->entries[nr].older);
	if (!address)
		address = address_of(of->prefix, of->entries[nr].name);
	return address ? address : -ENOSYS;
}

/* The table that says which function serves a call, or NULL: x32 may share the 64-bit one up to 511. */
static struct table *table_for(unsigned int abi, unsigned int nr)
{
	if (abi == SCT_ABI_X32 && !table_of(abi) && nr < 512)
		abi = SCT_ABI_X86_64;
	return table_of(abi);
}

static unsigned long read_table(const struct table *table, unsigned int nr)
{
	unsigned long entry;

	if (nr >= table->size || get_kernel_nofault(entry, (unsigned long *)table->address + nr))
		return 0;
	/* A probe's address is that of the instruction behind a landing pad. */
	return entry == table->absent_address || location_of(entry) == table->absent_address ?
		       0 : entry;
}

static bool is_served(unsigned int abi)
{
	return abi == SCT_ABI_X86_64 ||
	       (abi == SCT_ABI_I386 && IS_ENABLED(CONFIG_IA32_EMULATION)) ||
	       (abi == SCT_ABI_X32 &&
		(IS_ENABLED(CONFIG_X86_X32_ABI) || IS_ENABLED(CONFIG_X86_X32)));
}

/**
 * sct_arch_entry() - address of a system call's entry function
 * @abi: SCT_ABI_*
 * @nr: without flag bits
 *
 * Where no table says it the function is known by name only.  So it is if
 * another module has written the slot: where nobody reads the table no call
 * comes to that module's function.
 *
 * Context: serialised by the caller; may sleep.
 * Return: the address; -ENXIO for an ABI that this kernel does not have,
 * -ENOSYS for a call that it does not have, -EADDRINUSE for one that only
 * another module could tell.
 */
long sct_arch_entry(unsigned int abi, unsigned int nr)
{
	const struct table *table;
	unsigned long entry;
	long named;

	if (!is_served(abi))
		return -ENXIO;
	table = table_for(abi, nr);
	if (!table)
		return find_by_name(abi, nr);
	entry = read_table(table, nr);
	if (!entry)
		return -ENOSYS;
	if (!sct_symbol_is_foreign(entry))
		return entry;
	named = find_by_name(abi, nr);
	return named == -ENOSYS ? -EADDRINUSE : named;
}

/**
 * sct_arch_is_entry() - is it still this address that sct_arch_entry() would tell?
 *
 * Names are not looked up again for that: they do not move.
 *
 * Context: serialised by the caller; may sleep.
 */
bool sct_arch_is_entry(unsigned int abi, unsigned int nr, unsigned long address)
{
	const struct table *table = table_for(abi, nr);
	unsigned long entry = table ? read_table(table, nr) : 0;

	return !entry || location_of(entry) == location_of(address) || sct_symbol_is_foreign(entry);
}

/** sct_arch_locate() - where the entry function of a site can be stopped; Return: 0 */
int sct_arch_locate(struct sct_site *site)
{
	site->location = location_of(site->address);
	site->resume = sct_site_resume(site->location);
	return 0;
}

/** sct_diversion_enter() - judge a diverted call in task context; see diversion.S */
struct sct_way sct_diversion_enter(struct pt_regs *regs, unsigned long *resume)
{
	const struct sct_gate *gate = sct_gates[sct_caller_take(regs)];
	const struct sct_site *site = gate->site;
	struct sct_way way;

	*resume = site->resume;
	way = sct_divert(gate, regs);
	if (way.next != SCT_NEXT_SKIP && site->by == &sct_kprobe)
		sct_kprobe_let_pass(regs);
	return way;
}

const struct sct_mechanism *const sct_mechanisms[SCT_MECHANISMS] = {
	[SCT_MECHANISM_TABLE] = &sct_table,
	[SCT_MECHANISM_FTRACE] = &sct_ftrace,
	[SCT_MECHANISM_KPROBE] = &sct_kprobe,
};

/* exit and exit_group never return; reboot ends its thread when it halts the machine. */
enum sct_ending sct_arch_ending(unsigned int abi, unsigned int nr)
{
	/* i386 numbers its calls otherwise; the header has the 64-bit ones. */
	bool i386 = abi == SCT_ABI_I386;

	if (nr == (i386 ? 1 : __NR_exit) || nr == (i386 ? 252 : __NR_exit_group))
		return SCT_ENDING_NEVER;
	return nr == (i386 ? 88 : __NR_reboot) ? SCT_ENDING_PERHAPS : SCT_ENDING_RETURNS;
}
