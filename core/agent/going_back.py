"""What a move to another moment leaves behind: what became of the files, and what the model is told of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from core.events import Draft, GuidanceDelivered, HeadMoved

LISTED = 2000
"""Files that the log names of one restore."""

Effect = tuple[list[Draft], str]
"""What carrying out an order adds to the log, and why it could not be done: empty where it was."""


@dataclass(frozen=True, slots=True)
class Restoration:
    """Files brought to `tree`; `before` is the tree that they were, None where nothing was restored: see `detail`.

    `kept` are paths that would differ too, and were left: changed by hand, or in the way.
    """

    before: str | None = None
    tree: str | None = None
    files: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    detail: str = ""

    def moved(self, to: int, origin: int, reason: Literal["rewind", "undo", "switch", "revert"]) -> HeadMoved:
        """The move of HEAD with which the files went back."""
        return HeadMoved(
            to=to,
            origin=origin,
            reason=reason,
            tree_before=self.before,
            tree_after=self.tree,
            files=self.files[:LISTED],
            kept=self.kept[:LISTED],
        )


def told_restored(moved: HeadMoved) -> Effect:
    """Only the files went back: HEAD stays where it is, and yet the move is journalled, for it can be undone."""
    if not moved.files:
        kept = f" but what was changed by hand and is kept: {', '.join(moved.kept[:10])}" if moved.kept else ""
        return [], f"No file differs from that checkpoint{kept}."
    text = "The user restored these files to an earlier state; read them again before you rely on them:\n"
    notice = GuidanceDelivered(text=text + "\n".join(moved.files[:100]), source="notice")
    return [Draft(moved, actor="user"), Draft(notice)], ""


def told_back_again(moved: HeadMoved) -> Effect:
    """Files that were taken back are as before that; HEAD stays where it is."""
    text = "The user undid that: these files changed again; read them again before you rely on them:\n"
    notice = GuidanceDelivered(text=text + "\n".join(moved.files[:100]), source="notice")
    return [Draft(moved, actor="user"), *([Draft(notice)] if moved.files else [])], ""


def told_reverted(moved: HeadMoved, hunk: str) -> Effect:
    """A change was taken back, and nothing else."""
    if not moved.files:
        return [], "No file differs from what it was to become."
    text = (
        f"The user took back {'a part of what' if hunk else 'what'} you changed in the files below. Don't make that "
        "change again unless they ask for it, and read the files again before you rely on them:\n"
    )
    return [
        Draft(moved, actor="user"),
        Draft(GuidanceDelivered(text=text + "\n".join(moved.files), source="notice")),
    ], ""


def told_moved(moved: HeadMoved, notice: str, standing: Iterable[str]) -> Effect:
    """The conversation went elsewhere: the model is told, and what the user said for good is said there, too."""
    again = [Draft(GuidanceDelivered(text=text, standing=True), actor="user") for text in dict.fromkeys(standing)]
    return [Draft(moved, actor="user"), Draft(GuidanceDelivered(text=notice, source="notice")), *again], ""


def rewind_notice(files: list[str] | None, commands: list[str], kept: list[str]) -> str:
    """What the model is told after a rewind."""
    opening = "The user rewound the session to this point; what came after it was abandoned."
    return _notice(opening, "at this point", files, commands, kept)


def switch_notice(files: list[str] | None, commands: list[str], kept: list[str]) -> str:
    """What the model is told after coming back to a branch that was left."""
    opening = (
        "The user had gone back to an earlier point and worked on from there. Now they came back to this branch: go on "
        "from here. What was done meanwhile is not part of this conversation."
    )
    return _notice(opening, "when this branch was left", files, commands, kept)


def _notice(opening: str, when: str, files: list[str] | None, commands: list[str], kept: list[str]) -> str:
    lines = [opening]
    if files is None:
        lines.append("The files were left as they are now: read before you rely on what you remember.")
    elif files:
        lines.append(f"These files were restored to their state {when}:")
        lines += [f"- {line}" for line in files[:50]]
    else:
        lines.append("No file had to be restored.")
    if kept:
        lines.append("These files were changed by hand meanwhile, or could not be restored, and stay as they are:")
        lines += [f"- {path}" for path in kept[:50]]
    if commands:
        lines.append("Commands of the abandoned part may have had effects outside the workspace that stay:")
        lines += [f"- {line}" for line in commands[-10:]]
    return "\n".join(lines)
