"""Everything that the screen is measured by, in one table: each part in a process of its own, one after the other.

    .venv/bin/python -P tests/bench/screen.py [--quick]

Bytes don't hang on how busy the machine is, CPU time a little, wall-clock time (echo, attach) very much: the load is
printed beside each part. `--quick` leaves out the parts of several minutes (100,000 calls, 1,158 calls on a pty).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click

HERE = Path(__file__).parent
PARTS: tuple[tuple[bool, tuple[str, ...]], ...] = (
    (True, ("screen_bytes.py",)),
    (True, ("screen_bytes.py", "--columns", "80", "--rows", "24")),
    (True, ("screen_scale.py", "--calls", "1158")),
    (True, ("screen_work.py",)),
    (True, ("screen_leaks.py",)),
    (True, ("screen_terminal.py", "echo")),
    (True, ("attach_latency.py",)),
    (False, ("screen_terminal.py", "calls")),
    (False, ("screen_slow_line.py",)),
    (False, ("screen_scale.py", "--calls", "100000")),
)
"""Whether it is quick, and what is run."""


@click.command()
@click.option("--quick", is_flag=True, help="Only what takes less than a few minutes each.")
def main(quick: bool) -> None:
    failed = []
    for soon, (name, *arguments) in PARTS:
        if quick and not soon:
            continue
        print(
            f"\n== {' '.join((name, *arguments))} · load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True
        )
        if subprocess.run([sys.executable, "-P", str(HERE / name), *arguments], check=False).returncode:
            failed.append(name)
    if failed:
        raise SystemExit(f"These gave no table: {', '.join(failed)}.")


if __name__ == "__main__":
    main()
