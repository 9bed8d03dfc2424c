"""P6: whatever becomes of the terminal, the agent keeps its pace and the screen is gone, or idle and obedient.

The pace is that of an undisturbed session at the same time, so that a busy machine counts on neither side: the median
step of the one over that of the other. On a machine with a free processor it may differ by 5 %, on a busy one, where
the two wait for a processor by chance, by 20 %.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
import pty
import random
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import psutil
from promise import Count, Promise

from core.journal.errors import JournalError
from core.journal.lease import holder
from core.journal.reader import Reader

ROOT = Path(__file__).resolve().parents[2]
STEP_S = 0.25
WATCHED_S = 3.0
"""For how long the pace is compared after the fault."""
STALL_S = {"quick": 2.0, "full": 10.0}
GONE_S = 2.0
SLOWEST, SLOWEST_BUSY = 0.95, 0.8
"""The share of the undisturbed pace that is still no fault, where a processor is free and where none is."""
LEAST_STEPS = 8
BUSY = 0.9
"""A process that uses more of a processor than this after the fault spins."""
PATIENCE_S = 90.0
STOCK = """
import sys
from textual.drivers.linux_driver import LinuxDriver
import tui.app, tui.themed_app
class Stock(LinuxDriver):
    away = False
    def stop_here(self, ask): pass
    def set_title(self, text): pass
tui.app.ResilientDriver = tui.themed_app.ResilientDriver = Stock
from tui.cli import main
main(sys.argv[1:])
"""
"""The product on the driver that Textual comes with."""


def until(condition: Callable[[], object], seconds: float = PATIENCE_S) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


class Home:
    """A home folder with sessions that make a step four times a second."""

    def __init__(self, place: Path) -> None:
        self.place = place
        rows = [
            {
                "text": f"Step {step}.",
                "tool_uses": [{"name": "run_command", "input": {"command": f"sleep {STEP_S}; echo {step}"}}],
            }
            for step in range(2000)
        ]
        (place / "script.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        (place / "config.toml").write_text("[guards]\nenabled = false\n")  # They would pause what only repeats itself.
        more = {"LONGWATCH_HOME": str(place / "home"), "LONGWATCH_CONFIG": str(place / "config.toml")}
        self.environment = {**os.environ, **more, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}

    def task(self, name: str) -> list[str]:
        (self.place / name).mkdir()
        model = f"simulated/script:{self.place / 'script.jsonl'}"
        return ["run", name, "--name", name, "--model", model, "--speed", "0", "--workspace", str(self.place / name)]

    def call(self, *words: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-P", "-m", "tui.cli", *words]
        return subprocess.run(line, env=self.environment, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S)

    def folders(self) -> list[Path]:
        return sorted(path for path in self.place.glob("home/sessions/*") if (path / "session.db").exists())


def steps(folder: Path) -> list[int]:
    """When each call ended, in microseconds."""
    try:
        with Reader(folder) as reader:
            return [event.at_us for event in reader.events() if event.kind == "tool.finished"]
    except (JournalError, FileNotFoundError):
        return []


def calls(folder: Path) -> int:
    return len(steps(folder))


def step_s(folder: Path, since: int) -> float:
    """The median time of a step after the first `since`; infinite where there are too few to tell."""
    times = steps(folder)[since:]
    if len(times) < LEAST_STEPS:
        return math.inf
    return statistics.median(later - earlier for earlier, later in pairwise(times)) / 1e6


class Terminal:
    """A command on a pty; what it writes is taken off only by `drain`."""

    def __init__(self, home: Home, words: list[str], stock: bool = False) -> None:
        self.pid, self.master = pty.fork()
        if not self.pid:
            os.chdir(ROOT)
            start = ["-c", STOCK] if stock else ["-m", "tui.cli"]
            os.execve(sys.executable, [sys.executable, "-P", *start, *words], home.environment)
        self.size(30, 100)

    def size(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def drain(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self.master], [], [], left)[0]:
                try:
                    if not os.read(self.master, 65536):
                        return
                except OSError:
                    return

    def close(self) -> None:
        if self.master >= 0:
            os.close(self.master)
            self.master = -1

    def ended(self) -> bool:
        """Whether the command that was started here is over."""
        try:
            return os.waitpid(self.pid, os.WNOHANG)[0] != 0
        except ChildProcessError:
            return True


@dataclass
class Scene:
    """A session with its screen, an undisturbed one beside it, and perhaps a second screen."""

    home: Home
    folder: Path
    beside: Path
    screen: Terminal
    stall_s: float
    viewer: Terminal | None = None
    problems: list[str] = field(default_factory=list)

    @property
    def runner(self) -> int:
        found = holder(self.folder)
        return found.pid if found else 0

    def left(self) -> bool:
        """Whether the runner has a session of its own: it belongs to no terminal any more."""
        try:
            return os.getsid(self.runner) == self.runner
        except ProcessLookupError:
            return False

    def must_leave(self, since: float) -> float:
        """Wait until the screen has left its terminal; how long it took."""
        if not until(self.left, 10 * GONE_S):
            self.problems.append("the screen never left its terminal")
        took = time.monotonic() - since
        if took > GONE_S * load():
            self.problems.append(f"the screen left its terminal after {took:.1f} s")
        return took


def load() -> float:
    """By how much slower a busy machine may be."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def closed(scene: Scene) -> float:
    scene.screen.close()
    return scene.must_leave(time.monotonic())


