"""Sessions made of events, and a source and controls over them, for tests of the screen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from logbook import Appending

from core.changes.net import FileDiff
from core.events import (
    BookmarkAdded,
    BudgetCrossed,
    CheckpointMade,
    CommandAccepted,
    CommandDone,
    ContextCompressed,
    Draft,
    Event,
    FileChange,
    GuidanceDelivered,
    GuidanceQueued,
    HeadMoved,
    HeldText,
    MemoryForgotten,
    MemoryWritten,
    ModelConsulted,
    ModelFailed,
    ModelRequested,
    ModelResponded,
    Outlook,
    PlanChanged,
    PlanStep,
    Price,
    RetryWaiting,
    RunnerAttached,
    SessionFinished,
    SessionOpened,
    ToolFinished,
    ToolStarted,
    Usage,
)
from core.folds.file_states import Handwork
from core.folds.fold import Dispatcher
from core.folds.highlights import Highlights, Moment
from core.folds.tail import Tail
from core.folds.view import SessionView
from core.journal.finding import hits_of
from core.protocols import Found, LiveDelta, ModelOffer, RestorePreview, Written
from core.workspace.base import FileFate

START_US = 1_767_225_600_000_000
MODEL = "claude-opus-4-6"
ROW = {"input": "5", "output": "25", "cache_read": "0.5", "cache_write": "6.25", "cache_write_1h": "10"}
LISTED = "at list prices"
TTL_S = 300


def priced(usage: Usage, cost: str | None = LISTED) -> Price:
    """What the tokens cost at list prices, or a cost of one's own; None: unknown."""
    if cost is None:
        return Price()
    prompt = usage.fresh * 5 + usage.cache_read * Decimal("0.5") + usage.cache_write_5m * Decimal("6.25")
    listed = (prompt + usage.output * 25) / 1_000_000
    return Price(cost=str(listed) if cost == LISTED else cost, source="list price", row=ROW)


DIFF = """\
updated: sha256 4f1c2a
--- a/inventory/store.py
+++ b/inventory/store.py
@@ -41,7 +41,8 @@ def find(connection, name):
     cursor = connection.cursor()
-    cursor.execute("SELECT * FROM items WHERE name = '%s'" % name)
+    query = "SELECT * FROM items WHERE name = ?"
+    cursor.execute(query, (name,))
     return cursor.fetchall()
"""

CODE = '''\
"""Items in stock."""

import sqlite3


def find(connection: sqlite3.Connection, name: str) -> list[tuple]:
    cursor = connection.cursor()
    cursor.execute("SELECT * FROM items WHERE name = '%s'" % name)
    return cursor.fetchall()
'''

FAILURE = """\
$ python -m pytest -q
..F....
FAILED tests/test_store.py::test_find_by_name - sqlite3.OperationalError: near "?": syntax error
1 failed, 6 passed in 0.41s
exit code 1
"""

REPORT = """\
I have read the store and its tests. There are **three** findings that matter:

1. `find` builds SQL by string formatting, so a name with a quote in it is an injection.
2. `load` unpickles a file that anybody may write.
3. `run_backup` starts a shell with a path from the command line.

## What I do next

- make `find` use a bound parameter
- replace `pickle` by `json` in `load`

```python
cursor.execute("SELECT * FROM items WHERE name = ?", (name,))
```
"""


