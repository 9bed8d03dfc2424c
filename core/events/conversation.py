"""Bodies of what makes the conversation: the session, guidance, requests and replies, tool calls, the plan."""

from __future__ import annotations

from typing import Any, Literal

from core.events.envelope import Body, Money, Seconds, Tokens, kind

DELEGATED = "delegated by"
"""The field of a session's origin that names the session for which it works; `call` is then the call that began it."""


IMPORTED = "imported"
"""The profile of a session that another tool ran: it can be looked at, not gone on with."""


VIRTUAL_TIME = "virtual_time"
"""The setting of a session whose times are of no wall clock: it is rehearsed."""


@kind("session.opened", node=True)
class SessionOpened(Body, frozen=True):
    """The root of the tree: what is to be done, where, and by which model. No key and no secret is in it.

    `endpoint` is a URL, or `simulated/<policy>` for the built-in server. `settings` are the ones that a resume
    must keep (budget, max_turns, max_tokens, context policy). `told_workspace`: the one that the first message names,
    where that is another: a fork goes on with what was sent before it.
    """

    session: str
    name: str
    task: str
    workspace: str
    model: str
    endpoint: str
    profile: str
    app_version: str
    api_key_env: str | None = None
    settings: dict[str, Any] = {}
    origin: dict[str, Any] | None = None
    told_workspace: str | None = None


@kind("guidance.queued")
class GuidanceQueued(Body, frozen=True):
    """Keyed by the id of its command. `standing` guidance is pinned and repeated for ever."""

    text: str
    standing: bool = False


@kind("guidance.retracted")
class GuidanceRetracted(Body, frozen=True):
    """Keyed by the id of the guidance that was taken back before it was delivered."""

    reason: str = ""


@kind("guidance.delivered", node=True)
class GuidanceDelivered(Body, frozen=True):
    """Text that enters the context as a user block. Only `source="user"` is the user's words.

    `source`: `user`; `notice`: a fact stated by the runner (a rewind, a recovery); `guard`: an automatic nudge;
    `anchor`: the objective, the constraints and the current step, repeated automatically; `memory`: what earlier
    sessions of this workspace left behind. `usd`: what an automatic text costs to be sent once, where that is known.
    """

    text: str
    source: Literal["user", "notice", "guard", "anchor", "memory"] = "user"
    standing: bool = False
    usd: Money | None = None


class Usage(Body, frozen=True):
    """Tokens of one reply, each counted once: the prompt is fresh + cache_read + cache_write_5m + cache_write_1h."""

    fresh: Tokens = 0
    cache_read: Tokens = 0
    cache_write_5m: Tokens = 0
    cache_write_1h: Tokens = 0
    output: Tokens = 0

    @property
    def cache_write(self) -> int:
        return self.cache_write_5m + self.cache_write_1h

    @property
    def sent(self) -> int:
        """Tokens of the whole prompt."""
        return self.fresh + self.cache_read + self.cache_write


class Price(Body, frozen=True):
    """What a reply cost, decided once. `cost` in US dollars as a decimal string; None means unknown, never zero."""

    cost: Money | None = None
    source: str = ""
    row: dict[str, Money] = {}


class Outlook(Body, frozen=True):
    """What was computed before a request went out, so that meters and forecasts replay as they were.

    `floor`: tokens that the prompt would have right after a compression. `compression_usd`: what that compression would
    cost (K of the rent rule). `warm_usd`, `cold_usd`: forecast of this request with its prefix cached, and without.
    `readable`: tokens that the cache should give back; `changed_at`: the first block of the messages that differs from
    the last answered request (None: nothing but the end). `ttl_s`, `minimum`: the cache's lifetime in seconds and the
    least tokens that it keeps; None: no cache that we know of. Money as decimal strings, None where prices are unknown.
    """

    floor: int = 0
    compression_usd: Money | None = None
    warm_usd: Money | None = None
    cold_usd: Money | None = None
    readable: int = 0
    changed_at: int | None = None
    ttl_s: int | None = None
    minimum: int = 0


@kind("model.requested")
class ModelRequested(Body, frozen=True):
    """Keyed by attempt `r<n>.<a>`; its `node` is the HEAD that was projected.

    The request itself is never stored: the blobs `system` and `tools` (hashes), `marks` (indexes of the messages that
    carried a cache breakpoint) and the log up to here rebuild its bytes. `body` is the SHA-256 of what stands before
    the messages and of the messages without their cache markers.
    `system` and `tools` are empty when they are those of the request before it in the log.
    `parts` are estimated tokens by what fills the window: system, tools, pinned, digest, text, results.
    `purpose`: `main`, or what a side request is for (`digest`, `ping`, `judge`); `limit_reason` says why `max_tokens`.
    """

    model: str
    body: str
    body_bytes: int
    messages: int
    marks: list[int]
    max_tokens: int
    prompt_version: str
    parts: dict[str, int]
    system: str = ""
    tools: str = ""
    window: int | None = None
    purpose: str = "main"
    limit_reason: str = ""
    outlook: Outlook | None = None


