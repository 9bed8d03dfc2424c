from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sample_sessions import REPORT, START_US, Log, audit_session

from core.events import ContextPolicy, ItemEvicted, ItemPinned, MemoryWritten, Price, Usage
from core.folds.context_usage import PARTS, ContextUsage
from core.folds.conversation import Item
from core.folds.costs import Bill
from core.folds.standing import Status
from core.folds.tool_calls import Call
from core.folds.view import SessionView
from tui.docks.rewind import checkpoint_line
from tui.panes import figures
from tui.panes.context import ContextPane, filling
from tui.panes.conversation_rows import Manner, Running, height_of, lines_of, place_of
from tui.panes.cost import CostPane
from tui.panes.memory import MemoryPane
from tui.panes.pane_tabs import Tab, fitting
from tui.panes.sheet_lines import clip, spread
from tui.screens.call_text import arguments_of, facts_of, output_of
from tui.screens.orders import Orders
from tui.screens.status_facts import facts, state_words


def viewed(log: Log) -> SessionView:
    view = SessionView()
    view.apply_all(log.events)
    return view


@pytest.mark.parametrize("pane", [ContextPane(id="a"), MemoryPane(id="b"), CostPane(id="c")])
@pytest.mark.parametrize("width", [20, 38, 47, 78, 120])
def test_no_line_of_a_sheet_is_wider_than_its_pane(pane, width):
    log = audit_session()
    view = viewed(log)
    for at in (None, 1, 40, 90, 120):
        assert all(line.cell_length <= width for line in pane.fitted(view, at, width)), (pane, at)


@pytest.mark.parametrize("width", range(34, 61))
def test_the_cost_pane_cuts_no_figure_and_no_title(width):
    lines = [line.plain for line in CostPane(id="c").fitted(viewed(audit_session()), None, width)]
    assert not any("…" in line for line in lines)
    title = next(line for line in lines if line.startswith("tokens"))
    assert len(title.split()) == 5
    assert any(line.startswith("last reply  $0.03") for line in lines)


@pytest.mark.parametrize(("count", "text"), [(200_000, "200k"), (1_000_000, "1M"), (1_050_000, "1.05M"), (900, "900")])
def test_a_window_is_named_without_idle_zeros(count, text):
    assert figures.window(count) == text


@pytest.mark.parametrize(("amount", "text"), [("5.00", "$5"), ("7.5", "$7.50"), ("1200", "$1,200")])
def test_a_budget_is_named_without_idle_cents(amount, text):
    assert figures.limit(Decimal(amount)) == text


@pytest.mark.parametrize("width", [40, 60, 78, 118])
def test_a_checkpoint_says_what_it_stands_before_in_the_room_there_is(width):
    view = viewed(audit_session())
    line = checkpoint_line(view, view.checkpoints.on_branch()[0], width)
    assert len(line) == width
    assert line[7:].startswith("before edit_file")
    assert ("before edit_file inventory/store.py" in line) == (width > 40)
    assert ("turn" in line) == (width > 50)


def test_the_parts_of_the_context_add_up_to_the_window():
    usage = ContextUsage({"system": 2_000, "tools": 3_000, "text": 40_000, "odd": 7}, 200_000, 16_000, measured=True)
    assert sum(part.amount for part in filling(usage)) == 200_000


def test_an_unknown_window_is_said_and_shows_no_room():
    log = Log()
    log.opened()
    log.responded(log.requested(window=None), [{"type": "text", "text": "x"}])
    lines = [line.plain for line in ContextPane(id="a").lines(viewed(log), None, 60)]
    assert "window unknown" in lines[0]
    assert not any("free" in line for line in lines)


def test_an_unknown_price_is_never_shown_as_nothing():
    log = Log()
    log.opened()
    log.responded(log.requested(), [{"type": "text", "text": "x"}], cost=None)
    text = "\n".join(line.plain for line in CostPane(id="a").lines(viewed(log), None, 60))
    assert "spent  unknown" in text and "last reply  unknown" in text and "$0.00 " not in text.split("of")[0]
    log.responded(log.requested(), [{"type": "text", "text": "x"}], cost="0.5")
    assert "≥ $0.500" in CostPane(id="a").lines(viewed(log), None, 60)[0].plain


