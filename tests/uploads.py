"""Sending a file as a form, with nothing but the standard library."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.served import Served


def upload(unmask: Served, path: Path, **fields: str) -> tuple[int, Any]:
    """Status and decoded JSON of `POST /api/v1/checks` with this file."""
    return upload_many(unmask, "file", [path], **fields)


def upload_many(unmask: Served, name: str, paths: Sequence[Path], **fields: str) -> tuple[int, Any]:
    edge = uuid4().hex
    parts = [
        f'--{edge}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode()
        for field, value in fields.items()
    ]
    for path in paths:
        head = f'--{edge}\r\nContent-Disposition: form-data; name="{name}"; filename="{path.name}"\r\n\r\n'
        parts.append(head.encode() + path.read_bytes() + b"\r\n")
    request = urllib.request.Request(
        unmask.url + "/api/v1/checks",
        data=b"".join(parts) + f"--{edge}--\r\n".encode(),
        headers={"Authorization": f"Bearer {unmask.token}", "Content-Type": f"multipart/form-data; boundary={edge}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())
