"""What must not leave with a session: everything that is known to be a secret here."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from core.events import ModelSwitched, SessionOpened
from core.journal.reader import Reader
from core.models.keys import known_secrets
from core.tools.secrets import Redactor

_MOST: Final = 100
"""Switches to other models whose variables are looked at."""


def without_secrets(folder: Path, environ: Mapping[str, str] = os.environ) -> Callable[[Any], Any]:
    """Takes known secrets out of JSON values: those of the environment, and the keys of models, of this session's own
    among them, whatever their variables are called. Raises JournalError.
    """
    with Reader(folder) as reader:
        told = [*reader.of_kind("session.opened", 1), *reader.of_kind("model.switched", _MOST)]
    named = [event.body.api_key_env for event in told if isinstance(event.body, SessionOpened | ModelSwitched)]
    return Redactor(known_secrets(environ, *named)).inside
