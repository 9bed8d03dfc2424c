"""What a transcript of any tool comes down to. What a format does not tell stays None, which is not zero.

`at_us` is journal time (microseconds since the epoch, UTC). `lane` is empty for the conversation itself and names a
subagent's otherwise. `row` numbers count from 1.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from core.events import PlanStep, Usage


class Record(msgspec.Struct, kw_only=True, gc=False):
    """Base of all records."""

    at_us: int | None = None
    lane: str = ""


class Session(Record):
    """From here on the records belong to the session `key` of the file; told anew whenever that changes.

    `whole`: cost and tokens are told of the whole alone, at its end.
    """

    key: str
    tool: str
    version: str = ""
    workspace: str = ""
    model: str = ""
    name: str = ""
    task: str = ""
    provider: str | None = None
    whole: bool = False


class Said(Record):
    """Words that the model was sent: the user's, or a `notice` of the tool."""

    text: str
    source: Literal["user", "notice"] = "user"


class Replied(Record):
    """A whole reply. `content`: blocks in the shape of the Messages protocol (text, thinking, tool_use).

    `cost` in US dollars as a decimal string where the transcript tells it. `asked_us`: when the request went out.
    `rest` says that the reply was recorded before and this is more of it, already counted.
    """

    id: str = ""
    model: str = ""
    content: list[dict[str, Any]] = []
    stop: str = ""
    usage: Usage | None = None
    raw_usage: dict[str, Any] = {}
    cost: str | None = None
    window: int | None = None
    asked_us: int | None = None
    ms: int | None = None
    rest: bool = False


class Edited(msgspec.Struct, frozen=True, kw_only=True):
    """One file that a call changed, as far as it is known: counts of lines, and whether it is new or gone."""

    path: str
    added: int = 0
    removed: int = 0
    new: bool = False
    gone: bool = False


class Answered(Record):
    """What a tool call came to. `diff` is a text in unified form, added to the output where that shows none."""

    use_id: str
    text: str
    ok: bool = True
    ms: int | None = None
    exit_code: int | None = None
    edits: tuple[Edited, ...] = ()
    diff: str = ""


class Compacted(Record):
    """The tool replaced what came before by `summary`; token counts where they are told."""

    trigger: str = ""
    summary: str = ""
    before: int | None = None
    after: int | None = None


class Planned(Record):
    """The tool's list of steps as it stands now."""

    steps: list[PlanStep]


class Failed(Record):
    """A request that came to nothing."""

    error: str
    message: str
    status: int | None = None


class Renamed(Record):
    """The tool gave the session a title."""

    name: str


class Kept(Record):
    """A row that says nothing in our words."""

    what: str
    row: int = 0
    fields: dict[str, Any] = {}


class Ended(Record):
    """How it ended, where that is told; `usage` and `cost` are of the whole session, where replies have none."""

    state: Literal["finished", "stopped", "failed"]
    reason: str
    detail: str = ""
    usage: Usage | None = None
    cost: str | None = None
