"""Made-up books to try things with: the same seed gives the same books on every machine."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta

from ledgerlite.models import Account, Entry, Kind, transfer
from ledgerlite.store import Store

ACCOUNTS = (
    Account("bank", Kind.ASSET),
    Account("card", Kind.LIABILITY),
    Account("income:salary", Kind.INCOME),
    Account("expense:food", Kind.EXPENSE),
    Account("expense:rent", Kind.EXPENSE),
    Account("expense:fun", Kind.EXPENSE),
)
SHOPS = (("Corner shop", "expense:food"), ("Market", "expense:food"), ("Cinema", "expense:fun"), ("Books", "expense:fun"))


def entries(seed: int, start: date, days: int) -> Iterator[Entry]:
    """Salary and rent on the first of a month, a purchase on most days."""
    random.seed(seed)
    for offset in range(days):
        day = start + timedelta(days=offset)
        if day.day == 1:
            yield transfer(day, "Salary", "income:salary", "bank", 310_000)
            yield transfer(day, "Rent", "bank", "expense:rent", 98_000)
        if offset % 3 != 2:
            shop, account = random.choice(SHOPS)
            yield transfer(day, shop, "card", account, 500 + 137 * (offset % 29))


def fill(store: Store, seed: int = 1, start: date = date(2024, 1, 1), days: int = 90) -> int:
    """Put made-up books into a store; returns the number of entries."""
    for account in ACCOUNTS:
        store.open_account(account)
    return store.add_all(entries(seed, start, days))
