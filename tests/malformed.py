"""Malformed input of every kind that comes from outside, made from good samples by a seeded chance.

Each target takes one input and returns whether it was taken; it may refuse with its own kind of error, which is a
sentence, and anything else that it raises is a bug.
"""

from __future__ import annotations

import io
import json
import random
import re
import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from core.clock import SystemClock
from core.config import ConfigError, default_config_text, load_config
from core.events import Draft, SessionOpened
from core.journal.errors import JournalError
from core.journal.export import export_session, open_export
from core.journal.writer import Journal
from core.models.assembly import Assembly, strict_json
from core.models.errors import ModelError
from core.tools.base import ToolError
from core.tools.registry import builtin_tools, canonical, parse_arguments

NASTY: Final = (
    *(b"\0", b"\xff\xfe", b"\xed\xa0\x80", b"[" * 3_000, b'{"a":' * 3_000, b"nan", b"-inf", b"1e999", b"9" * 5_000),
    *(
        b'"""',
        b"\\ud800",
        b"\x1b]52;c;x\x07",
        b"=",
        b"[model]\n",
        b"prices.x.input = -1\n",
        b"\n" * 50,
        b"true",
        b"null",
    ),
)
PACKINGS: Final = (*(zipfile.ZIP_DEFLATED,) * 98, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
"""The slow ones seldom: they are there to be refused or read, not to take the time of all the others."""
MOST_BYTES: Final = 1 << 20
"""What an import may unpack to."""
FORGED_NAMES: Final = ("../{}", "/{}", "blobs/" + "0" * 64, "manifest.json", "{}/")
STREAM: Final = (
    {"type": "message_start", "message": {"id": "m", "role": "assistant", "content": [], "usage": {"input_tokens": 3}}},
    {
        "type": "content_block_start",
        "index": 0,
        "content_block": {"type": "tool_use", "id": "t", "name": "plan", "input": {}},
    },
    {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": '{"steps": ['}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "words"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 9}},
    {"type": "message_stop"},
)


def mutated(data: bytes, chance: random.Random) -> bytes:
    """One to four changes: bytes flipped, cut out, doubled, or something nasty put in."""
    for _ in range(chance.randint(1, 4)):
        at, end = sorted((chance.randint(0, len(data)), chance.randint(0, len(data))))
        piece = chance.choice((b"", data[at:end] * 2, chance.choice(NASTY), chance.randbytes(3)))
        end = end if chance.random() < 0.3 else min(at + chance.randint(0, 4), len(data))
        data = data[:at] + piece + data[end:]
    return data


def value(chance: random.Random, depth: int = 3) -> Any:
    """Any value of JSON, the odd ones more often than in life."""
    simple = (None, True, -1, 0, 2**70, 1e300, float("inf"), "", "x" * 200, "\ud800", "../../etc/passwd", "a\0b", "7")
    kind = chance.random()
    if depth == 0 or kind < 0.6:
        return chance.choice(simple)
    if kind < 0.8:
        return [value(chance, depth - 1) for _ in range(chance.randint(0, 3))]
    return {str(chance.choice(simple)): value(chance, depth - 1) for _ in range(chance.randint(0, 3))}


async def good_export(place: Path) -> bytes:
    """A small session as a file, made in the folder `place`."""
    session = place / "session"
    session.mkdir()
    async with await Journal.create(session, SystemClock(), session="s") as journal:
        opened = {"session": "s", "name": "n", "task": "t", "workspace": "/w", "model": "m", "endpoint": "e"}
        await journal.append(
            Draft(SessionOpened(**opened, profile="p", app_version="0"), actor="user"), blobs=[b"out" * 99]
        )
    export_session(session, place / "good.longwatch")
    return (place / "good.longwatch").read_bytes()


class Targets:
    """What is attacked; `place` is a folder for files, `export` a good export to start from."""

    def __init__(self, place: Path, export: bytes) -> None:
        self.place, self._export = place, export
        told = re.compile(r"\[|# [\w-]+ = ")  # What is set, and not what is said about it.
        lines = (line for line in default_config_text().splitlines() if told.match(line))
        text = "\n".join(line.removeprefix("# ") for line in lines)
        self._sections = [f"[{part}".encode() for part in text.split("\n[")[1:]]
        self._tools = list(builtin_tools().values())

    def all(self) -> dict[str, Callable[[random.Random], bool]]:
        return {"config": self.config, "import": self.imported, "stream": self.stream, "arguments": self.arguments}

    def a_config(self, chance: random.Random) -> bytes:
        text = chance.choice(self._sections)
        return text if chance.random() < 0.1 else mutated(text, chance)

    def config(self, chance: random.Random) -> bool:
        file = self.place / "config.toml"
        file.write_bytes(self.a_config(chance))
        try:
            load_config(file)
        except ConfigError as error:
            assert str(error).isprintable() and str(error).endswith("."), ascii(str(error))
            return False
        return True

    def an_export(self, chance: random.Random) -> bytes:
        return mutated(self._export, chance) if chance.random() < 0.4 else self._forged(chance)

    def imported(self, chance: random.Random) -> bool:
        file, into = self.place / "x.longwatch", self.place / "into"
        file.write_bytes(self.an_export(chance))
        into.mkdir(exist_ok=True)
        try:
            folder = open_export(file, into, max_bytes=MOST_BYTES)
        except JournalError as error:
            assert "\n" not in str(error)
            assert not list(into.iterdir()), "something was left behind"
            return False
        shutil.rmtree(folder.parent)
        return True

    def _forged(self, chance: random.Random) -> bytes:
        """A whole archive whose members were tampered with: mutated, renamed, doubled, linked, blown up."""
        out = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(self._export)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
            for name in old.namelist():
                data = old.read(name)
                data = mutated(data, chance) if chance.random() < 0.3 else data
                info = zipfile.ZipInfo(name if chance.random() < 0.8 else chance.choice(FORGED_NAMES).format(name))
                info.external_attr = chance.choice((0, 0o120777 << 16))
                info.compress_type = chance.choice(PACKINGS)
                with warnings.catch_warnings(action="ignore"):  # two members of one name are part of the attack
                    blown = chance.random() < 0.05
                    new.writestr(info, bytes(2 * MOST_BYTES) if blown else data, compresslevel=1 if blown else None)
        return out.getvalue()

    def stream(self, chance: random.Random) -> bool:
        assembly = Assembly()
        try:
            for event in STREAM:
                text = json.dumps(event).encode()
                text = mutated(text, chance) if chance.random() < 0.3 else text
                try:
                    read = strict_json(text.decode("utf-8", "replace"))
                except ValueError:
                    continue
                if isinstance(read, dict) and isinstance(read.get("type"), str):
                    if chance.random() < 0.3:
                        read[chance.choice([*read, "index"])] = value(chance)
                    if isinstance(read.get("type"), str):
                        assembly.feed(read)
            assembly.reply("model")
        except ModelError as error:
            assert "\n" not in str(error)
            return False
        return True

    def arguments(self, chance: random.Random) -> bool:
        tool = chance.choice(self._tools)
        names = (*tool.Arguments.__struct_fields__, "other")
        raw = {chance.choice(names): value(chance) for _ in range(chance.randint(0, 4))}
        try:
            canonical(parse_arguments(tool, raw))
        except ToolError as error:
            str(error).encode()
            return False
        return True


def folder() -> tempfile.TemporaryDirectory[str]:
    """A place for the files of a run."""
    return tempfile.TemporaryDirectory(prefix="longwatch-malformed-", ignore_cleanup_errors=True)
