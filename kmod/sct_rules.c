// SPDX-License-Identifier: GPL-2.0-only
/*
 * sct_rules: judges the calls that sct_hijack diverts, by rules from user
 * space, and tells of them.  In the order in which rules and calls go through:
 *
 *   rules/control.c     /dev/sct: what can be asked
 *   rules/image.c       how an image gets in
 *   rules/verify.c      is it sound                        (pure)
 *   rules/flow.c        do its programs end                (pure)
 *   rules/ruleset.c     which rules are in force
 *   rules/judgement.c   what is done with a call
 *   rules/capture.c     what is known of it
 *   rules/process.c     what is known of a process
 *   rules/kin.c         and of those above the caller
 *   rules/judge.c       which rules it matches             (pure)
 *   rules/glob.c        which strings fit a pattern        (pure)
 *   rules/act.c         what happens then
 *   rules/event.c       what the log says
 *   rules/ring.c        where events wait
 *   rules/log.c         /dev/sctlog: how they reach readers
 */
#include <linux/build_bug.h>
#include <linux/module.h>
#include "rules/rules.h"

/* User space has the same layouts from the same specification. */
static void __init assert_abi(void)
{
	SCT_ABI_ASSERTIONS(static_assert);
}

static int __init sct_rules_init(void)
{
	int error;

	assert_abi();
	error = sct_judgement_init();
	if (error)
		return error;
	error = sct_ring_init();
	if (error)
		goto err_exit_judgement;
	error = sct_client_register(&sct_judgement_client);
	if (error)
		goto err_exit_ring;
	error = sct_log_init();
	if (error)
		goto err_unregister_client;
	error = sct_control_init();
	if (error)
		goto err_exit_log;
	sct_log_open_up();
	return 0;

err_exit_log:
	sct_log_exit();
err_unregister_client:
	sct_client_unregister(&sct_judgement_client);
err_exit_ring:
	sct_ring_exit();
err_exit_judgement:
	sct_judgement_exit();
	return error;
}

static void __exit sct_rules_exit(void)
{
	sct_control_exit();
	sct_log_exit();
	sct_client_unregister(&sct_judgement_client);
	sct_ruleset_exit();
	sct_ring_exit();
	sct_judgement_exit();
	sct_act_exit();
}

module_init(sct_rules_init);
module_exit(sct_rules_exit);

MODULE_DESCRIPTION("judges system calls by rules");
MODULE_LICENSE("GPL");
