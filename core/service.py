"""Resuming marked sessions after a reboot: a systemd unit of the user, and which sessions it would take up.

The unit starts the runners and leaves; they belong to no terminal. No key is ever written: units know nothing of the
variables of a shell, so those that models need come from a file that the user keeps.
"""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.config import config_path
from core.folds.fold import Dispatcher
from core.folds.state import RunState
from core.journal.catalogue import Summary, list_sessions
from core.journal.errors import JournalError
from core.journal.reader import Reader
from core.private import make_private

UNIT = "longwatch.service"
ANSWER_S = 10.0
PLACES = ("LONGWATCH_CONFIG", "XDG_CONFIG_HOME")
"""Variables of a shell that say where the configuration and the keys are."""

_TEXT = """\
[Unit]
Description=Resume the agent sessions of Longwatch that are marked for it
After=network-online.target

[Service]
Type=oneshot
RemainAfterExit=yes
KillMode=process
WorkingDirectory=/
{places}EnvironmentFile=-{variables}
ExecStart={command}

[Install]
WantedBy=default.target
"""


@dataclass(frozen=True, slots=True)
class Marked:
    """A session that is to go on after a reboot. `due`: it was cut off, and nobody runs it; `key`: where its key is."""

    summary: Summary
    due: bool
    terms: Mapping[str, object]
    key: str | None = None


class NoService(Exception):
    """Why there can be no unit here, as a sentence."""


def unit_path(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the user's units are kept."""
    base = environ.get("XDG_CONFIG_HOME") or str(Path(environ.get("HOME", "~"), ".config").expanduser())
    return Path(base, "systemd", "user", UNIT)


def variables_path(environ: Mapping[str, str] = os.environ) -> Path:
    """The user's file of `NAME=value` lines that the unit reads, beside the configuration."""
    return config_path(environ).parent / "environment"


def unit_text(home: Path, environ: Mapping[str, str] = os.environ) -> str:
    """The unit that resumes what is marked in `home`."""
    line = [sys.executable, "-P", "-m", "tui.cli", "--home", str(home), "service", "resume"]
    places = "".join(f"Environment={_specified(f'{name}={value}')}\n" for name, value in _places(environ))
    variables = _escaped(str(variables_path(environ)))
    return _TEXT.format(places=places, variables=variables, command=" ".join(map(_quoted, line)))


def _places(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name, environ[name]) for name in PLACES if environ.get(name)]


def _escaped(text: str) -> str:
    return text.replace("%", "%%")


def _quoted(word: str) -> str:
    """One word of a command as systemd reads it: no specifiers, no variables."""
    return _specified(word).replace("$", "$$")


def _specified(word: str) -> str:
    """One word of a setting as systemd reads it: no specifiers."""
    plain = _escaped(word).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{plain}"'


def cron_line(home: Path, environ: Mapping[str, str] = os.environ) -> str:
    """The same by cron, for systems without systemd."""
    line = [sys.executable, "-P", "-m", "tui.cli", "--home", str(home), "service", "resume"]
    places = "".join(f"{name}={shlex.quote(value)} " for name, value in _places(environ))
    return f"@reboot {places}{shlex.join(line)}".replace("%", "\\%")


def manager_works() -> bool:
    """Whether a systemd manager of this user answers."""
    return shutil.which("systemctl") is not None and _systemctl("show-environment").returncode == 0


def lingers() -> bool:
    """Whether the user's units start without a login, and stay without one."""
    return Path("/var/lib/systemd/linger", getpass.getuser()).exists()


def install(home: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """Write the unit and have it started at each boot; where it is. Raises NoService."""
    if not manager_works():
        raise NoService("No systemd manager of yours answers here, so there is no unit to install.")
    path = unit_path(environ)
    try:
        make_private(path.parent)
        path.touch(mode=0o600)  # Whoever may write it has a program run as the user.
        path.write_text(unit_text(home, environ), encoding="utf-8")
    except OSError as error:
        raise NoService(f"The unit can't be written to {path}: {error.strerror}.") from error
    for words in (("daemon-reload",), ("enable", UNIT)):
        if (answer := _systemctl(*words)).returncode:
            raise NoService(f"systemctl --user {' '.join(words)} failed: {' '.join(answer.stderr.split())}")
    return path


def uninstall(environ: Mapping[str, str] = os.environ) -> bool:
    """Take the unit away; whether there was one. Running sessions go on."""
    path = unit_path(environ)
    there = path.exists()
    if shutil.which("systemctl") is not None and there:
        _systemctl("disable", UNIT)
    path.unlink(missing_ok=True)
    if there and manager_works():
        _systemctl("daemon-reload")
    return there


def marked(home: Path) -> list[Marked]:
    """Every session of `home` that is marked to go on after a reboot. Damaged ones are left out."""
    found = []
    for summary in list_sessions(home):
        try:
            state = _state(summary.folder)
        except JournalError:
            continue
        if state.after_reboot:
            key = state.opened.api_key_env if state.opened else None
            terms = state.runner.terms if state.runner else {}
            found.append(Marked(summary, summary.state == "interrupted", terms, key))
    return found


def _state(folder: Path) -> RunState:
    state = RunState()
    dispatch = Dispatcher([state])
    with Reader(folder) as reader:
        for event in reader.events():
            dispatch.apply(event)
    return state


def _systemctl(*words: str) -> subprocess.CompletedProcess[str]:
    line = ["systemctl", "--user", *words]
    try:
        return subprocess.run(line, capture_output=True, text=True, timeout=ANSWER_S, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        return subprocess.CompletedProcess(line, 1, "", str(error))
