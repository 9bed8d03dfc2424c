"""`setup`: the first profile. Where the server is, its key, its model, one request, and what that cost."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

import click

from core.clock import SystemClock
from core.config import Config, ConfigError, config_path, load_config
from tui.safe import one_line
from tui.say import ask, say


@click.command()
@click.option("--base-url", help="Where the server is: an address, or the name of a profile such as openrouter.")
@click.option("--model", help="The model.")
@click.option("--api-key-env", help="The environment variable that holds the key.")
@click.option("--look", is_flag=True, help="Look for servers at the usual ports of this machine first.")
@click.option("--no-test", is_flag=True, help="Send no request.")
@click.option("--dry-run", is_flag=True, help="Write nothing.")
def setup(
    base_url: str | None, model: str | None, api_key_env: str | None, look: bool, no_test: bool, dry_run: bool
) -> int:
    """Choose the model that sessions use: asks what is not given, sends one small request, writes [model].

    A key goes into a file beside the configuration, never into it. Without any server: longwatch demo.
    """
    from core.config.writing import write_settings
    from core.models.profiles import resolve_endpoint

    config = load_config() if config_path().exists() else Config()  # It is about to be written.
    if look:
        base_url, model = _found(base_url, model)
    place = base_url or _asked("Where is the server? An address, or one of: " + ", ".join(_profiles(config)))
    named, url = (place, None) if place in _profiles(config) else (None, place)
    name = model or _asked("Which model")
    full = f"{named}:{name}" if named else name
    endpoint = resolve_endpoint(config, full, url, api_key_env)
    if url and not api_key_env and not endpoint.loopback and endpoint.api_key_env is None and sys.stdin.isatty():
        api_key_env = ask("The environment variable with its key (empty: it needs none)", default="") or None
        endpoint = resolve_endpoint(config, full, url, api_key_env)
    _need_key(endpoint)
    if not no_test and not _tested(endpoint, config):
        return 1
    values = {"name": full, "base_url": url, "api_key_env": api_key_env, "profile": None}
    if dry_run:
        say("nothing was written")
        return 0
    write_settings(config_path(), "model", values)
    say(f"wrote [model] of {config_path()}; now: longwatch run TASK --budget 5")
    return 0


def _profiles(config: Config) -> list[str]:
    from core.models.profiles import PROFILES, SIMULATED

    return [name for name in (*PROFILES, *config.profiles) if name not in (SIMULATED, "generic", "local")]


def _asked(question: str) -> str:
    if not sys.stdin.isatty():
        raise click.UsageError(f"{question}: nobody can be asked here; say it with --base-url and --model.")
    return ask(question).strip()


def _found(base_url: str | None, model: str | None) -> tuple[str | None, str | None]:
    """What servers of this machine there are; where there is one, it is taken."""
    from core.models.trying import look_around

    servers = asyncio.run(look_around())
    for server in servers:
        has = ", ".join(map(one_line, server.models[:8])) or "says of no model"
        say(f"{server.profile} at {server.base_url}: {has}")
    if not servers:
        say("No server answers at the usual ports of this machine.")
    if len(servers) == 1 and base_url is None:
        own = servers[0].models
        return servers[0].profile, model or (own[0] if len(own) == 1 else None)
    return base_url, model


def _need_key(endpoint: Any) -> None:
    """Have the key stored where it is missing and somebody can be asked for it. Raises ConfigError."""
    from core.models.keys import read_key, store_key

    try:
        read_key(endpoint)
    except ConfigError:
        if not sys.stdin.isatty() or endpoint.api_key_env is None:
            raise
        given = ask(f"Key for {endpoint.base_url} ({endpoint.api_key_env})", hide_input=True)
        say(f"stored in {store_key(endpoint.api_key_env, given.strip())}", err=True)


def _tested(endpoint: Any, config: Config) -> bool:
    """One request, told with its price; whether it went well."""
    from core.models.errors import ModelError
    from core.models.trying import ASKED, try_out

    say(f'Asking {one_line(endpoint.model)} at {one_line(endpoint.base_url)}: "{ASKED}"')
    try:
        tried = asyncio.run(try_out(endpoint, config, SystemClock(), os.environ))
    except ModelError as error:
        say(f"longwatch: it failed: {one_line(error.message)} Nothing was written.", err=True)
        return False
    usage = tried.usage
    tokens = f"{usage.sent} tokens in, {usage.output} out" if usage else "it does not say how many tokens"
    cost = "its price is not known" if tried.usd is None else f"${tried.usd:.6f} ({one_line(tried.source)})"
    window = f"{tried.window:,} tokens" if tried.window else "not known; window in [profiles.NAME] says it"
    say(f"It said: {one_line(tried.said)[:200] or '(nothing)'}")
    say(f"{tried.ms / 1000:.1f} s, {tokens}, {cost}. Window: {window}.")
    return True
