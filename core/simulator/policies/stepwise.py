"""A policy that goes step by step, and knows where it is by the line at the end of its own last words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Generic

from core.simulator.policies.auditor.conversation import Done, turns_of
from core.simulator.policies.base import Call, Reply
from core.simulator.policies.places import read_line
from core.simulator.policies.step import Place, Step


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
        return Step(said, following, calls).reply(request)

    def sizes(self, request: Mapping[str, Any]) -> Sequence[int | None]:
        return ()
