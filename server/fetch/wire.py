"""Messages over a pipe: two lengths, a JSON header, a binary payload."""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO

Header = dict[str, Any]
LENGTHS = struct.Struct("!IQ")  # bytes of the header, bytes of the payload
MAX_HEADER = 1024 * 1024


class BrokenMessage(Exception):
    """What came over the pipe is not a message."""


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
    """The child's end. It blocks: deadlines are the parent's business."""

    def __init__(self, reader: BinaryIO, writer: BinaryIO) -> None:
        self._reader, self._writer = reader, writer

    def send(self, head: Header, payload: bytes | memoryview = b"") -> None:
        self._writer.write(pack(head, len(payload)))
        self._writer.write(payload)
        self._writer.flush()

    def receive(self) -> Header | None:
        """The next command, None when the parent closed the pipe or is gone. Commands have no payload."""
        raw = self._reader.read(LENGTHS.size)
        if len(raw) < LENGTHS.size:
            return None
        size, _ = lengths(raw, 0)
        text = self._reader.read(size)
        return header(text) if len(text) == size else None
