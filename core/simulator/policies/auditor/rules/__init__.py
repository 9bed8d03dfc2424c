"""Repair rules by the scanner's test id: real changes of the code, never a marker that silences the scanner."""

from __future__ import annotations

from core.simulator.policies.auditor.rules import calls, commands, data, flow
from core.simulator.policies.auditor.rules.base import Fix, Lines, Rule, apply

RULES: dict[str, Rule] = calls.RULES | commands.RULES | data.RULES | flow.RULES
_NO_RULE = Rule("", (), "no rule of the auditor mends this kind; a person has to look at it")


def rule_for(test_id: str) -> Rule:
    """The rule of a test id; one without options when there is none."""
    return RULES.get(test_id, _NO_RULE)


def repair(test_id: str, text: str, lines: Lines, attempt: int) -> tuple[int, Fix] | None:
    """The first option from number `attempt` (counted from 1) on that fits the code, with its number."""
    for number, option in enumerate(rule_for(test_id).options, 1):
        fix = apply(option, text, lines) if number >= attempt else None
        if fix is not None:
            return number, fix
    return None
