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
#include <linux/string.h>
#include <linux/workqueue.h>
#include "../compat.h"
#include "hijack.h"

#define WATCH_PERIOD HZ

DEFINE_MUTEX(sct_points_lock);

/* By slot; written under sct_points_lock, read by who met a call. */
struct sct_gate *sct_gates[SCT_SLOTS];

/* The points in force, for sct_points_list(). */
static DECLARE_BITMAP(points, SCT_SLOTS);

static void watch(struct work_struct *work);
static DECLARE_DELAYED_WORK(watcher, watch);

static void watch(struct work_struct *work)
{
	struct sct_site *site;
	bool needed = false;

	mutex_lock(&sct_points_lock);
	sct_sites_watch();
	list_for_each_entry(site, &sct_sites, list)
		needed |= site->hook || site->wanted;
	if (needed)
		schedule_delayed_work(&watcher, WATCH_PERIOD);
	mutex_unlock(&sct_points_lock);
}

static struct sct_gate *make_gate(unsigned int slot)
{
	struct sct_gate *gate = kzalloc(sizeof(*gate), GFP_KERNEL);

	if (!gate)
		return NULL;
	gate->slot = slot;
	gate->returns = sct_point_ending(slot) == SCT_ENDING_RETURNS;
	gate->hits = alloc_percpu(u64);
	if (!gate->hits) {
		kfree(gate);
		return NULL;
	}
	return gate;
}

/**
 * sct_gate_set() - let a call come through a site
 * @slot: the call
 * @site: may be another one than before only if that is not attached and no
 *	call is inside
 *
 * Context: sct_points_lock; may sleep.
 * Return: 0, -EBUSY or -ENOMEM.
 */
int sct_gate_set(unsigned int slot, struct sct_site *site)
{
	struct sct_gate *gate = sct_gates[slot];

	if (gate && gate->site == site)
		return 0;
	if (gate) {
		if (gate->site->hook || !sct_divert_idle())
			return -EBUSY;
		WRITE_ONCE(gate->site, site);
		return 0;
	}
	gate = make_gate(slot);
	if (!gate)
		return -ENOMEM;
	gate->site = site;
	/* Seen whole by a call that arrives at a site that is attached already. */
	smp_store_release(&sct_gates[slot], gate);
	return 0;
}

