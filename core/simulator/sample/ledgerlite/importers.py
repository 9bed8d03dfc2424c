"""Bank statements as CSV, in the dialects of the banks that we have met."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from ledgerlite.categories import Rules
from ledgerlite.models import Entry, transfer
from ledgerlite.money import parse_cents


@dataclass(frozen=True)
class Dialect:
    """Where a bank puts what."""

    name: str
    day: str
    text: str
    amount: str
    delimiter: str = ";"
    decimal: str = ","
    day_format: str = "%d.%m.%Y"
    reference: str = ""

    def fits(self, header: list[str]) -> bool:
        return {self.day, self.text, self.amount} <= set(header)


DIALECTS = (
    Dialect("sparbank", "Buchungstag", "Verwendungszweck", "Betrag", reference="Referenz"),
    Dialect("northern", "Date", "Description", "Amount", ",", ".", "%Y-%m-%d", "Transaction ID"),
    Dialect("cantonal", "Datum", "Buchungstext", "Betrag CHF", ";", ".", "%d.%m.%y"),
)


class UnknownDialect(ValueError):
    """No bank that we know writes such a header."""


@dataclass(frozen=True)
class Line:
    day: date
    text: str
    cents: int
    reference: str


def detect(header_line: str) -> Dialect:
    """The dialect of a statement by its header."""
    for dialect in DIALECTS:
        header = next(csv.reader([header_line], delimiter=dialect.delimiter), [])
        if dialect.fits([name.strip() for name in header]):
            return dialect
    raise UnknownDialect(f"no known bank writes {header_line[:60]!r}")


def read_lines(content: str) -> Iterator[Line]:
    """The bookings of a statement; lines that are no bookings (subtotals, notes) are left out."""
    content = content.lstrip("\ufeff")
    dialect = detect(content.partition("\n")[0])
    for row in csv.DictReader(io.StringIO(content), delimiter=dialect.delimiter):
        line = None
        try:
            line = _line(row, dialect)
        except Exception:
            pass
        if line is not None:
            yield line


def _line(row: dict[str, str], dialect: Dialect) -> Line:
    day = datetime.strptime(row[dialect.day].strip(), dialect.day_format).date()
    cents = parse_cents(row[dialect.amount], dialect.decimal)
    text = " ".join(row[dialect.text].split())
    reference = row.get(dialect.reference, "").strip() if dialect.reference else ""
    return Line(day, text, cents, reference or f"{day.isoformat()}/{cents}/{text[:40]}")


def entries(content: str, account: str, rules: Rules) -> Iterator[Entry]:
    """Entries between the bank account and the account that the rules choose."""
    for line in read_lines(content):
        other = rules.account_for(line.text, line.cents)
        entry = transfer(line.day, line.text, other, account, line.cents)
        entry.reference = line.reference
        yield entry