def hung_up(scene: Scene) -> float:
    os.kill(scene.runner, signal.SIGHUP)
    return _drained(scene)


def terminated(scene: Scene) -> float:
    os.kill(scene.runner, signal.SIGTERM)
    return _drained(scene)


def _drained(scene: Scene) -> float:
    since = time.monotonic()
    while not scene.left() and time.monotonic() - since < 10 * GONE_S:
        scene.screen.drain(0.02)
    return scene.must_leave(since)


def stalled(scene: Scene) -> float:
    """Nobody reads any more; a shell can still make the screen leave."""
    _stall(scene)
    answer = scene.home.call("send", scene.folder.name, "detach")
    if answer.returncode:
        scene.problems.append(f"detach was not taken: {answer.stderr.strip()}")
    return scene.must_leave(time.monotonic())


def _stall(scene: Scene) -> None:
    """Read nothing, while the screen has much to paint: what is on its way fills up at once."""
    end, rows = time.monotonic() + scene.stall_s, 30
    while time.monotonic() < end:
        rows = 80 - rows
        scene.screen.size(rows, 100 + rows)
        time.sleep(0.05)


def stalled_then_closed(scene: Scene) -> float:
    _stall(scene)
    scene.screen.close()
    return scene.must_leave(time.monotonic())


def resized(scene: Scene) -> float:
    """The screen goes on; `detach` tells that it still listens."""
    chance = random.Random(scene.folder.name)
    for _ in range(200):
        scene.screen.size(chance.randint(1, 80), chance.randint(1, 250))
        scene.screen.drain(0.005)
    os.write(scene.screen.master, b"d")
    return _drained(scene)


def viewer_killed(scene: Scene) -> float:
    assert scene.viewer is not None
    os.kill(scene.viewer.pid, signal.SIGKILL)
    since = time.monotonic()
    if not until(scene.viewer.ended, GONE_S * load()):
        scene.problems.append("the killed viewer is still there")
    return time.monotonic() - since


KINDS: dict[str, Callable[[Scene], float]] = {
    "closed": closed,
    "stalled": stalled,
    "stalled, then closed": stalled_then_closed,
    "SIGHUP": hung_up,
    "SIGTERM": terminated,
    "resized": resized,
    "viewer killed": viewer_killed,
}


@dataclass
class Outcome:
    """How one fault went: the share of the undisturbed pace, seconds until the screen was gone, CPU afterwards."""

    kind: str
    pace: float = 0.0
    gone_s: float = 0.0
    cpu: float = 0.0
    problems: list[str] = field(default_factory=list)


