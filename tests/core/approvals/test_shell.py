"""Reading a command line: what is read is what a real shell would run, and every doubt is refused."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.approvals.shell import NotUnderstood, parse


def argvs(line: str) -> list[str]:
    return [str(simple) for simple in parse(line, "/home/u")]


@pytest.mark.parametrize(
    ("line", "commands"),
    [
        ("ls -la | grep x > out 2>&1", ["ls -la", "grep x"]),
        ("a && (b; c) 2>/dev/null || d &", ["a", "b", "c", "", "d"]),
        ('echo "$(rm -rf x)"', ["rm -rf x", "echo $(…)"]),
        ("a \\\n  b # comment; c\nd", ["a b", "d"]),
        ("! grep a ~/b ~other", ["grep a /home/u/b ~other"]),
        ("cat <<'END' > f\n$(not run) `nor this`\nEND\nls", ["cat", "ls"]),
        ("cat <<-END\n\tplain\n\tEND\nls", ["cat", "ls"]),
        ("find . -name '*.py' -exec rm {} \\;", ["find . -name *.py -exec rm {} ;"]),
        ("", []),
    ],
)
def test_what_is_understood_is_read_into_simple_commands(line: str, commands: list[str]) -> None:
    assert argvs(line) == commands


@pytest.mark.parametrize(
    "line",
    [
        *(
            "for i in 1 2; do rm x; done",
            "if a; then b; fi",
            "while a; do b; done",
            "{ a; }",
            "[[ a ]]",
            "case a in esac",
        ),
        *("f() { ls; }", "function f { ls; }", "x=(1 2)", "time ls", "coproc ls", "select x in a; do b; done"),
        *("echo `ls`", 'echo "`ls`"', "echo $((1))", "((1))", "echo $[1]", "echo ${x:-$(ls)}", "echo ${x/a/b}"),
        *("echo $'\\x41'", 'echo $"x"', "echo {a,b}", "echo {1..3}", "diff <(a) <(b)", "tee >(a)"),
        *("a &&", "| a", "a | | b", "a ;; b", "; a", "(a", "a)", "(a) b", "a >", "a 'b", 'a "b', "a \\"),
        *(
            "cat <<END\n$(ls)\nEND",
            "cat <<END\nno end",
            "cat <<$x\n$x",
            "a\0b",
            "a\rb",
            "a\x1bb",
            "a\u202eb",
            "a\u00a0b",
        ),
        "x " * 6000,
        ";".join(["a"] * 101),
        "(" * 30 + "a" + ")" * 30,
    ],
)
def test_what_is_not_surely_understood_is_refused(line: str) -> None:
    with pytest.raises(NotUnderstood):
        parse(line)


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Programs a, b and c that write down their words, in a folder that is the whole PATH."""
    folder = tmp_path_factory.mktemp("oracle")
    (folder / "log").touch()
    for name in "abc":
        program = folder / name
        text = f'#!/bin/sh\n{{ printf "%s\\037" {name} "$@"; printf "\\n"; }} >> "$ORACLE_LOG"\n'
        program.write_text(text)
        program.chmod(0o755)
    return folder


pieces = st.sampled_from(
    [
        *"abc",
        " ",
        " ",
        "\n",
        ";",
        "&&",
        "||",
        "|",
        "(",
        ")",
        "'",
        '"',
        "\\",
        "#",
        "~",
        "{}",
        "!",
        ">f",
        "<<E\nx\nE\n",
        "$",
    ]
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(line=st.lists(pieces, min_size=2, max_size=12).map("".join))
def test_every_command_that_a_real_shell_runs_was_read_word_by_word(programs: Path, line: str) -> None:
    """The other way round is no promise: `a || b` is read as two commands, and one is run."""
    try:
        read = {simple.argv for simple in parse(line, str(programs))}
    except NotUnderstood:
        return
    if None in read:  # a word that is only known when it runs is nothing to compare
        return
    log = programs / "log"
    log.write_text("")
    environment = {"PATH": str(programs), "ORACLE_LOG": str(log), "HOME": str(programs)}
    bash = ["/bin/bash", "--noprofile", "--norc", "-c", line]
    subprocess.run(bash, env=environment, cwd=programs, capture_output=True, check=False, timeout=20)
    ran = {tuple(row.split("\037")[:-1]) for row in log.read_text().split("\n") if row}
    assert ran <= read
