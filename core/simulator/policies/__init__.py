"""The policies that the simulated server can play: `auditor`, `echo`, `script:FILE`."""

from __future__ import annotations

from pathlib import Path

from core.simulator.policies.base import Call, Policy, Reply
from core.simulator.policies.echo import EchoPolicy
from core.simulator.policies.script import ScriptPolicy

POLICY_NAMES = ("auditor", "echo", "script:FILE")


def load_policy(name: str) -> Policy:
    """A policy by its name. Raises ValueError, one plain sentence, when there is none or its file can't be read."""
    kind, _, argument = name.partition(":")
    if kind == "script" and argument:
        return ScriptPolicy.load(Path(argument))
    if name == "echo":
        return EchoPolicy()
    if name == "auditor":
        from core.simulator.policies.auditor import AuditorPolicy

        return AuditorPolicy()
    raise ValueError(f"There is no policy {name!r}; use one of {', '.join(POLICY_NAMES)}.")