@contextmanager
def stage() -> Iterator[tuple[Home, Path]]:
    """A home with the undisturbed session; whatever happens, also a time-out's SIGTERM, no session outlives it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with tempfile.TemporaryDirectory(prefix="terminals-", ignore_cleanup_errors=True) as place:
        home = Home(Path(place))
        try:
            home.call(*home.task("beside"), "--detach")
            (beside,) = home.folders()
            yield home, beside
        finally:
            for folder in home.folders():
                kill_runner(folder)


def kill_runner(folder: Path) -> None:
    if (found := holder(folder)) is not None:
        os.kill(found.pid, signal.SIGKILL)


def play(home: Home, beside: Path, kind: str, *, stall_s: float, stock: bool = False) -> Outcome:
    """One fault on a session of its own."""
    there, screen, viewer = set(home.folders()), None, None
    try:
        screen = Terminal(home, home.task(f"watched {len(there)}"), stock)
        while len(new := set(home.folders()) - there) < 1 or calls(min(new)) < 3:
            screen.drain(0.05)
        scene = Scene(home, min(new), beside, screen, stall_s)
        if kind == "viewer killed":
            viewer = scene.viewer = Terminal(home, ["attach", scene.folder.name], stock)
            for _ in range(20):
                screen.drain(0.05)
                viewer.drain(0.05)
        return _measured(kind, scene)
    except psutil.NoSuchProcess:
        return Outcome(kind, problems=[f"the agent is gone: {_last_words(scene)}"])
    finally:
        for terminal in filter(None, (screen, viewer)):
            terminal.close()
        for folder in set(home.folders()) - there:
            kill_runner(folder)
        for terminal in filter(None, (screen, viewer)):
            if not terminal.ended():
                os.kill(terminal.pid, signal.SIGKILL)
                os.waitpid(terminal.pid, 0)


def _last_words(scene: Scene) -> str:
    """How its journal ends, and what its log says."""
    with Reader(scene.folder) as reader:
        events = [f"{event.kind} {getattr(event.body, 'reason', '')}".strip() for event in reader.events()[-4:]]
    log = scene.folder / "runner.log"
    said = log.read_text()[-500:] if log.exists() else ""
    return f"{', '.join(events)}; {said!r}"


def _measured(kind: str, scene: Scene) -> Outcome:
    process = psutil.Process(scene.runner)
    before, reference = calls(scene.folder), calls(scene.beside)
    outcome = Outcome(kind, gone_s=KINDS[kind](scene), problems=scene.problems)
    used, since = sum(process.cpu_times()[:2]), time.monotonic()
    while time.monotonic() - since < WATCHED_S:
        scene.screen.drain(0.05) if kind == "viewer killed" else time.sleep(0.05)
    outcome.cpu = (sum(process.cpu_times()[:2]) - used) / (time.monotonic() - since)
    while (
        min(calls(scene.folder) - before, calls(scene.beside) - reference) < LEAST_STEPS
        and time.monotonic() - since < PATIENCE_S
    ):
        scene.screen.drain(0.05) if kind == "viewer killed" else time.sleep(0.05)
    took, usual = step_s(scene.folder, before), step_s(scene.beside, reference)
    outcome.pace = usual / took
    if not outcome.pace >= (SLOWEST if load() <= 1 else SLOWEST_BUSY):
        outcome.problems.append(f"a step took {took:.3f} s, of the undisturbed session {usual:.3f} s")
    if outcome.cpu > BUSY:
        outcome.problems.append(f"{outcome.cpu:.0%} of a processor afterwards")
    if kind != "viewer killed" and not until(scene.screen.ended, GONE_S * load()):
        outcome.problems.append("the launcher is still there")
    return outcome


def trial(count: int, seed: int) -> Count:
    """Each kind in turn; with fewer than all of them, in the quick run, terminals stall for a shorter time."""
    stall_s = STALL_S["full" if count >= len(KINDS) else "quick"]
    kinds, found = list(KINDS), Count()
    with stage() as (home, beside):
        for number in range(count):
            outcome = play(home, beside, kinds[(seed - 1 + number) % len(kinds)], stall_s=stall_s)
            found.note(f"{outcome.kind}: {problem}" for problem in outcome.problems)
            found.see(outcome.kind)
            found.see("s until the screen was gone at most", round(outcome.gone_s, 2))
            if math.isfinite(outcome.pace):
                found.see("% behind the undisturbed pace at most", round(100 * (1 - outcome.pace)))
    return found


def control(count: int, seed: int) -> Count:
    """A driver that waits for its terminal never hears that it is to leave."""
    found = Count()
    with stage() as (home, beside):
        for _ in range(count):
            outcome = play(home, beside, "stalled", stall_s=STALL_S["quick"], stock=True)
            found.note(f"stalled: {problem}" for problem in outcome.problems)
    return found


PROMISE = Promise(
    id="P6",
    says="Whatever becomes of the terminal, the agent keeps its pace; the screen is gone within 2 s and nothing hangs",
    unit="faults",
    aim=700,
    shard=14,
    quick=2,
    trial=trial,
    control=control,
    control_says="the driver that Textual comes with, stalled",
    quick_control=1,
)
