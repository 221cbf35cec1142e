"""System calls that Python has no function for, and the error the kernel gives for them."""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
from typing import Final

PR_SET_PDEATHSIG: Final = 1
PR_SET_KEEPCAPS: Final = 8
PR_SET_NO_NEW_PRIVS: Final = 38
PR_GET_NO_NEW_PRIVS: Final = 39
CAP_DAC_READ_SEARCH: Final = 1 << 2

# The same on every machine since Linux 5.1 (number 424 and up); the others are looked up per architecture.
LANDLOCK_CREATE_RULESET, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF = 444, 445, 446


def call(number: int, *arguments: int | bytes | ctypes.Array[ctypes.c_char] | None) -> int:
    """The call's result; OSError when the kernel refuses it."""
    if sys.platform != "linux":
        raise OSError(f"{platform.system()} has no such system call")
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    words = [ctypes.c_long(word) if isinstance(word, int) else word for word in arguments]
    return _checked(libc.syscall(ctypes.c_long(number), *words))


def prctl(option: int, value: int) -> int:
    if sys.platform != "linux":
        raise OSError(f"{platform.system()} has no prctl")
    return _checked(ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0))


def unshare(flags: int) -> None:
    if sys.platform != "linux":
        raise OSError(f"{platform.system()} has no namespaces")
    _checked(ctypes.CDLL(None, use_errno=True).unshare(flags))


def keep_capabilities(kept: int) -> None:
    """Of what a process may do beyond its user keep these bits alone; they must survive a change of user before."""
    version_3 = 0x20080522
    header = struct.pack("=II", version_3, 0)
    data = struct.pack("=6I", kept, kept, 0, 0, 0, 0)  # effective, permitted, inheritable; then their upper halves
    _checked(ctypes.CDLL(None, use_errno=True).capset(header, data))


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
