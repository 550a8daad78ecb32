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
	const struct sct_string *strings;
	const char *text;
	const char *source;
};

/* verify.c */
int sct_verify_layout(const void *image, size_t size, struct sct_view *view,
		      struct sct_error *error);
int sct_verify_content(const struct sct_view *view, u16 *scratch, struct sct_error *error);
size_t sct_verify_scratch(const struct sct_view *view);
int sct_error_errno(u32 code);

static inline const char *sct_view_string(const struct sct_view *view, u32 index, size_t *len)
{
	*len = view->strings[index].len;
	return view->text + view->strings[index].offset;
}

/* A string that a judgement needs, copied once. */
struct sct_text {
	const char *bytes;
	u16 len;
	u8 state; /* SCT_STATE_* */
};

/* Places of a judgement's texts: the arguments, then the fields of type str. */
#define SCT_TEXT_COMM SCT_ARGS_MAX
#define SCT_TEXT_CWD (SCT_ARGS_MAX + 1)
#define SCT_TEXTS (SCT_ARGS_MAX + 2)

/* The place of a string operand. */
static inline unsigned int sct_text_place(unsigned int operand)
{
	if (likely(operand < SCT_ARGS_MAX))
		return operand;
	return operand == SCT_FIELD_COMM ? SCT_TEXT_COMM : SCT_TEXT_CWD;
}

/**
 * struct sct_judge - one judgement
 * @view: the rule set
 * @prog: the program of the point and phase
 * @args: the argument registers
 * @known: a bit for each text that was captured
 * @texts: by place
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
	u32 matches;
	struct sct_text texts[SCT_TEXTS];
	u32 matched[SCT_MATCHES_MAX];
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
 * sct_judge_capture() - make a text known
 * @place: in texts[]
 *
 * Return: 0, and it is known how that went; -EAGAIN if not here.
 */
int sct_judge_capture(struct sct_judge *judge, unsigned int place);

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

/* judge.c */
bool sct_glob(const char *pattern, size_t plen, const char *text, size_t len);
s64 sct_widen(u64 value, u8 kind);

#endif
