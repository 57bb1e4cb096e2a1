"""Deviances of the exponential dispersion family, on the log link."""

import numpy as np

from ..links import LOG, Domain
from ._base import Loss

__all__ = ["Poisson"]


class Poisson(Loss):
    """Mean Poisson deviance, on the log link: its minimiser is the conditional mean of a count.

    With mu = exp(raw_prediction)::

        loss = 2 * (y_true * log(y_true / mu) - y_true + mu)

    Domain: y_true >= 0, y_pred > 0.  Link: log.  Unit: none (counts).
    Facts: convex, smooth; slope and curvature without bound.

    A rate with an exposure is fitted as ``fit(X, count / exposure, sample_weight=exposure)``.

    References
    ----------
    P. McCullagh, J. A. Nelder, "Generalized Linear Models", 2nd edition, 1989.

    Examples
    --------
    >>> Poisson().loss(np.array([0.0, 2.0]), np.log([1.0, 1.0])).round(6)
    array([2.      , 0.772589])
    """

    name = "poisson"
    use = "mean of a count or rate; an outlier moves it in proportion; unit of y"
    link = LOG
    interval_y_true = Domain(0.0, np.inf, low_inclusive=True)
    interval_y_pred = Domain(0.0, np.inf)

    def loss(self, y_true, raw_prediction):
        # y (e**t - 1 - t) with t = raw - log y loses no digits to a constant; where y = 0 only mu is left.
        positive = y_true > 0
        y = np.where(positive, y_true, 1)
        t = raw_prediction - np.log(y)
        with np.errstate(over="ignore"):  # inf is the true value
            rows = 2 * np.where(positive, y * (np.expm1(t) - t), np.exp(t))
        return rows if rows.ndim == 1 else rows.sum(axis=1)

    def gradient(self, y_true, raw_prediction):
        return 2 * (self.link.inverse(raw_prediction) - y_true)

    def hessian(self, y_true, raw_prediction):
        return 2 * self.link.inverse(raw_prediction)

    def fit_intercept_only(self, y_true, weight):
        # The best rate of counts that are all 0 is 0, whose logarithm is no number to start from.
        return np.log(np.maximum(weight @ y_true / weight.sum(), np.finfo(float).eps))
