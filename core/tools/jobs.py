"""Commands that outlive their agent. Everything about one is in its folder, so any later process can tell what it is:

- `started`: the claim, taken once (noclobber) by the wrapper before the command runs: boot id, then its `stat` line.
  Unclaimed means that it never ran and may run; claimed is never run again.
- `output`: what the command and its children wrote. `rc`: its exit code, put there by rename.
- `ended`: why it was ended from outside, as a sentence, written before the first signal.

Once the outcome is in the journal the folder has served (`settle`): who follows `output` must expect it to vanish.
"""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from core.clock import monotonic, pause_real
from core.protocols import Written
from core.tools import processes
from core.tools.base import NoRoom, ToolError
from core.tools.crowd import MOST_PROCESSES, Crowd
from core.tools.processes import Process

MARK = "LONGWATCH_JOB"
"""Environment variable that names the job's folder to all its descendants."""

MAX_OUTPUT_BYTES = 200_000_000
GRACE_SECONDS = 2.0
LONGEST_LOOK = 200_000
"""Bytes of a running command's output that are read at once."""

_WRAPPER = r"""
folder=$1; shift
boot=; stat=$$
{ read -r boot < /proc/sys/kernel/random/boot_id; read -r stat < /proc/$$/stat; } 2>/dev/null
{ printf '    \n' >> "$folder/rc.part"; } 2>/dev/null || exit 97
set -C
{
  { printf '%s\n%s\n' "$boot" "$stat" || { rm -f "$folder/started"; exit 97; }; } > "$folder/started"
} 2>/dev/null || exit 97
set +C
exec 3>&2 2>/dev/null
"$@" 2>&3 3>&-
code=$?
printf '%-4s' "$code" 1<> "$folder/rc.part" && mv -f "$folder/rc.part" "$folder/rc"
"""
"""The room for the exit code is taken before the command may run, so a disk that fills up meanwhile can't lose it. A
claim for which there is no room is given back: what never ran must not look as if it had vanished.
"""


class Phase(StrEnum):
    UNCLAIMED = "unclaimed"
    """Never ran."""
    RUNNING = "running"
    FINISHED = "finished"
    """Left its exit code."""
    ENDED = "ended"
    """Ended from outside: timed out, stopped, too much output."""
    GONE = "gone"
    """Claimed, but there is neither a process nor an exit code: killed with the machine, or by somebody else."""

    @property
    def over(self) -> bool:
        return self not in (Phase.UNCLAIMED, Phase.RUNNING)


class JobState(Struct, frozen=True):
    """What a job's folder says. `seconds` it took, once that is known; `size` of its output in bytes."""

    phase: Phase
    size: int = 0
    exit_code: int | None = None
    ended: str | None = None
    seconds: float | None = None
    process: Process | None = None


def output_path(folder: Path) -> Path:
    """The file that a command's output grows in."""
    return folder / "output"


def written(folder: Path, after: int, redact: Callable[[str], str]) -> Written | None:
    """Whole lines that the command in `folder` has written from byte `after` on, at most the last `LONGEST_LOOK` bytes
    of them; for who watches. None where there is no output file (any more)."""
    try:
        with output_path(folder).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            start = max(after, size - LONGEST_LOOK)
            file.seek(start)
            data = file.read(size - start)
    except OSError:
        return None
    if start > after:
        cut = data.find(b"\n") + 1
        start, data = start + cut, data[cut:]
    whole = data[: data.rfind(b"\n") + 1]
    return Written(start, start + len(whole), redact(whole.decode("utf-8", "replace")))


def job_status(folder: Path) -> JobState:
    """How the job in `folder` stands, from its files and /proc alone; works in any process, never raises."""
    size = _size(output_path(folder))
    claim = _read(folder / "started")
    if claim is None:
        return JobState(Phase.UNCLAIMED, size)
    process = _claimant(claim)
    if (ended := _read(folder / "ended")) is not None:
        return JobState(Phase.ENDED, size, ended=ended or "stopped", seconds=_took(folder, "ended"), process=process)
    code = (_read(folder / "rc") or "").strip()
    if code.isdigit():
        return JobState(Phase.FINISHED, size, int(code), seconds=_took(folder, "rc"), process=process)
    return JobState(Phase.RUNNING if process else Phase.GONE, size, process=process)


