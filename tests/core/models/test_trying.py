"""Servers of this machine are found at the addresses that are asked, and what answers otherwise is none."""

from __future__ import annotations

from model_server import Answer, Connection, ModelServer, fails

from core.models.trying import look_around


def says(text: str) -> Answer:
    async def answer(connection: Connection) -> None:
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(text)}\r\n\r\n"
        await connection.send(head + text)

    return answer


async def test_a_server_says_which_models_it_has(server: ModelServer) -> None:
    server.answers = [says('{"data": [{"id": "small"}, {"id": "large"}, 3]}')]
    (found,) = await look_around({"mine": server.url, "none": "http://127.0.0.1:9"})
    assert (found.profile, found.base_url, found.models) == ("mine", server.url, ("small", "large"))


async def test_what_speaks_another_language_is_no_server_of_models(server: ModelServer) -> None:
    server.answers = [says("<html>"), says("[]"), fails(404, {})]
    for _ in range(3):
        assert await look_around({"mine": server.url}) == []
