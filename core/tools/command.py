"""Running a shell command, and telling after a crash what became of it."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from core.programs import find_program
from core.sandbox.guard import PUT_ASIDE
from core.sandbox.sandbox import Cell, Confinement
from core.tools.base import RERUN, Effect, NoRoom, Outcome, Rerun, ToolContext, ToolError
from core.tools.capping import cap_file
from core.tools.common import Arguments, count, handle_of
from core.tools.crowd import MOST_PROCESSES
from core.tools.jobs import Job, JobState, Phase, job_status, lacks_room, output_path
from core.tools.paths import explained, relative, resolve
from core.tools.secrets import is_secret_name

DEFAULT_TIMEOUT = 120
MAX_TIMEOUT = 3_600
_MAX_COMMAND_BYTES = 100_000
_QUIET = {"CI": "true", "TERM": "dumb", "PAGER": "cat", "GIT_PAGER": "cat", "NO_COLOR": "1", "GIT_TERMINAL_PROMPT": "0"}
_LEADING = re.compile(r"PYTHON(PATH|HOME|STARTUP)|BASH_ENV|ENV|BASH_FUNC_.*")
"""Variables that would make a shell or a Python load code from elsewhere."""
_OFFLINE = re.compile(
    r"network is unreachable|name resolution|could ?n[o']t resolve|name or service not known|ENOTFOUND|EAI_AGAIN"
    r"|connection refused|no such host|ENETUNREACH",
    re.IGNORECASE,
)
_CLOSED = re.compile(r"read-only file ?system|permission denied|device or resource busy|EROFS|EACCES", re.IGNORECASE)


class CommandArguments(Arguments, frozen=True):
    command: Annotated[str, Meta(min_length=1, description="Shell command; may have several lines.")]
    timeout: Annotated[
        Annotated[int, Meta(ge=1, le=MAX_TIMEOUT)] | None,
        Meta(description="Seconds after which it is killed, 120 if not given."),
    ] = None
    cwd: Annotated[str, Meta(description="Folder to run in, relative to the workspace.")] = "."
    network: Annotated[
        bool, Meta(description="Ask the user for the network, for this call alone; for scripts that need it.")
    ] = False


class RunCommand:
    """`environment` is what commands inherit, before secrets are taken out; by default that of this process.

    `context.settings`: `command_timeout_s` for calls without a timeout, `command_env` names variables that commands
    may see although they look like secrets, `redact` is the Redactor for what they write,
    `most_processes` at once, `confinement` the sandbox, `keys` the variables that hold keys of models, which no command
    sees.
    """

    name: ClassVar[str] = "run_command"
    description: ClassVar[str] = (
        "Run a shell command in the workspace; the answer is its exit code, time, and output (start and end when it is "
        "long). Each call is a shell of its own: no state is kept but files, nothing can be typed in, so pass flags "
        "like --yes. Use it for tests, builds, scanners and git; to look at, search or change files use the file "
        "tools. Give long commands a timeout that fits. A pipeline's exit code is its last command's. Background "
        "processes are stopped when the command ends; outside a sandbox `setsid nohup server >log 2>&1 &` lets one "
        "live on. A sandbox has no network unless granted, and only the workspace and $TMPDIR can be written. After a "
        "command that changes state, verify the effect; after a failure, read the output before trying again."
    )
    effect: ClassVar[Effect] = Effect.COMMAND
    Arguments: ClassVar[type[msgspec.Struct]] = CommandArguments

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = os.environ if environment is None else environment

    def prepare(self, arguments: CommandArguments, context: ToolContext) -> dict[str, Any]:
        """The folder to run in; the job's own folder follows from the call."""
        if "\0" in arguments.command:
            raise ToolError("A command can't contain a NUL character.")
        if len(arguments.command.encode()) > _MAX_COMMAND_BYTES:
            raise ToolError("The command is longer than 100 KB; write it to a script with write_file and run that.")
        return {"cwd": relative(context, _folder(arguments, context))}

    async def run(self, arguments: CommandArguments, context: ToolContext) -> Outcome:
        """Run it. When this is cancelled, the job has been ended; `recover` then gives the outcome so far."""
        job = _job(context)
        environment = self._inherited(context)
        folder, cell, words = _folder(arguments, context), Cell(), []
        confinement: Confinement | None = context.settings.get("confinement")
        if confinement is not None:
            with explained("prepare the sandbox"):
                cell = await asyncio.to_thread(_prepared, job, confinement, folder, environment, context)
            environment, given = confinement.environment(environment)
            words = [*cell.words, *given]
        job.spawn(_shell(context.workspace), arguments.command, folder, environment, words)
        return await self._ended(job, cell, arguments, context)

    async def _ended(self, job: Job, cell: Cell, arguments: CommandArguments, context: ToolContext) -> Outcome:
        """What the job came to, and what it changed and must not put back."""
        put_back: list[str] = []
        try:
            state = await job.wait(_timeout(arguments, context), context.stays)
        finally:
            with explained("put back what the command changed and must not"):
                if not context.stays():
                    put_back = await asyncio.to_thread(cell.close, job.folder)
        outcome = await asyncio.to_thread(_outcome, job, state, context)
        return replace(outcome, content=outcome.content + _told(put_back)) if put_back else outcome

    def _inherited(self, context: ToolContext) -> dict[str, str]:
        kept = command_environment(self._environment, context.settings.get("command_env", ()))
        return {name: value for name, value in kept.items() if name not in context.settings.get("keys", ())}

    async def recover(
        self, arguments: CommandArguments, intent: dict[str, Any], context: ToolContext
    ) -> Outcome | Rerun:
        """Never claimed: run it. Still running: wait for it. Over: its true outcome. Vanished: say so."""
        job = _job(context)
        if job_status(job.folder).phase is Phase.UNCLAIMED:
            return RERUN
        return await self._ended(job, await asyncio.to_thread(Cell.left_in, job.folder), arguments, context)


