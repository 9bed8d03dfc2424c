"""What the screen shows, character by character; LONGWATCH_REWRITE_GOLDENS=1 writes the files anew."""

import os
from pathlib import Path

import pytest
from sample_sessions import audit_session
from watching_app import app_over, read, screen_text, until

GOLDENS = Path(__file__).parent / "goldens"
MIDDLE = 90
EDIT = 12
"""Place of the first edit in the list of calls."""

VIEWS = {
    "live": ({}, (), "● running"),
    "replay": ({"mode": "replay", "start_at": MIDDLE}, (), f"#{MIDDLE} of"),
    "rewind": ({}, ("r", "down"), "Leaves behind"),
    "edit": ({}, ("2", "home", *["down"] * EDIT, "enter"), "updated: sha256"),
    "help": ({}, ("?",), "Pause before"),
}
"""View -> options of the app, keys to press, and words that tell that it is there."""


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("view", VIEWS)
async def test_a_view_reads_as_it_always_did(view, size):
    options, keys, words = VIEWS[view]
    async with app_over(audit_session(running=view != "edit"), **options).run_test(size=size) as pilot:
        await read(pilot)
        await pilot.press(*keys)
        await until(pilot, lambda: words in screen_text(pilot))
        await pilot.pause()
        compare(f"{view}-{size[0]}x{size[1]}", screen_text(pilot))


def compare(name: str, text: str) -> None:
    """Compare with the golden of that name, or write it where the environment says so."""
    file = GOLDENS / f"{name}.txt"
    shown = "".join(f"{line.rstrip()}\n" for line in text.splitlines())
    if os.environ.get("LONGWATCH_REWRITE_GOLDENS"):
        file.write_text(shown, encoding="utf-8")
    assert shown == file.read_text(encoding="utf-8")
