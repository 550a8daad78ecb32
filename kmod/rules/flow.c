// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does a program read only what was set, and end within its cost?
 *
 * An instruction may read a register only if every way to it has set it.
 * Jumps go forward, so one pass from the top sees each instruction after all
 * that lead to it: scratch holds, for each, the registers set on all of these
 * ways so far.  The way back in a block adds nothing: a register once set stays
 * so.  For the same reason one pass from the bottom sees each after all that it
 * leads to, and finds what the longest way from it costs: that from the first
 * instruction bounds what a program costs.  No way leads into a block but by
 * its EACH, and none out of it but by its NEXT: what one turn costs at most
 * counts once for each ancestor that is looked at.
 */
#include "program.h"

/* What an opcode's operands are. */
enum form { FORM_NONE, FORM_MATCH, FORM_JUMP, FORM_GOTO, FORM_IMM, FORM_CONST, FORM_FIELD, FORM_ARG,
	    FORM_UNARY, FORM_BINARY, FORM_STRCONST, FORM_STRSTR, FORM_SOURCE, FORM_EACH,
	    FORM_NEXT };

struct opcode {
	bool known;
	bool scales;
	u8 form;
	u16 cost;
};

#define OP(name, form, cost, scales) [SCT_OP_##name] = { true, scales, FORM_##form, cost },
static const struct opcode opcodes[256] = { SCT_OPCODES(OP) };
#undef OP

struct field {
	bool known, string, after;
};

#define FIELD(name, string, task, after) [SCT_FIELD_##name] = { true, string, after },
static const struct field fields[SCT_FIELDS] = { SCT_FIELD_TABLE(FIELD) };
#undef FIELD

static bool is_source(const struct sct_view *view, const struct sct_prog *prog, s64 index,
		      bool text)
{
	return index >= 0 && index < prog->sources &&
	       sct_source_is_text(sct_view_sources(view, prog) + index) == text;
}

static bool is_string(const struct sct_view *view, const struct sct_prog *prog, u8 operand)
{
	if (operand >= SCT_SOURCE_OPERAND)
		return is_source(view, prog, operand - SCT_SOURCE_OPERAND, true);
	if (operand < SCT_ARGS_MAX)
		return operand < prog->nargs && prog->kinds[operand] == SCT_KIND_STR;
	return operand < SCT_FIELDS && fields[operand].known && fields[operand].string &&
	       (!fields[operand].after || prog->phase == SCT_PHASE_AFTER);
}

static bool is_number(const struct sct_prog *prog, s32 field)
{
	return field >= 0 && field < SCT_FIELDS && fields[field].known && !fields[field].string &&
	       (!fields[field].after || prog->phase == SCT_PHASE_AFTER);
}

static bool is_index(s32 imm, u32 count)
{
	return imm >= 0 && (u32)imm < count;
}

/* Do the operands suit the opcode's form?  Those that it does not use are 0. */
static bool operands_suit(const struct sct_view *view, const struct sct_prog *prog,
			  const struct sct_insn *insn)
{
	const struct sct_image *head = view->head;
	bool dst = insn->dst < SCT_REGS_MAX, a = insn->a < SCT_REGS_MAX, b = insn->b < SCT_REGS_MAX;

	switch (opcodes[insn->op].form) {
	case FORM_NONE:
		return !insn->dst && !insn->a && !insn->b && !insn->imm;
	case FORM_MATCH:
		return !insn->dst && a && !insn->b && is_index(insn->imm, head->rules.count) &&
		       view->rules[insn->imm].phase == prog->phase;
	case FORM_JUMP:
		return !insn->dst && a && !insn->b && insn->imm >= 1;
	case FORM_GOTO:
		return !insn->dst && !insn->a && !insn->b && insn->imm >= 1;
	case FORM_IMM:
		return dst && !insn->a && !insn->b;
	case FORM_CONST:
		return dst && !insn->a && !insn->b && is_index(insn->imm, head->consts.count);
	case FORM_FIELD:
		return dst && !insn->a && !insn->b && is_number(prog, insn->imm);
	case FORM_ARG:
		return dst && !insn->a && !insn->b && is_index(insn->imm, prog->nargs);
	case FORM_UNARY:
		return dst && a && !insn->b && !insn->imm;
	case FORM_BINARY:
		return dst && a && b && !insn->imm;
	case FORM_STRCONST:
		return dst && is_string(view, prog, insn->a) && !insn->b &&
		       is_index(insn->imm, head->strings.count);
	case FORM_STRSTR:
		return dst && is_string(view, prog, insn->a) && is_string(view, prog, insn->b) &&
		       !insn->imm;
	case FORM_SOURCE:
		return dst && !insn->a && !insn->b && is_source(view, prog, insn->imm, false);
	case FORM_EACH:
		return dst && !insn->a && !insn->b && insn->imm >= 1;
	case FORM_NEXT:
		return !insn->dst && a && !insn->b && !insn->imm;
	}
	return false;
}

