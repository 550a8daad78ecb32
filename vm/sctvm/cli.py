# SPDX-License-Identifier: GPL-2.0-only
"""What do vm/run and vm/build do with the words they are given?"""

import argparse
import contextlib
import os
import shlex
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from . import image, kernels, machine, modules, session, small
from .arches import is_foreign
from .error import VmError
from .places import TREE
from .settings import Settings
from .terminal import Terminal
from .verdict import judge

def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vm/run",
        usage="vm/run [options] [--] COMMAND…",
        description="Builds the modules for a kernel, boots it, and runs COMMAND in it as root. The guest has this "
        "machine's files; what it writes is gone with it. $SCT_MODULES names the directory of the modules.",
        epilog="Exit status: the command's; 124 out of time; 125 the guest died or its kernel reported a fault; "
        "126, 127 the command could not be run.",
    )
    _kernel_options(parser)
    parser.add_argument("--append", metavar="WORDS", action="append", default=[], help="kernel command line")
    parser.add_argument("--icount", action="store_true", help="one CPU whose clock counts instructions")
    parser.add_argument(
        "--in-memory", action="store_true", help="of this machine's files only the source tree, in memory: the guest can sleep"
    )
    parser.add_argument("--gdb", action="store_true", help="let gdb attach to port 1234")
    parser.add_argument("--timeout", metavar="SECONDS", type=float, default=1800.0, help="default: %(default).0f")
    parser.add_argument("--boot-timeout", metavar="SECONDS", type=float, default=300.0, help="default: %(default).0f")
    parser.add_argument("--memory", metavar="MIB", type=int, help="default: what the kernel's entry says")
    parser.add_argument("--console", metavar="FILE", type=Path, help="keep what the guest's kernel says")
    parser.add_argument("--modules", metavar="DIR", type=Path, action="append", help="sources, several times; default: kmod")
    parser.add_argument("--no-modules", action="store_true", help="build no modules")
    parser.add_argument("--list", action="store_true", help="show the kernels")
    parser.add_argument("--names", choices=kernels.TESTED, help="only the names of those that are tested so")
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND", help=argparse.SUPPRESS)
    return parser


def _kernel_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kernel", metavar="NAME", help="one of --list; default: the one marked there")


def parse(words: list[str]) -> argparse.Namespace:
    """The words after vm/run; ends the program when they make no sense."""
    parser = _parser()
    args = parser.parse_args(words)
    if args.command[:1] == ["--"]:
        del args.command[0]
    if not args.list and not args.names and not args.command:
        parser.error("COMMAND is missing")
    return args


def run() -> int:
    """vm/run."""
    args = parse(sys.argv[1:])
    if args.names:
        return _guarded(lambda: _names(kernels.TESTED[args.names]))
    return _guarded(lambda: _list() if args.list else _run(args))


def build() -> int:
    """vm/build."""
    parser = argparse.ArgumentParser(
        prog="vm/build", description="Builds the modules for a kernel and prints the directory they are in."
    )
    _kernel_options(parser)
    parser.add_argument("--newest", action="store_true", help="download the kernel's newest version first")
    args = parser.parse_args()

    def work() -> int:
        target = image.obtain(kernels.pick(args.kernel), newest=args.newest)
        modules.build(target)
        print(modules.directory(target))
        return 0

    return _guarded(work)


def _guarded(work) -> int:
    for stream in range(3):
        with contextlib.suppress(OSError):
            os.fstat(stream)
            continue
        os.open(os.devnull, os.O_RDWR)  # Takes the number of the stream that is closed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(128 + signal.SIGHUP))
    try:
        return work()
    except VmError as error:
        print(f"vm: {error}", file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:  # Whoever read our output is gone.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 128 + signal.SIGPIPE


def _list() -> int:
    for kernel in kernels.load().values():
        print(f"{kernel.name:16} {kernel.about}{' (default)' if kernel.default else ''}")
    return 0


def _names(wanted: Callable[[kernels.Kernel], bool]) -> int:
    print("\n".join(kernel.name for kernel in kernels.load().values() if wanted(kernel)))
    return 0


def _run(args: argparse.Namespace) -> int:
    kernel = kernels.pick(args.kernel)
    target = image.obtain(kernel)
    sources = [] if args.no_modules else [source.resolve() for source in args.modules or [modules.SOURCE]]
    files = {name: contents for source in sources for name, contents in modules.build(target, source).items()}
    settings, limits = demands(kernel, args)
    if args.gdb:
        _explain_gdb(modules.directory(target, (args.modules or [modules.SOURCE])[0].resolve()))
    terminal = Terminal()
    started = machine.start(target, settings)
    running = session.Session(started, _job(args.command, target, terminal, args.in_memory), files, limits, terminal)
    try:
        terminal.enter()
        running.run()
    finally:
        machine.end(started)
        terminal.restore()
        if args.console:
            args.console.write_text("\n".join(running.console.lines) + "\n")
    status, message = judge(running)
    if message:
        print(message, file=sys.stderr)
    return status


def demands(kernel: kernels.Kernel, args: argparse.Namespace) -> tuple[Settings, session.Limits]:
    """What the kernel's entry and the words after vm/run ask of the machine."""
    settings = Settings(
        append=(*kernel.append, *(word for words in args.append for word in shlex.split(words))),
        icount=args.icount,
        gdb=args.gdb,
        in_memory=args.in_memory,
        memory=args.memory or kernel.memory,
    )
    limits = session.Limits(boot=args.boot_timeout * kernel.patience, command=args.timeout * kernel.patience)
    return settings, limits


def _explain_gdb(directory: Path) -> None:
    print(
        "vm/run: the guest listens to gdb; in another terminal:\n"
        "  gdb -ex 'target remote 127.0.0.1:1234'\n"
        "and for the symbols of a loaded module, with ADDRESS from the guest's /sys/module/sct_hijack/sections/.text:\n"
        f"  add-symbol-file {directory}/sct-hijack.ko ADDRESS",
        file=sys.stderr,
    )


def _job(command: list[str], target: image.Image, terminal: Terminal, in_memory: bool = False) -> dict:
    """What the agent is told (guest/agent.py)."""
    cwd = os.getcwd()
    path = f"{TREE / '.venv' / 'bin'}:{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    env = {"PATH": path, "HOME": "/root", "USER": "root", "TERM": os.environ.get("TERM", "dumb")}
    env["SCT_PATIENCE"] = str(target.kernel.patience)
    env |= {name: os.environ[name] for name in ("LANG", "LC_ALL", "CI") if name in os.environ}
    foreign_guest = is_foreign(target.kernel.arch)
    if foreign_guest:
        env["PYTEST_ADDOPTS"] = "-p no:hypothesispytest"  # A part of it is compiled, for this machine.
    return {
        "argv": command,
        "cwd": cwd,
        "env": env,
        "keep": [str(TREE), cwd, str(target.modules)],
        "host": small.HOST if foreign_guest and not in_memory else "/",
        "kernel_modules": str(target.modules),
        "terminal": terminal.size,
    }
