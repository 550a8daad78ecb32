# SPDX-License-Identifier: GPL-2.0-only
"""How is one value of an event written, so that no terminal takes it for a command?"""

import errno
from ipaddress import IPv4Address, IPv6Address

from pysct import abi, calls, members, words
from pysct.events import Event, String

_KINDS = {kind.number: kind for kind in abi.KINDS.values()}
_SHORT = {0x07: "\\a", 0x08: "\\b", 0x09: "\\t", 0x0A: "\\n", 0x0B: "\\v", 0x0C: "\\f", 0x0D: "\\r"}

# The kernel's own: a caller never sees them, an after rule does.
_RESTARTS = {512: "ERESTARTSYS", 513: "ERESTARTNOINTR", 514: "ERESTARTNOHAND", 516: "ERESTART_RESTARTBLOCK"}
# Where two names share a number, Python lists either; these are the kernel's.
_PREFERRED = {getattr(errno, n): n for n in ("EAGAIN", "EDEADLK", "EOPNOTSUPP")}
_ERRORS = {**errno.errorcode, **_PREFERRED, **_RESTARTS}

UNKNOWN = "?"
"""What stands for a member, or a string of a list, that could not be read."""

ERRNO_MAX = 4095
"""A call's result of -ERRNO_MAX to -1 is an error."""


def escape(data: bytes, quotes: bool = False) -> str:
    r"""Bytes as printable text: C escapes, \xNN for what is not printable UTF-8.

    quotes: a double quote is escaped as well.
    """
    text: list[str] = []
    for character in data.decode("utf-8", errors="surrogateescape"):
        if character == "\\" or (quotes and character == '"'):
            text.append("\\" + character)
        elif "\udc80" <= character <= "\udcff":
            text.append(f"\\x{ord(character) - 0xDC00:02x}")
        elif character.isprintable():
            text.append(character)
        elif ord(character) in _SHORT:
            text.append(_SHORT[ord(character)])
        else:
            text.extend(f"\\x{byte:02x}" for byte in character.encode())
    return "".join(text)


def quote(data: bytes) -> str:
    """Bytes in double quotes, as a C string."""
    return f'"{escape(data, quotes=True)}"'


def kind_name(kind: int) -> str:
    """Name of an argument's kind; `kind_99` if there is none."""
    return _KINDS[kind].name if kind in _KINDS else f"kind_{kind}"


def number(register: int, kind: int) -> int:
    """An argument register as a number of its declared width and sign."""
    known = _KINDS.get(kind)
    if known is None:
        return register
    value = register & ((1 << known.bits) - 1)
    return value - (1 << known.bits) if known.signed and value >> (known.bits - 1) else value


def argument(event: Event, index: int) -> str:
    """Argument `index` (from 0) as it stands in a line of the log: numbers as numbers."""
    kind = kind_name(event.kinds[index])
    value = number(event.args[index], event.kinds[index])
    if kind == "str" and index in event.strings:
        return string(event.strings[index], value)
    if kind in ("ptr", "str"):
        held = data(event, index)
        return string(held, value) if held else pointer(value)
    return str(value) if event.kinds[index] in _KINDS else hex(value)


def data(event: Event, index: int) -> String | None:
    """The data that an argument points to; None if it is nothing of the kind, or the event does not carry it."""
    name = calls.argument_names(event.abi, event.nr, len(event.args))[index]
    known = members.data(calls.abi_name(event.abi), calls.call_name(event.abi, event.nr), name) if event.sources else None
    return event.sources.get(known.readings[0].entry()) if known else None


def in_words(event: Event, index: int) -> str | None:
    """An argument by the constants that it consists of, as O_WRONLY|O_CREAT; None if there are none for it."""
    known = _KINDS.get(event.kinds[index])
    name = calls.argument_names(event.abi, event.nr, len(event.args))[index]
    if known is None or known.name in ("ptr", "str"):
        return None
    value = number(event.args[index], known.number)
    return words.shown(calls.call_name(event.abi, event.nr), name, calls.abi_name(event.abi), value, known.bits)


def named_argument(event: Event, index: int) -> str:
    """An argument as strace shows it: numbers by name where they have one."""
    return in_words(event, index) or argument(event, index)


