"""Another model steps in while the session's own does not answer, and goes again when it does."""

from processes import command, until

from core.events import ModelConsulted, ModelResponded, ModelSwitched


def bodies(events, kind):
    return [event.body for event in events if isinstance(event.body, kind)]


def test_the_next_model_goes_on_while_the_first_is_down_and_the_first_comes_back(longwatch):
    rows = [command("echo 1"), longwatch.gated("echo 2"), command("echo 3"), {"text": "Done."}]
    other = longwatch.script(*rows)
    routing = (
        f'[routing]\nfallback = ["nobody:x", "{other}"]\nfallback_after_minutes = 0\nfallback_look_minutes = 0.001\n'
    )
    profile = '[profiles.nobody]\nbase_url = "http://127.0.0.1:9"\napi_key_env = "NOT_SET"\n'
    longwatch.config.write_text(longwatch.config.read_text() + routing + profile)
    url = longwatch.serve("--fault", "2:529x3")
    process = longwatch.run("own", "--base-url", url)
    until(lambda: any(event.kind == "model.consulted" for event in longwatch.events()))
    longwatch.gate.touch()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    events = longwatch.events()
    down, back = bodies(events, ModelSwitched)
    assert (down.reason, down.route, down.model) == ("down", other, other)
    assert down.detail.startswith("own does not answer: ") and float(down.usd) > 0
    assert (back.reason, back.route, back.model) == ("back", "", "own")
    assert [body.model for body in bodies(events, ModelResponded)] == ["own", other, "own", "own"]
    assert bodies(events, ModelConsulted)
    assert longwatch.report()["cost_by_purpose"].keys() == {"main", "probe"}
