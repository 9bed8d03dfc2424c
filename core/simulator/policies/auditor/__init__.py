"""The auditor: a policy of rules that scans a Python project, mends it, and reports; no language model.

Its next step is a function of the request alone. Where it stands is the `Progress:` line that ends each of its texts;
what it found is in memory entries. The last turn and the memory are all it needs, so a conversation may be compressed,
rewound or resumed anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from core.simulator.policies.auditor import closing, repairing, survey
from core.simulator.policies.auditor.conversation import View, read_request
from core.simulator.policies.auditor.edits import undo_calls
from core.simulator.policies.auditor.fitting import fit
from core.simulator.policies.auditor.guidance import asks_to_stop, follow
from core.simulator.policies.auditor.notes import NOTE
from core.simulator.policies.auditor.progress import Progress
from core.simulator.policies.auditor.step import Handler, Step, end
from core.simulator.policies.auditor.testruns import read_run
from core.simulator.policies.base import Call, Reply

MAX_REPLIES = 600
_MAX_STEPS_WITHOUT_CALLS = 12


def _done(view: View, progress: Progress) -> Step:
    """After the end: new guidance may open what is left, otherwise there is nothing to do."""
    if view.guidance and view.notes.before:
        return repairing.repair_next(view, progress.next("fix"))
    if view.guidance and not view.notes.before:
        return survey.survey(view, progress)
    return end("The audit is done; there is nothing left for me to do.", progress)


_STEPS: dict[str, Handler] = {
    "survey": survey.survey,
    "orient": survey.orient,
    "baseline": survey.baseline,
    "baselined": survey.baselined,
    "scanner": survey.scanner,
    "scanned": survey.scanned,
    "reading": survey.reading,
    "fix": repairing.repair_next,
    "check": repairing.check,
    "reread": repairing.reread,
    "report": closing.report,
    "readback": closing.readback,
    "finish": closing.finish,
    "done": _done,
}


class AuditorPolicy:
    """Plays the auditor."""

    def reply(self, request: Mapping[str, Any]) -> Reply:
        view = read_request(request)
        progress = view.progress or Progress("fix" if view.notes.before else "survey")
        progress = replace(progress, replies=max(progress.replies, view.turns) + 1)
        return self._step(view, progress).reply(request)

    def sizes(self, request: Mapping[str, Any]) -> Sequence[int | None]:
        return ()

    def _step(self, view: View, progress: Progress) -> Step:
        if progress.replies > MAX_REPLIES:
            return end(f"After {MAX_REPLIES} replies I stop; something here does not come to an end.", progress)
        if asks_to_stop(view.guidance):
            return _stop(view, progress)
        progress, said = follow(progress, view.guidance)
        for _ in range(_MAX_STEPS_WITHOUT_CALLS):
            step = _STEPS.get(progress.step, survey.survey)(view, progress)
            calls = [call for call in (fit(call, view.offered) for call in step.calls) if call is not None]
            notes = _notes_as_text(step, view)
            said += [step.text, *notes]
            if calls or step.final:
                return replace(step, text="\n\n".join(said), calls=calls)
            for note in notes:  # The next step must know what is only about to be said.
                view.notes.read(note.removeprefix(NOTE))
            progress, view.last = step.progress, []
        return end("\n\n".join([*said, "The tools that I need are not offered, so I end here."]), progress)


def _notes_as_text(step: Step, view: View) -> list[str]:
    """Without a memory to put them in, notes go into the text."""
    if "remember" in view.offered:
        return []
    return [f"{NOTE}{call.input['text']}" for call in step.calls if call.name == "remember"]


def _stop(view: View, progress: Progress) -> Step:
    """End at once, but not with an edit in the files that the tests refused."""
    done = view.command(scan=False)
    undo = undo_calls(view.last) if progress.step == "check" else []
    if undo and not (done is not None and read_run(done).holds(view.notes.failing)):
        return Step("Understood: I take back the change that was not proven, and stop.", progress.next("done"), undo)
    return end("Understood: I stop here.", progress)
