"""Ctrl+Z where the runner shares the screen's process: the launcher stops, as the shell's job; the agent goes on.

The two talk over a socket pair, one byte a message. The child never stops: it puts its screen away, and touches the
terminal again only when the launcher says that the shell has brought the job back to the foreground.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import socket
import threading
from contextlib import suppress
from typing import Final

from core.clock import pause_real

DETACHED: Final = b"D"
"""Child to launcher: it has left the terminal."""
STOPPED: Final = b"Z"
"""Child to launcher: its screen is put away; stop."""
RETURNED: Final = b"R"
"""Launcher to child: the terminal is ours again."""
GONE: Final = b"G"
"""Launcher to child: there is no terminal any more."""
LOOK_EVERY_S: Final = 0.1
LETS_GO_S: Final = 5.0
"""Longest time that a launcher is waited for, which may be stopped itself."""
STDIN: Final = 0


class Here:
    """Where no runner shares the process of the screen: that stops itself."""

    async def until_returned(self) -> bool:
        """Stop; True when in the foreground again, False when the terminal is gone."""
        _stop()
        try:
            while os.tcgetpgrp(STDIN) != os.getpgrp():
                await pause_real(LOOK_EVERY_S)
        except OSError:
            return False
        return True


class Aside(Here):
    """Where one does: the child's end of the pair."""

    def __init__(self, channel: socket.socket) -> None:
        channel.setblocking(False)
        self._channel = channel

    async def until_returned(self) -> bool:
        """Have the launcher stop; True when it is in the foreground again, False when it or its terminal is gone."""
        loop = asyncio.get_running_loop()
        try:
            await loop.sock_sendall(self._channel, STOPPED)
            return await loop.sock_recv(self._channel, 1) == RETURNED
        except OSError:
            return False


def hang_up_with(channel: socket.socket) -> None:
    """In the child: whoever kills the launcher gives the terminal to the shell, so that the screen has to go.

    A hang-up says so. Once the screen is left hang-ups mean nothing, so that the launcher's own end does not, either.
    """
    end = select.poll()
    end.register(channel, 0)

    def watch() -> None:
        end.poll()
        os.kill(os.getpid(), signal.SIGHUP)

    threading.Thread(target=watch, name="launcher", daemon=True).start()


def wait_for_the_launcher(channel: socket.socket) -> None:
    """In the child, once it has detached: until then the launcher may pass on what is meant for the screen."""
    with channel, suppress(OSError):
        channel.settimeout(LETS_GO_S)
        while channel.recv(1):
            pass


def wait_for_the_child(channel: socket.socket) -> bool:
    """In the launcher: stop whenever the child asks for it; whether it has detached (False: it has ended)."""
    while message := _received(channel):
        if message == DETACHED:
            return True
        if message == STOPPED:
            _stop()
            with suppress(OSError):
                channel.send(_until_in_foreground(channel))
    return False


def _received(channel: socket.socket) -> bytes:
    try:
        return channel.recv(1)
    except OSError:
        return b""


def _stop() -> None:
    """Stop this process alone; the system refuses where no shell could continue it again."""
    before = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTSTP)
    signal.signal(signal.SIGTSTP, before)


def _until_in_foreground(channel: socket.socket) -> bytes:
    """Wait until the terminal is this job's, or gone, or nobody in the child waits for it any more."""
    try:
        while os.tcgetpgrp(STDIN) != os.getpgrp():
            if select.select([channel], [], [], LOOK_EVERY_S)[0]:
                break
    except OSError:
        return GONE
    return RETURNED
