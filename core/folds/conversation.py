"""The conversation: one item for each thing said or done, in order, as the pane shows them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec import Struct

from core.events import (
    AllowanceChanged,
    ApprovalAnswered,
    ApprovalAsked,
    BookmarkAdded,
    BudgetCrossed,
    CheckInMade,
    CheckInsSet,
    CommandDone,
    ConstraintBroken,
    ConstraintDeclared,
    ContextCompressed,
    ContextPolicy,
    ContextRestored,
    CourseJudged,
    DriverChanged,
    Event,
    GuardAnswered,
    GuardRaised,
    GuidanceDelivered,
    HeadMoved,
    HookFailed,
    HumanAnswered,
    HumanAsked,
    MachineSlept,
    ModelConsulted,
    ModelFailed,
    ModelResponded,
    ModelSwitched,
    PauseScheduled,
    PauseUnscheduled,
    PlanChanged,
    PlanReassessed,
    RetryWaiting,
    RunnerRecovered,
    ScreenCame,
    ScreenLost,
    ServerChanged,
    SessionContinued,
    SessionFinished,
    SessionForked,
    SessionOpened,
    SessionPaused,
    ToolFinished,
    ToolsOffered,
    ToolStarted,
    WorkspaceChanged,
)
from core.folds.allowances import spell_minutes
from core.folds.branches import Column
from core.folds.fold import Handler
from core.folds.timeline import PROBE
from core.folds.verdict import lasted
from core.folds.words import call_line, changed_lines, preview

PREVIEW_LINES = 4
SHOWN_EVIDENCE = 4
"""Events that the line of a guard names, the latest."""
SUBAGENT = "subagent"
"""How the attempts of a subagent's requests are named."""


class Item(Struct, frozen=True):
    """One entry of the conversation.

    `speaker`: user, agent, guard or system. `kind`: task, guidance, notice, text, thinking, call, result, event.
    `text` is what a line list shows (a result is a preview of at most four lines; `hidden` lines are left out).
    `call` is the key of the tool call that a call or result belongs to; `ok` is False for what failed. `name`: the
    tool, or where a notice comes from (`notice`, `guard`, `anchor`, `memory`).
    """

    seq: int
    at_us: int
    speaker: str
    kind: str
    text: str
    call: str | None = None
    name: str = ""
    ok: bool = True
    hidden: int = 0


