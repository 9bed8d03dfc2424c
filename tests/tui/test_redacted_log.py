"""What a runner without a terminal writes down has lost its secrets."""

import os

from core.tools.secrets import Redactor
from tui.redacted_log import RedactedLog


def test_secrets_are_gone_from_the_log_also_in_pieces_and_what_is_no_whole_line_is_kept(tmp_path):
    descriptor = os.open(tmp_path / "runner.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    log = RedactedLog(descriptor, Redactor({"MY_API_KEY": "hunter2-hunter2"}))
    print("refused: hunter2-", end="", file=log)
    print("hunter2 is no key", file=log)
    print("sk-ant-" + "a" * 60, file=log)
    print("the end, half\ud800", end="", file=log, flush=True)
    os.close(descriptor)
    text = (tmp_path / "runner.log").read_text()
    assert "hunter2" not in text and "sk-ant" not in text
    assert text.startswith("refused: [redacted: value of MY_API_KEY] is no key\n") and "the end, half" in text