/** sct_gate_hits() - calls that arrived */
u64 sct_gate_hits(const struct sct_gate *gate)
{
	u64 hits = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		hits += *per_cpu_ptr(gate->hits, cpu);
	return hits;
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

/* Does a call come through its site, or could it come so? */
static bool is_usable(unsigned int slot)
{
	const struct sct_site *site = sct_gates[slot]->site;

	return sct_proof_works(sct_slot_abi(slot), site->by) &&
	       (site->hook ||
		sct_arch_is_entry(sct_slot_abi(slot), sct_slot_nr(slot), site->address));
}

/* The same, by the mechanism that is best for its ABI. */
static bool is_settled(unsigned int slot)
{
	const struct sct_gate *gate = sct_gates[slot];
	int error;

	return gate && is_usable(slot) &&
	       (gate->site->hook ||
		gate->site->by == sct_proof_choose(sct_slot_abi(slot), 0, &error));
}

/*
 * Make sure that sct_gates[slot] is there: 0, -ENOSYS, -ENXIO (no such ABI
 * here), -EPROTO (not known which mechanism works), -EOPNOTSUPP, -ENOMEM,
 * -EADDRINUSE (another module has its slot of the table), or -EBUSY (it came
 * through another site, and calls are inside).
 */
static int find_gate(unsigned int slot)
{
	const struct sct_mechanism *by = NULL;
	struct sct_site *site;
	long address;
	int error;

	if (is_settled(slot))
		return 0;
	address = sct_arch_entry(sct_slot_abi(slot), sct_slot_nr(slot));
	if (IS_ERR_VALUE(address))
		return address;
	do {
		by = sct_proof_choose(sct_slot_abi(slot), by ? by->number : 0, &error);
		if (!by)
			return error;
		site = sct_site_get(by, slot, address);
	} while (PTR_ERR_OR_ZERO(site) == -EOPNOTSUPP);
	if (IS_ERR(site))
		return PTR_ERR(site);
	error = sct_gate_set(slot, site);
	/* Calls that are inside by the one that it came by before: that will do. */
	return error == -EBUSY && is_usable(slot) ? 0 : error;
}

/** sct_gate_settle() - let a call come by the best mechanism again, if it can; sct_points_lock */
void sct_gate_settle(unsigned int slot)
{
	find_gate(slot);
}

static int refuse_gate(unsigned int slot, int reason, struct sct_error *error)
{
	switch (reason) {
	case -ENOSYS:
		return refuse(error, SCT_ERROR_ABSENT, slot, 0, reason);
	case -ENOMEM:
		return refuse(error, SCT_ERROR_MEMORY, slot, 0, reason);
	case -EPROTO:
		return refuse(error, SCT_ERROR_UNPROVEN, slot, 0, -EOPNOTSUPP);
	case -EADDRINUSE:
		return refuse(error, SCT_ERROR_BUSY, slot, reason, -EBUSY);
	case -EBUSY:
		return refuse(error, SCT_ERROR_INSIDE, slot, 0, reason);
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

	list_for_each_entry(site, &sct_sites, list)
		site->wanted = false;
	for_each_set_bit(slot, wanted, SCT_SLOTS)
		if (sct_gates[slot])
			sct_gates[slot]->site->wanted = true;
}

static int refuse_site(const struct sct_site *site, int reason, struct sct_error *error)
{
	if (reason == -ENOMEM)
		return refuse(error, SCT_ERROR_MEMORY, site->slot, 0, -ENOMEM);
	if (reason == -ENODEV)
		return refuse(error, SCT_ERROR_TRACING_OFF, site->slot, reason, -EBUSY);
	if (reason == -EBUSY)
		return refuse(error, SCT_ERROR_BUSY, site->slot, reason, -EBUSY);
	return refuse(error, SCT_ERROR_SITE, site->slot, reason, -EOPNOTSUPP);
}

/** sct_points_settle() - give back all that the points in force do not want; sct_points_lock */
void sct_points_settle(void)
{
	mark_wanted(points);
	sct_sites_detach_unwanted();
}

/** sct_point_ending() - does the call return to its caller? */
enum sct_ending sct_point_ending(unsigned int slot)
{
	return sct_arch_ending(sct_slot_abi(slot), sct_slot_nr(slot));
}
EXPORT_SYMBOL_GPL(sct_point_ending);

/**
 * sct_points_find() - which of these points are there?
 * @wanted: a bit for each slot; those that are not there and need not be are
 *	taken away
 * @calls: slots whose call need not be there
 * @abis: slots whose ABI need not be there
 * @error: filled in for one that is not there and should
 *
 * Context: may sleep.
 * Return: 0, -EOPNOTSUPP, -ENOSYS, -EBUSY or -ENOMEM.
 */
int sct_points_find(unsigned long *wanted, const unsigned long *calls, const unsigned long *abis,
		    struct sct_error *error)
{
	int result;

	mutex_lock(&sct_points_lock);
	result = find_gates(wanted, calls, abis, error);
	mutex_unlock(&sct_points_lock);
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
	DECLARE_BITMAP(all, SCT_SLOTS);
	struct sct_site *culprit;
	int result;

	mutex_lock(&sct_points_lock);
	/* What is in force now stays until sct_points_keep(). */
	bitmap_or(all, points, wanted, SCT_SLOTS);
	mark_wanted(all);
	result = sct_sites_attach_wanted(&culprit);
	if (result) {
		result = refuse_site(culprit, result, error);
		sct_points_settle();
	}
	schedule_delayed_work(&watcher, WATCH_PERIOD);
	mutex_unlock(&sct_points_lock);
	return result;
}
EXPORT_SYMBOL_GPL(sct_points_add);

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
	mutex_lock(&sct_points_lock);
	bitmap_copy(points, wanted, SCT_SLOTS);
	sct_points_settle();
	mutex_unlock(&sct_points_lock);
}
EXPORT_SYMBOL_GPL(sct_points_keep);

/* As in /proc/kallsyms: for those who may see addresses there. */
static bool is_visible(unsigned long address)
{
	char text[2 * sizeof(address) + 1];

	/* Zeros, if kernel.kptr_restrict says so. */
	snprintf(text, sizeof(text), "%pK", (void *)address);
	return capable(CAP_SYSLOG) && strspn(text, "0") < strlen(text);
}

static void describe(const struct sct_gate *gate, struct sct_point *point)
{
	char symbol[KSYM_SYMBOL_LEN];

	*point = (struct sct_point) {
		.abi = sct_slot_abi(gate->slot),
		.nr = sct_slot_nr(gate->slot),
		.mechanism = gate->site->by->number,
		.state = gate->site->state,
		.address = is_visible(gate->site->address) ? gate->site->address : 0,
	};
	point->hits = sct_gate_hits(gate);
	sprint_symbol_no_offset(symbol, gate->site->address);
	strscpy_pad(point->symbol, symbol, sizeof(point->symbol));
}

/* Does the point stay although no rule wants it? */
static bool is_stuck(unsigned int slot)
{
	return sct_gates[slot] && sct_gates[slot]->site->pins;
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

	mutex_lock(&sct_points_lock);
	sct_sites_watch();
	for (slot = 0; slot < SCT_SLOTS; slot++) {
		if (!test_bit(slot, points) && !is_stuck(slot))
			continue;
		if (seen++ >= first && done < count)
			describe(sct_gates[slot], &list[done++]);
	}
	mutex_unlock(&sct_points_lock);
	*total = seen;
	return done;
}
EXPORT_SYMBOL_GPL(sct_points_list);

/** sct_points_exit() - free sites and gates: nothing is attached and nobody is inside */
void sct_points_exit(void)
{
	unsigned int slot;

	cancel_delayed_work_sync(&watcher);
	for (slot = 0; slot < SCT_SLOTS; slot++) {
		if (sct_gates[slot]) {
			free_percpu(sct_gates[slot]->hits);
			kfree(sct_gates[slot]);
		}
	}
	sct_sites_exit();
}
