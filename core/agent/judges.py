"""Models that are asked about the course of a session: is the step done, is the task, is this still about the task?

A verdict counts only where two different models give it; one that is not understood, or does not come, is none. What is
shown to them is data: the question is the only instruction.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from importlib import resources
from typing import Any, Literal, NamedTuple

import msgspec

from core.agent.anchoring import anchor_text
from core.agent.desk import Desk
from core.agent.purse import shortfall
from core.agent.turn import Model, unsaid
from core.config import ConfigError
from core.events import (
    CourseJudged,
    Draft,
    GuidanceDelivered,
    ModelConsulted,
    ModelFailed,
    ModelRequested,
    Price,
    Usage,
)
from core.folds.docket import Question
from core.models.assembly import Reply
from core.models.errors import ModelError
from core.request.pieces import BYTES_PER_TOKEN

JUDGE = "judge"
"""The purpose of these requests."""
REPLY_TOKENS = 400
PATIENCE_S = 60.0
"""Real time for one verdict: a judge that hangs holds nobody up."""
LONGEST_WHY = 300
ASKED = {
    "step": "Is step {subject} of the plan done, by what the calls show?",
    "done": "Is the whole task done, by what the calls show?",
    "drift": "Do the latest calls still serve the task, in any way?",
}
_OBJECT = re.compile(r"\{[^{}]*\}")


class Verdict(NamedTuple):
    """`yes`, `no`, or `unsure`, which is also what an answer that nobody understands comes to."""

    answer: Literal["yes", "no", "unsure"]
    why: str = ""


UNSURE = Verdict("unsure")
UNREADABLE = "no verdict could be read from what it answered"


class OverBudget(Exception):
    """A judge is not asked; why, in words."""


class Line(NamedTuple):
    """The way to a model: the wire, its name there, what a reply costs, and what one would cost in dollars.

    `forecast` takes the tokens of a request and of its reply; None where the prices are unknown.
    """

    wire: Model
    model: str
    price: Callable[[Reply], Price]
    forecast: Callable[[int, int], Decimal | None]


def read_verdict(text: str) -> Verdict:
    """The last JSON object in an answer that has an `answer`; anything else is unsure."""
    for found in reversed(_OBJECT.findall(text[-20_000:])):
        try:
            told = json.loads(found)
        except (ValueError, RecursionError):
            continue
        answer = str(told.get("answer", "")).strip().lower()
        if answer in ("yes", "no"):
            why = " ".join(str(told.get("why", "")).split())[:LONGEST_WHY]
            return Verdict("no", why) if answer == "no" else Verdict("yes", why)
    return UNSURE


class Judges:
    """`models`: names of the configuration, asked in turn until one does not say no. `line` opens the way to one."""

    def __init__(
        self, desk: Desk, models: Sequence[str], line: Callable[[str], AbstractAsyncContextManager[Line]]
    ) -> None:
        self._desk = desk
        self._models = models
        self._line = line

    @property
    def sit(self) -> bool:
        """Whether there are enough of them to come to anything."""
        return len(self._models) > 1

    async def judge(self, question: Question) -> None:
        """Ask, and write down what came of it; what follows from a no of two models goes to the agent."""
        body = question_text(self._desk, question)
        asked: list[str] = []
        verdicts: list[Verdict] = []
        for model in self._models[:2]:
            try:
                verdicts.append(await self._ask(model, body))
                asked.append(model)
            except (OverBudget, ConfigError) as error:
                verdicts.append(Verdict("unsure", f"{model} was not asked: {error}"))
            if verdicts[-1].answer != "no":
                break
        judged = _judged(question, asked, verdicts)
        drafts = [Draft(judged, key=f"j{self._desk.facts.docket.judged + 1}", actor="system")]
        if judged.verdict == "no" and question.about == "step":
            text = step_notice(question.subject, judged.why)
            notice = GuidanceDelivered(text=text, source="guard", usd=self._desk.thrift.usd_of(text))
            drafts.append(Draft(notice, actor="system"))
        await self._desk.append(*drafts)

    async def _ask(self, name: str, question: str) -> Verdict:
        """The verdict of one model; written down like any request, for it costs something.

        Raises OverBudget where a limit of the session would be passed by it.
        """
        key = f"{JUDGE}{self._desk.facts.state.sides + 1}.1"
        async with self._line(name) as (wire, model, price, forecast):
            body = request_of(model, question)
            usd = forecast(len(body) // BYTES_PER_TOKEN, REPLY_TOKENS)
            if why := shortfall(self._desk.facts, self._desk.clock.now_us(), usd):
                raise OverBudget(why)
            await self._desk.append(Draft(_requested(model, len(body)), key=key))
            try:
                async with asyncio.timeout(PATIENCE_S):
                    reply = await wire.stream([body], lambda delta: None)
            except (ModelError, TimeoutError) as error:
                sort = str(error.error_class) if isinstance(error, ModelError) else "stalled"
                failed = ModelFailed(error=sort, message=str(error) or "the judge took too long")
                await self._desk.append(Draft(failed, key=key))
                return Verdict("unsure", f"{name} did not answer: {failed.message}")
            except asyncio.CancelledError:
                await self._desk.append(Draft(ModelFailed(error="interrupted", message="cut"), key=key))
                raise
            text = "".join(str(block.get("text", "")) for block in reply.content if block.get("type") == "text")
            verdict, usage = read_verdict(text), reply.usage or Usage()
            told = ModelConsulted(
                model=reply.model or model,
                text=text[:2_000],
                stop_reason=reply.stop_reason,
                usage=usage,
                price=price(reply),
                raw_usage=unsaid(reply.raw_usage, usage),
                ms=reply.ms,
                used=verdict.answer != "unsure",
                detail="" if verdict.answer != "unsure" else UNREADABLE,
            )
            await self._desk.append(Draft(told, key=key))
        return verdict if verdict.answer != "unsure" else Verdict("unsure", f"{UNREADABLE} ({name})")


def _judged(question: Question, asked: list[str], verdicts: list[Verdict]) -> CourseJudged:
    """What answers, given in turn, come to: `no` takes two of them, else the last one counts."""
    against = [verdict.why for verdict in verdicts if verdict.answer == "no"]
    agreed = len(against) == 2
    return CourseJudged(
        about=question.about,
        subject=question.subject,
        verdict="no" if agreed else verdicts[-1].answer,
        why=" / ".join(dict.fromkeys(filter(None, against if agreed else [verdicts[-1].why]))),
        models=asked,
    )


def question_text(desk: Desk, question: Question) -> str:
    """What a judge is shown, with the question at its end."""
    facts = desk.facts
    plan = facts.plan.at()
    steps = (
        [f"{step.id}. [{step.status}] {step.intent}; check: {step.check or '-'}" for step in plan.steps] if plan else []
    )
    asked = ASKED[question.about].format(subject=question.subject)
    parts = (
        ("task", anchor_text(facts)),
        ("plan", "\n".join(steps) or "none"),
        ("calls", "\n".join(facts.docket.calls) or "none"),
        ("last-words", facts.docket.said or "none"),
    )
    return "\n\n".join([*(f"<{name}>\n{text}\n</{name}>" for name, text in parts), asked])


def request_of(model: str, question: str) -> bytes:
    """The whole request, no tool and no cache in it."""
    system = resources.files("core.agent").joinpath("judge.md").read_text(encoding="utf-8").strip()
    messages = [{"role": "user", "content": question}]
    body: dict[str, Any] = {"model": model, "max_tokens": REPLY_TOKENS, "stream": True, "system": system}
    return msgspec.json.encode(body | {"messages": messages})


def step_notice(step: str, why: str) -> str:
    return (
        f"Automatic notice, not from the user: by two models that read the log, step {step} is not done yet"
        f"{f': {why}' if why else '.'}\nLook at the real state. Do what is missing, or say in the plan why it is done."
    )


def _requested(model: str, size: int) -> ModelRequested:
    return ModelRequested(
        model=model,
        body="",
        body_bytes=size,
        messages=1,
        marks=[],
        max_tokens=REPLY_TOKENS,
        prompt_version="",
        parts={},
        purpose=JUDGE,
    )
