"""What can be set about programs of others: servers of tools, and commands on events."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from core.config.section import Seconds, Section, says


class ServerSettings(Section, frozen=True):
    """A server whose tools the agent may use, by the Model Context Protocol: a program here, or an address.

    A program runs in a sandbox like that of commands, with the network and what is named here. Of your environment it
    sees PATH, HOME and what you name: ${NAME} stands for that variable, ${NAME:-else} has a default, ${workspace} is
    the folder that the agent works in.
    """

    command: Annotated[str | None, says("The program; without a shell.", "uvx")] = None
    args: Annotated[list[str], says("Its arguments.", ["mcp-server-git", "--repository", "${workspace}"])] = []
    env: Annotated[dict[str, str], says("Variables that it gets.", {"GITHUB_TOKEN": "${GITHUB_TOKEN}"})] = {}
    cwd: Annotated[
        str | None,
        says("The folder that it starts in; left out, an empty one, so that it takes nothing from the workspace.", "~"),
    ] = None
    url: Annotated[
        str | None, says("In place of a program: a server by streamable HTTP.", "https://example.org/mcp")
    ] = None
    headers: Annotated[dict[str, str], says("Headers for it.", {"Authorization": "Bearer ${EXAMPLE_TOKEN}"})] = {}
    tools: Annotated[list[str], says("Which of its tools are used, * stands for any text; empty: all.", ["git_*"])] = []
    believe_hints: Annotated[
        bool, says("Believe it when it says that a tool only reads: such calls need no question and may run again.")
    ] = True
    timeout_s: Annotated[Seconds, says("Seconds without progress after which a call is given up.")] = 120.0
    start_s: Annotated[Seconds, says("Seconds that it may take to start.")] = 30.0
    sandbox: Annotated[
        bool, says("Keep a program in the sandbox: it writes the workspace and a temporary folder, and sees no keys.")
    ] = True
    network: Annotated[bool, says("Let a program in the sandbox reach other machines and this one's servers.")] = True
    writable: Annotated[
        list[str], says("What a program in the sandbox may change beside the workspace.", ["~/notes"])
    ] = []
    readable: Annotated[
        list[str], says("What a program in the sandbox may read although it is hidden from commands.", ["~/.aws"])
    ] = []
    enabled: Annotated[bool, says("Use it.")] = True


class TelemetrySettings(Section, frozen=True):
    """Traces and metrics for OpenTelemetry, by its conventions for generative AI; no word of a session is in them."""

    otlp: Annotated[
        str | None,
        says("Send them to this collector, by OTLP over HTTP as JSON.", "http://127.0.0.1:4318"),
    ] = None
    headers: Annotated[dict[str, str], says("Headers for it.", {"x-team": "tools"})] = {}
    attributes: Annotated[dict[str, str], says("What is said of each session.", {"team": "tools"})] = {}


class ToolSettings(Section, frozen=True):
    """Tools beside the built-in ones."""

    mcp_files: Annotated[
        list[str],
        says(
            "JSON files with servers in the form that other programs use (mcpServers); [mcp.NAME] wins over them.",
            ["~/.config/mcp.json"],
        ),
    ] = []
    mcp_listed: Annotated[
        Annotated[int, Meta(ge=0)],
        says("So many tools of servers stand in every request; are there more, the agent finds them by find_tools."),
    ] = 24
    mcp_wait_s: Annotated[
        Annotated[float, Meta(ge=0)], says("Seconds that the first request waits for servers that still start.")
    ] = 15.0


class BoxSettings(Section, frozen=True):
    """Another machine with sessions, for the list and `attach BOX:SESSION`; ssh must reach it without questions."""

    host: Annotated[
        str | None, says("What ssh calls it; left out, as it is called here.", "anna@build1.example.org")
    ] = None
    command: Annotated[
        str | None,
        says(
            "What a shell there begins longwatch with; left out, it is looked for.", "~/longwatch/.venv/bin/longwatch"
        ),
    ] = None
    listed: Annotated[bool, says("Show its sessions in the list, too, which asks it every half minute.")] = True


HookEvent = Literal["before-tool", "after-tool", "after-edit", "ask", "pause", "finish"]


class HookSettings(Section, frozen=True):
    """A command of yours that is run on events of a session, in the workspace, without a shell, with your rights.

    It gets the event as JSON on its standard input. One that fails is told of, and changes nothing.
    """

    on: Annotated[
        list[HookEvent],
        says(
            "before-tool: a call is about to run, and waits for it. after-tool, after-edit: a call is over, or has "
            "changed files. ask, pause, finish: the session asks you, is paused, has ended.",
            ["after-edit", "finish"],
        ),
    ]
    command: Annotated[
        Annotated[list[str], Meta(min_length=1)], says("The program and its arguments.", ["make", "fmt"])
    ]
    tools: Annotated[list[str], says("Only for these tools, * stands for any text; empty: all.", ["run_command"])] = []
    timeout_s: Annotated[Seconds, says("Seconds after which it is ended.")] = 30.0
