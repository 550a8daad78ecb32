// SPDX-License-Identifier: GPL-2.0-only
/*
 * What stands in the memory behind a call's argument?
 *
 * Finds what a source names: through a pointer, within a size that the caller
 * gives, in an address of the right family.  Pure: memory is read by a function
 * of the embedder, piece by piece, and what comes from there is not trusted.
 */
#include "program.h"

#define ABI(name, bits) [SCT_ABI_##name] = (bits) / 8,
static const u8 pointer_bytes[SCT_ABIS] = { SCT_ABI_TABLE(ABI) };
#undef ABI

#define KIND(name, bits, is_signed) [SCT_KIND_##name] = (bits) / 8,
static const u8 kind_bytes[SCT_KINDS] = { SCT_KIND_TABLE(KIND) };
#undef KIND

#define KIND(name, bits, is_signed) [SCT_KIND_##name] = is_signed,
static const bool kind_signed[SCT_KINDS] = { SCT_KIND_TABLE(KIND) };
#undef KIND

#define ENDLESS U64_MAX

/* Memory is there or not in pages of this size, or of a multiple. */
#define LEAST_PAGE 4096

/* What an opcode on a text costs is counted for one of SCT_STRING_MAX bytes. */
_Static_assert(SCT_DATA_MAX <= SCT_STRING_MAX, "data is longer than a text");

/* Is the size of what an argument points to said as the flags have it? */
static bool size_is_sound(const struct sct_prog *prog, const struct sct_source *source)
{
	u8 kind;

	if (!source->size)
		return !(source->flags & (SCT_SOURCEFLAG_SIZE_AT | SCT_SOURCEFLAG_EXTENDS));
	if (source->size > prog->nargs)
		return false;
	kind = prog->kinds[source->size - 1];
	return source->flags & SCT_SOURCEFLAG_SIZE_AT ? kind == SCT_KIND_PTR :
							kind != SCT_KIND_PTR && kind != SCT_KIND_STR;
}

static bool way_is_sound(const struct sct_source *source)
{
	if (source->offset >= SCT_OFFSET_MAX || source->via >= SCT_OFFSET_MAX ||
	    source->via_size >= SCT_OFFSET_MAX)
		return false;
	if (!(source->flags & SCT_SOURCEFLAG_VIA_SIZE) && source->via_size)
		return false;
	if (source->flags & SCT_SOURCEFLAG_VIA)
		return !(source->flags & SCT_SOURCEFLAG_EXTENDS);
	return !source->via && !(source->flags & SCT_SOURCEFLAG_VIA_SIZE);
}

/* Does a number lie within one element of an array, whose elements are counted? */
static bool each_is_sound(const struct sct_source *source)
{
	if (!source->each)
		return true;
	if (source->family || source->flags & (SCT_SOURCEFLAG_SIZE_AT | SCT_SOURCEFLAG_EXTENDS))
		return false;
	if (source->flags & SCT_SOURCEFLAG_VIA ?
		    source->size || !(source->flags & SCT_SOURCEFLAG_VIA_SIZE) :
		    !source->size)
		return false;
	return source->offset % source->each + kind_bytes[source->kind] <= source->each;
}

/* Is an argument, counted from 1, a number? */
static bool is_number(const struct sct_prog *prog, unsigned int arg)
{
	return arg && arg <= prog->nargs && prog->kinds[arg - 1] != SCT_KIND_PTR &&
	       prog->kinds[arg - 1] != SCT_KIND_STR;
}

/* An argument, or the result once there is one. */
static bool descriptor_is_sound(const struct sct_prog *prog, const struct sct_source *source)
{
	if (source->size || source->family || source->other || source->offset || source->via ||
	    source->via_size)
		return false;
	if (source->flags & SCT_SOURCEFLAG_AFTER)
		return source->arg == SCT_ARGS_MAX && prog->phase == SCT_PHASE_AFTER;
	return is_number(prog, source->arg + 1);
}

