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
static struct sct_site *sites[SCT_SLOTS];

/* Sites that come or go together; room for all, since giving back must not fail. */
static struct batch {
	unsigned int slots[SCT_SLOTS];
	unsigned long locations[SCT_SLOTS];
} scratch; /* points_lock */

/* By location; readers: RCU, preemption off.  See sct_site_find(). */
struct hlist_head sct_sites_attached[1 << SCT_SITE_BITS];

/** sct_site_of() - the site of a slot that was attached once */
struct sct_site *sct_site_of(unsigned int slot)
{
	return sites[slot];
}

static struct sct_site *make_site(unsigned int slot, unsigned long address)
{
	struct sct_site *site = kzalloc(sizeof(*site), GFP_KERNEL);

	if (!site)
		return NULL;
	site->hits = alloc_percpu(u64);
	if (!site->hits) {
		kfree(site);
		return NULL;
	}
	site->slot = slot;
	site->address = address;
	site->location = sct_arch_location(address);
	site->resume = sct_site_resume(site->location);
	site->returns = sct_arch_returns(sct_slot_abi(slot), sct_slot_nr(slot));
	return site;
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

/* Make sure that sites[slot] is there. */
static int find_site(unsigned int slot, struct sct_error *error)
{
	long address;

	if (sites[slot])
		return 0;
	address = sct_arch_entry(sct_slot_abi(slot), sct_slot_nr(slot));
	if (address == -EOPNOTSUPP)
		return refuse(error, SCT_ERROR_FOREIGN, slot, address, address);
	if (address == -ENOSYS)
		return refuse(error, SCT_ERROR_ABSENT, slot, address, address);
	sites[slot] = make_site(slot, address);
	return sites[slot] ? 0 : refuse(error, SCT_ERROR_MEMORY, slot, 0, -ENOMEM);
}

static int find_sites(const unsigned long *wanted, struct sct_error *error)
{
	unsigned int slot;
	int result;

	for_each_set_bit(slot, wanted, SCT_SLOTS) {
		result = find_site(slot, error);
		if (result)
			return result;
	}
	return 0;
}

/* Sites that are to be attached: their slots and locations; returns how many. */
static unsigned int collect_new(const unsigned long *wanted, struct batch *batch)
{
	unsigned int slot, count = 0;

	for_each_set_bit(slot, wanted, SCT_SLOTS) {
		if (sites[slot]->hook)
			continue;
		batch->slots[count] = slot;
		batch->locations[count++] = sites[slot]->location;
	}
	return count;
}

/* Sites from @slot on that came with @hook and are not wanted. */
static unsigned int collect_old(const unsigned long *wanted, unsigned int slot,
				const struct sct_hook *hook, struct batch *batch)
{
	unsigned int count = 0;

	for (; slot < SCT_SLOTS; slot++) {
		if (!sites[slot] || sites[slot]->hook != hook || test_bit(slot, wanted))
			continue;
		batch->slots[count] = slot;
		batch->locations[count++] = sites[slot]->location;
	}
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
	return batch->slots[from];
}

static int refuse_batch(struct batch *batch, unsigned int count, int reason,
			struct sct_error *error)
{
	unsigned int slot;

