// SPDX-License-Identifier: GPL-2.0-only
/* How does an image come from user space into the kernel, whole and sound? */
#include <linux/crc32.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include "rules.h"

u32 sct_judge_crc(const void *bytes, size_t size)
{
	return crc32_le(~0u, bytes, size) ^ ~0u;
}

/**
 * sct_image_copy() - copy an image, once
 * @from: where it is
 * @size: in bytes
 * @error: filled in if its size is refused
 *
 * Context: may sleep.
 * Return: the copy, to be freed with kvfree(), or an error pointer: -EINVAL,
 * -E2BIG, -ENOMEM, -EFAULT.
 */
void *sct_image_copy(const void __user *from, size_t size, struct sct_error *error)
{
	void *image;

	if (size < sizeof(struct sct_image) || size > SCT_IMAGE_MAX) {
		error->code = size < sizeof(struct sct_image) ? SCT_ERROR_SHORT : SCT_ERROR_SIZE;
		error->value = size;
		return ERR_PTR(-sct_error_errno(error->code));
	}
	image = vmemdup_user(from, size);
	if (image == ERR_PTR(-ENOMEM))
		error->code = SCT_ERROR_MEMORY;
	return image;
}

/**
 * sct_image_verify() - verify an image completely
 *
 * Context: may sleep.
 * Return: 0, or a negative errno that fits @error.
 */
int sct_image_verify(const void *image, size_t size, struct sct_view *view,
		     struct sct_error *error)
{
	u32 *scratch;
	int result = sct_verify_layout(image, size, view, error);

	if (result)
		return result;
	scratch = kvmalloc(sct_verify_scratch(view), GFP_KERNEL);
	if (!scratch) {
		error->code = SCT_ERROR_MEMORY;
		return -ENOMEM;
	}
	result = sct_verify_content(view, scratch, error);
	kvfree(scratch);
	return result;
}
