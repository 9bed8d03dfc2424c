"""What has left the request stays in the log alone: nothing of it is kept, and going back sends the same bytes."""

import gc
import tracemalloc

import logbook
from hypothesis import given, settings
from logbook import Logbook, sessions
from msgspec.structs import replace

from core.agent.facts import Facts, UseIds
from core.events import ContextRestored, HeadMoved, ToolFinished
from core.folds.asking import calls_of
from core.folds.branches import Branches
from core.folds.fold import Dispatcher
from core.request.archive import Remembered
from core.request.compression import Keeping, Wish, plan_compression
from core.request.digest import LATEST
from core.request.entries import entry_of, result_block, results_of
from core.request.pieces import resolve
from core.request.projection import Head, Projection

HEAD = Head("m", "You work.", (), 1000)
WORDS = 20_000
"""Characters of a result in a long session."""
MOST_A_TURN = 1_500
"""Bytes that a runner may keep of a turn with one call which has left the request."""


def whole_history(log, branches):
    """What the branch of a log sends, from all its words at once."""
    spans, entries, open_calls = branches.spans(), [], {}
    for event in log.events:
        if event.kind == "head.moved":
            open_calls = {}
        elif isinstance(event.body, ToolFinished):
            if event.body.use_id in open_calls:
                open_calls[event.body.use_id] = event.seq, result_block(event.body)
                if all(open_calls.values()):
                    entries.append(results_of(*zip(*open_calls.values(), strict=True)))
                    open_calls = {}
        elif entry := entry_of(event):
            entries.append(entry)
            if event.kind == "model.responded":
                open_calls = {call.use_id: None for call in calls_of(event.key, event.body)}
    return resolve([entry for entry in entries if any(first <= entry.seq <= last for first, last in spans)])


@settings(max_examples=100, deadline=None)
@given(sessions(longest=20))
def test_what_is_sent_is_what_the_whole_history_comes_to(log):
    branches, remembered, seen = Branches(), Remembered(), Logbook()
    projection = Projection(branches, remembered.read)
    feed = Dispatcher([remembered, branches, projection])
    seen.events = []
    for event in log.events:
        seen.events.append(event)
        feed.apply(event)
        assert projection.sent.pieces == whole_history(seen, branches).pieces


class Long:
    """A runner's facts in a session of turns with long results; its log is an archive that says what was read again.

    The log makes the words of a result anew whenever it is asked, so it holds none of them.
    """

    def __init__(self):
        self._rows, self.read = [], []
        self.facts = Facts(self.archive)
        self._take(Logbook("Read it all.").events[0])

    def archive(self, spans, kinds):
        for first, last in spans:
            for event in self._rows[first - 1 : last]:
                if event.kind in kinds:
                    self.read.append(event.seq)
                    yield self._with_words(event)

    def turns(self, count):
        for _ in range(count):
            log = Logbook()
            log.requests, log.events = len(self._rows), list(self._rows)
            log.head, log.at_us = self.facts.state.head, log.at_us + len(self._rows) * 1_000_000
            attempt = log.reply(("read_file", {"path": f"f{len(self._rows)}.py"}))
            log.start(attempt, 0, "read_file", {"path": f"f{len(self._rows)}.py"})
            log.finish(attempt, 0, "read_file", "")
            for event in log.events[len(self._rows) :]:
                self._take(event)

    def add(self, body):
        log = Logbook()
        log.events, log.head = list(self._rows), self.facts.state.head
        event = log.add(body)
        self._take(event)
        return event

    def compress(self):
        keeping = Keeping(keep_turns=4, digest_tokens=500)
        return self.add(plan_compression(self.facts.projection, self.facts.ledger, keeping, Wish(force=True)))

    def request(self):
        return self.facts.projection.request(HEAD)

    def _take(self, event):
        self._rows.append(event)
        self.facts.apply(self._with_words(event))

    def _with_words(self, event):
        if not isinstance(event.body, ToolFinished):
            return event
        return replace(event, body=replace(event.body, content=f"{event.seq} ".ljust(WORDS, ".")))


def test_no_words_of_what_left_the_request_stay_in_memory():
    session, held = Long(), []
    tracemalloc.start()
    try:
        for _ in range(3):
            session.turns(60)
            session.compress()
            held.append(allocated())
    finally:
        tracemalloc.stop()
    assert len(session.read) <= 3 * 2 * LATEST
    assert (held[2] - held[1]) / 60 < MOST_A_TURN
    assert len(session.request().body) < 6 * WORDS


def allocated():
    """Bytes held now, but for those of the log that the test keeps."""
    gc.collect()
    log = [tracemalloc.Filter(False, logbook.__file__), tracemalloc.Filter(False, tracemalloc.__file__)]
    return sum(trace.size for trace in tracemalloc.take_snapshot().filter_traces(log).traces)


def test_an_undo_long_afterwards_reads_what_is_sent_again_and_nothing_else():
    session = Long()
    session.turns(30)
    session.compress()
    session.turns(30)
    before = bare(session)
    second = session.compress()
    session.turns(1)
    session.read.clear()
    session.add(ContextRestored(seq=second.seq))
    assert bare(session).startswith(before.removesuffix(b"]}"))
    tail = {owner for piece in session.facts.projection.sent.tail for owner in piece.owners or (piece.seq,)}
    changes = {event.seq for event in session._rows if event.kind in ("context.compressed", "context.restored")}
    assert set(session.read) == tail | changes | {1}


def test_a_rewind_across_compressions_sends_the_bytes_of_then():
    session, then = Long(), []
    for _ in range(3):
        session.turns(20)
        then.append((session.facts.state.head, bare(session)))
        session.compress()
    for node, body in reversed(then):
        session.add(HeadMoved(to=node, origin=session.facts.state.head, reason="rewind"))
        assert bare(session) == body


def test_an_id_is_known_as_used_however_long_ago():
    used, log = UseIds(), Logbook()
    for _ in range(300):
        log.reply(("plan", {}), ("plan", {}))
    for event in log.events:
        if handler := used.handlers().get(event.kind):
            handler(event)
    ids = [block["id"] for event in log.events if event.kind == "model.responded" for block in event.body.content[1:]]
    assert len(ids) == 600
    assert all(id in used for id in ids)
    assert not any(f"{id}0" in used for id in ids)


def bare(session):
    return session.request().body.replace(b',"cache_control":{"type":"ephemeral"}', b"")
