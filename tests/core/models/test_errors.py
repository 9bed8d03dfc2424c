from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.models.errors import LONGEST_MESSAGE, ErrorClass, classify, read_envelope, sentence

C = ErrorClass


def anthropic(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}}


def openai(message: str, kind: str | None = None, code: Any = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


TOO_LONG = "prompt is too long: 210000 tokens > 200000 maximum"
HISTORY = "messages.3: `tool_use` ids were found without `tool_result` blocks immediately after"


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, anthropic("invalid_request_error", TOO_LONG), C.CONTEXT_TOO_LONG),
        (
            400,
            anthropic("invalid_request_error", "input length and `max_tokens` exceed context limit"),
            C.CONTEXT_TOO_LONG,
        ),
        (413, anthropic("request_too_large", "Request exceeds the maximum size"), C.CONTEXT_TOO_LONG),
        (
            400,
            openai("the request exceeds the available context size", "exceed_context_size_error", 400),
            C.CONTEXT_TOO_LONG,
        ),
        (500, openai("This model's maximum context length is 8192 tokens"), C.CONTEXT_TOO_LONG),
        (
            400,
            {"code": "InvalidParameter", "message": "Range of input length should be [1, 991808]"},
            C.CONTEXT_TOO_LONG,
        ),
        (429, "Too many tokens, please wait before trying again.", C.RATE_LIMITED),
        (400, anthropic("invalid_request_error", HISTORY), C.BAD_HISTORY),
        (
            400,
            anthropic("invalid_request_error", "`thinking` or `redacted_thinking` blocks cannot be modified"),
            C.BAD_HISTORY,
        ),
        (400, openai("messages with role 'tool' must follow tool_calls; see tool_call_id"), C.BAD_HISTORY),
        (200, anthropic("invalid_request_error", HISTORY), C.BAD_HISTORY),
        (
            400,
            anthropic("invalid_request_error", "max_tokens: 99999 > 8192, the maximum of output tokens"),
            C.BAD_REQUEST,
        ),
        (400, anthropic("invalid_request_error", "tools.0.custom.name: bad pattern"), C.BAD_REQUEST),
        (422, {"detail": [{"loc": ["body", "max_tokens"], "msg": "field required"}]}, C.BAD_REQUEST),
        (401, anthropic("authentication_error", "invalid bearer token"), C.AUTH),
        (403, "Forbidden", C.AUTH),
        (500, openai("Incorrect API key provided: sk-1***"), C.AUTH),
        (400, {"code": "InvalidApiKey", "message": "Invalid API-key provided."}, C.AUTH),
        (400, anthropic("invalid_request_error", "Your credit balance is too low"), C.BILLING),
        (429, openai("You exceeded your current quota", "insufficient_quota", "insufficient_quota"), C.BILLING),
        (402, {"error": {"code": 402, "message": "This request requires more credits"}}, C.BILLING),
        (400, {"code": "Arrearage", "message": "Access denied, overdue-payment"}, C.BILLING),
        (404, anthropic("not_found_error", "model: claude-none"), C.NOT_FOUND),
        (404, {"detail": "Not Found"}, C.NOT_FOUND),
        (405, "Method Not Allowed", C.NOT_FOUND),
        (500, openai("invalid model: qwen-none"), C.NOT_FOUND),
        (400, {"error": {"code": 400, "message": "x/y is not a valid model ID"}}, C.NOT_FOUND),
        (404, {"error": "model 'llama9' not found"}, C.NOT_FOUND),
        (429, anthropic("rate_limit_error", "Number of request tokens has exceeded your limit"), C.RATE_LIMITED),
        (400, {"code": "Throttling.RateQuota", "message": "Requests rate limit exceeded"}, C.RATE_LIMITED),
        (200, anthropic("overloaded_error", "Overloaded"), C.OVERLOADED),
        (529, "", C.OVERLOADED),
        (503, openai("The engine is currently overloaded"), C.OVERLOADED),
        (200, {"error": {"code": 502, "message": "Provider returned error"}}, C.SERVER),
        (200, anthropic("api_error", "Internal server error"), C.SERVER),
        (502, "<html><head><title>502 Bad Gateway</title></head></html>", C.SERVER),
        (500, None, C.SERVER),
        (408, "", C.NETWORK),
        (301, "", C.ELSEWHERE),
        (302, openai("You are being redirected"), C.ELSEWHERE),
        (200, "<html><title>Log in to the network</title></html>", C.ELSEWHERE),
        (404, "<!DOCTYPE html><title>Down for maintenance</title>", C.ELSEWHERE),
        (403, "<html>Forbidden</html>", C.AUTH),
        (418, "teapot", C.BAD_REQUEST),
    ],
)
def test_answers_of_all_vendors_fall_into_their_class(status: int, body: Any, expected: ErrorClass) -> None:
    assert classify(status, read_envelope(body)) is expected


def test_the_sentence_names_what_happened_and_where() -> None:
    envelope = read_envelope(anthropic("not_found_error", "model: claude-none"))
    assert sentence(C.NOT_FOUND, envelope, 404, "https://x.example") == (
        "The model or the address is not known to the server at https://x.example (404): model: claude-none."
    )


def test_what_a_server_says_is_brought_to_one_short_printable_line() -> None:
    message = read_envelope({"error": {"message": "a\x1b[31m\nb" + "x" * 5000}}).message
    assert message.isprintable()
    assert len(message) == LONGEST_MESSAGE


@settings(max_examples=100, deadline=None)
@given(
    st.integers(200, 599) | st.none(),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=30),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(
                st.sampled_from(["error", "type", "code", "message", "detail", "details", "status"]), inner
            )
        ),
        max_leaves=8,
    ),
)
def test_every_body_has_an_envelope_and_a_class(status: int | None, body: Any) -> None:
    envelope = read_envelope(body)
    error_class = classify(status, envelope)
    assert sentence(error_class, envelope, status, "u").isprintable()