def settle(folder: Path, kept: int) -> None:
    """Remove the folder of a job whose outcome is in the journal; never raises.

    It stays while the job runs on, and when it holds more than the `kept` bytes of output that went with the outcome.
    """
    state = job_status(folder)
    if state.phase is not Phase.RUNNING and state.size <= kept:
        shutil.rmtree(folder, ignore_errors=True)


def settle_all(jobs: Path, open_calls: Collection[str], kept: int) -> None:
    """Settle every job in `jobs` but those of `open_calls`: what a crash left between an outcome and its folder."""
    with suppress(OSError):
        for folder in [Path(entry.path) for entry in os.scandir(jobs) if entry.name not in open_calls]:
            settle(folder, kept)


def lacks_room(error: Exception | None) -> bool:
    """Whether there would be no such error if there were room on the disk."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def _refusal(sentence: str, error: Exception | None) -> ToolError:
    return NoRoom(sentence) if lacks_room(error) else ToolError(sentence)


class Job:
    """One command in its folder, as its owner sees it: start it, or attach to it, and wait for it or stop it."""

    def __init__(
        self,
        folder: Path,
        *,
        max_output: int = MAX_OUTPUT_BYTES,
        grace: float = GRACE_SECONDS,
        most_processes: int = MOST_PROCESSES,
    ) -> None:
        self.folder = folder
        self._crowd = Crowd(folder, most_processes)
        self.swept = 0
        """Background processes that were stopped when the command had ended."""
        self._max_output = max_output
        self._grace = grace
        self._child: subprocess.Popen[bytes] | None = None
        self._confined = False
        self._mark = f"{MARK}={folder}".encode()

    def make_folder(self) -> None:
        """Nobody has claimed it yet. Raises OSError, of which `lacks_room` tells."""
        for folder in (self.folder.parent, self.folder):
            folder.mkdir(mode=0o700, exist_ok=True)

    def spawn(
        self,
        shell: list[str],
        command: str,
        cwd: Path,
        environment: Mapping[str, str],
        confined: Sequence[str] = (),
    ) -> None:
        """Start the wrapper, which claims the folder and runs `command`. Raises ToolError when it can't be started.

        `confined` are the words that put the command, not the wrapper, into a sandbox.
        """
        self._confined = bool(confined)
        inside = [*self._crowd.words(), *confined]
        try:
            self.make_folder()
            output = os.open(output_path(self.folder), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                self._child = subprocess.Popen(
                    [*shell, "-c", _WRAPPER, "longwatch", str(self.folder), *inside, *shell, "-c", command],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    cwd=cwd,
                    env={**environment, MARK: str(self.folder)},
                    start_new_session=True,
                )
            finally:
                os.close(output)
        except (OSError, ValueError) as error:
            raise _refusal(f"the command could not be started: {error}.", error) from error

    async def wait(self, timeout: float, stays: Callable[[], bool] = lambda: False) -> JobState:
        """Until the job is over, at most `timeout` seconds after its start, counted over restarts of the agent.

        Too late or too loud, it is ended with all its children. Cancelled, too, unless it `stays` for who comes next;
        CancelledError is raised then.
        """
        deadline = monotonic() + timeout - self._spent()
        try:
            with processes.vigil(self._child.pid if self._child else None) as vigil:
                while not (state := self._state()).phase.over:
                    if state.size > self._max_output:
                        await self.stop(f"stopped: its output passed {self._max_output // 1_000_000} MB")
                    elif monotonic() > deadline:
                        await self.stop(f"timed out after {timeout:g} s")
                    else:
                        await vigil.wait()
            await self._sweep()
        except asyncio.CancelledError:
            if not stays():
                await self.stop("stopped")
            raise
        finally:
            self._crowd.close()
        return state

    async def stop(self, how: str) -> None:
        """End the job and all its descendants: TERM, a grace, KILL; `how` is kept as the reason.

        If this is cancelled as well, what is left is killed at once before it raises.
        """
        leader = self._leader()
        self._note(how)
        await self._end(lambda: processes.family(leader(), self._mark) | self._crowd.members(), leader)
        with suppress(OSError):
            if _size(output := output_path(self.folder)) > self._max_output:
                os.truncate(output, self._max_output)

    def _state(self) -> JobState:
        reaped = self._child is None or self._child.poll() is not None
        state = job_status(self.folder)
        if state.phase is Phase.UNCLAIMED and reaped:
            if not self.folder.exists():
                raise ToolError("what came of the command is not known: its job folder was removed while it ran.")
            raise _refusal("the command could not be started: its job folder could not be written.", self._unwritten())
        if state.phase is Phase.GONE and not reaped:
            return replace(state, phase=Phase.RUNNING)  # The claim is there but not written yet.
        return state

    def _unwritten(self) -> OSError | None:
        """Why nothing can be written beside the output, if that is still so."""
        trial = self.folder / "trial"
        try:
            trial.write_bytes(b"\n")
        except OSError as error:
            return error
        finally:
            trial.unlink(missing_ok=True)
        return None

    def _spent(self) -> float:
        process = None if self._child else job_status(self.folder).process
        return processes.age(process) if process else 0.0

    def _leader(self) -> Callable[[], int | None]:
        """Who leads the job's session, as long as that is sure: a pid of somebody else must never be signalled."""
        child, claim = self._child, job_status(self.folder).process

        def leader() -> int | None:
            if child is not None and child.poll() is None:
                return child.pid
            now = claim and processes.look(claim.pid)
            return now.pid if now and claim and now.start == claim.start else None

        return leader

    def _note(self, how: str) -> None:
        if not (self.folder / "ended").exists() and not (self.folder / "rc").exists():
            part = self.folder / "ended.part"
            with suppress(OSError):
                try:
                    part.write_text(how)
                except OSError:
                    part.touch()  # A name needs no room.
                part.replace(self.folder / "ended")

    async def _sweep(self) -> None:
        """What a finished command left in its session is ended with it; what went into a session of its own stays.

        Out of a sandbox nothing stays: it is being killed as a whole, and that is only waited for.
        """
        if self._child is not None and self._child.poll() is None:
            await asyncio.to_thread(self._child.wait)
        claim = processes.parse((_read(self.folder / "started") or "").partition("\n")[2])
        if claim is not None and (left := processes.stragglers(claim.pid, self._mark)):
            self.swept = 0 if self._confined else len(left)
            await self._end(lambda: processes.stragglers(claim.pid, self._mark))

    async def _end(self, find: Callable[[], set[int]], leader: Callable[[], int | None] = lambda: None) -> None:
        """TERM, a grace, KILL. Who holds a sandbox, and its parent, get no TERM: with them all inside dies at once."""
        told: set[int] = set()
        deadline = monotonic() + self._grace
        try:
            while (members := find()) and monotonic() < deadline:
                holders = processes.sandboxes(members - told)
                spared = {*holders, leader()} if holders else set()
                processes.send(members - told - spared, signal.SIGTERM)
                told |= members
                await pause_real(0.02)
        finally:
            processes.destroy(find)
            if self._child is not None:
                with suppress(subprocess.TimeoutExpired):
                    self._child.wait(1)


def _claimant(claim: str) -> Process | None:
    """The wrapper that took the claim, if it is still the same process of the same boot."""
    boot, _, stat = claim.partition("\n")
    known = processes.parse(stat)
    if known is None or boot != processes.boot_id():
        return None
    now = processes.look(known.pid)
    return now if now and now.start == known.start else None


def _took(folder: Path, last: str) -> float | None:
    try:
        return max(0.0, (folder / last).stat().st_mtime - (folder / "started").stat().st_mtime)
    except OSError:
        return None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return None
