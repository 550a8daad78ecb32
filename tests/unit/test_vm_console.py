# SPDX-License-Identifier: GPL-2.0-only
"""Are the kernel's reports of faults told from everything else it says?"""

import pytest

from sctvm.console import Console, is_report

REPORTS = """\
[   11.814945] WARNING: CPU: 0 PID: 161 at kernel/sched/core.c:3 schedule+0x18/0x1000 [sct_hijack]
[    3.400000][  T161] WARNING: CPU: 1 PID: 1 at lib/refcount.c:28 refcount_warn_saturate+0xba/0x110
[    3.400000] WARNING: lib/refcount.c:28 at refcount_warn_saturate+0xba/0x110, CPU#1: insmod/161
[  102.000001] WARNING: possible recursive locking detected
[  102.000001] WARNING: possible circular locking dependency detected
[  102.000001] WARNING: suspicious RCU usage
[  102.000001] WARNING: bad unlock balance detected!
[  102.000001] BUG: kernel NULL pointer dereference, address: 0000000000000010
[  102.000001] BUG: unable to handle page fault for address: ffffffffc05d5fee
[  102.000001] BUG: sleeping function called from invalid context at mm/slab.h:213
[  102.000001] BUG: scheduling while atomic: cat/241/0x00000002
[  102.000001] BUG: KASAN: slab-use-after-free in judge+0x12/0x40 [sct_rules]
[  102.000001] BUG: KCSAN: data-race in judge / load
[  102.000001] BUG kmalloc-64 (Tainted: G           OE     ): Redzone overwritten
[  102.000001] watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [insmod:161]
[  102.000001] kernel BUG at mm/slub.c:435!
[  102.000001] Oops: 0002 [#1] PREEMPT SMP PTI
[  102.000001] invalid opcode: 0000 [#1] PREEMPT SMP NOPTI
[  102.000001] general protection fault, probably for non-canonical address 0xdead000000000122: 0000 [#1] PREEMPT SMP
[  102.000001] Unable to handle kernel paging request at virtual address ffff800008e00000
[  102.000001] Internal error: Oops: 0000000096000047 [#1] SMP
[  102.000001] Kernel panic - not syncing: sysrq triggered crash
[  242.000001] INFO: task rmmod:300 blocked for more than 120 seconds.
[   21.000001] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
[   21.000001] rcu: INFO: rcu_sched self-detected stall on CPU
[   21.000001] INFO: trying to register non-static key.
[   21.000001] UBSAN: shift-out-of-bounds in /build/rules/verify.c:12:3
[  300.000001] BUG: lockdep has switched itself off
[  300.000001] unreferenced object 0xffff888003f8a000 (size 64):
"""

ORDINARY = """\
[    0.000000] Linux version 6.1.0-56-amd64 (debian-kernel@lists.debian.org) (gcc-12 (Debian 12.2.0-14+deb12u1) 12.2.0)
[    0.000000] Kernel command line: panic_on_warn=1 oops=panic panic=-1
[    0.100000] Spectre V2 : WARNING: Unprivileged eBPF is enabled with eIBRS on, data leaks possible!
[    0.100000] ACPI BIOS Warning (bug): Optional FADT field Pm2ControlBlock has valid Length but zero Address
[    0.100000] kfence: initialized - using 2097152 bytes for 255 objects at 0x(____ptrval____)-0x(____ptrval____)
[    0.100000] kmemleak: Kernel memory leak detector initialized (mem pool available: 15653)
[    0.100000] rcu: RCU event tracing is enabled.
[    0.100000] rcu: RCU lockdep checking is enabled.
[    0.100000] DMAR-IR: This system BIOS has enabled interrupt remapping
[  300.000001] kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)
[    2.790779] virtme-ng-init: WARNING: failed to restore symlink /run/current-system
[   11.813008] sct_warn: module verification failed: signature and/or required key missing - tainting kernel
[   11.813008] sct_hijack: loading out-of-tree module taints kernel.
[   11.813008] traps: crash[203] general protection fault ip:401122 sp:7ffd3a error:0 in crash[401000+1000]
[   11.813008] crash[204]: segfault at 0 ip 0000000000401122 sp 00007ffd3a error 6 in crash[401000+1000]
[   11.813008] traps: PANIC: double free would look like this
[   11.813008] ------------[ cut here ]------------
[   11.813008] sysrq: Trigger a crash
[   11.813008] Call Trace:
[   11.813008] perf: interrupt took too long (2507 > 2500), lowering kernel.perf_event_max_sample_rate to 79750
[   11.813008] hrtimer: interrupt took 3142064 ns
[   11.813008] clocksource: Marking clocksource 'tsc' as unstable because the skew is too large:
[   11.813008] Out of memory: Killed process 300 (python3) total-vm:100kB
[   11.813008] sct_rules: rule "no BUG: here" uploaded, WARNING: none
BUG in a program's own output
"""


@pytest.mark.parametrize("line", REPORTS.splitlines())
def test_report(line):
    assert is_report(line)
    assert is_report("\x1b[31m" + line + "\r")


@pytest.mark.parametrize("line", ORDINARY.splitlines())
def test_ordinary(line):
    assert not is_report(line)


def fed(text: str, size: int) -> Console:
    console = Console()
    data = text.encode()
    for start in range(0, len(data), size):
        console.feed(data[start : start + size])
    console.finish()
    return console


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_chunks_do_not_matter(size):
    console = fed(ORDINARY + REPORTS.rstrip("\n"), size)
    assert console.lines == (ORDINARY + REPORTS).splitlines()
    assert console.report == len(ORDINARY.splitlines())
    assert console.panicked


def test_excerpt_is_the_report_with_its_beginning():
    cut = "[    1.000000] ------------[ cut here ]------------"
    report = REPORTS.splitlines()[0]
    text = "\n".join(["boot"] * 100 + [cut, report] + ["after"] * 200)
    shown = fed(text, 100).excerpt().splitlines()
    assert cut in shown and report in shown and len(shown) < 70


def test_excerpt_without_a_report_is_the_end():
    shown = fed("\n".join(f"line {n}" for n in range(1000)), 100).excerpt().splitlines()
    assert shown[-1] == "line 999" and len(shown) == 40


def test_says_only_whole_messages():
    console = fed("[    1.000000] sct: the command has ended\n[    2.0] not sct: good-bye\n", 5)
    assert console.says("sct: the command has ended")
    assert not console.says("sct: good-bye")
