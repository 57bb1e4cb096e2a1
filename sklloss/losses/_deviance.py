"""Deviances of the exponential dispersion family: Tweedie's, with Poisson's and the gamma deviance as members."""

import math
from numbers import Real
from typing import Any

import numpy as np

from .._compat import Interval
from ..links import IDENTITY, LOG, Domain
from ._base import Loss

__all__ = ["Gamma", "Poisson", "Tweedie"]


NEAR, LAST = 0.3, 14  # where exp(t) - 1 - t loses digits, and a power series with as many terms has them all


class _Deviance(Loss):
    """Mean deviance of a power variance function, on the log link for power > 0, else on the identity.

    With t = raw_prediction - log(y_true) all deviances are 2 y**(2 - p) (g(2 - p) - g(1 - p)), g(k) = expm1(k t) / k:
    no digits are lost to the terms that do not depend on the prediction.
    """

    power: Any
    positive_only: Any = True

    def _parts(self, y_true, f):
        """Where y > 0, y and log(y) there (1 and 0 elsewhere), t, and the power of mu that the loss grows with."""
        p, positive = self.power, y_true > 0
        y = np.where(positive, y_true, 1)
        log_y = np.log(y)
        t = f - log_y
        with np.errstate(over="ignore"):
            growth = np.exp(np.where(positive & (t < 0), (1 - p) * f + log_y, (2 - p) * f))
        return positive, y, t, growth

    def loss(self, y_true, raw_prediction):
        p = self.power
        positive, y, t, growth = self._parts(y_true, raw_prediction)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            rows = y ** (2 - p) * _difference(p, t)
            # where y = 0 the only term; where exp(t) overflows, though perhaps not the loss, all that is left of it
            last = growth / np.where(positive & (t < 0), p - 1, 2 - p).astype(growth.dtype)
            rows = 2 * np.where(positive & np.isfinite(rows), rows, last)
        return rows if rows.ndim == 1 else rows.sum(axis=1)

    def gradient(self, y_true, raw_prediction):
        # 2 mu**(1 - p) * (mu - y), mu - y = mu * (1 - exp(-t)) = y * (exp(t) - 1)
        positive, _, t, growth = self._parts(y_true, raw_prediction)
        with np.errstate(over="ignore"):
            return 2 * growth * np.where(positive, np.copysign(np.expm1(-np.abs(t)), t), 1)

    def hessian(self, y_true, raw_prediction):
        p, f = self.power, raw_prediction
        positive = y_true > 0
        log_y = np.log(np.where(positive, y_true, 1))
        with np.errstate(over="ignore", invalid="ignore"):  # inf - inf occurs beyond power 2 only
            first = (2 - p) * np.exp((2 - p) * f) if p != 2 else np.zeros_like(f)
            second = (p - 1) * np.exp((1 - p) * f + log_y) if p != 1 else np.zeros_like(f)
            total = 2 * (first + np.where(positive, second, 0))
        return np.where(np.isnan(total), np.inf, total)

    def fit_intercept_only(self, y_true, weight):
        # The best rate of counts that are all 0 is 0, whose logarithm is no number to start from.
        return np.log(np.maximum(weight @ y_true / weight.sum(), np.finfo(float).eps))


