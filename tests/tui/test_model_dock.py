"""Choosing another model: what the switch and the requests after it cost, and what a name that is typed means."""

import asyncio
from decimal import Decimal

import pytest
from sample_sessions import MODEL, OFFERS, Log, audit_session, offered
from watching_app import app_over, read, screen_text, until

from core.folds.view import SessionView
from tui.docks.model_prices import against, cost_of, terms_of, told
from tui.panes import figures


def costs(log=None, offers=OFFERS, *, expired=False):
    view = SessionView()
    view.apply_all((log or audit_session()).events)
    terms = terms_of(view, expired=expired)
    return view, terms, [cost_of(view, terms, offer) for offer in offers]


def test_the_switch_reads_the_whole_prompt_anew_and_the_present_model_has_its_cache():
    view, terms, (present, *others) = costs()
    assert present.first == view.rent.next_call.last.warm
    fable = others[0]
    reply = fable.first - terms.prompt * Decimal("10") / 1_000_000
    assert 0 < reply < Decimal("0.05")
    assert fable.first > present.first > 0 and fable.each < fable.first


def test_after_the_switch_a_request_reads_what_was_sent_and_writes_what_a_turn_adds():
    _, terms, found = costs()
    assert terms.step > 0
    sonnet = next(cost for cost in found if cost.model == "claude-sonnet-5-5")
    prompt = terms.prompt * Decimal("0.1") / 1_000_000 + terms.step * Decimal("2.5") / 1_000_000
    assert prompt < sonnet.each < prompt + Decimal("0.02")
    assert against(sonnet, found[0]).startswith("×0.")


def test_an_expired_cache_makes_the_present_model_read_anew_too():
    warm, cold = costs()[2][0], costs(expired=True)[2][0]
    assert cold.first > warm.first and cold.each == warm.each


def test_a_cheaper_model_says_after_how_many_requests_it_has_paid_for_the_switch():
    _, terms, found = costs()
    sonnet = next(cost for cost in found if cost.model == "claude-sonnet-5-5")
    said = told(sonnet, found[0], terms)
    assert f"{figures.usd(sonnet.first)} next instead of {figures.usd(found[0].first)}" in said
    assert "paid for after" in said and "thinking is dropped" in said


@pytest.mark.parametrize(
    ("offer", "words"),
    [
        (offered("small", 30_000, "1", "5", "0.1", "1.25"), "don't fit into its window"),
        (offered("unknown", None), "at a price that nobody here knows"),
        (offered("uncached", 1_000_000, "1", "5", "1", "1"), "no cheaper cache"),
    ],
)
def test_what_a_model_can_not_do_and_what_is_not_known_of_it_is_said(offer, words):
    _, terms, (present, other) = costs(offers=[OFFERS[0], offer])
    assert words in told(other, present, terms)


def test_before_anything_was_sent_no_price_is_made_up():
    log = Log()
    log.opened()
    _, terms, (present, other) = costs(log, OFFERS[:2])
    assert other.first is None and "Nothing was sent yet" in told(other, present, terms)


async def chosen_by(*keys, listed=True):
    app = app_over(audit_session())
    reading = asyncio.Event()

    async def slowly(*_):
        await reading.wait()
        return OFFERS

    app.fake_controls.model_offers = slowly
    async with app.run_test(size=(100, 40)) as pilot:
        await read(pilot)
        if listed:
            reading.set()
        await pilot.press("M")
        if listed:
            await until(pilot, lambda: "claude-fable-5-2" in screen_text(pilot))
        await pilot.press(*keys)
        reading.set()
        await pilot.pause()
        await pilot.pause()
        return app.fake_controls.sent, screen_text(pilot)


async def test_words_narrow_the_list_and_enter_takes_the_one_that_is_marked():
    sent, _ = await chosen_by(*"sonnet", "down", "enter")
    assert [args["model"] for _verb, args, _head in sent] == ["claude-sonnet-5-5"]


async def test_the_present_model_is_no_other_one():
    sent, text = await chosen_by("enter")
    assert sent == [] and f"{MODEL} is the present model" in " ".join(text.split())


async def test_a_name_that_is_in_no_list_is_taken_as_it_is_written():
    sent, _ = await chosen_by(*"mine", "enter", listed=False)
    assert [args["model"] for _verb, args, _head in sent] == ["mine"]


async def test_words_that_several_models_have_switch_nothing_before_these_were_seen():
    sent, text = await chosen_by(*"sonnet", "enter", listed=False)
    assert sent == [] and "claude-sonnet-5-5" in text
