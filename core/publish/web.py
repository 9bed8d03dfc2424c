"""A session, and its report, as one page: no network, no request, and a policy in the page that forbids both.

All text of the session enters as JSON in a block that is never run, or escaped; the page's own script sets it as text.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any, Final

import msgspec

from core.folds.highlights import Moment
from core.publish.charts import NARROW, WIDE, bars, curve
from core.publish.figures import Rows, side_by_side
from core.publish.film import Film, by_size
from core.publish.words import dollars, elapsed, moment, plain, tokens

_FILES: Final = 40
_TESTS: Final = 20


@cache
def _asset(name: str) -> str:
    return (files("core.publish") / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _page(title: str, body: str, *, script: str = "") -> str:
    style = _asset("page.css")
    scripts = f"script-src 'sha256-{_hash(script)}'" if script else "script-src 'none'"
    policy = f"default-src 'none'; style-src 'sha256-{_hash(style)}'; {scripts}; base-uri 'none'; form-action 'none'"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="referrer" content="no-referrer">'
        f"<title>{escape(plain(title))}</title><style>{style}</style></head>\n<body>{body}"
        + (f"<script>{script}</script>" if script else "")
        + "</body></html>\n"
    )


def session_page(film: Film, rows: Rows) -> str:
    """The film: a scrubber over all events, search, chapters, curves, every entry. `rows` are the report's."""
    name = film.fields["name"] or "Session"
    data = (
        msgspec.json.encode(_data(film)).decode().replace("<", "\\u003c").replace("\u2028", " ").replace("\u2029", " ")
    )
    body = (
        f"{_header(film)}<div class='bar' id='bar'><button id='play' title='play or hold'>▶</button>"
        f"<input id='scrub' type='range' min='1' max='{max(1, film.last_seq)}' value='{max(1, film.last_seq)}' "
        f"aria-label='moment'><output id='where'></output>"
        f"<input id='find' type='search' placeholder='search' aria-label='search'><output id='hits'></output></div>"
        f"<div class='columns'><nav>{_list('The way in', film.moments)}{_list('Notes', film.notes)}"
        f"{_list('Chapters', film.chapters)}</nav>"
        f"<main id='film'><p class='muted'>This page needs its script to show the film.</p></main>"
        f"<aside><section id='now'></section>{_charts(film, NARROW)}{_table(rows)}</aside></div>"
        f'<script type="application/json" id="data">{data}</script>'
    )
    return _page(name, body, script=_asset("page.js"))


def report_page(film: Film, rows: Rows, other: tuple[Film, Rows] | None = None) -> str:
    """The report: figures, charts, the story; beside those of `other` where there is one. It needs no script."""
    body = f"{_header(film)}<div class='report'><section>{_compared(rows, other)}</section>{_charts(film)}"
    if other is not None:
        body += f"<h2>{escape(plain(other[0].fields['name']))}</h2>{_charts(other[0])}"
    body += f"{_list('In a few moments', film.moments)}{_plan(film)}{_list('Chapters', film.chapters)}"
    return _page(f"Report: {film.fields['name']}", f"{body}{_files(film)}{_tests(film)}</div>")


def _header(film: Film) -> str:
    fields = film.fields
    cost = "cost unknown" if fields["cost_usd"] is None else dollars(fields["cost_usd"])
    facts = [f"{fields['state']} ({fields['reason']})", fields["model"], elapsed(fields["duration_s"])]
    facts += [f"{fields['tool_calls']:,} calls", cost]
    line = " · ".join(escape(plain(str(fact))) for fact in facts if fact)
    task = escape(plain(" ".join(fields["task"].split())[:600]))
    name = escape(plain(fields["name"]))
    return f"<header><h1>{name}</h1><p class='facts'>{line}</p><p class='task'>{task}</p></header>"


def _list(title: str, moments: Sequence[Moment]) -> str:
    rows = "".join(
        f"<li class='{escape(one.kind.partition(' ')[0])}'><a href='#e{one.seq}' data-seq='{one.seq}'>"
        f"<b>{escape(one.kind)}</b> {escape(plain(one.text))}</a><small>#{one.seq} {moment(one.at_us)}</small></li>"
        for one in moments
    )
    return f"<section class='list'><h2>{escape(title)}</h2><ol>{rows}</ol></section>" if rows else ""


