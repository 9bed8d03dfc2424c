"""Films of other tools: each format gives its replies, calls, edits, tokens, cost, times, or says what is unknown."""

from __future__ import annotations

import gzip
import json
import os
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import transcripts as made

from core.agent.hindsight import hindsight
from core.events import Event, ImportKept, ModelResponded, SessionOpened, ToolFinished, ToolStarted
from core.folds.report import report
from core.folds.view import SessionView
from core.importers.importing import Imported, Importer
from core.importers.rows import ImportProblem
from core.journal.catalogue import session_folder
from core.journal.errors import JournalError
from core.journal.reader import Reader
from core.overview import read_totals


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def imported(home: Path, path: Path) -> Imported:
    return Importer(home, {}).read(path)


def events_of(home: Path, result: Imported, index: int = 0) -> list[Event]:
    with Reader(session_folder(home, result.sessions[index].id)) as reader:
        assert reader.verify() is None
        return reader.events()


def told(home: Path, result: Imported, index: int = 0) -> dict[str, Any]:
    return report(read_totals(session_folder(home, result.sessions[index].id)), running=False)


def calls(events: list[Event]) -> list[tuple[str, bool, int | None]]:
    """Each call by name, whether it worked, and its exit code, in the order of the results."""
    bodies = [event.body for event in events if isinstance(event.body, ToolFinished)]
    return [(body.name, body.ok, body.exit_code) for body in bodies]


def test_claude_code_rows_of_one_reply_are_one_reply_counted_once(home: Path, tmp_path: Path) -> None:
    result = imported(home, made.jsonl(tmp_path / "a.jsonl", made.claude_rows()))
    events, fields = events_of(home, result), told(home, result)
    assert (fields["turns"], fields["tool_calls"], fields["tool_errors"]) == (4, 5, 1)
    assert fields["tokens"]["output"] == 120 + 80 + 30 + 15 + 9 + 6
    assert fields["tokens"]["cache_read"] == 9_000 + 9_600 + 2_000
    first = next(event.body for event in events if isinstance(event.body, ModelResponded))
    assert [block["type"] for block in first.content] == ["thinking", "tool_use", "tool_use"]
    assert Decimal(first.price.cost or 0) == (10 * 3 + 9_000 * Decimal("3.75") + 120 * 15) / Decimal(1_000_000)
    assert calls(events)[:3] == [("Read", True, None), ("Bash", False, 2), ("Edit", True, None)]


def test_claude_code_edits_have_their_diff_and_counts(home: Path, tmp_path: Path) -> None:
    events = events_of(home, imported(home, made.jsonl(tmp_path / "a.jsonl", made.claude_rows())))
    edit = next(event.body for event in events if isinstance(event.body, ToolFinished) and event.body.files)
    assert [(change.path, change.added, change.removed) for change in edit.files] == [("cart.py", 2, 1)]
    assert "@@ -3,2 +3,3 @@\n def total():\n-    pass\n+    x = 1" in edit.content


def test_a_subagent_costs_and_calls_but_is_no_part_of_the_context(home: Path, tmp_path: Path) -> None:
    result = imported(home, made.jsonl(tmp_path / "a.jsonl", made.claude_rows()))
    view = SessionView()
    view.apply_all(events_of(home, result))
    assert told(home, result)["cost_by_purpose"]["subagent"] > 0
    assert [row.name for row in view.tool_calls.rows] == ["Read", "Bash", "Edit", "Task", "Grep"]
    labels = [item.label for item in view.context_items.items(view.context.compressions[0][0] - 1)]
    assert any("Task" in label for label in labels) and not any("Grep" in label for label in labels)
    assert "(subagent) It is in cart.py" in [item.text for item in view.items()]


def test_a_compaction_is_a_compression_with_its_summary(home: Path, tmp_path: Path) -> None:
    view = SessionView()
    view.apply_all(events_of(home, imported(home, made.jsonl(tmp_path / "a.jsonl", made.claude_rows()))))
    assert [(before, after) for _, before, after in view.context.compressions] == [(9_812, 7)]
    assert [item.kind for item in view.context_items.items()] == ["task", "digest", "reply"]


def test_two_sessions_in_one_file_become_two(home: Path, tmp_path: Path) -> None:
    other = [{**row, "sessionId": "s-2"} for row in made.claude_rows() if "sessionId" in row]
    mixed = [row for pair in zip(made.claude_rows()[1:], other, strict=True) for row in pair]
    result = imported(home, made.jsonl(tmp_path / "two.jsonl", mixed))
    assert [(one.replies, one.calls) for one in result.sessions] == [(4, 5), (4, 5)]
    assert told(home, result, 0)["tokens"] == told(home, result, 1)["tokens"]


