// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which places in the kernel bring calls to us, and are they still ours?
 *
 * Places come and go in batches, one for each mechanism.  Another module can
 * take one away without a word; it is looked after as long as it is attached.
 */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "hijack.h"

LIST_HEAD(sct_sites);

/* By location; readers: RCU, preemption off.  See sct_site_find(). */
struct hlist_head sct_sites_attached[1 << SCT_SITE_BITS];

/* Sites that come or go together; room for all, since giving back must not fail. */
static struct sct_site *batch[SCT_SLOTS]; /* sct_points_lock */

/**
 * sct_site_get() - find or make the site of a call
 * @by: the mechanism
 * @slot: the call
 * @address: of its entry function
 *
 * Context: sct_points_lock; may sleep.
 * Return: the site; -EOPNOTSUPP if the mechanism has no place for it, -ENOMEM.
 */
struct sct_site *sct_site_get(const struct sct_mechanism *by, unsigned int slot,
			      unsigned long address)
{
	struct sct_site new = { .by = by, .slot = slot, .address = address }, *site;

	if (by->locate(&new))
		return ERR_PTR(-EOPNOTSUPP);
	/* By location: an address found by name may be that behind the function's landing pad. */
	list_for_each_entry(site, &sct_sites, list) {
		if (site->by == by && site->location == new.location)
			return site;
	}
	site = kmemdup(&new, sizeof(new), GFP_KERNEL);
	if (!site)
		return ERR_PTR(-ENOMEM);
	list_add_tail(&site->list, &sct_sites);
	return site;
}

/* Collect into the batch the sites of a mechanism that are wanted and not attached. */
static unsigned int collect_new(const struct sct_mechanism *by)
{
	struct sct_site *site;
	unsigned int count = 0;

	list_for_each_entry(site, &sct_sites, list)
		if (site->by == by && site->wanted && !site->hook)
			batch[count++] = site;
	return count;
}

/* Collect the sites that came with @hook and are not wanted. */
static unsigned int collect_old(const struct sct_hook *hook)
{
	struct sct_site *site;
	unsigned int count = 0;

	list_for_each_entry(site, &sct_sites, list)
		if (!site->wanted && site->hook == hook)
			batch[count++] = site;
	return count;
}

static void forget(struct sct_site *site)
{
	hash_del_rcu(&site->node);
	site->hook = NULL;
	site->state = SCT_POINT_HOLDS;
	if (site->pins)
		module_put(THIS_MODULE);
	site->pins = false;
}

/** sct_sites_hook() - note that sites are attached with a hook */
void sct_sites_hook(struct sct_hook *hook, struct sct_site **sites, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		sites[i]->hook = hook;
	hook->count += count;
}

/* Is one of these to blame for that they cannot be attached together? */
static bool is_to_blame(const struct sct_mechanism *by, struct sct_site **sites,
			unsigned int count, int *reason)
{
	int result = by->attach(sites, count);
	unsigned int i;

	if (result) {
		*reason = result;
		return true;
	}
	by->detach(sites[0]->hook, sites, count);
	for (i = 0; i < count; i++)
		sites[i]->hook = NULL;
	return false;
}

/* Of a batch that cannot be attached, one that cannot. */
static struct sct_site *find_culprit(const struct sct_mechanism *by, unsigned int count,
				     int *reason)
{
	struct sct_site **from = batch;
	unsigned int half;

	/* Attached up to there. */
	while (by->per_call && (*from)->hook)
		from++;
	/* All or none: by halves. */
	while (!by->per_call && count > 1) {
		half = count / 2;
		if (is_to_blame(by, from, half, reason)) {
			count = half;
		} else {
			from += half;
			count -= half;
		}
	}
	return *from;
}

static int attach_new(const struct sct_mechanism *by, struct sct_site **culprit)
{
	unsigned int i, count = collect_new(by);
	int result;

	if (!count)
		return 0;
	/* Findable before the first call can arrive. */
	for (i = 0; i < count; i++)
		hash_add_rcu(sct_sites_attached, &batch[i]->node, batch[i]->location);
	result = by->attach(batch, count);
	if (!result)
		return 0;
	*culprit = result == -ENOMEM ? batch[0] : find_culprit(by, count, &result);
	for (i = 0; i < count; i++)
		if (!batch[i]->hook)
			hash_del_rcu(&batch[i]->node);
	/* A removed site may be added again, which would lead its readers astray. */
	synchronize_rcu();
	return result;
}

/**
 * sct_sites_attach_wanted() - attach all sites that are marked wanted
 * @culprit: set to one that cannot be, if so
 *
 * Context: sct_points_lock; may sleep.
 * Return: 0; or an error of struct sct_mechanism's attach, and then some may be
 * attached that were not: sct_sites_detach_unwanted() puts that right.
 */
int sct_sites_attach_wanted(struct sct_site **culprit)
{
	unsigned int number;
	int result = 0;

	for (number = 0; number < SCT_MECHANISMS && !result; number++)
		if (sct_mechanisms[number])
			result = attach_new(sct_mechanisms[number], culprit);
	return result;
}

/* It stays, and with it this module: its code is what the other one calls. */
static void stick(struct sct_site *site)
{
	if (!site->pins)
		__module_get(THIS_MODULE);
	site->pins = true;
	site->state = SCT_POINT_STUCK;
}

static void detach_one(struct sct_site *site)
{
	if (!site->by->detach(site->hook, &site, 1))
		forget(site);
	else
		stick(site);
}

/**
 * sct_sites_detach_unwanted() - give all sites back that are not marked wanted
 *
 * One that cannot be stays, to be tried again later: for want of memory, which
 * does not happen if none is wanted, or because somebody else's hook leads to
 * ours.
 *
 * Context: sct_points_lock; may sleep.
 */
void sct_sites_detach_unwanted(void)
{
	struct sct_site *site;
	unsigned int i, count;
	int result;

	list_for_each_entry(site, &sct_sites, list) {
		if (site->wanted || !site->hook || site->pins)
			continue;
		count = collect_old(site->hook);
		result = site->by->detach(site->hook, batch, count);
		for (i = 0; !result && i < count; i++)
			forget(batch[i]);
		for (i = 0; result == -EBUSY && i < count; i++)
			detach_one(batch[i]);
	}
	synchronize_rcu();
}

/* Has a stuck site become free, or is it wanted again? */
static void watch_stuck(struct sct_site *site, u16 state)
{
	if (site->wanted) {
		module_put(THIS_MODULE);
		site->pins = false;
		site->state = state;
	} else if (state != SCT_POINT_COVERED) {
		detach_one(site);
	}
}

/**
 * sct_sites_watch() - look whether the attached sites are still ours
 *
 * Context: sct_points_lock; may sleep.
 */
void sct_sites_watch(void)
{
	struct sct_site *site;
	u16 state;

	list_for_each_entry(site, &sct_sites, list) {
		if (!site->hook)
			continue;
		state = site->by->state(site);
		if (site->pins) {
			watch_stuck(site, state);
		} else if (state != site->state) {
			site->state = state;
			pr_warn("sct_hijack: %ps: %s\n", (void *)site->address,
				state == SCT_POINT_LOST ? "somebody took our hook away" :
				state == SCT_POINT_COVERED ? "somebody put a hook over ours" :
							     "our hook holds again");
			sct_client_tell(site);
		}
	}
}

/** sct_sites_exit() - free all: nothing is attached and nobody is inside */
void sct_sites_exit(void)
{
	struct sct_site *site, *next;

	list_for_each_entry_safe(site, next, &sct_sites, list)
		kfree(site);
}
