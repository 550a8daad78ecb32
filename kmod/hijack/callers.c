// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who is inside a diverted call?
 *
 * A module that cannot be unloaded has to say whom it waits for.
 */
#include <linux/hash.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include "hijack.h"

#define ROOM_BITS 6

static struct room {
	spinlock_t lock;
	struct list_head guests;
} rooms[1 << ROOM_BITS];

static struct room *room_of(u32 tid)
{
	return &rooms[hash_32(tid, ROOM_BITS)];
}

/** sct_callers_init() - before the first call is diverted */
void __init sct_callers_init(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rooms); i++) {
		spin_lock_init(&rooms[i].lock);
		INIT_LIST_HEAD(&rooms[i].guests);
	}
}

/**
 * sct_guest_admit() - note that the current thread is inside a diverted call
 * @gate: the call
 *
 * Context: task; may sleep.
 * Return: the note, to be given to sct_guest_dismiss(), or NULL without memory.
 */
struct sct_guest *sct_guest_admit(const struct sct_gate *gate)
{
	struct sct_guest *guest = kzalloc(sizeof(*guest), GFP_KERNEL_ACCOUNT);
	struct room *room;

	if (!guest)
		return NULL;
	guest->gate = gate;
	guest->since = ktime_get_ns();
	guest->pid = task_tgid_nr(current);
	guest->tid = task_pid_nr(current);
	memcpy(guest->comm, current->comm, sizeof(guest->comm));
	room = room_of(guest->tid);
	spin_lock(&room->lock);
	list_add_tail(&guest->node, &room->guests);
	spin_unlock(&room->lock);
	return guest;
}

/** sct_guest_dismiss() - forget a note */
void sct_guest_dismiss(struct sct_guest *guest)
{
	struct room *room = room_of(guest->tid);

	spin_lock(&room->lock);
	list_del(&guest->node);
	spin_unlock(&room->lock);
	kfree(guest);
}

static void describe(const struct sct_guest *guest, struct sct_caller *caller)
{
	*caller = (struct sct_caller) {
		.pid = guest->pid,
		.tid = guest->tid,
		.abi = sct_slot_abi(guest->gate->slot),
		.nr = sct_slot_nr(guest->gate->slot),
		.age = ktime_get_ns() - guest->since,
	};
	memcpy(caller->comm, guest->comm, sizeof(caller->comm));
}

/**
 * sct_callers_list() - describe the threads inside diverted calls
 * @list: room for @count of them
 * @first: how many to leave out
 * @count: how many at the most
 * @total: set to how many there are
 *
 * Context: may sleep.
 * Return: how many were described.
 */
int sct_callers_list(struct sct_caller *list, unsigned int first, unsigned int count,
		     unsigned int *total)
{
	unsigned int seen = 0, done = 0, i;
	struct sct_guest *guest;

	for (i = 0; i < ARRAY_SIZE(rooms); i++) {
		spin_lock(&rooms[i].lock);
		list_for_each_entry(guest, &rooms[i].guests, node) {
			if (seen++ >= first && done < count)
				describe(guest, &list[done++]);
		}
		spin_unlock(&rooms[i].lock);
	}
	*total = seen;
	return done;
}
EXPORT_SYMBOL_GPL(sct_callers_list);
