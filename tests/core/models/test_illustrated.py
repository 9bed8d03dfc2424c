"""Images are named in the request and are whole on the wire, each read once."""

from __future__ import annotations

import base64
import json

from model_server import ModelServer, start, stopped, streams, text
from test_wire import endpoint, wired

from core.models.illustrated import Illustrated

NAME = "ab" * 32
IMAGE = b"\x89PNG image"


def block(name: str) -> bytes:
    source = {"type": "base64", "media_type": "image/png", "data": f"blob:{name}"}
    return json.dumps({"type": "image", "source": source}, separators=(",", ":")).encode()


async def sent(server: ModelServer, images: bool, *requests: list[bytes]) -> tuple[list[str], list[str]]:
    """The bodies that arrived, and which names were asked for."""
    asked: list[str] = []

    def blob(name: str) -> bytes | None:
        asked.append(name)
        return IMAGE if name == NAME else None

    async with wired(endpoint(server, images=images)) as wire:
        illustrated = Illustrated(wire, blob)
        for body in requests:
            server.answers.append(streams(start(input_tokens=1), *text(0, "hi"), *stopped()))
            await illustrated.stream(body, lambda delta: None)
    return [request.body.decode() for request in server.requests], asked


async def test_the_bytes_stand_for_their_name_and_are_read_once(server: ModelServer) -> None:
    chunks = [b'{"messages":[', b"[" + block(NAME) + b"]"]
    bodies, asked = await sent(server, True, [*chunks, b"]}"], [*chunks, b',"more"]}'])
    assert asked == [NAME]
    assert all(base64.b64encode(IMAGE).decode() in body and "blob:" not in body for body in bodies)
    assert json.loads(bodies[0])["messages"][0][0]["source"]["media_type"] == "image/png"


async def test_what_can_not_be_seen_is_told_in_words(server: ModelServer) -> None:
    (blind,), asked = await sent(server, False, [block(NAME)])
    assert json.loads(blind)["text"] == "[image (image/png), not shown: this model takes none]" and not asked
    server.requests.clear()
    (gone,), _ = await sent(server, True, [block("cd" * 32)])
    assert json.loads(gone)["text"] == "[image (image/png), not shown: it is not there any more]"


async def test_words_that_look_like_a_name_stay_words(server: ModelServer) -> None:
    said = json.dumps({"type": "text", "text": block(NAME).decode()}, separators=(",", ":")).encode()
    (body,), asked = await sent(server, True, [said])
    assert body.encode() == said and not asked
