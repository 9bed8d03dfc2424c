"""`config`, `themes`, `reset`, `screenshots`: what surrounds sessions."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from core.config import config_path, default_config_text, load_config
from core.config.sources import Origin
from core.private import make_private
from tui.commands.chosen import readable
from tui.commands.consent import trust
from tui.safe import one_line
from tui.say import ask, say, say_json
from tui.terminal import mend_terminal


@click.group(invoke_without_command=True)
@click.option("--write", is_flag=True, help="Write the commented default file, if there is none yet.")
@click.option("--workspace", type=click.Path(path_type=Path), help="With what its own .longwatch.toml says.")
@click.option("--all", "everything", is_flag=True, help="Also what has its default.")
@click.option("--schema", is_flag=True, help="The JSON schema of the file, for an editor that checks and completes it.")
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def config(
    context: click.Context, write: bool, workspace: Path | None, everything: bool, schema: bool, as_json: bool
) -> int:
    """Check the configuration, and show each value that was set and where it comes from.

    --write makes a commented file to start from. Values of settings that look like secrets are not shown.
    """
    from core.config import sources

    if context.invoked_subcommand is not None:
        return 0
    if write:
        return _write(config_path())
    if schema:
        say_json(json.dumps(sources.schema(), indent=2))
        return 0
    found = [_shown(it) for it in sources.origins(workspace, everything)]
    if as_json:
        say_json(json.dumps([it._asdict() for it in found], indent=2))
        return 0
    path = config_path()
    say(f"{path} ({'no problem found' if path.exists() else 'not there; the defaults hold'})")
    for line in _origin_lines(found):
        say(line)
    return 0


def _write(path: Path) -> int:
    if path.exists():
        raise click.UsageError(f"{path} exists already; it was left as it is.")
    make_private(path.parent)
    path.touch(mode=0o600, exist_ok=False)  # Addresses and headers in it may be secrets.
    path.write_text(default_config_text(), encoding="utf-8")
    say(f"wrote {path}")
    return 0


def _shown(origin: Origin) -> Origin:
    """The same without a secret: a literal value of a header or a variable may be one, and the path of a webhook is."""
    from core.tools.secrets import Redactor, is_secret_name

    *parents, name = origin.setting.split(".")
    literal = isinstance(origin.value, str) and "${" not in origin.value
    if literal and ("headers" in parents or (is_secret_name(name) and not name.endswith("_env"))):
        return origin._replace(value="[not shown]")
    shown = Redactor(os.environ).inside(origin.value)
    if literal and origin.setting == "notify.webhook":
        shown = re.sub(r"(?<=[^/:])[/?#].*", "/[not shown]", shown)
    return origin._replace(value=shown)


def _origin_lines(found: list[Origin]) -> Iterator[str]:
    for origin in found:
        value = json.dumps(origin.value, ensure_ascii=False)
        yield f"{one_line(origin.setting)} = {one_line(value)}  [{one_line(origin.source)}]"
    for name in _VARIABLES:
        if said := os.environ.get(name):
            yield f"{name} = {one_line(said)}  [environment]"
    from core.models.keys import key_file
    from core.models.profiles import key_variables

    keys = sorted(name for name in key_variables(load_config()) if os.environ.get(name))
    stored = sorted(it.name for it in key_file("x").parent.glob("[A-Z]*"))
    yield f"keys: {', '.join(keys) or 'none'} in the environment; {', '.join(map(one_line, stored)) or 'none'} stored"


_VARIABLES = ("LONGWATCH_HOME", "LONGWATCH_CONFIG", "LONGWATCH_DEBUG", "NO_COLOR")
"""What else the environment says."""


config.add_command(trust)


@click.command()
@click.argument("variable")
@click.option("--forget", is_flag=True, help="Remove the stored key; the environment variable counts again.")
def key(variable: str, forget: bool) -> int:
    """Store the key of VARIABLE, read from the terminal unseen or from a pipe; running sessions take it up.

    A session that waits because its key was refused goes on by itself.
    """
    from core.models.keys import forget_key, named_file, store_key

    named_file(variable)  # before anybody types a key
    if forget:
        forget_key(variable)
        return 0
    given = ask(f"Key for {variable}", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline()
    say(f"stored in {store_key(variable, given.strip())}", err=True)
    return 0


@click.command()
def themes() -> int:
    """List the themes with a line of each, what is hard to read in one, and why a file can't be used."""
    from rich.console import Console
    from rich.text import Text

    from tui.readability import weaknesses
    from tui.theme_sample import sample
    from tui.theming import load_themes

    class Screen(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # as of all other output, in place of an exit of its own

    folder = config_path().parent / "themes"
    loaded, screen = load_themes(folder), Screen(highlight=False, soft_wrap=True)
    for theme in sorted(loaded.themes, key=lambda theme: theme.name):
        screen.print(
            Text(f"{one_line(theme.name):16}") + sample(theme) + Text(f"  {one_line(loaded.labels[theme.name])}")
        )
    for problem in loaded.failed:
        say(f"longwatch: {problem}", err=True)
    for theme in loaded.themes:
        if hard := weaknesses(theme):
            say(f"longwatch: theme {theme.name}: {hard[0]} ({len(hard)} such pairs)", err=True)
    return 1 if loaded.failed else 0


@click.command()
def reset() -> int:
    """Mend a terminal that a killed screen left behind."""
    mend_terminal()
    return 0


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default="screenshots")
@click.option(
    "--film", "session", metavar="SESSION", help="Of this session: an asciicast, and pictures of a few moments."
)
@click.pass_obj
def screenshots(home: Path, folder: Path, session: str | None) -> int:
    """Make the pictures of the README from a real run of the demo; or with --film those of a session that has been."""
    if session is not None:
        from tui.commands.exporting import redaction
        from tui.filming import film

        chosen = readable(home, session)
        name = re.sub(r"[^\w-]+", "-", chosen.name).strip("-") or "film"
        paths = film(chosen.folder, folder, name, redaction(chosen.folder, covered=True))
    else:
        from tui.scenes import from_demo

        paths = asyncio.run(from_demo(folder))
    for path in paths:
        say(str(path))
    return 0
