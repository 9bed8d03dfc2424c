"""How long a reply may be follows from how long the last ones were."""

from hypothesis import given
from hypothesis import strategies as st

from core.agent.facts import Spoken
from core.agent.output_limit import LARGEST, SMALL, USUAL, output_limit


def replies(*outputs, calls=True, limit=USUAL):
    return [Spoken(output, limit, "tool_use" if calls else "end_turn", calls) for output in outputs]


def test_the_first_replies_have_the_usual_limit():
    assert output_limit([], LARGEST).tokens == USUAL
    assert output_limit(replies(200, 300), LARGEST).tokens == USUAL


def test_ten_small_replies_with_calls_lower_it_and_say_so():
    limit = output_limit(replies(*[200] * 9, 1_900), LARGEST)
    assert limit.tokens == SMALL
    assert limit.reason == "the last 10 replies needed at most 1,900"


def test_one_longer_reply_among_them_keeps_the_usual_limit():
    assert output_limit(replies(*[200] * 10, 2_500), LARGEST).tokens == USUAL


def test_after_a_reply_without_calls_the_usual_limit_holds():
    assert output_limit(replies(*[200] * 12, calls=False), LARGEST).tokens == USUAL


def test_each_cut_reply_doubles_the_limit_up_to_the_models_maximum():
    tokens, limits = SMALL, []
    for _ in range(6):
        tokens = output_limit([Spoken(tokens, tokens, "max_tokens", True)], LARGEST).tokens
        limits.append(tokens)
    assert limits == [8_192, 16_384, 32_768, LARGEST, LARGEST, LARGEST]
    assert output_limit([Spoken(8_192, 8_192, "max_tokens", True)], 10_000).tokens == 10_000


def test_a_long_step_has_room_and_thinking_comes_on_top():
    assert output_limit(replies(*[200] * 12), LARGEST, long_step=True).tokens == 32_768
    assert output_limit(replies(*[200] * 12), LARGEST, thinking=2_000).tokens == SMALL + 2_000


spoken = st.builds(
    Spoken, st.integers(0, 70_000), st.integers(1, LARGEST), st.sampled_from(("tool_use", "max_tokens")), st.booleans()
)


@given(st.lists(spoken, max_size=20), st.integers(1, 200_000), st.booleans())
def test_the_limit_never_exceeds_what_the_model_can_give(recent, most, long_step):
    assert 0 < output_limit(recent, most, long_step=long_step).tokens <= min(most, LARGEST)
