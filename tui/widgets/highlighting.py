"""Code to lines in the theme's own colours, by pygments; the lexers are loaded when the first code is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pygments.token import Token, _TokenType  # type: ignore[import-untyped]
from textual.content import Content

_TOKEN_STYLES: dict[_TokenType, str] = {
    Token.Comment: "italic $code-comment",
    Token.Keyword: "$code-keyword",
    Token.Keyword.Constant: "$code-number",
    Token.Operator.Word: "$code-keyword",
    Token.Literal.String: "$code-string",
    Token.Literal.Number: "$code-number",
    Token.Name.Function: "$code-name",
    Token.Name.Class: "bold $code-type",
    Token.Name.Decorator: "$code-type",
    Token.Name.Builtin: "$code-type",
    Token.Name.Tag: "$code-name",
    Token.Name.Attribute: "$code-type",
    Token.Generic.Heading: "bold $code-name",
    Token.Generic.Subheading: "$code-name",
    Token.Generic.Strong: "bold",
    Token.Generic.Emph: "italic",
}
_DIFF_STYLES = (
    ("+++", "bold $muted"),
    ("---", "bold $muted"),
    ("diff ", "bold"),
    ("index ", "$muted"),
    ("@@", "$diff-hunk"),
    ("+", "$diff-add on $diff-add-background"),
    ("-", "$diff-del on $diff-del-background"),
)


def lexer_for(language: str, path: str = "") -> Any | None:
    """The lexer of a language by its pygments name, or by a file's name where the language is `text`; None: none."""
    from pygments.lexers import get_lexer_by_name, get_lexer_for_filename  # type: ignore[import-untyped]
    from pygments.util import ClassNotFound  # type: ignore[import-untyped]

    try:
        if language != "text":
            return get_lexer_by_name(language, stripnl=False, ensurenl=False)
        return get_lexer_for_filename(path, stripnl=False, ensurenl=False) if path else None
    except ClassNotFound:
        return None


def highlighted(lines: Sequence[str], lexer: Any) -> list[Content]:
    """The lines in colour, as many as there are."""
    return coloured(lines, lexer)[0]


def coloured(lines: Sequence[str], lexer: Any) -> tuple[list[Content], int]:
    """The lines in colour, and the last of them that begins outside of any string or comment: what comes after it can
    be coloured without what comes before."""
    parts: list[list[tuple[str, str]]] = [[]]
    outside = 0
    for kind, value in lexer.get_tokens("\n".join(lines)):
        style = _style(kind)
        first, *rest = value.split("\n")
        parts[-1].append((first, style))
        parts.extend([(part, style)] for part in rest)
        if rest and kind not in Token.Literal.String and kind not in Token.Comment:
            outside = min(len(parts), len(lines)) - 1
    found = [Content.assemble(*(part for part in line if part[0])) for line in parts[: len(lines)]]
    return found + [Content("")] * (len(lines) - len(found)), outside


def diff_line(line: str) -> Content:
    """A line of a unified diff."""
    for prefix, style in _DIFF_STYLES:
        if line.startswith(prefix):
            return Content.styled(line, style)
    return Content(line)


def _style(kind: _TokenType) -> str:
    while kind is not None and kind not in _TOKEN_STYLES:
        kind = kind.parent
    return _TOKEN_STYLES.get(kind, "")
