"""Where a module is weak: for each kind, the nodes at which what a caller gave reaches something that it must not."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

from core.simulator.policies.auditor.rules.data import says_sql, text_parts
from core.simulator.policies.auditor.source import Source
from core.simulator.policies.surveyor.taint import Taint

Function = ast.FunctionDef | ast.AsyncFunctionDef
Finder = Callable[[Source, Function, Taint], Iterator[ast.AST]]

_SUBPROCESS = tuple(f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "Popen"))
TAG = re.compile(r"</?[a-z][a-z0-9]*[ >=]|</?[a-z]+$", re.I)
_SECRET = re.compile(r"token|secret|signature|password|passw|digest|\bmac\b|seal|api_?key", re.I)
_ABOUT_SECRETS = re.compile(r"token|secret|password|\bcode\b|\bkey\b|session|invit", re.I)
_WEAK = ("md5", "sha1")
_CHECKED = re.compile(r"is_relative_to|commonpath|realpath\([^)]*\)\s*\+|startswith\(os\.path\.(realpath|abspath)")
_FILE_VERBS = ("read_text", "read_bytes", "write_text", "write_bytes", "unlink", "open")


def _calls(source: Source, function: Function, *names: str) -> Iterator[ast.Call]:
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and source.qualified(node.func) in names:
            yield node


def sql(source: Source, function: Function, taint: Taint) -> Iterator[ast.AST]:
    """A statement put together from what the caller gave."""
    for node in ast.walk(function):
        if isinstance(node, ast.JoinedStr | ast.BinOp | ast.Call) and says_sql(node):
            parts = text_parts(node)
            if parts and len(parts) > 1 and any(isinstance(part, ast.expr) and taint.reaches(part) for part in parts):
                yield node


def command(source: Source, function: Function, taint: Taint) -> Iterator[ast.AST]:
    for call in _calls(source, function, *_SUBPROCESS, "os.system", "os.popen"):
        shell = any(keyword.arg == "shell" and ast.unparse(keyword.value) == "True" for keyword in call.keywords)
        direct = source.qualified(call.func) in ("os.system", "os.popen")
        if (shell or direct) and call.args and taint.reaches(call.args[0]):
            yield call


def path(source: Source, function: Function, taint: Taint) -> Iterator[ast.AST]:
    """A folder joined with a name that may lead out of it, where nothing looks at the outcome."""
    text = ast.unparse(function)
    touches = "open(" in text or any(f".{verb}(" in text for verb in _FILE_VERBS)
    if not touches or _CHECKED.search(text) or "namelist(" in text:
        return
    yield from joins(source, function, taint)


def joins(source: Source, function: Function, taint: Taint) -> Iterator[ast.AST]:
    """Expressions that join a folder and a name that the caller gave."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and source.qualified(node.func) == "os.path.join":
            if any(map(taint.reaches, node.args[1:])):
                yield node
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and "Path(" in ast.unparse(node.left):
            yield from [node] if taint.reaches(node.right) else []


def archive(source: Source, function: Function, taint: Taint) -> Iterator[ast.AST]:
    text = ast.unparse(function)
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "extractall":
            chosen = next((ast.unparse(keyword.value) for keyword in node.keywords if keyword.arg == "filter"), "")
            if chosen not in ("'data'", "'tar'"):
                yield node
    if "namelist(" in text and ".read(" in text and not _CHECKED.search(text):
        yield from joins(source, function, taint)


def unpickled(source: Source, function: Function, taint: Taint) -> Iterator[ast.AST]:
    names = ("pickle.load", "pickle.loads", "pickle.Unpickler", "marshal.loads", "marshal.load")
    for call in _calls(source, function, *names):
        if call.args and taint.reaches(call.args[0]):
            yield call


def evaluated(source: Source, function: Function, taint: Taint) -> Iterator[ast.AST]:
    for call in _calls(source, function, "eval", "exec"):
        if call.args and taint.reaches(call.args[0]):
            yield call