static bool path_is_sound(const struct sct_prog *prog, const struct sct_source *source)
{
	if (source->flags & ~(SCT_SOURCEFLAG_LOG | SCT_SOURCEFLAG_AFTER) || source->kind ||
	    source->limit != SCT_STRING_MAX)
		return false;
	if (source->what == SCT_SOURCE_DESCRIPTOR)
		return descriptor_is_sound(prog, source);
	if (source->flags & SCT_SOURCEFLAG_AFTER || source->arg >= prog->nargs)
		return false;
	if (prog->kinds[source->arg] != SCT_KIND_STR || source->other > SCT_LAST_HELD ||
	    (source->size && !is_number(prog, source->size)))
		return false;
	if (!source->family)
		return !source->offset && !source->via && !source->via_size;
	if (source->other == SCT_LAST_ENTRY)
		return false;
	if (!source->via_size)
		return is_number(prog, source->family);
	return source->family <= prog->nargs && is_number(prog, source->via_size) &&
	       prog->kinds[source->family - 1] == SCT_KIND_PTR;
}

/* Is it where a path or a descriptor leads, and not memory? */
static bool is_path(const struct sct_source *source)
{
	return source->what == SCT_SOURCE_PATH || source->what == SCT_SOURCE_DESCRIPTOR;
}

/** sct_source_is_sound() - is a source of a program, whose arguments are sound, one that can be read? */
bool sct_source_is_sound(const struct sct_prog *prog, const struct sct_source *source)
{
	if (source->flags & ~SCT_SOURCEFLAGS ||
	    (source->each && source->what != SCT_SOURCE_NUMBER))
		return false;
	if (is_path(source))
		return path_is_sound(prog, source);
	if (source->arg >= prog->nargs || prog->kinds[source->arg] != SCT_KIND_PTR ||
	    (source->other && !source->family))
		return false;
	if (source->flags & SCT_SOURCEFLAG_AFTER && prog->phase != SCT_PHASE_AFTER)
		return false;
	if (!size_is_sound(prog, source) || !way_is_sound(source))
		return false;
	switch (source->what) {
	case SCT_SOURCE_NUMBER:
		return source->kind < SCT_KINDS && kind_bytes[source->kind] &&
		       source->kind != SCT_KIND_STR && !source->limit && each_is_sound(source);
	case SCT_SOURCE_CHARS:
	case SCT_SOURCE_UNIX:
		return !source->kind && source->limit && source->limit <= SCT_STRING_MAX &&
		       !(source->flags & (SCT_SOURCEFLAG_BIG | SCT_SOURCEFLAG_EXTENDS));
	case SCT_SOURCE_DATA:
		return !source->kind && source->limit && source->limit <= SCT_DATA_MAX &&
		       source->size && !source->family && !source->offset &&
		       !(source->flags & ~(SCT_SOURCEFLAG_AFTER | SCT_SOURCEFLAG_LOG));
	case SCT_SOURCE_ELEMENT:
		return !source->kind && source->limit && source->limit <= SCT_STRING_MAX &&
		       source->offset < SCT_ELEMENTS_MAX && !source->size && !source->family &&
		       !(source->flags & ~SCT_SOURCEFLAG_LOG);
	}
	return false;
}

/** sct_source_is_text() - is it a string operand, and not a number? */
bool sct_source_is_text(const struct sct_source *source)
{
	return source->what != SCT_SOURCE_NUMBER;
}

/** sct_source_same() - do two sources say the same, to be shown in the log or not? */
bool sct_source_same(const struct sct_source *one, const struct sct_source *other)
{
	struct sct_source like = *other;

	like.flags ^= (one->flags ^ other->flags) & SCT_SOURCEFLAG_LOG;
	return !memcmp(one, &like, sizeof(like));
}

/* Where something lies, and of how many bytes. */
struct place {
	u64 at, size;
};

/* Is a part of it there? */
static bool holds(const struct place *place, u64 offset, u64 bytes)
{
	return offset <= place->size && bytes <= place->size - offset;
}

/* An unsigned number of some bytes: 0, -EFAULT or -EAGAIN. */
static int read_number(struct sct_judge *judge, const struct place *place, u64 offset, u64 bytes,
		       u64 *number)
{
	*number = 0;
	if (!holds(place, offset, bytes))
		return -EFAULT;
	return sct_judge_copy(judge, number, place->at + offset, bytes);
}

static int read_size(struct sct_judge *judge, const struct place *place, u64 offset, u64 *size)
{
	int error = read_number(judge, place, offset, sizeof(u32), size);

	return error ?: (s32)*size < 0 ? -EFAULT : 0;
}

/* The bytes of a number of elements: of more than there can be, all. */
static u64 size_of(const struct sct_source *source, u64 count)
{
	return count > ENDLESS / source->each ? ENDLESS : count * source->each;
}

