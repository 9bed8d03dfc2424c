"""What can be set: these structs are the manual, and nothing that they don't name is accepted."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args, get_origin

from msgspec import Meta

from core.approvals.rules import Mode
from core.config.extensions import BoxSettings, HookSettings, ServerSettings, TelemetrySettings, ToolSettings
from core.config.section import Count, Dollars, Seconds, Section, says


class ModelSettings(Section, frozen=True):
    """Which model works, and how it is reached. Keys never stand here: only the name of the variable that holds one."""

    name: Annotated[
        str | None, says("The model, with an optional profile before it.", "openrouter:qwen/qwen3.7-max")
    ] = None
    profile: Annotated[
        str | None,
        says(
            "A built-in profile or one of yours; left out, it follows from base_url or the model's name.", "openrouter"
        ),
    ] = None
    base_url: Annotated[
        str | None,
        says("Where the server is, without /v1/messages; left out, the profile knows.", "http://127.0.0.1:8080"),
    ] = None
    api_key_env: Annotated[
        str | None,
        says("The environment variable that holds the key; left out, the profile knows.", "OPENROUTER_API_KEY"),
    ] = None
    max_tokens: Annotated[Count | None, says("The longest reply, in tokens; left out, the profile knows.", 32_000)] = (
        None
    )
    thinking_budget: Annotated[
        Annotated[int, Meta(ge=0)], says("Tokens a reply may spend on thinking; 0 switches it off, else at least 1024.")
    ] = 0


class ProfileSettings(Section, frozen=True):
    """A provider of your own, or changes to a built-in one of the same name."""

    like: Annotated[str | None, says("The built-in profile that this one starts from.", "generic")] = None
    base_url: Annotated[str | None, says("Where the server is.", "https://models.example.org")] = None
    api_key_env: Annotated[str | None, says("The environment variable that holds the key.", "WORK_API_KEY")] = None
    headers: Annotated[dict[str, str], says("Headers added to each request.", {"x-team": "tools"})] = {}
    cache: Annotated[
        Literal["explicit", "automatic", "none"] | None,
        says("Prompt caching: by markers that we set, by the server on its own, or none.", "explicit"),
    ] = None
    pooling: Annotated[bool | None, says("Keep connections open between requests.", True)] = None
    window: Annotated[Count | None, says("The context window, in tokens.", 200_000)] = None
    max_output: Annotated[Count | None, says("The longest reply, in tokens.", 32_000)] = None
    price_provider: Annotated[str | None, says("The provider whose price list applies.", "openrouter")] = None
    stall_s: Annotated[Seconds | None, says("Seconds without a byte after which a reply counts as stalled.", 120.0)] = (
        None
    )
    images: Annotated[bool | None, says("Its models see images in the results of tools.", True)] = None
    documents: Annotated[bool | None, says("Its models read PDF documents in the results of tools.", True)] = None


class LimitSettings(Section, frozen=True):
    """Where a session stops by itself."""

    budget_usd: Annotated[Dollars | None, says("The most a session may cost, in US dollars.", 20.0)] = None
    max_turns: Annotated[Count | None, says("The most replies a session may take.", 2000)] = None
    max_minutes: Annotated[Count | None, says("The most minutes a session may run, pauses left out.", 360)] = None
    day_usd: Annotated[Dollars | None, says("The most a session may cost in a day (UTC), in US dollars.", 10.0)] = None
    step_usd: Annotated[Dollars | None, says("The most a step of the plan may cost, in US dollars.", 1.5)] = None


class RetryPolicy(Section, frozen=True):
    """How patient a session is with a server that fails. All times are in seconds."""

    outage_s: Annotated[Seconds, says("How long to wait in all for one reply before giving up.")] = 21_600.0
    first_delay_s: Annotated[Seconds, says("The first wait; each further one is twice as long.")] = 2.0
    longest_delay_s: Annotated[Seconds, says("The longest wait while the failure is young.")] = 60.0
    patient_after: Annotated[Count, says("From this attempt on the waits are those of patient_delay_s.")] = 10
    patient_delay_s: Annotated[Seconds, says("The wait of a long outage.")] = 300.0
    malformed_attempts: Annotated[Count, says("How many unreadable replies in a row are borne.")] = 4
    compressions: Annotated[
        Annotated[int, Meta(ge=0)], says("How often one request may be compressed because it was too long.")
    ] = 3


class PriceSettings(Section, frozen=True):
    """Prices of your own, in US dollars per million tokens; they win over the built-in list."""

    input: Annotated[Dollars, says("Fresh prompt tokens.", 1.25)]
    output: Annotated[Dollars, says("Tokens of the reply.", 3.75)]
    cache_read: Annotated[Dollars | None, says("Prompt tokens read from the cache; left out: as input.", 0.25)] = None
    cache_write: Annotated[Dollars | None, says("Prompt tokens written to the cache; left out: as input.", 1.5625)] = (
        None
    )


Policy = Literal["auto", "summarize", "window", "mask", "off"]


class ContextSettings(Section, frozen=True):
    """What the model keeps seeing in a long session, and what that may cost."""

    policy: Annotated[
        Policy,
        says(
            "auto: a digest from the log when the rent of the past has paid for it. summarize: every keep_turns turns. "
            "window: anchors and the latest turns. mask: old tool results in batches. off: only when asked."
        ),
    ] = "auto"
    alpha: Annotated[
        Annotated[float, Meta(gt=0)], says("auto: compress when the rent is so many times what a compression costs.")
    ] = 1.0
    keep_turns: Annotated[Count, says("The latest turns that stay word for word.")] = 8
    digest_tokens: Annotated[
        Annotated[int, Meta(ge=500)], says("The most that the digest, its index of names included, may take.")
    ] = 7_300
    keep_alive: Annotated[bool, says("auto and off: refresh the cache of a waiting session while that pays.")] = True
    window_turns: Annotated[Count, says("window: the turns that stay beside the anchors.")] = 100
    window_anchors: Annotated[Annotated[int, Meta(ge=0)], says("window: the first turns that always stay.")] = 1
    mask_turns: Annotated[Count, says("mask: the latest turns whose tool results stay.")] = 10
    mask_batch: Annotated[Count, says("mask: how many results are masked at a time.")] = 20
    paragraph: Annotated[bool, says("Let a model add a paragraph to the digest; it is checked against the log.")] = (
        False
    )
    paragraph_model: Annotated[
        str | None, says("A cheaper model of the same endpoint for it; left out, the session's own.", "qwen3.7-plus")
    ] = None
    result_tokens: Annotated[
        Annotated[int, Meta(ge=500)], says("The most of one tool result that the model sees at once.")
    ] = 8_000
    instructions: Annotated[
        tuple[str, ...],
        says("Files of the workspace that a new session reads once and keeps word for word; an empty list: none."),
    ] = ("AGENTS.md", "CLAUDE.md")
    instruction_tokens: Annotated[Count, says("The most of them, about; the rest is cut.")] = 4_000
    anchor_every: Annotated[
        Annotated[int, Meta(ge=1_000)],
        says("Tokens after which objective, constraints and current step are repeated at the end."),
    ] = 40_000
    hard_limit_fraction: Annotated[
        Annotated[float, Meta(gt=0, le=1)], says("The share of the window at which compression is forced.")
    ] = 0.85


class CommandSettings(Section, frozen=True):
    """Commands that the model runs."""

    timeout_s: Annotated[Seconds, says("Seconds after which a command is ended.")] = 120.0
    env: Annotated[list[str], says("Environment variables that commands may see beside the usual ones.")] = []
    processes: Annotated[
        Count, says("The most processes and threads that a command may have, where the system can limit them.")
    ] = 4_096


class ApprovalSettings(Section, frozen=True):
    """What the agent may do by itself, and what it asks about first.

    A rule is `tool` or `tool: pattern`: words of a command (a last * stands for any further ones), a path relative to
    the workspace (** crosses folders), or a host. A denial beats a question, a question beats a permission.
    """

    mode: Annotated[
        Mode,
        says(
            "read-only: it may only look. ask: it asks before every change, command and address. "
            "workspace: it is free inside the workspace and asks for what leaves it. full: it asks only by rule."
        ),
    ] = "workspace"
    allow: Annotated[
        list[str], says("Rules for what runs without a question.", ["run_command: git push origin *"])
    ] = []
    ask: Annotated[list[str], says("Rules for what is always asked about.", ["write_file: migrations/**"])] = []
    deny: Annotated[list[str], says("Rules for what is refused.", ["fetch_url: *.example.org"])] = []
    folders: Annotated[
        list[str], says("Folders beside the workspace in which commands are free.", ["/tmp", "~/.cache"])
    ] = []
    timeout_s: Annotated[
        Seconds, says("Seconds that a session without a screen waits for an answer before it ends, to be resumed.")
    ] = 3_600.0


SandboxMode = Literal["auto", "require", "off"]


class SandboxSettings(Section, frozen=True):
    """What keeps commands inside the workspace. Paths may begin with ~."""

    mode: Annotated[
        SandboxMode,
        says(
            "auto: bubblewrap, else Landlock, else none, and the screen says so. require: no session without one. "
            "off: commands run with all your rights."
        ),
    ] = "auto"
    network: Annotated[bool, says("Let commands reach other machines and this one's servers.")] = False
    writable: Annotated[
        list[str], says("Files and folders that commands may change beside the workspace.", ["~/.cache/pip"])
    ] = []
    readable: Annotated[
        list[str], says("What commands may read although it lies in a hidden folder.", ["/tmp/sdk"])
    ] = []
    hidden: Annotated[
        list[str], says("What commands may not see beside the usual places of credentials.", ["~/private"])
    ] = []


_Times = Annotated[int, Meta(ge=0)]
Counts = tuple[_Times, _Times, _Times, _Times]
"""Four counts of a guard's ladder."""


