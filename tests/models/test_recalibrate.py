from __future__ import annotations

import json
import zlib
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from models import calibrate, manifest, pipeline, recalibrate
from models.errors import CalibrationError
from models.evaluate import readers
from models.evaluate.samples import Sample
from models.fit import Labels
from models.listener import Source, source
from models.training import learned, shard
from models.training.harvest import Cut, Harvest
from models.training.shard import SERVING, Item

NOWHERE = np.zeros((68, 2), np.float32)


def prepared(folder: Path, reals: int, fakes: int = 40) -> Path:
    """Flat crops with noise, two of a group; the fakes carry a grid."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    labels = ["real"] * reals + ["fake"] * fakes
    items = [Item(f"mine/{i}.png", label, f"g{i // 2}", "", "mine", "landmarks") for i, label in enumerate(labels)]
    crops = rng.integers(0, 40, (len(items), 256, 256, 3), dtype=np.uint8) + rng.integers(
        0, 200, (len(items), 1, 1, 3), dtype=np.uint8
    )
    crops[reals:, ::2, ::2] //= 2
    np.save(folder / shard.CROPS, crops)
    np.save(folder / shard.LANDMARKS, np.zeros((len(items), 68, 2), np.float32))
    shard.write_listing(folder / shard.LISTING, items)
    (folder / shard.PREPARED).write_text(json.dumps({"cutting": asdict(SERVING)}))
    return folder


def run(data: Path, samples: list[Sample] | None = None, most: int | None = None) -> recalibrate.Recalibrated:
    samples = samples or readers.read(data, testing=False)
    return recalibrate.run(data, samples, ["meso4"], "2026-01-01", Labels(), 2, most)


def test_what_is_fitted_is_a_file_that_knows_its_weights(tmp_path: Path) -> None:
    made = run(prepared(tmp_path / "mine", 120))
    calibration = made.calibration
    (one,) = made.pictures
    assert (one.name, one.reals, one.fakes, one.why) == ("meso4", 120, 40, "")
    assert one.auc is not None
    assert calibration.detectors["meso4"].weights == manifest.entry("meso4").digest
    assert calibration.dataset == "mine"
    assert (len(calibration.real), len(calibration.fake["face_swap"]), made.clips) == (120, 40, None)
    path = tmp_path / "c.toml"
    path.write_text(calibrate.written(calibration))
    again = calibrate.load(path)
    assert calibrate.written(again) == calibrate.written(calibration)
    assert pipeline.version(again, ["meso4"]) != pipeline.version(calibrate.load(), ["meso4"])


def test_too_few_genuine_pictures_are_refused_with_the_number(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match=r"99 genuine pictures; here are 90\. Give more"):
        run(prepared(tmp_path / "mine", 90))
    with pytest.raises(CalibrationError, match=r"99 genuine pictures; here are 30\."):
        run(tmp_path / "mine", most=30)


def test_what_a_detector_learned_from_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = prepared(tmp_path / "mine", 120)
    record = frozenset(learned.of_group(f"g{i}") for i in range(20))
    monkeypatch.setattr(learned, "read", lambda weights: record)
    with pytest.raises(CalibrationError, match=r"here are 80\. 40 others were left out"):
        run(data)
    monkeypatch.setattr(learned, "read", lambda weights: frozenset(learned.of_group(f"g{i}") for i in range(5)))
    made = run(data)
    assert made.passed_over == {"learned from": 10}
    assert made.unrecorded == ()


def test_without_a_record_the_sets_name_and_the_split_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = prepared(tmp_path / "mine", 120)
    samples = [Sample(**{**vars(s), "dataset": "dfdc_train"}) for s in readers.read(data, testing=False)]
    monkeypatch.setattr(learned, "read", lambda weights: None)
    with pytest.raises(CalibrationError, match="left out: the detectors learned from them"):
        run(data, samples)


def test_detectors_that_know_no_fake_from_a_genuine_item_are_not_calibrated(tmp_path: Path) -> None:
    data = prepared(tmp_path / "mine", 120, 120)
    samples = [Sample(**{**vars(s), "fake": not s.fake}) for s in readers.read(data, testing=False)]
    with pytest.raises(CalibrationError, match=r"tells these fakes from the genuine ones \(AUC: meso4 0\.0"):
        run(data, samples)


def test_fakes_of_another_kind_give_a_detector_no_weight(tmp_path: Path) -> None:
    data = prepared(tmp_path / "mine", 120)
    samples = [Sample(**{**vars(s), "method": "sdxl"}) for s in readers.read(data, testing=False)]
    with pytest.raises(CalibrationError, match=r"meso4: nothing here shows what it looks for \(face_swap\)"):
        run(data, samples)


def test_of_a_detector_that_abstains_from_everything_it_says_so(tmp_path: Path) -> None:
    data = prepared(tmp_path / "mine", 120)
    samples = readers.read(data, testing=False)
    made = recalibrate.run(data, samples, ["meso4", "blink"], "2026-01-01", Labels(), 2)
    assert [(one.name, one.why) for one in made.pictures] == [("meso4", ""), ("blink", "it scored none of them")]


def test_clips_get_a_scale_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = prepared(tmp_path / "mine", 120)
    samples = readers.read(data, testing=False)
    clips = [Sample(f"{s.name}.mp4", Path(f"{s.name}.mp4"), s.fake, s.group, "", "mine") for s in samples]
    pictures = source(data)

    def of_clips(data: Path) -> Source:
        return lambda s: (
            Harvest(tuple(Cut(_crop(s, t), NOWHERE, t) for t in (0.0, 1.0, 2.0))) if s in clips else pictures(s)
        )

    monkeypatch.setattr(recalibrate, "source", of_clips)
    few = run(data, [*samples, *clips])
    assert few.calibration.clips is None
    assert few.passed_over == {"clips, since 200 genuine ones are needed": 160}
    monkeypatch.setattr(recalibrate, "FEWEST_CLIPS", 120)
    made = run(data, [*samples, *clips])
    assert made.calibration.clips is not None
    assert made.clips is not None
    assert made.calibration.clips.best_faces
    assert made.calibration.of_kind("video").real != made.calibration.of_kind("image").real
    path = tmp_path / "c.toml"
    path.write_text(calibrate.written(made.calibration))
    again = calibrate.load(path)
    assert calibrate.written(again) == calibrate.written(made.calibration)
    digests = dict.fromkeys(again.detectors, "other")
    assert calibrate.of_weights(again, digests).of_kind("video").detectors == {}


def _crop(sample: Sample, t: float) -> np.ndarray:
    rng = np.random.default_rng(zlib.crc32(f"{sample.name} {t}".encode()))
    return rng.integers(0, 255, (256, 256, 3), dtype=np.uint8) // (1 if sample.fake else 2)
