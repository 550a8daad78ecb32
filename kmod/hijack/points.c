// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which system calls are diverted?
 *
 * A client says which points it wants (add: all of them or none) and later
 * which of those it keeps.  Between the two it exchanges its rules, so that no
 * call is ever judged by neither the old ones nor the new ones.
 */
#include <linux/capability.h>
#include <linux/err.h>
#include <linux/kallsyms.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include "../compat.h"
#include "hijack.h"

static DEFINE_MUTEX(points_lock);
static LIST_HEAD(sites);

/* By slot; written under points_lock, read by who met a call. */
struct sct_gate *sct_gates[SCT_SLOTS];

/* The points in force, for sct_points_list(). */
static DECLARE_BITMAP(points, SCT_SLOTS);

/* By location; readers: RCU, preemption off.  See sct_site_find(). */
struct hlist_head sct_sites_attached[1 << SCT_SITE_BITS];

/* Sites that come or go together; room for all, since giving back must not fail. */
static struct batch {
	struct sct_site *sites[SCT_SLOTS];
	unsigned long locations[SCT_SLOTS];
} scratch; /* points_lock */

static struct sct_site *find_site(unsigned long address)
{
	struct sct_site *site;

	list_for_each_entry(site, &sites, list) {
		if (site->address == address)
			return site;
	}
	return NULL;
}

static struct sct_site *make_site(unsigned int slot, unsigned long address)
{
	struct sct_site *site = kzalloc(sizeof(*site), GFP_KERNEL);

	if (!site)
		return NULL;
	site->slot = slot;
	site->address = address;
	site->location = sct_arch_location(address);
	site->resume = sct_site_resume(site->location);
	list_add_tail(&site->list, &sites);
	return site;
}

static struct sct_gate *make_gate(unsigned int slot, unsigned long address)
{
	struct sct_gate *gate = kzalloc(sizeof(*gate), GFP_KERNEL);

	if (!gate)
		return NULL;
	gate->slot = slot;
	gate->returns = sct_arch_returns(sct_slot_abi(slot), sct_slot_nr(slot));
	gate->hits = alloc_percpu(u64);
	if (!gate->hits)
		goto err_free_gate;
	gate->site = find_site(address) ?: make_site(slot, address);
	if (!gate->site)
		goto err_free_hits;
	return gate;

err_free_hits:
	free_percpu(gate->hits);
err_free_gate:
	kfree(gate);
	return NULL;
}

static int refuse(struct sct_error *error, u32 code, unsigned int slot, int value, int result)
{
	*error = (struct sct_error) {
		.code = code,
		.abi = sct_slot_abi(slot),
		.nr = sct_slot_nr(slot),
		.value = value,
	};
	return result;
}

/* Make sure that sct_gates[slot] is there: 0, -ENOSYS, -ENXIO, -EOPNOTSUPP or -ENOMEM. */
static int find_gate(unsigned int slot)
{
	struct sct_gate *gate;
	long address;

	if (sct_gates[slot])
		return 0;
	address = sct_arch_entry(sct_slot_abi(slot), sct_slot_nr(slot));
	if (address == -EOPNOTSUPP || address == -ENXIO || address == -ENOSYS)
		return address;
	gate = make_gate(slot, address);
	if (!gate)
		return -ENOMEM;
	/* Seen whole by a call that arrives at a site that is attached already. */
	smp_store_release(&sct_gates[slot], gate);
	return 0;
}

static int refuse_gate(unsigned int slot, int reason, struct sct_error *error)
{
	switch (reason) {
	case -ENOSYS:
		return refuse(error, SCT_ERROR_ABSENT, slot, 0, reason);
	case -ENOMEM:
		return refuse(error, SCT_ERROR_MEMORY, slot, 0, reason);
	}
	return refuse(error, SCT_ERROR_FOREIGN, slot, reason, -EOPNOTSUPP);
}

static int find_gates(unsigned long *wanted, const unsigned long *calls, const unsigned long *abis,
		      struct sct_error *error)
{
	unsigned int slot;
	int result;

	for_each_set_bit(slot, wanted, SCT_SLOTS) {
		result = find_gate(slot);
		if ((result == -ENOSYS && test_bit(slot, calls)) ||
		    (result == -ENXIO && test_bit(slot, abis)))
			clear_bit(slot, wanted);
		else if (result)
			return refuse_gate(slot, result, error);
	}
	return 0;
}

