"""Tool calls of other tools in our words: what they do to the world, their arguments by our names, what they edited."""

from __future__ import annotations

import difflib
import json
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any, Final

from core.events import PlanStep
from core.importers.records import Edited
from core.importers.rows import fields, items, words

_EFFECTS: Final[Mapping[str, tuple[str, ...]]] = {
    "command": (
        *(
            "bash",
            "shell",
            "local_shell",
            "exec_command",
            "write_stdin",
            "run",
            "run_ipython",
            "execute_bash",
            "terminal",
        ),
        *("python", "execute_ipython_cell", "bashoutput", "killshell", "container.exec", "bash_session", "killbash"),
    ),
    "read": (
        *("read", "glob", "grep", "ls", "notebookread", "view_image", "find", "search", "think", "recall", "list_dir"),
        *("read_file", "grep_files", "toolsearch", "lsp", "glob_files", "list_files", "text_search"),
    ),
    "write": (
        *(
            "edit",
            "multiedit",
            "write",
            "notebookedit",
            "apply_patch",
            "str_replace_editor",
            "str_replace_based_edit_tool",
        ),
        *("file_editor", "edit_file", "write_file", "create_file", "text_editor", "planning_file_editor"),
    ),
    "network": (
        "webfetch",
        "websearch",
        "web_search",
        "browse",
        "browse_interactive",
        "browser",
        "fetch",
        "web_browser",
    ),
    "state": (
        *(
            "todowrite",
            "update_plan",
            "task",
            "agent",
            "taskcreate",
            "taskupdate",
            "tasklist",
            "taskget",
            "exitplanmode",
        ),
        *(
            "enterplanmode",
            "finish",
            "submit",
            "task_tracker",
            "skill",
            "askuserquestion",
            "recall",
            "message",
            "delegate",
        ),
        *("spawn_agent", "wait", "send_input", "close_agent", "request_user_input", "memory", "todoread"),
    ),
}
_EFFECT_OF: Final = {name: effect for effect, names in _EFFECTS.items() for name in names}
_OUR_NAMES: Final = {
    "file_path": "path",
    "notebook_path": "path",
    "filePath": "path",
    "old_string": "old",
    "new_string": "new",
    "old_str": "old",
    "new_str": "new",
    "file_text": "content",
    "cmd": "command",
}
_DIFFED: Final = 200_000
"""Characters up to which two texts are compared."""
_SHELLS: Final = frozenset(("bash", "sh", "zsh", "/bin/bash", "/bin/sh", "/bin/zsh", "/usr/bin/bash"))


def effect_of(name: str, arguments: Mapping[str, Any]) -> str:
    """`read`, `write`, `command`, `network`, `state`, or `unknown`."""
    if name.startswith("mcp__"):
        return "unknown"
    if name in ("file_editor", "str_replace_editor", "text_editor") and arguments.get("command") == "view":
        return "read"
    return _EFFECT_OF.get(name.lower(), "unknown")


def arguments_of(value: Any) -> dict[str, Any]:
    """The arguments of a call (an object, or one as JSON text) by our names; a command as one line of a shell."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {"text": value} if value else {}
    if not isinstance(value, dict):
        return {} if value is None else {"text": str(value)}
    renamed = {_our_name(name, value): part for name, part in value.items()}
    if isinstance(command := renamed.get("command"), list):
        renamed["command"] = command_line(command)
    return renamed


def _our_name(name: str, arguments: Mapping[str, Any]) -> str:
    ours = _OUR_NAMES.get(name, name)
    return name if ours in arguments else ours


def command_line(parts: list[Any]) -> str:
    """A command given as words; what a shell is only given to run is that text alone."""
    texts = [str(part) for part in parts]
    if len(texts) == 3 and texts[0] in _SHELLS and texts[1] in ("-lc", "-c"):
        return texts[2]
    return shlex.join(texts)


def place_in(path: str, workspace: str) -> str:
    """A path below the workspace as it is seen from there."""
    root = workspace.rstrip("/") + "/"
    return path[len(root) :] if workspace and path.startswith(root) else path


def replaced(path: str, old: str, new: str) -> tuple[Edited, str]:
    """An edit told as the text before and after: its counts and its diff, whose line numbers are those of the texts."""
    if len(old) + len(new) > _DIFFED:
        return Edited(path=path, added=_lines(new), removed=_lines(old)), ""
    diff = list(difflib.unified_diff(old.splitlines(), new.splitlines(), path, path, lineterm=""))
    added, removed = _counted(diff)
    return Edited(path=path, added=added, removed=removed), "\n".join(diff)


def created(path: str, content: str) -> Edited:
    """A file that was written where none was."""
    return Edited(path=path, added=_lines(content), new=True)


def hunks_of(path: str, patch: list[Any], *, new: bool = False) -> tuple[Edited, str]:
    """A patch given as hunks with their lines (`oldStart`, `oldLines`, `newStart`, `newLines`, `lines`)."""
    lines: list[str] = []
    for hunk in filter(lambda hunk: isinstance(hunk, dict), patch):
        numbers = [hunk.get(name, 0) for name in ("oldStart", "oldLines", "newStart", "newLines")]
        lines.append("@@ -{},{} +{},{} @@".format(*numbers))
        lines += [line for line in items(hunk.get("lines")) if isinstance(line, str)]
    added, removed = _counted(lines)
    diff = "\n".join([f"--- {path}", f"+++ {path}", *lines]) if lines else ""
    return Edited(path=path, added=added, removed=removed, new=new), diff


_SECTION = re.compile(r"^\*\*\* (Add|Update|Delete) File: (.+)$")


def patched(patch: str, workspace: str = "") -> tuple[Edited, ...]:
    """The files of a patch in the form of `apply_patch` (`*** Update File: …`)."""
    return tuple(_patched(patch, workspace))


def _patched(patch: str, workspace: str) -> Iterator[Edited]:
    verb = path = ""
    lines: list[str] = []
    for line in [*patch.splitlines(), "*** End of File"]:
        found = _SECTION.match(line)
        if found or line in ("*** End Patch", "*** End of File"):
            if path:
                added, removed = _counted(lines)
                yield Edited(path=path, added=added, removed=removed, new=verb == "Add", gone=verb == "Delete")
            verb, path, lines = (found[1], place_in(found[2].strip(), workspace), []) if found else ("", "", [])
        elif path:
            lines.append(line)


def steps_of(value: Any) -> list[PlanStep]:
    """A list of things to do (`todos` or `plan`) as the steps of a plan."""
    return [
        PlanStep(id=str(number), intent=intent, status=_STATUS.get(words(step.get("status")), "todo"))  # type: ignore[arg-type]
        for number, step in enumerate(map(fields, items(value)), 1)
        if (intent := words(step.get("content")) or words(step.get("step")) or words(step.get("title")))
    ]


_STATUS: Final = {
    "completed": "done",
    "done": "done",
    "in_progress": "active",
    "active": "active",
    "cancelled": "dropped",
}


def _counted(diff: list[str]) -> tuple[int, int]:
    added = sum(line.startswith("+") and not line.startswith("+++ ") for line in diff)
    return added, sum(line.startswith("-") and not line.startswith("--- ") for line in diff)


def _lines(text: str) -> int:
    return text.count("\n") + (not text.endswith("\n") and bool(text))
