# SPDX-License-Identifier: GPL-2.0-only
"""Does a rule that logs ask for what its lines show of structures and lists, and do these read as `sct_config test` takes them?"""

import json

import pytest
from fake_modules import item
from test_occurrence import described
from test_render import make

from pysct import jsonlines, members, pointed, reading, render
from pysct.abi import ABIS, KINDS, PHASES, Item, Limit, SourceFlag, State
from pysct.compiler import compile_sources
from pysct.image import decode
from pysct.source import Source
from pysct.tables import CALLS


def shown(rule: str) -> list[str]:
    """The members, elements and data that the events of a rule carry, in x86_64."""
    (prog,) = decode(compile_sources([Source("t", f"rule {{ abi = x86_64 {rule} }}")]).image).progs
    call = next(name for name, (nr, _) in CALLS["x86_64"].items() if nr == prog.nr)
    told = [reading.decode(entry) for entry in prog.sources if entry[3] & SourceFlag.LOG]
    return list(dict.fromkeys(members.shown("x86_64", call, each) for each in told))


ADDRESS = [name for name in members.names("x86_64", "connect") if name[9:] not in ("hatype", "pkttype", "halen")]


@pytest.mark.parametrize(("rule", "told"), [
    ("syscall_name = connect action { LOG }", ADDRESS),
    ("syscall_name = connect action { LOG log_format { %args } }", ADDRESS),
    ("syscall_name = connect action { LOG log_format { %addr. } }", ADDRESS),
    ("syscall_name = connect action { LOG log_format { %params } }", []),
    ("syscall_name = connect action { LOG log_format { %comm %fd %addrlen } }", []),
    ("syscall_name = connect action { LOG log_format { %addr.sin_port } }", ["addr.sin_port"]),
    ("syscall_name = connect filter_expression { addr.sin_port == 22 } action { FAIL }", []),
    ("syscall_name = newfstatat action { LOG }", []),
    ("syscall_name = newfstatat when = after action { LOG }", ["statbuf.st_mode", "statbuf.st_size"]),
    ("syscall_name = clock_nanosleep action { LOG }", ["rqtp.tv_sec", "rqtp.tv_nsec"]),
    ("syscall_name = clock_nanosleep action { LOG log_format { %rmtp } }", []),
    ("syscall_name = clock_nanosleep when = after action { LOG log_format { %rmtp } }", ["rmtp.tv_sec", "rmtp.tv_nsec"]),
    ("syscall_name = execve action { LOG }", [f"argv[{n}]" for n in range(Limit.LISTED + 1)]),
    ("syscall_name = execve action { LOG log_format { %argv.x } }", [f"argv[{n}]" for n in range(Limit.LISTED + 1)]),
    ("syscall_name = execve action { LOG log_format { %argv[1] %envp } }", ["argv[1]"]),
    ("syscall_name = writev action { LOG }", [f"vec[{n}].{name}" for n in range(Limit.LISTED) for name in ("iov_base", "iov_len")]),
    ("syscall_name = writev action { LOG log_format { %vec.iov_len %vec[9].iov_len } }", ["vec[0].iov_len", "vec[9].iov_len"]),
    ("syscall_name = poll filter_expression { nfds == 1 } action { LOG }", [f"ufds[{n}].{name}" for n in range(Limit.LISTED) for name in ("fd", "events")]),
    ("syscall_name = utimensat action { LOG log_format { %utimes } }", [f"utimes[{n}].{name}" for n in (0, 1) for name in ("tv_sec", "tv_nsec")]),
    ("syscall_name = futex action { LOG }", []),
])  # fmt: skip
def test_what_a_rule_asks_for(rule, told):
    for call in rule.split(" action")[0].removeprefix("syscall_name = ").split(", "):
        assert shown(rule if ", " not in rule else f"syscall_name = {call} action {{ LOG }}") == told


def test_what_is_judged_is_read_once():
    (prog,) = decode(compile_sources([Source("t", "rule { abi = x86_64 syscall_name = connect filter_expression { addr.sin_port == 22 } action { LOG } }")]).image).progs
    assert len(prog.sources) == len(set(prog.sources)) == len(ADDRESS) + 1, "an address of IPv6 is two numbers"
    assert all(entry[3] & SourceFlag.LOG for entry in prog.sources)


