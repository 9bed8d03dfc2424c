"""Whether an expression depends on what a caller gave: the parameters of its function, unless something cleans them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from core.simulator.policies.auditor.source import Source

CLEANING = frozenset(
    (
        *("int", "float", "bool", "len", "round", "shlex.quote", "html.escape", "os.path.basename", "pickle.dumps"),
        *("urllib.parse.quote", "hashlib.sha256", "id", "ord"),
    )
)
"""Calls whose result a caller does not choose freely."""
_ROUNDS = 3


class Taint:
    """What of one function's names its caller decides."""

    def __init__(self, source: Source, function: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._source = source
        arguments = function.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        self.names = {argument.arg for argument in every if argument.arg not in ("self", "cls")}
        for _ in range(_ROUNDS):
            for target, value in _bindings(function):
                if self.reaches(value):
                    self.names |= _bound(target)

    def reaches(self, node: ast.AST | None) -> bool:
        """Whether the caller can put words of its own into this expression."""
        match node:
            case None | ast.Constant():
                return False
            case ast.Name():
                return node.id in self.names
            case ast.Call():
                return self._call(node)
            case ast.Subscript(value=ast.Name(id=name)) if name.isupper():
                return False
            case ast.GeneratorExp() | ast.ListComp() | ast.SetComp():
                return self._comprehended(node)
        return any(self.reaches(child) for child in ast.iter_child_nodes(node))

    def _call(self, call: ast.Call) -> bool:
        if self._source.qualified(call.func) in CLEANING:
            return False
        owner = call.func.value if isinstance(call.func, ast.Attribute) else None
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        return self.reaches(owner) or any(map(self.reaches, given))

    def _comprehended(self, node: ast.GeneratorExp | ast.ListComp | ast.SetComp) -> bool:
        before = set(self.names)
        for part in node.generators:
            if self.reaches(part.iter):
                self.names |= _bound(part.target)
        reached = self.reaches(node.elt)
        self.names = before
        return reached


def functions(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a module, methods too."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _bindings(function: ast.AST) -> Iterator[tuple[ast.expr, ast.expr | None]]:
    for node in ast.walk(function):
        match node:
            case ast.Assign():
                yield from ((target, node.value) for target in node.targets)
            case ast.AnnAssign() | ast.AugAssign() | ast.NamedExpr():
                yield node.target, node.value
            case ast.For() | ast.AsyncFor():
                yield node.target, node.iter
            case ast.With() | ast.AsyncWith():
                yield from ((item.optional_vars, item.context_expr) for item in node.items if item.optional_vars)


def _bound(target: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}
