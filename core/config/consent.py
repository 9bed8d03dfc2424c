"""Whether a workspace's own settings may be used: only those that the user has looked at, known by their content.

A workspace may have been cloned a moment ago, so what it says is a stranger's until the user consents; and what changes
afterwards is a stranger's again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from core.config.checking import ConfigError
from core.private import make_private

TRUSTED = "trusted.json"
"""File beside the configuration: what was consented to, by the place of the workspace's file."""
LARGEST_BYTES = 1 << 20


def trusted_path(config_file: Path) -> Path:
    """Where it is remembered what was consented to."""
    return config_file.parent / TRUSTED


def is_trusted(own: Path, content: bytes, config_file: Path) -> bool:
    """Whether the user consented to just this content of a workspace's file."""
    return _remembered(trusted_path(config_file)).get(_place(own)) == _digest(content)


def remember(own: Path, content: bytes | None, config_file: Path) -> None:
    """From here on this content is consented to (None: nothing is). Raises ConfigError when it can't be kept."""
    file = trusted_path(config_file)
    kept = {place: digest for place, digest in _remembered(file).items() if place != _place(own)}
    if content is not None:
        kept[_place(own)] = _digest(content)
    part = file.with_name(f"{TRUSTED}.part")
    try:
        make_private(file.parent)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            out.write(msgspec.json.encode(kept))
        part.replace(file)
    except OSError as error:
        raise ConfigError(f"{file} can't be written ({error.strerror}), so no consent can be remembered.") from None


def _remembered(file: Path) -> Mapping[str, str]:
    """What can't be read was never consented to."""
    try:
        with file.open("rb") as stream:
            return msgspec.json.decode(stream.read(LARGEST_BYTES), type=dict[str, str])
    except (OSError, msgspec.DecodeError):
        return {}


def _place(own: Path) -> str:
    return os.fsencode(os.path.realpath(own)).decode("utf-8", "backslashreplace")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
