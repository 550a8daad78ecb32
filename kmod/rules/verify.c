// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is an image one that the judge can run without a check of its own?
 *
 * Everything is enumerated and everything else refused.  Pure: it allocates
 * nothing, locks nothing, and reads only the image.
 *
 * An instruction may read a register only if every way to it has set it.
 * Jumps go forward, so one pass from the top sees each instruction after all
 * that lead to it: scratch holds, for each, the registers set on all of these
 * ways so far.  For the same reason one pass from the bottom sees each after
 * all that it leads to, and finds what the longest way from it costs: that from
 * the first instruction bounds what a program costs.
 */
#include "program.h"

/* What an opcode's operands are. */
enum form { FORM_NONE, FORM_MATCH, FORM_JUMP, FORM_GOTO, FORM_IMM, FORM_CONST, FORM_FIELD, FORM_ARG,
	    FORM_UNARY, FORM_BINARY, FORM_STRCONST, FORM_STRSTR, FORM_SOURCE };

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

#define KIND(name, bits, is_signed) [SCT_KIND_##name] = true,
static const bool kinds[SCT_KINDS] = { SCT_KIND_TABLE(KIND) };
#undef KIND

#define ERROR(name, number) [SCT_ERROR_##name] = number,
static const int errnos[] = { SCT_ERROR_TABLE(ERROR) };
#undef ERROR

/** sct_error_errno() - the errno, positive, that goes with SCT_ERROR_@code */
int sct_error_errno(u32 code)
{
	return code < ARRAY_SIZE(errnos) && errnos[code] ? errnos[code] : EINVAL;
}

static int refuse(struct sct_error *error, u32 code, u32 index, s64 value)
{
	error->code = code;
	error->index = index;
	error->value = value;
	return -sct_error_errno(code);
}

/* The sections, in the order of their descriptors. */
static const struct {
	size_t descriptor;
	u32 width, most;
} sections[] = {
	{ offsetof(struct sct_image, progs), sizeof(struct sct_prog), SCT_PROGS_MAX },
	{ offsetof(struct sct_image, rules), sizeof(struct sct_rule), SCT_RULES_MAX },
	{ offsetof(struct sct_image, insns), sizeof(struct sct_insn), SCT_INSNS_MAX },
	{ offsetof(struct sct_image, consts), sizeof(s64), SCT_CONSTS_MAX },
	{ offsetof(struct sct_image, sources), sizeof(struct sct_source), SCT_SOURCES_MAX },
	{ offsetof(struct sct_image, strings), sizeof(struct sct_string), SCT_STRINGS_MAX },
	{ offsetof(struct sct_image, text), 1, SCT_IMAGE_MAX },
	{ offsetof(struct sct_image, source), 1, SCT_IMAGE_MAX },
};

static u64 pad(u64 size)
{
	return (size + 7) & ~7ull;
}

static int verify_head(const struct sct_image *head, size_t size, struct sct_error *error)
{
	const size_t behind_crc = offsetof(struct sct_image, crc) + sizeof(head->crc);

	if (size < sizeof(*head))
		return refuse(error, SCT_ERROR_SHORT, 0, size);
	if (head->magic != SCT_MAGIC)
		return refuse(error, SCT_ERROR_MAGIC, 0, head->magic);
	if (head->version != SCT_ABI_VERSION || head->head != sizeof(*head))
		return refuse(error, SCT_ERROR_VERSION, 0, head->version);
	if (head->size != size || size > SCT_IMAGE_MAX)
		return refuse(error, SCT_ERROR_SIZE, 0, head->size);
	if (sct_judge_crc((const char *)head + behind_crc, size - behind_crc) != head->crc)
		return refuse(error, SCT_ERROR_CRC, 0, 0);
	return 0;
}

static int verify_zeros(const char *base, u64 from, u64 to, struct sct_error *error)
{
	for (; from < to; from++)
		if (base[from])
			return refuse(error, SCT_ERROR_PADDING, 0, from);
	return 0;
}

/**
 * sct_verify_layout() - find the sections of an image
 * @image: 8-byte aligned
 * @size: in bytes
 * @view: filled in
 * @error: filled in if it is refused
 *
 * Return: 0, or a negative errno that fits @error.
 */
int sct_verify_layout(const void *image, size_t size, struct sct_view *view,
		      struct sct_error *error)
{
	const struct sct_image *head = image;
	const struct sct_section *section;
	u64 end = sizeof(*head), bytes;
	unsigned int i;
	int result = verify_head(head, size, error);

	if (result)
		return result;
	for (i = 0; i < ARRAY_SIZE(sections); i++) {
		section = image + sections[i].descriptor;
		if (section->count > sections[i].most)
			return refuse(error, SCT_ERROR_LIMIT, i, section->count);
		bytes = (u64)section->count * sections[i].width;
		if (section->offset != end || end + pad(bytes) > size)
			return refuse(error, SCT_ERROR_SECTION, i, section->offset);
		result = verify_zeros(image, end + bytes, end + pad(bytes), error);
		if (result)
			return result;
		end += pad(bytes);
	}
	if (end != size)
		return refuse(error, SCT_ERROR_SIZE, 0, head->size);
	*view = (struct sct_view) {
		.head = head,
		.progs = image + head->progs.offset,
		.rules = image + head->rules.offset,
		.insns = image + head->insns.offset,
		.consts = image + head->consts.offset,
		.sources = image + head->sources.offset,
		.strings = image + head->strings.offset,
		.text = image + head->text.offset,
		.source = image + head->source.offset,
	};
	return 0;
}

