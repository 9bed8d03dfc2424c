from decimal import Decimal

import pytest
from sample_sessions import Log, audit_session
from watching_app import app_over, read, screen_text, until

from core.events import CheckpointMade, ContextPolicy, GuidanceQueued, HeadMoved, MemoryWritten
from core.folds.view import SessionView
from tui.panes import figures
from tui.rewinding import between, price_words, way_back

SIZE = (120, 36)


KEEP = {"keep": "f6"}
"""A key of the user's for what has none."""


def abandoned_memory():
    """A session that went back to before its last memory entry."""
    log = audit_session()
    before = log.head
    log.add(MemoryWritten(text="The loader is slow."), key="m9")
    log.call("read_file", {"path": "load.py"}, "slow")
    log.add(HeadMoved(to=before, origin=log.head, reason="rewind"))
    return log


async def sent_by(*keys, log=None, available=True, keymap=None):
    """What the keys make the screen send."""
    app = app_over(log or audit_session(), available=available, keymap=keymap)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await read(pilot)
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        return app.fake_controls.sent, screen_text(pilot)


@pytest.mark.parametrize(
    ("keys", "verb", "args"),
    [
        (("space",), "pause", {}),
        (("x",), "interrupt", {}),
        (("u",), "undo", {}),
        (("t",), "retry-now", {}),
        (("P", "w"), "policy", {"policy": "window"}),
        (("ctrl+x", "s"), "stop", {}),
        (("g", *"Mind", "ctrl+j", *"it", "enter"), "guide", {"text": "Mind\nit", "standing": False}),
        (("g", "ctrl+t", *"Always", "enter"), "guide", {"text": "Always", "standing": True}),
        (("b", *["backspace"] * 4, "7", "enter"), "budget", {"usd": "7"}),
        (("b", *["backspace"] * 4, "enter"), "budget", {"usd": None}),
        (("m", *"here", "enter"), "bookmark", {"text": "here"}),
        (("ctrl+p", *"another name", "enter", "ctrl+u", *"new", "enter"), "rename", {"text": "new"}),
        (("M", "ctrl+u", *"other", "enter"), "model", {"model": "other"}),
    ],
)
async def test_keys_send_their_verbs_with_the_head_they_were_given_for(keys, verb, args):
    log = audit_session()
    sent, _ = await sent_by(*keys, log=log)
    assert sent == [(verb, args, log.head)]


async def test_the_pause_key_continues_a_session_that_has_ended():
    sent, _ = await sent_by("space", log=audit_session(running=False))
    assert [verb for verb, _args, _head in sent] == ["continue"]


@pytest.mark.parametrize(
    "keys", [("P", "enter"), ("P", "P"), ("ctrl+x", "enter"), ("ctrl+x", "escape"), ("g", "enter"), ("r", "escape")]
)
async def test_nothing_costly_happens_by_enter_or_escape(keys):
    sent, _ = await sent_by(*keys)
    assert sent == []


async def test_an_amount_that_is_none_is_explained_and_not_sent():
    sent, text = await sent_by("b", "x", "enter")
    assert sent == [] and "Say a budget as an amount in dollars" in text


async def test_typing_guidance_triggers_no_other_key():
    sent, text = await sent_by("g", *"quit c r space 2")
    assert sent == [] and "quit c r " in text


async def test_guidance_that_still_waits_can_be_taken_back():
    log = audit_session()
    log.add(GuidanceQueued(text="Use tabs."), key="01queued", actor="user")
    sent, text = await sent_by("g", log=log)
    assert "queued     Use tabs." in text and "goes with the next request" in text
    sent, _ = await sent_by("g", "ctrl+r", log=log)
    assert sent == [("retract", {"id": "01queued"}, log.head)]


@pytest.mark.parametrize(("key", "conversation", "files"), [("1", True, True), ("2", True, False), ("3", False, True)])
async def test_rewind_goes_to_the_chosen_checkpoint_in_the_chosen_way(key, conversation, files):
    log = audit_session()
    view = SessionView()
    view.apply_all(log.events)
    target = view.checkpoints.on_branch()[-2]
    sent, _ = await sent_by("r", "down", key, log=log)
    assert sent == [("rewind", {"to": target.boundary, "files": files, "conversation": conversation}, log.head)]


async def test_the_rewind_picker_says_what_is_left_behind_what_returns_what_stays_and_what_it_costs():
    _, text = await sent_by("r", "end", "down", "down", "down")
    assert "22 turns, 22 calls, $0." in text
    assert "2 commands: run_command" in text
    for file in ("inventory/load.py +3 −12", "inventory/migrate.py goes −41", "tests/test_old.py back +18"):
        assert file in text
    assert "kept: 1 file: notes.md +2 −1" in text
    assert "next call $" in text


