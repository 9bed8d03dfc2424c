"""Makes the helpers in this folder importable from every test."""

import pytest
from warm import Warm


@pytest.fixture(scope="session")
def warm():
    """What starts processes of the product at the cost of a fork."""
    warm = Warm()
    yield warm
    warm.end()
