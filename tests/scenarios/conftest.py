"""Fixtures of the scenarios."""

import pytest
from processes import Longwatch


@pytest.fixture
def longwatch(tmp_path):
    longwatch = Longwatch(tmp_path)
    yield longwatch
    longwatch.end()
