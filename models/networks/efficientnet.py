"""EfficientNet B0 or B7 in Keras with a dense head (GAP, 1024, sigmoid), and its Grad-CAM as a formula."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

HIDDEN = 1024
BASES = {"b0": keras.applications.EfficientNetB0, "b7": keras.applications.EfficientNetB7}
# Keras divides by the deviation once more when a network starts from ImageNet, in a layer that leaves no weight behind:
# its Normalization then holds ImageNet's mean, and its variance is multiplied by the deviation to the same effect.
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def build(base: str, side: int) -> tuple[keras.Model, keras.layers.Dense, keras.layers.Dense]:
    """0-255 RGB (n, side, side, 3) -> maps, and the two layers above their mean."""
    body = BASES[base](include_top=False, weights=None, input_shape=(side, side, 3))
    hidden, last = layers.Dense(HIDDEN, activation="relu"), layers.Dense(1)
    last(hidden(keras.Input((body.output_shape[-1],))))
    return body, hidden, last


def starts_from_imagenet(mean: NDArray[np.float32]) -> bool:
    return bool(np.allclose(mean.reshape(-1), IMAGENET_MEAN, atol=1e-3))


class WithCam:
    """As it is served: uint8 RGB -> (p_fake, cam). `scale` is what the old pipeline multiplied its pictures by.

    The gradient of the logit at a map's mean is a product of the two kernels where the ReLU is open.
    """

    def __init__(
        self, body: keras.Model, hidden: keras.layers.Dense, last: keras.layers.Dense, scale: float, high: bool
    ) -> None:
        self._body, self._hidden, self._last = body, hidden, last
        self._scale, self._sign = scale, 1.0 if high else -1.0

    def __call__(self, crops: Any) -> tuple[Any, Any]:
        maps = self._body(ops.cast(crops, "float32") * self._scale, training=False)
        seen = self._hidden(ops.mean(maps, axis=(1, 2)))
        logit = self._sign * self._last(seen)[:, 0]
        open_ones = ops.cast(seen > 0, "float32") * self._last.kernel[:, 0] * self._sign
        importance = ops.matmul(open_ones, ops.transpose(self._hidden.kernel))
        cam = ops.relu(ops.sum(maps * importance[:, None, None, :], axis=-1)) / (maps.shape[1] * maps.shape[2])
        return ops.sigmoid(logit), cam
