"""A memory that a test can look into, and short ways to call a tool as the runner does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.events import MemoryWritten, PlanStep
from core.tools.base import Outcome, Rerun, Tool, ToolContext
from core.tools.recalled import Passage
from core.tools.registry import parse_arguments


class FakeRecall:
    """What a session remembers, as plain lists."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, Passage]] = []
        self.outputs: dict[str, str] = {}
        self.steps: list[PlanStep] = []

    def write(self, text: str, category: str = "fact", topic: str = "") -> str:
        entry = self.next_memory_id()
        title = f"{category} · {topic}" if topic else category
        self.entries.insert(0, (category, Passage(entry, title, text)))
        self.outputs[entry] = f"[{title}] {text}"
        return entry

    def take(self, outcome: Outcome) -> None:
        """Do what the journal does with the memory events of an outcome."""
        for body, _ in outcome.events:
            if isinstance(body, MemoryWritten):
                self.write(body.text, body.category, body.topic)

    async def memories(self, query: str, category: str | None, limit: int) -> list[Passage]:
        chosen = [it for kind, it in self.entries if category in (None, kind) and query in it.text]
        return chosen[:limit]

    async def output(self, handle: str) -> str | None:
        return self.outputs.get(handle)

    async def search(self, query: str, limit: int) -> list[Passage]:
        found = [Passage(handle, "result", text) for handle, text in self.outputs.items() if query in text]
        return found[:limit]

    async def near(self, query: str) -> list[str]:
        return [handle for handle in self.outputs if handle[:2] == query[:2]]

    def remembers(self, entry: str) -> bool:
        return any(it.handle == entry for _, it in self.entries)

    def next_memory_id(self) -> str:
        return f"m{len(self.entries) + 1}"

    def plan(self) -> list[PlanStep]:
        return self.steps


class Bench:
    """A workspace, and calls of tools in it, each under a key of its own."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.workspace = folder / "workspace"
        self.jobs = folder / "jobs"
        self.workspace.mkdir(exist_ok=True)
        self.recall = FakeRecall()
        self.settings = settings
        self.read_hashes: dict[str, str] = {}
        self.calls = 0

    def context(self, call: str | None = None) -> ToolContext:
        if call is None:
            self.calls += 1
            call = f"r{self.calls}.0.0"
        return ToolContext(self.workspace, self.jobs, call, self.recall, self.read_hashes, self.settings)

    async def __call__(self, tool: Tool, **raw: Any) -> Outcome:
        """Prepare and run; ToolError comes through."""
        context = self.context()
        arguments = parse_arguments(tool, raw)
        tool.prepare(arguments, context)
        return await tool.run(arguments, context)

    async def recover(self, tool: Tool, call: str, intent: dict[str, Any], **raw: Any) -> Outcome | Rerun:
        return await tool.recover(parse_arguments(tool, raw), intent, self.context(call))

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.workspace / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path
