"""Where the surveyor stands: the line that ends each of its texts."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Progress:
    """`step` comes next; `folder` is in work, number `area` of `total`, with `batch` of its searches and `spot` checks.

    `todo` are modules of it that searches pointed at, `open` those under its eyes, `settled` what was decided in these
    (`module:function:kind`). `file`, `function`, `kind` and `attempt` say what is being mended. `calls` and `replies`
    count everything so far, `found` and `fixed` the flaws. `tests` is the command for all tests, `again` what is gone
    back to as the user changed his mind.
    """

    step: str = "survey"
    folder: str = ""
    area: int = -1
    total: int = 0
    batch: int = 0
    spot: int = 0
    todo: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    settled: tuple[str, ...] = ()
    file: str = ""
    function: str = ""
    kind: str = ""
    attempt: int = 1
    tries: int = 0
    calls: int = 0
    replies: int = 0
    found: int = 0
    fixed: int = 0
    tests: str = ""
    skip: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    closing: bool = False

    def to(self, step: str) -> Progress:
        """The same work, at another step."""
        return replace(self, step=step, tries=0)

    def opened(self, *modules: str) -> Progress:
        """Other modules under its eyes, nothing decided in them yet."""
        fresh = replace(self, step="judge", open=modules, settled=(), tries=0)
        return fresh.idle()

    def idle(self) -> Progress:
        """Nothing is being mended."""
        return replace(self, file="", function="", kind="", attempt=1, tries=0)

    def decided(self, fixed: bool) -> Progress:
        """What was being mended is settled."""
        key = f"{self.file}:{self.function}:{self.kind}"
        done = replace(self, settled=(*self.settled, key), found=self.found + 1, fixed=self.fixed + fixed)
        return done.idle()
