"""Ways out of a sandbox, each as a command that ends with 0 when it worked, and what outside shows that it did."""

from __future__ import annotations

import os
import pty
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

PYTHON: Final = "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else sys.executable
"""An interpreter that any user may run."""


def python(code: str) -> str:
    return f"{PYTHON} -S - <<'END'\nimport ctypes, os, socket\n{code}\nEND"


@dataclass(frozen=True)
class Escape:
    """`witness` looks from outside, after the command; without one the command's own word counts.

    `root`: only root can do it even without a sandbox.
    """

    command: str
    witness: Callable[[Outside], bool] | None = None
    root: bool = False


@dataclass
class Outside:
    """What lies around the workspace of a command that tries to get out; its names are in the command's environment."""

    place: Path
    workspace: Path
    session: Path
    environment: dict[str, str] = field(default_factory=dict)
    victim: subprocess.Popen[bytes] | None = None
    datagrams: socket.socket | None = None
    terminal: int = -1

    def bereft(self) -> bool:
        """Whether the agent is dead."""
        assert self.victim is not None
        with suppress(subprocess.TimeoutExpired):
            return self.victim.wait(0.3) != 0
        return False

    def heard(self) -> bool:
        assert self.datagrams is not None
        with suppress(BlockingIOError):
            return bool(self.datagrams.recv(10))
        return False

    def typed(self) -> bool:
        with suppress(BlockingIOError):
            return bool(os.read(self.terminal, 10))
        return False

    def has(self, name: str, text: str = "x") -> bool:
        path = self.place / name
        return path.exists() and text in path.read_text()


def left_alive(seconds: str) -> bool:
    """Whether a `sleep` of that many seconds lives on although the kernel had a second to end it; it is ended."""
    deadline = time.monotonic() + 1.0
    while found := _sleeping(seconds):
        if time.monotonic() > deadline:
            for pid in found:
                os.kill(pid, signal.SIGKILL)
            return True
        time.sleep(0.02)
    return False


