"""How a session is run here: what its host was told, beside what the session was opened with."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.agent.oversight import Oversight
from core.agent.trust import Vouchers
from core.clock import Clock, SystemClock
from core.config import Config
from core.tools.base import Tool


@dataclass(slots=True)
class Hosting:
    """How a session is run here. `speed` is the pace of a simulated model; `environ` where keys are looked up.

    `max_turns` None: as the session was opened; `approval_timeout_s` None: as it is configured. `vouchers` knows which
    commands come from this process, and how the agent's are confined. `jitter` gives numbers below 1 by which retries
    are spread.
    """

    folder: Path
    config: Config
    attended: bool = False
    wait: bool = False
    speed: float = 1.0
    max_turns: int | None = None
    clock: Clock = field(default_factory=SystemClock)
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    on_events: Callable[[list[Any]], None] | None = None
    extra_tools: Sequence[Tool] = ()
    approval_timeout_s: float | None = None
    vouchers: Vouchers = field(default_factory=Vouchers)
    jitter: Callable[[], float] = field(default_factory=lambda: random.Random().random)
    in_order: bool = False
    """Whether calls that run side by side are told in their order, and not as they end."""
    oversight: Oversight | None = None
    """What it is held to by the session that it works for; None: it works for its user."""
