"""Secrets are taken out of tool output once, before it is stored or sent: known values first, then known shapes."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from msgspec import Struct

MIN_SECRET_CHARS = 8
_SECRET_NAME = re.compile(
    r"KEY|TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|(?:^|_)PASS$|_(?:PWD|PAT|AUTH)$", re.IGNORECASE
)
_CHUNK_BYTES = 1 << 20
_OVERLAP_CHARS = 8_192
"""No token is longer, so that much is held back between two pieces of a stream; more where a known secret is long."""
_LONGEST_SPELLING = 12
"""Characters that one of a secret's can become: two escapes of JSON."""
_UNESCAPED = r"[A-Za-z0-9_.~-]"
"""What neither URLs nor JSON write otherwise."""


def is_secret_name(name: str) -> bool:
    """Whether an environment variable of this name is likely to hold a secret."""
    return _SECRET_NAME.search(name) is not None


def _holds_secret(name: str, value: str) -> bool:
    """A path that is there is none: every text that names what lies below it would lose it."""
    secret = is_secret_name(name) and len(value) >= MIN_SECRET_CHARS
    return secret and not (value.startswith("/") and os.path.lexists(value))


class Shape(Struct, frozen=True):
    """What a kind of token looks like. Without one of `signs` in a text the slower `pattern` is not tried."""

    kind: str
    signs: tuple[str, ...]
    pattern: re.Pattern[str]


def _shape(kind: str, signs: str, pattern: str) -> Shape:
    return Shape(kind, tuple(signs.split()), re.compile(pattern, re.ASCII))


