"""P12: whatever comes from outside is taken or refused with a sentence, in little time and memory."""

from __future__ import annotations

import asyncio
import json
import random
import resource
import sys
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent)]

from malformed import Targets, good_export  # noqa: E402
from promise import Count, Promise, scratch  # noqa: E402

MOST_MB = 200


def trial(count: int, seed: int) -> Count:
    """Each kind of input in turn; the number of an input says all about it."""
    return _tried(count, seed, lambda targets: targets.all())


def control(count: int, seed: int) -> Count:
    return _tried(count, seed, _bare)


def _tried(count: int, seed: int, attacks_of: Callable[[Targets], dict[str, Callable[[random.Random], bool]]]) -> Count:
    found, before = Count(), _peak_mb()
    with scratch("inputs-") as place:
        attacks = list(attacks_of(Targets(place, asyncio.run(good_export(place)))).items())
        for number in range(seed * 10_000_000, seed * 10_000_000 + count):
            kind, attack = attacks[number % len(attacks)]
            try:
                found.see("taken", attack(random.Random(number)))
                found.note([])
            except Exception as error:
                found.note([f"{kind} {number}: {type(error).__name__}: {str(error)[:120]}"])
    found.see("MB of memory at most", peak := _peak_mb())
    if peak > max(before, MOST_MB):
        found.note([f"{peak} MB of memory"], 0)
    return found


def _peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _bare(targets: Targets) -> dict[str, Callable[[random.Random], bool]]:
    """The same inputs, read by the standard library alone."""

    def config(data: bytes) -> None:
        tomllib.loads(data.decode())

    def imported(data: bytes) -> None:
        file = targets.place / "bare.zip"
        file.write_bytes(data)
        with zipfile.ZipFile(file) as archive:
            json.loads(archive.read("manifest.json"))

    def reader(make: Callable[[random.Random], bytes], read: Callable[[bytes], None]) -> Callable[..., bool]:
        def attack(chance: random.Random) -> bool:
            read(make(chance))
            return True

        return attack

    return {"config": reader(targets.a_config, config), "import": reader(targets.an_export, imported)}


PROMISE = Promise(
    id="P12",
    says="Configuration, imports, streams and tool arguments are taken or refused with a sentence, whatever they hold",
    unit="inputs",
    aim=1_000_000,
    shard=20_000,
    quick=400,
    trial=trial,
    control=control,
    control_says="the standard library's readers alone",
    quick_control=60,
)
