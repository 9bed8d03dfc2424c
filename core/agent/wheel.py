"""One driver, any number of observers: who may steer from a screen. Pure judgements; who is there comes in.

A command without a viewer comes from a shell (`longwatch send`) and is no matter of the wheel.
"""

from __future__ import annotations

from core.agent.facts import Facts
from core.agent.verb import Refused, Verb
from core.events import Draft, DriverChanged
from core.journal.inbox import Command
from core.journal.viewers import Viewer, driver_of

FREE = frozenset({"drive"})
"""What an observer may do too."""


def steers(command: Command, facts: Facts) -> list[Draft]:
    """Whether a command's sender may steer; the event that says who drives from here on, where that is new.

    Raises Refused, naming the driver and the way to the wheel.
    """
    if not command.viewer or command.verb in FREE or command.viewer == _named(facts):
        return []
    driver = driver_of(_named(facts), facts.present)
    if driver is None or driver.id == command.viewer:
        return [_changed(driver or Viewer(command.viewer, command.origin), command)]
    raise Refused(f"{driver.who} drives this session; press w, or type drive, to take the wheel.")


def _drive(command: Command, facts: Facts) -> list[Draft]:
    wanted = str(command.args.get("viewer") or command.viewer)
    found = [one for one in facts.present if wanted in ("", one.id, *one.who.split())]  # pts/1 is not pts/11.
    found = found or [one for one in facts.present if wanted in one.who]
    if len(found) != 1:
        there = "; ".join(one.who for one in facts.present) or "nobody looks at this session"
        raise Refused(f"Say which screen shall drive, by its terminal: {there}.")
    if found[0].id == _named(facts):
        raise Refused(f"{found[0].who} drives already.")
    return [_changed(found[0], command, taken=True)]


def _named(facts: Facts) -> str | None:
    return facts.state.driver.viewer if facts.state.driver else None


def _changed(viewer: Viewer, command: Command, *, taken: bool = False) -> Draft:
    body = DriverChanged(viewer=viewer.id, who=viewer.who, by=command.origin, taken=taken)
    return Draft(body, actor=command.actor)


DRIVE = Verb("drive", ("viewer",), "take the wheel; from a shell: give it to the screen on that terminal", _drive)
