"""Code, JSON and diffs: coloured, capped and harmless."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult

from tui.theming import role_variables
from tui.widgets import code_view
from tui.widgets.code_view import CodeRows, CodeView, code_lines


def styles_of(text: str, language: str, word: str) -> list[str]:
    (line,) = [line for line in code_lines(text, language) if word in line.plain]
    at = line.plain.index(word)
    return [str(span.style) for span in line.spans if span.start <= at < span.end]


def test_code_is_coloured_by_what_it_means() -> None:
    source = 'def run():\n    """Doc."""\n    return 42  # why\n'
    assert styles_of(source, "python", "def") == ["$code-keyword"]
    assert styles_of(source, "python", "42") == ["$code-number"]
    assert styles_of(source, "python", "# why") == ["italic $code-comment"]
    assert styles_of(source, "python", "Doc") == ["$code-string"]
    assert [line.plain for line in code_lines(source, "python")] == source.splitlines()


def test_the_path_names_the_language_and_an_unknown_one_is_plain() -> None:
    assert any(line.spans for line in code_lines("x = 1", path="a/b.py"))
    assert not any(line.spans for line in code_lines("x = 1", path="a/b.unknown"))
    assert not any(line.spans for line in code_lines("x = 1", "no such language"))


def test_json_is_laid_out_and_broken_json_is_shown_as_it_is() -> None:
    assert [line.plain for line in code_lines('{"a":[1,"ü"]}', "json")] == [
        "{",
        '  "a": [',
        "    1,",
        '    "ü"',
        "  ]",
        "}",
    ]
    assert [line.plain for line in code_lines('{"a":', "json")] == ['{"a":']


def test_a_diff_marks_what_came_and_went() -> None:
    diff = "--- a\n+++ b\n@@ -1 +1 @@\n-old\n+new\n same"
    assert styles_of(diff, "diff", "-old") == ["$diff-del on $diff-del-background"]
    assert styles_of(diff, "diff", "+new") == ["$diff-add on $diff-add-background"]
    assert styles_of(diff, "diff", "+++ b") == ["bold $muted"]
    assert styles_of(diff, "diff", " same") == []


def test_what_is_too_long_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_view, "MAX_LINES", 3)
    monkeypatch.setattr(code_view, "MAX_COLUMNS", 10)
    lines = [line.plain for line in code_lines("a\n" + "b" * 25 + "\nc\nd\ne\n")]
    assert lines == ["a", "bbbbbbbbbb … 15 more characters", "c", "… 2 more lines"]


@given(st.text(max_size=200), st.sampled_from(["python", "json", "diff", "text", "bash"]))
def test_no_text_breaks_it_and_none_gets_through_raw(text: str, language: str) -> None:
    for line in code_lines(text, language):
        assert "\n" not in line.plain and "\x1b" not in line.plain and "\t" not in line.plain


@given(st.lists(st.text("abc d日", max_size=40), min_size=1, max_size=12), st.integers(4, 30), st.booleans())
def test_lines_are_as_high_as_they_say(texts: list[str], width: int, numbers: bool) -> None:
    rows = CodeRows(code_lines("\n".join([*texts, "end"])), numbers=numbers)
    for index in range(len(rows)):
        assert len(rows.render(index, width)) == rows.height(index, width)


class CodeApp(App[None]):
    def compose(self) -> ComposeResult:
        yield CodeView()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return role_variables(self.current_theme)


async def test_it_opens_at_the_beginning_with_numbered_lines() -> None:
    app = CodeApp()
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        app.query_one(CodeView).show("\n".join(f"line {number}" for number in range(200)), first=11)
        await pilot.pause()
        lines = [strip.text.rstrip() for strip in app.screen._compositor.render_strips()]
        assert lines[0] == "  11 line 0" and lines[9] == "  20 line 9"


async def test_text_given_before_there_is_a_screen_opens_at_the_beginning_too() -> None:
    class Early(CodeApp):
        def compose(self) -> ComposeResult:
            view = CodeView()
            view.show("\n".join(f"line {number}" for number in range(200)), numbers=False)
            yield view

    app = Early()
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        assert app.screen._compositor.render_strips()[0].text.strip() == "line 0"
