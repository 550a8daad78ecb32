# SPDX-License-Identifier: GPL-2.0-only
"""Is the house in order: sizes, arrows between the parts, generated files, what is where?"""

import ast
import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import gen
import pytest

TREE = Path(__file__).resolve().parents[2]
SPEC = tomllib.loads((TREE / "grammar/spec.toml").read_text())

GENERATED = set(gen.OUTPUTS)
PROGRAM_TEXT = {".py", ".c", ".h", ".S", ".sh", ".toml", ".lark", ".j2"}
NO_LICENCE_LINE = ("grammar/templates/reference.md.j2",)
DEVICE = {"pysct.device", "pysct.control", "pysct.modules", "pysct.processes"}
COMPILER = ("pysct.compiler", "pysct.disassemble", "pysct.image", "pysct.judge")
LOG = ("pysct.events", "pysct.render", "pysct.jsonlines")
PARSER = {"lark", "pysct.parse", "pysct.lexer", "pysct.syntax", "pysct.compiler"}
PRINTS = {"pysct/cli/report.py"}


@cache
def tracked() -> tuple[str, ...]:
    """Files of the tree, as git has them; without git, those that are there."""
    done = subprocess.run(["git", "-C", str(TREE), "ls-files"], capture_output=True, text=True)
    if done.returncode:
        pytest.skip("this is no git tree")
    return tuple(name for name in done.stdout.splitlines() if (TREE / name).is_file())


def having(*suffixes: str, under: str = "") -> list[str]:
    """Tracked files by suffix."""
    return [name for name in tracked() if name.endswith(suffixes) and name.startswith(under)]


def text(name: str) -> str:
    return (TREE / name).read_text(errors="replace")


def lines_with(pattern: str, names) -> list[str]:
    """`file:line: text` of the lines that a pattern is found in."""
    found = re.compile(pattern)
    return [f"{name}:{at}: {line}" for name in names for at, line in enumerate(text(name).splitlines(), 1) if found.search(line)]


def test_no_condition_of_the_preprocessor_outside_headers():
    names = [*having(".c", ".S", under="kmod/"), *having(".c", under="pysct/")]
    assert lines_with(r"^\s*#\s*(if|ifdef|ifndef|elif|else)\b", names) == []


def test_kernel_versions_are_known_in_one_place():
    others = [name for name in having(".c", ".h", ".S", under="kmod/") if name != "kmod/compat.h"]
    assert lines_with(r"\b(KERNEL_VERSION|LINUX_VERSION_CODE|UTS_RELEASE)\b", others) == []


def test_mechanism_knows_nothing_of_policy():
    mechanism = [name for name in having(".c", ".h", ".S", under="kmod/") if name.startswith(("kmod/hijack/", "kmod/sct_hijack"))]
    assert len(mechanism) > 5
    assert lines_with(r'#\s*include.*(rules/|"program\.h|"pure\.h|opcodes\.h)', mechanism) == []


def test_the_pure_core_includes_only_what_is_pure():
    for name in ("kmod/rules/verify.c", "kmod/rules/flow.c", "kmod/rules/judge.c", "kmod/rules/glob.c"):
        assert lines_with(r"#\s*include", [name]) == [f'{name}:{at}: #include "program.h"' for at in included(name)]


def included(name: str) -> list[int]:
    return [at for at, line in enumerate(text(name).splitlines(), 1) if '#include "program.h"' in line]


@cache
def nodes(name: str) -> tuple[ast.AST, ...]:
    """All that a Python file is made of."""
    return tuple(ast.walk(ast.parse(text(name))))


@cache
def imports(module: str) -> frozenset[str]:
    """What a module of ours imports, wherever in it; packages by their modules."""
    name = module.replace(".", "/")
    found = set()
    for node in nodes(f"{name}.py" if (TREE / f"{name}.py").exists() else f"{name}/__init__.py"):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    return frozenset(name for name in found if not name.startswith("pysct") or is_module(name))


def is_module(name: str) -> bool:
    path = TREE / name.replace(".", "/")
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def reached(module: str) -> set[str]:
    """A module and all that it needs."""
    seen, todo = set(), [module]
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += imports(name) if name.split(".")[0] == "pysct" else ()
    return seen


@pytest.mark.parametrize("module", COMPILER)
def test_compiling_needs_no_device(module):
    assert not reached(module) & (DEVICE | {"pyudev", "fcntl"})


@pytest.mark.parametrize("module", LOG)
def test_reading_the_log_needs_no_parser(module):
    assert not reached(module) & PARSER


def test_arrows_are_seen():
    assert "pysct.device" in reached("pysct.control") and "lark" in reached("pysct.compiler")


def test_one_place_prints():
    found = []
    for name in having(".py", under="pysct/"):
        for node in nodes(name) if name not in PRINTS else ():
            call = isinstance(node, ast.Call) and ast.unparse(node.func)
            if call and re.fullmatch(r"(rich\.)?print|sys\.(stdout|stderr)(\.buffer)?\.write(lines)?", call):
                found.append(f"{name}:{node.lineno}: {call}")
    assert found == []


def test_every_file_names_its_licence():
    names = [n for n in tracked() if Path(n).suffix in PROGRAM_TEXT or Path(n).name in ("Makefile", "Kbuild")]
    lacking = [n for n in names if "SPDX-License-Identifier: GPL-2.0-only" not in "".join(text(n).splitlines(True)[:3])]
    assert [n for n in lacking if not n.startswith(NO_LICENCE_LINE)] == []


@pytest.mark.parametrize("suffixes, most", [((".c", ".h", ".S"), 500), ((".py",), 300)])
def test_files_are_small(suffixes, most):
    large = {name: size for name in having(*suffixes) if (size := len(text(name).splitlines())) > most}
    assert {name: size for name, size in large.items() if name not in GENERATED} == {}


def test_generated_files_say_so_and_are_fresh():
    for name in GENERATED:
        assert "Generated by grammar/gen.py" in "".join(text(name).splitlines(True)[:3]), name
    assert list(gen.stale_files()) == [], "run `make gen`"


def test_the_shell_understands_what_make_says():
    """Some targets are for the patient, and seldom made."""
    targets = set(re.search(r"^\.PHONY: (.*)$", text("Makefile"), re.M)[1].split()) - {"clean"}  # it asks another Makefile
    done = subprocess.run(["make", "-n", *targets], cwd=TREE, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert subprocess.run(["sh", "-n"], input=done.stdout, capture_output=True, text=True).stderr == ""


def test_no_path_of_a_machine():
    names = [name for name in tracked() if name != "tests/unit/test_house_rules.py"]
    assert lines_with(r"(?<![\w.$}~-])/(work|root|home/\w+)/", names) == []


@cache
def words() -> set[str]:
    """All words of tests and examples, this file left out."""
    names = [name for name in tracked() if name.startswith(("tests/", "examples/")) and name != "tests/unit/test_house_rules.py"]
    return set(re.findall(r"\w+", "\n".join(map(text, names))))


@pytest.mark.parametrize("what", ["opcode", "kind"])
def test_everything_that_is_specified_is_tried(what):
    """What users write is looked for in test_every_element.py."""
    assert [entry["name"] for entry in SPEC[what] if entry["name"] not in words()] == []


def test_the_reference_shares_nothing_behind_the_parser():
    compiler = {f"pysct.{name}" for name in ("check", "glob", "paths", "names", "lower", "fold", "ir", "simplify", "plain", "codegen", "image")}
    assert not reached("pysct.reference") & compiler
    assert "pysct.reference.globs" in reached("pysct.reference") and compiler <= reached("pysct.compiler")
