// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is known of a process?
 *
 * Numbers are read wherever a call is judged.  Texts take locks, which sleep
 * under PREEMPT_RT even if they spin elsewhere: task context only.
 */
#include <linux/cgroup.h>
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/file.h>
#include <linux/fs_struct.h>
#include <linux/ipc_namespace.h>
#include <linux/nsproxy.h>
#include <linux/path.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/tty.h>
#include <linux/tty_driver.h>
#include <linux/utsname.h>
#include <net/net_namespace.h>
#include "../compat.h"
#include "rules.h"

static u32 parent_pid(const struct task_struct *task)
{
	u32 pid;

	rcu_read_lock();
	pid = task_tgid_nr(rcu_dereference(task->real_parent));
	rcu_read_unlock();
	return pid;
}

static u32 pid_namespace(struct task_struct *task)
{
	const struct pid_namespace *ns = task_active_pid_ns(task);

	return ns ? ns->ns.inum : 0;
}

static s64 id_of(struct task_struct *task, const struct cred *cred, unsigned int field)
{
	switch (field) {
	case SCT_FIELD_PID:
		return task_tgid_nr(task);
	case SCT_FIELD_TID:
		return task_pid_nr(task);
	case SCT_FIELD_PPID:
		return parent_pid(task);
	case SCT_FIELD_UID:
		return __kuid_val(cred->uid);
	case SCT_FIELD_EUID:
		return __kuid_val(cred->euid);
	case SCT_FIELD_SUID:
		return __kuid_val(cred->suid);
	case SCT_FIELD_FSUID:
		return __kuid_val(cred->fsuid);
	case SCT_FIELD_GID:
		return __kgid_val(cred->gid);
	case SCT_FIELD_EGID:
		return __kgid_val(cred->egid);
	case SCT_FIELD_SGID:
		return __kgid_val(cred->sgid);
	default: /* FSGID */
		return __kgid_val(cred->fsgid);
	}
}

/* Of the caller: nobody else changes that.  A thread that is exiting has none left: 0. */
static u32 namespace_of(const struct nsproxy *proxy, unsigned int field)
{
	if (!proxy)
		return 0;
	switch (field) {
	case SCT_FIELD_MNTNS:
		return sct_mount_namespace(proxy)->inum;
	case SCT_FIELD_NETNS:
		return proxy->net_ns->ns.inum;
	case SCT_FIELD_UTSNS:
		return proxy->uts_ns->ns.inum;
	case SCT_FIELD_IPCNS:
		return proxy->ipc_ns->ns.inum;
	default: /* CGROUPNS */
		return proxy->cgroup_ns->ns.inum;
	}
}

/**
 * sct_process_number() - a number that is known of the caller
 * @field: of type int, but not of the call
 *
 * Context: any.
 */
s64 sct_process_number(unsigned int field)
{
	const struct cred *cred = current_cred();
	u32 inum;

	switch (field) {
	case SCT_FIELD_PID ... SCT_FIELD_FSGID:
		return id_of(current, cred, field);
	case SCT_FIELD_LOGINUID:
		return __kuid_val(audit_get_loginuid(current));
	case SCT_FIELD_SESSION:
		return audit_get_sessionid(current);
	case SCT_FIELD_SESSION_LEADER:
		return task_session_nr_ns(current, &init_pid_ns);
	case SCT_FIELD_CAPS:
		return sct_caps(cred->cap_effective);
	case SCT_FIELD_CONTAINER:
		inum = pid_namespace(current);
		return inum == init_pid_ns.ns.inum ? 0 : inum;
	case SCT_FIELD_PIDNS:
		return pid_namespace(current);
	case SCT_FIELD_USERNS:
		return cred->user_ns->ns.inum;
	default:
		return namespace_of(current->nsproxy, field);
	}
}

static void say(struct sct_text *text, const char *bytes)
{
	*text = (struct sct_text) { bytes, strlen(bytes), SCT_STATE_WHOLE };
}

/* A path as d_path() makes it in a room of SCT_STRING_MAX bytes. */
static void say_path(struct sct_text *text, const char *name)
{
	if (IS_ERR(name))
		text->state = PTR_ERR(name) == -ENAMETOOLONG ? SCT_STATE_LONG : SCT_STATE_FAULT;
	else
		say(text, name);
}

static void say_cwd(struct sct_text *text, char *room)
{
	struct path pwd;

	/* A thread that is exiting has given its directories back. */
	if (!current->fs)
		return;
	get_fs_pwd(current->fs, &pwd);
	say_path(text, d_path(&pwd, room, SCT_STRING_MAX));
	path_put(&pwd);
}

static void say_exe(struct sct_text *text, char *room)
{
	struct file *file;

	/* A thread of the kernel's own. */
	if (!current->mm) {
		say(text, "");
		return;
	}
	rcu_read_lock();
	file = sct_file_get(&current->mm->exe_file);
	rcu_read_unlock();
	if (!file)
		return;
	say_path(text, d_path(&file->f_path, room, SCT_STRING_MAX));
	fput(file);
}

static void say_root(struct sct_text *text, char *room)
{
	struct path root;

	if (!current->fs)
		return;
	get_fs_root(current->fs, &root);
	say_path(text, sct_path_from_top(&root, room, SCT_STRING_MAX));
	path_put(&root);
}

static void say_tty(struct sct_text *text, char *room)
{
	struct tty_struct *tty = get_current_tty();

	if (!tty) {
		say(text, "");
		return;
	}
	/* Names of those of devpts are made by user space: a directory of their own. */
	if (tty->driver->flags & TTY_DRIVER_DEVPTS_MEM)
		snprintf(room, SCT_STRING_MAX, "pts/%d", tty->index);
	else
		strscpy(room, tty->name, SCT_STRING_MAX);
	tty_kref_put(tty);
	say(text, room);
}

static void say_cgroup(struct sct_text *text, char *room)
{
	int len;

	rcu_read_lock();
	len = cgroup_path(task_dfl_cgroup(current), room, SCT_STRING_MAX);
	rcu_read_unlock();
	if (len < 0 || len >= SCT_STRING_MAX)
		text->state = SCT_STATE_LONG;
	else
		say(text, room);
}

/**
 * sct_process_text() - a text that is known of the caller
 * @place: of a field that needs task context
 * @room: of SCT_STRING_MAX bytes, into which @text may point afterwards
 * @text: filled in
 *
 * Context: task; may sleep.
 */
void sct_process_text(unsigned int place, char *room, struct sct_text *text)
{
	*text = (struct sct_text) { .state = SCT_STATE_FAULT };
	switch (place) {
	case SCT_TEXT_CWD:
		say_cwd(text, room);
		break;
	case SCT_TEXT_EXE:
		say_exe(text, room);
		break;
	case SCT_TEXT_ROOT:
		say_root(text, room);
		break;
	case SCT_TEXT_TTY:
		say_tty(text, room);
		break;
	case SCT_TEXT_CGROUP:
		say_cgroup(text, room);
		break;
	}
}
