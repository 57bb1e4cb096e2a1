"""Kinks as data: where the losses of rows bend, and by how much."""

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Kinks", "relu_kinks"]


@dataclass(frozen=True)
class Kinks:
    """Where the losses of rows bend, as functions of the raw prediction.

    The loss of a row is ``constant + sum_j max(low_j * z_j, high_j * z_j) + rest``, with ``z_j = at_j -
    raw_prediction`` and low <= 0 <= high.

    Parameters
    ----------
    at, low, high : ndarrays of shape (J, n)
    constant : ndarray of shape (n,)
    rest : Loss or None
        What is smooth in the loss; None where the kinks are all there is.
    origin : str
        How they are known, for the certificate.
    """

    at: np.ndarray
    low: np.ndarray
    high: np.ndarray
    constant: np.ndarray
    rest: Any = None
    origin: str = ""

    def value(self, raw_prediction):
        """The kinked part of the loss and its constant, (n,)."""
        z = self.at - raw_prediction
        return np.maximum(self.low * z, self.high * z).sum(axis=0) + self.constant


def relu_kinks(loss, y_true):
    """The kinks of a loss that declares ``relu``."""
    if loss.relu is None:
        return None
    offset, slope = loss.argument(y_true)
    weight = loss.row_weight(y_true) * np.ones(np.shape(y_true))
    boxes: dict[float, Any] = {}  # kinks at the same argument are one
    for c, o in loss.relu:
        if c:
            boxes.setdefault(-o / c, []).append(c)
    at = [(t - offset) / slope for t in boxes]
    turned = [[-c * slope * weight for c in slopes] for slopes in boxes.values()]  # by z, not by the argument
    low = [sum(np.minimum(k, 0) for k in ks) for ks in turned]
    high = [sum(np.maximum(k, 0) for k in ks) for ks in turned]
    constant = weight * sum(max(0.0, o) for c, o in loss.relu if not c)
    return Kinks(np.array(at), np.array(low), np.array(high), constant)
