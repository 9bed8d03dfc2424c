"""Rules that give an imported line its account."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

INCOME = "income:other"
EXPENSE = "expense:other"


@dataclass(frozen=True)
class Rule:
    """`pattern` is searched in the text, case ignored; `sign` limits it to payments in (1) or out (-1)."""

    pattern: str
    account: str
    sign: int = 0

    def matches(self, text: str, cents: int) -> bool:
        if self.sign and self.sign * cents < 0:
            return False
        return re.search(self.pattern, text, re.IGNORECASE) is not None


@dataclass
class Rules:
    rules: list[Rule] = field(default_factory=list)

    def account_for(self, text: str, cents: int) -> str:
        for rule in self.rules:
            if rule.matches(text, cents):
                return rule.account
        return INCOME if cents > 0 else EXPENSE

    @classmethod
    def parse(cls, content: str) -> Rules:
        """Lines of `account <- pattern`; `+` or `-` before the account limits the sign; `#` starts a comment."""
        rules = []
        for number, line in enumerate(content.splitlines(), 1):
            line = line.partition("#")[0].strip()
            if not line:
                continue
            account, arrow, pattern = line.partition("<-")
            if not arrow or not pattern.strip():
                raise ValueError(f"line {number}: expected `account <- pattern`")
            account = account.strip()
            sign = {"+": 1, "-": -1}.get(account[:1], 0)
            rules.append(Rule(pattern.strip(), account.lstrip("+-").strip(), sign))
        return cls(rules)

    def accounts(self) -> set[str]:
        return {rule.account for rule in self.rules} | {INCOME, EXPENSE}
