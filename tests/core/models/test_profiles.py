from __future__ import annotations

from typing import Any

import pytest

from core.config import Config, ConfigError, ModelSettings, ProfileSettings
from core.models.keys import read_key
from core.models.profiles import PROFILES, is_loopback, resolve_endpoint


def config(profiles: dict[str, ProfileSettings] | None = None, **model: Any) -> Config:
    return Config(model=ModelSettings(**model), profiles=profiles or {})


@pytest.mark.parametrize(
    ("model", "profile", "base_url", "variable"),
    [
        ("claude-opus-5-5", "anthropic", "https://api.anthropic.com", "ANTHROPIC_API_KEY"),
        ("qwen/qwen3.7-max", "openrouter", "https://openrouter.ai/api", "OPENROUTER_API_KEY"),
        ("qwen3.7-max", "model-studio", "https://dashscope-intl.aliyuncs.com/apps/anthropic", "DASHSCOPE_API_KEY"),
        ("ollama:qwen3:8b", "ollama", "http://127.0.0.1:11434", None),
        ("lm-studio:any", "lm-studio", "http://127.0.0.1:1234", None),
        ("simulated/auditor", "simulated", "", None),
    ],
)
def test_a_model_alone_is_enough_where_its_provider_is_known(
    model: str, profile: str, base_url: str, variable: str | None
) -> None:
    endpoint = resolve_endpoint(Config(), model, environ={})
    assert (endpoint.profile, endpoint.base_url, endpoint.api_key_env) == (profile, base_url, variable)
    assert endpoint.model == model.removeprefix(f"{profile}:")


@pytest.mark.parametrize(
    ("base_url", "profile", "plain"),
    [
        ("https://openrouter.ai/api/v1/", "openrouter", "https://openrouter.ai/api"),
        ("https://dashscope.aliyuncs.com/apps/anthropic", "model-studio", None),
        ("http://localhost:8080/v1/messages", "local", "http://localhost:8080"),
        ("http://[::1]:8080", "local", None),
        ("http://192.168.1.9:8000", "generic", None),
        ("https://evil-openrouter.ai/api", "generic", None),
    ],
)
def test_an_address_is_recognised_and_brought_to_its_plain_form(base_url: str, profile: str, plain: str | None) -> None:
    endpoint = resolve_endpoint(Config(), "m", base_url, environ={})
    assert (endpoint.profile, endpoint.base_url) == (profile, plain or base_url)


def test_no_connection_is_kept_open_to_a_server_on_this_machine() -> None:
    own = {"proxy": ProfileSettings(base_url="http://127.0.0.1:4000", pooling=True)}
    assert not resolve_endpoint(config(own), "proxy:m").pooling
    assert resolve_endpoint(Config(), "claude-opus-5-5").pooling


def test_the_configuration_is_used_where_no_argument_is_given() -> None:
    settings = config(name="m", base_url="https://m.example", api_key_env="M_KEY", max_tokens=5)
    endpoint = resolve_endpoint(settings)
    assert (endpoint.base_url, endpoint.model, endpoint.api_key_env) == ("https://m.example", "m", "M_KEY")
    assert endpoint.max_output == 5
    assert resolve_endpoint(settings, "other").base_url == "https://m.example"


def test_the_configured_key_is_not_sent_to_an_address_given_on_the_spot() -> None:
    settings = config(name="m", base_url="https://m.example", api_key_env="M_KEY", profile="openrouter")
    assert resolve_endpoint(settings, base_url="https://other.example").api_key_env is None
    assert resolve_endpoint(settings, "claude-x", "https://other.example", "O_KEY").api_key_env == "O_KEY"
    assert resolve_endpoint(settings, "simulated/echo").api_key_env is None
    assert resolve_endpoint(settings, "anthropic:claude-x").api_key_env == "ANTHROPIC_API_KEY"


def test_a_profile_of_the_user_starts_from_a_built_in_one() -> None:
    own = {
        "work": ProfileSettings(like="anthropic", base_url="https://gate.example", headers={"x-team": "t"}, window=9),
        "openrouter": ProfileSettings(max_output=7),
    }
    work = resolve_endpoint(config(own), "work:claude-x")
    assert (work.base_url, work.cache, work.window, work.headers) == (
        "https://gate.example",
        "explicit",
        9,
        {"x-team": "t"},
    )
    assert work.api_key_env is None
    changed = resolve_endpoint(config(own), "qwen/qwen3.7-max")
    assert (changed.max_output, changed.api_key_env) == (7, "OPENROUTER_API_KEY")


