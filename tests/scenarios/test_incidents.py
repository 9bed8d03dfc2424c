"""Everything that goes wrong stands in words in the status line of a small terminal without colour, its cause is one
key away, and what helps two: one session is led from each incident into the next."""

from processes import Longwatch
from stage import all_of_them

from core.simulator.incidents import INCIDENTS


def test_what_is_wrong_stands_in_words_its_cause_is_one_key_away_and_what_helps_two(tmp_path, warm):
    seen = list(all_of_them(Longwatch(tmp_path, warm)))
    assert [one.incident for one in seen] == [incident.name for incident in INCIDENTS]
    assert all(one.keys.split()[0] == "!" or one.keys == "y" for one in seen)
