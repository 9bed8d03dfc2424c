"""What tells where and by whom a session was run: paths, names, hosts, mail addresses. Taken out on request."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from core.events import (
    CommandAccepted,
    CommandRefused,
    DriverChanged,
    Event,
    RunnerAttached,
    ScreenCame,
    ScreenLost,
    SessionOpened,
)

_HOMES: Final = re.compile(r"(/home/|/Users/|[A-Za-z]:\\Users\\)([A-Za-z0-9._-]{1,64})")
_MAIL: Final = re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}\b")
_URL_HOST: Final = re.compile(r"(?<=://)(?:[^\s/@:]{1,64}(?::[^\s/@]{0,256})?@)?([A-Za-z0-9._-]{1,253})")
_ADDRESS: Final = re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b")
_AT_TERMINAL: Final = re.compile(r"\b([\w.-]{2,64}) on (?:pts/\d+|tty\w*|no terminal)(?: from ([\w.:-]{2,253}))?")
"""Whose screen it is, where, and from which machine."""
_AT: Final = re.compile(r"\b([\w.-]{2,64})@([\w.-]{2,253})\b")
_COMMON: Final = frozenset(("root", "user", "localhost", "host", "shell", "home", "admin", "dev", "test"))
_LOCAL: Final = ("127.", "0.0.0.0", "localhost")
_SHORTEST: Final = 3
_EVERYWHERE: Final = 2
"""Parts of a path as `/srv`, which tell nothing."""


class Cover:
    """Replaces what `learn` was told of, and what looks like it, by words that say what stood there; always alike."""

    def __init__(self, secrets: Callable[[Any], Any], home: str = "") -> None:
        self._secrets = secrets
        self._paths: dict[str, str] = {home: "~"} if len(home) > _SHORTEST else {}
        self._names: dict[str, str] = {}
        self._hosts: dict[str, str] = {}
        self._whole: dict[str, str] = {}
        """Names that are covered where they stand alone, also those that are words of every text."""
        self._pattern: re.Pattern[str] | None = None

    def learn(self, events: Iterable[Event]) -> None:
        """Take in where a session ran and who steered it."""
        for event in events:
            match event.body:
                case SessionOpened() as body:
                    self._workspace(body.workspace)
                case RunnerAttached() as body:
                    self._name(body.host, "[host]")
                case ScreenLost() | ScreenCame() as body:
                    self._people(body.who)
                case DriverChanged() as body:
                    self._people(f"{body.who} {body.by}")
                case CommandAccepted() | CommandRefused() as body:
                    self._people(body.origin)
        if self._names:
            words = "|".join(re.escape(name) for name in sorted(self._names, key=len, reverse=True))
            self._pattern = re.compile(rf"(?<![\w-])(?:{words})(?![\w-])")

    def __call__(self, value: Any) -> Any:
        """The value of JSON without any of it, names of fields included."""
        value = self._secrets(value)
        return self._inside(value)

    def _inside(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._whole.get(value) or self._text(value)
        if isinstance(value, list):
            return [self._inside(item) for item in value]
        if isinstance(value, dict):
            return {self._text(name): self._inside(item) for name, item in value.items()}
        return value

    def _text(self, text: str) -> str:
        for path, mark in self._paths.items():
            text = text.replace(path, mark)
        if "/home/" in text or "Users" in text:
            text = _HOMES.sub(r"\1user", text)
        if "@" in text:
            text = _MAIL.sub("[mail address]", text)
        if "://" in text:
            text = _URL_HOST.sub(lambda found: self._host(found[1]), text)
        if "." in text:
            text = _ADDRESS.sub(lambda found: found[0] if found[0].startswith(_LOCAL) else "[address]", text)
        return self._pattern.sub(lambda found: self._names[found[0]], text) if self._pattern else text

    def _host(self, host: str) -> str:
        if host.startswith(_LOCAL):
            return host
        return self._hosts.setdefault(host, f"host-{len(self._hosts) + 1}")

    def _workspace(self, path: str) -> None:
        if len(path) > _SHORTEST:
            self._paths = {path: "/workspace", **dict.fromkeys(_above(path), "/elsewhere"), **self._paths}
        if found := _HOMES.match(path):
            self._name(found[2], "[user]")
        self._paths = dict(sorted(self._paths.items(), key=lambda row: -len(row[0])))

    def _people(self, text: str) -> None:
        for user, host in (*_AT.findall(text), *_AT_TERMINAL.findall(text)):
            self._name(user, "[user]")
            self._name(host, "[host]")

    def _name(self, name: str, mark: str) -> None:
        if name:
            self._whole[name] = mark
        if len(name) >= _SHORTEST and name.lower() not in _COMMON and not name.isdigit():
            self._names[name] = mark


def _above(path: str) -> list[str]:
    """The folders that a workspace lies in, but for those that every machine has, and homes, which have a word of their
    own: what lies beside it tells as much."""
    parents = [str(parent) for parent in Path(path).parents if len(parent.parts) > _EVERYWHERE]
    return [parent for parent in parents if not _HOMES.fullmatch(parent)]


def found_in(text: str) -> Iterable[tuple[str, str]]:
    """What in a text tells where or who, as (kind, what): paths below a home, mail addresses, hosts, addresses."""
    yield from (("home", found[0]) for found in _HOMES.finditer(text))
    yield from (("mail address", found[0]) for found in _MAIL.finditer(text))
    yield from (("host", found[1]) for found in _URL_HOST.finditer(text) if not found[1].startswith(_LOCAL))
    yield from (("address", found[0]) for found in _ADDRESS.finditer(text) if not found[0].startswith(_LOCAL))


def home_of(home: Path) -> str:
    """A home folder as texts name it; empty where that would be everywhere."""
    return str(home) if len(home.parts) > 2 or home == Path("/root") else ""
