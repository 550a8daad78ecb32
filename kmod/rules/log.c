// SPDX-License-Identifier: GPL-2.0-only
/*
 * How do events reach those who read /dev/sctlog?
 *
 * Whoever reads moves records from the ring into a queue of every reader, so
 * that each reader sees every event that came while it had the device open.
 * The mover stops when its own queue is full; another's that is full loses the
 * record, and is told so, by rule, as soon as there is room again.
 */
#include <linux/fs.h>
#include <linux/kfifo.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/wait.h>
#include "rules.h"

#define QUEUE_BYTES (1u << 20)
#define LOSSES_MAX 64

/* Events of one rule that did not reach a reader. */
struct loss {
	u64 generation;
	u64 count;
	u32 rule;
	u32 cause;
	u8 len;
	char name[SCT_NAME_MAX];
};

/**
 * struct reader - an open descriptor
 * @node: in readers
 * @reading: one thread at a time takes records out
 * @queue: records, each as a whole; filled under log_lock
 * @losses: that it was not yet told of; log_lock.  The last place takes all
 *	that have no place of their own.
 */
struct reader {
	struct list_head node;
	struct mutex reading;
	struct kfifo_rec_ptr_2 queue;
	void *room;
	unsigned int losses_count;
	struct loss losses[LOSSES_MAX];
};

static DEFINE_MUTEX(log_lock);
static LIST_HEAD(readers);
static unsigned int readers_count;
static DECLARE_WAIT_QUEUE_HEAD(waiting);
/* Who opens the device of a module that then fails to load would keep it open without one. */
static bool ready;

/** sct_log_is_awaited() - does anybody sleep until there is an event? */
bool sct_log_is_awaited(void)
{
	return wq_has_sleeper(&waiting);
}

/** sct_log_wake() - there is an event */
void sct_log_wake(void)
{
	wake_up_interruptible(&waiting);
}

/* A record that tells of a loss, as it goes into a queue. */
struct lost_record {
	struct sct_lost lost;
	struct sct_item item;
	char name[SCT_NAME_MAX];
};

static bool queue_loss(struct reader *reader, const struct loss *loss)
{
	size_t size = ALIGN(sizeof(struct sct_lost) + sizeof(struct sct_item) + loss->len, 8);
	struct lost_record record = { };

	BUILD_BUG_ON(sizeof(record) < sizeof(struct sct_lost) + sizeof(struct sct_item) +
				      SCT_NAME_MAX);
	record.lost = (struct sct_lost) {
		.record = {
			.size = size,
			.type = SCT_RECORD_LOST,
			.rule = loss->rule,
			.generation = loss->generation,
			.time = ktime_get_real_ns(),
		},
		.count = loss->count,
		.cause = loss->cause,
	};
	record.item = (struct sct_item) { SCT_ITEM_NAME, SCT_STATE_WHOLE, loss->len };
	memcpy(record.name, loss->name, loss->len);
	return kfifo_in(&reader->queue, (const unsigned char *)&record, size);
}

static void note_loss(struct reader *reader, const struct loss *loss)
{
	struct loss *known = reader->losses, *end = known + reader->losses_count;

	while (known < end && (known->rule != loss->rule || known->cause != loss->cause ||
			       known->generation != loss->generation))
		known++;
	if (known < end) {
		known->count += loss->count;
	} else if (reader->losses_count < LOSSES_MAX) {
		*known = *loss;
		reader->losses_count++;
	} else {
		known--;
		known->rule = SCT_NONE;
		known->len = 0;
		known->count += loss->count;
	}
}

/* The rule of an event, from the event itself: its set may be gone. */
static void note_lost_record(struct reader *reader, const struct sct_record *record)
{
	const struct sct_item *item = (const void *)record + sizeof(struct sct_event);
	struct loss loss = {
		.generation = record->generation,
		.count = 1,
		.rule = record->rule,
		.cause = SCT_CAUSE_READER,
	};

	if (record->type == SCT_RECORD_EVENT) {
		loss.len = min_t(u16, item->len, SCT_NAME_MAX);
		memcpy(loss.name, item + 1, loss.len);
	}
	note_loss(reader, &loss);
}

/* Tell of the losses first: they came before what is queued next. */
static bool queue_losses(struct reader *reader)
{
	while (reader->losses_count) {
		if (!queue_loss(reader, &reader->losses[reader->losses_count - 1]))
			return false;
		reader->losses_count--;
	}
	return true;
}

static void queue_record(struct reader *reader, const struct sct_record *record)
{
	if (!queue_losses(reader) ||
	    !kfifo_in(&reader->queue, (const unsigned char *)record, record->size))
		note_lost_record(reader, record);
}

/* What a set's rules lost for want of room in the ring, to every reader; once. */
static void tell_lost(struct sct_ruleset *set)
{
	u64 total = atomic64_read(&set->lost), lost;
	struct reader *reader;
	struct loss loss;
	const char *name;
	size_t len;
	u32 i;

	if (total == set->lost_told)
		return;
	for (i = 0; i < set->view.head->rules.count; i++) {
		lost = atomic64_read(&set->tallies[i].lost);
		if (lost == set->tallies[i].lost_told)
			continue;
		name = sct_view_string(&set->view, set->view.rules[i].name, &len);
		loss = (struct loss) {
			.generation = set->generation,
			.count = lost - set->tallies[i].lost_told,
			.rule = i,
			.cause = SCT_CAUSE_BUFFER,
			.len = len,
		};
		memcpy(loss.name, name, len);
		list_for_each_entry(reader, &readers, node)
			note_loss(reader, &loss);
		set->tallies[i].lost_told = lost;
	}
	set->lost_told = total;
}

