// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where does a path lead that a call names, or a descriptor?
 *
 * Looked up once, in task context before the rules are held, as the call will
 * look it up: with the caller's rights, from the caller's root, directory or
 * descriptor, through symbolic links or to the last one itself.  What is told
 * is the path from the root of the mount namespace: who has changed its root
 * does not get around it.
 */
#include <linux/audit.h>
#include <linux/dcache.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/openat2.h>
#include <linux/path.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "../compat.h"
#include "rules.h"

/* Write a name, and a slash before it, in front of @at; NULL if there is no room. */
static char *put_name(char *at, const char *room, const struct qstr *name)
{
	if (at - room < (ptrdiff_t)name->len + 1)
		return NULL;
	at -= name->len;
	memcpy(at, name->name, name->len);
	*--at = '/';
	return at;
}

/**
 * sct_path_from_top() - a path from the root of its mount namespace
 * @path: changed on the way, and still to be put
 * @room: of @size bytes; the path ends where it ends
 *
 * d_path() would begin at the caller's own root, and what does not is not
 * exported.  Names are read one by one: who renames one meanwhile makes a path
 * of old and new names.
 *
 * Return: the path, or -ENAMETOOLONG, or -ENOENT if it leads nowhere.
 * Context: task.
 */
char *sct_path_from_top(struct path *path, char *room, size_t size)
{
	char *at = room + size - 1;
	struct name_snapshot name;
	struct dentry *parent;

	*at = '\0';
	while (at) {
		if (path->dentry == path->mnt->mnt_root) {
			if (!follow_up(path))
				break;
			continue;
		}
		parent = dget_parent(path->dentry);
		/* Bound from elsewhere, and moved out of what was bound. */
		if (parent == path->dentry) {
			dput(parent);
			return ERR_PTR(-ENOENT);
		}
		take_dentry_name_snapshot(&name, path->dentry);
		at = put_name(at, room, &name.name);
		release_dentry_name_snapshot(&name);
		dput(path->dentry);
		path->dentry = parent;
	}
	if (!at || (!*at && at == room))
		return ERR_PTR(-ENAMETOOLONG);
	if (!*at)
		*--at = '/';
	return at;
}

/*
 * A lookup.  It starts from @base if that is set, else from the descriptor @dfd;
 * @scope, LOOKUP_IN_ROOT or LOOKUP_BENEATH, keeps it in there.  @room, of @size
 * bytes, takes the answer; @full and @walk are room to look the name up.
 */
struct search {
	struct path base;
	int dfd;
	bool follow;
	unsigned int scope;
	char *room;
	size_t size;
	char name[PATH_MAX];
	char full[PATH_MAX];
	struct sct_walk walk;
};

/* What a descriptor is open on; the current directory has a number as well. */
static int open_base(int fd, struct path *base)
{
	struct file *file;

	if (fd == AT_FDCWD) {
		/* A thread that is exiting has given its directories back. */
		if (!current->fs)
			return -ENOENT;
		get_fs_pwd(current->fs, base);
		return 0;
	}
	file = fget_raw(fd);
	if (!file)
		return -EBADF;
	*base = file->f_path;
	path_get(base);
	fput(file);
	return 0;
}

/* Where a lookup starts from, if its name does not say. */
static int start(const struct search *search, struct path *path)
{
	if (!search->base.mnt)
		return open_base(search->dfd, path);
	*path = search->base;
	path_get(path);
	return 0;
}

/*
 * Look a name up within the directory that it starts from.  Where anything is
 * renamed meanwhile, a guarded lookup refuses to go through "..", and would be
 * unknown to a rule when the call that comes after it has better luck.  Then it
 * is made without the guard: what leads out by that is what the call fails for.
 */
static int look_up_within(struct search *search, const char *name, unsigned int flags,
			  struct path *path)
{
	struct path root;
	int error;

	if (*name == '/' && search->scope & LOOKUP_BENEATH)
		return -EXDEV;
	error = start(search, &root);
	if (error)
		return error;
	error = vfs_path_lookup(root.dentry, root.mnt, name, flags | search->scope, path);
	if (error == -EAGAIN)
		error = vfs_path_lookup(root.dentry, root.mnt, name, flags, path);
	path_put(&root);
	return error;
}

