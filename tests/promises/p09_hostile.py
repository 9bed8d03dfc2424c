"""P9: no text of a model, a tool, a file or a session steers a terminal, an app or its markup, wherever it is shown.

A whole session is taken, every free text in it replaced by hostile ones, and shown by everything that shows sessions,
on a real pty whose bytes are then read: all of them must belong to the grammar that the product itself speaks.
"""

from __future__ import annotations

import asyncio
import base64
import fcntl
import importlib
import os
import pty
import random
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from promise import Count, Promise, delayed_s, scratch
from warm import IMPORTED

import core.config
import core.journal.catalogue  # noqa: F401
from core.clock import SystemClock
from core.events import Body, Draft
from core.journal import Journal
from core.journal.catalogue import session_folder

COLUMNS, ROWS = 150, 44
NAME = "01hostile"
PATIENCE_S, QUIET_S = 200.0, 0.2
BESIDE = 5
"""Sessions that every command but the screen shows, beside the one whose screen is gone through key by key."""
FRAGMENTS = (
    *("\x1b[2J", "\x1b[31;1m", "\x1b]0;owned\x07", "\x1b]52;c;b3duZWQ=\x07", "\x1b]8;;http://evil/\x07x\x1b]8;;\x07"),
    *("\x1bc", "\x1b[6n", "\x1b[?1049l", "\x1bP+q544e\x1b\\", "\x1b_Gi=1\x1b\\", "\x1b^pm\x1b\\", "\x1b[24D\x1b[K"),
    *("\x9b31m", "\x9d0;owned\x9c", "\x90q\x9c", "\x07", "\x08\x08\x08", "\r", "\x0b", "\x0c", "\x0e", "\x00", "\x7f"),
    *("\u202eevil\u202c", "\u2066x\u2069", "\u200b", "\u200f", "\u2028", "\ufeff", "\U000e0041\U000e0042", "\u00ad"),
    *("[/]", "[/b]", "[bold]", "[@click=app.exit]x[/]", "[@click=app.quit()]", "[link=http://evil]x[/link]", "[red"),
    *(
        "[$primary]",
        "File [/usr/lib/x.py]:3",
        "\\[",
        "<script>",
        "`rm`",
        "**b**",
        "]8;;",
        "%1b[2J",
        "\ud800",
        "A\u0300",
    ),
    *(
        "e\u0301\u0327" * 3,
        "😀\u200d💻",
        "漢字",
        "مرحبا",
        "x" * 300,
        "a\tb",
        "line\nline",
        "\x1b",
        "\x1b[",
        "\x1b]52;c;",
    ),
)
KEPT = frozenset(
    (
        *("type", "id", "use_id", "tool_use_id", "key", "tree", "tree_before", "tree_after", "blob", "hash", "backend"),
        *("fingerprint", "state", "reason", "effect", "policy", "source", "role", "stop_reason", "purpose", "status"),
        *("category", "scope", "usd", "cost", "spent", "budget", "body", "system", "tools", "session", "profile"),
        *("before", "after", "parts", "error", "actor", "verb", "warm_usd", "cold_usd", "compression_usd", "price"),
        *("saves_per_turn", "cache_read", "cache_write", "input", "output"),
    )
)
"""Fields that are no free text: names of ours, numbers in words, hashes."""
GRAMMAR = re.compile(
    rb"\x1b\]22;[a-z-]*(?:\x07|\x1b\\)|\x1b\[[0-9;:]*m|\x1b\[\d+;\d+H|\x1b\[H|\x1b\[\d+[ABCDEFGHJKPXdn@]|\x1b\[[ABCDJKsu]"
    rb"|\x1b\[\?[0-9;]+[hl]|\x1b\[[<>=?]\d*[uqc]|\x1b\[\?[0-9]+\$p|\x1b\[c|\x1b\[\d* q|\x1b\[2[123];[02]t|\x1b7|\x1b8"
    rb"|\x1b\[\d+;\d+r\x1b\[\d+H\x1b\[\d+[LM]\x1b\[r"  # rows that the terminal moves: only as a whole
    rb"|\x1b\[(?:14|16|18)t|\x1b\[22;2t|\x1b\[23;2t|\x1b\]2;[^\x00-\x1f\x7f]*(?:\x07|\x1b\\)|\x1b\[>\d+;\d+m|\x1b\[>4m"
)
COPIED = re.compile(rb"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07")
"""What the user copied: the product's own way to the clipboard. Its text may control nothing either."""
CONTROL = re.compile(
    rb"[\x00-\x06\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xa9]"
    rb"|\xf3\xa0[\x80\x81][\x80-\xbf]|\xed[\xa0-\xbf]"
)
PRINTED = (
    ("events", "S"),
    ("events", "S", "--json"),
    ("report", "S"),
    ("report", "S", "--format", "markdown"),
)
LINES = (
    *PRINTED,
    ("ls",),
    ("ls", "--json"),
    ("doctor", "S"),
    ("attach", "HOSTILE"),
    ("send", "S", "guide", "HOSTILE"),
    ("send", "S", "HOSTILE"),
    ("export", "S", "/nowhere/HOSTILE"),
    ("run", "HOSTILE", "--model", "HOSTILE", "--headless"),
    ("run", "x", "--workspace", "/nowhere/HOSTILE", "--headless"),
    ("HOSTILE",),
    ("rm", "HOSTILE"),
)
KEYS = (
    *"123456",
    *("\t", "\x1b[B", "\x1b[B", "\r", "\x1b", "v", "z", "z"),
    *(
        "?",
        "\x1b",
        "\x10",
        "\x1b",
        "/",
        "x",
        "\r",
        "n",
        "\x1b",
        "r",
        "\x1b",
        "c",
        "\x1b",
        "g",
        "\x1b",
        "[",
        "]",
        "{",
        "}",
    ),
    *("\x1b[H", "\x1b[F", "y"),
)


