"""Code, JSON, diffs and plain output, highlighted line by line in the theme's own colours.

A long text is shown at once and coloured when that is computed. Only so much is read and coloured as a person could
look at; the rest is counted in a last line.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right

from textual import work
from textual.content import Content

from tui.safe import safe_text
from tui.widgets.highlighting import diff_line, highlighted, lexer_for
from tui.widgets.line_list import LineList
from tui.widgets.wrapping import line_count, wrap

MAX_LINES = 100_000
MAX_COLUMNS = 4_000
MAX_COLOURED = 400_000
"""Characters; longer text is shown without colours."""
AT_ONCE = 20_000
"""Characters that are coloured before they are shown; more takes longer than a key press may."""

Language = str
"""A pygments name, or `diff`, `json`, `text`."""


def code_lines(text: str, language: Language = "text", *, path: str = "", coloured: bool = True) -> list[Content]:
    """`text` as styled lines, safe to paint and capped. `path` names the language where `language` is plain text;
    without `coloured` the same characters come plain."""
    if language == "json":
        text = _pretty_json(text)
    shown, left_out = _capped(text)
    if language == "diff":
        lines = [diff_line(line) for line in shown]
    else:
        coloured = coloured and sum(map(len, shown)) <= MAX_COLOURED
        lexer = lexer_for(language, path) if coloured else None
        lines = [Content(line) for line in shown] if lexer is None else highlighted(shown, lexer)
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

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown = 0
        """Counts the texts that were shown, so that colours that come late are those of this one."""

    def show(
        self, text: str, language: Language = "text", *, path: str = "", numbers: bool | None = None, first: int = 1
    ) -> None:
        """Show `text`; `language` is a pygments name, `diff`, `json`, or `text` to go by `path`.

        Lines are numbered from `first`, those of a diff only on request.
        """
        self._shown += 1
        numbers = language != "diff" if numbers is None else numbers
        late = len(text) > AT_ONCE and language != "diff"
        lines = code_lines(text, language, path=path, coloured=not late)
        self.reset(CodeRows(lines, numbers=numbers, first=first))
        self.hold_at(0)
        if late and len(text) <= MAX_COLOURED:
            self._colour(self._shown, text, language, path, numbers, first)

    @work(thread=True, exclusive=True, exit_on_error=False)
    def _colour(self, shown: int, text: str, language: Language, path: str, numbers: bool, first: int) -> None:
        rows = CodeRows(code_lines(text, language, path=path), numbers=numbers, first=first)
        self.app.call_from_thread(self._coloured, shown, rows)

    def _coloured(self, shown: int, rows: CodeRows) -> None:
        """The same lines in colour: nothing moves."""
        if shown == self._shown:
            self.reset(rows)

    def find(self, words: str, step: int) -> tuple[int, int] | None:
        """Mark `words`, and bring the cursor to the next line with them (or the one before), round the end; which one
        that is, of how many. None when there is none."""
        self.highlight(words)
        wanted = words.casefold()
        found = [index for index in range(len(self.rows)) if wanted in self.rows.text(index).casefold()]
        if not found:
            return None
        here = (-1 if step > 0 else len(self.rows)) if self.cursor is None else self.cursor
        later = bisect_right(found, here) if step > 0 else bisect_left(found, here) - 1
        at = later % len(found)
        self.select(found[at], center=True)
        return at + 1, len(found)

    def whole_text(self) -> str:
        """All that is shown, for the clipboard."""
        return "\n".join(self.rows.text(index) for index in range(len(self.rows)))

    def on_resize(self) -> None:
        opened = not self._measured.width
        super().on_resize()
        if opened:
            self.hold_at(0)
