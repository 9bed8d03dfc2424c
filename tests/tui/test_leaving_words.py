"""What stands at the prompt when a screen was left."""

import os
import socket
import sys
import threading
from pathlib import Path

import pytest

from core.agent.hosting import Hosting
from core.config import Config
from core.journal import surroundings
from tui import launcher
from tui.job_control import DETACHED


@pytest.mark.parametrize("kills", [True, False])
def test_whoever_leaves_a_screen_is_warned_where_a_logout_would_end_the_agent(monkeypatch, capfd, kills):
    ours, theirs = socket.socketpair()
    asked = threading.Event()

    def logging_out_kills() -> bool:
        asked.set()
        return kills

    def leave() -> None:
        asked.wait()
        for thread in set(threading.enumerate()) - before - {threading.current_thread()}:
            thread.join()
        theirs.send(DETACHED)

    before = set(threading.enumerate())
    monkeypatch.setattr(surroundings, "logging_out_kills", logging_out_kills)
    monkeypatch.setattr(launcher.signal, "signal", lambda *_: None)
    leaving = threading.Thread(target=leave)
    leaving.start()
    assert launcher._wait(0, ours, plain=False, back=False) == 0
    leaving.join()
    theirs.close()
    said = "".join(capfd.readouterr())
    assert ("loginctl enable-linger" in said and "Logging out would end the agent" in said) == kills


def test_leaving_the_terminal_needs_no_room_on_the_disk_and_nothing_of_the_program_any_more(tmp_path):
    told, tell = os.pipe()
    if not (child := os.fork()):
        sys.meta_path.clear()
        launcher._drop_terminal(Hosting(tmp_path / "no such folder", Config()))
        print("nowhere", file=sys.stderr, flush=True)
        os.write(tell, str(Path("/proc/self/fd/2").readlink()).encode())
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert os.read(told, 100) == b"/dev/null"