	if (reason == -ENOMEM)
		return refuse(error, SCT_ERROR_MEMORY, batch->slots[0], 0, -ENOMEM);
	if (!sct_ftrace_enabled())
		return refuse(error, SCT_ERROR_FTRACE_OFF, batch->slots[0], reason, -EBUSY);
	slot = find_culprit(batch, count, &reason);
	if (reason == -EBUSY)
		return refuse(error, SCT_ERROR_BUSY, slot, reason, -EBUSY);
	return refuse(error, SCT_ERROR_SITE, slot, reason, -EOPNOTSUPP);
}

static int add_sites(const unsigned long *wanted, struct batch *batch, struct sct_error *error)
{
	int result = find_sites(wanted, error);
	struct sct_hook *hook;
	unsigned int count, i;

	if (result)
		return result;
	count = collect_new(wanted, batch);
	if (!count)
		return 0;
	/* Findable before the first call can arrive. */
	for (i = 0; i < count; i++)
		hash_add_rcu(sct_sites_attached, &sites[batch->slots[i]]->node,
			     batch->locations[i]);
	hook = sct_ftrace_attach(batch->locations, count);
	if (IS_ERR(hook)) {
		result = refuse_batch(batch, count, PTR_ERR(hook), error);
		hook = NULL;
	}
	for (i = 0; i < count; i++) {
		sites[batch->slots[i]]->hook = hook;
		if (!hook)
			hash_del_rcu(&sites[batch->slots[i]]->node);
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
 * sct_points_find() - could these points be diverted?
 * @wanted: a bit for each slot
 * @error: filled in if not
 *
 * Context: may sleep.
 * Return: 0, -EOPNOTSUPP, -ENOSYS or -ENOMEM.
 */
int sct_points_find(const unsigned long *wanted, struct sct_error *error)
{
	int result;

	mutex_lock(&points_lock);
	result = find_sites(wanted, error);
	mutex_unlock(&points_lock);
	return result;
}
EXPORT_SYMBOL_GPL(sct_points_find);

/**
 * sct_points_add() - divert these points as well
 * @wanted: a bit for each slot
 * @error: filled in if one of them cannot be, and then none is added
 *
 * Context: may sleep.
 * Return: 0, -EOPNOTSUPP, -ENOSYS, -EINVAL, -EBUSY or -ENOMEM.
 */
int sct_points_add(const unsigned long *wanted, struct sct_error *error)
{
	int result;

	mutex_lock(&points_lock);
	result = add_sites(wanted, &scratch, error);
	mutex_unlock(&points_lock);
	return result;
}
EXPORT_SYMBOL_GPL(sct_points_add);

static void remove_batch(const struct batch *batch, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		hash_del_rcu(&sites[batch->slots[i]]->node);
		sites[batch->slots[i]]->hook = NULL;
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
	unsigned int slot, count;

	mutex_lock(&points_lock);
	for (slot = 0; slot < SCT_SLOTS; slot++) {
		if (!sites[slot] || !sites[slot]->hook || test_bit(slot, wanted))
			continue;
		count = collect_old(wanted, slot, sites[slot]->hook, &scratch);
		if (!sct_ftrace_detach(sites[slot]->hook, scratch.locations, count))
			remove_batch(&scratch, count);
	}
	synchronize_rcu();
	mutex_unlock(&points_lock);
}
EXPORT_SYMBOL_GPL(sct_points_keep);

static void describe(const struct sct_site *site, struct sct_point *point)
{
	char symbol[KSYM_SYMBOL_LEN];
	int cpu;

	*point = (struct sct_point) {
		.abi = sct_slot_abi(site->slot),
		.nr = sct_slot_nr(site->slot),
		.mechanism = SCT_MECHANISM_FTRACE,
		/* As in /proc/kallsyms, for those who may see it there. */
		.address = capable(CAP_SYSLOG) ? site->address : 0,
	};
	for_each_possible_cpu(cpu)
		point->hits += *per_cpu_ptr(site->hits, cpu);
	sprint_symbol_no_offset(symbol, site->address);
	strscpy_pad(point->symbol, symbol, sizeof(point->symbol));
}

/**
 * sct_points_list() - describe attached points, in the order of their slots
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
	for (slot = 0; slot < SCT_SLOTS; slot++) {
		if (!sites[slot] || !sites[slot]->hook)
			continue;
		if (seen++ >= first && done < count)
			describe(sites[slot], &list[done++]);
	}
	mutex_unlock(&points_lock);
	*total = seen;
	return done;
}
EXPORT_SYMBOL_GPL(sct_points_list);

/** sct_points_exit() - free the sites: nothing is attached and nobody is inside */
void sct_points_exit(void)
{
	unsigned int slot;

	for (slot = 0; slot < SCT_SLOTS; slot++) {
		if (sites[slot]) {
			free_percpu(sites[slot]->hits);
			kfree(sites[slot]);
		}
	}
}
