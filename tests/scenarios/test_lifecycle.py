"""How sessions begin, end, are interrupted, gone on with, read by programs and deleted."""

import asyncio
import json
import signal
from pathlib import Path

import pytest
from processes import command, prose, until
from terminals import Terminal

from core.controls import SessionControls
from core.journal.lease import holder

REPORT_FIELDS = {
    **dict.fromkeys(("session", "name", "state", "reason", "task", "model", "started_at"), str),
    **dict.fromkeys(("turns", "requests", "tool_calls", "tool_errors", "no_progress_repeats", "compressions"), int),
    **dict.fromkeys(("checkpoints", "rewinds", "corrections", "interventions", "retries", "recoveries"), int),
    **dict.fromkeys(("duration_s", "calls_per_hour", "repetition_rate", "cache_hit_rate", "cost_usd"), float),
    **dict.fromkeys(("tool_calls_by_name", "tokens", "cost_by_model", "cost_by_purpose", "plan_steps"), dict),
    "memory_entries": int,
    "files_changed": list,
}

WAITING = [command("echo 1 > made.txt"), command("sleep 600"), command("echo on")]


def run_to_the_end(longwatch, *rows):
    options = ["--headless", "--json", "--speed", "0", "--workspace", str(longwatch.workspace)]
    answer = longwatch.here("run", "Do the steps.", "--model", longwatch.script(*rows), *options)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def go_on_to_the_end(longwatch):
    answer = longwatch.here("resume", "--headless", "--speed", "0")
    assert answer.returncode == 0, answer.stderr
    assert longwatch.report()["state"] == "finished"


def test_detached_it_goes_on_without_the_prompt_until_it_is_stopped(longwatch):
    model = longwatch.script(*WAITING)
    options = ["--detach", "--speed", "0", "--workspace", str(longwatch.workspace)]
    answer = longwatch.call("run", "Do the steps.", "--model", model, *options)
    assert answer.returncode == 0
    assert "longwatch attach" in answer.stdout
    until(lambda: longwatch.count("tool.started") == 2)
    (listed,) = json.loads(longwatch.here("ls", "--json").stdout)
    assert listed["state"] == "running" and listed["bytes"] > 10_000
    refused = longwatch.here("rm", longwatch.folder().name, "--yes")
    assert refused.returncode == 2
    assert "is running; stop it first" in refused.stderr
    assert longwatch.here("send", "", "stop").stdout == "accepted: stop\n"
    until(lambda: holder(longwatch.folder()) is None)
    assert (longwatch.report()["state"], longwatch.report()["reason"]) == ("stopped", "operator")
    go_on_to_the_end(longwatch)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_headless_run_with_130_and_it_can_be_resumed(longwatch, number):
    process = longwatch.run(longwatch.script(*WAITING))
    until(lambda: list(longwatch.home.glob("sessions/*/jobs/*/started")) and longwatch.count("tool.started") == 2)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.splitlines()[-1].startswith("longwatch: interrupted; `longwatch resume ")
    finished = [event for event in longwatch.events() if event.kind == "tool.finished"]
    assert [event.body.ok for event in finished] == [True, False]
    go_on_to_the_end(longwatch)


def test_a_signal_that_was_ignored_from_the_start_stays_ignored(longwatch):
    process = longwatch.run(
        longwatch.script(command("sleep 0.5"), command("echo on")),
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    until(lambda: longwatch.count("tool.started"))
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=60)
    assert process.returncode == 0


def test_a_log_file_without_room_stops_no_headless_session(longwatch):
    with Path("/dev/full").open("w") as full:
        process = longwatch.run(longwatch.script(command("echo x >> log")), stdout=full.fileno())
        assert process.communicate()[1].count("nothing more is printed (No space left on device)") == 1
    assert process.returncode == 0 and longwatch.report()["state"] == "finished"


def test_a_finished_session_goes_on_only_when_there_is_something_new_to_do(longwatch):
    run_to_the_end(longwatch, command("echo 1 > made.txt"))
    refused = longwatch.here("resume", "--headless")
    assert refused.returncode == 2
    assert "send" in refused.stderr
    assert "guide TEXT" in refused.stderr
    assert longwatch.here("send", "", "guide", "One", "more.").returncode == 0
    go_on_to_the_end(longwatch)
    delivered = [event.body.text for event in longwatch.events() if event.kind == "guidance.delivered"]
    assert delivered == ["One more."]
    target = next(event.seq for event in longwatch.events() if event.kind == "tool.finished")
    assert longwatch.here("send", "", "rewind", str(target)).returncode == 0
    go_on_to_the_end(longwatch)


