// SPDX-License-Identifier: GPL-2.0-only
/*
 * What can be asked of /dev/sct?
 *
 *   SCT_IOC_VERSION   0
 *   SCT_IOC_UPLOAD    0; EPERM without CAP_SYS_ADMIN in the initial user
 *                     namespace; EFAULT; EINVAL for flags that are not known;
 *                     else struct sct_error says why, with the errno that
 *                     grammar/spec.toml gives for it
 *   SCT_IOC_DOWNLOAD  0; EINVAL if what must be zero is not; ENOSPC if the
 *                     buffer is too small (size says how much it takes); EFAULT
 *   SCT_IOC_LIST      0; EINVAL for a list that is not known; EFAULT; ENOMEM
 *   SCT_IOC_LOCK      0; EPERM
 *   SCT_IOC_PROVE     0; EPERM; EFAULT; EINVAL for an ABI, mechanism, step or
 *                     number that is not known; ESRCH if that trial is not
 *                     under way; EBUSY if the call is in use otherwise; EIO
 *                     if the mechanism is switched off; ENOMEM
 *   any other         ENOTTY
 *
 * What is asked is copied in once.  control_lock serialises changes; waiting
 * for it can be interrupted (EINTR).  User memory is not touched under it: who
 * lets the kernel wait for that holds up nobody else.
 */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/uaccess.h>
#include "rules.h"

static DEFINE_MUTEX(control_lock);
static bool locked;

static u64 generation(void)
{
	const struct sct_ruleset *set = sct_ruleset_held();

	return set ? set->generation : 0;
}

static long get_version(void __user *argument)
{
	struct sct_version version = { .abi = SCT_ABI_VERSION };

	if (mutex_lock_interruptible(&control_lock))
		return -EINTR;
	version.locked = locked;
	version.generation = generation();
	mutex_unlock(&control_lock);
	return copy_to_user(argument, &version, sizeof(version)) ? -EFAULT : 0;
}

static long refuse(struct sct_error *error, u32 code)
{
	error->code = code;
	return -sct_error_errno(code);
}

/* Under control_lock; the set is the caller's unless it is published. */
static long publish(struct sct_upload *upload, struct sct_ruleset *set)
{
	long result;

	if (upload->flags & SCT_UPLOAD_EXPECT && upload->expect != generation())
		return refuse(&upload->error, SCT_ERROR_STALE);
	if (upload->flags & SCT_UPLOAD_DRY_RUN)
		return 0;
	if (locked)
		return refuse(&upload->error, SCT_ERROR_LOCKED);
	result = sct_ruleset_publish(set, &upload->error);
	if (!result)
		upload->generation = set->generation;
	return result;
}

static long upload_image(struct sct_upload *upload)
{
	struct sct_ruleset *set;
	bool published = false;
	long result = -EINTR;
	void *image;

	if (upload->flags & ~(SCT_UPLOAD_EXPECT | SCT_UPLOAD_DRY_RUN))
		return -EINVAL;
	image = sct_image_copy((const void __user *)(unsigned long)upload->image, upload->size,
			       &upload->error);
	if (IS_ERR(image))
		return PTR_ERR(image);
	set = sct_ruleset_create(image, upload->size, &upload->error);
	if (IS_ERR(set)) {
		kvfree(image);
		return PTR_ERR(set);
	}
	if (!mutex_lock_interruptible(&control_lock)) {
		result = publish(upload, set);
		published = !result && !(upload->flags & SCT_UPLOAD_DRY_RUN);
		mutex_unlock(&control_lock);
	}
	if (!published)
		sct_ruleset_put(set);
	return result;
}

static long upload(void __user *argument)
{
	struct sct_upload upload;
	long result;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (copy_from_user(&upload, argument, sizeof(upload)))
		return -EFAULT;
	upload.error = (struct sct_error) { };
	upload.generation = 0;
	/* Where the answer cannot be written nothing is done that it would tell of. */
	if (copy_to_user(argument, &upload, sizeof(upload)))
		return -EFAULT;
	result = upload_image(&upload);
	if (copy_to_user(argument, &upload, sizeof(upload)))
		return -EFAULT;
	return result;
}

static long download_image(struct sct_download *download, const struct sct_ruleset *set)
{
	u32 room = download->size;

	download->size = set ? set->size : 0;
	download->generation = set ? set->generation : 0;
	if (room < download->size)
		return -ENOSPC;
	if (set && copy_to_user((void __user *)(unsigned long)download->buffer, set->image,
				set->size))
		return -EFAULT;
	return 0;
}

static long download(void __user *argument)
{
	struct sct_download download;
	struct sct_ruleset *set;
	long result;

	if (copy_from_user(&download, argument, sizeof(download)))
		return -EFAULT;
	if (download.zero)
		return -EINVAL;
	if (mutex_lock_interruptible(&control_lock))
		return -EINTR;
	set = sct_ruleset_held();
	if (set)
		refcount_inc(&set->users);
	mutex_unlock(&control_lock);
	result = download_image(&download, set);
	sct_ruleset_put(set);
	if (copy_to_user(argument, &download, sizeof(download)))
		return -EFAULT;
	return result;
}

