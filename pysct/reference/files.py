# SPDX-License-Identifier: GPL-2.0-only
"""Of which items does a rule file consist, with those of the files that it includes in their place?"""

import os
from collections.abc import Iterator

from pysct import tree
from pysct.diagnostics import Diagnostics
from pysct.parse import parse
from pysct.source import Source


def items(source: Source, seen: set[str] | None = None) -> Iterator[tree.Rule | tree.Let | tree.Set]:
    """The items in order; a file comes where it is named first, and only there. It is one that the compiler takes."""
    seen = set() if seen is None else seen
    seen.add(os.path.realpath(source.name))
    for item in parse(source, Diagnostics()):
        if not isinstance(item, tree.Include):
            yield item
            continue
        path = os.path.join(os.path.dirname(source.name), os.fsdecode(item.path))
        if os.path.realpath(path) not in seen:
            yield from items(Source.read(path), seen)
