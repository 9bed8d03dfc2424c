"""The plan: steps with what they took, their checks, the reasons for which it was changed; each leads to its place."""

from sample_sessions import Log, audit_session
from watching_app import app_over, pane_text, read, until

from core.events import FileChange, PlanChanged, PlanStep
from core.folds.view import SessionView
from tui.panes.plan import NO_PLAN, PlanRows, plan_rows

CHECK = "`pytest -q` passes"


class Life(Log):
    """A session with short words for what happens in it."""

    def __init__(self):
        super().__init__()
        self.opened()

    @property
    def view(self):
        view = SessionView()
        view.apply_all(self.events)
        return view

    def run(self, command, ok=True):
        self.call("run_command", {"command": command}, "", effect="command", ok=ok, exit_code=int(not ok))

    def edit(self, path):
        change = FileChange(path=path, before="a", after="b", added=1, removed=0)
        self.call("edit_file", {"path": path}, "", effect="write", files=[change])


def planned(reason="", **states):
    steps = [PlanStep(id=id, intent=f"Do {id}", check=CHECK if id == "a" else "", status=state)
             for id, state in states.items()]  # fmt: skip
    return PlanChanged(steps=steps, reason=reason)


def shown(log, width=60, at=None):
    rows = PlanRows()
    rows.show(plan_rows(log.view, at), log.view.timeline.at_us(1))
    return [line.plain.rstrip() for index in range(len(rows)) for line in rows.render(index, width)]


def life():
    log = Life()
    log.add(planned(a="active", b="todo"))
    log.edit("a.py")
    return log


def test_without_a_plan_there_is_a_sentence():
    assert " ".join(shown(Life())) == NO_PLAN


def test_a_step_says_its_status_what_it_took_and_whether_its_check_passed_since():
    log = life()
    assert f"  check: {CHECK}" in shown(log)
    log.run("pytest -q", ok=False)
    assert any(line.lstrip().startswith("✗") and line.endswith("fails") for line in shown(log))
    log.run("pytest -q")
    lines = shown(log)
    assert lines[0] == "● Do a" and lines[1].startswith("  active  3 calls  $0.")
    assert any(line.endswith("passed") for line in lines)
    log.edit("b.py")
    assert any("passed, files changed since" in line for line in shown(log))
    assert "○ Do b" in shown(log) and "  todo" in shown(log)


def test_the_plan_is_shown_as_it_was():
    log = life()
    before = len(log.events)
    log.run("pytest -q")
    log.add(planned("the tests pass", a="done", b="active"))
    assert "● Do a" in shown(log, at=before) and "✓ Do a" in shown(log)
    assert not any("↻" in line for line in shown(log, at=before))
    assert any("↻" in line and "the tests pass" in line for line in shown(log))


def test_figures_stand_beside_a_step_where_there_is_room():
    (line,) = (line for line in shown(life(), 100) if "Do a" in line)
    assert line.startswith("● Do a") and "active  1 call  $0." in line


def test_what_no_step_took_is_told():
    log = Life()
    log.run("ls")
    log.add(planned(a="active"))
    assert shown(log)[-1].startswith("Outside of these steps: 1 call")


def test_rows_that_are_as_they_were_are_known():
    log, rows = life(), PlanRows()
    rows.show(plan_rows(log.view, None), 0)
    log.run("ls")
    assert rows.show(plan_rows(log.view, None), 0) == 0
    assert rows.show(plan_rows(log.view, None), 0) == len(rows)


async def test_enter_on_a_step_leads_to_where_it_began():
    async with app_over(audit_session()).run_test(size=(120, 40)) as pilot:
        await read(pilot)
        await pilot.press("6")
        await until(pilot, lambda: "Run the backup without a shell" in pane_text(pilot, "plan"))
        await pilot.press("home", "enter")
        screen = pilot.app.watch_screen
        await until(pilot, lambda: screen.conversation.line_list.cursor is not None)
        began = screen.view.step_costs.at()[0].since
        assert screen.conversation._rows.items[screen.conversation.line_list.cursor].seq <= began