def text_of(pane, log: Log, width: int) -> str:
    return "\n".join(line.plain for line in pane.fitted(viewed(log), None, width))


@pytest.mark.parametrize("width", [38, 90])
def test_the_cost_pane_says_what_is_to_come_and_what_was_lost(width):
    log = audit_session()
    log.ping()
    log.at_us += 900_000_000
    key = log.requested()
    log.responded(key, [{"type": "text", "text": "x"}], cached=0)
    text = text_of(CostPane(id="c"), log, width)
    for words in ("next call  $", "cold $", "to go  $", "last 20 ", "rent  ", "the price of", "ping", "expired ×1"):
        assert words in text, words
    assert "cache  warm" in text and "expires in  4:5" in text
    assert ("forecasts err by" in text) == (width == 90)


def test_the_cost_pane_counts_the_cache_down_by_its_own_clock():
    log = audit_session()
    view = viewed(log)
    started_us = view.cache.lifetime.last.refreshed_us
    seconds = 0
    pane = CostPane(id="c", now_us=lambda: started_us + seconds * 1_000_000)
    lines = {}
    for seconds in (10, 119, 300):
        lines[seconds] = next(line for line in pane.lines(view, None, 60) if line.plain.startswith("cache  "))
    assert lines[10].plain.endswith("expires in  4:50") and lines[119].plain.endswith("expires in  3:01")
    assert lines[10].cell_length == lines[119].cell_length
    assert "cold" in lines[300].plain


def test_the_next_call_is_told_at_the_price_of_the_cache_as_it_is():
    view = viewed(audit_session())
    started_us, call = view.cache.lifetime.last.refreshed_us, view.rent.next_call.last
    warm, cold = figures.usd(call.warm), figures.usd(call.cold)
    for seconds, first, other in ((10, warm, f"cold {cold}"), (301, cold, f"warm {warm}")):
        now_us = started_us + seconds * 1_000_000
        pane = CostPane(id="c", now_us=lambda now_us=now_us: now_us)
        line = next(line.plain for line in pane.lines(view, None, 60) if line.plain.startswith("next call"))
        assert line.startswith(f"next call  {first} ") and other in line
        assert facts(view, None, view.timeline.at_us(view.last_seq), now_us)["next"].long == f"next {first}"


def test_the_cache_counts_down_to_cold_and_is_drawn_once_a_second_until_then():
    view = viewed(audit_session())
    started_us, seconds, drawn = view.cache.lifetime.last.refreshed_us, 298, []
    pane = CostPane(id="c", now_us=lambda: started_us + seconds * 1_000_000)
    pane._view, pane.redraw = view, lambda: drawn.append(pane.lines(view, None, 60)[6].plain)
    while seconds <= 302:
        pane.tick()
        seconds += 1
    assert [line.split()[1] for line in drawn] == ["warm", "warm", "cold"]


def test_that_the_guard_switched_compressions_off_is_said_where_they_would_be_seen():
    log = audit_session()
    before = log.events[-1].seq
    log.add(ContextPolicy(policy="off", reason="The last compressions freed too little.", tokens=41_000))
    view = viewed(log)
    for pane in (ContextPane(id="a"), CostPane(id="c")):
        now, then = (" ".join(line.plain for line in pane.lines(view, at, 60)) for at in (None, before))
        assert "Automatic compression is off" in now and "Automatic compression is off" not in then
    log.add(ContextPolicy(policy="off", reason="chosen by the user"), actor="user")
    assert "Automatic compression" not in text_of(CostPane(id="c"), log, 60)


def test_the_marks_of_items_are_told_apart_in_words():
    log = audit_session()
    items = viewed(log).context_items.dearest(3)
    log.add(ItemPinned(seq=items[0].seq), actor="user")
    log.add(ItemEvicted(seq=items[1].seq), actor="user")
    text = text_of(ContextPane(id="a"), log, 60)
    assert "◆ stays word for word · × leaves next" in text and "a line stands for it" not in text
    assert "leaves next" not in text_of(ContextPane(id="a"), audit_session(), 60)


