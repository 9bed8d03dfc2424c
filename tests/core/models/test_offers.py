"""Which models an endpoint may answer with, and at whose rates."""

from decimal import Decimal

from core.config import Config, PriceSettings
from core.models.offers import offers
from core.models.profiles import resolve_endpoint

AT_US = 1_790_000_000_000_000


def of(model, overrides=None, sent=0):
    endpoint = resolve_endpoint(Config(), model=model, environ={})
    return offers(endpoint, endpoint.model, AT_US, overrides, sent=sent)


def test_the_present_model_comes_first_and_the_others_are_of_the_same_provider():
    present, *others = of("claude-sonnet-5-5")
    assert present.model == "claude-sonnet-5-5" and present.window == 1_000_000
    assert {"claude-opus-5-5", "claude-haiku-4-5"} <= {offer.model for offer in others}
    assert all(offer.model.startswith("claude") for offer in others)
    assert others == sorted(others, key=lambda offer: offer.model)


def test_rates_are_dollars_a_token_fresh_output_read_and_written():
    present, *_ = of("claude-sonnet-5-5")
    assert [rate * 1_000_000 for rate in present.rates] == [Decimal(2), Decimal(10), Decimal("0.1"), Decimal("2.5")]


def test_models_sold_for_jobs_that_wait_are_none_that_a_session_goes_on_with():
    assert not any(offer.model.endswith(":batch") for offer in of("openrouter:qwen/qwen3.7-max"))


def test_the_users_own_prices_name_models_too_and_nothing_else_is_known_of_a_server_of_ones_own():
    own = {"ollama/qwen3:8b": PriceSettings(input=1, output=2), "openrouter/other": PriceSettings(input=1, output=2)}
    present, *others = of("ollama:llama4", own)
    assert (present.model, present.rates) == ("llama4", ())
    assert [offer.model for offer in others] == ["qwen3:8b"]
    fresh, _output, read, _written = others[0].rates
    assert read <= fresh
