"""Repairs of single calls and constants: another function, another argument, another value."""

from __future__ import annotations

import ast
from collections.abc import Callable

from core.simulator.policies.auditor.rules.base import Change, Lines, Option, Rule
from core.simulator.policies.auditor.source import Rewrite, insert_above_functions

_WEAK = ("md4", "md5", "sha", "sha1")
_RANDOM = (
    "random",
    "randint",
    "randrange",
    "choice",
    "choices",
    "sample",
    "uniform",
    "triangular",
    "randbytes",
    "shuffle",
)

ARITHMETIC = '''
def _evaluate(expression):
    """The value of a literal or of arithmetic over numbers; nothing else is allowed."""
    operators = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
                 ast.Div: operator.truediv, ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod,
                 ast.USub: operator.neg, ast.UAdd: operator.pos}

    def value(node):
        if isinstance(node, ast.BinOp) and type(node.op) in operators:
            return operators[type(node.op)](value(node.left), value(node.right))
        if isinstance(node, ast.UnaryOp) and type(node.op) in operators:
            return operators[type(node.op)](value(node.operand))
        return ast.literal_eval(node)

    return value(ast.parse(expression.strip(), mode="eval").body)
'''


def _weak_hashes(rewrite: Rewrite, lines: Lines) -> list[ast.Call]:
    names = [f"hashlib.{name}" for name in (*_WEAK, "new")]
    return rewrite.source.calls(lines, *names)


def stronger_hash(rewrite: Rewrite, lines: Lines) -> int:
    calls = _weak_hashes(rewrite, lines)
    for call in calls:
        if rewrite.source.qualified(call.func) == "hashlib.new":
            rewrite.replace(call.args[0], '"sha256"')
        else:
            rewrite.replace(call.func, "hashlib.sha256")
            rewrite.need("hashlib")
    return len(calls)


def declared_hash(rewrite: Rewrite, lines: Lines) -> int:
    calls = _weak_hashes(rewrite, lines)
    for call in calls:
        rewrite.set_keyword(call, "usedforsecurity", "False")
    return len(calls)


def secure_random(rewrite: Rewrite, lines: Lines) -> int:
    """Not where the module seeds the generator: its numbers are meant to repeat."""
    if any(rewrite.source.qualified(node) == "random.seed" for node in ast.walk(rewrite.source.tree)):
        return 0
    calls = rewrite.source.calls(lines, *(f"random.{name}" for name in _RANDOM))
    for call in calls:
        name = rewrite.source.qualified(call.func).removeprefix("random.")
        better = "secrets.choice" if name == "choice" else f"secrets.SystemRandom().{name}"
        rewrite.replace(call.func, better)
        rewrite.need("secrets")
    return len(calls)


def safe_yaml(rewrite: Rewrite, lines: Lines) -> int:
    calls = rewrite.source.calls(lines, "yaml.load")
    for call in calls:
        stream = rewrite.source.code(call.args[0]) if call.args else ""
        rewrite.replace(call, f"{rewrite.source.code(call.func).removesuffix('load')}safe_load({stream})")
    return len([call for call in calls if isinstance(call.func, ast.Attribute)])


def literal_eval(rewrite: Rewrite, lines: Lines) -> int:
    return _replace_eval(rewrite, lines, "ast.literal_eval", "ast")


def arithmetic_eval(rewrite: Rewrite, lines: Lines) -> int:
    return _replace_eval(rewrite, lines, "_evaluate", "ast", "operator")


def _replace_eval(rewrite: Rewrite, lines: Lines, function: str, *modules: str) -> int:
    calls = [call for call in rewrite.source.calls(lines, "eval") if call.args]
    for call in calls:
        rewrite.replace(call, f"{function}({rewrite.source.code(call.args[0])})")
        for module in modules:
            rewrite.need(module)
    return len(calls)


def checked_certificates(rewrite: Rewrite, lines: Lines) -> int:
    calls = [call for call in rewrite.source.touching(ast.Call, lines) if _keyword(call, "verify") is not None]
    for call in calls:
        rewrite.drop_keyword(call, "verify")
    return len(calls)


def default_context(rewrite: Rewrite, lines: Lines) -> int:
    calls = rewrite.source.calls(lines, "ssl._create_unverified_context")
    for call in calls:
        rewrite.replace(call.func, "ssl.create_default_context")
        rewrite.need("ssl")
    return len(calls)


def safe_extraction(rewrite: Rewrite, lines: Lines) -> int:
    calls = [call for call in rewrite.source.touching(ast.Call, lines) if _method(call) == "extractall"]
    for call in calls:
        rewrite.set_keyword(call, "filter", '"data"')
    return len(calls)


def narrow_mode(others: int) -> Change:
    """Everything for the owner, the given bits for group and others."""

    def change(rewrite: Rewrite, lines: Lines) -> int:
        calls = [call for call in rewrite.source.touching(ast.Call, lines) if _method(call) in ("chmod", "fchmod")]
        modes = [call.args[-1] for call in calls if call.args]
        plain = [mode for mode in modes if isinstance(mode, ast.Constant) and isinstance(mode.value, int)]
        for mode in plain:
            owner = 0o700 if int(str(mode.value)) & 0o111 else 0o600
            rewrite.replace(mode, f"0o{owner | others:o}")
        return len(plain)

    return change


