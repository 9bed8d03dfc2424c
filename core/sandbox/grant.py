"""What a single confined command is given beyond its sandbox, because somebody allowed exactly that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

INTENT: Final = "granted"
"""Under this name the intent of a call says what it was given, for who runs it again after a crash."""


class Grant(Struct, frozen=True):
    """`network`: whether other machines are reached; `writable`: files and folders outside, by their real paths."""

    network: bool = False
    writable: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.network or bool(self.writable)

    def needs(self) -> tuple[str, ...]:
        """What it comes to, in words that follow `it needs`."""
        return (*(["the network"] if self.network else []), *(f"to write {path}" for path in self.writable))

    def intent(self) -> dict[str, Any]:
        """As a part of a call's intent; empty where nothing is granted."""
        return {INTENT: {"network": self.network, "writable": list(self.writable)}} if self else {}

    @classmethod
    def of(cls, intent: Mapping[str, Any]) -> Grant:
        """What an intent says."""
        said = intent.get(INTENT, {})
        return cls(bool(said.get("network")), tuple(said.get("writable", ())))


NOTHING: Final = Grant()