class Log(Appending):
    """A session of the screen's tests, with the blobs, changes and outputs that its panes ask for."""

    def __init__(self) -> None:
        super().__init__()
        self.at_us = START_US
        self.blobs: dict[str, bytes] = {}
        self.changes: list[FileDiff] = []
        self.outputs: dict[str, str] = {}
        self.replies = 0
        self.turn = 0
        self.filled = 9_000
        self.sent = 0
        self.pings = 0

    def add(self, body: Any, key: str | None = None, actor: str = "agent", after_s: float = 0.2) -> Event:
        return super().add(body, key, actor, after_s)

    def extend(self, drafts: Sequence[Draft]) -> None:
        for draft in drafts:
            self.add(draft.body, draft.key, draft.actor)

    def opened(self, task: str = "Audit the inventory package and fix what is unsafe.") -> Event:
        return self.add(
            SessionOpened(
                session="01jgh00000000000000000000a",
                name="audit-inventory",
                task=task,
                workspace="/home/dev/inventory",
                model=MODEL,
                endpoint="https://api.anthropic.com",
                profile="anthropic",
                app_version="0.1.0",
                settings={"budget_usd": "5.00"},
            ),
            actor="user",
        )

    def requested(self, purpose: str = "main", sent: int | None = None, window: int | None = 200_000) -> str:
        self.turn += 1
        self.filled += 1_450
        key = f"r{self.turn}.1"
        total = self.filled if sent is None else sent
        text = total * 31 // 100
        parts = {"system": 2_100, "tools": 3_400, "pinned": 260, "digest": 0, "text": text}
        parts["results"] = max(0, total - sum(parts.values()))
        self.add(
            ModelRequested(
                model=MODEL,
                system="s",
                tools="t",
                body="b",
                body_bytes=total * 4,
                messages=self.turn * 2,
                marks=[0],
                max_tokens=16_000,
                prompt_version="1",
                parts=parts,
                window=window,
                purpose=purpose,
                outlook=self._outlook(total),
            ),
            key=key,
        )
        return key

    def _outlook(self, total: int) -> Outlook:
        """Forecasts that err by a few per cent, as they do."""
        reply, cached = 300 * 25, max(0, total - 1_450)
        return Outlook(
            floor=min(total, 9_500),
            compression_usd="0.0700",
            warm_usd=f"{(cached * 0.5 + (total - cached) * 6.25 + reply) / 1_000_000:.6f}",
            cold_usd=f"{(total * 6.25 + reply) / 1_000_000:.6f}",
            readable=self.sent,
            ttl_s=TTL_S,
            minimum=1_024,
        )

    def ping(self) -> None:
        """The cache is kept alive while something is waited for."""
        self.pings += 1
        key, usage = f"ping{self.pings}.1", Usage(cache_read=self.sent, output=1)
        request = ModelRequested(
            model=MODEL, body="b", body_bytes=self.sent * 4, messages=self.turn * 2, marks=[0], max_tokens=1,
            prompt_version="1", parts={}, purpose="ping",
        )  # fmt: skip
        self.add(request, key=key, after_s=240)
        reply = ModelConsulted(model=MODEL, text="", stop_reason="max_tokens", usage=usage, price=priced(usage), ms=700)
        self.add(reply, key=key, after_s=0.7)

    def responded(
        self,
        key: str,
        content: list[dict[str, Any]],
        cost: str | None = LISTED,
        sent: int | None = None,
        cached: int | None = None,
    ) -> Event:
        self.replies += 1
        total = self.filled if sent is None else sent
        read = min(self.sent, total - 60) if cached is None else cached
        usage = Usage(fresh=60, cache_read=read, cache_write_5m=total - read - 60, output=320)
        self.sent = total
        return self.add(
            ModelResponded(
                message_id=f"msg_{self.replies}",
                model=MODEL,
                content=content,
                stop_reason="tool_use" if any(b["type"] == "tool_use" for b in content) else "end_turn",
                usage=usage,
                price=priced(usage, cost),
                first_token_ms=640,
                ms=4_100,
            ),
            key=key,
            after_s=4.1,
        )

    def call(
        self,
        name: str,
        arguments: dict[str, Any],
        content: str,
        *,
        effect: str = "read",
        ok: bool = True,
        ms: int = 38,
        text: str = "",
        thinking: str = "",
        finish: bool = True,
        **more: Any,
    ) -> str:
        """A whole turn with one call; the call's key."""
        key = self.requested()
        blocks: list[dict[str, Any]] = []
        if thinking:
            blocks.append({"type": "thinking", "thinking": thinking, "signature": "x"})
        if text:
            blocks.append({"type": "text", "text": text})
        use = f"toolu_{self.turn:04}"
        self.responded(key, [*blocks, {"type": "tool_use", "id": use, "name": name, "input": arguments}])
        self.add(ToolStarted(name=name, use_id=use, arguments=arguments, effect=effect), key=f"{key}.0")
        if finish:
            body = ToolFinished(name=name, use_id=use, ok=ok, content=content, ms=ms, size=len(content), **more)
            self.add(body, key=f"{key}.0", after_s=ms / 1000)
        return f"{key}.0"

    def checkpoint(self, number: int, label: str, changed: int = 1) -> Event:
        return self.add(
            CheckpointMade(tree=f"{number:040x}", backend="git", label=label, changed=changed), key=f"c{number}"
        )


