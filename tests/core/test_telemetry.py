"""Traces and metrics: spans follow from events alone, hold no words, and reach a collector or are dropped."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from logbook import START_US, Logbook

from core.config import TelemetrySettings
from core.events import RunnerAttached, RunnerDetached, SessionOpened
from core.telemetry.otlp import metrics
from core.telemetry.sender import Sender
from core.telemetry.spans import Spans


def life() -> Logbook:
    log = Logbook("Find the secret words.")
    log.add(RunnerAttached(pid=1, host="h", epoch=1, app_version="0"))
    attempt = log.reply(("read_file", {"path": "secret.txt"}))
    log.start(attempt, 0, "read_file", {"path": "secret.txt"})
    log.finish(attempt, 0, "read_file", content="secret")
    log.add(RunnerDetached(reason="ended"))
    return log


def test_each_request_and_call_is_a_span_below_its_runner() -> None:
    spans = Spans("s", "anthropic")
    spans.apply_all(life().events)
    chat, tool, runner = spans.take()
    assert [span.name.split()[0] for span in (chat, tool, runner)] == ["chat", "execute_tool", "invoke_agent"]
    assert {chat.parent, tool.parent} == {runner.id} and runner.parent == ""
    assert len({span.trace for span in (chat, tool, runner)}) == 1 and len(chat.trace) == 32 and len(chat.id) == 16
    assert chat.attributes["gen_ai.provider.name"] == "anthropic" and "gen_ai.usage.input_tokens" in chat.attributes
    assert tool.attributes["gen_ai.tool.name"] == "read_file"
    assert START_US < runner.start_us <= chat.start_us <= chat.end_us <= tool.end_us <= runner.end_us
    assert "secret" not in repr((chat, tool, runner))
    again = Spans("s", "anthropic")
    again.apply_all(life().events)
    assert [span.id for span in again.take()] == [chat.id, tool.id, runner.id]


def test_a_value_falls_into_one_bucket() -> None:
    spans = Spans("s", "p")
    spans.apply_all(life().events)
    body = metrics(spans.take(), {})
    assert body is not None
    for row in body["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]:
        for point in row["histogram"]["dataPoints"]:
            assert len(point["bucketCounts"]) == len(point["explicitBounds"]) + 1
            assert sum(map(int, point["bucketCounts"])) == int(point["count"]) == 1


class Collector:
    """Keeps what it is sent; answers with `status`."""

    def __init__(self) -> None:
        self.bodies: list[tuple[str, dict[str, Any]]] = []
        self.status = 200
        self.url = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-length")
        )
        self.bodies.append((head.split()[1], json.loads(await reader.readexactly(length))))
        writer.write(f"HTTP/1.1 {self.status} X\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}".encode())
        await writer.drain()
        writer.close()


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    found = Collector()
    listener = await asyncio.start_server(found.handle, "127.0.0.1", 0)
    found.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    async with listener:
        yield found


def sender(url: str, log: Logbook, complaints: list[str]) -> Sender:
    async def complain(sentence: str) -> None:
        complaints.append(sentence)

    opened = log.events[0].body
    assert isinstance(opened, SessionOpened)
    return Sender(TelemetrySettings(otlp=url, attributes={"team": "tools"}), opened, complain)


async def test_a_collector_gets_spans_and_metrics_at_the_end_at_the_latest(collector: Collector) -> None:
    log, complaints = life(), list[str]()
    one = sender(collector.url, log, complaints)
    async with one.kept():
        one.observe(log.events)
    paths = [path for path, _ in collector.bodies]
    assert paths == ["/v1/traces", "/v1/metrics"] and not complaints
    resource = collector.bodies[0][1]["resourceSpans"][0]["resource"]["attributes"]
    assert {"key": "team", "value": {"stringValue": "tools"}} in resource
    assert len(collector.bodies[0][1]["resourceSpans"][0]["scopeSpans"][0]["spans"]) == 3


@pytest.mark.parametrize(("status", "said"), [(503, "refuses traces with status 503"), (302, "with status 302")])
async def test_a_collector_that_refuses_is_told_of_and_holds_up_nothing(
    collector: Collector, status: int, said: str
) -> None:
    log, complaints = life(), list[str]()
    collector.status = status
    one = sender(collector.url, log, complaints)
    async with one.kept():
        one.observe(log.events)
    assert len(complaints) == 1 and said in complaints[0]


@pytest.mark.parametrize(
    "url", ["collector", "here:4318", "http://me:pa55word@127.0.0.1/x", "http://[pa55word", "http://h:pa55word"]
)
async def test_an_address_that_is_none_is_told_of_without_what_it_holds(url: str) -> None:
    log, complaints = life(), list[str]()
    one = sender(url, log, complaints)
    async with one.kept():
        one.observe(log.events)
    assert len(complaints) == 1 and "http://127.0.0.1:4318" in complaints[0] and "pa55word" not in complaints[0]


async def test_a_collector_that_is_not_there_is_told_of() -> None:
    log, complaints = life(), list[str]()
    one = sender("http://127.0.0.1:9", log, complaints)
    async with one.kept():
        one.observe(log.events)
    assert len(complaints) == 1 and "can't be reached" in complaints[0]
