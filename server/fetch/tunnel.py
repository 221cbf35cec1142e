"""How a connection is asked for and granted: HTTP's CONNECT, with a refusal told in the service's own terms.

Spoken between a child and its parent, and between a worker and an `unmask proxy` on another machine.
"""

from __future__ import annotations

import hmac
import json
import re
import socket
from typing import Final

from server.errors import Denied, FetchError, UnmaskError, from_code

MOST_BYTES: Final = 8192  # of a request or an answer
ACCEPTED: Final = b"HTTP/1.1 200 OK\r\n\r\n"
_CONNECT = re.compile(rb"CONNECT (\[[0-9a-fA-F:.%]+\]|[!-9;-~]+):(\d{1,5}) HTTP/1\.[01]\r\n")
_STATUS: Final = {"address_refused": 403, "forbidden": 407, "fetch_timeout": 504}


def ask(through: socket.socket, host: str, port: int, token: str = "") -> None:
    """From here on the socket leads to that host. Raises the reason why it does not, or OSError."""
    name = host.strip("[]")
    lines = [f"CONNECT {f'[{name}]' if ':' in name else name}:{port} HTTP/1.1"]
    lines += [f"Proxy-Authorization: Bearer {token}"] if token else []
    through.sendall("\r\n".join([*lines, "", ""]).encode())
    said = bytearray()
    while part := through.recv(MOST_BYTES):
        said += part
        if said == ACCEPTED:  # web servers do not speak first: there is no more
            return
    raise _told(bytes(said))


def asked(client: socket.socket, token: str = "") -> tuple[str, int]:
    """Whom the client wants to be connected to. Raises what to answer when it may not, or makes no sense."""
    head = bytearray()
    while b"\r\n\r\n" not in head:
        part = client.recv(MOST_BYTES)
        head += part
        if not part or len(head) > MOST_BYTES:
            raise FetchError("This is not a request for a connection.")
    if token and not hmac.compare_digest(_bearer(bytes(head)), token.encode()):
        raise Denied("The proxy's token is another one.")
    found = _CONNECT.match(head)
    if found is None or int(found[2]) > 65535:
        raise FetchError("This is not a request for a connection.")
    return found[1].decode("ascii").strip("[]"), int(found[2])


def refuse(client: socket.socket, error: UnmaskError) -> None:
    body = json.dumps(error.to_json()).encode()
    status = _STATUS.get(error.code, 502)
    head = b"HTTP/1.1 %d Refused\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (status, len(body))
    client.sendall(head + body)


def _bearer(head: bytes) -> bytes:
    found = re.search(rb"\r\nproxy-authorization: bearer ([!-~]+)\r\n", head, re.IGNORECASE)
    return found[1] if found else b""


def _told(said: bytes) -> UnmaskError:
    try:
        told = json.loads(said.partition(b"\r\n\r\n")[2])
        return from_code(told["code"], told["message"], told["details"])
    except (ValueError, KeyError, TypeError):
        return UnmaskError("The way out is closed.")
