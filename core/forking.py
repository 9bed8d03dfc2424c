"""A new session from a point of another: its events up to there, the files of that moment in a folder of their own.

The original is only read. What it cost until then is told in the new one, and counts there no more.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from core.agent.facts import Facts
from core.clock import Clock, SystemClock
from core.events import (
    AfterReboot,
    CheckpointMade,
    CommandDone,
    Draft,
    Event,
    GuidanceDelivered,
    GuidanceRetracted,
    HeadMoved,
    SessionForked,
    SessionOpened,
    SessionPaused,
    ToolFinished,
)
from core.folds.branches import Span
from core.folds.state import RunState
from core.ids import ulid
from core.journal.catalogue import session_folder
from core.journal.errors import JournalError
from core.journal.forking import copy_log
from core.journal.lease import acquire
from core.journal.reader import Reader
from core.journal.schema import CAME, UNSAID
from core.journal.writer import Journal
from core.private import make_private
from core.workspace.checkout import checkout, copy_store
from core.workspace.errors import WorkspaceError
from core.workspace.snapshots import FILES, open_snapshots
from core.workspace.worktree import abandon

_CHUNK: Final = 2_000
_HARMLESS: Final = frozenset({"context", "policy", "anchor_every", "max_tokens", "instructions", "speed"})
"""Settings of a foreign session that permit nothing."""
NOT_CARRIED: Final = "not carried over into a fork"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted: from which event on (None: the last), called what, its files where and whether as a copy."""

    at: int | None = None
    name: str = ""
    into: Path | None = None
    plain: bool = False
    foreign: bool = False
    """It is a film that came as a file: nothing that it says of this machine, or permits, counts."""


@dataclass(frozen=True, slots=True)
class Forked:
    """What was made. `upto`: their last common event; `how`: `worktree` or `copy`, of the files in `workspace`."""

    folder: Path
    name: str
    upto: int
    workspace: Path
    how: str
    foreign: bool = False

    @property
    def sentence(self) -> str:
        """What was made and how to go on with it."""
        files = "a worktree" if self.how == "worktree" else "a copy"
        go_on = f"longwatch resume {self.folder.name[:10]}{' --model NAME' if self.foreign else ''}"
        return (
            f"Forked after #{self.upto:,} as {self.name}; its files are {files} in {self.workspace}. {go_on} goes on."
        )


@dataclass
class _Moment:
    """A session as of the last event at which nothing of it was under way, and the tree of its files then."""

    facts: Facts = field(default_factory=Facts)
    tree: str | None = None
    upto: int = 0

    def take(self, event: Event) -> None:
        self.facts.apply(event)
        body = event.body
        if isinstance(body, CheckpointMade | ToolFinished) and body.tree:
            self.tree = body.tree
        elif isinstance(body, HeadMoved) and body.tree_after:
            self.tree = body.tree_after
        if settled(self.facts.state):
            self.upto = event.seq


def settled(state: RunState) -> bool:
    """Whether a log that ends here leaves nothing under way: no reply, no call, no side request."""
    return not (state.open_attempt or state.pending or state.open_sides)


async def fork(home: Path, source: Path, wish: Wish, clock: Clock | None = None) -> Forked:
    """Make the new session, which stands until it is resumed.

    Raises JournalError or WorkspaceError; nothing is left behind then.
    """
    try:
        return await _fork(home, source, wish, clock or SystemClock())
    except OSError as error:
        raise JournalError(
            f"The session can't be forked now: {error.strerror or error}; nothing was changed."
        ) from error


