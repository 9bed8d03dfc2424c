"""Freed memory leaves the process, also where something that stays lies behind it."""

import platform
from pathlib import Path

import pytest

from core.allocator import give_back

PAGE_MB = 4096 / 1e6


def resident_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_MB


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has its own ways")
def test_what_was_freed_between_blocks_that_stay_is_given_back():
    blocks = [bytes(5_000) for _ in range(12_000)]
    stays = blocks[::40]
    del blocks
    before = resident_mb()
    give_back()
    assert before - resident_mb() > 30
    assert len(stays) == 300
