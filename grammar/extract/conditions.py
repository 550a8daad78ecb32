# SPDX-License-Identifier: GPL-2.0-only
"""Which lines of a kernel C file survive the preprocessor for a given set of symbols?

Only the conditionals are followed, no macro is expanded and no header is read. A `CONFIG_` or `__ARCH_WANT_` symbol
that is not listed counts as defined (we want what the fullest kernel offers), any other unknown symbol as undefined.
"""
import re

_DIRECTIVE = re.compile(r"^[ \t]*#[ \t]*(ifdef|ifndef|if|elif|else|endif)\b(.*)$")
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
_DEFINED = re.compile(r"\b(?:defined|IS_ENABLED|IS_BUILTIN|IS_REACHABLE)\s*(?:\(\s*(\w+)\s*\)|(\w+))")


def blank_comments(text: str) -> str:
    """The text without comments; line numbers stay what they were."""
    return _COMMENT.sub(lambda match: "\n" * match.group().count("\n") or " ", text)


def is_defined(symbol: str, symbols: dict[str, int | None]) -> bool:
    """Whether `symbol` counts as defined; a listed value of None means "known to be undefined"."""
    if symbol in symbols:
        return symbols[symbol] is not None
    return symbol.startswith(("CONFIG_", "__ARCH_WANT_"))


def holds(expression: str, symbols: dict[str, int | None]) -> bool:
    """The truth of an `#if` expression. One that cannot be evaluated counts as true: better a definition too many,
    which the caller reports as a conflict, than a system call without arguments."""
    text = _DEFINED.sub(lambda m: str(int(is_defined(m.group(1) or m.group(2), symbols))), expression)
    text = re.sub(r"\b[A-Za-z_]\w*\b", lambda m: str(symbols.get(m.group()) or 0), text)
    if re.search(r"\d\s*\(", text):  # a macro call such as GCC_VERSION_AT_LEAST(…)
        return True
    text = text.replace("&&", " and ").replace("||", " or ")
    text = re.sub(r"!(?!=)", " not ", text)
    try:
        return bool(eval(text, {"__builtins__": {}}))  # only digits, operators and parentheses are left
    except (SyntaxError, TypeError, NameError, ZeroDivisionError):
        return True


def live_text(text: str, symbols: dict[str, int | None]) -> str:
    """The text with comments, directives and every line of a branch that is not taken blanked."""
    lines = blank_comments(text).split("\n")
    out = []
    stack = []  # per open #if: [live now, some branch was taken]
    skip = False
    for number, line in enumerate(lines):
        if skip:  # the rest of a continued directive
            skip = line.endswith("\\")
            out.append("")
            continue
        match = _DIRECTIVE.match(line)
        if match:
            body = match.group(2)
            while body.endswith("\\") and number + 1 < len(lines):
                number += 1
                body = body[:-1] + lines[number]
            _follow(match.group(1), body.strip(), stack, symbols)
        if line.lstrip().startswith("#"):
            skip = line.endswith("\\")
            out.append("")
        else:
            out.append(line if all(level[0] for level in stack) else "")
    return "\n".join(out)


def _follow(word: str, body: str, stack: list, symbols: dict) -> None:
    """Apply one conditional directive to the stack."""
    if word in ("if", "ifdef", "ifndef"):
        if word == "if":
            live = holds(body, symbols)
        else:
            live = is_defined(body.split()[0], symbols) == (word == "ifdef")
        stack.append([live, live])
    elif word == "endif" and stack:
        stack.pop()
    elif word in ("elif", "else") and stack:
        taken = stack[-1][1]
        live = not taken and (word == "else" or holds(body, symbols))
        stack[-1] = [live, taken or live]
