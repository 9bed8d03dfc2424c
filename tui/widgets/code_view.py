"""Code, JSON, diffs and plain output, highlighted line by line in the theme's own colours.

Only so much is read and coloured as a person could look at; the rest is counted in a last line.
"""

from __future__ import annotations

import json

from pygments.lexer import Lexer  # type: ignore[import-untyped]
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename  # type: ignore[import-untyped]
from pygments.token import Token, _TokenType  # type: ignore[import-untyped]
from pygments.util import ClassNotFound  # type: ignore[import-untyped]
from textual.content import Content

from tui.safe import safe_text
from tui.widgets.line_list import LineList
from tui.widgets.wrapping import line_count, wrap

MAX_LINES = 20_000
MAX_COLUMNS = 4_000
MAX_COLOURED = 400_000
"""Characters; longer text is shown without colours."""

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

Language = str
"""A pygments name, or `diff`, `json`, `text`."""


def code_lines(text: str, language: Language = "text", *, path: str = "") -> list[Content]:
    """`text` as styled lines, safe to paint and capped. `path` names the language where `language` is plain text."""
    if language == "json":
        text = _pretty_json(text)
    shown, left_out = _capped(text)
    if language == "diff":
        lines = [_diff_line(line) for line in shown]
    else:
        lexer = _lexer(language, path)
        lines = [Content(line) for line in shown] if lexer is None else _highlighted(shown, lexer)
    if left_out:
        lines.append(Content.styled(f"… {left_out:,} more lines", "$muted"))
    return lines


def _pretty_json(text: str) -> str:
    if len(text) > MAX_COLOURED:
        return text
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def _capped(text: str) -> tuple[list[str], int]:
    """Safe lines without tabs, none too long, and how many were left out."""
    head = text.removesuffix("\n").split("\n", MAX_LINES)
    left_out = head.pop().count("\n") + 1 if len(head) > MAX_LINES else 0
    return [_short(line) for line in head], left_out


def _short(line: str) -> str:
    safe = safe_text(line[: MAX_COLUMNS + 1].removesuffix("\r")).expandtabs(4)
    return safe if len(line) <= MAX_COLUMNS else f"{safe[:MAX_COLUMNS]} … {len(line) - MAX_COLUMNS:,} more characters"


def _diff_line(line: str) -> Content:
    for prefix, style in _DIFF_STYLES:
        if line.startswith(prefix):
            return Content.styled(line, style)
    return Content(line)


def _lexer(language: str, path: str) -> Lexer | None:
    try:
        if language != "text":
            return get_lexer_by_name(language, stripnl=False, ensurenl=False)
        return get_lexer_for_filename(path, stripnl=False, ensurenl=False) if path else None
    except ClassNotFound:
        return None


def _highlighted(lines: list[str], lexer: Lexer) -> list[Content]:
    text = "\n".join(lines)
    if len(text) > MAX_COLOURED:
        return [Content(line) for line in lines]
    coloured: list[list[tuple[str, str]]] = [[]]
    for kind, value in lexer.get_tokens(text):
        style = _style(kind)
        first, *rest = value.split("\n")
        coloured[-1].append((first, style))
        coloured.extend([(part, style)] for part in rest)
    return [Content.assemble(*(part for part in line if part[0])) for line in coloured[: len(lines)]]


def _style(kind: _TokenType) -> str:
    while kind is not None and kind not in _TOKEN_STYLES:
        kind = kind.parent
    return _TOKEN_STYLES.get(kind, "")


class CodeRows:
    """Lines behind a gutter with their numbers; long ones wrap under themselves."""

    def __init__(self, lines: list[Content], *, numbers: bool = True, first: int = 1) -> None:
        self._lines = lines
        self._first = first
        self._digits = len(str(first + max(0, len(lines) - 1))) if numbers else 0

    def __len__(self) -> int:
        return len(self._lines)

    def text(self, index: int) -> str:
        return self._lines[index].plain

    def height(self, index: int, width: int) -> int:
        return line_count(self._lines[index].plain, self._room(width))

    def render(self, index: int, width: int) -> list[Content]:
        line = self._lines[index]
        parts = wrap(line, self._room(width))
        if any(" on " in str(span.style) for span in line.spans):
            # A coloured background goes on to the edge.
            parts = [part.extend_right(max(0, self._room(width) - part.cell_length)) for part in parts]
        if not self._digits:
            return parts
        number = f"{self._first + index:>{self._digits}} "
        gutters = [number, *[" " * len(number)] * (len(parts) - 1)]
        return [Content.assemble((gutter, "$muted"), part) for gutter, part in zip(gutters, parts, strict=True)]

    def _room(self, width: int) -> int:
        return max(1, width - self._digits - 1) if self._digits else width


class CodeView(LineList):
    """Shows one text from its beginning; does not follow its end."""

    def show(
        self, text: str, language: Language = "text", *, path: str = "", numbers: bool | None = None, first: int = 1
    ) -> None:
        """Show `text`; `language` is a pygments name, `diff`, `json`, or `text` to go by `path`.

        Lines are numbered from `first`, those of a diff only on request.
        """
        numbers = language != "diff" if numbers is None else numbers
        self.reset(CodeRows(code_lines(text, language, path=path), numbers=numbers, first=first))
        self.hold_at(0)

    def on_resize(self) -> None:
        opened = not self._measured.width
        super().on_resize()
        if opened:
            self.hold_at(0)
