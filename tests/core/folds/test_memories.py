"""Which memory entries are known as of any event, on any branch."""

from hypothesis import given, settings
from hypothesis import strategies as st
from logbook import Logbook

from core.events import GuidanceDelivered, HeadMoved, MemoryForgotten, MemoryKept, MemoryWritten
from core.folds.branches import Branches
from core.folds.fold import Dispatcher
from core.folds.memories import Memories


def folded(events):
    branches = Branches()
    memories = Memories(branches)
    dispatch = Dispatcher([branches, memories])
    for event in events:
        dispatch.apply(event)
    return memories


def ids(entries):
    return [entry.id for entry in entries]


def step(log):
    """A node that a rewind can go back to."""
    return log.add(GuidanceDelivered(text="go on")).seq


def rewind(log, to):
    log.add(HeadMoved(to=to, origin=log.head, reason="rewind"))


@st.composite
def lives(draw):
    """Entries that are written, revised, forgotten and kept, with rewinds between."""
    log, written = Logbook(), 0
    nodes = [step(log)]
    for _ in range(draw(st.integers(1, 14))):
        deed = draw(st.sampled_from(["write", "write", "revise", "forget", "keep", "rewind"]))
        one = f"m{draw(st.integers(1, max(1, written)))}"
        if deed in ("write", "revise"):
            written += 1
            log.add(MemoryWritten(text=f"fact {written}", replaces=one if deed == "revise" else None), f"m{written}")
        elif deed == "rewind":
            rewind(log, draw(st.sampled_from(nodes)))
        else:
            log.add(MemoryForgotten(id=one) if deed == "forget" else MemoryKept(id=one))
        nodes.append(step(log))
    return log


@settings(max_examples=80, deadline=None)
@given(lives(), st.data())
def test_what_is_known_as_of_an_event_equals_a_fresh_fold_up_to_it(log, data):
    seq = data.draw(st.integers(1, len(log.events)))
    whole, fresh = folded(log.events), folded(log.events[:seq])
    assert ids(whole.known(seq)) == ids(fresh.known())
    assert ids(whole.hidden(seq)) == ids(fresh.hidden())
    assert not set(ids(whole.known(seq))) & set(ids(whole.hidden(seq)))
    for entry in fresh.entries:
        assert whole.status(whole.get(entry.id), seq) == fresh.status(entry)
        assert (entry in fresh.known()) == (fresh.status(entry) == "")


def test_a_revised_entry_is_known_again_before_its_revision():
    log = Logbook()
    first = log.add(MemoryWritten(text="port 80"), "m1")
    log.add(MemoryWritten(text="port 81", replaces="m1", scope="project"), "m2")
    memories = folded(log.events)
    assert ids(memories.known()) == ["m2"] and ids(memories.known(first.seq)) == ["m1"]
    assert memories.status(memories.get("m1")) == "replaced by m2"
    assert memories.get("m2").scope == "project"


def test_a_rewind_brings_back_what_the_abandoned_branch_replaced_or_forgot():
    log = Logbook()
    log.add(MemoryWritten(text="a"), "m1")
    log.add(MemoryWritten(text="b"), "m2")
    back = step(log)
    log.add(MemoryWritten(text="better a", replaces="m1"), "m3")
    log.add(MemoryForgotten(id="m2"))
    step(log)
    rewind(log, back)
    memories = folded(log.events)
    assert ids(memories.known()) == ["m1", "m2"] and ids(memories.hidden()) == ["m3"]
    assert memories.status(memories.get("m3")) == "abandoned branch"


def test_an_entry_of_an_abandoned_branch_can_be_kept_and_replaces_what_it_replaced():
    log = Logbook()
    log.add(MemoryWritten(text="a"), "m1")
    back = step(log)
    log.add(MemoryWritten(text="better a", replaces="m1"), "m2")
    step(log)
    rewind(log, back)
    log.add(MemoryKept(id="m2"))
    memories = folded(log.events)
    assert ids(memories.known()) == ["m2"] and memories.hidden() == []
    log.add(MemoryForgotten(id="m2"))
    assert not folded(log.events).known() and not folded(log.events).hidden()


def test_what_its_own_branch_took_back_is_not_offered_to_be_kept():
    log = Logbook()
    back = step(log)
    log.add(MemoryWritten(text="a"), "m1")
    log.add(MemoryWritten(text="b", replaces="m1"), "m2")
    log.add(MemoryWritten(text="c"), "m3")
    log.add(MemoryForgotten(id="m3"))
    step(log)
    rewind(log, back)
    assert ids(folded(log.events).hidden()) == ["m2"]


def test_the_next_entry_number_goes_on_from_the_highest():
    log = Logbook()
    assert folded(log.events).last_number == 0
    log.add(MemoryWritten(text="a"), "m1")
    log.add(MemoryWritten(text="b"), "m7")
    assert folded(log.events).last_number == 7
