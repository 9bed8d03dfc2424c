"""A journal in memory for tests of folds and projections, and random sessions for properties."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from core.events import (
    Body,
    ContextCompressed,
    ContextRestored,
    Event,
    GuidanceDelivered,
    HeadMoved,
    HeldText,
    MemoryForgotten,
    MemoryWritten,
    ModelFailed,
    ModelRequested,
    ModelResponded,
    PlanChanged,
    PlanStep,
    Price,
    SessionOpened,
    Stub,
    ToolFinished,
    ToolStarted,
    Usage,
    is_node,
)

START_US = 1_780_000_000_000_000


class Appending:
    """Appends bodies as events: seq, parent or node and time as the journal assigns them."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.head: int | None = None
        self.at_us = START_US

    def add(self, body: Body, key: str | None = None, actor: str = "agent", after_s: float = 1.0) -> Event:
        node = is_node(body.KIND)
        self.at_us += int(after_s * 1_000_000)
        event = Event(
            seq=len(self.events) + 1,
            parent=self.head if node else None,
            node=None if node else self.head,
            kind=body.KIND,
            key=key,
            at_us=self.at_us,
            actor=actor,
            body=body,
        )
        self.events.append(event)
        if node:
            self.head = event.seq
        if isinstance(body, HeadMoved):
            self.head = body.to
        return event


class Logbook(Appending):
    """A journal of a session that has just been opened."""

    def __init__(self, task: str = "Mend the parser.") -> None:
        super().__init__()
        self.requests = 0
        self.add(
            SessionOpened(
                session="s",
                name="test",
                task=task,
                workspace="/w",
                model="m",
                endpoint="e",
                profile="p",
                app_version="0",
            ),
            actor="user",
        )

    def request(self, attempt: int = 1, marks: Sequence[int] = (0,)) -> str:
        self.requests += attempt == 1
        key = f"r{self.requests}.{attempt}"
        parts = {"system": 100, "tools": 200, "pinned": 10, "text": 50}
        body = ModelRequested(
            model="m",
            system="s",
            tools="t",
            body="b",
            body_bytes=1,
            messages=1,
            marks=list(marks),
            max_tokens=1000,
            prompt_version="v",
            parts=parts,
            window=100_000,
        )
        self.add(body, key)
        return key

    def reply(self, *calls: tuple[str, dict[str, Any]], text: str = "Next.", stop: str | None = None) -> str:
        """A request and its reply; the attempt's key. The calls are left open."""
        key = self.request()
        content: list[dict[str, Any]] = [{"type": "text", "text": text}] if text else []
        uses = [("tool_use", name, arguments) for name, arguments in calls]
        content += [
            {"type": kind, "id": f"u{key}_{i}", "name": name, "input": arguments}
            for i, (kind, name, arguments) in enumerate(uses)
        ]
        reply = ModelResponded(
            message_id=f"msg{key}",
            model="m",
            content=content,
            stop_reason=stop or ("tool_use" if calls else "end_turn"),
            usage=Usage(fresh=10, cache_read=300, cache_write_5m=50, output=20),
            price=Price(cost="0.01", source="list"),
        )
        self.add(reply, key)
        return key

    def start(self, attempt: str, index: int, name: str, arguments: dict[str, Any], effect: str = "read") -> str:
        key = f"{attempt}.{index}"
        self.add(ToolStarted(name=name, use_id=f"u{attempt}_{index}", arguments=arguments, effect=effect), key)
        return key

    def finish(self, attempt: str, index: int, name: str, content: str = "done", ok: bool = True, **more: Any) -> Event:
        body = ToolFinished(name=name, use_id=f"u{attempt}_{index}", ok=ok, content=content, **more)
        return self.add(body, f"{attempt}.{index}")

    def turn(self, *calls: tuple[str, dict[str, Any]], text: str = "Next.", ok: bool = True) -> str:
        """A whole turn: reply, calls started in order, outcomes in order."""
        attempt = self.reply(*calls, text=text)
        for index, (name, arguments) in enumerate(calls):
            self.start(attempt, index, name, arguments)
        for index, (name, _) in enumerate(calls):
            self.finish(attempt, index, name, f"result {index} of {name}", ok=ok)
        return attempt


@st.composite
def sessions(draw: st.DrawFn, longest: int = 14) -> Logbook:  # noqa: C901
    """A random session: turns with parallel calls, failures, guidance, memory, plans, compressions, rewinds, undos."""
    log = Logbook()
    boundaries = [1]
    rewinds: list[int] = []
    compressions: list[int] = []
    entries = 0
    for step in range(draw(st.integers(1, longest))):
        match draw(
            st.sampled_from(
                ["turn", "turn", "turn", "guide", "fail", "memory", "compress", "restore", "rewind", "undo"]
            )
        ):
            case "turn":
                names = draw(
                    st.lists(st.sampled_from(["read_file", "run_command", "edit_file"]), min_size=1, max_size=3)
                )
                attempt = log.reply(*((name, {"path": f"f{step}.py"}) for name in names))
                for index, name in enumerate(names):
                    log.start(attempt, index, name, {"path": f"f{step}.py"})
                for index in draw(st.permutations(range(len(names)))):
                    log.finish(attempt, index, names[index], f"r{step}.{index}", ok=draw(st.booleans()))
                boundaries.append(log.events[-1].seq)
            case "guide":
                standing = draw(st.booleans())
                log.add(GuidanceDelivered(text=f"guidance {step}", standing=standing), f"g{step}", actor="user")
                boundaries.append(log.events[-1].seq)
            case "fail":
                log.add(ModelFailed(error="overloaded", message="busy"), log.request())
            case "memory":
                if entries and draw(st.booleans()):
                    log.add(MemoryForgotten(id=f"m{draw(st.integers(1, entries))}"))
                else:
                    entries += 1
                    log.add(MemoryWritten(text=f"fact {step}"), f"m{entries}")
                log.add(PlanChanged(steps=[PlanStep(id="1", intent=f"step {step}")]))
                boundaries.append(log.events[-1].seq)
            case "compress":
                keep = draw(st.sampled_from([None, *boundaries]))
                keep_from = next(
                    (e.seq for e in log.events if keep and e.seq > keep and e.kind == "model.responded"), None
                )
                results = [e.seq for e in log.events if e.kind == "tool.finished"]
                masked = draw(st.lists(st.sampled_from(results), max_size=2, unique=True)) if results else []
                body = ContextCompressed(
                    policy="auto",
                    reason="forced",
                    held=[HeldText(seq=log.head or 1, text=f"held {step}")] if draw(st.booleans()) else [],
                    ledger=draw(st.sampled_from(["", f"ledger {step}"])),
                    digest=draw(st.sampled_from(["", f"digest {step}"])),
                    keep_from=keep_from,
                    masked=[Stub(seq=seq, text=f"[stub {step}]") for seq in masked],
                    tokens_before=10,
                    tokens_after=5,
                )
                compressions.append(log.add(body).seq)
                boundaries.append(log.events[-1].seq)
            case "restore" if compressions:
                log.add(ContextRestored(seq=draw(st.sampled_from(compressions))))
                boundaries.append(log.events[-1].seq)
            case "rewind":
                to = draw(st.sampled_from(boundaries))
                rewinds.append(log.head or 1)
                log.add(HeadMoved(to=to, origin=log.head or 1, reason="rewind"))
                log.add(GuidanceDelivered(text="rewound", source="notice"))
                boundaries.append(log.events[-1].seq)
            case "undo" if rewinds:
                log.add(HeadMoved(to=rewinds.pop(), origin=log.head or 1, reason="undo"))
    return log
