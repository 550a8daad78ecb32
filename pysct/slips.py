# SPDX-License-Identifier: GPL-2.0-only
"""What did somebody probably mean whose rule does not follow the grammar?"""

from pysct.abi import ACTIONS, KEYS
from pysct.resolved import WHAT
from pysct.tokens import CLOSES, Bracket, Token

OPERANDS = frozenset({"ADDRESS", "NUMBER", "STRING", "NAME", "MEMBER", "RPAR", "RSQB"})
FORMS = {
    "LET": "write `let NAME = expression`",
    "SET": "write `set NAME = { 1, 2, 10..20 }`",
    "INCLUDE": 'write `include "file"`',
}
HEAD_WORDS = frozenset(word.lower() for word in FORMS)
WORDS = {
    **{"and": "&&", "or": "||", "not": "!", "xor": "^", "mod": "%", "has": "&", "between": "in { 10..20 }"},
    **dict.fromkeys(("is", "eq", "equals"), "=="),
    **{"ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="},
    **dict.fromkeys(("like", "matches", "match", "glob", "regex"), "=~"),
    **dict.fromkeys(("starts_with", "begins_with", "beginswith", "starts", "begins"), "startswith"),
    **dict.fromkeys(("ends_with", "ends"), "endswith"),
    **dict.fromkeys(("includes", "contain"), "contains"),
}

# Operators of other languages that are two tokens of ours.
PAIRS = {
    ("LT", "GT"): ("<>", "!="),
    ("EQ", "LT"): ("=<", "<="),
    ("EQ", "GT"): ("=>", ">="),
    ("TILDE", "EQ"): ("~=", "=~"),
    ("NOT", "EQEQ"): ("!==", "!="),
    ("NE", "EQ"): ("!==", "!="),
}
LETTERS = frozenset({"in", "startswith", "endswith", "contains"})
ASSIGNED_KEYS = frozenset(key.name for key in KEYS.values() if key.form == "words")
BRACKETS = frozenset(key.name for key in KEYS.values() if key.form == "block")
MARK, UTF16 = "\ufeff", ("\udcff\udcfe", "\udcfe\udcff")  # of which the last two are no UTF-8
CHARACTERS = {
    **dict.fromkeys("“”„‟‘’´`", 'a string stands in straight double quotes: "/etc/passwd"'),
    "$": "names stand as they are: UID",
    ":": "a key gets its value by `=`, a range is written 10..20",
    "?": "a condition that depends on another one is written by && and ||",
    ".": 'strings are compared by words: pathname startswith "/etc/"',
    "@": "classes of calls stand behind `syscall_name =`",
    "\\": "a backslash stands only in strings",
}


def explain(tokens: list[Token], index: int, expected: set[str]) -> tuple[str, str | None]:
    """Message and hint for the token at `index`, where the grammar wanted one of the terminals `expected`."""
    token = tokens[index] if index < len(tokens) else None
    before = tokens[index - 1] if index else None
    if before is None:
        return "the rule ends too early", None
    if tokens[0].type in FORMS:
        return explain_definition(tokens, index)
    if token is None:
        return "the rule ends too early", None
    if in_expression(tokens, index):
        return explain_operator(tokens, index) or explain_expression(token, before, in_set(tokens, index))
    return explain_block(tokens, index, expected)


def explain_definition(tokens: list[Token], index: int) -> tuple[str, str | None]:
    """The same for let, set and include."""
    head, form = tokens[0].value, FORMS[tokens[0].type]
    token = tokens[index] if index < len(tokens) else None
    shown = f"`{token.value[:32]}`" if token else "the end"
    if head == "include":
        return f"the name of a file in double quotes must follow `include`, not {shown}", form
    if index == 1:
        return f"{shown} cannot be the name of a definition", form
    if index == 2:
        return f"`=` must follow `{tokens[1].value[:32]}`, not {shown}", form
    if head == "set" and not any(before.type == "OPEN" for before in tokens[:index]):
        return f"the elements of a set stand in braces, so that {shown} cannot be here", form
    if head == "set" and token and token.type == "CLOSE" and tokens[index - 1].type == "OPEN":
        return "the set is empty", form
    if token is None:
        return f"something is missing behind `{tokens[-1].value[:32]}`", form
    return explain_operator(tokens, index) or explain_expression(token, tokens[index - 1], in_set(tokens, index))


