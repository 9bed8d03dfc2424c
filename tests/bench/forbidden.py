"""Constraints and calls that break them, or don't, made by chance: for the bench of the guards."""

from __future__ import annotations

import os.path
import random
from collections.abc import Iterator

from core.approvals.places import Places
from core.constraints.checking import Attempt, changed, forbidden
from core.constraints.reading import Constraint, read_constraint

PLACES = Places("/w", real=os.path.normpath, exists=lambda path: True)
_WORDS = ("alpha", "beta", "gamma", "delta", "core", "lib", "data", "api")

WRITES = (
    "rm {}",
    "rm -rf {}",
    "echo x > {}",
    "echo x >> {}",
    "sed -i s/a/b/ {}",
    "mv {} /tmp/x",
    "touch {}",
    "tee {} < in",
    "cp other {}",
    "truncate -s0 {}",
    "cd sub && rm ../{}",
    "true; rm {}",
    "bash -c 'rm {}'",
    "env A=1 rm {}",
    "make && echo x > {}",
    "find . -name x -exec cp x {} ';'",
)
READS = ("cat {}", "grep x {}", "cp {} elsewhere", "wc -l {}", "git diff {}", "python -m pytest {}", "diff {} other")
NETWORK = (
    "curl https://{}.example",
    "wget {}.example",
    "git push origin {}",
    "git fetch {}",
    "pip install {}",
    "npm install {}",
    "python -m pip install {}",
    "ssh {}",
    "make && curl {}",
    "sh -c 'git clone {}'",
    "uv add {}",
    "cargo install {}",
)
NO_NETWORK = ("git commit -m {}", "git log {}", "grep -r http {}", "pytest {}", "npm test {}", "echo curl {}")
HIDDEN = ("python3 -c \"open('{}','w')\"", "node build.js", "make generate", "./scripts/gen.sh")
"""What changes a file without naming it, or in a language of its own: found by what has changed."""


def _path(dice: random.Random, folder: str) -> str:
    return "/".join([folder, *dice.choices(_WORDS, k=dice.randint(0, 2)), f"{dice.choice(_WORDS)}.py"])


def _run(line: str) -> Attempt:
    return Attempt("run_command", "command", {"command": line}, "/w")


def trials(dice: random.Random) -> Iterator[tuple[str, bool, bool]]:
    """(constraint, whether it is broken, whether that was found), each way once with names by chance."""
    folder, other = dice.sample(["vendor", "migrations", "generated", "legacy"], 2)
    never, only, offline = (_read(text) for text in (f"never touch {folder}/", f"only touch {other}/", "no network"))
    push = _read("never run `git push`")
    for line in WRITES:
        yield never.text, True, bool(forbidden(never, _run(line.format(_path(dice, folder))), PLACES))
        yield never.text, False, bool(forbidden(never, _run(line.format(_path(dice, other))), PLACES))
        yield only.text, True, bool(forbidden(only, _run(line.format(_path(dice, folder))), PLACES))
    for tool in ("edit_file", "write_file"):
        attempt = Attempt(tool, "write", {"path": _path(dice, folder)})
        yield never.text, True, bool(forbidden(never, attempt, PLACES))
    for line in READS:
        yield never.text, False, bool(forbidden(never, _run(line.format(_path(dice, folder))), PLACES))
    for line in NETWORK:
        yield offline.text, True, bool(forbidden(offline, _run(line.format(dice.choice(_WORDS))), PLACES))
    for line in NO_NETWORK:
        yield offline.text, False, bool(forbidden(offline, _run(line.format(dice.choice(_WORDS))), PLACES))
    for line in ("git push", "git -C sub push", "make; git push -f", "sh -c 'git push'"):
        yield push.text, True, bool(forbidden(push, _run(line), PLACES))
    for _ in HIDDEN:
        path = _path(dice, folder)
        yield never.text, True, bool(changed(never, [path]))
        yield never.text, False, bool(changed(never, [_path(dice, other)]))


def _read(text: str) -> Constraint:
    constraint = read_constraint(text)
    assert constraint is not None
    return constraint
