"""The question on the screen: it comes by itself, waits for no stray key, is answered once, and never replaced."""

import pytest
from sample_sessions import audit_session
from watching_app import app_over, read, screen_text, until

from core.events import ApprovalAnswered, ApprovalAsked
from core.journal.viewers import Viewer
from tui.docks import approval
from tui.docks.approval import ApprovalDock
from tui.docks.guidance import GuidanceDock
from tui.screens.seats import Seats

RULE = "run_command: git push origin main"
HOSTILE = "echo '\x1b]52;c;x\x07[bold]y[/]' \u202e && git push origin main"


def asked(command="git push origin main", **more):
    more.setdefault("rules", [RULE])
    return ApprovalAsked(
        name="run_command",
        use_id="t",
        arguments={"command": command},
        effect="command",
        reason="git push reaches other repositories or changes how git works.",
        facts=["in: /home/dev/inventory", "outside: /etc/passwd"],
        **more,
    )


class Asking:
    """The app over a session that asks; `grace` in seconds."""

    def __init__(self, monkeypatch, *questions, grace=0.0, size=(80, 24)):
        monkeypatch.setattr(approval, "GRACE_S", grace)
        self.log, self.size = audit_session(), size
        for index, question in enumerate(questions):
            self.log.add(question, key=f"r99.1.{index}")
        self.app = app_over(self.log)

    async def __aenter__(self):
        self._running = self.app.run_test(size=self.size, notifications=True)
        self.pilot = await self._running.__aenter__()
        await read(self.pilot)
        return self

    async def __aexit__(self, *error):
        await self._running.__aexit__(*error)

    def docks(self):
        return list(self.app.watch_screen.query(ApprovalDock))

    async def shown(self):
        await until(self.pilot, lambda: bool(self.docks()) and self.docks()[0].has_focus)
        return self.docks()[0]

    async def press(self, *keys):
        for key in keys:
            await self.pilot.press(key)
            await self.pilot.pause()

    def push(self, body, key, actor="agent"):
        self.log.add(body, key=key, actor=actor)
        self.app.fake_source.push()

    @property
    def sent(self):
        return [(verb, args) for verb, args, _ in self.app.fake_controls.sent]


@pytest.mark.parametrize(
    ("keys", "verb", "args"),
    [
        (("y",), "approve", {}),
        (("A",), "approve", {"always": True}),
        (("K",), "approve", {"keep": True}),
        (("n",), "deny", {}),
        (("r", *"not now", "enter"), "deny", {"reason": "not now"}),
    ],
)
async def test_a_key_answers_the_question_that_is_shown(monkeypatch, keys, verb, args):
    async with Asking(monkeypatch, asked()) as asking:
        await asking.shown()
        await asking.press(*keys)
        assert asking.sent == [(verb, {"id": "r99.1.0", **args})]
        await until(asking.pilot, lambda: not asking.docks())


async def test_a_key_that_was_meant_for_something_else_answers_nothing(monkeypatch):
    async with Asking(monkeypatch, asked(), grace=600.0) as asking:
        await asking.shown()
        await asking.press("y", "n", "A", "K", "r", "enter", "escape")
        assert asking.sent == [] and len(asking.docks()) == 1
        assert "a moment" in screen_text(asking.pilot)


async def test_the_dialog_shows_all_that_an_answer_needs_on_a_small_screen(monkeypatch):
    async with Asking(monkeypatch, asked()) as asking:
        await asking.shown()
        text = screen_text(asking.pilot)
        for words in ("git push origin main", "/etc/passwd", RULE, "not confined", " y ", " K ", "esc", "later"):
            assert words in text
        assert "The tests again." in text  # the conversation stays in sight


async def test_others_that_ask_are_counted_and_take_no_place(monkeypatch):
    async with Asking(monkeypatch, asked()) as asking:
        dock = await asking.shown()
        asking.push(asked("git fetch"), "r99.1.1")
        await until(asking.pilot, lambda: "1 more behind it" in screen_text(asking.pilot))
        assert asking.docks() == [dock] and "git push origin main" in screen_text(asking.pilot)
        await asking.press("y")
        asking.push(ApprovalAnswered(answer="approved", place="here"), "r99.1.0", actor="user")
        await until(asking.pilot, lambda: "git fetch" in screen_text(asking.pilot) and bool(asking.docks()))
        assert asking.docks()[0].question.key == "r99.1.1"


