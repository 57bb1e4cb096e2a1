"""Losses of the residual r = y_true - raw_prediction."""

import math
from numbers import Real

import numpy as np

from .._compat import Interval
from ._base import ResidualLoss

__all__ = ["AbsoluteError", "Huber", "LogCosh", "Pinball", "SmoothL1", "SquaredError"]


class SquaredError(ResidualLoss):
    """Squared error: its minimiser is the conditional mean.

    With r = y_true - raw_prediction::

        loss = r**2

    Domain: y_true real.  Link: identity.  Unit: the square of that of y.
    Facts: convex, quadratic.

    References
    ----------
    A.-M. Legendre, "Nouvelles méthodes pour la détermination des orbites des comètes", 1805.

    Examples
    --------
    >>> SquaredError().loss(np.array([3.0, 1.0]), np.array([1.0, 2.0]))
    array([4., 1.])
    """

    name = "squared_error"
    aliases = ("mse", "l2")
    use = "mean; one outlier moves it without bound; unit of y squared"
    quadratic = True

    def rho(self, r):
        return r * r

    def psi(self, r):
        return 2 * r

    def psi_prime(self, r):
        return np.full_like(r, 2)

    def fit_intercept_only(self, y_true, weight):
        return weight @ y_true / weight.sum()


class Pinball(ResidualLoss):
    """Pinball (quantile) loss: its minimiser is a conditional quantile.

    With r = y_true - raw_prediction::

        loss = max(quantile * r, (quantile - 1) * r)

    Domain: y_true real.  Link: identity.  Unit: that of y.
    Facts: convex, kink at r = 0, slope at most max(quantile, 1 - quantile).

    Parameters
    ----------
    quantile : float in (0, 1), default=0.5
        Level of the quantile to predict.

    References
    ----------
    R. Koenker, G. Bassett, "Regression Quantiles", Econometrica 46(1), 1978.

    Examples
    --------
    >>> Pinball(quantile=0.9).loss(np.array([3.0, 1.0]), np.array([1.0, 3.0]))
    array([1.8, 0.2])
    """

    name = "pinball"
    aliases = ("quantile",)
    use = "a quantile; an outlier counts by its side alone; unit of y"
    smooth = False
    _parameter_constraints = {"quantile": [Interval(Real, 0, 1, closed="neither")]}

    def __init__(self, quantile=0.5):
        self.quantile = quantile

    @property
    def relu(self):
        return (self.quantile, 0.0), (self.quantile - 1.0, 0.0)

    def fit_intercept_only(self, y_true, weight):
        if y_true.ndim == 2:
            return np.array([self.fit_intercept_only(column, weight) for column in y_true.T])
        order = np.argsort(y_true)
        reached = np.cumsum(weight[order]) >= self.quantile * weight.sum()
        return y_true[order[np.argmax(reached)]]


class AbsoluteError(ResidualLoss):
    """Absolute error: its minimiser is a conditional median.

    With r = y_true - raw_prediction::

        loss = abs(r)

    Domain: y_true real.  Link: identity.  Unit: that of y.
    Facts: convex, kink at r = 0, slope at most 1.

    References
    ----------
    R. Boscovich, "De litteraria expeditione per pontificiam ditionem", 1757.

    Examples
    --------
    >>> AbsoluteError().loss(np.array([3.0, 1.0]), np.array([1.0, 1.5]))
    array([2. , 0.5])
    """

    name = "absolute_error"
    aliases = ("mae", "l1")
    use = "median; an outlier counts by its side alone; unit of y"
    smooth = False
    relu = (1.0, 0.0), (-1.0, 0.0)

    def fit_intercept_only(self, y_true, weight):
        return Pinball(0.5).fit_intercept_only(y_true, weight)


