"""P6: whatever becomes of the terminal, the agent keeps its pace and the screen is gone, or idle and obedient.

The pace is compared with a twin's: another session, at the same time, on a screen of its own that is resized as often
but whose terminal reads on. So neither a busy machine nor the work of painting counts, only the fault. It is the median
step of the one over that of the other, and counts as slower when that is certain: on a busy machine both wait for a
processor by chance, and the bound that chance leaves (a bootstrap's) must lie more than 5 % behind.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from pace import LEAST_STEPS, SLOWEST, Steps, paces
from promise import Count, Promise, load
from screens import PATIENCE_S, Home, Terminal, Twin, until
from warm import Warm

from core.journal.lease import holder
from core.journal.reader import Reader

WATCHED_S = 3.0
"""For how long the pace is compared after the fault."""
STALL_S = {"quick": 2.0, "full": 10.0}
LEAST = {"quick": 0.5, "full": SLOWEST}
"""The share of its twin's pace that the agent keeps. A quick run is one of the tests, which time nothing: it tells
only whether the agent stands still."""
GONE_S = 2.0
FILLING = 60
"""Resizes that fill whatever takes what is painted, at twenty a second; then there is one a second."""
BUSY = 0.9
"""A process that uses more of a processor than this after the fault spins."""


@dataclass
class Scene:
    """A session with its screen, its twin, and perhaps a second screen."""

    home: Home
    folder: Path
    steps: Steps
    twin: Twin
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

    def size(self, rows: int, columns: int) -> None:
        """Give both screens another size."""
        self.screen.size(rows, columns)
        self.twin.size(rows, columns)


def closed(scene: Scene) -> float:
    scene.screen.close()
    return scene.must_leave(time.monotonic())


def hung_up(scene: Scene) -> float:
    os.kill(scene.runner, signal.SIGHUP)
    return _drained(scene)


def hung_up_without_end(scene: Scene) -> float:
    """A shell, a launcher, the system: each may tell of the same loss, at any moment of the leaving and after it."""
    since, chance, runner = time.monotonic(), random.Random(scene.folder.name), psutil.Process(scene.runner)
    scene.screen.close()
    while not scene.left() and time.monotonic() - since < 10 * GONE_S:
        runner.send_signal(signal.SIGHUP)
        time.sleep(chance.uniform(0, 0.003))
    runner.send_signal(signal.SIGHUP)
    return scene.must_leave(since)


def put_away_then_closed(scene: Scene) -> float:
    """Ctrl+Z, and the shell goes away with its terminal, whether the launcher has stopped by then or not."""
    chance = random.Random(scene.folder.name)
    os.write(scene.screen.master, b"\x1a")
    scene.screen.drain(chance.choice([0.0, chance.uniform(0, 0.3), 1.0]))
    return closed(scene)


def opened_then_closed(scene: Scene) -> float:
    """It was closed before the session's first step; `play` has seen to that."""
    return scene.must_leave(time.monotonic())


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
    code, errors = scene.home.call("send", scene.folder.name, "detach")
    if code:
        scene.problems.append(f"detach was not taken: {errors.strip()}")
    return scene.must_leave(time.monotonic())


def _stall(scene: Scene) -> None:
    """Read nothing, while the screen has much to paint at first, so that what is on its way fills up at once."""
    end, rows, sizes = time.monotonic() + scene.stall_s, 30, 0
    while (left := end - time.monotonic()) > 0:
        rows, sizes = 80 - rows, sizes + 1
        scene.size(rows, 100 + rows)
        time.sleep(min(left, 0.05 if sizes < FILLING else 1.0))


def stalled_then_closed(scene: Scene) -> float:
    _stall(scene)
    scene.screen.close()
    return scene.must_leave(time.monotonic())


def resized(scene: Scene) -> float:
    """The screen goes on; `detach` tells that it still listens."""
    chance = random.Random(scene.folder.name)
    for _ in range(1000):
        scene.size(chance.randint(1, 80), chance.randint(1, 250))
        scene.screen.drain(0.003)
    os.write(scene.screen.master, b"d")
    return _drained(scene)


def viewer_killed(scene: Scene) -> float:
    assert scene.viewer is not None
    scene.viewer.process.kill()
    since = time.monotonic()
    if not until(scene.viewer.ended, GONE_S * load()):
        scene.problems.append("the killed viewer is still there")
    return time.monotonic() - since


OPENING, PUT_AWAY = "closed while opened", "put away, then closed"
KINDS: dict[str, Callable[[Scene], float]] = {
    "closed": closed,
    "stalled": stalled,
    "stalled, then closed": stalled_then_closed,
    "SIGHUP": hung_up,
    "closed, many SIGHUP": hung_up_without_end,
    OPENING: opened_then_closed,
    PUT_AWAY: put_away_then_closed,
    "SIGTERM": terminated,
    "resized": resized,
    "viewer killed": viewer_killed,
}


@dataclass
class Outcome:
    """How one fault went: by how much it was surely slower, seconds until the screen was gone, CPU afterwards."""

    kind: str
    behind: float = 0.0
    gone_s: float = 0.0
    cpu: float = 0.0
    problems: list[str] = field(default_factory=list)


