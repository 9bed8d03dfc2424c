"""What the user forbids: read from their words, held against calls and what these changed, every violation found."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.approvals.places import Places
from core.constraints.checking import Attempt, changed, forbidden
from core.constraints.reading import LIFTED, constraints_in, read_constraint

PLACES = Places("/w", real=os.path.normpath, exists=lambda path: True)


def command(line):
    return Attempt("run_command", "command", {"command": line}, "/w")


def edit(path):
    return Attempt("edit_file", "write", {"path": path})


def kept(text, attempt):
    constraint = read_constraint(text)
    assert constraint is not None
    return forbidden(constraint, attempt, PLACES)


@pytest.mark.parametrize(
    ("text", "kind", "first"),
    [
        ("never touch vendor/", "touch", "**/vendor"),
        ("Please don't edit `core/journal/schema.py`.", "touch", "core/journal/schema.py"),
        ("Leave tests/golden alone", "touch", "tests/golden"),
        ("schema.sql is off limits", "touch", "**/schema.sql"),
        ("only touch src/", "only", "src"),
        ("Don't change anything outside of core/", "only", "core"),
        ("No network.", "network", None),
        ("never use the internet", "network", None),
        ("never run `git push`", "run", "git push"),
        ("Do not commit", "run", "git commit"),
        ("keep the tests green", "green", None),
        ("keep `make check` green", "green", "make check"),
        ("Never break the build.", "green", None),
    ],
)
def test_words_become_constraints(text, kind, first):
    constraint = read_constraint(text)
    assert constraint.kind == kind
    assert (constraint.patterns[0] if constraint.patterns else None) == first


def test_a_task_may_declare_several_and_what_nobody_can_check_is_said_to_be_so():
    text = (
        "Fix the parser, but never touch migrations/ and keep the tests green.\nNever be rude.\nDon't forget to lint."
    )
    found = constraints_in(text)
    assert [(one.kind, one.text) for one in found] == [
        ("touch", "never touch migrations/"),
        ("green", "keep the tests green"),
        (None, "Never be rude."),
    ]


@pytest.mark.parametrize("text", ["be nice", "never be rude", "make it fast", "", "don't touch the tests", "a.py b.py"])
def test_what_cannot_be_checked_is_no_constraint(text):
    assert read_constraint(text) is None


def test_words_in_a_fence_and_words_that_lift_declare_nothing():
    assert constraints_in("Look:\n```\nnever touch vendor/\n```\n") == []
    assert constraints_in(f"{LIFTED} never touch vendor/") == []


BROKEN = [
    ("never touch vendor/", edit("vendor/a.py")),
    ("never touch vendor/", edit("./lib/../vendor/deep/a.py")),
    ("never touch vendor/", edit("/w/vendor/a.py")),
    ("never touch pyproject.toml", edit("pyproject.toml")),
    ("never touch pyproject.toml", edit("packages/a/pyproject.toml")),
    ("never touch vendor/", command("rm -rf vendor")),
    ("never touch vendor/", command("cd lib && echo x > ../vendor/a.py")),
    ("never touch vendor/", command("sed -i s/a/b/ vendor/a.py")),
    ("never touch vendor/", command("true; cp a.py vendor/")),
    ("never touch vendor/", command("bash -c 'echo x >> vendor/a.py'")),
    ("never touch vendor/", command("find . -name a.py -exec cp a.py vendor/b.py ';'")),
    ("only touch src/", edit("docs/a.md")),
    ("only touch src/", command("echo x > README.md")),
    ("no network", Attempt("fetch_url", "network", {"url": "https://example.org/"})),
    ("no network", command("curl https://example.org")),
    ("no network", command("make && pip install x")),
    ("no network", command("python -m pip install x")),
    ("no network", command("git fetch origin")),
    ("no network", Attempt("run_command", "command", {"command": "make", "network": True}, "/w")),
    ("never run `git push`", command("git add . && git push origin main")),
    ("never run `git push`", command("git -C sub push")),
    ("never force-push", command("git push --force origin")),
    ("do not commit", command("git commit -qam x")),
    ("never run `rm -rf`", command("sh -c 'rm -rf build'")),
]
KEPT = [
    ("never touch vendor/", edit("vendors/a.py")),
    ("never touch vendor/", command("cat vendor/a.py")),
    ("never touch vendor/", command("cp vendor/a.py lib/")),
    ("never touch vendor/", command("echo vendor > notes.txt")),
    ("only touch src/", edit("src/a.py")),
    ("only touch src/", command("pytest -q > /dev/null")),
    ("no network", command("git commit -m 'no curl'")),
    ("no network", command("grep -r https:// .")),
    ("never run `git push`", command("git status")),
    ("never run `git push`", command("echo git push")),
    ("keep the tests green", command("pytest")),
]


@pytest.mark.parametrize(("text", "attempt"), BROKEN)
def test_every_call_whose_words_break_a_constraint_is_kept_from_running(text, attempt):
    assert kept(text, attempt)


@pytest.mark.parametrize(("text", "attempt"), KEPT)
def test_calls_that_break_nothing_run(text, attempt):
    assert kept(text, attempt) == ""


@given(st.lists(st.sampled_from(["a", "vendor", "b.py", "src"]), min_size=1, max_size=5).map("/".join))
def test_what_a_call_changed_is_judged_by_the_paths_alone(path):
    inside = "vendor" in path.split("/")
    assert bool(changed(read_constraint("never touch vendor/"), [path])) == inside
    assert bool(changed(read_constraint("only touch src/"), [path])) == (path.split("/")[0] != "src")