def hostile(pick: random.Random, found: Count) -> str:
    """A text of some fragments between harmless words."""
    found.see("texts")
    return "".join(
        pick.choice((pick.choice(FRAGMENTS), pick.choice(FRAGMENTS), "word ")) for _ in range(pick.randint(2, 8))
    )


def poisoned(value: Any, spoil: Any, field: str = "") -> Any:
    """The same with every free text in it replaced."""
    if isinstance(value, str):
        return spoil() if value and field not in KEPT else value
    if isinstance(value, dict):
        return {name: poisoned(item, spoil, str(name)) for name, item in value.items()}
    if isinstance(value, list):
        return [poisoned(item, spoil, field) for item in value]
    return value


def spoiled(body: Body, pick: random.Random, found: Count) -> Body:
    """A body with hostile texts; as it was, where its type does not take them."""
    try:
        return msgspec.convert(poisoned(msgspec.to_builtins(body), lambda: hostile(pick, found)), type(body))
    except msgspec.ValidationError:
        return body


def make(home: Path, name: str, pick: random.Random, found: Count) -> None:
    """Such a session in a home."""
    sample = importlib.import_module("sample_sessions")
    drafts = [
        Draft(spoiled(event.body, pick, found), key=event.key, actor=event.actor)
        for event in sample.audit_session().events
    ]

    async def write() -> None:
        folder = session_folder(home, name.ljust(26, "s"))
        folder.parent.mkdir(parents=True, exist_ok=True)
        async with await Journal.create(folder, SystemClock()) as journal:
            for draft in drafts:
                await journal.append(draft)

    asyncio.run(write())


def shown(arguments: list[str], home: Path, keys: tuple[str, ...], filtered: bool) -> tuple[bytes, int | None]:
    """What a command writes to its terminal, and how it ended (None: it had to be killed)."""
    pid, master = pty.fork()
    if not pid:
        _run(arguments, home, filtered)
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    received, waiting, end = bytearray(), list(keys), time.monotonic() + PATIENCE_S
    while time.monotonic() < end + delayed_s(pid):
        if select.select([master], [], [], QUIET_S)[0]:
            try:
                data = os.read(master, 65536)
            except OSError:
                break
            if not data:
                break
            received += data
        elif keys and b"\x1b[?1049h" in received:
            waiting = waiting or ["\x1b", "q"]  # whatever is open by now is closed, and then the screen
            os.write(master, waiting.pop(0).encode())
    else:
        os.kill(pid, signal.SIGKILL)
    os.close(master)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return bytes(received), None if code == -signal.SIGKILL else code


