"""Values of a file as the settings they are meant to be; what is wrong is said in one sentence, with its line."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec

from core.config.settings import Section, entry_type
from core.config.toml_lines import line_of


class ConfigError(Exception):
    """Something the user has to set right; the text is one plain sentence that says what and how."""


def typed(value: Any, kind: Any, path: tuple[str, ...], file: Path) -> Any:
    """`value` as `kind`, checked key by key so that the error can name the one that is wrong."""
    if isinstance(value, dict) and (entry := entry_type(kind)) is not None:
        return {key: typed(item, entry, (*path, key), file) for key, item in value.items()}
    if isinstance(value, dict) and isinstance(kind, type) and issubclass(kind, Section):
        fields = {field.name: field.type for field in msgspec.structs.fields(kind)}
        for key, item in value.items():
            inner = (*path, key)
            if key not in fields:
                raise ConfigError(
                    f"{place_of(file, inner)}: there is no setting `{_dotted(inner)}`{_nearest(key, fields)}."
                )
            typed(item, fields[key], inner, file)
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{place_of(file, path)}: `{_dotted(path)}` must be a finite number, not {value}.")
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{place_of(file, path)}: `{_dotted(path)}` is wrong: {_plainly(error, kind)}.") from None


def place_of(file: Path, path: tuple[str, ...]) -> str:
    """The file, and the line on which that setting stands."""
    try:
        line = line_of(file.read_text(encoding="utf-8-sig"), path)
    except (OSError, UnicodeDecodeError):
        line = None
    return f"{file}, line {line}" if line else str(file)


def _dotted(path: tuple[str, ...]) -> str:
    return ".".join(shown(key) for key in path)


def _nearest(key: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    return f"; did you mean `{close[0]}`?" if close else f"; there are {', '.join(sorted(known))}"


def _plainly(error: msgspec.ValidationError, kind: Any) -> str:
    text = shown(re.sub(r" - at `[^`]*`$", "", str(error)).replace("`", ""))
    choices = [choice for part in _unwrapped(kind) if get_origin(part) is Literal for choice in get_args(part)]
    return text[0].lower() + text[1:] + (f" (one of {', '.join(choices)})" if choices else "")


def _unwrapped(kind: Any) -> Iterator[Any]:
    """A type and everything inside its annotations and unions."""
    yield kind
    if get_origin(kind) is not Literal:
        for inner in get_args(kind):
            yield from _unwrapped(inner)


def shown(text: str) -> str:
    """Text from a file, fit for a sentence: printable and short."""
    plain = text if text.isprintable() else ascii(text)[1:-1]
    return plain if len(plain) <= 80 else plain[:79] + "…"
