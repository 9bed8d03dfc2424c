"""The bench of coverage measures what the data's README says it does; skipped where the data are not at hand."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench" / "coverage.py"
DATA = Path(os.environ.get("LONGWATCH_DATA", "/nonexistent"))


@pytest.fixture(scope="module")
def coverage():
    spec = importlib.util.spec_from_file_location("coverage_bench", BENCH)
    module = importlib.util.module_from_spec(spec)
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    yield module
    monkeypatch.undo()


def row(use, see=(), **more):
    return {"use": list(use), "see": list(see), "said": 0, **more}


def test_a_call_counts_as_covered_when_all_its_known_names_are_in_sight(coverage):
    session = [row([1], pin=[9]), row([2]), row([1, 9]), row([1, 2]), row([3])]
    score = coverage.measure([session], keep=1, period=4)
    assert (score.calls, score.covered, score.names, score.visible) == (2, 1, 4, 3)


def test_an_index_that_fits_brings_the_name_back(coverage):
    session = [row([1]), row([2]), row([3]), row([1, 2])]
    assert coverage.measure([session], 1, 4).covered == 0
    assert coverage.measure([session], 1, 4, coverage.ours, 100.0).covered == 1


@pytest.mark.skipif(not DATA.is_dir(), reason="needs LONGWATCH_DATA")
def test_the_check_value_is_reproduced_and_the_aim_is_reached(coverage):
    sessions = coverage.read_sessions(DATA)
    check = coverage.measure(sessions, 25, 35)
    assert check.calls == 5_752
    assert round(100 * check.covered / check.calls, 1) == 90.3
    assert round(100 * check.visible / check.names, 1) == 96.8
    ours = coverage.measure(sessions, 10, 30, coverage.ours, 6_000)
    assert ours.covered / ours.calls >= 0.99
