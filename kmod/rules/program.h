/* SPDX-License-Identifier: GPL-2.0-only */
/* What the verifier hands to the judge, and the judge to whoever acts on it. */
#ifndef SCT_PROGRAM_H
#define SCT_PROGRAM_H

#include "pure.h"

/**
 * struct sct_view - a verified image, its sections found
 *
 * Points into the image, which has to stay and not to change.
 */
struct sct_view {
	const struct sct_image *head;
	const struct sct_prog *progs;
	const struct sct_rule *rules;
	const struct sct_insn *insns;
	const s64 *consts;
	const struct sct_source *sources;
	const struct sct_string *strings;
	const char *text;
	const char *source;
};

/* flow.c */
unsigned int sct_insn_fields(const struct sct_insn *insn, u8 named[2]);
int sct_flow_verify(const struct sct_view *view, const struct sct_prog *prog, u32 *scratch,
		    struct sct_error *error);

/* verify.c */
int sct_verify_layout(const void *image, size_t size, struct sct_view *view,
		      struct sct_error *error);
int sct_verify_content(const struct sct_view *view, u32 *scratch, struct sct_error *error);
size_t sct_verify_scratch(const struct sct_view *view);
int sct_error_errno(u32 code);
int sct_error_refuse(struct sct_error *error, u32 code, u32 index, s64 value);

static inline const char *sct_view_string(const struct sct_view *view, u32 index, size_t *len)
{
	*len = view->strings[index].len;
	return view->text + view->strings[index].offset;
}

/* The numbers of the fields that a rule's events carry, a byte each. */
static inline const char *sct_view_shown(const struct sct_view *view, const struct sct_rule *rule,
					 size_t *count)
{
	*count = 0;
	return rule->shows ? sct_view_string(view, rule->shows - 1, count) : NULL;
}

/* A string that a judgement needs, copied once. */
struct sct_text {
	const char *bytes;
	u16 len;
	u8 state; /* SCT_STATE_* */
};

/* What a source says, read once: a number, or a text; text.state is that of either. */
struct sct_found {
	s64 number;
	struct sct_text text;
};

/* Places of a judgement's texts: the arguments, then the fields of type str. */
#define TEXT(name) SCT_TEXT_##name,
enum sct_text_number { SCT_TEXT_ARGS_END = SCT_ARGS_MAX - 1, SCT_TEXT_TABLE(TEXT) SCT_TEXTS };
#undef TEXT

/* Of PARENT or ANCESTOR?  Fields of the caller can be numbered below and above. */
static inline bool sct_field_is_others(unsigned int field)
{
	return field >= SCT_FIELDS_PARENT && field < SCT_FIELDS_BEHIND;
}

static inline bool sct_field_is_ancestors(unsigned int field)
{
	return field >= SCT_FIELDS_ANCESTOR && field < SCT_FIELDS_BEHIND;
}

/* The number that a field of another process has as one of the caller's. */
static inline unsigned int sct_field_own(unsigned int field)
{
	return field - (sct_field_is_ancestors(field) ? SCT_SUBJECT_ANCESTOR : SCT_SUBJECT_PARENT);
}

/* The place of a string operand. */
static inline unsigned int sct_text_place(unsigned int operand)
{
	if (likely(operand < SCT_ARGS_MAX))
		return operand;
#define TEXT(name) if (operand == SCT_FIELD_##name) return SCT_TEXT_##name;
	SCT_TEXT_TABLE(TEXT)
#undef TEXT
	return SCT_TEXTS;
}

/**
 * struct sct_judge - one judgement
 * @view: the rule set
 * @prog: the program of the point and phase
 * @args: the argument registers
 * @known: a bit for each text that was captured
 * @texts: by place
 * @read: a bit for each source of @prog that is in @found
 * @found: by index among the program's sources
 * @matches: how many rules matched
 * @matched: their indices, in order
 *
 * What a program asks for beside its arguments comes from the functions below,
 * which the embedder defines; they find their own state around this structure.
 */
struct sct_judge {
	const struct sct_view *view;
	const struct sct_prog *prog;
	u64 args[SCT_ARGS_MAX];
	u32 known;
	u64 read;
	u32 matches;
	struct sct_text texts[SCT_TEXTS];
	u32 matched[SCT_MATCHES_MAX];
	struct sct_found found[SCT_PROG_SOURCES_MAX];
};

