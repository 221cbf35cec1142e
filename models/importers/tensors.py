"""Reads the arrays of a foreign weights file, and nothing else: no configuration, no code, no other file.

HDF5 may point to other files (external links, external and virtual storage), a pickle may hold code: all refused.
"""

from __future__ import annotations

import io
import pickle
import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import h5py
import numpy as np
from numpy.typing import NDArray

from models.errors import WeightsError

if TYPE_CHECKING:
    import torch

Arrays = dict[str, NDArray[np.float32]]
MOST_BYTES = 1 << 30  # EfficientNetB7 with its head holds 266 MB
KERAS_WEIGHTS = "model.weights.h5"


def of_keras(path: Path) -> Arrays:
    """Of an HDF5 file, or of the HDF5 file inside a `.keras` archive: path in the file -> array."""
    try:
        if not zipfile.is_zipfile(path):
            return of_h5(path)
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(KERAS_WEIGHTS).file_size > MOST_BYTES:
                raise WeightsError(f"{path.name} unpacks to more than {MOST_BYTES >> 20} MiB.")
            return of_h5(io.BytesIO(archive.read(KERAS_WEIGHTS)), path.name)
    except (zipfile.BadZipFile, KeyError, EOFError) as error:
        raise WeightsError(f"{path.name} is damaged, or no Keras archive ({error}). Fetch it again.") from error


def of_h5(file: Path | BinaryIO, name: str = "") -> Arrays:
    name = file.name if isinstance(file, Path) else name
    try:
        with h5py.File(file, "r") as content:
            found: Arrays = {}
            _collect(content, "", found, name)
            return found
    except (OSError, RuntimeError, ValueError) as error:
        raise WeightsError(f"{name} is damaged, or no HDF5 file ({error}). Fetch it again.") from error


def layers_of_h5(path: Path) -> list[list[NDArray[np.float32]]]:
    """The arrays of each layer that has some, in the order the file gives: how Keras 2 wrote weights."""
    found = of_h5(path)
    try:
        with h5py.File(path, "r") as content:
            inner = isinstance(content.get("model_weights", getlink=True), h5py.HardLink)
            root, prefix = (content["model_weights"], "model_weights/") if inner else (content, "")
            layers = []
            for layer in _words(root, "layer_names"):
                names = _words(root[layer], "weight_names")
                layers.append([found[f"{prefix}{layer}/{name}"] for name in names])
    except (OSError, KeyError, RuntimeError, TypeError) as error:
        raise WeightsError(f"{path.name} is no weights file as Keras 2 writes them ({error}).") from error
    return [layer for layer in layers if layer]


def of_torch(path: Path) -> dict[str, torch.Tensor]:
    """A state dict. `weights_only` lets nothing but tensors and plain containers out of the pickle."""
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what it wonders about in old files is answered by the checks below
            found: Any = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{path.name} holds more than weights, or is damaged: it was not loaded and none of its code was run. "
            "A file with a state dict alone is needed: torch.save(model.state_dict(), FILE)."
        ) from error
    except (OSError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise WeightsError(f"{path.name} is damaged, or no PyTorch file ({type(error).__name__}).") from error
    if not isinstance(found, dict) or not all(isinstance(value, torch.Tensor) for value in found.values()):
        raise WeightsError(f"{path.name} is no state dict: torch.save(model.state_dict(), FILE) makes one.")
    return found


def _collect(group: h5py.Group, prefix: str, found: Arrays, name: str) -> None:
    for key in group:
        if not isinstance(group.get(key, getlink=True), h5py.HardLink):
            raise WeightsError(f"{name} points to something outside itself ({prefix}{key}): refused.")
        item = group[key]
        if isinstance(item, h5py.Group):
            _collect(item, f"{prefix}{key}/", found, name)
        elif isinstance(item, h5py.Dataset):
            found[f"{prefix}{key}"] = _array(item, f"{prefix}{key}", sum(a.nbytes for a in found.values()), name)


def _array(item: h5py.Dataset, path: str, so_far: int, name: str) -> NDArray[np.float32]:
    if item.external or item.is_virtual:
        raise WeightsError(f"{name} points to something outside itself ({path}): refused.")
    if item.dtype.kind not in "fiu":
        return np.zeros(0, np.float32)  # text and the like: no weights
    if so_far + 4 * item.size > MOST_BYTES:
        raise WeightsError(f"{name} holds more than {MOST_BYTES >> 20} MiB of weights.")
    return np.asarray(item[()], np.float32)


def _words(group: h5py.Group, attribute: str) -> list[str]:
    return [word.decode() if isinstance(word, bytes) else str(word) for word in group.attrs[attribute]]
