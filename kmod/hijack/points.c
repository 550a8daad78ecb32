// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which system calls are diverted?
 *
 * A client says which points it wants (add: all of them or none) and later
 * which of those it keeps.  Between the two it exchanges its rules, so that no
 * call is ever judged by neither the old ones nor the new ones.
 */
#include <linux/hashtable.h>
#include <linux/kallsyms.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include "../compat.h"
#include "hijack.h"

static DEFINE_MUTEX(points_lock);
static struct sct_site *sites[SCT_SLOTS];
static DEFINE_HASHTABLE(by_location, 10); /* readers: RCU, preemption off */

/**
 * sct_site_find() - the attached site with this ftrace location
 *
 * Context: preemption off.
 */
struct sct_site *sct_site_find(unsigned long location)
{
	struct sct_site *site;

	hash_for_each_possible_rcu_notrace(by_location, site, node, location) {
		if (site->location == location)
			return site;
	}
	return NULL;
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
	site->returns = sct_arch_returns(sct_slot_abi(slot), sct_slot_nr(slot));
	return site;
}

static int refuse(struct sct_error *error, u32 code, unsigned int slot, int value)
{
	*error = (struct sct_error) {
		.code = code,
		.abi = sct_slot_abi(slot),
		.nr = sct_slot_nr(slot),
		.value = value,
	};
	return value;
}

/* Make sure that sites[slot] is there. */
static int find_site(unsigned int slot, struct sct_error *error)
{
	long address;

	if (sites[slot])
		return 0;
	address = sct_arch_entry(sct_slot_abi(slot), sct_slot_nr(slot));
	if (address == -EOPNOTSUPP)
		return refuse(error, SCT_ERROR_FOREIGN, slot, address);
	if (address == -ENOSYS)
		return refuse(error, SCT_ERROR_ABSENT, slot, address);
	sites[slot] = make_site(slot, address);
	return sites[slot] ? 0 : refuse(error, SCT_ERROR_MEMORY, slot, -ENOMEM);
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

/* Attached sites that @wanted does not name, or the reverse; returns how many. */
static unsigned int collect(const unsigned long *wanted, bool attached, unsigned long *locations)
{
	unsigned int slot, count = 0;

	for (slot = 0; slot < SCT_SLOTS; slot++) {
		if (sites[slot] && sites[slot]->attached == attached &&
		    test_bit(slot, wanted) == !attached)
			locations[count++] = sites[slot]->location;
	}
	return count;
}

/* The batch was refused: attach one by one to learn which one it was, and undo. */
static int refuse_culprit(const unsigned long *wanted, int result, struct sct_error *error)
{
	unsigned int slot, undo;
	int single = 0;

	for_each_set_bit(slot, wanted, SCT_SLOTS) {
		if (sites[slot]->attached)
			continue;
		single = sct_ftrace_attach(&sites[slot]->location, 1);
		if (single)
			break;
	}
	for_each_set_bit(undo, wanted, slot) {
		if (!sites[undo]->attached)
			sct_ftrace_detach(&sites[undo]->location, 1);
	}
	if (!single) {
		/* One by one they all went: the other hooker has just left. */
		slot = find_first_bit(wanted, SCT_SLOTS);
		single = result;
	}
	if (!sct_ftrace_enabled())
		return refuse(error, SCT_ERROR_FTRACE_OFF, slot, single);
	return refuse(error, single == -EBUSY ? SCT_ERROR_BUSY : SCT_ERROR_SITE, slot, single);
}

static int add_sites(const unsigned long *wanted, unsigned long *locations, struct sct_error *error)
{
	unsigned int slot, count;
	int result = find_sites(wanted, error);

	if (result)
		return result;
	count = collect(wanted, false, locations);
	if (!count)
		return 0;
	/* Findable before the first call can arrive. */
	for_each_set_bit(slot, wanted, SCT_SLOTS) {
		if (!sites[slot]->attached)
			hash_add_rcu(by_location, &sites[slot]->node, sites[slot]->location);
	}
	result = sct_ftrace_attach(locations, count);
	if (result)
		result = refuse_culprit(wanted, result, error);
	for_each_set_bit(slot, wanted, SCT_SLOTS) {
		if (sites[slot]->attached)
			continue;
		if (result)
			hash_del_rcu(&sites[slot]->node);
		else
			sites[slot]->attached = true;
	}
	/* A removed site may be added again, which would lead its readers astray. */
	if (result)
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
	unsigned long *locations = kvmalloc_array(SCT_SLOTS, sizeof(*locations), GFP_KERNEL);
	int result;

	if (!locations)
		return refuse(error, SCT_ERROR_MEMORY, 0, -ENOMEM);
	mutex_lock(&points_lock);
	result = add_sites(wanted, locations, error);
	mutex_unlock(&points_lock);
	kvfree(locations);
	return result;
}
EXPORT_SYMBOL_GPL(sct_points_add);

/**
 * sct_points_keep() - give back all points but these
 * @wanted: a bit for each slot
 *
 * A call that was diverted before may still be inside when this returns.
 *
 * Context: may sleep.
 */
void sct_points_keep(const unsigned long *wanted)
{
	static unsigned long locations[SCT_SLOTS]; /* points_lock; giving back must not fail */
	unsigned int slot, count;

	mutex_lock(&points_lock);
	count = collect(wanted, true, locations);
	sct_ftrace_detach(locations, count);
	for (slot = 0; slot < SCT_SLOTS; slot++) {
		if (sites[slot] && sites[slot]->attached && !test_bit(slot, wanted)) {
			hash_del_rcu(&sites[slot]->node);
			sites[slot]->attached = false;
		}
	}
	if (count)
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
		.address = site->address,
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
		if (!sites[slot] || !sites[slot]->attached)
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
