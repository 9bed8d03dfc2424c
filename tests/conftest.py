"""Makes the helpers in this folder importable from every test."""

import gc

import pytest
from warm import Warm


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
