from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.clips import make_clip

# Runs a command as the sandbox's child would, and tells what came back and what had been imported by then.
SCRIPT = """
import json, sys
from server.worker import child
class Pipe:
    def __init__(self): self.commands, self.sent = [json.loads(sys.argv[1])], []
    def receive(self): return self.commands.pop() if self.commands else None
    def send(self, head, payload=b""): self.sent.append({**head, "bytes": len(payload)})
pipe = Pipe()
child.main(pipe)
print(json.dumps({"sent": pipe.sent, "modules": list(sys.modules)}))
"""


def told(command: dict[str, Any], cwd: Path) -> tuple[list[dict[str, Any]], set[str]]:
    words = [sys.executable, "-c", SCRIPT, json.dumps(command)]
    ran = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=True)
    answer = json.loads(ran.stdout)
    return answer["sent"], set(answer["modules"])


def fetching(url: str) -> dict[str, Any]:
    request = {"url": url, "page_url": None, "media_url": None, "etag": None, "last_modified": None}
    limits = {"max_bytes": 10**6, "page_bytes": 10**5, "requests": 9, "seconds": 5, "max_seconds": 60, "allow": ""}
    return {"do": "fetch", "request": request, "limits": limits}


def test_fetching_imports_no_decoder(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        sent, modules = told(fetching(f"http://127.0.0.1:{listening.getsockname()[1]}/"), tmp_path)
    assert sent[0]["code"] == "address_refused"
    assert sent[0]["details"]["reason"] == "loopback"
    assert not {"av", "cv2", "numpy", "PIL", "models", "yt_dlp", "pydantic"} & modules


def test_decoding_imports_no_fetcher(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=1, width=160, height=90)
    limits = {"max_pixels": 10**6, "max_seconds": 60}
    sent, modules = told({"do": "decode", "path": str(clip), "limits": limits, "count": 3}, tmp_path)
    assert sent[0]["type"] == "info"
    assert {(head["type"], head["bytes"]) for head in sent[1:-1]} == {("frame", 160 * 90 * 3)}
    assert sent[-1]["type"] == "end"
    assert not {"yt_dlp", "requests", "pydantic", "onnxruntime", "tensorflow", "torch"} & modules


@pytest.mark.parametrize("command", [{"do": "decode"}, {"do": "no such thing"}])
def test_a_mistake_of_ours_is_an_internal_error(command: dict[str, Any], tmp_path: Path) -> None:
    sent, _ = told(command, tmp_path)
    assert sent[0]["type"] == "error"
    assert sent[0]["code"] == "internal"
    assert sent[0]["details"]["step"] == command["do"]
