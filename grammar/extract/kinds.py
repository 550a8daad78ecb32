# SPDX-License-Identifier: GPL-2.0-only
"""Of what kind is each argument of each system call? `load(abi)` joins <abi>.tsv with the policy in kinds.toml.

Pure: reads those two data files, nothing else. Kinds: s8 … u64 are integers of that width, `ptr` is an address, `str`
the address of a NUL-terminated string that the call reads, `fd` a file descriptor (a signed 32-bit number).
"""
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "syscalls"
ABIS = ("x86_64", "i386", "x32", "aarch64", "aarch32")
INTEGERS = frozenset({"s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64"})
KINDS = INTEGERS | {"ptr", "str", "fd"}
STRING_TYPE = "const char __user *"


class KindError(ValueError):
    """A data file contradicts the policy; the message names file, line, cause and way out."""


@dataclass(frozen=True)
class Arg:
    """One argument: its name, the same in every ABI; its C type as the kernel declares it; its kind."""
    name: str
    ctype: str
    kind: str


@dataclass(frozen=True)
class Syscall:
    """One system call of one ABI. `entry` is the kernel's function without architecture prefix (sys_newstat);
    sys_ni_syscall means that no supported kernel implements the call, `args` is empty then. `older` are the entries that
    older supported kernels have for it instead. x32 numbers lack bit 30."""
    nr: int
    name: str
    entry: str
    args: tuple[Arg, ...]
    older: tuple[str, ...] = ()


@dataclass(frozen=True)
class Policy:
    """kinds.toml, checked. `words` maps ABI -> {"sword": …, "uword": …}; `renamed` "call.argument" -> the name that rules
    use for it; `decided` "call.argument" -> kind."""
    words: dict[str, dict[str, str]]
    renamed: dict[str, str]
    types: dict[str, str]
    descriptors: frozenset[str]
    decided: dict[str, str]

    def arg(self, abi: str, call: str, ctype: str, name: str) -> Arg:
        """One argument of the table. Raises LookupError like kind()."""
        name = self.renamed.get(f"{call}.{name}", name)
        return Arg(name, ctype, self.kind(abi, call, ctype, name))

    def kind(self, abi: str, call: str, ctype: str, name: str) -> str:
        """The kind of one argument. Raises LookupError with the way out when the policy does not say."""
        if f"{call}.{name}" in self.decided:
            return self.decided[f"{call}.{name}"]
        if ctype == STRING_TYPE:
            raise LookupError(f"{call}.{name} may be a string or not; decide it in an [[argument]] of kinds.toml")
        if "*" in ctype:
            return "ptr"
        plain = ctype.removeprefix("const ")
        if plain not in self.types:
            raise LookupError(f"type '{plain}' of {call}.{name} has no kind; add it to [types] in kinds.toml")
        kind = self.types[plain]
        kind = self.words[abi].get(kind, kind)
        return "fd" if kind in INTEGERS and name in self.descriptors else kind


@cache
def policy(path: Path = DATA / "kinds.toml") -> Policy:
    """The policy file, refused with a KindError when it names an unknown kind or decides an argument twice."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    decided: dict[str, str] = {}
    for group in data["argument"]:
        for arg in group["args"]:
            if arg in decided:
                raise KindError(f"{path}: {arg} is decided twice; keep one")
            decided[arg] = group["kind"]
    words = {abi: data["words"][abi] for abi in ABIS}
    for kind in [*data["types"].values(), *decided.values(), *(k for pair in words.values() for k in pair.values())]:
        if kind not in KINDS | {"sword", "uword"}:
            raise KindError(f"{path}: '{kind}' is no kind; the kinds are {', '.join(sorted(KINDS))}")
    return Policy(words, data["rename"], data["types"], frozenset(data["descriptors"]["names"]), decided)


def parse_args(text: str) -> list[tuple[str, str]]:
    """(C type, name) of each argument in the args column."""
    return [tuple(arg.rsplit(" ", 1)) for arg in text.split("; ")] if text else []


@cache
def load(abi: str) -> tuple[Syscall, ...]:
    """All system calls of `abi` (one of ABIS), sorted by number. Raises KindError naming file and line."""
    path = DATA / f"{abi}.tsv"
    calls = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("#"):
            continue
        cells = (line.split("\t") + ["", ""])[:5]
        try:
            nr, name, entry, args, older = cells
            kinds = tuple(policy().arg(abi, name, ctype, arg) for ctype, arg in parse_args(args))
            calls.append(Syscall(int(nr), name, entry, kinds, tuple(older.split("; ")) if older else ()))
        except (LookupError, ValueError) as error:
            raise KindError(f"{path}:{number}: {error}") from error
    return tuple(calls)