async def test_an_answer_from_elsewhere_closes_it_and_says_whose_it_was(monkeypatch):
    async with Asking(monkeypatch, asked()) as asking:
        await asking.shown()
        asking.push(ApprovalAnswered(answer="denied", place="send, ada@box"), "r99.1.0", actor="ada")
        await until(asking.pilot, lambda: not asking.docks())
        await until(asking.pilot, lambda: "Denied already by ada (send, ada@box)" in screen_text(asking.pilot))
        assert asking.sent == []


async def test_put_off_it_stays_away_until_it_is_asked_for(monkeypatch):
    async with Asking(monkeypatch, asked(), size=(120, 36)) as asking:
        await asking.shown()
        await asking.press("escape")
        await until(asking.pilot, lambda: not asking.docks())
        asking.push(asked("git fetch"), "r98.1.0")
        dock = await asking.shown()
        assert dock.question.key == "r98.1.0"
        await asking.press("escape")
        await until(asking.pilot, lambda: not asking.docks())
        assert "answer" in screen_text(asking.pilot)
        await asking.press("a")
        assert (await asking.shown()).question.key == "r99.1.0"


async def test_it_waits_while_somebody_writes(monkeypatch):
    async with Asking(monkeypatch) as asking:
        await asking.press("g", *"mind the y")
        asking.push(asked(), "r99.1.0")
        await until(asking.pilot, lambda: "Asks before run_command" in screen_text(asking.pilot))
        await asking.press("y", "n")
        assert asking.app.watch_screen.query(GuidanceDock) and not asking.docks() and asking.sent == []
        await asking.press("escape")
        await asking.shown()


async def test_nothing_of_a_command_reaches_the_terminal_unfiltered(monkeypatch):
    async with Asking(monkeypatch, asked(HOSTILE, rules=[HOSTILE], diff=f"+{HOSTILE}"), size=(120, 36)) as asking:
        await asking.shown()
        text = screen_text(asking.pilot)
        assert "\x1b" not in text and "\u202e" not in text and "[bold]y[/]" in text


async def test_every_rule_that_always_would_write_can_be_read(monkeypatch):
    rules = [f"run_command: touch a{number}" for number in range(9)] + ["run_command: echo 'x  y'"]
    async with Asking(monkeypatch, asked(rules=rules)) as asking:
        dock = await asking.shown()
        assert "allows all of the 10 rules above" in screen_text(asking.pilot)
        seen = screen_text(asking.pilot)
        for _ in range(3):
            dock.action_turn(8)
            await asking.pilot.pause()
            seen += screen_text(asking.pilot)
        assert all(f"allows {rule}" in seen for rule in rules)
    async with Asking(monkeypatch, asked(rules=["run_command: echo 'a\n  b\t'"])) as asking:
        await asking.shown()
        assert "allows run_command: echo 'a␊  b␉'" in screen_text(asking.pilot)


async def test_a_call_that_no_rule_can_say_offers_no_always(monkeypatch):
    async with Asking(monkeypatch, asked(rules=[])) as asking:
        await asking.shown()
        assert "Only once" in screen_text(asking.pilot)
        await asking.press("A", "K")
        assert asking.sent == []


async def test_an_observer_is_asked_once_it_takes_the_wheel(monkeypatch):
    me, other = Viewer("b", "me on pts/2", 2, 2), Viewer("a", "anna on pts/1", 1, 1)
    async with Asking(monkeypatch) as asking:
        screen = asking.app.watch_screen
        screen.seats_changed(Seats(me, [other]))
        asking.push(asked(), "r99.1.0")
        await until(asking.pilot, lambda: "Asks before" in screen_text(asking.pilot))
        await screen.look_for_questions()
        assert not asking.docks() and "drives this session" not in screen_text(asking.pilot)
        screen.seats_changed(Seats(me))
        await screen.look_for_questions()
        assert await asking.shown()