def called_with(tokens: list[Token], index: int) -> Token | None:
    """The name that stands before the bracket in which a token is; None if there is no such."""
    depth = 0
    for at in range(index - 1, 0, -1):
        depth += (tokens[at].type == "RPAR") - (tokens[at].type == "LPAR")
        if depth < 0:
            return tokens[at - 1] if tokens[at - 1].type == "NAME" else None
    return None


def explain_operator(tokens: list[Token], index: int) -> tuple[str, str | None] | None:
    """The same where somebody wrote an operator as other languages do; None where that is not so."""
    before, token = tokens[index - 1], tokens[index]
    behind = tokens[index + 1] if index + 1 < len(tokens) else None
    for first, second in ((before, token), (token, behind)):
        if second and (first.type, second.type) in PAIRS and first.end == second.start:
            wrong, right = PAIRS[first.type, second.type]
            return f"`{wrong}` is not an operator", f"write `{right}`"
    if token.type == "NAME" and token.value == "not" and behind and behind.type == "IN":
        return "`not in` is not an operator", "write `!(UID in { 0, 1 })`"
    if token.type == "NAME" and token.value.lower() in LETTERS:
        return f"`{token.value}` is not an operator", f"write `{token.value.lower()}`"
    if token.type == "TILDE" and before.type in OPERANDS:
        return "`~` does not compare", "`=~` matches a string with a glob"
    called = called_with(tokens, index)
    if called:
        if called.value == "PARAMS":
            return "PARAMS takes square brackets", "write PARAMS[1] for the first argument"
        if called.value in WHAT:
            example = "pathname" if called.value == "path" else "fd"
            return f"`{called.value}` asks for one argument by its name", f"as in `{called.value}({example})` or `{called.value}(PARAMS[1])`"
        return f"`{called.value[:32]}` is called, and there are no functions", "compare by ==, =~, startswith, …"
    if token.type == "PERCENT" and before.type not in OPERANDS and behind and behind.type == "NAME":
        return "`%` only starts a macro in a log_format", f"write `{behind.value[:32].upper()}`"
    if token.type == "SLASH" and before.type not in OPERANDS:
        return "a string stands in double quotes", f'write "{unquoted(tokens, index)}"'
    return None


def unquoted(tokens: list[Token], index: int) -> str:
    """What was meant to be a path, as far as there are no blanks in it."""
    end = index
    while end + 1 < len(tokens) and tokens[end].end == tokens[end + 1].start and tokens[end + 1].type not in ("CLOSE", "RPAR", "COMMA"):
        end += 1
    said = "".join(token.value for token in tokens[index : end + 1])
    return said if 1 < len(said) < 64 else "/etc/passwd"


def in_expression(tokens: list[Token], index: int) -> bool:
    """Whether a filter_expression is open before the token."""
    opened = []
    for at, token in enumerate(tokens[:index]):
        if token.type == "OPEN":
            before = [t.type for t in tokens[max(at - 2, 0) : at]]
            opened.append("FILTER" in before or "IN" in before)
        elif token.type == "CLOSE":
            opened.pop()
    return bool(opened) and opened[-1]


def in_set(tokens: list[Token], index: int) -> bool:
    """Whether the innermost bracket that is open before the token is that of a set."""
    opened = []
    for at, token in enumerate(tokens[:index]):
        if token.type in ("OPEN", "LPAR", "LSQB"):
            opened.append(token.type == "OPEN" and (tokens[at - 1].type == "IN" or tokens[0].type == "SET"))
        elif token.type in ("CLOSE", "RPAR", "RSQB"):
            opened.pop()
    return bool(opened) and opened[-1]


