"""P11: secrets that commands and files show in every way are nowhere in what a session keeps or gives away."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import random
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import quote, quote_plus

from canaries import holding, kept, members
from forked import finish
from labour import reply
from promise import Count, Promise, scratch
from traps import Trap, armed

from core.agent.host import host
from core.agent.hosting import Hosting
from core.clock import SystemClock
from core.config import Config, GuardSettings
from core.journal.export import export_jsonl, export_session
from core.journal.reader import Reader
from core.models.profiles import resolve_endpoint
from core.session import NewSession, create
from core.simulator.policies.script import ScriptPolicy
from core.simulator.server import SimulatedServer
from core.tools.secrets import Redactor

MODEL_KEY = "CANARY_MODEL"
"""A variable whose name does not tell that it holds a key."""
NAMES = ("SERVICE_TOKEN", "DB_PASSWORD", "DEPLOY_KEY", "CLIENT_SECRET", "BUCKET_CREDENTIALS")
PLAIN, HARD = string.ascii_letters + string.digits, "/+=@:%&?#!~ '\"\\äöü€漢🔑"
SEAM = 8_192
"""Near so many characters one piece of a long output ends and another begins."""
KILLS = (
    *("before the commit of tool.finished", "after the commit of tool.finished", "after the spawn of a command"),
    *("before the commit of tool.started", "after a snapshot", "before the commit of model.responded"),
)
WORD = "a-word-that-is-no-secret"
KILLED = -9


class Planted:
    """The secrets of a session: values of variables, and tokens that are known by their shape alone."""

    def __init__(self, pick: random.Random) -> None:
        self._pick = pick
        self.model_key = self._text(PLAIN, 24)
        self.values = {name: self._text(PLAIN + HARD * pick.randrange(3), pick.randint(10, 90)) for name in NAMES}
        self.tokens = list(self._shaped())

    def needles(self) -> list[bytes]:
        """The secrets as they are, and in the forms in which programs print them."""
        values = [self.model_key, *self.values.values()]
        return [form.encode() for form in (*self.tokens, *(form for value in values for form in forms(value)))]

    def _text(self, letters: str, length: int) -> str:
        return "".join(self._pick.choices(letters, k=length)).strip() + "".join(self._pick.choices(PLAIN, k=10))

    def _shaped(self) -> Iterator[str]:
        some, capital = string.ascii_letters + string.digits, string.ascii_uppercase + string.digits
        kinds = [("sk-" + "ant-", some, 40), ("AK" + "IA", capital, 16), ("gh" + "p_", some, 36)]
        kinds += [("gl" + "pat-", some, 20), ("xox" + "b-", some, 30), ("h" + "f_", some, 34), ("AI" + "za", some, 35)]
        for start, letters, length in kinds:
            yield start + "".join(self._pick.choices(letters, k=length))


def forms(value: str) -> set[str]:
    data = value.encode()
    encoded = {base64.b64encode(data).decode().rstrip("="), base64.urlsafe_b64encode(data).decode().rstrip("=")}
    escaped = {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    return {value, quote(value, safe=""), quote_plus(value), *encoded, *escaped}


class Spied:
    """A session in a folder of its own that shows its secrets, and what is found of them when it has ended."""

    def __init__(self, place: Path, pick: random.Random) -> None:
        self.planted, self._pick, self._place = Planted(pick), pick, place
        self.home, self._work, self.log = place / "home", place / "work", place / "log"
        self._work.mkdir(parents=True)
        lines = [f"{name}={value}" for name, value in self.planted.values.items()]
        (self._work / ".env").write_text("\n".join([*lines, *self.planted.tokens, WORD]) + "\n")
        (self._work / "forms.txt").write_text("\n".join(self._in_forms()) + "\n")
        (self._work / "long.txt").write_text(self._long())
        (self._work / "settings.json").write_text(json.dumps(self.planted.values, indent=1))

    @property
    def environment(self) -> dict[str, str]:
        return {MODEL_KEY: self.planted.model_key, **self.planted.values}

    def run(self, trap: Trap | None = None, *, bare: bool = False) -> int:
        """Begin it or go on, as a child process; `bare`: nothing is taken out of anything."""
        os.environ.update(self.environment)
        if bare:
            patch.object(Redactor, "__call__", lambda self, text: text).start()
            patch.object(Redactor, "file", lambda self, path: False).start()
        return asyncio.run(self._run(trap))

    async def _run(self, trap: Trap | None) -> int:
        config, key = Config(guards=GuardSettings(enabled=False)), self.planted.model_key
        script = self._place / "script.jsonl"
        sessions = self.home / "sessions"
        if not script.exists():
            script.write_text("".join(json.dumps(row) + "\n" for row in self._script()))
        policy = ScriptPolicy.load(script)
        async with SimulatedServer(policy, clock=SystemClock(), speed=0.0, api_key=key, port=self._port()) as server:
            (self._place / "address").write_text(server.base_url)
            if not sessions.exists():
                endpoint = resolve_endpoint(config, "m", server.base_url, api_key_env=MODEL_KEY)
                new = NewSession("Look around.", self._work, endpoint, settings={"approvals": "full"})
                await create(self.home, new)
            folder = next(sessions.iterdir())
            hosting = Hosting(folder, config, speed=0.0)
            if trap is None:
                return await host(hosting)
            with armed(trap, folder):
                return await host(hosting)

    def _port(self) -> int:
        """That of the life before: the address stands in the session."""
        there = self._place / "address"
        return int(there.read_text().rpartition(":")[2]) if there.exists() else 0

    def _script(self) -> list[dict[str, Any]]:
        shows = [
            "env; cat .env",
            "cat forms.txt long.txt",
            "base64 -w0 .env; base64 -w0 settings.json",
            "cat /proc/self/environ /proc/$PPID/environ 2>/dev/null | tr '\\0' '\\n'; set; cat settings.json",
            "cat .env >&2; exit 3",
            "cat long.txt; seq 1 9000; cat long.txt",
            'while read -r line; do touch "made-${line//\\//_}"; done < .env; ls',
        ]
        calls: list[tuple[str, dict[str, Any]]] = [
            *(("run_command", {"command": show}) for show in shows),
            ("read_file", {"path": ".env"}),
            ("read_file", {"path": "forms.txt"}),
            ("search_codebase", {"pattern": "="}),
            ("edit_file", {"path": "settings.json", "old": "{", "new": "{ "}),
            ("edit_file", {"path": ".env", "old": WORD, "new": f"{WORD}, indeed"}),
        ]
        self._pick.shuffle(calls)
        return [reply(f"Looking, {number}.", call) for number, call in enumerate(calls)]

    def _in_forms(self) -> list[str]:
        """Each value in each form, beside other words."""
        values = self.planted.values.values()
        found = [f"x {form} y" for value in values for form in sorted(forms(value))]
        found += [base64.b64encode(f"{name}:{value}".encode()).decode() for name, value in self.planted.values.items()]
        self._pick.shuffle(found)
        return found

    def _long(self) -> str:
        """Secrets where two pieces of an output may meet."""
        secrets = [*self.planted.values.values(), *self.planted.tokens]
        text = ""
        for number, secret in enumerate(secrets, 1):
            room = number * SEAM - len(text) - self._pick.randint(0, len(secret))
            text += "lorem " * (room // 6) + "." * (room % 6) + secret + " "
        return text

    def problems(self) -> list[str]:
        """Where one of the secrets is, once it has ended."""
        folder = next((self.home / "sessions").iterdir())
        found = {**kept(self.home), "log": self.log.read_bytes()}
        redact = Redactor(self.environment).inside
        packed, lines = self._place / "out.longwatch", self._place / "out.jsonl"
        export_session(folder, packed, redact, files=True)
        with Reader(folder) as reader, lines.open("wb") as out:
            export_jsonl(reader, out, redact=redact)
        found |= {**members(packed), "lines": lines.read_bytes()}
        problems = [f"a secret in {name}" for name in holding(self.planted.needles(), found)]
        if not holding([WORD.encode()], found):
            problems.append("nothing at all was shown")
        return problems


def trial(count: int, seed: int) -> Count:
    """`count` sessions, every third of them killed on the way, and resumed."""
    return _tried(count, seed, bare=False)


def control(count: int, seed: int) -> Count:
    return _tried(count, seed, bare=True)


def _tried(count: int, seed: int, *, bare: bool) -> Count:
    found = Count()
    for number in range(count):
        pick = random.Random(f"{seed} {number}")
        with scratch("canaries-") as place:
            _one(found, Spied(place, pick), bare=bare, killed=number % 3 == 2)
    return found


def _one(found: Count, spied: Spied, *, bare: bool, killed: bool) -> None:
    pick = random.Random(spied.planted.model_key)
    code: int | str = KILLED
    if killed:
        trap = Trap(pick.choice(KILLS), pick.randint(1, 4))
        code = finish(lambda: spied.run(trap, bare=bare), spied.log)
        found.see("kills", code == KILLED)
    if code == KILLED:
        code = finish(lambda: spied.run(bare=bare), spied.log)
    found.note(spied.problems() if code == 0 else [f"it ended with {code}: {spied.log.read_text()[-500:]}"])
    found.see("secrets", 1 + len(spied.planted.values) + len(spied.planted.tokens))


PROMISE = Promise(
    id="P11",
    says="Whatever commands and files show of secrets (as they are, in URLs, JSON or base64, at a seam of two pieces, "
    "around a kill), nothing of it is in the journal, the outputs, the log or an export with files",
    unit="sessions",
    aim=200,
    shard=20,
    quick=3,
    trial=trial,
    control=control,
    control_says="without redaction",
    quick_control=1,
)
