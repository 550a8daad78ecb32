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

/* Collect the sites that came with @hook and are not wanted, but for those that are stuck. */
static unsigned int collect_old(const struct sct_hook *hook)
{
	struct sct_site *site;
	unsigned int count = 0;

	list_for_each_entry(site, &sct_sites, list)
		if (!site->wanted && !site->pins && site->hook == hook)
			batch[count++] = site;
	return count;
}

/** sct_sites_hook() - note that sites are attached with a hook */
void sct_sites_hook(struct sct_hook *hook, struct sct_site **sites, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		sites[i]->hook = hook;
	hook->count += count;
}

/** sct_sites_unhook() - note that they are no longer */
void sct_sites_unhook(struct sct_hook *hook, struct sct_site **sites, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		sites[i]->hook = NULL;
	hook->count -= count;
}

/* It was given back: nobody finds it any more.  What is still wanted remains what it was. */
static void forget(struct sct_site *site)
{
	hash_del_rcu(&site->node);
	if (!site->wanted)
		site->state = SCT_POINT_HOLDS;
	if (site->pins)
		module_put(THIS_MODULE);
	site->pins = false;
}

/* It stays, and with it this module: its code is what the other one calls. */
static void stick(struct sct_site *site)
{
	if (!site->pins)
		__module_get(THIS_MODULE);
	site->pins = true;
	site->state = SCT_POINT_STUCK;
}

/* Give the batch back, all of one hook. */
static void detach_batch(unsigned int count)
{
	int result = batch[0]->by->detach(batch[0]->hook, batch, count);
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (!batch[i]->hook)
			forget(batch[i]);
		else if (result == -EBUSY)
			stick(batch[i]);
	}
}

/* A removed site may be added again, which would lead its readers astray before a grace period is over. */
static void detach_one(struct sct_site *site)
{
	batch[0] = site;
	detach_batch(1);
	synchronize_rcu();
}

/* Is one of these to blame for that they cannot be attached together? */
static bool is_to_blame(const struct sct_mechanism *by, struct sct_site **sites,
			unsigned int count, int *reason)
{
	int result = by->attach(sites, count);

	if (result)
		*reason = result;
	else
		by->detach(sites[0]->hook, sites, count);
	return result;
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

/*
 * Do calls really come to what was just attached?  A mechanism that is switched
 * off takes it without a word: kprobes do.
 */
static int check_new(unsigned int count, struct sct_site **culprit)
{
	unsigned int i;
	u16 state;

	for (i = 0; i < count; i++) {
		state = batch[i]->by->state(batch[i]);
		*culprit = batch[i];
		if (state != SCT_POINT_HOLDS)
			return state == SCT_POINT_LOST ? -ENODEV : -EBUSY;
		batch[i]->state = SCT_POINT_HOLDS;
	}
	return 0;
}

/* Attach the batch, all of one mechanism. */
static int attach_batch(unsigned int count, struct sct_site **culprit)
{
	const struct sct_mechanism *by = batch[0]->by;
	unsigned int i;
	int result;

	/* Findable before the first call can arrive. */
	for (i = 0; i < count; i++)
		hash_add_rcu(sct_sites_attached, &batch[i]->node, batch[i]->location);
	result = by->attach(batch, count);
	if (!result)
		return check_new(count, culprit);
	*culprit = result == -ENOMEM || result == -ENODEV ? batch[0] :
							   find_culprit(by, count, &result);
	for (i = 0; i < count; i++)
		if (!batch[i]->hook)
			hash_del_rcu(&batch[i]->node);
	synchronize_rcu(); /* as in detach_one() */
	return result;
}

static int attach_new(const struct sct_mechanism *by, struct sct_site **culprit)
{
	unsigned int count = collect_new(by);

	return count ? attach_batch(count, culprit) : 0;
}

/* What somebody took away is given up, so that it is attached anew. */
static void drop_lost(void)
{
	struct sct_site *site;

	list_for_each_entry(site, &sct_sites, list)
		if (site->wanted && site->hook && site->by->state(site) == SCT_POINT_LOST)
			detach_one(site);
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

	drop_lost();
	for (number = 0; number < SCT_MECHANISMS && !result; number++)
		if (sct_mechanisms[number])
			result = attach_new(sct_mechanisms[number], culprit);
	return result;
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

	list_for_each_entry(site, &sct_sites, list)
		if (!site->wanted && site->hook && !site->pins)
			detach_batch(collect_old(site->hook));
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

/*
 * How is a site doing that is attached or should be?  One that was given up as
 * lost, for a change of the points that was then refused, is tried again.
 */
static u16 look_after(struct sct_site *site)
{
	struct sct_site *culprit;
	u16 before = site->state;

	if (!site->hook) {
		batch[0] = site;
		attach_batch(1, &culprit);
		/* For sct_sites_watch() to tell. */
		site->state = before;
	}
	return site->hook ? site->by->state(site) : SCT_POINT_LOST;
}

/**
 * sct_sites_watch() - look whether the sites that are attached or wanted are still ours
 *
 * Context: sct_points_lock; may sleep.
 */
void sct_sites_watch(void)
{
	struct sct_site *site;
	u16 state;

	list_for_each_entry(site, &sct_sites, list) {
		if (!site->hook && !site->wanted)
			continue;
		state = look_after(site);
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
