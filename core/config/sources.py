"""Where each value of the configuration comes from, and the schema by which an editor checks and completes the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from core.config.loading import WORKSPACE_FILE, config_path, load_config, read_table, strange_settings
from core.config.settings import Config, WorkspaceSettings
from core.config.toml_lines import line_of

SCHEMA = "https://json-schema.org/draft/2020-12/schema"


class Origin(NamedTuple):
    """One value: `source` is `default`, or a file and the line on which it stands."""

    setting: str
    value: Any
    source: str


def origins(workspace: Path | None = None, everything: bool = False) -> list[Origin]:
    """Every value that is not the default, or (`everything`) all of them, by name. Raises ConfigError.

    The workspace's own file wins over the user's for what it may say, where the user has consented to it.
    """
    load_config(workspace=workspace)
    found = {origin.setting: origin for origin in _defaults()} if everything else {}
    found |= {origin.setting: origin for origin in _of_file(config_path(), "")}
    if workspace is not None and not strange_settings(workspace):
        found |= {origin.setting: origin for origin in _of_file(workspace / WORKSPACE_FILE, "workspace.")}
    return sorted(found.values())


def _defaults() -> Iterator[Origin]:
    for path, value in _leaves(msgspec.to_builtins(Config())):
        yield Origin(".".join(path), value, "default")


def _of_file(file: Path, prefix: str) -> Iterator[Origin]:
    table = read_table(file)
    text = file.read_text(encoding="utf-8-sig") if table else ""
    for path, value in _leaves(table):
        if value == {}:
            continue  # A section in which nothing is set says nothing.
        line = line_of(text, path)
        yield Origin(prefix + ".".join(path), value, f"{file}, line {line}" if line else str(file))


def _leaves(table: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, value in table.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*path, name))
        else:
            yield (*path, name), value


def schema(for_workspace: bool = False) -> dict[str, Any]:
    """The JSON schema of the user's file, or of a workspace's: every setting with its manual and its default."""
    kind = WorkspaceSettings if for_workspace else Config
    found: dict[str, Any] = msgspec.json.schema(kind)
    title = "Longwatch, settings of a workspace" if for_workspace else "Longwatch"
    return {"$schema": SCHEMA, "title": title, **found}
