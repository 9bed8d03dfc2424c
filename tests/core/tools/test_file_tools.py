from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from tool_helpers import Bench

from core.tools.base import ToolError
from core.tools.files import ListFiles, ReadFile


async def test_a_listing_shows_paths_sizes_and_links_and_enters_no_caches(bench: Bench) -> None:
    bench.write("b.py", "12345")
    bench.write("a/x.py", "1")
    bench.write("a/deep/y.py", "")
    bench.write("node_modules/lib/index.js", "")
    bench.write("a/__pycache__/x.pyc", "")
    (bench.workspace / "link").symlink_to("b.py")
    outcome = await bench(ListFiles())
    assert outcome.content.splitlines() == [
        "a/",
        "a/__pycache__/  (not entered)",
        "a/deep/  1 entry",
        "a/x.py  1 byte",
        "b.py  5 bytes",
        "link -> b.py",
        "node_modules/  (not entered)",
    ]


async def test_an_ignored_folder_can_be_listed_by_its_path(bench: Bench) -> None:
    bench.write("node_modules/lib/index.js", "")
    assert "node_modules/lib/index.js  0 bytes" in (await bench(ListFiles(), path="node_modules")).content


async def test_the_workspace_may_name_more_to_leave_out(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ignore=["vendor/", "docs/api"])
    for name in ("vendor/x", "docs/api/x", "docs/guide"):
        bench.write(name, "")
    lines = (await bench(ListFiles())).content.splitlines()
    assert lines == ["docs/", "docs/api/  (not entered)", "docs/guide  0 bytes", "vendor/  (not entered)"]


async def test_a_listing_is_capped_in_all_and_in_each_folder(bench: Bench) -> None:
    for number in range(250):
        bench.write(f"many/{number:03}", "")
    bench.write("z", "")
    lines = (await bench(ListFiles())).content.splitlines()
    assert lines[-2:] == ["[… 50 entries more in many/ …]", "z  0 bytes"]
    lines = (await bench(ListFiles(), limit=10)).content.splitlines()
    assert len(lines) == 11 and "more than 10 entries" in lines[-1]


async def test_odd_names_and_missing_folders_are_no_trouble(bench: Bench) -> None:
    (bench.workspace / os.fsdecode(b"caf\xe9")).touch()
    (bench.workspace / "dead").symlink_to("nowhere")
    content = (await bench(ListFiles())).content
    assert "caf\ufffd" in content and "dead -> nowhere" in content
    content.encode()
    bench.write("file", "")
    for name in ("missing", "file"):
        with pytest.raises(ToolError, match=f"can't list {name}"):
            await bench(ListFiles(), path=name)
    (bench.workspace / "empty").mkdir()
    assert (await bench(ListFiles(), path="empty")).content == "empty is empty."


async def test_a_file_is_read_as_numbered_lines_and_its_hash_is_kept(bench: Bench) -> None:
    path = bench.write("a.py", "one\ntwo\r\nthree")
    outcome = await bench(ReadFile(), path="a.py")
    assert outcome.content == "a.py · lines 1-3 of 3\n1\tone\n2\ttwo\n3\tthree"
    assert bench.read_hashes == {"a.py": hashlib.sha256(path.read_bytes()).hexdigest()}


async def test_a_long_file_is_read_in_pages(bench: Bench) -> None:
    bench.write("long", "".join(f"{number}\n" for number in range(1, 5_001)))
    first = (await bench(ReadFile(), path="long")).content.splitlines()
    assert len(first) == 2_002 and first[-1] == "[… 3,000 lines more; go on with offset=2001 …]"
    page = (await bench(ReadFile(), path="long", offset=4_999, limit=10)).content
    assert page == "long · lines 4999-5000 of 5,000\n4999\t4999\n5000\t5000"
    with pytest.raises(ToolError, match=r"long has 5,000 lines; offset 9000 is beyond"):
        await bench(ReadFile(), path="long", offset=9_000)


async def test_a_page_has_100_kb_at_most_and_says_where_to_go_on(bench: Bench) -> None:
    bench.write("wide", ("w" * 1_000 + "\n") * 300)
    content = (await bench(ReadFile(), path="wide")).content
    assert len(content) < 102_000
    assert content.endswith("[… 200 lines more; go on with offset=101 …]")


async def test_one_line_of_50_mb_is_cut_with_its_length(bench: Bench) -> None:
    path = bench.write("min.js", b"")
    with path.open("wb") as file:
        for _ in range(50):
            file.write(b"x" * 1_000_000)
        file.write(b"\nend\n")
    content = (await bench(ReadFile(), path="min.js")).content
    assert "[… 49,998,000 more characters in this line …]\n2\tend" in content
    assert len(content) < 2_200


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ("\ufeffäö\n".encode(), "äö"),
        (b"caf\xe9\n", "café"),
        ("\ufeffhé\n".encode("utf-16-le"), "hé"),
        ("\ufeffhé\n".encode("utf-16-be"), "hé"),
    ],
)
async def test_encodings_are_recognised(bench: Bench, data: bytes, shown: str) -> None:
    bench.write("text", data)
    assert (await bench(ReadFile(), path="text")).content == f"text · lines 1-1 of 1\n1\t{shown}"


async def test_what_is_no_text_is_refused_with_a_reason(bench: Bench) -> None:
    bench.write("pic.png", b"\x89PNG\r\n\x1a\n" + bytes(500))
    os.mkfifo(bench.workspace / "pipe")
    for name, reason in {
        "pic.png": "a PNG image, 508 bytes",
        "pipe": "not a regular file",
        ".": "is a folder",
        "none": "can't read none: No such file",
    }.items():
        with pytest.raises(ToolError, match=reason):
            await bench(ReadFile(), path=name)
    bench.write("empty", "")
    assert (await bench(ReadFile(), path="empty")).content == "empty is empty."


async def test_200_mb_of_nothing_are_told_apart_from_text_at_once(bench: Bench) -> None:
    with bench.write("sparse", "").open("wb") as file:
        file.truncate(200_000_000)
    with pytest.raises(ToolError, match="200,000,000 bytes"):
        await bench(ReadFile(), path="sparse")