def explain_expression(token: Token, before: Token, in_set: bool) -> tuple[str, str | None]:
    shown = f"`{token.value[:32]}`"
    complete = before.type in OPERANDS or before.type == "CLOSE"
    if token.type == "EQ":
        return "`=` does not compare", "`==` compares"
    if token.type == "NAME" and token.value.lower() in WORDS:
        return f"{shown} is not an operator", f"write `{WORDS[token.value.lower()]}`"
    if before.type == "NAME" and before.value.lower() in WORDS:
        return f"`{before.value}` is not an operator", f"write `{WORDS[before.value.lower()]}`"
    if token.type == "CLOSE" and before.type == "OPEN" and in_set:
        return "the set is empty", "nothing is in it: write its elements, as in `in { 1, 2, 10..20 }`"
    if token.type == "CLOSE" and before.type == "OPEN":
        return "nothing stands between the brackets", "leave filter_expression out to match every call"
    if token.type == "_SEMI":
        return "`;` cannot stand inside an expression", "join conditions with `&&` or `||`"
    if before.type == "IN":
        return f"a set must follow `in`, not {shown}", "write `in { 1, 2, 10..20 }`, or the name of a set"
    if token.type in ("CLOSE", "RPAR", "RSQB", "COMMA") and not complete:
        hint = "no comma stands behind the last element" if in_set and before.type == "COMMA" and token.type == "CLOSE" else None
        return f"something is missing between `{before.value[:32]}` and {shown}", hint
    if token.type == "OPEN" and before.type in ("EQEQ", "NE"):
        return f"`{before.value}` compares with one", "`in { … }` asks for one of several, `!(UID in { … })` for none of them"
    if token.type == "OPEN":
        return "`{` only follows `in` here", "parentheses group: (UID == 0)"
    if token.type == "COMMA":
        return "`,` only separates the elements of a set", "join conditions with `&&` or `||`"
    if complete and token.type in ("NUMBER", "STRING", "NAME", "LPAR"):
        hint = "elements of a set have commas between them" if in_set else None
        return f"an operator is missing before {shown}", hint
    if token.type == "NOT" and complete:
        return f"{shown} cannot follow `{before.value[:32]}`", "`!` stands before what it turns round: `!(UID in { 0, 1 })`"
    if token.type == "SLASH" and before.type == "ADDRESS":
        return f"{shown} cannot follow `{before.value[:32]}`", "a network is an address and its bits, without blanks: 10.0.0.0/8"
    if complete:
        return f"{shown} cannot follow `{before.value[:32]}`", None
    if token.value in LETTERS:
        return f"`{token.value}` stands between what it compares", f'as in `COMM {token.value} {"{ … }" if token.type == "IN" else chr(34) + "…" + chr(34)}`'
    return f"{shown} cannot stand here: a name, a number or a string must follow `{before.value[:32]}`", None


