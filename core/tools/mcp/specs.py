"""Which servers there are, from the configuration and from files in the form that other programs use.

A workspace's own `.mcp.json` counts only once the user has consented to what it says: a folder that was just cloned may
not name programs that run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from core.config import Config, ServerSettings, config_path
from core.config.consent import is_trusted
from core.models.profiles import is_loopback
from core.tools.mcp.naming import server_name
from core.tools.secrets import is_secret_name

LARGEST_BYTES = 1 << 20
PROPOSED = ".mcp.json"
"""The file in which workspaces propose servers."""
_REFERENCE = re.compile(r"\$\{(?:env:)?(\w+)(?::-([^}]*))?\}")
_WORKSPACE = ("workspace", "workspaceFolder")
_PLAIN = frozenset(["HOSTNAME", "LANG", "LOGNAME", "PATH", "TERM", "USER"])
"""Variables that every command sees, and whose values stand in many texts."""


class BadServer(Exception):
    """Why a server can't be used, as the rest of a sentence that begins with its name."""


@dataclass(frozen=True, slots=True)
class ServerSpec:
    """One server, ready to be started: every reference to a variable is resolved.

    `name` is what its tools' names begin with. `secrets` are values that came from the environment, or are given as
    secrets by their names. `sandbox`: whether a program is kept inside, with `network` or without, and with what more
    it may change and read.
    """

    name: str
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    believe_hints: bool = True
    timeout_s: float = 120.0
    start_s: float = 30.0
    secrets: tuple[str, ...] = field(default=(), repr=False)
    sandbox: bool = True
    network: bool = True
    writable: tuple[Path, ...] = ()
    readable: tuple[Path, ...] = ()

    def offers(self, tool: str) -> bool:
        """Whether this tool of it is to be used."""
        return not self.only or any(fnmatchcase(tool, glob) for glob in self.only)

    @property
    def where(self) -> str:
        """Its program or its address, for people."""
        return self.url or " ".join(self.command)


@dataclass(frozen=True, slots=True)
class Specs:
    """The servers that can be used; and a sentence about each that can't, and about each file, by its name."""

    servers: tuple[ServerSpec, ...] = ()
    problems: Mapping[str, str] = field(default_factory=dict)


def server_specs(config: Config, workspace: Path, environ: Mapping[str, str]) -> Specs:
    """Every server of the configuration and of the files that it names. Never raises: what is wrong is told."""
    settings, problems = _from_files(config.tools.mcp_files)
    servers: dict[str, ServerSpec] = {}
    for title, own in {**_consented(workspace, environ), **settings, **config.mcp}.items():
        if not own.enabled:
            continue
        name = server_name(title)
        try:
            if name in servers:
                raise BadServer("has the name of another one when what no tool's name may hold is left out; rename it")
            servers[name] = _spec(name, own, workspace, environ)
        except BadServer as bad:
            problems[name] = f"The server {name} {bad}."
    return Specs(tuple(servers.values()), problems)


def secrets_of(servers: Iterable[ServerSpec]) -> dict[str, str]:
    """The secrets that servers were given, named so that they are taken out of all output."""
    values = sorted({value for spec in servers for value in spec.secrets})
    return {f"SERVER_{number}_KEY": value for number, value in enumerate(values)}


def _spec(name: str, own: ServerSettings, workspace: Path, environ: Mapping[str, str]) -> ServerSpec:
    if bool(own.command) == bool(own.url):
        raise BadServer("needs either a command or a url")
    used: dict[str, str] = {}

    def resolved(text: str) -> str:
        return _REFERENCE.sub(lambda found: _value(found, workspace, environ, used), text)

    headers = {key: resolved(value) for key, value in own.headers.items()}
    env = {key: resolved(value) for key, value in own.env.items()}
    return ServerSpec(
        name=name,
        command=tuple(map(resolved, [own.command, *own.args])) if own.command else (),
        env=env,
        cwd=Path(resolved(own.cwd)).expanduser() if own.cwd else None,
        url=_checked_url(resolved(own.url), headers) if own.url else "",
        headers=headers,
        only=tuple(own.tools),
        believe_hints=own.believe_hints,
        timeout_s=own.timeout_s,
        start_s=own.start_s,
        secrets=_secrets(used, env, headers),
        sandbox=own.sandbox,
        network=own.network,
        writable=tuple(Path(resolved(path)).expanduser() for path in own.writable),
        readable=tuple(Path(resolved(path)).expanduser() for path in own.readable),
    )


