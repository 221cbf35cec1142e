from __future__ import annotations

import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

from models.errors import WeightsError
from models.importers import tensors


class Canary:
    """A pickle that runs code when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return (os.mkdir, (str(self.path),))


@pytest.mark.parametrize("way", ["pickle", "torch", "legacy"])
def test_code_in_a_pickle_is_refused_and_never_run(tmp_path: Path, way: str) -> None:
    canary, path = tmp_path / "canary", tmp_path / "model.pt"
    content = {"lstm.weight_hh_l0": Canary(canary)}
    if way == "pickle":
        path.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=way == "torch")
    with pytest.raises(WeightsError, match=r"none of its code was run|damaged"):
        tensors.of_torch(path)
    assert not canary.exists()
    pickle.loads(pickle.dumps(Canary(canary)))
    assert canary.exists(), "the canary itself must sing"


def test_a_state_dict_is_read_and_nothing_else_is(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    torch.save({"a": torch.ones(3)}, path)
    assert tensors.of_torch(path)["a"].tolist() == [1, 1, 1]
    for other in ([torch.ones(1)], {"state": {"a": torch.ones(1)}}):
        torch.save(other, path)
        with pytest.raises(WeightsError, match="no state dict"):
            tensors.of_torch(path)


def test_truncated_files_are_refused(tmp_path: Path) -> None:
    whole = tmp_path / "whole.pt"
    torch.save({"a": torch.ones(1000)}, whole)
    (tmp_path / "half.pt").write_bytes(whole.read_bytes()[:2000])
    with pytest.raises(WeightsError, match=r"half\.pt .*damaged"):
        tensors.of_torch(tmp_path / "half.pt")
    with h5py.File(tmp_path / "whole.h5", "w") as file:
        file["a"] = np.ones(5000, np.float32)
    (tmp_path / "half.h5").write_bytes((tmp_path / "whole.h5").read_bytes()[:9000])
    (tmp_path / "text.h5").write_text("only text")
    (tmp_path / "empty.h5").touch()
    with zipfile.ZipFile(tmp_path / "other.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    with zipfile.ZipFile(tmp_path / "half.keras", "w") as archive:
        archive.writestr("model.weights.h5", (tmp_path / "half.h5").read_bytes())
    for name in ("half.h5", "text.h5", "empty.h5", "other.keras", "half.keras"):
        with pytest.raises(WeightsError, match=rf"{name} is damaged"):
            tensors.of_keras(tmp_path / name)


def test_a_file_that_points_elsewhere_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(range(64)))
    other = tmp_path / "other.h5"
    with h5py.File(other, "w") as file:
        file["a"] = np.ones(4, np.float32)
    with h5py.File(tmp_path / "storage.h5", "w") as file:
        file.create_dataset("a", (16,), np.float32, external=[(str(secret), 0, 64)])
    with h5py.File(tmp_path / "link.h5", "w") as file:
        file["a"] = h5py.ExternalLink(str(other), "/a")
    with h5py.File(tmp_path / "soft.h5", "w") as file:
        file["a"] = h5py.SoftLink("/b")
    with h5py.File(tmp_path / "virtual.h5", "w") as file:
        layout = h5py.VirtualLayout((4,), np.float32)
        layout[:] = h5py.VirtualSource(str(other), "a", (4,))
        file.create_virtual_dataset("a", layout)
    for name in ("storage.h5", "link.h5", "soft.h5", "virtual.h5"):
        with pytest.raises(WeightsError, match="outside itself"):
            tensors.of_h5(tmp_path / name)


def test_a_file_that_unpacks_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensors, "MOST_BYTES", 10_000)
    with h5py.File(tmp_path / "bomb.h5", "w") as file:
        file.create_dataset("a", (5000,), np.float32, compression="gzip", fillvalue=0.0)
    with zipfile.ZipFile(tmp_path / "bomb.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.weights.h5", bytes(20_000))
    for name in ("bomb.h5", "bomb.keras"):
        with pytest.raises(WeightsError, match="more than 0 MiB"):
            tensors.of_keras(tmp_path / name)