class GuardSettings(Section, frozen=True):
    """What is done when the agent goes round in circles.

    Each guard has four counts: from how many times on it is noted on the screen, told to the agent, told with the
    demand to look at the plan again, and made a pause that waits for you. 0 leaves one out.
    """

    enabled: Annotated[bool, says("Whether the guards watch at all.")] = True
    repetition: Annotated[Counts, says("The same call with the same result.")] = (3, 4, 6, 9)
    cycle: Annotated[Counts, says("Rounds of the same 2 to 6 calls with the same results.")] = (3, 3, 4, 6)
    failure: Annotated[Counts, says("Attempts that failed in the same way.")] = (3, 3, 5, 7)
    oscillation: Annotated[Counts, says("A file that came back to what it was before.")] = (2, 3, 4, 6)
    stagnation: Annotated[Counts, says("Calls of which nothing new came.")] = (25, 40, 60, 90)
    monologue: Annotated[Counts, says("Replies in a row that called no tool.")] = (2, 2, 3, 5)
    chanting: Annotated[Counts, says("Replies to one request that repeated themselves and were cut.")] = (1, 1, 2, 3)
    arguments: Annotated[Counts, says("Calls of a tool in a row whose arguments it does not take.")] = (2, 3, 5, 8)
    step: Annotated[Counts, says("Per cent of what a step of the plan may take.")] = (
        80,
        0,
        100,
        400,
    )
    constraint: Annotated[Counts, says("A constraint of yours that was broken.")] = (0, 1, 0, 2)
    forbidden: Annotated[Counts, says("Calls that a constraint of yours kept from running.")] = (1, 0, 4, 8)
    red: Annotated[Counts, says("Failing runs of a check that you want green.")] = (1, 4, 8, 16)
    measure_drift: Annotated[bool, says("Measure how far the work goes from what was done before.")] = False
    drift: Annotated[Counts, says("Drift: 1 when the number passes its threshold, 2 when two judges agree.")] = (
        1,
        2,
        0,
        0,
    )
    drift_threshold: Annotated[Annotated[float, Meta(gt=0)], says("The number from which on it counts as drift.")] = (
        16.8
    )
    rounds: Annotated[
        Annotated[int, Meta(ge=0)], says("How often a claim to be done is answered with what the log says is open.")
    ] = 2
    step_minutes: Annotated[Count, says("Minutes that a step of the plan may take.")] = 30
    step_calls: Annotated[Count, says("Tool calls that a step of the plan may take.")] = 150