/**
 * enum sct_verdict - how a judgement ended
 * @SCT_VERDICT_DONE: matched[] holds what matched
 * @SCT_VERDICT_DEFER: it needs what cannot be had here; nothing has happened
 */
enum sct_verdict {
	SCT_VERDICT_DONE,
	SCT_VERDICT_DEFER,
};

enum sct_verdict sct_judge(struct sct_judge *judge);

/**
 * sct_judge_field() - value of a field of type int
 */
s64 sct_judge_field(struct sct_judge *judge, unsigned int field);

/**
 * sct_judge_ancestor() - turn to an ancestor, of whom the fields of ANCESTOR are from then on
 * @nth: 0 for the parent; one by one, up to SCT_ANCESTORS_MAX
 *
 * Return: whether there is one.
 */
bool sct_judge_ancestor(struct sct_judge *judge, unsigned int nth);

/**
 * sct_judge_other() - value of a field of type int of another process
 *
 * Return: 0; -EFAULT, and @value is left, if it cannot be known.
 */
int sct_judge_other(struct sct_judge *judge, unsigned int field, s64 *value);

/**
 * sct_judge_other_text() - a field of type str of another process
 *
 * Return: what is known of it, until the next call for the same subject.
 */
const struct sct_text *sct_judge_other_text(struct sct_judge *judge, unsigned int field);

/**
 * sct_judge_capture() - make a text known
 * @place: in texts[]
 *
 * Return: 0, and it is known how that went; -EAGAIN if not here.
 */
int sct_judge_capture(struct sct_judge *judge, unsigned int place);

/**
 * sct_judge_source() - read a source, or say how that went when it was
 * @source: of judge->prog, by its index there
 * @found: filled in, unless -EAGAIN is returned
 *
 * Return: 0; -EAGAIN if not here.
 */
int sct_judge_source(struct sct_judge *judge, unsigned int source, struct sct_found *found);

/**
 * sct_judge_copy() - copy memory of the caller
 *
 * Return: 0; -EFAULT if not all of it can be read; -EAGAIN if not here.
 */
int sct_judge_copy(struct sct_judge *judge, void *to, u64 from, size_t size);

/**
 * sct_judge_path() - where a path or a descriptor leads
 * @source: says which
 * @text: bytes and len are filled in, if 0 is returned
 *
 * Return: 0; -ENOENT for no name, -E2BIG for one that is too long, -EFAULT if
 * it leads nowhere that can be named; -EAGAIN if not here, -ENOMEM.
 */
int sct_judge_path(struct sct_judge *judge, const struct sct_source *source,
		   struct sct_text *text);

/**
 * sct_judge_room() - room for a text that stays as long as the judgement
 * @size: in bytes, at most SCT_STRING_MAX
 *
 * Return: NULL if there is none here.
 */
char *sct_judge_room(struct sct_judge *judge, size_t size);

/**
 * sct_judge_unknown() - a rule was neither true nor false
 *
 * Return: 0; -EAGAIN if it cannot be counted here.
 */
int sct_judge_unknown(struct sct_judge *judge, u32 rule);

/**
 * sct_judge_crc() - CRC-32 (IEEE 802.3) of bytes, as zlib's crc32(0, …)
 */
u32 sct_judge_crc(const void *bytes, size_t size);

/* glob.c */
bool sct_glob(const char *pattern, size_t plen, const char *text, size_t len);
bool sct_path_glob(const char *pattern, size_t plen, const char *text, size_t len);

/* judge.c */
s64 sct_widen(u64 value, u8 kind);

/* reading.c */
bool sct_source_is_sound(const struct sct_prog *prog, const struct sct_source *source);
bool sct_source_is_text(const struct sct_source *source);
bool sct_source_same(const struct sct_source *one, const struct sct_source *other);
int sct_source_read(struct sct_judge *judge, const struct sct_source *source,
		    struct sct_found *found);

/* The sources of a program. */
static inline const struct sct_source *sct_view_sources(const struct sct_view *view,
							const struct sct_prog *prog)
{
	return view->sources + prog->source;
}

#endif
