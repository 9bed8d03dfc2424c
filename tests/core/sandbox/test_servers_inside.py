"""A server that is a program is kept inside, for as long as it lives, with what its user named and no more."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from cage import Cage

from core.tools.mcp.bridge import Bridge
from core.tools.mcp.specs import ServerSpec
from core.tools.mcp.walls import Walls

SERVER = Path(__file__).parents[1] / "tools/mcp/strange_server.py"
DIAL = "import socket; socket.socket(type=socket.SOCK_DGRAM).connect(('192.0.2.1', 9))"


def tried(cage: Cage, line: str, **more: object) -> subprocess.CompletedProcess[str]:
    """A line of shell as a server would run it."""
    spec = ServerSpec("odd", ("/bin/sh", "-c", line), **more)  # type: ignore[arg-type]
    start = Walls(cage.confinement()).start(spec, cage.session / "mcp")
    environment = {**cage.environment, **start.environment}
    return subprocess.run(start.command, cwd=start.cwd, env=environment, capture_output=True, text=True, timeout=30)


def test_it_writes_the_workspace_and_a_folder_of_its_own_and_reads_no_keys_and_no_sessions(cage: Cage) -> None:
    assert (
        tried(cage, f'echo x > {cage.workspace}/made && echo y > "$TMPDIR/mine" && cat "$TMPDIR/mine"').stdout == "y\n"
    )
    assert (cage.workspace / "made").read_text() == "x\n"
    for secret in (cage.user / ".ssh/id_ed25519", cage.session / "session.db"):
        assert "private" not in (answer := tried(cage, f"cat {secret}")).stdout and answer.returncode
    tried(cage, f"echo x > {cage.session}/inbox/forged.json; echo x > {cage.user}/.profile")
    assert not list((cage.session / "inbox").iterdir()) and not (cage.user / ".profile").exists()


def test_it_is_given_what_its_user_named_but_never_the_sessions(cage: Cage) -> None:
    keys = cage.user / ".ssh"
    assert tried(cage, f"cat {keys}/id_ed25519", readable=(keys,)).stdout == "a private key"
    tried(cage, f"echo x > {cage.session}/inbox/forged.json", writable=(cage.home, Path("/")))
    assert not list((cage.session / "inbox").iterdir())


def test_it_has_the_network_unless_that_is_taken_away(cage: Cage) -> None:
    line = f'{sys.executable} -c "{DIAL}"'
    assert tried(cage, line, network=False).returncode and not tried(cage, line).returncode


async def test_a_real_server_speaks_out_of_its_walls_and_is_told_as_confined(cage: Cage) -> None:
    spec = ServerSpec("odd", (sys.executable, "-P", str(SERVER)))
    bridge = Bridge([spec], cage.session / "mcp", lambda: 0.0, Walls(cage.confinement()))
    bridge.start()
    try:
        await asyncio.wait_for(bridge.settled(60), 60)
        assert bridge.servers["odd"].problem == "" and "odd__add" in bridge.tools
        assert [change.local for change in bridge.take_changes()] == [False]
    finally:
        await bridge.close()


def test_one_that_its_user_trusts_is_started_as_it_is(cage: Cage) -> None:
    spec = ServerSpec("odd", ("prog", "-x"), sandbox=False)
    walls = Walls(cage.confinement())
    assert walls.start(spec, cage.session / "mcp").command == ("prog", "-x") and not walls.confine(spec)
