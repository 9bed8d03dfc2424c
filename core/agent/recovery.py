"""Recovery: what an earlier process left open is decided before anything else happens."""

from __future__ import annotations

from core.agent.calls import CallRunner
from core.agent.desk import Desk
from core.events import Draft, ModelFailed, RunnerRecovered


async def recover(desk: Desk, calls: CallRunner) -> list[str]:
    """Give everything unfinished its outcome and journal what was found; the findings, empty when all was whole."""
    findings: list[str] = []
    state = desk.facts.state
    if (attempt := state.open_attempt) is not None:
        body = ModelFailed(error="interrupted", message="the runner ended before the reply was complete")
        await desk.append(Draft(body, key=attempt, actor="recovery"))
        findings.append(f"request {attempt} had no complete reply and is sent again")
    for aside in sorted(state.open_sides):
        body = ModelFailed(error="interrupted", message="the runner ended before the answer came")
        await desk.append(Draft(body, key=aside, actor="recovery"))
        findings.append(f"side request {aside} had no complete answer and is not needed any more")
    for call in list(state.pending.values()):
        if call.started:
            findings.append(await calls.recover(call))
        elif call.waits:
            findings.append(f"{call.name} ({call.key}): still waits for your answer")
        else:
            findings.append(f"{call.name} ({call.key}): had not started, runs now")
    if findings:
        await desk.append(Draft(RunnerRecovered(findings=findings), actor="recovery"))
    return findings
