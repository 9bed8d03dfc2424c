"""Escaping values in markup that is put together: in formatted texts, in sums, in lists that are joined in them."""

from __future__ import annotations

import ast

from core.simulator.policies.surveyor.finding import TAG

_SAFE = ("html.escape", "escape")


class Escaping(ast.NodeTransformer):
    """Wraps values in `wrapped` (`{}` is the value's code). What is markup itself stays: texts with tags, the names
    in `built` that hold such texts, and what is escaped already; values inside of them are wrapped in their place."""

    def __init__(self, wrapped: str, built: set[str]) -> None:
        self._wrapped, self._built = wrapped, built

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.AST:
        if node.format_spec is None:
            node.value = self._value(node.value)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        if isinstance(node.op, ast.Add) and _is_text(node):
            node.left, node.right = self._value(node.left), self._value(node.right)
        elif isinstance(node.op, ast.Mod) and _is_text(node.left):
            values = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
            wrapped = [self._value(value) for value in values]
            node.right = ast.Tuple(wrapped, ast.Load()) if isinstance(node.right, ast.Tuple) else wrapped[0]
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """`"<b>{}</b>".format(...)`, or whatever holds markup further inside."""
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr == "format" and _is_text(function.value):
            node.args = [self._value(value) for value in node.args]
            for keyword in node.keywords:
                keyword.value = self._value(keyword.value)
            return node
        return self.generic_visit(node)

    def _value(self, value: ast.expr) -> ast.expr:
        if isinstance(value, ast.Constant) or (isinstance(value, ast.Name) and value.id in self._built):
            return value
        if isinstance(value, ast.Call) and ast.unparse(value.func) in _SAFE:
            return value
        if _is_text(value) or _holds_markup(value):
            return self.visit(value)
        return ast.parse(self._wrapped.format(self._bare(value)), mode="eval").body

    def _bare(self, value: ast.expr) -> str:
        """The value's code, without a `str()` where the wrapping has one."""
        is_str = isinstance(value, ast.Call) and ast.unparse(value.func) == "str" and len(value.args) == 1
        return ast.unparse(value.args[0] if is_str and "str(" in self._wrapped else value)  # type: ignore[attr-defined]


def _is_text(node: ast.AST) -> bool:
    """Whether it is a text that is put together in this place."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
        return _is_text(node.left) or (isinstance(node.op, ast.Add) and _is_text(node.right))
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _holds_markup(node: ast.AST) -> bool:
    texts = (part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str))
    return any(TAG.search(text) for text in texts)
