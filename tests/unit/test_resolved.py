# SPDX-License-Identifier: GPL-2.0-only
"""Is it known of each path and descriptor how the kernel finds where it leads, and judged by that?"""

import pytest
from opinions import Event, judged

from pysct import lookup, members, resolved
from pysct.abi import ABIS, Last, Limit, State
from pysct.abi import Source as What
from pysct.compiler import compile_sources
from pysct.disassemble import disassemble
from pysct.image import decode
from pysct.paths import argument_is_path
from pysct.reading import decode as decode_reading
from pysct.source import Source
from pysct.tables import CALLS

MATCHES, FAILS, UNKNOWN = (["r"], []), ([], []), ([], ["r"])
AT_SYMLINK_NOFOLLOW, AT_SYMLINK_FOLLOW, O_CREAT, O_EXCL = 0x100, 0x400, 0o100, 0o200


def rule(call: str, condition: str) -> str:
    return f"rule {{ syscall_name = {call} rule_name = r filter_expression {{ {condition} }} action {{ LOG }} }}"


@pytest.mark.parametrize("abi", ABIS)
def test_every_path_and_descriptor(abi):
    """All that the tables call so, and nothing else."""
    for call, (_, arguments) in CALLS[abi].items():
        for index, (name, kind) in enumerate(arguments):
            path, descriptor = lookup.find(abi, call, f"path({name})"), lookup.find(abi, call, f"fdpath({name})")
            assert bool(path) == argument_is_path(call, name, kind)
            assert bool(descriptor) == (kind == "fd")
            assert path == lookup.find(abi, call, f"path(PARAMS[{index + 1}])")
            for reading in filter(None, (path, descriptor)):
                assert reading.arg == index and reading.limit == Limit.STRING
                assert not reading.size or arguments[reading.size - 1][1] == "fd"
                assert not reading.family or arguments[reading.family - 1][1] in (("ptr",) if reading.via_size else ("s32", "u32"))
                assert not reading.via_size or arguments[reading.via_size - 1][0] == "usize"
        assert not lookup.find(abi, call, "path(nothing)") and not lookup.find(abi, call, f"path(PARAMS[{len(arguments) + 1}])")


# (ABI, call, argument): start from the argument, counted from 1; the link at the end; the argument with flags; any of, all of.
KNOWN = {
    ("x86_64", "unlink", "pathname"): (0, Last.ENTRY, 0, 0, 0),
    ("x86_64", "unlinkat", "pathname"): (1, Last.ENTRY, 0, 0, 0),
    ("x86_64", "renameat2", "newname"): (3, Last.ENTRY, 0, 0, 0),
    ("x86_64", "symlinkat", "newname"): (2, Last.ENTRY, 0, 0, 0),
    ("x86_64", "openat", "filename"): (1, Last.FOLLOWED, 3, 0o400000, O_CREAT | O_EXCL),
    ("aarch64", "openat", "filename"): (1, Last.FOLLOWED, 3, 0o100000, O_CREAT | O_EXCL),
    ("x86_64", "openat2", "filename"): (1, Last.FOLLOWED, 3, 0o400000, O_CREAT | O_EXCL),
    ("aarch32", "openat2", "filename"): (1, Last.FOLLOWED, 3, 0o100000, O_CREAT | O_EXCL),
    ("aarch32", "open", "filename"): (0, Last.FOLLOWED, 2, 0o100000, O_CREAT | O_EXCL),
    ("i386", "fstatat64", "filename"): (1, Last.FOLLOWED, 4, AT_SYMLINK_NOFOLLOW, 0),
    ("x86_64", "linkat", "oldname"): (1, Last.HELD, 5, AT_SYMLINK_FOLLOW, 0),
    ("x86_64", "lstat", "filename"): (0, Last.HELD, 0, 0, 0),
    ("x86_64", "execve", "filename"): (0, Last.FOLLOWED, 0, 0, 0),
    ("x86_64", "inotify_add_watch", "pathname"): (0, Last.FOLLOWED, 3, 0x2000000, 0),
}


@pytest.mark.parametrize("where", KNOWN, ids=" ".join)
def test_as_the_call_looks_it_up(where):
    abi, call, argument = where
    found = lookup.find(abi, call, f"path({argument})")
    assert (found.what, found.size, found.other, found.family, found.offset, found.via) == (
        What.PATH, KNOWN[where][0], KNOWN[where][1], *KNOWN[where][2:],
    )  # fmt: skip


