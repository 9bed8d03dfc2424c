"""A text in flight as wrapped lines: each piece that comes is styled and wrapped once, whatever came before it."""

from __future__ import annotations

from textual.content import Content

from tui.panes.light_markdown import Flow
from tui.safe import safe_text
from tui.widgets.wrapping import wrap

THINKING = "$thinking italic"


class Growing:
    """Text that is only added to. Lines that are settled stay the same objects, so that they are painted once."""

    def __init__(self, *, markdown: bool) -> None:
        self._raw: list[str] = []
        self._some = False
        self._markdown = markdown
        self._open = ""
        """The line that is still being written."""
        self._room = 0
        self._first = self._rest = Content("")
        self._flow = Flow(0)
        self._ends: list[int] = []
        """For each line of the flow, the wrapped line after it."""
        self._wrapped: list[Content] = []

    def append(self, text: str) -> None:
        """Take a piece."""
        self._raw.append(text)
        self._some = self._some or not text.isspace()
        *whole, self._open = (self._open + safe_text(text)).split("\n")
        for line in whole:
            self._add(line)

    def __bool__(self) -> bool:
        """Whether anything was said yet."""
        return self._some

    @property
    def plain(self) -> str:
        """All of it as it was written, without white space around."""
        text = "".join(self._raw)
        self._raw = [text]
        return text.strip()

    def lines(self, room: int, first: Content, rest: Content) -> list[Content]:
        """Wrapped to `room` cells, behind margins: `first` on the first line, `rest` on the others."""
        if (room, first.plain, rest.plain) != (self._room, self._first.plain, self._rest.plain):
            self._room, self._first, self._rest = room, first, rest
            self._again()
        shown = self._settled()
        written = self._open.expandtabs(4).rstrip()
        open_line = self._peek(written if self._flow.lines else written.lstrip())
        if open_line is not None and open_line.plain.strip():
            return [*self._wrapped, *self._framed(open_line, bare=not self._wrapped)]
        return self._wrapped[:shown] or [self._first]

    def _settled(self) -> int:
        """How many wrapped lines there are before the empty ones at the end."""
        count = len(self._flow.lines)
        while count and not self._flow.lines[count - 1].plain.strip():
            count -= 1
        return self._ends[count - 1] if count else 0

    def _again(self) -> None:
        """Another width: everything anew."""
        self._flow = Flow(self._room, growing=True)
        self._ends, self._wrapped = [], []
        *whole, self._open = safe_text("".join(self._raw)).split("\n")
        for line in whole:
            self._add(line)

    def _add(self, line: str) -> None:
        line = line.expandtabs(4)
        if not self._flow.lines and not (line := line.lstrip()):
            return  # nothing was said yet
        if self._markdown:
            changed = self._flow.add(line)
        else:
            changed = len(self._flow.lines)
            self._flow.lines.append(Content.styled(line, THINKING))
        if self._room:
            self._wrap_from(changed)

    def _wrap_from(self, changed: int) -> None:
        del self._ends[changed:]
        del self._wrapped[self._ends[-1] if self._ends else 0 :]
        for line in self._flow.lines[changed:]:
            self._wrapped += self._framed(line, bare=not self._wrapped)
            self._ends.append(len(self._wrapped))

    def _framed(self, line: Content, *, bare: bool) -> list[Content]:
        parts = wrap(line, self._room)
        margins = [self._first if bare else self._rest, *[self._rest] * (len(parts) - 1)]
        return [margin + part for margin, part in zip(margins, parts, strict=True)]

    def _peek(self, line: str) -> Content | None:
        return self._flow.peek(line) if self._markdown else Content.styled(line, THINKING)
