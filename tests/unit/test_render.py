# SPDX-License-Identifier: GPL-2.0-only
"""Do events read as they should: as text and as JSON?"""

import json
import time

import pytest
from fake_modules import NAME, PATH, event, item, lost

from pysct import abi, calls, events, jsonlines, members, render, values


@pytest.fixture(autouse=True)
def utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def make(*items, template=None, **members):
    extra = [item(abi.Item.TEMPLATE, template)] if template is not None else []
    (said,) = events.read_all(event([NAME, *extra, *items], **members))
    return said


UNLINK = {"nr": 87, "nargs": 1, "kinds": (10, 0, 0), "args": (0x1000, 0, 0)}


def test_the_ancestors_line():
    template = b"%comm : %params delete by %euid --> %suid"
    said = make(item(abi.Item.ARG, b"./dummy"), template=template, euid=0, suid=0, **UNLINK)
    assert render.line(said) == '"rm" : "./dummy" delete by 0 --> 0'


def test_params_of_unlinkat():
    assert render.line(make(PATH, template=b"%params")) == '-100, "./dummy", 0'


@pytest.mark.parametrize(
    ("macro", "text"),
    [
        ("pid", "1234"), ("tid", "1235"), ("ppid", "1"), ("uid", "10"), ("euid", "11"), ("suid", "12"), ("fsuid", "13"),
        ("gid", "20"), ("egid", "21"), ("sgid", "22"), ("fsgid", "23"), ("comm", '"rm"'), ("ruleid", "watch"),
        ("rule", "watch"), ("sid", "263"), ("sname", "unlinkat"), ("syscall", "unlinkat"), ("abi", "x86_64"),
        ("when", "before"), ("action", "LOG"), ("error", ""), ("retval", "0"), ("errno", "0"), ("cwd", '"/root"'),
        ("time", "2023-11-14 22:13:20.123456"), ("params", '-100, "./dummy", 0'), ("dfd", "AT_FDCWD"), ("args", 'AT_FDCWD, "./dummy", 0'), ("result", "0"), ("pathname", '"./dummy"'),
        ("%", "%"),
    ],
)  # fmt: skip
def test_macro(macro, text):
    said = make(item(abi.Item.CWD, b"/root"), PATH, template=b"<%" + macro.encode() + b">")
    assert render.line(said) == f"<{text}>"


CONNECT = {"nr": 42, "nargs": 3, "kinds": (11, 9, 5), "args": (3, 0x1000, 16)}


def member(name: str, *held, state: int = abi.State.WHOLE) -> list[bytes]:
    """The items of a member of connect's address."""
    readings = members.find("x86_64", "connect", name).readings
    return [item(abi.Item.SOURCE, reading.entry() + data, state) for reading, data in zip(readings, held)]


def test_members():
    items = member("addr.sin_port", (8080).to_bytes(8, "little")) + member("addr.sin_addr", (0x7F000001).to_bytes(8, "little"))
    items += member("addr.sin6_addr", (0x20010DB8 << 32).to_bytes(8, "little"), (7).to_bytes(8, "little"))
    items += member("addr.sun_path", b"@a\0b") + member("addr.nl_pid", b"", state=abi.State.FAULT)
    template = b"%addr.sin_port %addr.sin_addr %addr.sin6_addr %addr.sun_path %addr.nl_pid %addr.sll_halen %addr. %fd.txt %addr.x"
    said = make(*items, template=template, **CONNECT)
    assert render.line(said) == '8080 127.0.0.1 2001:db8::7 "@a\\x00b" ? ? 0x1000. 3.txt 0x1000.x'
    assert json.loads(jsonlines.line(said))["members"] == {
        "addr.sin_port": 8080, "addr.sin_addr": "127.0.0.1", "addr.sin6_addr": "2001:db8::7", "addr.sun_path": "@a\0b",
        "addr.nl_pid": None,
    }  # fmt: skip


def lead(what: int, arg: int, data: bytes, state: int = abi.State.WHOLE) -> bytes:
    """The item of where an argument of unlinkat leads."""
    return item(abi.Item.SOURCE, bytes(abi.SourceStruct(what=what, arg=arg, limit=4096)) + data, state)


