"""Figures of two sessions meet by their names, whatever rows one of them lacks."""

from core.publish.figures import side_by_side

OURS = [("Session", "a"), ("Forked from", "b"), ("Cost", "1"), ("Otherwise", "2"), ("", "3"), ("Plan", "4")]
THEIRS = [("Session", "b"), ("Cost", "5"), ("by box", "6"), ("Otherwise", "7"), ("Plan", "8"), ("Files", "9")]


def test_rows_of_two_reports_meet_by_their_names():
    assert side_by_side(OURS, THEIRS) == [
        ("Session", "a", "b"),
        ("Forked from", "b", ""),
        ("Cost", "1", "5"),
        ("by box", "", "6"),
        ("Otherwise", "2", "7"),
        ("", "3", ""),
        ("Plan", "4", "8"),
        ("Files", "", "9"),
    ]


def test_a_report_beside_itself_says_everything_twice():
    assert side_by_side(OURS, OURS) == [(name, value, value) for name, value in OURS]
