"""Freed memory leaves the process, also where something that stays lies behind it."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from core.allocator import give_back

PAGE_MB = 4096 / 1e6
ROOT = Path(__file__).parents[2]
GLIBC = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has its own ways")


def resident_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_MB


@GLIBC
def test_what_was_freed_between_blocks_that_stay_is_given_back():
    blocks = [bytes(5_000) for _ in range(12_000)]
    stays = blocks[::40]
    del blocks
    before = resident_mb()
    give_back()
    assert before - resident_mb() > 30
    assert len(stays) == 300


ARENAS = """
import ctypes, sys, threading
from core.allocator import share_memory
if sys.argv[1] == "shared":
    share_memory()
together = threading.Barrier(4)
def work():
    kept = [bytes(5_000) for _ in range(100)]
    together.wait()
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
ctypes.CDLL(None).malloc_stats()
"""


def arenas(how):
    """How many arenas the C library tells of after four threads have worked at once."""
    done = subprocess.run([sys.executable, "-c", ARENAS, how], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stderr.count("Arena ")


@GLIBC
def test_threads_share_one_arena():
    assert arenas("shared") == 1 < arenas("apart")


HOLES = """
import sys
from pathlib import Path
from core.allocator import set_large_apart
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
if sys.argv[1] == "apart":
    set_large_apart()
freed = b"x" * 20_000_000
del freed
block = b"x" * 10_000_000
behind = [b"x" * 5_000 for _ in range(1_000)]
before = resident()
del block
print(before - resident())
"""


def returned(how):
    """Bytes that a process gives back by itself when it frees a large block with small ones behind it."""
    done = subprocess.run([sys.executable, "-c", HOLES, how], cwd=ROOT, capture_output=True, text=True, check=True)
    return int(done.stdout)


@GLIBC
def test_a_large_block_goes_back_when_it_is_free_whatever_was_freed_before():
    assert returned("apart") > 9_000_000 > returned("together")
