/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of sct_rules promise each other. */
#ifndef SCT_RULES_INTERNAL_H
#define SCT_RULES_INTERNAL_H

#include <linux/atomic.h>
#include <linux/delayed_call.h>
#include <linux/limits.h>
#include <linux/namei.h>
#include <linux/path.h>
#include <linux/percpu.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include "../compat.h"
#include "../sct_hijack.h"
#include "program.h"

/**
 * struct sct_tally - what became of a rule's matches; see struct sct_counters
 * @lost_before: events lost under earlier sets that had the same rule
 * @lost_told: how much of @lost the log's readers were told; log.c's lock
 */
struct sct_tally {
	atomic64_t matched, logged, failed, killed, suspended, unknown, lost;
	u64 lost_before;
	u64 lost_told;
};

/* What is judged at one point. */
struct sct_programs {
	const struct sct_prog *before, *after;
	bool task; /* cannot be judged where sleeping is forbidden */
	bool lasts; /* asks how long the call took */
	bool ancestors; /* texts of those beyond the parent are among them */
	u32 texts; /* of the process that are needed beforehand, a bit for each place */
	u32 kin_texts; /* the same of the parent, or of all ancestors */
	bool fails; /* has a rule that keeps the call from being made */
};

/**
 * struct sct_ruleset - a rule set in force; readers: RCU, or preemption off
 * @users: that hold it beyond RCU
 * @generation: counts the uploads
 * @image: as uploaded, verified
 * @size: of @image in bytes
 * @view: into @image
 * @tallies: one for each rule
 * @lost: the sum of the rules' lost events
 * @lost_told: how much of it the log's readers were told; log.c's lock
 * @points: a bit for each slot that has programs
 * @programs: by slot
 */
struct sct_ruleset {
	refcount_t users;
	u64 generation;
	void *image;
	size_t size;
	struct sct_view view;
	struct sct_tally *tallies;
	atomic64_t lost;
	u64 lost_told;
	DECLARE_BITMAP(points, SCT_SLOTS);
	struct sct_programs programs[SCT_SLOTS];
};

/* image.c */
void *sct_image_copy(const void __user *from, size_t size, struct sct_error *error);
int sct_image_verify(const void *image, size_t size, struct sct_view *view,
		     struct sct_error *error);

/* ruleset.c */
extern struct sct_ruleset __rcu *sct_ruleset_current;
struct sct_ruleset *sct_ruleset_create(void *image, size_t size, struct sct_error *error);
void sct_ruleset_put(struct sct_ruleset *set);
int sct_ruleset_publish(struct sct_ruleset *set, struct sct_error *error);
struct sct_ruleset *sct_ruleset_held(void);
struct sct_ruleset *sct_ruleset_get(void);
void sct_ruleset_count(const struct sct_ruleset *set, u32 rule, struct sct_counters *counters);
void sct_ruleset_exit(void);

/* judgement.c */
int sct_judgement_init(void);
void sct_judgement_exit(void);
extern const struct sct_client sct_judgement_client;

/**
 * enum sct_stage - where a call is judged
 * @SCT_STAGE_GLANCE: where sleeping is forbidden; strings are copied when asked for
 * @SCT_STAGE_COPYING: in task context; strings are being copied
 * @SCT_STAGE_SEALED: in task context; the rules are held and nothing more is copied
 */
enum sct_stage {
	SCT_STAGE_GLANCE,
	SCT_STAGE_COPYING,
	SCT_STAGE_SEALED,
};

/* A source that was read in task context, and what it said. */
struct sct_held {
	struct sct_source source;
	struct sct_found found;
};

#define SCT_KIN (SCT_ANCESTORS_MAX + 1) /* one more, to know that there is one */
#define SCT_KIN_NUMBERS (SCT_FIELDS_ANCESTOR - SCT_FIELDS_PARENT)

/**
 * struct sct_kin_held - processes that are held, and their texts
 * @count: how many
 * @texts: by process, the nearest first, and place behind the arguments; bytes are theirs to free
 */
struct sct_kin_held {
	unsigned int count;
	struct sct_text texts[SCT_KIN][SCT_TEXTS - SCT_ARGS_MAX];
};

/**
 * struct sct_kin_name - the command name of a process above a caller
 * @whose: 1 for that of the nearest, 0 for none
 * @comm: a copy of it
 * @text: what says where that is
 */
struct sct_kin_name {
	unsigned int whose;
	char comm[16];
	struct sct_text text;
};

/**
 * struct sct_kin - the processes above a caller
 * @count: how many were found so far
 * @nth: the one that is the ancestor, from 0
 * @all: there are no more
 * @read: a bit for each of @numbers that was asked for
 * @known: those of them that are known
 * @numbers: of the parent, by field; read once, since it runs on meanwhile
 * @held: NULL if they are only valid in the RCU section in which they were found
 * @names: those of the parent and of the ancestor
 * @tasks: the nearest first
 */
struct sct_kin {
	unsigned int count, nth;
	bool all;
	u64 read, known;
	s64 numbers[SCT_KIN_NUMBERS];
	struct sct_kin_held *held;
	struct sct_kin_name names[2];
	struct task_struct *tasks[SCT_KIN];
};

