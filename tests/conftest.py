"""Makes the helpers in this folder importable from every test."""

import gc

import pytest
from warm import Warm

LONG = ("test_promises", "test_goldens", "test_incidents", "test_auditor", "test_escapes")
"""Modules with tests of many seconds: they begin first, lest one of them is what all others wait for at the end."""


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.stem not in LONG)


def pytest_collection_finish():
    """What is imported stays: a fifth of the CPU of the screens' tests went into looking through it for garbage."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session")
def warm():
    """What starts processes of the product at the cost of a fork."""
    warm = Warm()
    yield warm
    warm.end()
