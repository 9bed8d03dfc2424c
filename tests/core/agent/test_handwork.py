"""A file that the agent knows is changed while no call runs: somebody else did that, unless a command may have."""

import hashlib
from types import SimpleNamespace

import pytest
from logbook import Logbook

from core.agent import handwork
from core.agent.handwork import Handwork, SeenFiles
from core.events import ToolStarted, WorkspaceChanged


class Work:
    """A workspace with one file that was read, and the log of it."""

    def __init__(self, folder):
        self.log, self.listeners, self.seen, self.file = Logbook(), [], SeenFiles(), folder / "notes.txt"
        state = SimpleNamespace(pending={})
        self.journal, self.facts = SimpleNamespace(subscribe=self.listeners.append), SimpleNamespace(state=state)
        self.handwork = Handwork(self, folder, self.seen)
        self.file.write_text("one")
        self.read()

    async def append(self, *drafts):
        for draft in drafts:
            self.log.add(draft.body)

    def read(self):
        self.seen["notes.txt"] = hashlib.sha256(self.file.read_bytes()).hexdigest()

    def command(self):
        body = ToolStarted(name="run_command", use_id="u", arguments={}, effect="command", intent={})
        self.listeners[0]([self.log.add(body, "r1.0.0")])

    async def look(self):
        """What was found so far: each change as before and after."""
        await self.handwork.look()
        return [body for body in (event.body for event in self.log.events) if isinstance(body, WorkspaceChanged)]


@pytest.fixture
def work(tmp_path, monkeypatch):
    monkeypatch.setattr(handwork, "LOOK_EVERY_S", 0.0)
    return Work(tmp_path)


async def test_a_change_by_hand_is_told_once_and_a_file_that_was_removed_too(work):
    assert await work.look() == []
    work.file.write_text("two")
    (told,) = await work.look()
    assert [(file.path, file.after is None) for file in told.files] == [("notes.txt", False)]
    assert len(await work.look()) == 1
    work.file.unlink()
    assert (await work.look())[-1].files[0].after is None


async def test_what_a_command_may_have_done_is_nobodys_but_after_the_agent_has_read_it_again(work):
    await work.look()
    work.command()
    work.file.write_text("by the command")
    assert await work.look() == []
    work.command()
    work.read()
    work.file.write_text("by hand")
    assert len(await work.look()) == 1


async def test_nothing_is_looked_at_while_a_call_runs_and_a_touch_is_no_change(work):
    await work.look()
    work.file.touch()
    assert await work.look() == []
    work.facts.state.pending = {"u": SimpleNamespace(started=True)}
    work.file.write_text("two")
    assert await work.look() == []
