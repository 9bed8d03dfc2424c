"""A tool call as texts to read: its facts, its arguments (a diff for an edit, code for a write), its output."""

from __future__ import annotations

import difflib
import json
import re
from typing import Any, NamedTuple

from core.folds.tool_calls import Call
from tui.panes import figures

_HUNK = re.compile(r"^@@ -\d+(,\d+)? \+\d+(,\d+)? @@", re.MULTILINE)


class Reading(NamedTuple):
    """A text, and its language: a pygments name, or `text` to go by `path`."""

    text: str
    language: str = "text"
    path: str = ""


def arguments_of(call: Call) -> Reading:
    """What the call was asked to do, in the form in which it is best read."""
    arguments = call.arguments
    old, new = arguments.get("old"), arguments.get("new")
    if isinstance(old, str) and isinstance(new, str):
        return Reading(_edit(call.target, old, new, _others(arguments, "old", "new")), "diff")
    if isinstance(content := arguments.get("content"), str):
        return Reading(content, path=str(arguments.get("path", "")))
    if isinstance(command := arguments.get("command"), str):
        others = _others(arguments, "command")
        return Reading(command + (f"\n\n# {json.dumps(others, ensure_ascii=False)}" if others else ""), "bash")
    return Reading(json.dumps(arguments, indent=2, ensure_ascii=False), "json")


def _others(arguments: dict[str, Any], *known: str) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if name not in (*known, "path")}


def _edit(target: str, old: str, new: str, others: dict[str, Any]) -> str:
    diff = difflib.unified_diff(old.splitlines(), new.splitlines(), target, target, lineterm="", n=3)
    note = [f"# {json.dumps(others, ensure_ascii=False)}"] if others else []
    return "\n".join([*note, *diff])


def output_of(call: Call, text: str) -> Reading:
    """What the call answered: a diff where it shows one, code where a file was read."""
    if _HUNK.search(text[:20_000]):
        return Reading(text, "diff")
    if text.lstrip()[:1] in ("{", "[") and _is_json(text):
        return Reading(text, "json")
    return Reading(text, path=str(call.arguments.get("path", "")) if call.name == "read_file" else "")


def _is_json(text: str) -> bool:
    try:
        json.loads(text[:200_000])
    except ValueError:
        return False
    return True


def facts_of(call: Call, at: int | None) -> str:
    """Status in words, how long, exit code, size, files with their changed lines."""
    status = {"running": "● running", "ok": "✓ done", "failed": "✗ failed"}[call.status(at)]
    facts = [status, call.effect]
    if call.status(at) != "running":
        facts += [figures.took(call.ms, known=call.timed), figures.size(call.size)]
        facts += [f"exit code {call.exit_code}"] if call.exit_code is not None else []
        facts += [f"repeats #{call.repeats}"] if call.repeats else []
        facts += ["decided by recovery"] if call.recovered else []
        facts += [f"{change.path} +{change.added} −{change.removed}" for change in call.files]
    return " · ".join(facts)
