"""`simulate-cost` and `estimate` as typed on a command line."""

import json

import pytest

from tui.cli import main

KNOWN = "auto, paragraph, summarize, window, mask, trigger, off"


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    """Runs the command line; gives its exit code, what it printed, and its complaint."""
    settings = tmp_path / "config.toml"
    settings.write_text("")
    monkeypatch.setenv("LONGWATCH_CONFIG", str(settings))

    def run(*arguments):
        with pytest.raises(SystemExit) as stop:
            main(["--home", str(tmp_path), *map(str, arguments)])
        printed = capsys.readouterr()
        return stop.value.code, printed.out, printed.err

    return run


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "plan.json"
    path.write_text(json.dumps({"turns": 300, "out_tokens": 240, "result_tokens": 468, "gap_s": 60}))
    return path


def test_all_policies_are_priced_in_a_table_and_a_plot_within_80_columns(run, plan):
    code, out, err = run("simulate-cost", "--workload", plan)
    assert (code, err) == (0, "")
    assert all(any(line.startswith(f"{name} ") for line in out.splitlines()) for name in KNOWN.split(", "))
    assert max(len(line) for line in out.splitlines()) <= 80
    assert out.isascii()
    assert "hindsight" in out
    assert "w window" in out


def test_chosen_policies_come_as_json_with_their_curves(run, plan):
    code, out, _ = run("simulate-cost", "--workload", plan, "--policy", "auto", "--policy", "off", "--json")
    answer = json.loads(out)
    assert code == 0
    assert list(answer["policies"]) == ["auto", "off"]
    assert answer["hindsight_optimum_usd"] <= answer["policies"]["auto"]["usd"]["total"]
    assert len(answer["policies"]["off"]["curve"]) == answer["turns"] == 300


def test_a_models_own_prices_apply(run, plan):
    _, dear, _ = run("simulate-cost", "--workload", plan, "--policy", "off", "--json")
    code, cheap, _ = run("simulate-cost", "--workload", plan, "--policy", "off", "--json", "--model", "qwen3.7-plus")
    assert code == 0
    assert "qwen3.7-plus" in json.loads(cheap)["prices"]
    totals = [json.loads(out)["policies"]["off"]["usd"]["total"] for out in (cheap, dear)]
    assert totals[0] < totals[1]


def test_the_reference_preset_says_when_its_budget_is_used_up(run, tmp_path):
    path = tmp_path / "long.json"
    path.write_text(json.dumps({"turns": 2_500, "out_tokens": 240, "result_tokens": 468, "gap_s": 60}))
    code, out, _ = run("simulate-cost", "--workload", path, "--preset", "reference", "--policy", "off")
    assert code == 0
    assert "2,000 turns" in out
    assert "off has used up $50 at turn" in out
    assert "off can't run" in out


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--policy", "cheapest"), f"There is no policy 'cheapest'; there are {KNOWN}."),
        (("--alpha", "0"), "--alpha must be a number above 0"),
        (("--alpha", "-2"), "--alpha must be a number above 0"),
        (("--alpha", "nan"), "--alpha must be a number above 0"),
        (("--preset", "mine"), "There is no preset 'mine'"),
        (("--model", "local:unheard-of", "--policy", "off"), "add --base-url"),
        (("--model", "vllm:unheard-of"), "No price is known for 'unheard-of'"),
        (("--keep-turns", "0"), "--keep-turns"),
    ],
    ids=range(8),
)
def test_bad_options_are_one_sentence_and_exit_code_2(run, plan, options, says):
    code, out, err = run("simulate-cost", "--workload", plan, *options)
    assert (code, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1


def test_a_broken_workload_is_named_with_its_line(run, tmp_path):
    path = tmp_path / "bad.jsonl"
    path.write_text('{"out_tokens": 1, "result_tokens": 1, "gap_s": 1}\n{"out_tokens": 1}\n')
    code, _, err = run("simulate-cost", "--workload", path)
    assert code == 2
    assert f"{path}, line 2: `result_tokens` is missing" in err


def test_prices_of_nothing_are_no_division_by_zero(run, plan, tmp_path):
    (tmp_path / "config.toml").write_text('[prices."vllm/own"]\ninput = 0\noutput = 0\n')
    code, out, _ = run("simulate-cost", "--workload", plan, "--model", "vllm:own")
    assert code == 0
    assert "0.00" in out


def test_an_estimate_stands_beside_the_documented_figures(run):
    code, out, _ = run("estimate")
    assert code == 0
    assert max(len(line) for line in out.splitlines()) <= 80
    assert "4M-8M" in out
    assert "$35-65" in out
    assert "can't hold as tokens times price" in out


def test_an_estimate_comes_as_json_too(run):
    code, out, _ = run("estimate", "--hours", "2,35", "--json")
    rows = json.loads(out)
    assert code == 0
    assert [row["documented"] is None for row in rows] == [True, False]


@pytest.mark.parametrize("hours", ["", "x", "1,,2", "0", "-4", "nan", "1e9"])
def test_hours_that_are_none_are_refused(run, hours):
    code, _, err = run("estimate", "--hours", hours)
    assert code == 2
    assert "write it like 1,4,12,35" in err
