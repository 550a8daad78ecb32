// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where do events wait for a reader?
 *
 * In the kernel's own ring buffer: one part for each processor, written
 * without a lock from any context.  It is not overwritten: what finds no room
 * is dropped, so that the loss can be charged to its rule.  It is read under
 * log.c's lock.
 */
#include <linux/cpumask.h>
#include <linux/irq_work.h>
#include <linux/moduleparam.h>
#include "../compat.h"
#include "rules.h"

static unsigned int buffer_kb = 512;
module_param(buffer_kb, uint, 0444);
MODULE_PARM_DESC(buffer_kb, "room for events on each processor, in KiB (default 512)");

static struct trace_buffer *ring;

#define CAUSES (SCT_CAUSE_MEMORY + 1)
static DEFINE_PER_CPU(u64[CAUSES], drops);

/* Waking a reader takes locks that the path of a call must not. */
static void wake(struct irq_work *work)
{
	sct_log_wake();
}

static DEFINE_IRQ_WORK(waker, wake);

/**
 * sct_ring_reserve() - room for a record on this processor
 * @reservation: filled in; its record is the caller's to write, then to commit
 * @size: in bytes, at most SCT_RECORD_MAX
 *
 * Context: any; preemption stays off until it is committed.
 * Return: false if there is no room.
 */
bool sct_ring_reserve(struct sct_reservation *reservation, size_t size)
{
	reservation->event = ring_buffer_lock_reserve(ring, size);
	if (!reservation->event)
		return false;
	reservation->record = ring_buffer_event_data(reservation->event);
	return true;
}

/** sct_ring_commit_record() - hand a written record to the readers */
void sct_ring_commit_record(const struct sct_reservation *reservation)
{
	sct_ring_commit(ring, reservation->event);
	if (sct_log_is_awaited())
		irq_work_queue(&waker);
}

/**
 * sct_ring_peek() - the oldest record
 * @cpu: set to where it waits
 *
 * Context: log.c's lock is held.
 * Return: the record, until sct_ring_consume(*cpu), or NULL.
 */
const struct sct_record *sct_ring_peek(int *cpu)
{
	const struct sct_record *record, *oldest = NULL;
	struct ring_buffer_event *event;
	u64 unused;
	int i;

	for_each_possible_cpu(i) {
		event = ring_buffer_peek(ring, i, &unused, NULL);
		if (!event)
			continue;
		/* The buffer's own clocks need not agree between processors. */
		record = ring_buffer_event_data(event);
		if (!oldest || record->time < oldest->time) {
			oldest = record;
			*cpu = i;
		}
	}
	return oldest;
}

/** sct_ring_consume() - take the oldest record of a processor away */
void sct_ring_consume(int cpu)
{
	ring_buffer_consume(ring, cpu, NULL, NULL);
}

/** sct_ring_is_empty() - is there no record? */
bool sct_ring_is_empty(void)
{
	return ring_buffer_empty(ring);
}

/** sct_drop_count() - count an event that is lost on this processor */
void sct_drop_count(u32 cause)
{
	this_cpu_inc(drops[cause]);
}

/**
 * sct_drop_list() - what was dropped, by processor and cause
 * @list: room for @count of them
 * @first: how many to leave out
 * @count: how many at the most
 * @total: set to how many there are
 *
 * Return: how many were written.
 */
int sct_drop_list(struct sct_drop *list, unsigned int first, unsigned int count,
		  unsigned int *total)
{
	unsigned int seen = 0, done = 0, cause;
	int cpu;

	for_each_possible_cpu(cpu) {
		for (cause = SCT_CAUSE_BUFFER; cause < CAUSES; cause++) {
			if (seen++ < first || done == count)
				continue;
			list[done++] = (struct sct_drop) {
				cpu, cause, per_cpu(drops, cpu)[cause],
			};
		}
	}
	*total = seen;
	return done;
}

/** sct_ring_init() - Return: 0 or -ENOMEM */
int sct_ring_init(void)
{
	ring = ring_buffer_alloc((unsigned long)clamp(buffer_kb, 16u, 1u << 20) << 10, 0);
	return ring ? 0 : -ENOMEM;
}

/** sct_ring_exit() - nobody writes or reads any more */
void sct_ring_exit(void)
{
	irq_work_sync(&waker);
	ring_buffer_free(ring);
}
