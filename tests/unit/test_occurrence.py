# SPDX-License-Identifier: GPL-2.0-only
"""Is a described call understood, and one that is none met with place, cause and way out?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rounds import examples

from pysct.abi import FIELDS, Limit, State
from pysct.diagnostics import Diagnostics, format_text
from pysct.occurrence import read
from pysct.source import Source


def described(text: str):
    said = Diagnostics()
    found = read(Source("event", text), said)
    assert (found is None) == bool(said.errors)
    return found, "\n".join(map(format_text, said))


def number(event, name: str) -> int:
    return event.seen.fields[FIELDS[name].number]


def test_all_that_can_be_said():
    event, said = described(
        r'openat(AT_FDCWD, "/tmp/\x41\"", O_WRONLY|O_CREAT|02000, 0644) uid=0 GID=0x10 comm=rm cwd="/a b" abi=i386'
    )
    assert not said and (event.abi, event.call) == ("i386", "openat")
    assert event.seen.args == (-100, 1, 0o2101, 0o644) and event.seen.strings[1] == b'/tmp/A"'
    assert event.seen.strings[FIELDS["COMM"].number] == b"rm" and event.seen.strings[FIELDS["CWD"].number] == b"/a b"
    assert number(event, "UID") == 0 and number(event, "GID") == 16
    places = {"path(filename)", "fdpath(dfd)", "fdpath(RETVAL)"}
    assert event.missing == FIELDS.keys() - {"UID", "GID", "COMM", "CWD"} | places and not event.has_result


def test_where_arguments_lead():
    event, said = described('openat(3, "x", 0) path(filename)="/tmp/x" fdpath(dfd)=?')
    assert not said and event.seen.paths == {("path", 1): b"/tmp/x", ("fdpath", 0): State.FAULT}
    assert not {"path(filename)", "fdpath(dfd)"} & event.missing
    for text in ("getpid() path(filename)=/x", "openat(3) path(dfd)=/x", 'openat(3) path(filename)=/x path(filename)=/y'):
        assert described(text)[0] is None


def test_what_is_left_out_is_missed():
    found, said = described('execve("/bin/sh", ["sh", "-c", ...], NULL)')
    assert not said and "argv[1]" not in found.missing and {"argv[2]", "argv[31]"} <= found.missing
    assert "argv[2]" not in described('execve("/bin/sh", ["sh", "-c"], NULL)')[0].missing
    found, said = described("connect(3, {sa_family=AF_INET, ...}, 16)")
    assert not said and "addr.sin_port" in found.missing and "addr.sa_family" not in found.missing
    assert described(f"connect(3, {'{a=' * 5000}")[0] is None
    assert described("connect(3, {...}, 16)")[0] is None and described("connect(3, {sin_port={x=1}}, 16)")[0] is None
    assert described("connect(3, {..., sin_port=1}, 16)")[0] is None and described("execve(\"x\", [...], NULL)")[0] is None


def test_what_is_not_said_is_missing():
    event, _ = described('openat(AT_FDCWD, "/tmp")')
    assert {"flags", "mode", "UID"} < event.missing and "dfd" not in event.missing


def test_strings_that_cannot_be_read():
    for text in ("unlink(?)", "unlink(0)", "unlink(0xdead)"):
        assert described(text)[0].seen.strings[0] == State.FAULT
    assert described(f'unlink("{"a" * Limit.STRING}")')[0].seen.strings[0] == State.LONG
    assert described("sync() comm=?")[0].seen.strings[FIELDS["COMM"].number] == State.FAULT


@pytest.mark.parametrize(
    ("words", "result", "error"),
    [
        ("retval=3", 3, 0),
        ("retval=-2", -2, 2),
        ("errno=ENOENT", -2, 2),
        ("retval=-ENOENT errno=2", -2, 2),
        ("retval=-5000", -5000, 0),
    ],
)
def test_result_and_error_follow_from_each_other(words, result, error):
    event, _ = described(f"sync() {words}")
    assert event.has_result and (number(event, "RETVAL"), number(event, "ERRNO")) == (result, error)


def test_constants_are_those_of_the_abi():
    assert described('open("/", O_DIRECTORY) abi=x86_64')[0].seen.args[1] == 0o200000
    assert described('open("/", O_DIRECTORY) abi=aarch32')[0].seen.args[1] == 0o40000


def test_a_call_that_only_another_abi_has_is_found_there():
    assert described("waitpid(-1)")[0].abi == "i386"


@pytest.mark.parametrize(
    ("text", "place", "cause"),
    [
        ("", "event:1:1:", "not understood"),
        ("unlink", "event:1:7:", "not understood"),
        ("unlink(", "event:1:8:", "not understood"),
        ("unlink([])", "event:1:1:", "is not a list"),
        ('unlink(["a" "b"])', "event:1:13:", "not understood"),
        ("execve(?, [{a=1}])", "event:1:1:", "is a list of strings"),
        ('writev(1, ["a"])', "event:1:1:", "is an array of structures"),
        ("writev(1, [{iov_lan=1}])", "event:1:13:", "did you mean `iov_len`"),
        (f"writev(1, [{', '.join(['{...}'] * (Limit.ELEMENTS + 1))}])", "event:1:1:", f"more than {Limit.ELEMENTS} elements"),
        ('utimensat(0, "x", [{...}, {...}, {...}])', "event:1:1:", "more than 2 elements"),
        ("sendmsg(1, {msg_name=[{sin_port=1}]})", "event:1:24:", "no member `msg_name[0].sin_port`"),
        ("sendmsg(1, {msg_name=[]})", "event:1:13:", "no array"),
        (f"sendmsg(1, {{msg_iov[{Limit.ELEMENTS}].iov_len=1}})", "event:1:13:", "no member"),
        ("connect(3, [{sin_port=1}])", "event:1:1:", "is not a list"),
        ("execve(?, [1])", "event:1:12:", "not understood"),
        ("execve(?, {})", "event:1:1:", "is not a structure"),
        (f'execve(?, [{", ".join(["?"] * 600)}])', "event:1:1:", "no room"),
        ("unlink({})", "event:1:1:", "is not a structure"),
        ("connect(3, {sin_prt=1})", "event:1:13:", "did you mean `sin_port`"),
        ("connect(3, {sin_port=65536})", "event:1:13:", "it has 16 bits"),
        ('connect(3, {sin_port="22"})', "event:1:13:", "it is no string"),
        ("connect(3, {sun_path=22})", "event:1:13:", "it is a string"),
        ("connect(3, {sin_addr=10.0.0.300})", "event:1:22:", "not an internet address"),
        (f'connect(3, {{sun_path="{"x" * 108}"}})', "event:1:13:", "at most 107 bytes"),
        ("unlnk()", "event:1:1:", "did you mean `unlink`"),
        ("waitpid() abi=x86_64", "event:1:1:", "not a system call of x86_64"),
        ("sync() abi=x86", "event:1:12:", "unknown ABI `x86`"),
        ("sync(1)", "event:1:1:", "more arguments"),
        ("sync() uidd=1", "event:1:8:", "did you mean `uid`"),
        ("sync() uid=1 UID=1", "event:1:14:", "stands twice"),
        ("sync() uid=root", "event:1:12:", "no number"),
        ("sync() uid=0x8000000000000000", "event:1:12:", "does not fit"),
        ("sync() uid=08", "event:1:12:", "not a number"),
        ("sync() retval=0 errno=2", "event:1:23:", "error number 0"),
        ("kill(1, SIGKIL)", "event:1:9:", "SIGKILL"),
        ('kill("a")', "event:1:6:", "is a number"),
        ("kill(0x100000000)", "event:1:6:", "it has 32 bits"),
        (r'unlink("\0")', "event:1:8:", "NUL"),
        ('write(1, "abc", 4)', "event:1:1:", "`buf` has 3 bytes here, and `count` says 4"),
        ('write(1, "abc", -1) abi=i386', "event:1:1:", "`count` says 4294967295"),
        ('read(1, "abc", 9) retval=4', "event:1:1:", "`retval` says 4"),
        ('write(1, {x=1}, 3)', "event:1:1:", "is not a structure"),
        (r'unlink("\q")', "event:1:8:", "means nothing"),
    ],
)
def test_what_is_no_call(text, place, cause):
    event, said = described(text)
    assert event is None and said.startswith(place + " error: ") and cause in said


@examples(150)
@given(st.one_of(st.text(max_size=40), st.text(alphabet='unlik()"?,|=0x-OABC \\_', max_size=30)))
def test_any_text_is_a_call_or_an_error(text):
    for event in (text, f"unlink({text})", f"sync() {text}", f"sync() comm={text}", f'unlink("{text}")'):
        described(event)
    for member in (text, f"sin_port={text}", f"sun_path={text}"):
        described(f"connect(3, {{{member}}})")


def test_every_field_of_the_process_can_be_said():
    numbers = ("LOGINUID SESSION SESSION_LEADER CONTAINER PIDNS MNTNS NETNS USERNS UTSNS IPCNS CGROUPNS TIME DURATION").split()
    texts = "EXE ROOT TTY CGROUP".split()
    said = [f"{name.lower()}={at}" for at, name in enumerate(numbers, 7)] + [f"{name.lower()}=/{name}" for name in texts]
    event, errors = described(f"sync() {' '.join(said)}")
    assert not errors
    assert [number(event, name) for name in numbers] == list(range(7, 7 + len(numbers)))
    assert [event.seen.strings[FIELDS[name].number] for name in texts] == [f"/{name}".encode() for name in texts]


@pytest.mark.parametrize(
    ("text", "value"),
    [("CAP_CHOWN", 1), ("CAP_SYS_ADMIN|CAP_CHOWN", 1 << 21 | 1), ("0x1ffffffffff", 0x1FFFFFFFFFF), ("0", 0)],
)
def test_capabilities_by_name(text, value):
    assert number(described(f"sync() caps={text}")[0], "CAPS") == value


def test_no_capability():
    assert "`CAP_NONE` is no number and no constant" in described("sync() caps=CAP_CHOWN|CAP_NONE")[1]


def test_the_processes_above():
    event, said = described("sync() parent.comm=bash parent.uid=5 ancestor.comm=sshd ancestor.exe=/sbin/sshd ancestor.comm=?")
    assert not said
    names = {field.number: field.name for field in FIELDS.values()}
    above = [
        {names[number]: value for number, value in (process.fields | process.strings).items()} for process in event.seen.ancestors
    ]
    assert above == [{"COMM": b"bash", "UID": 5, "EXE": b"/sbin/sshd"}, {"COMM": b"sshd"}, {"COMM": State.FAULT}]
    assert not event.missing & {"PARENT.COMM", "PARENT.UID", "PARENT.EXE", "ANCESTOR.COMM"}
    assert {"ANCESTOR.EXE", "ANCESTOR.UID", "PARENT.GID"} <= event.missing


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("parent.comm=a parent.comm=b", "`parent.comm` stands twice"),
        ("ancestor.comm=a parent.comm=b", "`parent.comm` stands twice"),
        ("parent.tty=a", "unknown name `parent.tty`"),
        ("ancestor.uid=x", "`x` is no number"),
    ],
)
def test_processes_above_that_cannot_be(words, error):
    assert error in described(f"sync() {words}")[1]
