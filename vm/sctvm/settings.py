# SPDX-License-Identifier: GPL-2.0-only
"""What may be chosen about a machine, and how do the guest's kernel and QEMU learn it?"""

import os
from dataclasses import dataclass

ALWAYS = (
    "panic_on_warn=1",
    "oops=panic",
    "panic=-1",
    "softlockup_panic=1",
    "watchdog_thresh=30",
    "sysctl.kernel.panic_on_rcu_stall=1",
    "rcupdate.rcu_cpu_stall_timeout=90",
    "ignore_loglevel",
    "printk.devkmsg=on",
)
"""Kernel command line: any fault ends the guest, so does a processor that is stuck, and the console says everything.

Stuck for a minute or more: an emulated one may get no time at all for a while, from a machine that has other things to do.
"""

ONE_THREAD = ("-accel", "tcg,thread=single")
"""Without KVM, one thread emulates all processors in turn.

With a thread for each, QEMU 7.2 can go on executing what an instruction was before another processor changed it: a
breakpoint that the kernel sets while it patches a function and that is long gone. All that call the function then
trap for ever.
"""


@dataclass(frozen=True)
class Settings:
    """What the user may choose about the machine."""

    append: tuple[str, ...] = ()
    icount: bool = False
    gdb: bool = False
    in_memory: bool = False
    """The guest has all its files in its memory, and no share: virtio-9p does not come back from the machine's sleep."""
    memory: int = 2048
    """MiB."""
    processors: int = max(2, min(4, os.cpu_count() or 2))

    @property
    def cpus(self) -> int:
        """Processors of the machine: instructions are counted on one."""
        return 1 if self.icount else self.processors

    def kernel_words(self, init: tuple[str, ...]) -> list[str]:
        """The kernel's command line; `init` are words that become environment of init, being unknown to the kernel."""
        words = [*ALWAYS, *init]
        if self.icount:
            words.append("init_on_alloc=0")
        if self.gdb:
            words.append("nokaslr")
        return [*words, *self.append]

    def qemu_words(self, emulated: bool) -> list[str]:
        """Words for QEMU; `emulated`: without KVM."""
        words = [*ONE_THREAD] if emulated else []
        if self.icount:
            words += ["-icount", "shift=0,sleep=off"]
        if self.gdb:
            words += ["-gdb", "tcp:127.0.0.1:1234"]
        return words
