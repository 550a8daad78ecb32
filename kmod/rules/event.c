// SPDX-License-Identifier: GPL-2.0-only
/* What does the log say of a call? */
#include <linux/cred.h>
#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/string.h>
#include "rules.h"

static size_t item_size(size_t len)
{
	return sizeof(struct sct_item) + len;
}

/* Bytes of a text that fit into what is left of a record. */
static size_t fitting(size_t len, size_t left)
{
	if (left < sizeof(struct sct_item))
		return 0;
	return min(len, left - sizeof(struct sct_item));
}

static char *put_item(char *to, const char *end, u8 what, u8 state, const char *bytes, size_t len)
{
	size_t fits = fitting(len, end - to);
	struct sct_item item = { what, fits < len ? SCT_STATE_CUT : state, fits };

	if (end - to < (ptrdiff_t)sizeof(item))
		return to;
	memcpy(to, &item, sizeof(item));
	memcpy(to + sizeof(item), bytes, fits);
	return to + sizeof(item) + fits;
}

static const struct sct_text *text_of(const struct sct_judgement *j, unsigned int arg)
{
	return j->judge.prog->kinds[arg] == SCT_KIND_STR ? &j->judge.texts[arg] : NULL;
}

/* Bytes that a source which could be read tells. */
static size_t told(const struct sct_source *source, const struct sct_found *found)
{
	if (!sct_source_is_text(source))
		return sizeof(found->number);
	if (source->what != SCT_SOURCE_DATA && source->what != SCT_SOURCE_ELEMENT)
		return found->text.len;
	return min_t(size_t, found->text.len, SCT_SHOWN_MAX);
}

/* A source as an item: how it is found, without the flag that brought it here, and what it said. */
static char *put_source(char *to, const char *end, const struct sct_source *source,
			const struct sct_found *found)
{
	bool text = sct_source_is_text(source), known = found->text.state == SCT_STATE_WHOLE;
	size_t len = known ? told(source, found) : 0;
	size_t fits = fitting(sizeof(*source) + len, end - to);
	bool cut = fits < sizeof(*source) + len || (known && text && len < found->text.len);
	struct sct_item item = { SCT_ITEM_SOURCE, cut ? SCT_STATE_CUT : found->text.state, fits };
	struct sct_source plain = *source;

	if (fits < sizeof(*source) + (text ? 0 : len))
		return to;
	plain.flags &= ~SCT_SOURCEFLAG_LOG;
	memcpy(to, &item, sizeof(item));
	to += sizeof(item);
	memcpy(to, &plain, sizeof(plain));
	memcpy(to + sizeof(plain), text ? found->text.bytes : (const char *)&found->number,
	       fits - sizeof(plain));
	return to + fits;
}

/*
 * Does an event tell of a source how reading it went?  Of a socket address only
 * what it has: most members are those of other families.
 */
static bool is_told(const struct sct_source *source, const struct sct_found *found)
{
	u8 state = found->text.state;

	if (!(source->flags & SCT_SOURCEFLAG_LOG))
		return false;
	return !source->family || source->what == SCT_SOURCE_PATH ||
	       (state != SCT_STATE_FAULT && state != SCT_STATE_ABSENT);
}

static size_t sources_size(const struct sct_judgement *j)
{
	const struct sct_source *sources = sct_view_sources(j->judge.view, j->judge.prog);
	size_t size = 0;
	unsigned int i;

	for (i = 0; i < j->judge.prog->sources; i++)
		if (is_told(&sources[i], &j->judge.found[i]))
			size += item_size(sizeof(*sources) + told(&sources[i], &j->judge.found[i]));
	return size;
}

static char *put_sources(const struct sct_judgement *j, char *to, const char *end)
{
	const struct sct_source *sources = sct_view_sources(j->judge.view, j->judge.prog);
	unsigned int i;

	for (i = 0; i < j->judge.prog->sources; i++)
		if (is_told(&sources[i], &j->judge.found[i]))
			to = put_source(to, end, &sources[i], &j->judge.found[i]);
	return to;
}

/*
 * What stands behind the sources: first measured, while there is no room @to
 * put it, then put there.  @size and @count are of what is still to come.
 */
