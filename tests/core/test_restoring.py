from pathlib import Path

import pytest

from core.config import Config
from core.folds.file_states import Handwork
from core.models.profiles import resolve_endpoint
from core.restoring import Restoring
from core.session import NewSession, create
from core.workspace.errors import WorkspaceError
from core.workspace.snapshots import open_snapshots


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    place = tmp_path / "project"
    place.mkdir()
    return place


async def test_a_preview_tells_calls_from_hands_and_touches_nothing(tmp_path: Path, workspace: Path) -> None:
    endpoint = resolve_endpoint(Config(), "simulated/echo")
    folder = await create(tmp_path / "home", NewSession("A task.", workspace, endpoint))
    snapshots = open_snapshots(workspace, folder)
    (workspace / "calls.txt").write_text("0\n")
    target = await snapshots.snapshot("before a call")
    (workspace / "calls.txt").write_text("1\n")
    left = await snapshots.left()
    (workspace / "mine.txt").write_text("mine\n")
    assert target.tree is not None
    files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and "journal" not in path.name}
    preview = await Restoring(folder).preview(target.tree, Handwork((), left))
    assert [(fate.status, fate.path) for fate in preview.files] == [("M", "calls.txt"), ("D", "mine.txt")]
    assert preview.by_hand == {"mine.txt"}
    assert all(path.read_bytes() == data for path, data in files.items())
    assert (workspace / "mine.txt").exists() and (workspace / "calls.txt").read_text() == "1\n"
    with pytest.raises(WorkspaceError):
        await Restoring(folder).preview("0" * 40, Handwork((), None))
