"""A web server on loopback that serves media well and everything else badly."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

Reply = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    server: Server
    timeout = 30

    def do_GET(self) -> None:
        self.server.seen.append((self.path, dict(self.headers.items())))
        reply = self.server.replies.get(self.path)
        try:
            if reply is None:
                self.answer(b"", status=404)
            else:
                reply(self)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the client had enough, as it should

    def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def drip(self, first: bytes, more: bytes, pause: float = 0.0) -> None:
        """Never ends by itself."""
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.end_headers()
        self.wfile.write(first)
        while not self.server.closing.wait(pause):
            self.wfile.write(more)

    def log_message(self, *args: object) -> None:
        """Quiet."""


class Server(ThreadingHTTPServer):
    """`with Server() as web: web.put("/a.jpg", data); fetch(web.url("/a.jpg"))`"""

    daemon_threads = True
    allow_reuse_address = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.replies: dict[str, Reply] = {}
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.closing = threading.Event()

    def __enter__(self) -> Server:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self.shutdown()
        self.server_close()

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.server_port}{path}"

    def paths(self) -> list[str]:
        return [path for path, _ in self.seen]

    def put(self, path: str, body: bytes, status: int = 200, **headers: str) -> str:
        self.replies[path] = lambda handler: handler.answer(body, status, **headers)
        return self.url(path)

    def page(self, path: str, html: str) -> str:
        return self.put(path, f"<!doctype html><html>{html}</html>".encode(), Content_Type="text/html")

    def redirect(self, path: str, target: str) -> str:
        return self.put(path, b"", 302, Location=target)

    def endless(self, path: str, first: bytes) -> str:
        self.replies[path] = lambda handler: handler.drip(first, bytes(64 * 1024))
        return self.url(path)

    def slow(self, path: str, first: bytes) -> str:
        self.replies[path] = lambda handler: handler.drip(first, b"\0", pause=0.5)
        return self.url(path)

    def claims(self, path: str, body: bytes, length: int) -> str:
        """Declares `length` bytes, sends `body` and hangs up."""
        return self.put(path, body, Content_Length=str(length))

    def bomb(self, path: str, size: int) -> str:
        packed = gzip.compress(b"<!doctype html><html>" + bytes([32]) * size, 9)
        return self.put(path, packed, Content_Type="text/html", Content_Encoding="gzip")

    def conditional(self, path: str, body: bytes, etag: str) -> str:
        def reply(handler: Handler) -> None:
            if handler.headers.get("If-None-Match") == etag:
                handler.answer(b"", 304, ETag=etag)
            else:
                handler.answer(body, ETag=etag, Last_Modified="Wed, 21 Oct 2015 07:28:00 GMT")

        self.replies[path] = reply
        return self.url(path)
