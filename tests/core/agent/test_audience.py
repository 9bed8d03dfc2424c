"""What befalls the machine and the screens of a session goes into its log: once, and before what comes of it."""

from core.agent.audience import Audience
from core.agent.sleep import Sleep
from core.clock import VirtualClock
from core.events import MachineSlept, ScreenCame, ScreenLost
from core.journal.viewers import Presence


def bodies(drafts):
    return [draft.body for draft in drafts]


def test_a_lost_screen_and_the_next_one_that_comes_are_told_and_one_that_is_left_is_not(tmp_path):
    first = Presence(tmp_path, {}, "anna on pts/3")
    audience = Audience(tmp_path)
    assert audience.look() == [], "who was there before is nothing new"
    first.lose()
    assert bodies(audience.look()) == [ScreenLost(viewer=first.viewer.id, who="anna on pts/3")]
    assert audience.look() == []
    with Presence(tmp_path, {}, "anna on pts/9") as second:
        assert bodies(audience.look()) == [ScreenCame(viewer=second.viewer.id, who="anna on pts/9")]
    assert audience.look() == []
    with Presence(tmp_path, {}, "bea"):
        assert audience.look() == []


def test_a_screen_that_is_lost_beside_another_leaves_the_session_seen(tmp_path):
    audience = Audience(tmp_path)
    with Presence(tmp_path, {}, "bea on pts/1"):
        audience.look()
        Presence(tmp_path, {}, "anna").lose()
        (lost,) = bodies(audience.look())
        assert lost.who == "anna" and lost.others == 1
        assert audience.look() == []


def test_who_came_between_two_looks_is_told_as_well(tmp_path):
    audience = Audience(tmp_path)
    first = Presence(tmp_path, {}, "anna on pts/3")
    audience.look()
    with Presence(tmp_path, {}, "bea") as second:
        first.lose()  # a moment later, and yet before the next look
        lost, came = bodies(audience.look())
    assert lost.others == 0 and came == ScreenCame(viewer=second.viewer.id, who="bea")


def test_a_night_is_told_until_it_is_written_and_a_nap_is_not():
    clock = VirtualClock()
    sleep = Sleep(clock)
    clock.suspend(59)
    assert sleep.untold() == []
    clock.advance(3_600)
    clock.suspend(8 * 3_600)
    assert bodies(sleep.untold()) == bodies(sleep.untold()) == [MachineSlept(seconds=8 * 3_600 + 59)]
    sleep.told(sleep.untold())
    assert sleep.untold() == []
