"""A request as the surveyor sees it: its calls with their answers, what stands at the head, what it was told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.simulator.policies.auditor.conversation import Done, file_text, turns_of
from core.simulator.policies.base import message_texts
from core.simulator.policies.places import read_line
from core.simulator.policies.surveyor.notes import noted_folders
from core.simulator.policies.surveyor.progress import Progress

_CODE = re.compile(r"review code of ([\w-]+) is ([A-Z]{2,4}-\d{4}-[A-Z])")
_SINCE = re.compile(r"In force since (\d{4}-\d\d-\d\d)")
_HOLDS = re.compile(r"the later paper holds: review codes are now (.+)")
_NOW = re.compile(r"([\w-]+) ([A-Z]{2,4}-\d{4}-[A-Z])")
_LIMIT = re.compile(r"(\d[\d,]*) tool calls")
_HIT = re.compile(r"^(?P<path>[^:\n]+\.py):\d+: ", re.M)
_FOLDER = re.compile(r"^([\w./-]+)/  \d+ entr(?:y|ies)$", re.M)
_NO_CODE = ("tests", "test", "docs")
LASTING = "9999"
"""Stands for the day of a paper where it was already found out which one holds."""


@dataclass(slots=True)
class Sight:
    """`last` are the calls of the newest reply, `history` all visible ones since the files last moved; `head` is the
    text of the first message, `guidance` what came after the newest reply."""

    offered: dict[str, dict[str, Any]]
    head: str = ""
    progress: Progress | None = None
    last: list[Done] = field(default_factory=list)
    history: list[Done] = field(default_factory=list)
    guidance: list[str] = field(default_factory=list)
    files_moved: bool = False

    def named(self, name: str) -> list[Done]:
        """The calls of the newest reply to one tool."""
        return [done for done in self.last if done.name == name]

    @property
    def run(self) -> Done | None:
        """The last command of the newest reply that came to an end."""
        ran = [done for done in self.named("run_command") if done.exit_code is not None]
        return ran[-1] if ran else None

    def content(self, path: str) -> str | None:
        """A file's text as it must be now; None when it was not read to its end."""
        return file_text(self.history, path)

    @property
    def limit(self) -> int:
        """How many calls the task allows; 0 when it says nothing."""
        found = _LIMIT.search(self.head)
        return int(found[1].replace(",", "")) if found else 0

    def areas(self, total: int = 0) -> list[str]:
        """The folders to go through, `total` of them where that is known; none when they are out of sight.

        Folders of code of a listing, tests and papers left out, deepest ones only; or as they were written down.
        """
        for done in reversed(self.history):
            if done.name == "list_files" and not done.failed and done.path == ".":
                found = [name for name in _FOLDER.findall(done.content) if name.split("/")[0] not in _NO_CODE]
                return (found or ["."]) if total in (0, len(found or ["."])) else []
        noted = noted_folders((self.head, *self._notes())) if total else []
        return noted if len(noted) == total else []

    def hits(self, area: str) -> list[str]:
        """Modules of a folder that the newest searches point at, without their ending."""
        paths = [path for done in self.named("search_codebase") for path in _HIT.findall(done.content)]
        prefix = "" if area == "." else f"{area}/"
        inside = (path.removeprefix(prefix).removesuffix(".py") for path in paths if path.startswith(prefix))
        return list(dict.fromkeys(name for name in inside if not _is_test(name)))

    def codes(self, area: str) -> list[tuple[str, str]]:
        """(day of the paper, review code) of a department wherever it is still visible, the latest last."""
        name = area.rpartition("/")[2]
        return sorted({(day, code) for day, about, code in self._papers() if about == name})

    def _notes(self) -> list[str]:
        """What was written into the memory."""
        return [str(done.input.get("text")) for done in self.history if done.name == "remember"]

    def _papers(self) -> Iterator[tuple[str, str, str]]:
        asked = ("read_file", "recall")
        texts = [done.content for done in self.history if done.name in asked and "review code" in done.content]
        for text in (self.head, *texts, *self._notes()):
            since = _SINCE.search(text)
            for area, code in _CODE.findall(text):
                yield since[1] if since else "", area, code
            for holds in _HOLDS.findall(text):
                yield from ((LASTING, area, code) for area, code in _NOW.findall(holds))


def look(request: Mapping[str, Any]) -> Sight:
    """Take a request apart."""
    tools = request.get("tools") or []
    sight = Sight({tool["name"]: (tool.get("input_schema") or {}).get("properties") or {} for tool in tools})
    messages: Sequence[Mapping[str, Any]] = request["messages"]
    texts: list[str] = []
    for turn in turns_of(messages):
        texts += turn.said
        sight.last, sight.guidance, sight.files_moved = turn.done, turn.guidance, turn.files_moved
        if turn.files_moved:
            sight.history.clear()
        sight.history += turn.done
    sight.head = "\n".join(message_texts(messages[0]))
    sight.progress = read_line(texts[-3:], Progress)
    return sight


def joined(root: str, name: str) -> str:
    """A path below a folder; `.` is the workspace itself."""
    return (name or ".") if root == "." else f"{root}/{name}"


def _is_test(name: str) -> bool:
    return name.rpartition("/")[2].startswith("test_") or name.startswith(("tests/", "test/"))
