"""`mcp`: servers of tools, by the Model Context Protocol."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from core.config import config_path, load_config
from tui.safe import one_line
from tui.say import say, say_json


@click.group()
def mcp() -> None:
    """Servers of tools, by the Model Context Protocol: what the configured ones have, and being one."""


@mcp.command()
@click.option("--workspace", type=click.Path(path_type=Path), default=".", help="What ${workspace} stands for.")
@click.option("--tools", "in_full", is_flag=True, help="Each tool with what it does.")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def check(home: Path, workspace: Path, in_full: bool, as_json: bool) -> int:
    """Start each configured server and list what it has; ends with 1 where one can't be used.

    In a list of tools: r only reads, by its own word; w may change something; ! stands in no request, for its schema
    is not fit for one, and is found by find_tools.
    """
    found = asyncio.run(look_at_servers(home, workspace.expanduser().absolute()))
    if as_json:
        say_json(json.dumps(found, indent=2))
    else:
        for line in _lines(found, in_full):
            say(line)
    return int(any(row["problem"] for row in found["servers"]))


async def look_at_servers(home: Path, workspace: Path) -> dict[str, Any]:
    """Every server as it is now: started, asked, and ended."""
    from core.sandbox.choice import confinement_in
    from core.tools.mcp.bridge import Bridge
    from core.tools.mcp.specs import secrets_of, server_specs
    from core.tools.mcp.supervisor import preloaded
    from core.tools.mcp.walls import Walls
    from core.tools.secrets import Redactor

    config = load_config(workspace=workspace)
    specs = server_specs(config, workspace, os.environ)
    redact = Redactor({**os.environ, **secrets_of(specs.servers)}).inside
    with tempfile.TemporaryDirectory(prefix="longwatch-mcp-", ignore_cleanup_errors=True) as folder:
        inside = confinement_in(Path(folder) / "tmp", workspace, home, config, config.sandbox.mode)
        bridge = Bridge(specs.servers, Path(folder), lambda: 0.0, Walls(inside), redact)
        await preloaded()
        bridge.start()
        try:
            await bridge.settled(max([spec.start_s for spec in specs.servers], default=0.0) + 1.0)
            rows = [_row(server, Path(folder)) for server in bridge.servers.values()]
            others = bridge.offering(config.tools.mcp_listed).others
        finally:
            await bridge.close()
    bad = [{"server": name, "where": "", "problem": why, "said": ""} for name, why in specs.problems.items()]
    return {"servers": redact([*rows, *bad]), "found_by_find_tools": others}


def _row(server: Any, folder: Path) -> dict[str, Any]:
    """One server: what it has, or why it can't be used and the last line that it wrote to standard error."""
    from core.tools.mcp.bridge import offered_tools
    from core.tools.mcp.naming import fits

    spec, listing = server.spec, server.listing
    problem = server.problem or ("" if listing else "it did not answer in time")
    row = {"server": spec.name, "where": spec.where, "problem": problem, "said": ""}
    if problem or listing is None:
        return {**row, "said": _last_line(folder / f"{spec.name}.stderr")}
    tools = [
        {
            "name": tool.name,
            "reads": tool.effect == "read",
            "fit": fits(tool.schema),
            "description": tool.description,
            "schema": tool.schema,
        }
        for tool in offered_tools(spec, listing)
    ]
    resources = [{"uri": it.name, "description": it.description} for it in listing.resources]
    prompts = [{"name": it.name, "description": it.description} for it in listing.prompts]
    return {**row, "about": listing.about, "tools": tools, "resources": resources, "prompts": prompts}


def _last_line(file: Path) -> str:
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1][:300] if lines else ""