def test_codex_tokens_are_told_with_their_cached_part(home: Path, tmp_path: Path) -> None:
    result = imported(home, made.jsonl(tmp_path / "r.jsonl", made.codex_rows()))
    events, fields = events_of(home, result), told(home, result)
    assert fields["tokens"] == {
        "fresh_input": 1_450,
        "cache_read": 1_200,
        "cache_write": 0,
        "output": 250,
        "sent": 2_650,
    }
    assert calls(events) == [("exec_command", False, 1), ("apply_patch", True, 0), ("update_plan", True, None)]
    assert fields["files_changed"] == ["cart.py", "new.py"]
    assert fields["plan_steps"] == {"done": 1, "total": 2}
    assert fields["compressions"] == 1
    opened = events[0].body
    assert isinstance(opened, SessionOpened) and (opened.task, opened.model) == ("Mend the cart", "gpt-5-codex")
    run = next(event.body for event in events if isinstance(event.body, ToolStarted))
    assert run.arguments == {"command": "pytest -q"} and run.effect == "command"


def test_the_first_rollouts_wrote_bare_items(home: Path, tmp_path: Path) -> None:
    head = {"id": "old", "timestamp": f"{made.DAY}00:00Z", "instructions": "be good"}
    bare = [row["payload"] for row in made.codex_rows() if row["type"] == "response_item"]
    result = imported(home, made.jsonl(tmp_path / "old.jsonl", [head, {"record_type": "state"}, *bare]))
    assert result.sessions[0].calls == 3 and told(home, result)["tokens"]["sent"] is None


def test_mini_swe_agent_tells_each_replys_cost(home: Path, tmp_path: Path) -> None:
    result = imported(home, made.document(tmp_path / "m.json", made.mini_document()))
    fields = told(home, result)
    assert (fields["cost_usd"], fields["state"], fields["duration_s"]) == (0.025, "finished", 12.0)
    assert calls(events_of(home, result)) == [("bash", True, 0), ("bash", False, 1)]


def test_what_only_the_whole_is_known_to_have_cost_is_one_charge_at_the_end(home: Path, tmp_path: Path) -> None:
    fields = told(home, imported(home, made.document(tmp_path / "m.json", made.mini_document(priced=False))))
    assert (fields["cost_usd"], fields["cost_by_purpose"]["total"]) == (0.025, 0.025)
    assert fields["started_at"] is None and fields["duration_s"] == 0


def test_swe_agent_tells_no_times_and_they_stay_unknown(home: Path, tmp_path: Path) -> None:
    result = imported(home, made.document(tmp_path / "s.traj", made.swe_document()))
    events, fields = events_of(home, result), told(home, result)
    assert {event.at_us for event in events} == {0}
    assert (fields["started_at"], fields["cost_usd"], fields["tokens"]["sent"]) == (None, 0.75, 12_000)
    assert (fields["task"], fields["model"]) == ("Mend the cart", "gpt-4o")
    assert [body.ms for event in events if isinstance(body := event.body, ToolFinished)] == [250, 1_500]


def test_a_bare_chat_is_read_and_named_for_its_file(home: Path, tmp_path: Path) -> None:
    messages = [{key: it[key] for key in ("role", "content")} for it in made.mini_document()["messages"][:-1]]
    for name, value in (("cart.traj.json", messages), ("till.json", {"history": messages})):
        result = imported(home, made.document(tmp_path / name, value))
        assert (result.what, result.sessions[0].name) == ("messages of a chat", name.partition(".")[0])
        assert calls(events_of(home, result)) == [("bash", True, 0), ("bash", False, 1)]


def test_what_an_editor_says_before_a_request_does_not_name_the_session(home: Path, tmp_path: Path) -> None:
    rows = made.codex_rows()
    told_by_editor = (
        "# Context from my IDE setup:\n\n## Open tabs:\n- a.py\n\n## My request for Codex:\nSpeed up the till"
    )
    said = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": told_by_editor}]}
    rows.insert(1, made.codex_row("00:01", "response_item", said))
    result = imported(home, made.jsonl(tmp_path / "r.jsonl", rows))
    assert result.sessions[0].name == "speed-up-the-till"


