"""Markdown lightly: bold, code, headings, bullets, tables and highlighted fences as styled lines of plain text.

It wraps like any plain text, so a list of thousands knows every height without colouring one. `Flow` takes the lines of
a reply one after the other: what was said stays as it is shown, and only what is open is looked at again.
"""

from __future__ import annotations

import re
from typing import Any

from textual.content import Content, Span

from tui.panes.markdown_tables import cells_of, is_rule, table_lines
from tui.widgets.highlighting import coloured, diff_line, lexer_for

BOLD, CODE, HEADING, FENCED, RULE = "bold", "$code-string", "bold $primary", "$code-string", "$muted"
LONGEST_LEXED = 60
"""Lines of an open fence that are coloured again with each new one, at least as far as strings and comments allow."""

_MARKS = re.compile(r"[*`#_~|-]")
_INLINE = re.compile(r"\*\*(?P<bold>[^*\n]+?)\*\*|(?<!`)`(?P<code>[^`\n]+)`(?!`)")
_HEADING = re.compile(r"#{1,6}\s+(.*?)\s*#*$")
_BULLET = re.compile(r"(\s*)[-*+]\s+(.*)$")
_FENCE = re.compile(r"\s*(```+|~~~+)\s*([\w+-]*)\s*$")
_UNDECIDED = re.compile(r"\s*(#{1,6}|[-*+]|`{1,}|~{1,}|\|[\s:|-]*)\s*$")
"""The beginning of a line of which nobody can say yet what it will be."""
_OPEN_BOLD, _OPEN_CODE = re.compile(r"\*\*(?=\S)(?!.*\*\*)"), re.compile(r"`(?=[^`\s])(?!.*`)")


def light_markdown(text: str, width: int, *, colours: bool = True) -> Content:
    """Styled text without the marks, its tables laid out for `width` cells; text that has no marks comes as it is.

    Without `colours` fences are not highlighted: the same characters, sooner.
    """
    if not _MARKS.search(text):
        return Content(text)
    flow = Flow(width, colours=colours)
    for line in text.split("\n"):
        flow.add(line)
    return Content("\n").join(flow.finish())


class Flow:
    """Lines of Markdown in, styled lines out.

    With `growing`, an open fence is coloured line by line as it comes; else once, when it ends.
    """

    def __init__(self, width: int, *, colours: bool = True, growing: bool = False) -> None:
        self.lines: list[Content] = []
        self._width, self._colours, self._growing = width, colours, growing
        self._fence, self._language = "", ""
        self._code: list[str] = []
        self._lexer: Any = None
        self._table: list[str] = []
        self._from = 0
        """Where the lines of the open table, or of the code that may be coloured anew, begin."""

    def add(self, line: str) -> int:
        """Take a whole line; returns the first of `lines` that is another one now."""
        if self._fence:
            return self._in_fence(line)
        if line.lstrip().startswith("|") and line.count("|") > 1:
            return self._in_table(line)
        self._table.clear()
        first = len(self.lines)
        if opened := _FENCE.match(line):
            self._open_fence(opened[1], opened[2])
        else:
            self.lines.append(_line(line))
        return first

    def peek(self, line: str) -> Content | None:
        """How a line that is still being written looks; None while it could become anything."""
        if not line.strip() or (self._fence and self._fence.startswith(line.strip())):
            return None
        if self._fence:
            return self._coded(Content(line))
        if _UNDECIDED.match(line):
            return None
        if self._table and line.lstrip().startswith("|"):
            return Content("   ").join(_inline(_closed(cell)) for cell in cells_of(line))
        return _line(_closed(line))

    def finish(self) -> list[Content]:
        """All lines; nothing follows."""
        if self._fence:
            self._colour()
        return self.lines

    def _open_fence(self, marks: str, language: str) -> None:
        self._fence, self._language = marks, language
        if language:
            self.lines.append(Content.styled(f"┌ {language}", RULE))
        self._from, self._code = len(self.lines), []
        self._lexer = lexer_for(language) if language and self._colours and language != "diff" else None

    def _in_fence(self, line: str) -> int:
        if (closed := _FENCE.match(line)) and closed[1].startswith(self._fence) and not closed[2]:
            first = len(self.lines)
            if not self._growing:
                first = self._from
                self._colour()
            self._fence, self._code = "", []
            return first
        self._code.append(line)
        self.lines.append(self._coded(Content(line)))
        if not self._growing:
            return len(self.lines) - 1
        first = self._from if self._lexer or self._language == "diff" else len(self.lines) - 1
        self._colour()
        return first

    def _coded(self, line: Content) -> Content:
        """A line of a fence; one colour where its language is not known."""
        return Content.assemble(("│ ", RULE), line if self._lexer or self._language == "diff" else line.stylize(FENCED))

    def _colour(self) -> None:
        """Highlight what of the code may still look different, and settle what can't any more."""
        if self._language == "diff" and self._colours:
            found, outside = [diff_line(line) for line in self._code], len(self._code) - 1
        elif self._lexer is not None:
            found, outside = coloured(self._code, self._lexer)
        else:
            return
        self.lines[self._from :] = [self._coded(line) for line in found]
        if len(self._code) > LONGEST_LEXED and outside > 0:
            del self._code[:outside]
            self._from += outside

    def _in_table(self, line: str) -> int:
        if not self._table:
            self._from = len(self.lines)
        self._table.append(line)
        first = self._from
        if len(self._table) > 1 and is_rule(self._table[1]):
            rows = [[_inline(cell) for cell in cells_of(row)] for at, row in enumerate(self._table) if at != 1]
            self.lines[first:] = table_lines(rows, self._width)
            return first
        self.lines.append(_inline(line))
        return len(self.lines) - 1


def _closed(line: str) -> str:
    """A line that breaks off within bold or code, as if that ended here: its marks never show and vanish again."""
    line = line.rstrip("*`")
    for mark, end in ((_OPEN_CODE, "`"), (_OPEN_BOLD, "**")):
        line = line + end if mark.search(line) else line
    return line


def _line(line: str) -> Content:
    if heading := _HEADING.match(line):
        content = _inline(heading[1])
        return content.stylize_before(HEADING)
    if bullet := _BULLET.match(line):
        return Content(f"{bullet[1]}• ") + _inline(bullet[2])
    return _inline(line)


def _inline(line: str) -> Content:
    plain: list[str] = []
    spans: list[Span] = []
    length = end = 0
    for found in _INLINE.finditer(line):
        before, inner = line[end : found.start()], found["bold"] or found["code"]
        start = length + len(before)
        length = start + len(inner)
        plain += (before, inner)
        spans.append(Span(start, length, BOLD if found["bold"] else CODE))
        end = found.end()
    plain.append(line[end:])
    return Content("".join(plain), spans)
