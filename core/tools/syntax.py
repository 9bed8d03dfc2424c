"""The cheap half of verifying a write: does the file still parse? Nothing of it is executed."""

from __future__ import annotations

import json
import sys
import tomllib
import warnings
from collections.abc import Callable
from pathlib import PurePosixPath

_MAX_CHARS = 1_000_000


def check_syntax(name: str, text: str) -> str | None:
    """`syntax: ok (JSON)`, or what is wrong and where; None for kinds of file that are not checked."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix not in _CHECKERS or len(text) > _MAX_CHARS:
        return None
    kind, parse = _CHECKERS[suffix]
    try:
        parse(text.removeprefix("\ufeff"))
    except SyntaxError as error:
        return f"syntax: not valid {kind}, line {error.lineno}: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:
        return f"syntax: not valid {kind}: {str(error) or 'nested too deeply'}"
    return f"syntax: ok ({kind})"


def _python(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compile(text, "<file>", "exec", dont_inherit=True)


_CHECKERS: dict[str, tuple[str, Callable[[str], object]]] = {
    ".py": (f"Python {sys.version_info.major}.{sys.version_info.minor}", _python),
    ".json": ("JSON", json.loads),
    ".toml": ("TOML", tomllib.loads),
}
