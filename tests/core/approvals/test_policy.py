"""The verdict about one call: hostile lines are asked about, plain work runs, rules and modes have their order."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hostile import ASKED, RUN, SNEAKED, lines
from hypothesis import given
from hypothesis import strategies as st

from core.agent.approving import policy_of
from core.approvals.places import Places, real_path
from core.approvals.policy import Allow, Ask, Call, Confinement, Policy, Refuse, Verdict, decide, host_of
from core.approvals.rules import BadRule, Rules, exact_command, exact_path, read_rule, read_rules
from core.config import Config, ContextSettings
from core.sandbox.access import PROTECTED
from core.sandbox.grant import Grant

CONFINED = Confinement(confined=True, how="bubblewrap", network=False, hides_sessions=True)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    base = Path(os.path.realpath(tmp_path_factory.mktemp("place")))
    (base / "work" / "sub").mkdir(parents=True)
    (base / "secret").mkdir()
    (base / "work" / "link").symlink_to(base / "secret")
    return Places(str(base / "work"), home=str(base / "home"))


def judged(places: Places, line: str, **more: object) -> Verdict:
    return decide(Call("run_command", "command", {"command": line}), Policy(places, **more))  # type: ignore[arg-type]


def edited(places: Places, path: str, **more: object) -> Verdict:
    return decide(Call("edit_file", "write", {"path": path}), Policy(places, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize("line", lines(ASKED))
def test_a_line_that_leaves_the_workspace_or_can_not_be_judged_is_asked_about(places: Places, line: str) -> None:
    verdict = judged(places, line)
    assert isinstance(verdict, Ask)
    assert verdict.reason.endswith(".") and verdict.reason[0] != " "


@pytest.mark.parametrize("line", SNEAKED)
def test_what_runs_something_behind_a_look_is_never_taken_for_one(places: Places, line: str) -> None:
    looks = read_rules(
        [f"run_command: {name} *" for name in ("git status", "ls", "cat", "grep", "find", "env")], (), ()
    )
    for mode in ("read-only", "ask"):
        assert not isinstance(judged(places, line, mode=mode, rules=looks), Allow), mode


def test_a_path_behind_a_link_that_nobody_may_read_is_judged_by_its_words(places: Places) -> None:
    def unreadable(path: str) -> str:
        raise PermissionError(path)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("os.path.realpath", unreadable)
        assert real_path("/proc/1/root/../x") == "/proc/1/x"
    assert isinstance(judged(places, "cat /proc/1/root/etc/passwd"), Ask)


@pytest.mark.parametrize("line", [*lines(RUN), "pytest \\\n  -q", "pytest\\\n -q", 'git commit -m "a\nb \\\nc"'])
def test_plain_work_inside_the_workspace_runs(places: Places, line: str) -> None:
    assert judged(places, line) == Allow()


def test_where_a_sandbox_confines_commands_only_what_it_does_not_give_is_asked_or_by_rule(places: Places) -> None:
    asking = read_rules((), ("run_command",), ())
    for line in lines(ASKED):
        verdict = judged(places, line, confinement=CONFINED)
        assert verdict == Allow() or (isinstance(verdict, Ask) and verdict.grant), line
        assert isinstance(judged(places, line, confinement=CONFINED, rules=asking), Ask)


@pytest.mark.parametrize(
    ("line", "network", "writable"),
    [
        ("pip install -q requests", True, []),
        ("python3 -m pip install requests", True, []),
        ("cd sub && git push origin main", True, []),
        ("sh -c 'curl -s https://example.org | head'", True, []),
        ("npm ci && npm test", True, []),
        ("cp sub/a ../secret/b", False, ["../secret"]),
        ("echo a >> ../secret/file", False, ["../secret/file"]),
        ("echo a > ../secret/new", False, ["../secret"]),
        ("rm -r ../secret", False, [".."]),
        ("sed -i s/a/b/ ../secret/file", False, ["../secret"]),
        ("curl https://example.org -o ../secret/page", True, ["../secret"]),
        ("ls ../secret; cat /etc/hostname; git commit -m push; npm test; rm sub/x; echo a > /dev/null", False, []),
        ("openssl dgst -sha256 sub/a; python3 ../secret/file", False, []),
        ("git clone . sub/b && git archive HEAD | tar t; git submodule status; git submodule add ./x y", False, []),
        ("git fetch ../other main; git -C sub pull /srv/other; pip install --no-index sub", False, []),
        ("git -C sub push origin", True, []),
        ("git -c a.b=c clone host:x", True, []),
        ("git submodule update --init", True, []),
        ("npm run dev & sleep 1; curl -sf -X POST http://localhost:3000/a?b; timeout 5 curl 127.0.0.1", False, []),
        (
            "python3 -m http.server 80 --bind 127.0.0.1 >log &\nsleep 1\ncurl -s '[::1]:80' | head -2; kill %1",
            False,
            [],
        ),
        ("curl http://localhost:3000/", True, []),
        ("npm run dev; curl localhost:3000", True, []),
        ("npm run dev & curl http://localhost:3000/ https://example.org", True, []),
        ("npm run dev & curl http://localhost.example.org/; curl -K file", True, []),
    ],
)
def test_a_confined_command_is_asked_for_exactly_what_its_words_need(
    places: Places, line: str, network: bool, writable: list[str]
) -> None:
    Path(places.workspace, "../secret/file").touch()
    verdict = judged(places, line, confinement=CONFINED)
    wanted = Grant(network, tuple(os.path.realpath(Path(places.workspace) / path) for path in writable))
    assert verdict.grant == wanted if isinstance(verdict, Ask) else not wanted
    if isinstance(verdict, Ask):
        assert "sandbox" in verdict.reason and all(f"needs: {need}" in verdict.facts for need in wanted.needs())


def test_what_is_open_already_or_closed_for_good_is_never_asked_for(places: Places) -> None:
    settled = replace(CONFINED, network=True, settled=(f"{places.workspace[:-4]}secret",))
    for line in ("pip install requests", "touch ../secret/file"):
        assert judged(places, line, confinement=settled) == Allow()
        assert judged(places, line, confinement=CONFINED, mode="full") == Allow("everything is allowed")


@pytest.mark.parametrize(
    "line",
    ["python3 - <<'X'\npass\nX", "python3 -B - < sub/x", "cat x | node", "perl /dev/stdin", "sqlite3 -batch x.db"],
)
def test_no_rule_is_offered_for_what_takes_from_its_input_what_it_does(places: Places, line: str) -> None:
    verdict = judged(places, line, mode="ask")
    assert isinstance(verdict, Ask) and verdict.rules == ()


def test_a_rule_gives_the_network_to_a_line_only_where_it_covers_each_of_its_commands(places: Places) -> None:
    rules = read_rules(["run_command: git push *"], (), ())
    given = judged(places, "git push origin | tail -3", confinement=CONFINED, rules=rules)
    assert isinstance(given, Allow) and given.grant == Grant(network=True)
    for line in ("git push origin; python3 send.py", "python3 send.py && git push origin"):
        asked = judged(places, line, confinement=CONFINED, rules=rules)
        assert isinstance(asked, Ask) and asked.grant == Grant(network=True)
        always = read_rules(asked.rules, (), ())
        allowed = judged(places, line, confinement=CONFINED, rules=always)
        assert isinstance(allowed, Allow) and allowed.grant == Grant(network=True)
    assert judged(places, "git push origin | sh", confinement=CONFINED, rules=rules) == Allow()


def test_the_agent_may_ask_for_the_network_for_a_script(places: Places) -> None:
    call = Call("run_command", "command", {"command": "./setup.sh", "network": True})
    asked = decide(call, Policy(places, confinement=CONFINED))
    assert isinstance(asked, Ask) and asked.grant == Grant(network=True)
    assert asked.rules == ("run_command: ./setup.sh",)
    assert decide(call, Policy(places)) == Allow()
    assert decide(call, Policy(places, "full", confinement=CONFINED)) == Allow("everything is allowed")


def test_a_permission_for_a_line_without_a_network_does_not_give_it_one_later(places: Places) -> None:
    asked = judged(places, "pytest -q", mode="ask", confinement=CONFINED)
    assert isinstance(asked, Ask) and not asked.grant
    rules = read_rules(asked.rules, (), ())
    assert judged(places, "pytest -q", mode="ask", confinement=CONFINED, rules=rules) == Allow("a rule allows it")
    call = Call("run_command", "command", {"command": "pytest -q", "network": True})
    wider = decide(call, Policy(places, "ask", rules, CONFINED))
    assert isinstance(wider, Ask) and wider.grant == Grant(network=True) and not wider.rules
    assert "needs: the network" in wider.facts


def test_what_always_would_allow_allows_this_line_and_nothing_beside_it(places: Places) -> None:
    for line in lines(ASKED):
        verdict = judged(places, line)
        assert isinstance(verdict, Ask)
        if not verdict.rules:
            continue
        rules = read_rules(verdict.rules, (), ())
        assert isinstance(judged(places, line, rules=rules), Allow), line
        for more in (f"{line}; cat ../more", f"{line} | tee ../more", f"PATH=. {line}", f"{line} > ../more"):
            assert isinstance(judged(places, more, rules=rules), Ask), more


def test_a_denial_beats_a_question_and_a_question_beats_a_permission(places: Places) -> None:
    rules = read_rules(["run_command: git *"], ["run_command: git push *"], ["run_command: git push --force *"])
    assert isinstance(judged(places, "git fetch", rules=rules), Allow)
    assert isinstance(judged(places, "git push origin", rules=rules), Ask)
    refused = judged(places, "git push --force origin", rules=rules)
    assert isinstance(refused, Refuse) and "git push --force *" in refused.sentence


@pytest.mark.parametrize(
    "line",
    ["rm x", "ls; rm x", "ls | rm x", "sh -c 'rm x'", "env rm x", "echo $(rm x)", "timeout 1 nice rm x", "/bin/rm x"],
)
def test_a_denial_finds_the_command_wherever_it_stands_in_every_mode(places: Places, line: str) -> None:
    denied = read_rules(["run_command"], (), ["run_command: rm *"])
    for mode in ("read-only", "ask", "workspace", "full"):
        for confinement in (Confinement(), CONFINED):
            assert isinstance(judged(places, line, mode=mode, rules=denied, confinement=confinement), Refuse)


@pytest.mark.parametrize(
    "line",
    [
        *(
            "sudo rm x",
            "sudo -u root A=1 rm x",
            "doas rm x",
            "eval rm x",
            "eval 'ls; rm x'",
            "env - rm x",
            "uv run rm x",
        ),
        *(
            "/usr/bin/time rm x",
            "/usr/bin/../bin/rm x",
            "poetry run rm x",
            "git -C sub push",
            "git --no-pager -c a=b push",
        ),
    ],
)
def test_a_denial_sees_through_what_gives_other_rights_or_settings(places: Places, line: str) -> None:
    denied = read_rules((), (), ["run_command: rm *", "run_command: git push *"])
    assert isinstance(judged(places, line, mode="full", rules=denied), Refuse)


def test_a_question_that_a_permission_would_not_answer_offers_none(places: Places) -> None:
    rules = read_rules((), ["run_command: pytest *"], ())
    for line in ("pytest -q", "watch pytest"):
        asked = judged(places, line, rules=rules)
        assert isinstance(asked, Ask) and not asked.rules
        assert isinstance(judged(places, line, rules=replace_allowed(rules, f"run_command: {line}")), Ask)


def replace_allowed(rules: Rules, text: str) -> Rules:
    return rules.with_allowed([read_rule(text)])


@pytest.mark.parametrize(
    ("line", "allowed"),
    [
        ("find . -name x", True),
        (r"find . -exec grep x {} \;", True),
        (r"find . -exec rm x \;", False),
        ("find . -delete", False),
        ("timeout 5 grep x y", True),
        ("timeout 5 touch x", False),
        ("timeout 60 touch x", True),
        ("timeout 60 sh -c 'touch x; rm x'", False),
        ("bash -c 'ls x; touch y'", False),
        ("git log -p", True),
        ("git log --output=x", False),
        ("git diff --ext-diff -p", True),
        ("git diff -p", False),
    ],
)
def test_a_star_stands_for_words_of_one_command_and_not_for_others_that_it_runs(
    places: Places, line: str, allowed: bool
) -> None:
    patterns = (
        "find *",
        "grep *",
        "timeout *",
        "timeout 60 touch *",
        "bash -c 'ls *'",
        "git log *",
        "git diff --ext-diff *",
    )
    rules = read_rules([f"run_command: {pattern}" for pattern in patterns], (), ())
    assert isinstance(judged(places, line, mode="ask", rules=rules), Allow if allowed else Ask)


@pytest.mark.parametrize("line", ["$X x", "for i in 1; do rm x; done", "r$X x", "rm* x", "xargs $X", "rm $X"])
def test_where_a_denial_can_not_be_applied_the_line_is_asked_about_even_in_full(places: Places, line: str) -> None:
    denied = read_rules((), (), ["run_command: rm -rf *"])
    assert isinstance(judged(places, line, mode="full", rules=denied), Ask)
    assert judged(places, line, mode="full") == Allow("everything is allowed")


def test_a_permission_never_reaches_over_a_redirection_or_an_assignment(places: Places) -> None:
    rules = read_rules(["run_command: echo *"], (), ())
    assert isinstance(judged(places, "echo a > b", rules=rules, mode="ask"), Ask)
    assert isinstance(judged(places, "echo a > ../b", rules=rules), Ask)
    assert isinstance(judged(places, "LD_PRELOAD=x echo a", rules=rules), Ask)
    assert isinstance(judged(places, "echo a", rules=rules, mode="ask"), Allow)


def test_a_permission_to_leave_does_not_carry_what_follows_along(places: Places) -> None:
    rules = read_rules(["run_command: cd .."], (), ())
    assert isinstance(judged(places, "cd ..", rules=rules), Allow)
    assert isinstance(judged(places, "cd .. && rm -rf sub", rules=rules), Ask)
    assert isinstance(judged(places, "cd .. && echo a > b", rules=rules), Ask)


def test_read_only_reads_and_refuses_the_rest_whatever_is_allowed(places: Places) -> None:
    rules = read_rules(["run_command: pytest *", "edit_file"], (), ())
    assert isinstance(judged(places, "ls | grep x", mode="read-only"), Allow)
    for line in ("pytest -q", "ls > x", "find . -delete", "cat ../x", "git status"):
        assert isinstance(judged(places, line, mode="read-only", rules=rules), Refuse)
    assert isinstance(edited(places, "a.py", mode="read-only", rules=rules), Refuse)
    assert isinstance(decide(Call("read_file", "read", {"path": "a"}), Policy(places, "read-only")), Allow)
    assert isinstance(decide(Call("plan", "state", {}), Policy(places, "read-only")), Allow)


def test_asking_asks_before_every_change_and_no_look(places: Places) -> None:
    assert isinstance(judged(places, "ls | wc -l", mode="ask"), Allow)
    assert isinstance(judged(places, "pytest -q", mode="ask"), Ask)
    assert isinstance(edited(places, "a.py", mode="ask"), Ask)
    rules = read_rules(["edit_file: src/**", "run_command: pytest *"], (), ())
    assert isinstance(edited(places, "src/deep/a.py", mode="ask", rules=rules), Allow)
    assert isinstance(edited(places, "other/a.py", mode="ask", rules=rules), Ask)
    assert isinstance(judged(places, "ls && pytest -q", mode="ask", rules=rules), Allow)


@pytest.mark.parametrize(
    "path",
    [
        *(
            "../x",
            "sub/../../x",
            "link/x",
            "/etc/x",
            ".git/hooks/pre-commit",
            ".git/config",
            "agents.MD",
        ),
        *("sub/.github/workflows/x.yml", ".GIT/config", ".g\u200cit/config"),
        *(name for it in PROTECTED.split() for name in (it, f"sub/{it}", f"{it}/x")),
    ],
)
def test_files_outside_the_workspace_or_that_others_act_on_are_asked_about(places: Places, path: str) -> None:
    assert isinstance(edited(places, path), Ask)
    for path in ("src/a.py", ".github/CODEOWNERS", "docs/agents.py"):
        assert edited(places, path) == Allow()


def test_files_that_the_repository_or_the_configuration_name_are_asked_about(tmp_path: Path) -> None:
    (tmp_path / ".git/objects").mkdir(parents=True)
    (tmp_path / ".git/HEAD").write_text("ref: refs/heads/main\n")
    (tmp_path / ".git/config").write_text("[core]\n\thooksPath = tools/hooks\n")
    config = Config(context=ContextSettings(instructions=("docs/rules.md",)))
    places = policy_of(config, None, tmp_path, CONFINED, {}).places
    for path in ("tools/hooks/pre-push", "docs/rules.md"):
        assert isinstance(edited(places, path), Ask)
    assert edited(places, "tools/x") == Allow()


def test_no_rule_is_offered_for_a_name_that_is_no_text(places: Places) -> None:
    """In the log, and so in a rule, it has question marks, which stand for any character."""
    verdict = edited(places, "caf\udce9", mode="ask")
    assert isinstance(verdict, Ask) and verdict.rules == ()


def test_a_rule_about_paths_is_about_where_they_really_lead(places: Places) -> None:
    denied = read_rules((), (), ["edit_file: sub/**"])
    for path in ("sub/x", "./sub/x", "sub/../sub/x", f"{places.workspace}/sub/x"):
        assert isinstance(edited(places, path, rules=denied), Refuse)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Example.org/x", "example.org"),
        ("https://example.org:443/", "example.org"),
        ("http://example.org:8080/", "example.org:8080"),
        ("https://user:pw@example.org/", "example.org"),
        ("https://example.org./", "example.org"),
        ("https://example.org@evil.test/", "evil.test"),
        ("https://\uff25xample.org/", "example.org"),
        ("https://b\u00fccher.example\u3002org/", "xn--bcher-kva.example.org"),
        ("http://2130706433/", "127.0.0.1"),
        ("http://0x7f.1:8080/", "127.0.0.1:8080"),
        ("not an address", ""),
        ("http://[::1", ""),
    ],
)
def test_the_host_of_an_address_is_the_one_that_is_reached(url: str, host: str) -> None:
    assert host_of(url) == host


def test_addresses_are_asked_about_by_host(places: Places) -> None:
    def fetched(url: str, allow: tuple[str, ...] = (), deny: tuple[str, ...] = ()) -> Verdict:
        policy = Policy(places, rules=read_rules(allow, (), deny))
        return decide(Call("fetch_url", "network", {"url": url}), policy)

    asked = fetched("https://docs.example.org/x")
    assert isinstance(asked, Ask) and asked.rules == ("fetch_url: docs.example.org",)
    docs = ("fetch_url: docs.example.org",)
    assert isinstance(fetched("https://docs.example.org/y", docs), Allow)
    assert isinstance(fetched("https://docs.example.org.evil.test/", docs), Ask)
    assert isinstance(fetched("https://a.example.org/", ("fetch_url: *.example.org",)), Allow)
    for url in ("https://example.org/", "https://example.org:8443/", "https://a.\uff45xample.org/"):
        assert isinstance(fetched(url, (), ("fetch_url: *.example.org",)), Refuse)
    assert isinstance(fetched("https://docs.example.org:8443/", docs), Ask)
    assert isinstance(fetched("https://b\u00fccher.org/", ("fetch_url: B\u00fccher.org",)), Allow)


def test_a_tool_that_is_not_known_is_asked_about_by_name(places: Places) -> None:
    call = Call("mcp_tool", "command", {"x": 1})
    verdict = decide(call, Policy(places))
    assert isinstance(verdict, Ask) and verdict.rules == ("mcp_tool",)
    assert isinstance(decide(call, Policy(places, rules=read_rules(["mcp_*"], (), ()))), Allow)


words = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=8)


@given(argv=st.lists(words, min_size=1, max_size=4), other=st.lists(words, min_size=1, max_size=4))
def test_an_exact_rule_covers_its_command_and_no_other(argv: list[str], other: list[str]) -> None:
    rule = read_rule(str(exact_command(argv)))
    assert rule.matches_words(argv)
    assert rule.matches_words(other) == (argv == other)


@given(path=words, other=words)
def test_an_exact_path_covers_its_file_and_no_other(path: str, other: str) -> None:
    rule = read_rule(str(exact_path("edit_file", path)))
    assert rule.matches_path(path)
    assert rule.matches_path(other) == (path == other)


@pytest.mark.parametrize(
    "text", ["", "a b", "run_command:", "run_command: 'x", ": x", "run_command : ", "files__write: secret/**"]
)
def test_a_rule_that_says_nothing_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(BadRule, match=r"\.$"):
        read_rule(text)
