# SPDX-License-Identifier: GPL-2.0-only
"""How do rule files become an image, with everything that is to be said about them?"""

import errno
import os
from collections.abc import Iterable

from pysct import abi, diagnostics, release, values
from pysct.cli import report
from pysct.compiler import Result, compile_sources
from pysct.failures import Failure
from pysct.source import Source


HINTS = {
    errno.EISDIR: "name the files of rules in it",
    errno.EACCES: "whoever runs this must be able to read the file: be root, or see `ls -l`",
}


def read(paths: Iterable[str]) -> list[Source]:
    """The rule files' text; raises Failure where one cannot be read, or does not end."""
    sources = []
    for path in paths:
        try:
            with open(path, "rb") as file:
                sources.append(Source(path, file.read(abi.Limit.IMAGE + 1)))
        except OSError as error:
            raise Failure(f"{shown(path)}: {error.strerror}", HINTS.get(error.errno, "")) from error
        if len(sources[-1].data) > abi.Limit.IMAGE:
            message = f"{shown(path)} has more than {abi.Limit.IMAGE} bytes, the limit of an image with its text"
            raise Failure(message, "is it a file of rules?")
    return sources


def compile_all(sources: list[Source], warnings: bool = True, kernel: release.Kernel | None = None) -> Result:
    """Compiles the sources as one rule set, and prints errors and, if they are wanted, warnings.

    kernel: the one that they are for; by default the one that runs here.
    """
    result = compile_sources(sources, kernel=kernel or release.running())
    for diagnostic in result.diagnostics:
        if warnings or diagnostic.severity == "error":
            report.note(diagnostics.format_text(diagnostic))
    return result


def image_of(sources: list[Source], warnings: bool = True, kernel: release.Kernel | None = None) -> bytes:
    """The sources' image; raises Failure, after the errors were printed, if there are any."""
    return sound(sources, warnings, kernel).image


def sound(sources: list[Source], warnings: bool = True, kernel: release.Kernel | None = None) -> Result:
    """The compiled sources; raises Failure, after the errors were printed, if there are any."""
    result = compile_all(sources, warnings, kernel)
    if result.image is None:
        errors = sum(diagnostic.severity == "error" for diagnostic in result.diagnostics)
        raise Failure("1 error in the rules" if errors == 1 else f"{errors} errors in the rules")
    return result


def image_of_files(paths: list[str], warnings: bool = True) -> bytes:
    """The files' image; a file that sct_config compile wrote is one already."""
    sources = read(paths)
    return sources[0].data if len(sources) == 1 and is_image(sources[0].data) else image_of(sources, warnings)


def is_image(data: bytes) -> bool:
    """Whether these bytes say that they are an image."""
    return data.startswith(abi.MAGIC.to_bytes(4, "little"))


def empty_image() -> bytes:
    """An image without rules."""
    return compile_sources([]).image


def shown(path: str) -> str:
    """A file's name as it can be printed."""
    return path if path.isprintable() else values.escape(os.fsencode(path))
