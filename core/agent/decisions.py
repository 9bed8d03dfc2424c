"""What can be done next: one class for each kind of step. `decide` chooses among them, the runner does them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.folds.allowances import Taken
from core.folds.asking import PendingCall
from core.folds.docket import Question
from core.folds.guards.watch import Due
from core.folds.standing import Order


@dataclass(frozen=True, slots=True)
class Obey:
    """An accepted command whose safe point has come."""

    order: Order


@dataclass(frozen=True, slots=True)
class Hold:
    """Stand still until a command comes."""


@dataclass(frozen=True, slots=True)
class RunTools:
    """Run these calls, all at once when there are several."""

    calls: tuple[PendingCall, ...]


@dataclass(frozen=True, slots=True)
class AwaitAnswer:
    """The next call waits for the user's answer: until that time, or (None) for as long as it takes."""

    until_us: int | None


@dataclass(frozen=True, slots=True)
class AnswerByDefault:
    """Nobody answered this question in time: what the agent said it would then do applies."""

    call: PendingCall


@dataclass(frozen=True, slots=True)
class Deliver:
    """Put the queued guidance into the context."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Remind:
    """Tell the model why its turn goes on."""

    text: str


@dataclass(frozen=True, slots=True)
class Compress:
    """Shorten the context, by a policy that is due or (`policy` None) to make room."""

    reason: str
    policy: str | None = None


@dataclass(frozen=True, slots=True)
class Consult:
    """Let a model write a paragraph for the compression that is due."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """Repeat the objective, the constraints and the current step at the end."""


@dataclass(frozen=True, slots=True)
class GiveUpCompressing:
    """Automatic compressions free too little: switch them off and say so."""

    detail: str


@dataclass(frozen=True, slots=True)
class CompressAgain:
    """The context has grown so much since compressions were switched off that they may help again."""

    detail: str


@dataclass(frozen=True, slots=True)
class Judge:
    """What the log can't decide: ask models."""

    question: Question


@dataclass(frozen=True, slots=True)
class CheckIn:
    """It is time to tell the user what was done."""

    text: str


@dataclass(frozen=True, slots=True)
class Insist:
    """It says that it is done, and the log says that these points are open."""

    points: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WindDown:
    """A limit is nearly reached: have the agent come to an end in good order."""

    taken: Taken


@dataclass(frozen=True, slots=True)
class Raise:
    """A guard's signal is due: write it down, and say or do what belongs to its rung."""

    due: Due


@dataclass(frozen=True, slots=True)
class Announce:
    """Write down that the failed attempt will be tried again after this many seconds."""

    delay_s: float


@dataclass(frozen=True, slots=True)
class GoElsewhere:
    """Another model steps in, by that route of the configuration; the empty one leads back to the user's own."""

    route: str
    why: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait for the next attempt, until that time or a command."""

    until_us: int


@dataclass(frozen=True, slots=True)
class Send:
    """The model is to speak."""


@dataclass(frozen=True, slots=True)
class Pause:
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Finish:
    state: Literal["finished", "stopped", "failed"]
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Resume:
    """Guidance came after the end: the session goes on."""


@dataclass(frozen=True, slots=True)
class End:
    """Nothing is left to do."""


Decision = (
    Obey
    | Hold
    | RunTools
    | AwaitAnswer
    | AnswerByDefault
    | Deliver
    | Remind
    | Compress
    | Consult
    | Anchor
    | GiveUpCompressing
    | CompressAgain
    | Raise
    | WindDown
    | Insist
    | CheckIn
    | Judge
    | Announce
    | GoElsewhere
    | Wait
    | Send
    | Pause
    | Finish
    | Resume
    | End
)