class Conversation:
    """Append-only items; a branch and a moment select ranges of them."""

    def __init__(self) -> None:
        self.column: Column[Item] = Column()
        self.failures: list[int] = []
        """Where in the column that stands which failed."""
        self.answered = ""
        """The newest attempt of a reply that came to its end."""

    def handlers(self) -> dict[str, Handler]:
        return {
            "session.opened": self._opened,
            "guidance.delivered": self._guidance,
            "model.responded": self._responded,
            "model.consulted": self._consulted,
            "tool.started": self._started,
            "tool.finished": self._finished,
            "guard.raised": self._guard,
            "guard.answered": self._guard,
            **dict.fromkeys(("constraint.declared", "constraint.lifted", "constraint.broken"), self._constraint),
            **dict.fromkeys(_SENTENCES, self._sentence),
            ModelFailed.KIND: self._request_failed,
        }

    def _add(self, event: Event, speaker: str, kind: str, text: str, **more: Any) -> None:
        item = Item(event.seq, event.at_us, speaker, kind, text, **more)
        if not item.ok:
            self.failures.append(len(self.column.items))
        self.column.append(event.seq, item)

    def _opened(self, event: Event) -> None:
        if isinstance(event.body, SessionOpened):
            self._add(event, "user", "task", event.body.task)
            if told := _read_files(event.body.settings.get("instructions")):
                self._add(event, "system", "event", told)

    def _guidance(self, event: Event) -> None:
        body = event.body
        if isinstance(body, GuidanceDelivered):
            speaker = {"user": "user", "guard": "guard"}.get(body.source, "system")
            kind = "guidance" if speaker == "user" else "notice"
            cost = f"\n(sent automatically, about ${Decimal(body.usd):.4f})" if body.usd else ""
            self._add(event, speaker, kind, body.text + cost, name=body.source)

    def _responded(self, event: Event) -> None:
        if not isinstance(event.body, ModelResponded):
            return
        self.answered = event.key or ""
        for block in event.body.content:
            if block.get("type") == "text" and str(block.get("text", "")).strip():
                self._add(event, "agent", "text", str(block.get("text", "")).strip())
            elif block.get("type") == "thinking" and block.get("thinking"):
                self._add(event, "agent", "thinking", str(block["thinking"]).strip())

    def _consulted(self, event: Event) -> None:
        """What a subagent said; side requests of the runner itself are no part of what is shown."""
        body = event.body
        if isinstance(body, ModelConsulted) and (event.key or "").startswith(SUBAGENT) and body.text.strip():
            self._add(event, "agent", "text", f"(subagent) {body.text.strip()}")

    def _started(self, event: Event) -> None:
        body = event.body
        if isinstance(body, ToolStarted):
            line = call_line(body.name, body.arguments)
            self._add(event, "agent", "call", line, call=event.key, name=body.name)

    def _finished(self, event: Event) -> None:
        body = event.body
        if isinstance(body, ToolFinished):
            text, hidden = preview(changed_lines(body.content) if body.files else body.content, PREVIEW_LINES)
            more = {"call": event.key, "name": body.name, "ok": body.ok, "hidden": hidden}
            self._add(event, "agent", "result", text, **more)

    def _guard(self, event: Event) -> None:
        match event.body:
            case GuardRaised() as body:
                self._add(event, "guard", "event", f"{event.key} {guard_words(body)}", name=body.guard)
            case GuardAnswered() as body:
                said = "it was right" if body.right else "this is fine"
                text = f"{(event.key or '').removesuffix('!')} {body.guard}: you said that {said} ({body.place})"
                self._add(event, "guard", "event", text, name=body.guard)

    def _constraint(self, event: Event) -> None:
        match event.body:
            case ConstraintDeclared(form="") as body:
                text = f"{event.key} can't be checked, so it stays only your words: {body.text}"
                self._add(event, "guard", "event", text)
            case ConstraintDeclared() as body:
                self._add(event, "guard", "event", f"{event.key} holds from here on: {body.text}")
            case ConstraintBroken() as body:
                fate = "kept a call from running" if body.prevented else "was broken"
                self._add(event, "guard", "event", f"{body.constraint} {fate}: {body.what}", ok=body.prevented)
            case _:
                self._add(event, "guard", "event", f"{event.key} is lifted")

    def _sentence(self, event: Event) -> None:
        text = _SENTENCES[event.kind](event.body)
        if text:
            self._add(event, "system", "event", text)

    def _request_failed(self, event: Event) -> None:
        """Whose request it was; that a model which is down does not answer yet is no failure of its own."""
        if isinstance(event.body, ModelFailed):
            purpose = (event.key or "").rstrip(".0123456789")
            what = _FAILED.get(purpose, "Request failed")
            self.answered = self.answered if purpose in _FAILED else event.key or ""
            text = f"{what} ({event.body.error.replace('_', ' ')}): {event.body.message}"
            self._add(event, "system", "event", text, ok=purpose == PROBE)


def guard_words(body: GuardRaised) -> str:
    """What a guard saw, what it rests on, and what it does about it."""
    evidence = " ".join(f"#{seq}" for seq in body.evidence[-SHOWN_EVIDENCE:])
    more = len(body.evidence) - SHOWN_EVIDENCE
    earlier = f" and {more} more" if more > 0 else ""
    return f"{body.guard}: {body.text} · {evidence}{earlier} · {_RUNG_WORDS[body.rung]}"


_RUNG_WORDS = {
    "notice": "noted",
    "nudge": "the agent is told",
    "reassess": "the agent is to look at its plan again",
    "pause": "paused for you",
}


