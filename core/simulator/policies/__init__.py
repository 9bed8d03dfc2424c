"""The policies that the simulated server can play: `auditor`, `surveyor`, `librarian`, `porter`, `echo`, `script:FILE`,
`workload:FILE`.

`NAME+FLAW` is the same policy with a flawed summariser: `auditor+invents`.
"""

from __future__ import annotations

from pathlib import Path

from core.simulator.policies.base import Call, Policy, Reply
from core.simulator.policies.echo import EchoPolicy
from core.simulator.policies.script import ScriptPolicy
from core.simulator.policies.sides import WithSides
from core.simulator.policies.summaries import FLAWS, flawed
from core.simulator.policies.workload import WorkloadPolicy

POLICY_NAMES = ("auditor", "surveyor", "librarian", "porter", "echo", "script:FILE", "workload:FILE")


def load_policy(name: str) -> Policy:
    """A policy by its name. Raises ValueError, one plain sentence, when there is none or its file can't be read."""
    base, _, flaw = name.rpartition("+")
    if base and flaw in FLAWS:
        return WithSides(load_policy(base), flawed(flaw))
    kind, _, argument = name.partition(":")
    if kind == "script" and argument:
        return ScriptPolicy.load(Path(argument))
    if kind == "workload" and argument:
        return WorkloadPolicy.load(Path(argument))
    if name == "echo":
        return EchoPolicy()
    if name == "auditor":
        from core.simulator.policies.auditor import AuditorPolicy

        return AuditorPolicy()
    if name == "surveyor":
        from core.simulator.policies.surveyor import SurveyorPolicy

        return SurveyorPolicy()
    if name == "librarian":
        from core.simulator.policies.librarian import LibrarianPolicy

        return LibrarianPolicy()
    if name == "porter":
        from core.simulator.policies.porter import PorterPolicy

        return PorterPolicy()
    raise ValueError(
        f"There is no policy {name!r}; use one of {', '.join(POLICY_NAMES)}. For a flawed summariser add +FLAW, "
        f"one of {', '.join(FLAWS)}."
    )
