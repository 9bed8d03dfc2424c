"""Models with dated prices, and which fit a planned session."""

from datetime import UTC, datetime

import pytest

from core.config import Config, PriceSettings, ProfileSettings
from core.economy.fit import Candidate, fits, overkill
from core.economy.tariff import REFERENCE, Tariff
from core.models.catalog import known_profiles, listed
from core.models.evidence import ABOUT, CLAIMS, FAMILIES


def at_us(day):
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1_000_000)


def test_a_price_says_since_when_and_until_when_it_holds():
    (before,) = listed(Config(), ["openrouter"], ["qwen3.7-max"], at_us("2026-10-01"))
    (after,) = listed(Config(), ["openrouter"], ["qwen3.7-max"], at_us("2026-11-01"))
    assert (str(before.until), before.since) == ("2026-10-19", None)
    assert (str(after.since), after.until) == ("2026-10-19", None)
    assert before.rates.input < after.rates.input


def test_a_large_prompt_is_priced_by_its_tier():
    small, large = (
        listed(Config(), ["model-studio"], ["qwen3.7-plus"], at_us("2026-11-01"), sent=sent)[0].rates.input
        for sent in (1_000, 300_000)
    )
    assert large == 4 * small


def test_only_usual_agents_are_shown_unless_more_is_asked_for():
    usual = listed(Config(), ["openrouter"], [], at_us("2026-11-01"))
    every = listed(Config(), ["openrouter"], [], at_us("2026-11-01"), everything=True)
    assert 10 < len(usual) < 80 < len(every)
    assert not any("image" in row.name for row in usual)


def test_ones_own_profile_is_known_by_its_prices_and_a_local_server_is_not():
    config = Config(
        profiles={"work": ProfileSettings(base_url="http://127.0.0.1:1", window=32_000)},
        prices={"work/house": PriceSettings(input=1, output=2)},
    )
    assert "work" in known_profiles(config) and "ollama" not in known_profiles(config)
    (row,) = listed(config, ["work"], [], at_us("2026-11-01"))
    assert (row.name, row.window, row.rates.source, row.since) == ("work:house", 32_000, "your prices", None)


def test_what_fits_comes_first_and_the_cheapest_of_it_before_all():
    dear = Tariff.per_million(25, 75, 2.5, 31.25, 300.0)
    given = [
        Candidate("small", 200_000, REFERENCE),
        Candidate("dear", 1_000_000, dear),
        Candidate("unpriced", 1_000_000, None),
        Candidate("cheap", 1_000_000, REFERENCE),
        Candidate("unknown", None, REFERENCE),
    ]
    found = fits(given, 2, 500_000, 33)
    assert [fit.candidate.name for fit in found] == ["cheap", "dear", "unpriced", "small", "unknown"]
    assert [bool(fit.objection) for fit in found] == [False, False, False, True, True]
    assert found[2].cost is None


def test_a_long_run_model_is_overkill_where_a_common_window_holds_everything():
    assert "overkill" in overkill(1, 0, 33)
    assert overkill(35, 0, 33) == "" and overkill(1, 500_000, 33) == ""


@pytest.mark.parametrize("claim", CLAIMS)
def test_every_claim_has_a_source_and_a_place_in_the_table(claim):
    assert claim.model in FAMILIES and claim.about in ABOUT and claim.source and claim.date and claim.said
