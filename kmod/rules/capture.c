// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is known of a call and its caller?
 *
 * A string is copied once: what is compared is what is logged.  Where sleeping
 * is forbidden only memory that is resident can be read; anything else says
 * -EAGAIN, and the call is judged again in task context, where a string that
 * cannot be read is really unreadable.
 */
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/fs_struct.h>
#include <linux/path.h>
#include <linux/sched.h>
#include <linux/uaccess.h>
#include "../compat.h"
#include "rules.h"

static struct sct_judgement *judgement_of(struct sct_judge *judge)
{
	return container_of(judge, struct sct_judgement, judge);
}

/**
 * sct_capture_begin() - start to judge a call
 * @j: to be filled in; its program and set come later
 * @regs: the caller's registers
 * @room: for strings: SCT_STRING_MAX bytes for each, or as sct_capture_room() says
 * @may_sleep: in task context
 */
void sct_capture_begin(struct sct_judgement *j, const struct pt_regs *regs, char *room,
		       bool may_sleep)
{
	unsigned int i;

	sct_caller_args(regs, j->judge.args);
	for (i = 0; i < SCT_ARGS_MAX; i++)
		j->args[i].known = false;
	j->comm.known = false;
	j->cwd.known = false;
	j->may_sleep = may_sleep;
	j->result = 0;
	j->free = room;
}

/** sct_capture_room() - bytes for the strings of a program, and the current directory */
size_t sct_capture_room(const struct sct_prog *prog, bool cwd)
{
	unsigned int i, strings = cwd;

	for (i = 0; i < prog->nargs; i++)
		strings += prog->kinds[i] == SCT_KIND_STR;
	return strings * SCT_STRING_MAX;
}

static long copy_string(char *to, const char __user *from, bool may_sleep)
{
	long len;

	if (may_sleep)
		return strncpy_from_user(to, from, SCT_STRING_MAX);
	pagefault_disable();
	len = strncpy_from_user(to, from, SCT_STRING_MAX);
	pagefault_enable();
	return len;
}

/**
 * sct_capture_arg() - copy the string that an argument points to, if not yet done
 *
 * Return: 0, or -EAGAIN if that cannot be done here.
 */
int sct_capture_arg(struct sct_judgement *j, unsigned int arg)
{
	const char __user *from = (const char __user *)(unsigned long)j->judge.args[arg];
	struct sct_text *text = &j->args[arg];
	long len;

	if (text->known)
		return 0;
	*text = (struct sct_text) { .known = true, .state = SCT_STATE_ABSENT };
	if (!from)
		return 0;
	len = copy_string(j->free, from, j->may_sleep);
	if (len < 0 && !j->may_sleep) {
		text->known = false;
		return -EAGAIN;
	}
	if (len < 0) {
		text->state = SCT_STATE_FAULT;
	} else if (len >= SCT_STRING_MAX) {
		text->state = SCT_STATE_LONG;
	} else {
		text->state = SCT_STATE_WHOLE;
		text->bytes = j->free;
		text->len = len;
		j->free += SCT_STRING_MAX;
	}
	return 0;
}

/**
 * sct_capture_args() - copy all strings that a call's arguments point to
 * @prog: a program of the call
 *
 * Return: 0, or -EAGAIN if that cannot be done here.
 */
int sct_capture_args(struct sct_judgement *j, const struct sct_prog *prog)
{
	unsigned int i;

	for (i = 0; i < prog->nargs; i++)
		if (prog->kinds[i] == SCT_KIND_STR && sct_capture_arg(j, i))
			return -EAGAIN;
	return 0;
}

/**
 * sct_capture_cwd() - write down the current directory
 *
 * Context: task; may sleep.
 */
void sct_capture_cwd(struct sct_judgement *j)
{
	struct path pwd;
	char *name;

	j->cwd = (struct sct_text) { .known = true, .state = SCT_STATE_FAULT };
	/* A thread that is exiting has given its directories back. */
	if (!current->fs)
		return;
	get_fs_pwd(current->fs, &pwd);
	name = d_path(&pwd, j->free, SCT_STRING_MAX);
	path_put(&pwd);
	if (IS_ERR(name)) {
		j->cwd.state = SCT_STATE_LONG;
		return;
	}
	j->cwd.state = SCT_STATE_WHOLE;
	j->cwd.bytes = name;
	j->cwd.len = strlen(name);
	j->free += SCT_STRING_MAX;
}

/** sct_capture_comm() - the command name: another thread may be changing it */
const struct sct_text *sct_capture_comm(struct sct_judgement *j)
{
	if (!j->comm.known) {
		strscpy_pad(j->comm_bytes, current->comm, sizeof(j->comm_bytes));
		j->comm = (struct sct_text) {
			.known = true,
			.state = SCT_STATE_WHOLE,
			.bytes = j->comm_bytes,
			.len = strlen(j->comm_bytes),
		};
	}
	return &j->comm;
}

static const struct sct_text *find_text(struct sct_judgement *j, unsigned int operand)
{
	if (operand < SCT_ARGS_MAX)
		return sct_capture_arg(j, operand) ? NULL : &j->args[operand];
	if (operand == SCT_FIELD_COMM)
		return sct_capture_comm(j);
	return j->cwd.known ? &j->cwd : NULL;
}

int sct_judge_string(struct sct_judge *judge, unsigned int operand, const char **bytes,
		     size_t *len)
{
	struct sct_judgement *j = judgement_of(judge);
	const struct sct_text *text = find_text(j, operand);

	if (!text)
		return j->may_sleep ? -EFAULT : -EAGAIN;
	if (text->state != SCT_STATE_WHOLE)
		return -EFAULT;
	*bytes = text->bytes;
	*len = text->len;
	return 0;
}

int sct_judge_unknown(struct sct_judge *judge, u32 rule)
{
	struct sct_judgement *j = judgement_of(judge);

	if (!j->may_sleep)
		return -EAGAIN;
	atomic64_inc(&j->set->tallies[rule].unknown);
	return 0;
}

static u32 parent_pid(void)
{
	u32 pid;

	rcu_read_lock();
	pid = task_tgid_nr(rcu_dereference(current->real_parent));
	rcu_read_unlock();
	return pid;
}

s64 sct_judge_field(struct sct_judge *judge, unsigned int field)
{
	const struct cred *cred = current_cred();
	long result = judgement_of(judge)->result;

	switch (field) {
	case SCT_FIELD_PID:
		return task_tgid_nr(current);
	case SCT_FIELD_TID:
		return task_pid_nr(current);
	case SCT_FIELD_PPID:
		return parent_pid();
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
	case SCT_FIELD_FSGID:
		return __kgid_val(cred->fsgid);
	case SCT_FIELD_RETVAL:
		return result;
	case SCT_FIELD_ERRNO:
		return IS_ERR_VALUE((unsigned long)result) ? -result : 0;
	}
	return 0;
}