/* Note at each site whether a point wants it. */
static void mark_wanted(const unsigned long *wanted)
{
	struct sct_site *site;
	unsigned int slot;

	list_for_each_entry(site, &sites, list)
		site->wanted = false;
	for_each_set_bit(slot, wanted, SCT_SLOTS)
		if (sct_gates[slot])
			sct_gates[slot]->site->wanted = true;
}

static unsigned int collect(struct sct_site *site, struct batch *batch, unsigned int count)
{
	batch->sites[count] = site;
	batch->locations[count] = site->location;
	return count + 1;
}

/* Sites that are wanted and not attached; returns how many. */
static unsigned int collect_new(struct batch *batch)
{
	struct sct_site *site;
	unsigned int count = 0;

	list_for_each_entry(site, &sites, list)
		if (site->wanted && !site->hook)
			count = collect(site, batch, count);
	return count;
}

/* Sites that came with @hook and are not wanted. */
static unsigned int collect_old(const struct sct_hook *hook, struct batch *batch)
{
	struct sct_site *site;
	unsigned int count = 0;

	list_for_each_entry(site, &sites, list)
		if (!site->wanted && site->hook == hook)
			count = collect(site, batch, count);
	return count;
}

/* Of a batch that cannot be attached, one that cannot: by halves. */
static unsigned int find_culprit(struct batch *batch, unsigned int count, int *reason)
{
	unsigned int from = 0, half;
	struct sct_hook *hook;

	while (count > 1) {
		half = count / 2;
		hook = sct_ftrace_attach(batch->locations + from, half);
		if (IS_ERR(hook)) {
			*reason = PTR_ERR(hook);
			count = half;
			continue;
		}
		sct_ftrace_detach(hook, batch->locations + from, half);
		from += half;
		count -= half;
	}
	return batch->sites[from]->slot;
}

static int refuse_batch(struct batch *batch, unsigned int count, int reason,
			struct sct_error *error)
{
	unsigned int slot;

	if (reason == -ENOMEM)
		return refuse(error, SCT_ERROR_MEMORY, batch->sites[0]->slot, 0, -ENOMEM);
	if (!sct_ftrace_enabled())
		return refuse(error, SCT_ERROR_FTRACE_OFF, batch->sites[0]->slot, reason, -EBUSY);
	slot = find_culprit(batch, count, &reason);
	if (reason == -EBUSY)
		return refuse(error, SCT_ERROR_BUSY, slot, reason, -EBUSY);
	return refuse(error, SCT_ERROR_SITE, slot, reason, -EOPNOTSUPP);
}

static int add_sites(struct batch *batch, struct sct_error *error)
{
	unsigned int i, count = collect_new(batch);
	struct sct_hook *hook;
	int result = 0;

	if (!count)
		return 0;
	/* Findable before the first call can arrive. */
	for (i = 0; i < count; i++)
		hash_add_rcu(sct_sites_attached, &batch->sites[i]->node, batch->locations[i]);
	hook = sct_ftrace_attach(batch->locations, count);
	if (IS_ERR(hook)) {
		result = refuse_batch(batch, count, PTR_ERR(hook), error);
		hook = NULL;
	}
	for (i = 0; i < count; i++) {
		batch->sites[i]->hook = hook;
		if (!hook)
			hash_del_rcu(&batch->sites[i]->node);
	}
	/* A removed site may be added again, which would lead its readers astray. */
	if (!hook)
		synchronize_rcu();
	return result;
}

/**
 * sct_point_returns() - does the call always return to its caller?
 * @slot: the call
 *
 * One that may not return cannot be gone around.
 */
bool sct_point_returns(unsigned int slot)
{
	return sct_arch_returns(sct_slot_abi(slot), sct_slot_nr(slot));
}
EXPORT_SYMBOL_GPL(sct_point_returns);

/**
 * sct_points_find() - which of these points are there?
 * @wanted: a bit for each slot; those that are not there and need not be are
 *	taken away
 * @calls: slots whose call need not be there
 * @abis: slots whose ABI need not be there
 * @error: filled in for one that is not there and should
 *
 * Context: may sleep.
 * Return: 0, -EOPNOTSUPP, -ENOSYS or -ENOMEM.
 */
