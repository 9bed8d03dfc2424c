"""The files of the user and of the workspace, read. A cloned workspace can't choose an endpoint, a key, a price or a
policy: its file holds `WorkspaceSettings` and nothing else, and counts only once the user has consented to it."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import platformdirs

from core.approvals.rules import BadRule, read_rule
from core.config.checking import ConfigError, place_of, shown, typed
from core.config.consent import is_trusted, remember
from core.config.settings import ApprovalSettings, Config, WorkspaceSettings
from core.constraints.reading import FORMS, read_constraint

LARGEST_BYTES = 1 << 20
"""A configuration file beyond this is refused unread."""
WORKSPACE_FILE = ".longwatch.toml"


def config_path(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the user's file is: `LONGWATCH_CONFIG`, or config.toml in the platform's configuration folder."""
    if named := environ.get("LONGWATCH_CONFIG"):
        return Path(named).expanduser()
    return Path(platformdirs.user_config_dir("longwatch", appauthor=False)) / "config.toml"


def load_config(path: Path | None = None, workspace: Path | None = None) -> Config:
    """The user's settings, with those of the workspace's own file in `Config.workspace` where the user consented.

    A missing file is an empty one, unless it was named (`path`, or `LONGWATCH_CONFIG`).
    Raises ConfigError: broken TOML, bytes that are not UTF-8, an unknown key, a wrong type or value.
    """
    file = path or config_path()
    named = path is not None or bool(os.environ.get("LONGWATCH_CONFIG"))
    if named and not file.exists():
        raise ConfigError(
            f"There is no configuration file {file}; create it with `longwatch config --write`, or name another."
        )
    config = typed(read_table(file), Config, (), file)
    _check_rules(config.approvals, file)
    _check_constraints(config.constraints.declare, file)
    own = workspace / WORKSPACE_FILE if workspace else None
    if own is None or not _is_there(own):
        return config
    raw = _content(own)
    settings = _workspace(own, raw, config.workspace, file)
    return msgspec.structs.replace(config, workspace=settings) if is_trusted(own, raw, file) else config


def strange_settings(workspace: Path, path: Path | None = None) -> dict[str, Any]:
    """What the workspace's own file says and the user has not consented to, as it stands there. Raises ConfigError."""
    own, file = workspace / WORKSPACE_FILE, path or config_path()
    if not _is_there(own):
        return {}
    raw = _content(own)
    _workspace(own, raw, WorkspaceSettings(), file)
    return {} if is_trusted(own, raw, file) else _parse(raw, own)


def trust(workspace: Path, settings: Mapping[str, Any] | None, path: Path | None = None) -> None:
    """Use the workspace's own file from here on as long as it says just this; None: no longer. Raises ConfigError.

    Whoever consents has seen the settings: a file that says something else by now stays strange.
    """
    own = workspace / WORKSPACE_FILE
    raw = None if settings is None else _content(own)
    if raw is not None and _parse(raw, own) != settings:
        raise ConfigError(f"{own} has changed meanwhile; look at it again.")
    remember(own, raw, path or config_path())


def _check_rules(settings: ApprovalSettings, file: Path) -> None:
    for name in ("allow", "ask", "deny"):
        for text in getattr(settings, name):
            try:
                read_rule(text)
            except BadRule as bad:
                raise ConfigError(f"{place_of(file, ('approvals', name))}: in `approvals.{name}` {bad}") from None


def _check_constraints(texts: Iterable[str], file: Path) -> None:
    for text in texts:
        if read_constraint(text) is None:
            where = place_of(file, ("constraints", "declare"))
            raise ConfigError(f"{where}: {shown(text)!r} is no constraint that can be checked; there are: {FORMS}.")


def _workspace(own: Path, raw: bytes, base: WorkspaceSettings, user_file: Path) -> WorkspaceSettings:
    table = _parse(raw, own)
    for key in table:
        if key in Config.__struct_fields__:
            raise ConfigError(
                f"{place_of(own, (key,))}: a workspace may not set `{key}`; if you want it, put it into {user_file}."
            )
    typed(table, WorkspaceSettings, (), own)
    return msgspec.convert({**msgspec.to_builtins(base), **table}, WorkspaceSettings)


def read_table(file: Path) -> dict[str, Any]:
    """The file's table; an absent file is an empty table. Raises ConfigError."""
    return _parse(_content(file), file) if _is_there(file) else {}


def _is_there(file: Path) -> bool:
    """Whether there is such a file; a name that no file system takes belongs to none."""
    try:
        return file.exists()
    except OSError:
        return False


def _content(file: Path) -> bytes:
    if not file.is_file():
        raise ConfigError(f"{file} is not a file; move it away or name another.")
    try:
        with file.open("rb") as stream:
            raw = stream.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{file} can't be read ({error.strerror}); make it readable or name another.") from None
    if len(raw) > LARGEST_BYTES:
        raise ConfigError(f"{file} is larger than 1 MiB, which no configuration is; check that it is the right file.")
    return raw


def _parse(raw: bytes, file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{file}, line {line}: this is not UTF-8 text; save the file as UTF-8.") from None
    except RecursionError:
        raise ConfigError(f"{file} is nested too deeply to be a configuration; mend it or move it away.") from None
    except ValueError as error:
        what, _, place = str(error).partition(" (at ")
        at = f", {place.rstrip(')')}" if place else ""
        raise ConfigError(f"{file}{at}: this is not valid TOML ({shown(what)}); mend it or move it away.") from None
