"""The search when ripgrep is not installed; runs as a script of its own, because a regex may never come back.

Standard input: one JSON object of `root`, `only`, `pattern`, `ignore_case`, `glob`, `ignored`, `per_file`, `largest`
and `longest`. Standard output: `<path>NUL<line number>:<line>` a hit, like `rg --null`. Exit code 2: not a valid regex.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any


def main() -> int:
    request = json.load(sys.stdin)
    try:
        pattern = re.compile(request["pattern"], re.IGNORECASE if request["ignore_case"] else 0)
    except (re.error, OverflowError, RecursionError) as error:
        sys.stderr.write(str(error))
        return 2
    os.chdir(request["root"])
    wanted = matcher([request["glob"]]) if request["glob"] else None
    for path in candidates(request["only"], matcher(request["ignored"])):
        if request["only"] or wanted is None or wanted.fullmatch(path):
            search(path, pattern, request)
    return 0


def matcher(globs: Iterable[str]) -> re.Pattern[str]:
    """A regex whose `fullmatch` tells whether a relative path, of a file or a folder, is meant by one of the globs."""
    return re.compile("|".join(translate(glob.rstrip("/")) for glob in globs))


def candidates(only: str | None, ignored: re.Pattern[str], folder: str = "") -> Iterator[str]:
    """Relative paths of regular files, sorted by name within each folder; links are not followed."""
    if only:
        yield only
        return
    try:
        with os.scandir(folder or ".") as found:
            entries = sorted(found, key=lambda entry: os.fsencode(entry.name))
    except OSError:
        return
    for entry in entries:
        path = folder + entry.name
        if ignored.fullmatch(path):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from candidates(None, ignored, path + "/")
        elif entry.is_file(follow_symlinks=False):
            yield path


def search(path: str, pattern: re.Pattern[str], request: dict[str, Any]) -> None:
    """Write the hits of one text file; what is binary, too large or unreadable is passed over."""
    try:
        if Path(path).stat().st_size > request["largest"]:
            return
        data = Path(path).read_bytes()
    except OSError:
        return
    if 0 in data:
        return
    hits = 0
    for number, line in enumerate(data.decode("utf-8", "replace").split("\n"), 1):
        if pattern.search(line := line.removesuffix("\r")):
            hit = f"{number}:{line[: request['longest']]}\n".encode()
            sys.stdout.buffer.write(os.fsencode(path) + b"\0" + hit)
            hits += 1
            if hits == request["per_file"]:
                break
    sys.stdout.buffer.flush()


def translate(glob: str) -> str:
    """A glob as a regex over relative paths: without `/` it matches names at any depth, `**` any folders.

    What makes no sense as a glob is taken literally.
    """
    if "/" not in glob:
        glob = f"**/{glob}"
    depth, parts = 0, []
    for token in re.split(r"(\*\*/|\*\*|\*|\?|\{|\}|,|\[!?[^]]+\])", glob.removeprefix("/")):
        depth += (token == "{") - (token == "}")
        special = token in _TOKENS and (token != "," or depth > 0)
        parts.append(_TOKENS[token] if special else _literal(token))
    try:
        return re.compile("".join(parts)).pattern
    except re.error:
        return re.escape(glob)


_TOKENS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")", ",": "|"}


def _literal(token: str) -> str:
    if token.startswith("[") and token.endswith("]"):
        negated = token.startswith("[!")
        inside = re.sub(r"([^\w-]|-(?=-))", r"\\\1", token[2 if negated else 1 : -1])
        return f"[{'^' if negated else ''}{inside}]"
    return re.escape(token)


if __name__ == "__main__":
    sys.exit(main())