async def _fork(home: Path, source: Path, wish: Wish, clock: Clock) -> Forked:
    with Reader(source) as reader:
        moment = await asyncio.to_thread(_read, reader, wish.at)
        opened = moment.facts.state.opened
        assert opened is not None
        id = ulid(clock.now_us())
        name, original = wish.name or f"{moment.facts.state.name}-fork", Path(opened.workspace)
        foreign = wish.foreign or (source / CAME).exists()
        beside = Path.cwd() / original.name if foreign else original
        into = (wish.into or beside.with_name(f"{original.name}.fork-{id[-6:]}")).expanduser().absolute()
        make_private(session_folder(home, id).parent)
        with tempfile.TemporaryDirectory(prefix=".forking-", dir=home, ignore_cleanup_errors=True) as place:
            draft = Path(place) / id
            draft.mkdir(mode=0o700)
            tree = await _files(reader, source, draft, moment, None if foreign else original)
            how = await checkout(draft, tree, into if foreign else original, into, plain=wish.plain or foreign)
            try:
                origin = {"fork": {"session": opened.session, "at": moment.upto}}
                changed = {"session": id, "name": name, "workspace": str(into.resolve()), "origin": origin}
                changed["told_workspace"] = opened.told_workspace or opened.workspace
                if foreign:
                    changed["settings"] = {name: opened.settings[name] for name in _HARMLESS & opened.settings.keys()}
                    (draft / UNSAID).touch(mode=0o600)
                await asyncio.to_thread(lambda: copy_log(reader, draft, moment.upto, **changed))
                await _begin(draft, _first_words(moment, opened, into.resolve()), clock)
                draft.rename(session_folder(home, id))
            except BaseException:
                await abandon(original, into)
                raise
    return Forked(session_folder(home, id), name, moment.upto, into, how, foreign)


def _read(reader: Reader, at: int | None) -> _Moment:
    """The session as of the last settled event up to `at`."""
    last = reader.last_seq()
    if at is not None and not 1 <= at <= last:
        raise JournalError(f"There is no event #{at}; the session has {last:,}, as `longwatch events` prints them.")
    moment = _folded(reader, last if at is None else at)
    if not moment.upto:
        raise JournalError("The session was never opened: there is nothing to go on from.")
    return moment if moment.facts.state.last_seq == moment.upto else _folded(reader, moment.upto)


def _folded(reader: Reader, until: int) -> _Moment:
    moment, after = _Moment(), 0
    while after < until and (batch := reader.events(after, min(_CHUNK, until - after))):
        for event in batch:
            moment.take(event)
        after = batch[-1].seq
    return moment


async def _files(reader: Reader, source: Path, draft: Path, moment: _Moment, original: Path | None) -> str:
    """The tree of that moment, its contents within reach of the new session.

    Before the first snapshot the files were as that one found them; without any, they are as they are now.
    """
    if original is None and not (source / FILES).is_dir():
        raise WorkspaceError("It holds no files (it was exported without --files), so there is nothing to go on with.")
    await asyncio.to_thread(copy_store, source, draft)
    later = reader.within([Span(moment.upto + 1, reader.last_seq())], {CheckpointMade.KIND})
    found = (event.body.tree for event in later if isinstance(event.body, CheckpointMade) and event.body.tree)
    tree = moment.tree or next(found, None)
    if tree is not None:
        return tree
    if original is None:
        raise WorkspaceError("It never looked at its files, so there is nothing to go on with.")
    shot = await open_snapshots(original, draft).snapshot("before a fork")
    if shot.tree is None:
        raise WorkspaceError(shot.detail)
    return shot.tree


def _first_words(moment: _Moment, opened: SessionOpened, into: Path) -> Iterator[Draft]:
    """What is different in the new session: where it comes from, and that nothing asked of the other is asked here."""
    state, bill = moment.facts.state, moment.facts.costs.total.last
    yield Draft(
        SessionForked(
            session=opened.session,
            name=state.name,
            at=moment.upto,
            usd=str(bill.usd),
            unpriced=bill.unpriced,
            workspace=opened.workspace,
        ),
        actor="user",
    )
    for order in state.orders.values():
        yield Draft(CommandDone(verb=order.verb, ok=False, detail=NOT_CARRIED), key=order.id, actor="user")
    for id in state.queued:
        yield Draft(GuidanceRetracted(reason=NOT_CARRIED), key=id, actor="user")
    if state.after_reboot:
        yield Draft(AfterReboot(resume=False), actor="user")
    text = (
        f"This session was forked here from another one. The workspace is now {into}, with the files as they were at "
        f"this point; {opened.workspace} belongs to the other session: leave it alone."
    )
    yield Draft(GuidanceDelivered(text=text, source="notice"), actor="system")
    if state.finished is None:
        detail = f"forked from {state.name} at #{moment.upto:,}"
        yield Draft(SessionPaused(reason="forked", detail=detail), actor="user")


async def _begin(folder: Path, drafts: Iterator[Draft], clock: Clock) -> None:
    with acquire(folder) as lease:
        async with await Journal.open(folder, clock, lease=lease) as journal:
            await journal.append(*drafts)
