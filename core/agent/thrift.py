"""Thrift: what the next request costs, and whether a compression or a ping pays. Facts and prices put into rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal

import msgspec

from core.agent.facts import Facts
from core.agent.purse import shortfall
from core.clock import MICROSECONDS, Clock
from core.economy.rule import Moment, Rule, compression_usd, due, pays_to_ping
from core.economy.tariff import Tariff
from core.events import ContextCompressed, Outlook, Quote
from core.request.compression import Keeping, Scale, Wish, due_by_count, floor_tokens, plan_compression, turn_tokens
from core.request.pieces import tokens_of
from core.request.projection import Request

RATIOS = Tariff(input=1.0, output=3.0, read=0.1, write=1.25, ttl_s=300.0)
"""Stands in where prices are unknown: the rule needs only how they stand to each other."""

FUTILE_IN_A_ROW = 2
LATEST = 40
"""Turns that tell how fast a session grows."""
PARAGRAPH_TOKENS = 500
"""What a paragraph is reckoned to come to."""
PARAGRAPH_AT = 0.7
"""The share of the rent at which a paragraph for the coming digest is asked for."""


@dataclass(frozen=True, slots=True)
class Carrying:
    """How a session's context is carried: the policy it was started with and its settings.

    `usual` stands in for prices that are unknown.
    """

    policy: str = "auto"
    keeping: Keeping = field(default_factory=Keeping)
    rule: Rule = field(default_factory=Rule)
    usual: Tariff = RATIOS
    paragraph: bool = False
    paragraph_model: str | None = None
    anchor_every: int = 40_000


class Thrift:
    """`tariff` gives the prices of a model for a prompt of so many tokens, None where they are unknown."""

    def __init__(
        self, facts: Facts, carrying: Carrying, tariff: Callable[[str, int], Tariff | None], clock: Clock
    ) -> None:
        self._facts = facts
        self.carrying = carrying
        self._tariff = tariff
        self._clock = clock

    @property
    def policy(self) -> str:
        """The policy in force: what was chosen for this session, else as configured."""
        return self._facts.state.policy or self.carrying.policy

    @property
    def scale(self) -> Scale:
        return Scale(self._facts.state.fixed, self._facts.window.ratio)

    def prompt_tokens(self, fixed: int | None = None) -> int:
        """The next prompt, in the provider's tokens; `fixed`: their estimate where system and tools are known anew."""
        facts = self._facts
        fixed = facts.state.fixed if fixed is None else fixed
        return facts.window.tokens(fixed + sum(facts.projection.parts.values()))

    def rates(self) -> Tariff:
        """The prices, or where they are unknown or nothing costs anything, how such prices usually relate."""
        tariff = self.price_list()
        return tariff if tariff is not None and tariff.input else self.carrying.usual

    def price_list(self, model: str | None = None) -> Tariff | None:
        return self._tariff(model or self._facts.state.model, self.prompt_tokens())

    @property
    def warm(self) -> bool:
        """Whether the last request's prefix should still be cached."""
        tariff, since = self.rates(), self._facts.state.requested_us
        if tariff.ttl_s is None or not since:
            return False
        return self._clock.now_us() - since < tariff.ttl_s * MICROSECONDS

    @property
    def moment(self) -> Moment:
        """Where the session stands before its next request, whose own rent is in the meter already."""
        facts, scale, keeping = self._facts, self.scale, self.carrying.keeping
        tariff = self.rates()
        prompt, floor = self.prompt_tokens(), scale.tokens(floor_tokens(facts.projection, keeping))
        turns = [tokens * scale.ratio for tokens in turn_tokens(facts.projection, max(LATEST, keeping.keep_turns))]
        return Moment(
            prompt=prompt,
            floor=floor,
            readable=scale.tokens(facts.projection.stable_tokens),
            meter=(facts.recent.excess + max(0, prompt - floor)) * tariff.read,
            warm=self.warm,
            tail=tuple(round(tokens) for tokens in turns[-keeping.keep_turns :]),
            growth=sum(turns[-LATEST:]) / len(turns[-LATEST:]) if turns else 0.0,
        )

    def due(self) -> str | None:
        """Why the policy wants a compression before the next request; None when it does not."""
        if self.policy == "auto":
            if not self._facts.recent.replies:
                return None
            return due(self.moment, self.rates(), self.carrying.rule)
        return due_by_count(self._facts.projection, self.policy, self.carrying.keeping)

    @property
    def spiralling(self) -> bool:
        """Whether automatic compressions free too little, one after the other."""
        return self._facts.recent.futile >= FUTILE_IN_A_ROW and self.policy != "off"

    def ttl_s(self) -> float | None:
        """How long the cache lives, in seconds; None where there is none."""
        return self.rates().ttl_s

    def lacks_paragraph(self) -> bool:
        """Whether the summary that the policy `summarize` is made of has yet to be asked for."""
        lacks = self.policy == "summarize" and self._facts.state.paragraph is None and self.warm
        return lacks and self._within_means(PARAGRAPH_TOKENS)

    def _within_means(self, output: int) -> bool:
        """Whether no limit is passed by the whole context sent once more, for a reply of so many tokens."""
        tariff = self.price_list()
        usd = tariff.prompt_usd(self.prompt_tokens(), self._cached(None)) + output * tariff.output if tariff else None
        return not shortfall(self._facts, self._clock.now_us(), usd)

    def paragraph_model(self) -> str | None:
        """The cheaper model where it is computed to cost less than the session's own with its cache; else None."""
        other = self.carrying.paragraph_model
        own, cheap = self.price_list(), self.price_list(other) if other else None
        if own is None or cheap is None:
            return None
        prompt = self.prompt_tokens()
        here = prompt * own.read + PARAGRAPH_TOKENS * own.output
        return other if prompt * cheap.input + PARAGRAPH_TOKENS * cheap.output < here else None

    @property
    def doubled(self) -> bool:
        """Whether compressions that the guard switched off may help again."""
        gave_up_at = self._facts.state.gave_up_at
        return bool(gave_up_at) and self.prompt_tokens() >= 2 * gave_up_at

    def wants_paragraph(self) -> bool:
        """Whether a model is to write a paragraph for the coming digest, while there is time."""
        wanted = self.carrying.paragraph or self.policy == "summarize"
        if not wanted or self._facts.state.paragraph is not None or self.policy not in ("auto", "summarize"):
            return False
        moment, tariff = self.moment, self.rates()
        price = compression_usd(moment, tariff)
        near = moment.warm and moment.meter >= PARAGRAPH_AT * self.carrying.rule.alpha * price
        return near and self._within_means(PARAGRAPH_TOKENS)

    def pays_to_ping(self, pings: int) -> bool:
        """Whether one more ping would be cheaper than to let the cache expire, and no limit is passed by it.

        Only where the next request begins with all of this one: other policies than these write much of it anew anyway.
        """
        if self.policy not in ("auto", "off") or not self.carrying.rule.keep_alive:
            return False
        tariff = self.rates()
        rule = replace(self.carrying.rule, cold=self.carrying.rule.cold and self.policy == "auto")
        pays = tariff.ttl_s is not None and pays_to_ping(self.moment, pings, tariff, rule)
        return pays and self._within_means(1)

    def usd_of(self, text: str) -> str | None:
        """What a text costs to be written to the cache once; None where prices are unknown."""
        tariff = self.price_list()
        return dollars(tokens_of(text) * self._facts.window.growth_ratio * tariff.write) if tariff else None

    def plan(self, wish: Wish) -> ContextCompressed:
        """A compression with its quote. Raises NothingToCompress."""
        facts, fixed = self._facts, self._facts.state.fixed
        estimate = fixed + sum(facts.projection.parts.values())
        scale = Scale(fixed, self.prompt_tokens() / max(1, estimate))  # so that "before" is the context as it is shown
        plan = plan_compression(facts.projection, facts.ledger, self.carrying.keeping, wish, scale)
        return msgspec.structs.replace(plan, quote=self.quote(plan))

    def quote(self, plan: ContextCompressed) -> Quote:
        """What a planned compression costs and saves."""
        tariff = self.price_list()
        if tariff is None:
            return Quote()
        readable = self.scale.tokens(self._facts.projection.stable_tokens)
        moment = Moment(plan.tokens_before, plan.tokens_after, readable, 0.0, self.warm)
        price = compression_usd(moment, tariff)
        saves = (plan.tokens_before - plan.tokens_after) * tariff.read
        payback = price / saves if saves > 0 else None
        return Quote(price=dollars(price), saves_per_turn=dollars(saves), payback_turns=payback)

    def outlook(self, request: Request) -> Outlook:
        """What is known about a request before it goes out."""
        tariff, moment = self.price_list(), self.moment
        rules, readable = self.rates(), self._cached(request.changed_at)
        return Outlook(
            floor=moment.floor,
            compression_usd=dollars(compression_usd(moment, tariff)) if tariff else None,
            warm_usd=self._forecast(tariff, tariff.prompt_usd(moment.prompt, readable)) if tariff else None,
            cold_usd=self._forecast(tariff, tariff.prompt_usd(moment.prompt, 0)) if tariff else None,
            readable=readable,
            changed_at=request.changed_at,
            ttl_s=None if rules.ttl_s is None else int(rules.ttl_s),
            minimum=rules.minimum,
        )

    def _cached(self, changed_at: int | None) -> int:
        """Tokens that a cache which has not expired gives back: all that was answered, or what is still the same."""
        facts = self._facts
        if not facts.state.requested_us:
            return 0
        estimated = facts.state.fixed + facts.projection.readable_tokens(changed_at)
        return min(self.prompt_tokens(), facts.window.tokens(estimated))

    def _forecast(self, tariff: Tariff, prompt_usd: float) -> str:
        """A request whose prompt costs so much, with the reply that is to be expected."""
        return dollars(prompt_usd + self._facts.rent.reply_tokens(prompt_usd, tariff.output) * tariff.output)

    def cold_usd(self, tariff: Tariff) -> str:
        """About what the next request would cost at these prices with nothing of it in a cache."""
        return self._forecast(tariff, tariff.prompt_usd(self.prompt_tokens(), 0))

    @property
    def expired(self) -> bool:
        """Whether the cache is known to hold nothing any more."""
        return self.rates().ttl_s is not None and not self.warm

    def next_usd(self) -> Decimal | None:
        """About what the next request will cost, as it is shown everywhere; None where prices are unknown.

        Before a model's first reply nothing of its prompt can be in a cache.
        """
        shown, tariff = self._facts.rent.next_call.last.usd(expired=self.expired), self.price_list()
        if shown is not None or tariff is None:
            return shown
        return Decimal(self._forecast(tariff, tariff.prompt_usd(self.prompt_tokens(), 0)))


def dollars(usd: float) -> str:
    """A computed amount as the log keeps it: plain decimals, a millionth of a dollar exact."""
    return f"{usd:.6f}"