def _steps(done: int) -> list[PlanStep]:
    intents = [
        ("Learn the layout and run the scanner", "scanner's findings are listed"),
        ("Make every SQL statement use bound parameters", "bandit reports no B608"),
        ("Replace pickle by json in the loader", "tests/test_load.py passes"),
        ("Run the backup without a shell", "bandit reports no B602"),
        ("Write AUDIT.md", "every claim names a file and a line"),
    ]
    status = lambda index: "done" if index < done else "active" if index == done else "todo"  # noqa: E731
    return [
        PlanStep(id=f"s{i + 1}", intent=intent, check=check, status=status(i))
        for i, (intent, check) in enumerate(intents)
    ]


def audit_session(*, running: bool = True) -> Log:
    """About forty calls: failures, edits with diffs, a retry, a compression, a rewind, memories, a plan, guidance."""
    log = Log()
    log.opened()
    log.add(RunnerAttached(pid=4242, host="box", epoch=1, app_version="0.1.0"))
    log.call(
        "list_files",
        {"path": "."},
        "inventory/__init__.py\ninventory/backup.py\ninventory/load.py\ninventory/store.py\ntests/test_store.py",
        text="I start with the structure of the project.",
        thinking="The task asks for an audit. First the layout, then the scanner, then one finding after the other.",
    )
    log.add(PlanChanged(steps=_steps(0), reason="first plan"))
    log.call("read_file", {"path": "inventory/store.py"}, CODE)
    log.call("read_file", {"path": "inventory/load.py"}, CODE.replace("sqlite3", "pickle"), text=REPORT)
    log.add(
        MemoryWritten(
            text="Tests run with `python -m pytest -q`; 7 of them, 0.4 s.", category="command", topic="tests"
        ),
        key="m1",
    )
    log.add(
        MemoryWritten(
            text="The public API of inventory.store must not change.", category="constraint", topic="api", pinned=True
        ),
        key="m2",
    )
    for index in range(8):
        log.call("read_file", {"path": f"inventory/part_{index}.py"}, CODE, ms=21 + index)
    log.call(
        "run_command",
        {"command": "bandit -q -r inventory"},
        "\n".join(f">> Issue: [B608:hardcoded_sql_expressions] line {n}" for n in range(40)),
        effect="command",
        ok=False,
        ms=2_310,
        exit_code=1,
        text="Now the scanner.",
    )
    log.checkpoint(1, "before edit_file inventory/store.py", 0)
    log.call(
        "edit_file",
        {"path": "inventory/store.py", "old": "'%s'\" % name", "new": '?", (name,)'},
        DIFF,
        effect="write",
        ms=12,
        files=[FileChange(path="inventory/store.py", before="a" * 64, after="b" * 64, added=2, removed=1)],
        text="`find` first: a bound parameter instead of formatting.",
    )
    log.call(
        "run_command", {"command": "python -m pytest -q"}, FAILURE, effect="command", ok=False, ms=912, exit_code=1
    )
    log.add(PlanChanged(steps=_steps(1), reason="step done"))
    failed = log.requested()
    log.add(
        ModelFailed(error="overloaded", message="The provider is overloaded (529).", status=529),
        key=failed,
        after_s=1.2,
    )
    log.add(RetryWaiting(until_us=log.at_us + 4_000_000, delay_s=4.0, error="overloaded", attempt=1), key=failed)
    log.at_us += 4_000_000
    for index in range(10):
        log.call(
            "search_codebase",
            {"pattern": f"execute\\(.*%.*{index}"},
            f"inventory/store.py:{40 + index}: cursor.execute(",
        )
    log.add(GuidanceQueued(text="Leave the public API of store.py as it is."), key="01cmdguide", actor="user")
    log.add(
        CommandAccepted(verb="guide", args={"text": "Leave the public API of store.py as it is."}),
        key="01cmdguide",
        actor="user",
    )
    guided = log.add(
        GuidanceDelivered(text="Leave the public API of store.py as it is."), key="01cmdguide", actor="user"
    )
    log.add(CommandAccepted(verb="compress"), key="01cmdcompress", actor="user")
    keep = log.head
    log.add(
        ContextCompressed(
            policy="auto",
            reason="operator",
            held=[HeldText(seq=guided.seq, text="Leave the public API of store.py as it is.")],
            ledger="Turns 1 to 14: bandit ran, find() takes a bound parameter.",
            digest="Next: the loader. Names: inventory/load.py, inventory/store.py.",
            keep_from=keep,
            tokens_before=48_200,
            tokens_after=11_700,
        ),
        actor="user",
    )
    log.add(CommandDone(verb="compress"), key="01cmdcompress")
    log.filled, log.sent = 11_700, 6_000
    log.checkpoint(2, "before edit_file inventory/load.py")
    boundary = log.head
    log.call(
        "edit_file",
        {"path": "inventory/load.py", "old": "pickle.load", "new": "json.load"},
        DIFF.replace("store", "load"),
        effect="write",
        ms=14,
        files=[FileChange(path="inventory/load.py", before="c" * 64, after="d" * 64, added=5, removed=9)],
        text="Next is the loader.",
    )
    log.add(MemoryWritten(text="load() is also called by scripts/migrate.py.", category="fact", topic="load"), key="m3")
    log.add(
        CommandAccepted(verb="rewind", args={"to": boundary, "files": True, "conversation": True}),
        key="01cmdrewind",
        actor="user",
    )
    log.add(
        HeadMoved(to=boundary or 1, origin=log.head or 1, reason="rewind", files=["M inventory/load.py"]),
        key="01cmdrewind",
    )
    log.add(CommandDone(verb="rewind"), key="01cmdrewind")
    log.add(
        GuidanceDelivered(
            text="The session was rewound to checkpoint c2; inventory/load.py is as it was then.", source="notice"
        )
    )
    log.add(
        MemoryWritten(text="bandit needs -q and -r; the report goes to stdout.", category="command", topic="bandit"),
        key="m4",
    )
    log.add(MemoryWritten(text="First guess about the loader was wrong.", category="note", topic="load"), key="m5")
    log.add(MemoryForgotten(id="m5", reason="no longer true"))
    log.checkpoint(3, "before write_file inventory/load.py")
    log.call(
        "write_file",
        {"path": "inventory/load.py", "content": CODE.replace("sqlite3", "json")},
        DIFF.replace("store", "load"),
        effect="write",
        ms=9,
        files=[FileChange(path="inventory/load.py", before="c" * 64, after="e" * 64, added=11, removed=14)],
        text="The loader as a whole, with `json`.",
    )
    for index in range(8):
        log.call("read_file", {"path": f"tests/test_{index}.py"}, CODE, ms=18)
    log.add(BudgetCrossed(percent=50, spent="2.51", budget="5.00"), key="5.00@50")
    log.add(BookmarkAdded(text="loader done"), key="01cmdbookmark", actor="user")
    log.add(PlanChanged(steps=_steps(3), reason="step done"))
    log.checkpoint(4, "before run_command python -m pytest -q", 2)
    if running:
        log.call(
            "run_command",
            {"command": "python -m pytest -q"},
            "",
            effect="command",
            finish=False,
            text="The tests again.",
        )
        return log
    log.call(
        "run_command", {"command": "python -m pytest -q"}, "7 passed in 0.40s", effect="command", ms=870, exit_code=0
    )
    key = log.requested()
    log.responded(key, [{"type": "text", "text": "All findings are fixed and AUDIT.md is written."}])
    log.add(SessionFinished(state="finished", reason="done"))
    return log