def test_no_rule_is_refused_for_what_its_line_would_show():
    """All sources that a program can have are taken, and none is left for argv[0]."""
    names = [f"argv[{n}]" for n in range(1, Limit.ELEMENTS)] + [f"envp[{n}]" for n in range(Limit.ELEMENTS)]
    condition = " && ".join(f'({name} != "x")' for name in [*names, "path(filename)"])
    (prog,) = decode(compile_sources([Source("t", f"rule {{ abi = x86_64 syscall_name = execve filter_expression {{ {condition} }} action {{ LOG }} }}")]).image).progs
    assert len(prog.sources) == Limit.PROG_SOURCES
    assert sum(bool(entry[3] & SourceFlag.LOG) for entry in prog.sources) == Limit.LISTED


def part(abi: str, call: str, name: str, value: int | bytes | None | State) -> list[bytes]:
    """The items of a member or element: an IPv6 address is one number; None is what is not there."""
    found, readings = [], members.find(abi, call, name).readings
    for at, each in enumerate(reversed(readings)):
        data = value if isinstance(value, bytes) else b"" if value is None else (value >> 64 * at & (1 << 64) - 1).to_bytes(8, "little")
        found.append(item(Item.SOURCE, each.entry() + data, State.ABSENT if value is None else State.WHOLE))
    return found


def event(call: str, args: tuple[int, ...], told: dict, abi: str = "x86_64", phase: str = "before", template: str = "%args", more=()):
    """An event that tells of parts of its arguments, by name."""
    nr, declared = CALLS[abi][call]
    pad = (0,) * (Limit.ARGS - len(declared))
    kinds = (*(KINDS[kind].number for _, kind in declared), *pad)
    held = [each for name, value in told.items() for each in part(abi, call, name, value)]
    return make(*more, *held, template=template.encode(), nr=nr, nargs=len(declared), kinds=kinds, args=args + pad,
                abi=ABIS[abi].number, phase=PHASES[phase])  # fmt: skip


def line(*of, **and_of) -> str:
    return render.line(event(*of, **and_of))


def of(argument: str, told: dict) -> dict:
    return {f"{argument}.{name}": value for name, value in told.items()}


UNIX = {"sa_family": 1, "sun_path": b"/run/x\n"}
INET = {"sa_family": 2, "sin_port": 22, "sin_addr": 0x0A000001}
INET6 = {"sa_family": 10, "sin6_port": 443, "sin6_flowinfo": 0, "sin6_addr": (0x20010DB8 << 96) + 7, "sin6_scope_id": 2}


@pytest.mark.parametrize(("told", "text"), [
    (UNIX, '{sa_family=AF_UNIX, sun_path="/run/x\\n"}'),
    (INET, "{sa_family=AF_INET, sin_port=22, sin_addr=10.0.0.1}"),
    (INET6, "{sa_family=AF_INET6, sin6_port=443, sin6_flowinfo=0, sin6_addr=2001:db8::7, sin6_scope_id=2}"),
    ({"sa_family": 16, "nl_pid": 8, "nl_groups": 1}, "{sa_family=AF_NETLINK, nl_pid=8, nl_groups=1}"),
    ({"sa_family": 17, "sll_protocol": 3, "sll_ifindex": 2}, "{sa_family=AF_PACKET, sll_protocol=ETH_P_ALL, sll_ifindex=2, ...}"),
    ({"sa_family": 2, "sin_port": 22}, "{sa_family=AF_INET, sin_port=22, ...}"),
    (INET | UNIX | {"sa_family": 0}, "{sa_family=AF_UNSPEC, ...}"),
    ({"sa_family": 40}, "{sa_family=AF_VSOCK, ...}"),
    ({"sa_family": 999}, "{sa_family=999, ...}"),
    ({"sin_port": 22}, "0x1000"),
    ({}, "0x1000"),
])  # fmt: skip
def test_socket_addresses(told, text):
    assert line("connect", (3, 0x1000, 16), of("addr", told)) == f"3, {text}, 16"
    assert line("connect", (3, 0x1000, 16), of("addr", told), template="%addr.|%params") == f"{text}.|3, 0x1000, 16"


def test_a_null_pointer():
    assert line("connect", (3, 0, 16), of("addr", {"sa_family": None, "sin_port": None})) == "3, NULL, 16"
    assert line("execve", (0x10, 0, 0), {"argv[0]": None}) == "0x10, NULL, NULL"


