"""Twelve ways in which a session goes wrong, each as what leads into it: replies, faults of the wire, settings, deeds.

They are data, so that whoever plays a session (a test of the screen, a rehearsal) can lead it into any of them at a
moment of its choosing. `alarm` is the kind of `core.folds.alarms` that must find it.

    for incident in INCIDENTS: policy.add(incident.replies); faults.add(incident.faults); ...
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Deed = Literal["", "age the command", "fill the disk", "change the file", "kill the runner"]
"""What somebody else does: the running command has been silent for long; the disk is nearly full; the file that the
agent has read is changed; the process of the runner ends without a last word."""

FILE = "notes.txt"
"""The file of the workspace that the replies read, and that is changed by hand."""
SILENT_S = 600
"""So long a command that was aged has put out nothing."""

CONFIG = """
[approvals]
mode = "full"
ask = ["write_file: migrations/**"]

[guards]
measure_drift = true

[context]
policy = "off"
keep_turns = 2

[retry]
first_delay_s = 60
"""
"""Settings under which each comes quickly: what asks, what is compressed when, how long a failed request waits."""


@dataclass(frozen=True, slots=True)
class Incident:
    """`replies` are rows of the script policy, the first result of which fills the window up to a share of `fill`.

    `faults` are those of the request after them (`evict`, `529`), `orders` commands of the user before it all, `after`
    when it is over; `deed` happens once the replies are played. `words` are in the status line at 80 cells, `cause` is
    part of what explains them, `remedy` a verb that helps.
    """

    name: str
    alarm: str
    words: str
    cause: str
    remedy: str
    replies: tuple[Mapping[str, Any], ...] = ()
    faults: tuple[str, ...] = ()
    orders: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    after: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    deed: Deed = ""
    fill: float = 0.0


def reply(tool: str, result_tokens: int | None = None, **arguments: Any) -> dict[str, Any]:
    """A reply that makes one call; its result may count as so many tokens."""
    row: dict[str, Any] = {"text": f"I use {tool}.", "tool_uses": [{"name": tool, "input": arguments}]}
    return row | ({"result_tokens": result_tokens} if result_tokens else {})


def _command(line: str, result_tokens: int | None = None) -> dict[str, Any]:
    return reply("run_command", result_tokens, command=line)


def _reads(*places: tuple[str, int]) -> dict[str, Any]:
    """One reply that reads a line of each of these files."""
    uses = [{"name": "read_file", "input": {"path": path, "offset": line, "limit": 1}} for path, line in places]
    return {"text": "I read on.", "tool_uses": uses}


_PARTS = (
    "mkdir -p billing weather; for n in 0 1 2 3; do for k in $(seq 24); do echo invoice_$k of billing/part_$n.py; done"
    " >billing/part_$n.py; done; for n in $(seq 0 17); do echo rain_$n in weather/city_$n.py >weather/cloud_$n.py; done"
)
"""A command that makes the files of two parts of a project."""
_DRIFTING = (
    _command(_PARTS),
    *(_reads(*((f"billing/part_{n % 4}.py", n + 1) for n in range(first, first + 6))) for first in range(0, 24, 6)),
    *(_reads(*((f"weather/cloud_{n}.py", 1) for n in range(first, first + 6))) for first in range(0, 18, 6)),
)
"""Long work on one part, and then on another one that nobody has spoken of."""

INCIDENTS: tuple[Incident, ...] = (
    Incident(
        "endless loop",
        alarm="guard",
        words="the same call 4 times",
        cause="The agent was told.",
        remedy="guard-ok",
        replies=(reply("read_file", path=FILE),) * 4,
    ),
    Incident(
        "the same failure three times",
        alarm="guard",
        words="the same failure 3 times",
        cause="3 attempts failed in the same way",
        remedy="guard-ok",
        replies=tuple(reply("read_file", path=f"../outside-{number}.txt") for number in range(3)),
    ),
    Incident(
        "silent stall",
        alarm="silent",
        words="command may hang",
        cause="neither puts out nor computes",
        remedy="interrupt",
        replies=(_command("sleep 3600"),),
        deed="age the command",
    ),
    Incident(
        "provider outage",
        alarm="outage",
        words="provider down",
        cause="The server is overloaded (529)",
        remedy="retry-now",
        faults=("529",),
    ),
    Incident(
        "approval waiting",
        alarm="asks",
        words="asks you",
        cause="migrations/0001.sql",
        remedy="approve",
        replies=(reply("write_file", path="migrations/0001.sql", content="drop table users;"),),
    ),
    Incident(
        "cost spike by a cold cache",
        alarm="cold",
        words="cold cache",
        cause="tokens were written anew",
        remedy="compress",
        replies=(_command("echo a long listing", 60_000), _command("echo after it")),
        faults=("evict",),
    ),
    Incident(
        "context near its limit",
        alarm="window",
        words="context nearly full",
        cause="tokens are taken",
        remedy="compress",
        replies=(_command("echo a longer listing"), _command("echo after that")),
        fill=0.79,
    ),
    Incident(
        "bad model-written digest",
        alarm="digest",
        words="digest refused",
        cause="was not taken",
        remedy="undo",
        replies=tuple(_command(f"echo step {number}") for number in range(5)),
        orders=(("policy", {"policy": "summarize"}),),
        after=(("policy", {"policy": "off"}),),
    ),
    Incident(
        "drift off the goal",
        alarm="guard",
        words="off the goal",
        cause="The latest calls are unlike the work before",
        remedy="guard-ok",
        replies=_DRIFTING,
    ),
    Incident(
        "disk nearly full",
        alarm="disk",
        words="disk nearly full",
        cause="are free on the disk",
        remedy="pause",
        after=(("continue", {}),),
        deed="fill the disk",
    ),
    Incident(
        "file changed by hand",
        alarm="handwork",
        words="changed by hand",
        cause=f"{FILE} changed on the disk between two calls",
        remedy="guide",
        replies=(reply("read_file", path=FILE),),
        faults=("stall",),
        after=(("interrupt", {}), ("continue", {})),
        deed="change the file",
    ),
    Incident(
        "runner dead",
        alarm="gone",
        words="its runner is gone",
        cause="Its process was killed",
        remedy="resume",
        deed="kill the runner",
    ),
)