def _secrets(used: Mapping[str, str], env: Mapping[str, str], headers: Mapping[str, str]) -> tuple[str, ...]:
    """What is to be taken out of every text: of a header that lets in, the token behind the word for its kind."""
    found = [value for name, value in used.items() if name not in _PLAIN]
    found += [value for name, value in env.items() if is_secret_name(name)]
    for name, value in headers.items():
        if is_secret_name(name) or name.lower().endswith("authorization"):
            found += value.split()[-1:]
    return tuple(dict.fromkeys(found))


def _value(found: re.Match[str], workspace: Path, environ: Mapping[str, str], used: dict[str, str]) -> str:
    name, default = found[1], found[2]
    if name in _WORKSPACE:
        return str(workspace)
    value = environ.get(name) or default
    if value is None:
        raise BadServer(f"needs the environment variable {name}, which is not set")
    if environ.get(name):
        used[name] = value
    return value


def _checked_url(url: str, headers: Mapping[str, str]) -> str:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https") or not url.isprintable():
        raise BadServer("has a url that is no address; write it like https://example.org/mcp")
    if parts.scheme == "http" and headers and not is_loopback(url):
        raise BadServer("would get its headers unencrypted; write https, or leave the headers out")
    return url


def _from_files(names: list[str]) -> tuple[dict[str, ServerSettings], dict[str, str]]:
    settings: dict[str, ServerSettings] = {}
    problems: dict[str, str] = {}
    for name in names:
        file = Path(name).expanduser()
        try:
            found, bad = _read(_content(file), file)
            settings, problems = {**settings, **found}, {**problems, **bad}
        except BadServer as error:
            problems[file.name] = f"The file {file} {error}."
    return settings, problems


def proposed(workspace: Path) -> tuple[bytes, dict[str, ServerSettings]]:
    """What a workspace's own `.mcp.json` says, and the servers that it names; empty where there is no such file.

    Raises BadServer where it can't be used at all.
    """
    file = workspace / PROPOSED
    if not file.is_file():
        return b"", {}
    raw = _content(file)
    return raw, _read(raw, file)[0]


def _consented(workspace: Path, environ: Mapping[str, str]) -> dict[str, ServerSettings]:
    """The servers of the workspace's own file where the user has consented to just this file; their hints are not
    believed."""
    try:
        raw, found = proposed(workspace)
    except BadServer:
        return {}
    if not found or not is_trusted(workspace / PROPOSED, raw, config_path(environ)):
        return {}
    return {title: msgspec.structs.replace(own, believe_hints=False) for title, own in found.items()}


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            raw = stream.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise BadServer(f"can't be read ({error.strerror})") from None
    if len(raw) > LARGEST_BYTES:
        raise BadServer("is larger than 1 MiB")
    return raw


def _read(raw: bytes, file: Path) -> tuple[dict[str, ServerSettings], dict[str, str]]:
    """The servers of a file, and a sentence about each that can't be used. Raises BadServer about the file."""
    try:
        table = json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise BadServer("holds no JSON") from None
    servers = table.get("mcpServers", table.get("servers")) if isinstance(table, dict) else None
    if not isinstance(servers, dict):
        raise BadServer("has no object `mcpServers`")
    settings: dict[str, ServerSettings] = {}
    problems: dict[str, str] = {}
    for title, entry in servers.items():
        try:
            settings[title] = _from_json(entry)
        except BadServer as bad:
            problems[server_name(title)] = f"The server {server_name(title)} in {file} {bad}."
    return settings, problems


def _from_json(raw: Any) -> ServerSettings:
    """One entry of such a file; settings of other programs beside the common ones are passed over."""
    if not isinstance(raw, dict):
        raise BadServer("is no object")
    if raw.get("type") == "sse":
        raise BadServer("uses the old transport sse; ask for its address by streamable HTTP")
    common = ("command", "args", "env", "cwd", "url", "headers")
    given = {name: raw[name] for name in common if raw.get(name) is not None}
    try:
        return msgspec.convert({**given, "enabled": raw.get("disabled") is not True}, ServerSettings)
    except msgspec.ValidationError as error:
        raise BadServer(f"is wrong: {error}".replace("`", "")) from None
