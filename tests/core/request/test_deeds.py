"""Which calls and files a digest tells of, on any branch, at a cost that does not grow with the session."""

import tracemalloc

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from logbook import Logbook, sessions
from request_folds import ledger_of

from core.events import FileChange
from core.folds.branches import Branches
from core.folds.fold import Dispatcher
from core.request.digest import digest_text


def changing(log):
    """The same log, where every finished call changed one of a few files."""
    for place, event in enumerate(log.events):
        if event.kind == "tool.finished":
            change = FileChange(path=f"{place % 4}.py", before="a", after="b", added=place, removed=0)
            log.events[place] = msgspec.structs.replace(event, body=msgspec.structs.replace(event.body, files=[change]))
    return log


def visible(log, kind):
    branches = Branches()
    feed = Dispatcher([branches])
    for event in log.events:
        feed.apply(event)
    spans = branches.spans()
    return [e for e in log.events if e.kind == kind and any(first <= e.seq <= last for first, last in spans)]


@settings(max_examples=80, deadline=None)
@given(sessions(longest=20), st.data())
def test_turns_latest_calls_and_changed_files_are_those_of_the_branch(log, data):
    log = changing(log)
    ledger = ledger_of(log)
    before = data.draw(st.one_of(st.none(), st.integers(0, log.events[-1].seq + 1)))
    most = data.draw(st.integers(1, 6))
    finished = [e for e in visible(log, "tool.finished") if before is None or e.seq < before]
    replies = [e for e in visible(log, "model.responded") if before is None or e.seq < before]
    assert ledger.turns(before) == len(replies)
    assert [deed.seq for deed in ledger.deeds.latest(before, most)] == [e.seq for e in finished[-most:]]
    last = {e.body.files[0].path: e.seq for e in finished}
    assert {change.path: change.seq for change in ledger.deeds.changed(before)} == last
    assert [change.seq for change in ledger.deeds.changed(before)] == sorted(last.values())


def test_a_digest_of_a_long_session_takes_no_more_memory_than_one_of_a_short_one():
    def peak(calls):
        log = Logbook()
        for _ in range(calls):
            log.turn(("edit_file", {"path": "a.py"}))
        ledger = ledger_of(changing(log))
        digest_text(ledger, None)
        tracemalloc.start()
        digest_text(ledger, None)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(3_000) < peak(300) + 50_000