def test_a_cache_of_which_no_lifetime_is_told_lives_as_long_as_it_was_seen_to(home: Path, tmp_path: Path) -> None:
    rows, total = [made.codex_rows()[0], made.codex_row("00:01", "turn_context", {"model": "gpt-5-codex"})], 0
    for turn in range(12):
        total += 10_000 + 1_000 * turn
        says = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": f"Step {turn}."}]}
        rows.append(made.codex_row(f"{turn:02}:20", "response_item", says))
        counted = made.codex_counted(f"{turn:02}:30", total, (10_000 + 1_000 * turn, 9_000 + 1_000 * turn, 100))
        rows.append(counted)
    result = imported(home, made.jsonl(tmp_path / "r.jsonl", rows))
    fields = hindsight(session_folder(home, result.sessions[0].id))
    spent = Decimal(str(told(home, result)["cost_usd"]))
    assert spent / 2 < Decimal(str(dict(fields.counterfactuals)["no compression"])) < spent * 2


def test_openhands_events_of_both_ages(home: Path, tmp_path: Path) -> None:
    now = imported(home, made.jsonl(tmp_path / "e.jsonl", made.openhands_sdk()))
    assert calls(events_of(home, now)) == [("terminal", False, 1), ("file_editor", True, None)]
    assert (now.sessions[0].replies, now.sessions[0].kept) == (2, {"PauseEvent": 1})
    assert told(home, now)["tokens"]["sent"] is None and told(home, now)["cost_usd"] is None
    before = imported(home, made.document(tmp_path / "t.json", {"history": made.openhands_legacy()}))
    fields = told(home, before)
    assert (fields["cost_usd"], fields["tokens"]["cache_read"], fields["state"]) == (0.05, 300, "finished")


def test_openhands_events_in_a_folder(home: Path, tmp_path: Path) -> None:
    (folder := tmp_path / "conversation" / "events").mkdir(parents=True)
    for number, event in enumerate(made.openhands_sdk()):
        made.document(folder / f"event-{number:05}-{event['id'][:4]}.json", event)
    result = imported(home, folder.parent)
    assert (result.sessions[0].replies, result.sessions[0].calls) == (2, 2)


@pytest.mark.parametrize("zipped", [False, True])
def test_each_sample_of_inspect_is_a_session(home: Path, tmp_path: Path, zipped: bool) -> None:
    path = (
        made.inspect_archive(tmp_path / "l.eval") if zipped else made.document(tmp_path / "l.json", made.inspect_log())
    )
    result = imported(home, path)
    assert [one.name for one in result.sessions] == ["shop-1", "shop-2"]
    fields = told(home, result)
    assert fields["tokens"] == {"fresh_input": 24, "cache_read": 2_000, "cache_write": 0, "output": 60, "sent": 2_024}
    assert (fields["duration_s"], fields["state"]) == (6.0, "finished")
    finished = next(event.body for event in events_of(home, result) if isinstance(event.body, ToolFinished))
    assert (finished.content, finished.ms) == ("a long output", 500)
    assert not (tmp_path / "outside.json").exists() and not (tmp_path.parent / "outside.json").exists()


def test_unknown_rows_are_kept_whole_and_counted(home: Path, tmp_path: Path) -> None:
    rows = [*made.claude_rows(), {"type": "telepathy", "sessionId": "s-1", "uuid": "z", "thought": {"deep": [1, 2]}}]
    result = imported(home, made.jsonl(tmp_path / "a.jsonl", rows))
    assert result.sessions[0].kept["telepathy"] == 1
    kept = [event.body for event in events_of(home, result) if isinstance(event.body, ImportKept)]
    assert kept[-1].fields["thought"] == {"deep": [1, 2]} and kept[-1].row == len(rows)


def test_bad_rows_are_counted_and_the_rest_is_taken(home: Path, tmp_path: Path) -> None:
    rows = [json.dumps(row) for row in made.claude_rows()]
    cut = "\n".join([*rows[:5], "not json", "[1]", "{}", *rows[5:]])[:-30]
    (path := tmp_path / "cut.jsonl").write_text(cut)
    result = imported(home, path)
    assert result.tally.unreadable == 3 and result.sessions[0].replies == 3
    assert result.sessions[0].kept["cut off in the middle of a row"] == 1


def test_rows_out_of_order_still_find_their_calls(home: Path, tmp_path: Path) -> None:
    rows = made.claude_rows()
    rows[4], rows[5] = rows[5], rows[4]
    result = imported(home, made.jsonl(tmp_path / "a.jsonl", rows))
    assert sum(ok for _, ok, _ in calls(events_of(home, result))) == 4
    assert "result without a call" not in result.sessions[0].kept


def test_a_call_without_a_result_says_so(home: Path, tmp_path: Path) -> None:
    result = imported(home, made.jsonl(tmp_path / "a.jsonl", made.claude_rows()[:5]))
    last = [event.body for event in events_of(home, result) if isinstance(event.body, ToolFinished)][-1]
    assert not last.ok and last.recovered and "no result" in last.content


