"""What a runner that takes up a session knows of the files that the agent wrote before."""

from core.events import Event, FileChange, ToolFinished
from core.folds.written import Written


def finished(name, *changes):
    files = [FileChange(path=path, before=before, after=after, added=1, removed=0) for path, before, after in changes]
    body = ToolFinished(name=name, ok=True, content="", fingerprint="", use_id="u", files=files)
    return Event(seq=1, parent=None, node=None, kind="tool.finished", key=None, at_us=0, actor="tool", body=body)


def test_the_last_writing_counts_and_a_command_is_no_writing():
    written = Written()
    (handle,) = written.handlers().values()
    handle(finished("write_file", ("a", None, "1"), ("b", None, "2")))
    handle(finished("edit_file", ("a", "1", "3")))
    handle(finished("run_command", ("a", "3", "9")))
    assert written.hashes == {"a": "3", "b": "2"}
    handle(finished("edit_file", ("b", "2", None)))
    assert written.hashes == {"a": "3"}
