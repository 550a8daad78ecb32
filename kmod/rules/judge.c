// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which rules does a call match?
 *
 * Runs a verified program.  Pure, and without effect: what matched is written
 * down for others to act upon, so that a judgement that finds itself in the
 * wrong place can be made again elsewhere.
 */
#include "program.h"

struct kind {
	u8 shift;
	bool is_signed;
};

#define KIND(name, bits, is_signed) [SCT_KIND_##name] = { 64 - (bits), is_signed },
static const struct kind kinds[SCT_KINDS] = { SCT_KIND_TABLE(KIND) };
#undef KIND

/** sct_widen() - a register as a 64-bit number, by the SCT_KIND_@kind of its argument */
s64 sct_widen(u64 value, u8 kind)
{
	const struct kind *as = &kinds[kind];

	value <<= as->shift;
	return as->is_signed ? (s64)value >> as->shift : (s64)(value >> as->shift);
}

static u64 load(const char *from)
{
	u64 word;

	memcpy(&word, from, sizeof(word));
	return word;
}

/*
 * Are two strings of one length equal?  memcmp() has to say which one is less,
 * and so looks at the word that differs byte by byte: most of what a rule that
 * does not match would cost.
 */
static bool equal(const char *a, const char *b, size_t len)
{
	size_t at;

	if (len < sizeof(u64)) {
		for (at = 0; at < len; at++)
			if (a[at] != b[at])
				return false;
		return true;
	}
	for (at = 0; at < len - sizeof(u64); at += sizeof(u64))
		if (load(a + at) != load(b + at))
			return false;
	/* The last word may overlap the one before. */
	at = len - sizeof(u64);
	return load(a + at) == load(b + at);
}

static bool contains(const char *text, size_t len, const char *part, size_t plen)
{
	const char *at = text, *last;

	if (!plen)
		return true;
	if (plen > len)
		return false;
	for (last = text + len - plen; at <= last; at++) {
		at = memchr(at, *part, last - at + 1);
		if (!at)
			return false;
		if (equal(at, part, plen))
			return true;
	}
	return false;
}

static bool compare(u8 op, const char *text, size_t len, const char *with, size_t wlen)
{
	switch (op) {
	case SCT_OP_SPRE:
		return len >= wlen && equal(text, with, wlen);
	case SCT_OP_SSUF:
		return len >= wlen && equal(text + len - wlen, with, wlen);
	case SCT_OP_SCON:
		return contains(text, len, with, wlen);
	case SCT_OP_SGLOB:
		return sct_glob(with, wlen, text, len);
	case SCT_OP_SPATH:
		return sct_path_glob(with, wlen, text, len);
	default: /* SEQ, SEQS */
		return len == wlen && equal(text, with, len);
	}
}

/* What a source says, NULL if it has to be read elsewhere. */
static const struct sct_found *find_source(struct sct_judge *judge, unsigned int index)
{
	struct sct_found *found = &judge->found[index];

	if (!(judge->read >> index & 1)) {
		if (sct_judge_source(judge, index, found))
			return NULL;
		judge->read |= 1ull << index;
	}
	return found;
}

/* The text of a string operand: 0, -EFAULT if it cannot be known, -EAGAIN if not here. */
static int find_text(struct sct_judge *judge, unsigned int operand, const char **bytes, size_t *len)
{
	const struct sct_found *found;
	const struct sct_text *text;
	unsigned int place;

	if (unlikely(operand >= SCT_SOURCE_OPERAND)) {
		found = find_source(judge, operand - SCT_SOURCE_OPERAND);
		if (!found)
			return -EAGAIN;
		text = &found->text;
	} else if (unlikely(sct_field_is_others(operand))) {
		text = sct_judge_other_text(judge, operand);
	} else {
		place = sct_text_place(operand);
		text = &judge->texts[place];
		if (!(judge->known >> place & 1) && sct_judge_capture(judge, place))
			return -EAGAIN;
	}
	if (text->state != SCT_STATE_WHOLE)
		return -EFAULT;
	*bytes = text->bytes;
	*len = text->len;
	return 0;
}

