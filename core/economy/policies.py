"""The policies, priced over a workload. All of them go through one till, so that their bills can be compared."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol

from core.economy.billing import Bill, Till
from core.economy.context import DEFAULT_SHAPE, Context, Shape
from core.economy.rule import (
    DEFAULT_RULE,
    REREAD_CALL,
    REREAD_TOKENS,
    REREADS,
    Moment,
    Rule,
    due,
    pays_to_ping,
    rent_usd,
)
from core.economy.tariff import Tariff
from core.economy.workload import Workload

INSTRUCTION, STUB, LATEST = 200, 20, 40
"""Tokens of the request for a summary, and of what stands in for a masked result; turns that tell the growth."""


class Policy(Protocol):
    """Decides before each request what it still carries."""

    def prepare(self, context: Context, till: Till) -> None:
        """Changes the context before it is sent."""
        ...

    def pays_to_ping(self, context: Context, till: Till, pings: int) -> bool:
        """Whether to refresh the cache of a session that waits."""
        ...


def simulate(workload: Workload, policy: Policy, tariff: Tariff) -> Bill:
    """The bill of a workload under a policy that has not been used yet."""
    context, till = Context(workload.system), Till(tariff)

    def pays(pings: int) -> bool:
        return policy.pays_to_ping(context, till, pings)

    for turn in workload.turns:
        if context.turns:
            till.wait(context.turns[-1].gap_s, pays)
            policy.prepare(context, till)
        till.bill.fresh += context.fresh
        till.send(context.prompt, context.shared, turn.output)
        till.bill.curve.append(till.bill.total)
        context.answered(turn)
    return till.bill


def compress(context: Context, till: Till, shape: Shape) -> None:
    """A compression, and the re-read that is to be expected after it."""
    context.compress(shape)
    till.send_again(REREADS, context.prompt, REREAD_CALL)
    context.reread(REREAD_TOKENS)
    till.bill.compressions += 1


def consult_usd(prompt: int, answer: int, tariff: Tariff) -> float:
    """Asking the model about its whole context, from the cache."""
    return answer * tariff.output + prompt * tariff.read + INSTRUCTION * tariff.write


class Off:
    """Nothing ever leaves."""

    def prepare(self, context: Context, till: Till) -> None:
        """Nothing."""

    def pays_to_ping(self, context: Context, till: Till, pings: int) -> bool:
        return False


@dataclass
class Auto(Off):
    """The rent rule with a digest from the log.

    `paragraph`: tokens that a model adds to the digest while the cache is warm, 0 for none. `limit`: the prompt beyond
    which a compression is forced.
    """

    rule: Rule = DEFAULT_RULE
    shape: Shape = DEFAULT_SHAPE
    paragraph: int = 0
    limit: int | None = None
    meter: float = field(default=0.0, init=False)
    written: int = field(default=0, init=False)
    """Tokens of the paragraph in the digest."""

    def prepare(self, context: Context, till: Till) -> None:
        moment = self._moment(context, till, context.prompt)
        self.meter += rent_usd(moment, till.tariff)
        if context.leaving(self.shape.keep) < 1:
            return
        forced = self.limit is not None and moment.floor < context.prompt > self.limit
        if forced or due(replace(moment, meter=self.meter), till.tariff, self.rule):
            self.written = self._paragraph(till)
            if self.written:
                till.consult(context.prompt, INSTRUCTION, context.shared, self.written)
            compress(context, till, self._shape())
            self.meter = 0.0

    def pays_to_ping(self, context: Context, till: Till, pings: int) -> bool:
        unknown = context.turns[-1].result
        moment = self._moment(context, till, context.prompt - unknown)
        return pays_to_ping(replace(moment, floor=moment.floor - unknown), pings, till.tariff, self.rule)

    def _moment(self, context: Context, till: Till, prompt: int) -> Moment:
        latest = context.turns[-LATEST:]
        paragraph = self._paragraph(till)
        tail = tuple(turn.size for turn in context.turns[-self.shape.keep :])
        return Moment(
            prompt=prompt,
            floor=context.floor(self.shape) + paragraph,
            readable=context.system + context.ledger,
            meter=self.meter,
            warm=till.warm,
            extra_usd=consult_usd(prompt, paragraph, till.tariff) if paragraph else 0.0,
            tail=tail,
            growth=sum(turn.size for turn in latest) / len(latest),
        )

    def _paragraph(self, till: Till) -> int:
        """A model is asked only while it can read the past from the cache."""
        return self.paragraph if till.warm else 0

    def _shape(self) -> Shape:
        return replace(self.shape, digest=self.shape.digest + self.written)


@dataclass
class Summarize(Off):
    """A summary by the model, replaced whole: every `period` turns, or when the prompt exceeds `trigger` tokens."""

    keep: int = 25
    summary: int = 3_000
    period: int | None = None
    trigger: int | None = None

    def prepare(self, context: Context, till: Till) -> None:
        leaving = context.leaving(self.keep)
        full = self.trigger is not None and context.prompt > self.trigger
        if leaving >= 1 and (full or (self.period is not None and leaving >= self.period)):
            till.consult(context.prompt, INSTRUCTION, context.shared, self.summary)
            compress(context, till, Shape(self.keep, self.summary, 0))


@dataclass
class Window(Off):
    """The first `anchors` and the latest turns, `turns` in all, anew for each request."""

    turns: int = 100
    anchors: int = 1

    def prepare(self, context: Context, till: Till) -> None:
        context.slide(self.anchors, max(1, self.turns - self.anchors))


@dataclass
class Mask(Off):
    """Tool results older than `keep` turns become stubs, `batch` at a time."""

    keep: int = 10
    batch: int = 20
    masked: int = field(default=0, init=False)

    def prepare(self, context: Context, till: Till) -> None:
        old = len(context.turns) - self.keep
        if old - self.masked >= self.batch:
            context.mask(self.masked, old, STUB)
            self.masked = old
            till.bill.compressions += 1