def _lines(found: dict[str, Any], in_full: bool) -> Iterator[str]:
    from core.tools.common import count

    if not found["servers"]:
        yield "No server is configured; [mcp.NAME] in the configuration names one (longwatch config --write)."
    for row in found["servers"]:
        if row["problem"]:
            yield f"{one_line(row['server'])}: PROBLEM {one_line(row['problem'])}  {one_line(row['where'])}".rstrip()
            if row["said"]:
                yield f"  it wrote: {one_line(row['said'])}"
            continue
        kinds = ("tool", "resource", "prompt")
        counts = ", ".join(count(len(row[f"{kind}s"]), kind) for kind in kinds if row[f"{kind}s"])
        yield f"{one_line(row['server'])}: {counts or 'nothing'}  {one_line(row['where'])}"
        for tool in row["tools"]:
            mark = ("r" if tool["reads"] else "w") + ("" if tool["fit"] else "!")
            about = f"  {one_line(tool['description'])}" if in_full else ""
            yield f"  {mark:<2} {tool['name']}{about}"
    if found["found_by_find_tools"]:
        yield f"{found['found_by_find_tools']} tools stand in no request and are found by find_tools."


@mcp.command()
@click.option("--workspace", type=click.Path(path_type=Path), default=".", help="Where the tools work.")
@click.option("--read-only", is_flag=True, help="Offer only tools that change nothing.")
@click.option("--http", "port", type=click.IntRange(0, 65535), help="By HTTP on this port of loopback; 0: a free one.")
@click.option("--all-sessions", is_flag=True, help="Tell of all sessions, not only of those of the workspace.")
@click.pass_obj
def serve(home: Path, workspace: Path, read_only: bool, port: int | None, all_sessions: bool) -> int:
    """Be a server: the built-in tools, confined to a workspace, and how its sessions are going.

    Over standard input and output for one client, or by HTTP with a token (LONGWATCH_MCP_TOKEN, else a new one, which
    is printed). What a session would ask its user about is refused: there is nobody to ask.
    """
    asyncio.run(_serve(home, workspace, read_only, port, all_sessions))
    return 0


async def _serve(home: Path, workspace: Path, read_only: bool, port: int | None, all_sessions: bool) -> None:
    from core.agent.offering import workspace_offering
    from core.tools.mcp.serving import serve_http, serve_stdio

    config = load_config(workspace=workspace)
    async with workspace_offering(home, config, workspace, os.environ, read_only, all_sessions) as offering:
        if port is None:
            await serve_stdio(offering)
            return
        token = os.environ.get("LONGWATCH_MCP_TOKEN") or secrets.token_urlsafe(24)
        with _listening(port) as listening:
            say(f"http://127.0.0.1:{listening.getsockname()[1]}/mcp  Authorization: Bearer {token}", err=True)
            await serve_http(offering, listening, token)


def _listening(port: int) -> socket.socket:
    """A socket of loopback. Raises a usage error where the port can't be had."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
        listening.listen()  # Who reads the address may come at once.
    except OSError as error:
        listening.close()
        raise click.UsageError(f"Port {port} can't be had: {error.strerror}; name another, or 0.") from None
    return listening


@mcp.command()
@click.argument("workspace", type=click.Path(path_type=Path, file_okay=False), default=".")
@click.option("--show", is_flag=True, help="Only print what it says.")
@click.option("--forget", is_flag=True, help="Use it no longer.")
def trust(workspace: Path, show: bool, forget: bool) -> int:
    """Use the servers that the .mcp.json of a WORKSPACE names, as long as that file stays as it is; they are printed.

    They run with your rights, and what they say of their tools is not believed. What a program is that it names may
    change without the file.
    """
    from core.config.consent import is_trusted, remember
    from core.tools.mcp.specs import PROPOSED, BadServer, proposed

    place = workspace.expanduser().absolute()
    file = place / PROPOSED
    if forget:
        remember(file, None, config_path())
        return 0
    try:
        raw, found = proposed(place)
    except BadServer as bad:
        raise click.UsageError(f"{file} {bad}.") from None
    for title, own in found.items():
        words = json.dumps([own.command, *own.args]) if own.command else str(own.url)
        named = ", ".join(f"{name}={value}" for name, value in {**own.env, **own.headers}.items())
        say(f"{one_line(title)}: {one_line(words)}" + (f"  with {one_line(named)}" if named else ""))
    if not found or is_trusted(file, raw, config_path()):
        say("nothing to consent to: there is no .mcp.json with servers, or it is in use already", err=True)
    elif not show:
        remember(file, raw, config_path())
        say("used from now on, as long as it stays so", err=True)
    return 0
