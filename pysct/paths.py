# SPDX-License-Identifier: GPL-2.0-only
"""Which strings of a call are paths?

Those that grammar/syscalls/families.toml lists: in them a glob's `*` does not
match a `/`, and what they are compared with had better start with one.
"""

from pysct.abi import FIELDS
from pysct.tables import ABSOLUTE, NO_PATHS, PATHS


def argument_is_path(call: str, name: str, kind: str) -> bool:
    """Whether an argument of a call is one."""
    return kind == "str" and name in PATHS and name not in NO_PATHS.get(call, ())


def field_is_path(name: str) -> bool:
    """Whether a field is one; those start with a / always."""
    return (name.partition(".")[2] if name in FIELDS and FIELDS[name].subject else name) in ABSOLUTE
