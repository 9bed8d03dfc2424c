"""Guards: detectors that read the log as it grows, each a small reducer of constant cost, and what was made of them.

`watch` feeds the detectors and says which signal is due; `log` keeps what was raised, answered and what came of it.
What a detector can't see, it doesn't claim.
"""
