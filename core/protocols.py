"""The only seam between screen and core: a source of events in, commands out. Live and attached are the same path."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import msgspec

from core.events import Event, SessionOpened

if TYPE_CHECKING:
    from core.changes.net import FileDiff
    from core.folds.file_states import Handwork
    from core.folds.highlights import Moment
    from core.folds.tail import Tail
    from core.folds.view import SessionView
    from core.request.fidelity import Fact
    from core.workspace.base import FileFate


class LiveDelta(msgspec.Struct, frozen=True):
    """A piece of the reply in flight. `kind`: text, thinking, tool (a call's name begins) or arguments."""

    attempt: str
    kind: str
    index: int
    text: str


class Written(msgspec.Struct, frozen=True):
    """What a running command wrote: `text` up to byte `end` of its output, begun at `start` (more than was asked for
    when there was too much)."""

    start: int
    end: int
    text: str


class Hit(NamedTuple):
    """Event `seq` holds the words `times` times in what it is by `kind`; the first time at `start` of `line`."""

    seq: int
    at_us: int
    kind: str
    line: str
    start: int
    times: int


class Found(NamedTuple):
    """The `hits` of some more events, newest first: down to event `reached` everything is read now."""

    hits: list[Hit]
    reached: int


class Source(Protocol):
    """The events so far, then each new one."""

    def restored(self) -> SessionView:
        """The view as of the last event up to which it was kept, or of nothing; `batches` goes on from there.

        Blocks for some milliseconds; to be asked once, before anything else.
        """
        ...

    def put_away(self, view: SessionView) -> None:
        """Free the memory of what is long past in a view; it is read back when it is looked at."""
        ...

    async def keep(self, view: SessionView, longer_by: float = 0.0) -> None:
        """Keep the view for the next screen, where that is worth it: it got longer by that part of what is kept.

        Blocks for some milliseconds and returns when it is kept; the view may grow on meanwhile.
        """
        ...

    def batches(self) -> AsyncIterator[Sequence[Event]]:
        """Everything so far in a few batches, an empty batch when it has caught up, then what comes.

        Ends by itself only when nothing more can come (a file that is replayed).
        """
        ...

    def tails(self) -> AsyncIterator[Tail]:
        """The end of the log before all of it is read, again and again as more is known of it, or as it grows."""
        ...

    async def last_seq(self) -> int:
        """How many events there are now: what reading all of them comes to."""
        ...

    def live(self) -> AsyncIterator[Sequence[LiveDelta]]:
        """Pieces of the reply in flight; an empty batch when a new attempt starts or the old one is settled."""
        ...

    async def event(self, seq: int) -> Event | None:
        """One event, whole."""
        ...

    async def blob(self, hash: str) -> bytes | None:
        """A big output by its hash."""
        ...

    def find(self, words: str) -> AsyncIterator[Found]:
        """Where the words stand, whatever their case, in anything that was said, done or kept; newest first.

        It ends when all is read, and stops reading when it is no longer asked. May raise JournalError.
        """
        ...

    async def changes(self) -> list[FileDiff]:
        """What differs in the files from when the session began. May raise JournalError, WorkspaceError."""
        ...

    async def differing(self, before: str, after: str) -> list[FileDiff]:
        """What differs in the files between two trees that the session kept. May raise JournalError, WorkspaceError."""
        ...

    async def highlights(self) -> tuple[list[Moment], list[Moment]]:
        """The few moments that tell the session, and its chapters; reads the whole log. May raise JournalError."""
        ...

    async def output(self, call: str, after: int = 0) -> Written | None:
        """What a command that runs has written from byte `after` on; None where nothing is kept of it (any more)."""
        ...

    async def close(self) -> None: ...


class Preview(msgspec.Struct, frozen=True):
    """What a compression would do now, computed and not done. Tokens as the provider counts them; money None: unknown.

    `digest` is the block that may be edited before it is applied; `rest` is everything else that the request would
    hold afterwards, in which the `facts` are looked for too. `held`: what stays verbatim, one line each. `names`: how
    many names the digest lists, of `names_known` that recall can reach. `planned_turns`: the turns that are still to
    come as far as that is known, `saves` what they would cost less. `problem`: why there is nothing to compress.
    """

    tokens_before: int
    tokens_after: int
    turns_leaving: int
    turns_kept: int
    held: tuple[str, ...]
    names: int
    names_known: int
    digest: str
    rest: str
    facts: tuple[Fact, ...]
    keep_from: int | None
    head: int
    price: Decimal | None = None
    next_call: Decimal | None = None
    saves_per_turn: Decimal | None = None
    payback_turns: float | None = None
    planned_turns: int | None = None
    saves: Decimal | None = None
    problem: str = ""


class RestorePreview(msgspec.Struct, frozen=True):
    """What it would do to the files to go back to a snapshot, computed and not done.

    `by_hand`: those of their paths that no call changed; they are kept unless it is said otherwise.
    """

    files: tuple[FileFate, ...]
    by_hand: frozenset[str]


class ModelOffer(msgspec.Struct, frozen=True):
    """A model that the session's endpoint may answer with. `window` in tokens, None: unknown.

    `rates`: dollars a token, fresh, output, cache read and cache write; empty where they are unknown. `cached`: whether
    the endpoint keeps what was sent for the next request.
    """

    model: str
    window: int | None
    rates: tuple[Decimal, ...]
    cached: bool


class Controls(Protocol):
    """Every control of the session, from here or from another shell."""

    @property
    def available(self) -> bool:
        """False for an exported file, which can only be read."""
        ...

    async def send(self, verb: str, args: dict[str, Any] | None = None, head: int | None = None) -> str:
        """Post a command; its id. Whether it was accepted is told by an event keyed by that id."""
        ...

    async def preview_compression(self, instruction: str = "", evict: int | None = None) -> Preview:
        """What a compression would do now, following the instruction ("keep everything on auth").

        With `evict`: what it would do to drop the result of that event alone.
        """
        ...

    async def preview_restore(self, tree: str, known: Handwork) -> RestorePreview:
        """What a rewind of the files to `tree` would do now; `known` is what the log tells of changes by hand."""
        ...

    async def model_offers(self, opened: SessionOpened, present: str, sent: int) -> list[ModelOffer]:
        """What the session could go on with, `present` first, at the rates for a prompt of `sent` tokens.

        May raise, with a sentence.
        """
        ...

    async def said_before(self) -> list[str]:
        """What the user has told agents, in this session and in others: the latest first, each text once."""
        ...