@contextmanager
def stage() -> Iterator[tuple[Home, Twin]]:
    """A home with the twin; whatever happens, also a time-out's SIGTERM, no session outlives it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with tempfile.TemporaryDirectory(prefix="terminals-", ignore_cleanup_errors=True) as place:
        warm = Warm()
        home, twin = Home(Path(place), warm), None
        try:
            twin = Twin(home)
            yield home, twin
        finally:
            if twin is not None:
                twin.end()
            for folder in home.folders():
                kill_runner(folder)
            warm.end()


def kill_runner(folder: Path) -> None:
    if (found := holder(folder)) is not None:
        os.kill(found.pid, signal.SIGKILL)


def play(home: Home, twin: Twin, kind: str, run: str, *, stock: bool = False) -> Outcome:
    """One fault on a session of its own."""
    there, screen, viewer = set(home.folders()), None, None
    try:
        screen = Terminal(home, home.task(f"watched {len(there)}"), stock, in_shell=kind == PUT_AWAY)
        while not (new := set(home.folders()) - there):
            screen.drain(0.005)
        scene = Scene(home, min(new), Steps(min(new)), twin, screen, STALL_S[run])
        if kind == OPENING:
            screen.drain(random.Random(scene.folder.name).uniform(0, 0.6))
            screen.close()
        if not until(lambda: screen.drain(0.05) or scene.steps.count() >= 3):
            return Outcome(kind, problems=[f"the agent never began: {_last_words(scene)}"])
        if kind == "viewer killed":
            viewer = scene.viewer = Terminal(home, ["attach", scene.folder.name], stock)
            for _ in range(20):
                screen.drain(0.05)
                viewer.drain(0.05)
        return _measured(kind, scene, run)
    except psutil.NoSuchProcess:
        return Outcome(kind, problems=[f"the agent is gone: {_last_words(scene)}"])
    finally:
        for folder in set(home.folders()) - there:
            kill_runner(folder)
        for terminal in filter(None, (screen, viewer)):
            terminal.end()


def _last_words(scene: Scene) -> str:
    """How its journal ends, and what its log says."""
    with Reader(scene.folder) as reader:
        events = [f"{event.kind} {getattr(event.body, 'reason', '')}".strip() for event in reader.events()[-4:]]
    log = scene.folder / "runner.log"
    said = log.read_text()[-500:] if log.exists() else ""
    return f"{', '.join(events)}; {said!r}"


def _measured(kind: str, scene: Scene, run: str) -> Outcome:
    process = psutil.Process(scene.runner)
    steps, others = scene.steps, scene.twin.steps
    before, reference = steps.count(), others.count()
    outcome = Outcome(kind, gone_s=KINDS[kind](scene), problems=scene.problems)
    used, since = sum(process.cpu_times()[:2]), time.monotonic()
    while time.monotonic() - since < WATCHED_S:
        scene.screen.drain(0.05) if kind == "viewer killed" else time.sleep(0.05)
    outcome.cpu = (sum(process.cpu_times()[:2]) - used) / (time.monotonic() - since)
    while (
        min(steps.count() - before, others.count() - reference) < LEAST_STEPS and time.monotonic() - since < PATIENCE_S
    ):
        scene.screen.drain(0.05) if kind == "viewer killed" else time.sleep(0.05)
    pace, at_best = paces(steps.seconds(before), others.seconds(reference))
    outcome.behind = max(0.0, 1 - at_best)
    if at_best < LEAST[run]:
        outcome.problems.append(f"it kept {pace:.0%} of its twin's pace, {at_best:.0%} at best")
    if outcome.cpu > BUSY:
        outcome.problems.append(f"{outcome.cpu:.0%} of a processor afterwards")
    if kind != "viewer killed" and not until(scene.screen.ended, GONE_S * load()):
        outcome.problems.append("the launcher is still there")
    return outcome


def trial(count: int, seed: int) -> Count:
    """Each kind in turn; with fewer than all of them, in the quick run, terminals stall for a shorter time."""
    run = "full" if count >= len(KINDS) else "quick"
    kinds, found = list(KINDS), Count()
    with stage() as (home, twin):
        for number in range(count):
            outcome = play(home, twin, kinds[(seed - 1 + number) % len(kinds)], run)
            found.note(f"{outcome.kind}: {problem}" for problem in outcome.problems)
            found.see(outcome.kind)
            found.see("s until the screen was gone at most", round(outcome.gone_s, 2))
            found.see("% surely slower at most", round(100 * outcome.behind))
    return found


def control(count: int, seed: int) -> Count:
    """A driver that waits for its terminal never hears that it is to leave."""
    found = Count()
    with stage() as (home, twin):
        for _ in range(count):
            outcome = play(home, twin, "stalled", "quick", stock=True)
            found.note(f"stalled: {problem}" for problem in outcome.problems)
    return found


PROMISE = Promise(
    id="P6",
    says="Whatever becomes of the terminal, the agent keeps its pace; the screen is gone within 2 s and nothing hangs",
    unit="faults",
    aim=1000,
    shard=20,
    quick=2,
    trial=trial,
    control=control,
    control_says="the driver that Textual comes with, stalled",
    quick_control=1,
)