@pytest.mark.parametrize("abi", ABIS)
@pytest.mark.parametrize(
    "condition", ['path(filename) == "/x"', 'path(filename) == "/x" && how.flags == 0', "how.resolve == 1 && how.mode == 2"]
)
def test_what_a_path_depends_on_is_read_before_it(abi, condition):
    """Once: it is what conditions on it are judged by."""
    text = rule("openat2", condition).replace("LOG", "LOG log_format { %path(filename) %how.flags }")
    image = decode(compile_sources([Source("t", text)], "aarch64" if abi.startswith("aarch") else "x86_64").image)
    sources = [decode_reading(entry) for prog in image.progs if prog.abi == ABIS[abi].number for entry in prog.sources]
    path = lookup.find(abi, "openat2", "path(filename)")
    flags, resolve = (members.find(abi, "openat2", f"how.{name}").readings[0] for name in ("flags", "resolve"))
    assert len(sources) == len(set(sources)) and {path, flags, resolve} <= set(sources)
    assert max(sources.index(flags), sources.index(resolve)) < sources.index(path)


@pytest.mark.parametrize(
    "condition, path, outcome",
    [
        ('path(pathname) == "/a/b"', b"/a/b", MATCHES),
        ('path(pathname) == "/a/b"', b"/a/c", FAILS),
        ('path(PARAMS[2]) =~ "/a/*"', b"/a/b", MATCHES),
        ('path(pathname) =~ "/*"', b"/a/b", FAILS),
        ('path(pathname) in { "/x", "/a/b" }', b"/a/b", MATCHES),
        ("path(pathname) == pathname", b"b", MATCHES),
        ("path(pathname) != pathname", b"/a/b", MATCHES),
        ('path(pathname) == "/a/b"', State.FAULT, UNKNOWN),
        ('path(pathname) == "/a/b"', State.LONG, UNKNOWN),
        ('path(pathname) == "/a/b"', State.ABSENT, UNKNOWN),
        ('path(pathname) == "/a/b" && UID == 1', State.FAULT, FAILS),
        ('path(pathname) startswith "/"', b"/" + b"x" * 4094, MATCHES),
        ('path(pathname) startswith "/"', b"/" + b"x" * 4095, UNKNOWN),
        ('fdpath(dfd) == "/a/b"', b"/a/b", UNKNOWN),
    ],
)
def test_all_judge_alike(condition, path, outcome):
    event = Event("unlinkat", (3, b"b", 0), paths={("path", 1): path})
    assert judged(rule("unlinkat", condition), event) == outcome


def test_descriptors():
    event = Event("fchmod", (3, 0), paths={("fdpath", 0): b"pipe:[7]"})
    assert judged(rule("fchmod", 'fdpath(fd) startswith "pipe:"'), event) == MATCHES


@pytest.mark.parametrize(
    "path, fields, outcome",
    [
        (b"/a", {"RETVAL": 3}, MATCHES),
        (b"/b", {"RETVAL": 3}, FAILS),
        (State.FAULT, {"RETVAL": 3}, UNKNOWN),
        (b"/a", {"RETVAL": -2, "ERRNO": 2}, UNKNOWN),
    ],
)
@pytest.mark.parametrize("call", ["openat", "inotify_init", "socket"])
def test_what_a_call_has_opened(call, path, fields, outcome):
    """Also of a call that has no arguments; one that failed has opened nothing."""
    text = rule(call, 'fdpath(RETVAL) == "/a"').replace("} }", "} when = after }")
    event = Event(call, (0, b"x", 0, 0)[: len(CALLS["x86_64"][call][1])], "after", fields, paths={("fdpath", Limit.ARGS): path})
    assert judged(text, event) == outcome


def test_the_file_system_is_asked_last():
    text = rule("unlinkat", 'path(pathname) == "/a" && COMM =~ "**a**" && fdpath(dfd) == "/b" && dfd > 7')
    listing = disassemble(decode(compile_sources([Source("t", text)], "x86_64").image))
    code = "\n".join(line for line in listing.split("\n") if not line.strip().startswith(";"))
    at = [code.index(word) for word in ("LDA", "COMM", "path(pathname)", "fdpath(dfd)")]
    assert at[:2] < at[2:] and max(at[:2]) < min(at[2:])


def test_names():
    assert resolved.names("x86_64", "unlinkat") == ("fdpath(dfd)", "path(pathname)")
    assert resolved.names("x86_64", "getpid") == () == resolved.names("x86_64", "no_such_call")
    assert resolved.names("x86_64", "dup") == ("fdpath(fildes)", "fdpath(RETVAL)")
    assert resolved.find("x86_64", "unlinkat", "fdpath(RETVAL)") is None is resolved.find("x86_64", "dup", "path(RETVAL)")
    assert resolved.exists("path(PARAMS[1])") and not resolved.exists("path(dfd)")
