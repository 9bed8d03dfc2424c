"""A paste is one thing, whatever it holds and however it is cut on its way."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.events import Paste

from tui.pastes import END, FORGOTTEN_S, LONGEST, START, Pastes

HOSTILE = "evil \x1b[2J\x1b]52;c;QQ==\x07 \x9b31m\rmore\x1b[200~\x1b[20 x\x1b"


def told(pieces: list[str]) -> list[str]:
    """What comes of them: `typed:` and `pasted:`, neighbours joined."""
    found: list[str] = []
    pastes = Pastes()
    for piece in pieces:
        for it in pastes.parted(piece):
            kind, text = ("pasted:", it.text) if isinstance(it, Paste) else ("typed:", it)
            if kind == "typed:" and found and found[-1].startswith(kind):
                found[-1] += text
            else:
                found.append(kind + text)
    return found


WHOLE = f"ab{START}{HOSTILE}{END}cd{START}{END}\x1b[A"
KEYS = {at + 1 for at in (WHOLE.index(START), WHOLE.rindex(START))}
"""Where an escape character comes alone, which is the key."""


@given(st.sets(st.integers(1, len(WHOLE) - 1)))
def test_what_is_pasted_is_never_typed_wherever_it_is_cut(cuts: set[int]) -> None:
    ends = [0, *sorted(cuts - KEYS), len(WHOLE)]
    pieces = [WHOLE[start:end] for start, end in pairwise(ends)]
    assert told(pieces) == ["typed:ab", f"pasted:{HOSTILE}", "typed:cd", "pasted:", "typed:\x1b[A"]


def test_keys_are_kept_waiting_for_no_paste() -> None:
    pastes = Pastes()
    assert list(pastes.parted("\x1b")) == ["\x1b"]
    assert list(pastes.parted("x\x1b[2")) == ["x"]
    assert pastes.waited() == "\x1b[2" and pastes.waited() == ""


@pytest.mark.parametrize(
    "answer",
    [
        "\x1b[?1;2c",
        "\x1b[>41;354;0c",
        "\x1b[?0u",
        "\x1b]11;rgb:0000/00/aa\x1b\\",
        "\x1b]10;rgb:0/0/a\x07",
        "\x1bP>|xterm\x1b\\",
    ],
)
def test_an_answer_to_what_an_earlier_program_asked_is_no_keys(answer: str) -> None:
    assert "".join(map(str, Pastes().parted(f"a{answer}b{answer}"))) == "ab"
    assert list(Pastes().parted(answer)) == []


@pytest.mark.parametrize(
    "typed", ["\x1b[?2026;2$y", "\x1b[<0;3;4M", "\x1b[97;5u", "\x1bP", "\x1b]", "\x1bOP", "\x1b[A"]
)
def test_keys_clicks_and_answers_to_our_own_questions_are_let_through(typed: str) -> None:
    assert list(Pastes().parted(typed)) == [typed]


def test_a_paste_whose_end_was_lost_ends_at_the_next_key_and_none_fills_the_memory() -> None:
    pastes = Pastes()
    assert list(pastes.parted(f"{START}one")) == []
    assert list(pastes.parted("q" * 100, FORGOTTEN_S)) == [] and pastes.waited() == ""
    ended, key = pastes.parted("q", FORGOTTEN_S)
    assert isinstance(ended, Paste) and ended.text == "one" + "q" * 100 and key == "q"
    (long,) = pastes.parted(f"{START}{'x' * (LONGEST + 1)}{END}")
    assert isinstance(long, Paste) and len(long.text) == LONGEST
