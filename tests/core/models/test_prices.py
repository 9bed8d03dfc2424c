from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.clock import MICROSECONDS
from core.config import Config, PriceSettings
from core.events import Usage
from core.models.prices import MILLION, price, price_row, window_of
from core.models.profiles import Endpoint, resolve_endpoint


def at(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp()) * MICROSECONDS


NOW = at(2026, 11, 1)
ALL = Usage(fresh=1_000_000, cache_read=1_000_000, cache_write_5m=1_000_000, cache_write_1h=1_000_000, output=1_000_000)


def endpoint(model: str, **given: Any) -> Endpoint:
    return resolve_endpoint(Config(), model, environ={}, **given)


def test_each_kind_of_token_has_its_own_price() -> None:
    found = price(ALL, endpoint("claude-sonnet-5-5"), "claude-sonnet-5-5", NOW)
    assert found.row == {"input": "2", "output": "10", "cache_read": "0.1", "cache_write": "2.5", "cache_write_1h": "4"}
    assert found.cost == "18.6"
    assert found.source == "list price of claude-sonnet-5-5"


def test_the_price_is_that_of_the_day_of_the_request() -> None:
    target = endpoint("qwen/qwen3.7-max")
    usage = Usage(fresh=1_000_000)
    assert price(usage, target, target.model, at(2026, 10, 18)).cost == "1.25"
    assert price(usage, target, target.model, at(2026, 10, 19)).cost == "1.475"


def test_a_price_that_jumps_with_the_size_of_the_prompt_jumps_for_each_request() -> None:
    target = endpoint("qwen/qwen3.7-plus")
    small, big = (price_row(target, target.model, NOW, sent=sent) for sent in (200_000, 300_000))
    assert small is not None
    assert big is not None
    assert big.input == 3 * small.input


def test_prices_of_model_studio_are_known_and_labelled_with_their_date() -> None:
    found = price(ALL, endpoint("qwen3.7-max"), "qwen3.7-max", NOW)
    assert found.cost == "16.5"
    assert found.source == "Model Studio list price of July 2026"
    row = price_row(endpoint("qwen3.7-plus"), "qwen3.7-plus", NOW, sent=300_000)
    assert row is not None
    assert (row.input * MILLION, row.output * MILLION) == (Decimal(2), Decimal(6))


def test_the_simulated_model_has_a_labelled_price() -> None:
    found = price(ALL, endpoint("simulated/auditor"), "simulated/auditor", NOW)
    assert (found.cost, found.source) == ("18.6", "simulated list price")


@pytest.mark.parametrize(
    ("model", "base_url"),
    [("no-such-model", "https://models.example.org"), ("vendor/none", None), ("qwen3:8b", "http://127.0.0.1:11434")],
)
def test_an_unknown_price_is_unknown_and_not_zero(model: str, base_url: str | None) -> None:
    found = price(ALL, endpoint(model, base_url=base_url), model, NOW)
    assert (found.cost, found.source) == (None, "unknown")
    assert price_row(endpoint(model, base_url=base_url), model, NOW) is None


def test_usage_that_is_unknown_has_no_price() -> None:
    assert price(None, endpoint("claude-sonnet-5-5"), "claude-sonnet-5-5", NOW).cost is None


def test_the_provider_is_found_by_its_address() -> None:
    target = endpoint("llama-3.3-70b-versatile", base_url="https://api.groq.com/openai")
    assert target.profile == "generic"
    assert price_row(target, target.model, NOW) is not None


def test_what_the_provider_billed_wins_over_the_list() -> None:
    target = endpoint("qwen/qwen3.7-max")
    found = price(ALL, target, target.model, NOW, raw_usage={"cost": 0.0123})
    assert (found.cost, found.source) == ("0.0123", "provider")
    own_account = {"cost": 0.01, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.2}}
    assert price(None, target, target.model, NOW, raw_usage=own_account).cost == "0.21"


@pytest.mark.parametrize("cost", [float("nan"), float("inf"), -1, "0.1", True, None])
def test_a_bill_that_is_no_amount_is_ignored(cost: object) -> None:
    target = endpoint("qwen/qwen3.7-max")
    assert price(ALL, target, target.model, NOW, raw_usage={"cost": cost}).source != "provider"


def test_a_server_that_is_not_known_for_it_can_not_set_its_own_price() -> None:
    target = endpoint("claude-sonnet-5-5")
    assert price(ALL, target, target.model, NOW, raw_usage={"cost": 0}).cost == "18.6"


def test_prices_of_the_user_win_over_all_others() -> None:
    own = {"openrouter/qwen/qwen3.7-max": PriceSettings(input=1.0, output=0.1, cache_read=0.3)}
    target = endpoint("qwen/qwen3.7-max")
    found = price(ALL, target, target.model, NOW, own, raw_usage={"cost": 5})
    assert (found.cost, found.source) == ("3.4", "your prices")


def test_prices_of_the_user_hold_when_the_server_calls_the_model_otherwise() -> None:
    own = {"local/qwen.gguf": PriceSettings(input=0.0, output=0.0)}
    target = endpoint("qwen.gguf", base_url="http://127.0.0.1:8080")
    assert price(ALL, target, "/models/qwen.gguf", NOW, own).cost == "0"


def test_windows_are_known_where_the_list_knows_them() -> None:
    assert window_of("claude-sonnet-5-5") == 1_000_000
    assert window_of("qwen/qwen3.7-max") == 1_000_000
    assert window_of("qwen3.7-max") == 991_808
    assert window_of("simulated/auditor") == 1_000_000
    assert window_of("no-such-model") is None
    assert window_of("claude-haiku-4-5", endpoint("claude-haiku-4-5")) == 200_000


counts = st.integers(0, 10**9)


@settings(max_examples=60, deadline=None)
@given(st.builds(Usage, fresh=counts, cache_read=counts, cache_write_5m=counts, cache_write_1h=counts, output=counts))
def test_costs_add_up_exactly_and_are_written_without_an_exponent(usage: Usage) -> None:
    found = price(usage, endpoint("simulated/echo"), "simulated/echo", NOW)
    assert found.cost is not None
    assert "E" not in found.cost
    row = {name: Decimal(value) for name, value in found.row.items()}
    assert Decimal(found.cost) * MILLION == (
        usage.fresh * row["input"]
        + usage.cache_read * row["cache_read"]
        + usage.cache_write_5m * row["cache_write"]
        + usage.cache_write_1h * row["cache_write_1h"]
        + usage.output * row["output"]
    )
