"""A session, and its report, as Markdown: readable as it stands, and no text of it is taken for markup."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from core.folds.conversation import Item
from core.folds.highlights import Moment
from core.publish.figures import Rows
from core.publish.film import Film, by_size
from core.publish.words import dollars, elapsed, moment, plain

_MARKUP: Final = re.compile(r"([\\`*_{}\[\]<>#|~])")
_SPEAKERS: Final = {"user": "You", "agent": "Agent", "guard": "Guard", "system": "System"}
_FILES: Final = 40


def session_markdown(film: Film, rows: Rows) -> str:
    """The whole session: what it came to, the way in, then everything said and done. `rows` are the report's."""
    return "\n".join([*_head(film, rows), *_notes(film), *_body(film)]) + "\n"


def report_markdown(film: Film, rows: Rows) -> str:
    """The report alone, with its story."""
    return "\n".join([*_head(film, rows), *story(film)]) + "\n"


def _head(film: Film, rows: Rows) -> list[str]:
    lines = [f"# {quoted(film.fields['name'] or 'Session')}", "", "| | |", "|---|---|"]
    lines += [f"| {quoted(name)} | {quoted(value)} |" for name, value in rows]
    return [*lines, "", "## In a few moments", "", *(_moment(one) for one in film.moments), ""]


def _moment(one: Moment) -> str:
    at = f" {moment(one.at_us)}" if one.at_us else ""
    return f"- `#{one.seq}`{at} **{one.kind}**: {quoted(one.text)}"


def _notes(film: Film) -> list[str]:
    return ["## Notes", "", *(_moment(one) for one in film.notes), ""] if film.notes else []


def story(film: Film) -> list[str]:
    """Plan, chapters, files and tests."""
    return [*_plan(film), *_chapters(film), *_files(film), *_tests(film)]


def _plan(film: Film) -> list[str]:
    if not film.plans:
        return []
    marks = {"done": "x", "active": ">", "todo": " ", "dropped": "-"}
    steps = film.plans[-1][1].steps
    lines = [
        f"- [{marks[step.status]}] {quoted(step.intent)}" + (f" ({quoted(step.note)})" if step.note else "")
        for step in steps
    ]
    return ["## Plan", "", *lines, ""]


def _chapters(film: Film) -> list[str]:
    return ["## Chapters", "", *(_moment(one) for one in film.chapters), ""] if film.chapters else []


def _files(film: Film) -> list[str]:
    rows = by_size(film.files)
    lines = [f"| {quoted(path)} | +{added} −{removed} | {times} |" for path, (added, removed, times) in rows[:_FILES]]
    more = [f"| … {len(rows) - _FILES} more | | |"] if len(rows) > _FILES else []
    return ["## Files", "", "| file | lines | edits |", "|---|---|---|", *lines, *more, ""] if rows else []


def _tests(film: Film) -> list[str]:
    lines = [
        f"- `#{seq}` {'passed' if ok else '**failed**'}: {quoted(command[:120])}"
        for seq, _, command, ok in film.checks[-20:]
    ]
    return ["## Tests", "", *lines, ""] if lines else []


def _body(film: Film) -> Iterator[str]:
    yield from ("## The session", "")
    start = film.times[0][1] if film.times else 0
    heads = {one.seq: one for one in film.chapters}
    for item, (_, at_us) in zip(film.items, film.times, strict=True):
        if chapter := heads.pop(item.seq, None):
            yield from (f"### {quoted(chapter.text)}", "")
        yield from _item(item, film.outputs.get(item.seq), elapsed((at_us - start) / 1e6) if at_us else "")


def _item(item: Item, output: str | None, at: str) -> Iterator[str]:
    place = " ".join(filter(None, (f"`#{item.seq}`", at)))
    if item.kind == "call":
        yield from (f"{place} **{quoted(item.name)}** {code(item.text.partition(' ')[2])}", "")
    elif item.kind == "result":
        yield from (*fence((output or item.text) or "(no output)"), "")
        if not item.ok:
            yield from ("*failed*", "")
    elif item.kind == "event":
        yield from (f"{place} *{quoted(item.text)}*", "")
    else:
        speaker = _SPEAKERS.get(item.speaker, item.speaker) + (", thinking" if item.kind == "thinking" else "")
        yield from (f"{place} **{speaker}**", "", *(f"> {quoted(line)}" for line in plain(item.text).split("\n")), "")


def quoted(text: Any) -> str:
    """A text on one line in which nothing is markup."""
    return _MARKUP.sub(r"\\\1", " ".join(plain(str(text)).split()))


def code(text: str) -> str:
    """A text as code on one line."""
    line = " ".join(plain(text).split())
    if not line:
        return ""
    ticks = "`" * (max((len(run) for run in re.findall(r"`+", line)), default=0) + 1)
    return f"{ticks} {line} {ticks}" if "`" in line else f"`{line}`"


def fence(text: str) -> list[str]:
    """A text as a block of code that it can't end itself."""
    text = plain(text)
    ticks = "`" * max(3, max((len(run) for run in re.findall(r"`+", text)), default=0) + 1)
    return [ticks + "text", *text.split("\n"), ticks]


def summary_rows(film: Film) -> Rows:
    """The few figures that a title says."""
    fields = film.fields
    cost = "unknown" if fields["cost_usd"] is None else dollars(fields["cost_usd"])
    return [
        ("State", f"{fields['state']} ({fields['reason']})"),
        ("Cost", cost),
        ("Calls", f"{fields['tool_calls']:,}"),
    ]
