"""The session's own memory: written and forgotten by events, recalled by handle, by words or by category."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from core.events import MemoryForgotten, MemoryWritten
from core.tools.base import Effect, Outcome, ToolContext, ToolError
from core.tools.common import Arguments, Repeatable, count
from core.tools.recalled import Passage, line_at, page_lines

DEFAULT_LINES = 200
DEFAULT_ENTRIES = 10
MAX_LIMIT = 2_000
_MAX_PAGE_CHARS = 30_000
_SHORT = 300
_HANDLE = re.compile(r"out:\S+|#\d+|[mpu]\d+")


class RememberArguments(Arguments, frozen=True):
    text: Annotated[str, Meta(min_length=1, max_length=4_000, description="The fact in one or a few sentences.")]
    category: Annotated[
        str, Meta(max_length=40, description="fact, decision, finding, failure, preference or another word.")
    ] = "fact"
    topic: Annotated[str, Meta(max_length=120, description="What it is about, e.g. a path or a component.")] = ""
    scope: Annotated[
        Literal["session", "project"], Meta(description="project: also for later sessions in this workspace.")
    ] = "session"
    replaces: Annotated[str | None, Meta(description="The entry that this one revises, e.g. `m12`.")] = None


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
        if arguments.replaces is not None:
            _check_known(arguments.replaces, context)
        entry = context.recall.next_memory_id()
        body = MemoryWritten(
            text=text,
            category=category or "fact",
            topic=arguments.topic.strip(),
            call=context.call,
            scope=arguments.scope,
            replaces=arguments.replaces,
        )
        kind = f"{body.category}, project" if body.scope == "project" else body.category
        instead = f", replaces {body.replaces}" if body.replaces else ""
        return Outcome(f"remembered as {entry} ({kind}){instead}", events=((body, entry),))


class ForgetArguments(Arguments, frozen=True):
    id: Annotated[str, Meta(description="The entry, e.g. `m12`.")]
    reason: Annotated[str, Meta(min_length=1, max_length=400, description="Why it no longer holds.")]


class Forget(Repeatable):
    name: ClassVar[str] = "forget"
    description: ClassVar[str] = (
        "Take a memory entry out of use because it no longer holds. To correct one, remember the right one with "
        "`replaces`. The entry stays in the session's history."
    )
    effect: ClassVar[Effect] = Effect.STATE
    Arguments: ClassVar[type[msgspec.Struct]] = ForgetArguments

    async def run(self, arguments: ForgetArguments, context: ToolContext) -> Outcome:
        _check_known(arguments.id, context)
        body = MemoryForgotten(id=arguments.id, reason=arguments.reason)
        return Outcome(f"forgot {arguments.id}", events=((body, None),))


class RecallArguments(Arguments, frozen=True):
    handle: Annotated[
        str | None, Meta(description="`out:<call>`, `#<number>` of an event, or an entry like `m12` or `p3`.")
    ] = None
    query: Annotated[
        str | None, Meta(description="An exact name or string, or words; with handle: where to start in it.")
    ] = None
    category: Annotated[str | None, Meta(description="Only memory entries of this category.")] = None
    limit: Annotated[
        Annotated[int, Meta(ge=1, le=MAX_LIMIT)] | None,
        Meta(description=f"Most entries (default {DEFAULT_ENTRIES}), or lines of a handle (default {DEFAULT_LINES})."),
    ] = None
    offset: Annotated[int, Meta(ge=1, description="First line of a handle, or first entry, counted from 1.")] = 1


class Recall(Repeatable):
    name: ClassVar[str] = "recall"
    description: ClassVar[str] = (
        "Get back the original words of anything this session ever saw. With `query`: an exact name (path, identifier, "
        "number, error) or words; searches everything, whole outputs and memory entries included, newest first; what "
        "is marked earlier, replaced, forgotten or abandoned may not hold any more. With `handle`: the whole text, by "
        "lines. With `category`, or nothing: the newest memory entries. Look here before doing work again."
    )
    effect: ClassVar[Effect] = Effect.READ
    Arguments: ClassVar[type[msgspec.Struct]] = RecallArguments

    async def run(self, arguments: RecallArguments, context: ToolContext) -> Outcome:
        query, category = (arguments.query or "").strip(), (arguments.category or "").strip().lower() or None
        handle = (arguments.handle or "").strip()
        if not handle and _HANDLE.fullmatch(query):
            handle, query = query, ""
        if handle:
            return Outcome(await _by_handle(handle, query, arguments, context))
        limit, skip = arguments.limit or DEFAULT_ENTRIES, arguments.offset - 1
        if query and not category:
            found = await context.recall.search(query, skip + limit)
        else:
            found = await context.recall.memories(query, category, skip + limit)
        return Outcome("\n".join(map(_shown, found[skip:])) or await _nothing(query, category, skip, context))


async def _by_handle(handle: str, query: str, arguments: RecallArguments, context: ToolContext) -> str:
    text = await context.recall.output(handle)
    if text is None:
        raise ToolError(f"{await _unknown(handle, context)} Handles look like `out:r3.1.0`, `#214`, `m12` or `p3`.")
    offset = arguments.offset
    if query and (place := text.find(query)) >= 0:
        offset = max(offset, line_at(text, place))
    elif query:
        raise ToolError(f"{handle} does not hold {query!r}; leave query out to read it from its start.")
    return _page(text, handle, offset, arguments.limit or DEFAULT_LINES)


def _page(text: str, handle: str, offset: int, limit: int) -> str:
    """Some lines of a text. Very long lines are folded, so that every part of the text can be reached."""
    lines = page_lines(text)
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


def _check_known(entry: str, context: ToolContext) -> None:
    if not context.recall.remembers(entry):
        raise ToolError(
            f"There is no memory entry {entry!r} of this session that is known now; recall without arguments lists "
            "the entries."
        )


def _shown(passage: Passage) -> str:
    """`m12 [finding · core/a.py] eval in line 3`; longer passages begin on a line of their own."""
    rest = "" if passage.whole else f"from line {passage.line}" if passage.line else "excerpt"
    facts = " · ".join(fact for fact in (passage.title, passage.label, rest) if fact)
    text = passage.text.strip("\n")
    return f"{passage.handle} [{facts}]{' ' if len(text) <= _SHORT and chr(10) not in text else chr(10)}{text}"


async def _nothing(query: str, category: str | None, skip: int, context: ToolContext) -> str:
    if skip:
        return "no more entries"
    if query and not category:
        return await _unknown(query, context)
    if query or category:
        return f"nothing is remembered about {query or category!r}"
    return "nothing is remembered yet"


async def _unknown(name: str, context: ToolContext) -> str:
    near = await context.recall.near(name)
    return f"nothing by that name: {name!r}." + (f" Near it: {', '.join(near)}." if near else "")
