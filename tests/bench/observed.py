"""The command line with threads whose names in the kernel say whose work they do: `runner ...` or `screen ...`.

    python -P tests/bench/observed.py run TASK ...

The screen and the runner of a session are one process; by these names /proc tells their CPU apart.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def side_of(thread: threading.Thread) -> str:
    """Whose work a thread does: that of the runner's own one, and of all that this one starts, is the runner's."""
    return "runner" if thread.name == "runner" else getattr(thread, "side", "screen")


def name_threads() -> None:
    """Name every thread from now on."""
    start, told = threading.Thread.start, threading.Thread._set_native_id  # type: ignore[attr-defined]

    def started(thread: threading.Thread) -> None:
        thread.side = side_of(threading.current_thread())  # type: ignore[attr-defined]
        start(thread)

    def named(thread: threading.Thread) -> None:
        told(thread)
        Path(f"/proc/self/task/{thread.native_id}/comm").write_text(f"{side_of(thread)} {thread.name}"[:15])

    threading.Thread.start = started  # type: ignore[method-assign]
    threading.Thread._set_native_id = named  # type: ignore[attr-defined]


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    name_threads()
    from tui.cli import main

    main()
