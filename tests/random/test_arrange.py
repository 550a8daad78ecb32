# SPDX-License-Identifier: GPL-2.0-only
"""Do many rules of a point mean the same, however they share their tests, and is it worth it?"""

from random import Random

import interpreter
import pytest
from rounds import ROUNDS

from pysct import abi, image
from pysct.compiler import compile_sources
from pysct.judge import Call, Judge
from pysct.source import Source

NAMES = ["/", "/a", "/ab", "/abc", "/abd", "/b", "/b/a", "/b/b", "/b/ba", "x", "", "/b/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/b"]
UID, GID = abi.FIELDS["UID"].number, abi.FIELDS["GID"].number


def some_test(chance: Random) -> str:
    """A test of a call of renameat2."""
    name, number = chance.choice(("oldname", "newname")), chance.choice(("UID", "GID", "flags", "olddfd"))
    match chance.randrange(13):
        case 0 | 1 | 2:
            return f'{name} == "{chance.choice(NAMES)}"'
        case 3:
            return f'{name} startswith "{chance.choice(NAMES)}"'
        case 4:
            return f'!({name} in {{ "/a", "{chance.choice(NAMES)}" }})'
        case 5 | 6:
            return f"{number} == {chance.randrange(-2, 9)}"
        case 9 | 10:
            return f'{name} =~ "{chance.choice(NAMES)}{chance.choice(("*", "**", "?", "/*/"))}{chance.choice(NAMES)}"'
        case 11:
            return f'{name} endswith "{chance.choice(NAMES)}"'
        case 12:
            texts = ", ".join(f'"{chance.choice(NAMES)}{at}"' for at in range(chance.choice((2, 30))))
            return f'{name} in {{ {texts}, "{chance.choice(NAMES)}" }}'
        case 7 if chance.random() < 0.5:
            numbers = ", ".join(str(chance.randrange(-20, 40)) for _ in range(30))
            return f"{number} in {{ {numbers} }}"
        case 7:
            return f"{number} in {{ 1, {chance.randrange(5)}..7 }}"
    return f"1 / {number} >= 0"


def rule_set(chance: Random) -> str:
    """Rules that have much in common."""
    common = [some_test(chance) for _ in range(3)]
    likely = chance.choice((0.1, 0.5, 0.95))
    alike = some_test(chance).rsplit(" ", 1)[0] if chance.random() < 0.5 else None
    text = ""
    for at in range(chance.choice((2, 5, 20, 60))):
        tests = [test for test in common if chance.random() < likely] + [
            some_test(chance) for _ in range(chance.randrange(3))
        ]
        if alike and " ==" in alike:
            quoted = "name" in alike
            value = chance.choice(NAMES) if quoted else chance.randrange(-2, 9)
            tests.append(f'{alike} "{value}"' if quoted else f"{alike} {value}")
        chance.shuffle(tests)
        condition = (
            f"filter_expression {{ {chance.choice((' && ', ' && ', ' && ', ' || ')).join(tests)} }}" if tests else ""
        )
        rest = "continue = yes" if chance.random() < 0.5 else ""
        text += (
            f"rule {{ syscall_name = renameat2 abi = x86_64 rule_name = r{at} {condition} action {{ LOG }} {rest} }}\n"
        )
    return text


def call(chance: Random) -> Call:
    strings = {at: chance.choice(NAMES).encode() for at in (1, 3) if chance.random() < 0.85}
    numbers = {field: chance.randrange(9) for field in (UID, GID)}  # what a kernel can have there
    return Call((chance.randrange(-2, 9), 0, 0, 0, chance.randrange(9), 0), numbers, strings)


def compiled(text: str, optimise: bool) -> bytes:
    result = compile_sources([Source("f", text)], optimise=optimise)
    assert result.image, [found.message for found in result.diagnostics if found.severity == "error"]
    return result.image