@pytest.mark.parametrize("abi", ["x86_64", "i386", "aarch64", "aarch32"])
def test_structures(abi):
    told = of("how", {"flags": 0o101, "mode": 0o644, "resolve": 8})
    text = "{flags=O_WRONLY|O_CREAT, mode=0644, resolve=RESOLVE_BENEATH}"
    assert line("openat2", (2**32 - 100, 0, 0x1000, 24), told, abi) == f"AT_FDCWD, NULL, {text}, 24"
    told = of("uargs", {"flags": 0x100, "exit_signal": 17, "stack": 0, "stack_size": 4096})
    assert line("clone3", (0x1000, 88), told, abi) == "{flags=CLONE_VM, exit_signal=SIGCHLD, stack=0, stack_size=4096, ...}, 88"
    told = of("setting", {"it_interval.tv_sec": 0, "it_interval.tv_nsec": 0, "it_value.tv_sec": 5, "it_value.tv_nsec": 7})
    text = "{it_interval={tv_sec=0, tv_nsec=0}, it_value={tv_sec=5, tv_nsec=7}}"
    assert line("timer_gettime", (1, 0x1000), told, abi, "after") == f"1, {text}"
    del told["setting.it_value.tv_sec"]
    assert line("timer_gettime", (1, 0x1000), told, abi, "after") == f"1, {text.replace('tv_sec=5, tv_nsec=7', 'tv_nsec=7, ...').replace('}}', '}, ...}')}"
    told = of("name", {"sysname": b"Linux", "nodename": b""})
    call = "uname" if abi.endswith("64") else "newuname" if "newuname" in CALLS[abi] else "uname"
    assert line(call, (0x1000,), told, abi, "after") == '{sysname="Linux", nodename="", ...}'


def test_a_pointer_inside_is_followed():
    told = {"msg_name": 0x3000, "msg_namelen": 16, "msg_iovlen": 1, "msg_controllen": 0, "msg_flags": 0}
    rest = "msg_namelen=16, msg_iovlen=1, msg_controllen=0, msg_flags=0, ..."
    assert line("sendmsg", (3, 0x1000, 0), of("msg", told)) == f"3, {{msg_name=0x3000, {rest}}}, 0"
    told |= {f"msg_name.{name}": value for name, value in INET.items()}
    text = "{sa_family=AF_INET, sin_port=22, sin_addr=10.0.0.1}"
    assert line("sendmsg", (3, 0x1000, 0), of("msg", told)) == f"3, {{msg_name={text}, {rest}}}, 0"
    assert line("sendmsg", (3, 0x1000, 0), of("msg", told), abi="i386") == f"3, {{msg_name={text}, {rest}}}, 0"
    assert line("sendmsg", (3, 0x1000, 0), of("msg", {"msg_name": 0x3000}), abi="i386") == "3, {msg_name=0x3000, ...}, 0"


def rows(argument: str, *told: dict) -> dict:
    return {f"{argument}[{at}].{name}": value for at, each in enumerate(told) for name, value in each.items()}


PIECES = rows("vec", *({"iov_base": 0x5000, "iov_len": at} for at in range(Limit.LISTED)))
MANY = ", ".join(f"{{iov_base=0x5000, iov_len={at}}}" for at in range(Limit.LISTED))


@pytest.mark.parametrize(("told", "count", "text"), [
    (PIECES, 0, "[]"),
    (PIECES, 1, "[{iov_base=0x5000, iov_len=0}]"),
    (PIECES, Limit.LISTED, f"[{MANY}]"),
    (PIECES, Limit.LISTED + 1, f"[{MANY}, ...]"),
    (PIECES, (1 << 64) - 1, f"[{MANY}, ...]"),
    (rows("vec", {"iov_base": 0x5000, "iov_len": 3}, {}, {"iov_len": 5}), 3, "[{iov_base=0x5000, iov_len=3}, {...}, {iov_len=5, ...}]"),
    (rows("vec", {"iov_base": 0x5000, "iov_len": 3}), 3, "[{iov_base=0x5000, iov_len=3}, ...]"),
    ({}, 1, "0x1000"),
])  # fmt: skip
def test_arrays_of_structures(told, count, text):
    assert line("writev", (1, 0x1000, count), told, template="%vec") == text


def test_what_else_stands_in_a_row():
    times = rows("utimes", {"tv_sec": 1, "tv_nsec": 2}, {"tv_sec": 3, "tv_nsec": 4})
    assert line("utimensat", (3, 0, 0x1000, 0), times) == "3, NULL, [{tv_sec=1, tv_nsec=2}, {tv_sec=3, tv_nsec=4}], 0"
    asked = rows("ufds", {"fd": 3, "events": 1})
    assert line("poll", (0x1000, 1, 0), asked, "i386") == "[{fd=3, events=POLLIN, ...}], 1, 0"
    assert line("poll", (0x1000, 1, 0), asked | {"ufds[0].revents": 16}, "i386", "after") == "[{fd=3, events=POLLIN, revents=POLLHUP}], 1, 0"
    said = make(*part("x86_64", "writev", "vec[0].iov_len", 3), nr=20, nargs=2, kinds=(11, 9), args=(1, 0x1000), template=b"%args")
    assert render.line(said) == "1, 0x1000", "an event without the count"


