"""What a server has, as it lists it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
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

    def without(self, redact: Callable[[Any], Any]) -> Listing:
        """The same with `redact` applied to all that is told of it; names stay, for it is called by them."""

        def told(all_of_a_kind: tuple[Named, ...]) -> tuple[Named, ...]:
            return tuple(
                replace(it, description=redact(it.description), schema=redact(it.schema)) for it in all_of_a_kind
            )

        return Listing(told(self.tools), told(self.resources), told(self.prompts), redact(self.about))