class Huber(ResidualLoss):
    """Huber loss: squared error near zero, absolute error beyond delta.

    With r = y_true - raw_prediction::

        loss = r**2 / 2                        where abs(r) <= delta
               delta * (abs(r) - delta / 2)    elsewhere

    Domain: y_true real.  Link: identity.  Unit: the square of that of y.
    Facts: convex, smooth, slope at most delta, curvature at most 1, constants for residuals of scale 1.

    Parameters
    ----------
    delta : float > 0, default=1.35
        Where the loss turns from quadratic to linear.  1.345 makes it 95 % as efficient as least squares for normal
        residuals of scale 1.

    References
    ----------
    P. J. Huber, "Robust Estimation of a Location Parameter", Annals of Mathematical Statistics 35(1), 1964.

    Examples
    --------
    >>> Huber(delta=1.0).loss(np.array([3.0, 1.0]), np.array([1.0, 0.5]))
    array([1.5  , 0.125])
    """

    name = "huber"
    use = "mean of the bulk, between mean and median; an outlier's pull is capped at delta; unit of y squared"
    standardized = True
    _parameter_constraints = {"delta": [Interval(Real, 0, None, closed="neither")]}

    def __init__(self, delta=1.35):
        self.delta = delta

    def rho(self, r):
        a = np.abs(r)
        q = np.minimum(a, self.delta)
        return q * (a - q / 2)

    def psi(self, r):
        return np.clip(r, -self.delta, self.delta)

    def psi_prime(self, r):
        return (np.abs(r) <= self.delta).astype(r.dtype)


class SmoothL1(ResidualLoss):
    """Smooth L1 loss: absolute error with its kink rounded off; Huber(beta) / beta.

    With r = y_true - raw_prediction::

        loss = r**2 / (2 * beta)     where abs(r) < beta
               abs(r) - beta / 2     elsewhere

    Domain: y_true real.  Link: identity.  Unit: that of y.
    Facts: convex, smooth unless beta = 0 (then it is the absolute error), slope at most 1, curvature at most 1 / beta.

    Parameters
    ----------
    beta : float >= 0, default=1.0
        Where the loss turns from quadratic to linear, in units of y.

    References
    ----------
    R. Girshick, "Fast R-CNN", ICCV 2015, arXiv:1504.08083.

    Examples
    --------
    >>> SmoothL1(beta=2.0).loss(np.array([3.0, 1.0]), np.array([0.0, 0.0]))
    array([2.  , 0.25])
    """

    name = "smooth_l1"
    use = "median, smoothed within beta; an outlier's pull is capped at 1; unit of y"
    _parameter_constraints = {"beta": [Interval(Real, 0, None, closed="left")]}

    def __init__(self, beta=1.0):
        self.beta = beta

    @property
    def smooth(self):
        return self.beta != 0

    @property
    def relu(self):
        return AbsoluteError.relu if self.beta == 0 else None

    def rho(self, r):
        if not self.smooth:
            return np.abs(r)
        a = np.abs(r)
        q = np.minimum(a, self.beta)
        return q / self.beta * (a - q / 2)

    def psi(self, r):
        return np.clip(r / self.beta, -1, 1) if self.smooth else np.sign(r)

    def psi_prime(self, r):
        return (np.abs(r) < self.beta) / r.dtype.type(self.beta) if self.smooth else np.zeros_like(r)


class LogCosh(ResidualLoss):
    """Log-cosh loss: a smooth absolute error.

    With r = y_true - raw_prediction::

        loss = log(cosh(r))

    Domain: y_true real.  Link: identity.  Unit: none of its own; r is taken in units of y.
    Facts: convex, smooth, slope at most 1, curvature at most 1.

    References
    ----------
    P. J. Green, "Bayesian reconstructions from emission tomography data using a modified EM algorithm", IEEE
    Transactions on Medical Imaging 9(1), 1990.

    Examples
    --------
    >>> LogCosh().loss(np.array([0.0, 1000.0]), np.array([1.0, 0.0])).round(6)
    array([4.33781000e-01, 9.99306853e+02])
    """

    name = "log_cosh"
    use = "between mean and median; an outlier's pull is capped at 1; y should have scale 1"

    def rho(self, r):
        a = np.abs(r)
        near = np.sinh(np.minimum(a, 1))  # log cosh a = log(1 + sinh(a)**2) / 2 keeps its digits near 0
        return np.where(a < 1, np.log1p(near * near) / 2, a + np.log1p(np.exp(-2 * a)) - math.log(2))

    def psi(self, r):
        return np.tanh(r)

    def psi_prime(self, r):
        e = np.exp(-2 * np.abs(r))
        return 4 * e / (1 + e) ** 2
