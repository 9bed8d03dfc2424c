"""Repairs of commands that go through a shell: argument lists in place of command lines."""

from __future__ import annotations

import ast
import shlex

from core.simulator.policies.auditor.rules.base import Lines, Option, Rule
from core.simulator.policies.auditor.source import Rewrite, Source

_SHELL_ONLY = set("|&;<>*?$`~(){}")
_SUBPROCESS = tuple(f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "Popen"))


def without_shell(rewrite: Rewrite, lines: Lines) -> int:
    """`subprocess` calls: the command as a list, `shell=True` gone."""
    fixed = 0
    for call in rewrite.source.calls(lines, *_SUBPROCESS):
        arguments = argument_list(rewrite.source, call.args[0]) if call.args else None
        if arguments is not None and any(keyword.arg == "shell" for keyword in call.keywords):
            rewrite.replace(call.args[0], arguments)
            rewrite.drop_keyword(call, "shell")
            _need_shlex(rewrite, arguments)
            fixed += 1
    return fixed


def without_system(rewrite: Rewrite, lines: Lines) -> int:
    """`os.system` and `os.popen(...).read()`: the same through `subprocess.run`."""
    fixed = 0
    for call in rewrite.source.calls(lines, "os.system", "os.popen"):
        arguments = argument_list(rewrite.source, call.args[0]) if call.args else None
        if arguments is None:
            continue
        if rewrite.source.qualified(call.func) == "os.system":
            rewrite.replace(call, f"subprocess.run({arguments}, check=False).returncode")
        elif not _replace_popen(rewrite, call, arguments):
            continue
        rewrite.need("subprocess")
        _need_shlex(rewrite, arguments)
        fixed += 1
    return fixed


def argument_list(source: Source, command: ast.expr) -> str | None:
    """Code of the argument list that a command line stands for; None when only a shell can run it."""
    if isinstance(command, ast.Constant) and isinstance(command.value, str):
        return _quoted_words([command.value])
    if isinstance(command, ast.JoinedStr):
        return _quoted_words([_part(value) for value in command.values])
    if _is_join(command):
        return source.code(command.args[0])  # type: ignore[attr-defined]
    return f"shlex.split({source.code(command)})"


def _part(value: ast.expr) -> str | ast.expr:
    if isinstance(value, ast.Constant):
        return str(value.value)
    inner = value.value if isinstance(value, ast.FormattedValue) else value
    is_quote = isinstance(inner, ast.Call) and ast.unparse(inner.func) in ("shlex.quote", "quote") and inner.args
    return inner.args[0] if is_quote else inner  # type: ignore[attr-defined]


def _quoted_words(parts: list[str | ast.expr]) -> str | None:
    """Split literal text at blanks outside quotes; each word becomes a string, an f-string or str(expression)."""
    words: list[list[str | ast.expr]] = []
    quote, fresh = "", True
    for part in parts:
        for item in part if isinstance(part, str) else [part]:
            if isinstance(item, str) and (item == quote or (not quote and item in "'\"")):
                quote = "" if quote else item
            elif isinstance(item, str) and item.isspace() and not quote:
                fresh = True
            elif isinstance(item, str) and item in _SHELL_ONLY and not quote:
                return None
            else:
                words.extend([[]] if fresh else [])
                words[-1].append(item)
                fresh = False
    return None if quote else f"[{', '.join(map(_word, words))}]"


def _word(items: list[str | ast.expr]) -> str:
    if len(items) == 1 and isinstance(items[0], ast.expr):
        return f"str({ast.unparse(items[0])})"
    if all(isinstance(item, str) for item in items):
        return '"' + "".join(map(str, items)).replace("\\", "\\\\").replace('"', '\\"') + '"'
    literal: list[ast.expr] = [ast.Constant(i) if isinstance(i, str) else ast.FormattedValue(i, -1) for i in items]
    return ast.unparse(ast.JoinedStr(literal))


def _is_join(command: ast.expr) -> bool:
    return (
        isinstance(command, ast.Call)
        and isinstance(command.func, ast.Attribute)
        and command.func.attr == "join"
        and isinstance(command.func.value, ast.Constant)
        and command.func.value.value == " "
        and len(command.args) == 1
    )


def _replace_popen(rewrite: Rewrite, call: ast.Call, arguments: str) -> bool:
    read = rewrite.source.parent(call)
    whole = rewrite.source.parent(read) if read else None
    if not (isinstance(read, ast.Attribute) and read.attr == "read" and isinstance(whole, ast.Call)):
        return False
    rewrite.replace(whole, f"subprocess.run({arguments}, capture_output=True, text=True, check=False).stdout")
    return True


def _need_shlex(rewrite: Rewrite, arguments: str) -> None:
    if shlex.__name__ in arguments:
        rewrite.need(shlex.__name__)


_STAYS = "the command is a shell pipeline by design; without a shell it does something else"

RULES = {
    "B602": Rule(
        "shell=True", (Option("the command runs as an argument list, without a shell", without_shell),), _STAYS
    ),
    "B605": Rule("os.system", (Option("os.system gave way to subprocess with a list", without_system),), _STAYS),
}
