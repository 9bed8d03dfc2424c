"""The one registry of actions: keys, palette, hint bar, help table and the check of user keymaps come from here.

Control actions name the verbs of `longwatch send` that they stand for, so that everything on the screen has a form for
other shells. Keys must survive SSH, tmux and screen: no Ctrl+B, A, S or Q, and none that is another key in disguise.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Protocol, get_args, runtime_checkable

from msgspec import Struct
from textual.binding import Binding
from textual.keys import format_key

Scope = Literal["watch", "replay", "reader", "sessions", "global"]
SCOPES: tuple[Scope, ...] = get_args(Scope)

TOGETHER: tuple[frozenset[Scope], ...] = (
    frozenset({"watch", "replay", "global"}),
    frozenset({"reader", "global"}),
    frozenset({"sessions", "global"}),
)
"""Scopes that are active at the same time: within each, a key means one thing."""


class Action(Struct, frozen=True):
    """One thing a person can do. The screen of its scope has a method `action_<method>`."""

    id: str
    keys: tuple[str, ...]
    label: str
    """One or two words for the hint bar."""
    help: str
    """A sentence for the palette and the help table."""
    group: str
    scope: Scope
    hint: int = 0
    """Place in the hint bar, 1 first; 0 is not shown there."""
    verbs: tuple[str, ...] = ()
    confirmed: bool = False
    """Whether the screen asks before it does this."""

    @property
    def method(self) -> str:
        """Textual's name of the action: the id in snake case."""
        return self.id.replace("-", "_")

    @property
    def key_display(self) -> str:
        """The first key as one reads it."""
        return display(self.keys[0]) if self.keys else ""


@runtime_checkable
class KeyedApp(Protocol):
    """An app that knows the user's own keys."""

    def keys_of(self, action: Action) -> tuple[str, ...]: ...


def display(key: str) -> str:
    """A key as printed on the screen: `space`, `^x`, `?`, `Tab`."""
    modifier, _, last = key.rpartition("+")
    return f"^{last}" if modifier == "ctrl" else format_key(key)


def _watch(
    id: str, keys: str, label: str, help: str, group: str, hint: int = 0, verbs: str = "", **more: bool
) -> Action:
    return Action(id, tuple(keys.split()), label, help, group, "watch", hint, tuple(verbs.split()), **more)


def _replay(id: str, keys: str, label: str, help: str, hint: int = 0) -> Action:
    return Action(id, tuple(keys.split()), label, help, "Replay", "replay", hint)


def _reader(id: str, keys: str, label: str, help: str, hint: int = 0) -> Action:
    return Action(f"reader-{id}", tuple(keys.split()), label, help, "Reader", "reader", hint)


def _sessions(id: str, keys: str, label: str, help: str, hint: int = 0) -> Action:
    return Action(id, tuple(keys.split()), label, help, "Sessions", "sessions", hint)


def _everywhere(id: str, keys: str, label: str, help: str, hint: int = 0) -> Action:
    return Action(id, tuple(keys.split()), label, help, "Everywhere", "global", hint)


_STEER, _LOOK = "Steer", "Look"

