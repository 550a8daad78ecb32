// SPDX-License-Identifier: GPL-2.0-only
/*
 * What does a name mean from a directory for which the caller has a descriptor?
 *
 * The kernel's own lookup begins at a root or at the current directory, where
 * modules ask it.  The directory's own path would not do in place of it: it can
 * be too long, lie outside of the caller's root, or behind directories that the
 * caller may not search, and all of these a caller can arrange.  So the kernel is
 * asked for one part of the name after the other, as it would ask itself, with
 * the caller's rights; the way up, and where links lead, are followed by hand.
 */
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/path.h>
#include <linux/sched.h>
#include "../compat.h"
#include "rules.h"

static void replace(struct path *at, struct path *by)
{
	path_put(at);
	*at = *by;
}

/* What is mounted on the directory above, if anything is; a root has itself above it. */
static void go_up(struct path *at)
{
	struct dentry *parent;
	struct path root;

	get_fs_root(current->fs, &root);
	while (!path_equal(at, &root)) {
		if (at->dentry != at->mnt->mnt_root) {
			parent = dget_parent(at->dentry);
			dput(at->dentry);
			at->dentry = parent;
			break;
		}
		if (!follow_up(at))
			break;
	}
	path_put(&root);
	while (d_mountpoint(at->dentry) && follow_down_one(at))
		;
}

/* Begin to follow a link, whose path is taken over: what it says, or an error pointer. */
static const char *enter(struct sct_walk *walk, struct path *link, const char *rest,
			 struct path *at)
{
	struct sct_turn *turn = &walk->turns[walk->depth];
	struct path root;
	const char *says;

	turn->done = (struct delayed_call) { };
	says = vfs_get_link(link->dentry, &turn->done);
	if (IS_ERR_OR_NULL(says)) {
		do_delayed_call(&turn->done);
		path_put(link);
		return says ?: ERR_PTR(-ENOENT);
	}
	turn->link = *link;
	turn->rest = rest;
	walk->depth++;
	if (*says == '/') {
		get_fs_root(current->fs, &root);
		replace(at, &root);
	}
	return says;
}

/* What a link says has been used up: the rest of the name that it stood in. */
static const char *leave(struct sct_walk *walk)
{
	struct sct_turn *turn = &walk->turns[--walk->depth];

	do_delayed_call(&turn->done);
	path_put(&turn->link);
	return turn->rest;
}

/* Look one part up that is no way up, in the @middle of the name or at its end.  Return: how the name goes on. */
static const char *step(struct sct_walk *walk, struct path *at, const char *rest,
			unsigned int flags, bool middle)
{
	struct path next;
	int error;

	error = vfs_path_lookup(at->dentry, at->mnt, walk->part, middle ? LOOKUP_AUTOMOUNT : 0,
				&next);
	if (!error && (middle || flags & LOOKUP_FOLLOW) && d_is_symlink(next.dentry)) {
		if (++walk->links > MAXSYMLINKS) {
			path_put(&next);
			return ERR_PTR(-ELOOP);
		}
		/* One with a function for reading it leads somewhere without saying a name. */
		if (!d_inode(next.dentry)->i_op->readlink)
			return enter(walk, &next, rest, at);
		path_put(&next);
		error = vfs_path_lookup(at->dentry, at->mnt, walk->part, LOOKUP_FOLLOW, &next);
	}
	if (error)
		return ERR_PTR(error);
	replace(at, &next);
	return rest;
}

/* Go on by the next part of the name.  Return: how it goes on. */
static const char *advance(struct sct_walk *walk, struct path *at, const char *name,
			   unsigned int flags)
{
	size_t len = strcspn(name, "/");
	const char *rest = name + len;

	if (len >= sizeof(walk->part))
		return ERR_PTR(-ENAMETOOLONG);
	if (!d_can_lookup(at->dentry))
		return ERR_PTR(-ENOTDIR);
	memcpy(walk->part, name, len);
	walk->part[len] = '\0';
	if (!strcmp(walk->part, "."))
		return rest;
	if (strcmp(walk->part, ".."))
		return step(walk, at, rest, flags, walk->depth || *rest);
	go_up(at);
	return rest;
}

/**
 * sct_walk() - look a name up
 * @walk: room for it
 * @at: the directory to start from, and then what was found; to be put in any case
 * @name: relative
 * @flags: LOOKUP_FOLLOW, LOOKUP_DIRECTORY
 *
 * Context: task; may sleep.
 * Return: 0, or a negative errno as the caller would get it.
 */
int sct_walk(struct sct_walk *walk, struct path *at, const char *name, unsigned int flags)
{
	const char *rest = name;

	/* A thread that is exiting has given its root back. */
	if (!current->fs)
		return -ENOENT;
	walk->depth = 0;
	walk->links = 0;
	while (!IS_ERR(rest)) {
		rest += strspn(rest, "/");
		if (*rest)
			rest = advance(walk, at, rest, flags);
		else if (walk->depth)
			rest = leave(walk);
		else
			break;
	}
	while (walk->depth)
		leave(walk);
	if (IS_ERR(rest))
		return PTR_ERR(rest);
	return flags & LOOKUP_DIRECTORY && !d_can_lookup(at->dentry) ? -ENOTDIR : 0;
}
