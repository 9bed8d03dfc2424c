"""The receipt of a key: sent, taken, what it waits for, in force."""

import pytest
from sample_sessions import Log, audit_session
from watching_app import app_over, read, screen_text, until

from core.events import CommandAccepted, CommandDone, GuidanceDelivered, GuidanceQueued, GuidanceRetracted
from core.folds.view import SessionView
from tui.screens.orders import SETTLED_TICKS, Orders


@pytest.fixture
def desk():
    log, view, orders = Log(), SessionView(), Orders()
    log.opened()
    view.apply_all(log.events)

    def happens(body, key):
        event = log.add(body, key=key)
        view.apply(event)
        if event.kind.startswith("command."):
            orders.observe(event)
        return orders.receipt(view)

    return orders, view, happens


def test_a_command_is_sent_then_taken_then_in_force_and_then_no_longer_mentioned(desk):
    orders, view, happens = desk
    orders.sent("c1", "compress")
    assert orders.receipt(view) == "compress sent…"
    assert happens(CommandAccepted(verb="compress"), "c1") == "compress taken #2, waits for the next safe point"
    assert happens(CommandDone(verb="compress"), "c1") == "compress in force #3"
    assert all(orders.tick() for _ in range(SETTLED_TICKS)) and not orders.tick()
    assert orders.receipt(view) == ""


def test_guidance_waits_for_the_next_request_and_is_in_force_with_it(desk):
    orders, _, happens = desk
    orders.sent("g1", "guide")
    happens(CommandAccepted(verb="guide"), "g1")
    assert happens(GuidanceQueued(text="Wait."), "g1") == "guide taken #2, waits for the next request"
    assert "in force" in happens(GuidanceDelivered(text="Wait."), "g1")
    assert orders.latest() is None


def test_guidance_that_is_taken_back_never_reads_as_in_force(desk):
    orders, _, happens = desk
    orders.sent("g1", "guide")
    happens(CommandAccepted(verb="guide"), "g1")
    happens(GuidanceQueued(text="Wait."), "g1")
    assert happens(GuidanceRetracted(), "g1") == "guide taken back"


async def test_a_key_has_its_receipt_and_its_cancel_in_the_next_frame():
    app = app_over(audit_session())
    async with app.run_test(size=(80, 24)) as pilot:
        await read(pilot)
        await pilot.press("space")
        await until(pilot, lambda: "pause sent…  X cancel" in screen_text(pilot).splitlines()[-1])
        await pilot.press("X")
        assert [(verb, args) for verb, args, _ in app.fake_controls.sent][-1] == ("cancel", {"id": "cmd-1"})
