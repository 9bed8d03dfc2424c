"""Repairs for text that is evaluated: expressions by a small evaluator, settings by a reader of plain assignments."""

from __future__ import annotations

import ast

from core.simulator.policies.auditor.rules.base import Lines, Option
from core.simulator.policies.auditor.source import Rewrite, defining

EVALUATOR = '''
def _reckon(expression, *scopes):
    """The value of an expression of plain values and the names of the scopes; nothing is called, no attribute read."""
    names = {name: value for scope in scopes for name, value in (scope or {}).items() if name != "__builtins__"}
    binary = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
              ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Eq: operator.eq, ast.NotEq: operator.ne,
              ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
              ast.Is: operator.is_, ast.IsNot: operator.is_not,
              ast.In: lambda one, many: one in many, ast.NotIn: lambda one, many: one not in many}
    unary = {ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Not: operator.not_}

    def value(node):
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name) and node.id in names:
            return names[node.id]
        if isinstance(node, ast.BinOp) and type(node.op) in binary:
            return binary[type(node.op)](value(node.left), value(node.right))
        if isinstance(node, ast.UnaryOp) and type(node.op) in unary:
            return unary[type(node.op)](value(node.operand))
        if isinstance(node, ast.BoolOp):
            found = value(node.values[0])
            for part in node.values[1:]:
                if bool(found) == isinstance(node.op, ast.Or):
                    break
                found = value(part)
            return found
        if isinstance(node, ast.Compare):
            sides = [value(side) for side in (node.left, *node.comparators)]
            return all(binary[type(op)](*pair) for op, pair in zip(node.ops, zip(sides, sides[1:])))
        if isinstance(node, ast.IfExp):
            return value(node.body if value(node.test) else node.orelse)
        if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
            kind = {ast.Tuple: tuple, ast.List: list, ast.Set: set}[type(node)]
            return kind(value(part) for part in node.elts)
        if isinstance(node, ast.Dict):
            return {value(key): value(part) for key, part in zip(node.keys, node.values)}
        if isinstance(node, ast.Subscript):
            return value(node.value)[value(node.slice)]
        raise ValueError(f"{ast.unparse(node)} is not allowed here")

    return value(ast.parse(expression.strip(), mode="eval").body)
'''
READER = '''
def _assigned(text, *scopes):
    """Put what a text of plain assignments assigns into the last scope; nothing of it is run."""
    for statement in ast.parse(text).body:
        if not isinstance(statement, ast.Assign) or not all(isinstance(name, ast.Name) for name in statement.targets):
            raise ValueError(f"{ast.unparse(statement)} is not allowed here")
        for name in statement.targets:
            scopes[-1][name.id] = ast.literal_eval(statement.value)
'''


def _reckoned(rewrite: Rewrite, lines: Lines) -> int:
    """Where no scope is given an expression sees the names of its function."""
    return _handed_on(rewrite, lines, "eval", "_reckon", "locals()")


def _read(rewrite: Rewrite, lines: Lines) -> int:
    return _handed_on(rewrite, lines, "exec", "_assigned", "")


def _handed_on(rewrite: Rewrite, lines: Lines, old: str, new: str, scope: str) -> int:
    """Calls of `old` become calls of `new` with the same text and scopes; without one they get `scope`, if any."""
    source, done = rewrite.source, 0
    for call in source.calls(lines, old):
        scopes = [source.code(part) for part in (*call.args[1:], *(keyword.value for keyword in call.keywords))]
        scopes = [code for code in scopes if code != "None"] or [scope]
        if not call.args or isinstance(call.args[0], ast.Starred) or not scopes[0]:
            continue
        rewrite.replace(call, f"{new}({', '.join((source.code(call.args[0]), *scopes))})")
        done += 1
    return done


OPTIONS = (
    Option(
        "eval gave way to an evaluator that calls nothing",
        _reckoned,
        defining(EVALUATOR, "ast", "operator"),
    ),
    Option(
        "exec gave way to a reader of plain assignments",
        _read,
        defining(READER, "ast"),
    ),
)
