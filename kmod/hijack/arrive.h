/* SPDX-License-Identifier: GPL-2.0-only */
/* What a mechanism that stops at an entry function does with a call. */
#ifndef SCT_ARRIVE_H
#define SCT_ARRIVE_H

#include <linux/preempt.h>
#include <linux/uaccess.h>
#include "hijack.h"

/*
 * Is anything patched in at a site: a call, a trap, or a jump?  What was there
 * before us does not tell: another tracer may have come first and gone since.
 */
static inline bool sct_site_is_patched(const struct sct_site *site)
{
	u8 first;

	return get_kernel_nofault(first, (u8 *)site->location) || sct_is_patch(first);
}

/**
 * sct_arrive() - a call has come to a site
 * @site: which; NULL if it was just given back
 * @caller: the caller's registers
 *
 * Context: sleeping is forbidden.
 * Return: where the entry function goes on in place of where it would, or NULL.
 */
static __always_inline void *sct_arrive(const struct sct_site *site, struct pt_regs *caller)
{
	const struct sct_gate *gate = site ? sct_gate_find(site, caller) : NULL;
	long result = 0;

	if (unlikely(!gate || !sct_caller_is_call(caller)))
		return NULL;
	this_cpu_inc(*gate->hits);
	switch (static_call(sct_enter)(gate->slot, caller, &result)) {
	case SCT_NEXT_SKIP:
		sct_caller_put(caller, result);
		return sct_diversion_skip;
	case SCT_NEXT_DIVERT:
		/* Refused only while the client is being unloaded: there is nobody to ask. */
		if (!sct_divert_begin())
			return NULL;
		sct_caller_put(caller, gate->slot);
		return sct_diversion;
	default:
		return NULL;
	}
}

#endif
