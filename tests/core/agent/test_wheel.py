"""One screen drives; the others are told who does, and take the wheel when they want it."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.agent.commands import judged
from core.agent.facts import Facts
from core.agent.seating import seated
from core.clock import VirtualClock
from core.events import CommandRefused, Draft, DriverChanged, Event, SessionOpened
from core.ids import ulid
from core.journal import Journal
from core.journal.inbox import Command, post
from core.journal.viewers import Presence, Viewer

ANNA, BEN = Viewer("a", "anna on pts/3", since_us=1), Viewer("b", "ben on pts/5 from 10.0.0.7", since_us=2)


def facts(*present: Viewer, driver: Viewer | None = None) -> Facts:
    known = Facts()
    known.present = present
    if driver is not None:
        take(known, [Draft(DriverChanged(viewer=driver.id, who=driver.who))])
    return known


def take(known: Facts, drafts: list[Draft]) -> None:
    for draft in drafts:
        seq, body = known.state.last_seq + 1, draft.body
        place = {"seq": seq, "parent": None, "node": None, "at_us": seq}
        known.apply(Event(kind=body.KIND, key=draft.key, actor=draft.actor, body=body, **place))


def sent(known: Facts, verb: str, sender: Viewer | None, **args) -> list[Draft]:
    origin, viewer = (sender.who, sender.id) if sender else ("carl on pts/9", "")
    drafts = judged(
        Command(id=ulid(1), verb=verb, args=args, viewer=viewer, origin=origin), known, trusted=bool(viewer)
    )
    take(known, drafts)
    return drafts


def refusal(drafts: list[Draft]) -> str:
    return drafts[0].body.reason if isinstance(drafts[0].body, CommandRefused) else ""


def test_an_observer_is_refused_and_told_who_drives_and_how_to_take_the_wheel() -> None:
    known = facts(ANNA, BEN)
    assert not isinstance(sent(known, "bookmark", ANNA, text="mine")[0].body, CommandRefused)
    said = refusal(sent(known, "bookmark", BEN, text="theirs"))
    assert "anna on pts/3 drives" in said and "press w" in said and "type drive" in said


def test_the_wheel_is_logged_with_who_and_where_when_it_changes_and_only_then() -> None:
    known = facts(ANNA, BEN)
    first = [draft.body for draft in sent(known, "bookmark", ANNA, text="1")]
    assert [body.KIND for body in first] == ["command.accepted", "driver.changed", "bookmark.added"]
    assert first[0].origin == first[1].who == "anna on pts/3" and not first[1].taken
    assert [draft.body.KIND for draft in sent(known, "bookmark", ANNA, text="2")] == [
        "command.accepted",
        "bookmark.added",
    ]
    taken = [draft.body for draft in sent(known, "drive", BEN)][1]
    assert (taken.who, taken.by, taken.taken) == (BEN.who, BEN.who, True)
    assert "ben on pts/5" in refusal(sent(known, "bookmark", ANNA, text="3"))
    assert "drives already" in refusal(sent(known, "drive", BEN))


def test_the_wheel_of_somebody_who_left_falls_to_who_steers_next() -> None:
    known = facts(ANNA, BEN, driver=ANNA)
    known.present = [BEN]
    assert sent(known, "bookmark", BEN, text="1")[1].body.who == BEN.who


def test_a_command_of_a_screen_that_has_just_left_still_counts() -> None:
    known = facts(BEN, driver=ANNA)
    assert refusal(sent(known, "bookmark", ANNA, text="my last words")) == ""


def test_a_shell_steers_beside_any_driver_and_says_where_it_is() -> None:
    known = facts(ANNA, BEN, driver=ANNA)
    accepted = sent(known, "bookmark", None, text="1")[0].body
    assert accepted.origin == "carl on pts/9"


@pytest.mark.parametrize(("words", "who"), [("pts/5", BEN.who), ("a", None), ("", None), ("pts/77", None)])
def test_a_shell_gives_the_wheel_to_the_screen_that_it_names(words, who) -> None:
    known = facts(ANNA, BEN, driver=ANNA)
    drafts = sent(known, "drive", None, viewer=words)
    if who:
        assert (drafts[1].body.who, drafts[1].body.by) == (who, "carl on pts/9")
    else:
        assert refusal(drafts)


async def test_a_shell_finds_the_screens_that_look(tmp_path: Path) -> None:
    clock, fields = VirtualClock(), {"model": "m", "endpoint": "e", "profile": "p", "app_version": "0"}
    opened = SessionOpened(session="s", name="audit", task="Mend it.", workspace=str(tmp_path), **fields)
    async with await Journal.create(tmp_path / "s", clock) as journal:
        await journal.append(Draft(opened))
    async with seated(tmp_path / "s", clock) as (desk, _):
        with Presence(desk.folder, {}, ANNA.who) as anna, Presence(desk.folder, {}, BEN.who):
            post(desk.folder, Command(id=ulid(1), verb="drive", args={"viewer": "pts/3"}, origin="carl on pts/9"))
            await desk.read_inbox()
    driver = desk.facts.state.driver
    assert driver is not None and (driver.viewer, driver.by) == (anna.viewer.id, "carl on pts/9")


def test_a_terminal_is_named_by_its_own_name_and_not_by_the_start_of_anothers() -> None:
    carl, dora = Viewer("c", "anna on pts/1", since_us=3), Viewer("d", "anna on pts/11", since_us=4)
    known = facts(ANNA, carl, dora)
    assert sent(known, "drive", None, viewer="pts/1")[1].body.viewer == carl.id
    assert sent(known, "drive", None, viewer="pts/11")[1].body.viewer == dora.id