@pytest.mark.parametrize(
    ("settings", "model", "base_url", "said"),
    [
        (config(), None, None, "No model is chosen"),
        (config(), "mystery", None, "--base-url"),
        (config(), "generic:m", None, "no address of its own"),
        (config(profile="nowhere"), "m", None, "no profile 'nowhere'"),
        (config({"a": ProfileSettings(like="b")}), "a:m", None, "no profile 'b'"),
        (config(), "m", "openrouter.ai/api", "is not an address"),
        (config(), "m", "ftp://x.example", "is not an address"),
        (config(), "m", "http://[::1", "is not an address"),
        (config(), "m", "http://x.example:99999", "is not an address"),
        (config(), "m", "https://x.example/\x1b[31m", "is not an address"),
        (config(), "m", "https://me:secret@x.example", "no user, password or query"),
        (config(), "m", "https://x.example/?key=1", "no user, password or query"),
    ],
)
def test_what_can_not_be_resolved_is_said_in_one_sentence(
    settings: Config, model: str | None, base_url: str | None, said: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve_endpoint(settings, model, base_url, environ={})
    assert said in str(caught.value)
    assert str(caught.value).isprintable()
    assert "secret" not in str(caught.value)


def test_a_key_that_is_there_is_hinted_at_when_no_model_is_chosen() -> None:
    with pytest.raises(ConfigError, match="you have a key for openrouter"):
        resolve_endpoint(Config(), environ={"OPENROUTER_API_KEY": "k"})


def test_the_key_is_read_from_the_named_variable() -> None:
    endpoint = resolve_endpoint(Config(), "claude-opus-5-5")
    assert read_key(endpoint, {"ANTHROPIC_API_KEY": " sk-1\n"}) == "sk-1"
    assert read_key(resolve_endpoint(Config(), "ollama:x"), {"ANTHROPIC_API_KEY": "sk-1"}) is None


@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_key_is_said_with_the_name_of_its_variable(value: str | None) -> None:
    environ = {} if value is None else {"ANTHROPIC_API_KEY": value}
    with pytest.raises(ConfigError, match="ANTHROPIC_API_KEY is not set"):
        read_key(resolve_endpoint(Config(), "claude-opus-5-5"), environ)


@pytest.mark.parametrize("value", ["sk-1\nx-evil: 1", "sk é", "sk 1", "“sk-1”"])
def test_a_key_that_can_not_be_one_is_refused_without_showing_it(value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_key(resolve_endpoint(Config(), "claude-opus-5-5"), {"ANTHROPIC_API_KEY": value})
    assert value not in str(caught.value)


def test_every_profile_with_an_address_resolves_by_its_name() -> None:
    for name, profile in PROFILES.items():
        if profile.base_url:
            assert resolve_endpoint(Config(), f"{name}:m").base_url == profile.base_url


def test_deepseek_is_reached_by_its_own_endpoint_and_keeps_prefixes_by_itself() -> None:
    endpoint = resolve_endpoint(Config(), "deepseek:deepseek-flash")
    assert (endpoint.cache, endpoint.api_key_env) == ("automatic", "DEEPSEEK_API_KEY")
    assert resolve_endpoint(Config(), "m", base_url="https://api.deepseek.com/anthropic").profile == "deepseek"


def test_a_proxy_here_has_a_key_and_gets_no_markers() -> None:
    endpoint = resolve_endpoint(Config(), "litellm:team/model")
    assert endpoint.loopback and (endpoint.cache, endpoint.api_key_env) == ("automatic", "LITELLM_API_KEY")


def test_loopback_is_known_in_all_its_forms() -> None:
    assert all(map(is_loopback, ("http://localhost:1", "http://127.3.2.1", "http://[::1]:8", "http://a.localhost")))
    assert not any(map(is_loopback, ("", "http://127.0.0.1.example", "http://10.0.0.1", "nonsense", "http://[")))
