"""Logs of Inspect: a document, or a zip of a header and samples. Each sample is a session.

Its events tell more than its messages (times, usage, what tools took), so the messages serve only where there are none.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from core.events import Usage
from core.importers import calls
from core.importers.records import Answered, Compacted, Ended, Failed, Kept, Record, Replied, Said, Session
from core.importers.rows import (
    MAX_DOCUMENT,
    ImportProblem,
    Tally,
    dollars,
    fields,
    items,
    number,
    parse,
    text_of,
    time_us,
    tokens,
    words,
)

TOOL: Final = "Inspect"
_SAMPLES: Final = "samples/"
_HEADS: Final = ("header.json", "_journal/start.json")
_QUIET: Final = frozenset(
    (
        *("state", "store", "span_begin", "span_end", "step", "subtask", "sample_init", "checkpoint", "branch"),
        *("sandbox", "anchor"),
    )
)
_ATTACHED: Final = "attachment://"


def read_log(document: dict[str, Any], tally: Tally) -> Iterator[Record]:
    """The records of a log that is one document."""
    head = fields(document.get("eval"))
    for at, sample in enumerate(items(document.get("samples")), 1):
        tally.rows += 1
        if isinstance(sample, dict):
            yield from _sample(sample, head, tally)
        else:
            yield Kept(what="no sample", row=at, fields={"value": sample})


def read_archive(path: Path, tally: Tally) -> Iterator[Record]:
    """The records of a log that is a zip: its samples one after the other. Raises ImportProblem."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            start = next((name for name in _HEADS if name in names), None)
            head = fields(_member(archive, start, path, tally).get("eval")) if start else {}
            for name in sorted({name for name in names if name.startswith(_SAMPLES) and name.endswith(".json")}):
                tally.rows += 1
                yield from _sample(_member(archive, name, path, tally), head, tally)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError) as error:
        raise ImportProblem(f"{path} is a damaged log of Inspect: {error}.") from error
    except NotImplementedError as error:
        raise ImportProblem(
            f"The samples of {path} are packed in a way that this Python can't read; convert it first: "
            "inspect log convert --to json."
        ) from error


def _member(archive: zipfile.ZipFile, name: str, path: Path, tally: Tally) -> dict[str, Any]:
    with archive.open(name) as member:
        data = member.read(MAX_DOCUMENT + 1)
    if len(data) > MAX_DOCUMENT:
        raise ImportProblem(f"{path} holds a member that is too big to be read ({name[:80]}).")
    return fields(parse(data, f"{name[:80]} in {path}", tally))


def _sample(sample: dict[str, Any], head: dict[str, Any], tally: Tally) -> Iterator[Record]:
    id, epoch, attached = sample.get("id"), sample.get("epoch"), fields(sample.get("attachments"))
    name = f"{words(head.get('task'), 'task')}-{id}" + (f"-{epoch}" if epoch not in (None, 1) else "")
    version = words(fields(head.get("packages")).get("inspect_ai"))
    events = [event for event in items(sample.get("events")) if isinstance(event, dict)]
    first = next(filter(None, (time_us(event.get("timestamp")) for event in events)), None)
    yield Session(
        key=f"{words(sample.get('uuid')) or id}-{epoch}",
        tool=TOOL,
        version=version,
        model=words(head.get("model")),
        name=name,
        at_us=first or time_us(sample.get("started_at")) or time_us(head.get("created")),
    )
    yield Said(text=_input(sample, attached), at_us=first)
    if any(event.get("event") == "model" for event in events):
        yield from _events(events, attached, tally)
    else:
        yield from _messages(items(sample.get("messages")), attached, tally)
    yield _end(sample, events)


def _input(sample: dict[str, Any], attached: dict[str, Any]) -> str:
    told = sample.get("input")
    if isinstance(told, list):
        asked = [fields(message) for message in told]
        told = "\n\n".join(_text(one.get("content"), attached) for one in asked if one.get("role") == "user")
    return _text(told, attached) or "(the log tells no input)"


def _events(events: list[dict[str, Any]], attached: dict[str, Any], tally: Tally) -> Iterator[Record]:
    known: set[str] = set()
    for at, event in enumerate(events, 1):
        at_us = time_us(event.get("timestamp"))
        match words(event.get("event")):
            case "model":
                yield from _model(event, attached, known)
            case "tool":
                yield from _tool(event, attached, known, at_us)
            case "compaction":
                yield Compacted(
                    trigger=words(event.get("type")),
                    before=number(event.get("tokens_before")),
                    after=number(event.get("tokens_after")),
                    at_us=at_us,
                )
            case "error":
                message = words(fields(event.get("error")).get("message"))
                yield Failed(error="error", message=message[:2_000], at_us=at_us)
            case kind if kind in _QUIET:
                tally.leave_out(str(kind))
            case kind:
                yield Kept(what=kind or "event without a name", row=at, fields=event, at_us=at_us)


