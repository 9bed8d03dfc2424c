"""A slow line is noticed where it matters, and less is sent over it."""

from __future__ import annotations

import pytest
from recording import recording_driver, written
from rich.color import ColorSystem
from sample_sessions import audit_session
from watching_app import app_over, read, screen_text, until

from core.protocols import LiveDelta
from tui.line_speed import ANSWERS, FAR, FAST, THRIFTY, LineSpeed, Thrift, is_far


def test_a_line_is_far_inside_an_ssh_connection() -> None:
    assert is_far({"SSH_CONNECTION": "1.2.3.4 5 6.7.8.9 22"}) and is_far({"SSH_TTY": "/dev/pts/1"})
    assert not is_far({})


@pytest.mark.parametrize(
    ("far", "thrift", "answer_s", "rate"),
    [
        (False, "auto", 0.01, FAST),
        (True, "auto", 0.03, FAR),
        (True, "auto", 0.6, THRIFTY),
        (False, "auto", 0.6, FAST),  # A busy machine is no slow line.
        (False, "always", 0.01, THRIFTY),
        (True, "never", 0.6, FAR),
    ],
)
def test_frames_are_as_many_as_the_line_bears(far: bool, thrift: Thrift, answer_s: float, rate: float) -> None:
    line = LineSpeed(far=far, thrift=thrift)
    for _ in range(ANSWERS):
        line.answered(answer_s)
    assert line.frames_per_second == rate


def test_one_late_answer_says_nothing_and_a_line_that_gets_better_is_used_again() -> None:
    line = LineSpeed(far=True)
    for seconds in (0.02, 0.02, 9.0, 0.02):
        line.answered(seconds)
        assert not line.thrifty
    for seconds in (0.5, 0.5):
        line.answered(seconds)
    assert line.thrifty and line.delay_s == 0.5
    for seconds in (0.2, 0.2, 0.2):  # Between the two limits it stays as it is.
        line.answered(seconds)
    assert line.thrifty
    for seconds in (0.05, 0.05):
        line.answered(seconds)
    assert not line.thrifty


SIDE = 102
"""The column at which the panes beside the conversation begin, at 200x50."""


async def test_over_a_slow_line_what_is_not_in_front_waits_and_is_there_when_it_is_looked_at() -> None:
    log = audit_session()
    app = app_over(log, thrifty="always")
    async with app.run_test(size=(200, 50)) as pilot:
        await read(pilot)
        before = screen_text(pilot)
        log.call("run_command", {"command": "make check"}, "all good", effect="command", text="Now the rest.")
        app.fake_source.push()
        await until(pilot, lambda: "make check" in screen_text(pilot))
        assert context_of(before) == context_of(screen_text(pilot)) != ""
        await pilot.press("3")
        await until(pilot, lambda: context_of(screen_text(pilot)) != context_of(before))


def context_of(screen: str) -> str:
    """What the pane of the context says first."""
    lines = [line[SIDE:] for line in screen.splitlines()]
    return next((line for line in lines if "measured" in line or "estimated" in line), "")


async def test_over_a_slow_line_fewer_colours_are_sent() -> None:
    app = app_over(audit_session(), thrifty="always")
    app.driver_class = recording_driver(120, 40)
    painted: list[str] = []

    async def pilot(_: object) -> None:
        app.console._color_system = ColorSystem.TRUECOLOR
        while not app.watch_screen.is_read:
            await written(app)
        app.forget_terminal()
        painted.append(await written(app))
        app.exit()

    await app.run_async(auto_pilot=pilot)
    assert "38;5;" in painted[0] and "38;2;" not in painted[0]


async def test_over_a_slow_line_a_reply_comes_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    app = app_over(audit_session(), thrifty="always")
    async with app.run_test(size=(120, 40)) as pilot:
        await read(pilot)
        screen, shown = app.watch_screen, []
        monkeypatch.setattr(screen.conversation, "stream", lambda deltas: shown.append(len(deltas)))
        for word in ("The ", "next "):
            screen.stream([LiveDelta(attempt="r1", kind="text", index=0, text=word)])
        assert shown == []
        screen._second()
        assert shown == [2]
        screen.stream([LiveDelta(attempt="r1", kind="text", index=0, text="part.")])
        screen.stream([])
        assert shown == [2, 0]
