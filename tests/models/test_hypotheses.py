from __future__ import annotations

import pytest

from models import hypotheses, manifest


@pytest.mark.parametrize("method", ["sd21", "Flux_SDXL_DALLE3", "midjourney-6"])
def test_generators_of_whole_pictures(method: str) -> None:
    assert hypotheses.of_method(method) == "synthetic"


def test_faces_drawn_by_a_gan_are_a_question_nobody_speaks_for() -> None:
    assert hypotheses.of_method("StyleGAN2") not in hypotheses.ALL


@pytest.mark.parametrize("method", ["dfdc", "face_swap", "gan_swap", "lip_sync", "FaceShifter", "something new", ""])
def test_everything_else_altered_a_face(method: str) -> None:
    assert hypotheses.of_method(method) == "face_swap"


def test_a_detector_speaks_for_one() -> None:
    assert hypotheses.of_kinds(["synthetic"]) == "synthetic"
    assert hypotheses.of_kinds(["face_swap", "reenactment"]) == "face_swap"
    assert hypotheses.of_kinds(["face_swap", "synthetic"]) == "face_swap", "one that cannot tell them apart"
    assert {hypotheses.of_kinds(entry.kinds) for entry in manifest.read().values()} <= set(hypotheses.ALL)