/* Of an instruction that compares strings: 0 or 1, or an error of find_text(). */
static int judge_string(struct sct_judge *judge, const struct sct_insn *insn)
{
	const char *text SCT_UNINITIALIZED, *with SCT_UNINITIALIZED;
	size_t len SCT_UNINITIALIZED, wlen SCT_UNINITIALIZED;
	int error = find_text(judge, insn->a, &text, &len);

	if (error)
		return error;
	if (insn->op == SCT_OP_SEQS) {
		error = find_text(judge, insn->b, &with, &wlen);
		if (error)
			return error;
	} else {
		with = sct_view_string(judge->view, insn->imm, &wlen);
	}
	return compare(insn->op, text, len, with, wlen);
}

/* The most negative number has no positive counterpart: C leaves both undefined. */
static s64 divide(u8 op, s64 a, s64 b)
{
	switch (op) {
	case SCT_OP_DIV:
		return b == -1 ? (s64)-(u64)a : div64_s64(a, b);
	case SCT_OP_MOD:
		return b == -1 ? 0 : a - div64_s64(a, b) * b;
	case SCT_OP_DIVU:
		return div64_u64(a, b);
	default: /* MODU */
		return (u64)a - div64_u64(a, b) * (u64)b;
	}
}

/* Two-operand arithmetic and comparison; division apart. */
static s64 calculate(u8 op, u64 a, u64 b)
{
	switch (op) {
	case SCT_OP_ADD:
		return a + b;
	case SCT_OP_SUB:
		return a - b;
	case SCT_OP_MUL:
		return a * b;
	case SCT_OP_AND:
		return a & b;
	case SCT_OP_OR:
		return a | b;
	case SCT_OP_XOR:
		return a ^ b;
	case SCT_OP_SHL:
		return a << (b & 63);
	case SCT_OP_SHR:
		return a >> (b & 63);
	case SCT_OP_SAR:
		return (s64)a >> (b & 63);
	case SCT_OP_EQ:
		return a == b;
	case SCT_OP_NE:
		return a != b;
	case SCT_OP_LT:
		return (s64)a < (s64)b;
	case SCT_OP_LE:
		return (s64)a <= (s64)b;
	case SCT_OP_LTU:
		return a < b;
	default: /* LEU */
		return a <= b;
	}
}

/* A program's registers: numbers, and which of them are unknown. */
struct registers {
	s64 value[SCT_REGS_MAX];
	u32 unknown;
};

static void set(struct registers *regs, u8 dst, s64 value, bool unknown)
{
	regs->value[dst] = value;
	regs->unknown = (regs->unknown & ~(1u << dst)) | (u32)unknown << dst;
}

static bool is_unknown(const struct registers *regs, u8 reg)
{
	return regs->unknown >> reg & 1;
}

static bool is_true(const struct registers *regs, u8 reg)
{
	return !is_unknown(regs, reg) && regs->value[reg];
}

static bool is_false(const struct registers *regs, u8 reg)
{
	return !is_unknown(regs, reg) && !regs->value[reg];
}

/* Opcodes that compute a register from registers. */
static void operate(struct registers *regs, const struct sct_insn *insn)
{
	s64 a = regs->value[insn->a], b;
	bool unknown = is_unknown(regs, insn->a);

	switch (insn->op) {
	case SCT_OP_NEG:
		set(regs, insn->dst, -(u64)a, unknown);
		return;
	case SCT_OP_NOT:
		set(regs, insn->dst, ~a, unknown);
		return;
	case SCT_OP_FALSE:
		set(regs, insn->dst, !a, unknown);
		return;
	case SCT_OP_TRUE:
		set(regs, insn->dst, !!a, unknown);
		return;
	}
	b = regs->value[insn->b];
	unknown |= is_unknown(regs, insn->b);
	switch (insn->op) {
	case SCT_OP_ALL:
		set(regs, insn->dst, a && b,
		    unknown && !is_false(regs, insn->a) && !is_false(regs, insn->b));
		break;
	case SCT_OP_ANY:
		set(regs, insn->dst, is_true(regs, insn->a) || is_true(regs, insn->b),
		    unknown && !is_true(regs, insn->a) && !is_true(regs, insn->b));
		break;
	case SCT_OP_DIV:
	case SCT_OP_MOD:
	case SCT_OP_DIVU:
	case SCT_OP_MODU:
		unknown |= !b;
		set(regs, insn->dst, unknown ? 0 : divide(insn->op, a, b), unknown);
		break;
	default:
		set(regs, insn->dst, calculate(insn->op, a, b), unknown);
		break;
	}
}