@kind("model.responded", node=True)
class ModelResponded(Body, frozen=True):
    """Keyed by attempt. `content`: the blocks as received (tool_use ids made unique), re-sent unchanged.

    `raw_usage` is what the vendor reported beyond the counts in `usage`.
    """

    message_id: str
    model: str
    content: list[dict[str, Any]]
    stop_reason: str
    usage: Usage
    price: Price
    raw_usage: dict[str, Any] = {}
    first_token_ms: int | None = None
    ms: int = 0
    request_id: str | None = None


@kind("model.consulted")
class ModelConsulted(Body, frozen=True):
    """Keyed by attempt `<purpose><n>.1`: the reply to a side request. It is no part of the conversation.

    `text` is what it said; `used` whether something came of it, `detail` why not.
    """

    model: str
    text: str
    stop_reason: str
    usage: Usage
    price: Price
    raw_usage: dict[str, Any] = {}
    ms: int = 0
    used: bool = True
    detail: str = ""


@kind("model.failed")
class ModelFailed(Body, frozen=True):
    """Keyed by attempt: the other outcome of a request. `partial` counts characters that were shown and thrown away.

    `usage` and `price` are what the broken reply was known to have cost; None when the server did not say.
    """

    error: str
    message: str
    status: int | None = None
    retry_after_s: float | None = None
    request_id: str | None = None
    partial: int = 0
    usage: Usage | None = None
    price: Price | None = None


@kind("retry.waiting")
class RetryWaiting(Body, frozen=True):
    """Keyed by the attempt that failed: the next one goes out at `until_us`."""

    until_us: int
    delay_s: Seconds
    error: str
    attempt: int


def is_aside(call: str | None) -> bool:
    """Whether a call belongs to a side request (a subagent's): its result is no part of the conversation's context."""
    return call is not None and not call.startswith("r")


@kind("tool.started")
class ToolStarted(Body, frozen=True):
    """Intent, committed before the tool runs; keyed by call `r<n>.<a>.<index>`.

    `intent` is what recovery needs to decide what an unfinished call means (hashes, job folder).
    """

    name: str
    use_id: str
    arguments: dict[str, Any]
    effect: str
    intent: dict[str, Any] = {}


class FileChange(Body, frozen=True):
    """One file that a call changed: SHA-256 before and after (None: absent), lines added and removed."""

    path: str
    before: str | None
    after: str | None
    added: int = 0
    removed: int = 0


@kind("workspace.changed")
class WorkspaceChanged(Body, frozen=True):
    """Files that the agent has read changed between two calls: by hand, or by what a command left running.

    `before` of each is what the agent has seen, `after` None where the file is gone.
    """

    files: list[FileChange]


class MediaShown(Body, frozen=True):
    """An image or a document that the model sees with a result: `blob` is its hash, `tokens` an estimate."""

    kind: Literal["image", "document"]
    media_type: str
    blob: str
    tokens: int


@kind("tool.finished", node=True)
class ToolFinished(Body, frozen=True):
    """Keyed by call; one a call. `content` is what the model sees; `blob` the hash of the whole output if capped.

    `fingerprint` is a digest of the whole scrubbed output; `recovered` says that a restart decided this outcome. `tree`
    are the files as a call that may change them left them; None where they were not looked at. `invalid`: it was
    refused before it ran, because its arguments are none that the tool takes. `media` go beside the content, which has
    a line on each.
    """

    name: str
    use_id: str
    ok: bool
    content: str
    ms: int = 0
    blob: str | None = None
    size: int = 0
    exit_code: int | None = None
    files: list[FileChange] = []
    fingerprint: str = ""
    recovered: bool = False
    tree: str | None = None
    media: list[MediaShown] = []
    invalid: bool = False


class PlanStep(Body, frozen=True):
    """A step of 15-30 minutes with an observable check; a `long` one may need long replies. `after`: steps that come
    before it; `minutes`: what it may take, None for the usual."""

    id: str
    intent: str
    check: str = ""
    status: Literal["todo", "active", "done", "dropped"] = "todo"
    note: str = ""
    long: bool = False
    after: list[str] = []
    minutes: int | None = None


@kind("plan.changed", node=True)
class PlanChanged(Body, frozen=True):
    """The whole plan as it stands after the change."""

    steps: list[PlanStep]
    reason: str = ""


@kind("plan.reassessed")
class PlanReassessed(Body, frozen=True):
    """The plan was looked at again at the end of step `step`, or for a reason while it was active (empty: none was).

    `verified`: its check had passed after the last change; `kept`, `changed`: how many other steps are as they were.
    """

    step: str
    reason: str = ""
    verified: bool = False
    kept: int = 0
    changed: int = 0
