"""Maps of rows to features, and how slopes by the features come back to the rows.

A linear map is a matrix.  A network is run forwards, layer by layer, and its slopes backwards (back-propagation).  Any
other object brings its own ``vjp``, the product of slopes with its Jacobian, which `Map.verify` compares with
differences of its ``transform``.  `_feature_maps` makes them of what a user has.
"""

from typing import Any

import numpy as np
from scipy import sparse, special

__all__ = [
    "Affine",
    "Chain",
    "Given",
    "Map",
    "Network",
    "Several",
    "as_features",
    "soft_relu",
    "soft_relu_slope",
    "wave",
]

SLACK = 1e-5  # part by which a product with the Jacobian may differ from differences of the map
GOLDEN = 0.6180339887498949


class Map:
    """A list of maps of the same rows: features (n, m_k) of each, and slopes by them back to slopes by the rows.

    Attributes
    ----------
    n_inputs : int or None
        Length of the rows; None for any.
    linear, smooth : bool
        Linear but for a constant; with a continuous Jacobian.
    """

    n_inputs: Any = None
    linear: Any = False
    smooth: Any = True

    def pull(self, rows):
        """Features, a list of (n, m_k), and the function that takes slopes by them to slopes by the rows."""
        raise NotImplementedError

    def features(self, rows):
        return self.pull(rows)[0]

    def push(self, directions):
        """Of a linear map: the change of the features when the rows change."""
        constant = self.features(np.zeros_like(directions[:1]))
        return [moved - still for moved, still in zip(self.features(directions), constant, strict=True)]

    def smoothed(self, width):
        """The map with its kinks rounded off over that width; itself where there are none."""
        return self

    def verify(self, rows):
        """Raise a ValueError where the map is not what it says it is, at some rows."""


class Affine(Map):
    """rows @ J.T + constant."""

    linear = True

    def __init__(self, J, constant):
        self.J, self.constant, self.n_inputs = J, constant, J.shape[1]

    def pull(self, rows):
        return [rows @ self.J.T + self.constant], lambda slopes: slopes[0] @ self.J

    def push(self, directions):
        return [directions @ self.J.T]


class Given(Map):
    """An object that has ``transform`` and ``vjp``."""

    def __init__(self, given):
        self.given = given
        self.linear, self.smooth = bool(getattr(given, "linear", False)), bool(getattr(given, "smooth", True))
        self.n_inputs = getattr(given, "n_features_in_", None)

    def pull(self, rows):
        if hasattr(self.given, "pull"):  # which does not go forwards twice
            features, back = self.given.pull(rows)
            return [features], lambda slopes: back(slopes[0])
        return [self._transform(rows)], lambda slopes: self._vjp(rows, slopes[0])

    def _transform(self, rows):
        return as_features(self.given.transform(rows), rows, self.given)

    def _vjp(self, rows, slopes):
        found = np.asarray(self.given.vjp(rows, slopes))
        if found.shape != rows.shape or found.dtype.kind not in "fiu":
            raise ValueError(
                f"vjp of feature_map={self.given!r} must return slopes by the rows, numbers of the shape of the rows, "
                f"{rows.shape}; for slopes by the features of shape {slopes.shape} it returned shape {found.shape} and "
                f"dtype {found.dtype}."
            )
        return found.astype(np.float64, copy=False)

    def smoothed(self, width):
        return Given(self.given.smoothed(width)) if hasattr(self.given, "smoothed") else self

    def verify(self, rows):
        # Beside the rows, where no feature need be 0, and along waves that no map has a reason to be blind to.
        size = np.abs(rows).max() or 1.0
        rows = rows + 0.1 * size * wave(rows.shape, 0.3)
        direction, features = size * wave(rows.shape, 0.7), self._transform(rows)
        alone = self._transform(rows[:1])
        if not np.allclose(alone, features[:1], rtol=1e-9, atol=1e-9 * np.abs(features).max()):
            raise ValueError(
                f"feature_map={self.given!r} must map each row by itself; its features of the first of {len(rows)} "
                "rows are others when that row comes alone."
            )
        slopes = wave(features.shape, 0.5)
        found = (self._vjp(rows, slopes) * direction).sum(axis=1)
        expected, doubt = _difference(lambda t: (slopes * self._transform(rows + t * direction)).sum(axis=1))
        scale = np.abs(expected).max() + 1e-9 * np.abs(features).max()
        wrong = ~(np.abs(found - expected) <= SLACK * scale + doubt)
        if wrong.any():
            i = int(np.argmax(wrong))
            raise ValueError(
                f"vjp of feature_map={self.given!r} does not belong to its transform: along a direction in row {i} of "
                f"those tried it gives the slope {found[i]:.6g}, differences of transform give {expected[i]:.6g}. "
                "vjp(rows, slopes) must be slopes @ J, J the Jacobian of transform at the row."
            )
        if self.linear:
            middle = 0.5 * (features + self._transform(rows + 3 * direction))
            if not np.allclose(middle, self._transform(rows + 1.5 * direction), atol=1e-9 * np.abs(middle).max()):
                raise ValueError(
                    f"feature_map={self.given!r} says that it is linear, but its features in the middle between two "
                    "rows are not the mean of theirs; give it a vjp(rows, slopes) instead of an adjoint."
                )