def test_each_end_has_its_exit_code_and_says_how_to_go_on(longwatch):
    process = longwatch.run(longwatch.script(*[command("echo 1")] * 4, command("sleep 600")), "--budget", "0.005")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "budget" in errors
    assert "longwatch resume" in errors
    assert longwatch.report()["reason"] == "budget"
    resumed = Terminal(longwatch, "resume", "--headless", "--speed", "0", "--budget", "5")
    until(lambda: longwatch.count("tool.started") == 5)
    second = longwatch.here("resume", "--headless")
    assert second.returncode == 5
    assert "already run by process" in second.stderr
    assert longwatch.here("send", "", "stop").returncode == 0
    assert resumed.ends() == 4
    assert (longwatch.report()["state"], longwatch.report()["reason"]) == ("stopped", "operator")


def test_what_is_exported_is_what_the_log_prints_and_reads_back(longwatch, tmp_path):
    run_to_the_end(longwatch, command("echo 'é\\t\"q\"'; exit 3"), command("seq 1 5000"))
    longwatch.here("send", "", "bookmark", "here")
    printed = longwatch.here("events", "", "--json").stdout
    assert longwatch.here("export", "", str(tmp_path / "log.jsonl")).returncode == 0
    exported = (tmp_path / "log.jsonl").read_text()
    assert exported == printed
    assert longwatch.here("export", "", str(tmp_path)).returncode == 2
    assert longwatch.here("export", "", str(tmp_path / "missing" / "x.longwatch")).returncode == 2
    assert longwatch.here("export", "", str(tmp_path / "all.longwatch")).returncode == 0
    assert not list(tmp_path.glob(".*.new"))


def test_the_report_and_the_list_have_the_fields_of_the_contract(longwatch):
    run_to_the_end(longwatch, command("echo 1"), command("exit 1"))
    (listed,) = json.loads(longwatch.here("ls", "--json").stdout)
    report = longwatch.report()
    assert listed.pop("bytes") > 0
    unread = dict.fromkeys(("guards", "verdict", "quality_by_hour", "quality_trend"))
    assert listed == report | unread, "only these wait until one session is looked at"
    for name, kind in REPORT_FIELDS.items():
        assert isinstance(report[name], kind), name
    assert report["tool_calls_by_name"] == {"run_command": 2}
    assert set(report["tokens"]) == {"fresh_input", "cache_read", "cache_write", "output", "sent"}
    assert all(isinstance(count, int) for count in report["tokens"].values())
    assert set(report["plan_steps"]) == {"done", "total"}
    assert report["tool_errors"] == 1
    assert "finished (done)" in longwatch.here("report").stdout
    assert "finished" in longwatch.here("report", "--format", "md").stdout


def test_standing_guidance_survives_a_forced_compression_word_for_word(longwatch):
    said = "Never touch vendor/; keep   three spaces."
    rows = [command(f"seq {number} 400", text=prose(700)) for number in range(8)]
    longwatch.config.write_text("[context]\nkeep_turns = 2\n")
    process = longwatch.run(longwatch.script(command("sleep 0.3"), *rows, *rows), "--max-turns", "9", "--wait")
    until(lambda: longwatch.count("tool.started"))
    longwatch.here("send", "", "guide", said, "--standing")
    until(lambda: longwatch.count("session.paused"))
    for _ in range(2):
        before = longwatch.count("context.compressed")
        assert longwatch.here("send", "", "compress").returncode == 0
        until(lambda before=before: longwatch.count("command.done") > before)
    bodies = [event.body for event in longwatch.events() if event.kind == "context.compressed"]
    assert bodies
    assert sum(said in text.text for body in bodies for text in body.held) == 1  # held once, and for good
    process.kill()


@pytest.fixture
def ended(longwatch):
    """A session that changed a file in each of three steps, and ended."""
    (longwatch.workspace / "kept.txt").write_text("0\n")
    rows = [command(f"echo {number} > kept.txt; echo {number} > new{number}.txt") for number in (1, 2, 3)]
    run_to_the_end(longwatch, *rows)
    return longwatch


def results(longwatch):
    return [event.seq for event in longwatch.events() if event.kind == "tool.finished"]


def kept(longwatch):
    return (longwatch.workspace / "kept.txt").read_text().strip()


