// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens to a call that was diverted, and when have all of them left?
 *
 * From the moment ftrace diverts a call until it is done with us, `inside`
 * counts it and the client's module is pinned.  What runs after that, a few
 * instructions up to a return, does not sleep: a grace period of RCU-tasks
 * waits for it.
 */
#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include "../compat.h"
#include "hijack.h"

static const struct sct_client __rcu *sct_client;
static DEFINE_MUTEX(client_lock);
static DEFINE_PER_CPU(long, inside);

/** sct_nobody() - stands in for the client where there is none */
enum sct_next sct_nobody(unsigned int slot, const struct pt_regs *regs, long *result)
{
	return SCT_NEXT_PASS;
}

DEFINE_STATIC_CALL(sct_enter, sct_nobody);

/**
 * sct_divert_begin() - a call is about to be diverted
 *
 * Context: preemption off.
 * Return: false if the client is being unloaded; the call has to pass then.
 */
bool sct_divert_begin(void)
{
	const struct sct_client *client = rcu_dereference_sched(sct_client);

	if (!client || !try_module_get(client->owner))
		return false;
	this_cpu_inc(inside);
	return true;
}

static void end(const struct sct_client *client)
{
	struct module *owner = client->owner;

	this_cpu_dec(inside);
	module_put(owner);
}

/*
 * The client that sct_divert_begin() pinned: it can be replaced only after it
 * was unregistered, which its pinned module cannot be.
 */
static const struct sct_client *pinned_client(void)
{
	return rcu_dereference_protected(sct_client, true);
}

/**
 * sct_divert() - judge a diverted call in task context
 * @gate: the call
 * @regs: the caller's
 *
 * Return: SCT_NEXT_PASS, SCT_NEXT_SKIP with the result, or SCT_NEXT_AROUND with
 * the guest for sct_diversion_leave().
 */
struct sct_way sct_divert(const struct sct_gate *gate, struct pt_regs *regs)
{
	const struct sct_client *client = pinned_client();
	struct sct_guest *guest = sct_guest_admit(gate);
	enum sct_next next;
	void *cookie = NULL;
	long result = 0;

	next = client->enter_task(gate->slot, regs, &result, &cookie);
	if (next == SCT_NEXT_AROUND) {
		if (guest && gate->returns) {
			guest->cookie = cookie;
			return (struct sct_way) { SCT_NEXT_AROUND, (unsigned long)guest };
		}
		/* Nobody may be inside without a note, nor a thread that might end there. */
		client->abandon(gate->slot, cookie);
		next = SCT_NEXT_PASS;
	}
	if (guest)
		sct_guest_dismiss(guest);
	end(client);
	return (struct sct_way) { next, result };
}

/** sct_diversion_leave() - a call that was gone around has its result; see diversion.S */
long sct_diversion_leave(struct sct_guest *guest, long result)
{
	const struct sct_client *client = pinned_client();

	result = client->leave(guest->gate->slot, guest->cookie, result);
	sct_guest_dismiss(guest);
	end(client);
	return result;
}

static long count_inside(void)
{
	long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(&inside, cpu));
	return sum;
}

/** sct_divert_idle() - is no call inside?  True only for a moment if points are attached. */
bool sct_divert_idle(void)
{
	return !count_inside();
}

/**
 * sct_divert_drain() - wait until no call is inside
 *
 * Counts only fall while this adds them up, since nothing is attached: a sum
 * of zero is true.  Modules leave only when nothing pins them, so that this
 * waits for instructions, not for calls.
 */
void sct_divert_drain(void)
{
	while (count_inside())
		msleep(20);
	synchronize_rcu_tasks();
}

/**
 * sct_client_tell() - a site is doing better or worse than it did
 *
 * Context: may sleep.
 */
void sct_client_tell(const struct sct_site *site)
{
	const struct sct_client *client;

	mutex_lock(&client_lock);
	client = rcu_dereference_protected(sct_client, lockdep_is_held(&client_lock));
	if (client)
		client->moved(site->slot, site->by->number, site->state);
	mutex_unlock(&client_lock);
}

/**
 * sct_client_register() - name who judges the calls
 * @client: must stay until sct_client_unregister()
 *
 * Return: 0, or -EBUSY if there is one already.
 */
int sct_client_register(const struct sct_client *client)
{
	int result = -EBUSY;

	mutex_lock(&client_lock);
	if (!rcu_access_pointer(sct_client)) {
		rcu_assign_pointer(sct_client, client);
		static_call_update(sct_enter, client->enter);
		result = 0;
	}
	mutex_unlock(&client_lock);
	return result;
}
EXPORT_SYMBOL_GPL(sct_client_register);

/**
 * sct_client_unregister() - give back all points, and wait until no call is inside
 * @client: as registered
 *
 * Context: may sleep; from the exit of the module that owns @client, or before
 * any point was added.
 */
void sct_client_unregister(const struct sct_client *client)
{
	static const DECLARE_BITMAP(none, SCT_SLOTS);

	sct_points_keep(none);
	sct_divert_drain();
	mutex_lock(&client_lock);
	static_call_update(sct_enter, sct_nobody);
	rcu_assign_pointer(sct_client, NULL);
	mutex_unlock(&client_lock);
	synchronize_rcu();
}
EXPORT_SYMBOL_GPL(sct_client_unregister);
