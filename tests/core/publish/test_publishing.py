"""A session for people elsewhere: no text of it becomes markup or leads out of the page; what is covered is gone."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest
from logbook import Logbook

from core.events import (
    Draft,
    GuidanceDelivered,
    HeadMoved,
    ModelRequested,
    ModelResponded,
    Price,
    RunnerAttached,
    ScreenLost,
    SessionOpened,
    ToolFinished,
    ToolStarted,
    Usage,
)
from core.folds.fold import Dispatcher
from core.folds.highlights import Highlights
from core.hidden import HIDDEN
from core.journal.bulk import BulkWriter
from core.journal.errors import JournalError
from core.journal.export import export_session, open_export, read_manifest
from core.journal.reader import Reader
from core.publish.film import read_film, redacted
from core.publish.inventory import take_stock
from core.publish.markdown import session_markdown
from core.publish.redaction import Cover
from core.publish.web import report_page, session_page

HOSTILE = (
    "</script><script>alert(1)</script> ![x](http://evil.example/p.png) | `a` \x1b[31m <img src=x onerror=alert(1)>"
    " \u202e\u200b\U000e0041\ufe0f\ufe0f\u00ad"
)
WHERE = "/home/ada/shop/cart.py for ada@analytical.example on engine9, see https://ci.internal.example/9 and 10.1.2.3"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "s1"
    with BulkWriter(folder, "s1") as writer:
        opened = SessionOpened(
            session="s1", name=HOSTILE, task=f"{HOSTILE} {WHERE}", workspace="/home/ada/shop", model="m", endpoint="e",
            profile="p", app_version="1",
        )  # fmt: skip
        writer.append(Draft(opened), 1_700_000_000_000_000)
        writer.append(Draft(RunnerAttached(pid=1, host="engine9", epoch=1, app_version="1")), 1_700_000_000_000_000)
        for number in range(30):
            at, key = 1_700_000_001_000_000 + number * 9_000_000, f"r{number}.1"
            asked = ModelRequested(
                model="m", body="", body_bytes=0, messages=1, marks=[], max_tokens=1, prompt_version="", parts={}
            )
            use = {"type": "tool_use", "id": "t", "name": "run_command", "input": {"command": "pytest"}}
            reply = ModelResponded(
                message_id="m", model="m", content=[{"type": "text", "text": HOSTILE}, use], stop_reason="tool_use",
                usage=Usage(fresh=number * 100, output=5), price=Price(cost="0.25"),
            )  # fmt: skip
            name = "run_command" if number else "\x1b]0;owned\x07\u202e"
            started = ToolStarted(name=name, use_id="t", arguments={"command": "pytest"}, effect="command")
            done = ToolFinished(name="run_command", use_id="t", ok=number % 7 != 3, content=f"{HOSTILE}\n{WHERE}", ms=9)
            for body, own in ((asked, key), (reply, key), (started, f"{key}.0"), (done, f"{key}.0")):
                writer.append(Draft(body, key=own), at)
        writer.append(Draft(GuidanceDelivered(text="Use a|b"), actor="user"), 1_700_000_900_000_000)
        writer.seal()
    return folder


def test_no_text_of_a_session_leaves_its_place_in_the_page(folder: Path) -> None:
    film = read_film(folder)
    for page in (
        session_page(film, [("Task", HOSTILE)]),
        report_page(film, [("Task", HOSTILE)], (film, [("Task", "x")])),
    ):
        assert "<img" not in page, page[page.index("<img") - 300 :][:400]
        assert page.count("<script>") <= 1 and "<script>alert" not in page
        assert not HIDDEN.search(page)
        tags = re.findall(r"<(?!/)[a-z][^>]*>", re.sub(r"<(script|style)[^>]*>.*?</\1>", "", page, flags=re.DOTALL))
        assert not [tag for tag in tags if re.search(r"\s(?:src|on\w+)=|href=.(?!#e)", tag)]
        assert "default-src 'none'" in page and "\x1b" not in page


def test_the_page_holds_the_whole_film_as_data(folder: Path) -> None:
    page = session_page(read_film(folder), [])
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    data = json.loads(found[1])
    assert data["last"] == 123 and len(data["calls"]) == 30 and data["cost"][-1][1] == 7.5
    assert sum(item["k"] == "result" for item in data["items"]) == 30
    assert "<svg" in page and "Spent" in page


def test_a_document_quotes_every_text(folder: Path) -> None:
    text = session_markdown(read_film(folder), [("Task", HOSTILE)])
    outside = re.sub(r"^(`{3,})text\n.*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    assert not HIDDEN.search(text)
    assert not re.search(r"(?<!\\)<(?:script|img)", outside) and not re.search(r"(?<!\\)!\[x\]", outside)
    assert "\x1b" not in text and "# " in text


def test_who_looked_on_what_the_machine_is_called_and_what_lies_beside_the_workspace_is_covered() -> None:
    log = Logbook()
    opened = msgspec.structs.replace(log.events[0].body, workspace="/srv/acme/shop/cart")  # type: ignore[type-var]
    log.events[0] = msgspec.structs.replace(log.events[0], body=opened)
    log.add(RunnerAttached(pid=1, host="vm", epoch=1, app_version="1"))
    log.add(ScreenLost(viewer="v", who="grace on pts/3 from hopper7"))
    cover = Cover(lambda value: value)
    cover.learn(log.events)
    assert cover({"host": "vm", "who": "grace on pts/3 from hopper7"}) == {
        "host": "[host]", "who": "[user] on pts/3 from [host]"
    }  # fmt: skip
    assert cover("/srv/acme/shop/cart/a.py, /srv/acme/venv/bin/python, a vm") == (
        "/workspace/a.py, /elsewhere/venv/bin/python, a vm"
    )


@pytest.mark.parametrize(("to", "words"), [(4, "Files as they were before (revert): a.py"), (2, "Went back to #2")])
def test_files_that_went_back_alone_are_no_way_back(to: int, words: str) -> None:
    highlights = Highlights()
    moved = HeadMoved(to=to, origin=4, reason="revert" if to == 4 else "rewind", files=["M a.py"])
    Dispatcher([highlights]).apply(Logbook().add(moved))
    (moment,) = highlights.moments()
    assert moment.text.startswith(words) and len(highlights.chapters) == (to != 4)


def test_notes_in_the_margin_go_along_and_can_be_left_at_home(folder: Path) -> None:
    from core.journal.margin import Margin, Note

    margin = Margin(notes={"a": Note(seq=7, text=f"Look here {HOSTILE}", by="ada", version=1)})
    film = redacted(read_film(folder, margin), lambda value: value)
    page, text = session_page(film, []), session_markdown(film, [])
    assert "<h2>Notes</h2>" in page and "data-seq='7'" in page and "<b>note by ada</b> Look here" in page
    assert "## Notes" in text and "**note by ada**: Look here" in text and "<script>alert" not in page
    assert "1, of which only md and html" in "\n".join(take_stock(folder, lambda value: value, margin=margin).lines())
    assert "Notes" not in session_page(read_film(folder), []) and "## Notes" not in session_markdown(
        read_film(folder), []
    )


def test_what_tells_where_and_who_is_covered_everywhere(folder: Path, tmp_path: Path) -> None:
    cover = Cover(lambda value: value)
    with Reader(folder) as reader:
        cover.learn(reader.events())
    export_session(folder, target := tmp_path / "film.longwatch", cover, about={"redacted": ["paths"]})
    copy = open_export(target, tmp_path)
    with Reader(copy) as reader:
        text = "\n".join(row.body for row in reader.raw())
        assert reader.verify() is None
    page = session_page(redacted(read_film(folder), cover), [])
    for word in ("ada", "engine9", "analytical", "ci.internal.example", "10.1.2.3"):
        assert not re.search(rf"\b{re.escape(word)}\b", text), word
        assert not re.search(rf"\b{re.escape(word)}\b", page), word
    assert "/workspace/cart.py" in text and "https://host-" in text
    assert read_manifest(target).about == {"redacted": ["paths"]}


def test_the_inventory_names_what_would_leave(folder: Path) -> None:
    lines = "\n".join(take_stock(folder, lambda value: value).lines())
    for words in ("123 events", "30 tool.finished", "/home/ada", "ci.internal.example", "ada@analytical.example"):
        assert words in lines, words


def test_a_broken_chain_is_said_to_be_broken_where_it_is(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import zipfile

    monkeypatch.setattr("core.journal.export._LINK_EVERY", 10)
    export_session(folder, target := tmp_path / "film.longwatch")
    with zipfile.ZipFile(target) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    lines = members["events.jsonl"].splitlines(keepends=True)
    lines[44] = lines[44].replace(b"pytest", b"pytset")
    with zipfile.ZipFile(forged := tmp_path / "forged.longwatch", "w") as archive:
        for name, data in (members | {"events.jsonl": b"".join(lines)}).items():
            archive.writestr(name, data)
    with pytest.raises(JournalError, match="somewhere from #41 to #50"):
        open_export(forged, tmp_path)


def test_a_dozen_moments_hold_the_beginning_the_end_and_few_of_each_kind(folder: Path) -> None:
    highlights = Highlights()
    with Reader(folder) as reader:
        for event in reader.events():
            if handler := highlights.handlers().get(event.kind):
                handler(event)
    moments = highlights.moments()
    assert (
        len(moments) <= 12
        and moments[0].kind == "begin"
        and [one.seq for one in moments] == sorted(one.seq for one in moments)
    )
    assert sum(one.kind == "error" for one in moments) == 3 and any(one.kind == "human" for one in moments)
