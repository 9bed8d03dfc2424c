"""Beginning a runner in a process that belongs to no terminal, on the terms of the one before."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

STARTED_S = 60.0


def start_runner(folder: Path, terms: Mapping[str, object]) -> str:
    """Begin to run the session in `folder`; why that can't be, as a sentence, or nothing. Blocks until it runs."""
    home = str(folder.parent.parent)
    line = [sys.executable, "-P", "-m", "tui.cli", "--home", home, "resume", folder.name, "--detach"]
    line += ["--wait"] if terms.get("wait") else []
    for option in ("speed", "max_turns"):
        if (value := terms.get(option)) is not None:
            line += [f"--{option.replace('_', '-')}", str(value)]
    try:
        answer = subprocess.run(  # In a session of its own: the keys of a terminal are not for it.
            line,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=STARTED_S,
            check=False,
            start_new_session=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    return " ".join(answer.stderr.split()) or "it ended at once" if answer.returncode else ""