def _read_files(files: Any) -> str:
    """Which files of the workspace stand beside the task."""
    named = [f"{it['path']} ({len(it['text']):,} characters)" for it in files or ()]
    return f"Read and kept word for word: {', '.join(named)}" if named else ""


def _asked(body: Any) -> str:
    return f"Asks before {call_line(body.name, body.arguments)}: {body.reason}"


def _answered(body: Any) -> str:
    always = f", and from now on {'; '.join(body.rules)}" if body.rules else ""
    reason = f": {body.reason}" if body.reason else ""
    return f"{body.answer.capitalize()}{always}{reason} ({body.place})"


def _crossed(body: Any) -> str:
    if body.words:
        return f"{body.words} are used ({body.percent}%)"
    return f"{body.percent}% of the budget of ${body.budget} is spent (${body.spent})"


def _allowance(body: Any) -> str:
    if body.value is None:
        names = {"minutes": "time", "turns": "turns", "day_usd": "dollars a day", "step_usd": "dollars a step"}
        return f"No limit of {names[body.name]} any more"
    match body.name:
        case "minutes":
            return f"At most {spell_minutes(body.value)} of work"
        case "turns":
            return f"At most {body.value:,.0f} turns"
        case name:
            return f"At most ${body.value:,.2f} a {name.removesuffix('_usd')}"


def _questioned(body: Any) -> str:
    options = "".join(f" · {number} {option}" for number, option in enumerate(body.options, start=1))
    default = f" · without an answer: {body.default}" if body.default is not None else ""
    return f"Asks you: {body.question}{options}{default}"


def _replied(body: Any) -> str:
    return f"Nobody answered in time: {body.text}" if body.by_default else f"Answered: {body.text} ({body.place})"


def _compressed(body: Any) -> str:
    price = f", ${Decimal(body.quote.price):.4f}" if body.quote and body.quote.price else ""
    sizes = f"{body.tokens_before:,} → {body.tokens_after:,} tokens"
    return f"Context compressed by {body.policy} ({body.reason}): {sizes}{price}"


_WENT = {"undo": "Undo", "rewind": "Rewound", "switch": "Switched to another branch, back"}
_FILES_WENT = {"revert": "Reverted", "undo": "Files brought back"}


def _switched(body: ModelSwitched) -> str:
    price = f"; its cache is cold, so the next request costs about ${float(body.usd):.4f}" if body.usd else ""
    return f"{body.detail}. " * bool(body.detail) + f"Model is now {body.model}{price}"


def _moved(body: Any) -> str:
    count = len(body.files)
    files = f", {count} file{'' if count == 1 else 's'} restored" if count else ""
    kept = f", {len(body.kept)} changed by hand kept" if body.kept else ""
    if body.to == body.origin:
        return f"{_FILES_WENT.get(body.reason, 'Files rewound')}{files}{kept}"
    return f"{_WENT.get(body.reason, 'Went back')} to #{body.to}{files}{kept}"


def _done(body: Any) -> str:
    return "" if body.ok else f"{body.verb} had no effect: {body.detail}"


def _forked(body: Any) -> str:
    spent = f"{'more than ' if body.unpriced else ''}${Decimal(body.usd):,.2f}"
    return f"Forked from {body.name} at #{body.at}; the {spent} spent until here count there"


def _plan(body: Any) -> str:
    done = sum(step.status == "done" for step in body.steps)
    active = next((step.intent for step in body.steps if step.status == "active"), None)
    return f"Plan: {done} of {len(body.steps)} steps done" + (f" · now: {active}" if active else "")


def _reassessed(body: Any) -> str:
    step = f"at step {body.step}" if body.step else "without an active step"
    proof = ", its check has passed" if body.verified else ""
    changed = f", {body.changed} others changed" if body.changed else ""
    return f"Plan looked at again {step}{proof}{changed}" + (f": {body.reason}" if body.reason else "")


