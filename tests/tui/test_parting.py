"""What is left at the prompt: how it stands, what it came to, and the way back."""

from sample_sessions import audit_session

from core.events import SessionPaused
from core.folds.view import SessionView
from tui.parting import part, standing, way_back


def viewed(*bodies, running=True):
    log = audit_session(running=running)
    for body in bodies:
        log.add(body)
    view = SessionView()
    view.apply_all(log.events)
    return view


def test_it_says_the_state_and_why_and_what_it_cost():
    assert standing(viewed()) == "audit-inventory: running. 35 calls in 0:02:52, $1.11 of $5."
    paused = standing(viewed(SessionPaused(reason="budget", detail="5.01 of 5 is\x1b[2J spent.")))
    assert paused.startswith("audit-inventory: paused (budget): 5.01 of 5 is") and "\x1b" not in paused
    assert "finished. 35 calls" in standing(viewed(running=False))


def test_the_time_of_a_session_that_is_left_at_work_goes_on_and_else_ends_with_its_last_event(tmp_path, capfd):
    for view, driven, took in ((viewed(), True, "1:02:52"), (viewed(), False, "0:02:52")):
        part(view, tmp_path, now_us=view.timeline.at_us(view.last_seq) + 3_600_000_000, driven=driven)
        assert f"35 calls in {took}, " in capfd.readouterr().out
    view = viewed(SessionPaused(reason="operator"))
    part(view, tmp_path, now_us=view.timeline.at_us(view.last_seq) + 3_600_000_000, driven=True)
    assert "35 calls in 0:02:5" in capfd.readouterr().out


def test_the_way_back_is_the_one_that_works_now():
    assert "longwatch attach 01abc" in way_back("running", "01abc", held=True)
    assert "longwatch resume 01abc" in way_back("stopped", "01abc", held=False)
    done = way_back("finished", "01abc", held=False)
    assert "resume" not in done and "longwatch replay 01abc" in done and "longwatch report 01abc" in done
