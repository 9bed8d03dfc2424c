"""`demo`, `run`, `resume`: a session with its runner in this process, with or without a screen."""

from __future__ import annotations

import asyncio
import math
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, get_args

import click

from core.approvals.rules import Mode
from core.config import Config, Policy, SandboxMode, load_config
from core.events import Event, SessionContinued, SessionFinished
from core.folds.words import one_line
from core.models.profiles import resolve_endpoint
from tui.commands.chosen import readable
from tui.commands.consent import consented
from tui.say import say, say_json
from tui.terminal import hear_endings, hold_endings, shown_plainly

if TYPE_CHECKING:
    from core.session import NewSession

EXIT_INTERRUPTED = 130
TROUBLE_S = 2.0
"""Seconds without an event after which it is looked whether none can be recorded."""
DEMO_TASK = (
    "Audit this project for security problems: find them with a scanner, fix what can be fixed without breaking "
    "the tests, and write AUDIT.md with what was found, what was done, and what remains open."
)


def screen_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say how a session is shown."""
    for option in (
        click.option("--headless", is_flag=True, help="No screen: lines on stdout until the session ends."),
        click.option("--detach", is_flag=True, help="No screen, and the prompt back at once."),
        click.option("--json", "as_json", is_flag=True, help="With --headless: one event a line, as JSON."),
        click.option("--plain", is_flag=True, help="Lines and typed commands in place of the screen."),
        click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal."),
        click.option("--wait", is_flag=True, help="Wait at budgets, limits and questions instead of ending."),
        click.option(
            "--approval-timeout",
            type=click.FloatRange(min=0, min_open=True),
            metavar="SECONDS",
            help="How long a question waits where nobody is at the screen, before the session ends with 4.",
        ),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("task")
@click.option("--model", help="The model; simulated/auditor needs no key and no network.")
@click.option("--base-url", help="An endpoint that speaks the Anthropic Messages protocol.")
@click.option("--api-key-env", help="The environment variable that holds the key.")
@click.option("--workspace", type=click.Path(path_type=Path), default=".", help="Where the agent works.")
@click.option("--budget", type=click.FloatRange(min=0, min_open=True), help="The most it may cost, in US dollars.")
@click.option("--max-turns", type=click.IntRange(min=1), help="The most replies it may take.")
@click.option("--max-tokens", type=click.IntRange(min=1), help="The longest reply, in tokens.")
@click.option("--policy", type=click.Choice(get_args(Policy)), help="How the context is compressed.")
@click.option("--sandbox", type=click.Choice(get_args(SandboxMode)), help="Whether commands are confined.")
@click.option("--preset", help="Limits and context settings by name: reference.")
@click.option("--approvals", type=click.Choice(get_args(Mode)), help="What the agent may do without asking.")
@click.option("--worktree", is_flag=True, help="Work in a git worktree; your checkout stays free.")
@click.option("--name", help="What the session is called.")
@click.option("--after-reboot", is_flag=True, help="Resume it when the machine comes up again (see service).")
@click.option("--speed", type=float, default=1.0, help="Pace of a simulated model; 0: no delay.")
@screen_options
@click.pass_obj
def run(home: Path, task: str, workspace: Path, **options: Any) -> int:
    """Start a session. TASK: the words, @FILE, or - for standard input."""
    from core.agent.carriage import check_room
    from core.agent.endpoints import check_endpoint
    from core.session import NewSession
    from core.workspace.snapshots import check_workspace

    _check_screen(options)
    if options["plain"] and task == "-":
        raise click.UsageError("With --plain standard input is for commands; put the task into a file and say @FILE.")
    place = check_workspace(workspace)
    consented(place, ask=not (options["headless"] or options["detach"]))
    config = load_config(workspace=place)
    endpoint = resolve_endpoint(config, _model(options["model"]), options["base_url"], options["api_key_env"])
    check_endpoint(endpoint)
    preset = _preset(options["preset"])
    settings = {
        "budget_usd": _amount(options["budget"] or preset.get("budget_usd") or config.limits.budget_usd),
        "max_turns": options["max_turns"] or preset.get("max_turns") or config.limits.max_turns,
        "context": preset.get("context"),
        "max_tokens": options["max_tokens"],
        "speed": options["speed"] if endpoint.simulated else None,
        "test_command": config.workspace.test_command,
        "policy": options["policy"] or config.context.policy,
        "anchor_every": config.context.anchor_every,
        "approvals": options["approvals"],
        "instructions": _instructions(place, config, endpoint.api_key_env),
        "sandbox": options["sandbox"],
        "after_reboot": options["after_reboot"] or None,
    }
    kept = {name: value for name, value in settings.items() if value is not None}
    wanted = NewSession(_task(task), place, endpoint, options["name"] or config.workspace.name, kept)
    check_room(wanted.task, endpoint, kept, config)
    return _begin(home, wanted, config, options, worktree=options["worktree"])


def _instructions(place: Path, config: Config, variable: str | None) -> list[dict[str, str]] | None:
    from core.models.keys import known_secrets
    from core.tools.secrets import Redactor
    from core.workspace.instructions import instruction_files

    wanted, redact = config.context, Redactor(known_secrets(os.environ, variable))
    return instruction_files(place, wanted.instructions, wanted.instruction_tokens, redact) or None


def _begin(home: Path, wanted: NewSession, config: Config, options: dict[str, Any], *, worktree: bool = False) -> int:
    """Make the session and run it, even if the terminal goes away just now."""
    hold_endings()
    return _go(asyncio.run(_created(home, wanted, worktree=worktree)), config, options)


async def _created(home: Path, wanted: NewSession, *, worktree: bool) -> Path:
    from core.session import create, create_apart

    if not worktree:
        return await create(home, wanted)
    folder, place, unsaved = await create_apart(home, wanted)
    left = f" What you have not committed ({unsaved:,} files) is not in it." if unsaved else ""
    say(f"The agent works in the worktree {place}; your checkout stays free.{left}", err=True)
    return folder


NO_SCANNER = (
    "The demo's auditor works with the scanner bandit, which is not there. Install Longwatch with it: "
    "pip install 'longwatch[demo]', uv tool install 'longwatch[demo]', or pipx install 'longwatch[demo]'."
)


@click.command()
@click.option("--speed", type=float, default=1.0, help="Pace of the simulated model; 0: no delay.")
@click.option("--workspace", type=click.Path(path_type=Path), help="Put the sample project there (default: temporary).")
@screen_options
@click.pass_obj
def demo(home: Path, speed: float, workspace: Path | None, **options: Any) -> int:
    """Watch a whole session with no key and no network: a simulated auditor at work on a sample project."""
    from core.session import NewSession
    from core.simulator.bundled import copy_sample

    _check_screen(options)
    if find_spec("bandit") is None:
        raise click.UsageError(NO_SCANNER)
    if workspace is not None and workspace.exists() and not (workspace.is_dir() and not any(workspace.iterdir())):
        raise click.UsageError(f"{workspace} is not an empty folder; name one that is new or empty.")
    place = workspace or Path(tempfile.mkdtemp(prefix="longwatch-demo-"))
    target = place / "ledger" if workspace is None else place
    copy_sample(target)
    config = load_config(workspace=target)
    endpoint = resolve_endpoint(config, "simulated/auditor")
    carried = {"policy": config.context.policy, "anchor_every": config.context.anchor_every}
    wanted = NewSession(DEMO_TASK, target.resolve(), endpoint, "demo", {"speed": speed, "budget_usd": "5", **carried})
    return _begin(home, wanted, config, {**options, "speed": speed})


@click.command()
@click.argument("session", required=False)
@click.option("--speed", type=float, help="Pace of a simulated model; 0: no delay.")
@click.option("--budget", type=click.FloatRange(min=0, min_open=True), help="A new budget for the whole session.")
@click.option("--max-turns", type=click.IntRange(min=1), help="A new limit of replies for the whole session.")
@click.option("--model", help="Go on with another model.")
@click.option("--base-url", help="Go on at another endpoint.")
@click.option("--api-key-env", help="Take the key from another environment variable.")
@screen_options
@click.pass_obj
def resume(home: Path, session: str | None, speed: float | None, **options: Any) -> int:
    """Go on with a session that ended, crashed or was stopped."""
    from core.session import Told, continue_session

    _check_screen(options)
    summary = readable(home, session)
    if summary.workspace:
        consented(Path(summary.workspace), ask=not (options["headless"] or options["detach"]))
    config = load_config(workspace=Path(summary.workspace) if summary.workspace else None)
    told = Told(options["model"], options["base_url"], options["api_key_env"])
    resumed = continue_session(summary.folder, config, budget_usd=_amount(options["budget"]), told=told)
    opened = asyncio.run(resumed)
    pace = speed if speed is not None else opened.settings.get("speed", 1.0)
    kept = {"speed": pace, "api_key_env": options["api_key_env"] or opened.api_key_env}
    return _go(summary.folder, config, {**options, **kept})


def _check_screen(options: dict[str, Any]) -> None:
    """Refuse what can't be shown as asked, before anything is made; a dumb terminal gets `plain`."""
    if options["headless"] and options["detach"]:
        raise click.UsageError("--headless stays in the foreground and --detach does not; give one of them.")
    if options["as_json"] and not options["headless"]:
        raise click.UsageError("--json prints events instead of a screen; add --headless.")
    if not (options["headless"] or options["detach"]):
        options["plain"] = shown_plainly(options["plain"], "add --headless to run without a screen")
    elif options["plain"]:
        raise click.UsageError("--plain takes typed commands, --headless and --detach take none; give one of them.")


