"""How the index of a session is asked: by exact name, by exact words, by likeness, and by reading all of it.

Every query walks a cursor and stops early, so what it costs depends on what is wanted and not on what is stored.
"""

from __future__ import annotations

import difflib
import re
import sqlite3
from collections.abc import Callable, Iterable
from itertools import accumulate, islice
from typing import Final, NamedTuple

from core.events import clean_text
from core.journal.passages import name_of

SEEN_AT_MOST: Final = 4_000
"""Rows that one query looks at before it is content with what it has."""
READ_AT_MOST: Final = 50_000
"""Chunks that are read when no index knows a string, the newest ones."""
_RANKED: Final = 60
_SCORED: Final = 6_000
"""Chunks that are weighed against each other for one question, about."""
_WORDS: Final = 8
_PHRASE: Final = 40
"""Words of a string that the index is asked for; the rest of it is compared."""
_FAINT: Final = 0.35
_NEAR_POOL: Final = 400
_LIKENESS: Final = 0.6
_WORD = re.compile(r"\w+")
_STOP: Final = frozenset(
    re.findall(
        r"\w+",
        "a about all an and are as at be but by can did do does for from had has have how i if in into is it its me my "
        "not of on or our so that the their them then there these they this to was we were what when where which who "
        "why will with you your",
    )
)
_PLACE: Final = "chunk.seq, source.handle, source.title, chunk.start, chunk.text"


class Place(NamedTuple):
    """A chunk that answers a query: of event `seq`, from character `start` of everything that the event says."""

    seq: int
    handle: str
    title: str
    start: int
    text: str


class Finding(NamedTuple):
    """`places` hold the `exact` words, or are only alike; the best first: the newest, or the most alike."""

    places: list[Place]
    exact: bool


Current = Callable[[Place], bool]
"""Whether what stands at a place still holds: not on an abandoned branch, no entry that was taken back."""


def find(db: sqlite3.Connection, text: str, limit: int, current: Current) -> Finding:
    """At most `limit` places that are current and as many that are not, one an event."""
    text = clean_text(text.strip())
    if not text:
        return Finding([], exact=True)
    exact = _named(db, text, limit, current) or _phrased(db, text, limit, current)
    if exact:
        return Finding(exact, exact=True)
    alike = _alike(db, text, limit, current) if " " in text else []
    if alike:
        return Finding(alike, exact=False)
    return Finding(_read_through(db, text, limit, current), exact=True)


def near(db: sqlite3.Connection, text: str, others: Iterable[str], limit: int) -> list[str]:
    """Names that were seen and look like `text`, or like one of its words; `others` are candidates as well."""
    pool = dict.fromkeys(others)
    wanted = clean_text(text.strip())
    for word in (wanted, *_WORD.findall(wanted)[:_WORDS]):
        start, end = word[:3], word[:3] + "\U0010ffff"
        names = "SELECT DISTINCT name FROM name WHERE name >= ? AND name < ? LIMIT ?"
        terms = "SELECT term FROM term WHERE term >= ? AND term < ? LIMIT ?"
        pool |= dict.fromkeys(name for (name,) in db.execute(names, (start, end, _NEAR_POOL)))
        pool |= dict.fromkeys(term for (term,) in db.execute(terms, (start.lower(), end.lower(), _NEAR_POOL)))
    return difflib.get_close_matches(wanted, pool, limit, _LIKENESS)


def _named(db: sqlite3.Connection, text: str, limit: int, current: Current) -> list[Place]:
    if (name := name_of(text)) is None:
        return []
    query = f"SELECT {_PLACE} FROM name JOIN chunk ON chunk.id = name.chunk JOIN source ON source.seq = name.seq "
    return _gather(db.execute(query + "WHERE name.name = ? ORDER BY name.seq DESC", (name,)), limit, current)


