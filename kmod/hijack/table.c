// SPDX-License-Identifier: GPL-2.0-only
/*
 * How does a slot of the system call table bring a call to us?
 *
 * All slots that are attached lead to sct_table_entry, where the kernel's
 * dispatcher would have called the entry function: in task context, so that a
 * call that needs more than a glance gets it at once.
 *
 * The table is read-only.  It is written through a second mapping of its page,
 * which leaves the protection of the first as it is.
 */
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "hijack.h"

/* Write a slot if it holds what is expected: 0, -EBUSY or -ENOMEM. */
static int write_slot(unsigned long slot, unsigned long expected, unsigned long value)
{
	struct page *page = pfn_to_page(PHYS_PFN(__pa_symbol(slot)));
	void *window = vmap(&page, 1, VM_MAP, PAGE_KERNEL);
	unsigned long found;

	if (!window)
		return -ENOMEM;
	/* Processors read the slot while this is done. */
	found = cmpxchg((unsigned long *)(window + offset_in_page(slot)), expected, value);
	vunmap(window);
	return found == expected ? 0 : -EBUSY;
}

static unsigned long read_slot(const struct sct_site *site)
{
	return READ_ONCE(*(unsigned long *)site->location);
}

static int locate(struct sct_site *site)
{
	unsigned long *slot = sct_arch_table_slot(sct_slot_abi(site->slot),
						  sct_slot_nr(site->slot));

	site->location = (unsigned long)slot;
	return slot ? 0 : -EOPNOTSUPP;
}

/*
 * Note where the calls of sites will go on.  Return: of how many, from the
 * first on, until one that cannot be attached.
 */
static unsigned int prepare(struct sct_site **sites, unsigned int count, int *error)
{
	unsigned long entry;
	unsigned int i;

	for (i = 0; i < count; i++) {
		entry = read_slot(sites[i]);
		/*
		 * Another module has been here before: its function would go on being
		 * called through us, and nothing that a module may use keeps it from leaving.
		 */
		if (sct_symbol_is_foreign(entry)) {
			*error = -EBUSY;
			break;
		}
		sites[i]->before = entry;
		WRITE_ONCE(sites[i]->resume, entry);
	}
	return i;
}

static u16 state(const struct sct_site *site)
{
	unsigned long entry = read_slot(site);

	if (entry == (unsigned long)sct_table_entry)
		return SCT_POINT_HOLDS;
	return entry == site->before ? SCT_POINT_LOST : SCT_POINT_COVERED;
}

/* Never over somebody else's value: what covers our slot calls us, as it found us there. */
static int detach_slot(const struct sct_site *site)
{
	if (state(site) == SCT_POINT_LOST)
		return 0;
	return write_slot(site->location, (unsigned long)sct_table_entry, site->before);
}

static int detach(struct sct_hook *hook, struct sct_site **sites, unsigned int count)
{
	unsigned int i;
	int error = 0;

	for (i = 0; i < count; i++) {
		if (detach_slot(sites[i]))
			error = -EBUSY;
		else
			sct_sites_unhook(hook, &sites[i], 1);
	}
	/* Until nobody executes what the slots led to a moment ago. */
	synchronize_rcu_tasks();
	if (!hook->count)
		kfree(hook);
	return error;
}

static int write_slots(struct sct_hook *hook, struct sct_site **sites, unsigned int count)
{
	unsigned int i;
	int error;

	for (i = 0; i < count; i++) {
		error = write_slot(sites[i]->location, sites[i]->before,
				   (unsigned long)sct_table_entry);
		if (error)
			return error;
		sct_sites_hook(hook, &sites[i], 1);
	}
	return 0;
}

/*
 * Who branches through a slot may have read ahead what he will read behind the
 * branch.  A grace period orders that for all processors, so that a call need
 * not: who finds our entry in a slot finds his gate, and where to go on.
 */
static int attach(struct sct_site **sites, unsigned int count)
{
	struct sct_hook *hook = kzalloc(sizeof(*hook), GFP_KERNEL);
	int error, foreign = 0;

	if (!hook)
		return -ENOMEM;
	count = prepare(sites, count, &foreign);
	if (count)
		synchronize_rcu();
	error = write_slots(hook, sites, count);
	if (!hook->count)
		kfree(hook);
	return error ? error : foreign;
}

const struct sct_mechanism sct_table = {
	.number = SCT_MECHANISM_TABLE,
	.per_call = true,
	.locate = locate,
	.attach = attach,
	.detach = detach,
	.state = state,
};

/**
 * sct_table_arrive() - a call has come to a slot; see diversion.S
 *
 * Context: task; may sleep.
 */
struct sct_turn sct_table_arrive(struct pt_regs *caller)
{
	unsigned int slot = sct_caller_slot(caller, SCT_SLOTS);
	const struct sct_gate *gate;
	enum sct_next next;
	struct sct_way way;
	unsigned long entry;
	long result = 0;

	/* Also a reader of what attach() wrote before its grace period. */
	preempt_disable();
	gate = slot < SCT_SLOTS ? READ_ONCE(sct_gates[slot]) : NULL;
	/* A slot is attached only when its gate leads to it, and until nobody comes any more. */
	if (unlikely(!gate || gate->site->by != &sct_table)) {
		preempt_enable();
		return (struct sct_turn) { 0, -ENOSYS };
	}
	entry = READ_ONCE(gate->site->resume);
	this_cpu_inc(*gate->hits);
	next = static_call(sct_enter)(gate->slot, caller, &result);
	/* Refused only while the client is being unloaded: there is nobody to ask. */
	if (next == SCT_NEXT_DIVERT && !sct_divert_begin())
		next = SCT_NEXT_PASS;
	preempt_enable();
	if (next == SCT_NEXT_DIVERT) {
		way = sct_divert(gate, caller);
		next = way.next;
		result = way.value;
	}
	if (next == SCT_NEXT_PASS)
		return (struct sct_turn) { entry, 0 };
	if (next == SCT_NEXT_AROUND) {
		result = ((long (*)(struct pt_regs *))entry)(caller);
		result = sct_diversion_leave((struct sct_guest *)way.value, result);
	}
	return (struct sct_turn) { 0, result };
}
