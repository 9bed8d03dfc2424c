"""Real servers, in processes of their own: what they offer is used, and what they do wrong ends nothing but a call."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from core.config import Config, ServerSettings, ToolSettings
from core.config.consent import remember
from core.tools.base import Effect, Outcome, ToolContext, ToolError
from core.tools.mcp.bridge import Bridge
from core.tools.mcp.connection import explained
from core.tools.mcp.helpers import helper_tools
from core.tools.mcp.listing import Listing, Named
from core.tools.mcp.naming import fits
from core.tools.mcp.specs import proposed, secrets_of, server_specs
from core.tools.registry import parse_arguments
from core.tools.secrets import Redactor

SCRIPT = str(Path(__file__).with_name("strange_server.py"))


class Session:
    """Servers as a session has them."""

    def __init__(self, bridge: Bridge, folder: Path) -> None:
        self.bridge = bridge
        self.folder = folder
        self.tools = {**bridge.tools, **helper_tools(bridge)}

    async def call(self, name: str, /, sees: bool = False, **arguments: Any) -> Outcome:
        tool = {**self.tools, **self.bridge.tools}[name]
        context = ToolContext(self.folder, self.folder / "jobs", "r1.1.0", None)  # type: ignore[arg-type]
        context.settings["sees"] = lambda kind: sees
        given = parse_arguments(tool, arguments)
        tool.prepare(given, context)
        return await tool.run(given, context)

    def progress(self) -> str:
        return (self.folder / "jobs" / "r1.1.0" / "output").read_text()


def settings(*more: str, **changes: Any) -> ServerSettings:
    return ServerSettings(command=sys.executable, args=["-P", SCRIPT, *more], **changes)


@asynccontextmanager
async def servers(
    folder: Path, environ: dict[str, str] | None = None, **named: ServerSettings
) -> AsyncIterator[Session]:
    specs = server_specs(Config(mcp=named), folder, environ or {})
    assert not specs.problems
    bridge = Bridge(specs.servers, folder / "mcp", lambda: 0.0)
    bridge.start()
    try:
        await bridge.settled(60)
        yield Session(bridge, folder)
    finally:
        await bridge.close()


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - another process, no event
            await asyncio.sleep(0.02)


async def test_what_a_server_offers_is_called_read_and_found(tmp_path: Path) -> None:
    async with servers(tmp_path, odd=settings()) as session:
        tools = session.bridge.tools
        assert (await session.call("odd__add", a=2, b=3)).content == "5"
        assert (tools["odd__add"].effect, tools["odd__fail"].effect) == (Effect.READ, Effect.COMMAND)
        failed = await session.call("odd__fail")
        assert not failed.ok and "the moon is full" in failed.content
        wrong = await session.call("odd__add", a="x", b=3)
        assert not wrong.ok
        assert (await session.call("mcp_resource", server="odd", uri="memo://today")).content == "rain"
        prompt = await session.call("mcp_prompt", server="odd", name="review", arguments={"of": "a.py"})
        assert prompt.content == "user:\nReview a.py."
        found = (await session.call("find_tools", query="add numbers")).content
        assert found.startswith("odd__add: Add two numbers.") and '"properties"' in found
        overview = (await session.call("find_tools")).content
        assert "resource memo://today" in overview and "prompt review" in overview
        assert "it says of itself: Be nice to me." in overview
        with pytest.raises(ToolError, match="There is no server 'other'"):
            await session.call("mcp_resource", server="other", uri="x")
        unseen = await session.call("odd__picture")
        assert "because the profile NAME says that its models take no images" in unseen.content
        assert not unseen.media
        picture = await session.call("odd__picture", sees=True)
        assert picture.content == "[image, image/png, 1x1, 70 bytes, about 1 tokens]"
        assert [(it.kind, it.media_type, len(it.data)) for it in picture.media] == [("image", "image/png", 70)]


async def test_hostile_names_and_texts_are_made_fit_and_stay_callable(tmp_path: Path) -> None:
    async with servers(tmp_path, odd=settings()) as session:
        (name,) = [name for name in session.bridge.tools if "evil" in name]
        assert len(name) <= 64 and name.replace("_", "").replace("-", "").isalnum() and name.isascii()
        assert (await session.call(name, x="it")).content == "got it"
        described = session.bridge.tools[name].description
        assert "\x1b" not in described and "\u200b" not in described and "\U000e0049" not in described
        assert len(described) <= 1_000
        assert "read_file" not in session.bridge.tools and "odd__read_file" in session.bridge.tools
        offering = session.bridge.offering(100)
        assert all(fits(tool.schema) for tool in offering.tools) and offering.others == 0
        assert session.bridge.offering(3).tools == [] and session.bridge.offering(3).others > 10


async def test_a_server_that_dies_comes_back_and_only_reads_are_asked_again(tmp_path: Path) -> None:
    async with servers(tmp_path, odd=settings()) as session:
        assert (await session.call("odd__die", where=str(tmp_path / "died"))).content == "alive"
        with pytest.raises(ToolError, match="isn't known whether it had an effect"):
            await session.call("odd__die_hard")
        assert (await session.call("odd__add", a=1, b=1)).content == "2"


async def test_a_call_that_gives_no_sign_is_given_up_and_one_that_tells_how_far_it_is_goes_on(tmp_path: Path) -> None:
    async with servers(tmp_path, odd=settings(timeout_s=1.0)) as session:
        with pytest.raises(ToolError, match="no sign for 1 s"):
            await session.call("odd__hang")
        assert (await session.call("odd__slowly", steps=4)).content == "done"
        assert session.progress() == "1 of 4 step 1\n2 of 4 step 2\n3 of 4 step 3\n4 of 4 step 4\n"


async def test_a_call_that_is_cancelled_leaves_the_server_to_others(tmp_path: Path) -> None:
    async with servers(tmp_path, odd=settings()) as session:
        task = asyncio.create_task(session.call("odd__hang"))
        await session.call("odd__add", a=1, b=1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()
        assert (await session.call("odd__add", a=1, b=2)).content == "3"


async def test_a_flood_on_standard_error_is_kept_in_part_and_blocks_nothing(tmp_path: Path) -> None:
    async with servers(tmp_path, odd=settings()) as session:
        assert (await session.call("odd__flood", megabytes=5)).content == "flooded"
        kept = list((tmp_path / "mcp").glob("odd.stderr*"))
        assert kept and sum(file.stat().st_size for file in kept) <= 2 << 20
        assert all(file.stat().st_mode & 0o77 == 0 for file in kept)


async def test_a_list_that_changes_is_taken_in(tmp_path: Path) -> None:
    async with servers(tmp_path, odd=settings()) as session:
        await session.call("odd__grow")
        await until(lambda: "odd__grown" in session.bridge.tools)
        assert (await session.call("odd__grown")).content == "grown"
        assert any(change.detail == "its lists have changed" for change in session.bridge.take_changes())


async def test_a_server_that_can_not_start_is_told_and_the_others_work(tmp_path: Path) -> None:
    missing = ServerSettings(command="/no/such/program")
    async with servers(tmp_path, odd=settings(), dead=settings("dead"), missing=missing) as session:
        changes = {change.server: change for change in session.bridge.take_changes()}
        assert (changes["odd"].state, changes["dead"].state, changes["missing"].state) == ("up", "down", "down")
        assert changes["missing"].detail == "its program /no/such/program was not found"
        assert changes["dead"].detail == "it ended while it started"
        assert "no database" in (tmp_path / "mcp" / "dead.stderr").read_text()
        with pytest.raises(ToolError, match=r"The server dead is not there \(it ended while it started\)"):
            await session.call("mcp_resource", server="dead", uri="x")
        assert (await session.call("odd__add", a=1, b=1)).content == "2"


def test_a_server_that_never_answers_is_said_to_be_late() -> None:
    assert explained(ExceptionGroup("", [TimeoutError()])) == "it did not answer in time"
    assert explained(PermissionError(13, "Permission denied")) == "it can't be started (Permission denied)"


async def test_a_server_sees_of_the_environment_what_the_configuration_names(tmp_path: Path) -> None:
    environ = {**os.environ, "TOKEN": "t0ken-value", "ANTHROPIC_API_KEY": "sk-secret"}
    own = settings(env={"GIVEN": "${TOKEN}", "WHERE": "${workspace}", "ELSE": "${NONE:-default}"})
    async with servers(tmp_path, environ, odd=own) as session:
        seen = (await session.call("odd__environment")).content
        assert "GIVEN=t0ken-value" in seen and f"WHERE={tmp_path}" in seen and "ELSE=default" in seen
        assert "ANTHROPIC_API_KEY" not in seen and "TOKEN=t0ken" not in seen.replace("GIVEN=t0ken", "")


async def test_hints_are_believed_only_where_the_configuration_says_so(tmp_path: Path) -> None:
    doubted = settings(believe_hints=False, tools=["a*"])
    async with servers(tmp_path, odd=doubted, whole=settings()) as session:
        assert {name for name in session.bridge.tools if name.startswith("odd")} == {"odd__add"}
        assert session.bridge.tools["odd__add"].effect is Effect.COMMAND
        offering = session.bridge.offering(5)
        assert [tool.name for tool in offering.tools] == ["odd__add"] and offering.others > 10
        assert len(session.bridge.offering(100).tools) == offering.others + 1


async def test_a_server_by_http_works_and_is_reached_again_after_it_was_gone(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/mcp"
    process = await http_server(port)
    try:
        async with servers(tmp_path, far=ServerSettings(url=url, start_s=10, timeout_s=10)) as session:
            assert (await session.call("far__add", a=2, b=2)).content == "4"
            process.kill()
            await process.wait()
            with pytest.raises(ToolError):
                await session.call("far__add", a=2, b=2)
            process = await http_server(port)
            assert (await session.call("far__add", a=2, b=3)).content == "5"
    finally:
        process.kill()
        await process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def http_server(port: int) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", SCRIPT, "http", str(port), stderr=asyncio.subprocess.DEVNULL
    )

    async def reachable() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    async with asyncio.timeout(60):
        while not await reachable():  # noqa: ASYNC110 - another process, no event
            await asyncio.sleep(0.05)
    return process


def test_a_workspaces_own_servers_are_used_only_as_they_were_consented_to(tmp_path: Path) -> None:
    config_file = tmp_path / "config" / "config.toml"
    environ = {"LONGWATCH_CONFIG": str(config_file)}
    own = tmp_path / ".mcp.json"
    own.write_text('{"mcpServers": {"theirs": {"command": "x", "args": ["--all"]}}}')
    assert server_specs(Config(), tmp_path, environ).servers == ()
    remember(own, proposed(tmp_path)[0], config_file)
    (theirs,) = server_specs(Config(), tmp_path, environ).servers
    assert theirs.command == ("x", "--all") and not theirs.believe_hints
    (mine,) = server_specs(Config(mcp={"theirs": ServerSettings(command="mine")}), tmp_path, environ).servers
    assert mine.command == ("mine",)
    own.write_text(own.read_text().replace("--all", "--more"))
    assert server_specs(Config(), tmp_path, environ).servers == ()


@pytest.mark.parametrize("text", ['"servers"', "3", "[]", "{}", '{"mcpServers": 3}', "{", "\xff"])
def test_a_file_of_another_form_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    specs = server_specs(Config(tools=ToolSettings(mcp_files=[str(tmp_path / "x.json")])), tmp_path, {})
    assert set(specs.problems) == {"x.json"} and not specs.servers


def test_what_was_given_as_a_secret_is_one_and_what_stands_in_every_text_is_not(tmp_path: Path) -> None:
    given = ServerSettings(
        command="x",
        args=["${HOME}", "${USER}"],
        env={"API_TOKEN": "a-literal-token", "KIND": "a-literal-word", "AS": "${UNUSUAL}"},
        headers={"Authorization": "Bearer ${TICKETS}", "X-Team": "a-literal-team", "X-Api-Key": "a-literal-key"},
    )
    environ = {"HOME": str(tmp_path), "USER": "somebody-else", "UNUSUAL": "unusual-value", "TICKETS": "ticket-value"}
    secrets = secrets_of(server_specs(Config(mcp={"a": given}), tmp_path, environ).servers)
    values = ["a-literal-token", "a-literal-key", "unusual-value", "ticket-value"]
    plain = [str(tmp_path), "somebody-else", "a-literal-word", "a-literal-team"]
    redact = Redactor(secrets)
    assert [value for value in values if redact(value) == value] == []
    assert [redact(value) for value in plain] == plain


def test_what_a_server_says_of_itself_is_redacted_and_it_is_called_by_its_own_names() -> None:
    tool = Named("look", "Looks with the-token", {"properties": {"key": {"default": "the-token"}}})
    listing = Listing((tool,), (tool,), (tool,), "I have the-token")
    told = listing.without(Redactor({"KEY": "the-token"}).inside)
    assert "the-token" not in repr(told) and told.tools[0].name == "look" and told.about.startswith("I have [redacted")


def test_settings_that_can_not_be_used_are_told_and_the_others_are_used(tmp_path: Path) -> None:
    listed = tmp_path / "mcp.json"
    listed.write_text(
        '{"mcpServers": {"a": {"command": "x", "args": ["${workspaceFolder}"], "autoApprove": ["y"]},'
        ' "b": {"type": "sse", "url": "http://x"}, "c": {"command": 3}, "d": {"command": "x", "disabled": true},'
        ' "e": {"command": "x", "env": {"K": "${NOT_SET}"}}}}'
    )
    config = Config(
        tools=ToolSettings(mcp_files=[str(listed), str(tmp_path / "none.json")]),
        mcp={
            "f": ServerSettings(),
            "g": ServerSettings(url="http://example.org/mcp", headers={"Authorization": "Bearer x"}),
            "h": ServerSettings(url="https://example.org/mcp", headers={"Authorization": "Bearer ${KEY}"}),
        },
    )
    specs = server_specs(config, Path("/work"), {"KEY": "secret"})
    assert {spec.name: spec.command for spec in specs.servers} == {"a": ("x", "/work"), "h": ()}
    assert specs.servers[1].secrets == ("secret",) and "secret" not in repr(specs.servers[1].secrets[:0])
    assert set(specs.problems) == {"b", "c", "e", "f", "g", "none.json"}
    assert "NOT_SET, which is not set" in specs.problems["e"]
    assert all(problem.endswith(".") for problem in specs.problems.values())
