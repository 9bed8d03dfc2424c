"""Sessions with everything that can befall one: people, pauses, failures, checks, plans, rewinds, crashes."""

from __future__ import annotations

from typing import Any, Literal

from hypothesis import strategies as st
from spending import Spender, priced

from core.events import (
    BudgetChanged,
    BudgetCrossed,
    CheckpointMade,
    CommandAccepted,
    CommandRefused,
    ContextPolicy,
    FileChange,
    GuidanceDelivered,
    GuidanceQueued,
    GuidanceRetracted,
    HeadMoved,
    MachineSlept,
    MemoryWritten,
    ModelFailed,
    PlanChanged,
    PlanStep,
    RetryWaiting,
    RunnerAttached,
    ScreenCame,
    ScreenLost,
    SessionContinued,
    SessionFinished,
    SessionPaused,
    Usage,
)
from core.folds.view import SessionView

State = Literal["todo", "active", "done", "dropped"]


class Life(Spender):
    """A logbook with short words for what happens around the agent."""

    guided = remembered = checked = 0

    def run(self, command: str, ok: bool = True, output: str = "", minutes: float = 0, **more: Any) -> int:
        """A turn that runs one command; the seq of its outcome. `fingerprint` follows the output."""
        return self.act("run_command", {"command": command}, ok, output, minutes, exit_code=int(not ok), **more)

    def edit(self, path: str, added: int = 1, removed: int = 0, before: str | None = "a", **more: Any) -> int:
        change = FileChange(path=path, before=before, after="b", added=added, removed=removed)
        return self.act("edit_file", {"path": path}, files=[change], **more)

    def act(
        self, name: str, arguments: dict[str, Any], ok: bool = True, output: str = "", minutes: float = 0, **more: Any
    ) -> int:
        attempt = self.reply((name, arguments))
        effect = {"run_command": "command", "edit_file": "write"}.get(name, "read")
        self.start(attempt, 0, name, arguments, effect)
        self.at_us += int(minutes * 60_000_000)
        return self.finish(attempt, 0, name, output, ok, fingerprint=f"{output:0<12}", **more).seq

    def steps(self, reason: str = "", **states: State) -> int:
        """A plan of steps `a`, `b`, ... with these states."""
        steps = [PlanStep(id=id, intent=f"step {id}", status=state) for id, state in states.items()]
        return self.add(PlanChanged(steps=steps, reason=reason)).seq

    def queue(self, text: str, standing: bool = False) -> str:
        self.guided += 1
        id = f"g{self.guided}"
        self.add(GuidanceQueued(text=text, standing=standing), id, "user")
        return id

    def deliver(self, id: str, text: str, standing: bool = False) -> None:
        self.add(GuidanceDelivered(text=text, standing=standing), id, "user")

    def guide(self, text: str, standing: bool = False) -> str:
        """Queued and delivered."""
        id = self.queue(text, standing)
        self.deliver(id, text, standing)
        return id

    def pause(self, reason: str = "operator", detail: str = "") -> int:
        return self.add(SessionPaused(reason=reason, detail=detail), actor="user").seq

    def go_on(self, after_s: float = 1.0) -> None:
        self.add(SessionContinued(), actor="user", after_s=after_s)

    def finish_session(self, state: Literal["finished", "stopped", "failed"] = "finished", reason: str = "done") -> int:
        self.reply(text="All done.")
        return self.add(SessionFinished(state=state, reason=reason)).seq

    def fail(self, attempt: int = 1, delay_s: float = 60.0) -> int:
        """An attempt that fails and will be tried again; the seq of the wait."""
        key = self.request(attempt)
        self.add(ModelFailed(error="overloaded", message="busy"), key)
        until_us = self.at_us + int(delay_s * 1_000_000)
        return self.add(RetryWaiting(until_us=until_us, delay_s=delay_s, error="overloaded", attempt=attempt), key).seq

    def attach(self, after_s: float = 1.0) -> int:
        body = RunnerAttached(pid=1, host="h", epoch=1, app_version="0")
        return self.add(body, actor="system", after_s=after_s).seq

    def rewind(self, to: int, files: list[str] | None = None) -> int:
        return self.add(HeadMoved(to=to, origin=self.head or 1, reason="rewind", files=files or [])).seq

    def decide(self, text: str) -> int:
        self.remembered += 1
        return self.add(MemoryWritten(text=text, category="decision"), f"m{self.remembered}").seq

    def checkpoint(self, changed: int) -> int:
        self.checked += 1
        body = CheckpointMade(tree="t", backend="git", changed=changed)
        return self.add(body, f"c{self.checked}").seq

    @property
    def view(self) -> SessionView:
        return folded(self.events)


