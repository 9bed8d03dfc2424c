"""Repairs for what no scanner knows: paths that lead out, markup, addresses, comparisons."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable

from core.simulator.policies.auditor.rules.base import Change, Lines
from core.simulator.policies.auditor.source import Rewrite
from core.simulator.policies.surveyor.escaping import Escaping
from core.simulator.policies.surveyor.finding import joins, markup_names
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


def secure_numbers(rewrite: Rewrite, lines: Lines) -> int:
    """Numbers, and generators of numbers, come from the system; a seed has no meaning there."""
    calls = [call for call in rewrite.source.touching(ast.Call, lines) if _is_random(rewrite, call)]
    for call in calls:
        name = rewrite.source.qualified(call.func).removeprefix("random.")
        if name == "Random":
            rewrite.replace(call, "secrets.SystemRandom()")
        else:
            rewrite.replace(call.func, f"secrets.SystemRandom().{name}")
        rewrite.need("secrets")
    return len(calls)


def _is_random(rewrite: Rewrite, call: ast.Call) -> bool:
    module, _, name = rewrite.source.qualified(call.func).rpartition(".")
    return module == "random" and name not in ("SystemRandom", "seed")


OWN_CLASSES = '''
class _OwnUnpickler(pickle.Unpickler):
    """Restores plain values, dates, decimals and the classes of this module; refuses everything else."""

    plain = {("datetime", "date"), ("datetime", "datetime"), ("datetime", "time"), ("datetime", "timedelta"),
             ("decimal", "Decimal"), ("collections", "OrderedDict"), ("collections", "deque")}

    def find_class(self, module, name):
        found = globals().get(name) if module == __name__ else None
        if (module, name) in self.plain:
            found = super().find_class(module, name)
        if not isinstance(found, type):
            raise pickle.UnpicklingError(f"{module}.{name} is not allowed here")
        return found
'''


def own_classes(rewrite: Rewrite, lines: Lines) -> int:
    """Whatever reads pickles on these lines takes plain values, and classes of the module itself."""
    source, done = rewrite.source, 0
    for call in source.calls(lines, "pickle.loads", "pickle.load", "pickle.Unpickler"):
        name, stream = source.qualified(call.func), source.code(call.args[0]) if call.args else ""
        if name == "pickle.Unpickler":
            rewrite.replace(call.func, "_OwnUnpickler")
        elif stream:
            stream = f"io.BytesIO({stream})" if name == "pickle.loads" else stream
            rewrite.replace(call, f"_OwnUnpickler({stream}).load()")
            rewrite.need("io")
        done += 1
    return done


def escaped(wrapped: str) -> Change:
    """Every value in a text with markup is escaped; `wrapped` is the code around it, `{}` being the value."""

    def change(rewrite: Rewrite, lines: Lines) -> int:
        source, done = rewrite.source, 0
        for node in [*source.touching(ast.JoinedStr, lines), *source.touching(ast.BinOp, lines)]:
            if any(isinstance(above, ast.JoinedStr | ast.BinOp) for above in source.ancestors(node)):
                continue
            new = Escaping(wrapped, markup_names(source.scope(node))).visit(copy.deepcopy(node))
            if ast.dump(new) != ast.dump(node):
                rewrite.replace(node, ast.unparse(new))
                done += 1
        rewrite.need("html")
        return done

    return change


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
