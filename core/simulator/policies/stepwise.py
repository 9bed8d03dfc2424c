"""A policy that goes step by step, and knows where it is by the line at the end of its own last words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar

from core.simulator.policies.auditor.conversation import Done, turns_of
from core.simulator.policies.auditor.progress import progress_line, read_line
from core.simulator.policies.base import Call, Reply, text_block

Place = TypeVar("Place", bound=Any)


class Stepwise(Generic[Place]):
    """`form` is a dataclass that begins with the step and counts `calls` and `replies`.

    `step` gets the place, what the last calls came to, and all calls before; it gives the words, the next place and the
    calls.
    """

    def __init__(
        self, form: type[Place], step: Callable[[Place, list[Done], list[Done]], tuple[str, Place, list[Call]]]
    ) -> None:
        self._form, self._step = form, step

    def reply(self, request: Mapping[str, Any]) -> Reply:
        history: list[Done] = []
        texts: list[str] = []
        last: list[Done] = []
        for turn in turns_of(request["messages"]):
            history += turn.done
            texts, last = turn.said, turn.done
        place = read_line(texts, self._form) or self._form()
        place = replace(place, calls=place.calls + len(last), replies=place.replies + 1)
        said, following, calls = self._step(place, last, history)
        return Reply([text_block(f"{said}\n\n{progress_line(following)}"), *(call.block() for call in calls)])

    def sizes(self, request: Mapping[str, Any]) -> Sequence[int | None]:
        return ()
