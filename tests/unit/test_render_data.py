# SPDX-License-Identifier: GPL-2.0-only
"""Do data and the elements of lists and arrays read as they should, as text and as JSON, with and without an event that carries them?"""

import json

import pytest
from fake_modules import item
from test_render import make

from pysct import abi, jsonlines, members, render

WRITE = {"nr": 1, "nargs": 3, "kinds": (11, 9, 8), "args": (3, 0x1000, 5)}


@pytest.mark.parametrize(("state", "shown"), [
    ("WHOLE", '"a\\x00\\"\\n\\xff"'), ("CUT", '"a\\x00\\"\\n\\xff"...'), ("FAULT", "0x1000")])  # fmt: skip
def test_data(state, shown):
    held = b"" if state == "FAULT" else b'a\0"\n\xff'
    items = [item(abi.Item.SOURCE, members.data("x86_64", "write", "buf").readings[0].entry() + held, getattr(abi.State, state))]
    said = make(*items, template=b"%buf %buf.txt|%args|%params", **WRITE)
    assert render.line(said) == f"{shown} {shown}.txt|3, {shown}, 5|3, {shown}, 5"
    exact = {"buf": 'a\x00"\n\\xff', "buf_hex": held.hex()} | ({"buf_cut": True} if state == "CUT" else {})
    assert json.loads(jsonlines.line(said))["members"] == ({"buf": None} if state == "FAULT" else exact)


def test_data_that_the_event_does_not_carry():
    assert render.line(make(template=b"%buf %args", **WRITE)) == "0x1000 3, 0x1000, 5"


EXECVE = {"nr": 59, "nargs": 3, "kinds": (10, 9, 9), "args": (0x10, 0x1000, 0x2000)}


def test_elements():
    def element(name: str, held: bytes, state: str = "WHOLE") -> bytes:
        return item(abi.Item.SOURCE, members.find("x86_64", "execve", name).readings[0].entry() + held, getattr(abi.State, state))

    items = [element("argv[0]", b"sh"), element("argv[1]", b"-c\n"), element("argv[2]", b"", "ABSENT"), element("envp[31]", b"A=b", "CUT")]
    said = make(*items, template=b"%argv[0] %argv[1].x %argv[2] %envp[31] %argv[3] %argv[99] %argv %pid[1] %pid[1].x", **EXECVE)
    assert render.line(said) == '"sh" "-c\\n".x ? "A=b"... ? ["sh", "-c\\n"][99] ["sh", "-c\\n"] 1234[1] 1234[1].x'
    assert json.loads(jsonlines.line(said))["members"] == {
        "argv[0]": "sh", "argv[1]": "-c\n", "argv[2]": None, "envp[31]": "A=b", "envp[31]_cut": True
    }  # fmt: skip


def test_members_of_elements():
    """What stands behind the name of an array's element, or a place behind no array, is text."""
    for call, nr, name in (("writev", 20, "vec[1]"), ("sendmsg", 46, "msg.msg_iov[1]")):
        (reading,) = members.find("x86_64", call, f"{name}.iov_len").readings
        kept = {"nr": nr, "nargs": 3, "kinds": (11, 9, 8), "args": (3, 0x1000, 16)}
        template = f"%{name}.iov_len. %{name} %vec[1] %fd[2].x %msg.msg_iov[2].iov_len".encode()
        said = make(item(abi.Item.SOURCE, reading.entry() + (5).to_bytes(8, "little")), template=template, **kept)
        rest = "[{...}, {iov_len=5, ...}, ...][1] [{...}, {iov_len=5, ...}, ...][1] 3[2].x %msg.msg_iov[2].iov_len" if call == "writev" else "?[1] %vec[1] 3[2].x ?"
        assert render.line(said) == f"5. {rest}"
        assert json.loads(jsonlines.line(said))["members"] == {f"{name}.iov_len": 5}
