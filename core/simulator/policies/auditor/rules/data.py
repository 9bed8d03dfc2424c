"""Repairs of how data is stored and asked for: pickle and SQL."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from core.simulator.policies.auditor.rules.base import Lines, Option, Rule
from core.simulator.policies.auditor.source import Rewrite, Source, defining

RESTRICTED = '''
class _PlainUnpickler(pickle.Unpickler):
    """Restores plain containers, strings and numbers; refuses every class."""

    def find_class(self, module, name):
        raise pickle.UnpicklingError(f"{module}.{name} is not allowed in this file")
'''

_IDENTIFIER_NEXT = re.compile(r"\b(from|into|update|table|join|by|index|set|select|where|and|or|asc|desc)\s*$", re.I)
_PARAMETER_NEXT = re.compile(r"([=<>(,]|\blike|\blimit|\boffset|\bvalues|\bbetween|\band)\s*$", re.I)


def as_json(rewrite: Rewrite, lines: Lines) -> int:
    """pickle gives way to json everywhere in the module, since writers and readers have to agree."""
    source = rewrite.source
    calls = [call for call in ast.walk(source.tree) if isinstance(call, ast.Call) and _pickles(source, call)]
    for call in calls:
        name = source.qualified(call.func).removeprefix("pickle.")
        value = source.code(call.args[0])
        if name == "dumps":
            rewrite.replace(call, f"json.dumps({value}).encode()")
        elif name == "dump":
            rewrite.replace(call, f"json.dump({value}, {source.code(call.args[1])})")
        else:
            rewrite.replace(call, f"json.{name}({value})")
        _open_as_text(rewrite, call)
    if calls:
        rewrite.need("json")
    return len(calls) and len(lines)


def restricted(rewrite: Rewrite, lines: Lines) -> int:
    calls = rewrite.source.calls(lines, "pickle.load", "pickle.loads")
    for call in calls:
        stream = rewrite.source.code(call.args[0])
        if rewrite.source.qualified(call.func) == "pickle.loads":
            stream = f"io.BytesIO({stream})"
            rewrite.need("io")
        rewrite.replace(call, f"_PlainUnpickler({stream}).load()")
        rewrite.need("pickle")
    return len(calls)


def parameters(rewrite: Rewrite, lines: Lines) -> int:
    """SQL put together from strings: values become parameters of the execute call."""
    fixed = 0
    for query in _queries(rewrite.source, lines):
        execute = _execution(rewrite.source, query)
        built = _parameterised(text_parts(query), _placeholder(rewrite.source))
        if execute is None or built is None:
            continue
        sql, values = built
        arguments = f"({', '.join(values)}{',' if len(values) == 1 else ''})"
        if query is execute.args[0]:
            rewrite.replace(query, f"{sql}, {arguments}")
        else:
            rewrite.replace(query, sql)
            rewrite.insert_after(execute.args[0], f", {arguments}")
        fixed += 1
    return fixed


def _pickles(source: Source, call: ast.Call) -> bool:
    return source.qualified(call.func) in ("pickle.load", "pickle.loads", "pickle.dump", "pickle.dumps")


def _open_as_text(rewrite: Rewrite, call: ast.Call) -> None:
    """The binary mode of the `with open(...)` around a call becomes the text mode."""
    withs = [above for above in rewrite.source.ancestors(call) if isinstance(above, ast.With)]
    for opened in [item.context_expr for above in withs for item in above.items]:
        for argument in opened.args if isinstance(opened, ast.Call) else []:
            if isinstance(argument, ast.Constant) and argument.value in ("rb", "wb"):
                rewrite.replace(argument, f'"{str(argument.value)[0]}", encoding="utf-8"')


def _queries(source: Source, lines: Lines) -> list[ast.expr]:
    """The outermost string-building expressions on the lines."""
    found: list[ast.expr] = []
    for node in source.touching(ast.expr, lines):
        if not (isinstance(node, ast.JoinedStr | ast.BinOp) or _is_format(node)) or not says_sql(node):
            continue
        if not any(above in found for above in source.ancestors(node)):
            found.append(node)
    return found


def _is_format(node: ast.AST) -> bool:
    is_method = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format"
    return is_method and isinstance(node.func.value, ast.Constant)  # type: ignore[attr-defined]


def says_sql(node: ast.AST) -> bool:
    words = " ".join(str(part.value) for part in ast.walk(node) if isinstance(part, ast.Constant))
    return re.search(r"\b(select|insert|update|delete)\b", words, re.I) is not None


def _execution(source: Source, query: ast.expr) -> ast.Call | None:
    """The one `execute(query)` without parameters that gets the string, directly or by a name of the same function."""
    parent = source.parent(query)
    if isinstance(parent, ast.Call):
        return parent if _executes(parent) and parent.args[0] is query else None
    if not (isinstance(parent, ast.Assign) and len(parent.targets) == 1 and isinstance(parent.targets[0], ast.Name)):
        return None
    name = parent.targets[0].id
    uses = [node for node in ast.walk(source.scope(query)) if isinstance(node, ast.Name) and node.id == name]
    calls = [source.parent(use) for use in uses if isinstance(use.ctx, ast.Load)]
    call = calls[0] if len(calls) == 1 and len(uses) == 2 else None
    return call if isinstance(call, ast.Call) and _executes(call) else None


def _executes(call: ast.Call) -> bool:
    is_execute = isinstance(call.func, ast.Attribute) and call.func.attr == "execute"
    return is_execute and len(call.args) == 1 and not call.keywords


def text_parts(query: ast.expr) -> list[str | ast.expr] | None:
    """The string as literal texts and expressions in order."""
    if isinstance(query, ast.Constant):
        return [str(query.value)]
    if isinstance(query, ast.JoinedStr):
        return [_literal_or_value(value) for value in query.values]
    if isinstance(query, ast.BinOp) and isinstance(query.op, ast.Add):
        left, right = text_parts(query.left), text_parts(query.right)
        return left + right if left is not None and right is not None else None
    if isinstance(query, ast.BinOp) and isinstance(query.op, ast.Mod) and isinstance(query.left, ast.Constant):
        values = query.right.elts if isinstance(query.right, ast.Tuple) else [query.right]
        return _interleave(re.split(r"%[sd]", str(query.left.value)), values)
    if _is_format(query):
        return _interleave(str(query.func.value.value).split("{}"), query.args)  # type: ignore[attr-defined]
    is_str = isinstance(query, ast.Call) and ast.unparse(query.func) == "str" and len(query.args) == 1
    return [query.args[0] if is_str else query]  # type: ignore[attr-defined]


def _literal_or_value(value: ast.expr) -> str | ast.expr:
    if isinstance(value, ast.Constant):
        return str(value.value)
    plain = isinstance(value, ast.FormattedValue) and value.conversion == -1 and value.format_spec is None
    return value.value if plain else value  # type: ignore[attr-defined]


def _interleave(texts: Sequence[str], values: Sequence[ast.expr]) -> list[str | ast.expr] | None:
    if len(texts) != len(values) + 1:
        return None
    parts: list[str | ast.expr] = [texts[0]]
    for value, text in zip(values, texts[1:], strict=True):
        parts += [value, text]
    return parts


def _parameterised(parts: list[str | ast.expr] | None, placeholder: str) -> tuple[str, list[str]] | None:
    """SQL with placeholders as code, and the code of the values; None where a value is not a value to SQL."""
    if parts is None:
        return None
    sql, values = "", []
    rest = list(parts)
    while rest:
        part = rest.pop(0)
        if isinstance(part, str):
            sql += part
            continue
        before, after = _quoted_around(sql, rest)
        value = ast.unparse(part)
        if before is not None:
            sql = sql[: len(sql) - len(before) - 1]
            rest[0] = str(rest[0])[len(after) + 1 :]
            value = f'f"{before}{{{value}}}{after}"' if before or after else value
        if "join(" in value:
            return None
        if not _PARAMETER_NEXT.search(sql):
            return None
        sql += placeholder
        values.append(value)
    return (_string(sql), values) if values else None


def _quoted_around(sql: str, rest: list[str | ast.expr]) -> tuple[str | None, str]:
    """What stands between the value and the quotes around it; (None, "") when it is not quoted."""
    if sql.count("'") % 2 == 0 or not rest or not isinstance(rest[0], str) or "'" not in rest[0]:
        return None, ""
    return sql[sql.rindex("'") + 1 :], rest[0][: rest[0].index("'")]


def _string(text: str) -> str:
    escaped = text.replace("\\", "\\\\")
    return f'"""{escaped}"""' if "\n" in text else '"' + escaped.replace('"', '\\"') + '"'


def _placeholder(source: Source) -> str:
    return "%s" if re.search(r"^\s*(import|from) (psycopg|pymysql|MySQLdb)", source.text, re.M) else "?"


_PICKLE = Rule(
    "pickle",
    (
        Option("pickle gave way to JSON", as_json),
        Option(
            "unpickling refuses every class",
            restricted,
            defining(RESTRICTED, "pickle"),
        ),
    ),
    "what is stored needs pickle",
)

RULES = {
    "B301": _PICKLE,
    "B403": Rule("import of pickle", (), "the module still needs pickle, restricted to plain data"),
    "B608": Rule(
        "SQL from strings",
        (Option("values are passed to SQL as parameters", parameters),),
        "names of tables and columns can't be parameters",
    ),
}
