"""The surveyor: rules that go through a code base too big to read, folder by folder; no language model.

Like the auditor it is a function of the request alone: where it stands is the line that ends each of its texts, what
it found grows in its report, and what it once read is recalled. It knows projects by their files, and nothing of who
made them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from core.simulator.policies.auditor.fitting import fit
from core.simulator.policies.base import Call, Reply
from core.simulator.policies.step import read
from core.simulator.policies.surveyor import closing, steps
from core.simulator.policies.surveyor.guidance import asks_to_stop, follow
from core.simulator.policies.surveyor.progress import Progress
from core.simulator.policies.surveyor.sight import Sight, look
from core.simulator.policies.surveyor.step import REPORT, Handler, Step, end

_STEPS: dict[str, Handler] = {
    "survey": steps.survey,
    "papers": steps.papers,
    "baseline": steps.baseline,
    "baselined": steps.baselined,
    "sweep": steps.sweep,
    "advance": steps.advance,
    "spots": steps.spots,
    "judge": steps.judge,
    "check": steps.check,
    "sign": steps.sign,
    "spotted": steps.spotted,
    "report": closing.report,
    "finish": closing.finish,
}


class SurveyorPolicy:
    """Plays the surveyor."""

    def reply(self, request: Mapping[str, Any]) -> Reply:
        sight = look(request)
        progress = sight.progress or Progress()
        progress = replace(progress, calls=progress.calls + len(sight.last), replies=progress.replies + 1)
        return self._step(sight, progress).reply(request)

    def sizes(self, request: Mapping[str, Any]) -> Sequence[int | None]:
        return ()

    def _step(self, sight: Sight, progress: Progress) -> Step:
        if asks_to_stop(sight.guidance):
            return end("Understood: I stop here.", progress)
        progress, said = follow(progress, sight.guidance)
        if progress.step == "done":
            step = steps.advance(sight, progress) if said else end("There is nothing left for me to do.", progress)
        else:
            step = _STEPS.get(progress.step, steps.survey)(sight, progress)
        wanted = [*_lost_rows(sight), *step.calls]
        calls: list[Call] = [call for call in (fit(call, sight.offered) for call in wanted) if call is not None]
        return replace(step, text=" ".join([*said, step.text]), calls=calls)


def _lost_rows(sight: Sight) -> list[Call]:
    """Rows that the report did not take, once more: after a rewind it wants to be read before it is changed."""
    lost = [done for done in sight.named("edit_file") if done.path == REPORT and done.failed]
    return [read(REPORT), *(Call(done.name, dict(done.input)) for done in lost)] if lost else []
