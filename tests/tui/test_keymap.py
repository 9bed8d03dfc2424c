"""One action, one key: the registry has no clashes, and a user's keymap can't make one."""

from __future__ import annotations

import re
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.app import App

from tui.actions import ACTIONS, BY_ID, SCOPES, TOGETHER, bindings, display, hinted, in_scope
from tui.keymap import RESERVED, Keymap, load_keymap


def clashes(keymap: Keymap) -> list[tuple[str, str]]:
    return [
        (one.id, other.id)
        for one, other in combinations(ACTIONS, 2)
        if set(keymap.keys[one.id]) & set(keymap.keys[other.id])
        and any({one.scope, other.scope} <= together for together in TOGETHER)
    ]


def test_the_registry_has_no_clashes_and_unique_ids() -> None:
    assert clashes(Keymap()) == []
    assert len(BY_ID) == len(ACTIONS)
    assert {action.scope for action in ACTIONS} == set(SCOPES)
    assert load_keymap({}) == Keymap()


def test_keys_survive_ssh_and_tmux() -> None:
    forbidden = {f"ctrl+{letter}" for letter in "basqimhj"}
    assert not forbidden & {key for action in ACTIONS for key in action.keys}


def test_every_control_of_the_screen_has_its_verbs() -> None:
    verbs = {verb for action in ACTIONS for verb in action.verbs}
    wanted = "pause continue interrupt guide retract compress undo rewind budget model retry-now bookmark detach stop"
    assert set(wanted.split()) <= verbs
    assert BY_ID["stop"].confirmed


def test_actions_say_what_they_do() -> None:
    for action in ACTIONS:
        assert (
            action.help.endswith(".") and action.label and re.fullmatch(r"[a-z_]+\d?", action.method.rstrip("123456"))
        )
    hints = hinted(in_scope("watch", "global"))
    assert hints[0].id == "pause" and [hint.hint for hint in hints] == sorted(hint.hint for hint in hints)


@pytest.mark.parametrize(("key", "shown"), [("ctrl+p", "^p"), ("space", "space"), ("?", "?"), ("[", "["), ("M", "M")])
def test_keys_are_printed_as_one_reads_them(key: str, shown: str) -> None:
    assert display(key) == shown


def test_a_users_keys_replace_the_usual_ones() -> None:
    keymap = load_keymap({"pause": "F5", "guide": ["ctrl+G", "f6"]})
    assert keymap.problems == ()
    assert keymap.overrides() == {"pause": "f5", "guide": "ctrl+g,f6"}
    assert keymap.key_display("guide") == "^g"


def test_two_actions_may_trade_their_keys() -> None:
    keymap = load_keymap({"pause": "g", "guide": "space"})
    assert keymap.problems == () and clashes(keymap) == []


def test_a_clash_names_both_actions_and_the_users_entry_gives_way() -> None:
    keymap = load_keymap({"pause": "g"})
    (problem,) = keymap.problems
    assert "'pause'" in problem and "'guide'" in problem and "'g'" in problem
    assert keymap.keys == Keymap().keys


@pytest.mark.parametrize(
    ("table", "part"),
    [
        ({"paws": "p"}, "did you mean 'pause'?"),
        ({"xyzzyx": "p"}, "known are"),
        ({"undo": "tab"}, "moves between panes"),
        ({"undo": "ctrl+b"}, "prefix of tmux"),
        ({"undo": "ctrl+m"}, "the same as Enter"),
        ({"undo": 7}, "a text or a list of texts"),
        ({"undo": ""}, "a text or a list of texts"),
        ({"undo": "ctrl+nonsense"}, "is no key"),
        ({"undo": "a b"}, "is no key"),
    ],
)
def test_what_is_wrong_is_left_out_with_a_sentence(table: dict[str, object], part: str) -> None:
    keymap = load_keymap(table)
    assert len(keymap.problems) == 1 and part in keymap.problems[0]
    assert keymap.keys == Keymap().keys


_KEYS = st.sampled_from(
    ["a", "g", "space", "q", "?", "/", "f5", "ctrl+p", "tab", "enter", "[", "R", "no key", "ctrl+b"]
)
_IDS = st.sampled_from([*BY_ID, "unknown"])


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(_IDS, st.one_of(_KEYS, st.lists(_KEYS, max_size=3)), max_size=12))
def test_no_table_makes_a_clash_or_takes_a_reserved_key(table: dict[str, object]) -> None:
    keymap = load_keymap(table)
    assert clashes(keymap) == []
    for action in ACTIONS:
        assert not (set(keymap.keys[action.id]) - set(action.keys)) & set(RESERVED)
    assert load_keymap({action: list(keys) for action, keys in keymap.keys.items() if keys}).problems == ()


class KeyedApp(App[None]):
    BINDINGS = bindings("watch", "replay")

    def __init__(self) -> None:
        super().__init__()
        self.done: list[str] = []

    async def run_action(self, action: object, *args: object, **kwargs: object) -> bool:
        self.done.append(str(action))
        return True


async def test_textual_obeys_the_users_keymap_even_where_keys_are_traded() -> None:
    app = KeyedApp()
    async with app.run_test() as pilot:
        app.set_keymap(load_keymap({"pause": "g", "guide": "space", "retract": "f6", "step-back": "f7"}).overrides())
        await pilot.press("g", "space", "f6", "f7", "c", "]", "N")
    wanted = ["pause", "guide", "retract", "step_back", "compress", "step_forward", "previous_match"]
    assert [action for action in app.done if action in wanted] == wanted