def test_a_rewind_says_what_it_restored_and_undo_takes_back_one_after_the_other(ended):
    first, second, _ = results(ended)
    assert ended.here("send", "", "rewind", f"#{second}").returncode == 0
    assert kept(ended) == "2"
    moved = next(event.body for event in ended.events() if event.kind == "head.moved")
    assert sorted(line.split()[-1] for line in moved.files) == ["kept.txt", "new3.txt"]
    assert ended.here("send", "", "rewind", str(first)).returncode == 0
    assert kept(ended) == "1"
    assert ended.here("send", "", "undo").returncode == 0
    assert kept(ended) == "2"
    assert not (ended.workspace / "new3.txt").exists()
    assert ended.here("send", "", "undo").returncode == 0
    assert kept(ended) == "3"
    assert (ended.workspace / "new3.txt").exists()
    nothing = ended.here("send", "", "undo")
    assert nothing.returncode == 1
    assert "nothing to undo" in nothing.stderr


def test_undoing_an_older_rewind_takes_the_later_ones_with_it(ended):
    first, second, _ = results(ended)
    ended.here("send", "", "rewind", str(second))
    ended.here("send", "", "rewind", str(first))
    older = next(event.seq for event in ended.events() if event.kind == "head.moved")
    assert ended.here("send", "", "undo", str(older)).returncode == 0
    assert kept(ended) == "3"
    assert ended.here("send", "", "undo").returncode == 1


def test_a_rewind_that_was_meant_for_another_branch_is_refused(ended):
    first, second, third = results(ended)
    assert ended.here("send", "", "rewind", str(first)).returncode == 0
    late = asyncio.run(SessionControls(ended.folder()).send("rewind", {"to": first}, head=third))
    verdict = next(event for event in ended.events() if event.key == late)
    assert verdict.kind == "command.refused"
    assert "another branch" in verdict.body.reason
    assert ended.here("send", "", "rewind", str(second)).returncode == 1
    assert ended.report()["rewinds"] == 1


def test_a_rewind_of_the_words_alone_or_the_files_alone_leaves_the_other(ended):
    first, second, _ = results(ended)
    head = ended.events()[-1].seq
    assert ended.here("send", "", "rewind", str(second), "--files-only").returncode == 0
    assert kept(ended) == "2"
    moved = [event.body for event in ended.events() if event.kind == "head.moved"]
    assert [(body.to, body.to == body.origin) for body in moved] == [(moved[0].origin, True)]
    assert ended.report()["state"] == "finished"
    (ended.workspace / "notes.md").write_text("my own, written since\n")
    assert ended.here("send", "", "undo").returncode == 0
    assert kept(ended) == "3" and (ended.workspace / "notes.md").read_text() == "my own, written since\n"
    undone = [event.body for event in ended.events() if event.kind == "head.moved"][-1]
    assert undone.to == undone.origin > moved[0].to, "the conversation that went on since stays"
    assert ended.here("send", "", "undo").returncode == 1, "and nothing is left to undo"
    (ended.workspace / "notes.md").unlink()
    assert ended.here("send", "", "rewind", str(first), "--conversation-only").returncode == 0
    assert kept(ended) == "3"
    assert ended.count("head.moved") == 3
    assert ended.events()[-1].seq > head


def test_a_rewind_keeps_what_was_changed_by_hand_byte_for_byte_and_undo_brings_all_back(ended):
    first, *_ = results(ended)
    (ended.workspace / "kept.txt").write_bytes(b"mine\r\n\xff")
    (ended.workspace / "notes.md").write_text("my own\n")
    (ended.workspace / "new2.txt").unlink()

    def files():
        return {path.name: path.read_bytes() for path in ended.workspace.iterdir() if path.is_file()}

    before = files()
    assert ended.here("send", "", "rewind", str(first)).returncode == 0
    assert files() == {name: before[name] for name in ("kept.txt", "notes.md", "new1.txt")}
    moved, notice = (event.body for event in ended.events() if event.kind in ("head.moved", "guidance.delivered"))
    assert (moved.files, moved.kept) == (["D new3.txt"], ["kept.txt", "notes.md"])
    assert "changed by hand" in notice.text and "- notes.md" in notice.text
    assert ended.here("send", "", "undo").returncode == 0
    assert files() == before
    assert ended.here("send", "", "rewind", str(first), "--overwrite").returncode == 0
    assert files() == {"kept.txt": b"1\n", "new1.txt": b"1\n"}
    (ended.workspace / "new1.txt").write_text("changed after the rewind\n")
    assert ended.here("send", "", "undo").returncode == 0
    assert files() == {**before, "new1.txt": b"changed after the rewind\n"}, "an undo overwrites nobody's hand either"
