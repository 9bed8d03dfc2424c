"""What a tool is: a name, arguments as a struct, an effect, and three verbs: prepare, run, recover."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

import msgspec

from core.events import Body, FileChange
from core.sandbox.grant import NOTHING, Grant
from core.tools.media import Media
from core.tools.recalled import Passage


class Effect(StrEnum):
    """What a call may change; decides order (reads run at once), checkpoints (before the others) and recovery."""

    READ = "read"
    """Changes nothing; runs beside other reads; after a crash it simply runs again."""
    WRITE = "write"
    """Changes files inside the workspace, verifiable by hash."""
    COMMAND = "command"
    """May change anything."""
    NETWORK = "network"
    """Reads from outside; changes nothing here."""
    STATE = "state"
    """Changes the session's own memory or plan, by events."""
    DELEGATE = "delegate"
    """Has another session do it, each of whose calls is judged by itself; may change anything."""

    @property
    def concurrent(self) -> bool:
        return self in (Effect.READ, Effect.NETWORK)

    @property
    def mutates_files(self) -> bool:
        return self in (Effect.WRITE, Effect.COMMAND, Effect.DELEGATE)


class ToolError(Exception):
    """A call that failed in a way the model can act on; the text is one plain sentence for it."""


class NoRoom(ToolError):
    """Nothing was done, for the disk with the session's own folder has no room: it can be done once there is some."""


class InvalidArguments(ToolError):
    """The call was not run: its arguments are none that the tool takes."""


class LaidDown(Exception):
    """Raised by a call that stops without an outcome, to be gone on with later: see `Lasting`."""


class Rerun:
    """Answer of `recover`: nothing happened, or it does not matter; run it again."""


RERUN: Final = Rerun()


class Outcome(msgspec.Struct, frozen=True):
    """What a call came to.

    `content` is what the model sees, already capped; `full` the whole output where `content` is not all of it
    (text, or a file to be read when it is too big to hold). `events` are journalled in the same transaction
    before the outcome (memory, plan). `media` the model sees beside the content, which has a line on each.
    """

    content: str
    ok: bool = True
    full: str | Path | None = None
    files: tuple[FileChange, ...] = ()
    exit_code: int | None = None
    events: tuple[tuple[Body, str | None], ...] = ()
    media: tuple[Media, ...] = ()


class Recall(Protocol):
    """What the session remembers, as tools may ask it (implemented over the folds and the journal)."""

    async def memories(self, query: str, category: str | None, limit: int) -> list[Passage]:
        """Entries known now, newest first: of the category, holding every word of the query, where these are given."""
        ...

    async def search(self, query: str, limit: int) -> list[Passage]:
        """What holds exactly this string, or else is most like it: what still holds first, each newest first."""
        ...

    async def near(self, query: str) -> list[str]:
        """Names that exist and look like a query that found nothing."""
        ...

    async def output(self, handle: str) -> str | None:
        """The whole text behind a handle (`out:<call>`, `#<seq>`, `m<n>`, `p<n>`), or None."""
        ...

    def remembers(self, entry: str) -> bool:
        """Whether this entry of the session is known now."""
        ...

    def next_memory_id(self) -> str:
        """A fresh entry id."""
        ...

    def plan(self) -> list[Any]:
        """The plan's steps (`core.events.PlanStep`)."""
        ...


class ToolContext(msgspec.Struct):
    """What one call may use. `call` is its key, `jobs` the folder for its output and exit code.

    `read_hashes` maps workspace-relative paths to the SHA-256 the model last saw (shared by the session's calls).
    `grant` is what this call alone may do beyond the sandbox. `stays` says, when the call is cancelled, whether what it
    started goes on: another runner is about to take it up.
    """

    workspace: Path
    jobs: Path
    call: str
    recall: Recall
    read_hashes: dict[str, str] = msgspec.field(default_factory=dict)
    settings: dict[str, Any] = msgspec.field(default_factory=dict)
    grant: Grant = NOTHING
    stays: Callable[[], bool] = lambda: False


class Tool(Protocol):
    """One tool. `Arguments` is a msgspec struct; its docstrings and Meta descriptions are what the model reads."""

    @property
    def name(self) -> str: ...

    @property
    def description(self) -> str: ...

    @property
    def effect(self) -> Effect: ...

    @property
    def Arguments(self) -> type[msgspec.Struct]: ...

    def prepare(self, arguments: Any, context: ToolContext) -> dict[str, Any]:
        """The intent that is committed before the call runs. Raises ToolError when it can't be run at all."""
        ...

    async def run(self, arguments: Any, context: ToolContext) -> Outcome:
        """Do it. Raises ToolError for what the model can act on."""
        ...

    async def recover(self, arguments: Any, intent: dict[str, Any], context: ToolContext) -> Outcome | Rerun:
        """Decide what an unfinished call of an earlier process means."""
        ...


@runtime_checkable
class Foreign(Protocol):
    """A tool of a server: its arguments are described by `schema`, handed on as they came and judged over there."""

    schema: dict[str, Any]
    server: str


@runtime_checkable
class StandsFor(Protocol):
    """A tool that names another one, which is judged, run and recovered in its place."""

    def meant(self, arguments: Any) -> tuple[Tool, Mapping[str, Any]]:
        """The tool that is meant, and its arguments. Raises ToolError where there is none."""
        ...


@runtime_checkable
class Lasting(Protocol):
    """A tool whose unfinished call is gone on with (by `recover`) where the user sees it and can cut it: in the loop,
    not before it."""

    def goes_on(self, intent: Mapping[str, Any], context: ToolContext) -> bool:
        """Whether an unfinished call has still something to do."""
        ...

    async def cut(self, intent: Mapping[str, Any], context: ToolContext) -> Outcome:
        """End it for good; what it came to until then."""
        ...


@runtime_checkable
class Previewed(Protocol):
    """A tool that can show what a call would change before it is run, for somebody who is to approve it."""

    def preview(self, arguments: Any, context: ToolContext) -> str:
        """The change as a unified diff. Raises ToolError as `prepare` does."""
        ...
