"""The user's own keys, checked by us: Textual silently unbinds the loser of a clash.

The config's table `[keys]` maps action ids to keys, `pause = "F5"` or `["p", "space"]`. What is wrong is left out, and
said in one sentence each; the rest is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import combinations

from textual.keys import KEY_ALIASES, Keys

from tui.actions import ACTIONS, BY_ID, TOGETHER, Action, display

RESERVED: Mapping[str, str] = {
    "tab": "moves between panes",
    "shift+tab": "moves between panes",
    "enter": "opens the selected item",
    "escape": "closes what is open",
    "ctrl+c": "interrupts or copies",
    "ctrl+q": "is flow control on many lines",
    "ctrl+s": "is flow control on many lines",
    "ctrl+z": "puts the program in the background",
    "ctrl+a": "is the prefix of screen",
    "ctrl+b": "is the prefix of tmux",
    "ctrl+i": "is the same as Tab on most terminals",
    "ctrl+m": "is the same as Enter on most terminals",
    "ctrl+j": "is the same as Enter on most terminals",
    "ctrl+h": "is the same as Backspace on most terminals",
    "ctrl+left_square_bracket": "is the same as Escape on most terminals",
    "up": "moves in lists", "down": "moves in lists", "pageup": "moves in lists", "pagedown": "moves in lists",
    "home": "moves in lists", "end": "moves in lists", "j": "moves in lists", "k": "moves in lists",
    "G": "moves in lists", "ctrl+d": "moves in lists", "ctrl+u": "moves in lists",
}  # fmt: skip
"""Keys that only the action which has them by default may have, and why."""

_NAMES = {key.value for key in Keys} | set(KEY_ALIASES) | {f"f{number}" for number in range(1, 25)}
_MODIFIERS = {"ctrl", "shift", "alt", "super", "hyper", "meta"}
_CHARACTERS = {"[": "left_square_bracket"}


@dataclass(frozen=True)
class Keymap:
    """Which keys each action has; `problems` are sentences on what of the user's table was left out."""

    keys: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: {action.id: action.keys for action in ACTIONS})
    problems: tuple[str, ...] = ()

    def key_display(self, action_id: str) -> str:
        """The first key of an action as one reads it; empty when it has none."""
        keys = self.keys[action_id]
        return display(keys[0]) if keys else ""

    def overrides(self) -> dict[str, str]:
        """What differs from the registry, for `App.set_keymap`."""
        return {action.id: ",".join(keys) for action in ACTIONS if (keys := self.keys[action.id]) != action.keys}


def load_keymap(table: Mapping[str, object]) -> Keymap:
    """The keys of the registry changed by `table`."""
    keys = {action.id: action.keys for action in ACTIONS}
    problems: list[str] = []
    for action_id, value in table.items():
        action = BY_ID.get(action_id)
        wanted = _wanted(value)
        problem = _unknown(action_id) if action is None else _malformed(action, wanted)
        if problem:
            problems.append(problem)
        else:
            keys[action_id] = tuple(wanted)
    _drop_clashes(keys, table, problems)
    return Keymap(keys, tuple(problems))


def _wanted(value: object) -> list[str]:
    """The keys of one entry, in Textual's spelling; none when it is neither a text nor a list of texts."""
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(key, str) for key in values):
        return []
    return [_normal(key) for key in values if key.strip()]


def _normal(key: str) -> str:
    key = key.strip()
    if len(key) == 1:
        return key
    *modifiers, last = key.split("+")
    last = last.lower() if len(last) > 1 else _CHARACTERS.get(last, last.lower())
    return "+".join([*(modifier.lower() for modifier in modifiers), last])


def _unknown(action_id: str) -> str:
    near = get_close_matches(action_id, BY_ID, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(sorted(BY_ID))}."
    return f"There is no action {action_id!r} to give a key to{hint}"


def _malformed(action: Action, keys: list[str]) -> str | None:
    if not keys:
        return f'The keys of {action.id!r} must be a text or a list of texts, like "f5" or ["f5", "p"].'
    for key in keys:
        if not _is_key(key):
            return f'{key!r} for {action.id!r} is no key; write it like "p", "f5" or "ctrl+g".'
        if key in RESERVED and key not in action.keys:
            return f"{display(key)!r} can't be used for {action.id!r}: it {RESERVED[key]}."
    return None


def _is_key(key: str) -> bool:
    if len(key) == 1:
        return key.isprintable() and key not in ", "
    *modifiers, last = key.split("+")
    return set(modifiers) <= _MODIFIERS and (
        last in _NAMES or (len(last) == 1 and bool(modifiers)) or last in _CHARACTERS.values()
    )


def _drop_clashes(keys: dict[str, tuple[str, ...]], table: Mapping[str, object], problems: list[str]) -> None:
    """Where two actions of scopes that are active together share a key, the user's entry gives way, with a sentence.

    Going back to a default can clash with another entry, so this goes on until nothing clashes that the user changed.
    """
    while clash := _first_clash(keys):
        one, other, key = clash
        changed = [action for action in (one, other) if keys[action.id] != action.keys]
        loser = next((action for action in reversed(changed) if action.id in table), other)
        problems.append(
            f"The key {display(key)!r} is given to both {one.id!r} ({one.label}) and {other.id!r} ({other.label}); "
            f"{loser.id!r} keeps its usual key."
        )
        keys[loser.id] = loser.keys


def _first_clash(keys: Mapping[str, tuple[str, ...]]) -> tuple[Action, Action, str] | None:
    """Two actions that share a key though one of them was changed, and the key."""
    for one, other in combinations(ACTIONS, 2):
        if keys[one.id] == one.keys and keys[other.id] == other.keys:
            continue
        shared = set(keys[one.id]) & set(keys[other.id])
        if shared and any({one.scope, other.scope} <= together for together in TOGETHER):
            return one, other, min(shared)
    return None
