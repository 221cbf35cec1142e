"""A small web site: media shown in every way a page can, and the same in frames of this and of another site."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import cv2

from tests.clips import make_clip, portrait

PAGES = Path(__file__).parent / "pages"
STRICT = (
    "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'self'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css", ".jpg": "image/jpeg", ".mp4": "video/mp4"}


class Site:
    """Every name that ends in .jpg is the portrait."""

    def __init__(self, folder: Path) -> None:
        self.port = 0
        self._clip = make_clip(folder / "clip.mp4", seconds=3, width=480, height=360, fps=10).read_bytes()
        self._picture = cv2.imencode(".jpg", cv2.cvtColor(portrait(), cv2.COLOR_RGB2BGR))[1].tobytes()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def elsewhere(self) -> str:
        """The same server by another name: another site to the browser."""
        return f"http://localhost:{self.port}"

    def content(self, name: str) -> bytes | None:
        if name.endswith(".jpg"):
            return self._picture
        if name == "clip.mp4":
            return self._clip
        page = PAGES / name
        return page.read_bytes().replace(b"ELSEWHERE", self.elsewhere.encode()) if page.is_file() else None


@contextmanager
def served(folder: Path) -> Iterator[Site]:
    site = Site(folder)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            name = urlsplit(self.path).path.lstrip("/")
            body = site.content(name) if "/" not in name else None
            part = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            if body and part:  # or no player can seek
                first, last = int(part[1]), min(int(part[2] or len(body) - 1), len(body) - 1)
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {first}-{last}/{len(body)}")
                body = body[first : last + 1]
            else:
                self.send_response(404 if body is None else 200)
            self.send_header("Content-Type", _TYPES.get(Path(name).suffix, "text/plain"))
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Length", str(len(body or b"")))
            if name == "strict.html":
                self.send_header("Content-Security-Policy", STRICT)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: Any) -> None:
            """Nothing to say."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
