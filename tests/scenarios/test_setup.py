"""`setup`: a server is asked once, its price is shown, and the file says afterwards which model sessions use."""

import socket
import tomllib


def test_a_model_is_tried_and_written(longwatch):
    longwatch.script({"text": "ready"})
    url = longwatch.serve()
    answer = longwatch.here("setup", "--base-url", url, "--model", "house")
    assert answer.returncode == 0, answer.stderr
    assert "It said: ready" in answer.stdout and "its price is not known" in answer.stdout
    assert "tokens in" in answer.stdout
    written = tomllib.loads(longwatch.config.read_text())
    assert written["model"] == {"name": "house", "base_url": url} and "sandbox" in written
    assert longwatch.here("config").returncode == 0


def test_a_price_of_ones_own_is_shown_and_a_dry_run_writes_nothing(longwatch):
    longwatch.script({"text": "ready"})
    url = longwatch.serve()
    before = longwatch.config.read_text() + '[prices."local/house"]\ninput = 1000000.0\noutput = 0.0\n'
    longwatch.config.write_text(before)
    answer = longwatch.here("setup", "--base-url", url, "--model", "house", "--dry-run")
    assert "(your prices)" in answer.stdout and "nothing was written" in answer.stdout
    assert longwatch.config.read_text() == before


def test_what_can_not_be_reached_is_said_and_not_written(longwatch):
    before = longwatch.config.read_text()
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        answer = longwatch.here("setup", "--base-url", url, "--model", "house")
    assert answer.returncode == 1 and "it failed" in answer.stderr
    longwatch.config.unlink()  # Named, and not there yet: it is what gets written.
    dry = longwatch.here("setup", "--base-url", "http://127.0.0.1:9", "--model", "house", "--no-test", "--dry-run")
    assert dry.returncode == 0 and "nothing was written" in dry.stdout
    longwatch.config.write_text(before)
    assert longwatch.here("setup", "--base-url", "openrouter", "--model", "x/y").returncode == 2
    assert longwatch.here("setup").returncode == 2
    assert longwatch.config.read_text() == before


def test_instruction_files_of_the_workspace_are_in_the_log_and_can_be_left_out(longwatch):
    (longwatch.workspace / "AGENTS.md").write_text("Use tabs.\n")
    assert longwatch.run(longwatch.script({"text": "Done."})).wait(60) == 0
    opened = longwatch.events()[0].body
    assert opened.settings["instructions"] == [{"path": "AGENTS.md", "text": "Use tabs."}]


def test_each_setting_says_where_it_stands_and_secrets_are_not_shown(longwatch):
    longwatch.config.write_text(
        '[mcp.far]\nurl = "https://example.org/mcp"\n[mcp.far.headers]\nAuthorization = "Bearer abcdefgh"\n'
        '[context]\ninstructions = []\n[telemetry.headers]\nauthorization = "Bearer abcdefgh"\n'
        '[notify]\nwebhook = "https://example.org/hooks/abcdefgh?to=abcdefgh"\n'
    )
    shown = longwatch.here("config").stdout
    assert f"context.instructions = []  [{longwatch.config}, line 6]" in shown
    assert "mcp.far.headers.Authorization" in shown and "abcdefgh" not in shown
    assert 'notify.webhook = "https://example.org/[not shown]"' in shown
    assert '"title": "Longwatch"' in longwatch.here("config", "--schema").stdout
