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
#include "arrive.h"

/*
 * Each batch has an ops of its own: only when one is registered does ftrace
 * make BPF's trampolines on its functions give way (53cd885bc5c3, "ftrace:
 * Allow IPMODIFY and DIRECT ops on the same function", 6.0); functions that
 * are added to its filter later would be diverted in vain.
 */
struct ftrace_hook {
	struct sct_hook hook;
	struct ftrace_ops ops;
};

static struct ftrace_hook *ftrace_hook_of(struct sct_hook *hook)
{
	return container_of(hook, struct ftrace_hook, hook);
}

/*
 * The call goes on in the entry function, behind its ftrace site.  If BPF
 * watches the function's end, BPF's trampoline calls that place indirectly
 * (316cba62dfb7, "bpf, x64: Allow to use caller address from stack", 6.0);
 * there is no landing pad there.
 */
static __always_inline void pass(unsigned long ip, struct pt_regs *caller,
				 struct ftrace_regs *fregs)
{
	if (!sct_landing_pads_needed())
		return;
	sct_caller_put(caller, sct_site_resume(ip));
	sct_fregs_go(fregs, sct_diversion_pass);
}

static void notrace arrive(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
			   struct ftrace_regs *fregs)
{
	struct pt_regs *caller = sct_fregs_caller(fregs);
	void *to;

	/* Holds off the freeing of what RCU protects, and owns this processor's scratch. */
	preempt_disable_notrace();
	to = sct_arrive(sct_site_find(&sct_ftrace, ip), caller);
	if (to)
		sct_fregs_go(fregs, to);
	else
		pass(ip, caller, fregs);
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

static int set_filter(struct ftrace_ops *ops, struct sct_site **sites, unsigned int count,
		      bool remove)
{
	static unsigned long locations[SCT_SLOTS]; /* sct_points_lock */
	unsigned int i;

	for (i = 0; i < count; i++)
		locations[i] = sites[i]->location;
	return sct_ftrace_set_filter(ops, locations, count, remove);
}

/* Is function tracing switched on (sysctl kernel.ftrace_enabled)? */
static bool enabled(void)
{
	static const int *flag;

	if (!flag)
		flag = (const int *)sct_symbol_address("ftrace_enabled");
	return !flag || READ_ONCE(*flag);
}

static int attach(struct sct_site **sites, unsigned int count)
{
	struct ftrace_hook *hook = kzalloc(sizeof(*hook), GFP_KERNEL);
	int error;

	if (!hook)
		return -ENOMEM;
	hook->ops.func = arrive;
	hook->ops.flags = SCT_FTRACE_FLAGS;
	error = set_filter(&hook->ops, sites, count, false);
	if (error)
		goto err_free_filter;
	error = register_patiently(&hook->ops);
	if (error)
		goto err_synchronize;
	sct_sites_hook(&hook->hook, sites, count);
	return 0;

err_synchronize:
	/* Another processor may have met the ops before it was withdrawn. */
	synchronize_rcu();
err_free_filter:
	sct_ftrace_free_filter(&hook->ops);
	kfree(hook);
	return enabled() ? error : -ENODEV;
}

/*
 * An ops without a filter would take every function there is: with the last
 * one it is unregistered, which also waits for the callbacks that still run.
 */
static int detach(struct sct_hook *sct_hook, struct sct_site **sites, unsigned int count)
{
	struct ftrace_hook *hook = ftrace_hook_of(sct_hook);
	int error;

	if (count < hook->hook.count) {
		error = set_filter(&hook->ops, sites, count, true);
		if (!error)
			sct_sites_unhook(sct_hook, sites, count);
		return error;
	}
	sct_sites_unhook(sct_hook, sites, count);
	if (unregister_ftrace_function(&hook->ops)) {
		/* ftrace has failed and changes nothing any more: our code stays reachable. */
		__module_get(THIS_MODULE);
		return 0;
	}
	sct_ftrace_free_filter(&hook->ops);
	kfree(hook);
	return 0;
}

static u16 state(const struct sct_site *site)
{
	return enabled() && sct_site_is_patched(site) ? SCT_POINT_HOLDS : SCT_POINT_LOST;
}

const struct sct_mechanism sct_ftrace = {
	.number = SCT_MECHANISM_FTRACE,
	.locate = sct_arch_locate,
	.attach = attach,
	.detach = detach,
	.state = state,
};
