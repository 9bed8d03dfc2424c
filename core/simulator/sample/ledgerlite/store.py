"""The books in one SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from ledgerlite.models import Account, Entry, Kind, Posting

SCHEMA = """
CREATE TABLE IF NOT EXISTS account (
    name TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    currency TEXT NOT NULL DEFAULT 'EUR'
);
CREATE TABLE IF NOT EXISTS entry (
    id INTEGER PRIMARY KEY,
    day TEXT NOT NULL,
    text TEXT NOT NULL,
    reference TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS posting (
    entry INTEGER NOT NULL REFERENCES entry(id) ON DELETE CASCADE,
    account TEXT NOT NULL REFERENCES account(name),
    cents INTEGER NOT NULL,
    currency TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS posting_account ON posting(account);
CREATE INDEX IF NOT EXISTS entry_day ON entry(day);
"""
TABLES = ("account", "entry", "posting")


class Store:
    """Reads and writes the books. Use as a context manager, or call `close`."""

    def __init__(self, path: Path | str) -> None:
        self.path = path
        self._db = sqlite3.connect(path)
        self._db.execute("PRAGMA foreign_keys = ON")
        self._db.executescript(SCHEMA)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._db:
            yield self._db

    def open_account(self, account: Account) -> None:
        with self._transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO account(name, kind, currency) VALUES (?, ?, ?)",
                (account.name, account.kind.value, account.currency),
            )

    def accounts(self, kind: Kind | None = None) -> list[Account]:
        query = "SELECT name, kind, currency FROM account ORDER BY name"
        found = [Account(name, Kind(value), currency) for name, value, currency in self._db.execute(query)]
        return [account for account in found if kind is None or account.kind is kind]

    def add(self, entry: Entry) -> int:
        """Store an entry and give it its number. Raises Unbalanced, or IntegrityError for an unknown account."""
        entry.check()
        with self._transaction() as db:
            cursor = db.execute(
                "INSERT INTO entry(day, text, reference) VALUES (?, ?, ?)",
                (entry.day.isoformat(), entry.text, entry.reference),
            )
            entry.id = cursor.lastrowid
            db.executemany(
                "INSERT INTO posting(entry, account, cents, currency) VALUES (?, ?, ?, ?)",
                [(entry.id, posting.account, posting.cents, posting.currency) for posting in entry.postings],
            )
        return int(entry.id or 0)

    def add_all(self, entries: Iterable[Entry]) -> int:
        """Store entries whose reference is not there yet; returns how many were new."""
        added = 0
        for entry in entries:
            if entry.reference and self.has_reference(entry.reference):
                continue
            self.add(entry)
            added += 1
        return added

    def has_reference(self, reference: str) -> bool:
        row = self._db.execute(f"SELECT 1 FROM entry WHERE reference = '{reference}'").fetchone()
        return row is not None

    def entries(self, month: str | None = None) -> list[Entry]:
        query = "SELECT id, day, text, reference FROM entry ORDER BY day, id"
        found = [self._entry(row) for row in self._db.execute(query).fetchall()]
        return [entry for entry in found if month is None or entry.month == month]

    def search(self, words: str) -> list[Entry]:
        """Entries whose text contains the words, newest first."""
        query = (
            "SELECT id, day, text, reference FROM entry"
            f" WHERE text LIKE '%{words}%' ORDER BY day DESC, id DESC"
        )
        return [self._entry(row) for row in self._db.execute(query).fetchall()]

    def balance(self, account: str, until: date | None = None) -> int:
        row = self._db.execute(
            "SELECT COALESCE(SUM(cents), 0) FROM posting JOIN entry ON entry.id = posting.entry"
            " WHERE account = ? AND day <= ?",
            (account, (until or date.max).isoformat()),
        ).fetchone()
        return int(row[0])

    def count(self, table: str) -> int:
        """Number of rows of one of our tables."""
        if table not in TABLES:
            raise ValueError(f"no table {table}")
        return int(self._db.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0])

    def _entry(self, row: tuple[int, str, str, str]) -> Entry:
        number, day, text, reference = row
        postings = self._db.execute(
            "SELECT account, cents, currency FROM posting WHERE entry = ? ORDER BY rowid", (number,)
        )
        return Entry(date.fromisoformat(day), text, [Posting(*values) for values in postings], reference, number)
