"""A rehearsal says where limits, guards and a policy would have acted, as the loop would have asked them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from core.agent.rehearsal import Wanted, rehearse
from core.events import (
    Draft,
    ModelRequested,
    ModelResponded,
    Outlook,
    Price,
    SessionOpened,
    ToolFinished,
    ToolStarted,
    Usage,
)
from core.folds.guards.finding import Ladder, Limits
from core.journal.bulk import BulkWriter

ROW = {"input": "3", "output": "15", "cache_read": "0.3", "cache_write": "3.75"}
MINUTE = 60_000_000
START = 1_700_000_000_000_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty turns of a minute and a dollar each; from the 20th on the same call gives the same answer."""
    folder = tmp_path_factory.mktemp("s") / "s1"
    with BulkWriter(folder, "s1") as writer:
        opened = SessionOpened(
            session="s1", name="n", task="t", workspace="/w", model="m", endpoint="e", profile="p", app_version="1"
        )
        writer.append(Draft(opened), START)
        for number in range(60):
            at, key, words = START + number * MINUTE, f"r{number}.1", f"look {min(number, 20)}"
            asked = ModelRequested(
                model="m", body="", body_bytes=0, messages=1, marks=[], max_tokens=1, prompt_version="",
                parts={"results": 20_000 + number * 5_000}, window=400_000, outlook=Outlook(ttl_s=300),
            )  # fmt: skip
            reply = ModelResponded(
                message_id="m", model="m", content=[], stop_reason="tool_use", price=Price(cost="1", row=ROW),
                usage=Usage(cache_read=20_000 + number * 5_000, cache_write_5m=5_000, output=200),
            )  # fmt: skip
            started = ToolStarted(name="read_file", use_id="t", arguments={"path": words}, effect="read")
            done = ToolFinished(name="read_file", use_id="t", ok=True, content=words * 2_000, fingerprint=words)
            for body, own in ((asked, key), (reply, key), (started, f"{key}.0"), (done, f"{key}.0")):
                writer.append(Draft(body, key=own), at)
        writer.seal()
    return folder


def test_a_budget_warns_and_stops_before_the_first_request_that_it_no_longer_pays(folder: Path) -> None:
    made = rehearse(folder, Wanted(budget=Decimal(30)))
    assert [act.text.split(":")[0] for act in made.acts] == ["warns", "warns", "warns", "$30.00 of $30.00 are spent"]
    assert made.stop is not None
    assert (made.stop.turn, made.stop.usd, made.stop.elapsed_us) == (30, Decimal(30), 30 * MINUTE)
    assert made.stop.seq == 2 + 30 * 4


def test_limits_of_turns_and_time_stop_it_too(folder: Path) -> None:
    assert (stop := rehearse(folder, Wanted(turns=12)).stop) is not None and stop.turn == 12
    assert (stop := rehearse(folder, Wanted(hours=0.5)).stop) is not None and stop.elapsed_us == 30 * MINUTE
    assert rehearse(folder, Wanted(turns=999, hours=9)).stop is None


def test_guards_act_on_their_own_ladder(folder: Path) -> None:
    off = dict.fromkeys(("stagnation", "cycle", "step"), Ladder())
    made = rehearse(folder, Wanted(guards=Limits(repetition=Ladder(3, 4, 6, 9), **off)))
    told = [(act.what, act.text.partition(":")[0], act.turn) for act in made.acts]
    rungs = [("notice", 23), ("nudge", 24), ("reassess", 26), ("pause", 29)]
    assert told[:4] == [("guard repetition", rung, turn) for rung, turn in rungs]
    assert made.stop is not None and made.stop.turn == 29
    later = rehearse(folder, Wanted(guards=Limits(repetition=Ladder(0, 0, 0, 20), **off)))
    assert later.acts[0].turn == 40 and later.acts[0].stops


def test_a_policy_says_where_it_would_have_compressed_and_what_that_would_have_cost(folder: Path) -> None:
    made = rehearse(folder, Wanted(policy="auto"))
    acts = [act for act in made.acts if act.what == "compression"]
    off = rehearse(folder, Wanted(policy="off"))
    assert len(acts) == made.compressions > 0 and off.compressions == 0
    assert made.policy_usd is not None and off.policy_usd is not None and made.policy_usd < off.policy_usd
    with pytest.raises(ValueError, match="There is no policy 'best'; there are auto"):
        rehearse(folder, Wanted(policy="best"))
