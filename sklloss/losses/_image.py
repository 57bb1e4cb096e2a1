"""Losses of images as a whole."""

from numbers import Real

import numpy as np

from .._compat import Interval
from ._sets import SetLoss

__all__ = ["PSNR", "psnr"]

DECIBELS = 20 / np.log(10)  # of a factor e


class PSNR(SetLoss):
    """Minus the peak signal-to-noise ratio in decibels: least squares on a logarithmic scale, image by image.

    With r = y_true - raw_prediction, and MSE the weighted mean of r**2 over the rows and outputs of a set::

        loss = -10 * log10(data_range**2 / MSE)

    Of a single set it is a monotone function of the squared error, and so has the same minimiser; of several, a set
    that is fitted well counts as much as one that is fitted badly.  A set that is fitted exactly has the loss -inf, so
    there is no minimum where that is possible.  Several outputs are fitted one by one, each to its own error.

    Domain: y_true real.  Link: identity.  Unit: decibels.
    Facts: a loss of sets of rows, not convex, smooth but for -inf where a set is fitted exactly.

    Parameters
    ----------
    data_range : float > 0, default=1.0
        Distance between the least and the largest value that y can have: 1.0 for images in [0, 1], 255 for bytes.

    References
    ----------
    Q. Huynh-Thu, M. Ghanbari, "Scope of validity of PSNR in image/video quality assessment", Electronics Letters
    44(13), 2008.

    Examples
    --------
    >>> y, raw, weight = np.array([0.5, 0.2, 0.9]), np.array([0.4, 0.3, 0.0]), np.ones(3)
    >>> PSNR().set_values(y, raw, weight, ["a", "a", "b"]).round(6)
    array([-20.     ,  -0.91515])
    """

    name = "psnr"
    use = "the mean of each image, in equal decibels; an outlier pulls the less, the larger the error of its image"
    translates = True
    _parameter_constraints = {"data_range": [Interval(Real, 0, None, closed="neither")]}

    def __init__(self, data_range=1.0):
        self.data_range = data_range

    def per_set(self, y_true, raw_prediction, weight, sets):
        r = y_true - raw_prediction
        rows = np.where((weight > 0)[:, None], r.reshape(len(r), -1), 0)
        size = np.zeros(len(sets))
        np.maximum.at(size, sets.index, np.abs(rows).max(axis=1))
        wrong = size > 0
        # In units of the largest residual of a set no square overflows, and not all of them vanish.
        unit = rows / np.where(wrong, size, 1)[sets.index][:, None]
        squares = sets.sum(weight * (unit * unit).sum(axis=1))
        mass = sets.sum(weight) * rows.shape[1]
        with np.errstate(divide="ignore"):  # log10(0) = -inf is the true value
            values = 10 * np.log10(squares / np.where(mass > 0, mass, 1)) + 20 * np.log10(size / self.data_range)
        factor = (DECIBELS * weight) / np.where(wrong, squares, 1)[sets.index]
        with np.errstate(over="ignore"):  # of residuals below 1e-307
            gradient = -factor[:, None] * unit / np.where(wrong, size, 1)[sets.index][:, None]
        return np.where(mass > 0, values, 0), gradient.reshape(r.shape)

    def fit_intercept_only(self, y_true, weight, sample_set=None):
        """Best constant, a float or (n_outputs,): the weighted mean for one set; for more the best that is found."""
        sets = self.sets(sample_set, len(y_true))
        counts = self.share(weight, sets) > 0
        weight, y = sets.relative(weight), np.asarray(y_true, dtype=np.float64).reshape(len(y_true), -1)
        mass = np.where(counts, sets.sum(weight), 1)[:, None]
        base = sets.first(y)  # a set of equal values has exactly that mean, and variance 0
        mean = base + sets.sum(weight[:, None] * (y - base[sets.index])) / mass
        variance = sets.sum(weight * ((y - mean[sets.index]) ** 2).sum(axis=1))[counts] / mass[counts, 0]
        mean = mean[counts]
        best = mean[variance.argmin()] if variance.min() == 0 else _best_constant(mean, variance)
        return float(best[0]) if y_true.ndim == 1 else best


def psnr(y_true, y_pred, data_range):
    """Peak signal-to-noise ratio in decibels, 10 * log10(data_range**2 / MSE).

    Parameters
    ----------
    y_true, y_pred : array-like of the same shape
        Images, or any arrays; the squared error is averaged over all of their entries.
    data_range : float > 0
        Distance between the least and the largest value that y can have.

    Returns
    -------
    float
        Higher is better; inf for equal arrays.

    Examples
    --------
    >>> round(psnr([[3.0, 2.0], [1.0, 0.0]], [[0.0, 1.0], [2.0, 3.0]], data_range=3.0), 4)
    2.5527
    """
    y_true, y_pred = np.asarray(y_true, dtype=np.float64), np.asarray(y_pred, dtype=np.float64)
    if y_true.shape != y_pred.shape:
        raise ValueError(f"y_true has shape {y_true.shape}, y_pred has shape {y_pred.shape}; they must be equal.")
    loss = PSNR(data_range).check()
    return -float(loss.set_values(y_true.ravel(), y_pred.ravel(), np.ones(y_true.size))[0])


def _best_constant(mean, variance):
    """A minimiser over b of the mean over sets of log(variance + (b - mean)**2), (n_outputs,).

    Its stationary points are means of the sets' means, each weighted by one over its squared error; to take that mean
    again and again never raises the value.
    """

    def error(b):
        return variance + ((b - mean) ** 2).sum(axis=1)

    starts = [mean.mean(axis=0), *mean[:: -(-len(mean) // 256)]]
    b = min(starts, key=lambda start: np.log(error(start)).sum())
    for _ in range(1000):
        pull = 1 / error(b)
        previous, b = b, pull @ mean / pull.sum()
        if np.abs(b - previous).max() <= 1e-14 * np.abs(mean).max():
            break
    return b
