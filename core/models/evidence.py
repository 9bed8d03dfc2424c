"""What is claimed of models that people run as agents, each claim with its source and date; nothing else is known here.

Claims that conflict stand side by side: which is right is for the reader, or a run of one's own, to say.
"""

from __future__ import annotations

from typing import NamedTuple


class Claim(NamedTuple):
    """`about`: context, session, reliability or benchmark. `said`: in short; `source` and `date` as far as known."""

    model: str
    about: str
    said: str
    source: str
    date: str


FAMILIES = (
    *("Qwen 3.7 Max", "Qwen 3.7 Plus", "Qwen 3.6", "Qwen 3.5", "Claude Opus", "GPT", "Gemini"),
    *("DeepSeek V4 Pro", "DeepSeek V4 Flash", "Kimi K2.6"),
)
ABOUT = ("context", "session", "reliability", "benchmark")
"""The longest validated session, the reliability of tool calls, results of public benchmarks."""

CLAIMS = (
    Claim("Qwen 3.7 Max", "context", "991,808 in", "Model Studio's model page", "2026-07"),
    Claim("Qwen 3.7 Max", "context", "1,000,000", "genai-prices 0.2.3 (OpenRouter)", "2026-11"),
    Claim("Qwen 3.7 Max", "session", "35 h, 1,158 calls", "the vendor's announcement: one run, its own", "2026-05"),
    Claim("Qwen 3.7 Plus", "context", "991,808", "Model Studio's model page", "2026-07"),
    Claim("Qwen 3.7 Plus", "context", "1,000,000", "genai-prices 0.2.3 (OpenRouter)", "2026-11"),
    Claim("Qwen 3.6", "context", "262,144 (Max preview)", "genai-prices 0.2.3 (OpenRouter)", "2026-11"),
    Claim("Qwen 3.6", "context", "1,000,000 (Plus, Flash)", "genai-prices 0.2.3 (OpenRouter)", "2026-11"),
    Claim("Qwen 3.5", "context", "262,144 (27B, 122B)", "genai-prices 0.2.3 (OpenRouter)", "2026-11"),
    Claim("Qwen 3.5", "context", "1,000,000 (Plus, Flash)", "genai-prices 0.2.3 (OpenRouter)", "2026-11"),
    Claim("Claude Opus", "context", "1,000,000 (4.8 to 5.5)", "genai-prices 0.2.3 (Anthropic)", "2026-11"),
    Claim("Claude Opus", "session", "p50 12-14.5 h (4.6)", "METR time horizon, 95 % interval 5-66 h", "unknown"),
    Claim("GPT", "context", "1,050,000 (5.5 to 6.1)", "genai-prices 0.2.3 (OpenRouter)", "2026-11"),
    Claim("GPT", "session", "24 h and more (5.1)", "the vendor on GPT-5.1-Codex-Max, no run published", "unknown"),
    Claim("Gemini", "context", "1,048,576 (3 to 3.8)", "genai-prices 0.2.3 (OpenRouter)", "2026-11"),
    Claim("DeepSeek V4 Pro", "context", "1,048,576 (0813)", "genai-prices 0.2.3 (OpenRouter)", "2026-11"),
    Claim("DeepSeek V4 Flash", "context", "1,048,576 (0731)", "genai-prices 0.2.3 (OpenRouter)", "2026-11"),
)


def claims_on(family: str, about: str) -> list[Claim]:
    """What is claimed of a family in one respect; empty: unknown."""
    return [claim for claim in CLAIMS if (claim.model, claim.about) == (family, about)]