def explain_block(tokens: list[Token], index: int, expected: set[str]) -> tuple[str, str | None]:
    token, before = tokens[index], tokens[index - 1]
    shown = f"`{token.value[:32]}`"
    earlier = tokens[max(index - 3, 0) : index]
    block = next((t.value for t in earlier if t.type == "NAME" and t.value in BRACKETS), None)
    if block and (earlier[-1].value == block or [t.type for t in earlier] == ["NAME", "EQ", "VALUE"]):
        return f"{block} needs brackets", f"write `{block} {{ … }}`"
    if before.value in ACTIONS and token.value in ("|", "||", "&", "&&", "+"):
        return f"{shown} does not join actions", "write `type = LOG, FAIL`"
    if before.type == "VALUE" and token.value in ("|", "||", "&", "&&", "+"):
        return f"{shown} does not join values", "values have commas between them: unlink, unlinkat"
    if before.type == "VALUE" and token.type == "LPAR":
        return f"`{before.value[:32]}` takes nothing in parentheses", "arguments are asked for in filter_expression { … }"
    if before.type == "EQ":
        return f"a value must follow `=`, not {shown}", None
    if before.type == "COMMA":
        return f"a value must follow the comma, not {shown}", "values have commas between them, keys have blanks or `;`"
    if token.type == "EQEQ":
        return "`==` compares; a key gets its value by `=`", "write `=`"
    if before.value in HEAD_WORDS and before.type == "NAME":
        return f"`{before.value}` cannot stand inside a rule", "definitions and includes stand between rules"
    if before.value in ACTIONS and token.type == "LPAR":
        return f"`{before.value}` takes nothing in parentheses", "write `type = FAIL error_code = EPERM`"
    if before.type == "NAME" and "EQ" in expected:
        name, value = before.value[:32], tokens[index - 2].value[:32]
        if tokens[index - 2].type == "VALUE" and tokens[index - 4].value == "rule_name" and before.value not in ASSIGNED_KEYS:
            return "a rule has one name", f'with a blank in it that stands in quotes: "{value} {name}"'
        if tokens[index - 2].type == "VALUE" and before.value not in ASSIGNED_KEYS:
            message = f"between `{value}` and `{name}` a comma is missing, or behind `{name}` a value"
            return message, f"write `{value}, {name}`, or `{name} = …`"
        return f"`{name}` needs a value, before {shown}", f"write `{name} = …`"
    return f"{shown} does not belong here", None


def explain_between(text: str) -> tuple[str, str]:
    """Message and hint for what starts no item of a file."""
    if text.upper() in FORMS:
        return f"`{text}` stands alone", FORMS[text.upper()]
    if text.lower() == "rule" != text:
        return f"`{text}` starts no rule", "write `rule`, in lower case"
    if text.lower() in ("rule", "rules"):
        return "a rule starts with `rule {` or `rule <`", "its name stands inside: `rule_name = …`"
    return f"expected a rule, not `{text[:32]}`", "a rule starts with `rule {` or `rule <`"


def explain_unclosed(bracket: Bracket, where: str, rest: str) -> tuple[str, str]:
    """Message and hint for a bracket that should have been closed before `where`, behind which `rest` stands."""
    what = bracket.block or bracket.char
    return f"`{what}` is not closed", f"`{CLOSES[bracket.char]}` is missing before {where if rest.strip() else 'the end of the file'}"


def explain_text(text: str, kind: str, start: int, after: int) -> tuple[int, str, str | None]:
    """Where it ends, message and hint for what is no token: see FIRST and LAST in pysct.tokens."""
    if kind == "COMMENT":
        return after, "the comment is not closed", "`*/` is missing"
    if kind == "UNCLOSED":
        end = text.find("\n", start)
        hint = 'a string ends with `"` on the line where it starts; a `"` inside is written `\\"`'
        return len(text) if end < 0 else end, "the string is not closed", hint
    if kind == "QUOTED":
        inside = text[start + 1 : after - 1] if after > start + 1 else "…"
        return after, "a string stands in double quotes", f'write "{inside}"'
    if text[start] == "\0":
        return after, "a NUL byte: this is not a text file", "if an editor wrote it, save it as UTF-8"
    if text[start] == MARK:
        return after, "a byte order mark stands before the text", "save the file as UTF-8 without one"
    if start == 0 and text.startswith(UTF16):
        return after, "this is no text in UTF-8, but probably in UTF-16", "save the file as UTF-8"
    if text[start] > "\x7f" and text[start] not in CHARACTERS:
        hint = "outside of quotes, comments and log_format all is written in ASCII"
        return after, f"`{text[start]}` means nothing here", hint
    if text.startswith("...", start - 2):
        return after, "a range has two dots", "write 10..20"
    return after, f"`{text[start]}` means nothing here", CHARACTERS.get(text[start])
