"""From the prompt to the screen and back: a tiny launcher, and its child, the app with the runner in it.

The child is no leader of its process group, so it may leave the terminal with `setsid` whenever its screen goes, while
the launcher ends and gives the prompt back.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from core.agent.host import EXIT_FAILED
from core.agent.hosting import Hosting
from core.journal.lease import holder
from core.tools.secrets import Redactor
from tui.job_control import DETACHED, Aside, hang_up_with, wait_for_the_child, wait_for_the_launcher
from tui.redacted_log import RedactedLog
from tui.say import say
from tui.terminal import hear_endings, hold_endings, last_words, mend_terminal, unheard

if TYPE_CHECKING:
    from core.session import BackgroundRunner

KEYS = (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP)
"""What they mean is for the child's screen to say, and before and after it nothing; the launcher stops when told to."""


def on_screen(hosting: Hosting, *, mouse: bool = True, plain: bool = False, back: bool = False) -> int:
    """Run a session with its screen, or in the plain mode; returns when that is left (the agent may go on).

    `back`: that leads back to a list, and nothing is left at the prompt.
    """
    ours, theirs = socket.socketpair()
    hold_endings()
    for number in KEYS:
        signal.signal(number, unheard)
    child = os.fork()
    if child:
        theirs.close()
        return _wait(child, ours, plain, back)
    ours.close()
    _child(lambda: _shown_then_alone(hosting, mouse, plain, back, theirs))
    return 0


def detached(hosting: Hosting) -> int:
    """Run a session without a screen in a process of its own; returns at once."""
    hold_endings()
    child = os.fork()
    if child:
        say(goes_on(hosting.folder))
        if warning := _logging_out_warning():
            say(f"longwatch: {warning}", err=True)
        return 0
    os.setsid()
    _drop_terminal(hosting)
    _child(lambda: _run_alone(hosting))
    return 0


def goes_on(folder: Path) -> str:
    """The last line at the prompt."""
    short = folder.name[:10]
    return f"Session {short} goes on. Come back: longwatch attach {short}   Stop it: longwatch send {short} stop"


def _wait(child: int, channel: socket.socket, plain: bool, back: bool) -> int:
    """Wait until the child has ended (its exit code) or has left the terminal (0); whoever ends us ends its screen."""
    pass_on = partial(_pass_on, child)
    hear_endings(hang_up=pass_on, terminated=pass_on)
    found: list[str] = []
    threading.Thread(target=lambda: found.append(_logging_out_warning()), daemon=True).start()
    with channel:
        if wait_for_the_child(channel):
            hear_endings(hang_up=unheard, terminated=unheard)  # They would end the agent, and no screen.
            for warning in filter(None, [] if back else found):
                last_words(f"longwatch: {warning}")
            return 0
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        if not plain:
            mend_terminal()
        say("longwatch: the session's process was killed; `longwatch resume` goes on with it", err=True)
        return EXIT_FAILED
    return code


def _pass_on(child: int, number: int, _: object) -> None:
    with suppress(ProcessLookupError):
        os.kill(child, number)


def _logging_out_warning() -> str:
    from core.journal.surroundings import logging_out_warning

    return logging_out_warning()


def _child(work: Callable[[], int]) -> None:
    """Run the work as this process's whole remaining life."""
    code = 1
    try:
        code = work()
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    except BaseException as error:
        code = _told(error)
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)


def _told(error: BaseException) -> int:
    """Say what ended something; the exit code that it has."""
    from tui.cli import explain

    sentence, code = explain(error)
    say(f"longwatch: {' '.join(sentence.split())}", err=True)
    return code


def _shown_then_alone(hosting: Hosting, mouse: bool, plain: bool, back: bool, channel: socket.socket) -> int:
    from core.session import BackgroundRunner

    hosting.attended = True
    runner = BackgroundRunner(hosting)
    try:
        outcome = _shown(hosting, runner, mouse, plain, back, channel)
    except Exception as error:  # Whatever becomes of its screen, the agent goes on.
        outcome = "broken"
        _told(error)
    hear_endings(hang_up=unheard, terminated=unheard)
    runner.leave_alone()
    if not runner.begun:  # Left, or lost, before its first picture.
        runner.start()
    over = runner.ends_soon()
    if outcome != "lost" and not back:
        last_words(goes_on(hosting.folder) if runner.handed_over or not over else _after_the_end(hosting.folder))
    if over:
        return runner.join()
    os.setsid()
    with suppress(OSError):  # The launcher may be gone with its terminal.
        channel.send(DETACHED)
    _drop_terminal(hosting)
    wait_for_the_launcher(channel)
    _end_with_process(runner)
    return runner.join()


def _end_with_process(runner: BackgroundRunner) -> None:
    """Whoever ends the process of a runner without a screen ends that, and leaves it to be resumed."""
    hear_endings(hang_up=unheard, terminated=lambda *_: runner.cancel())


def _after_the_end(folder: Path) -> str:
    """The way back to a session that has ended by now, which need not be what the screen has shown last."""
    from core.journal.catalogue import summarize
    from tui.parting import way_back

    return way_back(summarize(folder).state, folder.name[:10], held=holder(folder) is not None)


def _shown(
    hosting: Hosting, runner: BackgroundRunner, mouse: bool, plain: bool, back: bool, channel: socket.socket
) -> str:
    """Show the session and begin to run it; how it was left."""
    from core.controls import SessionControls
    from core.journal.viewers import Presence
    from core.source import SessionSource

    folder = hosting.folder
    with Presence(folder, hosting.environ) as presence:
        source = SessionSource(folder)
        controls = SessionControls(folder, viewer=presence.viewer, vouchers=hosting.vouchers)

        def start() -> None:
            hang_up_with(channel)
            runner.start(lambda events: source.wake())

        if plain:
            from tui.plain.watching import watch_plainly

            return watch_plainly(
                source,
                controls,
                folder,
                driven=True,
                start=start,
                trouble=lambda: runner.trouble,
                fell=lambda: runner.fell,
            )
        from tui.watching import Viewing, watch

        return watch(
            source,
            controls,
            hosting.config,
            Viewing(
                folder=folder,
                mouse=mouse,
                start=start,
                trouble=lambda: runner.trouble,
                fell=lambda: runner.fell,
                aside=Aside(channel),
                presence=presence,
                back=back,
            ),
        )


def _run_alone(hosting: Hosting) -> int:
    from core.session import BackgroundRunner

    runner = BackgroundRunner(hosting)
    _end_with_process(runner)
    runner.start()
    return runner.join()


def _drop_terminal(hosting: Hosting) -> None:
    """Point the standard streams at nothing (errors at a file of the session) and leave the user's folder.

    Nothing here may fail and take the agent along: what it needs was imported before the program could be replaced by
    another version, and a disk that takes no file gets none.
    """
    nothing = log = os.open(os.devnull, os.O_RDWR)
    with suppress(OSError):
        log = os.open(hosting.folder / "runner.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.dup2(log, 2)
    sys.stderr = RedactedLog(2, Redactor(hosting.environ))
    os.chdir("/")
