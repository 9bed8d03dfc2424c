"""Bodies of what surrounds the conversation: who runs it, what was commanded, checkpoints, context, memory, money."""

from __future__ import annotations

from typing import Any, Literal

from core.events.envelope import Body, Money, kind


@kind("session.paused")
class SessionPaused(Body, frozen=True):
    """The loop stands at a safe point. `reason` is one word of `core.folds.standing.REASONS`."""

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


@kind("session.forked")
class SessionForked(Body, frozen=True):
    """Up to here the log is a copy of the one of `session`, of which event `at` was the last: what comes is its own.

    `usd` is what the other had cost until then, `unpriced` its replies of unknown price; it worked in `workspace`.
    """

    session: str
    name: str
    at: int
    usd: Money = "0"
    unpriced: int = 0
    workspace: str = ""


@kind("session.renamed")
class SessionRenamed(Body, frozen=True):
    name: str


@kind("session.after_reboot")
class AfterReboot(Body, frozen=True):
    """Whether the session is to be resumed after a reboot of its machine."""

    resume: bool


@kind("runner.attached")
class RunnerAttached(Body, frozen=True):
    """A process took the lease; `epoch` grows by one each time.

    `sandbox` is how it confines commands: `bubblewrap`, `landlock`, or `none: why`; empty in logs from before there
    was any. `network`: whether they reach other machines. `terms`: what a
    successor needs to run it alike.
    """

    pid: int
    host: str
    epoch: int
    app_version: str
    sandbox: str = ""
    network: bool = True
    terms: dict[str, Any] = {}


@kind("runner.detached")
class RunnerDetached(Body, frozen=True):
    reason: str


@kind("hook.failed")
class HookFailed(Body, frozen=True):
    """A command of the user's that runs on events failed, or the sending of telemetry; `detail` is a sentence."""

    hook: str
    on: str
    detail: str


@kind("runner.recovered")
class RunnerRecovered(Body, frozen=True):
    """What the last runner left unfinished and how each was decided: plain sentences, one each."""

    findings: list[str]


@kind("driver.changed")
class DriverChanged(Body, frozen=True):
    """From here on the screen `viewer` steers, the others observe. `who`: whose it is and where; `by`: who had it so.

    `taken`: somebody took the wheel; else it fell to the screen that steered while nobody else did.
    """

    viewer: str
    who: str
    by: str = ""
    taken: bool = False


@kind("command.accepted")
class CommandAccepted(Body, frozen=True):
    """Keyed by command id; `origin` says who sent it and where. Its effect comes at its boundary, as another event."""

    verb: str
    args: dict[str, Any] = {}
    origin: str = ""


