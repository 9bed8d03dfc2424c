"""The folds that a compression reads, fed from a logbook."""

from core.folds.branches import Branches
from core.folds.fold import Dispatcher
from core.folds.memories import Memories
from core.folds.plan import Plan
from core.request.archive import Remembered
from core.request.ledger import Ledger


def ledger_of(log, upto=None):
    """The ledger after the events of a logbook (the first `upto` of them)."""
    branches = Branches()
    memories, plan = Memories(branches), Plan(branches)
    remembered = Remembered()
    ledger = Ledger(branches, memories, plan, remembered.read)
    feed = Dispatcher([remembered, branches, memories, plan, ledger])
    for event in log.events[:upto]:
        feed.apply(event)
    return ledger


def run(log, command, content="exit 0", ok=True, **more):
    """A turn with one command; the event of its result."""
    attempt = log.reply(("run_command", {"command": command}))
    log.start(attempt, 0, "run_command", {"command": command}, "command")
    return log.finish(attempt, 0, "run_command", content, ok, **more)
