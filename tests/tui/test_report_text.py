"""The report for people says what the JSON says, in text and in Markdown."""

from sample_sessions import Log, audit_session

from core.folds.report import report
from core.folds.view import SessionView
from core.publish.film import Film
from core.publish.markdown import report_markdown
from tui.report_text import as_text, report_rows


def fields_of(log: Log, **more):
    view = SessionView()
    view.apply_all(log.events)
    return report(view.totals, running=True, **more)


def test_the_report_tells_money_apart_and_what_else_it_might_have_been():
    log = audit_session()
    log.ping()
    text = as_text(fields_of(log, counterfactuals=[("without compression", 3.0), ("hindsight optimum", 1.0)]))
    for words in ("compressed 1 times", "by purpose", "ping $", "cache read $", "half of them within", "1 by hand"):
        assert words in text, words
    assert "Otherwise" in text and "without compression: $3.00, 2." in text and "times what was paid" in text


def test_long_lines_go_on_below_themselves_in_a_terminal_and_nowhere_else():
    log = Log()
    log.opened("Audit the package, " * 12)
    fields = fields_of(log)
    narrow = as_text(fields, 80).splitlines()
    assert max(map(len, narrow)) <= 80 and any(line.startswith(" " * 16 + "Audit") or "  " in line for line in narrow)
    assert [line.split() for line in as_text(fields).splitlines()] != [line.split() for line in narrow]
    assert " ".join(as_text(fields, 80).split()) == " ".join(as_text(fields).split())


def test_a_session_that_never_asked_anything_has_a_report():
    log = Log()
    log.opened()
    fields = fields_of(log)
    assert fields["cache_misses"] == [] and fields["counterfactuals"] is None and fields["amplification"] is None
    assert "nothing yet" in as_text(fields)


def test_no_cell_of_the_table_is_torn_apart_by_its_words():
    log = Log()
    log.opened("a | b")
    fields = fields_of(log, counterfactuals=[("x | y", 1.0)])
    text = report_markdown(Film(fields), report_rows(fields))
    rows = [line for line in text.splitlines()[4:] if line.startswith("|")]
    assert all(row.replace("\\|", "").count("|") == 3 for row in rows)


def test_a_session_that_was_cut_off_is_called_as_the_list_calls_it():
    view = SessionView()
    view.apply_all(audit_session().events)
    fields = report(view.totals, running=False)
    assert (fields["state"], fields["reason"]) == ("stopped", "crashed")
    assert "interrupted (its runner is gone" in as_text(fields)
