"""What a turn and a call leave in the log, at a real desk with real files."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from core.agent.calls import LARGEST_BLOB, CallRunner
from core.agent.desk import Desk
from core.agent.host import host
from core.agent.hosting import Hosting
from core.agent.seating import seated
from core.agent.turn import Turns, unsaid
from core.clock import SystemClock
from core.config import Config
from core.events import Draft, Event, GuidanceDelivered, ModelRequested, Price, ToolFinished, ToolStarted, Usage
from core.journal.reader import Reader
from core.models.assembly import Reply
from core.models.profiles import Endpoint, resolve_endpoint
from core.models.usage import usage_of
from core.request.projection import Head
from core.session import NewSession, create
from core.tools.base import ToolContext
from core.tools.command import RunCommand
from core.tools.jobs import Job

COUNTS: dict[str, Any] = {
    "input_tokens": 12,
    "cache_creation_input_tokens": 5,
    "cache_read_input_tokens": 7,
    "cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 3},
    "output_tokens": 4,
}


class Scripted:
    """A model that answers with these blocks, one reply after the other."""

    def __init__(self, *replies: list[dict[str, Any]]) -> None:
        self._replies = list(replies)

    async def stream(self, body: list[bytes], on_delta: Any) -> Reply:
        raw = {**COUNTS, "service_tier": "standard"}
        content = self._replies.pop(0)
        stop = "tool_use" if content[-1]["type"] == "tool_use" else "end_turn"
        return Reply(message_id="m", model="m", content=content, stop_reason=stop, usage=usage_of(raw), raw_usage=raw)


def simulated() -> Endpoint:
    return resolve_endpoint(Config(), "simulated/echo")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    (tmp_path / "work").mkdir()
    folder = await create(tmp_path / "home", NewSession("Do it.", tmp_path / "work", simulated()))
    async with seated(folder, SystemClock()) as (desk, _):
        yield desk


def turns(desk: Desk, *replies: list[dict[str, Any]]) -> Turns:
    return Turns(desk, Scripted(*replies), desk.clock, lambda *_: Price(), "v1")


def calls(desk: Desk, tmp_path: Path) -> CallRunner:
    def context(call: str) -> ToolContext:
        return ToolContext(tmp_path / "work", desk.folder / "jobs", call, None)  # type: ignore[arg-type]

    return CallRunner(desk, {"run_command": RunCommand({"PATH": os.environ["PATH"]})}, context, str)


def listened(desk: Desk) -> list[list[Event]]:
    """The commits from now on."""
    commits: list[list[Event]] = []
    desk.journal.subscribe(commits.append)
    return commits


def use(command: str) -> dict[str, Any]:
    return {"type": "tool_use", "id": "t1", "name": "run_command", "input": {"command": command}}


async def test_a_request_names_its_sections_only_when_they_changed(desk: Desk) -> None:
    commits, said = listened(desk), [{"type": "text", "text": "Yes."}]
    model = turns(desk, said, said, said)
    first = Head("m", "You work.", (), 100)
    for head in (first, first, Head("m", "You rest.", (), 100)):
        await model.take(head, None)
        await desk.append(Draft(GuidanceDelivered(text="Go on.")))
    named = [
        (body.system[:8], body.tools[:8]) for (event,) in commits if isinstance(body := event.body, ModelRequested)
    ]
    work, rest, tools = (desk.journal.hash_of(data)[:8] for data in (b"You work.", b"You rest.", b"[]"))
    assert named == [(work, tools), ("", ""), (rest, "")]


async def test_a_reply_keeps_of_the_raw_usage_what_the_counts_do_not_say(desk: Desk) -> None:
    commits = listened(desk)
    await turns(desk, [{"type": "text", "text": "Yes."}]).take(Head("m", "s", (), 100), None)
    body = commits[-1][0].body
    assert body.raw_usage == {"service_tier": "standard"}  # type: ignore[attr-defined]
    assert body.usage == usage_of(COUNTS)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "raw",
    [
        {**COUNTS, "iterations": [{"type": "compaction", "input_tokens": 100, "output_tokens": 9}]},
        {"output_tokens": 4},
        {"prompt_tokens": 5},
    ],
)
def test_usage_that_the_counts_alone_would_not_give_is_kept_whole(raw: dict[str, Any]) -> None:
    assert unsaid(raw, usage_of(raw) or Usage()) == raw


async def test_a_command_is_two_commits_and_its_folder_is_gone_with_the_second(desk: Desk, tmp_path: Path) -> None:
    await turns(desk, [use("echo made > made; echo seen")]).take(Head("m", "s", (), 100), None)
    commits = listened(desk)
    await calls(desk, tmp_path).run(list(desk.facts.state.pending.values()))
    kinds = [[event.kind for event in commit] for commit in commits]
    assert kinds == [["checkpoint.made", "tool.started"], ["tool.finished"]]
    assert commits[1][0].body.content.endswith("\nseen")  # type: ignore[attr-defined]
    assert (tmp_path / "work" / "made").read_text() == "made\n"
    assert list((desk.folder / "jobs").iterdir()) == []


async def test_a_capped_output_is_whole_in_its_blob_when_the_folder_is_gone(desk: Desk, tmp_path: Path) -> None:
    await turns(desk, [use("seq 1 30000")]).take(Head("m", "s", (), 100), None)
    commits = listened(desk)
    await calls(desk, tmp_path).run(list(desk.facts.state.pending.values()))
    body = commits[-1][0].body
    assert isinstance(body, ToolFinished)
    assert body.blob == desk.journal.hash_of("".join(f"{number}\n" for number in range(1, 30001)).encode())
    assert body.size < LARGEST_BLOB
    assert list((desk.folder / "jobs").iterdir()) == []


async def test_a_command_that_ended_while_nobody_watched_is_not_run_again(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    folder = await create(tmp_path / "home", NewSession("Do it.", tmp_path / "work", simulated()))
    async with seated(folder, SystemClock()) as (desk, _):
        await turns(desk, [use("echo x >> runs; echo once")]).take(Head("m", "s", (), 100), None)
        (call,) = desk.facts.state.pending.values()
        started = ToolStarted(name=call.name, use_id=call.use_id, arguments=call.arguments, effect="command")
        await desk.append(Draft(started, key=call.key))
        job = Job(folder / "jobs" / call.key)
        job.spawn(["bash"], call.arguments["command"], tmp_path / "work", {"PATH": os.environ["PATH"]})
        await job.wait(30)
    assert await host(Hosting(folder, Config(), speed=0)) == 0
    with Reader(folder) as reader:
        finished = reader.keyed("tool.finished", call.key)
    assert finished is not None
    assert isinstance(finished.body, ToolFinished)
    assert finished.body.recovered
    assert finished.body.content.endswith("\nonce")
    assert (tmp_path / "work" / "runs").read_text() == "x\n"
    assert list((folder / "jobs").iterdir()) == []
