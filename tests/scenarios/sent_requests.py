"""What a session sent to its model, rebuilt from its journal, and what must hold for every session ever run."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from core.events import ModelRequested
from core.folds.branches import Branches
from core.folds.cache import UNEXPLAINED
from core.folds.fold import Dispatcher
from core.folds.view import SessionView
from core.journal.reader import Reader
from core.request.projection import Head, Projection

MARK = re.compile(rb',"cache_control":\{"type":"ephemeral"\}')
REWRITES = ("context.compressed", "context.restored", "head.moved", "model.switched")


class Sent(NamedTuple):
    """A request of the conversation: its bytes without markers, and whether a reply came."""

    key: str
    body: bytes
    rewritten: bool
    answered: bool


def sent_requests(folder: Path, thinking: int = 0) -> list[Sent]:
    """Every main request, checked against the hash that was logged when it went out."""
    branches = Branches()
    found: list[Sent] = []
    system, tools, rewritten = "", "", True
    with Reader(folder) as reader:
        projection = Projection(branches, reader.within)
        dispatch = Dispatcher([branches, projection])
        events = reader.events()
        answered = {event.key for event in events if event.kind == "model.responded"}
        for event in events:
            body = event.body
            rewritten |= event.kind in REWRITES
            if isinstance(body, ModelRequested) and body.purpose == "main":
                system, tools = body.system or system, body.tools or tools
                texts = [(reader.blob(name) or b"").decode() for name in (system, tools)]
                head = Head(
                    body.model, texts[0], tuple(json.loads(texts[1])), body.max_tokens, bool(body.marks), thinking
                )
                request = projection.rebuilt(head, body.marks)
                assert request.digest == body.body, f"{event.key} can't be rebuilt"
                assert len(request.body) == body.body_bytes
                found.append(Sent(event.key or "", MARK.sub(b"", request.body), rewritten, event.key in answered))
                rewritten = rewritten and event.key not in answered
            dispatch.apply(event)
    return found


def check_append_only(folder: Path) -> None:
    """Between compressions, rewinds and switches an answered request is the beginning of the next one's messages."""
    for before, after in pairwise([sent for sent in sent_requests(folder) if sent.answered]):
        if not after.rewritten:
            old, new = (sent.body[sent.body.index(b'"system":') :] for sent in (before, after))
            assert new.startswith(old.removesuffix(b"]}")), f"{after.key} does not go on where {before.key} ended"


def check_misses(folder: Path) -> None:
    """No miss of the cache is unexplained, but where a simulated server was started anew with its runner."""
    view = SessionView()
    with Reader(folder) as reader:
        events = reader.events()
    view.apply_all(events)
    attached = [event.seq for event in events if event.kind == "runner.attached"]
    replies = [event.seq for event in events if event.kind == "model.responded"]
    first = {next((seq for seq in replies if seq > start), 0) for start in attached}
    assert [miss for miss in view.cache.misses() if miss.cause == UNEXPLAINED and miss.seq not in first] == []