def test_sharing_changes_nothing():
    chance = Random(7 if ROUNDS == 1 else None)
    matched = unknown = guarded = 0
    for _ in range(30 * ROUNDS):
        text = rule_set(chance)
        plain, arranged = compiled(text, False), compiled(text, True)
        guarded += plain != arranged
        with Judge(plain) as first, Judge(arranged) as second:
            for _ in range(60):
                event = call(chance)
                said = [judge.judge(0, 316, 0, event) for judge in (first, second)]
                assert said[0].matched == said[1].matched, (text, event)
                assert sorted(said[0].unknown) == sorted(said[1].unknown), (text, event)
                matched += len(said[0].matched)
                unknown += len(said[0].unknown)
    assert matched > 500 and unknown > 500 and guarded > 10, "these rules prove little"


def steps(text: str, event: Call) -> tuple[int, int]:
    """What a call takes without and with sharing; the outcome is the same."""
    out = []
    for optimise in (False, True):
        outcome = interpreter.run(image.decode(compiled(text, optimise)), 0, event)
        out.append((outcome.steps, outcome.matched))
    assert out[0][1] == out[1][1]
    return out[0][0], out[1][0]


def chdirs(tests) -> str:
    return "".join(
        f"rule {{ syscall_name = chdir abi=x86_64 rule_name=r{at} filter_expression {{ {test} }} action {{ LOG }} }}\n"
        for at, test in enumerate(tests)
    )


@pytest.mark.parametrize("path", [b"/srv/data/500/x", b"/srv/data/999/x", b"/srv/data", b"/home", b""])
def test_one_of_a_thousand_paths_is_found_without_trying_all(path):
    plain, arranged = steps(chdirs(f'filename == "/srv/data/{at}/x"' for at in range(1000)), Call(strings={0: path}))
    assert arranged < 4000 < plain * 20


@pytest.mark.parametrize("uid", [0, 1, 250, 499, 500, 2**31])
def test_one_of_many_numbers_is_found_by_halving(uid):
    plain, arranged = steps(
        chdirs(f'UID == {at} && filename startswith "/{at}"' for at in range(500)), Call(fields={UID: uid})
    )
    assert arranged < 200 < 500 < plain or uid < 2


def test_what_many_rules_have_in_common_is_tried_once():
    text = chdirs(f'UID == 0 && filename =~ "/{at}*x"' for at in range(100))
    plain, arranged = steps(text, Call(fields={UID: 5}))
    assert arranged < 10 and plain > 400
    shared = image.decode(compiled(text, True)).progs[0]
    assert sum(insn[0] == abi.OPCODES["LDF"].number for insn in shared.insns) == 1


def test_a_string_that_many_rules_ask_for_guards_them():
    plain, arranged = steps(
        chdirs(f'COMM == "ps" && filename =~ "/{at}*x"' for at in range(100)),
        Call(strings={abi.FIELDS["COMM"].number: b"x", 0: b"/"}),
    )
    assert arranged < 100 and plain > 6000


def test_long_common_beginnings_and_many_tests_do_not_nest_without_end():
    assert compiled(chdirs(f'filename == "{"a" * at}"' for at in range(1, 1500)), True)
    assert compiled(chdirs(" && ".join(f"(UID & {2**bit})" for bit in range(at)) for at in range(1, 50)), True)


def test_points_that_are_alike_share_their_code():
    text = "".join(
        f'rule {{ syscall_name = unlink rule_name=r{at} filter_expression {{ pathname == "/{at}" }} action {{ LOG }} }}'
        for at in range(50)
    )
    progs = image.decode(compiled(text, True)).progs
    assert len(progs) == 3 and progs[0].insns == progs[1].insns == progs[2].insns