def test_where_arguments_lead():
    items = [PATH, lead(abi.Source.PATH, 1, b"/tmp/dummy")]
    said = make(*items, template=b"%path(pathname) %fdpath(dfd) %path(dfd) %path(x) %fdpath")
    assert render.line(said) == '"/tmp/dummy" ? %path(dfd) %path(x) %fdpath'
    assert json.loads(jsonlines.line(said))["members"] == {"path(pathname)": "/tmp/dummy"}
    said = make(PATH, lead(abi.Source.PATH, 1, b"", abi.State.FAULT), item(abi.Item.SOURCE, b"short"), template=b"%path(pathname)")
    assert render.line(said) == "?" and json.loads(jsonlines.line(said))["members"] == {"path(pathname)": None}


def test_damaged_members():
    for data in (b"", b"\1", bytes(7), bytes(9)):
        items = member("addr.sin_port", data) + [item(abi.Item.SOURCE, b"short")]
        assert render.line(make(*items, template=b"%addr.sin_port", **CONNECT)) == "?"


@pytest.mark.parametrize(
    ("name", "data", "state", "text"),
    [
        ("EXE", b"/bin/rm", "WHOLE", '"/bin/rm"'),
        ("EXE", b"/bin/r", "CUT", '"/bin/r"...'),
        ("EXE", b"", "FAULT", "?"),
        ("TTY", b"", "WHOLE", '""'),
        ("LOGINUID", (2**32 - 1).to_bytes(8, "little"), "WHOLE", "4294967295"),
        ("CAPS", (0x1FFFFFFFFFF).to_bytes(8, "little"), "WHOLE", "0x1ffffffffff"),
        ("CAPS", b"\xff\xff", "CUT", "?"),
        ("CAPS", b"", "FAULT", "?"),
        ("DURATION", b"\x05" + bytes(7), "WHOLE", "5"),
        ("PARENT.COMM", b"bash", "WHOLE", '"bash"'),
        ("PARENT.EXE", b"", "FAULT", "?"),
        ("PARENT.PID", b"\x07" + bytes(7), "WHOLE", "7"),
        ("PARENT.UID", b"", "FAULT", "?"),
        ("PARENT.CAPS", b"\x05" + bytes(7), "WHOLE", "0x5"),
    ],
)
def test_field_macro(name, data, state, text):
    said = item(abi.Item.FIELD, bytes([abi.FIELDS[name].number]) + data, getattr(abi.State, state))
    line = make(said, PATH, template=f"<%{name.lower()} %pathname>".encode())
    assert render.line(line) == f'<{text} "./dummy">'


def test_a_field_that_the_event_does_not_carry():
    assert render.line(make(PATH, template=b"%exe %caps %parent.exe %parent.uid")) == "? ? ? ?"


def test_what_stands_behind_a_field():
    held = [item(abi.Item.FIELD, bytes([abi.FIELDS[name].number]) + data) for name, data in (("EXE", b"/a"), ("PARENT.COMM", b"sh"))]
    said = make(*held, template=b"%exe.old %exe[0] %parent.comm. %parent.comm.pid.x %parent %parent.tty %ancestor.exe")
    assert render.line(said) == '"/a".old "/a"[0] "sh". "sh".pid.x %parent %parent.tty %ancestor.exe'


def test_fields_in_json():
    def held(name, data, state="WHOLE"):
        return item(abi.Item.FIELD, bytes([abi.FIELDS[name].number]) + data, getattr(abi.State, state))

    made = make(held("EXE", b"/a"), held("ROOT", b"", "FAULT"), held("CAPS", bytes([5, *[0] * 7])), item(abi.Item.FIELD, b"\xfdx"))
    assert json.loads(jsonlines.line(made))["fields"] == {"exe": "/a", "root": None, "caps": 5, "field_253": "x"}
    made = make(held("PARENT.EXE", b"/b", "CUT"), held("PARENT.UID", b"", "FAULT"), held("PARENT.PID", bytes([5, *[0] * 7])))
    assert json.loads(jsonlines.line(made))["fields"] == {"parent.exe": "/b", "parent.exe_cut": True, "parent.uid": None, "parent.pid": 5}


