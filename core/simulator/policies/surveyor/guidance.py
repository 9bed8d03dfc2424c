"""The words of guidance that the surveyor understands; the user may take back what was said before."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from core.simulator.policies.surveyor.progress import Progress

_LEAVE = re.compile(r"\b(?:leave out|skip)\s+`?([\w/-]*\w)`?", re.I)
_TAKE = re.compile(r"\b(?:take|put)\s+`?([\w/-]*\w)`?\s+(?:back )?in\b", re.I)
_REPORT = re.compile(r"\bwrite (?:the|your) report\b|\bwrap up\b", re.I)
_STOP = re.compile(r"(?<!not )(?<!n't )\bstop\b", re.I)


def follow(progress: Progress, guidance: Iterable[str]) -> tuple[Progress, list[str]]:
    """Progress with what was asked for, and a sentence to each piece of it.

    A folder that is taken in again after it was passed is gone back to.
    """
    said: list[str] = []
    for text in guidance:
        for name in (found.rpartition("/")[2] for found in _LEAVE.findall(text)):
            progress = replace(progress, skip=tuple(dict.fromkeys((*progress.skip, name))))
            said.append(f"Understood: I leave out {name}.")
        for name in (found.rpartition("/")[2] for found in _TAKE.findall(text)):
            skip = tuple(one for one in progress.skip if one != name)
            progress = replace(progress, skip=skip, again=tuple(dict.fromkeys((*progress.again, name))))
            said.append(f"Understood: {name} is to be looked at after all.")
        if _REPORT.search(text):
            progress = replace(progress, closing=True)
            said.append("Understood: I come to the report.")
    return progress, said


def asks_to_stop(guidance: Iterable[str]) -> bool:
    return any(_STOP.search(text) for text in guidance)