class ConstraintSettings(Section, frozen=True):
    """What no session may do. Each is checked exactly, on the arguments of calls and on what they changed."""

    declare: Annotated[
        list[str], says("Constraints for every session.", ["never touch migrations/", "no network"])
    ] = []


class AttentionSettings(Section, frozen=True):
    """How often a session tells you what it has done, whichever comes first."""

    check_in_minutes: Annotated[Annotated[float, Meta(gt=0)] | None, says("Every so many minutes.", 60.0)] = None
    check_in_usd: Annotated[Annotated[float, Meta(gt=0)] | None, says("Every so many dollars.", 5.0)] = None
    check_in: Annotated[
        Literal["call", "pause"], says("call: it calls you and goes on. pause: it stands until you let it go on.")
    ] = "call"


class RoutingSettings(Section, frozen=True):
    """Which models work beside the session's own, each named as for --model.

    A bare name is a model of the same endpoint.
    """

    summaries: Annotated[
        str | None,
        says("A cheaper model of the same endpoint for the paragraph of a digest; [context] wins.", "qwen3.7-plus"),
    ] = None
    delegate: Annotated[
        list[str],
        says("Models to which the agent may hand parts of its task; the first is the usual one.", ["claude-haiku-4-5"]),
    ] = []
    judge: Annotated[
        list[str],
        says(
            "Two cheap models that are asked about steps and ends which no check proves, and about drift; only a no of "
            "both counts.",
            ["claude-haiku-4-5", "openrouter:qwen/qwen3.7-plus"],
        ),
    ] = []
    fallback: Annotated[
        list[str],
        says("Models that step in, in this order, while the session's own does not answer.", ["claude-haiku-4-5"]),
    ] = []
    fallback_after_minutes: Annotated[
        Annotated[float, Meta(ge=0)], says("So long it is tried again first; a refused key is not waited for.")
    ] = 5.0
    fallback_return: Annotated[bool, says("Go back to the session's own model once it answers again.")] = True
    fallback_look_minutes: Annotated[
        Annotated[float, Meta(gt=0)], says("How often it is asked meanwhile, by a request of one token.")
    ] = 10.0
    delegate_turns: Annotated[Count, says("The most replies that such a part may take.")] = 40
    delegate_usd: Annotated[
        Annotated[float, Meta(gt=0)], says("The most that such a part may cost; never more than the session has left.")
    ] = 1.0


