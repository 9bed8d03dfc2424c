"""`completions` and `man`: what a shell and a manual want of a command line, made from the commands themselves."""

from __future__ import annotations

from collections.abc import Iterator

import click
from click.shell_completion import get_completion_class

from core.version import app_version
from tui.say import say

SHELLS = ("bash", "zsh", "fish")
_WHERE = {
    "bash": "longwatch completions bash > ~/.local/share/bash-completion/completions/longwatch",
    "zsh": "longwatch completions zsh > FOLDER/_longwatch, with FOLDER in $fpath before compinit",
    "fish": "longwatch completions fish > ~/.config/fish/completions/longwatch.fish",
}


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completions(context: click.Context, shell: str) -> int:
    """Print the script by which a shell completes commands and options.

    bash: longwatch completions bash > ~/.local/share/bash-completion/completions/longwatch
    """
    made = get_completion_class(shell)
    assert made is not None and context.parent is not None
    say(made(context.parent.command, {}, "longwatch", "_LONGWATCH_COMPLETE").source().strip())
    say(f"# {_WHERE[shell]}")
    return 0


@click.command()
@click.pass_context
def man(context: click.Context) -> int:
    """Print the manual page: longwatch man > longwatch.1; man ./longwatch.1"""
    parent = context.parent
    assert parent is not None and isinstance(parent.command, click.Group)
    for line in _page(parent.command, parent):
        say(line)
    return 0


def _page(group: click.Group, context: click.Context) -> Iterator[str]:
    yield f'.TH LONGWATCH 1 "" "longwatch {app_version()}" "User Commands"'
    yield from (".SH NAME", _roff("longwatch - keep watch over one very long agent session"))
    yield from (".SH SYNOPSIS", r"\fBlongwatch\fR [\fIOPTIONS\fR] \fICOMMAND\fR [\fIARGUMENTS\fR]")
    yield from (".SH DESCRIPTION", *_paragraphs(group.help or ""))
    yield from (".SH OPTIONS", *_options(group, context))
    yield ".SH COMMANDS"
    yield from _commands(group, context, "")
    yield from (".SH SEE ALSO", _roff("longwatch handbook; the README of the project."))


def _commands(group: click.Group, context: click.Context, before: str) -> Iterator[str]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        inner = click.Context(command, info_name=name, parent=context)
        yield f".SS {_roff(f'{before}{name}')} {_roff(' '.join(command.collect_usage_pieces(inner)))}"
        yield from _paragraphs(command.help or "")
        yield from _options(command, inner)
        if isinstance(command, click.Group):
            yield from _commands(command, inner, f"{before}{name} ")


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in text.split("\n\n"):
        yield from (".PP", _roff(" ".join(paragraph.split())))


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None:
            yield from (".TP", rf"\fB{_roff(record[0])}\fR", _roff(record[1]) or r"\&")


def _roff(text: str) -> str:
    """Text in which nothing is a command of the formatter."""
    plain = text.replace("\\", r"\e").replace("-", r"\-").replace("\n", " ")
    return rf"\&{plain}" if plain[:1] in (".", "'") else plain
