"""The decision about one call: it may run, it is asked about, or it is refused. Pure: same call, same verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from core.approvals.places import Places, below
from core.approvals.programs import acts, carries, git_verb, is_fed
from core.approvals.reading import Reading, Step, read_command
from core.approvals.rules import COMMAND, NO_RULES, Mode, Rule, Rules, exact_command, exact_host, exact_path, plain_host
from core.events import clean_text
from core.sandbox.grant import NOTHING, Grant


@dataclass(frozen=True, slots=True)
class Confinement:
    """Whether commands are confined by the system, and how: a fact that a sandbox fills in.

    `how` is a short name for people, `bubblewrap`. `network`: whether a confined command can reach one.
    `hides_sessions`: commands can't see the sessions' folder, so what comes by its inbox does not come from the agent.
    `settled`: folders that commands may write already, or have of their own, or that nothing opens to them.
    """

    confined: bool = False
    how: str = ""
    network: bool = True
    hides_sessions: bool = False
    settled: tuple[str, ...] = ()

    def lacks(self, network: bool, paths: Iterable[str]) -> Grant:
        """What of this a confined command would have to be given."""
        open_ = (path for path in paths if not any(below(path, folder) for folder in self.settled))
        return Grant(network and not self.network, tuple(dict.fromkeys(open_))) if self.confined else NOTHING


NOT_CONFINED = Confinement()


@dataclass(frozen=True, slots=True)
class Call:
    """What is to be judged. `effect` is the tool's (`core.tools.base.Effect`), `cwd` the real folder of a command.

    `server`: whose tool it is, empty for one of our own.
    """

    tool: str
    effect: str
    arguments: Mapping[str, Any]
    cwd: str = ""
    server: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """On what calls are judged."""

    places: Places
    mode: Mode = "workspace"
    rules: Rules = NO_RULES
    confinement: Confinement = NOT_CONFINED


@dataclass(frozen=True, slots=True)
class Allow:
    """It may run; `why` in a few words. `grant`: beyond its sandbox."""

    why: str = ""
    grant: Grant = NOTHING


@dataclass(frozen=True, slots=True)
class Ask:
    """The user is asked: `reason` in a sentence, `facts` one line each, `rules` as "always" would write them.

    `grant`: what it is given beyond its sandbox when it is approved.
    """

    reason: str
    facts: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    grant: Grant = NOTHING


@dataclass(frozen=True, slots=True)
class Refuse:
    """It does not run; `sentence` is for the model."""

    sentence: str


Verdict = Allow | Ask | Refuse

_READ_ONLY = "This session is read-only, so {tool} was not run. Say what you would do instead of doing it."
_FREE = frozenset({"read", "state", "delegate"})
"""What needs no question: each call of a session that works for this one is judged by itself."""


def decide(call: Call, policy: Policy) -> Verdict:
    """Whether this call may run. A denial beats a question, a question beats a permission, then comes the mode."""
    subject = _subject(call, policy)
    rules = policy.rules
    if (denied := subject.first(rules.deny)) is not None:
        return Refuse(f"A rule of the user forbids this: `{denied}`. Do it another way, or ask the user.")
    if policy.mode == "read-only":
        return _read_only(call, subject)
    if (asked := subject.first(rules.ask)) is not None:
        return subject.ask_each_time(f"A rule of yours asks about it: {asked}.")
    if subject.unclear and subject.narrowed((*rules.deny, *rules.ask)):
        return subject.ask_each_time(f"It has {subject.unclear}, so rules about commands can't be applied to it.")
    if subject.allowed(rules.allow):
        return Allow("a rule allows it", subject.grant)
    if policy.mode == "full":
        return Allow("everything is allowed")
    reason = subject.leaves(policy) if policy.mode == "workspace" else subject.changes(call)
    return subject.ask(reason) if reason else Allow()


def _read_only(call: Call, subject: _Subject) -> Verdict:
    if call.effect in _FREE or (isinstance(subject, _Command) and subject.reading.reads_only):
        return Allow("it only reads")
    if call.effect == "network":
        return subject.ask("It reaches the network, and the session is read-only.")
    return Refuse(_READ_ONLY.format(tool=call.tool))


def _subject(call: Call, policy: Policy) -> _Subject:
    if call.server:
        return _Served(call, policy)  # what its arguments are called says nothing about what they do there
    if call.tool == COMMAND:
        line = str(call.arguments.get("command", ""))
        cwd = call.cwd or policy.places.workspace
        return _Command(call, policy, read_command(line, policy.places, cwd))
    url, path = call.arguments.get("url"), call.arguments.get("path")
    if isinstance(url, str):
        return _Address(call, policy, host_of(url))
    if isinstance(path, str):
        return _File(call, policy, policy.places.resolve(path))
    return _Subject(call, policy)


def host_of(url: str) -> str:
    """The host of an address in lower case, with its port where that is unusual; empty where it has none."""
    try:
        parts = urlsplit(url)
        usual = parts.port in (None, {"http": 80, "https": 443}.get(parts.scheme))
        host = plain_host(parts.hostname or "")
        return host if usual or not host else f"{host}:{parts.port}"
    except ValueError:
        return ""


@dataclass(frozen=True, slots=True)
class _Subject:
    """A tool of which nothing is known but its name and effect."""

    call: Call
    policy: Policy

    @property
    def unclear(self) -> str:
        """What keeps rules about its words from being applied to it; empty where nothing does."""
        return ""

    @property
    def grant(self) -> Grant:
        """What it needs beyond the sandbox of commands."""
        return NOTHING

    def matches(self, rule: Rule) -> bool:
        return not rule.pattern

    def first(self, rules: Iterable[Rule]) -> Rule | None:
        return next((rule for rule in rules if rule.covers(self.call.tool) and self.matches(rule)), None)

    def narrowed(self, rules: Iterable[Rule]) -> bool:
        """Whether a rule is about some calls of this tool."""
        return any(rule.covers(self.call.tool) and rule.pattern for rule in rules)

    def allowed(self, rules: Iterable[Rule]) -> bool:
        return self.first(rules) is not None

    def ask(self, reason: str) -> Ask:
        return Ask(reason, self.facts(), self.rules(), self.grant)

    def ask_each_time(self, reason: str) -> Ask:
        """A question that no permission could answer for the next time."""
        return Ask(reason, self.facts(), (), self.grant)

    def facts(self) -> tuple[str, ...]:
        return ()

    def rules(self) -> tuple[str, ...]:
        return (str(Rule(self.call.tool)),)

    def changes(self, call: Call) -> str:
        """Why mode `ask` asks; empty where it does not."""
        return "" if call.effect in _FREE else f"{call.tool} does more than read."

    def leaves(self, policy: Policy) -> str:
        """Why mode `workspace` asks; empty where it does not."""
        return "" if self.call.effect in _FREE else f"{self.call.tool} acts outside of the workspace."


@dataclass(frozen=True, slots=True)
class _Served(_Subject):
    """A tool of a server, which no sandbox confines."""

    def facts(self) -> tuple[str, ...]:
        return (f"server: {self.call.server}",)

    def leaves(self, policy: Policy) -> str:
        if self.call.effect in _FREE:
            return ""
        return f"The server {self.call.server} carries it out, outside of the workspace and of any sandbox."


@dataclass(frozen=True, slots=True)
class _File(_Subject):
    """A tool that works on one file or folder; `real` is where its path really leads."""

    real: str

    @property
    def name(self) -> str:
        return self.policy.places.relative(self.real)

    def matches(self, rule: Rule) -> bool:
        return rule.matches_path(self.name)

    def facts(self) -> tuple[str, ...]:
        return (f"file: {self.real}",)

    def rules(self) -> tuple[str, ...]:
        """None for a name that is no text: in the log, and so in a rule, question marks stand for what is not."""
        return (str(exact_path(self.call.tool, self.name)),) if clean_text(self.name) == self.name else ()

    def leaves(self, policy: Policy) -> str:
        if not policy.places.inside(self.real):
            return f"{self.real} is outside the workspace."
        if self.call.effect not in _FREE and policy.places.protected(self.real):
            return f"Other programs act on {self.name}."
        return ""


@dataclass(frozen=True, slots=True)
class _Address(_Subject):
    """A tool that reaches a host."""

    host: str

    def matches(self, rule: Rule) -> bool:
        """A rule about a host is about each of its ports, but what it allows is only the port that it names."""
        return rule.matches_host(self.host) or rule.matches_host(self.host.rpartition(":")[0])

    def allowed(self, rules: Iterable[Rule]) -> bool:
        return any(rule.covers(self.call.tool) and rule.matches_host(self.host) for rule in rules)

    def facts(self) -> tuple[str, ...]:
        return (f"host: {self.host or 'none'}", f"address: {self.call.arguments['url']}")

    def rules(self) -> tuple[str, ...]:
        return (str(exact_host(self.call.tool, self.host)),) if self.host else ()

    def leaves(self, policy: Policy) -> str:
        return f"It reaches {self.host}, outside of the workspace." if self.host else ""


@dataclass(frozen=True, slots=True)
class _Command(_Subject):
    """A shell command, as it was read."""

    reading: Reading

    @property
    def grant(self) -> Grant:
        steps = list(self.reading.all())
        network = self.call.arguments.get("network") is True or any(step.network for step in steps)
        return self.policy.confinement.lacks(network, (path for step in steps for path in step.outside))

    @property
    def unclear(self) -> str:
        if self.reading.problem:
            return self.reading.problem
        if any(step.argv is None and not _bare(step) for step in self.reading.all()):
            return "words that are only known when it runs"
        carried = any(step.argv is not None and carries(step.argv) for step in self.reading.all())
        return "a program that runs others in a way of its own" if carried else ""

    def matches(self, rule: Rule) -> bool:
        """Whether one of its commands is meant, at whatever depth."""
        if not rule.pattern:
            return True
        known = [step.argv for step in self.reading.all() if step.argv is not None]
        return any(rule.matches_words(argv) or rule.matches_words(_without_options(argv)) for argv in known)

    def allowed(self, rules: Iterable[Rule]) -> bool:
        """Whether each of its commands is covered, by a rule or because it is harmless here."""
        own = [rule for rule in rules if rule.covers(self.call.tool)]
        if any(not rule.pattern for rule in own):
            return True
        if not own or self.reading.problem or self._unsaid():
            return False
        return all(self._step_allowed(it, own) for it in self.reading.steps)

    def _unsaid(self) -> bool:
        """Whether it asks for a network that its words don't show, where rules are also made for lines without one."""
        return (
            self.policy.mode == "ask"
            and self.call.arguments.get("network") is True
            and bool(self.policy.confinement.lacks(True, ()))
            and not any(step.network for step in self.reading.all())
        )

    def _step_allowed(self, step: Step, rules: list[Rule]) -> bool:
        if self._bound(step):
            return False
        if any(self._covered(step, rule, rules) for rule in rules):
            return True
        inner = all(self._step_allowed(it, rules) for it in step.inner)
        return inner and (step.wraps or not self._step_asks(step))

    def _bound(self, step: Step) -> bool:
        """Whether no rule about its words answers for it."""
        return bool(step.binds) or (step.writes and self.policy.mode == "ask")

    def _covered(self, step: Step, rule: Rule, rules: list[Rule]) -> bool:
        if step.argv is None or not rule.matches_words(step.argv):
            return False
        return rule.exact or self._answers(rule, step, rules)

    def _answers(self, rule: Rule, step: Step, rules: list[Rule]) -> bool:
        """A `*` of a rule stands for the words of one command.

        It does not stand for another one that they run, unless the rule spells out its program, nor for an option by
        which they run others or write elsewhere.
        """
        option = acts(step.argv) if step.argv else None
        if option is not None and option not in rule.spelled:
            return False
        return all(self._step_allowed(it, rules) or self._spelled_out(rule, it, rules) for it in step.inner)

    def _spelled_out(self, rule: Rule, step: Step, rules: list[Rule]) -> bool:
        named = step.argv is not None and step.argv[0] in rule.spelled
        return named and not self._bound(step) and self._answers(rule, step, rules)

    def _step_asks(self, step: Step) -> bool:
        """Whether the mode alone would ask about this step. What is given to a line, every command of it has."""
        if self.grant:
            return not step.reads
        if self.policy.mode == "workspace":
            return bool(step.doubts)
        return bool(step.doubts) or step.writes or not step.reads

    def facts(self) -> tuple[str, ...]:
        reading = self.reading
        outside = [f"outside: {path}" for path in reading.paths]
        doubts = dict.fromkeys(it for step in reading.all() for it in (*step.doubts, *step.binds))
        needs = [f"needs: {need}" for need in self.grant.needs()]
        return (f"in: {self.call.cwd or self.policy.places.workspace}", *needs, *outside, *list(doubts)[1:])

    def rules(self) -> tuple[str, ...]:
        """One for each command that asks; none where one of them can't be named exactly, or takes what it does from its
        input: a rule about its words would allow whatever comes by that the next time.
        """
        bound = self.policy.mode == "ask" and any(step.writes for step in self.reading.all())
        if bound or self.reading.problem or self._unsaid() or any(step.binds for step in self.reading.all()):
            return ()
        asking = list(self._asking(self.reading.steps))
        if any(step.argv is None or is_fed(step.argv) for step in asking):
            return ()
        return tuple(dict.fromkeys(str(exact_command(step.argv)) for step in asking if step.argv))

    def _asking(self, steps: Iterable[Step]) -> Iterable[Step]:
        for step in steps:
            if step.wraps:
                yield from self._asking(step.inner)
            elif self._step_asks(step) or any(self._step_asks(it) for it in step.inner):
                yield step

    def changes(self, call: Call) -> str:
        if self.reading.problem:
            return f"It has {self.reading.problem}, so it can't be judged by its words."
        return "" if self.reading.reads_only else self._doubt() or "It may change files."

    def leaves(self, policy: Policy) -> str:
        if policy.confinement.confined:
            needs = self.grant.needs()
            return f"It needs {' and '.join(needs)}, which the sandbox does not give." if needs else ""
        if self.reading.problem:
            return f"It has {self.reading.problem}, so it can't be judged by its words, and no sandbox confines it."
        return self._doubt()

    def _doubt(self) -> str:
        doubts = (it for step in self.reading.all() for it in (*step.doubts, *step.binds))
        first = next(doubts, "")
        ours = first.startswith(("it ", "the ", "a ", "where "))
        return f"{first[:1].upper() if ours else first[:1]}{first[1:]}." if first else ""


def _without_options(argv: tuple[str, ...]) -> tuple[str, ...]:
    """What git is to do, wherever and with whatever settings."""
    return ("git", *git_verb(argv[1:])) if argv[0] == "git" else argv


def _bare(step: Step) -> bool:
    """A step without a program of its own: redirections, assignments."""
    return not step.simple.words