static u16 registers_read(const struct sct_insn *insn)
{
	switch (opcodes[insn->op].form) {
	case FORM_MATCH:
	case FORM_JUMP:
	case FORM_NEXT:
	case FORM_UNARY:
		return 1u << insn->a;
	case FORM_BINARY:
		return 1u << insn->a | 1u << insn->b;
	}
	return 0;
}

static bool writes_register(const struct sct_insn *insn)
{
	u8 form = opcodes[insn->op].form;

	return form != FORM_NONE && form != FORM_MATCH && form != FORM_JUMP && form != FORM_GOTO &&
	       form != FORM_NEXT;
}

/* Steps that an instruction can take; its operands suit. */
static u64 cost_of(const struct sct_view *view, const struct sct_insn *insn)
{
	const struct opcode *opcode = &opcodes[insn->op];
	u32 len;

	if (!opcode->scales)
		return opcode->cost;
	/* A longer pattern meets no more bytes than the longest text has. */
	len = view->strings[insn->imm].len;
	if (len > SCT_STRING_MAX)
		len = SCT_STRING_MAX;
	return (u64)opcode->cost * (len ? len : 1);
}

/* In scratch: nothing leads here so far. */
#define UNREACHED (1u << SCT_REGS_MAX)

/* How many rules do not end the search so far, and where the block ends that it is in, 0 outside. */
struct tally {
	u32 continues;
	u32 next;
};

static unsigned int add_field(u8 operand, unsigned int count, u8 *named)
{
	if (operand < SCT_ARGS_MAX || operand >= SCT_SOURCE_OPERAND)
		return count;
	named[count] = operand;
	return count + 1;
}

/** sct_insn_fields() - the fields that an instruction with suitable operands reads; Return: how many */
unsigned int sct_insn_fields(const struct sct_insn *insn, u8 named[2])
{
	unsigned int count = 0;

	switch (opcodes[insn->op].form) {
	case FORM_FIELD:
		named[count++] = insn->imm;
		break;
	case FORM_STRCONST:
		count = add_field(insn->a, count, named);
		break;
	case FORM_STRSTR:
		count = add_field(insn->a, count, named);
		count = add_field(insn->b, count, named);
		break;
	}
	return count;
}

static bool names_ancestor(const struct sct_insn *insn)
{
	u8 named[2];
	unsigned int i, count = sct_insn_fields(insn, named);

	for (i = 0; i < count; i++)
		if (sct_field_is_ancestors(named[i]))
			return true;
	return false;
}

/* Does a block begin here that ends in its own NEXT, and into which nothing leads? */
static bool block_is_sound(const struct sct_insn *insn, const u32 *set, u32 left)
{
	u32 i, length = insn->imm;

	if (length >= left || insn[length].op != SCT_OP_NEXT || insn[length].a != insn->dst)
		return false;
	for (i = 1; i <= length; i++)
		if (!(set[i] & UNREACHED))
			return false;
	return true;
}

/* Is an instruction one that can stand where it does, in a block or outside? */
static bool fits_in_block(const struct sct_insn *insn, u32 at, const u32 *set, u32 left,
			  const struct tally *tally)
{
	switch (opcodes[insn->op].form) {
	case FORM_EACH:
		return !tally->next && block_is_sound(insn, set, left);
	case FORM_NEXT:
		return tally->next == at && at;
	case FORM_NONE:
	case FORM_MATCH:
		return !tally->next;
	case FORM_JUMP:
	case FORM_GOTO:
		return !tally->next || at + 1 + (u64)insn->imm <= tally->next;
	}
	return tally->next || !names_ancestor(insn);
}

