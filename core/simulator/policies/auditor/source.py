"""Python source that is changed at places of its syntax tree, everything else staying byte for byte."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterator
from typing import TypeVar

Node = TypeVar("Node", bound=ast.AST)


class Source:
    """A module's text with its tree. Raises SyntaxError when it can't be parsed."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tree = ast.parse(text)
        self.data = text.encode()
        self._starts = [0]
        for line in self.data.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._parents = {child: parent for parent in ast.walk(self.tree) for child in ast.iter_child_nodes(parent)}
        self._names = dict(_imported_names(self.tree))

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Byte offsets of a node."""
        start = self._starts[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined]
        return start, self._starts[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined]

    def code(self, node: ast.AST) -> str:
        start, end = self.span(node)
        return self.data[start:end].decode()

    def line_start(self, line: int) -> int:
        """Byte offset at which a line (counted from 1) begins."""
        return self._starts[line - 1]

    def indent(self, statement: ast.stmt) -> str:
        start = self.span(statement)[0]
        line = self.data[self.line_start(statement.lineno) : start].decode()
        return re.match(r"\s*", line).group()  # type: ignore[union-attr]

    def touching(self, kind: type[Node], lines: Collection[int]) -> list[Node]:
        """Nodes of a kind that lie on one of the lines, outermost first."""
        return [
            node
            for node in ast.walk(self.tree)
            if isinstance(node, kind) and any(node.lineno <= line <= node.end_lineno for line in lines)  # type: ignore[attr-defined]
        ]

    def parent(self, node: ast.AST) -> ast.AST | None:
        return self._parents.get(node)

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        above = self._parents.get(node)
        while above is not None:
            yield above
            above = self._parents.get(above)

    def statement(self, node: ast.AST) -> ast.stmt:
        """The statement that a node is part of."""
        return next(above for above in (node, *self.ancestors(node)) if isinstance(above, ast.stmt))

    def scope(self, node: ast.AST) -> ast.AST:
        """The function around a node, or the module."""
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Module)
        return next(above for above in self.ancestors(node) if isinstance(above, kinds))

    def qualified(self, node: ast.AST) -> str:
        """The dotted name behind an expression, imports resolved (`np.load` is `numpy.load`); "" for others."""
        if isinstance(node, ast.Name):
            return self._names.get(node.id, node.id)
        if isinstance(node, ast.Attribute) and (owner := self.qualified(node.value)):
            return f"{owner}.{node.attr}"
        return ""

    def calls(self, lines: Collection[int], *names: str) -> list[ast.Call]:
        """Calls on the lines whose function has one of the dotted names."""
        return [call for call in self.touching(ast.Call, lines) if self.qualified(call.func) in names]


class Rewrite:
    """Changes collected against one source; `text()` is the outcome."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._changes: list[tuple[int, int, str]] = []
        self._imports: set[str] = set()

    def replace(self, node: ast.AST, text: str) -> None:
        self.replace_span(*self.source.span(node), text)

    def replace_span(self, start: int, end: int, text: str) -> None:
        """Changes inside an earlier one are dropped."""
        if not any(start < other_end and other_start < end for other_start, other_end, _ in self._changes):
            self._changes.append((start, end, text))

    def insert_before(self, statement: ast.stmt, lines: list[str]) -> None:
        """New lines with the indentation of the statement, above it."""
        indent = self.source.indent(statement)
        start = self.source.line_start(_first_line(statement))
        self._changes.append((start, start, "".join(f"{indent}{line}\n" if line else "\n" for line in lines)))

    def insert_after(self, node: ast.AST, text: str) -> None:
        end = self.source.span(node)[1]
        self._changes.append((end, end, text))

    def set_keyword(self, call: ast.Call, name: str, value: str) -> None:
        """Give a call the keyword argument, in place of the one it may have."""
        for keyword in call.keywords:
            if keyword.arg == name:
                self.replace(keyword.value, value)
                return
        arguments = [*call.args, *call.keywords]
        if arguments:
            end = max(self.source.span(argument)[1] for argument in arguments)
            self._changes.append((end, end, f", {name}={value}"))
        else:
            end = self.source.span(call)[1] - 1
            self._changes.append((end, end, f"{name}={value}"))

    def drop_keyword(self, call: ast.Call, name: str) -> None:
        arguments = sorted([*call.args, *call.keywords], key=lambda argument: self.source.span(argument))
        for place, argument in enumerate(arguments):
            if isinstance(argument, ast.keyword) and argument.arg == name:
                start, end = self.source.span(argument)
                if place:
                    start = self.source.span(arguments[place - 1])[1]
                elif len(arguments) > 1:
                    end = self.source.span(arguments[1])[0]
                self._changes.append((start, end, ""))

    def need(self, module: str) -> None:
        """Make sure that the module is imported."""
        self._imports.add(module)

    def text(self) -> str:
        data = self.source.data
        for start, end, text in sorted(self._changes, key=lambda change: change[:2], reverse=True):
            data = data[:start] + text.encode() + data[end:]
        changed = data.decode()
        for module in sorted(self._imports):
            changed = add_import(changed, module)
        return drop_unused(changed, self._unused_candidates())

    def _unused_candidates(self) -> set[str]:
        """Imported names that the old text used and this rewrite may have made superfluous."""
        used = {node.id for node in ast.walk(self.source.tree) if isinstance(node, ast.Name)}
        return {name for name, _ in _imported_names(self.source.tree) if name in used}


