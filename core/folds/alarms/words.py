"""The words of alarms, by what caused them: long ones, and short ones for a narrow status line."""

from __future__ import annotations

LONGEST = 300
"""Characters of what others say that go into a sentence."""

TROUBLES = {
    "overloaded": ("provider down", "the provider is overloaded"),
    "server": ("provider down", "the provider's server fails"),
    "rate_limited": ("rate limited", "the provider limits the rate of requests"),
    "network": ("network down", "the provider can't be reached"),
    "stream_cut": ("replies cut", "the connection breaks before a reply is over"),
    "stalled": ("replies stall", "replies stand still before they are over"),
    "elsewhere": ("web page", "a redirect or a web page comes in place of the provider's answers"),
    "malformed": ("bad replies", "the provider's answers make no sense"),
    "chanting": ("chanting", "replies repeat themselves and are cut"),
}
"""By the error of a request: in at most `SHORTEST` cells, and as a sentence."""

STOPS = {
    "budget": ("budget used up", "budget spent"),
    "turn_limit": ("turn limit",),
    "auth": ("the key was refused", "key refused"),
    "billing": ("the provider wants to be paid", "unpaid"),
    "config": ("the model can't be reached as configured", "a setting is wrong", "bad setting"),
    "request": ("the provider refuses the request", "request refused", "refused"),
    "history": ("the provider refuses the conversation", "history refused", "refused"),
    "malformed": ("the provider's answers make no sense", "bad replies"),
    "outage": ("the provider did not answer for too long", "provider down"),
    "context": ("the window is full", "window full"),
    "refusal": ("the model declined", "declined"),
    "disk": ("the disk is full", "disk full"),
    "approval": ("nobody answered what it asked", "nobody answered", "unanswered"),
    "error": ("an error",),
}
"""Why a session stands still by itself."""

GUARDS = {
    "repetition": ("the same call {times} times", "same call {times}x"),
    "cycle": ("going in circles, {times} rounds", "circling {times}x"),
    "failure": ("the same failure {times} times", "same fail {times}x"),
    "oscillation": ("a file goes to and fro, {times} times", "swinging {times}x"),
    "stagnation": ("nothing new for {times} calls", "no progress"),
    "monologue": ("{times} replies without a call", "only talk {times}x"),
    "chanting": ("a reply repeats itself", "chanting {times}x"),
    "arguments": ("{times} calls with wrong arguments", "bad calls {times}x"),
    "step": ("a step took {times}% of its time", "step {times}%"),
    "constraint": ("your constraint was broken", "rule broken"),
    "forbidden": ("{times} forbidden calls were stopped", "forbidden {times}x"),
    "drift": ("the work drifts off the goal", "off the goal"),
    "red": ("a check is red, {times} times", "red {times}x"),
}
"""By guard: in a few words, and in fewer."""

RUNGS = {
    "notice": "It is only noted so far; the agent is not told.",
    "nudge": "The agent was told.",
    "reassess": "The agent was told to look at its plan again.",
    "pause": "It is paused until you have looked.",
}
