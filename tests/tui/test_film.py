"""A film is the replay's own screen: played on a terminal it ends as the replay does; a few moments are pictures."""

import asyncio
import json

import pyte
from logbook import Logbook
from session_homes import DONE, make

from core.events import (
    ContextCompressed,
    Draft,
    GuidanceDelivered,
    HeadMoved,
    RetryWaiting,
    RunnerRecovered,
    SessionFinished,
)
from tui.filming import CAST_S, CAST_SIZE, film, length_s, takes


def compression(before, after):
    return ContextCompressed(
        policy="auto", reason="rent", digest="", keep_from=None, tokens_before=before, tokens_after=after
    )


def wait(delay_s):
    return RetryWaiting(error="overloaded", until_us=0, delay_s=delay_s, attempt=1)


def test_the_longest_wait_the_largest_compression_and_the_last_of_the_others_are_taken():
    log = Logbook()
    bodies = [wait(1.0), compression(900, 100), wait(200.0), wait(9.0), RunnerRecovered(findings=[])]
    bodies += [
        compression(500, 400),
        HeadMoved(to=1, origin=1, reason="undo"),
        HeadMoved(to=1, origin=1, reason="rewind"),
    ]
    seqs = [log.add(body).seq for body in (*bodies, SessionFinished(state="finished", reason="done"))]
    names = ("compressed", "outage", "recovered", "rewound", "finished")
    assert takes(log.events) == list(zip(names, (seqs[1], seqs[2], seqs[4], seqs[7], seqs[8]), strict=True))


def test_waits_are_cut_where_the_length_of_a_film_is_told():
    log = Logbook()
    log.add(compression(2, 1), after_s=3_600.0)
    log.add(compression(2, 1), after_s=0.5)
    assert length_s(log.events) == 2.5


async def test_played_on_a_terminal_it_ends_with_what_the_replay_shows_at_the_end(tmp_path):
    words = [
        Draft(GuidanceDelivered(text=f"Remark {number} in /home/ada/secret.", source="user")) for number in range(9)
    ]
    folder = await make(tmp_path / "home", "01film", "audit", *words, Draft(wait(60.0)), DONE)

    def covered(value):
        return json.loads(json.dumps(value).replace("/home/ada", "~"))

    cast, *pictures = await asyncio.to_thread(film, folder, tmp_path / "into", "audit", covered)
    assert [path.name for path in pictures] == ["audit-outage.svg", "audit-finished.svg"]
    head, *frames = map(json.loads, cast.read_text(encoding="utf-8").splitlines())
    assert (head["width"], head["height"]) == CAST_SIZE and frames[-1][0] <= CAST_S + 4
    screen = pyte.Screen(*CAST_SIZE)
    stream = pyte.Stream(screen)
    for _, kind, text in frames:
        assert kind == "o"
        stream.feed(text)
    shown = "\n".join(screen.display)
    assert "Remark 8 in ~/secret." in shown and "finished" in screen.display[0] and "1 Conversation" in shown
    assert "/home/ada" not in cast.read_text(encoding="utf-8")