/* Look the first @len bytes of the name up; of none, where it starts from. */
static int look_up(struct search *search, size_t len, unsigned int flags, struct path *path)
{
	int error;

	snprintf(search->full, sizeof(search->full), "%.*s", len ? (int)len : 1,
		 len ? search->name : ".");
	if (search->scope)
		return look_up_within(search, search->full, flags, path);
	if (search->name[0] == '/' || (!search->base.mnt && search->dfd == AT_FDCWD))
		return kern_path(search->full, flags, path);
	error = start(search, path);
	if (error)
		return error;
	error = sct_walk(&search->walk, path, search->full, flags);
	if (error)
		path_put(path);
	return error;
}

/* The answer: a path, and behind it a name that need not be there.  Puts @path. */
static int tell(struct search *search, struct path *path, const char *last, size_t len,
		struct sct_text *text)
{
	const struct dentry_operations *ops = path->dentry->d_op;
	size_t size = search->size - (len ? len + 1 : 0);
	char *end = search->room + size - 1, *at;

	if (len >= search->size - 1) {
		path_put(path);
		return -ENAMETOOLONG;
	}
	/* Pipes, sockets and the like: a name of their own. */
	if (ops && ops->d_dname)
		at = d_path(path, search->room, size);
	else
		at = sct_path_from_top(path, search->room, size);
	path_put(path);
	if (IS_ERR(at))
		return PTR_ERR(at);
	if (len) {
		if (at[1])
			*end++ = '/';
		memcpy(end, last, len);
		end[len] = '\0';
	}
	text->bytes = at;
	text->len = strlen(at);
	return 0;
}

/*
 * Go on where a link says @target that is the name's part behind the first @last
 * bytes of it.  Within a scope these stay before it: what leads out of it, and
 * what is too long together, fails.
 */
static int go_on(struct search *search, size_t last, const char *target)
{
	struct path base;
	int error;

	if (search->scope && *target != '/') {
		if (snprintf(search->full, sizeof(search->full), "%.*s%s", (int)last, search->name,
			     target) >= sizeof(search->full))
			return -ENAMETOOLONG;
		target = search->full;
	} else if (*target != '/') {
		error = look_up(search, last, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &base);
		if (error)
			return error;
		path_put(&search->base);
		search->base = base;
	}
	strscpy(search->name, target, sizeof(search->name));
	return 1;
}

/*
 * Go on where a symbolic link leads to that is the name's last part, the first
 * @len bytes of it, which begins at @last.  Return: 1, 0 if it is none, or a
 * negative errno.
 */
static int follow_last(struct search *search, size_t len, size_t last)
{
	DEFINE_DELAYED_CALL(done);
	const char *target;
	struct path path;
	int found = 0;

	if (look_up(search, len, 0, &path))
		return 0;
	/* One with a function for reading it leads somewhere without saying a name. */
	if (!d_is_symlink(path.dentry) || d_inode(path.dentry)->i_op->readlink)
		goto out;
	target = vfs_get_link(path.dentry, &done);
	if (!IS_ERR_OR_NULL(target))
		found = go_on(search, last, target);
	do_delayed_call(&done);
out:
	path_put(&path);
	return found;
}

static bool is_dots(const char *name, size_t len)
{
	return !len || (len <= 2 && name[0] == '.' && name[len - 1] == '.');
}

/* Find what the name means, which for a name that is free is where it would be. */
static int search_for(struct search *search, struct sct_text *text)
{
	unsigned int links;
	struct path path;
	size_t len, last;
	int error;

	for (links = 0; links < MAXSYMLINKS; links++) {
		len = strlen(search->name);
		if (!len) {
			error = start(search, &path);
			return error ?: tell(search, &path, NULL, 0, text);
		}
		if (search->follow) {
			error = look_up(search, len, LOOKUP_FOLLOW, &path);
			if (error != -ENOENT)
				return error ?: tell(search, &path, NULL, 0, text);
		}
		while (len > 1 && search->name[len - 1] == '/')
			len--;
		for (last = len; last && search->name[last - 1] != '/'; last--)
			;
		if (is_dots(search->name + last, len - last)) {
			error = look_up(search, len, LOOKUP_FOLLOW, &path);
			return error ?: tell(search, &path, NULL, 0, text);
		}
		error = search->follow ? follow_last(search, len, last) : 0;
		if (error > 0)
			continue;
		if (error)
			return error;
		error = look_up(search, last, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &path);
		return error ?: tell(search, &path, search->name + last, len - last, text);
	}
	return -ELOOP;
}

