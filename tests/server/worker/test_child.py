from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from server.errors import UnmaskError
from server.sandbox.confine import Limits
from server.sandbox.forkserver import ForkServer
from tests.clips import make_clip

MiB = 1024 * 1024
LIMITS = Limits(memory_bytes=2048 * MiB, file_bytes=MiB, cpu_seconds=20)


def test_a_decoder_tells_what_it_sees_and_then_its_end(tmp_path: Path, children: ForkServer) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=1, width=160, height=90)
    command = {
        "do": "decode", "path": str(clip), "limits": {"max_pixels": 10**6, "max_seconds": 60}, "count": 3
    }  # fmt: skip
    with children.start(command, tmp_path, 20, LIMITS, reads=[clip], max_payload=MiB) as child:
        told = []
        while not told or told[-1][0]["type"] != "end":
            told.append(child.receive())
    assert told[0][0]["type"] == "info"
    assert {(head["type"], len(pixels)) for head, pixels in told[1:-1]} == {("frame", 160 * 90 * 3)}
    assert all(0 < head["quantiser"] < 40 for head, _ in told[1:-1]), "the gate against compression goes by it"


def test_glances_come_small_and_grey(tmp_path: Path, children: ForkServer) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=11, width=960, height=540, fps=15)
    limits = {"max_pixels": 10**6, "max_seconds": 60}
    command = {"do": "decode", "path": str(clip), "limits": limits, "count": 2, "glances": True}
    with children.start(command, tmp_path, 20, LIMITS, reads=[clip], max_payload=2 * MiB) as child:
        told = []
        while not told or told[-1][0]["type"] != "end":
            told.append(child.receive())
    glances = [(head, pixels) for head, pixels in told if head["type"] == "glance"]
    assert [head["type"] for head, _ in told].count("frame") == 2
    assert {(*head["shape"], len(pixels)) for head, pixels in glances} == {(360, 640, 360 * 640)}
    assert len(glances) == pytest.approx(15 * (11 - told[1][0]["t"]), abs=2)


@pytest.mark.parametrize("command", [{"do": "decode"}, {"do": "fetch"}])
def test_a_mistake_of_ours_is_an_internal_error(command: dict[str, Any], tmp_path: Path, children: ForkServer) -> None:
    with children.start(command, tmp_path, 20, LIMITS) as child, pytest.raises(UnmaskError) as caught:
        child.receive()
    assert caught.value.code == "internal"
    assert caught.value.details["step"] == command["do"]
    assert "Traceback" in caught.value.__notes__[0]


def test_the_entry_itself_imports_next_to_nothing() -> None:
    """The zygote is ready at once, and imports the rest when nobody waits."""
    script = "import sys, server.worker.child; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"av", "cv2", "numpy", "PIL", "yt_dlp", "requests", "pydantic"} & set(ran.stdout.split())
