"""The controls of the memory: the user writes, revises, pins and forgets entries as the agent does, by events.

A revision is a new entry in the place of the old one, so that the history of each can be read and a rewind takes it
back. Entries of the user are named `u<n>`, those of the agent `m<n>`: the two never meet, whoever writes at the time.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from core.agent.facts import Facts
from core.agent.verb import Refused, Verb, text_of
from core.events import Draft, MemoryForgotten, MemoryKept, MemoryWritten
from core.folds.memories import KNOWN, Entry
from core.journal.inbox import Command

LONGEST_MEMORY = 4_000
"""Characters of an entry, as for the agent."""
LONGEST_REASON = 400
_LONGEST = {"category": 40, "topic": 120}


def _remember(command: Command, facts: Facts) -> list[Draft]:
    scope = command.args.get("scope", "session")
    if scope not in ("session", "project"):
        raise Refused("The scope of an entry is session, or project for the next sessions of this workspace too.")
    body = MemoryWritten(
        text=text_of(command, LONGEST_MEMORY),
        category=_word(command, "category").lower() or "fact",
        topic=_word(command, "topic"),
        scope=scope,
    )
    return [_written(command, facts, body)]


def _revise(command: Command, facts: Facts) -> list[Draft]:
    entry, text = _known(command, facts), text_of(command, LONGEST_MEMORY)
    if text == entry.text:
        raise Refused(f"{entry.id} says that already.")
    return [_written(command, facts, _same(entry, text))]


def _pin(command: Command, facts: Facts) -> list[Draft]:
    return _pinned(command, facts, True)


def _unpin(command: Command, facts: Facts) -> list[Draft]:
    return _pinned(command, facts, False)


def _pinned(command: Command, facts: Facts, pinned: bool) -> list[Draft]:
    entry = _known(command, facts)
    if entry.pinned == pinned:
        raise Refused(f"{entry.id} is {'pinned already' if pinned else 'not pinned'}.")
    return [_written(command, facts, replace(_same(entry, entry.text), pinned=pinned))]


def _forget(command: Command, facts: Facts) -> list[Draft]:
    entry, reason = _known(command, facts), command.args.get("reason", "")
    if not isinstance(reason, str) or len(reason) > LONGEST_REASON:
        raise Refused(f"The reason is a text of at most {LONGEST_REASON} characters.")
    return [Draft(MemoryForgotten(id=entry.id, reason=reason.strip()), actor=command.actor)]


def _keep(command: Command, facts: Facts) -> list[Draft]:
    wanted = str(command.args.get("id", ""))
    if wanted not in {entry.id for entry in facts.memories.hidden()}:
        raise Refused(f"No memory entry {wanted!r} was left behind on an abandoned branch.")
    return [Draft(MemoryKept(id=wanted), actor=command.actor)]


def _known(command: Command, facts: Facts) -> Entry:
    wanted = str(command.args.get("id", ""))
    entry = facts.memories.get(wanted)
    if entry is None:
        raise Refused(f"There is no memory entry {wanted!r}.")
    if (status := facts.memories.status(entry)) != KNOWN:
        raise Refused(f"{wanted} is not known any more: {status}.")
    return entry


def _same(entry: Entry, text: str) -> MemoryWritten:
    """The entry with this text, in its place."""
    scope: Any = entry.scope
    return MemoryWritten(
        text=text, category=entry.category, topic=entry.topic, pinned=entry.pinned, scope=scope, replaces=entry.id
    )


def _written(command: Command, facts: Facts, body: MemoryWritten) -> Draft:
    return Draft(body, key=f"u{facts.memories.last_number + 1}", actor=command.actor)


def _word(command: Command, name: str) -> str:
    word = command.args.get(name, "")
    if not isinstance(word, str) or len(word) > _LONGEST[name] or not word.isprintable():
        raise Refused(f"The {name} of an entry is one line of at most {_LONGEST[name]} characters.")
    return word.strip()


MEMORY_VERBS = (
    Verb("remember", ("text", "category", "topic", "scope"), "write a memory entry of your own", _remember),
    Verb("revise", ("id", "text"), "put another text in the place of a memory entry", _revise),
    Verb("pin-memory", ("id",), "keep a memory entry word for word in every later request", _pin),
    Verb("unpin-memory", ("id",), "let a pinned memory entry go with the next compression", _unpin),
    Verb("forget", ("id", "reason"), "take a memory entry out of use", _forget),
    Verb("keep", ("id",), "keep a memory entry that an abandoned branch wrote", _keep),
)


def parse_memory_words(verb: str, words: list[str]) -> dict[str, Any] | None:
    """Arguments of a control of the memory from words of the command line; None for those that take an id alone."""
    match verb:
        case "remember":
            return _remember_words(words)
        case "revise" | "forget":
            rest = "text" if verb == "revise" else "reason"
            if not words or (verb == "revise" and len(words) < 2):
                raise Refused(f"{verb} needs the id of an entry" + (" and its new text." if verb == "revise" else "."))
            return {"id": words[0]} | ({rest: " ".join(words[1:])} if words[1:] else {})
        case _:
            return None


def _remember_words(words: list[str]) -> dict[str, Any]:
    args: dict[str, Any] = {}
    text: list[str] = []
    rest = iter(words)
    for word in rest:
        match word:
            case "--project":
                args["scope"] = "project"
            case "--category" | "--topic":
                if (value := next(rest, None)) is None:
                    raise Refused(f"{word} needs a word after it.")
                args[word.removeprefix("--")] = value
            case _:
                text.append(word)
    return {"text": " ".join(text), **args}
