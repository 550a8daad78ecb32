// SPDX-License-Identifier: GPL-2.0-only
/*
 * How does ftrace bring a call to us?
 *
 * One ftrace_ops covers all attached functions, so that many are attached or
 * detached in one pass.  Its callback runs where sleeping is forbidden, judges
 * there what can be judged there, and leaves the function alone, returns in
 * its place, or diverts to a place where sleeping is allowed.
 *
 * IPMODIFY: no other such hooker shares the function.  PERMANENT: function
 * tracing cannot be switched off while rules depend on it.
 */
#include <linux/kernel.h>
#include "../compat.h"
#include "hijack.h"

static void notrace arrive(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
			   struct ftrace_regs *fregs)
{
	const struct sct_site *site;
	long result = 0;

	/* Holds off the freeing of what RCU protects, and owns this processor's scratch. */
	preempt_disable_notrace();
	site = sct_site_find(ip);
	if (unlikely(!site))
		goto out;
	this_cpu_inc(*site->hits);
	switch (static_call(sct_enter)(site->slot, sct_fregs_caller(fregs), &result)) {
	case SCT_NEXT_SKIP:
		sct_fregs_skip(fregs, sct_diversion_skip, result);
		break;
	case SCT_NEXT_DIVERT:
		/* Refused only while the client is being unloaded: there is nobody to ask. */
		if (sct_divert_begin())
			sct_fregs_divert(fregs, sct_diversion, site);
		break;
	default:
		break;
	}
out:
	preempt_enable_notrace();
}

static struct ftrace_ops hook = {
	.func = arrive,
	.flags = FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_PERMANENT,
};

static unsigned int attached;

/**
 * sct_ftrace_attach() - bring calls of functions to the client
 * @locations: of their ftrace sites
 * @count: how many
 *
 * Context: serialised by the caller; may sleep.
 * Return: 0, or an error after which none of them is attached: -EINVAL if one
 * is no ftrace site, -EBUSY if somebody else diverts one.
 */
int sct_ftrace_attach(unsigned long *locations, unsigned int count)
{
	int error = ftrace_set_filter_ips(&hook, locations, count, 0, 0);

	/* A filter is changed wholly or not at all. */
	if (error)
		return error;
	if (!attached) {
		error = register_ftrace_function(&hook);
		if (error) {
			ftrace_free_filter(&hook);
			return error;
		}
	}
	attached += count;
	return 0;
}

/**
 * sct_ftrace_detach() - give functions back
 * @locations: of attached functions
 * @count: how many
 *
 * An ops without a filter would take every function there is: with the last
 * one it is unregistered, which also waits for the callbacks that still run.
 *
 * Context: serialised by the caller; may sleep.
 */
void sct_ftrace_detach(unsigned long *locations, unsigned int count)
{
	if (!count)
		return;
	attached -= count;
	if (attached) {
		WARN_ON_ONCE(ftrace_set_filter_ips(&hook, locations, count, 1, 0));
		return;
	}
	WARN_ON_ONCE(unregister_ftrace_function(&hook));
	ftrace_free_filter(&hook);
}

/** sct_ftrace_enabled() - is function tracing switched on (sysctl kernel.ftrace_enabled)? */
bool sct_ftrace_enabled(void)
{
	const int *enabled = (const int *)sct_symbol_address("ftrace_enabled");

	return !enabled || READ_ONCE(*enabled);
}
