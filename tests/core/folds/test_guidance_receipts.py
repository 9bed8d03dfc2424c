"""What became of each guidance, as far as the log shows it."""

import pytest
from lives import Life

from core.events import GuidanceRetracted
from core.folds.mentions import subject


def only(log, at=None):
    (receipt,) = log.view.guidance.receipts(at)
    return receipt


def test_guidance_is_queued_until_it_is_delivered_and_known_by_the_request_that_carries_it():
    log = Life()
    log.run("ls")
    id = log.queue("Look at core/a.py.", standing=True)
    assert (only(log).fate, only(log).standing) == ("queued", True)
    log.deliver(id, "Look at core/a.py.", standing=True)
    assert (only(log).fate, only(log).request) == ("delivered", None)
    asked = log.request()
    receipt = only(log)
    assert (receipt.fate, receipt.request, receipt.asked) == ("delivered", 2, len(log.events))
    assert asked == "r2.1" and "with request 2" in receipt.sentence


def test_guidance_that_was_taken_back_stays_taken_back():
    log = Life()
    id = log.queue("Look at core/a.py.")
    log.add(GuidanceRetracted(), id, "user")
    log.edit("core/a.py")
    assert only(log).fate == "retracted"
    assert only(log, at=2).fate == "queued"


def test_calls_that_share_a_name_with_it_act_on_it_and_their_files_are_listed():
    log = Life()
    log.guide("Please use the limit in core/a.py, not in core/b.py.")
    log.run("ls")
    log.edit("core/a.py")
    log.act("read_file", {"path": "/home/me/project/core/b.py"})
    log.edit("core/c.py")
    receipt = only(log)
    assert receipt.fate == "acted on"
    assert receipt.calls == ("r2.1.0", "r3.1.0") and receipt.files == ("core/a.py",)
    assert receipt.sentence == "delivered with request 1; acted on by 2 calls that changed core/a.py"
    assert receipt.outcome == "acted on by 2 calls that changed core/a.py · request 1"


def test_five_replies_without_a_name_that_it_has_are_apparently_ignoring_it_and_not_earlier():
    log = Life()
    log.guide("The limit is in core/limits.py.")
    for number in range(5):
        assert only(log).fate == "delivered"
        log.act("read_file", {"path": f"other{number}.py"})
    assert only(log).fate == "delivered"
    log.act("read_file", {"path": "late.py"})
    receipt = only(log)
    assert receipt.fate == "apparently ignored"
    assert "no call of the 5 replies after it" in receipt.sentence


def test_what_names_nothing_is_never_called_ignored():
    log = Life()
    log.guide("Hurry up, please.")
    for number in range(7):
        log.act("read_file", {"path": f"other{number}.py"})
    assert only(log).fate == "unclear"


def test_plain_words_are_enough_to_see_that_it_was_acted_on():
    log = Life()
    log.guide("Write more tests before you go on.")
    log.edit("tests/test_parser.py")
    assert only(log).fate == "acted on"


def test_an_answer_in_words_counts_as_an_answer():
    log = Life()
    log.guide("Why does parse_date accept a zero?")
    log.turn(text="Because parse_date follows the old format.")
    assert only(log).fate == "answered"


def test_guidance_that_other_guidance_overtakes_is_not_called_ignored():
    log = Life()
    log.guide("Look at core/a.py.")
    log.run("ls")
    log.guide("No, at core/b.py.")
    log.edit("core/b.py")
    first, second = log.view.guidance.receipts()
    assert (first.fate, second.fate) == ("unclear", "acted on")


def test_two_that_are_delivered_together_are_watched_together():
    log = Life()
    log.guide("Look at core/a.py.")
    log.guide("And at core/b.py.")
    log.turn(("read_file", {"path": "core/a.py"}), ("read_file", {"path": "core/b.py"}))
    assert [receipt.calls for receipt in log.view.guidance.receipts()] == [("r1.1.0",), ("r1.1.1",)]


def test_what_a_rewind_took_away_is_abandoned_and_a_standing_order_said_again_is_watched_again():
    log = Life()
    log.run("ls")
    back = log.head
    log.guide("Never touch vendor/lib.py.", standing=True)
    log.run("ls -l")
    log.rewind(back)
    assert only(log).fate == "abandoned"
    log.deliver(None, "Never touch vendor/lib.py.", standing=True)
    log.run("cat vendor/lib.py")
    receipt = only(log)
    assert (receipt.fate, receipt.id, len(receipt.calls)) == ("acted on", "g1", 1)


def test_the_end_of_the_session_ends_the_waiting_for_a_sign():
    log = Life()
    log.guide("Look at core/limits.py.")
    log.finish_session()
    assert only(log).fate == "apparently ignored"


def test_each_delivery_is_told_of_by_its_own_event_as_of_any_moment():
    log = Life()
    log.guide("Look at core/limits.py.")
    (delivered,) = log.view.guidance.latest_deliveries(8)
    log.edit("core/limits.py")
    guidance = log.view.guidance
    assert guidance.delivered_at(delivered).fate == "acted on"
    assert guidance.delivered_at(delivered, delivered).fate == "delivered"
    assert guidance.delivered_at(delivered + 1) is None
    assert guidance.latest_deliveries(8, delivered - 1) == []


@pytest.mark.parametrize(
    ("said", "path", "shared"),
    [
        ("fix core/a.py", "/w/core/a.py", True),
        ("fix a.py", "core/a.py", True),
        ("fix core/", "core/events/control.py", True),
        ("fix core/a.py", "tests/a.py", False),
        ("use parseDate", "x parseDate(y)", True),
        ("port 8081", "curl localhost:8081", True),
        ("e.g. tests", "tests/x", True),
        ("", "core/a.py", False),
    ],
)
def test_names_are_shared_by_paths_from_any_folder_and_by_parts_of_them(said, path, shared):
    assert subject(said).in_arguments({"deep": [{"path": path}]}) is shared


def test_a_hostile_text_is_looked_at_in_bounded_time():
    assert not subject("/" * 200_000).terms
    assert not subject("a.b").in_text("-" * 200_000 + "a.c")
