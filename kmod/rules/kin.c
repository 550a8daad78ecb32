// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who are the processes above the caller, and what is known of them?
 *
 * They are found from the caller upwards, within one RCU section: a process
 * whose parent exits gets another one before the old one is released, so that
 * whoever was reached was alive in it.  Numbers are read there and then, those
 * of the parent once.  Texts take locks and are written down beforehand, of
 * processes that are held until the call is judged, dead or alive.
 */
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include "rules.h"

static const struct sct_text unknown = { .state = SCT_STATE_FAULT };

/*
 * The process that made one, by its first thread unless that has ended; NULL
 * for the first one, and for those of the kernel, which the idle task made.
 */
static struct task_struct *parent_of(const struct task_struct *task)
{
	struct task_struct *parent = rcu_dereference(task->real_parent);
	struct task_struct *leader = READ_ONCE(parent->group_leader);

	if (!task_pid_nr(parent))
		return NULL;
	return leader->flags & PF_EXITING ? parent : leader;
}

/* The nth process above the caller, from 0; NULL if there is none. */
static struct task_struct *kin_at(struct sct_kin *kin, unsigned int nth)
{
	struct task_struct *task;

	/* Also where preemption is off, which is an RCU section as well. */
	rcu_read_lock();
	while (kin->count <= nth && !kin->all) {
		task = parent_of(kin->count ? kin->tasks[kin->count - 1] : current);
		if (task)
			kin->tasks[kin->count++] = task;
		else
			kin->all = true;
	}
	rcu_read_unlock();
	return nth < kin->count ? kin->tasks[nth] : NULL;
}

/** sct_kin_ancestor() - turn to an ancestor, from 0 to SCT_ANCESTORS_MAX; Return: whether there is one */
bool sct_kin_ancestor(struct sct_kin *kin, unsigned int nth)
{
	kin->nth = nth;
	return kin_at(kin, nth);
}

static unsigned int nth_of(const struct sct_kin *kin, unsigned int field)
{
	return sct_field_is_ancestors(field) ? kin->nth : 0;
}

static int read_number(struct task_struct *task, unsigned int field, s64 *value)
{
	int error;

	rcu_read_lock();
	error = sct_process_number(task, __task_cred(task), sct_field_own(field), value);
	rcu_read_unlock();
	return error;
}

/* What is compared is what is logged: the parent may change between. */
static int number_of_parent(struct sct_kin *kin, struct task_struct *parent, unsigned int field,
			    s64 *value)
{
	unsigned int at = field - SCT_FIELDS_PARENT;
	u64 bit = 1ull << at;

	if (!(kin->read & bit)) {
		if (!read_number(parent, field, &kin->numbers[at]))
			kin->known |= bit;
		kin->read |= bit;
	}
	if (!(kin->known & bit))
		return -EFAULT;
	*value = kin->numbers[at];
	return 0;
}

/**
 * sct_kin_number() - a number that is known of a parent or ancestor
 *
 * Context: the RCU section in which they were found, or they are held; task if
 * the field says so, except for a number of the parent that was asked for before.
 * Return: 0, or -EFAULT if it cannot be known.
 */
int sct_kin_number(struct sct_kin *kin, unsigned int field, s64 *value)
{
	struct task_struct *task = kin_at(kin, nth_of(kin, field));

	if (!task)
		return -EFAULT;
	if (sct_field_is_ancestors(field))
		return read_number(task, field, value);
	return number_of_parent(kin, task, field, value);
}

/*
 * A name changes at any time, and is copied once for the parent, and once for
 * an ancestor whose turn it is.
 */
static const struct sct_text *comm_of(struct sct_kin *kin, unsigned int nth, bool ancestor)
{
	struct sct_kin_name *name = &kin->names[ancestor];

	if (name->whose != nth + 1) {
		strscpy_pad(name->comm, kin->tasks[nth]->comm, sizeof(name->comm));
		name->text = (struct sct_text) {
			name->comm, strlen(name->comm), SCT_STATE_WHOLE,
		};
		name->whose = nth + 1;
	}
	return &name->text;
}