/**
 * struct sct_judgement - a call being judged
 * @judge: what the pure part sees
 * @set: the rules it is judged by; only while they are held
 * @result: of the call, in the after phase
 * @time: in nanoseconds since 1970, 0 before somebody asks
 * @duration: of the call in nanoseconds, in the after phase
 * @stage: where it is judged
 * @kin: the processes above the caller
 * @comm: room for the command name
 * @free: room for further strings
 * @end: of that room
 * @holds: what was read of memory in task context
 * @held: how much
 * @most: how much there is room for
 */
struct sct_judgement {
	struct sct_judge judge;
	struct sct_ruleset *set;
	long result;
	s64 time;
	s64 duration;
	enum sct_stage stage;
	struct sct_kin kin;
	char comm[16];
	char *free, *end;
	struct sct_held *holds;
	unsigned int held, most;
};

/* kin.c */
bool sct_kin_ancestor(struct sct_kin *kin, unsigned int nth);
int sct_kin_number(struct sct_kin *kin, unsigned int field, s64 *value);
const struct sct_text *sct_kin_text(struct sct_kin *kin, unsigned int field);
bool sct_kin_hold(struct sct_kin *kin, u32 texts, bool ancestors);
void sct_kin_drop(struct sct_kin *kin);
void sct_kin_reset(struct sct_kin *kin);

/* capture.c */
/**
 * sct_capture_begin() - start to judge a call
 * @j: to be filled in; its program and set come later
 * @slot: the call
 * @regs: the caller's registers
 * @room: for strings; 8-byte aligned
 * @size: of @room; in SCT_STAGE_COPYING as sct_capture_room() and
 *	sct_memory_needs() say
 * @stage: SCT_STAGE_GLANCE or SCT_STAGE_COPYING
 */
static inline void sct_capture_begin(struct sct_judgement *j, unsigned int slot,
				     const struct pt_regs *regs, char *room, size_t size,
				     enum sct_stage stage)
{
	sct_caller_args(regs, sct_slot_abi(slot), j->judge.args);
	j->judge.known = 0;
	j->stage = stage;
	j->result = 0;
	j->time = 0;
	j->duration = 0;
	j->free = room;
	j->end = room + size;
	sct_kin_reset(&j->kin);
}

int sct_capture_args(struct sct_judgement *j, const struct sct_prog *prog);
void sct_capture_process(struct sct_judgement *j, u32 texts, char *room);
void sct_capture_seal(struct sct_judgement *j);
void sct_capture_comm(struct sct_judgement *j);
size_t sct_capture_room(const struct sct_prog *prog, u32 texts);

/* process.c */
int sct_process_number(struct task_struct *task, const struct cred *cred, unsigned int field,
		       s64 *value);
void sct_process_text(struct task_struct *task, unsigned int place, char *room,
		      struct sct_text *text);

/* memory.c */
struct sct_needs {
	size_t room;
	unsigned int count;
};

struct sct_needs sct_memory_needs(const struct sct_view *view, const struct sct_prog *prog);
bool sct_memory_hold(struct sct_judgement *j, const struct sct_view *view,
		     const struct sct_prog *prog, bool after);
int sct_memory_show(struct sct_judgement *j);
int sct_memory_number(struct sct_judge *judge, const struct sct_source *source, u64 *number);
bool sct_memory_may_sleep(struct sct_judge *judge);

/* walk.c */
/**
 * struct sct_turn - a symbolic link that is being followed
 * @link: where it is; what it says stays as long as this is held
 * @done: how to release what it says
 * @rest: of the name that it stood in
 */
struct sct_turn {
	struct path link;
	struct delayed_call done;
	const char *rest;
};

/**
 * struct sct_walk - room for a lookup
 * @depth: how many links are being followed within one another
 * @links: how many have been followed
 * @part: of the name, the one that is looked up: how long it may be is for its file system to say
 */
struct sct_walk {
	unsigned int depth, links;
	struct sct_turn turns[MAXSYMLINKS];
	char part[PATH_MAX];
};

int sct_walk(struct sct_walk *walk, struct path *at, const char *name, unsigned int flags);

/* paths.c */
char *sct_path_from_top(struct path *path, char *room, size_t size);

/* act.c */
enum sct_next sct_act(struct sct_judgement *j, unsigned int slot, const struct pt_regs *regs,
		      long *result);
void sct_act_exit(void);

/* event.c */
void sct_event_log(struct sct_judgement *j, u32 rule, u16 actions, long result);
void sct_event_log_move(unsigned int slot, u16 mechanism, u16 state);

/* ring.c */
struct sct_reservation {
	void *event;
	void *record;
};

bool sct_ring_reserve(struct sct_reservation *reservation, size_t size);
void sct_ring_commit_record(const struct sct_reservation *reservation);
const struct sct_record *sct_ring_peek(int *cpu);
void sct_ring_consume(int cpu);
bool sct_ring_is_empty(void);
void sct_drop_count(u32 cause);
int sct_drop_list(struct sct_drop *list, unsigned int first, unsigned int count,
		  unsigned int *total);
int sct_ring_init(void);
void sct_ring_exit(void);

/* log.c */
void sct_log_wake(void);
bool sct_log_is_awaited(void);
void sct_log_retire(struct sct_ruleset *set);
int sct_log_init(void);
void sct_log_open_up(void);
void sct_log_exit(void);

/* control.c */
int sct_control_init(void);
void sct_control_exit(void);

#endif
