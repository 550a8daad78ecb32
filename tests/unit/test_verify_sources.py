# SPDX-License-Identifier: GPL-2.0-only
"""Is a source that could not be read as it says refused?"""

import pytest
from parts import FLAG, Parts, change, insn, prog, source

from pysct import abi
from pysct.abi import Limit
from pysct.judge import verify



def path(what: str = "PATH", **others) -> abi.SourceStruct:
    """Where argument 0 leads, unless it says another."""
    made = abi.SourceStruct(what=getattr(abi.Source, what), limit=Limit.STRING)
    return change(made, **others)


SOURCE = {
    "nothing that there is": change(source(), what=8),
    "no way of finding": change(source(), what=0),
    "an argument that is not there": source(arg=5),
    "an argument that is a number": source(arg=1),
    "an argument that is a string": source(arg=0),
    "a number of no kind": change(source(), kind=0),
    "a number of an unknown kind": change(source(), kind=99),
    "a number that is a string": source(kind="str"),
    "a number with a limit": source(limit=1),
    "a text with a kind": source("CHARS", kind="u8"),
    "a text without a limit": source("CHARS", limit=0),
    "a text that is too long": source("UNIX", limit=Limit.STRING + 1),
    "a text in network byte order": source("UNIX", flags=FLAG.BIG),
    "a text that extends": source("CHARS", flags=FLAG.EXTENDS, size=2),
    "data without a size": source("DATA"),
    "data without a limit": source("DATA", limit=0, size=2),
    "data that is too long": source("DATA", limit=Limit.DATA + 1, size=2),
    "data with a kind": source("DATA", kind="u8", size=2),
    "data further on": source("DATA", size=2, offset=1),
    "data of a family": source("DATA", size=2, family=2),
    "data in network byte order": source("DATA", size=2, flags=FLAG.BIG),
    "data that extends": source("DATA", size=2, flags=FLAG.EXTENDS),
    "data behind a pointer": source("DATA", size=2, flags=FLAG.VIA),
    "data whose size stands somewhere": source("DATA", size=3, flags=FLAG.SIZE_AT),
    "data that comes after, before": source("DATA", size=2, flags=FLAG.AFTER),
    "an element without a limit": source("ELEMENT", limit=0),
    "an element that is too long": source("ELEMENT", limit=Limit.STRING + 1),
    "an element too far back": source("ELEMENT", offset=Limit.ELEMENTS),
    "an element with a kind": source("ELEMENT", kind="u8"),
    "an element of a size": source("ELEMENT", size=2),
    "an element of a family": source("ELEMENT", family=2),
    "an element behind a pointer": source("ELEMENT", flags=FLAG.VIA),
    "an element in network byte order": source("ELEMENT", flags=FLAG.BIG),
    "an unknown flag": source(flags=0x80),
    "elements of no size": source(each=16),
    "elements of a size that stands somewhere": source(each=16, size=3, flags=FLAG.SIZE_AT),
    "elements that extend": source(each=16, size=2, flags=FLAG.EXTENDS),
    "elements of a family": source(each=16, size=2, family=2),
    "elements of a text": source("CHARS", each=16, size=2),
    "elements of data": source("DATA", each=16, size=2),
    "elements of a list": source("ELEMENT", each=16),
    "elements of a path": path(each=16),
    "elements of a descriptor": path("DESCRIPTOR", arg=1, each=16),
    "elements behind a pointer, which nobody counts": source(each=16, flags=FLAG.VIA),
    "elements behind a pointer, which an argument counts": source(each=16, size=2, flags=FLAG.VIA | FLAG.VIA_SIZE),
    "a number across two elements": source(kind="u64", each=16, size=2, offset=25),
    "a number larger than an element": source(kind="u64", each=7, size=2),
    "what comes after, before": source(flags=FLAG.AFTER),
    "a size that is not there": source(size=6),
    "a size that is an address": source(size=3),
    "a size that is a string": source(size=1),
    "the address of a size that is a number": source(size=2, flags=FLAG.SIZE_AT),
    "the address of no size": source(flags=FLAG.SIZE_AT),
    "what extends no size": source(flags=FLAG.EXTENDS),
    "what extends behind a pointer": source(flags=FLAG.EXTENDS | FLAG.VIA, size=2),
    "another family alone": source(other=2),
    "an offset that is too large": source(offset=Limit.OFFSET),
    "a pointer that is too far away": source(flags=FLAG.VIA, via=Limit.OFFSET),
    "a size that is too far away": source(flags=FLAG.VIA | FLAG.VIA_SIZE, via_size=Limit.OFFSET),
    "a pointer that is not followed": source(via=8),
    "a size of what is not followed": source(flags=FLAG.VIA_SIZE),
    "a size that is not asked for": source(flags=FLAG.VIA, via_size=4),
    "a path that is an address": path(arg=2),
    "a path that is a number": path(arg=1),
    "a path of no argument": path(arg=5),
    "a path that is cut": path(limit=Limit.STRING - 1),
    "a path from a string": path(size=1),
    "a path from an address": path(size=3),
    "a path from no argument": path(size=6),
    "a path with flags of no argument": path(other=1, family=6),
    "a path with flags, for the link itself": path(family=2),
    "a path with bits of no flags": path(other=1, offset=1),
    "a path with bits of no flags together": path(other=1, via=1),
    "a path with flags that are an address, of no size": path(other=1, family=3),
    "a path with flags in a number": path(other=1, family=2, via_size=4),
    "a path with flags in a string": path(other=1, family=1, via_size=4),
    "a path with flags in no argument": path(other=1, family=6, via_size=4),
    "a path with flags of a size that is an address": path(other=1, family=3, via_size=5),
    "a path with flags of a size that is not there": path(other=1, family=3, via_size=6),
    "a path with flags of a size far away": path(other=1, family=3, via_size=2**32 - 1),
    "a path with a size of no flags": path(other=1, via_size=4),
    "a path with flags that lie somewhere, for the link itself": path(family=3, via_size=4),
    "a path to who knows what": path(other=3),
    "a path with a kind": path(kind=1),
    "a path after the call": path(flags=FLAG.AFTER),
    "a descriptor that is a string": path("DESCRIPTOR", arg=0),
    "a descriptor that is an address": path("DESCRIPTOR", arg=2),
    "a descriptor from a descriptor": path("DESCRIPTOR", arg=1, size=2),
    "a descriptor with flags": path("DESCRIPTOR", arg=1, family=2),
    "a descriptor after the call": path("DESCRIPTOR", arg=1, flags=FLAG.AFTER),
    "the result before the call": path("DESCRIPTOR", arg=Limit.ARGS, flags=FLAG.AFTER),
    "the result without saying when": path("DESCRIPTOR", arg=Limit.ARGS),
    "a path that is the result": path(arg=Limit.ARGS, flags=FLAG.AFTER),
    "memory behind the result": source(arg=Limit.ARGS),
    "a descriptor with a size": path("DESCRIPTOR", arg=1, via_size=4),
    "a descriptor that is followed": path("DESCRIPTOR", arg=1, other=1),
}
KINDS_OF_SOURCES = ("str", "s32", "ptr", "u64", "ptr")
WRONG = {
    what: ("SOURCE", Parts(progs=[prog(3, KINDS_OF_SOURCES, sources=2)], sources=[source(), broken]), 1, 0)
    for what, broken in SOURCE.items()
}  # fmt: skip
WRONG |= {
    "a gap between sources": ("PROG", Parts(progs=[prog(3, KINDS_OF_SOURCES, source=1)], sources=[source()]), 0, 0),
    "sources of no program": ("SOURCE", Parts(progs=[prog(3, KINDS_OF_SOURCES, sources=1)], sources=[source()] * 2), 1, 2),
    "more sources than there are": ("PROG", Parts(progs=[prog(3, KINDS_OF_SOURCES, sources=2)], sources=[source()]), 0, 0),
    "2^32 - 1 sources": ("PROG", Parts(progs=[prog(3, KINDS_OF_SOURCES, sources=2**32 - 1)], sources=[source()]), 0, 0),
    "65 sources": (
        "PROG", Parts(progs=[prog(3, KINDS_OF_SOURCES, sources=Limit.PROG_SOURCES + 1)], sources=[source()] * 65), 0, 0),
}  # fmt: skip

