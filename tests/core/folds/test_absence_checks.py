"""Whether the work is proven: what is a check, and when its outcome counts."""

import pytest
from lives import Life

from core.events import PlanChanged, PlanStep
from core.folds.commands import passed, reading


@pytest.mark.parametrize(
    "command",
    [
        "pytest -q",
        "cd src && PYTHONPATH=. timeout 60 .venv/bin/python -m pytest tests",
        "python3.11 -m unittest",
        "npm run test:unit",
        "make check",
        "uv run ruff check .",
        "ruff format --check .",
        "cargo clippy",
        "./run_tests.sh",
        "echo start; go vet ./...",
    ],
)
def test_a_check_whose_exit_code_decides(command):
    assert reading(command) == (True, True)


@pytest.mark.parametrize("command", ["pytest -q | tail -5", "pytest; echo done", "pytest || true", "mypy .\necho $?"])
def test_a_check_whose_exit_code_is_that_of_something_else(command):
    assert reading(command) == (True, False)


@pytest.mark.parametrize(
    "command",
    [
        "grep -rn pytest .",
        "pip install pytest",
        "pytest --version",
        "test -f a.py",
        "cargo build",
        "ruff format .",
        "git commit -m 'pytest; passes'",
        "echo 'unfinished",
        "",
        "pytest " + "x" * 3000,
    ],
)
def test_no_check(command):
    assert not reading(command).check


def test_a_command_that_the_plan_names_is_a_check():
    assert reading("./smoke --all", ["`./smoke --all` prints OK"]).check
    assert not reading("ls", ["ls -l shows it"]).check


@pytest.mark.parametrize(
    ("output", "outcome"),
    [("3 failed, 9 passed in 1 s", False), ("== 9 passed ==", True), ("Ran.\nOK", True), ("", None)],
)
def test_where_the_exit_code_says_nothing_the_last_words_of_a_check_do(output, outcome):
    assert passed(reading("pytest | tail -2"), True, 0, output) is outcome


def proof(log):
    return log.view.checks.proof.last


def test_a_check_that_passed_is_worth_nothing_after_the_next_change():
    log = Life()
    log.edit("a.py")
    log.run("pytest")
    assert proof(log).passed
    changed = log.edit("a.py")
    assert (proof(log).seq, proof(log).changed) == (0, changed)


def test_one_check_that_passes_does_not_outweigh_another_that_fails():
    log = Life()
    log.run("pytest", ok=False)
    log.run("ruff check .")
    assert (proof(log).passed, proof(log).command) == (False, "pytest")
    log.run("pytest")
    assert proof(log).passed


def test_a_command_that_changed_files_unproves_what_came_before_it_but_the_first_snapshot_does_not():
    log = Life()
    log.checkpoint(9)
    log.run("pytest")
    log.checkpoint(0)
    assert proof(log).passed
    log.checkpoint(1)
    assert not proof(log).seq


def test_restored_files_unprove():
    log = Life()
    log.run("pytest")
    log.rewind(1)
    assert proof(log).passed
    log.rewind(1, ["M a.py"])
    assert not proof(log).passed


def test_a_command_flips_when_its_outcome_is_another_than_before():
    log = Life()
    log.run("pytest")
    log.run("pytest")
    broke = log.run("pytest", ok=False)
    log.run("pytest -x")
    mended = log.run("pytest")
    flips = log.view.checks.flips.items
    assert [(flip.seq, flip.passed) for flip in flips] == [(broke, False), (mended, True)]


def test_a_steps_check_passed_fails_or_is_outdated_by_the_last_run_of_its_command():
    log = Life()
    check = "`pytest -q` passes"
    log.add(PlanChanged(steps=[PlanStep(id="a", intent="step a", check=check, status="active")]))
    log.edit("a.py")
    assert log.view.checks.tested(check) is None
    failed = log.run("pytest -q", ok=False)
    log.edit("a.py")
    passed_at = log.run("pytest -q")
    assert log.view.checks.tested(check) == (passed_at, True, True)
    assert log.view.checks.tested(check, failed) == (failed, False, True)
    log.edit("b.py")
    assert log.view.checks.tested(check) == (passed_at, True, False)
    assert log.view.checks.tested("something else") is None