class NetworkSettings(Section, frozen=True):
    """What fetch_url may reach."""

    allow_private: Annotated[bool, says("Also addresses of private networks and of this machine.")] = False


class ScreenSettings(Section, frozen=True):
    """The looks and the keys."""

    theme: Annotated[str | None, says("A built-in theme, or one of yours.", "nord")] = None
    mouse: Annotated[bool, says("Listen to the mouse.")] = True
    thrifty: Annotated[
        Literal["auto", "always", "never"],
        says(
            "Send less: 256 colours, a frame a second, numbers at leisure. By itself over SSH where the line is slow."
        ),
    ] = "auto"
    silent_s: Annotated[
        Seconds, says("Seconds without a piece of the reply after which the screen says that the model is silent.")
    ] = 60.0
    low_disk_mb: Annotated[
        Count, says("Megabytes of free disk below which the screen says that it is nearly full.")
    ] = 1_024
    keymap: Annotated[dict[str, str], says("Keys by action, separated by commas.", {"pause": "space,ctrl+s"})] = {}


class NotifySettings(Section, frozen=True):
    """How you are called when a session waits for you and you are away: the terminal is not in front, or left."""

    title: Annotated[bool, says("Say it in the title of the terminal, until you come back.")] = True
    bell: Annotated[bool, says("Ring the terminal's bell.")] = True
    desktop: Annotated[
        Literal["off", "osc9", "osc777", "both"],
        says("Ask the terminal for a notification of the desktop, in the way that it understands."),
    ] = "osc9"
    command: Annotated[
        list[str],
        says(
            "A program and its arguments, run without a shell; LONGWATCH_TEXT, LONGWATCH_NAME and more in its "
            "environment, and the same as JSON on its standard input.",
            ["notify-send", "Longwatch needs you"],
        ),
    ] = []
    webhook: Annotated[
        str | None,
        says("Post the same JSON there; https, or http on this machine.", "https://example.org/longwatch"),
    ] = None
    webhook_plain: Annotated[bool, says("Allow a webhook by http on other machines.")] = False
    timeout_s: Annotated[Seconds, says("Seconds after which command and webhook are given up.")] = 15.0
    away_s: Annotated[
        Seconds, says("Seconds without a key after which you count as away, in a terminal that does not tell.")
    ] = 120.0
    after_s: Annotated[Annotated[float, Meta(ge=0)], says("Seconds that it waits for you before the first call.")] = (
        10.0
    )
    repeat_s: Annotated[Seconds, says("Seconds until the second call; each further pause is twice as long.")] = 300.0
    longest_s: Annotated[Seconds, says("The longest pause between two calls.")] = 7_200.0
    per_hour: Annotated[Count, says("The most calls within an hour, whatever they are about.")] = 12


