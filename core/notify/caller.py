"""Calls the user in every way that is configured and needs no terminal."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Mapping

from core.config import NotifySettings
from core.notify.command import CallFailed, run_command
from core.notify.note import Note, plain


class Caller:
    """The command and the webhook of the settings. `environ` is what the command sees."""

    def __init__(self, settings: NotifySettings, environ: Mapping[str, str]) -> None:
        self._settings, self._environ = settings, environ

    @property
    def problems(self) -> list[str]:
        """What can't work as it is configured, a sentence each."""
        found, settings = [], self._settings
        if settings.command and shutil.which(settings.command[0], path=self._environ.get("PATH")) is None:
            found.append(f"There is no program {plain(settings.command[0])}, which is the notify command.")
        if settings.webhook is not None:
            from core.notify.webhook import address_of  # Late, as below: a client for the web is dear to load.

            try:
                address_of(settings.webhook, plain_http=settings.webhook_plain)
            except CallFailed as problem:
                found.append(str(problem))
        return found

    async def call(self, note: Note) -> list[str]:
        """Call in all ways at once; what went wrong, a sentence each."""
        settings = self._settings
        ways: list[Awaitable[None]] = []
        if settings.command:
            ways.append(run_command(settings.command, note, self._environ, settings.timeout_s))
        if settings.webhook is not None:
            from core.notify.webhook import post

            ways.append(post(settings.webhook, note, settings.timeout_s, plain_http=settings.webhook_plain))
        ended = await asyncio.gather(*ways, return_exceptions=True)
        for end in ended:
            if isinstance(end, BaseException) and not isinstance(end, CallFailed):
                raise end
        return [str(end) for end in ended if end is not None]
