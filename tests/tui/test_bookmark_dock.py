"""The bookmark dialog makes bookmarks, and goes to them."""

from sample_sessions import audit_session
from watching_app import app_over, read, screen_text, until


async def test_a_bookmark_is_gone_to_by_arrow_and_enter():
    log = audit_session()
    seq = next(event.seq for event in log.events if event.kind == "bookmark.added")
    app = app_over(log)
    async with app.run_test(size=(80, 24)) as pilot:
        await read(pilot)
        await pilot.press("m", "down")
        await until(pilot, lambda: "▸ " in screen_text(pilot) and f"#{seq:,}" in screen_text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: app.watch_screen.looking.at == seq)
        assert app.fake_controls.sent == []


async def test_words_make_a_bookmark_whatever_is_chosen():
    app = app_over(audit_session())
    async with app.run_test(size=(80, 24)) as pilot:
        await read(pilot)
        await pilot.press("m", "down", *"here", "enter")
        assert [(verb, args) for verb, args, _ in app.fake_controls.sent] == [("bookmark", {"text": "here"})]
