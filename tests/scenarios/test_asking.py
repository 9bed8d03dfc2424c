"""The agent asks its user, in a real session: the answer comes from another shell and is what the tool gives."""

import json

from processes import until

from core.events import HumanAnswered, HumanAsked, ToolFinished


def ask(question, **more):
    return {"text": "I ask.", "tool_uses": [{"name": "ask_human", "input": {"question": question, **more}}]}


def test_a_question_waits_for_its_answer_which_is_the_result_of_the_call(longwatch):
    process = longwatch.run(longwatch.script(ask("Which database?", options=["SQLite", "Postgres"])))
    until(lambda: longwatch.count("human.asked"))
    (listed,) = json.loads(longwatch.here("ls", "--json").stdout)
    assert (listed["state"], listed["reason"]) == ("waiting", "question")
    refused = longwatch.here("send", longwatch.folder().name, "answer", "")
    assert refused.returncode != 0
    sent = longwatch.here("send", longwatch.folder().name, "answer", "2")
    assert sent.returncode == 0, sent.stderr
    process.communicate(timeout=60)
    assert process.returncode == 0
    bodies = [event.body for event in longwatch.events()]
    assert [body.question for body in bodies if isinstance(body, HumanAsked)] == ["Which database?"]
    assert [body.text for body in bodies if isinstance(body, HumanAnswered)] == ["Postgres"]
    (result,) = [body for body in bodies if isinstance(body, ToolFinished)]
    assert (result.ok, result.content) == (True, "The user answers: Postgres")


def test_a_question_without_an_answer_ends_a_headless_session_in_time_and_stays_open(longwatch):
    process = longwatch.run(longwatch.script(ask("Which database?")), "--approval-timeout", "0.2")
    process.communicate(timeout=60)
    assert process.returncode == 4
    assert longwatch.count("tool.finished") == 0
