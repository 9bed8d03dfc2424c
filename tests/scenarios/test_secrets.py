"""Secrets are planted where they lie in practice, and then looked for in everything that a session leaves behind."""

import base64
import shutil
import stat
from urllib.parse import quote

import pytest
from canaries import holding, kept, members
from processes import command

from core.journal.export import open_export
from core.journal.reader import Reader
from core.models.keys import store_key

KEY = "canary-of-the-model-0042"
STORED = "canary-of-another-model-0044"
TOKEN = "canary/of+the service=77"
GITHUB = "ghp_" + "c4nary0123456789abcdefghijABCDEFGHIJ"
CONTROL = "a-word-that-is-no-secret"
FORMS = [
    form.encode()
    for form in (KEY, TOKEN, GITHUB, quote(TOKEN, safe=""), base64.b64encode(TOKEN.encode()).decode().rstrip("="))
]


def read(name):
    return {"text": "Reading.", "tool_uses": [{"name": "read_file", "input": {"path": name}}]}


@pytest.fixture
def spied(longwatch):
    """A session that looks at secrets in every way, run to its end; what it printed."""
    longwatch.environment |= {"MY_MODEL": KEY, "SERVICE_TOKEN": TOKEN}
    (longwatch.workspace / ".env").write_text(
        f"SERVICE_TOKEN='{TOKEN}'\nGH={GITHUB}\n{CONTROL}\n{quote(TOKEN, safe='')}\n"
    )
    longwatch.script(
        command("env; cat .env; base64 -w0 .env"),
        command("cat /proc/$PPID/environ /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'"),
        command("sed -n \"s/^SERVICE_TOKEN='\\(.*\\)'/\1/p\" .env | tr -d '\n' | base64; seq 1 9000; cat .env"),
        read(".env"),
    )
    address = longwatch.serve()
    options = ["--base-url", address, "--api-key-env", "MY_MODEL", "--approvals", "full", "--headless"]
    place = ["--workspace", str(longwatch.workspace)]
    return longwatch.call("run", "Look around.", "--model", "m", *options, *place)


def test_no_secret_is_left_anywhere_and_the_search_would_have_found_it(longwatch, spied, tmp_path):
    assert spied.returncode == 0, spied.stderr
    assert longwatch.count("tool.finished") == 4
    for name in ("out.longwatch", "out.jsonl"):
        assert longwatch.here("export", "", str(tmp_path / name)).returncode == 0
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    found = (
        kept(longwatch.home) | members(tmp_path / "out.longwatch") | {"jsonl": (tmp_path / "out.jsonl").read_bytes()}
    )
    found |= {"printed": spied.stdout.encode(), "complained": spied.stderr.encode()}
    for words in (("events",), ("events", "--json"), ("report",), ("report", "--format", "json")):
        found[" ".join(words)] = longwatch.here(*words).stdout.encode()
    assert holding(FORMS, found) == []
    places = holding([CONTROL.encode()], found)
    assert any(name.startswith("event ") for name in places) and "jsonl" in places and "events --json" in places


def test_what_the_users_own_programs_and_files_tell_loses_its_secrets_too(longwatch):
    """Hooks, notify commands, servers of tools that fail, and files that instruct agents."""
    longwatch.environment |= {"SERVICE_TOKEN": TOKEN}
    literal = "canary-of-a-header-0043"
    (longwatch.workspace / "AGENTS.md").write_text(f"Use tabs, and {TOKEN}.\n{CONTROL}\n")
    longwatch.config.write_text(
        f"""{longwatch.config.read_text()}
[mcp.ends]
command = "sh"
args = ["-c", "printf %s $0 >&2; sleep 0.01; echo $LITERAL_TOKEN >&2; exit 1", "${{SERVICE_TOKEN}}"]
env = {{ LITERAL_TOKEN = "{literal}" }}
[mcp.missing]
command = "/nowhere/${{SERVICE_TOKEN}}"
[hooks.fails]
on = ["before-tool"]
command = ["sh", "-c", "echo {CONTROL} $SERVICE_TOKEN >&2; exit 3"]
[notify]
command = ["sh", "-c", "echo {CONTROL} $SERVICE_TOKEN >&2; exit 4"]
"""
    )
    told = longwatch.run(longwatch.script(command("true")), "--sandbox", "off")
    out, err = told.communicate(timeout=60)
    looked = longwatch.here("mcp", "check")
    assert told.returncode == 0 and longwatch.count("hook.failed") == 1 and "failed with exit code 4" in err
    found = kept(longwatch.home) | {"told": (out + err + looked.stdout).encode()}
    assert holding([*FORMS, literal.encode()], found) == []
    assert len(holding([CONTROL.encode()], found)) >= 4 and "ends: PROBLEM" in looked.stdout
    assert holding([b"[redacted: value of SERVER_"], found), "what the server wrote is kept"


def test_what_a_session_keeps_is_closed_to_others(longwatch, spied):
    for path in (longwatch.home, *longwatch.home.rglob("*")):
        if "files.git" in path.parent.parts or "tmp" in path.relative_to(longwatch.home).parts:
            continue
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path


def test_an_export_takes_out_what_the_journal_still_holds(longwatch, tmp_path):
    said = {"text": f"The token is {GITHUB} and {TOKEN}.", "tool_uses": []}
    options = ["--headless", "--speed", "0", "--workspace", str(longwatch.workspace)]
    longwatch.script(said)
    options += ["--base-url", longwatch.serve(), "--api-key-env", "MY_MODEL"]
    longwatch.environment["MY_MODEL"] = KEY
    assert longwatch.here("run", f"Use {TOKEN} and {KEY}, not {STORED}.", "--model", "m", *options).returncode == 0
    longwatch.environment["MY_MODEL"] = "another-key"
    for variable, key in (("MY_MODEL", KEY), ("OTHER", STORED)):
        store_key(variable, key, longwatch.environment)
    held = kept(longwatch.home)
    longwatch.environment["SERVICE_TOKEN"] = TOKEN
    assert holding(FORMS, held)
    assert longwatch.here("export", "", str(tmp_path / "out.longwatch")).returncode == 0
    assert holding([*FORMS, STORED.encode()], members(tmp_path / "out.longwatch")) == []
    folder = open_export(tmp_path / "out.longwatch")
    with Reader(folder) as reader:
        assert reader.verify() is None and "[redacted: GitHub token]" in repr(reader.events())
    shutil.rmtree(folder.parent)
    for form in ("text", "md", "html", "json"):
        told = longwatch.here("report", "", "--format", form)
        assert told.returncode == 0 and holding([*FORMS, STORED.encode()], {form: told.stdout.encode()}) == []