/* The size of what a pointer leads to, or how many elements. */
static int read_inner_size(struct sct_judge *judge, const struct sct_source *source,
			   const struct place *place, u64 *size)
{
	int error;

	if (!source->each)
		return read_size(judge, place, source->via_size, size);
	error = read_number(judge, place, source->via_size, pointer_bytes[judge->prog->abi], size);
	*size = size_of(source, *size);
	return error;
}

/* What the argument points to: 0, -ENOENT for nothing, -EFAULT or -EAGAIN. */
static int find_outer(struct sct_judge *judge, const struct sct_source *source,
		      struct place *place)
{
	const struct place anywhere = { 0, ENDLESS };
	u8 kind;

	*place = (struct place) { judge->args[source->arg], ENDLESS };
	/* Of data there can be none, wherever that is. */
	if (!place->at && source->what != SCT_SOURCE_DATA)
		return -ENOENT;
	if (!source->size)
		return 0;
	if (source->flags & SCT_SOURCEFLAG_SIZE_AT)
		return read_size(judge, &anywhere, judge->args[source->size - 1], &place->size);
	kind = judge->prog->kinds[source->size - 1];
	place->size = sct_widen(judge->args[source->size - 1], kind);
	if (kind_signed[kind] && (s64)place->size < 0)
		return -EFAULT;
	if (source->each)
		place->size = size_of(source, place->size);
	return 0;
}

static int follow(struct sct_judge *judge, const struct sct_source *source, struct place *place)
{
	struct place inner = { 0, ENDLESS };
	int error = read_number(judge, place, source->via, pointer_bytes[judge->prog->abi],
				&inner.at);

	if (!error && source->flags & SCT_SOURCEFLAG_VIA_SIZE)
		error = read_inner_size(judge, source, place, &inner.size);
	if (!error && !inner.at)
		error = -ENOENT;
	*place = inner;
	return error;
}

/*
 * The family of a socket address decides what the rest of it is.  The kernel
 * takes AF_UNSPEC for the socket's own family where that makes sense.
 */
static int check_family(struct sct_judge *judge, const struct sct_source *source,
			const struct place *place)
{
	u64 family;
	int error = read_number(judge, place, 0, sizeof(u16), &family);

	if (error || !family || family == source->family || family == source->other)
		return error;
	return -EFAULT;
}

/* The string that an address in a list leads to; behind the null pointer is something else. */
static int find_element(struct sct_judge *judge, const struct sct_source *source,
			struct place *place)
{
	const struct place list = *place;
	const u8 width = pointer_bytes[judge->prog->abi];
	u32 i;
	int error;

	*place = (struct place) { 0, ENDLESS };
	for (i = 0; i <= source->offset; i++) {
		error = read_number(judge, &list, (u64)i * width, width, &place->at);
		if (error)
			return error;
		if (!place->at)
			return -ENOENT;
	}
	return 0;
}

static int find(struct sct_judge *judge, const struct sct_source *source, struct place *place)
{
	int error = find_outer(judge, source, place);

	if (!error && source->flags & SCT_SOURCEFLAG_VIA)
		error = follow(judge, source, place);
	if (!error && source->family)
		error = check_family(judge, source, place);
	if (!error && source->what == SCT_SOURCE_ELEMENT)
		error = find_element(judge, source, place);
	return error;
}

static int read_value(struct sct_judge *judge, const struct sct_source *source,
		      const struct place *place, struct sct_found *found)
{
	u32 bytes = kind_bytes[source->kind];
	u64 number = 0;
	int error;

	if (source->flags & SCT_SOURCEFLAG_EXTENDS && source->offset >= place->size)
		error = 0;
	else
		error = read_number(judge, place, source->offset, bytes, &number);
	if (source->flags & SCT_SOURCEFLAG_BIG)
		number = __builtin_bswap64(number) >> (64 - 8 * bytes);
	found->number = sct_widen(number, source->kind);
	return error;
}

