"""Which sandbox works here: told by trying to break out of each, not by asking for versions."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from core.sandbox import landlock_child
from core.sandbox.access import Access, Surroundings, access_for
from core.sandbox.sandbox import Sandbox

_SECONDS: Final = 20.0
_ATTEMPTS: Final = Path(__file__).with_name("attempts.py")


@cache
def find_sandbox() -> Sandbox:
    """The best that holds on this machine, found once per process. Blocks for some 0.2 s; raises nothing."""
    reasons = []
    for candidate in candidates():
        trouble = candidate.why or try_to_escape(candidate)
        if not trouble:
            return candidate
        reasons.append(trouble if candidate.why else f"{candidate.backend}: {trouble}")
    return Sandbox("none", "; ".join(reasons) or "only Linux is supported")


def candidates() -> Iterator[Sandbox]:
    """What could confine commands here, best first; `why` says what already speaks against one."""
    if sys.platform != "linux":
        return
    program = shutil.which("bwrap", path="/usr/bin:/bin:/usr/local/bin")
    yield Sandbox("bubblewrap", "" if program else "bubblewrap (bwrap) is not installed", program or "")
    version = landlock_child.abi()
    yield Sandbox(
        "landlock", "" if version >= 1 else "the kernel has no Landlock", f"{version}" if version >= 1 else ""
    )


def try_to_escape(sandbox: Sandbox) -> str:
    """Run harmless attempts to break out; empty when all were refused and honest work succeeded, else what was not."""
    try:
        with (
            tempfile.TemporaryDirectory(prefix="longwatch-probe-", ignore_cleanup_errors=True) as place,
            ExitStack() as stack,
        ):
            range_ = _Range.built(Path(place), stack)
            words = sandbox.words(range_.access, range_.workspace)
            command = [*words, sys.executable, "-I", "-S", "-c", _ATTEMPTS.read_text(), *range_.targets]
            answer = subprocess.run(
                command,
                cwd=range_.workspace,
                env={"PATH": os.defpath, "HOME": place},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_SECONDS,
                start_new_session=True,
            )
    except (OSError, subprocess.SubprocessError) as error:
        return f"it could not be tried ({type(error).__name__}: {error})"
    if answer.returncode == 0:
        return ""
    said = (answer.stdout + answer.stderr).decode("utf-8", "replace").strip().splitlines()
    return said[-1][:200] if said else f"it ended with code {answer.returncode}"


@dataclass(frozen=True, slots=True)
class _Range:
    """A workspace, and around it what must stay out of reach."""

    workspace: Path
    access: Access
    targets: list[str]

    @classmethod
    def built(cls, place: Path, stack: ExitStack) -> _Range:
        place = place.resolve()
        workspace, home, outside = place / "workspace", place / "sessions", place / "outside"
        for folder in (workspace, home, outside, place / "temporary"):
            folder.mkdir()
        (home / "secret").write_text("secret")
        (outside / "file").write_text("untouched")
        port, local = stack.enter_context(_listening(outside / "socket"))
        around = Surroundings(workspace, place / "temporary", home, place / "none")
        targets = [str(home / "secret"), str(outside / "file"), str(os.getpid()), str(port), local]
        return cls(workspace, access_for(around, {"HOME": str(place)}, network=False), targets)


@contextmanager
def _listening(path: Path) -> Iterator[tuple[int, str]]:
    """A server on this machine's loopback and one in a file, for attempts to reach them."""
    with socket.socket() as network, socket.socket(socket.AF_UNIX) as local:
        network.bind(("127.0.0.1", 0))
        network.listen()
        local.bind(str(path))
        local.listen()
        yield network.getsockname()[1], str(path)
