"""Repairs of statements: asserts, swallowed errors, passwords in the code."""

from __future__ import annotations

import ast
import re

from core.simulator.policies.auditor.rules.base import Lines, Option, Rule
from core.simulator.policies.auditor.source import Rewrite

_OPPOSITE = {
    ast.Eq: "!=", ast.NotEq: "==", ast.Is: "is not", ast.IsNot: "is", ast.In: "not in", ast.NotIn: "in",
    ast.Lt: ">=", ast.LtE: ">", ast.Gt: "<=", ast.GtE: "<",
}  # fmt: skip


def raising(rewrite: Rewrite, lines: Lines) -> int:
    """`assert` becomes `if not: raise`, which optimised runs keep."""
    found = rewrite.source.touching(ast.Assert, lines)
    for node in found:
        message = rewrite.source.code(node.msg) if node.msg else repr(f"expected: {rewrite.source.code(node.test)}")
        indent = rewrite.source.indent(node)
        code = f"if {_negated(rewrite, node.test)}:\n{indent}    raise AssertionError({message})"
        rewrite.replace(node, code)
    return len(found)


def _negated(rewrite: Rewrite, test: ast.expr) -> str:
    code = rewrite.source.code
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return code(test.operand)
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and type(test.ops[0]) in _OPPOSITE:
        return f"{code(test.left)} {_OPPOSITE[type(test.ops[0])]} {code(test.comparators[0])}"
    simple = isinstance(test, ast.Name | ast.Attribute | ast.Call | ast.Subscript)
    return f"not {code(test)}" if simple else f"not ({code(test)})"


def logged(rewrite: Rewrite, lines: Lines) -> int:
    """A swallowed error is logged before the program goes on as it did."""
    handlers = [node for node in rewrite.source.touching(ast.ExceptHandler, lines) if len(node.body) == 1]
    quiet = [node for node in handlers if isinstance(node.body[0], ast.Pass | ast.Continue)]
    for handler in quiet:
        statement = handler.body[0]
        scope = rewrite.source.scope(handler)
        where = getattr(scope, "name", "this module")
        line = f'{_logger(rewrite)}.warning("an error in {where} was passed over", exc_info=True)'
        if isinstance(statement, ast.Pass):
            rewrite.replace(statement, line)
        else:
            rewrite.insert_before(statement, [line])
    return len(quiet)


def _logger(rewrite: Rewrite) -> str:
    known = re.search(r"^(\w+) = logging\.getLogger\(", rewrite.source.text, re.M)
    if known:
        return known[1]
    rewrite.need("logging")
    return "logging.getLogger(__name__)"


def from_environment(rewrite: Rewrite, lines: Lines) -> int:
    """A password in the code comes from the environment variable of its name."""
    fixed = 0
    for name, value in _secrets(rewrite, lines):
        rewrite.replace(value, f'os.environ.get("{name}", "")')
        rewrite.need("os")
        fixed += 1
    return fixed


def _secrets(rewrite: Rewrite, lines: Lines) -> list[tuple[str, ast.expr]]:
    found: list[tuple[str, ast.expr]] = []
    for node in rewrite.source.touching(ast.Assign, lines) + rewrite.source.touching(ast.AnnAssign, lines):
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        found.append((_name(target), node.value))  # type: ignore[arg-type]
    for call in rewrite.source.touching(ast.Call, lines):
        found += [(keyword.arg or "", keyword.value) for keyword in call.keywords]
    for function in rewrite.source.touching(ast.FunctionDef, lines):
        arguments = function.args.args[len(function.args.args) - len(function.args.defaults) :]
        pairs = list(zip(arguments, function.args.defaults, strict=True))
        found += [(argument.arg, default) for argument, default in pairs if function.lineno in lines]
    return [(name.upper(), value) for name, value in found if _is_secret(name) and _is_text(value)]


def _name(target: ast.expr) -> str:
    if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
        return re.sub(r"\W", "_", str(target.slice.value))
    return getattr(target, "id", getattr(target, "attr", ""))


def _is_secret(name: str) -> bool:
    return re.search(r"pas+wo?r?d|pass(phrase)?$|pwd|token|secrete?", name, re.I) is not None


def _is_text(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


_PASSWORD = Rule(
    "password in the code",
    (Option("the password comes from the environment", from_environment),),
    "the value is not a secret, or other code needs it where it is",
)
_SWALLOWED = Rule("swallowed error", (Option("the error is logged", logged),), "needs a decision by its author")

RULES = {
    "B101": Rule("assert", (Option("the assert became a raise", raising),), "needs a decision by its author"),
    "B105": _PASSWORD,
    "B106": _PASSWORD,
    "B107": _PASSWORD,
    "B110": _SWALLOWED,
    "B112": _SWALLOWED,
}
