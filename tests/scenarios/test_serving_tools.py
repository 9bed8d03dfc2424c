"""`mcp serve`, asked by the official client: tools within the workspace, sessions as resources, nobody else let in."""

import asyncio
import json
import sys

import pytest
from mcp import Client, MCPError, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from processes import ROOT, command


def serving(longwatch, *more):
    """The server over stdio, as a client starts it."""
    place = str(longwatch.workspace)
    words = ["-P", "-m", "tui.cli", "mcp", "serve", "--workspace", place, *more]
    environment = {name: value for name, value in longwatch.environment.items() if "KEY" not in name}
    return stdio_client(StdioServerParameters(command=sys.executable, args=words, env=environment, cwd=ROOT))


async def said(client, name, **arguments):
    result = await client.call_tool(name, arguments)
    return result.content[0].text, not result.is_error


async def test_another_agent_works_in_the_workspace_and_nowhere_else(longwatch):
    outside = longwatch.workspace.parent / "secret.txt"
    outside.write_text("secret\n")
    (longwatch.workspace / "a.py").write_text("x = 1\n")
    async with Client(serving(longwatch)) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert tools["read_file"].annotations.read_only_hint and not tools["write_file"].annotations.read_only_hint
        assert not {"plan", "remember", "ask_human"} & set(tools)
        assert "x = 1" in (await said(client, "read_file", path="a.py"))[0]
        assert (await said(client, "edit_file", path="a.py", old="x = 1", new="x = 2"))[1]
        assert (longwatch.workspace / "a.py").read_text() == "x = 2\n"
        text, ok = await said(client, "read_file", path="../secret.txt")
        assert not ok and "secret\n" not in text
        text, ok = await said(client, "write_file", path="../made.txt", content="x")
        assert not ok and not (longwatch.workspace.parent / "made.txt").exists()
        text, ok = await said(client, "fetch_url", url="https://example.org/")
        assert not ok and "Nobody can be asked here" in text and "fetch_url: example.org" in text
        long, _ = await said(client, "run_command", command="seq 20000")
        handle = long.split('recall(handle="')[1].split('"')[0]
        assert "\n9000\n" in (await said(client, "recall", handle=handle, offset=9000, limit=1))[0]
        assert not (await said(client, "no_such_tool"))[1]
    assert not list((longwatch.home / "served").iterdir())


async def test_read_only_offers_nothing_that_changes_something(longwatch):
    async with Client(serving(longwatch, "--read-only")) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        assert names == {"list_files", "read_file", "recall", "search_codebase"}


async def test_sessions_tell_how_they_are_going(longwatch):
    assert longwatch.run(longwatch.script(command("echo hello"))).wait(60) == 0
    async with Client(serving(longwatch, "--read-only")) as client:
        listed = await client.read_resource("longwatch://sessions")
        (row,) = json.loads(listed.contents[0].text)
        assert (row["state"], row["task"]) == ("finished", "Do the steps.")
        told = await client.read_resource(f"longwatch://sessions/{row['id']}/report")
        assert json.loads(told.contents[0].text)["tool_calls"] == 1
        transcript = (await client.read_resource(f"longwatch://sessions/{row['id']}/transcript")).contents[0].text
        assert "user task] Do the steps." in transcript and "run_command echo hello" in transcript
        uris = [str(it.uri) for it in (await client.list_resources()).resources]
        assert f"longwatch://sessions/{row['id']}/report" in uris
        with pytest.raises(MCPError, match="There is no resource"):
            await client.read_resource("longwatch://sessions/../x")


async def test_by_http_only_with_the_token(longwatch):
    process = longwatch.start("mcp", "serve", "--http", "0", "--read-only", "--workspace", str(longwatch.workspace))
    line = await asyncio.to_thread(process.stderr.readline)
    url, token = line.split()[0], line.split()[-1]
    for headers, let_in in (({"Authorization": f"Bearer {token}"}, True), ({}, False)):
        async with create_mcp_http_client(headers=headers) as http:
            try:
                async with Client(streamable_http_client(url, http_client=http)) as client:
                    assert (await client.list_tools()).tools
                    assert let_in
            except Exception as error:
                assert not let_in, error
    process.terminate()
    assert process.wait(20) in (0, -15)
