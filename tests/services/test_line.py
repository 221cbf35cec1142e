"""The whole line, as a newcomer walks it: a real server, a real worker, real models, files and addresses."""

from __future__ import annotations

import io
import os
import signal
import sqlite3
import threading
import urllib.request
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.bench.table import descendants
from tests.clips import make_clip, portrait
from tests.served import Served
from tests.signing import Signer, make_signer
from tests.uploads import upload

pytestmark = pytest.mark.service

FLAGGING = Path(__file__).parent.parent / "models" / "flagging_calibration.toml"


@pytest.fixture(scope="module")
def signer() -> Signer:
    return make_signer()


@pytest.fixture(scope="module")
def unmask(tmp_path_factory: pytest.TempPathFactory, signer: Signer) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("line")
    trusted = folder / "trust.pem"
    trusted.write_text(signer.root)
    options = {"fetch_allow": "127.0.0.0/8", "rate_checks": "100000/minute", "max_seconds": 120, "trust_list": trusted}
    with Served(folder / "data", **options) as running:
        yield running


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    Image.fromarray(portrait()).save(folder / "face.png")
    Image.fromarray(portrait()).save(folder / "face.jpg", quality=92)
    Image.fromarray(np.full((300, 400, 3), 128, np.uint8)).save(folder / "wall.png")
    make_clip(folder / "clip.mp4", seconds=4)
    return folder


class _Counting(SimpleHTTPRequestHandler):
    asked: list[str]

    def log_message(self, format: str, *args: Any) -> None:
        self.asked.append(self.path)


@pytest.fixture(scope="module")
def site(files: Path) -> Iterator[tuple[str, list[str]]]:
    """The files on a web server of their own; what was asked for."""
    asked: list[str] = []
    handler = type("Handler", (_Counting,), {"asked": asked})
    (files / "page.html").write_text('<html><body><video src="clip.mp4"></video></body></html>')
    (files / "empty.html").write_text("<html><body>Nothing here.</body></html>")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(files))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def checked(unmask: Served, answer: tuple[int, Any]) -> dict[str, Any]:
    status, check = answer
    assert status == 202, check
    return unmask.finished(check["id"])


def ask(unmask: Served, url: str, **more: Any) -> tuple[int, Any]:
    return unmask.call("POST", "/api/v1/checks", {"url": url, **more})


def test_an_uploaded_picture_gets_a_verdict_and_then_comes_from_the_cache(unmask: Served, files: Path) -> None:
    check = checked(unmask, upload(unmask, files / "face.png"))
    assert check["state"] == "complete", check
    verdict = check["verdict"]
    assert verdict["label"] in ("inconclusive", "no_evidence_found", "manipulation_likely")
    assert 0 <= verdict["interval"][0] <= verdict["probability"] <= verdict["interval"][1] <= 1
    assert verdict["coverage"]["faces"] == verdict["coverage"]["tracks"] == 1
    installed = {entry["name"] for entry in unmask.call("GET", "/api/v1/models")[1]["detectors"] if entry["installed"]}
    assert {detector["name"] for detector in verdict["detectors"]} == installed >= {"meso4"}
    shown = verdict["segments"][0]["frames"][0]
    for picture in (shown["face"], shown["heatmap"]):
        request = urllib.request.Request(unmask.url + picture, headers={"Authorization": f"Bearer {unmask.token}"})
        with urllib.request.urlopen(request) as answer:
            assert Image.open(io.BytesIO(answer.read())).format == "JPEG"

    status, again = upload(unmask, files / "face.png")
    assert status == 200
    assert (again["id"], again["cache"]) == (verdict["id"], "sha256")
    status, by_hash = unmask.call("GET", f"/api/v1/verdicts/by-hash/{verdict['media']['sha256']}")
    assert (status, by_hash["id"]) == (200, verdict["id"])
    assert not list((Path(unmask.env["UNMASK_DATA_DIR"]) / "spool").rglob("*.png")), "media bytes were kept"


def test_a_clip_is_followed_over_time(unmask: Served, files: Path) -> None:
    verdict = checked(unmask, upload(unmask, files / "clip.mp4"))["verdict"]
    assert verdict["media"]["kind"] == "video"
    assert verdict["coverage"]["tracks"] == 1
    assert verdict["coverage"]["frames"] == 60
    assert verdict["segments"][0]["end"] > 3


def test_another_sequence_length_is_a_variant_of_its_own(unmask: Served, files: Path) -> None:
    check = checked(unmask, upload(unmask, files / "clip.mp4", sequence_length="10"))
    assert check["verdict"]["coverage"]["frames"] == 10


def test_no_face_is_not_assessable(unmask: Served, files: Path) -> None:
    verdict = checked(unmask, upload(unmask, files / "wall.png"))["verdict"]
    assert (verdict["label"], verdict["reasons"], verdict["probability"]) == ("not_assessable", ["no_face"], None)