def test_every_macro_and_field_of_the_specification_is_there():
    for name in [*abi.MACROS, *(name.lower() for name in abi.FIELDS if abi.FIELDS[name].subject != "ANCESTOR"), *(name.lower() for name in abi.STATICS)]:
        assert name in render.MACROS, name


@pytest.mark.parametrize("template", [b"%nonsense", b"100 %", b"% pid", b"a%", b"%%pid", b"%1"])
def test_what_is_no_macro_stays(template):
    assert render.line(make(template=template)) == template.decode().replace("%%", "%")


def test_an_empty_format_is_an_empty_line():
    assert render.line(make(template=b"")) == ""


def test_default_line():
    start = "2023-11-14 22:13:20.123456 watch: rm[1234] uid=10: "
    assert render.line(make(PATH)) == start + 'unlinkat(AT_FDCWD, "./dummy", 0)'
    assert render.line(make(PATH, phase=1, retval=0)) == start + 'unlinkat(AT_FDCWD, "./dummy", 0) = 0'
    assert render.line(make(PATH, phase=1, retval=-2)).endswith("0) = -1 ENOENT")
    assert render.line(make(PATH, phase=1, retval=-512)).endswith("0) = ? ERESTARTSYS")
    assert render.line(make(PATH, phase=1, retval=-(2**63))).endswith(f"0) = {-(2**63)}")
    assert render.line(make(PATH, actions=3, retval=-1)).endswith("0) refused: EPERM")
    assert render.line(make(PATH, actions=5)).endswith("0) killed")
    assert render.line(make(PATH, actions=9)).endswith("0) suspended")
    assert render.line(make(PATH, actions=3, retval=-4095)).endswith("0) refused: 4095")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"plain", '"plain"'),
        (b'say "hi" \\', r'"say \"hi\" \\"'),
        (b"a\tb\nc\rd\x1b[31m\x00\x7f", r'"a\tb\nc\rd\x1b[31m\x00\x7f"'),
        (b"\xff\xfe", r'"\xff\xfe"'),
        ("grüße ☃".encode(), '"grüße ☃"'),
        ("\u202e\u0085\u200b".encode(), r'"\xe2\x80\xae\xc2\x85\xe2\x80\x8b"'),
        (b"\xed\xb2\x80", r'"\xed\xb2\x80"'),
        (b"", '""'),
    ],
)
def test_quotes(data, text):
    assert values.quote(data) == text
    assert values.quote(data).isprintable()


@pytest.mark.parametrize(
    ("kind", "register", "text"),
    [
        ("s32", 0xFFFFFFFF, "-1"), ("s32", 0xDEADBEEF_00000005, "5"), ("u32", 0xFFFFFFFF, "4294967295"),
        ("s8", 0xFF, "-1"), ("u8", 0x1FF, "255"), ("s16", 0x8000, "-32768"), ("u16", 0x18000, "32768"),
        ("s64", 2**64 - 1, "-1"), ("u64", 2**64 - 1, str(2**64 - 1)), ("fd", 2**64 - 100, "-100"), ("fd", 3, "3"),
        ("ptr", 0x7FFD1234, "0x7ffd1234"), ("ptr", 0, "NULL"), ("str", 0x7FFD1234, "0x7ffd1234"), ("str", 0, "NULL"),
    ],
)  # fmt: skip
def test_numbers(kind, register, text):
    said = make(template=b"%params", nargs=1, kinds=(abi.KINDS[kind].number, 0, 0), args=(register, 0, 0))
    assert render.line(said) == text


def test_a_kind_of_a_later_release():
    assert render.line(make(template=b"%params", nargs=1, kinds=(77, 0, 0), args=(255, 0, 0))) == "0xff"


@pytest.mark.parametrize(
    ("state", "data", "text"),
    [
        ("CUT", b"./du", '"./du"...'),
        ("FAULT", b"", "0x7ffd00001234"),
        ("LONG", b"", "0x7ffd00001234 (too long)"),
    ],
)
def test_strings_that_are_not_whole(state, data, text):
    said = make(item(abi.Item.ARG + 1, data, getattr(abi.State, state)), template=b"%pathname")
    assert render.line(said) == text