def test_a_gigantic_row_is_passed_over(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.importers.rows.MAX_ROW", 4_000)
    rows: list[Any] = made.claude_rows()
    rows.insert(5, {"type": "user", "sessionId": "s-1", "uuid": "big", "x": "y" * 9_000})
    result = imported(home, made.jsonl(tmp_path / "a.jsonl", rows))
    assert result.tally.unreadable == 1 and result.sessions[0].calls == 5


def test_secrets_are_taken_out_of_tool_output(home: Path, tmp_path: Path) -> None:
    text = json.dumps(made.claude_rows()).replace("1 failed", "token sk-ant-" + "a1b2c3d4" * 4)
    result = imported(home, made.jsonl(tmp_path / "a.jsonl", json.loads(text)))
    bodies = [event.body for event in events_of(home, result) if isinstance(event.body, ToolFinished)]
    assert "[redacted: Anthropic key]" in bodies[1].content


NO_TRANSCRIPTS = {
    "empty": ("", "is empty"),
    "words": ("hello\nworld\n", "it is text and no JSON, and begins with 'hello world'"),
    "blank lines": ("\n \n", "it holds nothing but blank lines"),
    "other rows": ('{"a": 1, "b": 2}\n{"a": 3, "b": 4}\n', "it holds rows of JSON with the fields a, b"),
    "a number": ("42", "it is one JSON value"),
    "a list": ("[1, 2,\n 3]", "it is a JSON list of 3"),
    "a document cut off": ('{\n "trajectory": [\n  {"action"', "it is damaged, or cut off"),
    "a zip of something": ("PK", "damaged zip archive"),
    "a transcript of nothing": (
        '{"type":"summary","summary":"x","leafUuid":"y","sessionId":"z"}\n',
        "nothing in it was said",
    ),
}


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (gzip.compress(b"{}", mtime=0), "compressed by gzip; unpack it first"),
        ('{"type": "user"}\n'.encode("utf-16"), "text in UTF-16; `iconv"),
        (b"\0\1\2" * 900, "it is binary data"),
    ],
)
def test_bytes_that_are_no_text_are_refused_with_what_they_are(home: Path, tmp_path: Path, data: bytes, sentence: str):
    (path := tmp_path / "f.jsonl").write_bytes(data)
    with pytest.raises(ImportProblem, match=sentence):
        imported(home, path)


def test_a_pipe_is_read_like_a_file(home: Path, tmp_path: Path) -> None:
    os.mkfifo(pipe := tmp_path / "pipe")

    def imported_from(text: str) -> Imported:
        writer = threading.Thread(target=pipe.write_text, args=(text,))
        writer.start()
        try:
            return imported(home, pipe)
        finally:
            writer.join()

    assert imported_from(made.jsonl(tmp_path / "a", made.claude_rows()).read_text()).sessions[0].calls == 5
    with pytest.raises(ImportProblem, match=f"^{pipe} is no transcript"):
        imported_from("no transcript")


def test_rows_that_are_older_than_the_one_before_are_counted_once_each(home: Path, tmp_path: Path) -> None:
    rows = made.claude_rows()
    result = imported(home, made.jsonl(tmp_path / "a.jsonl", [rows[0], *reversed(rows[1:])]))
    assert 0 < result.sessions[0].early < len(rows)


@pytest.mark.parametrize("name", NO_TRANSCRIPTS)
def test_what_is_no_transcript_is_refused_with_what_it_is(home: Path, tmp_path: Path, name: str) -> None:
    text, sentence = NO_TRANSCRIPTS[name]
    (path := tmp_path / "f.jsonl").write_text(text)
    with pytest.raises(ImportProblem, match=sentence):
        imported(home, path)
    assert not [left for left in home.iterdir() if left.name != "sessions"]


async def test_an_imported_session_takes_a_bookmark_and_a_name_but_is_not_gone_on_with(
    home: Path, tmp_path: Path
) -> None:
    from core.clock import SystemClock
    from core.config import Config
    from core.controls import SessionControls
    from core.session import continue_session

    result = imported(home, made.jsonl(tmp_path / "a.jsonl", made.claude_rows()))
    folder = session_folder(home, result.sessions[0].id)
    await SessionControls(folder).send("bookmark", {"text": "look here"})
    assert any(event.kind == "bookmark.added" for event in events_of(home, result))
    with pytest.raises(JournalError, match="imported from Claude Code"):
        await continue_session(folder, Config(), SystemClock())
    view = SessionView()
    view.apply_all(events_of(home, result))
    account = view.absence.since(0, now_us=view.timeline.at_us(view.last_seq), running=False)
    assert account.verdict.standing == "stopped" and "Imported" in account.verdict.text and not account.asks
