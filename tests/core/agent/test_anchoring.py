"""The objective is said again where the context has diluted it, and nowhere else."""

from logbook import Logbook

from core.agent.anchoring import anchor_due, anchor_text
from core.agent.facts import Facts
from core.events import ContextCompressed, GuidanceDelivered, PlanChanged, PlanStep

TASK = "Never touch vendor/. Mend the parser."


class Session:
    """A log and the facts that follow it."""

    def __init__(self):
        self.log, self.facts, self._fed = Logbook(TASK), Facts(), 0
        self.feed()

    def feed(self):
        self.facts.apply_all(self.log.events[self._fed :])
        self._fed = len(self.log.events)

    def turns(self, count, size=2_000):
        for turn in range(count):
            self.log.turn(("read_file", {"path": f"m{turn}.py"}), text="x" * size)
        self.feed()

    def add(self, body, **more):
        self.log.add(body, **more)
        self.feed()

    def remind(self):
        self.add(GuidanceDelivered(text=anchor_text(self.facts), source="anchor"))

    @property
    def due(self):
        return anchor_due(self.facts, 10_000)


def plan(*statuses):
    return PlanChanged(steps=[PlanStep(id=str(n), intent=f"step {n}", status=s) for n, s in enumerate(statuses, 1)])


def test_a_young_session_needs_no_reminder():
    session = Session()
    assert not session.due
    session.turns(5)
    assert not session.due


def test_when_the_task_is_many_tokens_back_it_is_repeated_once():
    session = Session()
    session.turns(40)
    assert session.due
    session.remind()
    assert not session.due
    session.turns(40)
    assert session.due


def test_after_a_compression_it_is_repeated_behind_the_turns_that_stayed():
    session = Session()
    session.turns(20)
    first_kept = [e.seq for e in session.log.events if e.kind == "model.responded"][5]
    session.add(
        ContextCompressed(
            policy="auto", reason="rent", digest="d", keep_from=first_kept, tokens_before=9, tokens_after=5
        )
    )
    assert session.due
    session.remind()
    assert not session.due


def test_a_finished_step_is_a_reason_and_a_mere_change_of_the_plan_is_none():
    session = Session()
    session.add(plan("active", "todo"))
    session.turns(8)
    session.add(plan("active", "todo", "todo"))
    session.turns(2)
    assert not session.due
    session.add(plan("done", "active", "todo"))
    session.turns(1)
    assert session.due
    session.remind()
    session.turns(8)
    assert not session.due


def test_the_reminder_repeats_the_users_words_and_the_current_step_and_adds_nothing():
    session = Session()
    session.add(GuidanceDelivered(text="Keep the tests green.", standing=True), actor="user")
    session.add(GuidanceDelivered(text="Thanks!"), actor="user")
    session.add(plan("done", "active", "todo"))
    text = anchor_text(session.facts)
    assert TASK in text
    assert "- Keep the tests green." in text
    assert "Thanks!" not in text
    assert "The current step is 2: step 2" in text
    assert "step 3" not in text
