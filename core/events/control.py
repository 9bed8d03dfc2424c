"""Bodies of what surrounds the conversation: who runs it, what was commanded, checkpoints, context, memory, money."""

from __future__ import annotations

from typing import Any, Literal

from core.events.envelope import Body, kind


@kind("session.paused")
class SessionPaused(Body, frozen=True):
    """The loop stands at a safe point. `reason` is one word of `core.folds.state.REASONS`."""

    reason: str
    detail: str = ""


@kind("session.continued")
class SessionContinued(Body, frozen=True):
    detail: str = ""


@kind("session.finished")
class SessionFinished(Body, frozen=True):
    """The runner ends. `state`: finished (the task is done), stopped (somebody or a limit), failed."""

    state: Literal["finished", "stopped", "failed"]
    reason: str
    detail: str = ""


@kind("session.renamed")
class SessionRenamed(Body, frozen=True):
    name: str


@kind("runner.attached")
class RunnerAttached(Body, frozen=True):
    """A process took the lease; `epoch` grows by one each time."""

    pid: int
    host: str
    epoch: int
    app_version: str


@kind("runner.detached")
class RunnerDetached(Body, frozen=True):
    reason: str


@kind("runner.recovered")
class RunnerRecovered(Body, frozen=True):
    """What the last runner left unfinished and how each was decided: plain sentences, one each."""

    findings: list[str]


@kind("command.accepted")
class CommandAccepted(Body, frozen=True):
    """Keyed by command id. The effect comes at its boundary, as an event of its own."""

    verb: str
    args: dict[str, Any] = {}


@kind("command.refused")
class CommandRefused(Body, frozen=True):
    """Keyed by command id; `reason` is one plain sentence."""

    verb: str
    reason: str
    args: dict[str, Any] = {}


@kind("command.done")
class CommandDone(Body, frozen=True):
    """Keyed by command id: the deferred effect of an accepted command came, or could not (`detail` says why)."""

    verb: str
    ok: bool = True
    detail: str = ""


@kind("checkpoint.made")
class CheckpointMade(Body, frozen=True):
    """A snapshot of the files, keyed `c<n>`. `tree` is None when it could not be made (`detail` says why).

    `skipped` lists paths that the snapshot does not cover; `changed` counts paths that differ from the one before.
    """

    tree: str | None
    backend: str
    label: str = ""
    changed: int = 0
    skipped: list[str] = []
    detail: str = ""


@kind("head.moved")
class HeadMoved(Body, frozen=True):
    """HEAD goes to node `to`; the next node hangs there. `files` is what was restored, as `status path` lines.

    `tree_before` is the safety snapshot that makes the move itself undoable.
    """

    to: int
    origin: int
    reason: Literal["rewind", "undo"]
    tree_before: str | None = None
    tree_after: str | None = None
    files: list[str] = []
    kept: list[str] = []


@kind("context.compressed", node=True)
class ContextCompressed(Body, frozen=True):
    """From here on the request starts with pinned text and `digest`; turns from node `keep_from` on stay verbatim.

    `pinned` and `digest` are the exact texts that are sent; nothing of the log is removed.
    """

    policy: str
    reason: str
    pinned: str
    digest: str
    keep_from: int | None
    tokens_before: int
    tokens_after: int


@kind("context.restored", node=True)
class ContextRestored(Body, frozen=True):
    """Undo of the compression at `seq`: the request is again what it would be without it."""

    seq: int


@kind("memory.written")
class MemoryWritten(Body, frozen=True):
    """Keyed by entry id `m<n>`."""

    text: str
    category: str = "fact"
    topic: str = ""
    pinned: bool = False
    call: str | None = None


@kind("memory.forgotten")
class MemoryForgotten(Body, frozen=True):
    """Entry `id` is forgotten from here on, on this branch."""

    id: str
    reason: str = ""


@kind("budget.changed")
class BudgetChanged(Body, frozen=True):
    """The budget in US dollars (decimal string); None: no limit."""

    usd: str | None


@kind("budget.crossed")
class BudgetCrossed(Body, frozen=True):
    """Keyed by threshold, e.g. `5.00@80`."""

    percent: int
    spent: str
    budget: str


@kind("model.switched")
class ModelSwitched(Body, frozen=True):
    """From here on this model answers; with `endpoint`, at another place and with another key variable."""

    model: str
    endpoint: str | None = None
    profile: str = ""
    api_key_env: str | None = None


@kind("bookmark.added")
class BookmarkAdded(Body, frozen=True):
    text: str
