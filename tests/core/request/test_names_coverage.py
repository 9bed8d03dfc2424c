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
    score = coverage.measure([session], coverage.every(keep=1, period=4))
    assert (score.calls, score.covered, score.names, score.visible) == (2, 1, 4, 3)


def test_an_index_that_fits_brings_the_name_back(coverage):
    session = [row([1]), row([2]), row([3]), row([1, 2])]
    schedule = coverage.every(1, 4)
    assert coverage.measure([session], schedule).covered == 0
    assert coverage.measure([session], schedule, coverage.ours, 100.0).covered == 1


def test_the_files_changed_and_the_latest_calls_of_a_digest_show_names_too(coverage):
    session = [row([4], tool="Edit"), row([5]), row([6]), row([4, 5])]
    schedule = coverage.every(1, 4)
    assert coverage.measure([session], schedule, coverage.digest, coverage.FIRST_TOKENS).covered == 0
    assert coverage.measure([session], schedule, coverage.digest, 3_000).covered == 1


@pytest.mark.skipif(not DATA.is_dir(), reason="needs LONGWATCH_DATA")
def test_the_check_value_is_reproduced_and_the_aim_is_reached(coverage):
    sessions = coverage.read_sessions(DATA)
    check = coverage.measure(sessions, coverage.every(25, 35))
    assert check.calls == 5_752
    assert round(100 * check.covered / check.calls, 1) == 90.3
    assert round(100 * check.visible / check.names, 1) == 96.8
    kept = coverage.every(coverage.DEFAULT_SHAPE.keep, 25)
    ours = coverage.measure(sessions, kept, coverage.digest, coverage.DEFAULT_SHAPE.digest)
    assert ours.covered / ours.calls >= 0.99
