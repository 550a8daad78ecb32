# SPDX-License-Identifier: GPL-2.0-only
"""How does an event read as one line of JSON?

An event is an object with these members, always all of them:

    type        "event"
    time        string: ISO 8601, UTC, to the nanosecond
    rule        string: the rule's name
    generation  number: of the rule set
    index       number: of the rule in its rule set, from 0
    when        "before" or "after"
    abi         string        call        string: the system call's name
    nr          number: of the system call
    pid tid ppid uid euid suid fsuid gid egid sgid fsgid cpu   numbers
    comm        string        cwd         string, or null if it was not logged
    fields      object: what the rule's log_format names beside these, of the
                caller ("exe") and its parent ("parent.comm"), by name; null if
                it is not known
    args        list of objects: name, kind, value (a number, by kind), words
                (names of constants, "O_WRONLY|O_CREAT", or null), and for
                strings: state ("whole", "cut", "fault", "long", "absent") and
                string (null unless whole or cut)
    members     object: what the lines of the call's rules show of structures,
                lists and data, by name: number, or text; null if it could not
                be read, or is not there. An address has those of its family
    words       object: names of constants of those numbers among them that
                consist of some, by name: "O_WRONLY|O_CREAT"
    actions     list of strings: LOG, FAIL, KILL, SUSPEND
    retval      number: what the call returned; null before the call
    error       string: name of the error that was returned, or null
    torn        true if the record was damaged

Events that were lost: type "lost", time, rule, generation, index, count,
cause ("buffer", "reader", "memory").

A point that somebody took away, or that holds again: type "point", time, abi,
call, nr, mechanism, state ("holds", "lost", "covered").

A string whose bytes are not UTF-8 has \\xNN in place of those that are not,
and then a member `…_hex` beside it holds all bytes; without such a member the
string is exact.  One of which only the beginning is known has `…_cut` beside
it, which is true; those of args say so by their state.  The line is ASCII.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

from pysct import abi, calls, members, reading, resolved, values
from pysct.events import Event, Lost, Moved, String

_NUMBERS = ("pid", "tid", "ppid", "uid", "euid", "suid", "fsuid", "gid", "egid", "sgid", "fsgid", "cpu")
_STATES = {value: name.lower() for name, value in vars(abi.State).items() if name.isupper()}
_FIELDS = {entry.number: name.lower() for name, entry in abi.FIELDS.items()}
_CAUSES = {value: name.lower() for name, value in vars(abi.Cause).items() if name.isupper()}


def line(said: Event | Lost | Moved) -> str:
    """One line, without its newline."""
    if isinstance(said, Event):
        return json.dumps(event_object(said))
    return json.dumps(lost_object(said) if isinstance(said, Lost) else moved_object(said))


def event_object(event: Event) -> dict:
    """The members of an event, in their order."""
    failed = bool(event.actions & abi.ACTIONS["FAIL"].mask)
    result = failed or event.phase == abi.PHASES["after"]
    names = calls.argument_names(event.abi, event.nr, len(event.args))
    return {
        "type": "event",
        "time": _time(event.time),
        **_text("rule", event.name),
        "generation": event.generation,
        "index": event.rule,
        "when": values.phase_name(event.phase),
        "abi": calls.abi_name(event.abi),
        "call": calls.call_name(event.abi, event.nr),
        "nr": event.nr,
        **{name: getattr(event, name) for name in _NUMBERS},
        **_text("comm", event.comm),
        **_string("cwd", event.cwd),
        "fields": _fields(event),
        "args": [_argument(event, i, name) for i, name in enumerate(names)],
        "members": _members(event),
        "words": _words(event),
        "actions": values.action_names(event.actions),
        "retval": event.retval if result else None,
        "error": (values.error_name(values.error_number(event.retval)) if result else "") or None,
        "torn": event.torn,
    }


def lost_object(lost: Lost) -> dict:
    """The members of a note of lost events, in their order."""
    return {
        "type": "lost",
        "time": _time(lost.time),
        **_text("rule", lost.name),
        "generation": lost.generation,
        "index": lost.rule,
        "count": lost.count,
        "cause": _CAUSES.get(lost.cause, str(lost.cause)),
    }


def moved_object(moved: Moved) -> dict:
    """The members of a note of a point, in their order."""
    return {
        "type": "point",
        "time": _time(moved.time),
        "abi": calls.abi_name(moved.abi),
        "call": calls.call_name(moved.abi, moved.nr),
        "nr": moved.nr,
        "mechanism": values.mechanism_name(moved.mechanism),
        "state": values.point_state(moved.state),
    }


def _argument(event: Event, index: int, name: str) -> dict:
    kind = event.kinds[index]
    members = {"name": name, "kind": values.kind_name(kind), "value": values.number(event.args[index], kind)}
    members["words"] = values.in_words(event, index)
    held = event.strings.get(index)
    if held is not None:
        members |= {"state": _STATES.get(held.state, str(held.state)), **_text("string", _held(held))}
    return members


def _fields(event: Event) -> dict:
    members = {}
    for number, value in event.fields.items():
        name = _FIELDS.get(number, f"field_{number}")
        members |= {name: value} if isinstance(value, int) else _string(name, value)
    return members


def _held(string: String | None) -> bytes | None:
    return string.data if string and string.state in (abi.State.WHOLE, abi.State.CUT) else None


def _string(key: str, string: String | None) -> dict:
    return _text(key, _held(string)) | ({f"{key}_cut": True} if string and string.state == abi.State.CUT else {})


def _text(key: str, data: bytes | None) -> dict:
    if data is None:
        return {key: None}
    try:
        return {key: data.decode()}
    except UnicodeDecodeError:
        return {key: data.decode(errors="backslashreplace"), f"{key}_hex": data.hex()}


def _time(nanoseconds: int) -> str:
    try:
        seconds, rest = divmod(nanoseconds, 1_000_000_000)
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"
    except (ValueError, OverflowError, OSError):
        return str(nanoseconds)


def _carried(event: Event) -> Iterator[tuple[str, members.Member, list[String]]]:
    """Members of structures, and data, that the event carries: the name, what it means, and what was read."""
    abi_name, call = calls.abi_name(event.abi), calls.call_name(event.abi, event.nr)
    readings = [reading.decode(entry) for entry in event.sources if len(entry) == abi.SourceStruct.SIZE]  # the record may be damaged
    for name in dict.fromkeys(members.shown(abi_name, call, each) for each in readings):
        member = members.named(abi_name, call).get(name)
        held = [event.sources.get(each.entry()) for each in member.readings] if member else []
        if held and all(held):
            yield name, member, held


def _words(event: Event) -> dict[str, str]:
    """The same numbers by the constants that they consist of."""
    abi_name = calls.abi_name(event.abi)
    found = {name: values.member_words(member, abi_name, held[0]) for name, member, held in _carried(event)}
    return {name: text for name, text in found.items() if text}


def _members(event: Event) -> dict[str, int | str | None]:
    """The numbers and strings of members, of data, and of where arguments lead."""
    abi_name, call = calls.abi_name(event.abi), calls.call_name(event.abi, event.nr)
    found = {}
    for name, member, held in _carried(event):
        found |= _string(name, held[0]) if member.form == "text" else {name: _member(member, held)}
    for name in resolved.names(abi_name, call) if event.sources else ():
        if held := resolved.told(event.sources, resolved.find(abi_name, call, name)):
            found |= _string(name, held)
    return found


def _member(member: members.Member, held: list[String]) -> int | str | None:
    """A number, or an address."""
    if member.form == "number":
        return values.member_number(member.kind, held[0])
    text = values.member(member.form, [each.kind for each in member.readings], held)
    return None if text == "?" else text
