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
#include <asm/word-at-a-time.h>
#include "../compat.h"
#include "rules.h"

static struct sct_judgement *judgement_of(struct sct_judge *judge)
{
	return container_of(judge, struct sct_judgement, judge);
}

/** sct_capture_room() - bytes for the strings of a program, and the current directory */
size_t sct_capture_room(const struct sct_prog *prog, bool cwd)
{
	unsigned int i, strings = cwd;

	for (i = 0; i < prog->nargs; i++)
		strings += prog->kinds[i] == SCT_KIND_STR;
	return strings * SCT_STRING_MAX;
}

/*
 * Copy a string that is resident, where sleeping is forbidden.  Does what
 * strncpy_from_user() does with page faults off, for a third of its
 * instructions: most of those check that the room is large enough, which it
 * is, for strings of a few words.  -EFAULT if it is not resident or too long,
 * or the last word that holds it is not: then task context finds out.
 */
static long copy_resident(char *to, const char __user *from)
{
	const struct word_at_a_time constants = WORD_AT_A_TIME_CONSTANTS;
	unsigned long word, zeros, at;

	pagefault_disable();
	if (!user_read_access_begin(from, SCT_STRING_MAX))
		goto out;
	for (at = 0; at < SCT_STRING_MAX; at += sizeof(word)) {
		unsafe_get_user(word, (const unsigned long __user *)(from + at), fault);
		*(unsigned long *)(to + at) = word;
		if (!has_zero(word, &zeros, &constants))
			continue;
		user_read_access_end();
		pagefault_enable();
		zeros = prep_zero_mask(word, zeros, &constants);
		return at + find_zero(create_zero_mask(zeros));
	}
fault:
	user_read_access_end();
out:
	pagefault_enable();
	return -EFAULT;
}

static int capture_arg(struct sct_judgement *j, unsigned int arg)
{
	const char __user *from = (const char __user *)(unsigned long)j->judge.args[arg];
	struct sct_text *text = &j->judge.texts[arg];
	long len;

	if (!from) {
		*text = (struct sct_text) { .state = SCT_STATE_ABSENT };
		return 0;
	}
	if (j->end - j->free < SCT_STRING_MAX)
		return -EAGAIN;
	if (j->stage == SCT_STAGE_GLANCE) {
		len = copy_resident(j->free, from);
		if (len < 0)
			return -EAGAIN;
	} else {
		len = strncpy_from_user(j->free, from, SCT_STRING_MAX);
	}
	*text = (struct sct_text) { .state = SCT_STATE_WHOLE };
	if (len < 0) {
		text->state = SCT_STATE_FAULT;
	} else if (len >= SCT_STRING_MAX) {
		text->state = SCT_STATE_LONG;
	} else {
		text->bytes = j->free;
		text->len = len;
		j->free += SCT_STRING_MAX;
	}
	return 0;
}

int sct_judge_capture(struct sct_judge *judge, unsigned int place)
{
	struct sct_judgement *j = judgement_of(judge);

	if (place == SCT_TEXT_COMM)
		sct_capture_comm(j);
	else if (place == SCT_TEXT_CWD || capture_arg(j, place))
		return -EAGAIN;
	judge->known |= 1u << place;
	return 0;
}

/**
 * sct_capture_seal() - nothing more is copied
 * @j: in SCT_STAGE_COPYING
 *
 * The rules in force when the call is judged may ask for strings that those in
 * force until now did not: these are unreadable.
 */
void sct_capture_seal(struct sct_judgement *j)
{
	unsigned int place;

	for (place = 0; place < SCT_TEXTS; place++)
		if (!(j->judge.known >> place & 1))
			j->judge.texts[place] = (struct sct_text) { .state = SCT_STATE_FAULT };
	j->judge.known = ~(1u << SCT_TEXT_COMM);
	j->stage = SCT_STAGE_SEALED;
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

	for (i = 0; i < prog->nargs; i++) {
		if (prog->kinds[i] == SCT_KIND_STR && !(j->judge.known >> i & 1) &&
		    sct_judge_capture(&j->judge, i))
			return -EAGAIN;
	}
	return 0;
}

/**
 * sct_capture_cwd() - write down the current directory
 *
 * Context: task; may sleep.
 */
void sct_capture_cwd(struct sct_judgement *j)
{
	struct sct_text *text = &j->judge.texts[SCT_TEXT_CWD];
	struct path pwd;
	char *name;

	j->judge.known |= 1u << SCT_TEXT_CWD;
	*text = (struct sct_text) { .state = SCT_STATE_FAULT };
	/* A thread that is exiting has given its directories back. */
	if (!current->fs)
		return;
	get_fs_pwd(current->fs, &pwd);
	name = d_path(&pwd, j->free, SCT_STRING_MAX);
	path_put(&pwd);
	if (IS_ERR(name)) {
		text->state = SCT_STATE_LONG;
		return;
	}
	*text = (struct sct_text) { name, strlen(name), SCT_STATE_WHOLE };
	j->free += SCT_STRING_MAX;
}

/** sct_capture_comm() - copy the command name: another thread may be changing it */
void sct_capture_comm(struct sct_judgement *j)
{
	strscpy_pad(j->comm, current->comm, sizeof(j->comm));
	j->judge.texts[SCT_TEXT_COMM] = (struct sct_text) {
		j->comm, strlen(j->comm), SCT_STATE_WHOLE,
	};
	j->judge.known |= 1u << SCT_TEXT_COMM;
}

int sct_judge_unknown(struct sct_judge *judge, u32 rule)
{
	struct sct_judgement *j = judgement_of(judge);

	if (j->stage == SCT_STAGE_GLANCE)
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
