"""Provider profiles, as data, and the endpoint that one session talks to.

Every provider here speaks the Anthropic Messages protocol; they differ in address, key, headers, caching and prices.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from core.config import Config, ConfigError, ProfileSettings

Caching = Literal["explicit", "automatic", "none"]

FIRST_PARTY_VERSION = "2026-10-21"
COMPATIBLE_VERSION = "2023-06-01"
"""The `anthropic-version` that every server which copies the protocol knows."""

LOCAL_STALL_S = 900.0
"""A local server may read a long prompt for minutes before its first byte."""


class Serving(msgspec.Struct, frozen=True, kw_only=True):
    """How a provider serves its models: what a profile says, and every endpoint of it takes over.

    `api_key_env` None: no key is needed. `window` and `max_output` in tokens; `stall_s` in seconds without a byte.
    `price_provider` None: found by URL. `reports_cost`: the usage in its replies says what was billed. `images` and
    `documents`: whether a tool's result may hold them.
    """

    api_key_env: str | None = None
    headers: dict[str, str] = {}
    version: str = COMPATIBLE_VERSION
    cache: Caching = "none"
    pooling: bool = True
    window: int | None = None
    max_output: int = 32_000
    price_provider: str | None = None
    reports_cost: bool = False
    stall_s: float = 120.0
    images: bool = False
    documents: bool = False


class Profile(Serving, frozen=True, kw_only=True):
    """What is common to a provider's models. `hosts` are the host names it is recognised by."""

    base_url: str | None = None
    hosts: tuple[str, ...] = ()


def _local(base_url: str | None) -> Profile:
    """A server on this machine: no key, its own prefix cache, and a socket that may close after each streamed reply."""
    return Profile(base_url=base_url, cache="automatic", pooling=False, max_output=16_000, stall_s=LOCAL_STALL_S)


PROFILES: dict[str, Profile] = {
    "anthropic": Profile(
        base_url="https://api.anthropic.com",
        api_key_env="ANTHROPIC_API_KEY",
        hosts=("api.anthropic.com",),
        version=FIRST_PARTY_VERSION,
        cache="explicit",
        price_provider="anthropic",
        images=True,
        documents=True,
    ),
    "openrouter": Profile(
        base_url="https://openrouter.ai/api",
        api_key_env="OPENROUTER_API_KEY",
        hosts=("openrouter.ai",),
        cache="explicit",
        price_provider="openrouter",
        reports_cost=True,
    ),
    "model-studio": Profile(
        base_url="https://dashscope-intl.aliyuncs.com/apps/anthropic",
        api_key_env="DASHSCOPE_API_KEY",
        hosts=("dashscope-intl.aliyuncs.com", "dashscope.aliyuncs.com", "dashscope-us.aliyuncs.com"),
        cache="explicit",
        price_provider="model-studio",
    ),
    # Keeps prefixes by itself and passes over markers; maps or refuses names that it does not know (its documentation,
    # api-docs.deepseek.com/guides/anthropic_api, read 2026-11).
    "deepseek": Profile(
        base_url="https://api.deepseek.com/anthropic",
        api_key_env="DEEPSEEK_API_KEY",
        hosts=("api.deepseek.com",),
        cache="automatic",
        price_provider="deepseek",
    ),
    # A proxy before endpoints of other protocols (docs.litellm.ai/docs/anthropic_unified, read 2026-11). It passes
    # markers on, which those behind it may refuse, so none are set unless the user says so.
    "litellm": msgspec.structs.replace(
        _local("http://127.0.0.1:4000"), api_key_env="LITELLM_API_KEY", max_output=32_000
    ),
    "vllm": _local("http://127.0.0.1:8000"),
    "llama.cpp": _local("http://127.0.0.1:8080"),
    "ollama": _local("http://127.0.0.1:11434"),
    "lm-studio": _local("http://127.0.0.1:1234"),
    "local": _local(None),
    "generic": Profile(),
    "simulated": Profile(
        cache="explicit", pooling=False, window=1_000_000, price_provider="simulated", images=True, documents=True
    ),
}
SIMULATED = "simulated"


class Endpoint(Serving, frozen=True, kw_only=True):
    """Where and how one model is reached; holds the name of the key's variable, never the key.

    `base_url` is without `/v1/messages`; empty for `simulated/<policy>` until the runner has started that server.
    """

    profile: str
    base_url: str
    model: str

    def sees(self, kind: str) -> bool:
        """Whether its models take an `image`, or a `document`, in a result."""
        return {"image": self.images, "document": self.documents}.get(kind, False)

    @property
    def loopback(self) -> bool:
        """Whether the server is on this machine."""
        return is_loopback(self.base_url)

    @property
    def simulated(self) -> bool:
        return self.profile == SIMULATED


