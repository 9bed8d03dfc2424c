"""The fixtures that both files of this room use."""

from test_snapshots import beside_git, workspace

__all__ = ["beside_git", "workspace"]
