# SPDX-License-Identifier: GPL-2.0-only
"""How does an event read as a line of text?"""

import re
from collections.abc import Callable
from datetime import datetime

from pysct import abi, calls, decoded, members, resolved, values
from pysct.events import Event, Lost, Moved

_MACRO = re.compile(
    rb"%(%|(?:fd)?path\([A-Za-z_][A-Za-z0-9_]*\)|[A-Za-z_][A-Za-z0-9_]*(?:\[[0-9]{1,9}\])?"
    rb"(?:\.[A-Za-z_][A-Za-z0-9_]*(?:\[[0-9]{1,9}\](?=\.[A-Za-z_]))?)*)"
)

_CAUSES = {
    abi.Cause.BUFFER: "nobody read fast enough",
    abi.Cause.READER: "this reader fell behind",
    abi.Cause.MEMORY: "the kernel had no memory to judge the calls",
}


def line(event: Event) -> str:
    """The event by its rule's log_format, or as default_line(); without a newline."""
    return default_line(event) if event.template is None else by_template(event, event.template)


def by_template(event: Event, template: bytes) -> str:
    """`template` with its macros replaced; a macro that does not exist stands for itself."""
    text: list[str] = []
    end = 0
    for found in _MACRO.finditer(template):
        text.append(values.escape(template[end : found.start()]))
        text.append(_macro(event, found[1].decode()))
        end = found.end()
    text.append(values.escape(template[end:]))
    return "".join(text)


def default_line(event: Event) -> str:
    """What a rule without a log_format logs, made to be searched: `TIME RULE: COMM[PID] uid=N: call(…) = result`."""
    who = f"{values.escape(event.comm)}[{event.pid}]"
    call = f"{calls.call_name(event.abi, event.nr)}({_args(event)})"
    return f"{time_text(event.time)} {values.escape(event.name)}: {who} uid={event.uid}: {call}{_outcome(event)}"


def lost_line(lost: Lost) -> str:
    """How a reader is told that events are missing."""
    events = "1 event" if lost.count == 1 else f"{lost.count} events"
    were = "was" if lost.count == 1 else "were"
    cause = _CAUSES.get(lost.cause, f"cause {lost.cause}")
    whose = f"rule '{values.escape(lost.name)}'" if lost.name else "several rules"
    return f"--- {events} of {whose} {were} lost: {cause} ---"


_STATES = {
    abi.Point.HOLDS: "is judged again",
    abi.Point.LOST: "is no longer judged: somebody took our hook away",
    abi.Point.COVERED: "may no longer be judged: somebody put a hook over ours",
}


def moved_line(moved: Moved) -> str:
    """How a reader is told that a point is doing better or worse."""
    call = f"{calls.abi_name(moved.abi)} {calls.call_name(moved.abi, moved.nr)}"
    state = _STATES.get(moved.state, values.point_state(moved.state))
    return f"--- {call} {state} ({values.mechanism_name(moved.mechanism)}) ---"


def time_text(nanoseconds: int) -> str:
    """A time since 1970 as local date and time, to the microsecond; the bare number if no calendar has it."""
    try:
        seconds, rest = divmod(nanoseconds, 1_000_000_000)
        return f"{datetime.fromtimestamp(seconds):%Y-%m-%d %H:%M:%S}.{rest // 1000:06d}"
    except (ValueError, OverflowError, OSError):
        return str(nanoseconds)


def _params(event: Event) -> str:
    return ", ".join(values.argument(event, i) for i in range(len(event.args)))


def _args(event: Event) -> str:
    return ", ".join(decoded.argument(event, i) for i in range(len(event.args)))


def _outcome(event: Event) -> str:
    if event.actions & abi.ACTIONS["FAIL"].mask:
        text = f" refused: {_error(event)}"
    elif event.phase == abi.PHASES["after"]:
        text = f" = {values.result(event.retval)}"
    else:
        text = ""
    if event.actions & abi.ACTIONS["KILL"].mask:
        text += " killed"
    if event.actions & abi.ACTIONS["SUSPEND"].mask:
        text += " suspended"
    return text


