"""A simulated context: the parts of a prompt in tokens, and how much of it the request before has in common with it."""

from __future__ import annotations

from dataclasses import dataclass

from core.economy.workload import Turn


@dataclass(frozen=True, slots=True)
class Shape:
    """What a compression leaves behind the system prompt, in tokens.

    `keep`: turns that stay, at least 1. `digest`: the block that is rebuilt each time. `ledger`: what a turn that
    leaves adds to the ledger, whose blocks are appended and never rewritten (corrections, decisions, failures: 60 to
    100 tokens a compression).
    """

    keep: int = 8
    digest: int = 7_300
    ledger: int = 3

    def __post_init__(self) -> None:
        if self.keep < 1:
            raise ValueError("at least one turn has to stay")


DEFAULT_SHAPE = Shape()


class Context:
    """System, ledger, digest, turns, re-reads. `prompt` and `shared` are kept up to date as the parts change."""

    def __init__(self, system: int) -> None:
        self.system = system
        self.digest = 0
        self.ledger = 0
        self.turns: list[Turn] = []
        self.first = 0
        """The first turn that is still there verbatim (anchors aside)."""
        self.prompt = system
        self.shared = 0
        """How many tokens at the prompt's beginning stood there in the last request too."""
        self.fresh = system
        """Tokens that came in since the last request."""

    def answered(self, turn: Turn) -> None:
        """The request was sent; its reply and what followed are the new end."""
        self.shared, self.fresh = self.prompt, turn.size
        self.turns.append(turn)
        self.prompt += turn.size

    def tail(self, keep: int) -> int:
        """Tokens of the last `keep` turns."""
        return sum(turn.size for turn in self.turns[max(self.first, len(self.turns) - keep) :])

    def floor(self, shape: Shape) -> int:
        """The prompt right after a compression."""
        return self.system + self._ledger_after(shape) + shape.digest + self.tail(shape.keep)

    def leaving(self, keep: int) -> int:
        """How many turns a compression would take away."""
        return len(self.turns) - keep - self.first

    def compress(self, shape: Shape) -> None:
        """The turns before the last `shape.keep` become lines of the ledger and a new digest."""
        self.prompt, before = self.floor(shape), self.ledger
        self.shared = min(self.shared, self.system + before)
        self.ledger, self.digest = self._ledger_after(shape), shape.digest
        self.fresh += self.ledger - before + shape.digest
        self.first = max(self.first, len(self.turns) - shape.keep)

    def reread(self, tokens: int) -> None:
        """What re-reads bring in; it leaves with the next compression."""
        self.prompt += tokens
        self.fresh += tokens

    def slide(self, anchors: int, keep: int) -> None:
        """Only the first `anchors` and the last `keep` turns stay."""
        first = max(anchors, len(self.turns) - keep)
        if first <= max(self.first, anchors):
            return
        gone = sum(turn.size for turn in self.turns[max(self.first, anchors) : first])
        kept = sum(turn.size for turn in self.turns[:anchors])
        self.first = first
        self.prompt -= gone
        self.shared = min(self.shared, self.system + kept)

    def mask(self, start: int, end: int, stub: int) -> None:
        """The results of turns `start` to `end` (exclusive) become stubs; for a context that was never compressed."""
        before = self.system + sum(turn.size for turn in self.turns[:start]) + self.turns[start].output
        for index in range(start, end):
            turn = self.turns[index]
            short = min(turn.result, stub)
            self.prompt -= turn.result - short
            self.turns[index] = Turn(turn.output, short, turn.gap_s)
        self.shared = min(self.shared, before)

    def _ledger_after(self, shape: Shape) -> int:
        return self.ledger + shape.ledger * max(0, self.leaving(shape.keep))
