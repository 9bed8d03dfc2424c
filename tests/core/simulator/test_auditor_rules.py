"""The parts of the auditor that are pure: repairs, edits, progress lines, notes, outputs."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.simulator.policies.auditor.conversation import Done
from core.simulator.policies.auditor.edits import edit_calls, undo_calls
from core.simulator.policies.auditor.guidance import allowed, follow
from core.simulator.policies.auditor.notes import Notes, baseline_note, before_notes, failure_note, outcome_note
from core.simulator.policies.auditor.progress import Progress, read_progress
from core.simulator.policies.auditor.rules import RULES, repair
from core.simulator.policies.auditor.scan import Finding, parse_findings, scan_command, scanned_path
from core.simulator.policies.auditor.testruns import first_command, next_command, read_run
from core.simulator.policies.places import progress_line

# (test id, option, code with the finding on the line that holds it, what the repaired code contains)
REPAIRS = [
    ("B324", 1, "import hashlib\nh = hashlib.md5(b'')\n", "hashlib.sha256(b'')"),
    ("B324", 1, "from hashlib import sha1\nh = sha1(b'')\n", "import hashlib\nh = hashlib.sha256(b'')"),
    ("B324", 1, "import hashlib\nh = hashlib.new('md5', b'')\n", 'hashlib.new("sha256", b\'\')'),
    ("B324", 2, "import hashlib\nh = hashlib.md5()\n", "hashlib.md5(usedforsecurity=False)"),
    ("B311", 1, "import random\nx = random.choice('ab')\n", "import secrets\nx = secrets.choice('ab')"),
    ("B311", 1, "import random\nx = random.randint(1, 6)\n", "secrets.SystemRandom().randint(1, 6)"),
    ("B307", 1, "def f(t):\n    return eval(t)\n", "ast.literal_eval(t)"),
    ("B307", 2, "def f(t):\n    return eval(t)\n", "return _evaluate(t)"),
    ("B301", 1, "import pickle\n\n\ndef f(b):\n    return pickle.loads(b)\n", "return json.loads(b)"),
    ("B301", 2, "import pickle\n\n\ndef f(b):\n    return pickle.loads(b)\n", "_PlainUnpickler(io.BytesIO(b)).load()"),
    ("B506", 1, "import yaml\nx = yaml.load('a', Loader=yaml.Loader)\n", "yaml.safe_load('a')"),
    ("B501", 1, "import requests\nx = requests.get('https://a', verify=False, timeout=5)\n", "'https://a', timeout=5"),
    ("B113", 1, "import requests\nx = requests.get('https://a')\n", "'https://a', timeout=30"),
    ("B323", 1, "import ssl\nc = ssl._create_unverified_context()\n", "ssl.create_default_context()"),
    ("B202", 1, "import tarfile\nt = tarfile.open('a')\nt.extractall('b')\n", "extractall('b', filter=\"data\")"),
    ("B103", 1, "import os\nos.chmod('a', 0o777)\n", "0o744"),
    ("B103", 2, "import os\nos.chmod('a', 0o666)\n", "0o600"),
    ("B104", 1, "HOST = '0.0.0.0'\n", '"127.0.0.1"'),
    ("B108", 1, "P = '/tmp/a/b'\n", 'os.path.join(tempfile.gettempdir(), "a/b")'),
    ("B306", 1, "import tempfile\nname = tempfile.mktemp('.x')\n", "handle, temporary = tempfile.mkstemp('.x')"),
    ("B602", 1, "import subprocess\nsubprocess.run('ls -l', shell=True)\n", 'subprocess.run(["ls", "-l"])'),
    ("B602", 1, "import subprocess\ndef f(p):\n    subprocess.run(f'cat {p} x{p}y', shell=True)\n", "str(p), f'x{p}y'"),
    ("B602", 1, "import subprocess\ndef f(a):\n    subprocess.call(' '.join(a), shell=True)\n", "subprocess.call(a)"),
    ("B602", 1, "import subprocess\ndef f(c):\n    subprocess.run(c, shell=True)\n", "shlex.split(c)"),
    ("B605", 1, "import os\ndef f(p):\n    return os.system(f'rm \"{p}\"')\n", 'subprocess.run(["rm", str(p)]'),
    ("B605", 1, "import os\ndef f(p):\n    return os.popen(f'ls {p}').read()\n", "capture_output=True, text=True"),
    ("B608", 1, "def f(c, n):\n    c.execute(f\"SELECT a FROM t WHERE b = '{n}'\")\n", '= ?", (n,))'),
    ("B608", 1, "def f(c, n):\n    c.execute('SELECT a FROM t WHERE b = %s' % n)\n", '= ?", (n,))'),
    ("B608", 1, "def f(c, n):\n    c.execute('DELETE FROM t WHERE b = {}'.format(n))\n", '= ?", (n,))'),
    ("B608", 1, "def f(c, n):\n    q = 'UPDATE t SET a = 1 WHERE b = ' + str(n)\n    c.execute(q)\n", "(q, (n,))"),
    ("B105", 1, "password = 'hunter2'\n", 'os.environ.get("PASSWORD", "")'),
    ("B106", 1, "def login(password): ...\nlogin(password='hunter2')\n", 'os.environ.get("PASSWORD", "")'),
    ("B107", 1, "def login(user, token='hunter2'): ...\n", 'os.environ.get("TOKEN", "")'),
    ("B110", 1, "try:\n    x = 1\nexcept Exception:\n    pass\n", "was passed over"),
    ("B112", 1, "for i in []:\n    try:\n        x = 1\n    except Exception:\n        continue\n", "continue"),
    ("B101", 1, "def f(x):\n    assert x is not None, 'no x'\n", "if x is None:\n        raise AssertionError('no x')"),
    ("B101", 1, "def f(x):\n    assert x and not x.y\n", "if not (x and not x.y):"),
    ("B701", 1, "import jinja2\ne = jinja2.Environment(autoescape=False)\n", "autoescape=True"),
]  # fmt: skip


def test_each_repair_removes_what_the_scanner_found(tmp_path):
    for number, (_, _, code, _) in enumerate(REPAIRS):
        (tmp_path / f"m{number}.py").write_text(code)
    command = scan_command(f"{sys.executable} -P -m bandit")

    def scan() -> list[Finding]:
        done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)
        return parse_findings(done.stdout)

    before = scan()
    for number, (test_id, option, code, wanted) in enumerate(REPAIRS):
        path = f"m{number}.py"
        lines = {finding.line for finding in before if finding.group == (path, test_id)}
        assert lines, f"bandit does not find {test_id} in {code!r}"
        found = repair(test_id, code, lines, option)
        assert found is not None, code
        assert found[0] == option
        assert wanted in found[1].text, found[1].text
        (tmp_path / path).write_text(found[1].text)
    repaired = {(f"m{number}.py", test_id) for number, (test_id, *_) in enumerate(REPAIRS)}
    assert [finding for finding in scan() if finding.group in repaired] == []


def test_there_is_an_example_of_every_rule_with_options():
    assert {test_id for test_id, rule in RULES.items() if rule.options} - {row[0] for row in REPAIRS} == {
        "B201",
        "B303",
    }


@pytest.mark.parametrize(
    ("test_id", "code"),
    [
        ("B608", "def f(c, t):\n    c.execute(f'SELECT a FROM {t}')\n"),
        ("B608", "def f(c, o):\n    c.execute(f'SELECT a FROM t ORDER BY {o}')\n"),
        ("B608", "def f(c, n):\n    log(f'SELECT a FROM t WHERE b = {n}')\n"),
        ("B602", "import subprocess\nsubprocess.run('a | b', shell=True)\n"),
        ("B605", "import os\nos.popen('ls')\n"),
        ("B311", "import random\nrandom.seed(1)\nrandom.choice('ab')\n"),
        ("B307", "this is not Python"),
        ("B999", "x = 1\n"),
    ],
)
def test_a_rule_that_does_not_fit_changes_nothing(test_id, code):
    lines = set(range(1, code.count("\n") + 2))
    assert repair(test_id, code, lines, 1) is None


def test_a_safe_evaluator_evaluates_arithmetic_and_nothing_else():
    found = repair("B307", "def f(t):\n    return eval(t)\n", {2}, 2)
    assert found is not None
    names: dict[str, object] = {}
    exec(found[1].text, names)
    evaluate = names["f"]
    assert callable(evaluate)
    assert [evaluate(text) for text in ("2 * (3 + 4)", "-7 // 2", "[1, 'a']", " 1.5")] == [14, -4, [1, "a"], 1.5]
    for text in ("__import__('os')", "f", "'a'.upper()", "(lambda: 1)()"):
        with pytest.raises(ValueError):
            evaluate(text)


def test_imports_are_put_where_they_belong_and_taken_away_when_unused():
    head = '"""Doc."""\n\nfrom __future__ import annotations\n\n'
    code = f"{head}import random\nimport sys\nfrom os import path, sep\n\nx = random.choice(path.sep)\ny = sys.argv\n"
    found = repair("B311", code, {9}, 1)
    assert found is not None
    head = found[1].text.split("\n\nx")[0]
    assert head.endswith("import secrets\nimport sys\nfrom os import path, sep\n".rstrip())
    assert "import random" not in head


LINES = st.lists(st.sampled_from(["a\n", "b\n", "    c\n", "\n", "def d():\n", "é\n"]), max_size=25)


@settings(max_examples=150)
@given(LINES, LINES)
def test_edits_lead_from_the_old_to_the_new_text_and_back(old_lines, new_lines):
    old, new = "head\n" + "".join(old_lines), "head\n" + "".join(new_lines)
    text, made = old, []
    for call in edit_calls("f.py", old, new):
        assert text.count(call.input["old"]) == 1
        text = text.replace(call.input["old"], call.input["new"])
        made.append(Done("edit_file", call.input, "", False))
    assert text == new
    for call in undo_calls(made):
        assert text.count(call.input["old"]) == 1
        text = text.replace(call.input["old"], call.input["new"])
    assert text == old


PATHS = st.lists(st.sampled_from(["src", "a/b.py", "tests", "*.cfg"]), max_size=3, unique=True).map(tuple)


@given(
    st.builds(
        Progress,
        step=st.sampled_from(["fix", "check", "report"]),
        file=st.sampled_from(["", "a b/c.py", "x.py"]),
        rule=st.sampled_from(["", "B101"]),
        attempt=st.integers(1, 9),
        rest=st.integers(0, 9),
        tries=st.integers(0, 9),
        replies=st.integers(0, 900),
        skip=PATHS,
        focus=PATHS,
        closing=st.booleans(),
        compact=st.booleans(),
        scanner=st.sampled_from(["bandit", "python3 -m bandit"]),
    )
)
def test_a_progress_line_is_read_back_as_it_was_written(progress):
    assert read_progress(["Some text.\n\nProgress: survey", f"More.\n\n{progress_line(progress)}"]) == progress


def test_a_progress_line_that_can_not_be_read_is_no_progress():
    assert read_progress(["no line"]) is None
    assert read_progress(["Progress: fix · attempt many"]) is None


def test_notes_are_read_back_from_any_surroundings():
    found = [Finding(f"app/m{n}.py", n + 1, "B101", "LOW") for n in range(20)] + [Finding("a b.py", 3, "B608", "LOW")]
    texts = [
        *before_notes(found),
        outcome_note(("app/m1.py", "B101"), True, "it — was; mended"),
        outcome_note(("a b.py", "B608"), False, "a reason"),
        failure_note(("a b.py", "B608"), 2, "test_x: Error: y"),
        baseline_note("python3 -m pytest -q", "3 passed", {"b", "a"}),
    ]
    notes = Notes()
    notes.read("\n".join(f"[m{n}] fact · topic: {text}" for n, text in enumerate(texts)))
    assert notes.count_before == 21
    assert notes.before["a b.py", "B608"] == [3]
    assert notes.outcomes["app/m1.py", "B101"].text == "it — was; mended"
    assert not notes.outcomes["a b.py", "B608"].fixed
    assert notes.failures["a b.py", "B608"] == {2: "test_x: Error: y"}
    assert (notes.test_command, notes.failing) == ("python3 -m pytest -q", {"a", "b"})


def test_scan_commands_are_recognised_by_what_they_scan():
    assert scanned_path(scan_command("bandit")) == ""
    assert scanned_path(scan_command("bandit", "a b/c.py", compact=True)) == "a b/c.py"
    assert scanned_path("python3 -m unittest") is None


def done(output: str, command: str = "python3 -m unittest discover -q") -> Done:
    return Done("run_command", {"command": command}, textwrap.dedent(output), failed=False)


def test_outputs_of_test_runs_are_understood():
    passed = read_run(done("exit 0 · 0.2 s\nRan 5 tests in 0.001s\n\nOK\n"))
    assert (passed.exit_code, passed.summary, passed.found_none) == (0, "Ran 5 tests, OK", False)
    failed = read_run(
        done(
            """\
            exit 1 · 0.2 s
            ======
            FAIL: test_a (test_m.Case.test_a)
            Traceback (most recent call last):
              File "/w/tests/test_m.py", line 9, in test_a
            AssertionError: 1 != 2

            Ran 5 tests in 0.001s

            FAILED (failures=1)
            """
        )
    )
    assert failed.failing == {"test_m.Case.test_a"}
    assert (failed.reason, failed.place) == ("AssertionError: 1 != 2", "/w/tests/test_m.py")
    assert failed.holds(frozenset({"test_m.Case.test_a"}))
    assert not failed.holds(frozenset())
    output = "exit 1 · 1 s\nE   KeyError: 'a'\nFAILED tests/t.py::test_b - KeyError\n1 failed, 2 passed in 0.1s"
    pytest_run = read_run(done(output, "pytest -q"))
    assert (pytest_run.failing, pytest_run.summary) == ({"tests/t.py::test_b"}, "1 failed, 2 passed")
    assert read_run(done("exit 1 · 1 s\n/usr/bin/python3: No module named pytest\n", "pytest -q")).found_none
    assert read_run(done("exit 0 · 1 s\nRan 0 tests in 0.000s\n\nOK\n")).found_none


def test_test_commands_follow_the_configuration_and_end_in_compiling():
    assert first_command("[tool.pytest.ini_options]") == "python3 -m pytest -q"
    assert first_command("") == "python3 -m unittest discover -s tests -q"
    assert first_command('where = ["src"]').startswith("PYTHONPATH=src ")
    command, tried = first_command("[pytest]\n"), []
    while command is not None:
        tried.append(command)
        command = next_command(command)
    assert [text.split()[2] for text in tried] == ["pytest", "unittest", "unittest", "compileall"]


def test_words_of_guidance():
    progress, said = follow(Progress(), ["skip ./a/b.py, and leave out docs/", "Focus only on `src`"])
    assert (progress.skip, progress.focus) == (("a/b.py", "docs"), ("src",))
    assert len(said) == 2
    assert allowed("src/x.py", progress)
    assert not allowed("a/b.py", progress)
    assert not allowed("other.py", progress)
    assert follow(Progress(), ["continue"])[1] == []
    assert follow(Progress(), ["now write the report"])[0].closing