def _course(body: Any) -> str:
    about = {"step": f"is step {body.subject} done?", "done": "is the task done?", "drift": "is this still about it?"}
    if not body.models:
        return f"No judge was asked: {about[body.about]} {body.why}".rstrip()
    judges = "two judges say" if len(body.models) > 1 else "a judge says"
    return f"Asked: {about[body.about]} {judges} {body.verdict}" + (f": {body.why}" if body.why else "")


def _check_ins(body: Any) -> str:
    often = [f"{body.minutes:g} minutes"] if body.minutes is not None else []
    often += [f"${body.usd:g}"] if body.usd is not None else []
    then = ", and stand then" if body.pause else ""
    return f"It will tell what was done every {' or '.join(often)}{then}" if often else "No check-ins any more"


def _paused(body: Any) -> str:
    return f"Paused ({body.reason})" + (f": {body.detail}" if body.detail else "")


def _finished_sentence(body: Any) -> str:
    return f"Session {body.state} ({body.reason})" + (f": {body.detail}" if body.detail else "")


def _server(body: Any) -> str:
    if body.state == "down":
        return f"Server {body.server} is down: {body.detail.rstrip('.')}"
    return f"Server {body.server} is up, {body.tools} tools" + (f": {body.detail}" if body.detail else "")


def _changed_by_others(body: Any) -> str:
    named = ", ".join(file.path + (" (gone)" if file.after is None else "") for file in body.files)
    return f"Changed by hand, or by what a command left running: {named}"


def _offered(body: Any) -> str:
    others = f", {body.others} more are found by find_tools" if body.others else ""
    return f"{len(body.tools)} tools of servers stand in every request{others}"


_FAILED = {
    PROBE: "Asked again; the session's own model does not answer yet",
    "ping": "The ping that keeps the cache failed",
    "digest": "The request for the digest's paragraph failed",
    "judge": "A judge did not answer",
}
"""What failed, by the purpose of a side request."""

_SENTENCES: dict[str, Any] = {
    ApprovalAsked.KIND: _asked,
    ApprovalAnswered.KIND: _answered,
    HumanAsked.KIND: _questioned,
    HumanAnswered.KIND: _replied,
    ContextCompressed.KIND: _compressed,
    ContextPolicy.KIND: lambda body: ": ".join(filter(None, (f"Compression policy {body.policy}", body.reason))),
    ContextRestored.KIND: lambda body: f"Compression at #{body.seq} undone",
    HeadMoved.KIND: _moved,
    SessionForked.KIND: _forked,
    CommandDone.KIND: _done,
    RetryWaiting.KIND: lambda body: f"Trying again in {body.delay_s:,.0f} s (attempt {body.attempt + 1})",
    ModelSwitched.KIND: _switched,
    PlanChanged.KIND: _plan,
    PauseScheduled.KIND: lambda body: f"It will pause once {body.words}",
    CheckInsSet.KIND: _check_ins,
    CourseJudged.KIND: _course,
    CheckInMade.KIND: lambda body: f"Check-in: {body.text}",
    PauseUnscheduled.KIND: lambda body: "No pause is scheduled any more",
    PlanReassessed.KIND: _reassessed,
    RunnerRecovered.KIND: lambda body: "Recovered: " + "; ".join(body.findings),
    SessionContinued.KIND: lambda body: "Continued" + (f": {body.detail}" if body.detail else ""),
    SessionFinished.KIND: _finished_sentence,
    SessionPaused.KIND: _paused,
    BudgetCrossed.KIND: _crossed,
    AllowanceChanged.KIND: _allowance,
    DriverChanged.KIND: lambda body: f"{body.who} took the wheel" if body.taken else "",
    MachineSlept.KIND: lambda body: f"The machine slept for {lasted(body.us)}",
    ScreenLost.KIND: lambda body: f"The screen of {body.who} was lost",
    ScreenCame.KIND: lambda body: f"{body.who} looks again",
    BookmarkAdded.KIND: lambda body: f"Bookmark: {body.text}",
    ServerChanged.KIND: _server,
    HookFailed.KIND: lambda body: body.detail,
    ToolsOffered.KIND: _offered,
    WorkspaceChanged.KIND: _changed_by_others,
}
