"""The command line. Each command lives in `tui.commands` and is imported only when it is called."""

from __future__ import annotations

import errno
import importlib
import keyword
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from tui.say import say

COMMANDS = {
    "demo": "run",
    "run": "run",
    "resume": "run",
    "attach": "watch",
    "replay": "watch",
    "serve": "serving",
    "ls": "sessions",
    "report": "reporting",
    "export": "exporting",
    "fork": "forking",
    "import": "importing",
    "diff": "changes",
    "blame": "changes",
    "land": "changes",
    "branches": "branches",
    "notes": "notes",
    "events": "sessions",
    "rm": "sessions",
    "send": "send",
    "doctor": "doctor",
    "service": "service",
    "simulate-cost": "costs",
    "estimate": "costs",
    "rehearse": "rehearsing",
    "setup": "first_run",
    "models": "models",
    "mcp": "mcp",
    "config": "setup",
    "key": "setup",
    "themes": "setup",
    "reset": "setup",
    "screenshots": "setup",
    "handbook": "handbook",
    "completions": "shell",
    "man": "shell",
}
"""Command -> module of `tui.commands`."""

HIDDEN = {"box": "boxes"}
"""What is for machines, not for people: in no list."""

EXIT_USAGE, EXIT_HELD, EXIT_INTERRUPTED = 2, 5, 130
EXIT_PIPE = 141
"""As of any filter that SIGPIPE ends: whoever read has enough."""


@contextmanager
def _as_a_filter() -> Iterator[None]:
    """A closed pipe is no failure: click would make one of it, without a word."""
    try:
        yield
    except BrokenPipeError:
        raise click.exceptions.Exit(EXIT_PIPE) from None


class LazyGroup(click.Group):
    """Imports a command's module when it is called, so that help and errors are quick."""

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        with _as_a_filter():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with _as_a_filter():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Each command with the first sentence of its help, read from its source: importing all takes a while."""
        limit = formatter.width - 6 - max(map(len, COMMANDS))
        rows = [(name, short_help(name, limit)) for name in COMMANDS]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = COMMANDS.get(cmd_name) or HIDDEN.get(cmd_name)
        if place is None:
            return None
        module = importlib.import_module(f"tui.commands.{place}")
        command: click.Command = getattr(module, _function_of(cmd_name))
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS | HIDDEN and not args[0].startswith("-"):
            raise click.UsageError(f"There is no command {args[0]!r}. There are: {', '.join(COMMANDS)}.")
        return super().resolve_command(ctx, args)


def _function_of(command: str) -> str:
    name = command.replace("-", "_")
    return f"{name}_" if keyword.iskeyword(name) else name


def short_help(name: str, limit: int) -> str:
    """The first sentence of a command's help, at most `limit` characters; empty where it can't be found."""
    file = Path(__file__).parent / "commands" / f"{COMMANDS[name]}.py"
    function = re.escape(_function_of(name))
    try:
        source = file.read_text(encoding="utf-8")
    except OSError:
        return ""
    found = re.search(rf'^def {function}\(.*?\n    """(.*?)(?:\n\n|""")', source, re.DOTALL | re.MULTILINE)
    return click.Command(name, help=found[1]).get_short_help_str(limit) if found else ""


@click.group(cls=LazyGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--home", type=click.Path(path_type=Path), envvar="LONGWATCH_HOME", help="Where sessions are kept.")
@click.version_option(package_name="longwatch")
@click.pass_context
def cli(ctx: click.Context, home: Path | None) -> None:
    """Keep watch over one very long agent session: see it, steer it, lose the connection, come back, replay it.

    Without a command: the list of sessions.
    """
    ctx.obj = home.expanduser().absolute() if home else default_home()
    if ctx.invoked_subcommand is None:
        from tui.commands.watch import browse

        ctx.exit(browse(ctx.obj))


def default_home() -> Path:
    """The platform's data folder."""
    import platformdirs

    return Path(platformdirs.user_data_dir("longwatch", appauthor=False))


def main(arguments: list[str] | None = None) -> None:
    """The entry point: every expected error is one plain sentence on stderr and the contract's exit code."""
    _open_streams()
    try:
        code: Any = cli.main(args=arguments, prog_name="longwatch", standalone_mode=False)
    except click.exceptions.Exit as stop:
        _exit(stop.exit_code)
    except click.Abort:
        _fail("interrupted", EXIT_INTERRUPTED)
    except KeyboardInterrupt:
        _fail("interrupted", EXIT_INTERRUPTED)
    except click.ClickException as error:
        _fail(_misused(error), EXIT_USAGE)
    except Exception as error:
        sentence, code = explain(error)
        _fail(sentence, code)
    else:
        _exit(code if isinstance(code, int) else 0)


def _misused(error: click.ClickException) -> str:
    """What is wrong with the words of a command, without a word of programmers, and where it says what it takes."""
    said = re.sub(r"is not a valid (?:float|integer)(?: range)?\b", "is not a number", error.format_message())
    if isinstance(error, click.MissingParameter | click.NoSuchOption) and error.ctx is not None:
        said += f" `{error.ctx.command_path} --help` says what there is."
    return said


def explain(error: BaseException) -> tuple[str, int]:
    """The sentence and the exit code of an error. A bug gets one too, with where to look."""
    from core.config import ConfigError
    from core.importers.rows import ImportProblem
    from core.journal.catalogue import SESSIONS
    from core.journal.errors import Damaged, JournalError
    from core.journal.lease import LeaseHeld
    from core.workspace.errors import WorkspaceError

    if isinstance(error, BaseExceptionGroup):
        return explain(error.exceptions[0])
    if isinstance(error, LeaseHeld):
        return str(error), EXIT_HELD
    if isinstance(error, Damaged) and error.folder.parent.name == SESSIONS:
        return f"{error} `longwatch doctor {error.folder.name} --repair` saves what can be read.", EXIT_USAGE
    if isinstance(error, ConfigError | ImportProblem | JournalError | WorkspaceError):
        return str(error), EXIT_USAGE
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "There is no room left where the output goes, or where sessions are kept; make some and try again.", 1
    if os.environ.get("LONGWATCH_DEBUG"):
        raise error
    what = f"{type(error).__name__}: {error}"
    return f"This should not have happened ({what}). LONGWATCH_DEBUG=1 shows where; nothing journalled is lost.", 1


def _fail(sentence: str, code: int) -> None:
    text = " ".join(sentence.split())
    say(f"longwatch: {text}", err=True)
    _exit(code)


def _exit(code: int) -> None:
    """End; nothing that is left unwritten, to a closed pipe for one, is worth a word at the interpreter's own end."""
    unwritten = False
    try:
        sys.stdout.flush()
    except OSError as error:
        code, unwritten = EXIT_PIPE if isinstance(error, BrokenPipeError) else code or 1, True
    except ValueError:
        pass
    if unwritten or code == EXIT_PIPE:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    raise SystemExit(code)


def _open_streams() -> None:
    """Have the standard streams that whoever started us has closed: else a journal would be opened in their place."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # The lowest number that is free.
            setattr(sys, name, os.fdopen(number, "w" if number else "r"))


if __name__ == "__main__":
    main()