def test_an_address_is_fetched_once_for_many_and_answers_look_ups(unmask: Served, site: tuple[str, list[str]]) -> None:
    url, asked = site[0] + "/face.jpg", site[1]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: ask(unmask, url), range(32)))
    assert {status for status, _ in answers} <= {200, 202}
    (check_id,) = {body["id"] for status, body in answers if status == 202}
    check = unmask.finished(check_id)
    assert check["state"] == "complete", check
    assert asked.count("/face.jpg") == 1

    status, verdict = unmask.call("GET", f"/api/v1/verdicts?url={url}%3Futm_source%3Dx")
    assert (status, verdict["id"]) == (200, check["verdict"]["id"])
    status, found = unmask.call("POST", "/api/v1/verdicts/lookup", {"urls": ["https://unknown.example/", url]})
    assert found["verdicts"][0] is None
    assert found["verdicts"][1]["id"] == verdict["id"]
    assert ask(unmask, url)[0] == 200, "a fresh address is answered from the cache"
    assert asked.count("/face.jpg") == 1


def test_an_address_is_asked_again_whether_it_changed_and_once_a_day_for_all_of_it(
    unmask: Served, files: Path, site: tuple[str, list[str]]
) -> None:
    Image.fromarray(portrait()[::-1].copy()).save(files / "again.png")
    url = site[0] + "/again.png"
    first = checked(unmask, ask(unmask, url))["verdict"]
    database = Path(unmask.env["UNMASK_DATA_DIR"]) / "unmask.db"

    def older(column: str) -> dict[str, Any]:
        """The same question when the address was last asked, or its bytes last came, two days ago."""
        with closing(sqlite3.connect(database, timeout=10)) as rows, rows:
            for name in ("expires_at", column):
                rows.execute(f"UPDATE locations SET {name} = datetime('now', '-2 days') WHERE url = ?", (url,))
        return checked(unmask, ask(unmask, url))

    for column, cache in (("expires_at", "url"), ("downloaded_at", "sha256")):
        check = older(column)
        assert (check["state"], check["verdict"]["id"], check["verdict"]["cache"]) == ("complete", first["id"], cache)


def test_a_copy_saved_again_smaller_is_linked_and_judged_by_itself(
    unmask: Served, files: Path, site: tuple[str, list[str]], tmp_path: Path
) -> None:
    status, first = ask(unmask, site[0] + "/face.jpg")
    first = first if status == 200 else checked(unmask, (status, first))["verdict"]
    Image.fromarray(portrait()).resize((300, 300)).save(tmp_path / "small.jpg", quality=60)
    copy = checked(unmask, upload(unmask, tmp_path / "small.jpg"))["verdict"]
    assert copy["match"]["sha256"] == first["media"]["sha256"]
    assert copy["basis"] == "ensemble"
    status, similar = unmask.call("GET", f"/api/v1/media/{first['media']['sha256']}/similar")
    assert (status, copy["media"]["sha256"]) == (200, similar["similar"][0]["sha256"])


def test_a_trusted_declaration_is_a_label_of_its_own(
    unmask: Served, files: Path, signer: Signer, tmp_path: Path
) -> None:
    plain, ai = (files / "face.jpg").read_bytes(), "trainedAlgorithmicMedia"
    told = {}
    for by in (signer, make_signer("Stranger")):
        (tmp_path / "signed.jpg").write_bytes(by.sign(plain, "image/jpeg", ai))
        verdict = checked(unmask, upload(unmask, tmp_path / "signed.jpg"))["verdict"]
        told[verdict["provenance"]["c2pa"]] = (verdict["label"] == "disclosed_synthetic", verdict["basis"])
        assert verdict["provenance"]["declares_ai"]
    assert told == {"trusted": (True, "provenance"), "valid_unknown_signer": (False, "ensemble")}


def test_a_page_leads_to_its_video(unmask: Served, site: tuple[str, list[str]]) -> None:
    check = checked(unmask, ask(unmask, site[0] + "/page.html"))
    assert check["state"] == "complete", check
    assert check["verdict"]["media"]["kind"] == "video"


def test_an_upload_never_answers_for_the_address_it_claims(unmask: Served, files: Path) -> None:
    status, _ = upload(unmask, files / "face.png", claimed_url="https://victim.example/photo.jpg")
    assert status in (200, 202)
    assert unmask.call("GET", "/api/v1/verdicts?url=https://victim.example/photo.jpg")[0] == 404


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/missing.jpg", "http_failed"),
        ("/empty.html", "no_media"),
    ],
)
def test_what_cannot_be_fetched_says_why(unmask: Served, site: tuple[str, list[str]], path: str, code: str) -> None:
    check = checked(unmask, ask(unmask, site[0] + path))
    assert (check["state"], check["error"]["code"]) == ("failed", code)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://10.0.0.1/a.jpg", "address_refused"),
        ("http://169.254.169.254/latest/meta-data/", "address_refused"),
        ("http://no-such-host.invalid/a.jpg", "dns_failed"),
    ],
)
def test_addresses_that_may_not_or_cannot_be_reached(unmask: Served, url: str, code: str) -> None:
    check = checked(unmask, ask(unmask, url))
    assert (check["state"], check["error"]["code"]) == ("failed", code)


