"""What a screen or a shell steers with: commands by the inbox, each journaled by the runner, or by a clerk here.

The agent is imported only for what needs it, so that coming to a session does not wait for it.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.clock import Clock, SystemClock
from core.config import Config, config_path, load_config
from core.events import SessionOpened
from core.ids import ulid
from core.journal.inbox import Command, post
from core.journal.lease import holder
from core.journal.spoken import said_before
from core.journal.viewers import Viewer, at_a_terminal, who_is_here
from core.protocols import ModelOffer, Preview, RestorePreview

if TYPE_CHECKING:
    from core.agent.trust import Vouchers
    from core.folds.file_states import Handwork
    from core.restoring import Restoring


class SessionControls:
    """`core.protocols.Controls` by the inbox; where no runner lives, a clerk applies it at once.

    `viewer`: the screen that it steers for, which then must have the wheel; None for a shell. `vouchers` are
    those of the runner where that is in this process: then what is sent here counts as the user's for sure. So it does
    where no runner lives, from a screen or a terminal. `person`: whether somebody at a terminal sends it; None: as the
    terminal of this process tells.
    """

    available = True

    def __init__(
        self,
        folder: Path,
        actor: str = "user",
        clock: Clock | None = None,
        config: Config | None = None,
        viewer: Viewer | None = None,
        vouchers: Vouchers | None = None,
        person: bool | None = None,
    ) -> None:
        self._folder = folder
        self._actor = actor
        self._clock = clock or SystemClock()
        self._config = config
        self._viewer = viewer.id if viewer else ""
        self._origin = viewer.who if viewer else who_is_here(os.environ)
        self._vouchers = vouchers
        self._person = person
        self._restoring: Restoring | None = None
        self._posted: Command | None = None

    async def send(self, verb: str, args: dict[str, Any] | None = None, head: int | None = None) -> str:
        """Post a command; its id. Raises JournalError when it can't be posted."""
        now_us = self._clock.now_us()
        command = Command(
            id=ulid(now_us),
            verb=verb,
            args=args or {},
            head=head,
            actor=self._actor,
            at=now_us,
            origin=self._origin,
            viewer=self._viewer,
        )
        if self._vouchers is not None:
            self._vouchers.vouch(command)
        await asyncio.to_thread(post, self._folder, command)
        self._posted = command
        await self.settle()
        if verb == "approve" and command.args.get("keep"):
            from core.agent.rule_keeping import keep_answered

            await keep_answered(self._folder, command.id, config_path())
        return command.id

    async def settle(self) -> None:
        """Apply what was posted last where no runner lives: one that was about to end may have left it lying."""
        owner = holder(self._folder)
        if self._posted is not None and (owner is None or owner.brief):
            await self._apply(self._posted)

    async def _apply(self, command: Command) -> None:
        """By a clerk of this process, which knows where the command came from."""
        from core.agent.trust import Vouchers
        from core.session import clerk

        if self._vouchers is None:
            vouchers = Vouchers()
            if self._viewer or (at_a_terminal() if self._person is None else self._person):
                vouchers.vouch(command)
        else:
            vouchers = self._vouchers
        await clerk(self._folder, self._clock, self._config, vouchers)

    async def preview_compression(self, instruction: str = "", evict: int | None = None) -> Preview:
        """What a compression would do now. Raises JournalError, ConfigError."""
        from core.agent.preview import preview, wish_for

        config = self._config or load_config()
        wish = wish_for(instruction, evict)
        return await asyncio.to_thread(preview, self._folder, config, self._clock, os.environ, wish)

    async def preview_restore(self, tree: str, known: Handwork) -> RestorePreview:
        """What a rewind of the files would do now. Raises JournalError, WorkspaceError."""
        from core.restoring import Restoring

        if self._restoring is None:
            self._restoring = Restoring(self._folder)
        return await self._restoring.preview(tree, known)

    async def model_offers(self, opened: SessionOpened, present: str, sent: int) -> list[ModelOffer]:
        """What the session could go on with. Raises ConfigError."""
        return await asyncio.to_thread(self._offers, opened, present, sent)

    def _offers(self, opened: SessionOpened, present: str, sent: int) -> list[ModelOffer]:
        from core.agent.endpoints import endpoint_of
        from core.models.offers import offers

        config = self._config or load_config()
        endpoint = endpoint_of(opened, config, os.environ)
        return offers(endpoint, present, self._clock.now_us(), config.prices, sent=sent)

    async def said_before(self) -> list[str]:
        """What the user has told agents in this session and the latest others."""
        return await asyncio.to_thread(said_before, self._folder)
