"""A small agent for the auditor: the tools of the product in their simplest form, on real files and processes."""

from __future__ import annotations

import difflib
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scans import answer

Message = dict[str, Any]
Send = Callable[[list[Message], list[dict[str, Any]]], Awaitable[list[dict[str, Any]]]]
Squeeze = Callable[["Workbench", list[Message]], list[Message]]

_ARGUMENTS = {
    "list_files": "path depth",
    "read_file": "path offset limit",
    "write_file": "path content",
    "edit_file": "path old new all",
    "search_codebase": "pattern path glob",
    "run_command": "command timeout",
    "remember": "text category topic",
    "recall": "query handle category",
    "plan": "steps reason",
}


class Refused(Exception):
    """A call that ends in an error result."""


@dataclass
class Workbench:
    """Runs a session in `root`. `hidden` tools are not offered; `calls` are (name, input) in order."""

    root: Path
    hidden: Sequence[str] = ()
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    memories: list[tuple[str, str]] = field(default_factory=list)
    plans: list[list[dict[str, Any]]] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    broken: Callable[[str, dict[str, Any]], bool] = lambda name, arguments: False

    def offered(self) -> list[dict[str, Any]]:
        names = sorted(set(_ARGUMENTS) - set(self.hidden))
        return [_definition(name) for name in names]

    def act(self, content: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Results of the calls in a reply, in their order."""
        results = []
        for block in content:
            if block["type"] == "tool_use":
                text, failed = self._call(block["name"], block["input"])
                results.append(
                    {"type": "tool_result", "tool_use_id": block["id"], "content": text}
                    | ({"is_error": True} if failed else {})
                )
        return results

    def _call(self, name: str, arguments: dict[str, Any]) -> tuple[str, bool]:
        self.calls.append((name, arguments))
        try:
            assert set(arguments) <= set(_ARGUMENTS[name].split()), f"{name} does not know {arguments}"
            assert name not in self.hidden, name
            if self.broken(name, arguments):
                raise Refused("The operator denied this call.")
            if name == "run_command":
                text = self._run(**arguments)
                return text, not text.startswith("exit 0")
            return getattr(self, f"_{name}")(**arguments), False
        except (Refused, OSError) as error:
            return str(error), True

    def _list_files(self, path: str = ".", depth: int = 2) -> str:
        found = sorted(item.relative_to(self.root) for item in (self.root / path).rglob("*"))
        return "\n".join(
            f"{item}/" if (self.root / item).is_dir() else f"{item}  9 bytes"
            for item in found
            if len(item.parts) <= depth
        )

    def _read_file(self, path: str, offset: int = 1, limit: int = 2000) -> str:
        self.seen.add(path)
        lines = (self.root / path).read_text().splitlines()
        shown = lines[offset - 1 : offset - 1 + limit]
        more = len(lines) - (offset - 1 + len(shown))
        tail = [f"[… {more} lines more; go on with offset={offset + limit} …]"] if more else []
        head = f"{path} · lines {offset}-{offset + len(shown) - 1} of {len(lines)}"
        return "\n".join([head, *(f"{number}\t{line}" for number, line in enumerate(shown, offset)), *tail])

    def _write_file(self, path: str, content: str) -> str:
        if (self.root / path).exists() and path not in self.seen:
            raise Refused(f"{path} exists and you have not read it: read_file it first.")
        (self.root / path).write_text(content)
        return f"created {path}\nsha256 00"

    def _edit_file(self, path: str, old: str, new: str, all: bool = False) -> str:
        text = (self.root / path).read_text()
        if text.count(old) != 1:
            raise Refused(f"`old` occurs {text.count(old)} times in {path}")
        changed = text.replace(old, new)
        (self.root / path).write_text(changed)
        compile(changed, path, "exec", dont_inherit=True)
        diff = difflib.unified_diff(text.splitlines(), changed.splitlines(), path, path, lineterm="")
        return "\n".join([*diff, "sha256 00", "syntax: ok (Python 3.11)"])

    def _search_codebase(self, pattern: str, path: str = ".", glob: str = "*") -> str:
        hits = [
            f"{file.relative_to(self.root)}:{number}: {line}"
            for file in sorted((self.root / path).rglob(glob))
            for number, line in enumerate(file.read_text().splitlines(), 1)
            if re.search(pattern, line)
        ]
        return "\n".join(hits) or "no matches"

    def _run(self, command: str, timeout: int = 120) -> str:
        code, output = answer(command, self.root, timeout)
        return f"exit {code} · 0.1 s\n{output}"

    def _remember(self, text: str, category: str, topic: str) -> str:
        assert len(text) < 1000
        assert "\n" not in text
        self.memories.append((category, f"{topic}: {text}"))
        return f"stored as m{len(self.memories)}"

    def _recall(self, query: str = "", handle: str = "", category: str = "") -> str:
        return "\n".join(text for _, text in self.memories)

    def _plan(self, steps: list[dict[str, Any]], reason: str = "") -> str:
        assert all(step["status"] in ("todo", "active", "done", "dropped") for step in steps)
        self.plans.append(steps)
        return "ok"

    @property
    def commands(self) -> list[str]:
        return [arguments["command"] for name, arguments in self.calls if name == "run_command"]


def whole(bench: Workbench, messages: list[Message]) -> list[Message]:
    """No compression."""
    return messages


def squeezed(keep: int) -> Squeeze:
    """Everything but the last `keep` turns gives way to the task, the memory entries and a digest."""

    def squeeze(bench: Workbench, messages: list[Message]) -> list[Message]:
        kept = 2 * keep
        if len(messages) <= kept + 1:
            return messages
        memory = "\n".join(f"[m{n}] {category} · {text}" for n, (category, text) in enumerate(bench.memories, 1))
        task = messages[0]["content"][0]["text"]
        digest = f"<digest>\nturns so far: {len(messages) // 2 - keep}\n</digest>"
        texts = [f"{task}\n\n<memory>\n{memory}\n</memory>", digest]
        head = {"role": "user", "content": [{"type": "text", "text": text} for text in texts]}
        return [head, *(messages[-kept:] if kept else [])] if kept else [head]

    return squeeze


async def run_session(
    send: Send,
    bench: Workbench,
    squeeze: Squeeze = whole,
    words: Callable[[int, Workbench], Sequence[str]] = lambda turn, bench: (),
    limit: int = 300,
) -> list[Message]:
    """Turns until a reply has no calls; `words` are texts of the user or the runner that join the results of a turn."""
    messages: list[Message] = [
        _user([_text(f"<task>\nAudit this project.\n</task>\n\nThe workspace is {bench.root};")])
    ]
    for turn in range(limit):
        content = await send(squeeze(bench, messages), bench.offered())
        messages.append({"role": "assistant", "content": content})
        results = bench.act(content)
        added = [_text(text) for text in words(turn, bench)]
        if not results and not added:
            return messages
        messages.append(_user([*results, *added]))
    raise AssertionError(f"the session did not end within {limit} turns")


def last_text(messages: list[Message]) -> str:
    return "\n".join(block["text"] for block in messages[-1]["content"] if block["type"] == "text")


def _definition(name: str) -> dict[str, Any]:
    properties: dict[str, Any] = {argument: {} for argument in _ARGUMENTS[name].split()}
    return {"name": name, "description": name, "input_schema": {"type": "object", "properties": properties}}


def _user(content: list[dict[str, Any]]) -> Message:
    return {"role": "user", "content": content}


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}
