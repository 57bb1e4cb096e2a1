"""Losses of several raw predictions of a row together, whose kinks are norms of linear functions of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._norms import DIFFERENCES, Norms, differences
from ._base import Loss

__all__ = ["PredictionVariation"]


@dataclass(frozen=True)
class Variation:
    """The loss of a row: ``norms.value(raw_prediction)``, kinks of each of its raw predictions, and what is smooth.

    Parameters
    ----------
    norms : Norms
    kinks : Kinks or None
        Its arrays are (J, n, K), and (n, K).
    rest : Loss or None
    """

    norms: Norms
    kinks: Any = None
    rest: Any = None


class PredictionVariation(Loss):  # without a name: it is a term of other losses, and alone would predict nothing
    """How much the predictions of a row vary between neighbours, where they form a signal or an image::

        loss = sum_axis weights[axis] * sum abs(differences of that order of raw_prediction along the axis)

    or, with ``isotropic``, over the places where differences start::

        loss = sum_place sqrt(sum_axis (weights[axis] * difference along the axis)**2)

    It ignores y_true, and is a term of a sum: ``SquaredError() + 0.1 * PredictionVariation((8, 8))`` denoises.  All
    outputs are then one problem.

    Domain: y_true real, of several outputs.  Link: identity.  Unit: that of y.
    Facts: convex, kinks where neighbours are equal.

    Parameters
    ----------
    shape : int or tuple of int, default=None
        Shape of the signal or image, whose entries, ravelled row by row, are the outputs.  None is one signal of all.
    weights : array-like of shape (n_axes,), default=None
        How much each axis counts; 0 for an axis, such as that of the colours, along which nothing is compared.  None is
        1 for each.
    order : int >= 1, default=1
        Order of the differences.
    isotropic : bool, default=False
        Whether the differences at one place are put together by their norm.

    References
    ----------
    L. I. Rudin, S. Osher, E. Fatemi, "Nonlinear total variation based noise removal algorithms", Physica D 60, 1992.

    Examples
    --------
    >>> image = np.array([[0.0, 3.0, 4.0, 7.0]])
    >>> PredictionVariation((2, 2)).loss(0 * image, image)
    array([14.])
    >>> PredictionVariation((2, 2), isotropic=True).loss(0 * image, image)
    array([12.])
    """

    use = "the same value for neighbours; y does not count"
    smooth = False
    multiclass = True
    _parameter_constraints = DIFFERENCES

    def __init__(self, shape=None, weights=None, order=1, isotropic=False):
        self.shape = shape
        self.weights = weights
        self.order = order
        self.isotropic = isotropic

    @property
    def n_outputs(self):
        return None if self.shape is None else int(np.prod(self.shape))

    def norms(self, n_outputs):
        """The `Norms` of so many outputs."""
        given = self.shape, n_outputs, self.weights, self.order, self.isotropic
        return differences(*given, owner=type(self).__name__, of="outputs")

    def loss(self, y_true, raw_prediction):
        return self.norms(raw_prediction.shape[1]).value(raw_prediction)

    def gradient(self, y_true, raw_prediction):
        return self.norms(raw_prediction.shape[1]).gradient(raw_prediction)

    def variation(self, y_true, n_outputs):
        return Variation(self.norms(n_outputs))

    def smoothed(self, width):
        """A smooth loss above this one, by at most ``width * excess(K)``."""
        return _Smoothed(self, width)

    def excess(self, n_outputs):
        return float(self.norms(n_outputs).radius.sum())

    def fit_intercept_only(self, y_true, weight, n_outputs=1):
        return np.zeros(n_outputs)

    def check_y_true(self, y_true, fit=False):
        if np.ndim(y_true) != 2:
            raise ValueError(
                f"{self!r} compares the outputs of a row with each other, so y must have several, shape (n_samples, "
                f"n_outputs); got shape {np.shape(y_true)}."
            )
        self.norms(np.shape(y_true)[1])


class _Smoothed(Loss):
    """A variation whose norms r are sqrt(r**2 + width**2)."""

    multiclass = True

    def __init__(self, variation, width):
        self.variation_of = variation
        self.width = width

    def _norms(self, raw_prediction):
        norms = self.variation_of.norms(raw_prediction.shape[1])
        rows = norms.operator @ raw_prediction.T
        return norms, rows, np.hypot(norms.lengths(rows), self.width)

    def loss(self, y_true, raw_prediction):
        norms, _, length = self._norms(raw_prediction)
        return norms.radius @ length

    def gradient(self, y_true, raw_prediction):
        norms, rows, length = self._norms(raw_prediction)
        return (norms.operator.T @ ((norms.radius[:, None] / length)[norms.group] * rows)).T

    def hessian_product(self, y_true, raw_prediction, weight, direction):
        norms, rows, length = self._norms(raw_prediction)
        change = norms.operator @ direction.T
        inner = rows * change
        along = inner if norms.absolute else np.add.reduceat(inner, norms.starts, axis=0)
        bent = change - rows * (along / length**2)[norms.group]
        return weight[:, None] * (norms.operator.T @ ((norms.radius[:, None] / length)[norms.group] * bent)).T

    def fit_intercept_only(self, y_true, weight, n_outputs=1):
        return np.zeros(n_outputs)