static int verify_strings(const struct sct_view *view, struct sct_error *error)
{
	u32 i, count = view->head->strings.count, size = view->head->text.count;
	const struct sct_string *string;
	u64 end = 0;

	for (i = 0; i < count; i++) {
		string = &view->strings[i];
		if (string->offset != end || end + string->len + 1 > size)
			return refuse(error, SCT_ERROR_STRING, i, string->len);
		if (memchr(view->text + end, 0, string->len) || view->text[end + string->len])
			return refuse(error, SCT_ERROR_STRING, i, string->len);
		end += (u64)string->len + 1;
	}
	if (end != size)
		return refuse(error, SCT_ERROR_STRING, count, size);
	return 0;
}

static bool is_short(const struct sct_view *view, u32 string, u32 least, u32 most)
{
	return string < view->head->strings.count && view->strings[string].len >= least &&
	       view->strings[string].len <= most;
}

/* The fields that a rule's events carry: each there, once, and known in the rule's phase. */
static bool shown_is_sound(const struct sct_view *view, const struct sct_rule *rule)
{
	const unsigned char *shown;
	size_t count, i;

	if (!rule->shows)
		return true;
	if (rule->shows > view->head->strings.count)
		return false;
	shown = (const unsigned char *)sct_view_shown(view, rule, &count);
	for (i = 0; i < count; i++) {
		if (shown[i] >= SCT_FIELDS || !fields[shown[i]].known ||
		    (i && shown[i] <= shown[i - 1]) ||
		    (fields[shown[i]].after && rule->phase != SCT_PHASE_AFTER))
			return false;
	}
	return true;
}

static bool rule_is_sound(const struct sct_view *view, const struct sct_rule *rule)
{
	bool fails = rule->actions & SCT_ACTION_FAIL;

	if (!is_short(view, rule->name, 1, SCT_NAME_MAX))
		return false;
	if (rule->template != SCT_NONE && !is_short(view, rule->template, 0, SCT_TEMPLATE_MAX))
		return false;
	if (!rule->actions || rule->actions & ~SCT_ACTIONS || rule->flags & ~SCT_RULEFLAGS)
		return false;
	if (rule->phase >= SCT_PHASES || !shown_is_sound(view, rule))
		return false;
	if (fails ? rule->error < -SCT_ERRNO_MAX || rule->error > -1 : rule->error)
		return false;
	return !fails || rule->phase == SCT_PHASE_BEFORE;
}

static u32 sort_key(const struct sct_prog *prog)
{
	return (u32)prog->abi << 17 | (u32)prog->nr << 1 | prog->phase;
}

/* What the programs before one have taken up. */
struct used {
	u64 insns, sources;
};

static bool prog_is_sound(const struct sct_view *view, const struct sct_prog *prog,
			  const struct used *used)
{
	unsigned int i;

	if (prog->abi >= SCT_ABIS || prog->nr >= 1024 || prog->phase >= SCT_PHASES ||
	    prog->flags & ~SCT_PROGFLAGS)
		return false;
	if (prog > view->progs && sort_key(prog) <= sort_key(prog - 1))
		return false;
	/* Both phases of a point say the same of the call. */
	if (prog > view->progs && prog->abi == prog[-1].abi && prog->nr == prog[-1].nr &&
	    (prog->nargs != prog[-1].nargs || prog->flags != prog[-1].flags ||
	     memcmp(prog->kinds, prog[-1].kinds, sizeof(prog->kinds))))
		return false;
	if (prog->nargs > SCT_ARGS_MAX)
		return false;
	for (i = 0; i < SCT_ARGS_MAX; i++) {
		if (i < prog->nargs ? prog->kinds[i] >= SCT_KINDS || !kinds[prog->kinds[i]] :
				      prog->kinds[i])
			return false;
	}
	return prog->insn == used->insns && prog->insns &&
	       prog->insn + (u64)prog->insns <= view->head->insns.count &&
	       prog->source == used->sources && prog->sources <= SCT_PROG_SOURCES_MAX &&
	       prog->source + (u64)prog->sources <= view->head->sources.count;
}

static int verify_sources(const struct sct_view *view, const struct sct_prog *prog,
			  struct sct_error *error)
{
	u32 i;

	for (i = 0; i < prog->sources; i++)
		if (!sct_source_is_sound(prog, sct_view_sources(view, prog) + i))
			return refuse(error, SCT_ERROR_SOURCE, prog->source + i, 0);
	return 0;
}

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
	}
	return false;
}

