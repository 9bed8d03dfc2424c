"""An `ssh` for tests: a "box" is a folder with a home of its own, and what is run there is run here.

The folder `boxes` holds one for each machine. A file `down` in it keeps a box from being reached, `hangs` from
answering, `noise` holds what its shell says first. It takes the command line that the real one takes, `--` before the
host.
"""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

_PROGRAM = """#!/bin/sh
while [ "$1" != "--" ]; do shift; done
box="{boxes}/$2"
if [ ! -d "$box" ] || [ -e "$box/down" ]; then
    echo "ssh: connect to host $2 port 22: Connection refused" >&2
    exit 255
fi
[ -e "$box/hangs" ] && exec sleep 600
[ -e "$box/noise" ] && cat "$box/noise"
echo $$ >> "$box/lines"
export LONGWATCH_HOME="$box/home" LONGWATCH_CONFIG="$box/config.toml" SSH_CONNECTION="192.0.2.7 50000 192.0.2.1 22"
export PATH="{programs}:$PATH"
exec sh -c "exec $3"
"""


def fake_ssh(place: Path) -> dict[str, str]:
    """Put it into `place/bin`; the variables of an environment in which it is the system's."""
    programs = place / "bin"
    programs.mkdir(parents=True)
    _write(programs / "ssh", _PROGRAM.format(boxes=place / "boxes", programs=programs))
    _write(programs / "longwatch", f'#!/bin/sh\ncd /\nexec "{sys.executable}" -P -m tui.cli "$@"\n')
    return {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}


def box(place: Path, name: str) -> Path:
    """A new machine; its folder, in which `home` is that of its sessions."""
    folder = place / "boxes" / name
    (folder / "home").mkdir(parents=True)
    (folder / "config.toml").touch()
    return folder


def _write(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
