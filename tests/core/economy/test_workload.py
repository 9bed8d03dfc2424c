"""Workloads from files: the formats, capping, and one sentence for whatever is wrong."""

import gzip
import json

import pytest
from economy_samples import workloads
from hypothesis import given, settings

from core.economy.skeletons import read_skeletons
from core.economy.workload import Turn, Workload, WorkloadError, capped, read_workload

LINE = {"turn": 0, "out_tokens": 207, "result_tokens": 80, "gap_s": 24.1}


def written(tmp_path, text, name="plan.jsonl"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_uniform_session_is_one_object(tmp_path):
    row = {"turns": 3, "out_tokens": 240, "result_tokens": 468, "gap_s": 108.8, "system_tokens": 5_000, "note": "even"}
    workload = read_workload(written(tmp_path, json.dumps(row, indent=1), "w.json"))
    assert workload == Workload("w", (Turn(240, 468, 108.8),) * 3, 5_000)


def test_a_session_is_one_turn_a_line(tmp_path):
    path = written(tmp_path, json.dumps(LINE) + "\n\n" + json.dumps({**LINE, "gap_s": 5}) + "\n")
    assert read_workload(path).turns == (Turn(207, 80, 24.1), Turn(207, 80, 5.0))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        (json.dumps(LINE) + "\n{broken", "line 2: this is not a turn"),
        ("[1, 2]", "line 1: this is not a turn"),
        ("[" * 100_000, "line 1: this is not a turn"),
        (json.dumps({**LINE, "out_tokens": -1}), "line 1: `out_tokens` must be a whole number"),
        (json.dumps({**LINE, "out_tokens": 1.5}), "line 1: `out_tokens` must be a whole number"),
        (json.dumps({**LINE, "result_tokens": True}), "line 1: `result_tokens` must be"),
        (json.dumps({**LINE, "gap_s": float("nan")}), "line 1: `gap_s` must be a number"),
        (json.dumps({**LINE, "gap_s": "soon"}), "line 1: `gap_s` must be a number"),
        (json.dumps({"out_tokens": 1, "gap_s": 1}), "line 1: `result_tokens` is missing"),
        (json.dumps({"turns": 0, **LINE}), "`turns` is 0"),
        (json.dumps({"turns": 10**9, **LINE}), "`turns` must be a whole number"),
        (b'{"turns": 1}\n\xff', "line 2: this is not UTF-8"),
    ],
    ids=range(14),
)
def test_what_is_wrong_is_one_sentence_with_its_place(tmp_path, text, says):
    path = written(tmp_path, text)
    with pytest.raises(WorkloadError) as caught:
        read_workload(path)
    assert str(path) in str(caught.value)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path, name):
    with pytest.raises(WorkloadError, match="can't be read"):
        read_workload(tmp_path / name)


@settings(max_examples=60, deadline=None)
@given(workloads())
def test_capping_bounds_every_result_and_keeps_the_time(workload):
    shorter = capped(workload, 2_500)
    cut = sum(turn.result > 2_500 for turn in workload.turns)
    assert max(turn.result for turn in shorter.turns) <= 2_500
    assert len(shorter.turns) == len(workload.turns) + cut
    assert sum(t.output for t in shorter.turns) == sum(t.output for t in workload.turns) + 120 * cut
    assert capped(shorter, 2_500) == shorter


def test_a_recall_brings_no_more_than_was_cut():
    workload = Workload("one", (Turn(100, 8_300, 60.0),))
    assert capped(workload).turns == (Turn(100, 8_000, 7.0), Turn(120, 300, 60.0))


def skeleton(tmp_path, rows, name="sessions-x.jsonl.gz"):
    path = tmp_path / name
    path.write_bytes(gzip.compress("\n".join(json.dumps(row) for row in rows).encode()))
    return path


def test_a_skeletons_rows_of_one_message_are_one_turn(tmp_path):
    rows = [
        {"s": 4, "t": 0.0, "k": "user", "b": [["tx", 50]]},
        {"s": 4, "t": 4.0, "k": "assistant", "m": 0, "u": [1, 2, 3, 4], "b": [["th", 100]]},
        {"s": 4, "t": 5.0, "k": "assistant", "m": 0, "u": [1, 2, 3, 4], "b": [["tu", "Read", 100, "h", 0]]},
        {"s": 4, "t": 6.0, "k": "user", "b": [["tr", 1_000, 0, False, "h"]]},
        {"s": 4, "t": 7.0, "k": "user", "compact_summary": True, "b": [["tx", 9_000]]},
        {"s": 4, "t": 9.0, "k": "assistant", "m": 1, "u": [1, 2, 3, 4], "b": [["tx", 10]]},
        {"s": 5, "t": 0.0, "k": "user", "b": [["tx", 50]]},
    ]
    (session,) = read_skeletons(skeleton(tmp_path, rows))
    assert session.name == "sessions-x/4"
    assert session.turns == (Turn(126, 412, 7.0), Turn(68, 65, 0.0))


def test_a_broken_skeleton_is_named_with_its_line(tmp_path):
    path = skeleton(tmp_path, [{"s": 0, "t": 0.0, "k": "user"}, {"s": 0, "t": "late", "k": "user"}])
    with pytest.raises(WorkloadError, match="line 2"):
        list(read_skeletons(path))
    plain = written(tmp_path, "no gzip", "plain.gz")
    with pytest.raises(WorkloadError, match="can't be read"):
        list(read_skeletons(plain))