/** sct_kin_text() - a text that is known of a parent or ancestor; context as sct_kin_number() */
const struct sct_text *sct_kin_text(struct sct_kin *kin, unsigned int field)
{
	unsigned int nth = nth_of(kin, field), place = sct_text_place(sct_field_own(field));

	if (!kin_at(kin, nth))
		return &unknown;
	if (place == SCT_TEXT_COMM)
		return comm_of(kin, nth, sct_field_is_ancestors(field));
	if (!kin->held || nth >= kin->held->count)
		return &unknown;
	return &kin->held->texts[nth][place - SCT_ARGS_MAX];
}

/** sct_kin_reset() - begin another RCU section; nobody is held */
void sct_kin_reset(struct sct_kin *kin)
{
	kin->count = 0;
	kin->nth = 0;
	kin->all = false;
	kin->read = 0;
	kin->known = 0;
	kin->held = NULL;
	kin->names[0].whose = 0;
	kin->names[1].whose = 0;
}

/* Find and hold all that are looked at, and one more if there is one. */
static void hold_all(struct sct_kin *kin)
{
	unsigned int i, at;

	rcu_read_lock();
	kin_at(kin, SCT_ANCESTORS_MAX);
	for (i = 0; i < kin->count; i++) {
		get_task_struct(kin->tasks[i]);
		for (at = 0; at < ARRAY_SIZE(kin->held->texts[i]); at++)
			kin->held->texts[i][at] = unknown;
	}
	rcu_read_unlock();
	kin->all = true;
	kin->held->count = kin->count;
}

/* Write down the texts of one process; false without memory. */
static bool hold_texts(struct task_struct *task, u32 texts, struct sct_text *to, char *room)
{
	unsigned int place;
	char *copy;

	for (place = SCT_ARGS_MAX; place < SCT_TEXTS; place++, to++) {
		if (!(texts >> place & 1))
			continue;
		sct_process_text(task, place, room, to);
		if (to->state != SCT_STATE_WHOLE)
			continue;
		copy = kmemdup(to->bytes, to->len + 1, GFP_KERNEL_ACCOUNT);
		to->bytes = copy;
		if (!copy) {
			*to = unknown;
			return false;
		}
	}
	return true;
}

/**
 * sct_kin_hold() - write down what is known of the processes above the caller
 * @kin: reset
 * @texts: a bit for the place of each text that is wanted
 * @ancestors: whether of all, else of the parent
 *
 * Context: task; may sleep.
 * Return: whether there was memory; sct_kin_drop() is needed in any case.
 */
bool sct_kin_hold(struct sct_kin *kin, u32 texts, bool ancestors)
{
	struct sct_kin_held *held = kvzalloc(sizeof(*held), GFP_KERNEL_ACCOUNT);
	char *room = kmalloc(SCT_STRING_MAX, GFP_KERNEL_ACCOUNT);
	bool good = held && room;
	unsigned int i, most;

	if (!good) {
		kvfree(held);
		goto out;
	}
	kin->held = held;
	hold_all(kin);
	most = min_t(unsigned int, held->count, ancestors ? SCT_ANCESTORS_MAX : 1);
	for (i = 0; i < most && good; i++)
		good = hold_texts(kin->tasks[i], texts, held->texts[i], room);
out:
	kfree(room);
	return good;
}

/** sct_kin_drop() - forget all, held or not */
void sct_kin_drop(struct sct_kin *kin)
{
	unsigned int i, at;

	for (i = 0; kin->held && i < kin->held->count; i++) {
		for (at = 0; at < ARRAY_SIZE(kin->held->texts[i]); at++)
			kfree(kin->held->texts[i][at].bytes);
		put_task_struct(kin->tasks[i]);
	}
	kvfree(kin->held);
	sct_kin_reset(kin);
}
