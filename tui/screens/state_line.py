"""State and reason in the status line, in several lengths: an alarm is never cut, and never hides the state."""

from __future__ import annotations

from textual.content import Content

from core.folds.alarms.alarm import Alarm
from core.folds.standing import Status
from core.folds.view import SessionView
from tui.safe import one_line
from tui.screens.status_facts import STATES, state_words

STANDS = {"gone": "interrupted", "trouble": "waiting"}
"""The state that an alarm stands for, which the log does not know."""


def state_forms(
    view: SessionView, at: int | None, now_us: int, alarm: Alarm | None, *, replay: bool, pulse: str = ""
) -> list[Content]:
    """What can stand there, the longest first. What is not now says so first.

    `alarm` is the most pressing one; `pulse` how the running command is, where nothing is wrong.
    """
    status = view.state.status.at(at)
    past = "" if at is None else f"{'REPLAY' if replay else 'PAST'} #{at:,}"
    before = Content.styled(past, "bold reverse") + Content(" ") if past else Content("")
    if alarm is None:
        forms = [state_words(status, now_us) + beat for beat in _beats(pulse if at is None else "")]
        forms.append(state_words(Status(status.state, status.reason, "", status.until_us), now_us))
        forms.append(_head(status))
    else:
        forms = list(_alarmed(alarm, status, now_us))
    return [before + form for form in forms] + ([forms[-1]] if past and alarm is not None else [])


def _alarmed(alarm: Alarm, status: Status, now_us: int) -> list[Content]:
    """The alarm in the place of the state's reason, or behind it."""
    if alarm.stated:
        known = Status(STANDS.get(alarm.kind, status.state), status.reason)
        style = STATES.get(known.state, ("?", "$muted"))[1]
        style = "$warning" if alarm.kind == "asks" else style
        forms = [Content.assemble(_head(known), (f" · {one_line(words)}", style)) for words in alarm.words]
        detail = f" · {one_line(status.detail)}" if status.detail and alarm.kind not in STANDS else ""
        return [forms[0] + Content.styled(detail, "$muted"), *forms]
    said = [Content.styled(f" ! {one_line(words)}", "bold $warning") for words in alarm.words]
    brief = Status(status.state, status.reason, "", status.until_us)
    return [*(state_words(brief, now_us) + words for words in said), *(_head(status) + words for words in said)]


def _beats(pulse: str) -> list[Content]:
    """How the running command is, after the state: whole, and its beginning."""
    brief = pulse.partition(",")[0].replace("silent for", "silent")
    return [Content.styled(f" · {words}" if words else "", "$muted") for words in dict.fromkeys((pulse, brief))]


def _head(status: Status) -> Content:
    """Glyph and state alone."""
    glyph, style = STATES.get(status.state, ("?", "$muted"))
    if status.reason in ("approval", "question"):
        glyph, style = "?", "$warning"
    return Content.styled(f"{glyph} {status.state}", f"bold {style}")
