"""Messages between a service and its children: two lengths, a JSON header, a binary payload."""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO

Header = dict[str, Any]
LENGTHS = struct.Struct("!IQ")  # bytes of the header, bytes of the payload
MAX_HEADER = 1024 * 1024


class BrokenMessage(Exception):
    """What came is not a message."""


def pack(header: Header, payload_size: int = 0) -> bytes:
    """Everything but the payload, which follows as it is: frames are large and not copied."""
    text = json.dumps(header).encode()
    return LENGTHS.pack(len(text), payload_size) + text


def lengths(raw: bytes | bytearray, max_payload: int) -> tuple[int, int]:
    header, payload = LENGTHS.unpack(raw)
    if header > MAX_HEADER or payload > max_payload:
        raise BrokenMessage(f"message of {header} + {payload} bytes")
    return header, payload


def header(raw: bytes | bytearray) -> Header:
    try:
        found = json.loads(raw)
    except ValueError as error:
        raise BrokenMessage(str(error)) from None
    if not isinstance(found, dict):
        raise BrokenMessage("the header is not an object")
    return found


class Channel:
    """The child's end: it tells, and is told nothing. It blocks; deadlines are the parent's business."""

    def __init__(self, writer: BinaryIO) -> None:
        self._writer = writer

    def send(self, head: Header, payload: bytes | memoryview = b"") -> None:
        self._writer.write(pack(head, len(payload)))
        self._writer.write(payload)
        self._writer.flush()
