// SPDX-License-Identifier: GPL-2.0-only
/*
 * How does a kprobe bring a call to us?
 *
 * For entry functions without an ftrace site: it traps instead.  There is no
 * place behind the probe where such a function could be entered, since what
 * stands there may be the middle of an instruction.  A call that was diverted
 * and goes on enters the function again and meets the probe again, with a pass
 * in its result register: a number that is drawn when the module loads, and
 * that nobody outside can see.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>
#include "../compat.h"
#include "arrive.h"

struct sct_probe {
	struct kprobe kprobe;
	struct sct_site *site;
};

static long pass;

/** sct_kprobe_let_pass() - the call goes on: it will come again */
void sct_kprobe_let_pass(struct pt_regs *caller)
{
	sct_caller_put(caller, pass);
}

static int arrive(struct kprobe *kprobe, struct pt_regs *regs)
{
	const struct sct_site *site = container_of(kprobe, struct sct_probe, kprobe)->site;
	struct pt_regs *caller = sct_regs_caller(regs);
	void *to;

	if (unlikely(sct_caller_peek(caller) == pass)) {
		sct_caller_take(caller);
		return 0;
	}
	to = sct_arrive(site, caller);
	if (!to)
		return 0;
	instruction_pointer_set(regs, (unsigned long)to);
	return 1;
}
NOKPROBE_SYMBOL(arrive);

/* That there is one tells kprobes that arrive() may change where the function goes on. */
static void passed(struct kprobe *kprobe, struct pt_regs *regs, unsigned long flags)
{
}

static int locate(struct sct_site *site)
{
	int error = sct_arch_locate(site);

	while (!pass)
		pass = get_random_long() | 1UL << 63;
	site->resume = site->address;
	return error;
}

static void free_probes(struct sct_site **sites, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		kfree(sites[i]->probe);
		sites[i]->probe = NULL;
	}
}

static struct kprobe *list[SCT_SLOTS]; /* sct_points_lock */

static struct kprobe **list_probes(struct sct_site **sites, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		list[i] = &sites[i]->probe->kprobe;
	return list;
}

static int attach(struct sct_site **sites, unsigned int count)
{
	struct sct_hook *hook = kzalloc(sizeof(*hook), GFP_KERNEL);
	unsigned int i;
	int error = -ENOMEM;

	if (!hook)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		sites[i]->probe = kzalloc(sizeof(*sites[i]->probe), GFP_KERNEL);
		if (!sites[i]->probe)
			goto err_free;
		sites[i]->probe->site = sites[i];
		sites[i]->probe->kprobe.addr = (kprobe_opcode_t *)sites[i]->address;
		sites[i]->probe->kprobe.pre_handler = arrive;
		sites[i]->probe->kprobe.post_handler = passed;
	}
	error = register_kprobes(list_probes(sites, count), count);
	if (error)
		goto err_free;
	sct_sites_hook(hook, sites, count);
	return 0;

err_free:
	free_probes(sites, count);
	kfree(hook);
	return error;
}

static int detach(struct sct_hook *hook, struct sct_site **sites, unsigned int count)
{
	/* Also waits for the handlers that still run. */
	unregister_kprobes(list_probes(sites, count), count);
	free_probes(sites, count);
	sct_sites_unhook(hook, sites, count);
	if (!hook->count)
		kfree(hook);
	return 0;
}

static u16 state(const struct sct_site *site)
{
	return sct_site_is_patched(site) ? SCT_POINT_HOLDS : SCT_POINT_LOST;
}

const struct sct_mechanism sct_kprobe = {
	.number = SCT_MECHANISM_KPROBE,
	.locate = locate,
	.attach = attach,
	.detach = detach,
	.state = state,
};
