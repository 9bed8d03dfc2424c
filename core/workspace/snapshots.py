"""The way in to the snapshots of a workspace: with git where it is there."""

from __future__ import annotations

from pathlib import Path

from core.workspace.base import Restored, Snapshot, Snapshots, check_workspace
from core.workspace.copies import FILES, CopyStore
from core.workspace.errors import WorkspaceError
from core.workspace.git import find_git
from core.workspace.shadow import ShadowGit
from core.workspace.treewatch import TreeWatch

__all__ = ["FILES", "CopyStore", "Restored", "Snapshot", "Snapshots", "WorkspaceError", "check_workspace"]


def open_snapshots(workspace: Path, folder: Path, watch: TreeWatch | None = None) -> Snapshots:
    """Snapshots of a workspace in the session's folder; with a watch, at no cost where nothing was changed since.

    Raises WorkspaceError when it can't be a workspace.
    """
    program, watch = find_git(workspace), watch or TreeWatch()
    return CopyStore(workspace, folder, watch) if program is None else ShadowGit(workspace, folder, watch, program)
