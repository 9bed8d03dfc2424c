"""Sessions on other machines: `ls --host`, `attach` and `replay BOX:SESSION`, and what answers them over there."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.boxes.copies import chosen, copies_of, remove, sweep
from core.boxes.roll import Answer, Row, call_roll
from core.boxes.ssh import box_named
from core.clock import MICROSECONDS, SystemClock
from core.config import load_config
from core.folds.words import one_line
from core.journal.errors import JournalError
from core.journal.surroundings import megabytes
from tui.safe import safe_text
from tui.say import say, say_json

if TYPE_CHECKING:
    from core.ordering import Verdict
    from tui.elsewhere import Elsewhere
    from tui.session_rows import Opening


@click.command(hidden=True)
@click.option("--order", "ordered", is_flag=True, help="Carry out one order.")
@click.pass_obj
def box(home: Path, ordered: bool) -> int:
    """Serve a session to a longwatch on another machine, which begins this over ssh."""
    if not all(_is_pipe(stream.fileno()) for stream in (sys.stdin, sys.stdout)):
        raise click.UsageError(
            "`longwatch attach BOX:SESSION` speaks to this over ssh; by hand there is nothing to say."
        )
    if ordered:
        from core.boxes.errand import carry_out

        asyncio.run(carry_out(home, sys.stdin.buffer, sys.stdout.buffer, os.environ))
    else:
        from core.boxes.serving import serve

        asyncio.run(serve(home, sys.stdin.buffer, sys.stdout.buffer))
    return 0


def _is_pipe(descriptor: int) -> bool:
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


@contextmanager
def _elsewhere(home: Path, name: str, session: str) -> Iterator[Elsewhere]:
    """A session on another machine, over a line that is read. Raises ConfigError, JournalError."""
    from core.boxes.line import Line
    from core.journal.viewers import at_a_terminal
    from tui.elsewhere import Elsewhere

    line = Line(box_named(name, load_config()), session, copies_of(home, name), _who_and_where())
    try:
        line.connect(asks=at_a_terminal())
        line.start()
        yield Elsewhere.by(line)
    finally:
        line.close()
        with suppress(JournalError):
            sweep(home, SystemClock())


def attach_box(home: Path, name: str, session: str, *, plain: bool, mouse: bool) -> int:
    """Show a session that runs on another machine. Raises ConfigError, and JournalError when it can't be reached."""
    from core.boxes.remote import BoxSource

    with _elsewhere(home, name, session) as elsewhere:
        line = elsewhere.line
        if not line.hello.held:
            raise click.UsageError(
                f"No runner holds session {elsewhere.id} on {name}; `longwatch resume {elsewhere.id}` there goes on "
                f"with it, `longwatch replay {elsewhere.short}` shows it."
            )
        if plain:
            from tui.plain.watching import watch_plainly

            if elsewhere.notice:
                say(f"longwatch: {elsewhere.notice}", err=True)
            cut = lambda: line.cut  # noqa: E731
            watch_plainly(BoxSource(line), elsewhere.controls, line.folder, trouble=cut, elsewhere=elsewhere)
        else:
            _watched(elsewhere, mouse=mouse)
    return 0


def replay_box(home: Path, name: str, session: str, *, plain: bool, mouse: bool, **how: Any) -> int:
    """The film of a session on another machine; raises as `attach_box`. `how`: where it starts, and how fast."""
    from core.boxes.remote import BoxSource

    with _elsewhere(home, name, session) as elsewhere:
        if plain:
            from tui.plain.watching import replay_plainly

            replay_plainly(BoxSource(elsewhere.line), **how)
        else:
            _filmed(elsewhere, mouse=mouse, **how)
    return 0


def open_from_list(home: Path, name: str, session: str, opening: Opening, speed: float) -> str:
    """Show a session of another machine until it is left; how it was. Raises as `attach_box`.

    One that nobody runs there is shown as it stands, at its end. Between the two screens ssh has the terminal.
    """
    say(f"Reaching {safe_text(name)} …", err=True)
    with _elsewhere(home, name, session) as elsewhere:
        if opening == "watch" and elsewhere.line.hello.held:
            return _watched(elsewhere, back=True)
        at = elsewhere.line.hello.last_seq if opening == "watch" else None
        return _filmed(elsewhere, back=True, speed=speed, start_at=at)


def _watched(elsewhere: Elsewhere, *, mouse: bool = True, back: bool = False) -> str:
    from core.boxes.remote import BoxPresence, BoxSource
    from tui.watching import Viewing, watch

    line = elsewhere.line
    viewing = Viewing(
        mode="attached",
        folder=line.folder,
        trouble=lambda: line.trouble,
        mouse=mouse,
        presence=BoxPresence(line),
        notice=elsewhere.notice,
        elsewhere=elsewhere,
        back=back,
    )
    return watch(BoxSource(line), elsewhere.controls, load_config(), viewing)