OPERAND = {
    "SEQ of a source that is a number": insn("SEQ", a=abi.SOURCE_OPERAND),
    "SEQS and a source that is not there": insn("SEQS", b=abi.SOURCE_OPERAND + 2),
    "LDS of a source that is a text": insn("LDS", imm=1),
    "LDS of a source that is not there": insn("LDS", imm=2),
    "LDS of source -1": insn("LDS", imm=-1),
    "LDS with an operand": insn("LDS", a=1),
    "LDS with a second operand": insn("LDS", b=1),
    "LDS to register 16": insn("LDS", 16),
}
WRONG |= {
    what: (
        "OPERAND",
        Parts([insn("LDI", 0), broken, insn("RET")], [prog(3, KINDS_OF_SOURCES, sources=2)], sources=[source(), source("CHARS")]),
        1,
        broken[0],
    )
    for what, broken in OPERAND.items()
}


@pytest.mark.parametrize("what", WRONG)
def test_it_is_found_and_named(what):
    name, parts, index, value = WRONG[what]
    error = verify(parts.bytes())
    assert error is not None, "it was accepted"
    assert (abi.ERRORS[error.code].name, error.index, error.value) == (name, index, value)


def test_as_many_as_there_may_be():
    sources = [source(offset=Limit.OFFSET - 1)] * Limit.PROG_SOURCES
    assert verify(Parts(progs=[prog(3, KINDS_OF_SOURCES, sources=len(sources))], sources=sources).bytes()) is None