static int list_counters(struct sct_counters *counters, unsigned int first, unsigned int count,
			 unsigned int *total)
{
	const struct sct_ruleset *set = sct_ruleset_held();
	unsigned int done = 0;

	*total = set ? set->view.head->rules.count : 0;
	for (; done < count && first < *total; done++, first++)
		sct_ruleset_count(set, first, &counters[done]);
	return done;
}

#define LIST_MAX 4096 /* elements in one answer */

/* Fill a buffer of list->count elements; how many were written, or -EINVAL. */
static int fill_list(struct sct_list *list, void *buffer)
{
	switch (list->what) {
	case SCT_LIST_COUNTERS:
		return list_counters(buffer, list->first, list->count, &list->total);
	case SCT_LIST_POINTS:
		return sct_points_list(buffer, list->first, list->count, &list->total);
	case SCT_LIST_CALLERS:
		return sct_callers_list(buffer, list->first, list->count, &list->total);
	case SCT_LIST_DROPS:
		return sct_drop_list(buffer, list->first, list->count, &list->total);
	case SCT_LIST_PROOFS:
		return sct_proof_list(buffer, list->first, list->count, &list->total);
	}
	return -EINVAL;
}

static size_t element_size(u32 what)
{
	switch (what) {
	case SCT_LIST_COUNTERS:
		return sizeof(struct sct_counters);
	case SCT_LIST_POINTS:
		return sizeof(struct sct_point);
	case SCT_LIST_CALLERS:
		return sizeof(struct sct_caller);
	case SCT_LIST_DROPS:
		return sizeof(struct sct_drop);
	case SCT_LIST_PROOFS:
		return sizeof(struct sct_proof);
	}
	return 0;
}

static long list(void __user *argument)
{
	struct sct_list list;
	long result = -EINTR;
	void *buffer;
	size_t size;

	if (copy_from_user(&list, argument, sizeof(list)))
		return -EFAULT;
	size = element_size(list.what);
	if (!size)
		return -EINVAL;
	list.count = min_t(u32, list.count, LIST_MAX);
	buffer = kvcalloc(max(list.count, 1u), size, GFP_KERNEL);
	if (!buffer)
		return -ENOMEM;
	if (!mutex_lock_interruptible(&control_lock)) {
		list.generation = generation();
		list.count = fill_list(&list, buffer);
		mutex_unlock(&control_lock);
		result = copy_to_user((void __user *)(unsigned long)list.buffer, buffer,
				      list.count * size) ||
			 copy_to_user(argument, &list, sizeof(list)) ? -EFAULT : 0;
	}
	kvfree(buffer);
	return result;
}

/* Until reboot: the module cannot be unloaded either. */
static long lock(void)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (mutex_lock_interruptible(&control_lock))
		return -EINTR;
	if (!locked)
		__module_get(THIS_MODULE);
	locked = true;
	mutex_unlock(&control_lock);
	return 0;
}

static long prove(void __user *argument)
{
	struct sct_prove prove;
	long result;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (copy_from_user(&prove, argument, sizeof(prove)))
		return -EFAULT;
	if (mutex_lock_interruptible(&control_lock))
		return -EINTR;
	result = sct_prove(&prove);
	mutex_unlock(&control_lock);
	/* ENODEV is what a device that is gone answers. */
	if (result == -ENODEV)
		result = -EIO;
	if (copy_to_user(argument, &prove, sizeof(prove)))
		return -EFAULT;
	return result;
}

static long sct_ioctl(struct file *file, unsigned int request, unsigned long argument)
{
	switch (request) {
	case SCT_IOC_VERSION:
		return get_version((void __user *)argument);
	case SCT_IOC_UPLOAD:
		return upload((void __user *)argument);
	case SCT_IOC_DOWNLOAD:
		return download((void __user *)argument);
	case SCT_IOC_LIST:
		return list((void __user *)argument);
	case SCT_IOC_LOCK:
		return lock();
	case SCT_IOC_PROVE:
		return prove((void __user *)argument);
	}
	return -ENOTTY;
}

static const struct file_operations sct_operations = {
	.owner = THIS_MODULE,
	.open = nonseekable_open,
	.unlocked_ioctl = sct_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice sct = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = SCT_CONTROL_NAME,
	.mode = 0600,
	.fops = &sct_operations,
};

/** sct_control_init() - all else is there; Return: 0 or a negative errno */
int sct_control_init(void)
{
	return misc_register(&sct);
}

/** sct_control_exit() - nobody has the device open, or this module would be in use */
void sct_control_exit(void)
{
	misc_deregister(&sct);
}
