"""What befell a rehearsal is told from its log, beside the words that its alarms had for it."""

import os
from pathlib import Path

from logbook import Logbook

from core.clock import VirtualClock
from core.events import (
    Draft,
    FileChange,
    MachineSlept,
    RetryWaiting,
    RunnerAttached,
    RunnerRecovered,
    ScreenCame,
    ScreenLost,
    SessionContinued,
    SessionPaused,
)
from core.journal.writer import Journal
from core.rehearsal.befell import GONE, NEVER, befallen, witness
from core.rehearsal.stage import Wanted, prepare
from core.rehearsal.table import retested

HOUR_S = 3_600
SMALL = Wanted(lines=1_000, known=1, aside=0, decoys=0)


def attached():
    return Draft(RunnerAttached(pid=os.getpid(), host="h", epoch=1, app_version="0", sandbox=""), actor="system")


async def test_each_happening_stands_in_its_hour_with_the_words_of_its_alarm(tmp_path):
    staged = await prepare(tmp_path / "home", tmp_path / "stage", SMALL)
    clock = VirtualClock()

    async def write(*bodies, after_s=0.0):
        clock.advance(after_s)
        async with await Journal.open(staged.folder, clock) as journal:
            await journal.append(*(body if isinstance(body, Draft) else Draft(body, actor="system") for body in bodies))

    until_us = clock.now_us() + (HOUR_S + 60) * 1_000_000
    await write(attached())
    await write(RetryWaiting(error="overloaded", until_us=until_us, delay_s=60.0, attempt=1), after_s=HOUR_S)
    await write(SessionPaused(reason="disk", detail="full"), after_s=120)
    await write(SessionContinued(detail="room"), after_s=60)
    witness(staged)
    await write(attached())
    await write(RunnerRecovered(findings=["one"]))
    await write(MachineSlept(seconds=6 * HOUR_S), after_s=6 * HOUR_S)
    await write(ScreenLost(viewer="a", who="a screen"))
    await write(ScreenCame(viewer="b", who="another"), after_s=300)
    rows = {row.what: row for row in befallen(staged)}
    assert rows["provider overloaded"].hour == "1.0" and "provider down" in rows["provider overloaded"].alarm
    assert rows["disk full"].logged == "paused for 1 min" and "disk" in rows["disk full"].alarm
    assert rows["killed"].alarm == GONE and rows["killed"].logged == "resumed, 1 open call"
    assert rows["laptop closed"].logged == "slept for 6 h" and "slept 6 h, woke at" in rows["laptop closed"].alarm
    assert rows["terminal lost"].logged.startswith("another came after 5 min")
    assert rows["terminal lost"].alarm.endswith("unseen for 5 min")
    assert rows["key refused"].logged == NEVER
    assert Path(staged.workspace.parent, "witnessed.jsonl").read_bytes().count(b"\n") == 1


def test_tests_that_run_again_count_once_a_file_has_changed():
    log = Logbook()
    change = {"files": [FileChange(path="a", before="1", after="2", added=1, removed=0)]}
    for index, changes in enumerate(({}, {}, change, {}, {})):
        attempt = log.reply(("run_command", {"command": "test"}))
        log.start(attempt, 0, "run_command", {"command": "test"}, effect="command")
        log.finish(attempt, 0, "run_command", str(index), **changes)
    assert retested(log.events) == 1
