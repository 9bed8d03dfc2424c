"""What is copied reaches the clipboard of whoever sits at the terminal."""

import base64

from tui.clipboard import copied, copy_sequence


def held(sequence):
    return base64.b64decode(sequence.split(";c;")[1].split("\x07")[0]).decode()


def test_text_arrives_as_it_was_and_what_would_control_where_it_is_pasted_is_visible():
    assert held(copy_sequence("größer\n\tif x:", {})) == "größer\n\tif x:"
    assert held(copy_sequence("rm \x1b]0;evil\x07\u202e x\x9b2J", {})) == "rm ␛]0;evil␇⟨202E⟩ x⟨9B⟩2J"
    assert copy_sequence("x", {}).startswith("\x1b]52;c;") and copy_sequence("x", {}).count("\x1b") == 1


def test_tmux_is_asked_itself_and_asked_to_pass_it_on():
    sequence = copy_sequence("x", {"TMUX": "/tmp/t,1,0"})
    assert sequence.startswith("\x1b]52;c;") and "\x1bPtmux;\x1b\x1b]52;c;" in sequence
    assert "set-clipboard on" in copied("x", {"TMUX": "1"}) and "set-clipboard" not in copied("x", {})


def test_what_terminals_may_refuse_is_said():
    assert "refuse" in copied("x" * 80_000, {}) and copied("a", {}) == "Copied 1 character."