static int read_text(struct sct_judge *judge, const struct sct_source *source,
		     const struct place *place, struct sct_text *text)
{
	bool is_path = source->what == SCT_SOURCE_UNIX;
	u64 size = place->size - source->offset;
	char *room;
	int error;

	if (source->offset > place->size)
		return -EFAULT;
	if (size > source->limit) {
		if (is_path && size != ENDLESS - source->offset)
			return -E2BIG;
		size = source->limit;
	}
	room = sct_judge_room(judge, size);
	if (!room)
		return -EAGAIN;
	error = size ? sct_judge_copy(judge, room, place->at + source->offset, size) : 0;
	if (error)
		return error;
	if (is_path && size && !room[0])
		room[0] = '@';
	else
		size = strnlen(room, size);
	text->bytes = room;
	text->len = size;
	return 0;
}

/* As many of the bytes from an address on as are in its page. */
static u64 in_page(u64 at, u64 size)
{
	u64 left = LEAST_PAGE - at % LEAST_PAGE;

	return left < size ? left : size;
}

/* A string is read no further than to the end of the page that its NUL is in. */
static int read_string(struct sct_judge *judge, const struct sct_source *source,
		       const struct place *place, struct sct_text *text)
{
	char *room = sct_judge_room(judge, source->limit);
	u64 copied, part, len;
	int error;

	if (!room)
		return -EAGAIN;
	for (copied = 0; copied < source->limit; copied += part) {
		part = in_page(place->at + copied, source->limit - copied);
		error = sct_judge_copy(judge, room + copied, place->at + copied, part);
		if (error)
			return error;
		len = strnlen(room + copied, part);
		if (len < part) {
			text->bytes = room;
			text->len = copied + len;
			return 0;
		}
	}
	return -E2BIG;
}

/* Data ends where it cannot be read on: there it ends for the call as well. */
static int copy_data(struct sct_judge *judge, char *to, u64 at, u64 size, u16 *len)
{
	u64 copied, part;
	int error = 0;

	for (copied = 0; copied < size; copied += part) {
		part = in_page(at + copied, size - copied);
		error = sct_judge_copy(judge, to + copied, at + copied, part);
		if (error)
			break;
	}
	*len = copied;
	return error == -EFAULT && copied ? 0 : error;
}

static int read_data(struct sct_judge *judge, const struct sct_source *source,
		     const struct place *place, struct sct_text *text)
{
	u64 size = place->size, got;
	char *room;

	if (source->flags & SCT_SOURCEFLAG_AFTER) {
		got = sct_judge_field(judge, SCT_FIELD_RETVAL);
		if (got < size)
			size = got;
	}
	if (size > source->limit)
		size = source->limit;
	room = sct_judge_room(judge, size);
	if (!room)
		return -EAGAIN;
	text->bytes = room;
	return copy_data(judge, room, place->at, size, &text->len);
}

static int read_source(struct sct_judge *judge, const struct sct_source *source,
		       struct sct_found *found)
{
	struct place place;
	int error;

	/* A call that fails fills nothing in, and opens nothing. */
	if (source->flags & SCT_SOURCEFLAG_AFTER && sct_judge_field(judge, SCT_FIELD_ERRNO))
		return -EFAULT;
	if (is_path(source))
		return sct_judge_path(judge, source, &found->text);
	error = find(judge, source, &place);
	if (error)
		return error;
	switch (source->what) {
	case SCT_SOURCE_NUMBER:
		return read_value(judge, source, &place, found);
	case SCT_SOURCE_DATA:
		return read_data(judge, source, &place, &found->text);
	case SCT_SOURCE_ELEMENT:
		return read_string(judge, source, &place, &found->text);
	default:
		return read_text(judge, source, &place, &found->text);
	}
}

/**
 * sct_source_read() - read a source
 * @judge: prog and args are looked at
 * @source: of that program
 * @found: filled in, unless an error is returned
 *
 * Return: 0, and @found says how that went; -EAGAIN if not here, -ENOMEM.
 */
int sct_source_read(struct sct_judge *judge, const struct sct_source *source,
		    struct sct_found *found)
{
	int error;

	*found = (struct sct_found) { 0 };
	error = read_source(judge, source, found);
	switch (error) {
	case -EAGAIN:
	case -ENOMEM:
		return error;
	case 0:
		found->text.state = SCT_STATE_WHOLE;
		break;
	case -ENOENT:
		found->text.state = SCT_STATE_ABSENT;
		break;
	case -E2BIG:
		found->text.state = SCT_STATE_LONG;
		break;
	default:
		found->text.state = SCT_STATE_FAULT;
		break;
	}
	return 0;
}
