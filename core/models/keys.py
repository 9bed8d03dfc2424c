"""Where the key of an endpoint comes from, also while a session runs.

A process can't be given another environment, so a key that expires in the night would end what it pays for. A file
with the variable's name in the folder `keys`, beside the configuration, wins over the variable; it is read anew
for each request, and whoever waits for another key looks there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from core.config import ConfigError, config_path, load_config
from core.models.profiles import Endpoint, key_variables
from core.private import make_private

LONGEST_KEY = 10_000
"""Characters; what is longer is no key, but a file that was taken for one."""

KeySource = Callable[[], str | None]
"""The key as it is now, None where none is needed. Raises ConfigError when there is none, or what can't be one."""


def key_file(variable: str, environ: Mapping[str, str] = os.environ) -> Path:
    """The file that wins over an environment variable."""
    return config_path(environ).parent / "keys" / variable


def read_key(endpoint: Endpoint, environ: Mapping[str, str] = os.environ) -> str | None:
    """The key from its file or the environment; None where none is needed.

    Raises ConfigError when there is neither, or what is there can't be a key.
    """
    variable = endpoint.api_key_env
    if variable is None:
        return None
    file = key_file(variable, environ)
    found = _from_file(file)
    key = environ.get(variable, "").strip() if found is None else found
    if not key:
        raise ConfigError(
            f"The environment variable {variable} is not set, and {endpoint.base_url} needs the key from it; "
            f"set it, store one with `longwatch key {variable}`, or name another variable with --api-key-env."
        )
    if not is_key(key):
        where = f"The environment variable {variable}" if found is None else f"The file {file}"
        raise ConfigError(f"{where} holds characters that no key has; set it again.")
    return key


def known_secrets(environ: Mapping[str, str] = os.environ, *variables: str | None) -> dict[str, str]:
    """The environment, and keys by names that tell so: of `variables`, of the configured ones, and stored ones."""
    names = {name for name in variables if name}
    with suppress(ConfigError):  # What can't be read names none; whoever needs it says so.
        names |= key_variables(load_config())
    keys = {f"{name}_API_KEY": environ.get(name, "").strip() for name in names}
    with suppress(OSError, ConfigError):
        stored = [file for file in key_file("x", environ).parent.iterdir() if file.name.isidentifier()]
        keys |= {f"{file.name}_STORED_KEY": _from_file(file) or "" for file in stored}
    return {**keys, **environ}


def is_key(text: str) -> bool:
    """Whether a text can go into a header as a key."""
    return bool(text) and len(text) <= LONGEST_KEY and text.isascii() and text.isprintable() and " " not in text


def named_file(variable: str, environ: Mapping[str, str] = os.environ) -> Path:
    """The file of a variable that somebody typed. Raises ConfigError for what can't be the name of one."""
    if not variable.isidentifier():
        raise ConfigError(f"{variable!r} is not the name of an environment variable.")
    return key_file(variable, environ)


def forget_key(variable: str, environ: Mapping[str, str] = os.environ) -> None:
    """Remove the stored key. Raises ConfigError."""
    file = named_file(variable, environ)
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(f"{file} can't be removed: {error.strerror}.") from error


def store_key(variable: str, key: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Put a key into its file, whole or not at all, for its owner alone. Raises ConfigError."""
    file = named_file(variable, environ)
    if not is_key(key):
        raise ConfigError("That can't be a key: it is empty, too long, or has blanks or characters that no key has.")
    part = file.with_name(f".{variable}.{os.getpid()}")
    try:
        make_private(file.parent)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(key + "\n")
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ConfigError(f"The key can't be kept in {file}: {error.strerror}.") from error
    return file


def _from_file(file: Path) -> str | None:
    try:
        with file.open(encoding="utf-8", errors="replace") as source:
            return source.read(LONGEST_KEY + 2).strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"The key in {file} can't be read: {error.strerror}.") from error
