"""Accounts, entries and postings."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import Enum


class Kind(Enum):
    ASSET = "asset"
    LIABILITY = "liability"
    INCOME = "income"
    EXPENSE = "expense"
    EQUITY = "equity"

    @property
    def debit_grows(self) -> bool:
        return self in (Kind.ASSET, Kind.EXPENSE)


@dataclass(frozen=True)
class Account:
    name: str
    kind: Kind
    currency: str = "EUR"

    @property
    def path(self) -> list[str]:
        return self.name.split(":")


@dataclass(frozen=True)
class Posting:
    """One side of an entry: cents on an account, positive for debit."""

    account: str
    cents: int
    currency: str = "EUR"


class Unbalanced(ValueError):
    """The postings of an entry do not add up to zero."""


@dataclass
class Entry:
    day: date
    text: str
    postings: list[Posting] = field(default_factory=list)
    reference: str = ""
    id: int | None = None

    def add(self, account: str, cents: int, currency: str = "EUR") -> Entry:
        self.postings.append(Posting(account, cents, currency))
        return self

    def check(self) -> None:
        """Raises Unbalanced unless the postings cancel out in every currency."""
        sums: dict[str, int] = {}
        for posting in self.postings:
            sums[posting.currency] = sums.get(posting.currency, 0) + posting.cents
        off = {currency: cents for currency, cents in sums.items() if cents}
        if off:
            raise Unbalanced(f"{self.text!r} is off by {off}")
        if len(self.postings) < 2:
            raise Unbalanced(f"{self.text!r} needs two postings")

    @property
    def month(self) -> str:
        return self.day.strftime("%Y-%m")

    @property
    def turnover(self) -> int:
        return sum(posting.cents for posting in self.postings if posting.cents > 0)


def transfer(day: date, text: str, source: str, target: str, cents: int) -> Entry:
    """Money that goes from one account to another."""
    if cents < 0:
        source, target, cents = target, source, -cents
    return Entry(day, text).add(target, cents).add(source, -cents)