@pytest.mark.parametrize(("source", "words"), [("anchor", "reminder, automatic"), ("memory", "earlier sessions")])
def test_what_nobody_wrote_for_this_moment_is_labelled_above_its_words(source, words):
    item = Item(1, 0, "system", "notice", "What you are here for, repeated:\nAudit.", name=source)
    place = place_of(item, None, Manner())
    lines = [line.plain for line in lines_of(item, place, Manner(), 60)]
    assert words in lines[0] and "What you are here for" in lines[1]
    assert height_of(item, place, Manner(), 60) == len(lines)


def test_a_provider_whose_bill_differs_from_list_prices_is_said():
    log = Log()
    log.opened()
    log.responded(log.requested(), [{"type": "text", "text": "x"}], cost="0.5")
    assert "billed by the provider" in text_of(CostPane(id="c"), log, 60)


@pytest.mark.parametrize(
    ("counted", "words"),
    [(21_500, "█ not accounted for"), (18_000, "the parts are estimates; 2,000 tokens too many are taken off")],
)
def test_what_was_counted_above_or_below_the_estimates_is_said_and_no_part_is_below_zero(counted, words):
    log = Log()
    log.opened()
    for sent in (20_000, 20_000, counted):
        log.responded(log.requested(sent=20_000), [{"type": "text", "text": "x"}], sent=sent)
    lines = text_of(ContextPane(id="a"), log, 100).splitlines()
    assert lines[0].startswith(f"{counted:,} of 200,000 tokens")
    assert any(line.startswith(words) for line in lines) and not any("-" in line for line in lines)


@given(st.lists(st.integers(0, 50_000), min_size=1, max_size=6), st.integers(-200_000, 50_000))
def test_what_fills_the_window_always_adds_up_to_it(parts, residual):
    usage = ContextUsage(dict(zip(PARTS, parts, strict=False)), 400_000, 1_000, True, max(residual, -sum(parts)))
    filled = filling(usage)
    assert all(part.amount >= 0 for part in filled)
    assert sum(part.amount for part in filled) == 400_000 or not any(parts)


@pytest.mark.parametrize("width", [38, 90])
def test_the_context_pane_lists_what_is_carried_with_its_rent(width):
    text = text_of(ContextPane(id="a"), audit_session(), width)
    assert "anchor  " in text and "items, dearest first" in text
    assert "Leave the public API" in text or "Leave the publi" in text
    assert ("held " in text) == (width == 90)


def test_memory_entries_are_shown_newest_first_with_their_age():
    log = Log()
    log.opened()
    log.add(MemoryWritten(text="first", topic="a"), key="m1")
    log.add(MemoryWritten(text="second", topic="b", pinned=True), key="m2", after_s=120)
    lines = [line.plain for line in MemoryPane(id="a").lines(viewed(log), None, 60)]
    assert "second" in lines[1] and "first" in lines[3]
    assert lines[2].endswith("2m") and "pinned" in lines[0]


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=300) | st.sampled_from(
    [REPORT, "", "\n", "```\nx"]
)
KINDS = st.sampled_from(["task", "text", "thinking", "notice", "call", "result", "event"])


MANNERS = st.builds(
    Manner,
    times=st.sampled_from(["off", "elapsed", "clock"]),
    depth=st.sampled_from(["usual", "brief", "open"]),
    turned=st.sampled_from([frozenset(), frozenset({"r1.1.0"})]),
    start_us=st.just(START_US - 86_400_000_000),
)


@given(TEXTS, KINDS, st.integers(20, 160), MANNERS, st.integers(0, 3))
@settings(max_examples=150, deadline=None)
def test_every_entry_is_as_high_as_promised_and_no_wider_than_its_pane(text, kind, width, manner, hidden):
    call = Call(1, "r1.1.0", 1, "read_file", "x", "read", 0, {})
    text = "\n".join(text.split("\n")[:4]) if kind == "result" else text
    item = Item(5, START_US, "agent", kind, text, call=call.key, name="read_file", hidden=hidden)
    yesterday = replace(item, at_us=item.at_us - 86_400_000_000)
    for before in (None, item, yesterday):
        for effect in ("read", "command"):
            call.effect = effect
            place = place_of(item, before, manner, call)
            lines = lines_of(item, place, manner, width, Running(call, "ok", 0))
            assert len(lines) == height_of(item, place, manner, width)
            assert all(line.cell_length <= max(width, 8 + 19) for line in lines)
            assert all("\n" not in line.plain for line in lines)


