"""`models`: what there is, and what fits."""

import json


def test_models_are_listed_priced_and_fitted(longwatch):
    lines = longwatch.here("models", "qwen3.7-max").stdout.splitlines()
    assert any(line.startswith("openrouter:qwen/qwen3.7-max") and "since 2026-10-19" in line for line in lines)
    assert any(line.startswith("model-studio:qwen3.7-max") and "991,808" in line for line in lines)
    planned = json.loads(
        longwatch.here("models", "--profile", "anthropic", "--for", "2h", "--context", "500k", "--json").stdout
    )
    assert planned["overkill"] is None
    verdicts = {row["model"]: row["fits"] for row in planned["fits"]}
    assert verdicts["anthropic:claude-opus-5-5"] and not verdicts["anthropic:claude-haiku-4-5"]
    short = longwatch.here("models", "--profile", "model-studio", "--for", "1h").stdout
    assert "overkill" in short and "model-studio:qwen3.7-max" in short
    evidence = longwatch.here("models", "--evidence").stdout
    assert "Kimi K2.6" in evidence and "unknown" in evidence and "35 h, 1,158 calls [" in evidence


def test_what_can_not_be_meant_is_said(longwatch):
    for words in (["--for", "long"], ["--context", "much"], ["--profile", "nobody"], ["--for", "0h"]):
        answer = longwatch.here("models", *words)
        assert answer.returncode == 2 and "Traceback" not in answer.stderr and answer.stderr.startswith("longwatch: ")