ACTIONS: tuple[Action, ...] = (
    _watch("pause", "space", "pause", "Pause before the next action, or continue.", _STEER, 1, "pause continue"),
    _watch("guide", "g", "guide", "Say something that the agent reads with its next request.", _STEER, 2, "guide"),
    _watch("retract", "", "retract", "Take back guidance that has not been delivered yet.", _STEER, 0, "retract"),
    _watch("compress", "c", "compress", "Shorten the context; shows the price first.", _STEER, 3, "compress"),
    _watch("policy", "P", "policy", "Choose by what rule the context is compressed.", _STEER, 0, "policy"),
    _watch("keep", "", "keep memory", "Keep a memory entry that an abandoned branch wrote.", _STEER, 0, "keep"),
    _watch(
        "write-memory",
        "W",
        "memory",
        "Write, change, pin or forget a memory entry.",
        _STEER,
        0,
        "remember revise forget pin-memory unpin-memory",
    ),
    _watch("cancel", "X", "cancel", "Take back the last command that has had no effect yet.", _STEER, 0, "cancel"),
    _watch("pin", "i", "pin", "Keep the chosen item of the context word for word, or no more.", _STEER, 0, "pin unpin"),
    _watch("evict", "E", "evict", "Put a line in place of the chosen result; shows the price.", _STEER, 0, "evict"),
    _watch("rewind", "r", "rewind", "Go back to a checkpoint: the conversation and the files.", _STEER, 4, "rewind"),
    _watch("undo", "u", "undo", "Take back the last rewind or compression.", _STEER, 0, "undo"),
    _watch("answer", "a", "answer", "Answer what the agent asks.", _STEER, 0, "approve deny answer"),
    _watch("guard-ok", "O", "is fine", "Say that what a guard raised is fine.", _STEER, 0, "guard-ok"),
    _watch("guard-right", "Y", "was right", "Say that what a guard raised was right.", _STEER, 0, "guard-right"),
    _watch("constraint", "C", "forbid", "Forbid something, checked exactly.", _STEER, 0, "constraint"),
    _watch("edit-plan", "U", "edit plan", "Start, finish, drop, add or reword a step of the plan.", _STEER, 0, "plan"),
    _watch("pause-at", "S", "pause at", "Pause or report by itself, by time or cost.", _STEER, 0, "pause-at check-in"),
    _watch("lift", "", "lift", "Lift a constraint.", _STEER, 0, "lift"),
    _watch("interrupt", "x", "interrupt", "Cut the reply or the command that is running.", _STEER, 0, "interrupt"),
    _watch("retry-now", "t", "try now", "Stop waiting and try the failed request again.", _STEER, 0, "retry-now"),
    _watch("budget", "b", "budget", "Change how much this session may spend.", _STEER, 0, "budget"),
    _watch("model", "M", "model", "Go on with another model.", _STEER, 0, "model"),
    _watch("fork", "B", "branch off", "Go on from the moment that is shown in a new session, beside this one.", _STEER),
    _watch("bookmark", "m", "bookmark", "Mark this moment with a few words.", _STEER, 0, "bookmark"),
    _watch("rename", "", "rename", "Give the session another name.", _STEER, 0, "rename"),
    _watch("stop", "ctrl+x", "stop", "End the session for good.", _STEER, 0, "stop", confirmed=True),
    _watch("drive", "w", "take wheel", "Drive in place of the screen that drives now.", _STEER, 0, "drive"),
    _watch("after-reboot", "", "reboot", "Have it resumed after a reboot, or no more.", _STEER, 0, "after-reboot"),
    _watch("hand-over", "", "hand over", "Move the session to this version of Longwatch.", _STEER, 0, "hand-over"),
    _watch("detach", "d", "detach", "Give the terminal back; the agent goes on.", "Leave", 0, "detach"),
    _watch("leave", "q", "leave", "Leave this screen; the agent goes on.", "Leave", 9),
    _watch("search", "/", "search", "Find words in the conversation, or narrow the calls by words.", _LOOK, 6),
    _watch("find", "F", "find all", "Find words in everything: said, thought, done, put out, remembered.", _LOOK),
    _watch("next-match", "n", "next", "Go to the next match.", _LOOK),
    _watch("previous-match", "N", "previous", "Go to the previous match.", _LOOK),
    _watch("why", "!", "why", "What is wrong, why, and what helps.", _LOOK),
    _watch("since", "L", "since you left", "What happened since you left, and what waits for you.", _LOOK),
    _watch("note", "A", "note", "Write something in the margin of this moment, for yourself and others.", _LOOK),
    _watch("changes", "D", "changes", "What it changed, hunk by hunk; review, revert.", _LOOK, 0, "revert"),
    _watch("branches", "R", "branches", "What was gone back from; go on with it.", _LOOK, 0, "switch name-branch"),
    _watch("moments", "h", "moments", "A dozen moments that tell the session, and its chapters.", _LOOK),
    _watch("timeline", "H", "timeline", "The session at a glance: by time, by events, how well it went, away.", _LOOK),
    _watch("bytes", "", "bytes", "Show in the status line what goes to this terminal, or no more.", _LOOK),
    _watch("next-error", "e", "next error", "Go to the next failed tool call or request.", _LOOK),
    _watch("follow", "f", "follow", "Show the end and move with it. End does the same in a list.", _LOOK),
    _watch("open", "enter", "open", "Open the selected item in full.", _LOOK, 5),
    _watch("vary", "v", "vary", "Show more or less of every entry, or calls of the next kind.", _LOOK),
    _watch("fold", "o", "fold", "Fold or unfold the selected thinking or result.", _LOOK),
    _watch("times", "T", "times", "Show times since the start, times of the day, or none.", _LOOK),
    _watch("same-tool", "=", "same tool", "Show only calls of the selected call's tool, or all again.", _LOOK),
    _watch("locate", "l", "locate", "From a call to its place in the conversation, and back.", _LOOK),
    _watch("copy", "y", "copy", "Copy what is selected to the clipboard.", _LOOK),
    _watch("pane-conversation", "1", "conversation", "Look at the conversation.", "Panes"),
    _watch("pane-tools", "2", "tools", "Look at the tool calls.", "Panes"),
    _watch("pane-context", "3", "context", "Look at the context window.", "Panes"),
    _watch("pane-memory", "4", "memory", "Look at the memory entries.", "Panes"),
    _watch("pane-cost", "5", "cost", "Look at the cost.", "Panes"),
    _watch("pane-plan", "6", "plan", "Look at the plan.", "Panes"),
    _watch("next-pane", "tab", "next pane", "Go to the next pane.", "Panes"),
    _watch("previous-pane", "shift+tab", "previous pane", "Go to the previous pane.", "Panes"),
    _watch("zoom", "z", "zoom", "Give the whole screen to this pane, or take it back.", "Panes"),
    _replay("play", "p", "play", "Let the recorded time run, or hold it.", 1),
    _replay("step-back", "[", "back", "One event back; held down it goes faster.", 2),
    _replay("step-forward", "]", "step", "One event on; held down it goes faster.", 3),
    _replay("previous-turn", "(", "turn back", "To the reply before.", 0),
    _replay("next-turn", ")", "turn", "To the next reply.", 0),
    _replay("to-start", "0", "start", "To the first event.", 0),
    _replay("previous-checkpoint", "{", "checkpoint back", "To the checkpoint before.", 0),
    _replay("next-checkpoint", "}", "checkpoint", "To the next checkpoint.", 4),
    _replay("next-mark", "+", "next mark", "To the next mark: an error, an edit, a guard, a human and so on.", 0),
    _replay("previous-mark", "-", "mark back", "To the mark before.", 0),
    _replay("mark-kind", "*", "marks", "Jump to marks of another kind: errors, edits, guards and so on, or all.", 0),
    _replay("slower", "<", "slower", "Play at half the speed.", 0),
    _replay("faster", ">", "faster", "Play at twice the speed.", 5),
    _reader("close", "escape q", "close", "Close the reader, or its line of search.", 1),
    _reader("previous", "left [ h", "before", "Read what comes before it in its pane.", 3),
    _reader("next", "right ]", "next", "Read what comes after it in its pane.", 4),
    _reader("search", "/", "search", "Find words in what is read.", 5),
    _reader("next-match", "n", "next match", "Go to the next match."),
    _reader("previous-match", "N", "match before", "Go to the match before."),
    _reader("copy", "y", "copy", "Copy what is selected by mouse, else all of it.", 6),
    _reader("side", "tab shift+tab", "other side", "From the arguments of a call to its output, and back.", 2),
    _reader("widen", "w", "wide", "One side of a call in the whole width, or both.", 8),
    _reader("film", "d", "its session", "Watch the session that did this part.", 2),
    _reader("locate", "l", "its place", "Close the reader, and show where the call was made.", 7),
    _sessions("open-session", "enter", "open", "Open the selected session: watch it, or replay it if it has ended.", 1),
    _sessions("watch-session", "a", "watch", "Watch and steer the selected session, whoever runs it.", 0),
    _sessions("resume-session", "r", "resume", "Go on with the selected session in this terminal.", 3),
    _sessions("replay-session", "p", "replay", "Show the selected session as a film.", 4),
    _sessions("report", "R", "report", "Show the report of the selected session.", 5),
    _sessions("compare", "c", "compare", "Mark the selected session; then compare another one with it.", 6),
    _sessions("fork-session", "b", "branch off", "Go on from the end of the selected session in a new one.", 0),
    _sessions("search-sessions", "/", "search", "Find sessions by name, task, workspace, model or id.", 0),
    _sessions("next-group", "f", "filter", "Show only the next group: those that need you, running, ended, trash.", 7),
    _sessions("previous-group", "F", "filter back", "Show the group before.", 0),
    _sessions("rename-session", "n", "name", "Give the selected session another name, in its line.", 10),
    _sessions("delete-session", "D delete", "delete", "Move the selected session to the trash; there, for good.", 6),
    _sessions("undo-delete", "u", "put back", "Put back what was deleted last, or the selected one of the trash.", 2),
    _sessions("leave-sessions", "q", "quit", "Leave Longwatch; running agents go on.", 9),
    _everywhere("help", "? f1", "help", "Show every key and what it does.", 8),
    _everywhere("palette", "ctrl+p", "palette", "Find any action by its name.", 7),
    _everywhere("theme", "ctrl+t", "theme", "Change to the next theme."),
    _everywhere("suspend", "ctrl+z", "put away", "Put the screen away as a stopped job; fg brings it back."),
    _everywhere("redraw", "ctrl+l", "redraw", "Paint the screen again."),
)  # fmt: skip

BY_ID = {action.id: action for action in ACTIONS}


def in_scope(*scopes: Scope) -> list[Action]:
    """The actions of these scopes, in the order of the registry."""
    return [action for action in ACTIONS if action.scope in scopes]


def hinted(actions: Iterable[Action]) -> list[Action]:
    """Those that belong in a hint bar, most important first."""
    return sorted((action for action in actions if action.hint), key=lambda action: action.hint)


def bindings(*scopes: Scope, owner: str = "", first: Iterable[str] = ()) -> list[Binding]:
    """Textual's bindings for `BINDINGS` of a screen or the app, in its defaults; the user's keys come by `set_keymap`.

    `owner`: whose actions they are where not of who binds them, `app.`. `first`: ids of those whose keys count before
    what has the focus sees them. An action without a key gets one that nobody can press, as a place for a key of the
    user's.
    """
    return [
        Binding(
            ",".join(action.keys) or f"unbound-{action.id}",
            f"{owner}{action.method}",
            action.label,
            show=False,
            priority=action.id in first,
            tooltip=action.help,
            id=action.id,
        )
        for action in in_scope(*scopes)
    ]
