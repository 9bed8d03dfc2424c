"""A request as the auditor sees it: what it called and what came back, what it remembers, what it was told."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.simulator.policies.auditor.notes import NOTE, Notes
from core.simulator.policies.auditor.progress import Progress, read_progress
from core.simulator.policies.auditor.scan import Finding, parse_findings, scanned_path
from core.simulator.policies.base import message_texts

_EXIT = re.compile(r"exit(?: code| status)?[ :]+(-?\d+)", re.I)
_GUIDANCE = re.compile(r"<guidance[^>]*>\s*(.*?)\s*</guidance>", re.S)
_NOTICE = re.compile(r"<notice[^>]*>(.*?)</notice>", re.S)
_OWN_NOTE = re.compile(rf"^{NOTE}(.+)$", re.M)
_TURNS = re.compile(r"^turns so far: (\d+)", re.M)
_FILES_MOVED = re.compile(r"restor|rewound|rewind|changed|outside", re.I)
_PAGE_LINE = re.compile(r"^ *(\d+)(?:\t|→|: |\| ?)(.*)$")
_NEXT_PAGE = re.compile(r"^\[.*\boffset ?= ?(\d+)", re.M)
_LEFT_OUT = re.compile(r"^\[… .*left out", re.M)


@dataclass(frozen=True, slots=True)
class Done:
    """A call with its answer. `exit_code` is None unless it was a command that ended."""

    name: str
    input: Mapping[str, Any]
    content: str
    failed: bool

    @property
    def exit_code(self) -> int | None:
        found = _EXIT.search(self.content.partition("\n")[0]) if self.name == "run_command" else None
        return int(found[1]) if found else None

    @property
    def path(self) -> str:
        return posixpath.normpath(str(self.input.get("path", "")))

    @property
    def command(self) -> str:
        return str(self.input.get("command", ""))

    @property
    def is_capped(self) -> bool:
        return _LEFT_OUT.search(self.content) is not None


@dataclass(slots=True)
class View:
    """What one request says.

    `last` are the calls of the newest reply with their answers, `history` all visible ones since the files last
    changed under the auditor's hands; `guidance` is what came after the newest reply; `turns` were compressed away.
    """

    offered: dict[str, dict[str, Any]]
    progress: Progress | None = None
    notes: Notes = field(default_factory=Notes)
    last: list[Done] = field(default_factory=list)
    history: list[Done] = field(default_factory=list)
    guidance: list[str] = field(default_factory=list)
    files_moved: bool = False
    turns: int = 0

    def named(self, name: str) -> list[Done]:
        """The calls of the newest reply to one tool."""
        return [done for done in self.last if done.name == name]

    def command(self, scan: bool) -> Done | None:
        """The last scan, or the last other command, of the newest reply that came to an end."""
        found = [done for done in self.named("run_command") if (scanned_path(done.command) is not None) == scan]
        return found[-1] if found else None

    def content(self, path: str) -> str | None:
        """A file's text as it must be now, from reads and later edits; None when it was not read to its end."""
        return file_text(self.history, path)

    def next_page(self, path: str) -> int:
        """From which line to go on reading a file, 1 when it was not read at all."""
        pages = [done for done in self.last if done.name == "read_file" and done.path == path]
        more = _NEXT_PAGE.search(pages[-1].content) if pages else None
        return int(more[1]) if more else 1

    def findings(self, path: str) -> list[Finding] | None:
        """What the scanner says of a file as it is now; None when that is not known.

        Edits that were taken back do not count as changes since the scan.
        """
        known: list[Finding] | None = None
        edits: list[tuple[Any, Any]] = []
        for done in self.history:
            target = scanned_path(done.command) if done.name == "run_command" else None
            if target is not None and target in ("", path) and done.exit_code in (0, 1) and not done.is_capped:
                known, edits = [finding for finding in parse_findings(done.content) if finding.path == path], []
            elif done.name in ("edit_file", "write_file") and done.path == path and not done.failed:
                _stack(edits, done)
        return None if edits else known