SHAPES = (
    _shape("Anthropic key", "sk-ant-", r"\bsk-ant-[\w-]{16,200}"),
    _shape("OpenRouter key", "sk-or-", r"\bsk-or-[\w-]{16,200}"),
    _shape("API key", "sk-", r"\bsk-(?:proj-)?[A-Za-z0-9_-]{32,200}"),
    _shape("AWS key", "AKIA ASIA", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    _shape("GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_", r"\b(?:gh[pousr]_|github_pat_)\w{20,255}"),
    _shape("GitLab token", "glpat-", r"\bglpat-[\w-]{20,64}"),
    _shape("Slack token", "xox", r"\bxox[abeprs]-[\w-]{10,200}"),
    _shape("Google key", "AIza", r"\bAIza[\w-]{35}"),
    _shape("Hugging Face token", "hf_", r"\bhf_[A-Za-z0-9]{30,64}"),
    _shape("npm token", "npm_", r"\bnpm_[A-Za-z0-9]{36}"),
    _shape("PyPI token", "pypi-", r"\bpypi-[\w-]{50,400}"),
    _shape("Stripe key", "_live_", r"\b[sr]k_live_[A-Za-z0-9]{16,200}"),
    _shape("JSON web token", "eyJ", r"\beyJ[\w-]{10,2000}\.eyJ[\w-]{10,4000}\.[\w-]{10,1000}"),
    _shape(
        "private key",
        "-----BEGIN",
        r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----[^-]{32,7000}-----END [A-Z ]{0,40}-----",
    ),
    _shape("password in a URL", "://", r"(?<=://)(?![^\s/@:]{0,64}:\$)[^\s/@:]{1,64}:[^\s/@:]{3,256}(?=@)"),
)


class Redactor:
    """Replaces secrets by `[redacted: kind]`; the same text always comes out the same way."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Values of variables whose names speak of secrets, of 8 characters and more, are known secrets."""
        secrets = {value: name for name, value in sorted(environment.items()) if _holds_secret(name, value)}
        forms = {form: f"[redacted: value of {name}]" for value, name in secrets.items() for form in _forms(value)}
        self._known = dict(sorted(forms.items(), key=lambda form: -len(form[0])))
        spelled = (_spelled(value, secrets[value]) for value in sorted(secrets, key=len, reverse=True))
        self._spelled = tuple(filter(None, spelled))
        self._shapes = (*self._spelled, *SHAPES)
        self._overlap = max(_OVERLAP_CHARS, _LONGEST_SPELLING * max(map(len, secrets), default=0))

    def __call__(self, text: str) -> str:
        text = _without(self._spelled, text)  # First: JSON writes more than `\` where a value ends with it.
        for value, mark in self._known.items():
            text = text.replace(value, mark)
        return _without(SHAPES, text)

    def inside(self, value: Any) -> Any:
        """The same for every string in a value of JSON, names of fields included."""
        if isinstance(value, str):
            return self(value)
        if isinstance(value, list):
            return [self.inside(item) for item in value]
        if isinstance(value, dict):
            return {self(name): self.inside(item) for name, item in value.items()}
        return value

    def stream(self, chunks: Iterable[str]) -> Iterator[str]:
        """The same over a text of any length in pieces; no secret slips through where two pieces meet."""
        held = ""
        for chunk in chunks:
            held += chunk
            if len(held) > 2 * self._overlap:
                cut = self._safe_cut(held, len(held) - self._overlap)
                yield self(held[:cut])
                held = held[cut:]
        yield self(held)

    def file(self, path: Path) -> bool:
        """Redact a file in place; True when there was something to redact. Bytes that are no text stay. Raises OSError.

        A redacted copy is put in the file's place, so whoever follows it sees the old content or the new. It is made
        only when a first look finds something.
        """
        if not self._would_change(path):
            return False
        part = path.with_name(path.name + ".redacted")
        try:
            with path.open("rb") as source, os.fdopen(os.open(part, _NEW_PRIVATE, 0o600), "wb") as target:
                for piece in self.stream(_pieces(source)):
                    target.write(piece.encode("latin-1"))
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return True

    def _would_change(self, path: Path) -> bool:
        before, after = hashlib.sha256(), hashlib.sha256()
        with path.open("rb") as source:
            for piece in self.stream(_pieces(source, before)):
                after.update(piece.encode("latin-1"))
        return before.digest() != after.digest()

    def _safe_cut(self, text: str, cut: int) -> int:
        """At or before `cut`, not inside a secret."""
        low = max(0, cut - self._overlap)
        for start, end in sorted(self._spans(text[low:]), reverse=True):
            if low + start < cut < low + end:
                cut = low + start
        return cut

    def _spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where secrets begin and end."""
        for value in self._known:
            yield from (match.span() for match in re.finditer(re.escape(value), text))
        for shape in self._shapes:
            if any(sign in text for sign in shape.signs):
                yield from (match.span() for match in shape.pattern.finditer(text))


def _without(shapes: Iterable[Shape], text: str) -> str:
    for shape in shapes:
        if any(sign in text for sign in shape.signs):
            text = shape.pattern.sub(f"[redacted: {shape.kind}]", text)
    return text


_NEW_PRIVATE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


def _pieces(source: BinaryIO, seen: hashlib._Hash | None = None) -> Iterator[str]:
    """A file byte for byte as text; `seen` is fed the same bytes."""
    while piece := source.read(_CHUNK_BYTES):
        if seen is not None:
            seen.update(piece)
        yield piece.decode("latin-1")


def _forms(value: str) -> set[str]:
    """A value as it is, in base64, and in a file that is read byte by byte."""
    data = value.encode("utf-8", "surrogateescape")
    return {value, data.decode("latin-1"), *_in_base64(data)}


def _spelled(value: str, name: str) -> Shape | None:
    """The same in URLs and in JSON, whichever characters their writer escapes, and how; None where there are none."""
    plain = re.findall(f"{_UNESCAPED}+", value)
    if plain == [value]:
        return None
    return Shape(f"value of {name}", (max(plain, key=len, default=""),), re.compile("".join(map(_ways, value))))


@cache
def _ways(mark: str) -> str:
    """A pattern for one character: itself, in a URL, in JSON, and as bytes."""
    if re.fullmatch(_UNESCAPED, mark):
        return re.escape(mark)
    data, units = mark.encode("utf-8", "surrogateescape"), mark.encode("utf-16-be", "surrogatepass")
    in_url = "".join(f"%{byte:02x}" for byte in data)
    in_json = "".join(rf"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
    more = {"/": [r"\/"], " ": ["+"], "\n": ["\r\n"]}.get(mark, [])
    plain = {json.dumps(mark, ensure_ascii=False)[1:-1], mark, data.decode("latin-1"), *more}
    longest_first = "|".join(map(re.escape, sorted(plain, key=len, reverse=True)))
    return f"(?:(?i:{in_url}|{in_json})|{longest_first})"


def _in_base64(data: bytes) -> Iterator[str]:
    """All of its base64, and what stands of it in that of any bytes that hold it: the digits that are its own.

    A digit is six bits, so there are three ways to stand in it, by the bytes before it modulo three (RFC 4648).
    """
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(data).decode().rstrip("=")
        for before in range(3):
            first, end = -(-8 * before // 6), 8 * (before + len(data)) // 6
            yield encode(bytes(before) + data).decode()[first:end]