def _error(event: Event) -> str:
    failed = event.actions & abi.ACTIONS["FAIL"].mask
    return values.error_name(values.error_number(event.retval)) if failed else ""


def _cwd(event: Event) -> str:
    if event.cwd is None or event.cwd.state not in (abi.State.WHOLE, abi.State.CUT):
        return "?"
    return values.string(event.cwd, 0)


def _field(name: str) -> Callable[[Event], str]:
    number = abi.FIELDS[name].number
    shown = hex if abi.FIELDS[name].set else str

    def text(event: Event) -> str:
        held = event.fields.get(number)
        if isinstance(held, int):
            return shown(held)
        known = held is not None and held.state in (abi.State.WHOLE, abi.State.CUT) and abi.FIELDS[name].type == "str"
        return values.string(held, 0) if known else "?"

    return text


def _plain(name: str) -> Callable[[Event], str]:
    return lambda event: str(getattr(event, name))


_NUMBERS = ("pid", "tid", "ppid", "uid", "euid", "suid", "fsuid", "gid", "egid", "sgid", "fsgid", "retval")

MACROS: dict[str, Callable[[Event], str]] = {
    **{name.lower(): _field(name) for name, field in abi.FIELDS.items() if field.subject != "ANCESTOR"},
    **{name: _plain(name) for name in _NUMBERS},
    "ruleid": lambda e: values.escape(e.name),
    "rule": lambda e: values.escape(e.name),
    "sid": lambda e: str(e.nr),
    "sname": lambda e: calls.call_name(e.abi, e.nr),
    "syscall": lambda e: calls.call_name(e.abi, e.nr),
    "abi": lambda e: calls.abi_name(e.abi),
    "params": _params,
    "args": _args,
    "result": lambda e: values.told_result(e.retval),
    "time": lambda e: time_text(e.time),
    "when": lambda e: values.phase_name(e.phase),
    "action": lambda e: ",".join(values.action_names(e.actions)),
    "error": _error,
    "comm": lambda e: values.quote(e.comm),
    "cwd": _cwd,
    "errno": lambda e: values.error_name(values.error_number(e.retval)) or "0",
}
"""What each macro stands for; an argument's own name comes after them."""


def _macro(event: Event, name: str) -> str:
    if name == "%":
        return "%"
    if name in MACROS:
        return MACROS[name](event)
    if (field := ".".join(name.split(".")[:2])) in MACROS:
        return MACROS[field](event) + name.removeprefix(field)
    if resolved.is_one(name):
        return _path(event, name)
    if "." in name or "[" in name:
        return _member(event, name)
    names = calls.argument_names(event.abi, event.nr, len(event.args))
    return decoded.argument(event, names.index(name)) if name in names else f"%{name}"


def _path(event: Event, name: str) -> str:
    """%path(argument) or %fdpath(argument); in an event that has none, the text itself."""
    call, abi_name = calls.call_name(event.abi, event.nr), calls.abi_name(event.abi)
    if not resolved.names(abi_name, call) or not (place := resolved.find(abi_name, call, name)):
        return f"%{name}"
    return values.member("text", [], [resolved.told(event.sources, place)])


def _member(event: Event, name: str) -> str:
    """%argument.member and %argv[0]; where there is no such thing, the argument and what stands behind it."""
    call, abi_name = calls.call_name(event.abi, event.nr), calls.abi_name(event.abi)
    member = members.find(abi_name, call, name) if members.named(abi_name, call) else None
    if member is None:
        argument, behind = re.fullmatch(r"(\w+\[\d+\](?=\.)|\w+)(.*)", name).groups()
        return _macro(event, argument) + behind
    held = [event.sources.get(reading.entry()) for reading in member.readings]
    return values.member_words(member, abi_name, held[0]) or values.member(member.form, [each.kind for each in member.readings], held)
