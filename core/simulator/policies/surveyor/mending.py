"""Repairs for what no scanner knows: paths that lead out, markup, addresses, comparisons."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable

from core.simulator.policies.auditor.rules.base import Change, Lines
from core.simulator.policies.auditor.source import Rewrite
from core.simulator.policies.surveyor.finding import joins, raw_parts
from core.simulator.policies.surveyor.taint import Taint, functions


def kept_inside(rewrite: Rewrite, lines: Lines) -> int:
    """Where a folder is joined with a name, the outcome has to lie in the folder."""
    done, source = 0, rewrite.source
    for function in functions(source):
        for node in joins(source, function, Taint(source, function)):
            if node.lineno not in lines:  # type: ignore[attr-defined]
                continue
            code = source.code(node)
            if isinstance(node, ast.Call):
                folder = source.code(node.args[0])
                made, inside = f"os.path.realpath({code})", f"startswith(os.path.realpath({folder}) + os.sep)"
                rewrite.need("os")
            elif isinstance(node, ast.BinOp):
                made, inside = f"({code}).resolve()", f"is_relative_to(({source.code(node.left)}).resolve())"
            check = [f"inside = {made}", f"if not inside.{inside}:", '    raise ValueError("outside of its folder")']
            rewrite.insert_before(source.statement(node), check)
            rewrite.replace(node, "inside")
            done += 1
    return done


def escaped(wrapped: str) -> Change:
    """Every value in a text with markup is escaped; `wrapped` is the code around it, `{}` being the value."""

    def change(rewrite: Rewrite, lines: Lines) -> int:
        done, source = 0, rewrite.source
        for node in source.touching(ast.JoinedStr, lines):
            rewrite.replace(node, ast.unparse(_with_values(node, wrapped)))
            done += 1
        for sum_ in source.touching(ast.BinOp, lines):
            if not any(isinstance(above, ast.BinOp) for above in source.ancestors(sum_)):
                done += _each_part(rewrite, sum_, wrapped)
        rewrite.need("html")
        return done

    return change


def _with_values(node: ast.JoinedStr, wrapped: str) -> ast.JoinedStr:
    text = copy.deepcopy(node)
    for value in text.values:
        if isinstance(value, ast.FormattedValue):
            value.value = ast.parse(wrapped.format(ast.unparse(value.value)), mode="eval").body
    return text


def _each_part(rewrite: Rewrite, node: ast.BinOp, wrapped: str) -> int:
    done = 0
    for part in raw_parts(node):
        inner = rewrite.source.parent(part)
        is_text = isinstance(inner, ast.Call) and ast.unparse(inner.func) == "str"
        rewrite.replace(inner if is_text and inner else part, wrapped.format(ast.unparse(inner if is_text else part)))  # type: ignore[arg-type]
        done += 1
    return done


def ours_alone(rewrite: Rewrite, lines: Lines) -> int:
    """An address is ours when it is a path of this host, or when its host is ours."""
    done, source = 0, rewrite.source
    for call in source.touching(ast.Call, lines):
        if isinstance(call.func, ast.Attribute) and call.func.attr == "startswith":
            subject = source.code(call.func.value)
            rewrite.replace(call, f'({source.code(call)} and not {subject}.startswith(("//", "/\\\\")))')
            done += 1
    for node in source.touching(ast.Compare, lines):
        if isinstance(node.ops[0], ast.In):
            url, host = source.code(node.comparators[0]), source.code(node.left)
            rewrite.replace(node, f"urllib.parse.urlsplit({url}).hostname == {host}")
            rewrite.need("urllib.parse")
            done += 1
    return done


def steadily(side: Callable[[str], str]) -> Change:
    """Secrets are compared by a function that takes as long whatever they are; `side` is the code of each."""

    def change(rewrite: Rewrite, lines: Lines) -> int:
        done = 0
        for node in rewrite.source.touching(ast.Compare, lines):
            if isinstance(node.ops[0], ast.Eq | ast.NotEq):
                left, right = (side(rewrite.source.code(part)) for part in (node.left, node.comparators[0]))
                negated = "not " if isinstance(node.ops[0], ast.NotEq) else ""
                rewrite.replace(node, f"{negated}hmac.compare_digest({left}, {right})")
                rewrite.need("hmac")
                done += 1
        return done

    return change
