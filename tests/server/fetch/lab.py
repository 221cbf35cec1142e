"""A small internet of its own: public and forbidden addresses, a name server that rebinds, a server that logs.

    unshare --net --mount python -m tests.server.fetch.lab         each lure with one evil address, prints a table
    unshare --net --mount python -m tests.server.fetch.lab all     each lure with each of them

Nothing is allowed here beyond the defaults: what is fetched is fetched from addresses that pass as public.
"""

from __future__ import annotations

import json
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from pathlib import Path

from server.errors import UnmaskError
from server.fetch.address import Networks
from server.fetch.dial import Vetted
from server.settings import Settings
from server.worker import media
from server.worker.media import MediaChild, children
from tests.clips import make_clip
from tests.server.fetch.test_lures import FILES, PAGES

PUBLIC, OTHER_PUBLIC = "93.184.215.14", "2606:2800:21f::14"
FORBIDDEN = ("169.254.169.254", "10.0.0.5", "192.168.1.10", "100.100.100.200", "168.63.129.16", "fd00:ec2::254")
NAMES: dict[str, tuple[tuple[str, ...], ...]] = {  # name: the answers, one after the other and then again
    "site.example": ((PUBLIC,),),
    "six.example": ((OTHER_PUBLIC,),),
    "metadata.example": (("169.254.169.254",),),
    "intranet.example": (("10.0.0.5",),),
    "printer.example": (("192.168.1.10",),),
    "loopback.example": (("127.0.0.1",),),
    "azure.example": (("168.63.129.16",),),
    "six-metadata.example": (("fd00:ec2::254",),),
    "mapped.example": (("::ffff:169.254.169.254",),),
    "rebinds.example": ((PUBLIC,), ("169.254.169.254",)),
    "rebinds-back.example": (("10.0.0.5",), (PUBLIC,)),
    "mixed.example": (("169.254.169.254", PUBLIC),),
}
EVIL = [
    *(f"http://{f'[{ip}]' if ':' in ip else ip}/secret" for ip in FORBIDDEN),
    *(f"http://{name}/secret" for name in NAMES if name not in ("site.example", "six.example", "mixed.example")),
    "http://127.0.0.1/secret", "http://[::1]/secret", "http://2852039166/secret", "http://0xa9fea9fe/secret",
    "http://0251.0376.0251.0376/secret", "http://[::ffff:169.254.169.254]/secret", "http://localhost/secret",
]  # fmt: skip
REPLIES: dict[str, tuple[int, dict[str, str], bytes]] = {}
REACHED: list[str] = []  # addresses that were connected to since the last look


class Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, headers, body = REPLIES.get(self.path, (200, {}, b"secret"))
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_HEAD = do_GET

    def log_message(self, *args: object) -> None:
        """Quiet."""


class Sites(ThreadingHTTPServer):
    """On every address of the lab."""

    address_family = socket.AF_INET6
    daemon_threads = True

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        made, peer = super().get_request()
        REACHED.append(made.getsockname()[0].removeprefix("::ffff:"))
        return made, peer


def build(folder: Path) -> None:
    for words in ("link set lo up", *(f"addr add {ip} dev lo" for ip in (PUBLIC, OTHER_PUBLIC, *FORBIDDEN))):
        subprocess.run(["ip", *words.split()], check=True)
    conf = folder / "resolv.conf"
    conf.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    subprocess.run(["mount", "--bind", conf, "/etc/resolv.conf"], check=True)
    names = socket.socket(type=socket.SOCK_DGRAM)
    names.bind(("127.0.0.1", 53))
    threading.Thread(target=resolve, args=(names,), daemon=True).start()
    threading.Thread(target=Sites(("::", 80), Site).serve_forever, daemon=True).start()


def resolve(names: socket.socket) -> None:
    """As much of DNS as a stub resolver asks for. A and AAAA of one look-up get the same round of answers."""
    rounds = {name: cycle(answers) for name, answers in NAMES.items()}
    current: dict[str, tuple[str, ...]] = {}
    while True:
        query, client = names.recvfrom(512)
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1 : at + 1 + query[at]].decode())
            at += 1 + query[at]
        name, kind = ".".join(labels), struct.unpack("!H", query[at + 1 : at + 3])[0]
        if kind == 1 and name in rounds:
            current[name] = next(rounds[name])
        answers = b"".join(_records(current.get(name, ()), kind))
        count = sum(1 for _ in _records(current.get(name, ()), kind))
        flags = 0x8180 if name in rounds else 0x8183
        names.sendto(query[:2] + struct.pack("!5H", flags, 1, count, 0, 0) + query[12 : at + 5] + answers, client)


def _records(ips: tuple[str, ...], kind: int) -> Iterator[bytes]:
    family, wanted = (socket.AF_INET6, True) if kind == 28 else (socket.AF_INET, False)
    for ip in ips:
        if (":" in ip) == wanted and kind in (1, 28):
            data = socket.inet_pton(family, ip)
            yield b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 0, len(data)) + data


def cases(everything: bool) -> Iterator[tuple[str, str, str]]:
    """(what, the evil address in it, the address to fetch)"""
    for evil in EVIL:
        yield "address", evil, evil
        for status in (302, 307):
            REPLIES["/redirect"] = (status, {"Location": evil}, b"")
            yield f"redirect {status}", evil, "http://site.example/redirect"
    turns = cycle(EVIL)
    for lure in (*PAGES, *FILES):
        for evil in EVIL if everything else (next(turns), next(turns)):
            made = PAGES[lure](evil).encode() if lure in PAGES else FILES[lure](evil)
            page = b"<!doctype html><html>" + made if lure in PAGES else made
            REPLIES["/page"] = (200, {"Content-Type": "text/html" if lure in PAGES else ""}, page)
            yield lure, evil, "http://site.example/page"


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build(folder)
        # Every address of the lab is this machine's own; that rule has its own test.
        media.Vetted = lambda allow: _vetted(allow)  # type: ignore[misc, assignment]
        settings = Settings(data_dir=folder / "data", fetch_seconds=10)
        clip = make_clip(folder / "clip.mp4", seconds=1, width=64, height=48).read_bytes()
        REPLIES["/clip.mp4"] = (200, {"Content-Type": "video/mp4"}, clip)
        leaks = total = 0
        with children(settings) as forks, MediaChild(settings, forks) as child:
            for good in (
                "http://site.example/clip.mp4",
                "http://six.example/clip.mp4",
                "http://mixed.example/clip.mp4",
            ):
                print(f"{'works':<24}{good:<44}{_outcome(child, good)}")
            for what, evil, url in cases("all" in sys.argv):
                REACHED.clear()
                outcome = _outcome(child, url)
                leaked = sorted(set(REACHED) - {PUBLIC, OTHER_PUBLIC})
                total, leaks = total + 1, leaks + bool(leaked)
                print(f"{what:<24}{evil:<44}{outcome:<18}{'LEAK ' + ' '.join(leaked) if leaked else ''}", flush=True)
    print(json.dumps({"cases": total, "leaks": leaks}))


def _vetted(allow: Networks) -> Vetted:
    return Vetted(allow, frozenset())


def _outcome(child: MediaChild, url: str) -> str:
    try:
        child.fetch(url)
    except UnmaskError as error:
        return error.code
    return "fetched"


if __name__ == "__main__":
    main()