def _model(event: dict[str, Any], attached: dict[str, Any], known: set[str]) -> Iterator[Record]:
    output, began = fields(event.get("output")), time_us(event.get("timestamp"))
    choice = fields(next(iter(items(output.get("choices"))), None))
    ended = time_us(event.get("completed")) or began
    error = words(event.get("error")) or words(output.get("error"))
    if error and not choice:
        yield Failed(error="api", message=error[:2_000], at_us=ended)
        return
    reply = _reply(fields(choice.get("message")), attached)
    reply.model, reply.stop = words(output.get("model")) or words(event.get("model")), words(choice.get("stop_reason"))
    raw = fields(output.get("usage"))
    reply.usage, reply.cost = _usage(raw), dollars(raw.get("total_cost"))
    reply.asked_us, reply.at_us = began, ended
    known.update(block["id"] for block in reply.content if block["type"] == "tool_use")
    if reply.content:
        yield reply


def _tool(event: dict[str, Any], attached: dict[str, Any], known: set[str], at_us: int | None) -> Iterator[Record]:
    id, error = words(event.get("id")), fields(event.get("error"))
    if id not in known:
        known.add(id)
        arguments = calls.arguments_of(event.get("arguments"))
        block = {"type": "tool_use", "id": id, "name": words(event.get("function"), "tool"), "input": arguments}
        yield Replied(content=[block], rest=True, at_us=at_us)
    seconds = event.get("working_time")
    known_ms = isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 <= seconds < 1e9
    yield Answered(
        use_id=id,
        text=_text(event.get("result"), attached) or words(error.get("message")),
        ok=not error,
        ms=round(seconds * 1_000) if known_ms and seconds is not None else None,
        at_us=time_us(event.get("completed")) or at_us,
    )


def _messages(messages: list[Any], attached: dict[str, Any], tally: Tally) -> Iterator[Record]:
    said = False
    for at, message in enumerate(map(fields, messages), 1):
        match message.get("role"):
            case "system":
                tally.leave_out("system prompt")
            case "user":
                if said:
                    yield Said(text=_text(message.get("content"), attached), source="notice")
                said = True
            case "assistant":
                yield _reply(message, attached)
            case "tool":
                error = fields(message.get("error"))
                text = _text(message.get("content"), attached) or words(error.get("message"))
                yield Answered(use_id=words(message.get("tool_call_id")), text=text, ok=not error)
            case role:
                yield Kept(what=f"message of {words(role, 'nobody')}", row=at, fields=message)


def _reply(message: dict[str, Any], attached: dict[str, Any]) -> Replied:
    content: list[dict[str, Any]] = []
    told = message.get("content")
    for block in told if isinstance(told, list) else [told]:
        if isinstance(block, dict) and block.get("type") == "reasoning":
            text = words(block.get("summary")) or words(block.get("reasoning"))
            content.append({"type": "thinking", "thinking": _text(text, attached)})
        elif text := _text(block, attached):
            content.append({"type": "text", "text": text})
    for call in filter(None, map(fields, items(message.get("tool_calls")))):
        content.append(
            {
                "type": "tool_use",
                "id": words(call.get("id")),
                "name": words(call.get("function"), "tool"),
                "input": calls.arguments_of(call.get("arguments")),
            }
        )
    return Replied(id=words(message.get("id")), model=words(message.get("model")), content=content)


def _text(value: Any, attached: dict[str, Any]) -> str:
    """A text, with what the log keeps beside it put in its place."""
    text = text_of(value)
    if text.startswith(_ATTACHED):
        return words(attached.get(text.removeprefix(_ATTACHED)), text)
    return text


def _usage(raw: dict[str, Any]) -> Usage | None:
    """Whether `input_tokens` holds the cached ones is told by what the total adds up to."""
    sent, output = tokens(raw.get("input_tokens")), tokens(raw.get("output_tokens"))
    if sent is None or output is None:
        return None
    read, written = tokens(raw.get("input_tokens_cache_read")) or 0, tokens(raw.get("input_tokens_cache_write")) or 0
    within = number(raw.get("total_tokens")) == sent + output and sent >= read + written
    return Usage(
        fresh=sent - read - written if within else sent, cache_read=read, cache_write_5m=written, output=output
    )


def _end(sample: dict[str, Any], events: list[dict[str, Any]]) -> Ended:
    last = next(filter(None, (time_us(event.get("timestamp")) for event in reversed(events))), None)
    scores = ", ".join(
        f"{name[:40]}: {text_of(fields(score).get('value'))[:80]}"
        for name, score in list(fields(sample.get("scores")).items())[:8]
    )
    limit, error = fields(sample.get("limit")), fields(sample.get("error"))
    if error:
        return Ended(state="failed", reason="request", detail=words(error.get("message"))[:500] or scores, at_us=last)
    if limit:
        reason = (
            "budget" if limit.get("type") == "cost" else "context" if limit.get("type") == "token" else "turn_limit"
        )
        return Ended(state="stopped", reason=reason, detail=f"limit: {words(limit.get('type'))}. {scores}", at_us=last)
    return Ended(state="finished", reason="done", detail=scores, at_us=last)
