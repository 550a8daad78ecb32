// SPDX-License-Identifier: GPL-2.0-only
/*
 * How does ftrace bring a call to us?
 *
 * All functions that are attached at a time share one ftrace_ops, so that many
 * go in or out in one pass.  Its callback runs where sleeping is forbidden,
 * judges there what can be judged there, and leaves the function alone,
 * returns in its place, or diverts to a place where sleeping is allowed.
 *
 * IPMODIFY: no other such hooker shares the function.  PERMANENT: function
 * tracing cannot be switched off while rules depend on it.
 */
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "../compat.h"
#include "hijack.h"

/**
 * struct sct_hook - functions that were attached together
 * @ops: covers those that still are
 * @count: how many that is
 *
 * Each batch has an ops of its own: only when one is registered does ftrace
 * make BPF's trampolines on its functions give way (53cd885bc5c3, "ftrace:
 * Allow IPMODIFY and DIRECT ops on the same function", 6.0); functions that
 * are added to its filter later would be diverted in vain.
 */
struct sct_hook {
	struct ftrace_ops ops;
	unsigned int count;
};

static void notrace arrive(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
			   struct ftrace_regs *fregs)
{
	struct pt_regs *caller = sct_fregs_caller(fregs);
	const struct sct_site *site;
	const struct sct_gate *gate;
	long result = 0;

	/* Holds off the freeing of what RCU protects, and owns this processor's scratch. */
	preempt_disable_notrace();
	site = sct_site_find(ip);
	gate = site ? sct_gate_find(site, caller) : NULL;
	if (unlikely(!gate))
		goto out;
	this_cpu_inc(*gate->hits);
	switch (static_call(sct_enter)(gate->slot, caller, &result)) {
	case SCT_NEXT_SKIP:
		sct_caller_put(caller, result);
		sct_fregs_go(fregs, sct_diversion_skip);
		break;
	case SCT_NEXT_DIVERT:
		/* Refused only while the client is being unloaded: there is nobody to ask. */
		if (!sct_divert_begin())
			break;
		sct_caller_put(caller, gate->slot);
		sct_fregs_go(fregs, sct_diversion);
		break;
	default:
		break;
	}
out:
	preempt_enable_notrace();
}

/* BPF gives way only if nobody else is just changing its trampoline: try again. */
static int register_patiently(struct ftrace_ops *ops)
{
	int error, tries;

	for (tries = 0; tries < 20; tries++) {
		error = register_ftrace_function(ops);
		if (error != -EAGAIN)
			return error;
		msleep(5);
	}
	return -EBUSY;
}

/**
 * sct_ftrace_attach() - bring calls of functions to the client
 * @locations: of their ftrace sites
 * @count: how many, at least 1
 *
 * Context: serialised by the caller; may sleep.
 * Return: what to give to sct_ftrace_detach(), or an error pointer, and then
 * none of them is attached: -EINVAL if one is no ftrace site, -EBUSY if
 * somebody else diverts one, -ENOMEM, -ENODEV if ftrace has failed.
 */
struct sct_hook *sct_ftrace_attach(unsigned long *locations, unsigned int count)
{
	struct sct_hook *hook = kzalloc(sizeof(*hook), GFP_KERNEL);
	int error;

	if (!hook)
		return ERR_PTR(-ENOMEM);
	hook->count = count;
	hook->ops.func = arrive;
	hook->ops.flags = SCT_FTRACE_FLAGS;
	error = ftrace_set_filter_ips(&hook->ops, locations, count, 0, 0);
	if (error)
		goto err_free_hook;
	error = register_patiently(&hook->ops);
	if (error)
		goto err_free_filter;
	return hook;

err_free_filter:
	/* Another processor may have met the ops before it was withdrawn. */
	synchronize_rcu();
	ftrace_free_filter(&hook->ops);
err_free_hook:
	kfree(hook);
	return ERR_PTR(error);
}

/**
 * sct_ftrace_detach() - give functions of one batch back
 * @hook: from sct_ftrace_attach(); gone with its last function
 * @locations: of functions that it still covers
 * @count: how many
 *
 * An ops without a filter would take every function there is: with the last
 * one it is unregistered, which also waits for the callbacks that still run.
 *
 * Context: serialised by the caller; may sleep.
 * Return: 0, or -ENOMEM, and then all are still attached; for all functions of
 * a batch together it does not fail.
 */
int sct_ftrace_detach(struct sct_hook *hook, unsigned long *locations, unsigned int count)
{
	int error;

	if (count < hook->count) {
		error = ftrace_set_filter_ips(&hook->ops, locations, count, 1, 0);
		if (!error)
			hook->count -= count;
		return error;
	}
	if (unregister_ftrace_function(&hook->ops)) {
		/* ftrace has failed and changes nothing any more: our code stays reachable. */
		__module_get(THIS_MODULE);
		return 0;
	}
	ftrace_free_filter(&hook->ops);
	kfree(hook);
	return 0;
}

/** sct_ftrace_enabled() - is function tracing switched on (sysctl kernel.ftrace_enabled)? */
bool sct_ftrace_enabled(void)
{
	const int *enabled = (const int *)sct_symbol_address("ftrace_enabled");

	return !enabled || READ_ONCE(*enabled);
}