def _run(arguments: list[str], home: Path, filtered: bool) -> None:
    """The command, in a fork of its own."""
    try:
        given = {"LONGWATCH_HOME": str(home), "LONGWATCH_CONFIG": str(home / "config.toml"), "TERM": "xterm-256color"}
        os.environ.update(given)
        if not filtered:
            _take_the_filter_off()
        importlib.import_module("tui.cli").main(arguments)
    except SystemExit as stop:
        os._exit(int(stop.code or 0))
    except BaseException as error:
        os.write(2, f"Traceback: {error!r}\n".encode("utf-8", "replace"))
    os._exit(70)


def _take_the_filter_off() -> None:
    safe = importlib.import_module("tui.safe")
    safe.safe_text = lambda text: text
    safe.one_line = lambda text: " ".join(text.split())
    safe.CONTROL = re.compile("(?!)")


def strangers(received: bytes) -> Iterator[str]:
    """What of the bytes is outside the grammar."""
    rest = GRAMMAR.sub(b"", COPIED.sub(_harmless, received))
    for found in sorted({rest[match.start() : match.start() + 12] for match in CONTROL.finditer(rest)})[:3]:
        yield f"{found!r} reached the terminal"


def _harmless(copied: re.Match[bytes]) -> bytes:
    text = base64.b64decode(copied[1])
    return copied[0] if CONTROL.search(text) else b""


def trial(count: int, seed: int) -> Count:
    return _tried(count, seed, filtered=True)


def control(count: int, seed: int) -> Count:
    return _tried(count, seed, filtered=False)


def _tried(count: int, seed: int, filtered: bool) -> Count:
    """Session after session until so many hostile strings were shown by everything that shows sessions."""
    if filtered:
        for name in IMPORTED:  # Once, and not by each command.
            importlib.import_module(name)
    found, pick = Count(), random.Random(seed)
    while found.tried < count:
        with scratch("hostile-") as home:
            before = found.seen.get("texts", 0)
            (home / "config.toml").touch()
            make(home, NAME, pick, found)
            found.see("of them gone through on the screen", found.seen["texts"] - before)
            beside = [f"{number:02}beside" for number in range(BESIDE if count > 1 else 0)]
            for name in beside:
                make(home, name, pick, found)
            ways = [*_ways(pick, found), *_printed(beside)]
            problems = [problem for how in ways for problem in _looked(how, home, filtered)]
            made = int(found.seen["texts"] - before)
            found.note([], tried=made - len(problems[:made]))
            for problem in problems[:made]:
                found.note([problem])
    return found


def _ways(pick: random.Random, found: Count) -> Iterator[tuple[list[str], tuple[str, ...]]]:
    for line in LINES:
        words = [hostile(pick, found).replace("\0", "") if word == "HOSTILE" else word for word in line]
        yield [word.replace("HOSTILE", hostile(pick, found).replace("\0", "")) for word in words], ()
    yield ["replay", NAME], (*KEYS, "q")
    yield [], ("\x1b[B", "/", "x", "\x1b", "\x1b", "q", "q")


def _printed(names: list[str]) -> Iterator[tuple[list[str], tuple[str, ...]]]:
    for name in names:
        for line in PRINTED:
            yield [name if word == "S" else word for word in line], ()


def _looked(how: tuple[list[str], tuple[str, ...]], home: Path, filtered: bool) -> list[str]:
    arguments, keys = how
    named = [(NAME if word == "S" else word).encode("utf-8", "replace").decode() for word in arguments]
    received, code = shown(named, home, keys, filtered)
    problems = [f"{arguments[:1]}: {problem}" for problem in strangers(received)]
    if b"Traceback" in received or b"should not have happened" in received:
        problems.append(f"{arguments}: it fell over: {received[-300:]!r}")
    if keys and code != 0:
        problems.append(f"{arguments}: the screen ended with {code}")
    return problems


PROMISE = Promise(
    id="P9",
    says="No text of a model, a tool, a file, a session or an argument steers the terminal or the screen (bytes on a "
    "pty)",
    unit="hostile strings",
    aim=100_000,
    shard=3_000,
    quick=1,
    trial=trial,
    control=control,
    control_says="with the filter off",
    quick_control=1,
)