int sct_points_find(unsigned long *wanted, const unsigned long *calls, const unsigned long *abis,
		    struct sct_error *error)
{
	int result;

	mutex_lock(&points_lock);
	result = find_gates(wanted, calls, abis, error);
	mutex_unlock(&points_lock);
	return result;
}
EXPORT_SYMBOL_GPL(sct_points_find);

/**
 * sct_points_add() - divert these points as well
 * @wanted: a bit for each slot, as sct_points_find() left them
 * @error: filled in if one of them cannot be, and then none is added
 *
 * Context: may sleep.
 * Return: 0, -EOPNOTSUPP, -EBUSY or -ENOMEM.
 */
int sct_points_add(const unsigned long *wanted, struct sct_error *error)
{
	int result;

	mutex_lock(&points_lock);
	mark_wanted(wanted);
	result = add_sites(&scratch, error);
	mutex_unlock(&points_lock);
	return result;
}
EXPORT_SYMBOL_GPL(sct_points_add);

static void remove_batch(const struct batch *batch, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		hash_del_rcu(&batch->sites[i]->node);
		batch->sites[i]->hook = NULL;
	}
}

/**
 * sct_points_keep() - give back all points but these
 * @wanted: a bit for each slot
 *
 * A call that was diverted before may still be inside when this returns.  A
 * point that cannot be given back for want of memory stays, to be tried again
 * the next time; that does not happen if none is wanted.
 *
 * Context: may sleep.
 */
void sct_points_keep(const unsigned long *wanted)
{
	struct sct_site *site;
	unsigned int count;

	mutex_lock(&points_lock);
	mark_wanted(wanted);
	list_for_each_entry(site, &sites, list) {
		if (site->wanted || !site->hook)
			continue;
		count = collect_old(site->hook, &scratch);
		if (!sct_ftrace_detach(site->hook, scratch.locations, count))
			remove_batch(&scratch, count);
	}
	bitmap_copy(points, wanted, SCT_SLOTS);
	synchronize_rcu();
	mutex_unlock(&points_lock);
}
EXPORT_SYMBOL_GPL(sct_points_keep);

static void describe(const struct sct_gate *gate, struct sct_point *point)
{
	char symbol[KSYM_SYMBOL_LEN];
	int cpu;

	*point = (struct sct_point) {
		.abi = sct_slot_abi(gate->slot),
		.nr = sct_slot_nr(gate->slot),
		.mechanism = SCT_MECHANISM_FTRACE,
		/* As in /proc/kallsyms, for those who may see it there. */
		.address = capable(CAP_SYSLOG) ? gate->site->address : 0,
	};
	for_each_possible_cpu(cpu)
		point->hits += *per_cpu_ptr(gate->hits, cpu);
	sprint_symbol_no_offset(symbol, gate->site->address);
	strscpy_pad(point->symbol, symbol, sizeof(point->symbol));
}

/**
 * sct_points_list() - describe the points, in the order of their slots
 * @list: room for @count of them
 * @first: how many to leave out
 * @count: how many at the most
 * @total: set to how many there are
 *
 * Context: may sleep.
 * Return: how many were described.
 */
int sct_points_list(struct sct_point *list, unsigned int first, unsigned int count,
		    unsigned int *total)
{
	unsigned int slot, seen = 0, done = 0;

	mutex_lock(&points_lock);
	for_each_set_bit(slot, points, SCT_SLOTS) {
		if (seen++ >= first && done < count)
			describe(sct_gates[slot], &list[done++]);
	}
	mutex_unlock(&points_lock);
	*total = seen;
	return done;
}
EXPORT_SYMBOL_GPL(sct_points_list);

/** sct_points_exit() - free sites and gates: nothing is attached and nobody is inside */
void sct_points_exit(void)
{
	struct sct_site *site, *next;
	unsigned int slot;

	for (slot = 0; slot < SCT_SLOTS; slot++) {
		if (sct_gates[slot]) {
			free_percpu(sct_gates[slot]->hits);
			kfree(sct_gates[slot]);
		}
	}
	list_for_each_entry_safe(site, next, &sites, list)
		kfree(site);
}
