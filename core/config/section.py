"""What sections of the configuration are made of."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

Count = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]
Dollars = Annotated[float, Meta(ge=0, le=1e9)]


def says(description: str, *examples: Any) -> Meta:
    """The manual of one setting; an example is shown where the default is `not set`."""
    return Meta(description=description, examples=list(examples))


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all sections."""
