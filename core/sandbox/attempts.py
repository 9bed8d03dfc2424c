"""Run inside a sandbox under test: tries to break out of it, and to do honest work. Ends with 0 when it is tight.

Arguments: a hidden file, a file outside, the process id of the agent, a port on loopback, a socket in a file.
"""

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path


def refused(attempt: Callable[[], object]) -> bool:
    """Whether an attempt failed."""
    try:
        attempt()
    except OSError:
        return True
    return False


def main() -> int:
    """Print what was possible and should not be, or the reverse."""
    hidden, outside, agent, port, local = sys.argv[1:]
    Path("made").write_text("made here")
    attempts: dict[str, Callable[[], object]] = {
        "a hidden file can be read": Path(hidden).read_text,
        "a file outside can be written": lambda: Path(outside).write_text("changed"),
        "a file outside can be cut": lambda: os.truncate(outside, 0),
        "a file can be moved out": lambda: Path("made").rename(outside + ".moved"),
        "the agent's environment can be read": Path(f"/proc/{agent}/environ").read_bytes,
        "the network is reached": lambda: socket.create_connection(("127.0.0.1", int(port)), 5).close(),
        "a local socket is reached": lambda: socket.socket(socket.AF_UNIX).connect(local),
        "a datagram can be sent": lambda: socket.socket(type=socket.SOCK_DGRAM).connect(("192.0.2.1", 9)),
        "the machine's settings can be changed": lambda: Path("/proc/sys/kernel/core_pattern").open("r+").close(),
    }
    possible = [name for name, attempt in attempts.items() if not refused(attempt)]
    if possible:
        print("; ".join(possible))
    return 1 if possible else 0


if __name__ == "__main__":
    sys.exit(main())
