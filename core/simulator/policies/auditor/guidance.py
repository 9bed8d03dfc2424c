"""The few words of guidance that the auditor understands."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import PurePosixPath

from core.simulator.policies.auditor.progress import Progress

_PATH = r"\s+(?:the (?:file|folder|directory)\s+)?[`'\"]?([\w./*-]*\w[\w./*-]*)"
_SKIP = re.compile(r"\b(?:skip|leave out|ignore)" + _PATH, re.I)
_FOCUS = re.compile(r"\bfocus(?:\s+only)?\s+on" + _PATH, re.I)
_REPORT = re.compile(r"\breport\b.*\bnow\b|\bwrite (?:the|your) report\b|\bwrap up\b", re.I | re.S)
_STOP = re.compile(r"(?<!not )(?<!n't )\bstop\b", re.I)
_GO_ON = re.compile(r"\b(?:go on|continue|carry on|proceed)\b", re.I)
_KNOWN = "`skip PATH`, `focus on DIR`, `write the report now` and `stop`"


def follow(progress: Progress, guidance: Iterable[str]) -> tuple[Progress, list[str]]:
    """Progress with what was asked for, and a sentence to each piece of guidance."""
    said: list[str] = []
    for text in guidance:
        skip, focus = _paths(_SKIP, text), _paths(_FOCUS, text)
        closing = _REPORT.search(text) is not None
        progress = replace(
            progress,
            skip=tuple(dict.fromkeys(progress.skip + skip)),
            focus=tuple(dict.fromkeys(progress.focus + focus)),
            closing=progress.closing or closing,
        )
        answers = [f"Understood: I leave out {', '.join(skip)}."] if skip else []
        answers += [f"Understood: I look at {', '.join(focus)} only."] if focus else []
        answers += ["Understood: I write the report now, with what there is."] if closing else []
        if not answers and not _GO_ON.search(text):
            answers = [f"I am rules, and of guidance I understand only {_KNOWN}; I go on as before."]
        said += answers
    return progress, said


def asks_to_stop(guidance: Iterable[str]) -> bool:
    return any(_STOP.search(text) for text in guidance)


def allowed(path: str, progress: Progress) -> bool:
    """Whether guidance leaves the file in."""
    in_focus = not progress.focus or any(_covers(item, path) for item in progress.focus)
    return in_focus and not any(_covers(item, path) for item in progress.skip)


def _paths(pattern: re.Pattern[str], text: str) -> tuple[str, ...]:
    return tuple(found.rstrip("./").removeprefix("./") for found in pattern.findall(text))


def _covers(item: str, path: str) -> bool:
    return (
        path == item or path.startswith(item + "/") or fnmatch.fnmatch(path, item) or PurePosixPath(path).name == item
    )
