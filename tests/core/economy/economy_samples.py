"""Workloads and strategies for the tests of the arithmetic."""

from hypothesis import strategies as st

from core.economy.context import Shape
from core.economy.tariff import REFERENCE, Tariff
from core.economy.workload import Turn, Workload

W1 = Workload("w1", (Turn(240, 468, 108.8),) * 1_158)
UNCACHED = Tariff.per_million(2.50, 7.50, 2.50, 2.50, None)
IMPLICIT = Tariff.per_million(2.50, 7.50, 0.50, 2.50, 300.0)

tariffs = st.sampled_from([REFERENCE, IMPLICIT, UNCACHED])
gaps = st.one_of(st.floats(0, 200), st.floats(200, 700), st.floats(700, 20_000))
turns = st.builds(Turn, st.integers(1, 3_000), st.integers(0, 30_000), gaps)
warm_turns = st.builds(Turn, st.integers(1, 3_000), st.integers(0, 8_000), st.floats(0, 280))
shapes = st.builds(Shape, st.integers(1, 3), st.integers(200, 4_000), st.integers(0, 5))


systems = st.integers(0, 9_000)


def workloads(turn=turns, least=1, most=60, system=systems):
    return st.builds(
        lambda some, tokens: Workload("some", tuple(some), tokens),
        st.lists(turn, min_size=least, max_size=most),
        system,
    )
