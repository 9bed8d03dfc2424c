"""The session that works, or worked, for the one below it: the same screen over its own log, to look at only."""

from __future__ import annotations

from textual import work

from core.clock import Clock
from core.protocols import Controls, Source
from tui.safe import one_line
from tui.screens.watch import WatchScreen


class FilmScreen(WatchScreen):
    """Leaving leads back. `at_us`: the journal time as of which it is shown at first; None: as it is now."""

    def __init__(self, source: Source, controls: Controls, *, clock: Clock, at_us: int | None = None) -> None:
        super().__init__(source.restored(), source, controls, replay=False, clock=clock)
        self._at_us = at_us

    def on_mount(self) -> None:
        super().on_mount()
        self._follow()
        self._stream()

    @work(name="film", exit_on_error=False)
    async def _follow(self) -> None:
        try:
            async for batch in self.source.batches():
                if batch:
                    self.view_changed(self.view.apply_all(batch))
                else:
                    self.caught_up()
        except Exception as fault:
            self.say(f"Its log can't be read on: {one_line(str(fault))}", wrong=True)
            self.caught_up()

    def _start_looking(self) -> None:
        self.looking.seek(None if self._at_us is None else self.view.timeline.seq_at(self._at_us))

    @work(name="film-stream", exit_on_error=False)
    async def _stream(self) -> None:
        async for deltas in self.source.live():
            self.stream(deltas)

    def action_leave(self) -> None:
        self.dismiss(None)

    def action_detach(self) -> None:
        self.dismiss(None)

    async def on_unmount(self) -> None:  # type: ignore[override]
        super().on_unmount()
        await self.source.close()