def test_alternatives_about_one_number_or_string_are_one_set():
    apart = 'UID == 5 || filename == "/a" || 6 == UID || filename in { "/b", "/a" } || UID in { 10..20, 5 } || GID == 0'
    both = 'UID in { 5, 6, 10..20 } || filename in { "/a", "/b" } || GID == 0'
    first, second = (image.decode(compiled(chdirs([condition]), True)).progs[0].insns for condition in (apart, both))
    assert first == second and sum(insn[0] == abi.OPCODES["LDF"].number for insn in first) == 2


@pytest.mark.parametrize("condition", ["8 / UID == 2 || 8 / UID == 4", "8 / UID in { 2, 4 }"])
def test_a_set_of_values_of_something_unknown_is_unknown(condition):
    with Judge(compiled(chdirs([condition]), True)) as judge:
        said = [judge.judge(0, 80, 0, Call(fields={UID: uid})) for uid in (0, 2, 4, 3)]
    assert [(bool(each.matched), bool(each.unknown)) for each in said] == [
        (False, True),
        (True, False),
        (True, False),
        (True, False),
    ]


LOOKED_UP = {  # a test that each of many rules has one of, and the most steps for a call that none of 2000 matches
    "UID == {}": 100,
    'filename == "/srv/data/{}"': 3000,
    'filename startswith "/srv/data/{}/"': 3000,
    'filename endswith "/{}.key"': 1000,
    'filename =~ "/srv/{}/*"': 60_000,
    'filename =~ "/srv/**/{}.key"': 1000,
    'filename =~ "/srv/*/{}.key"': 1000,
}


@pytest.mark.parametrize("test", LOOKED_UP)
def test_many_rules_cost_about_what_one_costs(test):
    made = image.decode(compiled(chdirs(test.format(at) for at in range(2000)), True))
    calls = [Call(fields={UID: 5000}, strings={0: path}) for path in (b"/srv/data/500x", b"/x", b"/srv/501/a/y", b"/srv/a/7001.kex")]
    assert max(interpreter.run(made, 0, call).steps for call in calls) < LOOKED_UP[test]
    assert made.progs[0].cost < 10 * abi.Limit.GLANCE
    unknown = interpreter.run(made, 0, Call(fields={UID: 5000}))
    assert unknown.steps < 3000 and len(unknown.unknown) == (0 if "UID" in test else 2000)


@pytest.mark.parametrize("number", [False, True])
def test_a_large_set_is_looked_up(number):
    elements = ", ".join(str(3 * at) if number else f'"/srv/data/{at}"' for at in range(5000))
    with Judge(compiled(chdirs([f"{'UID' if number else 'filename'} in {{ {elements} }}"]), True)) as judge:
        for value in (-1, 0, 1, 2, 3, 4999, 5000, 14997, 14998):
            event = Call(fields={UID: value}, strings={0: b"/srv/data/%d" % value})
            inside = 0 <= value < 15000 and value % 3 == 0 if number else 0 <= value < 5000
            assert bool(judge.judge(0, 80, 0, event).matched) == inside, value
        assert bool(judge.judge(0, 80, 0, Call()).unknown) == (not number)
    made = image.decode(compiled(chdirs([f"{'UID' if number else 'filename'} in {{ {elements} }}"]), True))
    assert made.progs[0].cost < (100 if number else 5000)


def test_rules_that_ask_for_less_keep_their_place():
    """A beginning of another's beginning is tried in file order."""
    beginnings = ["/a/b/c/d", "/a/b", "/a/b/c", "/a/b/x", "/a", "/a/b/c/d", *[f"/a/b/{at}/" for at in range(40)], "/a/b/"]
    with Judge(compiled(chdirs(f'filename startswith "{text}"' for text in beginnings), True)) as judge:
        for path in ("/a/b/c/d/e", "/a/b/c", "/a/b/x", "/a/b/3/", "/a/b/zzz", "/a/x", "/b", "/a/b/39/x", "/a"):
            expected = next(((at,) for at, text in enumerate(beginnings) if path.startswith(text)), ())
            assert judge.judge(0, 80, 0, Call(strings={0: path.encode()})).matched == expected, path
