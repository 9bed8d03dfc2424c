"""The watch screen over a session that waits for its user, in a process of its own. Usage: waiting_app.py FOLDER"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from sample_sessions import FakeControls, FakeSource, Log

from core.clock import SystemClock
from core.config import NotifySettings
from core.events import SessionOpened, SessionPaused
from core.notify.attendance import Attendance
from tui.app import LongwatchApp

if __name__ == "__main__":
    folder, log, clock = Path(sys.argv[1]), Log(), SystemClock()
    opened = SessionOpened(
        session="01ABC", name="audit", task="t", workspace="/w", model="m", endpoint="e", profile="p", app_version="0"
    )
    log.at_us = clock.now_us() + 1_000_000
    log.add(opened)
    log.add(SessionPaused(reason="budget", detail="all spent"))
    code = f"import sys; open({str(folder / 'told.json')!r}, 'w').write(sys.stdin.read())"
    settings = NotifySettings(after_s=0, command=[sys.executable, "-c", code])
    app = LongwatchApp(
        FakeSource(log), FakeControls(), mode="attached", notify=settings, attendance=Attendance(folder), clock=clock
    )
    signal.signal(signal.SIGTERM, lambda *_: app.call_later(app.on_terminal_lost, "signal"))
    app.run()
