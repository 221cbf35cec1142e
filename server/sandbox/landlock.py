"""Landlock: which files a process may touch, decided by itself and for ever (Linux 5.13; each ABI adds rights).

https://docs.kernel.org/userspace-api/landlock.html
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from server.sandbox.syscalls import LANDLOCK_ADD_RULE, LANDLOCK_CREATE_RULESET, LANDLOCK_RESTRICT_SELF, call

_VERSION: Final = 1  # flag of create_ruleset: asks for the ABI
_BENEATH: Final = 1  # kind of rule
_WRITE_FILE, _READ_FILE, _READ_DIR, _REMOVE_DIR, _REMOVE_FILE = 1 << 1, 1 << 2, 1 << 3, 1 << 4, 1 << 5
_MAKE_DIR, _MAKE_REG, _REFER, _TRUNCATE = 1 << 7, 1 << 8, 1 << 13, 1 << 14
_RIGHTS: Final = {1: (1 << 13) - 1, 2: _REFER, 3: _TRUNCATE, 5: 1 << 15}  # of files, by the ABI that brought them
_TCP, _TCP_ABI = 0b11, 4  # bind and connect
_SCOPES, _SCOPES_ABI = 0b11, 6  # abstract unix sockets and signals outside
READ: Final = _READ_FILE | _READ_DIR
WRITE: Final = READ | _WRITE_FILE | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REG | _REFER | _TRUNCATE
_OF_FILES: Final = _READ_FILE | _WRITE_FILE | _TRUNCATE


def abi() -> int:
    """The version the kernel speaks; OSError when it has no Landlock, or it is switched off."""
    return call(LANDLOCK_CREATE_RULESET, None, 0, _VERSION)


class Ruleset:
    """Everything is forbidden but what is allowed before `enforce`. Rules keep the directory, not its name."""

    def __init__(self) -> None:
        version = abi()
        self._rights = sum(bits for since, bits in _RIGHTS.items() if since <= version)
        fields = [self._rights]
        fields += [_TCP] if version >= _TCP_ABI else []
        fields += [_SCOPES] if version >= _SCOPES_ABI else []
        attributes = struct.pack(f"={len(fields)}Q", *fields)
        self._ruleset = call(LANDLOCK_CREATE_RULESET, attributes, len(attributes), 0)

    def allow(self, paths: Iterable[Path], rights: int) -> None:
        for path in paths:
            try:
                place = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except (FileNotFoundError, PermissionError):  # what is out of reach anyway needs no rule
                continue
            granted = rights & self._rights & (-1 if path.is_dir() else _OF_FILES)
            try:
                rule = ctypes.create_string_buffer(struct.pack("=Qi", granted, place), 12)
                call(LANDLOCK_ADD_RULE, self._ruleset, _BENEATH, rule, 0)
            finally:
                os.close(place)

    def enforce(self) -> None:
        """Needs no-new-privileges. From here on it holds for this thread and all it starts."""
        call(LANDLOCK_RESTRICT_SELF, self._ruleset, 0)
        os.close(self._ruleset)