def folded(events: list[Any]) -> SessionView:
    view = SessionView()
    view.apply_all(events)
    return view


DEEDS = (
    *("run", "run", "edit", "plan", "plan", "queue", "deliver", "retract", "guide", "pause", "go on", "fail"),
    *("attach", "rewind", "decide", "checkpoint", "budget", "command", "policy", "ping", "compress", "end", "nudge"),
    *("night", "lost", "came"),
)


@st.composite
def lives(draw: st.DrawFn, longest: int = 18) -> Life:  # noqa: C901
    """A random life."""
    log, ends, queued = Life(), [1], {}
    paths, texts = st.sampled_from(["core/a.py", "b.py"]), st.sampled_from(["look at core/a.py", "b.py first", "hurry"])
    states: st.SearchStrategy[State] = st.sampled_from(["todo", "active", "done"])
    for step in range(draw(st.integers(1, longest))):
        log.at_us += draw(st.sampled_from([0, 1, 700])) * 1_000_000
        match draw(st.sampled_from(DEEDS)):
            case "run":
                commands = ["pytest -q", "pytest -q | tail -3", "ls b.py"]
                log.run(draw(st.sampled_from(commands)), draw(st.booleans()), draw(st.sampled_from(["1 passed", "x"])))
            case "edit":
                log.edit(draw(paths))
            case "plan":
                log.steps(draw(st.sampled_from(["", "why"])), a=draw(states), b=draw(states))
            case "queue":
                text = draw(texts)
                queued[log.queue(text, draw(st.booleans()))] = text
            case "deliver" if queued:
                log.deliver(*queued.popitem())
            case "retract" if queued:
                log.add(GuidanceRetracted(), queued.popitem()[0], "user")
            case "guide":
                log.guide(draw(texts))
            case "pause":
                log.pause(draw(st.sampled_from(["operator", "budget"])))
            case "go on":
                log.go_on()
            case "fail":
                log.fail(draw(st.sampled_from([1, 2])))
            case "attach":
                log.attach()
            case "rewind":
                log.rewind(draw(st.sampled_from(ends)), draw(st.sampled_from([[], ["M b.py"]])))
            case "decide":
                log.decide(f"decision {step}")
            case "checkpoint":
                log.checkpoint(draw(st.integers(0, 2)))
            case "budget":
                crossed = BudgetCrossed(percent=draw(st.sampled_from([50, 80])), spent="4", budget="5")
                log.add(draw(st.sampled_from([crossed, BudgetChanged(usd="9")])), f"b{step}")
            case "command":
                verb = draw(st.sampled_from(["pause", "rewind"]))
                bodies = [CommandAccepted(verb=verb), CommandRefused(verb=verb, reason="No.")]
                log.add(draw(st.sampled_from(bodies)), f"k{step}", "user")
            case "policy":
                log.add(ContextPolicy(policy="off", tokens=draw(st.sampled_from([0, 9_000]))))
            case "ping":
                log.aside("ping", Usage(cache_read=900, output=1), price=priced(Usage(cache_read=900)))
            case "compress":
                log.compress()
            case "end":
                log.finish_session(*draw(st.sampled_from([("finished", "done"), ("failed", "auth")])))
            case "night":
                log.add(MachineSlept(seconds=draw(st.sampled_from([60, 700, 9_000]))))
            case "lost":
                log.add(ScreenLost(viewer="a", who="anna", others=draw(st.sampled_from([0, 1]))))
            case "came":
                log.add(ScreenCame(viewer="b", who="bea"))
            case "nudge":
                log.add(GuidanceDelivered(text="You repeat yourself.", source="guard"))
        ends.append(log.head or 1)
    return log