@kind("command.refused")
class CommandRefused(Body, frozen=True):
    """Keyed by command id; `reason` is one plain sentence."""

    verb: str
    reason: str
    args: dict[str, Any] = {}
    origin: str = ""


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

    `tree_before` is the safety snapshot that makes the move itself undoable, `tree_after` what the files then were.
    `kept` were left as they are: changed by hand, or in the way. With `to` = `origin` only files went back. `switch`
    goes to the end of a branch that was left before; `revert` took back a change in single files.
    """

    to: int
    origin: int
    reason: Literal["rewind", "undo", "switch", "revert"]
    tree_before: str | None = None
    tree_after: str | None = None
    files: list[str] = []
    kept: list[str] = []


@kind("branch.named")
class BranchNamed(Body, frozen=True):
    """From here on branch number `branch` (in the order in which they began, 1 the first) is called this."""

    branch: int
    name: str


class HeldText(Body, frozen=True):
    """Words that enter the head of the request for good: the user's own, or an item that somebody pinned.

    `seq` is the event whose words they are (the name by which they are released again), `text` the exact block.
    """

    seq: int
    text: str


class Stub(Body, frozen=True):
    """What stands for a tool result from here on: `seq` is its `tool.finished`, `text` names its handle."""

    seq: int
    text: str


class Quote(Body, frozen=True):
    """What a compression was computed to cost and to save, in US dollars as decimal strings; None: prices unknown.

    `price` is the cache that is written anew, the model's share and the re-reads to be expected; `saves_per_turn` what
    each further turn costs less; `payback_turns` their quotient.
    """

    price: Money | None = None
    saves_per_turn: Money | None = None
    payback_turns: float | None = None


@kind("context.compressed", node=True)
class ContextCompressed(Body, frozen=True):
    """From here on the request is: the task, all texts `held` so far, all `ledger` blocks so far, `digest`, the tail.

    `held`, `ledger` and `digest` are the exact texts that are sent. `held` and `ledger` are only what this compression
    adds (they are never rewritten), `released` are the seqs of held texts that leave; `digest` replaces the last one.
    The tail is what was there from node `keep_from` on (None: nothing), with `anchors` (older nodes that stay) before
    it and the results in `masked` replaced by their stubs. Nothing of the log is removed.
    Token counts are in the provider's tokens as far as they are calibrated.
    """

    policy: str
    reason: str
    digest: str
    keep_from: int | None
    tokens_before: int
    tokens_after: int
    held: list[HeldText] = []
    released: list[int] = []
    ledger: str = ""
    anchors: list[int] = []
    masked: list[Stub] = []
    instruction: str = ""
    edited: bool = False
    quote: Quote | None = None


@kind("context.policy")
class ContextPolicy(Body, frozen=True):
    """From here on the context is compressed by this policy (`off`: only when asked); `reason` is a plain sentence.

    `tokens`: what the prompt came to when futile compressions were switched off; 0 where somebody chose the policy.
    """

    policy: str
    reason: str = ""
    tokens: int = 0


@kind("item.pinned")
class ItemPinned(Body, frozen=True):
    """The words of event `seq` stay in the request, verbatim, from the next compression on."""

    seq: int


@kind("item.unpinned")
class ItemUnpinned(Body, frozen=True):
    seq: int


@kind("item.evicted")
class ItemEvicted(Body, frozen=True):
    """The words of event `seq` leave the request with the next compression, though they are recent."""

    seq: int


@kind("context.restored", node=True)
class ContextRestored(Body, frozen=True):
    """Undo of the compression at `seq`: the request is again what it would be without it."""

    seq: int


@kind("memory.written")
class MemoryWritten(Body, frozen=True):
    """Keyed by entry id: `m<n>` the agent's, `u<n>` the user's.

    `scope`: of this session alone, or offered to the next ones of its workspace. `replaces` is the entry that this one
    revises: it is no longer current from here on.
    """

    text: str
    category: str = "fact"
    topic: str = ""
    pinned: bool = False
    call: str | None = None
    scope: Literal["session", "project"] = "session"
    replaces: str | None = None


@kind("memory.forgotten")
class MemoryForgotten(Body, frozen=True):
    """Entry `id` is forgotten from here on, on this branch."""

    id: str
    reason: str = ""


@kind("memory.kept")
class MemoryKept(Body, frozen=True):
    """Entry `id`, written on a branch that was abandoned, is known on this branch too from here on."""

    id: str


@kind("budget.changed")
class BudgetChanged(Body, frozen=True):
    """The budget in US dollars (decimal string); None: no limit."""

    usd: str | None


@kind("budget.crossed")
class BudgetCrossed(Body, frozen=True):
    """Keyed by threshold, e.g. `5.00@80`, `minutes:360@80`. `words`: how much of what, of a limit that is no money."""

    percent: int
    spent: str
    budget: str
    words: str = ""


@kind("model.switched")
class ModelSwitched(Body, frozen=True):
    """From here on this model answers; with `endpoint`, at another place and with another key variable.

    `reason`: empty where somebody chose it; `down`: the one before did not answer; `back`: the chosen one does again.
    `route` is then its name in the configuration, empty for the chosen one, `detail` says why, and `usd` is about what
    the next request costs there, where nothing of it is in a cache; None: unknown.
    """

    model: str
    endpoint: str | None = None
    profile: str = ""
    api_key_env: str | None = None
    reason: Literal["", "down", "back"] = ""
    route: str = ""
    detail: str = ""
    usd: Money | None = None


@kind("bookmark.added")
class BookmarkAdded(Body, frozen=True):
    text: str