struct rest {
	char *to;
	const char *end;
	size_t size;
	unsigned int count;
};

/* Texts share what room is left, and what one leaves is the others': none can keep another out. */
static void tell(struct rest *rest, u8 what, const u8 *field, const struct sct_text *text)
{
	size_t head = sizeof(struct sct_item) + (field ? sizeof(*field) : 0), left, share, fits;
	struct sct_item item = { what, text->state };

	if (!rest->to) {
		rest->size += head + text->len;
		rest->count++;
		return;
	}
	rest->size -= head + text->len;
	left = rest->end - rest->to;
	share = left / rest->count--;
	if (left > rest->size)
		share = max(share, left - rest->size);
	if (share < head)
		return;
	fits = min_t(size_t, text->len, share - head);
	if (fits < text->len)
		item.state = SCT_STATE_CUT;
	item.len = head - sizeof(item) + fits;
	memcpy(rest->to, &item, sizeof(item));
	if (field)
		memcpy(rest->to + sizeof(item), field, sizeof(*field));
	memcpy(rest->to + head, text->bytes, fits);
	rest->to += head + fits;
}

/*
 * Those of a parent may take locks, which nothing can where an event is
 * written: they are found when it is measured, and the same is told again then.
 */
static const struct sct_text *text_of_field(struct sct_judgement *j, u8 field)
{
	bool other = sct_field_is_others(field);
	unsigned int place = sct_text_place(other ? sct_field_own(field) : field);

	if (place == SCT_TEXTS)
		return NULL;
	return other ? sct_judge_other_text(&j->judge, field) : &j->judge.texts[place];
}

static void tell_field(struct sct_judgement *j, u8 field, struct rest *rest)
{
	const struct sct_text *text = text_of_field(j, field);
	s64 value = 0;
	struct sct_text number = { (const char *)&value, sizeof(value), SCT_STATE_WHOLE };

	if (text) {
		tell(rest, SCT_ITEM_FIELD, &field, text);
		return;
	}
	if (!sct_field_is_others(field))
		value = sct_judge_field(&j->judge, field);
	else if (sct_judge_other(&j->judge, field, &value))
		number = (struct sct_text) { .state = SCT_STATE_FAULT };
	tell(rest, SCT_ITEM_FIELD, &field, &number);
}

static void tell_rest(struct sct_judgement *j, const struct sct_rule *rule, struct rest *rest)
{
	const struct sct_text *text;
	const char *shown;
	size_t count, i;

	if (rule->flags & SCT_RULEFLAG_LOG_CWD)
		tell(rest, SCT_ITEM_CWD, NULL, &j->judge.texts[SCT_TEXT_CWD]);
	shown = sct_view_shown(j->judge.view, rule, &count);
	for (i = 0; i < count; i++)
		tell_field(j, shown[i], rest);
	for (i = 0; i < j->judge.prog->nargs; i++) {
		text = text_of(j, i);
		if (text)
			tell(rest, SCT_ITEM_ARG + i, NULL, text);
	}
}

static size_t size_of(const struct sct_judgement *j, const struct sct_rule *rule,
		      const struct rest *rest)
{
	const struct sct_view *view = j->judge.view;
	size_t size = sizeof(struct sct_event);

	size += item_size(view->strings[rule->name].len);
	if (rule->template != SCT_NONE)
		size += item_size(view->strings[rule->template].len);
	size += sources_size(j) + rest->size;
	return min_t(size_t, ALIGN(size, 8), SCT_RECORD_MAX);
}

static void put_items(struct sct_judgement *j, const struct sct_rule *rule, char *to,
		      const char *end, struct rest *rest)
{
	const struct sct_view *view = j->judge.view;
	const char *bytes;
	size_t len;

	bytes = sct_view_string(view, rule->name, &len);
	to = put_item(to, end, SCT_ITEM_NAME, SCT_STATE_WHOLE, bytes, len);
	if (rule->template != SCT_NONE) {
		bytes = sct_view_string(view, rule->template, &len);
		to = put_item(to, end, SCT_ITEM_TEMPLATE, SCT_STATE_WHOLE, bytes, len);
	}
	/* Neither may keep the other out: a long list not the program's name, nor that the list. */
	len = min_t(size_t, rest->size, (end - to) / 2);
	rest->to = put_sources(j, to, end - len);
	rest->end = end;
	tell_rest(j, rule, rest);
	memset(rest->to, 0, end - rest->to);
}