@pytest.mark.parametrize(
    ("url", "code"),
    [("not a url", "not_a_url"), ("ftp://example.org/a.mp4", "unsupported_scheme"), ("", "not_a_url")],
)
def test_what_is_no_address_is_refused_at_once(unmask: Served, url: str, code: str) -> None:
    status, answer = ask(unmask, url)
    assert (status, answer["error"]["code"]) == (400, code)


def _bomb(path: Path) -> None:
    """20,000 x 20,000 pixels in a few kilobytes."""
    Image.new("1", (20_000, 20_000)).save(path, optimize=True)


def _broken(name: str, files: Path, folder: Path) -> Path:
    path = folder / name
    if name == "zero.jpg":
        path.write_bytes(b"")
    elif name == "text.mp4":
        path.write_text("this is not a video\n" * 100)
    elif name == "truncated.jpg":
        whole = (files / "face.jpg").read_bytes()
        path.write_bytes(whole[: len(whole) // 3])
    elif name == "corrupt.mp4":
        path.write_bytes((files / "clip.mp4").read_bytes()[:40] + os.urandom(20_000))
    elif name == "bomb.png":
        _bomb(path)
    return path


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("zero.jpg", "empty_file"),
        ("text.mp4", "unsupported_media"),
        ("truncated.jpg", "corrupt_media"),
        ("corrupt.mp4", "corrupt_media"),
        ("bomb.png", "too_many_pixels"),
    ],
)
def test_bad_files_fail_with_a_reason(unmask: Served, files: Path, tmp_path: Path, name: str, code: str) -> None:
    status, answer = upload(unmask, _broken(name, files, tmp_path))
    error = answer["error"] if status != 202 else unmask.finished(answer["id"])["error"]
    assert error["code"] == code, error
    assert error["message"].endswith(".")


def test_thirty_faces(unmask: Served, tmp_path: Path) -> None:
    face = cv2.resize(portrait()[:260, 80:340], (220, 220))
    Image.fromarray(np.tile(face, (5, 6, 1))).save(tmp_path / "crowd.jpg")
    verdict = checked(unmask, upload(unmask, tmp_path / "crowd.jpg"))["verdict"]
    assert verdict["coverage"]["tracks"] >= 25


def test_frames_from_a_page(unmask: Served, files: Path) -> None:
    from tests.uploads import upload_many

    status, check = upload_many(unmask, "frames", [files / "face.jpg"] * 3, times="[0, 0.5, 1]", acquisition="canvas")
    assert status == 202, check
    verdict = unmask.finished(check["id"])["verdict"]
    assert (verdict["label"], "canvas_capture" in verdict["reasons"]) == ("inconclusive", True)
    assert verdict["coverage"]["acquisition"] == "canvas"


def test_a_worker_killed_in_the_middle_still_brings_the_verdict(unmask: Served, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "long.mp4", seconds=20, width=1280, height=720)
    status, check = upload(unmask, clip)
    assert status == 202
    assert unmask.process is not None
    while unmask.call("GET", f"/api/v1/checks/{check['id']}")[1]["state"] == "queued":
        pass
    workers = [pid for pid, line in descendants(unmask.process.pid).items() if " worker " in line]
    assert workers
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    done = unmask.finished(check["id"], seconds=90)
    assert done["state"] == "complete", done
    history = unmask.call("GET", f"/api/v1/verdicts/{done['verdict']['id']}/history")[1]
    assert len(history["versions"]) == 1


def test_a_calibration_of_ones_own_flags_a_face(tmp_path: Path, files: Path) -> None:
    with Served(tmp_path / "data", calibration=FLAGGING) as unmask:
        verdict = checked(unmask, upload(unmask, files / "face.png"))["verdict"]
        assert verdict["label"] == "manipulation_likely"
        assert verdict["kinds"]


def test_two_copies_run_side_by_side_and_leave_nothing_behind(unmask: Served, tmp_path: Path) -> None:
    with Served(tmp_path / "data") as other:
        assert other.call("GET", "/api/v1/models")[0] == 200
        assert unmask.call("GET", "/api/v1/models")[0] == 200
        assert other.call("GET", "/api/v1/models", Authorization=f"Bearer {unmask.token}")[0] == 401
        assert other.process is not None
        below = set(descendants(other.process.pid))
        assert other.stop() <= 5
        assert not [pid for pid in below if Path(f"/proc/{pid}").exists()]


def test_a_frames_archive_is_not_accepted_as_a_file(unmask: Served, tmp_path: Path) -> None:
    """The spool's own format must not be a way around the upload's checks."""
    with zipfile.ZipFile(tmp_path / "frames.zip", "w") as archive:
        archive.writestr("0.jpg", b"no picture")
    status, answer = upload(unmask, tmp_path / "frames.zip")
    assert (status, answer["error"]["code"]) == (415, "unsupported_media")
