from contextlib import asynccontextmanager
from decimal import Decimal

import pytest
from msgspec.structs import replace
from sample_sessions import audit_session
from watching_app import DIGEST, PREVIEW, app_over, read, screen_text, until

from core.events import CommandAccepted, CommandDone, ContextCompressed
from core.journal.errors import JournalError
from tui.docks.compress_lines import as_edited, compact, roomy
from tui.docks.dock import Dock
from tui.messages import ItemEvictAsked, ItemPinToggled
from tui.widgets.writing import Writing

NARROW, MIDDLE, WIDE = (80, 24), (120, 36), (200, 50)
EVICTION = replace(PREVIEW, tokens_after=38_100, turns_leaving=0, price=Decimal("0.0312"), payback_turns=5.2)
SIZES = pytest.mark.parametrize("size", [NARROW, MIDDLE, WIDE], ids=lambda size: f"{size[0]}x{size[1]}")


@asynccontextmanager
async def opened(size=NARROW, *, log=None, until_shown="survive", **state):
    """The app with the compress dialog open; `state` is set on its controls first."""
    app = app_over(log or audit_session())
    for name, value in state.items():
        setattr(app.fake_controls, name, value)
    async with app.run_test(size=size, notifications=True) as pilot:
        await read(pilot)
        await pilot.press("c")
        await until(pilot, lambda: until_shown in screen_text(pilot))
        yield pilot


async def press(pilot, *keys):
    for key in keys:
        await pilot.press(key)
        await pilot.pause()


def sent(pilot):
    return pilot.app.fake_controls.sent


def digest(pilot):
    return pilot.app.watch_screen.query_one(Writing).text


@SIZES
async def test_the_dialog_says_what_a_compression_costs_saves_and_does(size):
    async with opened(size) as pilot:
        text = screen_text(pilot)
    for fact in (
        "41,236 → 12,310 tokens, 70% less",
        "now    $0.0421 · back after 6 turns",
        "$0.563 in 84 turns",
        "$0.0210 as is · then $0.0072 less",
        "38 turns, 29k tokens",
        "10 turns, 2 texts verbatim",
        "212 listed · 1,840 by recall",
        "Never touch the auth module.",
        "- Use bound parameters",
    ):
        assert fact in text or (size == MIDDLE and fact in PREVIEW.held)


