"""Sessions whose requests have an outlook and whose replies have a price, for tests of the folds that count money."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from logbook import Logbook

from core.events import (
    ContextCompressed,
    ContextRestored,
    HeadMoved,
    ModelConsulted,
    ModelFailed,
    ModelRequested,
    ModelResponded,
    Outlook,
    PlanChanged,
    PlanStep,
    Price,
    Usage,
)

ROW = {"input": "2.5", "output": "7.5", "cache_read": "0.25", "cache_write": "3.125", "cache_write_1h": "5"}
TTL_S = 300
STEPS = ("turn", "turn", "turn", "odd", "aside", "fail", "compress", "restore", "move", "plan")


def listed(usage: Usage) -> Decimal:
    """Dollars at the prices of `ROW`."""
    prompt = usage.fresh * Decimal("2.5") + usage.cache_read * Decimal("0.25")
    written = usage.cache_write_5m * Decimal("3.125") + usage.cache_write_1h * 5
    return (prompt + written + usage.output * Decimal("7.5")) / 1_000_000


def priced(usage: Usage, cost: str | None = None, source: str = "list", row: dict[str, str] | None = None) -> Price:
    return Price(cost=str(listed(usage)) if cost is None else cost, source=source, row=ROW if row is None else row)


class Spender(Logbook):
    """A logbook whose main requests cost money."""

    sides = 0

    def ask(
        self, sent: int, *, after_s: float = 10.0, model: str = "m", system: str = "s", attempt: int = 1, **outlook: Any
    ) -> str:
        """A main request of about so many tokens; its key."""
        self.requests += attempt == 1
        key = f"r{self.requests}.{attempt}"
        known = {"floor": 6_000, "compression_usd": "0.02", "readable": sent, "ttl_s": TTL_S, "minimum": 1_024}
        body = ModelRequested(
            model=model,
            body="b",
            body_bytes=4 * sent,
            messages=2,
            marks=outlook.pop("marks", [0]),
            max_tokens=1_000,
            prompt_version="v",
            parts={"system": sent // 10, "tools": sent // 10, "text": sent // 4, "results": sent // 2},
            system=system,
            tools=outlook.pop("tools", "t"),
            window=100_000,
            outlook=Outlook(**{**known, **outlook}),
        )
        self.add(body, key, after_s=after_s)
        return key

    def answer(self, key: str, sent: int, read: int, price: Price | None = None, output: int = 200) -> None:
        """The reply to it; what was not read from the cache was written to it."""
        usage = Usage(cache_read=read, cache_write_5m=sent - read, output=output)
        body = ModelResponded(
            message_id=key,
            model="m",
            content=[{"type": "text", "text": "Next."}],
            stop_reason="end_turn",
            usage=usage,
            price=price or priced(usage),
        )
        self.add(body, key, after_s=1.0)

    def spend(self, sent: int, read: int, **asked: Any) -> None:
        """A request and its reply."""
        self.answer(self.ask(sent, **asked), sent, read)

    def aside(self, purpose: str, usage: Usage, after_s: float = 10.0, price: Price | None = None) -> None:
        """A side request and its reply."""
        self.sides += 1
        key = f"{purpose}{self.sides}.1"
        request = ModelRequested(
            model="m", body="b", body_bytes=1, messages=1, marks=[0], max_tokens=1, prompt_version="v", parts={},
            purpose=purpose,
        )  # fmt: skip
        self.add(request, key, after_s=after_s)
        reply = ModelConsulted(model="m", text="", stop_reason="end_turn", usage=usage, price=price or priced(usage))
        self.add(reply, key, after_s=1.0)

    def break_off(self, key: str, usage: Usage | None) -> None:
        """The other outcome of a request; what it was known to have cost."""
        price = None if usage is None else priced(usage)
        self.add(ModelFailed(error="overloaded", message="busy", usage=usage, price=price), key)

    def compress(self, **fields: Any) -> int:
        """A compression to nothing but a digest; its seq."""
        body = ContextCompressed(
            policy="auto",
            reason="rent",
            digest="digest",
            keep_from=fields.pop("keep_from", None),
            tokens_before=20_000,
            tokens_after=6_000,
            **fields,
        )
        return self.add(body).seq

    def plan(self, done: int, total: int = 4) -> None:
        """A plan of which so many steps are done."""
        status = ["done" if index < done else "todo" for index in range(total)]
        self.add(PlanChanged(steps=[PlanStep(id=str(i), intent="x", status=s) for i, s in enumerate(status)]))  # type: ignore[arg-type]


@st.composite
def spendings(draw: st.DrawFn, longest: int = 16) -> Spender:
    """Random sessions of paid replies, side requests, broken replies, compressions, their undoing, and rewinds."""
    log = Spender()
    compressions: list[int] = []
    nodes = [1]
    counts = st.integers(0, 30_000)
    for _step in range(draw(st.integers(1, longest))):
        match draw(
            st.sampled_from(["turn", "turn", "turn", "odd", "aside", "fail", "compress", "restore", "move", "plan"])
        ):
            case "turn":
                sent = draw(st.integers(1_000, 60_000))
                log.spend(
                    sent,
                    draw(st.integers(0, sent)),
                    after_s=draw(st.sampled_from([5.0, 400.0])),
                    warm_usd="0.01",
                    cold_usd="0.05",
                )
                nodes.append(log.head or 1)
            case "odd":
                usage = Usage(fresh=draw(counts), cache_write_1h=draw(counts), output=draw(counts))
                price = draw(
                    st.sampled_from(
                        [Price(), priced(usage, "0.123"), priced(usage, "0.3", "provider", {}), priced(usage, "0")]
                    )
                )
                log.answer(log.ask(9_000), 9_000, 0, price)
                nodes.append(log.head or 1)
            case "aside":
                purpose = draw(st.sampled_from(["ping", "digest", "judge"]))
                log.aside(purpose, Usage(cache_read=draw(counts), fresh=3, output=1))
            case "fail":
                log.break_off(log.ask(5_000), draw(st.sampled_from([None, Usage(cache_read=900, output=7)])))
            case "compress":
                compressions.append(log.compress(ledger="what happened"))
            case "restore" if compressions:
                log.add(ContextRestored(seq=draw(st.sampled_from(compressions))))
            case "move":
                log.add(HeadMoved(to=draw(st.sampled_from(nodes)), origin=log.head or 1, reason="rewind"))
            case "plan":
                log.plan(draw(st.integers(0, 4)))
    return log
