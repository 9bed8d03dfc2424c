"""The note dialog writes in the margin, changes what stands there, and goes to it."""

from sample_sessions import audit_session
from watching_app import app_over, read, screen_text, until

from core.clock import VirtualClock
from core.journal.margin import MarginFile


async def test_a_note_is_written_changed_taken_away_and_gone_to_and_nothing_is_sent(tmp_path):
    log = audit_session()
    clock = VirtualClock(log.at_us)
    file = MarginFile(tmp_path, who="anna", clock=clock)
    app = app_over(log, margin=file)

    def standing():
        return [(note.seq, note.text) for _, note in file.read().standing()]

    async with app.run_test(size=(80, 24)) as pilot:
        await read(pilot)
        for seq, words in ((9, "odd"), (20, "look")):
            app.watch_screen.seek(seq)
            await pilot.press("A", *words, "enter")
            await until(pilot, lambda words=words: words in [text for _, text in standing()])
        clock.advance(1)  # Of two versions the later one holds.
        await pilot.press("A", "s", "enter")
        await until(pilot, lambda: standing() == [(9, "odd"), (20, "looks")])
        clock.advance(1)
        await pilot.press("A", "ctrl+u", "enter")
        await until(pilot, lambda: standing() == [(9, "odd")])
        await pilot.press("A", "down")
        await until(pilot, lambda: "▸ #9" in screen_text(pilot) and "anna" in screen_text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: app.watch_screen.looking.at == 9)
    assert standing() == [(9, "odd")]
    assert app.fake_controls.sent == []