static u16 registers_read(const struct sct_insn *insn)
{
	switch (opcodes[insn->op].form) {
	case FORM_MATCH:
	case FORM_JUMP:
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

	return form != FORM_NONE && form != FORM_MATCH && form != FORM_JUMP && form != FORM_GOTO;
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

/*
 * @set: for this instruction and all behind it, the registers set on every way to it; all of them where none leads to.
 * @continues: counts the rules that do not end the search.
 */
static int verify_insn(const struct sct_view *view, const struct sct_prog *prog, u32 at, u16 *set,
		       u32 *continues, struct sct_error *error)
{
	const struct sct_insn *insn = &view->insns[prog->insn + at];
	u32 index = prog->insn + at, left = prog->insns - at - 1;
	u16 missing, now = set[0];

	if (!opcodes[insn->op].known)
		return refuse(error, SCT_ERROR_OPCODE, index, insn->op);
	if (!operands_suit(view, prog, insn))
		return refuse(error, SCT_ERROR_OPERAND, index, insn->op);
	missing = registers_read(insn) & ~now;
	if (missing)
		return refuse(error, SCT_ERROR_UNSET, index, __builtin_ctz(missing));
	if ((insn->op == SCT_OP_RET) != (left == 0))
		return refuse(error, SCT_ERROR_END, prog - view->progs, index);
	if (insn->op == SCT_OP_MATCH && view->rules[insn->imm].flags & SCT_RULEFLAG_CONTINUE)
		(*continues)++;
	if (opcodes[insn->op].form == FORM_JUMP || opcodes[insn->op].form == FORM_GOTO) {
		if ((u32)insn->imm >= left)
			return refuse(error, SCT_ERROR_JUMP, index, insn->imm);
		set[insn->imm + 1] &= now;
	}
	if (writes_register(insn))
		now |= 1u << insn->dst;
	if (left && opcodes[insn->op].form != FORM_GOTO)
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
	u32 at = prog->insns;
	u64 cost;

	while (at--) {
		insn = &view->insns[prog->insn + at];
		cost = at + 1 < prog->insns ? costs[at + 1] : 0;
		if (opcodes[insn->op].form == FORM_GOTO)
			cost = costs[at + 1 + insn->imm];
		else if (opcodes[insn->op].form == FORM_JUMP && costs[at + 1 + insn->imm] > cost)
			cost = costs[at + 1 + insn->imm];
		cost += cost_of(view, insn);
		costs[at] = cost > SCT_COST_MAX ? SCT_COST_MAX + 1 : cost;
	}
	return costs[0];
}

static int verify_prog(const struct sct_view *view, const struct sct_prog *prog, u32 *scratch,
		       struct sct_error *error)
{
	u16 *set = (u16 *)scratch;
	u32 at, cost, continues = 0;
	int result;

	memset(set, 0xff, prog->insns * sizeof(*set));
	set[0] = 0;
	for (at = 0; at < prog->insns; at++) {
		result = verify_insn(view, prog, at, set + at, &continues, error);
		if (result)
			return result;
	}
	cost = longest_way(view, prog, scratch);
	if (cost > SCT_COST_MAX || cost != prog->cost)
		return refuse(error, SCT_ERROR_COST, prog - view->progs, cost);
	if (continues >= SCT_MATCHES_MAX)
		return refuse(error, SCT_ERROR_MATCHES, prog - view->progs, continues);
	return 0;
}

/** sct_verify_scratch() - bytes that sct_verify_content() needs, never 0 */
size_t sct_verify_scratch(const struct sct_view *view)
{
	u32 i, most = 1;

	for (i = 0; i < view->head->progs.count; i++)
		if (view->progs[i].insns > most && view->progs[i].insns <= SCT_INSNS_MAX)
			most = view->progs[i].insns;
	return most * sizeof(u32);
}

/**
 * sct_verify_content() - verify strings, rules and programs of an image
 * @view: from sct_verify_layout()
 * @scratch: of sct_verify_scratch() bytes
 * @error: filled in if it is refused
 *
 * Return: 0, or a negative errno that fits @error.
 */
int sct_verify_content(const struct sct_view *view, u32 *scratch, struct sct_error *error)
{
	const struct sct_image *head = view->head;
	struct used used = { 0, 0 };
	u32 i;
	int result = verify_strings(view, error);

	if (result)
		return result;
	for (i = 0; i < head->rules.count; i++)
		if (!rule_is_sound(view, &view->rules[i]))
			return refuse(error, SCT_ERROR_RULE, i, 0);
	for (i = 0; i < head->progs.count; i++) {
		if (!prog_is_sound(view, &view->progs[i], &used))
			return refuse(error, SCT_ERROR_PROG, i, 0);
		result = verify_sources(view, &view->progs[i], error);
		if (!result)
			result = verify_prog(view, &view->progs[i], scratch, error);
		if (result)
			return result;
		used.insns += view->progs[i].insns;
		used.sources += view->progs[i].sources;
	}
	if (used.insns != head->insns.count)
		return refuse(error, SCT_ERROR_PROG, head->progs.count, used.insns);
	if (used.sources != head->sources.count)
		return refuse(error, SCT_ERROR_SOURCE, used.sources, head->sources.count);
	return 0;
}
