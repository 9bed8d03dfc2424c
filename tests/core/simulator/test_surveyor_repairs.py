"""Repairs fit more than what was planted: the code works as before, and takes no orders from data."""

import json
import pickle
import textwrap

import pytest

from core.simulator.policies.surveyor.kinds import BY_NAME, repaired, spots
from core.simulator.policies.surveyor.notes import code_notes, folder_notes, noted_folders


def modules(kind, text):
    """The module after each of the repairs that fit it, as namespaces."""
    text = textwrap.dedent(text)
    (spot,) = [spot for spot in spots(text) if spot.kind == kind]
    attempt = 1
    while (found := repaired(kind, text, spot.lines, attempt)) is not None:
        space = {"__name__": "repaired"}
        exec(compile(found[1].text, "repaired.py", "exec"), space)
        yield space
        attempt = found[0] + 1


def test_an_expression_keeps_its_names_and_calls_nothing():
    text = """
    def due(rule, amount, days):
        return eval(rule, {"__builtins__": {}}, {"amount": amount, "days": days})
    """
    *_, last = modules("eval", text)
    assert last["due"]("amount * 2 if days > 30 and not amount == 0 else [amount, days][1]", 5, 31) == 10
    assert last["due"]("1 < days <= 7 or amount", 9, 0) == 9
    for hostile in ("__import__('os')", "amount.__class__", "(lambda: 1)()", "[x for x in days]", "f'{amount}'"):
        with pytest.raises((ValueError, KeyError)):
            last["due"](hostile, 1, 1)


def test_settings_that_were_run_are_read():
    text = """
    def settings(text):
        found = {}
        exec(text, {}, found)
        return found
    """
    *_, last = modules("eval", text)
    assert last["settings"]("width = 3\nnames = ['a', 'b']") == {"width": 3, "names": ["a", "b"]}
    with pytest.raises(ValueError):
        last["settings"]("import os")


MARKUP = [
    'return "<ul>" + "".join(f"<li>{one}</li>" for one in names) + "</ul>"',
    "return f\"<ul>{''.join('<li>' + one + '</li>' for one in names)}</ul>\"",
    'return "<ul>%s</ul>" % "".join("<li>%s</li>" % one for one in names)',
    'rows = ""\n    for one in names:\n        rows += f"<li>{one}</li>"\n    return f"<ul>{rows}</ul>"',
]


@pytest.mark.parametrize("body", MARKUP)
def test_values_are_escaped_where_they_stand_and_markup_around_them_stays(body):
    first = next(modules("html", f"def listed(names):\n    {body}\n"))
    assert first["listed"](["a", "<b>"]) == "<ul><li>a</li><li>&lt;b&gt;</li></ul>"


def test_numbers_in_a_format_of_their_own_stay_numbers():
    first = next(modules("html", 'def row(name, price):\n    return f"<td>{name}</td><td>{price:.2f}</td>"\n'))
    assert first["row"]("<i>", 2) == "<td>&lt;i&gt;</td><td>2.00</td>"


class Hostile:
    def __reduce__(self):
        return print, ("taken over",)


def test_a_reader_of_pickles_takes_plain_values_and_own_classes(capsys):
    text = '''
    import io
    import pickle

    class Crate:
        pass

    def read(data):
        """Of what came in."""
        return pickle.Unpickler(io.BytesIO(data)).load()
    '''
    *_, last = modules("pickle", text)
    assert last["read"](pickle.dumps({1: "a", "b": (2, None)})) == {1: "a", "b": (2, None)}
    own = pickle.dumps(0)[:-3] + b"crepaired\nCrate\n)\x81."
    assert type(last["read"](own)).__name__ == "Crate"
    with pytest.raises(pickle.UnpicklingError):
        last["read"](pickle.dumps(Hostile()))
    assert not capsys.readouterr().out


def test_a_generator_with_a_seed_gives_no_secrets():
    text = '''
    import random

    def reset_token(number):
        """A secret token."""
        source = random.Random(number)
        return f"{source.getrandbits(64):x}-{random.getrandbits(64):x}"
    '''
    *_, last = modules("token", text)
    assert last["reset_token"](1) != last["reset_token"](1) and "random" not in last


def test_long_decisions_are_several_notes_that_are_found_again_line_by_line():
    areas = [f"town/department{number}" for number in range(60)] + ["lib/one", "lib/two"]
    texts = [call.input["text"] for call in folder_notes(areas)]
    assert max(map(len, texts)) < 230 and noted_folders(texts) == areas
    assert noted_folders(["\n".join(f"- decided: folders: {text} (m{n})" for n, text in enumerate(texts))]) == areas
    assert noted_folders(texts[1:]) == []
    codes = {f"department{number}": f"DEP-{1000 + number}-K" for number in range(30)}
    told = [call.input["text"] for call in code_notes(codes)]
    assert all(f"{name} {code}" in json.dumps(told) for name, code in codes.items()) and len(told) > 1


def test_each_repair_that_was_added_has_its_kind():
    assert {kind: len(BY_NAME[kind].rule.options) for kind in ("eval", "html", "pickle", "token")} == {
        "eval": 4,
        "html": 2,
        "pickle": 3,
        "token": 2,
    }