def test_a_null_pointer():
    said = make(item(abi.Item.ARG, b"", abi.State.ABSENT), template=b"%params", **{**UNLINK, "args": (0, 0, 0)})
    assert render.line(said) == "NULL"


def test_no_control_byte_reaches_the_terminal():
    said = make(PATH, template=b"\x1b[2J%comm\n%zz", comm=b"\x1b]0;x\x07")
    assert render.line(said) == r'\x1b[2J"\x1b]0;x\a"\n%zz'
    assert render.default_line(said).isprintable()


def test_numbers_stand_in_for_unknown_calls(monkeypatch):
    said = make(PATH, template=b"%sname %abi %params %arg2", nr=9999, abi=9)
    assert render.line(said) == 'syscall_9999 abi_9 -100, "./dummy", 0 "./dummy"'


def test_lost():
    (said,) = events.read_all(lost(12))
    assert render.lost_line(said) == "--- 12 events of rule 'watch' were lost: nobody read fast enough ---"
    (said,) = events.read_all(lost(1, abi.Cause.READER, b"a\x1bb"))
    assert render.lost_line(said) == r"--- 1 event of rule 'a\x1bb' was lost: this reader fell behind ---"
    (said,) = events.read_all(lost(2, name=b""))
    assert render.lost_line(said) == "--- 2 events of several rules were lost: nobody read fast enough ---"


def test_json_has_these_members_in_this_order():
    line = jsonlines.line(make(item(abi.Item.CWD, b"/root"), PATH, phase=1, retval=-2))
    assert json.loads(line) == {
        "type": "event", "time": "2023-11-14T22:13:20.123456789Z", "rule": "watch", "generation": 3, "index": 7,
        "when": "after", "abi": "x86_64", "call": "unlinkat", "nr": 263, "pid": 1234, "tid": 1235, "ppid": 1,
        "uid": 10, "euid": 11, "suid": 12, "fsuid": 13, "gid": 20, "egid": 21, "sgid": 22, "fsgid": 23, "cpu": 1,
        "comm": "rm", "cwd": "/root", "fields": {},
        "args": [
            {"name": "dfd", "kind": "fd", "value": -100, "words": "AT_FDCWD"},
            {"name": "pathname", "kind": "str", "value": 0x7FFD00001234, "words": None, "state": "whole", "string": "./dummy"},
            {"name": "flag", "kind": "s32", "value": 0, "words": None},
        ],
        "members": {}, "words": {}, "actions": ["LOG"], "retval": -2, "error": "ENOENT", "torn": False,
    }  # fmt: skip
    assert list(json.loads(line)) == list(jsonlines.event_object(make()))


def test_json_before_the_call():
    said = json.loads(jsonlines.line(make()))
    assert said["retval"] is None and said["error"] is None and said["cwd"] is None
    said = json.loads(jsonlines.line(make(actions=3, retval=-13)))
    assert said["retval"] == -13 and said["error"] == "EACCES" and said["actions"] == ["LOG", "FAIL"]


@pytest.mark.parametrize("data", [b"\xff\\xff", b"\xed\xb2\x80", b"ok\x1b\x7f", "grüße".encode(), b"\\xff"])
def test_json_is_ascii_and_loses_nothing(data):
    line = jsonlines.line(make(item(abi.Item.ARG + 1, data)))
    assert line.isascii() and line.isprintable()
    argument = json.loads(line)["args"][1]
    held = bytes.fromhex(argument["string_hex"]) if "string_hex" in argument else argument["string"].encode()
    assert held == data


def test_json_of_lost():
    (said,) = events.read_all(lost(12))
    assert json.loads(jsonlines.line(said)) == {
        "type": "lost", "time": "2023-11-14T22:13:20.123456789Z", "rule": "watch", "generation": 3, "index": 7,
        "count": 12, "cause": "buffer",
    }  # fmt: skip


def test_names_come_from_the_table():
    if not calls.CALLS:
        pytest.skip("no table of system calls in this tree")
    assert calls.call_name(0, 87) == "unlink" and calls.argument_names(0, 87, 1) == ("pathname",)