class WorkspaceSettings(Section, frozen=True):
    """All that a workspace may say in its .longwatch.toml."""

    name: Annotated[str | None, says("What sessions here are called.", "website")] = None
    ignore: Annotated[list[str], says("Patterns of paths that listings and searches leave out.", ["vendor/"])] = []
    test_command: Annotated[
        str | None, says("How the tests are run: told to the model, never run by itself.", "pytest -q")
    ] = None


class Config(Section, frozen=True):
    """Everything that can be set."""

    model: ModelSettings = ModelSettings()
    profiles: dict[str, ProfileSettings] = {}
    limits: LimitSettings = LimitSettings()
    retry: RetryPolicy = RetryPolicy()
    prices: dict[str, PriceSettings] = {}
    context: ContextSettings = ContextSettings()
    commands: CommandSettings = CommandSettings()
    approvals: ApprovalSettings = ApprovalSettings()
    sandbox: SandboxSettings = SandboxSettings()
    network: NetworkSettings = NetworkSettings()
    routing: RoutingSettings = RoutingSettings()
    attention: AttentionSettings = AttentionSettings()
    guards: GuardSettings = GuardSettings()
    tools: ToolSettings = ToolSettings()
    mcp: dict[str, ServerSettings] = {}
    hooks: dict[str, HookSettings] = {}
    boxes: dict[str, BoxSettings] = {}
    telemetry: TelemetrySettings = TelemetrySettings()
    constraints: ConstraintSettings = ConstraintSettings()
    screen: ScreenSettings = ScreenSettings()
    notify: NotifySettings = NotifySettings()
    workspace: WorkspaceSettings = WorkspaceSettings()


def entry_type(kind: Any) -> type[Section] | None:
    """The section type of a table of named sections (`profiles`, `prices`, `mcp`, `hooks`, `boxes`)."""
    arguments = get_args(kind) if get_origin(kind) is dict else ()
    return arguments[1] if arguments and isinstance(arguments[1], type) and issubclass(arguments[1], Section) else None
