"""What stands at the prompt when a screen was left."""

import socket
import threading

import pytest

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