/**
 * sct_log_retire() - a set leaves: tell what it has lost
 *
 * Context: may sleep; nobody judges by it any more.
 */
void sct_log_retire(struct sct_ruleset *set)
{
	mutex_lock(&log_lock);
	if (!list_empty(&readers))
		tell_lost(set);
	mutex_unlock(&log_lock);
	sct_log_wake();
}

static bool has_room(struct reader *reader)
{
	/* A record and its length, and what there is to tell of losses. */
	return kfifo_avail(&reader->queue) >= SCT_RECORD_MAX && queue_losses(reader) &&
	       kfifo_avail(&reader->queue) >= SCT_RECORD_MAX;
}

/* Move what the ring holds into the queues, until @mover's is full. */
static void move_records(struct reader *mover)
{
	const struct sct_record *record;
	struct sct_ruleset *set;
	struct reader *reader;
	int cpu;

	while (has_room(mover)) {
		record = sct_ring_peek(&cpu);
		if (!record)
			break;
		list_for_each_entry(reader, &readers, node)
			queue_record(reader, record);
		sct_ring_consume(cpu);
	}
	rcu_read_lock();
	set = rcu_dereference(sct_ruleset_current);
	if (set)
		tell_lost(set);
	rcu_read_unlock();
	queue_losses(mover);
}

/* Copy whole records out; how many bytes, or an error if not one could be copied. */
static ssize_t take_records(struct reader *reader, char __user *to, size_t size)
{
	unsigned int copied, next;
	ssize_t done = 0;
	int error;

	for (;;) {
		next = kfifo_is_empty(&reader->queue) ? 0 : kfifo_peek_len(&reader->queue);
		if (!next)
			return done;
		if (next > size - done)
			return done ? done : -EINVAL;
		error = kfifo_to_user(&reader->queue, to + done, next, &copied);
		if (error)
			return done ? done : error;
		done += copied;
	}
}

static bool is_readable(struct reader *reader)
{
	if (!sct_ring_is_empty())
		return true;
	/* Another reader may have moved it: into this one's queue before out of the ring. */
	smp_rmb();
	return !kfifo_is_empty(&reader->queue) || READ_ONCE(reader->losses_count);
}

static ssize_t sctlog_read(struct file *file, char __user *to, size_t size, loff_t *at)
{
	struct reader *reader = file->private_data;
	ssize_t done;

	for (;;) {
		if (mutex_lock_interruptible(&reader->reading))
			return -ERESTARTSYS;
		mutex_lock(&log_lock);
		move_records(reader);
		mutex_unlock(&log_lock);
		done = take_records(reader, to, size);
		mutex_unlock(&reader->reading);
		if (done)
			return done;
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event_interruptible(waiting, is_readable(reader)))
			return -ERESTARTSYS;
	}
}

static __poll_t sctlog_poll(struct file *file, poll_table *table)
{
	poll_wait(file, &waiting, table);
	/* Be seen to wait before looking; see sct_log_is_awaited(). */
	smp_mb();
	return is_readable(file->private_data) ? EPOLLIN | EPOLLRDNORM : 0;
}

static struct reader *make_reader(void)
{
	struct reader *reader = kvzalloc(sizeof(*reader), GFP_KERNEL);

	if (!reader)
		return NULL;
	/* Who opens is told that there is no memory; the kernel's log need not be. */
	reader->room = kvzalloc(QUEUE_BYTES, GFP_KERNEL | __GFP_NOWARN);
	if (!reader->room) {
		kvfree(reader);
		return NULL;
	}
	mutex_init(&reader->reading);
	kfifo_init(&reader->queue, reader->room, QUEUE_BYTES);
	return reader;
}

static void free_reader(struct reader *reader)
{
	kvfree(reader->room);
	kvfree(reader);
}

static int sctlog_open(struct inode *inode, struct file *file)
{
	struct reader *reader;

	if (!READ_ONCE(ready))
		return -ENXIO;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (file->f_mode & FMODE_WRITE)
		return -EINVAL;
	reader = make_reader();
	if (!reader)
		return -ENOMEM;
	mutex_lock(&log_lock);
	if (readers_count == SCT_READERS_MAX) {
		mutex_unlock(&log_lock);
		free_reader(reader);
		return -EUSERS;
	}
	readers_count++;
	list_add_tail(&reader->node, &readers);
	mutex_unlock(&log_lock);
	file->private_data = reader;
	return nonseekable_open(inode, file);
}

static int sctlog_release(struct inode *inode, struct file *file)
{
	struct reader *reader = file->private_data;

	mutex_lock(&log_lock);
	list_del(&reader->node);
	readers_count--;
	mutex_unlock(&log_lock);
	free_reader(reader);
	return 0;
}

static const struct file_operations sctlog_operations = {
	.owner = THIS_MODULE,
	.open = sctlog_open,
	.release = sctlog_release,
	.read = sctlog_read,
	.poll = sctlog_poll,
};

static struct miscdevice sctlog = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = SCT_LOG_NAME,
	.mode = 0600,
	.fops = &sctlog_operations,
};

/** sct_log_init() - the ring is there; Return: 0 or a negative errno */
int sct_log_init(void)
{
	return misc_register(&sctlog);
}

/** sct_log_open_up() - the module has loaded: the device may be opened */
void sct_log_open_up(void)
{
	WRITE_ONCE(ready, true);
}

/** sct_log_exit() - nobody has the device open, or this module would be in use */
void sct_log_exit(void)
{
	misc_deregister(&sctlog);
}
