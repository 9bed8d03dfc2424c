"""Sessions with servers of tools: what they offer is used in the loop, and none of them holds a session up."""

import json
import sys

from processes import ROOT

from core.events import ServerChanged, ToolFinished, ToolsOffered

SCRIPT = str(ROOT / "tests" / "core" / "tools" / "mcp" / "strange_server.py")


def configured(longwatch, *dead, settings=""):
    """Say which servers there are."""
    words = json.dumps(["-P", SCRIPT, *dead])
    server = f"[mcp.odd]\ncommand = {json.dumps(sys.executable)}\nargs = {words}\n"
    notes = longwatch.workspace / "notes.txt"
    environment = f"env = {{ NOTES = {json.dumps(str(notes))} }}\n"
    longwatch.config.write_text(
        longwatch.config.read_text().partition("[tools]")[0] + f"[tools]\n{settings}\n{server}{environment}"
    )
    return notes


def using(*calls):
    return {"text": "Next.", "tool_uses": [{"name": name, "input": arguments} for name, arguments in calls]}


def results(longwatch):
    return [event.body for event in longwatch.events() if isinstance(event.body, ToolFinished)]


def test_a_session_calls_tools_of_a_server_and_goes_on_without_it_by_the_same_list(longwatch):
    notes = configured(longwatch, settings="mcp_listed = 40")
    note = ("call_tool", {"name": "odd__note", "arguments": {"text": "by another name"}})
    model = longwatch.script(
        using(("odd__add", {"a": 20, "b": 22}), ("find_tools", {"query": "note"})),
        using(("odd__note", {"text": "direct"}), note, ("odd__fail", {})),
        using(("odd__picture", {})),
    )
    assert longwatch.run(model, "--sandbox", "off").wait(90) == 0
    assert [(it.name, it.ok) for it in sorted(results(longwatch)[:2], key=lambda it: it.name)] == [
        ("find_tools", True),
        ("odd__add", True),
    ]
    assert [(it.name, it.ok) for it in results(longwatch)[2:]] == [
        ("odd__note", True),
        ("odd__note", True),
        ("odd__fail", False),
        ("odd__picture", True),
    ]
    (shown,) = results(longwatch)[-1].media
    assert (shown.media_type, shown.tokens) == ("image/png", 1)
    assert "42" in [it.content for it in results(longwatch)]
    assert notes.read_text() == "direct\nby another name\n"
    offered = [event.body for event in longwatch.events() if isinstance(event.body, ToolsOffered)]
    assert len(offered) == 1 and "odd__add" in {tool.name for tool in offered[0].tools}

    configured(longwatch, "dead")
    longwatch.here("send", "", "guide", "Go on.")
    model = longwatch.script(*[using(("odd__add", {"a": 1, "b": 1}))] * 5, *[{"text": "Done."}] * 9)
    assert longwatch.run_on().wait(90) == 0
    lost = results(longwatch)[-1]
    assert lost.name == "odd__add" and not lost.ok and "The server odd is not there" in lost.content
    assert [event.body.state for event in longwatch.events() if isinstance(event.body, ServerChanged)][-1] == "down"
    assert longwatch.count("tools.offered") == 1


def test_a_call_that_changes_something_is_asked_about_and_reads_are_not(longwatch):
    notes = configured(longwatch, settings="mcp_listed = 3")
    model = longwatch.script(
        using(("call_tool", {"name": "odd__add", "arguments": {"a": 1, "b": 2}})),
        using(("call_tool", {"name": "odd__note", "arguments": {"text": "x", "path": "notes.txt"}})),
    )
    process = longwatch.run(model, "--approvals", "workspace", "--sandbox", "off", "--approval-timeout", "0.2")
    assert process.wait(90) == 4
    assert [it.content for it in results(longwatch)] == ["3"]
    (asked,) = [event.body for event in longwatch.events() if event.kind == "approval.asked"]
    assert (asked.name, asked.rules, asked.facts) == ("odd__note", ["odd__note"], ["server: odd"])
    assert "outside of the workspace and of any sandbox" in asked.reason
    assert not notes.exists()
    told = [event.body.text for event in longwatch.events() if event.kind == "guidance.delivered"]
    assert any("odd (1" in text and "find_tools" in text for text in told)


def test_check_lists_what_servers_have_and_says_what_is_wrong(longwatch):
    configured(longwatch)
    longwatch.config.write_text(
        longwatch.config.read_text()
        + '[mcp.dead]\ncommand = "/no/such"\n[mcp.none]\n[mcp.far]\nurl = "http://127.0.0.1:9/mcp"\n'
    )
    checked = longwatch.here("mcp", "check", "--tools")
    assert checked.returncode == 1
    lines = checked.stdout.splitlines()
    assert "  r  odd__add  Add two numbers." in lines and any(line.startswith("  w  odd__note") for line in lines)
    assert "dead: PROBLEM its program /no/such was not found  /no/such" in lines
    assert "far: PROBLEM it can't be reached  http://127.0.0.1:9/mcp" in lines
    assert "none: PROBLEM The server none needs either a command or a url." in lines
    assert all(character.isprintable() for line in lines for character in line)
