"""Nothing that a model, a tool or a file writes controls the terminal."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from core.hidden import HIDDEN
from tui.safe import CONTROL, one_line, safe_text
from tui.sanitize import SanitizeFilter
from tui.say import ask, confirm, say, say_json

HOSTILE = [
    "\x1b[2J\x1b[H",
    "\x1b]52;c;ZXZpbA==\x07",
    "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "\x1b]0;title\x07",
    "\x1bP+q544e\x1b\\",
    "\x1b[6n",
    "\x1bc",
    "\x9b31m",
    "\x9d0;x\x9c",
    "a\x08\x08b",
    "line\roverwritten",
    "‮txt.exe",
    "a\u2066b\u2069",
    "zero\u200bwidth\u2060here\ufeff",
    "\U000e0041\U000e0042tag",
    "\ud800",
    "soft\xadhyphen",
    "x\ufe0f\ufe0f\ufe01y",
    "\x00\x0e\x0f\x7f",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_loses_its_power_and_is_seen(text: str) -> None:
    shown = safe_text(text)
    assert shown != text
    assert all(unicodedata.category(character) not in {"Cc", "Cf", "Cs"} for character in shown)


def test_words_line_breaks_tabs_and_emoji_stay() -> None:
    text = "naïve 日本語 ✓\n\tindented"
    assert safe_text(text) == text
    assert safe_text("a\r\nb") == "a\nb"
    assert safe_text("careful ⚠\ufe0f ❤\ufe0f") == "careful ⚠ ❤"


def test_controls_become_pictures_and_marks_become_their_numbers() -> None:
    assert safe_text("\x1b[31m\x7f\u202e") == "␛[31m␡⟨202E⟩"


def test_one_line_keeps_no_break() -> None:
    assert one_line("  a\n\tb\r\n c\x1b") == "a b c␛"


@given(st.text(), st.text())
def test_no_split_over_two_pieces_puts_a_sequence_together(first: str, second: str) -> None:
    joined = safe_text(first) + safe_text(second)
    assert "\x1b" not in joined and not any("\x80" <= character <= "\x9f" for character in joined)
    assert safe_text(joined) == joined.replace("\r\n", "\n")


def test_the_filter_keeps_the_width_of_a_line_and_takes_links_away() -> None:
    linked = Style(link="https://evil.example", bold=True)
    line = [Segment("a\x1b[2Jb", Style()), Segment("click", linked), Segment("plain", None)]
    clean = SanitizeFilter().apply(line, Color(0, 0, 0))
    assert [segment.text for segment in clean] == ["a[2Jb", "click", "plain"]
    assert sum(segment.cell_length for segment in clean) == sum(segment.cell_length for segment in line)
    assert clean[1].style is not None and clean[1].style.link is None and clean[1].style.bold


def test_the_command_line_prints_by_one_way_only():
    """`tui.say`; beside it only the constant that mends a terminal, and the theme samples, which a console paints."""
    root = Path(__file__).parent.parent.parent
    printing = re.compile(r"\bclick\.echo\(|\bclick\.secho\(|(?<![\w.])print\(|\bsys\.std(out|err)\.write\(")
    found = {
        path.relative_to(root).as_posix()
        for path in (root / "tui").rglob("*.py")
        if printing.search(path.read_text(encoding="utf-8"))
    }
    assert found == {"tui/say.py", "tui/terminal.py"}


def test_what_is_printed_is_shown_and_not_obeyed(capsys):
    say("a\x1b[2J\u202eb\x9bc\ud800\ttab\nnext", err=True)
    assert capsys.readouterr().err == "a␛[2J⟨202E⟩b⟨9B⟩c⟨D800⟩ tab\nnext\n"


def test_json_keeps_its_values_where_it_may_not_keep_its_bytes(capsys):
    value = {"a": "\x9b31m \u202e \U000e0041 \u200b\u00ad\ufeff ü 漢"}
    say_json(json.dumps(value, ensure_ascii=False))
    printed = capsys.readouterr().out
    assert json.loads(printed) == value
    assert not CONTROL.search(printed.rstrip("\n")) and not HIDDEN.search(printed)
    assert "ü 漢" in printed


@pytest.mark.parametrize("put", [ask, confirm])
def test_a_question_shows_what_is_hidden_in_it(put: Callable[[str], object]) -> None:
    @click.command()
    def asking() -> None:
        put("Key for \x1b]0;owned\x07\u202e\nX")

    output = CliRunner().invoke(asking, input="y\n").output
    assert output.startswith("Key for ␛]0;owned␇⟨202E⟩ X")