def file_text(history: Iterable[Done], path: str) -> str | None:
    """A file's text after the calls of a history; None when it was not read to its end."""
    lines: dict[int, str] = {}
    text: str | None = None
    for done in history:
        if done.failed or done.path != path:
            continue
        if done.name == "read_file":
            lines = {} if int(done.input.get("offset") or 1) <= 1 else lines
            lines |= _page(done.content)
            text = None if _NEXT_PAGE.search(done.content) else _joined(lines)
        elif done.name == "write_file":
            text = str(done.input.get("content", ""))
        elif done.name == "edit_file" and text is not None:
            text = text.replace(str(done.input["old"]), str(done.input["new"]), 1)
    return text


@dataclass(slots=True)
class Turn:
    """One reply and what came after it: what it said, its calls with their answers, guidance."""

    said: list[str] = field(default_factory=list)
    done: list[Done] = field(default_factory=list)
    guidance: list[str] = field(default_factory=list)
    files_moved: bool = False


def turns_of(messages: Sequence[Mapping[str, Any]]) -> Iterator[Turn]:
    """The turns of a conversation; what comes before the first reply is a turn of its own."""
    turn, asked = Turn(), dict[str, Mapping[str, Any]]()
    for message in messages:
        if message["role"] == "assistant":
            yield turn
            asked = {block["id"]: block for block in _blocks(message) if block.get("type") == "tool_use"}
            turn = Turn(message_texts(message))
            continue
        turn.done += _answered(message, asked)
        for text in message_texts(message):
            turn.guidance += _GUIDANCE.findall(text)
            turn.files_moved |= any(_FILES_MOVED.search(notice) for notice in _NOTICE.findall(text))
    yield turn


def _answered(message: Mapping[str, Any], asked: Mapping[str, Mapping[str, Any]]) -> Iterator[Done]:
    for block in _blocks(message):
        if block.get("type") == "tool_result" and block.get("tool_use_id") in asked:
            use = asked[block["tool_use_id"]]
            yield Done(use["name"], use["input"], _text(block.get("content", "")), bool(block.get("is_error")))


def read_request(request: Mapping[str, Any]) -> View:
    """Take a request apart."""
    tools = request.get("tools") or []
    view = View({tool["name"]: (tool.get("input_schema") or {}).get("properties") or {} for tool in tools})
    asked: dict[str, Mapping[str, Any]] = {}
    texts: list[str] = []
    for index, message in enumerate(request["messages"]):
        if message["role"] == "assistant":
            asked = {block["id"]: block for block in _blocks(message) if block.get("type") == "tool_use"}
            texts += message_texts(message)
            for line in _OWN_NOTE.findall("\n".join(message_texts(message))):
                view.notes.read(line)
            view.last, view.guidance, view.files_moved = [], [], False
        else:
            _take_user(view, message, asked, first=index == 0)
    view.progress = read_progress(texts)
    return view


def _take_user(view: View, message: Mapping[str, Any], asked: Mapping[str, Mapping[str, Any]], first: bool) -> None:
    for done in _answered(message, asked):
        view.last.append(done)
        view.history.append(done)
        _take_notes(view.notes, done)
    for text in message_texts(message):
        view.guidance += _GUIDANCE.findall(text)
        if any(_FILES_MOVED.search(notice) for notice in _NOTICE.findall(text)):
            view.files_moved = True
            view.history.clear()
        if first:
            view.notes.read(text)
            view.turns = max([view.turns, *map(int, _TURNS.findall(text))])


def _stack(edits: list[tuple[Any, Any]], done: Done) -> None:
    """Put an edit on the pile, or take off the one that it is the mirror image of."""
    old, new = done.input.get("old"), done.input.get("new", done.input.get("content"))
    if edits and edits[-1] == (new, old):
        edits.pop()
    else:
        edits.append((old, new))


def _take_notes(notes: Notes, done: Done) -> None:
    """From what was remembered, even where storing failed, as long as it is in sight; and from what was recalled."""
    if done.name == "remember":
        notes.read(str(done.input.get("text", "")))
    elif done.name == "recall" and not done.failed:
        notes.read(done.content)


def _blocks(message: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    content = message.get("content", "")
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(str(block.get("text", "")) for block in content if block.get("type") == "text")


def _page(content: str) -> dict[int, str]:
    """Numbered lines of an answer of read_file."""
    found = [_PAGE_LINE.match(line) for line in content.split("\n")]
    return {int(match[1]): match[2] for match in found if match}


def _joined(lines: Mapping[int, str]) -> str | None:
    if list(lines) != list(range(1, len(lines) + 1)):
        return None
    return "".join(f"{line}\n" for line in lines.values())