async def test_what_was_changed_by_hand_is_restored_only_where_that_is_chosen():
    sent, text = await sent_by("r", "h")
    assert "restored, too: 1 file: notes.md" in text and not sent
    sent, _ = await sent_by("r", "h", "1")
    assert sent[0][1]["overwrite"] is True
    sent, _ = await sent_by("r", "h", "2")
    assert "overwrite" not in sent[0][1]


async def test_a_preview_that_fails_says_why_and_the_rest_is_still_told():
    async def broken(tree, known):
        raise OSError("The disk is gone.")

    app = app_over(audit_session())
    app.fake_controls.preview_restore = broken
    async with app.run_test(size=SIZE) as pilot:
        await read(pilot)
        await pilot.press("r")
        await until(pilot, lambda: "The disk is gone." in screen_text(pilot))
        assert "next call" in screen_text(pilot)


def test_what_lies_between_leaves_out_abandoned_branches():
    view = SessionView()
    view.apply_all(audit_session().events)
    newest = view.checkpoints.on_branch()[-1]
    lost = between(view, newest.boundary)
    assert (lost.turns, lost.calls, len(lost.commands)) == (1, 1, 1)


def test_the_price_of_going_back_is_that_of_a_cache_which_may_have_expired():
    view = SessionView()
    view.apply_all(audit_session().events)
    point = view.checkpoints.on_branch()[0]
    now, later = (way_back(view, point, point.at_us + 1_000_000 * seconds) for seconds in (1, 3_600))
    assert now.tokens == view.context.usage.at(point.boundary).total < view.context.usage.last.total
    assert (now.expired, later.expired) == (False, True)
    assert now.call.warm < now.call.cold
    assert figures.usd(later.call.cold) in price_words(later) and "written anew" in price_words(later)


async def test_a_checkpoint_without_files_offers_only_the_conversation():
    log = audit_session()
    log.add(CheckpointMade(tree=None, backend="git", detail="no git"), key="c9")
    sent, text = await sent_by("r", "1", log=log)
    assert sent == [] and "no snapshot of the files" in text
    sent, _ = await sent_by("r", "2", log=log)
    assert len(sent) == 1


async def test_a_session_without_checkpoints_says_so():
    log = Log()
    log.opened()
    sent, text = await sent_by("r", "1", log=log)
    assert sent == [] and "No checkpoint yet" in text


async def test_a_recording_can_be_watched_and_not_steered():
    sent, text = await sent_by("space", "g", "c", "r", available=False)
    assert sent == []
    assert "guide" not in text.splitlines()[-1]


async def test_the_budget_dock_starts_from_the_present_one():
    _, text = await sent_by("b")
    assert str(Decimal("5.00")) in text


async def test_every_policy_says_what_it_does():
    _, text = await sent_by("P")
    assert "results give way to one line each" in text and "only when asked" in text


async def test_the_policy_in_force_is_named():
    log = audit_session()
    log.add(ContextPolicy(policy="mask", reason="chosen"))
    _, text = await sent_by("P", log=log)
    assert "Now mask; the choice is in force" in text
    _, text = await sent_by("P")
    assert "Now auto; the choice is in force" in text


async def test_the_policy_that_the_guard_chose_is_told_with_its_reason():
    log = audit_session()
    log.add(ContextPolicy(policy="off", reason="They freed too little.", tokens=41_000))
    _, text = await sent_by("P", log=log)
    assert "Now off, because the last compressions freed too little" in text


async def test_a_memory_of_an_abandoned_branch_can_be_kept():
    log = abandoned_memory()
    sent, text = await sent_by("f6", log=log, keymap=KEEP)
    assert sent == [] and "The loader is slow." in text
    sent, _ = await sent_by("f6", "1", log=log, keymap=KEEP)
    assert sent == [("keep", {"id": "m9"}, log.head)]


async def test_without_an_abandoned_memory_there_is_nothing_to_keep():
    log = Log()
    log.opened()
    sent, text = await sent_by("f6", "1", log=log, keymap=KEEP)
    assert sent == [] and "No abandoned branch" in text


async def test_a_search_marks_what_it_finds_and_holds_the_view_there():
    app = app_over(audit_session())
    async with app.run_test(size=SIZE) as pilot:
        await read(pilot)
        await pilot.press("/", *"bound parameter", "enter")
        await until(pilot, lambda: "Make every SQL statement" in screen_text(pilot))
        assert "held" in screen_text(pilot)
        await until(pilot, lambda: "pause" in screen_text(pilot))
        await pilot.press("N", "N")
        await until(pilot, lambda: "make find use a bound parameter" in screen_text(pilot))
