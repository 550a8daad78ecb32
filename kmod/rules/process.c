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

/*
 * Who was released, as a process that is held can be, has forgotten its parent,
 * its session and its number in each namespace: these are not 0, but unknown.
 */
static int parent_pid(const struct task_struct *task, s64 *value)
{
	int error = -EFAULT;

	rcu_read_lock();
	if (pid_alive(task)) {
		*value = task_tgid_nr(rcu_dereference(task->real_parent));
		error = 0;
	}
	rcu_read_unlock();
	return error;
}

static int session_leader(struct task_struct *task, s64 *value)
{
	struct pid *leader;

	rcu_read_lock();
	leader = READ_ONCE(task->signal->pids[PIDTYPE_SID]);
	if (leader)
		*value = pid_nr(leader);
	rcu_read_unlock();
	return leader ? 0 : -EFAULT;
}

static int pid_namespace(struct task_struct *task, s64 *value)
{
	const struct pid_namespace *ns;

	rcu_read_lock();
	ns = task_active_pid_ns(task);
	if (ns)
		*value = ns->ns.inum;
	rcu_read_unlock();
	return ns ? 0 : -EFAULT;
}

static int container(struct task_struct *task, s64 *value)
{
	int error = pid_namespace(task, value);

	if (!error && *value == init_pid_ns.ns.inum)
		*value = 0;
	return error;
}

static s64 id_of(struct task_struct *task, const struct cred *cred, unsigned int field)
{
	switch (field) {
	case SCT_FIELD_PID:
		return task_tgid_nr(task);
	case SCT_FIELD_TID:
		return task_pid_nr(task);
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

static u32 inode_of(const struct nsproxy *proxy, unsigned int field)
{
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

/* Nobody but the caller changes its own.  A thread that is exiting has none left. */
static int namespace_of(struct task_struct *task, unsigned int field, s64 *value)
{
	bool other = task != current;
	int error = -EFAULT;

	if (other)
		task_lock(task);
	if (task->nsproxy) {
		*value = inode_of(task->nsproxy, field);
		error = 0;
	}
	if (other)
		task_unlock(task);
	return error;
}

/**
 * sct_process_number() - a number that is known of a process
 * @cred: of it
 * @field: of type int, but not of the call
 * @value: filled in
 *
 * Context: any for the caller; of others RCU, and task if the field says so.
 * Return: 0, or -EFAULT if it cannot be known.
 */
int sct_process_number(struct task_struct *task, const struct cred *cred, unsigned int field,
		       s64 *value)
{
	switch (field) {
	case SCT_FIELD_PPID:
		return parent_pid(task, value);
	case SCT_FIELD_PID:
	case SCT_FIELD_TID:
	case SCT_FIELD_UID ... SCT_FIELD_FSGID:
		*value = id_of(task, cred, field);
		return 0;
	case SCT_FIELD_LOGINUID:
		*value = __kuid_val(audit_get_loginuid(task));
		return 0;
	case SCT_FIELD_SESSION:
		*value = audit_get_sessionid(task);
		return 0;
	case SCT_FIELD_SESSION_LEADER:
		return session_leader(task, value);
	case SCT_FIELD_CAPS:
		*value = sct_caps(cred->cap_effective);
		return 0;
	case SCT_FIELD_PIDNS:
		return pid_namespace(task, value);
	case SCT_FIELD_CONTAINER:
		return container(task, value);
	case SCT_FIELD_USERNS:
		*value = cred->user_ns->ns.inum;
		return 0;
	default:
		return namespace_of(task, field, value);
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

/* A thread that is exiting has given its directories back: then false. */
static bool get_directory(struct task_struct *task, bool root, struct path *path)
{
	bool there;

	task_lock(task);
	there = task->fs;
	if (there && root)
		get_fs_root(task->fs, path);
	else if (there)
		get_fs_pwd(task->fs, path);
	task_unlock(task);
	return there;
}

static void say_cwd(struct task_struct *task, struct sct_text *text, char *room)
{
	struct path pwd;

	if (!get_directory(task, false, &pwd))
		return;
	say_path(text, d_path(&pwd, room, SCT_STRING_MAX));
	path_put(&pwd);
}

static void say_exe(struct task_struct *task, struct sct_text *text, char *room)
{
	struct file *file = NULL;

	if (task->flags & PF_KTHREAD) {
		say(text, "");
		return;
	}
	task_lock(task);
	if (task->mm) {
		rcu_read_lock();
		file = sct_file_get(&task->mm->exe_file);
		rcu_read_unlock();
	}
	task_unlock(task);
	if (!file)
		return;
	say_path(text, d_path(&file->f_path, room, SCT_STRING_MAX));
	fput(file);
}

static void say_root(struct task_struct *task, struct sct_text *text, char *room)
{
	struct path root;

	if (!get_directory(task, true, &root))
		return;
	say_path(text, sct_path_from_top(&root, room, SCT_STRING_MAX));
	path_put(&root);
}

/* Of the caller only. */
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

static void say_cgroup(struct task_struct *task, struct sct_text *text, char *room)
{
	int len;

	rcu_read_lock();
	len = cgroup_path(task_dfl_cgroup(task), room, SCT_STRING_MAX);
	rcu_read_unlock();
	if (len < 0 || len >= SCT_STRING_MAX)
		text->state = SCT_STATE_LONG;
	else
		say(text, room);
}

/**
 * sct_process_text() - a text that is known of a process
 * @task: the caller, or one that is held
 * @place: of a field that needs task context
 * @room: of SCT_STRING_MAX bytes, into which @text may point afterwards
 * @text: filled in
 *
 * Context: task; may sleep.
 */
void sct_process_text(struct task_struct *task, unsigned int place, char *room,
		      struct sct_text *text)
{
	*text = (struct sct_text) { .state = SCT_STATE_FAULT };
	switch (place) {
	case SCT_TEXT_CWD:
		say_cwd(task, text, room);
		break;
	case SCT_TEXT_EXE:
		say_exe(task, text, room);
		break;
	case SCT_TEXT_ROOT:
		say_root(task, text, room);
		break;
	case SCT_TEXT_TTY:
		say_tty(text, room);
		break;
	case SCT_TEXT_CGROUP:
		say_cgroup(task, text, room);
		break;
	}
}
