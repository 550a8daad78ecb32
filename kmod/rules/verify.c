// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is an image one that the judge can run without a check of its own?
 *
 * Everything is enumerated and everything else refused.  Pure: it allocates
 * nothing, locks nothing, and reads only the image.
 */
#include "program.h"

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

/** sct_error_refuse() - write down why; Return: the negative errno that fits */
int sct_error_refuse(struct sct_error *error, u32 code, u32 index, s64 value)
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
		return sct_error_refuse(error, SCT_ERROR_SHORT, 0, size);
	if (head->magic != SCT_MAGIC)
		return sct_error_refuse(error, SCT_ERROR_MAGIC, 0, head->magic);
	if (head->version != SCT_ABI_VERSION || head->head != sizeof(*head))
		return sct_error_refuse(error, SCT_ERROR_VERSION, 0, head->version);
	if (head->size != size || size > SCT_IMAGE_MAX)
		return sct_error_refuse(error, SCT_ERROR_SIZE, 0, head->size);
	if (sct_judge_crc((const char *)head + behind_crc, size - behind_crc) != head->crc)
		return sct_error_refuse(error, SCT_ERROR_CRC, 0, 0);
	return 0;
}

static int verify_zeros(const char *base, u64 from, u64 to, struct sct_error *error)
{
	for (; from < to; from++)
		if (base[from])
			return sct_error_refuse(error, SCT_ERROR_PADDING, 0, from);
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
			return sct_error_refuse(error, SCT_ERROR_LIMIT, i, section->count);
		bytes = (u64)section->count * sections[i].width;
		if (section->offset != end || end + pad(bytes) > size)
			return sct_error_refuse(error, SCT_ERROR_SECTION, i, section->offset);
		result = verify_zeros(image, end + bytes, end + pad(bytes), error);
		if (result)
			return result;
		end += pad(bytes);
	}
	if (end != size)
		return sct_error_refuse(error, SCT_ERROR_SIZE, 0, head->size);
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
			return sct_error_refuse(error, SCT_ERROR_STRING, i, string->len);
		if (memchr(view->text + end, 0, string->len) || view->text[end + string->len])
			return sct_error_refuse(error, SCT_ERROR_STRING, i, string->len);
		end += (u64)string->len + 1;
	}
	if (end != size)
		return sct_error_refuse(error, SCT_ERROR_STRING, count, size);
	return 0;
}

static bool is_short(const struct sct_view *view, u32 string, u32 least, u32 most)
{
	return string < view->head->strings.count && view->strings[string].len >= least &&
	       view->strings[string].len <= most;
}

/*
 * The fields that a rule's events carry: each there, once, and known in the
 * rule's phase.  An ancestor is not one process, and has none to be shown.
 */
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
		    sct_field_is_ancestors(shown[i]) ||
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
			return sct_error_refuse(error, SCT_ERROR_SOURCE, prog->source + i, 0);
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
			return sct_error_refuse(error, SCT_ERROR_RULE, i, 0);
	for (i = 0; i < head->progs.count; i++) {
		if (!prog_is_sound(view, &view->progs[i], &used))
			return sct_error_refuse(error, SCT_ERROR_PROG, i, 0);
		result = verify_sources(view, &view->progs[i], error);
		if (!result)
			result = sct_flow_verify(view, &view->progs[i], scratch, error);
		if (result)
			return result;
		used.insns += view->progs[i].insns;
		used.sources += view->progs[i].sources;
	}
	if (used.insns != head->insns.count)
		return sct_error_refuse(error, SCT_ERROR_PROG, head->progs.count, used.insns);
	if (used.sources != head->sources.count)
		return sct_error_refuse(error, SCT_ERROR_SOURCE, used.sources, head->sources.count);
	return 0;
}
