"""A compression seen before it is made: read from the log, priced and counted, with nothing appended anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from core.agent.carriage import carrying_of, tariff_of
from core.agent.endpoints import endpoint_of
from core.agent.facts import Facts
from core.agent.thrift import Thrift
from core.clock import Clock
from core.config import Config, ConfigError
from core.economy.tariff import Tariff
from core.events import ContextCompressed
from core.folds.words import one_line
from core.journal.reader import Reader
from core.models.prices import price_row
from core.protocols import Preview
from core.request.compression import NothingToCompress, Wish
from core.request.entries import compression_of
from core.request.fidelity import facts as facts_to_keep
from core.request.pieces import Piece

READ_CHUNK = 2_000
TITLE = 80
"""Characters of the line that stands for a text which stays."""


def wish_for(instruction: str = "", evict: int | None = None) -> Wish:
    """A compression as the user may ask for it; with `evict`, of that one result alone."""
    if evict is not None:
        return Wish("evict", force=True, evicted=frozenset({evict}))
    return Wish(force=True, instruction=instruction)


def preview(folder: Path, config: Config, clock: Clock, environ: Mapping[str, str], wish: Wish) -> Preview:
    """What a compression would do to the session now; blocks for as long as reading its log takes.

    Raises JournalError when there is no session in the folder.
    """
    with Reader(folder) as reader:
        facts = Facts(reader.within)
        _read(reader, facts)
        thrift = priced_thrift(facts, config, clock, environ)
        try:
            plan = thrift.plan(replace(wish, paragraph=facts.state.paragraph or ""))
        except NothingToCompress as nothing:
            return _nothing(facts, thrift, str(nothing))
        return _told(facts, thrift, plan)


def _read(reader: Reader, facts: Facts) -> None:
    after = 0
    while batch := reader.events(after, READ_CHUNK):
        facts.apply_all(batch)
        after = batch[-1].seq


def priced_thrift(facts: Facts, config: Config, clock: Clock, environ: Mapping[str, str]) -> Thrift:
    """A session's thrift where no runner is: its settings, and the prices where they can be had from here."""
    opened = facts.state.opened
    try:
        endpoint = endpoint_of(opened, config, environ) if opened else None
    except ConfigError:
        endpoint = None
    caching = endpoint.cache if endpoint else "explicit"
    carrying = carrying_of(config.context, opened.settings if opened else {}, caching, config.routing.summaries)

    def tariff(model: str, sent: int) -> Tariff | None:
        if endpoint is None:
            return None
        return tariff_of(endpoint, price_row(endpoint, model, clock.now_us(), config.prices, sent=sent))

    return Thrift(facts, carrying, tariff, clock)


def _nothing(facts: Facts, thrift: Thrift, problem: str) -> Preview:
    tokens = thrift.prompt_tokens()
    turns = sum(piece.role == "assistant" for piece in facts.projection.sent.tail)
    return Preview(
        tokens_before=tokens,
        tokens_after=tokens,
        turns_leaving=0,
        turns_kept=turns,
        held=_titles(facts.projection.sent.stable),
        names=0,
        names_known=0,
        digest="",
        rest="",
        facts=(),
        keep_from=None,
        head=facts.state.head or 0,
        next_call=thrift.next_usd(),
        problem=problem,
    )


def _told(facts: Facts, thrift: Thrift, plan: ContextCompressed) -> Preview:
    sent = facts.projection.sent
    after = sent.compressed(compression_of(facts.state.last_seq + 1, plan))
    left = sum(piece.role == "assistant" for piece in after.tail)
    quote = plan.quote
    saves = Decimal(quote.saves_per_turn) if quote and quote.saves_per_turn else None
    turns, basis = facts.rent.turns_to_go()
    planned = turns if basis != "next calls" else None
    listed, known = facts.ledger.names_listed(plan.digest), facts.ledger.names_known()
    return Preview(
        tokens_before=plan.tokens_before,
        tokens_after=plan.tokens_after,
        turns_leaving=sum(piece.role == "assistant" for piece in sent.tail) - left,
        turns_kept=left,
        held=_titles(after.stable),
        names=listed,
        names_known=known,
        digest=plan.digest,
        rest="\n".join(text for piece in (*after.stable, *after.tail) for text in _texts(piece)),
        facts=tuple(facts_to_keep(facts.ledger)),
        keep_from=plan.keep_from,
        head=facts.state.head or 0,
        price=Decimal(quote.price) if quote and quote.price else None,
        next_call=thrift.next_usd(),
        saves_per_turn=saves,
        payback_turns=quote.payback_turns if quote else None,
        planned_turns=planned,
        saves=saves * planned - Decimal(quote.price or 0) if saves and planned and quote else None,
    )


def _titles(pieces: tuple[Piece, ...]) -> tuple[str, ...]:
    return tuple(one_line(next(_texts(piece), ""), TITLE) for piece in pieces)


def _texts(piece: Piece) -> Iterator[str]:
    """Every string that the model would read in a piece."""
    for block in piece.blocks:
        yield from _strings(msgspec.json.decode(block))


def _strings(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for name, item in value.items():
                if name not in ("type", "id", "tool_use_id", "signature"):
                    yield from _strings(item)
        case list():
            for item in value:
                yield from _strings(item)