def resolve_endpoint(
    config: Config,
    model: str | None = None,
    base_url: str | None = None,
    api_key_env: str | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Endpoint:
    """The endpoint that the arguments, then the configuration, then the profiles name.

    An address given here is not the configured one, so the configured key is not sent to it.
    Raises ConfigError when the model or the address is missing or can't be used.
    """
    settings = config.model
    named = model or settings.name
    if not named:
        raise ConfigError(_no_model(environ))
    elsewhere = base_url is not None or (model is not None and model.startswith(f"{SIMULATED}/"))
    prefix, name = _split(named, config)
    url = base_url or (None if prefix or elsewhere else settings.base_url)
    profile_name = prefix or (None if elsewhere else settings.profile) or _recognised(url, name)
    profile = _profile(profile_name, config)
    configured_env = None if elsewhere or prefix else settings.api_key_env
    address = url or profile.base_url
    if profile_name != SIMULATED:
        address = _checked_url(address, profile_name)
    served = {name: getattr(profile, name) for name in Serving.__struct_fields__} | {
        "api_key_env": api_key_env or configured_env or profile.api_key_env,
        "pooling": profile.pooling and not is_loopback(address or ""),
        "max_output": settings.max_tokens or profile.max_output,
    }
    return Endpoint(profile=profile_name, base_url=address or "", model=name, **served)


def key_variables(config: Config, *more: str | None) -> set[str]:
    """The environment variables that hold keys of models, whatever they are called."""
    named = [config.model.api_key_env, *(own.api_key_env for own in config.profiles.values()), *more]
    return {name for name in (*named, *(profile.api_key_env for profile in PROFILES.values())) if name}


def is_loopback(base_url: str) -> bool:
    """Whether a URL names this machine."""
    try:
        host = (urlsplit(base_url).hostname or "").lower()
        return host == "localhost" or host.endswith(".localhost") or ip_address(host).is_loopback
    except ValueError:
        return False


def _split(named: str, config: Config) -> tuple[str | None, str]:
    """`profile:model` where the prefix is a profile, `simulated/policy`, or a bare model."""
    if named.startswith(f"{SIMULATED}/"):
        return SIMULATED, named
    prefix, colon, rest = named.partition(":")
    known = prefix in config.profiles or prefix in PROFILES
    return (prefix, rest) if colon and rest and known else (None, named)


def _recognised(base_url: str | None, model: str) -> str:
    """The built-in profile of an address, or without one of a model's name."""
    if base_url is not None:
        host = _host(base_url)
        by_host = next((name for name, profile in PROFILES.items() if host in profile.hosts), None)
        return by_host or ("local" if is_loopback(base_url) else "generic")
    if model.startswith("claude-"):
        return "anthropic"
    if model.startswith(("qwen3", "qwen-")) and ":" not in model:
        return "model-studio"
    if "/" in model:
        return "openrouter"
    raise ConfigError(
        f"It isn't known where the model {model!r} is served; add --base-url, or a profile as in openrouter:{model}."
    )


def _host(base_url: str) -> str:
    try:
        return (urlsplit(base_url).hostname or "").lower()
    except ValueError:
        return ""


def _profile(name: str, config: Config) -> Profile:
    """A built-in profile with the user's changes, or a new one that starts from `like`."""
    own = config.profiles.get(name)
    origin = (own.like if own else None) or (name if name in PROFILES else "generic")
    if origin not in PROFILES or (own is None and name not in PROFILES):
        missing = origin if origin not in PROFILES else name
        raise ConfigError(
            f"There is no profile {missing!r}; there are {', '.join(sorted({*PROFILES, *config.profiles}))}."
        )
    return _changed(PROFILES[origin], own) if own else PROFILES[origin]


_CHANGED = (
    *("base_url", "api_key_env", "cache", "pooling", "window", "max_output", "price_provider", "stall_s"),
    *("images", "documents"),
)
"""What a profile of the user may say anew."""


def _changed(profile: Profile, own: ProfileSettings) -> Profile:
    given = {name: value for name in _CHANGED if (value := getattr(own, name)) is not None}
    if "base_url" in given and "api_key_env" not in given:
        given["api_key_env"] = None
    return msgspec.structs.replace(profile, headers={**profile.headers, **own.headers}, **given)


def _checked_url(url: str | None, profile: str) -> str:
    """The address in its plain form: no `/v1/messages` at its end."""
    if not url:
        raise ConfigError(
            f"The profile {profile!r} has no address of its own; add --base-url, as in http://127.0.0.1:8080."
        )
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = None, None
    if parts is None or not host or parts.scheme not in ("http", "https") or not url.strip().isprintable():
        raise ConfigError(f"{url!r} is not an address of a server; write it like https://openrouter.ai/api.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigError("A server's address may hold no user, password or query; put the key into a variable.")
    path = parts.path.rstrip("/").removesuffix("/messages").removesuffix("/v1")
    return f"{parts.scheme}://{parts.netloc}{path.rstrip('/')}"


def _no_model(environ: Mapping[str, str]) -> str:
    found = [name for name, profile in PROFILES.items() if profile.api_key_env and environ.get(profile.api_key_env)]
    hint = f"you have a key for {found[0]}" if found else "simulated/auditor needs no key"
    return f"No model is chosen; `longwatch setup` asks for one, or add --model NAME ({hint})."