def string(held: String, address: int) -> str:
    """A string argument: its text in quotes, or, where there is none, its address."""
    if held.state == abi.State.WHOLE:
        return quote(held.data)
    if held.state == abi.State.CUT:
        return quote(held.data) + "..."
    if held.state == abi.State.LONG:
        return pointer(address) + " (too long)"
    return pointer(address)


def member(form: str, kinds: list[int], held: list[String | None]) -> str:
    """A member of a structure, of one reading or several; UNKNOWN where it could not be read."""
    if form == "text":
        readable = held[0] and held[0].state in (abi.State.WHOLE, abi.State.CUT)
        return string(held[0], 0) if readable else UNKNOWN
    numbers = [member_number(kind, each) for kind, each in zip(kinds, held)]
    if None in numbers:
        return UNKNOWN
    if form == "number":
        return pointer(numbers[0]) if kind_name(kinds[0]) == "ptr" else str(numbers[0])
    whole = 0
    for each in numbers:
        whole = whole << 64 | each
    return str(IPv4Address(whole % (1 << 32)) if form == "in_addr" else IPv6Address(whole))


def member_words(known: members.Member, abi_name: str, held: String | None) -> str | None:
    """A member by the constants that it consists of; None if there are none for it, or it could not be read."""
    value = member_number(known.kind, held) if known.words else None
    if value is None:
        return None
    return words.by_set(known.words, abi_name, value, _KINDS[known.kind].bits)


def member_number(kind: int, held: String | None) -> int | None:
    """A number that was read, as its kind has it; None if it could not be."""
    if held is None or held.state != abi.State.WHOLE or len(held.data) != 8:
        return None
    return number(int.from_bytes(held.data, "little"), kind)


def pointer(address: int) -> str:
    """An address in hexadecimal, NULL for none."""
    return hex(address) if address else "NULL"


def error_number(result: int) -> int:
    """The positive error number of a call's result, 0 if it is none."""
    return -result if -ERRNO_MAX <= result < 0 else 0


def error_name(code: int) -> str:
    """Name of a positive error number, else the number itself; empty for 0."""
    return _ERRORS.get(code, str(code)) if code else ""


def field_words(name: str, value: int) -> str | None:
    """A field as rules compare it with the name of an error: ERRNO is ENOENT, RETVAL -ENOENT; None if it is a number."""
    if name == "ERRNO" and value:
        return error_name(value)
    code = error_number(value) if name == "RETVAL" else 0
    return f"-{error_name(code)}" if code else None


def result(value: int) -> str:
    """A call's result, briefly: `0`, `-1 ENOENT`, `? ERESTARTSYS`."""
    code = error_number(value)
    if not code:
        return str(value)
    return ("? " if code in _RESTARTS else "-1 ") + error_name(code)


def told_result(value: int) -> str:
    """The same as strace shows it: `-1 ENOENT (No such file or directory)`."""
    meaning = words.message(error_number(value)) if error_number(value) else ""
    return result(value) + (f" ({meaning})" if meaning else "")


def action_names(mask: int) -> list[str]:
    """Names of the actions in a mask, in the order of their bits."""
    return [name for name, action in abi.ACTIONS.items() if mask & action.mask]


def phase_name(phase: int) -> str:
    """`before` or `after`."""
    return next((name for name, value in abi.PHASES.items() if value == phase), f"phase_{phase}")


_POINT_STATES = {value: name.lower() for name, value in vars(abi.Point).items() if name.isupper()}
_PROOF_STATES = {value: name.lower() for name, value in vars(abi.Proof).items() if name.isupper()}


def mechanism_name(number: int) -> str:
    """Name of a mechanism; `mechanism_9` if there is none."""
    known = abi.MECHANISMS.get(number)
    return known.name if known else f"mechanism_{number}"


def point_state(number: int) -> str:
    """How a point is doing: `holds`, `lost`, …"""
    return _POINT_STATES.get(number, f"state_{number}")


def proof_state(number: int) -> str:
    """Whether a mechanism works: `works`, `fails`, …"""
    return _PROOF_STATES.get(number, f"state_{number}")