/*
 * Does a call with these flags follow a symbolic link that is the last part of
 * the name?  O_PATH makes an open forget O_CREAT and O_EXCL, which together do not.
 */
static bool follows(const struct sct_source *source, const struct sct_text *name, u32 flags)
{
	bool follow = source->other == SCT_LAST_FOLLOWED;

	if (source->other == SCT_LAST_ENTRY)
		return false;
	if (name->len && name->bytes[name->len - 1] == '/')
		return true;
	return follow != (flags & source->offset ||
			  (source->via && (flags & (source->via | O_PATH)) == source->via));
}

/* A member of the struct open_how of a call, as the rules' conditions see it. */
static int find_how(struct sct_judge *judge, const struct sct_source *source, u32 offset, u64 *value)
{
	const struct sct_source member = {
		.what = SCT_SOURCE_NUMBER,
		.arg = source->family - 1,
		.kind = SCT_KIND_U64,
		.flags = SCT_SOURCEFLAG_EXTENDS,
		.size = source->via_size,
		.offset = offset,
	};

	return sct_memory_number(judge, &member, value);
}

/*
 * What the call's flags say of the lookup.  Those of RESOLVE_* that are left out
 * only make calls fail that would find the same.
 */
static int find_flags(struct sct_judge *judge, const struct sct_source *source,
		      struct search *search, u64 *flags)
{
	u64 resolve = 0;
	int error = 0;

	*flags = source->family ? judge->args[source->family - 1] : 0;
	if (source->via_size) {
		error = find_how(judge, source, offsetof(struct open_how, flags), flags) ?:
			find_how(judge, source, offsetof(struct open_how, resolve), &resolve);
	}
	search->scope = (resolve & RESOLVE_IN_ROOT ? LOOKUP_IN_ROOT : 0) |
			(resolve & RESOLVE_BENEATH ? LOOKUP_BENEATH : 0);
	return error;
}

static int find_descriptor(struct sct_judge *judge, const struct sct_source *source)
{
	return source->flags & SCT_SOURCEFLAG_AFTER ? sct_judge_field(judge, SCT_FIELD_RETVAL) :
						      judge->args[source->arg];
}

static int find_path(struct sct_judge *judge, const struct sct_source *source,
		     struct search *search, struct sct_text *text)
{
	const struct sct_text *name = &judge->texts[source->arg];
	struct path path;
	u64 flags;
	int error;

	if (source->what == SCT_SOURCE_DESCRIPTOR) {
		error = open_base(find_descriptor(judge, source), &path);
		return error ?: tell(search, &path, NULL, 0, text);
	}
	/* Without a name it is the descriptor's, as with one that is empty. */
	if (name->state == SCT_STATE_WHOLE)
		memcpy(search->name, name->bytes, name->len);
	search->name[name->state == SCT_STATE_WHOLE ? name->len : 0] = '\0';
	search->dfd = source->size ? (int)judge->args[source->size - 1] : AT_FDCWD;
	error = find_flags(judge, source, search, &flags);
	if (error)
		return error;
	search->follow = follows(source, name, flags);
	return search_for(search, text);
}

int sct_judge_path(struct sct_judge *judge, const struct sct_source *source, struct sct_text *text)
{
	const struct sct_text *name = &judge->texts[source->arg];
	struct audit_context *audit;
	struct search *search;
	int error;

	BUILD_BUG_ON(SCT_STRING_MAX > PATH_MAX);
	if (!sct_memory_may_sleep(judge))
		return -EAGAIN;
	if (source->what == SCT_SOURCE_PATH && name->state != SCT_STATE_WHOLE &&
	    !(name->state == SCT_STATE_ABSENT && source->size))
		return name->state == SCT_STATE_LONG ? -E2BIG : -EFAULT;
	search = kvmalloc(sizeof(*search), GFP_KERNEL_ACCOUNT);
	if (!search)
		return -ENOMEM;
	search->base = (struct path) { };
	search->size = source->limit;
	search->room = sct_judge_room(judge, source->limit);
	/* The audit would take what we look up for what the call looks up. */
	audit = audit_context();
	audit_set_context(current, NULL);
	error = search->room ? find_path(judge, source, search, text) : -EFAULT;
	audit_set_context(current, audit);
	path_put(&search->base);
	kvfree(search);
	if (!error || error == -ENOMEM)
		return error;
	return error == -ENAMETOOLONG ? -E2BIG : -EFAULT;
}
