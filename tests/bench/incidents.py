"""How soon each incident stands in the status line of 80 columns without colour, in which words, and what is pressed.

    .venv/bin/python -P tests/bench/incidents.py

One real session is led from each of the staged incidents into the next, watched through a pty. The milliseconds are
those from the event that makes it a fact (or from what was done outside of the log) to the words on the terminal. Fails
where one takes longer than two seconds, or its cause or remedy can't be reached by the keys that the screen names.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent.parent), str(HERE.parent), str(HERE.parent / "scenarios")]

from processes import Longwatch  # noqa: E402
from stage import Seen, all_of_them  # noqa: E402
from warm import Warm  # noqa: E402

LIMIT_MS = 2_000


def main() -> int:
    warm, seen = Warm(), list[Seen]()
    print(f"{'incident':<30} {'status line':<40} {'ms':>6}  keys")
    try:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
            for one in all_of_them(Longwatch(Path(place) / "stage", warm)):
                seen.append(one)
                print(f"{one.incident:<30} {one.words:<40} {one.ms:>6}  {one.keys}", flush=True)
    finally:
        warm.end()
    late = [one.incident for one in seen if one.ms > LIMIT_MS]
    print(
        f"{len(seen)} incidents, {len(late)} of them later than {LIMIT_MS:,} ms{': ' if late else ''}{', '.join(late)}"
    )
    return bool(late)


if __name__ == "__main__":
    sys.exit(main())
