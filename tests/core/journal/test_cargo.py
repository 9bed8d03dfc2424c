"""Exports with files: every state comes back but for secrets; what is forged or leads elsewhere is refused."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from logbook import Logbook

from core.changes.net import differing
from core.events import CheckpointMade, Draft, ToolFinished
from core.journal.bulk import BulkWriter
from core.journal.cargo import trees_of
from core.journal.errors import JournalError
from core.journal.export import export_session, open_export
from core.journal.reader import Reader
from core.workspace.base import Entry
from core.workspace.objects import FILE, LINK, PROGRAM, ObjectStore, hash_of
from core.workspace.snapshots import FILES
from tui.cli import cli

ID = "01m8mwmqn4z7stnwdgd9p6gkyv"
TOKEN = "S3cr3t-t0ken-value"
BEFORE = {"a.py": (FILE, b"one\n"), "src/run": (PROGRAM, b"#!/bin/sh\n\x00\xff"), "src/link": (LINK, b"../a.py")}
AFTER = BEFORE | {"a.py": (FILE, f"one\nkey = {TOKEN!r}\n".encode()), "new\nname": (FILE, b"")}
TELLING = {f"{TOKEN}/{TOKEN}.pem": (FILE, b"1\n"), f"{TOKEN}/[redacted: value of MY_API_KEY].pem": (FILE, b"2\n")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A session with two states of its files."""
    folder = tmp_path / "home" / "sessions" / ID
    store = ObjectStore(folder / FILES)
    with BulkWriter(folder, ID) as writer:
        store.prepare()
        trees = [
            store.write_tree({path: Entry(mode, store.put("blob", data)) for path, (mode, data) in files.items()})
            for files in (BEFORE, AFTER | TELLING)
        ]
        finished = ToolFinished(name="edit_file", use_id="t", ok=True, content="", tree=trees[1])
        for body, key in ((Logbook().events[0].body, None), (CheckpointMade(tree=trees[0], backend="git"), "c1")):
            writer.append(Draft(body, key=key), 1_700_000_000_000_000)
        writer.append(Draft(finished, key="r1.1.0"), 1_700_000_000_000_001)
        writer.seal()
    return folder


def states(folder: Path) -> list[dict[str, tuple[int, bytes]]]:
    store = ObjectStore(folder / FILES)
    with Reader(folder) as reader:
        trees = trees_of(reader)
    return [{path: (mode, store.get(oid)) for path, (mode, oid) in store.read_tree(tree).items()} for tree in trees]


def test_every_state_comes_back_with_mode_link_and_odd_name(folder: Path, tmp_path: Path) -> None:
    export_session(folder, tmp_path / "f.longwatch", files=True)
    copy = open_export(tmp_path / "f.longwatch", tmp_path)
    assert states(copy) == [BEFORE, AFTER | TELLING]
    with Reader(copy) as reader:
        assert reader.verify() is None
        assert [file.path for file in differing(copy, *trees_of(reader))] == sorted(["a.py", "new\nname", *TELLING])
    export_session(folder, tmp_path / "n.longwatch")
    assert not (open_export(tmp_path / "n.longwatch", tmp_path) / FILES).exists()


def test_secrets_are_taken_out_of_files_and_the_rest_still_fits(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_API_KEY", TOKEN)

    def run(*words: str) -> str:
        done = CliRunner().invoke(cli, ["--home", str(tmp_path / "home"), *words], standalone_mode=False)
        assert done.exception is None, done.exception
        return done.output

    file = tmp_path / "f.longwatch"
    assert "--files takes them along: 2 states of 7 contents" in run("export", ID, "--preview")
    run("export", ID, str(file), "--files")
    with zipfile.ZipFile(file) as archive:
        assert not [name for name in archive.namelist() if TOKEN.encode() in archive.read(name)]
    run("--home", str(tmp_path / "other"), "import", str(file))
    assert "[redacted" in run("--home", str(tmp_path / "other"), "diff", "")
    made = run("--home", str(tmp_path / "other"), "fork", str(file), "--into", str(tmp_path / "into"))
    assert "a copy" in made and b"[redacted" in (tmp_path / "into" / "a.py").read_bytes()
    assert (tmp_path / "into" / "src" / "link").readlink() == Path("../a.py")
    hidden = "[redacted: value of MY_API_KEY]"
    named = sorted(path.name for path in (tmp_path / "into" / hidden).iterdir())
    assert named == [f"{hidden}.pem", f"{hidden}.pem~2"], "two files that are told apart by a secret are both there"


def tree(mode: int, name: bytes) -> tuple[str, bytes]:
    data = b"%o %s\0%s" % (mode, name, bytes(20))
    return f"files/tree/{hash_of('tree', data)}", data


@pytest.mark.parametrize(
    "forged",
    [
        tree(FILE, b"../../etc/cron.d/x"),
        tree(FILE, b".."),
        tree(0o40000, b".GIT"),
        tree(0o160000, b"module"),
        (f"files/blob/{'0' * 40}", b"not what it says"),
        ("files/hooks/post-checkout", b"#!/bin/sh"),
        ("files/../../../x", b"x"),
        (f"files/tree/{hash_of('tree', b'100644 cut')}", b"100644 cut"),
    ],
)
def test_forged_files_are_refused_and_nothing_is_left_behind(
    folder: Path, tmp_path: Path, forged: tuple[str, bytes]
) -> None:
    file = tmp_path / "f.longwatch"
    export_session(folder, file, files=True)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(*forged)
    (into := tmp_path / "into").mkdir()
    with pytest.raises(JournalError, match="damaged"):
        open_export(file, into)
    assert not list(into.iterdir())


def test_what_unpacks_to_too_much_is_refused(folder: Path, tmp_path: Path) -> None:
    export_session(folder, file := tmp_path / "f.longwatch", files=True)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"files/blob/{'1' * 40}", b"0" * 10**7)
    with pytest.raises(JournalError, match="more than is allowed"):
        open_export(file, tmp_path, max_bytes=10**6)
