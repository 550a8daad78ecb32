# SPDX-License-Identifier: GPL-2.0-only
"""Is no string of the kernel what it was said never to be?"""

import random

import pytest
from rounds import ROUNDS

from pysct import fold, glob
from pysct.abi import FIELDS, Limit
from pysct.abi import Source as What
from pysct.ir import StrRef
from pysct.possible import never
from pysct.reading import Reading

PATH = StrRef(Reading(What.PATH, 0, limit=Limit.STRING), True)
DESCRIPTOR = StrRef(Reading(What.DESCRIPTOR, 0, limit=Limit.STRING), True)
COMM, TTY, EXE = (StrRef(FIELDS[name].number, name == "EXE") for name in ("COMM", "TTY", "EXE"))
NAMES = [b"a", b"b", b"..a", b".a", b"a.", b"...", b"a (deleted)", b"*"]
OPENED = [b"pipe:[1]", b"socket:[7]", b"anon_inode:[eventfd]", b"anon_inode:bpf-prog", b"net:[4]", b"/dmabuf:a/", b"/memfd:a//../b (deleted)"]
TERMINALS = [b"", b"pts/0", b"tty1", b"ttyS0", b"console"]


def path(chance: random.Random) -> bytes:
    return b"/" + b"/".join(chance.choice(NAMES) for _ in range(chance.randrange(4)))


def of(chance: random.Random, string: StrRef) -> bytes:
    """One that the kernel can say."""
    if string == COMM:
        return bytes(chance.choice(b"ab/.") for _ in range(chance.randrange(16)))
    if string == TTY:
        return chance.choice(TERMINALS)
    others = OPENED if string == DESCRIPTOR else OPENED[-1:]
    return chance.choice(others) if chance.random() < 0.3 else path(chance)


def near(chance: random.Random, text: bytes) -> bytes:
    """Another text, or the same."""
    for _ in range(chance.randrange(3)):
        start, end = sorted(chance.randrange(len(text) + 1) for _ in range(2))
        put = chance.choice([b"", b"/", b"//", b"/.", b"/../", b"/./", b"..", b"a", b"*", b"**", b"/dev/", b"0123456789"])
        text = text[:start] + put + text[end if chance.random() < 0.3 else start :]
    return text


def is_glob(text: bytes, is_path: bool) -> bool:
    try:
        glob.check(text, is_path)
    except glob.GlobError:
        return False
    return True


def test_what_is_said_never_to_be_never_is():
    chance, said = random.Random(6 if ROUNDS == 1 else None), dict.fromkeys((COMM, TTY, EXE, PATH, DESCRIPTOR), 0)
    for _ in range(20000 * ROUNDS):
        string = chance.choice(list(said))
        text, op = of(chance, string), chance.choice(("SEQ", "SPRE", "SSUF", "SCON", "SGLOB"))
        asked = near(chance, text.replace(b"[", b"\\[") if op == "SGLOB" else text)
        if op == "SGLOB" and not is_glob(asked, string.path):
            continue
        if never(string, op, asked):
            said[string] += 1
            tests = glob.tests(asked, string.path) if op == "SGLOB" else [(op, asked)]
            assert not any(fold.STRINGS[test](text, part) for test, part in tests), (string, op, text, asked)
    assert min(said.values()) > 100, said


@pytest.mark.parametrize(
    ("string", "op", "text"),
    [
        (COMM, "SEQ", b"0123456789abcdef"),
        (COMM, "SGLOB", b"0123456789abcdef*"),
        (COMM, "SGLOB", b"{0123456789abcdef,0123456789abcdefg*}"),
        (TTY, "SEQ", b"/dev/pts/0"),
        (TTY, "SGLOB", b"/dev/tty?"),
        (EXE, "SEQ", b"/bin/../bin/sh"),
        (EXE, "SGLOB", b"/bin//**"),
        (PATH, "SEQ", b"/etc/"),
        (PATH, "SPRE", b"/etc//a"),
        (DESCRIPTOR, "SEQ", b"etc"),
    ],
)
def test_what_should_be_seen_is_seen(string, op, text):
    assert never(string, op, text)


@pytest.mark.parametrize(
    ("string", "op", "text"),
    [
        (COMM, "SEQ", b"0123456789abcde"),
        (COMM, "SGLOB", b"{0123456789abcdef,cron}"),
        (COMM, "SGLOB", b"0123456789abcde*"),
        (EXE, "SPRE", b"/usr/."),
        (EXE, "SSUF", b"/../a"),
        (EXE, "SEQ", b""),
        (PATH, "SEQ", b"/"),
        (PATH, "SPRE", b"/etc/"),
        (DESCRIPTOR, "SPRE", b"pipe"),
        (StrRef(0, True), "SEQ", b"/etc/../x/"),
    ],
)
def test_what_can_be_is_not_said(string, op, text):
    assert never(string, op, text) is None