@pytest.mark.parametrize(
    ("shown", "wanted"),
    [
        (figures.tokens(860), "860"),
        (figures.tokens(9_400), "9.4k"),
        (figures.tokens(128_000), "128k"),
        (figures.tokens(999_700), "1.00M"),
        (figures.tokens(None), "?"),
        (figures.usd(None), "unknown"),
        (figures.usd(Decimal("0.0184")), "$0.0184"),
        (figures.usd("2.514"), "$2.51"),
        (figures.usd(Decimal(0)), "$0.00"),
        (figures.spent(Bill(usd=Decimal(2), replies=3, unpriced=1)), "≥ $2.00"),
        (figures.spent(Bill().plus(Usage(fresh=1), Price())), "unknown"),
        (figures.elapsed(126_729_000_000), "35:12:09"),
        (figures.duration(38), "38 ms"),
        (figures.duration(2_310), "2.3 s"),
        (figures.duration(252_000), "4m 12s"),
        (figures.duration(11_100_000), "3h 05m"),
        (figures.ago(200_000), "now"),
        (figures.ago(3 * 3_600_000_000), "3h"),
    ],
)
def test_figures_read_like_this(shown, wanted):
    assert shown == wanted


@given(st.text(max_size=60), st.text(max_size=60), st.integers(4, 80))
@settings(max_examples=100, deadline=None)
def test_clipped_and_spread_text_stays_within_its_width(left, right, width):
    from textual.content import Content

    assert Content(clip(left, width)).cell_length <= width
    short = Content(clip(right, width // 2))
    assert spread(Content(clip(left, 200)), short, width).cell_length <= width


def test_tabs_drop_their_longest_figures_first():
    tabs = [Tab("a", "1", "Cost", "$1,234.56"), Tab("b", "2", "Plan", "3/5")]
    assert [tab.figure for tab in fitting(tabs, 22)] == ["", "3/5"]
    assert [tab.figure for tab in fitting(tabs, 5)] == ["", ""]


def test_a_waiting_session_counts_down_in_words():
    status = Status("waiting", "retry", "overloaded: busy", until_us=9_000_000)
    assert state_words(status, 4_000_000).plain == "◌ waiting · 5 s · overloaded: busy"
    assert "trying again" in state_words(status, 10_000_000).plain


def test_arguments_are_read_as_what_they_are():
    def call(name, arguments):
        return Call(1, "k", 1, name, "x", "write", 0, arguments)

    edit = arguments_of(call("edit_file", {"path": "a.py", "old": "x = 1", "new": "x = 2", "all": True}))
    assert edit.language == "diff" and "-x = 1" in edit.text and "+x = 2" in edit.text and '"all": true' in edit.text
    assert arguments_of(call("write_file", {"path": "a.py", "content": "x"})).path == "a.py"
    assert arguments_of(call("run_command", {"command": "ls", "timeout": 3})).language == "bash"
    assert arguments_of(call("plan", {"steps": []})).language == "json"


def test_outputs_are_read_as_what_they_are():
    call = Call(1, "k", 1, "read_file", "x", "read", 0, {"path": "a.py"})
    assert output_of(call, "x\n@@ -1,2 +1,2 @@\n").language == "diff"
    assert output_of(call, '{"a": 1}').language == "json"
    assert output_of(call, "{ not json").path == "a.py"
    assert facts_of(call, None).startswith("● running")


def test_a_verdict_that_comes_before_we_know_the_id_is_not_lost():
    from core.events import CommandRefused

    log, orders = Log(), Orders()
    event = log.add(CommandRefused(verb="undo", reason="No."), key="c1")
    assert orders.observe(event) is None
    verdict = orders.sent("c1", "undo")
    assert verdict is not None and verdict.text == "undo refused: No." and not verdict.ok
    assert orders.receipt(SessionView()) == ""
