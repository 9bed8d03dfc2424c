"""What a rehearsal came to: what was found and truly mended, what was claimed and is not so, what was still known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from core.events import Event, ToolStarted
from core.rehearsal.proofs import proven, suite_passes
from core.rehearsal.town import Planted, Town

REPORT = "AUDIT.md"
_ROW = re.compile(r"^- `([^`]+)` (\w+) \((\w+)\): (fixed|open)\b", re.M)
_SIGNED = re.compile(r"^- town/([\w-]+): reviewed(?:, review code (\S+))?$", re.M)


class Share(msgspec.Struct, frozen=True):
    """Of so many."""

    count: int
    of: int


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Flaws by where their templates come from (`known`, `aside`), and the report's claims.

    `found`: the report names the module and the kind. `fixed`: it says so, and the proof passes. `false_findings`: it
    names what is none; `false_fixes`: it says fixed and the proof fails. `codes`: review codes in the report that
    hold, of the departments it reviewed; `outdated` of these are what an earlier paper said. `recalled`: how often a
    code had to be looked up, as it was out of the context. `suite`: the town's own tests pass.
    """

    found: dict[str, Share]
    fixed: dict[str, Share]
    false_findings: list[str]
    false_fixes: list[str]
    codes: Share
    outdated: int
    recalled: int
    suite: bool


def verdict(town: Town, workspace: Path, events: list[Event]) -> Verdict:
    """Judge a workspace and its report by what was planted. Blocks for as long as the tests take."""
    path = workspace / REPORT
    claims = claimed(path.read_text(encoding="utf-8") if path.exists() else "")
    planted = {(one.path, one.kind): one for one in town.flaws}
    proofs = proven(town.flaws, workspace)
    named = {planted[key].id for key in claims if key in planted}
    mended = {one.id for key, one in planted.items() if claims.get(key) == "fixed" and proofs[one.id]}
    said = [key for key, outcome in claims.items() if outcome == "fixed"]
    signed = dict(_SIGNED.findall(path.read_text(encoding="utf-8"))) if path.exists() else {}
    current, old = town.codes.current, town.codes.old
    return Verdict(
        found={origin: _share(town, origin, named) for origin in ("known", "aside")},
        fixed={origin: _share(town, origin, mended) for origin in ("known", "aside")},
        false_findings=sorted(f"{path} ({kind})" for path, kind in claims if (path, kind) not in planted),
        false_fixes=sorted(f"{key[0]} ({key[1]})" for key in said if key in planted and planted[key].id not in mended),
        codes=Share(sum(current.get(area) == code for area, code in signed.items()), len(signed)),
        outdated=sum(old.get(area) == code for area, code in signed.items()),
        recalled=sum(_looks_up_a_code(event) for event in events),
        suite=suite_passes(workspace),
    )


def claimed(report: str) -> Mapping[tuple[str, str], str]:
    """The last thing that a report says of each (module, kind): `fixed` or `open`."""
    return {(path, kind): outcome for path, _, kind, outcome in _ROW.findall(report)}


def missed(town: Town, verdict: Verdict, workspace: Path) -> list[Planted]:
    """Flaws that the report does not name."""
    claims = claimed((workspace / REPORT).read_text(encoding="utf-8"))
    return [one for one in town.flaws if (one.path, one.kind) not in claims]


def _share(town: Town, origin: str, ids: set[str]) -> Share:
    own = [flaw.id for flaw in town.flaws if flaw.origin == origin]
    return Share(sum(id in ids for id in own), len(own))


def _looks_up_a_code(event: Event) -> bool:
    body = event.body
    asked = str(body.arguments.get("query", "")) if isinstance(body, ToolStarted) and body.name == "recall" else ""
    return asked.startswith("review code")