def _phrased(db: sqlite3.Connection, text: str, limit: int, current: Current) -> list[Place]:
    """Chunks with these words in this order, kept when they hold the very string, or else but for its case."""
    if not (words := list(islice(_WORD.finditer(text), _PHRASE))):
        return []
    query = f"SELECT {_PLACE} FROM words JOIN chunk ON chunk.id = words.rowid JOIN source USING (seq) "
    query += "WHERE words MATCH ? ORDER BY words.rowid DESC"
    rows = db.execute(query, (_quoted(text[: words[-1].end()]),))
    loose: list[tuple[object, ...]] = []

    def verified() -> Iterable[tuple[object, ...]]:
        for row in islice(rows, SEEN_AT_MOST):
            if text in row[4]:
                yield row
            elif text.casefold() in row[4].casefold():
                loose.append(row)

    return _gather(verified(), limit, current) or _gather(loose, limit, current)


def _alike(db: sqlite3.Connection, text: str, limit: int, current: Current) -> list[Place]:
    """By bm25, weighed by how many of the words a chunk holds and, a little, by how new it is."""
    words = _telling(db, [word for word in dict.fromkeys(_tokens(text)) if word not in _STOP][:_WORDS])
    if not words:
        return []
    # Texts are fetched after sorting, for the best alone.
    ranked = "SELECT rowid AS id, rank FROM words WHERE words MATCH ? ORDER BY rank LIMIT ?"
    query = f"SELECT -ranked.rank, chunk.id, {_PLACE} FROM ({ranked}) AS ranked JOIN chunk USING (id) "
    query += "JOIN source USING (seq)"
    (newest,) = db.execute("SELECT ifnull(max(id), 1) FROM chunk").fetchone()
    scored: list[tuple[float, tuple[object, ...]]] = []
    for rank, row, *place in db.execute(query, (" OR ".join(map(_quoted, words)), _RANKED)):
        held = set(_tokens(place[4]))
        share = sum(word in held for word in words) / len(words)
        scored.append((rank * share * (0.8 + 0.2 * row / newest), tuple(place)))
    scored.sort(key=lambda pair: -pair[0])
    clear = [place for score, place in scored if score >= scored[0][0] * _FAINT]
    return _gather(clear, limit, current)


def _telling(db: sqlite3.Connection, words: list[str]) -> list[str]:
    """The words that are seldom enough to tell one chunk from another, the rarest first; at least one."""
    counts = {word: db.execute("SELECT doc FROM term WHERE term = ?", (word,)).fetchone() or (0,) for word in words}
    rarest = sorted(words, key=lambda word: counts[word][0])
    scored = accumulate(counts[word][0] for word in rarest)
    return [
        word for place, (word, total) in enumerate(zip(rarest, scored, strict=True)) if not place or total <= _SCORED
    ]


def _read_through(db: sqlite3.Connection, text: str, limit: int, current: Current) -> list[Place]:
    """Strings that begin or end within a word, or hold none."""
    query = f"SELECT {_PLACE} FROM chunk JOIN source USING (seq) WHERE instr(chunk.text, ?) "
    query += "AND chunk.id > (SELECT max(id) FROM chunk) - ? ORDER BY chunk.id DESC"
    return _gather(db.execute(query, (text, READ_AT_MOST)), limit, current)


def _gather(rows: Iterable[tuple[object, ...]], limit: int, current: Current) -> list[Place]:
    """The first places that are current, and as many that are not, one an event, in their order."""
    room = {True: limit, False: limit}
    found: dict[int, Place] = {}
    for row in islice(rows, SEEN_AT_MOST):
        place = Place(*row)  # type: ignore[arg-type]
        if place.seq not in found and room[standing := current(place)]:
            found[place.seq] = place
            room[standing] -= 1
            if not room[True]:
                break
    return list(found.values())


def _tokens(text: str) -> list[str]:
    """Words as the index cuts them, near enough."""
    return [word.lower() for word in _WORD.findall(text)]


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""').replace("\x00", " ") + '"'