static void load_field(struct sct_judge *judge, struct registers *regs,
		       const struct sct_insn *insn)
{
	s64 value = 0;
	int error;

	if (likely(!sct_field_is_others(insn->imm))) {
		set(regs, insn->dst, sct_judge_field(judge, insn->imm), false);
		return;
	}
	error = sct_judge_other(judge, insn->imm, &value);
	set(regs, insn->dst, value, error);
}

/* A block that runs for each ancestor: its EACH, which ancestor's turn it is, was one unknown? */
struct block {
	const struct sct_insn *each;
	unsigned int nth;
	bool unknown;
};

/* Behind the block of its EACH if there is no ancestor, else at its beginning. */
static const struct sct_insn *begin_block(struct sct_judge *judge, struct registers *regs,
					  const struct sct_insn *insn, struct block *block)
{
	*block = (struct block) { .each = insn };
	set(regs, insn->dst, 0, false);
	return sct_judge_ancestor(judge, 0) ? insn : insn + insn->imm;
}

/* Back to the beginning of the block, or on. */
static const struct sct_insn *end_block(struct sct_judge *judge, struct registers *regs,
					const struct sct_insn *insn, struct block *block)
{
	bool more;

	if (is_true(regs, insn->a)) {
		set(regs, insn->a, 1, false);
		return insn;
	}
	block->unknown |= is_unknown(regs, insn->a);
	more = sct_judge_ancestor(judge, ++block->nth);
	if (more && block->nth < SCT_ANCESTORS_MAX)
		return block->each;
	set(regs, insn->a, 0, block->unknown || more);
	return insn;
}

/**
 * sct_judge() - run a program
 * @judge: view, prog, args, known and read set; matches and matched[] are filled in
 *
 * Return: SCT_VERDICT_DONE, or SCT_VERDICT_DEFER as soon as one of the
 * embedder's functions says -EAGAIN.
 */
enum sct_verdict sct_judge(struct sct_judge *judge)
{
	const struct sct_view *view = judge->view;
	const struct sct_insn *insn = &view->insns[judge->prog->insn];
	struct registers regs SCT_UNINITIALIZED;
	const struct sct_found *found;
	struct block block = { };
	int outcome;

	regs.unknown = 0;
	judge->matches = 0;
	for (;; insn++) {
		switch (insn->op) {
		case SCT_OP_RET:
			return SCT_VERDICT_DONE;
		case SCT_OP_MATCH:
			if (is_unknown(&regs, insn->a)) {
				if (sct_judge_unknown(judge, insn->imm))
					return SCT_VERDICT_DEFER;
			} else if (regs.value[insn->a]) {
				judge->matched[judge->matches++] = insn->imm;
				if (!(view->rules[insn->imm].flags & SCT_RULEFLAG_CONTINUE))
					return SCT_VERDICT_DONE;
			}
			break;
		case SCT_OP_JF:
			if (is_false(&regs, insn->a))
				insn += insn->imm;
			break;
		case SCT_OP_JT:
			if (is_true(&regs, insn->a))
				insn += insn->imm;
			break;
		case SCT_OP_JMP:
			insn += insn->imm;
			break;
		case SCT_OP_LDI:
			set(&regs, insn->dst, insn->imm, false);
			break;
		case SCT_OP_LDC:
			set(&regs, insn->dst, view->consts[insn->imm], false);
			break;
		case SCT_OP_LDF:
			load_field(judge, &regs, insn);
			break;
		case SCT_OP_EACH:
			insn = begin_block(judge, &regs, insn, &block);
			break;
		case SCT_OP_NEXT:
			insn = end_block(judge, &regs, insn, &block);
			break;
		case SCT_OP_LDA:
			set(&regs, insn->dst,
			    sct_widen(judge->args[insn->imm], judge->prog->kinds[insn->imm]), false);
			break;
		case SCT_OP_LDS:
			found = find_source(judge, insn->imm);
			if (!found)
				return SCT_VERDICT_DEFER;
			set(&regs, insn->dst, found->number, found->text.state != SCT_STATE_WHOLE);
			break;
		case SCT_OP_SEQ ... SCT_OP_SEQS:
		case SCT_OP_SPATH:
			outcome = judge_string(judge, insn);
			if (outcome == -EAGAIN)
				return SCT_VERDICT_DEFER;
			set(&regs, insn->dst, outcome > 0, outcome < 0);
			break;
		default:
			operate(&regs, insn);
			break;
		}
	}
}