def listed(*values: bytes | None) -> dict:
    return {f"argv[{n}]": value for n, value in enumerate(values)}


MOST = ", ".join(['"x"'] * Limit.LISTED)


@pytest.mark.parametrize(("told", "text"), [
    (listed(b"sh", b"-c", b'"x"\n', None), '["sh", "-c", "\\"x\\"\\n"]'),
    (listed(None), "[]"),
    (listed(*[b"x"] * Limit.LISTED, None), "[" + MOST + "]"),
    (listed(*[b"x"] * (Limit.LISTED + 1)), "[" + MOST + ", ...]"),
    (listed(b"a", b"b"), '["a", "b", ...]'),
    ({"argv[1]": b"b"}, "0x2000"),
    ({}, "0x2000"),
])  # fmt: skip
def test_lists(told, text):
    assert line("execve", (0x10, 0x2000, 0x3000), told, template="%argv %envp") == f"{text} 0x3000"


def test_strings_of_a_list_that_could_not_be_read():
    def bad(name: str, state: int) -> bytes:
        return item(Item.SOURCE, members.find("x86_64", "execve", name).readings[0].entry() + b"ab" * (state == State.CUT), state)

    args, last = (0x10, 0x2000, 0x3000), {"argv[2]": None}
    held = [bad("argv[0]", State.CUT), bad("argv[1]", State.FAULT)]
    assert line("execve", args, last, more=held, template="%argv") == '["ab"..., ?]'
    held = [bad(f"argv[{n}]", State.FAULT) for n in range(Limit.LISTED + 1)]
    assert line("execve", args, {}, more=held, template="%argv") == "0x2000", "it is the list that could not be read"


def test_an_event_of_another_time():
    """Fewer arguments than the call has, or more; kinds that nobody knows; a number that is cut short."""
    said = make(item(Item.SOURCE, members.find("x86_64", "connect", "addr.sa_family").readings[0].entry() + b"\2"),
                nr=42, nargs=2, kinds=(99, 9), args=(3, 0x1000), template=b"%args")  # fmt: skip
    assert render.line(said) == "0x3, 0x1000"
    assert render.line(make(item(Item.SOURCE, b"x" * 24), nr=9999, nargs=2, kinds=(5, 9), args=(3, 0x1000), template=b"%args")) == "3, 0x1000"


def test_json():
    said = json.loads(jsonlines.line(event("connect", (3, 0x1000, 16), of("addr", INET), template="%comm")))
    assert said["members"] == {"addr.sa_family": 2, "addr.sin_port": 22, "addr.sin_addr": "10.0.0.1"}
    assert said["words"] == {"addr.sa_family": "AF_INET"} and said["args"][1]["value"] == 0x1000


def arbitrary(abi: str, call: str, argument: str) -> dict:
    """All parts of an argument, numbers being small ones."""
    told = {}
    for at, name in enumerate(pointed.parts(abi, call, argument)):
        member = members.find(abi, call, name)
        told[name] = f"a{at}".encode() if member.form == "text" else at + 1
    return told | {name: 2 for name in told if name.endswith("sa_family")}


@pytest.mark.parametrize("abi", ABIS)
def test_a_line_can_be_tried(abi):
    """What is shown of every argument is taken for the same by `sct_config test --event`."""
    for call in CALLS[abi]:
        names = [name for name, _ in CALLS[abi][call][1]]
        for argument in pointed.arguments(abi, call):
            told = arbitrary(abi, call, argument)
            text = line(call, tuple(4096 if name == argument else Limit.LISTED for name in names), told, abi, "after", f"%{argument}")
            assert text[0] in "[{", text
            before = ["NULL" if kind == "ptr" else '""' if kind == "str" else "0" for _, kind in CALLS[abi][call][1]][: names.index(argument)]
            found, said = described(f"{call}({', '.join([*before, text])}) abi={abi}")
            assert not said, said
            shown = {name for name in told if said_of(name, text)} - {f"argv[{Limit.LISTED}]"}
            assert shown and not shown & found.missing, (call, text)


def said_of(name: str, text: str) -> bool:
    """Of a pointer what it leads to is said, not where that is."""
    path = name.rpartition(".")[2]
    return name.startswith("argv") or f"{path}=" in text and f"{path}={{" not in text
