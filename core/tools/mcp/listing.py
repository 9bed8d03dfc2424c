"""What a server has, as it lists it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Named:
    """A tool, resource or prompt as the server lists it. `name` is exactly the server's: it is sent back to it."""

    name: str
    description: str
    schema: dict[str, Any]
    reads_only: bool = False
    repeatable: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """What a server has. `about` is what it says of itself."""

    tools: tuple[Named, ...] = ()
    resources: tuple[Named, ...] = ()
    prompts: tuple[Named, ...] = ()
    about: str = ""