def _preset(name: str | None) -> dict[str, Any]:
    """The settings that a preset stands for."""
    if name is None:
        return {}
    from core.economy.presets import PRESETS

    chosen = PRESETS.get(name)
    if chosen is None:
        raise click.UsageError(f"There is no preset {name!r}; there is {', '.join(PRESETS)}.")
    context = {field: getattr(chosen, field) for field in ("keep_turns", "window_turns", "window_anchors")}
    return {"budget_usd": chosen.budget_usd, "max_turns": chosen.most_turns, "context": context}


def _amount(usd: float | None) -> str | None:
    if usd is not None and not math.isfinite(usd):
        raise click.UsageError("A budget is a finite amount in dollars; leave --budget out for none.")
    return None if usd is None else str(usd)


def _model(name: str | None) -> str | None:
    """The model; a script's file by its whole path, so that it is found from any folder later."""
    head, script, path = (name or "").partition("simulated/script:")
    return name if head or not script else script + str(Path(path).expanduser().absolute())


def _task(words: str) -> str:
    """The task's text. Raises a usage error when there is none."""
    if words == "-":
        text = sys.stdin.buffer.read().decode("utf-8", "replace")
    elif words.startswith("@"):
        path = Path(words[1:]).expanduser()
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise click.UsageError(f"The task file {path} can't be read: {reason}.") from error
    else:
        text = words
    if not text.strip():
        raise click.UsageError("The task is empty; say in a sentence what is to be done.")
    return text.strip()


