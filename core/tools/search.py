"""Finding text in the workspace: ripgrep when it is installed, else a child interpreter; the same answer either way."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, NamedTuple

import msgspec
from msgspec import Meta

from core.programs import find_program
from core.tools import search_child
from core.tools.base import Effect, Outcome, ToolContext, ToolError
from core.tools.child import Answer, ask, python, text_of
from core.tools.common import Arguments, Repeatable, count
from core.tools.paths import explained, ignored_names, printable, relative, resolve

MAX_LINE_CHARS = 400
MAX_FILE_BYTES = 10_000_000
SECONDS = 20.0
_MAX_OUTPUT = 2_000_000
_SENT_CHARS = 1_000
_SCRIPT = text_of(search_child)


class SearchArguments(Arguments, frozen=True):
    pattern: Annotated[str, Meta(min_length=1, description="Regular expression, matched against each line.")]
    path: Annotated[str, Meta(description="Folder or file to search, relative to the workspace.")] = "."
    glob: Annotated[str | None, Meta(description="Only these files, e.g. `*.py` or `src/**/*.{ts,tsx}`.")] = None
    ignore_case: bool = False
    limit: Annotated[int, Meta(ge=1, le=500, description="Most hits to show.")] = 100


class Hit(NamedTuple):
    path: str
    line: int
    text: str


class SearchCodebase(Repeatable):
    """`ripgrep` is the program's path; by default the one on PATH, and without one the fallback is used."""

    name: ClassVar[str] = "search_codebase"
    description: ClassVar[str] = (
        "Search all text files for a regular expression; hits come as path:line: text, sorted by path. Use it to find "
        "where something is defined or used before reading files; narrow by path or glob when there are many hits. "
        "Binary files, files over 10 MB, and version control, dependency and cache folders are passed over. Escape "
        r"regex characters in literal text: `foo\(`."
    )
    effect: ClassVar[Effect] = Effect.READ
    Arguments: ClassVar[type[msgspec.Struct]] = SearchArguments

    def __init__(self, ripgrep: str | None = None, *, seconds: float = SECONDS) -> None:
        self._ripgrep = ripgrep
        self._seconds = seconds

    async def run(self, arguments: SearchArguments, context: ToolContext) -> Outcome:
        path = resolve(context, arguments.path)
        with explained(f"search {arguments.path}"):
            only = None if path.is_dir() else path.name
            path.stat()
            root = path if only is None else path.parent
            answer = await self._ask(arguments, root, only, ignored_names(context), context.workspace)
        prefix = "" if (base := relative(context, root)) == "." else base + "/"
        return Outcome(_show(_hits(answer, prefix), answer, arguments))

    async def _ask(
        self, arguments: SearchArguments, root: Path, only: str | None, ignored: list[str], within: Path
    ) -> Answer:
        """Ripgrep's dialect lacks look-around and back references: what it refuses, Python may still understand."""
        if ripgrep := find_program("rg", within) if self._ripgrep is None else self._ripgrep:
            command = _ripgrep_command(ripgrep, arguments, only, ignored)
            answer = await ask(command, b"", cwd=root, seconds=self._seconds, most=_MAX_OUTPUT)
            if answer.code != 2 or answer.output:
                return answer
        payload = _request(arguments, root, only, ignored)
        answer = await ask(python(_SCRIPT), payload, cwd=Path("/"), seconds=self._seconds, most=_MAX_OUTPUT)
        if answer.code == 2:
            reason = answer.errors.decode("utf-8", "replace").strip()
            raise ToolError(f"{arguments.pattern!r} is not a valid regular expression: {reason}.")
        if answer.code:
            raise ToolError("The search failed; try a simpler pattern or a narrower path.")
        return answer


def _request(arguments: SearchArguments, root: Path, only: str | None, ignored: list[str]) -> bytes:
    return msgspec.json.encode(
        {
            "root": str(root),
            "only": only,
            "pattern": arguments.pattern,
            "ignore_case": arguments.ignore_case,
            "glob": arguments.glob,
            "ignored": ignored,
            "per_file": arguments.limit + 1,
            "largest": MAX_FILE_BYTES,
            "longest": _SENT_CHARS,
        }
    )


def _ripgrep_command(program: str, arguments: SearchArguments, only: str | None, ignored: list[str]) -> list[str]:
    command = [program, "--no-config", "--no-messages", "--null", "--line-number", "--with-filename", "--no-heading"]
    command += ["--color=never", "--crlf", "--sort=path", "--hidden", "--no-ignore", f"--max-filesize={MAX_FILE_BYTES}"]
    command += [f"--max-columns={_SENT_CHARS}", "--max-columns-preview", f"--max-count={arguments.limit + 1}"]
    command += ["--ignore-case"] if arguments.ignore_case else []
    command += [f"--glob={arguments.glob}"] if arguments.glob and not only else []
    command += [f"--glob=!{name.rstrip('/')}" for name in ignored]
    return [*command, "--regexp", arguments.pattern, "--", f"./{only or ''}"]


def _hits(answer: Answer, prefix: str) -> list[Hit]:
    """Complete lines of the form `path NUL number:text`; anything else (notes about binary files) is no hit."""
    hits = []
    for raw in bytes(answer.output).split(b"\n")[:-1]:
        path, _, rest = raw.partition(b"\0")
        number, colon, text = rest.partition(b":")
        if colon and number.isdigit():
            name = printable(path.removeprefix(b"./").decode("utf-8", "surrogateescape"))
            hits.append(Hit(prefix + name, int(number), text.decode("utf-8", "replace").rstrip("\r")))
    return hits


def _show(hits: list[Hit], answer: Answer, arguments: SearchArguments) -> str:
    shown = hits[: arguments.limit]
    files = len({hit.path for hit in shown})
    where = "" if arguments.path == "." else f" in {arguments.path}"
    first = f"{count(len(shown), 'hit')} in {count(files, 'file')}" if shown else f"no hits{where}"
    lines = [first, *(f"{hit.path}:{hit.line}: {_clip(hit.text)}" for hit in shown)]
    if answer.late:
        lines.append("[… the search took too long and was stopped; simplify the pattern, or narrow path or glob …]")
    elif len(hits) > len(shown) or answer.code is None:
        lines.append("[… there are more hits; narrow pattern, path or glob …]")
    return "\n".join(lines)


def _clip(text: str) -> str:
    return text if len(text) <= MAX_LINE_CHARS else text[:MAX_LINE_CHARS] + "…"
