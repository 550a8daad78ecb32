// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where is a kernel symbol?
 *
 * kallsyms_lookup_name() is not exported (mainline 0bd476e6c671, 5.7), and on
 * kernels with indirect branch tracking a function that is not exported may
 * have lost its landing pad, so that calling it through a pointer faults.
 * Registering a kprobe resolves a name without calling anything: the address
 * is left in the probe, even when the place itself cannot be probed.
 */
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/string.h>
#include "hijack.h"

/**
 * sct_symbol_address() - resolve a symbol of the kernel
 * @name: of a function, or of data where the kernel has KALLSYMS_ALL
 *
 * Context: may sleep.
 * Return: the address, or 0 if there is none.
 */
unsigned long sct_symbol_address(const char *name)
{
	struct kprobe probe = {
		.symbol_name = name,
		.flags = KPROBE_FLAG_DISABLED, /* never armed */
	};

	if (!register_kprobe(&probe))
		unregister_kprobe(&probe);
	return (unsigned long)probe.addr;
}

/** sct_symbol_is_foreign() - is this address a module's, or that of nothing known? */
bool sct_symbol_is_foreign(unsigned long address)
{
	char symbol[KSYM_SYMBOL_LEN];

	sprint_symbol(symbol, address);
	/* "symbol+offset/size [module]", or the bare number */
	return strchr(symbol, '[') || symbol[0] == '0';
}
