from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from models.evaluate.samples import Sample
from models.listener import Listener, is_clip, source
from models.types import Rgb
from tests.clips import make_clip


def sample(path: Path) -> Sample:
    return Sample(path.name, path, False, "g", "", "mine")


def test_pictures_and_clips_are_heard_as_they_come(portrait: Rgb, tmp_path: Path) -> None:
    whole, tight, blank = (tmp_path / f"{name}.png" for name in ("whole", "tight", "blank"))
    Image.fromarray(portrait).save(whole)
    Image.fromarray(portrait[70:170, 180:275]).save(tight)
    Image.new("RGB", (200, 200)).save(blank)
    clip = make_clip(tmp_path / "clip.mp4", seconds=1)
    with Listener(source(tmp_path), ["meso4"]) as listener:
        said = [listener(sample(path)) for path in (whole, tight, clip)]
        assert [one.reason for one in said] == ["", "", ""]
        assert all(0 < one.p_fake["meso4"] < 1 for one in said)
        assert listener(sample(blank)).reason == "no_face"
        assert listener(sample(tmp_path / "gone.png")).reason == "missing_file"
    assert [is_clip(sample(path)) for path in (clip, whole)] == [True, False]


def test_a_detector_that_abstains_says_nothing(portrait: Rgb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from models import registry
    from models.types import Abstained

    class Silent:
        name, version = "silent", "1"

        def score(self, *_: object) -> Abstained:
            return Abstained("too_few_frames")

    monkeypatch.setattr(registry, "load", lambda name, threads: Silent())
    Image.fromarray(portrait).save(tmp_path / "a.png")
    with Listener(source(tmp_path), ["silent"]) as listener:
        assert listener(sample(tmp_path / "a.png")).p_fake == {}
