"""Which words of a command name what it writes, as far as its program is known for that.

A sandbox refuses what is not named here, too; this only tells beforehand what somebody may be asked to give.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_ALL = frozenset(["rm", "rmdir", "mkdir", "touch", "tee", "truncate", "unlink", "mkfifo", "shred", "mv", "chmod"])
_LAST = frozenset(["cp", "install", "ln", "rsync", "scp"])
_REPLACES = frozenset(["rm", "rmdir", "unlink", "mv", "ln", "shred", "sed"])
"""These change the folder that holds what they name."""
_OUTPUT = re.compile(r"(?:--output(?:-dir|-document)?|--target(?:-directory)?|--prefix|--root|--destination)(?:=(.+))?")
_SHORT_OUTPUT = {
    **dict.fromkeys(["curl", "gcc", "g++", "cc", "c++", "clang", "clang++", "go", "sort"], "-o"),
    **dict.fromkeys(["cp", "mv", "install", "ln", "pip", "pip3"], "-t"),
    "wget": "-O",
    "unzip": "-d",
    "tar": "-C",
}


def targets(argv: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Each word that names what is written, and whether the folder that holds it is changed with it."""
    name, rest = argv[0], list(argv[1:])
    plain = [word for word in rest if not word.startswith("-")]
    holder = name in _REPLACES
    for word in _optional(name, rest):
        yield word, False
    if name in _ALL:
        yield from ((word, holder) for word in plain)
    elif name in _LAST and len(plain) > 1:
        yield plain[-1], holder
    elif name == "sed" and any(re.match(r"-[a-zA-Z]*i|--in-place", word) for word in rest):
        yield from ((word, holder) for word in plain[1:])
    elif name == "dd":
        yield from ((word[3:], False) for word in rest if word.startswith("of="))


def _optional(name: str, rest: Sequence[str]) -> Iterator[str]:
    """What stands behind the options that name an output."""
    short = _SHORT_OUTPUT.get(name)
    for at, word in enumerate(rest):
        found = _OUTPUT.fullmatch(word)
        if found and found[1]:
            yield found[1]
        elif (found or word == short) and at + 1 < len(rest):
            yield rest[at + 1]
        elif short and word.startswith(short) and not word.startswith("--") and len(word) > len(short):
            yield word[len(short) :]