def chance(source: Source, function: Function, taint: Taint) -> Iterator[ast.AST]:
    """Numbers that can be foretold, where the function says that something secret is made of them."""
    about = f"{function.name.replace('_', ' ')} {ast.get_docstring(function) or ''}"
    if not _ABOUT_SECRETS.search(about):
        return
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and source.qualified(node.func).startswith("random."):
            yield node


def weak_digest(source: Source, function: Function, taint: Taint) -> Iterator[ast.AST]:
    for call in _calls(source, function, *(f"hashlib.{name}" for name in (*_WEAK, "new"))):
        declared = any(keyword.arg == "usedforsecurity" for keyword in call.keywords)
        named = source.qualified(call.func) != "hashlib.new" or _constant(call.args[:1]) in _WEAK
        if named and not declared:
            yield call


def markup(source: Source, function: Function, taint: Taint) -> Iterator[ast.AST]:
    """Markup around what the caller gave as it came; a name that itself holds markup is no such thing."""
    built = markup_names(function)
    for node in ast.walk(function):
        if not isinstance(node, ast.JoinedStr | ast.BinOp) or _inside_text(source, node):
            continue
        tagged = any(isinstance(part, str) and TAG.search(part) for part in text_parts(node) or ())
        if tagged and any(taint.reaches(part) and ast.unparse(part) not in built for part in raw_parts(node)):
            yield node


def markup_names(function: ast.AST) -> set[str]:
    """Names that a function builds markup in."""
    bound = [node for node in ast.walk(function) if isinstance(node, ast.Assign | ast.AugAssign)]
    tagged = [node for node in bound if TAG.search(ast.unparse(node.value))]
    targets = [
        target for node in tagged for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    ]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def raw_parts(node: ast.AST) -> list[ast.expr]:
    """The expressions of a text that is put together."""
    if isinstance(node, ast.JoinedStr):
        return [value.value for value in node.values if isinstance(value, ast.FormattedValue)]
    return [part for part in text_parts(node) or () if isinstance(part, ast.expr)]  # type: ignore[arg-type]


def _inside_text(source: Source, node: ast.AST) -> bool:
    return any(isinstance(above, ast.JoinedStr | ast.BinOp) for above in source.ancestors(node))


def forwarded(source: Source, function: Function, taint: Taint) -> Iterator[ast.AST]:
    """An address of the caller's that is taken for ours by how it begins, or by a name somewhere in it."""
    returned = {ast.unparse(node.value) for node in ast.walk(function) if isinstance(node, ast.Return) and node.value}
    text = ast.unparse(function)
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "startswith":
            subject, start = node.func.value, _constant(node.args)
            if start == "/" and taint.reaches(subject) and ast.unparse(subject) in returned and "'//'" not in text:
                yield node
        elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In):
            subject = node.comparators[0]
            host = re.search(r"HOST|DOMAIN|\w\.\w", ast.unparse(node.left))
            if host and taint.reaches(subject) and ast.unparse(subject) in returned:
                yield node


def compared(source: Source, function: Function, taint: Taint) -> Iterator[ast.AST]:
    """Secrets compared letter by letter."""
    for node in ast.walk(function):
        if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], ast.Eq | ast.NotEq) or len(node.ops) > 1:
            continue
        sides = (node.left, node.comparators[0])
        plain = all(isinstance(side, ast.Name | ast.Attribute) for side in sides)
        if plain and any(_SECRET.search(ast.unparse(side)) for side in sides):
            yield node


def open_mode(source: Source, function: Function, taint: Taint) -> Iterator[ast.AST]:
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "chmod":
            mode = node.args[-1] if node.args else None
            if isinstance(mode, ast.Constant) and isinstance(mode.value, int) and mode.value & 0o022:
                yield node


def _constant(nodes: list[ast.expr]) -> object:
    return nodes[0].value if nodes and isinstance(nodes[0], ast.Constant) else None
