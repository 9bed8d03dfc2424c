"""Markdown lightly: bold, code, headings, bullets and fences as styled plain text, line for line.

The result wraps like any plain text, so a list of thousands knows every height without rendering one.
"""

from __future__ import annotations

import re

from textual.content import Content, Span

BOLD, CODE, HEADING, FENCED, RULE = "bold", "$code-string", "bold $primary", "$code-string", "$muted"

_MARKS = re.compile(r"[*`#_~|-]")
_INLINE = re.compile(r"\*\*(?P<bold>[^*\n]+?)\*\*|(?<!`)`(?P<code>[^`\n]+)`(?!`)")
_HEADING = re.compile(r"#{1,6}\s+(.*?)\s*#*$")
_BULLET = re.compile(r"(\s*)[-*+]\s+(.*)$")
_FENCE = re.compile(r"\s*(```+|~~~+)\s*([\w+-]*)\s*$")


def light_markdown(text: str) -> Content:
    """Styled text without the marks; text that has none comes back as it is."""
    if not _MARKS.search(text):
        return Content(text)
    lines: list[Content] = []
    fence = ""
    for line in text.split("\n"):
        opened = _FENCE.match(line)
        if opened and (not fence or opened[1].startswith(fence)):
            fence = "" if fence else opened[1]
            if fence and opened[2]:
                lines.append(Content.styled(f"┌ {opened[2]}", RULE))
        elif fence:
            lines.append(Content.assemble(("│ ", RULE), (line, FENCED)))
        else:
            lines.append(_line(line))
    return Content("\n").join(lines)


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
