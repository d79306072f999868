"""The C library's allocator."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import ctypes, platform
from hongyan.servers import allocator
done = allocator.configure_allocator()
allocator.trim_memory()
assert done or platform.libc_ver()[0] != "glibc"
allocator._libc = object()  # a C library that knows nothing of it
assert not allocator.configure_allocator()
allocator.trim_memory()
"""


def test_the_allocator_is_told_where_it_listens() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True)
