"""The compared form: equal for what happened alike, whatever machine and moment it happened on."""

from pathlib import Path

from core.events import Event, ModelRequested, RunnerAttached, SessionOpened, SessionPaused, ToolFinished
from core.rehearsal.compared import compared


def run(place, pid, seconds, order, words="ok"):
    """Two parallel calls of a session somewhere."""
    opened = SessionOpened(
        session=f"s{pid}", name="n", task="t", workspace=str(place), model="m", endpoint=f"http://127.0.0.1:{pid}",
        profile="p", app_version="1",
    )  # fmt: skip
    attached = RunnerAttached(pid=pid, host=f"h{pid}", epoch=1, app_version="1")
    bodies = [("session.opened", None, opened), ("runner.attached", None, attached)]
    for key in order:
        text = f"{words} {place}/{key} after {seconds} s"
        bodies.append(("tool.finished", key, ToolFinished(name="x", ok=True, content=text, fingerprint="", use_id=key)))
    return [
        Event(seq=n, parent=None, node=None, kind=kind, key=key, at_us=pid * n, actor="system", body=body)
        for n, (kind, key, body) in enumerate(bodies, 1)
    ]


def test_another_machine_another_time_and_another_order_of_parallel_results_are_the_same_run():
    first = compared(run(Path("/a"), 1, 0.1, ["r1.1.0", "r1.1.1"]), Path("/a"))
    assert first == compared(run(Path("/b/c"), 2, 17.5, ["r1.1.1", "r1.1.0"]), Path("/b/c"))


def test_another_answer_is_another_run():
    first = compared(run(Path("/a"), 1, 0.1, ["r1.1.0"]), Path("/a"))
    assert first != compared(run(Path("/a"), 1, 0.1, ["r1.1.0"], words="not ok"), Path("/a"))


def test_where_the_session_lies_and_when_the_cache_was_pinged_belong_to_one_machine():
    def told(home, ping_first):
        asked = ModelRequested(
            model="m",
            body="b",
            body_bytes=1,
            messages=1,
            marks=[],
            max_tokens=1,
            prompt_version="",
            purpose="ping",
            parts={},
        )
        paused = SessionPaused(reason="disk", detail=f"No room in {home}/sessions/01kdvdna00s33j5m8brh8cggzw (full).")
        bodies = [("model.requested", "ping1.1", asked), ("session.paused", None, paused)]
        return [
            Event(seq=n, parent=None, node=None, kind=kind, key=key, at_us=n, actor="system", body=body)
            for n, (kind, key, body) in enumerate(bodies if ping_first else bodies[::-1], 1)
        ]

    assert compared(told("/a", True), Path("/w")) == compared(told("/b/c", False), Path("/w"))
