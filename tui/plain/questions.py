"""What is asked before a control that costs or ends something: its price and effect as lines, from the folds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from math import ceil
from typing import Any, NamedTuple

from core.folds.branch_tree import branch_named, branches_of
from core.folds.checkpoints import Checkpoint, boundary_at
from core.folds.file_states import Handwork
from core.folds.view import SessionView
from core.folds.words import one_line
from core.protocols import Controls, Preview
from core.workspace.errors import WorkspaceError
from tui.branching import left_words
from tui.panes import figures
from tui.plain.commands import Unclear
from tui.rewinding import between, fate_words, price_words, since_words, split, way_back, way_to

NAMED = 10
"""Files, commands or facts that are listed by name."""
LABEL = 160

YES, NO = ("y", "yes"), ("", "n", "no")


class Confirmation(NamedTuple):
    """What is told before a control is sent; `head`: the node that was looked at."""

    facts: list[str]
    question: str
    head: int | None


Asking = Callable[[dict[str, Any], SessionView, Controls], Awaitable[Confirmation | None]]


async def confirmation(verb: str, args: dict[str, Any], view: SessionView, controls: Controls) -> Confirmation | None:
    """What to ask before `verb`; None where nothing is. Raises Unclear where it would have no effect."""
    asking = _ASKING.get(verb)
    return await asking(args, view, controls) if asking else None


async def _compress(args: dict[str, Any], view: SessionView, controls: Controls) -> Confirmation:
    preview = await controls.preview_compression(str(args.get("instruction", "")))
    return _priced(preview, "Compress now?")


async def _evict(args: dict[str, Any], view: SessionView, controls: Controls) -> Confirmation | None:
    if not args.get("now"):
        return None
    preview = await controls.preview_compression(evict=args["seq"])
    return _priced(preview, f"Evict #{args['seq']} now?")


def _priced(preview: Preview, question: str) -> Confirmation:
    from core.request.fidelity import surviving  # Late: it stands on how requests are made.

    if preview.problem:
        raise Unclear(preview.problem)
    before, after = preview.tokens_before, preview.tokens_after
    lost = surviving(preview.facts, f"{preview.digest}\n{preview.rest}")[1]
    facts = [
        f"{before:,} tokens a call become {after:,}",
        f"it costs {_price(preview)}",
        f"{figures.plural(preview.turns_leaving, 'turn')} leave, {figures.plural(preview.turns_kept, 'turn')} stay, "
        f"{figures.plural(len(preview.held), 'text')} word for word; "
        f"{preview.names:,} names listed of {preview.names_known:,} that recall can reach",
        *(f"lost: {one_line(fact.name, LABEL)}" for fact in lost),
    ]
    return Confirmation(facts, question, preview.head)


def _price(preview: Preview) -> str:
    if preview.price is None:
        return "an unknown price"
    turns, each = preview.payback_turns, preview.saves_per_turn
    back = f", back after {figures.plural(max(1, ceil(turns)), 'turn')}" if turns is not None else ""
    saves = f", and saves {figures.usd(each)} a turn" if each is not None and each > 0 else ", and saves nothing"
    return f"{figures.usd(preview.price)}{back}{saves if each is not None else ''}"


async def _rewind(args: dict[str, Any], view: SessionView, controls: Controls) -> Confirmation:
    to = args["to"]
    boundary = boundary_at(view.state, view.branches, to) if view.branches.visible(to) and to <= view.last_seq else None
    if boundary is None:
        raise Unclear(f"#{to} is not on the current branch. `checkpoints` lists where rewind can lead.")
    lost, checkpoint = between(view, boundary), view.checkpoints.after(boundary)
    what = "the conversation and the files" if args["conversation"] and args["files"] else "the files"
    what = what if args["files"] else "the conversation"
    facts = [
        f"{what} go back to #{boundary}",
        f"left behind: {since_words(lost)}; undo brings them back",
    ]
    if args["files"]:
        facts += await _files(args, view, controls, checkpoint)
    if stays := (*lost.commands, *lost.fetches):
        facts.append(f"what commands and network calls did outside the workspace stays: {_listed(stays)}")
    if args["conversation"] and checkpoint is not None:
        now_us = view.timeline.at_us(view.last_seq)
        facts.append(f"price: {price_words(way_back(view, checkpoint, now_us))}")
    return Confirmation(facts, f"Rewind to #{boundary}?", view.state.head)


async def _files(
    args: dict[str, Any], view: SessionView, controls: Controls, checkpoint: Checkpoint | None
) -> list[str]:
    if checkpoint is None:
        return ["no file was changed since"]
    return await _restoring(args, controls, checkpoint.tree, view.file_states.since(checkpoint.seq))


async def _restoring(args: dict[str, Any], controls: Controls, tree: str | None, known: Handwork) -> list[str]:
    if tree is None:
        return ["there is no snapshot of the files: they stay as they are"]
    try:
        preview = await controls.preview_restore(tree, known)
    except (OSError, WorkspaceError) as fault:
        raise Unclear(f"What would become of the files can't be told: {fault}") from None
    calls, hands = split(preview)
    facts = [f"{figures.plural(len(calls), 'file')} would go back: {_listed(list(map(fate_words, calls)))}"]
    if hands:
        fate = "restored, too" if args.get("overwrite") else "kept; --overwrite restores them, too"
        facts.append(f"changed by hand, {fate}: {_listed([fate.path for fate in hands])}")
    return facts


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return "; ".join(one_line(name, LABEL) for name in names[:NAMED]) + more


async def _switch(args: dict[str, Any], view: SessionView, controls: Controls) -> Confirmation:
    found = branches_of(view.branches, view.state.head, view.last_seq)
    branch = branch_named(found, str(args["branch"]))
    if branch is None or not branch.left:
        raise Unclear(f"There is no branch {args['branch']!r} to go to. `branches` lists them.")
    left = left_words(view, view.branches.parting(branch.tip))
    facts = [
        f"the session goes on at the end of branch {branch.number}, {one_line(branch.title, LABEL)}",
        f"left behind: {left}; they stay as a branch",
    ]
    if args.get("files", True):
        tree = view.file_states.known(branch.left)
        facts += await _restoring(args, controls, tree, view.file_states.since(branch.left))
    now_us = view.timeline.at_us(view.last_seq)
    facts.append(f"price: {price_words(way_to(view, branch.tip, branch.left, now_us))}")
    return Confirmation(facts, f"Go on with {one_line(branch.title, LABEL)}?", view.state.head)


async def _stop(args: dict[str, Any], view: SessionView, controls: Controls) -> Confirmation:
    facts = ["the session ends at the next safe point; all is kept, and longwatch resume goes on", "quit only leaves"]
    return Confirmation(facts, "Stop the agent?", view.state.head)


_ASKING: dict[str, Asking] = {
    "compress": _compress,
    "evict": _evict,
    "rewind": _rewind,
    "switch": _switch,
    "stop": _stop,
}
"""Controls that are confirmed; any other is sent at once, for it can be taken back or costs nothing."""
