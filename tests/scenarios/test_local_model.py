"""A session with a real small model on a local server that speaks the Messages protocol; only where there is one.

    LONGWATCH_LOCAL_MODEL_URL=http://127.0.0.1:8080 pytest -n 0 tests/scenarios/test_local_model.py

What a small model makes of its task is its own; what is looked for is that every word of it went through the loop.
"""

from __future__ import annotations

import os
import subprocess

import pytest
from processes import Longwatch

from core.events import ModelResponded, SessionFinished, ToolFinished, ToolStarted
from core.journal.reader import Reader

URL = os.environ.get("LONGWATCH_LOCAL_MODEL_URL", "")
WINDOW = int(os.environ.get("LONGWATCH_LOCAL_MODEL_WINDOW", "16384"))
PATIENCE_S = 1_500
TASK = "Read the file notes.txt with read_file. Then say in one sentence what it says. Do nothing else."
PROFILE = f"""
[profiles.small]
like = "llama.cpp"
window = {WINDOW}
max_output = 400
stall_s = 900
[context]
policy = "off"
keep_turns = 2
digest_tokens = 500
"""

pytestmark = pytest.mark.skipif(
    not URL, reason="no LONGWATCH_LOCAL_MODEL_URL: the address of a local server with a small model, as of llama.cpp"
)


def test_a_small_model_reads_a_file_and_every_word_of_it_went_through_the_loop(tmp_path):
    longwatch = Longwatch(tmp_path)
    longwatch.config.write_text(longwatch.config.read_text() + PROFILE)
    (longwatch.workspace / "notes.txt").write_text("The kettle boils at nine.\n")
    place = ["--base-url", URL, "--workspace", str(longwatch.workspace), "--max-turns", "6", "--approvals", "full"]
    running = longwatch.start("run", TASK, "--model", "small:model", *place, "--headless", stderr=subprocess.PIPE)
    _, said = running.communicate(timeout=PATIENCE_S)
    events = longwatch.events()
    replies = [event.body for event in events if isinstance(event.body, ModelResponded)]
    assert replies and all(reply.usage.sent > 0 and reply.usage.output > 0 for reply in replies), said
    calls = {event.key: event.body for event in events if isinstance(event.body, ToolStarted)}
    read = {key for key, call in calls.items() if (call.name, call.arguments.get("path")) == ("read_file", "notes.txt")}
    results = {event.key: event.body for event in events if isinstance(event.body, ToolFinished)}
    assert read and "The kettle boils" in results[read.pop()].content
    assert calls.keys() == results.keys(), "every call has its outcome"
    (end,) = [event.body for event in events if isinstance(event.body, SessionFinished)]
    assert end.state == "finished" or end.reason in ("turn_limit", "guard")
    with Reader(longwatch.folder()) as reader:
        assert reader.verify() is None