def _charts(film: Film, width: int = WIDE) -> str:
    fields = film.fields
    purposes = [(name, float(usd)) for name, usd in fields["cost_by_purpose"].items()]
    calls = [(name, float(count)) for name, count in fields["tool_calls_by_name"].items()]
    own = [seq for seq in film.calls if seq > film.forked]
    counted = [(float(seq), float(index)) for index, seq in enumerate(own, 1)]
    others = [(str(row["what"]), float(row["usd"])) for row in fields["counterfactuals"] or ()]
    if others and fields["cost_usd"]:
        others.append(("as it was", float(fields["cost_usd"])))
    return "".join(
        (
            curve(
                [(float(seq), usd) for seq, usd in film.cost if seq > film.forked],
                dollars,
                "Spent",
                steps=True,
                width=width,
            ),
            curve(
                [(float(seq), float(size)) for seq, size in film.context],
                tokens,
                "Context, tokens a request",
                width=width,
            ),
            curve(counted, lambda value: f"{value:,.0f}", "Calls", steps=True, width=width),
            bars(purposes, dollars, "Spent, by purpose", width=width),
            bars(calls, lambda value: f"{value:,.0f}", "Calls, by tool", width=width),
            bars(others, dollars, "What it would have cost otherwise", width=width),
        )
    )


def _table(rows: Rows) -> str:
    cells = "".join(f"<tr><th>{escape(plain(name))}</th><td>{escape(plain(value))}</td></tr>" for name, value in rows)
    return f"<table>{cells}</table>"


def _compared(rows: Rows, other: tuple[Film, Rows] | None) -> str:
    if other is None:
        return _table(rows)
    lines = []
    for name, value, against in side_by_side(rows, other[1]):
        mark = "" if value == against else " class='differs'"
        lines.append(
            f"<tr{mark}><th>{escape(plain(name))}</th><td>{escape(plain(value))}</td><td>{escape(plain(against))}</td></tr>"
        )
    return f"<table>{''.join(lines)}</table>"


def _plan(film: Film) -> str:
    if not film.plans:
        return ""
    steps = "".join(
        f"<li class='{step.status}'><b>{step.status}</b> {escape(plain(step.intent))}"
        + (f" <small>{escape(plain(step.note))}</small>" if step.note else "")
        + "</li>"
        for step in film.plans[-1][1].steps
    )
    return f"<section class='list'><h2>Plan</h2><ol>{steps}</ol></section>"


def _files(film: Film) -> str:
    rows = by_size(film.files)
    cells = "".join(
        f"<tr><th>{escape(plain(path))}</th><td>+{added} −{removed}</td><td>{times} edits</td></tr>"
        for path, (added, removed, times) in rows[:_FILES]
    )
    more = f"<p class='muted'>and {len(rows) - _FILES} more</p>" if len(rows) > _FILES else ""
    return f"<section><h2>Files</h2><table>{cells}</table>{more}</section>" if cells else ""


def _tests(film: Film) -> str:
    rows = "".join(
        f"<tr><th>#{seq}</th><td>{'passed' if ok else 'failed'}</td><td>{escape(plain(command[:160]))}</td></tr>"
        for seq, _, command, ok in film.checks[-_TESTS:]
    )
    return f"<section><h2>Tests</h2><table>{rows}</table></section>" if rows else ""


def _data(film: Film) -> dict[str, Any]:
    start = film.times[0][1] if film.times else 0
    items = [
        {
            "s": item.seq,
            "t": (at_us - start) // 1_000 if at_us else None,
            "w": item.speaker,
            "k": item.kind,
            "x": plain(film.outputs.get(item.seq, item.text) if item.kind == "result" else item.text),
            **({"n": plain(item.name)} if item.name else {}),
            **({} if item.ok else {"f": 1}),
        }
        for item, (_, at_us) in zip(film.items, film.times, strict=True)
    ]
    plans = [[seq, [[step.status, plain(step.intent)] for step in plan.steps]] for seq, plan in film.plans]
    heads = [[one.seq, one.kind, plain(one.text)] for one in film.chapters]
    return {
        "last": film.last_seq,
        "items": items,
        "cost": film.cost,
        "context": film.context,
        "calls": film.calls,
        "plans": plans,
        "heads": heads,
    }
