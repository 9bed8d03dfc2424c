"""What the screen shows, character by character; LONGWATCH_REWRITE_GOLDENS=1 writes the files anew."""

import os
from difflib import unified_diff
from pathlib import Path

import pytest
from gallery import SIZES, TOURS, shown, text_at
from watching_app import on_textuals_own

GOLDENS = Path(__file__).parent / "goldens"


@pytest.mark.parametrize("tour", TOURS)
async def test_every_view_reads_as_it_always_did_on_our_compositor_and_on_textuals_own(tour, tmp_path):
    starting, views = TOURS[tour]
    differing = []
    async with starting(tmp_path) as pilot:
        for view in views:
            screens = []
            async with shown(pilot, view):
                for size in SIZES:
                    text = await text_at(pilot, size)
                    assert on_textuals_own(pilot) == text, view.name
                    screens.append(f"── {size[0]}x{size[1]} ──\n{_trimmed(text)}")
            differing += differences(view.name, "".join(screens))
    assert not differing, "\n".join(differing)


def _trimmed(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def differences(name: str, text: str) -> list[str]:
    """What differs from the golden of that name; it is written where the environment says so."""
    file = GOLDENS / f"{name}.txt"
    if os.environ.get("LONGWATCH_REWRITE_GOLDENS"):
        file.write_text(text, encoding="utf-8")
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    return list(unified_diff(before.splitlines(), text.splitlines(), f"{name} as it was", f"{name} now", lineterm=""))
