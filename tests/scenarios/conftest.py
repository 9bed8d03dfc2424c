"""Fixtures of the scenarios. What must hold for every session is checked after each of them."""

import contextlib

import pytest
from processes import Longwatch
from sent_requests import check_append_only, check_misses

from core.journal.errors import JournalError
from core.journal.reader import Reader


@pytest.fixture
def longwatch(tmp_path, warm):
    longwatch = Longwatch(tmp_path, warm)
    yield longwatch
    longwatch.end()
    for folder in sound_sessions(longwatch.home):
        check_append_only(folder)
        check_misses(folder)


def sound_sessions(home):
    """The sessions whose journal can be read; some scenarios break theirs."""
    for folder in sorted((home / "sessions").glob("*")):
        with contextlib.suppress(JournalError, OSError):
            with Reader(folder) as reader:
                reader.events()
            yield folder
