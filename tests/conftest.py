"""Makes the helpers in this folder importable from every test."""

import gc
import os
from itertools import islice

import pytest
from warm import Warm

LONG = ("test_promises", "test_goldens", "test_incidents", "test_escapes")
"""Modules with tests of many seconds: one of them would be what all others wait for at the end."""
TOGETHER = ("test_auditor",)
"""Long ones, too, but of one run that all their tests look at."""


def pytest_collection_modifyitems(items):
    """Let each worker begin with its part of the long tests.

    It gets an equal run of the list, and whoever is done takes from the ends of the others'.
    """
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    long = [item for item in items if item.path.stem in LONG]
    ordered = [item for item in items if item.path.stem in TOGETHER]
    others = iter([item for item in items if item.path.stem not in LONG + TOGETHER])
    for worker in range(workers):
        end = len(items) * (worker + 1) // workers
        ordered += long[worker::workers]
        ordered += islice(others, max(0, end - len(ordered)))
    items[:] = [*ordered, *others]


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
