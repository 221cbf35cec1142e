from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import skimage.data

from models.analyze import Analyzer
from models.decode import DecodeLimits
from models.types import Rgb

FLAGGING = Path(__file__).parent / "flagging_calibration.toml"


@pytest.fixture(scope="session")
def portrait() -> Rgb:
    """512 x 512 with one face, its box about (185, 63, 84, 112)."""
    return np.asarray(skimage.data.astronaut(), np.uint8)


@pytest.fixture(scope="session")
def data() -> Path:
    folder = Path(__file__).parents[3] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the face sets are not beside this repository (../shared/data)")
    return folder


@pytest.fixture(scope="session")
def limits() -> DecodeLimits:
    return DecodeLimits(max_pixels=40_000_000, max_seconds=3600)


@pytest.fixture(scope="session")
def analyzer() -> Iterator[Analyzer]:
    """Finds every face manipulated; the weights of Meso-4 and all other parts are the shipped ones."""
    analyzer = Analyzer(FLAGGING, ["meso4"])
    yield analyzer
    analyzer.close()