static void put_caller(struct sct_judgement *j, struct sct_event *event)
{
	const struct cred *cred = current_cred();

	event->pid = sct_judge_field(&j->judge, SCT_FIELD_PID);
	event->tid = sct_judge_field(&j->judge, SCT_FIELD_TID);
	event->ppid = sct_judge_field(&j->judge, SCT_FIELD_PPID);
	event->uid = __kuid_val(cred->uid);
	event->euid = __kuid_val(cred->euid);
	event->suid = __kuid_val(cred->suid);
	event->fsuid = __kuid_val(cred->fsuid);
	event->gid = __kgid_val(cred->gid);
	event->egid = __kgid_val(cred->egid);
	event->sgid = __kgid_val(cred->sgid);
	event->fsgid = __kgid_val(cred->fsgid);
	event->cpu = raw_smp_processor_id();
	memcpy(event->comm, j->comm, sizeof(event->comm));
}

static void put_call(const struct sct_judgement *j, struct sct_event *event)
{
	const struct sct_prog *prog = j->judge.prog;

	memcpy(event->args, j->judge.args, sizeof(event->args));
	memcpy(event->kinds, prog->kinds, sizeof(event->kinds));
	event->abi = prog->abi;
	event->nr = prog->nr;
	event->phase = prog->phase;
	event->nargs = prog->nargs;
	event->zero = 0;
}

/**
 * sct_event_log() - write an event
 * @j: the judgement, all strings of the arguments captured
 * @rule: that matched
 * @actions: that it took
 * @result: of the call, as far as there is one
 *
 * What does not fit into the buffer is lost, and counted for its rule.
 *
 * Context: the rules are held; any.
 */
void sct_event_log(struct sct_judgement *j, u32 rule, u16 actions, long result)
{
	const struct sct_rule *as = &j->judge.view->rules[rule];
	struct sct_reservation reservation;
	struct sct_event *event;
	struct rest rest = { };
	size_t size;

	sct_memory_show(j);
	if (!(j->judge.known >> SCT_TEXT_COMM & 1))
		sct_capture_comm(j);
	tell_rest(j, as, &rest);
	size = size_of(j, as, &rest);
	if (!sct_ring_reserve(&reservation, size)) {
		atomic64_inc(&j->set->tallies[rule].lost);
		atomic64_inc(&j->set->lost);
		sct_drop_count(SCT_CAUSE_BUFFER);
		return;
	}
	event = reservation.record;
	event->record = (struct sct_record) {
		.size = size,
		.type = SCT_RECORD_EVENT,
		.rule = rule,
		.generation = j->set->generation,
		.time = ktime_get_real_ns(),
	};
	event->retval = result;
	event->actions = actions;
	put_call(j, event);
	put_caller(j, event);
	put_items(j, as, (char *)(event + 1), (char *)event + size, &rest);
	sct_ring_commit_record(&reservation);
	atomic64_inc(&j->set->tallies[rule].logged);
}

/**
 * sct_event_log_move() - write that a point is doing better or worse than it did
 *
 * Context: may sleep.
 */
void sct_event_log_move(unsigned int slot, u16 mechanism, u16 state)
{
	struct sct_reservation reservation;
	struct sct_moved *moved;

	if (!sct_ring_reserve(&reservation, sizeof(*moved))) {
		sct_drop_count(SCT_CAUSE_BUFFER);
		return;
	}
	moved = reservation.record;
	*moved = (struct sct_moved) {
		.record = {
			.size = sizeof(*moved),
			.type = SCT_RECORD_POINT,
			.rule = SCT_NONE,
			.time = ktime_get_real_ns(),
		},
		.abi = sct_slot_abi(slot),
		.nr = sct_slot_nr(slot),
		.mechanism = mechanism,
		.state = state,
	};
	sct_ring_commit_record(&reservation);
}
