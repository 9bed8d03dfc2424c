"""What a running command has written is handed out in whole lines, from where one stopped, scrubbed."""

from core.tools.jobs import LONGEST_LOOK, written


def test_whole_lines_from_where_one_stopped(tmp_path):
    (tmp_path / "output").write_bytes(b"one\ntwo\nthr")
    first = written(tmp_path, 0, str)
    assert (first.text, first.end) == ("one\ntwo\n", 8)
    (tmp_path / "output").write_bytes(b"one\ntwo\nthree secret\n")
    later = written(tmp_path, first.end, lambda text: text.replace("secret", "***"))
    assert (later.start, later.text) == (8, "three ***\n")
    assert written(tmp_path, later.end, str).text == ""


def test_of_very_much_only_the_last_lines_and_it_says_so(tmp_path):
    lines = [f"line {number}" for number in range(60_000)]
    (tmp_path / "output").write_text("\n".join(lines) + "\n")
    seen = written(tmp_path, 0, str)
    assert 0 < seen.end - seen.start <= LONGEST_LOOK and seen.start > 0
    shown = seen.text.splitlines()
    assert shown == lines[-len(shown) :]


def test_nothing_is_kept_once_the_folder_is_gone(tmp_path):
    assert written(tmp_path / "gone", 0, str) is None
