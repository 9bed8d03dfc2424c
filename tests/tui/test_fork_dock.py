"""Going on from a moment in a new session, from wherever that moment is looked at."""

from pathlib import Path

from sample_sessions import audit_session
from session_homes import DONE, NOW_US, listed, make, names, told
from watching_app import app_over, read, screen_text, until

from core.clock import VirtualClock
from core.config import Config
from core.journal.reader import Reader
from core.models.profiles import resolve_endpoint
from core.session import NewSession, create


async def forked_by(*keys, **options):
    made = []

    async def fork(seq, name):
        made.append((seq, name))
        return "Forked after #12 as other; longwatch resume 01abc goes on."

    app = app_over(audit_session(), fork=fork, **options)
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await read(pilot)
        await pilot.press(*keys)
        await until(pilot, lambda: bool(made) or "Write the name" in screen_text(pilot))
        await pilot.pause()
        return made, screen_text(pilot), app


async def test_a_fork_goes_on_from_the_moment_that_is_shown_under_the_name_that_is_given():
    made, text, _ = await forked_by("B", "ctrl+u", *"other", "enter", mode="replay", start_at=90, available=False)
    assert made == [(90, "other")] and "longwatch resume 01abc" in text


async def test_in_a_running_session_it_goes_on_from_its_end_and_nothing_is_sent_to_it():
    made, _, app = await forked_by("B", "enter")
    assert made == [(app.watch_screen.view.last_seq, "audit-inventory-fork")]
    assert app.fake_controls.sent == []


async def test_the_rewind_dialog_offers_to_branch_off_at_the_chosen_checkpoint():
    made, _, app = await forked_by("r", "down", "b", "enter")
    assert made[0][0] == app.watch_screen.view.checkpoints.on_branch()[-2].boundary


async def test_a_fork_needs_a_name():
    made, text, _ = await forked_by("B", "ctrl+u", "enter")
    assert made == [] and "Write the name" in text


async def test_a_file_can_not_be_forked_and_it_is_said_what_to_do():
    app = app_over(audit_session(), mode="replay", available=False)
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await read(pilot)
        await pilot.press("B", "enter")
        await until(pilot, lambda: "longwatch import" in screen_text(pilot))


async def test_the_list_forks_the_selected_session_after_a_question(tmp_path):
    workspace = tmp_path / "project"
    workspace.mkdir()
    (workspace / "a.txt").write_text("one")
    endpoint = resolve_endpoint(Config(), "simulated/echo")
    folder = await create(tmp_path, NewSession("Port it.", workspace, endpoint, name="port"), VirtualClock(NOW_US))
    async with listed(tmp_path, (120, 40)) as pilot:
        await pilot.press("b")
        await until(pilot, lambda: "A new session from the end of port?" in screen_text(pilot))
        await pilot.press("b")
        await until(pilot, lambda: "port-fork" in names(pilot))
        (fork,) = [place for place in (tmp_path / "sessions").iterdir() if place != folder]
        with Reader(fork) as reader:
            assert reader.verify() is None and reader.of_kind("session.forked", 1)
            assert (Path(reader.event(1).body.workspace) / "a.txt").read_text() == "one"
        await until(pilot, lambda: "longwatch resume" in told(pilot)[-1])


async def test_a_session_whose_files_are_gone_says_so(tmp_path):
    await make(tmp_path, "01a", "audit", DONE)
    async with listed(tmp_path) as pilot:
        await pilot.press("b", "b")
        await until(pilot, lambda: bool(told(pilot)))
        assert "/work/audit does not exist" in told(pilot)[-1] and names(pilot) == ["audit"]