def _sleeping(seconds: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if (entry / "cmdline").read_bytes() == f"sleep\0{seconds}\0".encode():
                    found.append(int(entry.name))
    return found


def planted(name: str) -> Callable[[Outside], bool]:
    """Whether a file of the workspace holds what was planted in it."""
    return lambda outside: outside.has(f"workspace/{name}", "evil")


_STAYS: Final = [f"{4_000_000 + os.getpid()}{number}" for number in (1, 2)]
"""Seconds by which a process of this run is told from all others of the machine."""
_UNTIL_UP: Final = "until grep -aq ^sleep /proc/$!/cmdline; do :; done"
ESCAPES: Final = {
    "a file outside is written": Escape("echo x >$OUTSIDE/plain", lambda it: it.has("outside/plain")),
    "dots lead out": Escape("echo x >../outside/dots", lambda it: it.has("outside/dots")),
    "a link leads out": Escape("ln -s $OUTSIDE l; echo x >l/linked", lambda it: it.has("outside/linked")),
    "a link reads what is hidden": Escape("ln -s $SECRET s; cat s"),
    "a hard link changes a file outside": Escape(
        "ln $OUTSIDE/kept hard && echo x >>hard", lambda it: it.has("outside/kept")
    ),
    "a file is moved out": Escape("echo x >f; mv f $OUTSIDE/moved", lambda it: it.has("outside/moved")),
    "a file outside is removed": Escape("rm $OUTSIDE/doomed", lambda it: not it.has("outside/doomed", "")),
    "a file outside is made executable": Escape(
        "chmod 777 $OUTSIDE/kept", lambda it: bool((it.place / "outside/kept").stat().st_mode & 0o100)
    ),
    "a git hook is planted": Escape("echo evil >.git/hooks/pre-commit", planted(".git/hooks/pre-commit")),
    "git's configuration is changed": Escape("echo '#evil' >>.git/config", planted(".git/config")),
    "the repository is swapped": Escape(
        "mv .git .old; mkdir -p .git/hooks; echo evil >.git/hooks/pre-push", planted(".git/hooks/pre-push")
    ),
    "the product's configuration is made": Escape("echo '#evil' >.longwatch.toml", planted(".longwatch.toml")),
    "instructions are changed": Escape("echo evil >>AGENTS.md", planted("AGENTS.md")),
    "instructions are replaced": Escape("echo evil >new; mv -f new AGENTS.md", planted("AGENTS.md")),
    "a server of tools is configured": Escape("echo evil >.mcp.json", planted(".mcp.json")),
    "a hook of an agent is configured": Escape("mkdir .claude; echo evil >.claude/s", planted(".claude/s")),
    "hooks that the configuration names are planted": Escape(
        "echo evil >.githooks/pre-push", planted(".githooks/pre-push")
    ),
    "another worktree is led elsewhere": Escape(
        "echo evil >.git/worktrees/other/commondir", planted(".git/worktrees/other/commondir")
    ),
    "what linked instructions lead to is changed": Escape("echo evil >>docs/agents.md", planted("CLAUDE.md")),
    "a link stands for the folder of instructions": Escape(
        "mkdir e; echo evil >e/copilot-instructions.md; mv .github .old; ln -s e .github",
        planted(".github/copilot-instructions.md"),
    ),
    "a configuration is planted that can't be listed": Escape(
        "mkdir -m 311 .codex; echo evil >.codex/config.toml", planted(".codex/config.toml")
    ),
    "a command reaches the inbox": Escape(
        "echo x >$SESSION/inbox/order.json", lambda it: any((it.session / "inbox").iterdir())
    ),
    "the journal is read": Escape("cat $SESSION/session.db"),
    "the sessions are listed": Escape('[ -n "$(ls $SESSION/..)" ]'),
    "the user's configuration is read": Escape("cat $HOME/.config/longwatch/config.toml"),
    "a private key is read": Escape("cat $HOME/.ssh/id_ed25519"),
    "a token of another tool is read": Escape("cat $HOME/.netrc"),
    "the agent's environment is read": Escape("cat /proc/$VICTIM/environ"),
    "the agent's memory is opened": Escape(python("open(f\"/proc/{os.environ['VICTIM']}/mem\", 'rb')")),
    "the agent's folder is entered": Escape("cat /proc/$VICTIM/cwd/outside/kept >/dev/null"),
    "the machine's root is reached by a process": Escape("cat /proc/$VICTIM/root$SECRET"),
    "the agent is signalled": Escape("kill -USR1 $VICTIM", Outside.bereft),
    "the agent is traced": Escape(
        python("import sys; sys.exit(ctypes.CDLL(None).ptrace(0x4206, int(os.environ['VICTIM']), 0, 0) != 0)")
    ),
    "a server on this machine is reached": Escape(
        python("socket.create_connection(('127.0.0.1', int(os.environ['PORT'])), 3)")
    ),
    "a datagram gets out": Escape(
        python("socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', int(os.environ['UDP'])))"),
        Outside.heard,
    ),
    "a socket in a file is reached": Escape(
        python("socket.socket(socket.AF_UNIX).connect(os.environ['OUTSIDE'] + '/socket')")
    ),
    "a socket without a file is reached": Escape(
        python("socket.socket(socket.AF_UNIX).connect('\\0' + os.environ['ABSTRACT'])")
    ),
    "the user's terminal is written": Escape("echo x >$TERMINAL", Outside.typed),
    "a process stays": Escape(
        f"setsid nohup sleep {_STAYS[0]} >/dev/null 2>&1 & {_UNTIL_UP}", lambda it: left_alive(_STAYS[0])
    ),
    "a process without its mark stays": Escape(
        f"(env -i setsid sleep {_STAYS[1]} >/dev/null 2>&1 & {_UNTIL_UP})", lambda it: left_alive(_STAYS[1])
    ),
    "new name spaces open the root": Escape(
        "unshare -Urm sh -c 'mount -o remount,bind,rw /; umount -l $SESSION; cat $SECRET'"
    ),
    "a folder is mounted": Escape("mount --bind $PWD $OUTSIDE/mount && umount $OUTSIDE/mount", root=True),
    "a device is made": Escape("mknod device c 1 3", root=True),
    "the machine's settings are written": Escape(
        'read -r it </proc/sys/kernel/core_pattern; echo "$it" >/proc/sys/kernel/core_pattern', root=True
    ),
    "a control group is made": Escape(
        "d=$(find /sys/fs/cgroup -maxdepth 1 -type d -name pids | head -1); "
        "d=${d:-/sys/fs/cgroup}; mkdir $d/longwatch-test && rmdir $d/longwatch-test",
        root=True,
    ),
    "the shadow file is read": Escape("cat /etc/shadow", root=True),
    "a file is opened by its handle": Escape(
        python(
            "handle = bytes.fromhex(os.environ['HANDLE'])\n"
            "libc = ctypes.CDLL(None, use_errno=True)\n"
            "file = libc.open_by_handle_at(os.open('.', os.O_RDONLY), handle, 0)\n"
            "assert file >= 0 and os.read(file, 9)"
        ),
        root=True,
    ),
}


@contextmanager
def outside(place: Path, user: int) -> Iterator[Outside]:
    """All that the escapes aim at, belonging to `user`."""
    workspace, session, home = place / "workspace", place / "home/sessions/01session", place / "user"
    for folder in (workspace / ".git/hooks", session / "inbox", place / "outside/mount", home / ".ssh"):
        folder.mkdir(parents=True)
    for name in (".git/worktrees/other", ".githooks", ".github", "docs"):
        (workspace / name).mkdir(parents=True)
    (home / ".config/longwatch").mkdir(parents=True)
    for path, text in (
        (workspace / ".git/config", "[core]\n\thooksPath = .githooks\n"),
        (workspace / ".git/worktrees/other/commondir", "../..\n"),
        (workspace / ".github/copilot-instructions.md", "be kind\n"),
        (workspace / "docs/agents.md", "be kind\n"),
        (workspace / ".git/HEAD", "ref: refs/heads/main\n"),
        (workspace / "AGENTS.md", "be kind\n"),
        (session / "session.db", "a secret"),
        (home / ".config/longwatch/config.toml", "# mine"),
        (home / ".ssh/id_ed25519", "a private key"),
        (home / ".netrc", "a token"),
        (place / "outside/kept", "kept"),
        (place / "outside/doomed", "doomed"),
    ):
        path.write_text(text)
    (place / "outside/kept").chmod(0o600)
    (workspace / ".git/objects").mkdir()
    (workspace / "CLAUDE.md").symlink_to("docs/agents.md")
    out = Outside(place, workspace, session)
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp, _local(place) as abstract:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        udp.bind(("127.0.0.1", 0))
        udp.setblocking(False)
        out.datagrams = udp
        out.terminal, slave = pty.openpty()
        os.set_blocking(out.terminal, False)
        os.fchown(slave, user, -1)
        for path in (place, *place.rglob("*")):
            os.chown(path, user, user, follow_symlinks=False)
        ids = {} if user == os.getuid() else {"user": user, "group": user, "extra_groups": []}
        out.victim = subprocess.Popen(["sleep", "4600"], cwd=place, env={"KEY": "of the agent"}, **ids)  # type: ignore[call-overload]
        out.environment = {
            "PATH": "/usr/bin:/bin:/usr/sbin",
            "HOME": str(home),
            "OUTSIDE": str(place / "outside"),
            "SECRET": str(session / "session.db"),
            "SESSION": str(session),
            "VICTIM": str(out.victim.pid),
            "PORT": str(tcp.getsockname()[1]),
            "UDP": str(udp.getsockname()[1]),
            "ABSTRACT": abstract,
            "TERMINAL": os.ttyname(slave),
            "HANDLE": _handle(session / "session.db"),
        }
        try:
            yield out
        finally:
            out.victim.kill()
            out.victim.wait()
            os.close(slave)
            os.close(out.terminal)


@contextmanager
def _local(place: Path) -> Iterator[str]:
    name = f"longwatch-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as in_file, socket.socket(socket.AF_UNIX) as abstract:
        here = Path.cwd()
        os.chdir(place / "outside")  # A path of a test may be too long for a socket's name.
        in_file.bind("socket")
        os.chdir(here)
        abstract.bind(f"\0{name}")
        in_file.listen()
        abstract.listen()
        yield name


def _handle(path: Path) -> str:
    """The kernel's handle of a file, which a process with the right capability opens without walking to it."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer((128).to_bytes(4, "little") + bytes(132), 136)
    mount = ctypes.c_int()
    if libc.name_to_handle_at(-100, os.fsencode(path), buffer, ctypes.byref(mount), 0):
        return ""
    return buffer.raw.hex()