def long_session(calls: int = 1_158) -> Log:
    """As long as the reference session: every third call reads, edits, runs; a compression each 100."""
    log = Log()
    log.opened("Port the service to the new API.")
    for index in range(calls):
        kind = index % 3
        text = f"Step {index}: " + "the next file and its tests, then the change itself. " * 4
        if kind == 0:
            log.call("read_file", {"path": f"src/module_{index}.py"}, CODE, text=text)
        elif kind == 1:
            change = FileChange(path=f"src/module_{index}.py", before="a", after="b", added=3, removed=2)
            log.checkpoint(index, f"before edit {index}")
            log.call(
                "edit_file",
                {"path": f"src/module_{index}.py", "old": "a", "new": "b"},
                DIFF,
                effect="write",
                files=[change],
            )
        else:
            log.call(
                "run_command",
                {"command": f"pytest tests/test_{index}.py"},
                FAILURE,
                effect="command",
                ok=index % 5 > 0,
                exit_code=0,
            )
        if index % 100 == 99:
            log.add(
                ContextCompressed(
                    policy="auto",
                    reason="the rent has paid for it",
                    digest="d",
                    keep_from=log.head,
                    tokens_before=180_000,
                    tokens_after=30_000,
                )
            )
            log.filled, log.sent = 30_000, 6_000
    return log