def add_import(text: str, module: str) -> str:
    """The text with `import module`, put where the imports' order wants it; unchanged when it is there already."""
    tree = ast.parse(text)
    plain = [node for node in tree.body if isinstance(node, ast.Import)]
    if any(alias.name == module and alias.asname is None for node in plain for alias in node.names):
        return text
    lines = text.splitlines(keepends=True)
    later = [node.lineno for node in plain if node.names[0].name > module]
    others = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module != "__future__"]
    new = f"import {module}\n"
    if plain:
        place = later[0] - 1 if later else plain[-1].end_lineno or plain[-1].lineno
    elif others:
        place = others[0].lineno - 1
    else:
        place, new = _after_head(tree), f"\nimport {module}\n" if _after_head(tree) else f"import {module}\n\n"
    return "".join([*lines[:place], new, *lines[place:]])


def drop_unused(text: str, names: Collection[str]) -> str:
    """The text without the module-level imports of those names that nothing uses."""
    tree = ast.parse(text)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    used |= {
        str(node.value) for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    gone = {name for name in names if name not in used}
    lines = text.splitlines(keepends=True)
    for node in reversed(tree.body):
        if isinstance(node, ast.Import | ast.ImportFrom) and any(_bound(alias) in gone for alias in node.names):
            kept = [alias for alias in node.names if _bound(alias) not in gone]
            node.names = kept
            lines[node.lineno - 1 : node.end_lineno] = [ast.unparse(node) + "\n"] if kept else []
    return "".join(lines)


def insert_above_functions(text: str, snippet: str) -> str:
    """The text with a definition put above its first function or class."""
    tree = ast.parse(text)
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    first = next((node for node in tree.body if isinstance(node, kinds)), None)
    if first is None:
        return text.rstrip("\n") + f"\n\n\n{snippet.strip()}\n"
    lines = text.splitlines(keepends=True)
    place = _first_line(first) - 1
    return "".join([*lines[:place], snippet.strip() + "\n\n\n", *lines[place:]])


def defining(snippet: str, *modules: str) -> Callable[[str], str]:
    """Puts a definition above the functions of a text, with the modules that it needs."""

    def finish(text: str) -> str:
        for module in modules:
            text = add_import(text, module)
        return insert_above_functions(text, snippet)

    return finish


def _after_head(tree: ast.Module) -> int:
    """The line after the docstring and `from __future__` imports, where a first import goes."""
    head = 0
    for node in tree.body:
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not is_docstring and not (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
            break
        head = node.end_lineno or node.lineno
    return head


def _first_line(statement: ast.stmt) -> int:
    decorators = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


def _bound(alias: ast.alias) -> str:
    return alias.asname or alias.name.split(".")[0]


def _imported_names(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """(bound name, dotted name) of everything imported anywhere in the module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield _bound(alias), alias.name if alias.asname else _bound(alias)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            for alias in node.names:
                yield _bound(alias), f"{node.module}.{alias.name}"
