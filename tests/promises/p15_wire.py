"""P15: whatever a server or the way to it does to an answer, there is the whole reply or one error, and one bill."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from itertools import cycle, islice
from typing import Any

from msgspec.structs import replace
from promise import Count, Promise

from core.clock import VirtualClock
from core.models.errors import ModelError
from core.models.profiles import Endpoint
from core.models.usage import usage_of
from core.models.wire import Wire
from core.simulator.cache import Billed
from core.simulator.invoice import Invoice
from core.simulator.policies.base import Reply
from core.simulator.wire import Delivery

BODY = [b'{"model":"m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"Look."}]}']
STALL_S = 0.2
TEXT = "Größe ≠ Maß: 三千 characters, an emoji 🛰 and a line\nfeed, " * 3
ANSWER = [
    {"type": "thinking", "thinking": "Let me see what is there. " * 4},
    {"type": "text", "text": TEXT},
    {"type": "tool_use", "id": "toolu_1", "name": "read_file", "input": {"path": "a.py", "offset": 12}},
]
HUGE = (
    b"event: content_block_delta\ndata: %b\n\n"
    % json.dumps(
        {
            "type": "content_block_delta",
            "index": 1,
            "delta": {"type": "text_delta", "text": "x" * 1_000_000 + "\ud800"},
        }
    ).encode()
)
Sent = tuple[list[bytes], bool]
"""Pieces of an answer, and whether silence follows them in place of the end."""
Reader = Callable[[bytes, Wire], Awaitable[tuple[Any, Any]]]


def frames() -> list[bytes]:
    """A whole answer, event by event."""
    invoice = Invoice(Billed(24, 900, 100), "main", 0)
    delivery = Delivery("msg_1", "m", invoice, Reply(ANSWER), 10_000)
    return [frame.encode() for frame in delivery.frames()]


def http(pieces: list[bytes], chunked: bool) -> list[bytes]:
    """The answer as it goes over the socket."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
    if not chunked:
        return [head + b"connection: close\r\n\r\n", *pieces]
    chunks = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece]
    return [head + b"transfer-encoding: chunked\r\n\r\n", *chunks, b"0\r\n\r\n"]


def cuts(whole: list[bytes], pick: random.Random) -> Iterator[Sent]:
    """The answer, cut at every byte, plain and in chunks."""
    for chunked in (False, True):
        data = b"".join(http(whole, chunked))
        places = list(range(len(data)))
        pick.shuffle(places)
        yield from (([data[:place]], False) for place in places)


def damages(whole: list[bytes], pick: random.Random) -> Iterator[Sent]:
    """Answers that are wrong in some other way, for ever."""
    for number in cycle(range(8)):
        place = pick.randrange(len(whole))
        made = list(whole)
        match number:
            case 0:  # an event twice, which no server does on purpose
                made.insert(place, made[place])
            case 1:  # an event that got lost
                del made[place]
            case 2:  # half an event, then the next
                made[place] = made[place][: pick.randrange(len(made[place]))] + b"\n\n"
            case 3:  # bytes that are none of JSON
                made[place] = b"event: ping\ndata: {nonsense\n\n"
            case 4:  # a byte that turned
                at = pick.randrange(len(made[place]))
                made[place] = made[place][:at] + bytes([pick.randrange(256)]) + made[place][at + 1 :]
            case 5:  # a delta of a megabyte, and half a character
                made.insert(place, HUGE)
            case 6:  # the events in another order
                other = pick.randrange(len(made))
                made[place], made[other] = made[other], made[place]
            case 7 if pick.random() < 0.1:  # silence
                yield http(made[:place], False), True
                continue
        yield http(made, pick.random() < 0.5), False


def cases(seed: int) -> Iterator[tuple[str, Sent]]:
    """Cuts and other damage by turns; once all bytes were cut at, the rest is other damage."""
    whole, pick = frames(), random.Random(seed)
    cut, other = cuts(whole, pick), damages(whole, pick)
    while True:
        if (one := next(cut, None)) is not None:
            yield "cut", one
        yield "damaged", next(other)


def trial(count: int, seed: int) -> Count:
    return asyncio.run(_tried(count, seed, _by_wire))


def control(count: int, seed: int) -> Count:
    """A client that takes what came for the reply."""
    return asyncio.run(_tried(count, seed, _naively))


async def _tried(count: int, seed: int, read: Reader) -> Count:
    """Answer after answer to one client, as in a session: what came before must not spoil what comes."""
    found, sent = Count(), [b""]
    silent, over = [False], asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):  # On a busy machine the client may give up before it has asked.
            await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(len(BODY[0]))
            for piece in sent:
                writer.write(piece)
            if silent[0]:
                await over.wait()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    endpoint = Endpoint(profile="generic", base_url=f"http://{host}:{port}", model="m", pooling=False, stall_s=STALL_S)
    wire = Wire(endpoint, lambda: None, VirtualClock())
    patient = Wire(replace(endpoint, stall_s=60), lambda: None, VirtualClock())
    async with server:
        sent[:] = http(frames(), False)
        right = await _by_wire(b"".join(frames()), patient)
        assert right[0] is not None
        for what, (pieces, silence) in islice(cases(seed), count):
            sent[:], silent[0] = pieces, silence
            try:
                got = await read(b"".join(pieces), wire)
            except Exception as error:
                found.note([f"{what}: {type(error).__name__}: {error}"])
            else:
                found.note(_judged(what, got, right))
                found.see("whole replies", got[0] is not None)
            finally:
                over.set()
                over.clear()
        await wire.close()
        await patient.close()
    return found


async def _by_wire(data: bytes, wire: Wire) -> tuple[Any, Any]:
    """The blocks of the reply (None: an error) and the usage that will be billed."""
    try:
        reply = await wire.stream(BODY, lambda delta: None)
    except ModelError as error:
        return None, usage_of(error.raw_usage)
    return reply.content, reply.usage


async def _naively(data: bytes, wire: Wire) -> tuple[Any, Any]:
    """What a hurried client makes of it: every delta that can be read, added up."""
    text = ""
    for line in data.decode("utf-8", "replace").splitlines():
        if line.startswith("data: ") and '"text_delta"' in line:
            text += json.loads(line[6:])["delta"]["text"]
    return [{"type": "text", "text": text}], None


def _judged(what: str, got: tuple[Any, Any], right: tuple[Any, Any]) -> Iterator[str]:
    content, usage = got
    if what == "cut" and content is not None and content != right[0]:
        yield "a reply that was cut is taken for a whole one"
    if usage is not None:
        for name in ("fresh", "output", "cache_read", "cache_write_5m"):
            if what == "cut" and getattr(usage, name) > getattr(right[1], name):
                yield f"{name} is billed as {getattr(usage, name)} in place of {getattr(right[1], name)}"


PROMISE = Promise(
    id="P15",
    says="An answer that is cut at any byte, damaged, doubled, oversized or silent gives the whole reply or one error, "
    "and is billed once",
    unit="answers",
    aim=20_000,
    shard=4_000,
    quick=60,
    trial=trial,
    control=control,
    control_says="a client that takes what came for the reply",
    quick_control=40,
)