class Poisson(_Deviance):
    """Mean Poisson deviance, on the log link: its minimiser is the conditional mean of a count.

    With mu = exp(raw_prediction)::

        loss = 2 * (y_true * log(y_true / mu) - y_true + mu)

    Domain: y_true >= 0, y_pred > 0.  Link: log.  Unit: that of y.
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
    power = 1.0

    def gradient(self, y_true, raw_prediction):
        y, _, excess, _, _ = self._pieces(y_true, raw_prediction)
        if not np.isfinite(excess).all():  # of a tiny y, or for good
            return super().gradient(y_true, raw_prediction)
        return 2 * y * excess

    def value_gradient(self, y_true, raw_prediction, weight):
        # Value and gradient together: they are most of a pass over a narrow X.
        y, t, excess, near, series = self._pieces(y_true, raw_prediction)
        rows = excess - np.where(y_true > 0, t, 0)
        rows[near] = np.square(t[near]) / 2 * series
        weighted = 2 * (y.T * weight).T
        value = float((weighted * rows).sum())
        if not np.isfinite(value):
            return super().value_gradient(y_true, raw_prediction, weight)
        return value, weighted * excess

    def _pieces(self, y_true, raw_prediction):
        """y, t = log(mu / y), exp(t) - 1, the rows where t is near 0, and there (exp(t) - 1 - t) * 2 / t**2.

        Where y is 0 all are of y = 1, and the third is mu.
        """
        positive = y_true > 0
        y = np.where(positive, y_true, 1)
        t = raw_prediction - np.log(y)
        with np.errstate(over="ignore"):
            excess = np.exp(t) - positive
        near = np.nonzero(positive & (np.abs(t) < NEAR))
        s, series = t[near], 1.0
        for k in range(LAST, 2, -1):
            series = 1 + s / k * series
        excess[near] = s * (1 + s / 2 * series)
        return y, t, excess, near, series


class Gamma(_Deviance):
    """Mean gamma deviance, on the log link: its minimiser is the conditional mean of a positive quantity.

    With mu = exp(raw_prediction)::

        loss = 2 * (log(mu / y_true) + y_true / mu - 1)

    Domain: y_true > 0, y_pred > 0.  Link: log.  Unit: none.
    Facts: convex, smooth; slope and curvature without bound.

    References
    ----------
    P. McCullagh, J. A. Nelder, "Generalized Linear Models", 2nd edition, 1989.

    Examples
    --------
    >>> Gamma().loss(np.array([1.0, 2.0]), np.log([2.0, 2.0])).round(6)
    array([0.386294, 0.      ])
    """

    name = "gamma"
    use = "mean, errors in proportion to it; an outlier moves it by its ratio; no unit"
    link = LOG
    interval_y_true = Domain(0.0, np.inf)
    interval_y_pred = Domain(0.0, np.inf)
    power = 2.0


class Tweedie(_Deviance):
    """Mean Tweedie deviance, on the log link for power > 0, else on the identity.

    With mu the prediction and p the power, not 0 (the squared error); 1 (Poisson) and 2 (gamma) are limits::

        loss = 2 * (max(y_true, 0)**(2 - p) / ((1 - p) * (2 - p)) - y_true * mu**(1 - p) / (1 - p)
                    + mu**(2 - p) / (2 - p))

    Domain: y_true real for power <= 0, >= 0 for 1 <= power < 2, > 0 for power >= 2; y_pred > 0 but for power = 0.
    Link: log, identity for power <= 0.  Unit: that of y to the 2 - p.
    Facts: smooth; convex for power 0 (the squared error) and from 1 to 2.

    Parameters
    ----------
    power : float <= 0 or >= 1, default=1.5
        The variance is proportional to the mean to this power; between 1 and 2 for totals of claims, many of them 0.

    References
    ----------
    B. Jørgensen, "Exponential Dispersion Models", Journal of the Royal Statistical Society B 49(2), 1987.

    Examples
    --------
    >>> Tweedie(power=1.5).loss(np.array([0.0, 4.0]), np.log([4.0, 1.0]))
    array([8., 4.])
    """

    name = "tweedie"
    use = "mean of a quantity that may be 0; an outlier moves it less than in proportion; unit of y to the 2 - power"
    _parameter_constraints = {
        "power": [Interval(Real, None, 0, closed="right"), Interval(Real, 1, None, closed="left")]
    }

    def __init__(self, power=1.5):
        self.power = power

    @property
    def _log(self):
        return self.power > 0

    @property
    def link(self):
        return LOG if self._log else IDENTITY

    @property
    def convex(self):
        return self.power == 0 or 1 <= self.power <= 2

    @property
    def quadratic(self):
        return self.power == 0

    @property
    def positive_only(self):
        return self.power != 0

    @property
    def interval_y_true(self):
        return Domain() if self.power <= 0 else Domain(0.0, np.inf, low_inclusive=self.power < 2)

    @property
    def interval_y_pred(self):
        return Domain() if self.power == 0 else Domain(0.0, np.inf)

    def loss(self, y_true, raw_prediction):
        if self._log:
            return super().loss(y_true, raw_prediction)
        p, mu = self.power, np.maximum(raw_prediction, 0)
        with np.errstate(over="ignore"):
            if p == 0:
                rows = (y_true - raw_prediction) ** 2
            else:
                y = np.maximum(y_true, 0)
                # one product of mu's power, so that inf - inf cannot occur
                rows = y ** (2 - p) / ((1 - p) * (2 - p)) + mu ** (1 - p) * (mu / (2 - p) - y_true / (1 - p))
                close = np.abs(mu - y) * (4 - 2 * p) < y  # there the terms cancel
                y = np.where(close, y, 1)
                t = np.log1p(np.where(close, mu - y, 0) / y)
                rows = 2 * np.where(close, y ** (2 - p) * _difference(p, t), rows)
                rows = np.where(raw_prediction > 0, rows, np.inf)
        return rows if rows.ndim == 1 else rows.sum(axis=1)

    def gradient(self, y_true, raw_prediction):
        if self._log:
            return super().gradient(y_true, raw_prediction)
        mu = raw_prediction if self.power == 0 else np.maximum(raw_prediction, 0)
        with np.errstate(over="ignore"):
            return 2 * mu ** (-self.power) * (mu - y_true)

    def hessian(self, y_true, raw_prediction):
        if self._log:
            return super().hessian(y_true, raw_prediction)
        p = self.power
        if p == 0:
            return np.full_like(raw_prediction, 2)
        mu = np.where(raw_prediction > 0, raw_prediction, np.finfo(raw_prediction.dtype).tiny)
        with np.errstate(over="ignore"):
            return 2 * mu ** (-p - 1) * ((1 - p) * mu + p * y_true)

    def fit_intercept_only(self, y_true, weight):
        if self._log:
            return super().fit_intercept_only(y_true, weight)
        mean = weight @ y_true / weight.sum()
        return mean if self.power == 0 else np.maximum(mean, np.finfo(float).eps)  # predictions are positive


def _difference(p, t):
    """g(2 - p) - g(1 - p), g(k) = expm1(k t) / k; near t = 0, where they cancel, by their power series."""
    # Beyond, at most a digit cancels; up to there the terms that are left out are rounding, 1.5**24 / 24! = 3e-20.
    near = np.abs(t) * max(1, abs(2 - p), abs(1 - p)) < 1.5
    s = np.where(near, t, 0)
    series = np.zeros_like(s)
    for k in range(23, 1, -1):
        series *= s
        series += ((2 - p) ** (k - 1) - (1 - p) ** (k - 1)) / math.factorial(k)
    up, down = (np.expm1(k * t) / k if k else t for k in (2 - p, 1 - p))
    return np.where(near, series * s * s, up - down)