def loopback(rewrite: Rewrite, lines: Lines) -> int:
    return _replace_strings(rewrite, lines, lambda value: value in ("0.0.0.0", "::"), lambda value: '"127.0.0.1"')


def system_temporary(rewrite: Rewrite, lines: Lines) -> int:
    def code(value: str) -> str:
        rewrite.need("os")
        rewrite.need("tempfile")
        name = value.removeprefix("/var").removeprefix("/tmp").removeprefix("/dev/shm").strip("/")
        quoted = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
        return f"os.path.join(tempfile.gettempdir(), {quoted})" if name else "tempfile.gettempdir()"

    return _replace_strings(rewrite, lines, lambda value: value.startswith(("/tmp", "/var/tmp", "/dev/shm")), code)


def made_temporary(rewrite: Rewrite, lines: Lines) -> int:
    calls = rewrite.source.calls(lines, "tempfile.mktemp")
    for call in calls:
        statement = rewrite.source.statement(call)
        arguments = ", ".join(rewrite.source.code(argument) for argument in [*call.args, *call.keywords])
        rewrite.insert_before(statement, [f"handle, temporary = tempfile.mkstemp({arguments})", "os.close(handle)"])
        rewrite.replace(call, "temporary")
        rewrite.need("os")
        rewrite.need("tempfile")
    return len(calls)


def keyword_value(name: str, value: str) -> Change:
    """Set a keyword argument of the flagged calls."""

    def change(rewrite: Rewrite, lines: Lines) -> int:
        calls = rewrite.source.touching(ast.Call, lines)
        flagged = [call for call in calls if call.lineno in lines and isinstance(call.func, ast.Attribute | ast.Name)][
            :1
        ]
        for call in flagged:
            rewrite.set_keyword(call, name, value)
        return len(flagged)

    return change


def _replace_strings(rewrite: Rewrite, lines: Lines, wanted: Callable[[str], bool], code: Callable[[str], str]) -> int:
    constants = [node for node in rewrite.source.touching(ast.Constant, lines) if isinstance(node.value, str)]
    found = [node for node in constants if wanted(str(node.value)) and _stands_alone(rewrite, node)]
    for node in found:
        rewrite.replace(node, code(str(node.value)))
    return len(found)


def _stands_alone(rewrite: Rewrite, node: ast.AST) -> bool:
    return not isinstance(rewrite.source.parent(node), ast.JoinedStr)


def _keyword(call: ast.Call, name: str) -> ast.keyword | None:
    return next((keyword for keyword in call.keywords if keyword.arg == name), None)


def _method(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


_REVIEW = "a person has to look at it"
_HASH = Rule(
    "weak hash",
    (
        Option("the weak hash gave way to SHA-256", stronger_hash),
        Option("the hash is declared as not used for security", declared_hash),
    ),
    "other code depends on this very digest",
)

RULES = {
    "B303": _HASH,
    "B324": _HASH,
    "B311": Rule(
        "predictable random numbers",
        (Option("random numbers come from the system's secure source", secure_random),),
        "the module seeds the generator: its numbers are meant to repeat, not to be secret",
    ),
    "B506": Rule("unsafe YAML", (Option("YAML is loaded by safe_load", safe_yaml),), "needs a loader with types"),
    "B307": Rule(
        "eval",
        (
            Option("eval gave way to ast.literal_eval", literal_eval),
            Option(
                "eval gave way to a small evaluator for literals and arithmetic",
                arithmetic_eval,
                lambda text: insert_above_functions(text, ARITHMETIC),
            ),
        ),
        "the expressions need more than literals and arithmetic",
    ),
    "B501": Rule("unchecked certificates", (Option("certificates are checked", checked_certificates),), _REVIEW),
    "B323": Rule("unchecked certificates", (Option("certificates are checked", default_context),), _REVIEW),
    "B113": Rule("no time-out", (Option("the request has a time-out", keyword_value("timeout", "30")),), _REVIEW),
    "B201": Rule("debug mode", (Option("debug mode is off", keyword_value("debug", "False")),), _REVIEW),
    "B701": Rule("no escaping", (Option("autoescape is on", keyword_value("autoescape", "True")),), _REVIEW),
    "B202": Rule(
        "unchecked archive members",
        (Option("archive members are filtered (PEP 706)", safe_extraction),),
        "the archive needs members that the filter refuses",
    ),
    "B103": Rule(
        "permissive file mode",
        (
            Option("others may read the file, no longer write it", narrow_mode(0o44)),
            Option("the file mode is the owner's alone", narrow_mode(0)),
        ),
        "others have to write or execute this file",
    ),
    "B104": Rule("binding all interfaces", (Option("the default address is loopback", loopback),), "has to be reached"),
    "B108": Rule(
        "fixed path in /tmp",
        (Option("the system is asked for its temporary folder", system_temporary),),
        "the path is part of an interface",
    ),
    "B306": Rule("mktemp", (Option("mktemp gave way to mkstemp", made_temporary),), "only a name is wanted"),
}  # fmt: skip
