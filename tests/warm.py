"""Processes that begin with the product imported: forked from one that has done nothing but import it.

A fresh interpreter with the SDK and the screen costs three seconds of CPU, a fork a hundredth. It is a process of its
own all the same: with its own arguments, environment, folder and terminal, nothing of the tests in it, killed as dead.

    warm = Warm()
    process = warm.start("tui.cli", "ls", environment=os.environ, folder=ROOT)
    out, errors = process.communicate()
    warm.end()
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

IMPORTED = (
    *("core.agent.host", "core.models.client", "core.models.prices", "core.session", "core.simulator.__main__"),
    *("core.simulator.policies", "tui.app", "tui.cli", "tui.launcher", "tui.plain.watching", "tui.watching"),
)


class Process:
    """A process that was forked by a `Warm`; it is used as one of `subprocess` with text pipes."""

    def __init__(self, status: socket.socket, streams: list[IO[str] | None]) -> None:
        self._status = status
        self.pid = int(status.recv(32))
        self.returncode: int | None = None
        self.stdin, self.stdout, self.stderr = streams

    def poll(self) -> int | None:
        """The exit code (negative: the signal that ended it), None while it runs."""
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        code = self._look(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return code

    def _look(self, seconds: float | None) -> int | None:
        if self.returncode is None and select.select([self._status], [], [], seconds)[0]:
            said = self._status.recv(32)
            self._status.close()
            self.returncode = int(said or -signal.SIGKILL)  # Said nothing: the process that forked it is gone.
        return self.returncode

    def communicate(self, input: str = "", timeout: float | None = None) -> tuple[str, str]:
        """Tell it something, and wait for its end; what it still said."""
        if self.stdin:
            with self.stdin:
                self.stdin.write(input)
        said = {"stdout": "", "stderr": ""}
        readers = [threading.Thread(target=self._read, args=(name, said), daemon=True) for name in said]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join(timeout)
        self.wait(timeout)
        return said["stdout"], said["stderr"]

    def _read(self, name: str, said: dict[str, str]) -> None:
        stream = getattr(self, name)
        if stream:
            with stream:
                said[name] = stream.read()

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):  # It may end, and be waited for by whoever forked it, just now.
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in (self.stdin, self.stdout, self.stderr):
            if stream and not stream.closed:
                stream.close()
        self.wait()


class Warm:
    """The process from which others are forked; `end` ends it, those that it forked go on."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair()
        with theirs:
            number = theirs.fileno()
            self._server = subprocess.Popen(
                [sys.executable, "-P", __file__, str(number)], pass_fds=[number], stdin=subprocess.DEVNULL
            )

    def start(
        self,
        what: str,
        *arguments: str,
        environment: Mapping[str, str],
        folder: Path,
        stdin: int = subprocess.DEVNULL,
        stdout: int = subprocess.PIPE,
        stderr: int = subprocess.PIPE,
        terminal: int | None = None,
    ) -> Process:
        """Run a module as `python -m` does, or the program at a path; `terminal` becomes the one that controls it."""
        ours, theirs = [], []
        for number, given in enumerate((stdin, stdout, stderr)):
            end, its = _ends(number, given, terminal, theirs)
            ours.append(end)
            theirs.append(its)
        status, its_status = socket.socketpair()
        with tempfile.TemporaryFile() as order, its_status:
            told = [what, arguments, dict(environment), str(folder), terminal is not None]
            order.write(json.dumps(told).encode())
            order.flush()
            socket.send_fds(self._control, [b"!"], [order.fileno(), its_status.fileno(), *theirs])
        for end in {*theirs} - {terminal}:
            os.close(end)
        return Process(status, ours)

    def end(self) -> None:
        self._control.close()
        self._server.wait()


def _ends(number: int, given: int, terminal: int | None, before: list[int]) -> tuple[IO[str] | None, int]:
    """Our end and the other one of a standard stream."""
    if terminal is not None:
        return None, terminal
    if given == subprocess.STDOUT:
        return None, os.dup(before[1])
    if given == subprocess.DEVNULL:
        return None, os.open(os.devnull, os.O_RDWR)
    if given != subprocess.PIPE:
        return None, os.dup(given)
    reads, writes = os.pipe()
    return (os.fdopen(reads), writes) if number else (os.fdopen(writes, "w"), reads)


def serve(control: socket.socket) -> list[Any] | None:
    """Fork what is ordered, and tell how it ends. Returns in each child, with its order, and None at the end."""
    children: dict[int, socket.socket] = {}
    woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    while True:
        ready, _, _ = select.select([control, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            _bury(children)
        if control not in ready:
            continue
        message, descriptors, _, _ = socket.recv_fds(control, 1, 5)
        if not message:
            return None
        if (pid := os.fork()) == 0:
            return _become(*descriptors)
        for number in (descriptors[0], *descriptors[2:]):
            os.close(number)
        children[pid] = socket.socket(fileno=descriptors[1])
        children[pid].send(str(pid).encode())


def _bury(children: dict[int, socket.socket]) -> None:
    """Tell of every child that has ended."""
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        with children.pop(pid) as teller, suppress(OSError):  # Perhaps nobody asks any more.
            teller.send(str(os.waitstatus_to_exitcode(status)).encode())


def _become(order: int, status: int, *streams: int) -> list[Any]:
    """Be a process of its own, as if it had been started so."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with open(order, closefd=False) as file:
        file.seek(0)
        told: list[Any] = json.load(file)
    what, arguments, environment, folder, terminal = told
    if terminal:
        os.login_tty(os.dup(streams[0]))
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(3, 256)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=stream.isatty())  # type: ignore[union-attr]
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = [what, *arguments]
    return told


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    for name in IMPORTED:
        importlib.import_module(name)
    assert threading.active_count() == 1, "a fork would copy the locks of other threads"
    gc.freeze()
    if (told := serve(control)) is None:
        return
    what, arguments, *_ = told
    if "/" not in what:
        sys.modules.pop(what, None)  # `-m` runs it as the main program, and finds no other of its name.
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    elif what.endswith(".py"):
        runpy.run_path(what, run_name="__main__")
    else:
        os.execv(what, [what, *arguments])


if __name__ == "__main__":
    main()
