"""How far a long command is: told by whoever reads, shown on a terminal alone, gone when it is over."""

import asyncio
import io
import sys
import threading

import pytest

from core import progress as core_progress
from core.journal.mirror import Mirror
from core.journal.reader import Reader
from core.journal.rows import Row
from tui import progress
from tui.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def at_once(monkeypatch):
    monkeypatch.setattr(progress, "QUICK_S", 0.0)
    monkeypatch.setattr(progress, "EVERY_S", 0.0)


async def test_reading_a_log_is_told_to_whoever_listens_also_from_other_threads(tmp_path):
    heard = []
    with Mirror(tmp_path, {}) as mirror:
        mirror.append([Row(seq, None, None, "note", None, seq, "user", "{}") for seq in range(1, 6)])
    with Reader(tmp_path) as reader:
        with core_progress.heard(lambda done, of: heard.append((done, of))):
            reader.events(0, 2)
            await asyncio.to_thread(reader.events, 2, 2)
        reader.events(4, 2)
    assert heard == [(2, 5), (4, 5)]


def test_on_a_terminal_it_is_one_line_that_goes_away(at_once, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with Progress("doctor\x1b[2J") as line:
        core_progress.tell(1, lambda: 4)
        thread = threading.Thread(target=line.tell, args=(3, 4))
        thread.start()
        thread.join()
    said = sys.stderr.getvalue()
    assert " 25%" in said and " 75%" in said and "\x1b" not in said and "\n" not in said
    assert said.split("\r")[-2].strip() == said.split("\r")[-1] == ""


def test_where_nobody_looks_and_for_what_is_quick_it_is_silent(at_once, monkeypatch, capsys):
    with Progress("report") as line:
        line.tell(1, 2)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(progress, "QUICK_S", 60.0)
    monkeypatch.setattr(sys, "stderr", Terminal())
    with Progress("report") as line:
        line.tell(1, 2)
    assert sys.stderr.getvalue() == ""
