"""Where a session is served, or is to go on: from how it was opened to an endpoint."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.config import Config, ConfigError
from core.events import SessionOpened
from core.models.keys import read_key
from core.models.profiles import PROFILES, Endpoint, resolve_endpoint

if TYPE_CHECKING:
    from core.simulator.policies import Policy


def endpoint_of(opened: SessionOpened, config: Config, environ: Mapping[str, str] = os.environ) -> Endpoint:
    """The endpoint that a session was opened with. Raises ConfigError when it can't be had any more."""
    if opened.profile == "simulated":
        return resolve_endpoint(config, model=opened.endpoint, environ=environ)
    model = f"{opened.profile}:{opened.model}"
    return resolve_endpoint(
        config, model=model, base_url=opened.endpoint, api_key_env=opened.api_key_env, environ=environ
    )


@dataclass(frozen=True, slots=True)
class Told:
    """Where a session is to go on, as far as that is another place than before."""

    model: str | None = None
    base_url: str | None = None
    api_key_env: str | None = None

    def __bool__(self) -> bool:
        return any((self.model, self.base_url, self.api_key_env))

    def endpoint(self, opened: SessionOpened, config: Config, environ: Mapping[str, str] = os.environ) -> Endpoint:
        """The endpoint; what is not told stays as it was. Raises ConfigError."""
        model = self.model or opened.model
        elsewhere = self.base_url is not None or opened.profile == "simulated" or model.startswith("simulated/")
        if elsewhere or model.partition(":")[0] in {*PROFILES, *config.profiles}:
            return resolve_endpoint(config, model, self.base_url, self.api_key_env, environ)
        key = self.api_key_env or opened.api_key_env
        return resolve_endpoint(config, f"{opened.profile}:{model}", opened.endpoint, key, environ)


def address_of(endpoint: Endpoint) -> str:
    """How the log names the place: a simulated one by the name of its policy, for its server comes and goes."""
    return endpoint.model if endpoint.simulated else endpoint.base_url


def check_endpoint(endpoint: Endpoint, environ: Mapping[str, str] = os.environ) -> None:
    """Raises ConfigError when the key of an endpoint is missing, or the policy of a simulated one."""
    if endpoint.simulated:
        simulated_policy(endpoint.model)
    else:
        read_key(endpoint, environ)


def simulated_policy(model: str) -> Policy:
    from core.simulator.policies import load_policy

    try:
        return load_policy(model.removeprefix("simulated/"))
    except ValueError as error:
        raise ConfigError(str(error)) from None
