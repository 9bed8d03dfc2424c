"""Run by itself as `python -I -S landlock_child.py COUNT SPEC… COMMAND…`: shuts itself in, then becomes the command.

The kernel's Landlock limits files and signals, a network space of its own or a system call filter limits sockets. What
stays outside is a keeper of the command: it ends all that the command leaves behind, then passes its exit code on.
SPEC, COUNT words of it, is JSON, compressed and in base 64: `read` and `write` list paths, `network` says whether other
machines may be reached. Uses nothing but the standard library. Exit codes of its own: 125 when the command could not be
shut in, 127 when it could not be started.
"""

from __future__ import annotations

import binascii
import ctypes
import fcntl
import json
import os
import platform
import signal
import socket
import struct
import sys
import zlib
from contextlib import suppress
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_SET_NO_NEW_PRIVS, _SET_SECCOMP, _SET_SUBREAPER, _DROP_BOUNDING, _CAP_AMBIENT = 38, 22, 36, 24, 47
_NEW_USER, _NEW_NET = 0x10000000, 0x40000000
_CAPABILITIES, _KEPT = range(64), (0, 1, 3)  # chown, dac_override, fowner
_FILES = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
_ALL_FILES = (1 << 16) - 1
_EXECUTE, _WRITE, _READ, _LIST, _TRUNCATE, _IOCTL = 1, 1 << 1, 1 << 2, 1 << 3, 1 << 14, 1 << 15
_OF_A_FILE = _EXECUTE | _WRITE | _READ | _TRUNCATE | _IOCTL
_SCOPES = 3  # abstract sockets and signals
_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.syscall.restype = ctypes.c_long


def abi() -> int:
    """The version of Landlock that the kernel speaks; below 1 where it has none."""
    return int(_LIBC.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(1)))


def restrict(read: list[str], write: list[str]) -> None:
    """Limit this process and its children to these paths, for good. Raises OSError."""
    version = abi()
    if version < 1:
        raise OSError("this kernel has no Landlock")
    handled = _FILES.get(version, _ALL_FILES)
    attributes = struct.pack("QQQ", handled, 0, _SCOPES if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = int(_LIBC.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(size), ctypes.c_uint32(0)))
    if ruleset < 0:
        raise OSError(ctypes.get_errno(), "Landlock refused the rules")
    for paths, rights in ((read, _EXECUTE | _READ | _LIST), (write, handled)):
        for path in paths:
            _allow(ruleset, path, rights & handled)
    if _LIBC.syscall(_RESTRICT_SELF, ruleset, ctypes.c_uint32(0)):
        raise OSError(ctypes.get_errno(), "Landlock can't be entered")
    os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return  # It went away, or is out of reach anyhow.
    if not Path(path).is_dir():
        rights &= _OF_A_FILE
    failed = _LIBC.syscall(_ADD_RULE, ruleset, 1, struct.pack("=Qi", rights, place), ctypes.c_uint32(0))
    os.close(place)
    if failed:
        raise OSError(ctypes.get_errno(), f"no rule for {path}")


def leave_network() -> bool:
    """Move into a network space that holds nothing but a loopback of its own; False where that is not allowed."""
    user, group = os.getuid(), os.getgid()
    if os.geteuid() == 0:
        if _LIBC.unshare(_NEW_NET):
            return False
    else:
        if _LIBC.unshare(_NEW_USER | _NEW_NET):
            return False
        for name, line in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            Path(f"/proc/self/{name}").write_text(line)
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        fcntl.ioctl(probe, 0x8914, struct.pack("16sh14x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP
    return True


def filter_calls(families: list[int]) -> None:
    """Refuse sockets but of these families, io_uring (it makes sockets unseen) and the kernel's keys. Raises OSError.

    Pairs of connected sockets stay: they lead nowhere else. Sockets in files are not among what Landlock limits, so
    the family of local sockets is never let through.
    """
    machine = platform.machine()
    numbers = {"x86_64": (0xC000003E, 41, (425, 248, 249, 250)), "aarch64": (0xC00000B7, 198, (425, 217, 218, 219))}
    if machine not in numbers:
        raise OSError(f"no filter for system calls of {machine}")
    arch, make_socket, refused = numbers[machine]
    allow, deny = (0x06, 0, 0, 0x7FFF0000), (0x06, 0, 0, 0x00050000 | 13)
    program = [(0x20, 0, 0, 4), (0x15, 1, 0, arch), deny, (0x20, 0, 0, 0)]
    program += [(0x35, 0, 1, 0x40000000), deny] if machine == "x86_64" else []
    for number in refused:
        program += [(0x15, 0, 1, number), deny]
    program += [(0x15, 1, 0, make_socket), allow, (0x20, 0, 0, 16)]
    for family in families:
        program += [(0x15, 0, 1, family), allow]
    code = b"".join(struct.pack("HBBI", *line) for line in [*program, deny])
    buffer = ctypes.create_string_buffer(code, len(code))
    wanted = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))
    if _LIBC.prctl(_SET_SECCOMP, 2, ctypes.c_char_p(wanted), 0, 0):
        raise OSError(ctypes.get_errno(), "the filter for system calls was refused")


def drop_capabilities() -> None:
    """Root, too, keeps only what lets it work on files of other users that it may write anyhow."""
    for number in _CAPABILITIES:
        if number not in _KEPT:
            _LIBC.prctl(_DROP_BOUNDING, number, 0, 0, 0)
    _LIBC.prctl(_CAP_AMBIENT, 4, 0, 0, 0)


def shut_in(spec: dict[str, object]) -> None:
    """All of it, in this process. Raises OSError when a part that is promised can't be had."""
    families = [int(socket.AF_INET), int(socket.AF_INET6), int(socket.AF_NETLINK)]
    if not spec["network"] and not leave_network():
        families = [int(socket.AF_NETLINK)]
    drop_capabilities()
    _LIBC.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    restrict(list(spec["read"]), list(spec["write"]))  # type: ignore[call-overload]
    filter_calls(families)


def keep(child: int) -> int:
    """Wait for the command, end what it left behind, and give its exit code as a shell would."""
    while True:
        pid, status = os.wait()
        if pid == child:
            break
    while left := _children():
        for pid in left:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.wait()
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _children() -> list[int]:
    """Who descends from here directly: orphans of the command come here too, for this process adopts them."""
    found = []
    for place in Path("/proc").iterdir():
        with suppress(OSError, IndexError):
            if place.name.isdigit() and _parent(place) == os.getpid():
                found.append(int(place.name))
    return found


def _parent(process: Path) -> int:
    return int((process / "stat").read_bytes().rpartition(b")")[2].split()[1])


def main() -> int:
    """The keeper, and in its child the command."""
    count = int(sys.argv[1])
    packed, command = "".join(sys.argv[2 : 2 + count]), sys.argv[2 + count :]
    spec = json.loads(zlib.decompress(binascii.a2b_base64(packed)))
    _LIBC.prctl(_SET_SUBREAPER, 1, 0, 0, 0)
    child = os.fork()
    if child:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # It must outlive the command to find all that comes from it.
        return keep(child)
    try:
        shut_in(spec)
    except OSError as error:
        os.write(2, f"the command could not be shut in: {error}\n".encode())
        os._exit(125)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
        os._exit(127)


if __name__ == "__main__":
    sys.exit(main())
