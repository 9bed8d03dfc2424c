"""Balances, month tables, and the comparison with a budget, as rows and as text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date

from ledgerlite.budgets import Limit, usage
from ledgerlite.models import Entry, Kind
from ledgerlite.money import format_cents, percent
from ledgerlite.store import Store

Row = tuple[str, ...]


def balances(store: Store, until: date | None = None) -> list[tuple[str, int]]:
    """Accounts with a balance, as people read it: income and debts positive."""
    rows = []
    for account in store.accounts():
        cents = store.balance(account.name, until)
        if cents:
            rows.append((account.name, cents if account.kind.debit_grows else -cents))
    return rows


def net_worth(store: Store, until: date | None = None) -> int:
    kinds = (Kind.ASSET, Kind.LIABILITY)
    names = [account.name for account in store.accounts() if account.kind in kinds]
    return sum(store.balance(name, until) for name in names)


def spent_by_account(entries: Iterable[Entry], prefix: str = "expense:") -> dict[str, int]:
    spent: dict[str, int] = defaultdict(int)
    for entry in entries:
        for posting in entry.postings:
            if posting.account.startswith(prefix):
                spent[posting.account] += posting.cents
    return dict(spent)


def months(entries: Iterable[Entry]) -> list[tuple[str, int, int]]:
    """(month, income, expense) in cents."""
    table: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for entry in entries:
        for posting in entry.postings:
            if posting.account.startswith("income:"):
                table[entry.month][0] -= posting.cents
            elif posting.account.startswith("expense:"):
                table[entry.month][1] += posting.cents
    return [(month, income, expense) for month, (income, expense) in sorted(table.items())]


def budget_rows(store: Store, limits: list[Limit], month: str) -> list[Row]:
    rows = []
    for item in usage(limits, spent_by_account(store.entries(month))):
        state = "over" if item.is_over else "ok"
        share = percent(item.spent, item.limit.cents)
        rows.append((item.limit.pattern, format_cents(item.spent), format_cents(item.limit.cents), share, state))
    return rows


def balance_rows(store: Store) -> list[Row]:
    rows = [(name, format_cents(cents)) for name, cents in balances(store)]
    return [*rows, ("net worth", format_cents(net_worth(store)))]


def as_table(rows: Sequence[Row], header: Row = ()) -> str:
    """Columns of text, the first to the left, the others to the right."""
    lines = [header, *rows] if header else list(rows)
    if not lines:
        return ""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    texts = []
    for line in lines:
        cells = [line[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(line[1:], widths[1:])]
        texts.append("  ".join(cells).rstrip())
    if header:
        texts.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(texts)
