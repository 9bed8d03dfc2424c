"""The user's own commands on events: each gets the event, and one that fails changes nothing."""

import json
import signal

from processes import command, until


def hooked(longwatch, **hooks):
    """Say which hooks there are; each is a line of the shell."""
    lines = [longwatch.config.read_text()]
    for name, (on, line, more) in hooks.items():
        words = json.dumps(["sh", "-c", line])
        lines.append(f"[hooks.{name}]\non = {json.dumps(on)}\ncommand = {words}\n{more}")
    longwatch.config.write_text("\n".join(lines))


def write(path, content):
    return {"text": "Next.", "tool_uses": [{"name": "write_file", "input": {"path": path, "content": content}}]}


def test_hooks_are_told_each_event_in_its_order(longwatch):
    told = longwatch.workspace.parent / "told.jsonl"
    keep = f"cat >> {told}; echo >> {told}"
    hooked(
        longwatch,
        all=(["before-tool", "after-edit", "finish"], keep, ""),
        some=(["before-tool"], f'echo \'{{"hook": "some"}}\' >> {told}', 'tools = ["run_*"]\n'),
    )
    model = longwatch.script(write("a.txt", "x\n"), command("echo hello"))
    assert longwatch.run(model).wait(60) == 0
    events = [json.loads(line) for line in told.read_text().splitlines()]
    seen = [(it["hook"], it.get("event", ""), it.get("tool", it.get("kind", ""))) for it in events]
    assert seen[0] == ("all", "before-tool", "write_file")
    assert sorted(seen) == [
        ("all", "after-edit", "tool.finished"),
        ("all", "before-tool", "run_command"),
        ("all", "before-tool", "write_file"),
        ("all", "finish", "session.finished"),
        ("some", "", ""),
    ]
    edit = next(it for it in events if it.get("event") == "after-edit")
    assert edit["body"]["files"][0]["path"] == "a.txt" and edit["workspace"] == str(longwatch.workspace)


def test_a_hook_that_fails_is_told_of_and_left_out_when_it_goes_on_failing(longwatch):
    hooked(
        longwatch,
        bad=(["before-tool"], "echo no such luck >&2; exit 3", ""),
        slow=(["finish"], "sleep 60", "timeout_s = 0.2\n"),
    )
    model = longwatch.script(*[command(f"echo {number}") for number in range(7)])
    assert longwatch.run(model).wait(60) == 0
    failed = [event.body for event in longwatch.events() if event.kind == "hook.failed"]
    assert [it.hook for it in failed] == ["bad"] * 5 + ["slow"]
    assert failed[0].detail == "The hook bad failed with exit code 3: no such luck."
    assert failed[4].detail.endswith("It is left out from here on.")
    assert "took more than 0.2 s" in failed[5].detail
    assert longwatch.count("tool.finished") == 7


def test_a_session_that_has_ended_is_no_interrupted_one_while_its_hooks_still_run(longwatch):
    hooked(longwatch, slow=(["finish"], "touch begun; exec sleep 60", "timeout_s = 60\n"))
    process = longwatch.run(longwatch.script())
    until((longwatch.workspace / "begun").exists)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0 and "longwatch:" not in errors


def test_a_workspace_can_name_no_hooks(longwatch):
    (longwatch.workspace / ".longwatch.toml").write_text("[hooks.x]\non = ['finish']\ncommand = ['true']\n")
    process = longwatch.run(longwatch.script({"text": "Done."}))
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2 and "may not set `hooks`" in errors