class FakeSource:
    """A list of events as a source; `push` adds one, `say` streams a piece of the reply in flight."""

    def __init__(self, log: Log, *, ends: bool = False) -> None:
        self.log = log
        self._ends = ends
        self._news: asyncio.Queue[list[Event]] = asyncio.Queue()
        self._deltas: asyncio.Queue[list[LiveDelta]] = asyncio.Queue()
        self._past = list(log.events)
        self.closed = False
        self.tail = 20
        """Events of its end."""

    def restored(self) -> SessionView:
        return SessionView()

    def put_away(self, view: SessionView) -> None: ...

    async def keep(self, view: SessionView, longer_by: float = 0.0) -> None: ...

    async def batches(self) -> AsyncIterator[Sequence[Event]]:
        for start in range(0, len(self._past), 1_000):
            yield self._past[start : start + 1_000]
        yield []
        while not self._ends:
            yield await self._news.get()

    async def tails(self) -> AsyncIterator[Tail]:
        tail = Tail()
        tail.apply_all([self._past[0], *self._past[-self.tail :]])
        yield tail

    async def last_seq(self) -> int:
        return len(self._past)

    async def live(self) -> AsyncIterator[Sequence[LiveDelta]]:
        while True:
            yield await self._deltas.get()

    async def event(self, seq: int) -> Event | None:
        return self.log.events[seq - 1] if 0 < seq <= len(self.log.events) else None

    async def blob(self, hash: str) -> bytes | None:
        return self.log.blobs.get(hash)

    async def find(self, words: str) -> AsyncIterator[Found]:
        for event in reversed(self.log.events):
            yield Found(list(hits_of(event, words.casefold(), SimpleNamespace(blob=self.log.blobs.get))), event.seq)

    async def changes(self) -> list[FileDiff]:
        return self.log.changes

    async def differing(self, before: str, after: str) -> list[FileDiff]:
        return self.log.changes

    async def highlights(self) -> tuple[list[Moment], list[Moment]]:
        found = Highlights()
        dispatch = Dispatcher([found])
        for event in self.log.events:
            dispatch.apply(event)
        return found.moments(), found.chapters

    async def output(self, call: str, after: int = 0) -> Written | None:
        text = self.log.outputs.get(call)
        return None if text is None else Written(after, len(text), text[after:])

    async def close(self) -> None:
        self.closed = True

    def push(self) -> None:
        """Everything that was added to the log since."""
        known = len(self._past)
        self._past = list(self.log.events)
        self._news.put_nowait(self._past[known:])

    def say(self, *texts: str, kind: str = "text", attempt: str = "r99.1") -> None:
        self._deltas.put_nowait([LiveDelta(attempt=attempt, kind=kind, index=0, text=text) for text in texts])

    def settle(self) -> None:
        self._deltas.put_nowait([])


RESTORING = RestorePreview(
    (
        FileFate("M", "inventory/load.py", 3, 12),
        FileFate("D", "inventory/migrate.py", 0, 41),
        FileFate("M", "notes.md", 2, 1),
        FileFate("A", "tests/test_old.py", 18, 0),
    ),
    frozenset({"notes.md"}),
)
"""What a rewind would do to the files, one of which was changed by hand."""


def offered(model: str, window: int | None, *per_million: str) -> ModelOffer:
    """Dollars a million tokens: fresh, output, cache read, cache write."""
    return ModelOffer(model, window, tuple(Decimal(price) / 1_000_000 for price in per_million), cached=True)


OFFERS = [
    offered(MODEL, 1_000_000, "5", "25", "0.5", "6.25"),
    offered("claude-fable-5-2", 1_000_000, "8", "40", "0.2", "10"),
    offered("claude-haiku-4-5", 30_000, "1", "5", "0.1", "1.25"),
    offered("claude-opus-5-5", 1_000_000, "4", "20", "0.2", "5"),
    offered("claude-sonnet-4-0", 200_000, "3", "15", "0.3", "3.75"),
    offered("claude-sonnet-5-5", 1_000_000, "2", "10", "0.1", "2.5"),
    offered("house-model", None),
]


class FakeControls:
    """Remembers what was sent."""

    def __init__(self, *, available: bool = True) -> None:
        self.available = available
        self.sent: list[tuple[str, dict[str, Any], int | None]] = []

    async def send(self, verb: str, args: dict[str, Any] | None = None, head: int | None = None) -> str:
        self.sent.append((verb, args or {}, head))
        return f"cmd-{len(self.sent)}"

    async def preview_restore(self, tree: str, known: Handwork) -> RestorePreview:
        return RESTORING

    async def model_offers(self, opened: SessionOpened, present: str, sent: int) -> list[ModelOffer]:
        return OFFERS

    async def said_before(self) -> list[str]:
        return ["Use bound parameters, also in the tests.", "Run the tests with -q."]