@SIZES
async def test_the_conversation_stays_in_sight_above_it(size):
    async with opened(size) as pilot:
        conversation, dock = (pilot.app.watch_screen.query_one(name) for name in ("#conversation", "#dock"))
        assert conversation.region.height >= 6
        assert dock.region.bottom == size[1] and dock.region.height <= max(16, size[1] * 2 // 3)
        assert "The tests again." in screen_text(pilot)


async def test_it_opens_at_once_and_counts_no_key_before_the_preview_is_there():
    app = app_over(audit_session())
    app.fake_controls.computed.clear()
    async with app.run_test(size=NARROW) as pilot:
        await read(pilot)
        await press(pilot, "c", "a", "e", "l", "i")
        assert "computing" in screen_text(pilot) and not sent(pilot)
        app.fake_controls.computed.set()
        await until(pilot, lambda: "survive" in screen_text(pilot))
        assert not sent(pilot)


async def test_one_key_applies_what_is_shown_for_the_moment_it_was_computed_for():
    async with opened() as pilot:
        await press(pilot, "a")
        assert sent(pilot) == [("compress", {"instruction": ""}, PREVIEW.head)]
        assert not pilot.app.watch_screen.query(Dock)


@pytest.mark.parametrize("keys", [("enter",), ("c",), ("c", "enter"), ("escape",), ("e", "enter", "a"), ("i", "a")])
async def test_nothing_is_applied_by_enter_escape_the_opening_key_or_while_typing(keys):
    async with opened() as pilot:
        await press(pilot, *keys)
        assert not sent(pilot)


async def test_the_opening_key_keeps_what_was_edited():
    async with opened() as pilot:
        await press(pilot, "e", "x", "escape", "c")
        assert digest(pilot) == "x" + DIGEST


async def test_an_edited_digest_is_marked_and_applied_with_the_turns_it_was_made_for():
    async with opened() as pilot:
        assert "edited" not in screen_text(pilot)
        await press(pilot, "e", *"aq1 ", "escape")
        await until(pilot, lambda: "edited" in screen_text(pilot))
        await press(pilot, "a")
        args = {"instruction": "", "digest": "aq1 " + DIGEST, "keep_from": PREVIEW.keep_from}
        assert sent(pilot) == [("compress", args, PREVIEW.head)]


async def test_edits_taken_back_are_no_edits():
    async with opened() as pilot:
        await press(pilot, "e", "x", "backspace", "escape", "a")
        assert sent(pilot) == [("compress", {"instruction": ""}, PREVIEW.head)]


async def test_escape_throws_edits_away_only_the_second_time():
    async with opened() as pilot:
        await press(pilot, "e", "x", "escape", "escape")
        assert "esc again throws your edits away" in screen_text(pilot)
        await press(pilot, "escape")
        assert not pilot.app.watch_screen.query(Dock) and not sent(pilot)


async def test_what_the_digest_lost_is_named_and_one_key_adds_it():
    async with opened() as pilot:
        assert "✗ 3 of 4 survive · lost: step 4 of the plan" in screen_text(pilot)
        await press(pilot, "l")
        await until(pilot, lambda: "✓ 4 of 4 survive" in screen_text(pilot))
        assert digest(pilot).endswith("Write the migration for the new column.")
        assert "add the lost" not in screen_text(pilot)


async def test_the_check_follows_the_digest_as_it_is_edited():
    async with opened() as pilot:
        await press(pilot, "e", "down", "ctrl+k")
        await until(pilot, lambda: "✗ 2 of 4 survive" in screen_text(pilot))
        assert "lost: your correction, step 4 of the plan" in screen_text(pilot)
        await press(pilot, "ctrl+z")
        await until(pilot, lambda: "✗ 3 of 4 survive" in screen_text(pilot))


async def test_an_instruction_computes_a_new_preview_and_is_sent_with_it():
    async with opened() as pilot:
        await press(pilot, "i", *"auth", "enter")
        await until(pilot, lambda: digest(pilot).endswith("As you said: auth"))
        assert pilot.app.fake_controls.instructions == ["", "auth"]
        await press(pilot, "a")
        assert sent(pilot) == [("compress", {"instruction": "auth"}, PREVIEW.head)]


async def test_an_instruction_that_was_not_computed_is_not_silently_left_out():
    async with opened() as pilot:
        await press(pilot, "i", *"auth", "escape", "a")
        assert not sent(pilot) and "the instruction is not in it yet" in screen_text(pilot)


async def test_an_instruction_replaces_edits_only_the_second_time():
    async with opened() as pilot:
        await press(pilot, "e", "x", "escape", "i", *"auth", "enter")
        assert "without your edits" in screen_text(pilot) and digest(pilot) == "x" + DIGEST
        await press(pilot, "enter")
        await until(pilot, lambda: digest(pilot).endswith("As you said: auth"))


async def test_what_there_is_to_say_instead_of_a_preview_is_said():
    nothing = replace(PREVIEW, problem="There is nothing to compress yet: 3 turns are fewer than 10.")
    async with opened(preview=nothing, until_shown="3 turns are fewer than 10") as pilot:
        await press(pilot, "a", "e", "i", "x")
        assert [verb for verb, _args, _head in sent(pilot)] == ["interrupt"]
    fault = JournalError("The session can't be read: disk I/O error.")
    async with opened(fault=fault, until_shown="can't be read: disk I/O error") as pilot:
        await press(pilot, "a", "escape")
        assert not sent(pilot) and not pilot.app.watch_screen.query(Dock)


async def test_a_recording_says_that_it_has_nobody_to_compress_for():
    app = app_over(audit_session(), mode="replay", available=False)
    async with app.run_test(size=NARROW, notifications=True) as pilot:
        await read(pilot)
        await press(pilot, "c")
        await until(pilot, lambda: "This is a recording" in screen_text(pilot))
        assert not app.fake_controls.instructions


async def test_foreign_text_in_the_digest_can_neither_hide_nor_move_the_cursor():
    async with opened(preview=replace(PREVIEW, digest="red \x1b[31m and \u202e turned")) as pilot:
        assert "\x1b" not in digest(pilot) and "⟨202E⟩" in digest(pilot)
        await press(pilot, "a")
        assert sent(pilot) == [("compress", {"instruction": ""}, PREVIEW.head)]


async def test_after_it_was_applied_the_screen_says_what_came_of_it_and_how_to_take_it_back():
    log = audit_session()
    async with opened(log=log) as pilot:
        await press(pilot, "a")
        log.add(CommandAccepted(verb="compress"), key="cmd-1", actor="user")
        log.add(
            ContextCompressed(
                policy="auto", reason="operator", digest="d", keep_from=None, tokens_before=41_236, tokens_after=12_310
            )
        )
        log.add(CommandDone(verb="compress"), key="cmd-1")
        pilot.app.fake_source.push()
        await until(pilot, lambda: "Compressed: 41,236 → 12,310 tokens. u takes it back." in screen_text(pilot))


@pytest.mark.parametrize(
    ("compressed", "words"),
    [(False, "It leaves with the next compression."), (True, "Compressed: 41,236 → 40,110 tokens. u takes it back.")],
)
async def test_an_eviction_says_whether_it_compressed_at_once(compressed, words):
    log = audit_session()
    app = app_over(log)
    async with app.run_test(size=NARROW, notifications=True) as pilot:
        await read(pilot)
        await app.watch_screen.give("evict", {"seq": 17})
        log.add(CommandAccepted(verb="evict"), key="cmd-1", actor="user")
        if compressed:
            log.add(
                ContextCompressed(
                    policy="evict", reason="#17", digest="d", keep_from=None, tokens_before=41_236, tokens_after=40_110
                )
            )
        log.add(CommandDone(verb="evict"), key="cmd-1")
        app.fake_source.push()
        await until(pilot, lambda: words in screen_text(pilot))


async def test_looking_back_it_says_that_it_is_about_now():
    async with opened(until_shown="41,236") as pilot:
        assert "not as of" not in screen_text(pilot)
    app = app_over(audit_session(), mode="replay", start_at=40)
    async with app.run_test(size=NARROW) as pilot:
        await read(pilot)
        await press(pilot, "c")
        await until(pilot, lambda: "survive" in screen_text(pilot))
        assert "Compress as it is now, not as of #40   41,236 → 12,310 tokens, 70% less" in screen_text(pilot)


async def test_what_is_said_meanwhile_covers_nothing_of_a_dock():
    app = app_over(audit_session())
    async with app.run_test(size=NARROW, notifications=True) as pilot:
        await read(pilot)
        app.watch_screen.say("Said before.")
        await until(pilot, lambda: "Said before." in screen_text(pilot))
        await press(pilot, "c")
        await until(pilot, lambda: "survive" in screen_text(pilot) and "Said before." not in screen_text(pilot))
        app.watch_screen.say("Said meanwhile.")
        await until(pilot, lambda: "Said meanwhile." in screen_text(pilot))
        row = next(y for y, line in enumerate(screen_text(pilot).splitlines()) if "Said meanwhile." in line)
        assert row < app.watch_screen.query_one("#dock").region.y


# What one line says


def plain(**changed):
    return "\n".join(line.plain for line in compact(replace(PREVIEW, **changed), 78))


def test_an_unknown_price_is_said_and_never_shown_as_zero():
    unknown = dict.fromkeys(("price", "next_call", "saves_per_turn", "payback_turns", "saves"))
    text = plain(**unknown)
    assert "an unknown price" in text and "28,926 tokens a call" in text and "$" not in text


def test_an_edited_digest_is_counted_as_it_is_now():
    before = "<digest>\n#214: parse_config, core/config.py\n</digest>"
    shown = as_edited(PREVIEW, before, "<digest>\n#214: parse_config\n</digest>" + "x" * 400)
    assert shown.names == 1 and shown.tokens_after == PREVIEW.tokens_after + (400 - 16) // 4
    assert as_edited(PREVIEW, before, before) == PREVIEW


def test_without_a_plan_the_saving_is_told_by_the_turn():
    assert "saves  $0.0072 a turn" in plain(planned_turns=None, saves=None)


def test_a_compression_that_never_pays_back_says_so():
    worse = {"saves_per_turn": Decimal("-0.001"), "payback_turns": None, "planned_turns": 4, "saves": Decimal("-0.05")}
    text = plain(**worse)
    assert "never pays back" in text and "nothing: $0.0500 more in 4 turns" in text


def test_a_compression_that_an_expired_cache_makes_free_says_why():
    text = plain(price=Decimal(0), payback_turns=0.0)
    assert "$0.00 · the cache has expired" in text and "back after" not in text
    assert "expired" not in plain(price=Decimal(0), payback_turns=None, saves_per_turn=Decimal(0), saves=Decimal(0))


def test_what_each_turn_saves_is_said_once():
    assert plain().count("$0.0072") == plain(planned_turns=None, saves=None).count("$0.0072") == 1


@pytest.mark.parametrize("width", [30, 46, 78, 120])
def test_no_line_is_wider_than_its_place(width):
    many = replace(PREVIEW, held=tuple(f"Text {number} that stays, " * 4 for number in range(30)))
    assert max(line.cell_length for line in compact(many, width)) <= width
    lines = roomy(many, many.facts, width, 20)
    assert max(line.cell_length for line in lines) <= width and len(lines) == 20
    assert "more" in lines[-1].plain


# One item


async def asked(message, *keys, until_shown="", **state):
    """The screen's text and what was sent after a pane's message, these words on the screen, and these keys."""
    app = app_over(audit_session())
    for name, value in state.items():
        setattr(app.fake_controls, name, value)
    async with app.run_test(size=NARROW) as pilot:
        await read(pilot)
        app.watch_screen.post_message(message)
        await until(pilot, lambda: until_shown in screen_text(pilot))
        await press(pilot, *keys)
        return screen_text(pilot), [(verb, args) for verb, args, _head in sent(pilot)]


@pytest.mark.parametrize(("pinned", "verb"), [(True, "pin"), (False, "unpin")])
async def test_an_item_is_pinned_and_let_go_again(pinned, verb):
    _, given = await asked(ItemPinToggled(17, pinned))
    assert given == [(verb, {"seq": 17})]


async def evicted(*keys, **state):
    """The same for an item that is to leave, once all is known."""
    item = ItemEvictAsked(17, "read_file inventory/store.py", 3_212)
    state = {"preview": EVICTION, **state}
    return await asked(item, *keys, until_shown="Now it costs", **state)


async def test_an_item_leaves_with_the_next_compression_or_at_once():
    text, given = await evicted()
    assert "read_file inventory/store.py: 3.2k tokens." in text and "A line with its handle takes its place" in text
    assert "Now it costs $0.0312 · back after 6 turns." in text
    assert "41,236 → 38,100 tokens, 8% less. u takes it back." in text
    assert not given
    assert (await evicted("w"))[1] == [("evict", {"seq": 17})]
    assert (await evicted("n"))[1] == [("evict", {"seq": 17, "now": True})]
    assert (await evicted("enter"))[1] == []


async def test_leaving_at_once_is_said_to_have_no_known_price_where_there_is_none():
    text, _ = await evicted(preview=replace(EVICTION, price=None))
    assert "Now it costs an unknown price." in text


async def test_the_price_of_leaving_at_once_is_that_of_the_item_alone():
    app = app_over(audit_session())
    async with app.run_test(size=NARROW) as pilot:
        await read(pilot)
        app.watch_screen.post_message(ItemEvictAsked(17, "read_file inventory/store.py", 3_212))
        await until(pilot, lambda: "Now it costs" in screen_text(pilot))
        assert app.fake_controls.evicting == [17]


async def test_where_leaving_at_once_has_no_price_only_later_can_be_chosen():
    short = replace(EVICTION, problem="The result is no longer than the line that would stand for it, so it stays.")
    item = ItemEvictAsked(17, "read_file inventory/store.py", 3_212)
    text, given = await asked(item, "n", until_shown="Not now", preview=short)
    assert "Not now: The result is no longer than the line" in text and given == []
    fault = JournalError("The session can't be read: disk I/O error.")
    text, given = await asked(item, "n", "w", until_shown="Not now", fault=fault)
    assert given == [("evict", {"seq": 17})]


def test_the_two_columns_never_run_together_however_long_the_left_one_is():
    dear = replace(PREVIEW, saves=Decimal("-12345.67"), planned_turns=1_234_567)
    row = next(line.plain for line in compact(dear, 78) if line.plain.startswith("saves"))
    assert " stays" in row
