"""The session's own memory: written and forgotten by events, recalled by handle, by words or by category."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from core.events import MemoryForgotten, MemoryWritten
from core.tools.base import Effect, Outcome, ToolContext, ToolError
from core.tools.common import Arguments, Repeatable, count

DEFAULT_LINES = 200
DEFAULT_ENTRIES = 20
MAX_LIMIT = 2_000
_MAX_PAGE_CHARS = 30_000
_MAX_LINE_CHARS = 2_000
_EVERY_ENTRY = 1_000_000
_ENTRY = re.compile(r"m\d+")


class RememberArguments(Arguments, frozen=True):
    text: Annotated[str, Meta(min_length=1, max_length=4_000, description="The fact in one or a few sentences.")]
    category: Annotated[
        str, Meta(max_length=40, description="fact, decision, finding, failure, preference or another word.")
    ] = "fact"
    topic: Annotated[str, Meta(max_length=120, description="What it is about, e.g. a path or a component.")] = ""


class Remember(Repeatable):
    name: ClassVar[str] = "remember"
    description: ClassVar[str] = (
        "Store one fact that must outlive this context: a decision and its reason, a finding with file and line, an "
        "approach that failed and why, a constraint. One fact an entry, complete in itself. Not for what the files "
        "themselves say."
    )
    effect: ClassVar[Effect] = Effect.STATE
    Arguments: ClassVar[type[msgspec.Struct]] = RememberArguments

    async def run(self, arguments: RememberArguments, context: ToolContext) -> Outcome:
        text, category = arguments.text.strip(), arguments.category.strip().lower()
        if not text:
            raise ToolError("`text` is empty; say what is to be remembered.")
        entry = context.recall.next_memory_id()
        body = MemoryWritten(text=text, category=category or "fact", topic=arguments.topic.strip(), call=context.call)
        return Outcome(f"remembered as {entry} ({body.category})", events=((body, entry),))


class ForgetArguments(Arguments, frozen=True):
    id: Annotated[str, Meta(description="The entry, e.g. `m12`.")]
    reason: Annotated[str, Meta(min_length=1, max_length=400, description="Why it no longer holds.")]


class Forget(Repeatable):
    name: ClassVar[str] = "forget"
    description: ClassVar[str] = (
        "Take a memory entry out of use because it is wrong or outdated; write the right one with remember. The entry "
        "stays in the session's history."
    )
    effect: ClassVar[Effect] = Effect.STATE
    Arguments: ClassVar[type[msgspec.Struct]] = ForgetArguments

    async def run(self, arguments: ForgetArguments, context: ToolContext) -> Outcome:
        if await _entry(arguments.id, context) is None:
            raise ToolError(f"There is no memory entry {arguments.id!r}; recall without arguments lists the entries.")
        body = MemoryForgotten(id=arguments.id, reason=arguments.reason)
        return Outcome(f"forgot {arguments.id}", events=((body, None),))


class RecallArguments(Arguments, frozen=True):
    handle: Annotated[
        str | None, Meta(description="`out:<call>` or `#<number>` of a capped output or event, or an entry like `m12`.")
    ] = None
    query: Annotated[str | None, Meta(description="An exact name, or words.")] = None
    category: Annotated[str | None, Meta(description="Only memory entries of this category.")] = None
    limit: Annotated[Annotated[int, Meta(ge=1, le=MAX_LIMIT)] | None, Meta(description="Most lines or entries.")] = None
    offset: Annotated[int, Meta(ge=1, description="First line of a handle, or first entry, counted from 1.")] = 1


class Recall(Repeatable):
    name: ClassVar[str] = "recall"
    description: ClassVar[str] = (
        "Get back what is not in the context. With `handle`: the whole of an output that was capped, by lines with "
        "offset and limit. With `query`: memory entries, and the events of this session that hold that exact text. "
        "With `category`, or nothing: the newest memory entries. Look here before doing work again."
    )
    effect: ClassVar[Effect] = Effect.READ
    Arguments: ClassVar[type[msgspec.Struct]] = RecallArguments

    async def run(self, arguments: RecallArguments, context: ToolContext) -> Outcome:
        if arguments.handle:
            return Outcome(await _by_handle(arguments.handle.strip(), arguments, context))
        limit = min(arguments.limit or DEFAULT_ENTRIES, MAX_LIMIT)
        skip = arguments.offset - 1
        query, category = (arguments.query or "").strip(), arguments.category
        entries = await context.recall.memories(query, category.lower() if category else None, skip + limit)
        lines = [_line(entry) for entry in entries[skip:]]
        if query and not category:
            hits = await context.recall.search(query, skip + limit)
            lines += [f"{handle} {_clip(' '.join(excerpt.split()), 300)}" for handle, excerpt in hits[skip:]]
        return Outcome("\n".join(lines) or _nothing(arguments))


async def _by_handle(handle: str, arguments: RecallArguments, context: ToolContext) -> str:
    if _ENTRY.fullmatch(handle):
        entry = await _entry(handle, context)
        text = None if entry is None else _line(entry)
    else:
        text = await context.recall.output(handle)
    if text is None:
        raise ToolError(f"Nothing is stored under {handle!r}; handles look like `out:r3.1.0`, `#214` or `m12`.")
    return _page(text, handle, arguments.offset, arguments.limit or DEFAULT_LINES)


def _page(text: str, handle: str, offset: int, limit: int) -> str:
    """Some lines of a text. Very long lines are folded, so that every part of the text can be reached."""
    lines = [part for line in text.split("\n") for part in _fold(line)]
    if offset > len(lines):
        raise ToolError(f"{handle} has {count(len(lines), 'line')}; offset {offset} is beyond its end.")
    page: list[str] = []
    room = _MAX_PAGE_CHARS
    for line in lines[offset - 1 : offset - 1 + limit]:
        room -= len(line) + 1
        if room < 0 and page:
            break
        page.append(line)
    last = offset - 1 + len(page)
    shown = [f"{handle} · lines {offset}-{last} of {len(lines):,}", *page]
    if last < len(lines):
        shown.append(f"[… {count(len(lines) - last, 'line')} more; go on with offset={last + 1} …]")
    return "\n".join(shown)


def _fold(line: str) -> list[str]:
    return [line[at : at + _MAX_LINE_CHARS] for at in range(0, len(line), _MAX_LINE_CHARS)] or [""]


async def _entry(handle: str, context: ToolContext) -> dict[str, Any] | None:
    entries = await context.recall.memories("", None, _EVERY_ENTRY)
    return next((entry for entry in entries if entry["id"] == handle), None)


def _line(entry: dict[str, Any]) -> str:
    topic = f" · {entry['topic']}" if entry.get("topic") else ""
    return f"{entry['id']} [{entry['category']}{topic}] {entry['text']}"


def _clip(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most] + "…"


def _nothing(arguments: RecallArguments) -> str:
    if arguments.offset > 1:
        return "no more entries"
    asked = arguments.query or arguments.category
    return f"nothing is remembered about {asked!r}" if asked else "nothing is remembered yet"