def command_environment(environment: Mapping[str, str], allowed: Collection[str] = ()) -> dict[str, str]:
    """What a command may know: no secrets but those `allowed`, nothing that loads foreign code, no pagers and prompts.

    The folder of our interpreter comes last on PATH, so that tools installed beside the product are found without
    hiding the project's own.
    """
    kept = {
        name: value
        for name, value in environment.items()
        if (name in allowed or not is_secret_name(name)) and not _LEADING.fullmatch(name)
    }
    path = kept.get("PATH") or os.defpath
    return {**kept, **_QUIET, "PATH": f"{path}{os.pathsep}{Path(sys.executable).parent}"}


def _timeout(arguments: CommandArguments, context: ToolContext) -> float:
    return arguments.timeout or context.settings.get("command_timeout_s") or DEFAULT_TIMEOUT


def _job(context: ToolContext) -> Job:
    most = context.settings.get("most_processes") or MOST_PROCESSES
    return Job(context.jobs / context.call, most_processes=most)


def _prepared(
    job: Job, confinement: Confinement, folder: Path, environment: Mapping[str, str], context: ToolContext
) -> Cell:
    """A cell, with what it puts back written down first: whoever takes the command up after a kill puts it back."""
    cell = confinement.cell(folder, environment, context.grant)
    try:
        job.make_folder()
        cell.leave(job.folder)
    except OSError as error:
        if lacks_room(error):
            raise NoRoom(f"the command could not be started: {error}.") from error
        raise
    return cell


def _shell(*within: Path) -> list[str]:
    bash = find_program("bash", *within)
    return [bash, "--noprofile", "--norc"] if bash else ["/bin/sh"]


def _folder(arguments: CommandArguments, context: ToolContext) -> Path:
    folder = resolve(context, arguments.cwd)
    if not folder.is_dir():
        raise ToolError(f"{arguments.cwd} is not a folder; give `cwd` relative to the workspace.")
    return folder


def _outcome(job: Job, state: JobState, context: ToolContext) -> Outcome:
    path = output_path(job.folder)
    lines = [_headline(state)]
    if job.swept:
        lines.append(f"[{count(job.swept, 'background process', 'background processes')} stopped]")
    full = None
    if path.exists() and path.stat().st_size:
        with explained("read the command's output"):
            if (redact := context.settings.get("redact")) is not None:
                redact.file(path)
            shown = cap_file(path, handle_of(context))
        lines.append(shown.text.rstrip("\n"))
        full = None if shown.whole else path
    if state.exit_code and (why := _sandboxed(lines[-1], context)):
        lines.append(why)
    return Outcome("\n".join(lines), ok=state.exit_code == 0, full=full, exit_code=state.exit_code)


def _told(put_back: list[str]) -> str:
    return (
        f"\n[put back as it was, because commands may not change it: {', '.join(put_back)}; "
        f"what the command left there is in $TMPDIR/{PUT_ASIDE}]"
    )


def _sandboxed(output: str, context: ToolContext) -> str:
    """What to know about the sandbox when a failed command complains of what a sandbox refuses."""
    confinement: Confinement | None = context.settings.get("confinement")
    if confinement is None or not confinement.sandbox.confines:
        return ""
    if not (confinement.network or context.grant.network) and _OFFLINE.search(output):
        return "[the sandbox has no network]"
    if _CLOSED.search(output):
        return "[the sandbox lets commands write only the workspace, without git's configuration, and $TMPDIR]"
    return ""


def _headline(state: JobState) -> str:
    if state.phase is Phase.GONE:
        return "interrupted without an exit code; the effects are unknown, so verify them before repeating the command"
    took = "" if state.seconds is None else f" · {state.seconds:.1f} s"
    if state.phase is Phase.ENDED:
        ended = str(state.ended)
        return ended if ended.startswith("timed out") else ended + took
    code = state.exit_code or 0
    known = {128 + number: f" ({number.name})" for number in signal.Signals}
    return f"exit {code}{known.get(code, '')}{took}{'' if state.size else ' · no output'}"
