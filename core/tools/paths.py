"""Where a path that a model names may point: inside the workspace, whatever its dots and links say."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.sandbox.sandbox import Confinement
from core.tools.base import ToolContext, ToolError

_IGNORED = """
.git .hg .svn .jj node_modules bower_components .venv venv .tox .nox __pycache__ .mypy_cache .pytest_cache
.ruff_cache .hypothesis .cache .gradle .eggs .idea .terraform .next .nuxt .parcel-cache .turbo
"""
IGNORED_FOLDERS = frozenset(_IGNORED.split())
"""Folders that listings and searches name but do not enter (unless they are asked for by path)."""

_SHOWN = 120


def resolve(context: ToolContext, given: str) -> Path:
    """The real path behind `given`, which is relative to the workspace or absolute; it need not exist.

    Links are followed before the test, so neither `..`, a link nor a name that merely starts like the workspace
    leads out. Raises ToolError for what leaves the workspace, for our own files in it, and for what no file system
    takes.
    """
    name = given if len(given) <= _SHOWN else given[:_SHOWN] + "…"
    if "\0" in given:
        raise ToolError("A path can't contain a NUL character.")
    if given == "~" or given.startswith("~/"):
        raise ToolError(f"{name} is outside the workspace: name files relative to the workspace.")
    root = workspace_root(context)
    try:
        real = Path(os.path.realpath(root / given))
        real.stat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        raise ToolError(f"{name} can't be used as a path: {error.strerror}.") from error
    except ValueError as error:
        raise ToolError(f"{name} can't be used as a path: {error}.") from error
    if not real.is_relative_to(root):
        raise ToolError(f"{name} is outside the workspace; only files inside it can be used.")
    if any(real.is_relative_to(place) for place in _own(context, root)):
        raise ToolError(f"{name} belongs to Longwatch itself, whose files can't be used.")
    return real


def _own(context: ToolContext, root: Path) -> list[Path]:
    """Sessions with their inboxes, and the configuration, where the user keeps them in the workspace.

    A command in the sandbox sees none of them; what is left in an inbox counts as the user's word.
    """
    confinement: Confinement | None = context.settings.get("confinement")
    closed = [Path(os.path.realpath(place)) for place in confinement.closed] if confinement else []
    return [place for place in closed if root in place.parents]


def ignored_names(context: ToolContext) -> list[str]:
    """Globs of what listings and searches leave out: the usual folders, our own, and `settings["ignore"]`."""
    own = (place.name for place in _own(context, workspace_root(context)))
    return [*sorted(IGNORED_FOLDERS), *own, *context.settings.get("ignore", ())]


def workspace_root(context: ToolContext) -> Path:
    """The workspace with its own links resolved."""
    return Path(os.path.realpath(context.workspace))


def relative(context: ToolContext, path: Path) -> str:
    """The name of a resolved path in results: relative to the workspace, with `/`, always printable as UTF-8."""
    return printable(path.relative_to(workspace_root(context)).as_posix())


def printable(name: str) -> str:
    """A file name whose bytes are not UTF-8 gets replacement characters, so that it can be stored and sent."""
    return os.fsencode(name).decode("utf-8", "replace")


@contextmanager
def explained(action: str) -> Iterator[None]:
    """Turn what the file system refuses into a sentence for the model: `can't <action>: <reason>`."""
    try:
        yield
    except OSError as error:
        raise ToolError(f"can't {action}: {error.strerror or error}.") from error