class Network(Map):
    """Layers of a multilayer perceptron.

    With a_0 the rows, z_l = a_(l-1) @ W_l + b_l and a_l = activation(z_l), the slopes come back by
    g_(l-1) = (g_l * activation'(z_l)) @ W_l.T, to which those by the features of layer l are added on the way.
    """

    def __init__(self, network, layers, width=0.0):
        self.network, self.layers, self.width = network, layers, width
        self.n_inputs = network.coefs_[0].shape[0]
        hidden = {network.activation} if min(layers) >= 0 else set()
        self.smooth = width > 0 or "relu" not in hidden

    def pull(self, rows):
        network, a, kept = self.network, rows, []
        for index in range(max(self.layers) + 1):
            W = network.coefs_[index]
            last = index == len(network.coefs_) - 1
            a, bend = self._activation(
                network.out_activation_ if last else network.activation, a @ W + network.intercepts_[index]
            )
            kept.append((W, a, bend))

        def backward(slopes):
            by_layer = dict(zip(self.layers, slopes, strict=True))
            g = 0.0
            for index in range(len(kept) - 1, -1, -1):
                W, _, bend = kept[index]
                g = ((g + by_layer.get(index, 0.0)) * bend) @ W.T
            return g

        return [kept[index][1] for index in self.layers], backward

    def _activation(self, name, z):
        """Value and derivative of an activation."""
        if name == "relu":
            if not self.width:
                return np.maximum(z, 0), (z > 0).astype(z.dtype)
            return soft_relu(z, self.width), soft_relu_slope(z, self.width)
        if name == "tanh":
            a = np.tanh(z)
            return a, 1 - a * a
        if name == "logistic":
            a = special.expit(z)
            return a, a * (1 - a)
        return z, np.ones_like(z)

    def smoothed(self, width):
        return self if self.smooth else Network(self.network, self.layers, width)


class Chain(Map):
    """A map of what a linear map makes of the rows."""

    def __init__(self, first, then):
        self.first, self.then, self.n_inputs = first, then, first.n_inputs
        self.linear, self.smooth = then.linear, then.smooth

    def pull(self, rows):
        (between,), back_to_rows = self.first.pull(rows)
        features, back = self.then.pull(between)
        return features, lambda slopes: back_to_rows([back(slopes)])

    def smoothed(self, width):
        return Chain(self.first, self.then.smoothed(width))

    def verify(self, rows):
        self.then.verify(self.first.features(rows)[0])


class Several(Map):
    """The maps of a list, side by side."""

    def __init__(self, maps):
        self.maps = maps
        self.linear, self.smooth = (all(getattr(each, fact) for each in maps) for fact in ("linear", "smooth"))
        sizes = {each.n_inputs for each in maps} - {None}
        if len(sizes) > 1:
            raise ValueError(f"The maps in feature_map take rows of different lengths: {sorted(sizes)}.")
        self.n_inputs = next(iter(sizes), None)

    def pull(self, rows):
        parts = [each.pull(rows) for each in self.maps]

        def backward(slopes):
            slopes, total = list(slopes), 0.0
            for features, back in parts:
                mine, slopes = slopes[: len(features)], slopes[len(features) :]
                total = total + back(mine)
            return total

        return [layer for features, _ in parts for layer in features], backward

    def push(self, directions):
        return [layer for each in self.maps for layer in each.push(directions)]

    def smoothed(self, width):
        return Several([each.smoothed(width) for each in self.maps])

    def verify(self, rows):
        for each in self.maps:
            each.verify(rows)


def as_features(values, rows, given):
    """What a transformer returned as an array (n, m) of float64, or a ValueError."""
    values = values.toarray() if sparse.issparse(values) else np.asarray(values)
    if values.ndim != 2 or len(values) != len(rows) or values.dtype.kind not in "fiub" or not values.shape[1]:
        raise ValueError(
            f"feature_map={given!r} must make numbers of shape (n_rows, n_features) of rows of shape {rows.shape}; it "
            f"made shape {values.shape} and dtype {values.dtype}."
        )
    values = values.astype(np.float64, copy=False)
    if np.isnan(values).any():
        i = int(np.argmax(np.isnan(values).any(axis=1)))
        raise ValueError(f"feature_map={given!r} made NaN of row {i} of rows of shape {rows.shape}.")
    return values


def soft_relu(t, width):
    """max(0, t), rounded off by a parabola within width / 2 of 0; above it by at most width / 8."""
    inner = np.clip(t + width / 2, 0, width)
    return inner * inner / (2 * width) + np.maximum(t - width / 2, 0)


def soft_relu_slope(t, width):
    """Derivative of `soft_relu`."""
    return np.clip(t / width + 0.5, 0, 1)


def wave(shape, phase):
    """Numbers in [-1, 1] without a pattern, the same in every run."""
    return 2 * np.modf(np.arange(1, np.prod(shape) + 1).reshape(shape) * GOLDEN + phase)[0] - 1


def _difference(f):
    """Derivative of f at 0 by central differences of fourth order, and how little it is known."""
    found = []
    for step in (1e-4, 2e-4):
        one, two = ((f(k * step) - f(-k * step)) / (2 * k * step) for k in (1, 2))
        found.append((4 * one - two) / 3)
    return found[0], np.abs(found[0] - found[1])
