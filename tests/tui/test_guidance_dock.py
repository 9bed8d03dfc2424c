"""The guide dialog: how and when, what was said earlier, and what became of it."""

import pytest
from sample_sessions import audit_session
from watching_app import app_over, read, screen_text, until

from core.agent.commands import LONGEST_GUIDANCE
from core.events import GuidanceQueued
from core.folds.guidance import Receipt
from tui.docks.fates import fate_line, in_order
from tui.docks.guidance import GuidanceDock
from tui.editor import NO_EDITOR, NoEditor, editor_of


def waiting(*texts):
    log = audit_session()
    for number, text in enumerate(texts):
        log.add(GuidanceQueued(text=text), key=f"q{number}", actor="user")
    return log


async def guided(*keys, log=None, shows=""):
    """(what was sent, what is on the screen) after opening the dialog and pressing these, once it shows that."""
    app = app_over(log or audit_session())
    async with app.run_test(size=(80, 24)) as pilot:
        await read(pilot)
        await pilot.press("g")
        await until(pilot, lambda: app.watch_screen.query(GuidanceDock) and app.focused is not None)
        await until(pilot, lambda: app.watch_screen.query_one(GuidanceDock)._earlier[-1:] == ["Run the tests with -q."])
        await pilot.press(*keys)
        await until(pilot, lambda: shows in screen_text(pilot))
        return [(verb, args) for verb, args, _ in app.fake_controls.sent], screen_text(pilot)


async def test_guidance_can_cut_in():
    sent, _ = await guided("ctrl+n", *"Stop", "enter")
    assert sent == [("guide", {"text": "Stop", "standing": False, "now": True})]


async def test_what_was_written_stays_where_it_can_not_be_sent():
    app = app_over(audit_session())
    async with app.run_test(size=(80, 24)) as pilot:
        await read(pilot)
        await pilot.press("g")
        await until(pilot, lambda: app.watch_screen.query(GuidanceDock) and app.focused is not None)
        field, steers = app.watch_screen.query_one(GuidanceDock).field, app.watch_screen.may_steer
        field.load_text("x" * (LONGEST_GUIDANCE + 1))
        await pilot.press("enter")
        await until(pilot, lambda: "100,001 characters, of at most 100,000" in screen_text(pilot))
        field.load_text("Stop.")
        app.watch_screen.may_steer = lambda: False
        await pilot.press("enter")
        assert not app.fake_controls.sent and field.text == "Stop."
        app.watch_screen.may_steer = steers
        await pilot.press("enter")
        await until(pilot, lambda: app.fake_controls.sent)
        assert app.fake_controls.sent[0][1]["text"] == "Stop."


async def test_what_was_said_earlier_comes_back_and_what_was_being_written_too():
    sent, _ = await guided(*"new", "up", "up", "down", "down", "enter")
    assert sent[0][1]["text"] == "new"
    sent, _ = await guided(*["up"] * 9, "enter")
    assert sent[0][1]["text"] == "Run the tests with -q."


async def test_each_guidance_that_waits_can_be_taken_back():
    sent, text = await guided("tab", "down", "d", log=waiting("First.", "Second.", "Third."))
    assert sent == [("retract", {"id": "q1"})]
    assert "▸ queued" in text


async def test_guidance_that_waits_is_replaced_only_when_the_new_words_are_sent():
    log = waiting("First.", "Second.")
    sent, text = await guided("tab", "e", *" Or not.", log=log)
    assert sent == [] and "Change what waits: First." in text
    sent, _ = await guided("tab", "e", *" Or not.", "enter", log=log)
    assert sent == [("retract", {"id": "q0"}), ("guide", {"text": "First. Or not.", "standing": False})]


async def test_without_an_editor_the_dialog_says_what_to_do(monkeypatch):
    monkeypatch.delenv("EDITOR", raising=False)
    monkeypatch.delenv("VISUAL", raising=False)
    await guided("ctrl+o", shows="No editor is set")


def test_the_editor_is_a_command_of_the_users():
    assert editor_of({"EDITOR": "code --wait", "VISUAL": ""}) == ["code", "--wait"]
    with pytest.raises(NoEditor, match="No editor is set"):
        editor_of({})
    with pytest.raises(NoEditor, match="can't be read"):
        editor_of({"EDITOR": "'vi"})
    assert "EDITOR" in NO_EDITOR


def test_what_waits_stands_first_and_a_line_never_outgrows_its_place():
    old = Receipt("a", 4, 0, "Use tabs everywhere, in the tests too.", delivered=5, request=12, calls=("c",))
    new = Receipt("b", 9, 0, "Wait.")
    assert in_order([old, new]) == [new, old]
    for width in (40, 80, 200):
        assert fate_line(old, width).cell_length <= width
    assert "acted on by 1 call" in fate_line(old, 120).plain