def _go(folder: Path, config: Config, options: dict[str, Any]) -> int:
    from core.agent.hosting import Hosting
    from core.models.profiles import key_variables
    from core.sandbox.shield import close_to_others

    close_to_others()
    hosting = Hosting(
        folder,
        config,
        wait=options["wait"],
        speed=options["speed"],
        max_turns=options.get("max_turns"),
        approval_timeout_s=options["approval_timeout"],
    )
    for name in key_variables(config, options.get("api_key_env")):
        os.environ.pop(name, None)  # From here on the session alone has them; no child inherits one.
    if options["headless"]:
        return headless(hosting, options["as_json"])
    if options["detach"]:
        from tui.launcher import detached

        return detached(hosting)
    from tui.launcher import on_screen

    return on_screen(hosting, mouse=not options["no_mouse"], plain=options["plain"], back=options.get("back", False))


def headless(hosting: Any, as_json: bool) -> int:
    """Run in the foreground without a screen; events go to stdout as they are committed.

    Printing has a thread of its own (this one), so that whoever does not read on never holds up the agent.
    """
    from core.agent.host import exit_code
    from core.session import BackgroundRunner

    committed: SimpleQueue[list[Event] | None] = SimpleQueue()
    runner = BackgroundRunner(hosting)
    interrupted = threading.Event()

    def interrupt(*_: object) -> None:
        interrupted.set()
        runner.cancel()

    def unless_ignored(number: int) -> Any:  # By nohup, or for a job of a script.
        return signal.SIG_IGN if signal.getsignal(number) is signal.SIG_IGN else interrupt

    signal.signal(signal.SIGINT, unless_ignored(signal.SIGINT))
    hear_endings(hang_up=unless_ignored(signal.SIGHUP), terminated=unless_ignored(signal.SIGTERM))
    say(f"session {hosting.folder.name}", err=True)
    runner.start(committed.put, on_end=lambda: committed.put(None))
    ended = _print_until_end(_until_end(committed, lambda: runner.trouble), as_json)
    code = runner.join()
    again = f"`longwatch resume {hosting.folder.name[:10]}` goes on with it"
    if interrupted.is_set() and ended is None:
        say(f"longwatch: interrupted; {again}", err=True)
        return EXIT_INTERRUPTED
    if ended is not None and ended.state != "finished":
        from tui.safe import safe_text

        why = safe_text(one_line(ended.detail or ended.reason, 500)).rstrip(".")
        say(f"longwatch: the session {ended.state} ({ended.reason}): {why}; {again}", err=True)
    return exit_code(ended) if interrupted.is_set() else code  # It had ended by then; hooks may have been cut.


def _until_end(committed: SimpleQueue[list[Event] | None], trouble: Callable[[], str]) -> Iterator[list[Event]]:
    """What is committed until the runner ends; what keeps anything from being so, which no event can tell, is told."""
    from tui.safe import safe_text

    told = ""
    while True:
        try:
            events = committed.get(timeout=TROUBLE_S)
        except Empty:
            before, told = told, trouble()
            if told not in ("", before):
                why = safe_text(one_line(told, 500))
                say(f"longwatch: {why} Nothing is done until it can be recorded; it tries again by itself.", err=True)
            continue
        if events is None:
            return
        yield events


def _print_until_end(committed: Iterable[list[Event]], as_json: bool) -> SessionFinished | None:
    """Print what is committed; the end of the session, if it came to one that was not lifted again."""
    from tui.plain.lines import PlainLines, json_line

    plain, heard, ended = PlainLines(), True, None
    for events in committed:
        for event in events:
            if isinstance(event.body, SessionFinished | SessionContinued):
                ended = event.body if isinstance(event.body, SessionFinished) else None
            lines = [json_line(event)] if as_json else plain.lines(event)
            if heard and lines:
                heard = _print("\n".join(lines), as_json)
    return ended


def _print(text: str, as_json: bool) -> bool:
    """Print; False once nobody reads any more, or there is no room: the session goes on without."""
    try:
        (say_json if as_json else say)(text)
    except OSError as error:
        if not isinstance(error, BrokenPipeError):
            with suppress(OSError):
                say(f"longwatch: nothing more is printed ({error.strerror}); the session goes on", err=True)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    return True