/* @set: for this instruction and all behind it, the registers set on every way to it; all of them where none leads to. */
static int verify_insn(const struct sct_view *view, const struct sct_prog *prog, u32 at, u32 *set,
		       struct tally *tally, struct sct_error *error)
{
	const struct sct_insn *insn = &view->insns[prog->insn + at];
	u32 index = prog->insn + at, left = prog->insns - at - 1;
	u32 missing, now = set[0] & ~UNREACHED;
	u8 form = opcodes[insn->op].form;

	if (!opcodes[insn->op].known)
		return sct_error_refuse(error, SCT_ERROR_OPCODE, index, insn->op);
	if (!operands_suit(view, prog, insn))
		return sct_error_refuse(error, SCT_ERROR_OPERAND, index, insn->op);
	missing = registers_read(insn) & ~now;
	if (missing)
		return sct_error_refuse(error, SCT_ERROR_UNSET, index, __builtin_ctz(missing));
	if ((insn->op == SCT_OP_RET) != (left == 0))
		return sct_error_refuse(error, SCT_ERROR_END, prog - view->progs, index);
	if (!fits_in_block(insn, at, set, left, tally))
		return sct_error_refuse(error, SCT_ERROR_BLOCK, index, insn->op);
	if (insn->op == SCT_OP_MATCH && view->rules[insn->imm].flags & SCT_RULEFLAG_CONTINUE)
		tally->continues++;
	if (writes_register(insn))
		now |= 1u << insn->dst;
	if (form == FORM_JUMP || form == FORM_GOTO || form == FORM_EACH) {
		if ((u32)insn->imm >= left)
			return sct_error_refuse(error, SCT_ERROR_JUMP, index, insn->imm);
		set[insn->imm + 1] &= now;
	}
	if (form == FORM_EACH)
		tally->next = at + insn->imm;
	else if (form == FORM_NEXT)
		tally->next = 0;
	if (left && form != FORM_GOTO)
		set[1] &= now;
	return 0;
}

/*
 * What the longest way through a program costs, whose instructions are sound;
 * SCT_COST_MAX + 1 if it is more than that.
 */
static u32 longest_way(const struct sct_view *view, const struct sct_prog *prog, u32 *costs)
{
	const struct sct_insn *insn;
	u32 at = prog->insns, turns = 1;
	u64 cost;
	u8 form;

	while (at--) {
		insn = &view->insns[prog->insn + at];
		form = opcodes[insn->op].form;
		if (form == FORM_NEXT)
			turns = SCT_ANCESTORS_MAX;
		else if (form == FORM_EACH)
			turns = 1;
		/* To pass over a block is never longer than to go through it. */
		cost = at + 1 < prog->insns ? costs[at + 1] : 0;
		if (form == FORM_GOTO || (form == FORM_JUMP && costs[at + 1 + insn->imm] > cost))
			cost = costs[at + 1 + insn->imm];
		cost += cost_of(view, insn) * turns;
		costs[at] = cost > SCT_COST_MAX ? SCT_COST_MAX + 1 : cost;
	}
	return costs[0];
}

/**
 * sct_flow_verify() - verify the instructions of a program, which is sound otherwise
 * @scratch: a number for each of its instructions
 * @error: filled in if it is refused
 *
 * Return: 0, or a negative errno that fits @error.
 */
int sct_flow_verify(const struct sct_view *view, const struct sct_prog *prog, u32 *scratch,
		    struct sct_error *error)
{
	struct tally tally = { 0 };
	u32 at, cost;
	int result;

	memset(scratch, 0xff, prog->insns * sizeof(*scratch));
	scratch[0] = 0;
	for (at = 0; at < prog->insns; at++) {
		result = verify_insn(view, prog, at, scratch + at, &tally, error);
		if (result)
			return result;
	}
	cost = longest_way(view, prog, scratch);
	if (cost > SCT_COST_MAX || cost != prog->cost)
		return sct_error_refuse(error, SCT_ERROR_COST, prog - view->progs, cost);
	if (tally.continues >= SCT_MATCHES_MAX)
		return sct_error_refuse(error, SCT_ERROR_MATCHES, prog - view->progs, tally.continues);
	return 0;
}
