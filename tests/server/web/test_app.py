"""The web process stays small: no ML library, quick to start."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from flask import Flask

from server.settings import Settings

FORBIDDEN = {
    "numpy", "cv2", "onnxruntime", "onnx", "PIL", "av", "dlib", "face_recognition", "tensorflow", "keras", "torch",
    "models", "yt_dlp", "celery", "sklearn", "scipy",
}  # fmt: skip
_START = """
import json, sys, time
began = time.perf_counter()
from pathlib import Path
from server.settings import Settings
from server.store.db import Database
from server.web.app import create_app
settings = Settings(data_dir=Path(sys.argv[1]))
app = create_app(settings, Database(settings.database), catalogue=list, pipeline=str)
seconds = time.perf_counter() - began
print(json.dumps({"seconds": seconds, "modules": sorted({name.partition(".")[0] for name in sys.modules})}))
"""


def test_it_imports_no_ml_library_and_starts_at_once(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _START, str(tmp_path)], capture_output=True, text=True, check=True, timeout=60
    )
    told = json.loads(done.stdout)
    assert FORBIDDEN.isdisjoint(told["modules"]), FORBIDDEN & set(told["modules"])
    assert told["seconds"] < 10, "the goal is 2 s; a machine busy with other tests gets some air"


def test_two_copies_on_one_machine_do_not_share_a_cookie(tmp_path: Path, app: Flask) -> None:
    from server.web.security import cookie_settings

    other = cookie_settings(Settings(data_dir=tmp_path, port=8001))
    assert other["SESSION_COOKIE_NAME"] != app.config["SESSION_COOKIE_NAME"]
