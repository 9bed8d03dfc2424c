"""What is kept in step beside the log: recall's index, the project's memory, servers, drift, files others change."""

from __future__ import annotations

import asyncio

from core.agent.audience import Audience
from core.agent.bridging import Bridging
from core.agent.desk import Desk
from core.agent.drifting import DriftWatch
from core.agent.handwork import Handwork
from core.agent.recollection import Recollection
from core.allocator import give_back
from core.events import Draft, Event, GuidanceDelivered, HeadMoved
from core.journal.errors import JournalError
from core.journal.project_memory import ProjectMemory

OFFER_TOKENS = 1_500
"""The most that a new session is told of what earlier ones left."""
WORTH_INDEXING = 1_000
"""Events for which the index is brought up to date: each time costs writes, and a question catches up by itself."""


class Upkeep:
    """Called between the steps of a session; nothing here ever stops one."""

    def __init__(
        self,
        desk: Desk,
        recollection: Recollection,
        project: ProjectMemory,
        bridging: Bridging | None = None,
        handwork: Handwork | None = None,
        drift: DriftWatch | None = None,
        audience: Audience | None = None,
    ) -> None:
        self._audience = audience
        self._drift = drift
        self._desk = desk
        self._recollection = recollection
        self._project = project
        self._bridging = bridging
        self._handwork = handwork
        self._remembered = True
        self._compressed = False
        self._behind = 0
        desk.journal.subscribe(self._observe)

    def _observe(self, events: list[Event]) -> None:
        for event in events:
            self._remembered |= event.kind.startswith("memory.") or isinstance(event.body, HeadMoved)
            self._compressed |= event.kind == "context.compressed"
            self._behind += 1

    async def begin(self) -> None:
        """Tell a session that has not begun what its servers have, and what earlier ones of its workspace left."""
        if self._bridging is not None:
            await self._bridging.begin()
        if self._drift is not None:
            await self._drift.begin()
        facts = self._desk.facts
        if facts.state.request or any(body.source == "memory" for _, body in facts.ledger.guidance()):
            return
        text = await asyncio.to_thread(self._project.offer_text, OFFER_TOKENS, self._desk.clock.now_us())
        drafts = [Draft(GuidanceDelivered(text=text, source="memory"), actor="system")] if text else []
        if self._project.problem:
            drafts.append(Draft(GuidanceDelivered(text=self._project.problem, source="notice"), actor="system"))
        if drafts:
            await self._desk.append(*drafts)

    async def look(self) -> None:
        """Log how the servers are, what others did to files, and who lost sight of it, also while a session waits."""
        if self._audience is not None and self._audience.due:
            await self._desk.append(*await asyncio.to_thread(self._audience.look))
        if self._bridging is not None:
            await self._bridging.look()
        if self._handwork is not None:
            await self._handwork.look()

    async def after_step(self) -> None:
        """Write the project's entries where they have changed; index what a compression made worth recalling."""
        facts = self._desk.facts
        if self._bridging is not None:
            await self._bridging.after_step()
        if self._drift is not None:
            await self._drift.after_step()
        if self._remembered:
            self._remembered = False
            known = list(facts.memories.known())
            await asyncio.to_thread(self._project.sync, facts.state.name, known)
        if self._compressed and self._behind >= WORTH_INDEXING:
            self._compressed, self._behind = False, 0
            try:
                await self._recollection.catch_up()
                await asyncio.to_thread(give_back)
            except JournalError:
                self._compressed = True  # the disk refuses for now; the next step, or the next question, tries again
