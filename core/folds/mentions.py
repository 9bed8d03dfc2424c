"""Whether a call or a reply speaks of what somebody named: paths, identifiers, numbers, and else plain words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

LONGEST = 20_000
"""Characters of a text that are looked at."""
DEEPEST = 8
"""Parts of a path that are looked at, from its end."""
_TOKEN = re.compile(r"[\w./-]+")
_CAMEL = re.compile(r"[a-z0-9][A-Z]")
_FREQUENT = """
about above after again also always another anything back because been before being below better both called cannot
could does doing done dont down each either else even every everything fine first from further good have help here
however into isnt just keep know last later least less like look made make many maybe more most much must need never
next nothing okay once only other otherwise over part please quite rather really right same should since some
something still such sure take than that their them then there these they thing think this those though through under
until upon using very want well were what when where whether which while will with without work would your yours e.g
i.e etc
"""
_COMMON = frozenset(_FREQUENT.split())


class Subject(Struct, frozen=True):
    """What a text is about. `named`: it has names, so that a call which has none of them is a sign of something."""

    terms: frozenset[str]
    named: bool

    def in_text(self, text: str) -> bool:
        return not self.terms.isdisjoint(_offered(text))

    def in_arguments(self, arguments: dict[str, Any]) -> bool:
        return any(self.in_text(text) for text in _strings(arguments))


def subject(text: str) -> Subject:
    """The names in a text; where there are none, its telling words."""
    tokens = [token for raw in _TOKEN.findall(text[:LONGEST]) if len(token := raw.strip("./-")) > 2]
    names = frozenset(token.casefold() for token in tokens if _is_name(token))
    if names:
        return Subject(names, named=True)
    words = (word for token in tokens for word in token.casefold().split("-"))
    return Subject(frozenset(_stem(word) for word in words if len(word) > 3 and word not in _COMMON), named=False)


def _is_name(token: str) -> bool:
    if token.casefold() in _COMMON:
        return False
    return bool(set("/._") & set(token)) or any(char.isdigit() for char in token) or bool(_CAMEL.search(token))


def _offered(text: str) -> set[str]:
    """Every term by which a text could be meant: names whole and in parts, words by their stems."""
    found: set[str] = set()
    for raw in set(_TOKEN.findall(text[:LONGEST])):
        token = raw.strip("./-").casefold()
        parts = [part for part in token.split("/") if part][-DEEPEST:]
        found.update("/".join(parts[i:j]) for i in range(len(parts)) for j in range(i + 1, len(parts) + 1))
        found.update(_stem(word) for word in re.split(r"[\W_]+", token))
    return found


def _stem(word: str) -> str:
    """Singular and plural are the same word."""
    return word[:-1] if len(word) > 4 and word.endswith("s") else word


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _strings(inner)
    elif isinstance(value, int | float):
        yield str(value)
