"""Meso-4 and MesoInception-4 (Afchar et al. 2018) in Keras, and their Grad-CAM as a formula.

Layer for layer the authors' networks, so that their published weights load by position; but the last layer gives the
logit, and whoever trains says what it is the logit of (Unmask: of fake; the authors: of real).
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

SIDE = 256
FEATURES = "features"  # the last maps that still lie over the picture: 32 x 32 x 16
_CONVOLUTIONS = ((8, 3, 2), (8, 5, 2), (16, 5, 2), (16, 5, 4))  # filters, kernel, pool
_MODULES = ((1, 4, 4, 2), (2, 4, 4, 2))  # filters of 1x1, and of 3x3 reaching over 1, 2 and 3 pixels


def build(dropout: float = 0.5) -> keras.Model:
    """RGB in [0, 1], (n, 256, 256, 3) -> logit, (n, 1)."""
    inputs = keras.Input((SIDE, SIDE, 3))
    return _ended(inputs, inputs, _CONVOLUTIONS, dropout)


def build_inception(dropout: float = 0.5) -> keras.Model:
    """The same, its first two convolutions replaced by modules that look at four distances at once."""
    x = inputs = keras.Input((SIDE, SIDE, 3))
    for filters in _MODULES:
        x = layers.MaxPooling2D(2, padding="same")(layers.BatchNormalization()(_module(x, filters)))
    return _ended(inputs, x, _CONVOLUTIONS[2:], dropout)


def _module(x: Any, filters: tuple[int, int, int, int]) -> Any:
    def convolved(x: Any, filters: int, kernel: int, apart: int = 1) -> Any:
        return layers.Conv2D(filters, kernel, padding="same", activation="relu", dilation_rate=apart)(x)

    near, *further = filters
    branches = [convolved(x, near, 1)]
    branches += [convolved(convolved(x, count, 1), count, 3, apart) for apart, count in enumerate(further, start=1)]
    return layers.Concatenate()(branches)


def _ended(inputs: Any, x: Any, convolutions: tuple[tuple[int, int, int], ...], dropout: float) -> keras.Model:
    for number, (filters, kernel, pool) in enumerate(convolutions, start=1):
        last = number == len(convolutions)
        x = layers.Conv2D(filters, kernel, padding="same", activation="relu")(x)
        x = layers.BatchNormalization(name=FEATURES if last else None)(x)
        x = layers.MaxPooling2D(pool, padding="same")(x)
    x = layers.Dropout(dropout)(layers.Flatten()(x))
    x = layers.LeakyReLU(negative_slope=0.1)(layers.Dense(16, name="hidden")(x))
    return keras.Model(inputs, layers.Dense(1, name="logit")(layers.Dropout(dropout)(x)))


def start_high_pass(model: keras.Model) -> None:
    """Let the first filters ignore flat colour: what a swap leaves behind is texture.

    With the usual start 40,000 images left the validation AUC at chance; with this one, less dropout and gentler
    augmentation 18,000 brought MesoNet to .78.
    """
    names = [type(layer) for layer in model.layers]
    for layer in model.layers[: names.index(layers.BatchNormalization)]:
        if isinstance(layer, layers.Conv2D) and layer.kernel_size != (1, 1):
            kernel, bias = layer.get_weights()
            layer.set_weights([3 * (kernel - kernel.mean(axis=(0, 1), keepdims=True)), bias])


class WithCam:
    """The trained network as it is served: uint8 RGB -> (p_fake, cam).

    Above the feature maps stand only pooling, Dense-16, leaky ReLU and Dense-1, so the gradient of the logit needs no
    tape: it is the two kernels multiplied, with the leaky ReLU's slope between them. Max pooling hands each gradient
    to exactly one place, so its mean over the maps is the pooled gradient's sum over the maps' area.
    """

    def __init__(self, model: keras.Model) -> None:
        self._hidden, self._logit = model.get_layer("hidden"), model.get_layer("logit")
        self._maps = keras.Model(model.inputs[0], [model.get_layer(FEATURES).output, self._hidden.output, model.output])

    def __call__(self, crops: Any) -> tuple[Any, Any]:
        """`crops`: (n, 256, 256, 3), 0-255. `cam`: (n, 32, 32), at least 0, in units of the logit."""
        maps, hidden, logit = self._maps(ops.cast(crops, "float32") / 255.0, training=False)
        importance = self.importance(hidden, maps.shape[1] * maps.shape[2])
        cam = ops.relu(ops.sum(maps * importance[:, None, None, :], axis=-1))
        return ops.sigmoid(logit[:, 0]), cam

    def importance(self, hidden: Any, area: int) -> Any:
        """Mean gradient of the logit over each feature map: (n, 16) from the hidden layer's (n, 16)."""
        slopes = ops.where(hidden >= 0, 1.0, 0.1)
        to_pooled = ops.matmul(slopes * self._logit.kernel[:, 0], ops.transpose(self._hidden.kernel))
        places = to_pooled.shape[1] // _CONVOLUTIONS[-1][0]
        by_map = ops.reshape(to_pooled, (-1, places, _CONVOLUTIONS[-1][0]))
        return ops.sum(by_map, axis=1) / area