def _filmed(elsewhere: Elsewhere, *, mouse: bool = True, back: bool = False, **how: Any) -> str:
    from core.boxes.remote import BoxSource
    from tui.watching import Viewing, watch

    line = elsewhere.line
    viewing = Viewing(
        mode="replay",
        folder=line.folder,
        trouble=lambda: line.trouble,
        mouse=mouse,
        elsewhere=elsewhere,
        back=back,
        **how,
    )
    return watch(BoxSource(line), elsewhere.controls, load_config(), viewing)


def order_box(name: str, session: str, verb: str, words: Sequence[str]) -> Verdict:
    """Give an order to a session on another machine. Raises ConfigError, JournalError."""
    from core.boxes.errand import Order, send
    from core.journal.viewers import at_a_terminal

    order = Order(session=session, verb=verb, words=list(words), who=_who_and_where(), person=at_a_terminal())
    return send(box_named(name, load_config()), order, asks=at_a_terminal())


def _who_and_where() -> str:
    from core.journal.viewers import who_is_here

    return f"{who_is_here(os.environ)} at {socket.gethostname()}"[:200]


def forget_box(home: Path, name: str, session: str, sure: Callable[[str], None]) -> int:
    """Remove the copies here of a machine's session, or of all its sessions; `sure` asks. Raises JournalError."""
    found = chosen(home, name, session)
    if not found:
        raise JournalError(f"There is no copy here of {session or 'any session'} on {name}.")
    if session and len(found) > 1:
        raise JournalError(f"{len(found)} copies of sessions on {name} answer to {session!r}; say more of the id.")
    size = megabytes(sum(copy.size for copy in found)).strip()
    what = "the copy of it" if session else f"all {len(found)} copies"
    sure(f"Remove {what} here ({size}); what is on {safe_text(name)} stays")
    remove(found)
    say(f"Removed {size}. What is on {safe_text(name)} stays as it is; the next look copies it anew.")
    return 0


def list_boxes(names: Sequence[str], as_json: bool) -> int:
    """Print the sessions of these machines; 1 when one of them did not answer. Raises ConfigError, JournalError."""
    config = load_config()
    answers = asyncio.run(call_roll([box_named(name, config) for name in dict.fromkeys(names)]))
    if as_json:
        say_json(json.dumps([row for answer in answers for row in _json_rows(answer)], indent=2))
    elif any(answer.rows for answer in answers):
        _print_table(answers)
    for answer in answers:
        if answer.problem:
            say(f"longwatch: {answer.box.name}: {answer.problem}", err=True)
        elif not answer.rows and not as_json:
            say(f"No sessions on {answer.box.name} yet.")
    return int(any(answer.problem for answer in answers))


def _json_rows(answer: Answer) -> Iterator[dict[str, object]]:
    """A box's sessions, each with the name of its host; of one that did not answer, one row that says why."""
    if answer.problem:
        yield {"host": answer.box.name, "problem": answer.problem}
    for row in answer.said:
        yield {"host": answer.box.name, **row}


def _print_table(answers: Sequence[Answer]) -> None:
    found = [(answer.box.name, row) for answer in answers for row in answer.rows]
    wide = max(4, *(len(host) for host, _ in found)) + 2
    say(f"{'HOST':<{wide}}{'SESSION':<12}{'STATE':<13}{'CALLS':>6}  {'COST':>9}  {'SIZE':>10}  {'CHANGED':<17}NAME")
    for host, row in sorted(found, key=lambda one: one[1].last_us, reverse=True):
        say(f"{host:<{wide}}{_line(row)}")


def _line(row: Row) -> str:
    start = f"{safe_text(row.session[:10]):<12}{safe_text(row.state):<13}"
    if row.state == "damaged":
        return f"{start}{'':>6}  {'':>9}  {megabytes(row.bytes):>10}  {'':<17}{safe_text(one_line(row.detail, 160))}"
    cost = f"${row.cost_usd_known_part:.2f}{'+?' if row.unpriced_replies else ''}"
    last = f"{datetime.fromtimestamp(row.last_us / MICROSECONDS):%Y-%m-%d %H:%M}"
    sizes = f"{row.tool_calls:>6}  {cost:>9}  {megabytes(row.bytes):>10}"
    return f"{start}{sizes}  {last:<17}{safe_text(one_line(row.name, 160))}"
