"""The differences between two reports, in words."""

import pytest
from session_homes import DONE, called, make

from tui.screens.compare import FIGURES, compared, difference
from tui.session_rows import report_fields, report_text

BY_LABEL = {figure.label: figure for figure in FIGURES}


@pytest.mark.parametrize(
    ("label", "one", "other", "said", "style"),
    [
        ("Cost", 1.0, 0.5, "−$0.500 (−50%)", "$success"),
        ("Cost", 2.0, 3.0, "+$1.00 (+50%)", "$error"),
        ("Tool calls", 0, 12, "+12", ""),
        ("Tool calls", 10, 1_010, "+1,000 (+100×)", ""),
        ("Cache hits", 0.5, 0.582, "+8.2 points", "$success"),
        ("Cache hits", None, 0.5, "–", "$muted"),
        ("Turns", 7, 7, "the same", "$muted"),
        ("Duration", 60, 90.5, "+00:00:30 (+51%)", ""),
    ],
)
def test_a_difference_has_its_sign_its_share_and_a_colour_where_one_way_is_better(label, one, other, said, style):
    content = difference(BY_LABEL[label], one, other)
    assert content.plain == said
    assert [str(span.style) for span in content.spans] == ([style] if style else [])


async def test_every_figure_of_two_reports_is_compared(tmp_path):
    first = await make(tmp_path, "01a", "one", called(1), DONE)
    second = await make(tmp_path, "01b", "two", called(1), called(2), DONE, task="Something else.")
    lines = {
        line[0].plain: [cell.plain for cell in line[1:]] for line in compared(*map(report_fields, (first, second)))
    }
    assert lines["Task"] == ["Do it.", "Something else.", "another"]
    assert lines["State"] == ["finished", "finished", "the same"]
    assert lines["Tool calls"] == ["1", "2", "+1 (+100%)"]
    assert lines.keys() >= BY_LABEL.keys()
    assert "Tool calls" in report_text(first, 60)
