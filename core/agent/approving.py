"""Asking before a call runs: the policy of a session, and the question as it goes into the log."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.approvals.places import Places
from core.approvals.policy import Allow, Ask, Call, Confinement, Policy, Refuse, Verdict, decide, host_of
from core.approvals.rules import Mode, read_rule, read_rules
from core.config import Config
from core.events import ApprovalAsked
from core.folds.asking import PendingCall
from core.folds.state import RunState
from core.sandbox.access import guarded_paths
from core.sandbox.repository import repository_paths
from core.tools.base import Foreign, Previewed, Tool, ToolContext, ToolError

LONGEST_DIFF = 60_000
"""Characters of a diff that a question carries."""

UNASKED = (
    "The user would have to be asked about this call ({reason}), and here nobody can be asked, so it was not run. Do "
    "without it, and say in your report what is left to do."
)

__all__ = ["Allow", "Ask", "Gate", "Refuse", "policy_of"]


def policy_of(
    config: Config, mode: Mode | None, workspace: Path, confinement: Confinement, environ: Mapping[str, str]
) -> Policy:
    """The policy of a session: `mode` is the one it was opened with, None for that of the configuration."""
    settings, place = config.approvals, Path(os.path.realpath(workspace))
    repository, runs = repository_paths(place)
    places = Places(
        workspace=str(place),
        guarded=tuple(map(str, guarded_paths(place, repository, runs, config.context.instructions))),
        folders=tuple(os.path.realpath(Path(folder).expanduser()) for folder in settings.folders),
        home=environ.get("HOME") or str(Path.home()),
    )
    rules = read_rules(settings.allow, settings.ask, settings.deny)
    return Policy(places, mode or settings.mode, rules, confinement)


class Gate:
    """Judges calls by the policy and by what the user allowed for the rest of the session; blocks on the file system.

    `redact` is applied to the diff of a question, which shows a file. `silent`: nobody is asked, so what would be is
    refused.
    """

    def __init__(self, policy: Policy, state: RunState, redact: Callable[[str], str], *, silent: bool = False) -> None:
        self._silent = silent
        self._policy = policy
        self._state = state
        self._redact = redact

    def judge(self, call: PendingCall, tool: Tool, intent: Mapping[str, Any]) -> Verdict:
        """Whether the call may run; `intent` is what its tool worked out."""
        cwd = self._policy.places.resolve(str(intent.get("cwd", ".")))
        server = tool.server if isinstance(tool, Foreign) else ""
        verdict = decide(Call(call.name, str(tool.effect), call.arguments, cwd, server), self._current())
        return Refuse(UNASKED.format(reason=verdict.reason)) if self._silent and isinstance(verdict, Ask) else verdict

    def may_redirect(self, origin: str, url: str) -> bool:
        """Whether a page may lead on to `url`: on the same host, or where it could be fetched without a question."""
        policy = self._current()
        call = Call("fetch_url", "network", {"url": url})
        return host_of(url) == host_of(origin) or isinstance(decide(call, policy), Allow)

    def _current(self) -> Policy:
        rules = self._policy.rules.with_allowed(map(read_rule, self._state.allowed))
        return replace(self._policy, rules=rules)

    def question(
        self, call: PendingCall, tool: Tool, arguments: Any, intent: dict[str, Any], context: ToolContext, ask: Ask
    ) -> ApprovalAsked:
        """The question with everything that somebody needs to answer it."""
        return ApprovalAsked(
            name=call.name,
            use_id=call.use_id,
            arguments=call.arguments,
            effect=str(tool.effect),
            reason=ask.reason,
            facts=list(ask.facts),
            diff=self._diff(tool, arguments, context),
            rules=list(ask.rules),
            intent=intent,
            mode=self._policy.mode,
            confined=self._policy.confinement.how if self._policy.confinement.confined else "",
            granted=ask.grant.intent(),
        )

    def _diff(self, tool: Tool, arguments: Any, context: ToolContext) -> str:
        if not isinstance(tool, Previewed):
            return ""
        try:
            diff = self._redact(tool.preview(arguments, context))
        except ToolError:
            return ""
        return diff if len(diff) <= LONGEST_DIFF else f"{diff[:LONGEST_DIFF]}\n… the rest is left out …"


def denied(call: PendingCall) -> str | None:
    """What the model is told of a call that the user denied; None where it was not."""
    if call.answer is None or call.answer.answer != "denied":
        return None
    said = f" They said: {call.answer.reason}" if call.answer.reason else ""
    return f"The user denied this call, so it was not run.{said} Do not try it again in another form."


def outdated(call: PendingCall, intent: Mapping[str, Any]) -> str | None:
    """What the model is told where a call that was approved would now do something else; None where it is the same."""
    if call.asked is None or call.asked.intent == intent:
        return None
    return "The user approved this call, but what it works on has changed since, so it was not run. Look at it again."
