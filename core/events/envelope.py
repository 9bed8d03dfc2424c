"""The event: one row of the journal, frozen, with a typed body.

The envelope is `seq, parent, node, kind, key, at_us, actor, body`. A *node* event has a parent and forms the
conversation tree; a *side* event points at the node it belongs to, is never a parent and never moves HEAD.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, TypeVar

import msgspec

VERSION = 1
"""Version of the body schemas, stored in each body as `v`."""

MOST_TOKENS: Final = 2**32 - 1
"""No reply comes near it: what says more is no count."""

Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e12)]
Tokens = Annotated[int, msgspec.Meta(ge=0, le=MOST_TOKENS)]
Money = Annotated[str, msgspec.Meta(pattern=r"\A-?[0-9]{1,15}(\.[0-9]+)?(E-[0-9]{1,3})?\Z")]
"""US dollars as a decimal string. A log may be anybody's: whatever adds these up may rely on their being numbers."""


class Body(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of every event body. Subclasses name their `KIND` and whether they are nodes of the tree."""

    KIND: ClassVar[str] = ""
    NODE: ClassVar[bool] = False


class Unknown(Body, frozen=True):
    """A body whose kind (or shape) this version does not know: kept as it is, shown as such."""

    fields: dict[str, Any] = {}


B = TypeVar("B", bound=type[Body])
_BODIES: dict[str, type[Body]] = {}


def kind(name: str, *, node: bool = False) -> Any:
    """Class decorator: register a body under its kind."""

    def register(body: B) -> B:
        if name in _BODIES:
            raise ValueError(f"two bodies for {name}")
        body.KIND, body.NODE = name, node
        _BODIES[name] = body
        return body

    return register


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the journal. `at_us`: microseconds since the epoch, UTC. `chain`: 32 bytes, see the journal."""

    seq: int
    parent: int | None
    node: int | None
    kind: str
    key: str | None
    at_us: int
    actor: str
    body: Body
    chain: bytes = b""


class Draft(msgspec.Struct, frozen=True):
    """An event that is about to be appended; the journal adds seq, parent or node, time and chain."""

    body: Body
    key: str | None = None
    actor: str = "agent"


def kinds() -> dict[str, type[Body]]:
    """Every kind this version knows, with its body type."""
    return dict(_BODIES)


def is_node(kind_name: str) -> bool:
    """Whether events of this kind form the conversation tree (False for unknown kinds)."""
    body = _BODIES.get(kind_name)
    return body is not None and body.NODE


_ENCODER = msgspec.json.Encoder()
_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {}


def encode_body(body: Body) -> str:
    """The body as one line of JSON with its version first. Lone surrogates must be gone (`clean_text`)."""
    if isinstance(body, Unknown):
        return _ENCODER.encode(body.fields).decode()
    text = _ENCODER.encode(body).decode()
    separator = "" if text == "{}" else ","
    return f'{{"v":{VERSION}{separator}{text[1:]}'


def decode_body(kind_name: str, text: str | bytes) -> Body:
    """The typed body, or `Unknown` when the kind or its shape is foreign. Never raises on valid JSON."""
    decoder = _DECODERS.get(kind_name)
    if decoder is None:
        body = _BODIES.get(kind_name)
        if body is None:
            return Unknown(fields=_as_dict(text))
        decoder = _DECODERS[kind_name] = msgspec.json.Decoder(body)
    try:
        return decoder.decode(text)
    except msgspec.ValidationError:
        return Unknown(fields=_as_dict(text))


def _as_dict(text: str | bytes) -> dict[str, Any]:
    value = msgspec.json.decode(text)
    return value if isinstance(value, dict) else {"value": value}


def clean_text(value: Any) -> Any:
    """The same JSON value without lone surrogates (valid in JSON, refused by UTF-8 and by SQLite)."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [clean_text(item) for item in value]
    if isinstance(value, dict):
        return {clean_text(name): clean_text(item) for name, item in value.items()}
    return value
